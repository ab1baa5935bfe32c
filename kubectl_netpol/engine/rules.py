"""One rule against one view of the other end: does it match, where, and what keeps it from matching?

The predicates that everything else is made of; a matrix asks the same ones for many pods at once.
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


def match_rule(snapshot: Snapshot, policy: Policy, rule: Rule, view: Reading) -> RuleMatch | Note | None:
    """An Allow where the rule matches, a Note where that can't be known, None where it does not."""
    unknown: Note | None = None
    for index, peer in enumerate(rule.peers or (None,)):
        port = matching_port(rule, _port_seen(peer, view), view.protocol, view.destination)
        if port is None:
            continue
        matched = peer is None or peer_matches(snapshot, policy, peer, view.pod, view.address)
        if matched is True:
            return RuleMatch(policy, rule, None if peer is None else index, port if rule.ports else None)
        if isinstance(matched, Note):
            unknown = matched
    return unknown


def _port_seen(peer: Peer | None, view: Reading) -> int:
    return view.block_port if peer and peer.ip_block else view.port


def peer_matches(snapshot: Snapshot, policy: Policy, peer: Peer, pod: Pod | None, address: str | None) -> bool | Note:
    """Whether a peer of the policy's rules is this pod or address; a Note where that can't be known.

    Finished pods are no peer. An ipBlock is compared with pod addresses too, as the upstream tests assert.
    """
    if peer.ip_block:
        if address is not None:
            return peer.ip_block.contains(address)
        if pod is None:
            return Note(Code.HOST_NAME, "an ipBlock decides, and the address behind the name is not known here")
        return Note(Code.POD_ADDRESS_UNKNOWN, f"an ipBlock decides, and the address of {pod.key} is not known here")
    if pod is None or pod.finished or (peer.pod_selector and not peer.pod_selector.matches(pod.labels)):
        return False
    if peer.namespace_selector is None:
        return pod.namespace == policy.namespace
    selected = snapshot.namespace(pod.namespace).selected_by(peer.namespace_selector)
    if selected is None:
        gap = snapshot.gap("namespaces", pod.namespace)
        if gap:
            return Note(Code.PERMISSION_MISSING, gap.message)
        return Note(Code.NAMESPACE_LABELS_UNKNOWN, f"the labels of namespace {pod.namespace} are not known")
    return selected


def matching_port(rule: Rule, port: int, protocol: str, destination: Pod | None) -> int | None:
    """The position of the first item of the rule's ports that covers the port (0 where it has none), or None.

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
    snapshot: Snapshot,
    isolating: Iterable[Policy],
    direction: Direction,
    view: Reading,
) -> list[NearMiss]:
    """Every rule with its closest peer, the closest rule first."""
    found = []
    for policy in isolating:
        for rule in policy.rules_of(direction):
            candidates = []
            for index, peer in enumerate(rule.peers or (None,)):
                misses = list(_peer_misses(snapshot, policy, peer, view)) if peer else []
                seen = _port_seen(peer, view)
                port = matching_port(rule, seen, view.protocol, view.destination)
                if port is None:
                    misses += _port_misses(rule, seen, view.protocol, view.destination)
                candidates.append(
                    NearMiss(policy, rule, index if peer else None, port if rule.ports else None, tuple(misses))
                )
            found.append(min(candidates, key=_distance))
    return sorted(found, key=_distance)


_FAR = {RulePart.NO_POD: 4, RulePart.ADDRESS: 3, RulePart.NAMESPACE: 2}


def _distance(near: NearMiss) -> int:
    return sum(_FAR.get(miss.part, 1) for miss in near.misses)


def _peer_misses(snapshot: Snapshot, policy: Policy, peer: Peer, view: Reading) -> Iterator[Miss]:
    if peer.ip_block:
        if view.address is None or not peer.ip_block.contains(view.address):
            excepted = view.address is not None and peer.ip_block._replace(except_=()).contains(view.address)
            block = (
                f"{peer.ip_block.cidr} except {', '.join(peer.ip_block.except_)}" if excepted else peer.ip_block.cidr
            )
            yield Miss(RulePart.ADDRESS, block, view.address or "an unknown address")
        return
    pod = view.pod
    if pod is None:
        yield Miss(RulePart.NO_POD, "a pod", view.address or "a host name")
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
    """One miss for all the rule's ports: of the protocol where none has it, else of the number."""
    same = [item for item in rule.ports if item.protocol == protocol]
    if not same:
        yield Miss(RulePart.PROTOCOL, " or ".join(dict.fromkeys(item.protocol for item in rule.ports)), protocol)
        return
    names = [item.name for item in same if isinstance(item, NamedPort)]
    unresolved = [name for name in names if destination is None or destination.port_named(name, protocol) is None]
    if unresolved and len(unresolved) == len(same):
        yield Miss(RulePart.PORT_NAME, ", ".join(unresolved), destination.key if destination else "no pod")
        return
    yield Miss(RulePart.PORT, ", ".join(port_text(item, destination) for item in same), str(port))
