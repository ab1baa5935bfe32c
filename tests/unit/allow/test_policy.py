"""make_policy: what the API would give back, whatever order and repetition the options had."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.policy import make_policy, normalized
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, in_namespace

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
A_EXISTS = Requirement("a", Operator.EXISTS)
A_NOT_1 = Requirement("a", Operator.NOT_IN, ("1",))
B_1, B_2 = (Requirement("b", Operator.IN, (value,)) for value in "12")
B_1_OR_2 = Requirement("b", Operator.IN, ("1", "2"))
WEB = LabelSelector.of({"run": "web"})
SAN = Peer(pod_selector=LabelSelector.of({"run": "san"}))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((), (), id="an empty selector stays empty"),
        pytest.param((A_EXISTS, B_1), (B_1, A_EXISTS), id="matchLabels come before matchExpressions"),
        pytest.param((B_1, A_EXISTS, B_1, A_EXISTS), (B_1, A_EXISTS), id="each requirement is there once"),
        pytest.param((B_1, A_EXISTS, B_2), (B_1, A_EXISTS, B_2), id="a second value of a key is a matchExpression"),
        pytest.param((B_1_OR_2, B_1), (B_1, B_1_OR_2), id="In with two values is a matchExpression"),
        pytest.param((A_NOT_1, B_1), (B_1, A_NOT_1), id="NotIn with one value is a matchExpression"),
    ],
)
def test_a_selector_has_the_order_in_which_it_is_read_back(
    given: tuple[Requirement, ...], expected: tuple[Requirement, ...]
) -> None:
    assert normalized(LabelSelector(given)).requirements == expected


def test_each_peer_is_there_once() -> None:
    repeated = Peer(pod_selector=LabelSelector((B_1, B_1)))
    block = Peer(ip_block=IPBlock("10.0.0.0/8"))
    policy = make_policy("", INGRESS, WEB, [Rule(INGRESS, 0, (SAN, repeated, SAN, block))])
    assert policy.rules[0].peers == (SAN, Peer(pod_selector=LabelSelector((B_1,))), block)


def test_selectors_of_peers_are_normalized_too() -> None:
    selector = LabelSelector((A_EXISTS, B_1))
    policy = make_policy("", INGRESS, WEB, [Rule(INGRESS, 0, (Peer(selector, selector),))])
    assert policy.rules[0].peers == (Peer(LabelSelector((B_1, A_EXISTS)), LabelSelector((B_1, A_EXISTS))),)


def test_rules_get_their_position_and_the_direction_of_the_policy() -> None:
    rules = [Rule(INGRESS, 7, (SAN,)), Rule(INGRESS, 7, (Peer(in_namespace("ops")),), (PortRange("UDP", 53, 53),))]
    policy = make_policy("shop", EGRESS, WEB, rules)
    assert policy.directions == (EGRESS,)
    assert [(rule.direction, rule.position) for rule in policy.rules] == [(EGRESS, 0), (EGRESS, 1)]
    assert policy.rules[1].ports == (PortRange("UDP", 53, 53),)


def test_the_policy_has_its_namespace_and_a_default_name() -> None:
    policy = make_policy("shop", INGRESS, WEB, [Rule(INGRESS, 0, (SAN,))])
    assert (policy.namespace, policy.name) == ("shop", "allow-run-san-to-run-web")


def test_a_policy_without_rules_allows_nothing() -> None:
    policy = make_policy("shop", INGRESS, WEB, [])
    assert (policy.rules, policy.pod_selector) == ((), WEB)
