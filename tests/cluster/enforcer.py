"""What kube-router 2.1.0 lets pass, known faults included: read in its source (controllers/netpol), met in the network.

One more fault can't be predicted and is kept out of the tests' pods: where two pods share a port name and number, the
other named ports of one of them may be opened on both, depending on the order in which Go's map hands them out.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kubectl_netpol.engine.verdict import Connection
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


class Fault(Enum):
    """Where kube-router differs from the API. The first three open what the policies block, the last blocks."""

    UNKNOWN_NAMED_PORT = (
        "a rule whose ports are all names that no pod in question has opens every port to the pods it selects"
    )
    BOTH_ENDS = "of a policy for both directions that selects both ends, each direction's rules open the other one too"
    NAMED_PORT_TO_ANYONE = (
        "an egress rule without `to` takes a port name's numbers from its own namespace, for every destination"
    )
    NAMED_PORT_TO_BLOCK = "an egress rule's port names are not opened towards its ipBlocks"


ALL = frozenset(Fault)


def passes(snapshot: Snapshot, connection: Connection, faults: Collection[Fault]) -> bool:
    """Whether a connection gets through an enforcer with these faults; without any it is the API's verdict."""
    for direction, end in ((Direction.EGRESS, connection.source), (Direction.INGRESS, connection.destination)):
        if end.pod is None:
            continue
        isolating = [
            policy for policy in snapshot.policies_in(end.pod.namespace) if policy.isolates(end.pod, direction)
        ]
        rules = [(policy, rule) for policy in isolating for rule in _rules_asked(policy, direction, faults)]
        if isolating and not any(_matches(snapshot, *rule, connection, faults) for rule in rules):
            return False
    return True


def _rules_asked(policy: Policy, direction: Direction, faults: Collection[Fault]) -> Iterator[Rule]:
    for own in policy.directions:
        if own is direction or Fault.BOTH_ENDS in faults:
            yield from policy.rules_of(own)


def _matches(snapshot: Snapshot, policy: Policy, rule: Rule, connection: Connection, faults: Collection[Fault]) -> bool:
    egress = rule.direction is Direction.EGRESS
    source, destination, protocol, port = connection[:4]
    target, peer = (source, destination) if egress else (destination, source)
    if target.pod is None or not policy.selects(target.pod):
        return False
    numbered = any(
        isinstance(item, PortRange) and item.protocol == protocol and item.first <= port <= item.last
        for item in rule.ports
    )
    names = [item for item in rule.ports if isinstance(item, NamedPort)]
    asked_for = [item for item in names if item.protocol == protocol]
    named = destination.pod is not None and _has(destination.pod, asked_for, port)
    if not rule.peers:
        if egress and Fault.NAMED_PORT_TO_ANYONE in faults:
            named = any(_has(pod, asked_for, port) for pod in snapshot.pods_in(policy.namespace))
        return not rule.ports or numbered or named
    if peer.pod and any(_selects(snapshot, policy, item, peer.pod) for item in rule.peers):
        if not rule.ports or numbered or named:
            return True
        asked = [pod for pod in snapshot.pods if _in_question(snapshot, policy, rule, pod)]
        resolved = any(pod.port_named(item.name, item.protocol) for item in names for pod in asked)
        if len(names) == len(rule.ports) and not resolved and Fault.UNKNOWN_NAMED_PORT in faults:
            return True
    in_block = peer.address and any(item.ip_block and item.ip_block.contains(peer.address) for item in rule.peers)
    if egress and Fault.NAMED_PORT_TO_BLOCK in faults:
        named = False
    return bool(in_block) and (not rule.ports or numbered or named)


def _has(pod: Pod, names: list[NamedPort], port: int) -> bool:
    return any(pod.port_named(item.name, item.protocol) == port for item in names)


def _in_question(snapshot: Snapshot, policy: Policy, rule: Rule, pod: Pod) -> bool:
    """Whether the rule's port names are looked up on this pod."""
    if rule.direction is Direction.INGRESS:
        return policy.selects(pod)
    return any(_selects(snapshot, policy, item, pod) for item in rule.peers)


def _selects(snapshot: Snapshot, policy: Policy, peer: Peer, pod: Pod) -> bool:
    if peer.ip_block:
        return False
    if peer.namespace_selector is None:
        if pod.namespace != policy.namespace:
            return False
    elif not peer.namespace_selector.matches(snapshot.namespace(pod.namespace).labels):
        return False
    return peer.pod_selector is None or peer.pod_selector.matches(pod.labels)
