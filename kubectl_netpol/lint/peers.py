"""Warnings about peers: an extra dash that splits a rule or a peer, and peers that match no pod."""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, peer_text, position_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kubectl_netpol.analysis.peers import PeerPods
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


def split_rules(policy: Policy, rules: tuple[Rule, ...]) -> Iterator[Note]:
    """A rule with peers only, followed by one with ports only: an extra dash before `ports`."""
    for first, second in itertools.pairwise(rules):
        if first.peers and not first.ports and second.ports and not second.peers:
            here, there = (position_text(rule.direction, rule.position) for rule in (first, second))
            message = (
                f"{policy.name}: {here} allows its peers on every port, and {there} its ports for everyone: "
                "probably meant as one rule (remove the dash before ports)"
            )
            yield Note(Code.SPLIT_RULE, message)


def split_peers(policy: Policy, rule: Rule) -> Iterator[Note]:
    """A peer with a namespaceSelector only, followed by one with a podSelector only: an extra dash between them."""
    for index, (first, second) in enumerate(itertools.pairwise(rule.peers)):
        only_namespaces = first.namespace_selector is not None and first.pod_selector is None
        if only_namespaces and second.pod_selector is not None and second.namespace_selector is None:
            here, there = (position_text(rule.direction, rule.position, peer) for peer in (index, index + 1))
            message = (
                f"{policy.name}: {here} matches {peer_text(first, policy)}, and {there} {peer_text(second, policy)}: "
                "either is enough; to require both, remove the dash before podSelector"
            )
            yield Note(Code.SPLIT_PEER, message)


def unmatched_peers(snapshot: Snapshot, policy: Policy, rule: Rule, matches: Iterable[PeerPods]) -> Iterator[Note]:
    """Peers with selectors that match no pod, unless some pods are unread."""
    for match in matches:
        peer = match.peer
        if peer is None or peer.ip_block or match.pods or match.unknown:
            continue
        where = f"{policy.name} {position_text(rule.direction, rule.position, match.position)}"
        if peer.namespace_selector is not None and (fix := _name_label_fix(snapshot, peer.namespace_selector)):
            yield Note(Code.NAMESPACE_NAME_LABEL, f"{where}: {fix}")
            continue
        hint = _meant_pods_hint(snapshot, policy, peer)
        yield Note(Code.PEER_MATCHES_NOTHING, f"{where} matches no pod: {peer_text(peer, policy)}{hint}")


def _meant_pods_hint(snapshot: Snapshot, policy: Policy, peer: Peer) -> str:
    """The pods that a podSelector probably means: those of other namespaces, or those with a similar label; or ""."""
    selector = peer.pod_selector
    if selector is None:
        return ""
    if peer.namespace_selector is not None:
        return similar_label_hint(selector, [pod.labels for pod in snapshot.pods])
    matching = [pod for pod in snapshot.pods if not pod.finished and selector.matches(pod.labels)]
    if selector.requirements and matching:
        found = sorted({pod.namespace for pod in matching})
        return f"; such pods are in {names_text(found)}: add a namespaceSelector to the same peer"
    return similar_label_hint(selector, [pod.labels for pod in snapshot.pods_in(policy.namespace)])


def _name_label_fix(snapshot: Snapshot, selector: LabelSelector) -> str | None:
    """The fix for a namespaceSelector that names a namespace by a label that no namespace has."""
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN or requirement.key == METADATA_NAME:
            continue
        named = [value for value in requirement.values if value in snapshot.namespaces]
        if named and not any(requirement.key in namespace.labels for namespace in snapshot.namespaces.values()):
            label = requirement_text(requirement)
            return (
                f"no namespace has the label {label}; to select namespace {named[0]}, use {METADATA_NAME}: {named[0]}"
            )
    return None


def similar_label_hint(selector: LabelSelector, labels: Iterable[Mapping[str, str]]) -> str:
    """The known label that is closest to one the selector requires, as "; did you mean KEY=VALUE?", or ""."""
    known = sorted({f"{key}={value}" for entry in labels for key, value in entry.items()})
    for requirement in selector.requirements:
        if requirement.operator is Operator.IN:
            for value in requirement.values:
                label = f"{requirement.key}={value}"
                if label not in known and (near := difflib.get_close_matches(label, known, 1, 0.7)):
                    return f"; did you mean {near[0]}?"
    return ""
