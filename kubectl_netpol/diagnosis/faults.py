"""Known faults of network plugins, recognised by the policies that trigger them, and the kinds that they ignore.

Both faults were measured with kube-router 2.1.0 on a real cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import match_text
from kubectl_netpol.engine.readings import plain_reading
from kubectl_netpol.engine.rules import match_rule, peer_matches
from kubectl_netpol.engine.verdict import Connection, DirectionVerdict, RuleMatch, Verdict
from kubectl_netpol.model.kinds import TIERED
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import NamedPort

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot

FAULTY = "kube-router"


class Fault(NamedTuple):
    """Why a plugin may let through what the policies block, and what avoids it."""

    code: Code
    message: str
    fix: str


# Of plugins by the beginning of their title: the kinds of policy, other than NetworkPolicy, that they ignore.
_IGNORED = {
    "kube-router": TIERED,
    "flannel": TIERED,
    "Weave Net": TIERED,
    "Azure NPM": TIERED,
    "the Amazon VPC CNI": ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"),
}


def ignored_kind(prediction: Prediction, enforcer: str | None) -> str | None:
    """That the network plugin does not enforce a policy on which the prediction rests, or None.

    `enforcer`: its title, several joined by "and".
    """
    plugins = enforcer.split(" and ") if enforcer else []
    for route in prediction.routes:
        for match in (m for side in (route.egress, route.ingress) for m in (*side.denied_by, *side.allowed_by)):
            if plugins and all(is_ignored(match.policy.kind, plugin) for plugin in plugins):
                kind = match.policy.title.partition("/")[0]
                return f"{enforcer} does not enforce {kind}, and {match_text(match)} decides"
    return None


def is_ignored(kind: str, plugin: str) -> bool:
    """Whether the plugin of this title is known to do nothing for policies of the kind."""
    return any(plugin.startswith(title) and kind in kinds for title, kinds in _IGNORED.items())


def enforcer_fault(snapshot: Snapshot, prediction: Prediction) -> Fault | None:
    """The known fault that explains why a connection is open though the policies block it, or None."""
    for route in prediction.routes:
        for side in (route.egress, route.ingress):
            if side.verdict is not Verdict.BLOCKED:
                continue
            connection = route.connection
            if fault := _named_port_fault(snapshot, connection, side) or _both_ends_fault(snapshot, connection, side):
                return fault
    return None


def _named_port_fault(snapshot: Snapshot, connection: Connection, side: DirectionVerdict) -> Fault | None:
    """A rule with pod peers and only port names that no destination pod has: the plugin opens every port.

    Destination pods: for ingress those that the policy selects, for egress those that the rule's peers match.
    """
    peer_end = connection.destination if side.direction is Direction.EGRESS else connection.source
    for near in side.near_misses:
        names = [item for item in near.rule.ports if isinstance(item, NamedPort)]
        if len(names) != len(near.rule.ports):
            continue
        peers = [peer for peer in near.rule.peers if not peer.ip_block]
        if not any(peer_matches(snapshot, near.policy, peer, peer_end.pod, peer_end.address) is True for peer in peers):
            continue
        pods = [pod for pod in snapshot.pods_in(near.policy.namespace) if near.policy.selects(pod)]
        if side.direction is Direction.EGRESS:
            from kubectl_netpol.analysis.isolation import peer_pods  # noqa: PLC0415 - 4 ms, and hardly ever needed

            pods = [pod for match in peer_pods(snapshot, near.policy, near.rule) for pod in match.pods]
        if not any(pod.port_named(item.name, item.protocol) for pod in pods for item in names):
            named = ", ".join(item.name for item in names)
            message = (
                f"{near.policy.name} allows port {named}, which no destination pod has, "
                f"and some plugins ({FAULTY}) then open every port"
            )
            return Fault(Code.ENFORCER_NAMED_PORT_FAULT, message, "use the port number in the policy")
    return None


def _both_ends_fault(snapshot: Snapshot, connection: Connection, side: DirectionVerdict) -> Fault | None:
    """A policy that selects both ends: the plugin has one chain for it, so a rule of one direction opens the other."""
    source, destination = connection.source.pod, connection.destination.pod
    if not source or not destination:
        return None
    other = side.direction.opposite
    peer = connection.source if other is Direction.INGRESS else connection.destination
    reading = plain_reading(connection, peer)
    for policy in side.isolated_by:
        if policy.selects(source) and policy.selects(destination):
            for rule in policy.rules_of(other):
                if isinstance(match_rule(snapshot, policy, rule, reading), RuleMatch):
                    message = (
                        f"{policy.name} selects both ends, and some plugins ({FAULTY}) apply its "
                        f"{other.field} rule to {side.direction.field} too"
                    )
                    fix = "split the policy by direction"
                    return Fault(Code.ENFORCER_BOTH_ENDS_FAULT, message, fix)
    return None
