"""Why Cilium's reading of NetworkPolicies is not the API's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.cilium_ends import counts, is_own_node
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import NamedPort
from kubectl_netpol.model.selectors import LabelSelector, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.engine.verdict import Connection, End
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot

_NEGATIVE = (Operator.NOT_IN, Operator.DOES_NOT_EXIST)


def cilium_differs(snapshot: Snapshot, connection: Connection) -> str:
    """What Cilium does, in words: the first thing that concerns this connection."""
    for direction, subject, other in (
        (Direction.EGRESS, connection.source, connection.destination),
        (Direction.INGRESS, connection.destination, connection.source),
    ):
        if subject.pod and (text := _difference(snapshot, direction, subject.pod, other)):
            return text
    return "a Service's traffic is seen as that of its ends" if connection.dialled else "NetworkPolicies are read so"


def _difference(snapshot: Snapshot, direction: Direction, subject: Pod, other: End) -> str:
    own = [policy for policy in snapshot.policies_in(subject.namespace) if policy.selects(subject)]
    if subject.host_network:
        return "a pod on the host network is no pod to a NetworkPolicy" if own else ""
    rules = [rule for policy in own for rule in policy.rules if rule.direction is direction]
    if any(direction not in policy.directions and rule in policy.rules for policy in own for rule in rules):
        return "rules count, and isolate, where policyTypes leaves their direction out"
    is_node = other.node is not None or (other.pod is not None and other.pod.host_network)
    if (other.pod or is_node) and any(_in_blocks(peer, other) for rule in rules for peer in rule.peers):
        return f"an ipBlock never matches {'a node' if is_node else 'a pod'}"
    if is_node and rules and is_own_node(subject, other.pod, other.node) is not False and direction is Direction.EGRESS:
        return "a pod's own node is let in, and not out"
    if is_node and own:
        return "no peer of a NetworkPolicy matches a node, or a pod on its network"
    keys = [key for policy in snapshot.policies_in(subject.namespace) for key in _label_keys(policy, rules)]
    for key in keys:
        if not counts(key, old=False):
            return f"pods are not told apart by the label {key}"
    if any(isinstance(port, NamedPort) for rule in rules for port in rule.ports):
        return "a port name at egress is one number for the whole cluster up to 1.18, and the destination's after it"
    if other.pod is None and any(_is_negative(peer.namespace_selector) for rule in rules for peer in rule.peers):
        return "a namespaceSelector that only excludes matches more than pods up to 1.18"
    return ""


def _in_blocks(peer: Peer, other: End) -> bool:
    addresses = other.pod.ips if other.pod else (other.address,)
    return any(block.contains(address) for block in peer.blocks for address in addresses if address)


def _label_keys(policy: Policy, rules: list[Rule]) -> Iterator[str]:
    """The keys of labels of pods by which the policy, and these rules, select."""
    selectors = [policy.pod_selector, *(peer.pod_selector for rule in rules for peer in rule.peers)]
    for selector in selectors:
        for requirement in selector.requirements if selector else ():
            yield requirement.key


def _is_negative(selector: LabelSelector | None) -> bool:
    found = selector.requirements if selector else ()
    return bool(found) and all(requirement.operator in _NEGATIVE for requirement in found)
