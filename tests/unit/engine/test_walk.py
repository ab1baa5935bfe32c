"""The walk over layers: which of a set of peers may be allowed, and which may be blocked."""

from __future__ import annotations

import pytest

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import AtOnce, InOrder, Layer, RuleList, Step
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.engine.walk import Matched, Outcome, Trail, walk
from kubectl_netpol.model.policies import Action, Direction, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector

WHY = Note(Code.DOMAIN_NAME, "who knows")
SUBJECT = Note(Code.SELECTOR_NOT_EVALUATED, "may select it")
HIDDEN = Note(Code.PERMISSION_MISSING, "hidden")
ACTIONS = {"allow": Action.ALLOW, "deny": Action.DENY, "pass": Action.PASS}
EVERYONE = 0b1111


class Four:
    """Four peers, 1111. A rule's name says which it matches: "1100", or "1100?0011" with those that are unknown."""

    everyone = EVERYONE

    def __init__(self, always: str = "0000") -> None:
        self.always = int(always, 2)

    def matched(self, policy: Policy, rule: Rule) -> Matched:
        assert policy.name
        yes, _, unknown = rule.name.partition("?")
        return Matched(int(yes, 2), int(unknown or "0", 2), WHY if unknown else None)


def rules(words: str, *, ordered: bool = True, unknown: Note | None = None) -> RuleList:
    """Rules such as "allow 1100, deny 1111"."""
    pairs = [word.split() for word in words.split(", ")] if words else []
    found = tuple(Rule(Direction.INGRESS, i, (), (), ACTIONS[a], name) for i, (a, name) in enumerate(pairs))
    return RuleList(Policy("", words or "none", LabelSelector(), (Direction.INGRESS,), found), found, ordered, unknown)


def tier(*lists: str) -> Layer:
    return Layer(InOrder(tuple(map(rules, lists))))


def tie(*lists: str) -> Layer:
    return Layer(AtOnce(tuple(map(rules, lists))))


def network_policies(*lists: str) -> Layer:
    return Layer(AtOnce(tuple(rules(words, ordered=False) for words in lists)), isolates=True)


UNKNOWN = Layer(AtOnce(()), unknown=HIDDEN)


def may(step: str, *then: Step) -> Layer:
    """A policy that may not apply, and others after it."""
    return Layer(InOrder((rules(step, unknown=SUBJECT), *then)))


@pytest.mark.parametrize(
    ("layers", "may_allow", "may_block"),
    [
        pytest.param([], "1111", "0000", id="nothing is asked: all are allowed"),
        pytest.param([tier("")], "1111", "0000", id="a policy without rules isolates nobody"),
        pytest.param([tier("deny 1100")], "0011", "1100", id="a Deny blocks those that it matches"),
        pytest.param([tier("allow 1100, deny 1111")], "1100", "0011", id="the first rule that matches counts"),
        pytest.param([tier("pass 1100, deny 1111")], "1100", "0011", id="a Pass skips the later rules"),
        pytest.param([tier("pass 1100", "deny 1111")], "1100", "0011", id="a Pass skips the later policies"),
        pytest.param(
            [tier("pass 1100"), tier("deny 1111")], "0000", "1111", id="a Pass leaves it to the next layer, not to none"
        ),
        pytest.param(
            [tier("allow 1000, deny 0100"), network_policies("allow 0110"), tier("deny 1111")],
            "1010",
            "0101",
            id="Admin decides first, then NetworkPolicy for good",
        ),
        pytest.param(
            [tier("deny 0001"), tier("allow 1000, deny 1100")],
            "1010",
            "0101",
            id="Baseline is asked about those that are left, and what it leaves is allowed",
        ),
        pytest.param([tier("deny 1000, deny 0100")], "0011", "1100", id="two Denies of one policy"),
        pytest.param(
            [tier("pass 1000, pass 0100, deny 1111"), tier("deny 0100")],
            "1000",
            "0111",
            id="two Passes of one policy, each followed",
        ),
        pytest.param([network_policies("")], "0000", "1111", id="a NetworkPolicy without rules blocks all"),
        pytest.param([network_policies("allow 1000, allow 1100")], "1100", "0011", id="its rules add up"),
        pytest.param([network_policies("allow 1000", "allow 0001")], "1001", "0110", id="so do several of them"),
        pytest.param([network_policies("allow 1000?0100")], "1100", "0111", id="a rule that may match"),
        pytest.param(
            [network_policies("allow 1000?0100, allow 0100")], "1100", "0011", id="another one matches for certain"
        ),
        pytest.param([tie("allow 1100", "deny 0110")], "1101", "0110", id="at once: both count where both match"),
        pytest.param([tie("deny 1100", "deny 0110")], "0001", "1110", id="at once: both say the same"),
        pytest.param(
            [tie("allow 1000", "pass 1100"), tier("deny 1111")],
            "1000",
            "1111",
            id="at once: a Pass is followed to what comes next",
        ),
        pytest.param([tie("deny 1000", "pass 1100")], "1111", "1000", id="at once: a Pass, and nothing comes next"),
        pytest.param(
            [Layer(InOrder((AtOnce((rules("allow 1000"), rules("deny 0100"))), rules("deny 1111"))))],
            "1000",
            "0111",
            id="the next number is asked about those that none of a tie matches",
        ),
        pytest.param([tier("deny 0000?1000, allow 1111")], "1111", "1000", id="a Deny that may match"),
        pytest.param([tier("allow 0000?1000, allow 1111, deny 1111")], "1111", "0000", id="either way it is allowed"),
        pytest.param([tier("pass 0000?1000, deny 1000")], "1111", "1000", id="a Pass that may match"),
        pytest.param([may("deny 1000")], "1111", "1000", id="a policy that may not apply"),
        pytest.param([may("allow 1100, deny 1111")], "1111", "0011", id="its first rule that matches counts"),
        pytest.param(
            [may("deny 1000", rules("deny 1100"))], "0011", "1100", id="where it does not apply, the next is asked"
        ),
        pytest.param([may("deny 1000?0100", rules("allow 1111"))], "1111", "1100", id="neither is certain"),
        pytest.param([UNKNOWN], "1111", "1111", id="a layer that is unknown"),
        pytest.param([tier("deny 1000, allow 0100"), UNKNOWN], "0111", "1011", id="what is decided before it is not"),
        pytest.param([UNKNOWN, tier("deny 1111")], "1111", "1111", id="what comes after it is not asked"),
    ],
)
def test_the_outcome(layers: list[Layer], may_allow: str, may_block: str) -> None:
    outcome = walk(layers, Four())
    assert outcome == Outcome(int(may_allow, 2), int(may_block, 2))
    assert outcome.may_allow | outcome.may_block == EVERYONE, "each peer has an answer"
    assert outcome.allowed == EVERYONE & ~outcome.may_block
    assert outcome.undefined == outcome.may_allow & outcome.may_block


def either(*layers: Layer) -> Layer:
    """What holds is not known: each layer by itself, all but the first with a reason."""
    return Layer(AtOnce(()), either=tuple(((layer,), WHY if number else None) for number, layer in enumerate(layers)))


@pytest.mark.parametrize(
    ("layers", "may_allow", "may_block"),
    [
        pytest.param(
            [either(tier("deny 1100"), tier("deny 1010"))], "0111", "1110", id="what one of them says may be so"
        ),
        pytest.param([either(tier("deny 1100"), tier("deny 1100"))], "0011", "1100", id="where they agree it is so"),
        pytest.param([either(tier(""), UNKNOWN)], "1111", "1111", id="one of them is unknown"),
    ],
)
def test_which_of_several_holds_is_not_known(layers: list[Layer], may_allow: str, may_block: str) -> None:
    assert walk(layers, Four()) == Outcome(int(may_allow, 2), int(may_block, 2))


@pytest.mark.parametrize(
    ("layer", "first"),
    [
        pytest.param(either(tier("deny 1111"), tier("")), True, id="they disagree"),
        pytest.param(either(tier("deny 1111"), tier("deny 1111")), False, id="they agree"),
        pytest.param(either(tier("deny 1111"), tier(""), tier("deny 1100")), True, id="the first of several that do"),
        pytest.param(either(tier("deny 0000?1111"), tier("")), False, id="the first is not known by itself"),
    ],
)
def test_why_it_is_not_known_which_holds_comes_first(layer: Layer, *, first: bool) -> None:
    trail = Trail()
    walk([layer], Four(), trail)
    assert trail.either == (WHY if first else None)
    assert len(trail.asked) == 1


def test_those_that_are_always_let_through_pass_by_network_policies_alone() -> None:
    layers = [tier("deny 1000"), network_policies("allow 0001"), tier("deny 1111")]
    assert walk(layers, Four("1100")) == Outcome(0b0101, 0b1010)
    assert walk([tier("deny 1111")], Four("1111")) == Outcome(0, EVERYONE)
    assert walk([network_policies("")], Four("1111")) == Outcome(EVERYONE, 0)


def asked(trail: Trail) -> list[object]:
    return [(rule.name, answer) for _, rule, answer in trail.asked]


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        pytest.param(
            [tier("deny 0000, allow 1111, deny 1111")], [("0000", None), ("1111", None)], id="until one decides"
        ),
        pytest.param([tier("allow 1111", "deny 0000")], [("1111", None)], id="nor are later policies asked"),
        pytest.param([tier("allow 1111"), network_policies("allow 0000")], [("1111", None)], id="nor later layers"),
        pytest.param(
            [tie("allow 1111", "deny 0000")], [("1111", None), ("0000", None)], id="at once: each one is asked"
        ),
        pytest.param(
            [network_policies("allow 1111, allow 0000", "allow 0001")],
            [("1111", None), ("0000", None), ("0001", None)],
            id="of NetworkPolicies every rule",
        ),
        pytest.param(
            [tier("deny 0000?1000"), UNKNOWN],
            [("0000?1000", WHY)],
            id="and nothing behind an unknown layer",
        ),
        pytest.param(
            [may("deny 1000, allow 0000?0100, deny 0000")],
            [("1000", SUBJECT), ("0000?0100", WHY), ("0000", None)],
            id="a policy that may not apply: why, where the rule matches",
        ),
    ],
)
def test_the_trail_has_every_rule_that_is_asked(layers: list[Layer], wanted: list[object]) -> None:
    trail = Trail()
    walk(layers, Four(), trail)
    assert asked(trail) == wanted


def test_network_policies_are_not_asked_about_those_that_are_always_let_through() -> None:
    trail = Trail()
    walk([network_policies("allow 1111")], Four("1111"), trail)
    assert asked(trail) == []
