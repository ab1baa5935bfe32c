"""Known faults of enforcers, recognised by the policies that trigger them. Pure.

Both were measured with kube-router 2.1.0 on a real cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.codes import Code
from kubectl_netpol.model import Direction, NamedPort
from kubectl_netpol.rules import match_rule, peer_matches, view_of
from kubectl_netpol.verdict import Allow, Answer

if TYPE_CHECKING:
    from kubectl_netpol.judge import Verdict
    from kubectl_netpol.model import Peer, Policy, Snapshot
    from kubectl_netpol.verdict import Connection, DirectionVerdict, End


class Fault(NamedTuple):
    """Why an enforcer may let through what the policies block, and what avoids it."""

    code: Code
    message: str
    fix: str


def enforcer_fault(snapshot: Snapshot, prediction: Verdict) -> Fault | None:
    """The known fault that explains an open connection which the policies block, or None."""
    for route in prediction.routes:
        for side in (route.egress, route.ingress):
            if side.answer is not Answer.BLOCKED:
                continue
            connection = route.connection
            if fault := _unresolved_name(snapshot, connection, side) or _both_ends(snapshot, connection, side):
                return fault
    return None


def _unresolved_name(snapshot: Snapshot, connection: Connection, side: DirectionVerdict) -> Fault | None:
    """A rule whose port names no pod of its destinations has is programmed without ports: it opens them all."""
    peer_end = connection.destination if side.direction is Direction.EGRESS else connection.source
    for near in side.near_misses:
        names = [item.name for item in near.rule.ports if isinstance(item, NamedPort)]
        if not names or len(names) != len(near.rule.ports):
            continue
        matched = any(_matches(snapshot, near.policy, peer, peer_end) for peer in near.rule.peers or (None,))
        pod = connection.destination.pod
        if matched and pod and not any(port.name in names for port in pod.ports):
            message = (
                f"{near.policy.name} allows port {', '.join(names)}, which no destination pod has, "
                "and some enforcers (kube-router) then open every port"
            )
            return Fault(Code.ENFORCER_NAMED_PORT_FAULT, message, "write the port's number into the policy")
    return None


def _matches(snapshot: Snapshot, policy: Policy, peer: Peer | None, end: End) -> bool:
    return peer is None or peer_matches(snapshot, policy, peer, end.pod, end.address) is True


def _both_ends(snapshot: Snapshot, connection: Connection, side: DirectionVerdict) -> Fault | None:
    """A policy that selects both ends is programmed as one chain: a rule of one direction serves the other too."""
    source, destination = connection.source.pod, connection.destination.pod
    if not source or not destination:
        return None
    other = Direction.INGRESS if side.direction is Direction.EGRESS else Direction.EGRESS
    peer = connection.source if other is Direction.INGRESS else connection.destination
    view = view_of(connection, peer)
    for policy in side.isolated_by:
        if policy.selects(source) and policy.selects(destination):
            for rule in policy.rules_of(other):
                if isinstance(match_rule(snapshot, policy, rule, view), Allow):
                    message = (
                        f"{policy.name} selects both ends, and some enforcers (kube-router) let its "
                        f"{other.field} rule pass the {side.direction.field} side too"
                    )
                    fix = "split the policy by direction"
                    return Fault(Code.ENFORCER_BOTH_ENDS_FAULT, message, fix)
    return None
