"""One rule against one reading of the other end: whether it matches, at which positions, and if not, why.

A matrix, which asks about many pods at once, uses the same predicates.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Held, Seen
from kubectl_netpol.engine.layers import labels_unknown
from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.engine.verdict import Miss, NearMiss, Note, RuleMatch, RulePart
from kubectl_netpol.model.addresses import is_among
from kubectl_netpol.model.objects import Namespace
from kubectl_netpol.model.ports import NamedPort, PortRange, port_text
from kubectl_netpol.model.selectors import Operator, Requirement, requirement_text, selector_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kubectl_netpol.engine.readings import Reading
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot

_INSIDE = (".local", ".svc")  # endings of names that a cluster's own DNS answers


def match_rule(snapshot: Snapshot, policy: Policy, rule: Rule, reading: Reading) -> RuleMatch | Note | None:
    """A RuleMatch where the rule matches, None where it does not, a Note with the reason where that is unknown."""
    if rule.condition is not None:
        return _match_condition(snapshot, policy, rule, reading)
    unknown: Note | None = None
    port = matching_port(rule, reading.port, reading.protocol, reading.destination)
    named = _may_name_it(rule, reading) if port is None else None
    if not rule.peers:
        return named if port is None else RuleMatch(policy, rule, None, port if rule.ports else None)
    same = reading.block_port == reading.port
    if port is None and same and not named:
        return None
    for index, peer in enumerate(rule.peers):
        seen = port
        if not (same or peer.selects_pods):
            seen = matching_port(rule, reading.block_port, reading.protocol, reading.destination)
        if seen is None and not named:
            continue
        matched = _peer_matches_in(snapshot, policy, peer, reading)
        if matched is True and seen is None:
            matched = named or False
        if matched is True:
            return RuleMatch(policy, rule, index, seen if rule.ports else None)
        if matched:
            unknown = matched
    return unknown


def _peer_matches_in(snapshot: Snapshot, policy: Policy, peer: Peer, reading: Reading) -> bool | Note:
    matched = peer_matches(snapshot, policy, peer, reading.pod, reading.address, subject=reading.subject)
    return reading.unread if matched is False and reading.unread and peer.selects_pods else matched


def _match_condition(snapshot: Snapshot, policy: Policy, rule: Rule, reading: Reading) -> RuleMatch | Note | None:
    if reading.unread:
        return reading.unread
    held = rule.condition.holds(snapshot, _seen(rule, reading))
    if held is True or isinstance(held, Held):
        return RuleMatch(policy, rule, *(held if isinstance(held, Held) else (None, None)))
    return held or None


def _seen(rule: Rule, reading: Reading) -> Seen:
    """The connection as a condition sees it."""
    assert reading.subject is not None  # noqa: S101 - a plugin's policies are asked about pods
    ends = reading.subject, reading.pod, reading.node, reading.address
    return Seen(rule.direction, *ends, reading.protocol, reading.port)


def _may_name_it(rule: Rule, reading: Reading) -> Note | None:
    """Why the destination may be a pod that gives this port one of the rule's names, or None where it can't be."""
    if reading.destination or not reading.unread:
        return None
    protocols = [item.protocol for item in rule.ports if isinstance(item, NamedPort)]
    return reading.unread if reading.protocol in protocols or None in protocols else None


def peer_matches(
    snapshot: Snapshot,
    policy: Policy,
    peer: Peer,
    pod: Pod | None,
    address: str | None,
    *,
    subject: Pod | None = None,
) -> bool | Note:
    """Whether a peer of the policy's rules matches this pod or address; a Note with the reason where that is unknown.

    `subject`: the pod whose policies are asked. A finished pod matches no peer. An ipBlock matches pod addresses too,
    as the upstream e2e tests assert.
    """
    matches = _pod_matches if peer.selects_pods else _address_matches
    matched = matches(snapshot, policy, peer, pod, address, subject)
    if peer.unreadable and matched is True:
        message = f"{policy.title} has a peer that can't be evaluated: {peer.unreadable}"
        return Note(Code.SELECTOR_NOT_EVALUATED, message)
    return matched


def _pod_matches(
    snapshot: Snapshot, policy: Policy, peer: Peer, pod: Pod | None, _: str | None, subject: Pod | None
) -> bool | Note:
    if pod is None or pod.finished or (peer.pod_selector and not peer.pod_selector.matches(pod.labels)):
        return False
    if peer.namespace_selector is not None:
        selected = snapshot.namespace(pod.namespace).selected_by(peer.namespace_selector)
    elif peer.selects_by_own_namespace:
        selected = _by_own_labels(_own_namespace(snapshot, subject), snapshot.namespace(pod.namespace), peer)
    else:
        return pod.namespace == policy.namespace
    return labels_unknown(snapshot, pod.namespace) if selected is None else selected


def _address_matches(
    snapshot: Snapshot, _: Policy, peer: Peer, pod: Pod | None, address: str | None, __: Pod | None
) -> bool | Note:
    if peer.domain_names:
        return _domain_matches(peer, pod)
    if peer.unreadable and not peer.blocks and peer.node_selector is None:
        return True  # its kind is not known: anything
    if peer.node_selector is not None and pod and not pod.host_network:
        return False
    if address is None:
        field = "an ipBlock" if peer.ip_block else "an address"
        if pod is None:
            return Note(Code.HOST_NAME, f"{field} decides, and the address of the host name is unknown")
        return Note(Code.POD_ADDRESS_UNKNOWN, f"{field} decides, and the address of {pod.key} is unknown")
    if peer.node_selector is not None:
        return _node_matches(snapshot, peer.node_selector, address)
    return any(block.contains(address) for block in peer.blocks)


def _node_matches(snapshot: Snapshot, selector: LabelSelector, address: str) -> bool | Note:
    """Whether the address is one of a node that the selector matches."""
    if any(is_among(address, node.addresses) and selector.matches(node.labels) for node in snapshot.nodes):
        return True
    if gap := snapshot.gap("nodes", None):
        return Note(Code.PERMISSION_MISSING, gap.message)
    if snapshot.nodes:
        return False
    return Note(Code.NODES_UNKNOWN, f"a rule about nodes decides, and which node has {address} is unknown")


def _domain_matches(peer: Peer, pod: Pod | None) -> bool | Note:
    """Unknown: the API has no addresses for names. A pod has a name only inside the cluster."""
    names = [name for name in peer.domain_names if pod is None or pod.host_network or name.endswith(_INSIDE)]
    if not names:
        return False
    message = f"a rule about {names_text(names)} decides, and which addresses that is, is unknown"
    return Note(Code.DOMAIN_NAME, message)


def _own_namespace(snapshot: Snapshot, subject: Pod | None) -> Namespace:
    return snapshot.namespace(subject.namespace) if subject else Namespace("", {}, complete=False)


def _by_own_labels(own: Namespace, namespace: Namespace, peer: Peer) -> bool | None:
    """Whether the namespace has the values of the subject's own for these keys, or (other_labels) others."""
    keys = peer.same_labels if peer.same_labels is not None else peer.other_labels or ()
    if not keys:
        return False
    if not all(one.complete or set(keys) <= one.labels.keys() for one in (own, namespace)):
        return None
    if not set(keys) <= namespace.labels.keys():
        return False
    return all(namespace.labels[key] == own.labels.get(key) for key in keys) is (peer.same_labels is not None)


def matching_port(rule: Rule, port: int, protocol: str, destination: Pod | None) -> int | None:
    """The position of the rule's first port that covers this one (0 where it lists none), or None.

    A port name is looked up on the destination pod.
    """
    if not rule.ports:
        return 0
    for index, item in enumerate(rule.ports):
        if item.protocol != protocol and item.protocol is not None:
            continue
        if isinstance(item, PortRange):
            if item.first <= port <= item.last:
                return index
        elif destination is not None and destination.port_named(item.name, protocol) == port:
            return index
    return None


def near_misses(snapshot: Snapshot, rules: Iterable[tuple[Policy, Rule]], reading: Reading) -> list[NearMiss]:
    """What each of these rules misses in the plain reading, by its closest peer; the closest rule first."""
    found = [_near_miss(snapshot, policy, rule, reading.in_tiers if policy.tier else reading) for policy, rule in rules]
    if snapshot.plugin:
        found = [entry for entry in found if entry[1].misses]  # what is not known misses nothing
    return [near for _, near in sorted(found, key=itemgetter(0))]


_FAR = {RulePart.NO_POD: 4, RulePart.ADDRESS: 3, RulePart.NAMESPACE: 2}
_Distance: TypeAlias = "tuple[int, bool, int]"


def _distance(misses: Iterable[Miss], *, named: bool = False) -> _Distance:
    """How far a rule, or a peer, is from a match. `named`: by the labels that it requires it is about this very pod.

    Then a missing namespace is no farther than a label that another pod has, and it comes before a rule about others.
    """
    listed = list(misses)
    whole = sum([_FAR.get(miss.part, 1) for miss in listed])
    return len(listed) if named else whole, not named, whole


def _near_miss(snapshot: Snapshot, policy: Policy, rule: Rule, reading: Reading) -> tuple[_Distance, NearMiss]:
    """How far the rule is from a match, and what its closest peer misses."""
    if rule.condition is not None and rule.condition.text():
        seen = _seen(rule, reading)
        missed = rule.condition.misses(snapshot, seen)
        return _distance(missed, named=rule.condition.names(seen)), NearMiss(policy, rule, None, None, missed)
    port = matching_port(rule, reading.port, reading.protocol, reading.destination)
    at = port if rule.ports else None
    ports = [] if port is not None else list(_port_misses(rule, reading.port, reading.protocol, reading.destination))
    if not rule.peers:
        return _distance(ports), NearMiss(policy, rule, None, at, tuple(ports))
    by_peer = [[*_peer_misses(snapshot, policy, peer, reading), *ports] for peer in rule.peers]
    named = [_names(peer, reading.pod) for peer in rule.peers]
    distances = [_distance(missed, named=known) for missed, known in zip(by_peer, named, strict=True)]
    closest = distances.index(min(distances))
    return distances[closest], NearMiss(policy, rule, closest, at, tuple(by_peer[closest]), tuple(map(tuple, by_peer)))


def _names(peer: Peer, pod: Pod | None) -> bool:
    """Whether the peer requires values of a pod's labels, and this one has all the labels that it requires."""
    required = peer.pod_selector.requirements if peer.pod_selector and pod else ()
    listed = any(requirement.operator is Operator.IN for requirement in required)
    return listed and pod is not None and all(requirement.matches(pod.labels) for requirement in required)


def _peer_misses(snapshot: Snapshot, policy: Policy, peer: Peer, reading: Reading) -> list[Miss]:
    pod = reading.pod
    if not peer.selects_pods:
        if _address_matches(snapshot, policy, peer, pod, reading.address, None) is True:
            return []
        found = reading.address or "an unknown address"
        return [Miss(RulePart.ADDRESS, _addresses_text(peer, reading.address), found)]
    if pod is None:
        return [Miss(RulePart.NO_POD, "a pod", reading.address or "a host name")]
    misses = []
    if peer.namespace_selector is not None:
        misses = _namespace_misses(peer.namespace_selector, snapshot.namespace(pod.namespace))
    elif peer.selects_by_own_namespace:
        own = _own_namespace(snapshot, reading.subject)
        misses = _own_label_misses(own, snapshot.namespace(pod.namespace), peer)
    elif pod.namespace != policy.namespace:
        misses = [Miss(RulePart.NAMESPACE, policy.namespace, pod.namespace)]
    if peer.pod_selector is not None:
        misses += [
            _label_miss(RulePart.POD, requirement, pod.labels)
            for requirement in peer.pod_selector.requirements
            if not requirement.matches(pod.labels)
        ]
    return misses


def _own_label_misses(own: Namespace, namespace: Namespace, peer: Peer) -> list[Miss]:
    if _by_own_labels(own, namespace, peer) is not False:
        return []
    keys, sign = (peer.same_labels, "=") if peer.same_labels else (peer.other_labels or (), "!=")
    required = ",".join(f"{key}{sign}{own.labels.get(key, '')}" for key in keys)
    found = ",".join(f"{key}={namespace.labels[key]}" for key in keys if key in namespace.labels)
    missing = f"no label {','.join(keys)}" if keys else "no such label"
    return [Miss(RulePart.NAMESPACE, required or "of an empty list", found or missing)]


def _namespace_misses(selector: LabelSelector, namespace: Namespace) -> list[Miss]:
    labels = namespace.labels
    return [
        _label_miss(RulePart.NAMESPACE, requirement, labels)
        for requirement in selector.requirements
        if (namespace.complete or requirement.key in labels) and not requirement.matches(labels)
    ]


def _addresses_text(peer: Peer, address: str | None) -> str:
    """The addresses that a peer requires; with `except` only where that is what leaves this one out."""
    if peer.domain_names:
        return f"an address of {names_text(peer.domain_names)}"
    if peer.node_selector is not None:
        return f"the address of a node {selector_text(peer.node_selector)}".rstrip()
    texts = []
    for block in peer.blocks:
        excepted = address is not None and block._replace(except_=()).contains(address)
        texts.append(f"{block.cidr} except {', '.join(block.except_)}" if excepted else block.cidr)
    return names_text(texts)


def _label_miss(part: RulePart, requirement: Requirement, labels: Mapping[str, str]) -> Miss:
    value = labels.get(requirement.key)
    found = f"no label {requirement.key}" if value is None else f"{requirement.key}={value}"
    return Miss(part, requirement_text(requirement), found)


def _port_misses(rule: Rule, port: int, protocol: str, destination: Pod | None) -> Iterator[Miss]:
    """One miss for all ports of the rule: the protocol where none has it, else the name or number."""
    same = [item for item in rule.ports if item.protocol == protocol or item.protocol is None]
    if not same:
        yield Miss(RulePart.PROTOCOL, " or ".join(dict.fromkeys(item.protocol or "" for item in rule.ports)), protocol)
        return
    names = [item.name for item in same if isinstance(item, NamedPort)]
    unresolved = [name for name in names if destination is None or destination.port_named(name, protocol) is None]
    if len(unresolved) == len(same):
        yield Miss(RulePart.PORT_NAME, ", ".join(unresolved), destination.key if destination else "the destination")
        return
    yield Miss(RulePart.PORT, ", ".join(port_text(item, destination) for item in same), str(port))
