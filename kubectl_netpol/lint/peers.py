"""What is probably not what a policy's author meant, each with the fix. Pure: notes, never verdicts."""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, peer_text, position_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.analysis.isolation import PeerPods
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


def split_rules(policy: Policy, rules: tuple[Rule, ...]) -> Iterator[Note]:
    """A rule of peers only, followed by one of ports only: a dash too many."""
    for first, second in itertools.pairwise(rules):
        if first.peers and not first.ports and second.ports and not second.peers:
            here, there = (position_text(rule.direction, rule.position) for rule in (first, second))
            message = (
                f"{policy.name}: {here} has peers on every port, and {there} its ports for everyone: "
                "two rules, probably meant as one (no dash before ports)"
            )
            yield Note(Code.SPLIT_RULE, message)


def split_peers(policy: Policy, rule: Rule) -> Iterator[Note]:
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


def unmatched_peers(snapshot: Snapshot, policy: Policy, rule: Rule, matches: Iterable[PeerPods]) -> Iterator[Note]:
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
            near = _elsewhere(snapshot, peer) or near_labels(
                peer.pod_selector, [pod.labels for pod in _reach(snapshot, policy, peer)]
            )
        yield Note(Code.PEER_MATCHES_NOTHING, f"{where} matches no pod: {peer_text(peer, policy)}{near}")


def _elsewhere(snapshot: Snapshot, peer: Peer) -> str:
    """Where the pods are that a podSelector alone does not reach."""
    selector = peer.pod_selector
    if peer.namespace_selector is not None or selector is None or not selector.requirements:
        return ""
    found = sorted({pod.namespace for pod in snapshot.pods if not pod.finished and selector.matches(pod.labels)})
    return f"; such pods are in {names_text(found)}: add a namespaceSelector to the same item" if found else ""


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


def near_labels(selector: LabelSelector, labels: Iterable[object]) -> str:
    """A label that some pod has and that the selector probably means."""
    known = sorted({f"{key}={value}" for entry in labels if isinstance(entry, dict) for key, value in entry.items()})
    for requirement in selector.requirements:
        if requirement.operator is Operator.IN:
            for value in requirement.values:
                wanted = f"{requirement.key}={value}"
                if wanted not in known and (near := difflib.get_close_matches(wanted, known, 1, 0.7)):
                    return f"; did it mean {near[0]}?"
    return ""
