"""What is probably not what a policy's author meant, each with the fix. Pure: notes, never verdicts."""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING

from kubectl_netpol.codes import Code
from kubectl_netpol.dns import resolvers_blocked
from kubectl_netpol.evaluate import overridden
from kubectl_netpol.isolation import RuleMatches, matches_of
from kubectl_netpol.labels import requirement_text
from kubectl_netpol.model import METADATA_NAME, Direction, NamedPort, Operator, PortRange
from kubectl_netpol.resolve import selected_by_service
from kubectl_netpol.verdict import Answer, DirectionVerdict, Note
from kubectl_netpol.words import peer_text, position_text, selector_text, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.isolation import Explanation, PeerMatches
    from kubectl_netpol.judge import Verdict
    from kubectl_netpol.model import LabelSelector, Peer, Pod, Policy, Rule
    from kubectl_netpol.snapshot import Snapshot


def pod_warnings(snapshot: Snapshot, explanation: Explanation) -> list[Note]:
    """Warnings about the policies that select a pod, about what may override them, and about its way to DNS."""
    pod = explanation.pod
    notes = list(_overrides(snapshot, explanation))
    if pod.host_network and explanation.selected_by:
        message = f"{pod.name} runs in its node's network: the API leaves open whether policies apply to it"
        notes.append(Note(Code.HOST_NETWORK, message))
    notes += [note for policy in explanation.selected_by for note in policy_warnings(snapshot, policy)]
    for side in (explanation.ingress, explanation.egress):
        notes += _moot(side.rules)
    if blocked := resolvers_blocked(snapshot, pod):
        message = f"{pod.name} can't resolve names: its egress isolation blocks {blocked.port_title}"
        allow = f"kubectl netpol allow {' '.join(blocked.allow_words(pod.name))} -n {pod.namespace}"
        notes.append(Note(Code.NO_WAY_TO_DNS, f"{message}; allow it: {allow}"))
    return list(dict.fromkeys(notes))


def _overrides(snapshot: Snapshot, explanation: Explanation) -> Iterator[Note]:
    """What may decide instead of the NetworkPolicies that the explanation is about."""
    for side in (explanation.ingress, explanation.egress):
        plain = DirectionVerdict(side.direction, Answer.ALLOWED, side.isolated_by)
        if reason := overridden(snapshot, explanation.pod, plain).reason:
            yield reason


def namespace_warnings(snapshot: Snapshot, namespace: str, *, partial: bool = False) -> list[Note]:
    """Warnings about every policy of a namespace; `partial` as in `policy_warnings`."""
    policies = snapshot.policies_in(namespace)
    return [note for policy in policies for note in policy_warnings(snapshot, policy, partial=partial)]


def connection_warnings(snapshot: Snapshot, verdict: Verdict) -> list[Note]:
    """Warnings about the policies that take part in a verdict, where it is not allowed anyway."""
    if verdict.answer is Answer.ALLOWED:
        return []
    policies = {policy.key: policy for side in (verdict.egress, verdict.ingress) for policy in side.isolated_by}
    notes = [note for policy in policies.values() for note in policy_warnings(snapshot, policy, partial=True)]
    return list(dict.fromkeys(notes))


def policy_warnings(snapshot: Snapshot, policy: Policy, *, partial: bool = False) -> list[Note]:
    """Warnings about one policy by itself. `partial`: peers in other namespaces, not read, are passed over."""
    if snapshot.gap("pods", policy.namespace):
        return []
    selected = tuple(pod for pod in snapshot.pods_in(policy.namespace) if policy.selects(pod))
    if not selected:
        near = _near_labels(policy.pod_selector, [pod.labels for pod in snapshot.pods_in(policy.namespace)])
        message = (
            f"{policy.name} selects no pod ({selector_text(policy.pod_selector) or 'namespace without pods'}){near}"
        )
        return [Note(Code.POLICY_SELECTS_NOTHING, message)]
    notes: list[Note] = []
    for direction in policy.directions:
        rules = policy.rules_of(direction)
        notes += _split_rules(policy, rules)
        for rule in rules:
            matches = matches_of(snapshot, policy, rule)
            notes += _split_peers(policy, rule)
            if partial:
                matches = tuple(match for match in matches if match.peer and match.peer.namespace_selector is None)
            notes += _unmatched_peers(snapshot, policy, rule, matches)
            targets = selected
            if direction is Direction.EGRESS:
                targets = tuple({pod.key: pod for match in matches for pod in match.pods}.values())
            notes += _ports(snapshot, policy, rule, targets)
    return notes


def _split_rules(policy: Policy, rules: tuple[Rule, ...]) -> Iterator[Note]:
    """A rule of peers only, followed by one of ports only: a dash too many."""
    for first, second in itertools.pairwise(rules):
        if first.peers and not first.ports and second.ports and not second.peers:
            here, there = (position_text(rule.direction, rule.position) for rule in (first, second))
            message = (
                f"{policy.name}: {here} has peers on every port, and {there} its ports for everyone: "
                "two rules, probably meant as one (no dash before ports)"
            )
            yield Note(Code.SPLIT_RULE, message)


def _split_peers(policy: Policy, rule: Rule) -> Iterator[Note]:
    """A peer of namespaces only, followed by one of pods only: either may match."""
    for index, (first, second) in enumerate(zip(rule.peers, rule.peers[1:], strict=False)):
        only_namespaces = first.namespace_selector is not None and first.pod_selector is None
        if only_namespaces and second.pod_selector is not None and second.namespace_selector is None:
            where = position_text(rule.direction, rule.position, index)
            message = (
                f"{policy.name}: {where} is {peer_text(first, policy)}, and apart from it {peer_text(second, policy)}: "
                "either matches; for pods in those namespaces drop the second dash"
            )
            yield Note(Code.SPLIT_PEER, message)


def _unmatched_peers(snapshot: Snapshot, policy: Policy, rule: Rule, matches: Iterable[PeerMatches]) -> Iterator[Note]:
    for match in matches:
        peer = match.peer
        if peer is None or peer.ip_block or match.pods or match.unknown:
            continue
        where = f"{policy.name} {position_text(rule.direction, rule.position, match.position)}"
        if peer.namespace_selector is not None and (fix := _namespace_fix(snapshot, peer.namespace_selector)):
            yield Note(Code.NAMESPACE_NAME_LABEL, f"{where}: {fix}")
            continue
        near = ""
        if peer.pod_selector is not None:
            near = _elsewhere(snapshot, peer) or _near_labels(
                peer.pod_selector, [pod.labels for pod in _reach(snapshot, policy, peer)]
            )
        yield Note(Code.PEER_MATCHES_NOTHING, f"{where} matches no pod: {peer_text(peer, policy)}{near}")


def _elsewhere(snapshot: Snapshot, peer: Peer) -> str:
    """Where the pods are that a podSelector alone does not reach."""
    selector = peer.pod_selector
    if peer.namespace_selector is not None or selector is None or not selector.requirements:
        return ""
    found = sorted({pod.namespace for pod in snapshot.pods if not pod.finished and selector.matches(pod.labels)})
    return f"; such pods are in {some(found)}: add a namespaceSelector to the same item" if found else ""


def _reach(snapshot: Snapshot, policy: Policy, peer: Peer) -> tuple[Pod, ...]:
    return snapshot.pods_in(policy.namespace) if peer.namespace_selector is None else snapshot.pods


def _namespace_fix(snapshot: Snapshot, selector: LabelSelector) -> str | None:
    """Where a namespaceSelector names a namespace by a label that namespaces don't have."""
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN or requirement.key == METADATA_NAME:
            continue
        named = [value for value in requirement.values if value in snapshot.namespaces]
        if named and not any(requirement.key in namespace.labels for namespace in snapshot.namespaces.values()):
            wanted = requirement_text(requirement)
            return f"no namespace has the label {wanted}; for namespace {named[0]} write {METADATA_NAME}: {named[0]}"
    return None


def _near_labels(selector: LabelSelector, labels: Iterable[object]) -> str:
    """A label that some pod has and that the selector probably means."""
    known = sorted({f"{key}={value}" for entry in labels if isinstance(entry, dict) for key, value in entry.items()})
    for requirement in selector.requirements:
        if requirement.operator is Operator.IN:
            for value in requirement.values:
                wanted = f"{requirement.key}={value}"
                if wanted not in known and (near := difflib.get_close_matches(wanted, known, 1, 0.7)):
                    return f"; did it mean {near[0]}?"
    return ""


def _ports(snapshot: Snapshot, policy: Policy, rule: Rule, targets: tuple[Pod, ...]) -> Iterator[Note]:
    """Ports that no pod has: a name nowhere, or a Service's port where the pod's belongs."""
    where = f"{policy.name} {position_text(rule.direction, rule.position)}"
    for item in rule.ports if targets else ():
        if isinstance(item, NamedPort):
            if not any(pod.port_named(item.name, item.protocol) for pod in targets):
                names = sorted({port.name for pod in targets for port in pod.ports if port.name})
                has = f"they have {', '.join(names)}" if names else "they name no port"
                yield Note(
                    Code.NAMED_PORT_NOWHERE,
                    f'{where}: no pod has a {item.protocol} port named "{item.name}" ({has}); '
                    "some enforcers then open every port",
                )
        elif fix := _service_port_fix(snapshot, item, targets):
            yield Note(Code.SERVICE_PORT_IN_RULE, f"{where}: {fix}")


def _service_port_fix(snapshot: Snapshot, item: PortRange, targets: tuple[Pod, ...]) -> str | None:
    if item.first != item.last or any(item.first == port.number for pod in targets for port in pod.ports):
        return None
    for service in snapshot.services:
        for port in service.ports:
            if (port.number, port.protocol) != (item.first, item.protocol) or service.headless:
                continue
            for pod in selected_by_service(snapshot, service):
                target = port.target
                number = pod.port_named(target, port.protocol) if isinstance(target, str) else target
                if pod in targets and number not in (None, item.first):
                    return (
                        f"{item.first} is the port of Service {service.name}; the pods listen on {number}: write that"
                    )
    return None


def _moot(rules: tuple[RuleMatches, ...]) -> Iterator[Note]:
    """Rules that another one covers whole, so that they change nothing."""
    for index, narrow in enumerate(rules):
        for other, wide in enumerate(rules):
            covered = index != other and _covers(wide, narrow)
            if covered and not (other > index and _covers(narrow, wide)):
                here = f"{narrow.policy.name} {position_text(narrow.rule.direction, narrow.rule.position)}"
                there = f"{wide.policy.name} {position_text(wide.rule.direction, wide.rule.position)}"
                everything = "allows everything" if not wide.rule.peers and not wide.rule.ports else "allows it already"
                yield Note(Code.RULE_MOOT, f"{here} has no effect: {there} {everything}")
                break


def _covers(wide: RuleMatches, narrow: RuleMatches) -> bool:
    """Whether all that `narrow` allows is allowed by `wide`, as far as the texts show."""
    peers = not wide.rule.peers or (
        bool(narrow.rule.peers) and all(peer in wide.rule.peers for peer in narrow.rule.peers)
    )
    return peers and (
        not wide.rule.ports
        or (bool(narrow.rule.ports) and all(any(_holds(w, n) for w in wide.rule.ports) for n in narrow.rule.ports))
    )


def _holds(wide: PortRange | NamedPort, narrow: PortRange | NamedPort) -> bool:
    if isinstance(wide, PortRange) and isinstance(narrow, PortRange):
        return wide.protocol == narrow.protocol and wide.first <= narrow.first and narrow.last <= wide.last
    return wide == narrow
