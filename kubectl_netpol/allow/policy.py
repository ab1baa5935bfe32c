"""Peers and ports to policies with exactly the needed fields, and their default names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.names import default_name
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


def policy(namespace: str, direction: Direction, subject: LabelSelector, rules: Iterable[Rule]) -> Policy:
    """The policy of one direction with these rules, under its default name; namespace "" is none."""
    placed = tuple(
        rule._replace(position=position, direction=direction, peers=tuple(dict.fromkeys(map(_tidy_peer, rule.peers))))
        for position, rule in enumerate(rules)
    )
    found = Policy(namespace, "", tidy(subject), (direction,), placed)
    return found._replace(name=default_name(found))


def tidy(selector: LabelSelector) -> LabelSelector:
    """The same selector in the order in which the API's two fields give it back, each requirement once."""
    labels: dict[str, Requirement] = {}
    expressions = []
    for requirement in dict.fromkeys(selector.requirements):
        single = requirement.operator is Operator.IN and len(requirement.values) == 1
        if single and labels.setdefault(requirement.key, requirement) == requirement:
            continue
        expressions.append(requirement)
    return LabelSelector((*labels.values(), *expressions))


def _tidy_peer(peer: Peer) -> Peer:
    return Peer(
        None if peer.namespace_selector is None else tidy(peer.namespace_selector),
        None if peer.pod_selector is None else tidy(peer.pod_selector),
        peer.ip_block,
    )
