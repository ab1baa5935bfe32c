"""The one walk over layers of rules: which of a set of peers are allowed, which are blocked.

Sets are ints used as bit sets: one connection is a set of one, a matrix a set of all pods. What is not known (a rule
that may match, policies of which either may decide) leaves a peer in both answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from kubectl_netpol.engine.layers import AtOnce, RuleList
from kubectl_netpol.model.policies import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.engine.layers import Layer, Step
    from kubectl_netpol.engine.verdict import Note, RuleMatch
    from kubectl_netpol.model.policies import Policy, Rule


class Matched(NamedTuple):
    """The peers that a rule matches, and those for which that is unknown. For a set of one, why."""

    yes: int
    unknown: int = 0
    why: RuleMatch | Note | None = None


class Peers(Protocol):
    """A set of peers as the policies of one pod see them.

    `always`: those that NetworkPolicy lets through whatever its rules say.
    """

    @property
    def everyone(self) -> int: ...

    @property
    def always(self) -> int: ...

    def matched(self, policy: Policy, rule: Rule) -> Matched: ...


# A rule that was asked, with its policy, and its answer: None where it does not match.
Asked: TypeAlias = "tuple[Policy, Rule, RuleMatch | Note | None]"
# What a step may do with the peers that reach it: those that it may allow, deny, and hand over to the next layer, and
# those that it may leave to what comes next.
_Answers: TypeAlias = tuple[int, int, int, int]


class Trail:
    """What a walk about a set of one met.

    `asked`: every rule that was asked, in order. `either`: why it is not known which of several layers holds, where
    they disagree. `unknown`: why it is not known what a layer says. `at_end`: why a layer blocked what no rule decided.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.either: Note | None = None
        self.unknown: Note | None = None
        self.at_end: Note | None = None


class Outcome(NamedTuple):
    """The peers that may be allowed, and those that may be blocked; `undefined` those in both."""

    may_allow: int
    may_block: int

    @property
    def allowed(self) -> int:
        return self.may_allow & ~self.may_block

    @property
    def undefined(self) -> int:
        return self.may_allow & self.may_block


def walk(layers: Iterable[Layer], peers: Peers, trail: Trail | None = None) -> Outcome:
    """Asks each layer about the peers that are still undecided.

    `trail`, for a set of one: gets what was met.
    """
    may_allow = may_block = 0
    here = peers.everyone
    for layer in layers:
        if layer.unknown:
            if trail is not None:
                trail.unknown = layer.unknown
            return Outcome(may_allow | here, may_block | here)
        if layer.either:
            return _walk_either(layer, peers, trail)
        if layer.isolates or layer.lets_node:
            may_allow |= here & peers.always
            here &= ~peers.always
        if not here:
            break
        allow, deny, hand_over, rest = _ask(layer.step, here, peers, trail)
        may_allow |= allow
        may_block |= deny
        if layer.isolates:
            may_block |= rest
            if rest and layer.at_end and trail is not None:
                trail.at_end = layer.at_end
            rest = 0
        here = hand_over | rest
    return Outcome(may_allow | here, may_block)


def _walk_either(layer: Layer, peers: Peers, trail: Trail | None) -> Outcome:
    """What is so in one of them may be so. The trail is that of the first, with why another one disagrees."""
    (first, _), *others = layer.either
    found = walk(first, peers, trail)
    may_allow, may_block = found
    disagree = []
    for layers, why in others:
        outcome = walk(layers, peers)
        may_allow |= outcome.may_allow
        may_block |= outcome.may_block
        if why and outcome != found:
            disagree.append(why)
    if trail is not None and disagree and not found.undefined:
        trail.either = disagree[0]
    return Outcome(may_allow, may_block)


def _ask(step: Step, here: int, peers: Peers, trail: Trail | None) -> _Answers:
    if isinstance(step, RuleList):
        return _ask_rules(step, here, peers, trail)
    allow = deny = hand_over = 0
    at_once = isinstance(step, AtOnce)
    rest = here
    for inner in step.steps:
        allows, denies, hands_over, leaves = _ask(inner, here, peers, trail)
        allow |= allows
        deny |= denies
        hand_over |= hands_over
        rest &= leaves
        if not at_once:
            here = rest
            if not here:
                break
    return allow, deny, hand_over, rest


def _ask_rules(step: RuleList, here: int, peers: Peers, trail: Trail | None) -> _Answers:
    policy, rules, ordered, not_sure = step
    allow = deny = hand_over = 0
    rest = here
    for rule in rules:
        yes, unknown, why = peers.matched(policy, rule)
        if trail is not None:
            trail.asked.append((policy, rule, not_sure if not_sure and yes else why))
        if not (yes or unknown):
            continue
        taken = (yes | unknown) & rest
        if rule.action is Action.ALLOW:
            allow |= taken
        elif rule.action is Action.DENY:
            deny |= taken
        else:
            hand_over |= taken
        rest &= ~yes
        if ordered and not rest:
            break
    return allow, deny, hand_over, here if not_sure else rest
