"""A NetworkPolicy of one direction, with its fields as the API gives them back and a default name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.policy_names import default_name
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


def make_policy(
    namespace: str, direction: Direction, subject: LabelSelector, rules: Iterable[Rule], *, both: bool = False
) -> Policy:
    """`namespace` "": the manifest gets none. The rules get their positions in this order, each peer once.

    `both`: it isolates for the other direction too.
    """
    placed = tuple(
        rule._replace(
            position=position, direction=direction, peers=tuple(dict.fromkeys(map(_normalized_peer, rule.peers)))
        )
        for position, rule in enumerate(rules)
    )
    directions = (Direction.INGRESS, Direction.EGRESS) if both else (direction,)
    policy = Policy(namespace, "", normalized(subject), directions, placed)
    return policy._replace(name=default_name(policy))


def normalized(selector: LabelSelector) -> LabelSelector:
    """The same selector as it is read back from matchLabels and matchExpressions: each requirement once."""
    labels: dict[str, Requirement] = {}
    expressions = []
    for requirement in dict.fromkeys(selector.requirements):
        single = requirement.operator is Operator.IN and len(requirement.values) == 1
        if single and labels.setdefault(requirement.key, requirement) == requirement:
            continue
        expressions.append(requirement)
    return LabelSelector((*labels.values(), *expressions))


def _normalized_peer(peer: Peer) -> Peer:
    return Peer(
        None if peer.namespace_selector is None else normalized(peer.namespace_selector),
        None if peer.pod_selector is None else normalized(peer.pod_selector),
        peer.ip_block,
    )
