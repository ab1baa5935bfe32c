"""One rule against one reading of the other end: whether it matches, at which positions, and if not, why.

A matrix, which asks about many pods at once, uses the same predicates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Miss, NearMiss, Note, RuleMatch, RulePart
from kubectl_netpol.model.ports import NamedPort, PortRange, port_text
from kubectl_netpol.model.selectors import Requirement, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kubectl_netpol.engine.readings import Reading
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


def match_rule(snapshot: Snapshot, policy: Policy, rule: Rule, reading: Reading) -> RuleMatch | Note | None:
    """A RuleMatch where the rule matches, None where it does not, a Note with the reason where that is unknown."""
    unknown: Note | None = None
    for index, peer in enumerate(rule.peers or (None,)):
        port = matching_port(rule, _port_seen(peer, reading), reading.protocol, reading.destination)
        if port is None:
            continue
        matched = peer is None or peer_matches(snapshot, policy, peer, reading.pod, reading.address)
        if matched is True:
            return RuleMatch(policy, rule, None if peer is None else index, port if rule.ports else None)
        if isinstance(matched, Note):
            unknown = matched
    return unknown


def _port_seen(peer: Peer | None, reading: Reading) -> int:
    return reading.block_port if peer and peer.ip_block else reading.port


def peer_matches(snapshot: Snapshot, policy: Policy, peer: Peer, pod: Pod | None, address: str | None) -> bool | Note:
    """Whether a peer of the policy's rules matches this pod or address; a Note with the reason where that is unknown.

    A finished pod matches no peer. An ipBlock matches pod addresses too, as the upstream e2e tests assert.
    """
    if peer.ip_block:
        if address is not None:
            return peer.ip_block.contains(address)
        if pod is None:
            return Note(Code.HOST_NAME, "an ipBlock decides, and the address of the host name is unknown")
        return Note(Code.POD_ADDRESS_UNKNOWN, f"an ipBlock decides, and the address of {pod.key} is unknown")
    if pod is None or pod.finished or (peer.pod_selector and not peer.pod_selector.matches(pod.labels)):
        return False
    if peer.namespace_selector is None:
        return pod.namespace == policy.namespace
    selected = snapshot.namespace(pod.namespace).selected_by(peer.namespace_selector)
    if selected is None:
        gap = snapshot.gap("namespaces", pod.namespace)
        if gap:
            return Note(Code.PERMISSION_MISSING, gap.message)
        return Note(Code.NAMESPACE_LABELS_UNKNOWN, f"the labels of namespace {pod.namespace} are unknown")
    return selected


def matching_port(rule: Rule, port: int, protocol: str, destination: Pod | None) -> int | None:
    """The position of the rule's first port that covers this one (0 where it lists none), or None.

    A port name is looked up on the destination pod.
    """
    if not rule.ports:
        return 0
    for index, item in enumerate(rule.ports):
        if item.protocol != protocol:
            continue
        if isinstance(item, PortRange):
            if item.first <= port <= item.last:
                return index
        elif destination is not None and destination.port_named(item.name, protocol) == port:
            return index
    return None


def near_misses(
    snapshot: Snapshot, isolating: Iterable[Policy], direction: Direction, reading: Reading
) -> list[NearMiss]:
    """What every rule of these policies misses, each by its closest peer; the closest rule first."""
    found = []
    for policy in isolating:
        for rule in policy.rules_of(direction):
            candidates = []
            for index, peer in enumerate(rule.peers or (None,)):
                misses = list(_peer_misses(snapshot, policy, peer, reading)) if peer else []
                seen = _port_seen(peer, reading)
                port = matching_port(rule, seen, reading.protocol, reading.destination)
                if port is None:
                    misses += _port_misses(rule, seen, reading.protocol, reading.destination)
                candidates.append(
                    NearMiss(policy, rule, index if peer else None, port if rule.ports else None, tuple(misses))
                )
            found.append(min(candidates, key=_distance))
    return sorted(found, key=_distance)


_FAR = {RulePart.NO_POD: 4, RulePart.ADDRESS: 3, RulePart.NAMESPACE: 2}


def _distance(near: NearMiss) -> int:
    return sum(_FAR.get(miss.part, 1) for miss in near.misses)


def _peer_misses(snapshot: Snapshot, policy: Policy, peer: Peer, reading: Reading) -> Iterator[Miss]:
    if peer.ip_block:
        if reading.address is None or not peer.ip_block.contains(reading.address):
            excepted = reading.address is not None and peer.ip_block._replace(except_=()).contains(reading.address)
            block = (
                f"{peer.ip_block.cidr} except {', '.join(peer.ip_block.except_)}" if excepted else peer.ip_block.cidr
            )
            yield Miss(RulePart.ADDRESS, block, reading.address or "an unknown address")
        return
    pod = reading.pod
    if pod is None:
        yield Miss(RulePart.NO_POD, "a pod", reading.address or "a host name")
        return
    if peer.namespace_selector is None:
        if pod.namespace != policy.namespace:
            yield Miss(RulePart.NAMESPACE, policy.namespace, pod.namespace)
    else:
        namespace = snapshot.namespace(pod.namespace)
        for requirement in peer.namespace_selector.requirements:
            if (namespace.complete or requirement.key in namespace.labels) and not requirement.matches(
                namespace.labels
            ):
                yield _label_miss(RulePart.NAMESPACE, requirement, namespace.labels)
    for requirement in peer.pod_selector.requirements if peer.pod_selector else ():
        if not requirement.matches(pod.labels):
            yield _label_miss(RulePart.POD, requirement, pod.labels)


def _label_miss(part: RulePart, requirement: Requirement, labels: Mapping[str, str]) -> Miss:
    value = labels.get(requirement.key)
    found = f"no label {requirement.key}" if value is None else f"{requirement.key}={value}"
    return Miss(part, requirement_text(requirement), found)


def _port_misses(rule: Rule, port: int, protocol: str, destination: Pod | None) -> Iterator[Miss]:
    """One miss for all ports of the rule: the protocol where none has it, else the name or number."""
    same = [item for item in rule.ports if item.protocol == protocol]
    if not same:
        yield Miss(RulePart.PROTOCOL, " or ".join(dict.fromkeys(item.protocol for item in rule.ports)), protocol)
        return
    names = [item.name for item in same if isinstance(item, NamedPort)]
    unresolved = [name for name in names if destination is None or destination.port_named(name, protocol) is None]
    if len(unresolved) == len(same):
        yield Miss(RulePart.PORT_NAME, ", ".join(unresolved), destination.key if destination else "the destination")
        return
    yield Miss(RulePart.PORT, ", ".join(port_text(item, destination) for item in same), str(port))
