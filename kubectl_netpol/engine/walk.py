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


class Asked(NamedTuple):
    """A rule that was asked, and its answer: None where it does not match."""

    policy: Policy
    rule: Rule
    answer: RuleMatch | Note | None


class AtEnd(NamedTuple):
    """Why a layer blocked what no rule decided."""

    reason: Note


Trail: TypeAlias = "list[Asked | AtEnd | Note]"


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


class _Answers(NamedTuple):
    """What a step may do with the peers that reach it; `rest`: those that it may leave to what comes next."""

    allow: int
    deny: int
    hand_over: int
    rest: int


def walk(layers: Iterable[Layer], peers: Peers, trail: Trail | None = None) -> Outcome:
    """Asks each layer about the peers that are still undecided.

    `trail`, for a set of one: gets every rule that was asked, and why a layer is unknown.
    """
    may_allow = may_block = 0
    here = peers.everyone
    for layer in layers:
        if layer.unknown:
            if trail is not None:
                trail.append(layer.unknown)
            return Outcome(may_allow | here, may_block | here)
        if layer.either:
            return _walk_either(layer, peers, trail)
        if layer.isolates or layer.lets_node:
            may_allow |= here & peers.always
            here &= ~peers.always
        allow, deny, hand_over, rest = _ask(layer.step, here, peers, trail) if here else _Answers(0, 0, 0, 0)
        may_allow |= allow
        may_block |= deny
        if layer.isolates:
            may_block |= rest
            if rest and layer.at_end and trail is not None:
                trail.append(AtEnd(layer.at_end))
            rest = 0
        here = hand_over | rest
        if not here:
            break
    return Outcome(may_allow | here, may_block)


def _walk_either(layer: Layer, peers: Peers, trail: Trail | None) -> Outcome:
    """What is so in one of them may be so. The trail is that of the first, after why another one disagrees with it."""
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
        trail.insert(0, disagree[0])
    return Outcome(may_allow, may_block)


def _ask(step: Step, here: int, peers: Peers, trail: Trail | None) -> _Answers:
    if isinstance(step, RuleList):
        return _ask_rules(step, here, peers, trail)
    allow = deny = hand_over = 0
    rest = here
    for inner in step.steps:
        found = _ask(inner, here, peers, trail)
        allow |= found.allow
        deny |= found.deny
        hand_over |= found.hand_over
        rest &= found.rest
        if not isinstance(step, AtOnce):
            here = rest
            if not here:
                break
    return _Answers(allow, deny, hand_over, rest)


def _ask_rules(step: RuleList, here: int, peers: Peers, trail: Trail | None) -> _Answers:
    found = dict.fromkeys(Action, 0)
    rest = here
    for rule in step.rules:
        yes, unknown, why = peers.matched(step.policy, rule)
        found[rule.action] |= (yes | unknown) & (rest if step.ordered else here)
        rest &= ~yes
        if trail is not None:
            trail.append(Asked(step.policy, rule, step.unknown if step.unknown and yes else why))
        if step.ordered and not rest:
            break
    if step.unknown:
        rest = here
    return _Answers(found[Action.ALLOW], found[Action.DENY], found[Action.PASS], rest)
