"""NotIn, which matches what has no such label too."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies

SHOPS = with_policies(SHOP, "{}", "namespaces: {old: {}}\npods: {old/job: {labels: {app: job}, ip: 10.0.2.1}}")
NOT_X = "{matchExpressions: [{key: team, operator: NotIn, values: [x]}]}"
WEB = "podSelector: {matchLabels: {app: web}}"


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{namespaceSelector: {NOT_X}}}]}}]}}}}",
            [
                (
                    "spec.ingress[0].from[0]: p ingress[0].from[0]: team!=x matches namespace old too, "
                    "which has no label team"
                )
            ],
            id="of a peer's namespaces",
        ),
        pytest.param(
            "{shop/p: {podSelector: {matchLabels: {app: web}}, egress: [{to: [{namespaceSelector: {}, podSelector: "
            "{matchExpressions: [{key: tier, operator: NotIn, values: [a, b]}]}}]}]}}",
            [
                (
                    "spec.egress[0].to[0]: p egress[0].to[0]: tier notin (a,b) matches lab/cli, old/job too, "
                    "which have no label tier"
                )
            ],
            id="of a peer's pods",
        ),
        pytest.param(
            "{lab/p: {podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}}}",
            ["spec.podSelector: p: tier!=a matches lab/cli too, which has no label tier"],
            id="of the policy's own selector",
        ),
        pytest.param(
            "{shop/p: {podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [back]}]}}}",
            [],
            id="where all that it matches have the label",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{namespaceSelector: {{matchExpressions: "
            "[{key: team, operator: NotIn, values: [x]}, {key: team, operator: Exists}]}}]}]}}",
            [],
            id="with Exists for the key beside it",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{namespaceSelector: {{matchExpressions: "
            "[{key: team, operator: DoesNotExist}]}}]}]}}",
            [],
            id="with DoesNotExist, which says so",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}]}}]}}}}", [], id="a block"
        ),
    ],
)
def test_a_not_in_that_matches_what_lacks_the_label(policies: str, wanted: list[str]) -> None:
    found = lines(linted(with_policies(SHOPS, policies)), "NP026")
    assert [line.removeprefix("NP026 info ") for line in found] == wanted


def test_labels_of_a_namespace_that_was_not_read_are_not_missing() -> None:
    unread = {**with_policies(SHOPS, f"{{shop/p: {{{WEB}, ingress: [{{from: [{{namespaceSelector: {NOT_X}}}]}}]}}}}")}
    unread["namespaces"] = {"shop": {"team": "x"}, "lab": {"team": "y"}}
    assert lines(linted({**unread, "unread": ["old"]}), "NP026") == []


def test_in_a_rule_of_a_tier() -> None:
    rule = f"{{action: Accept, from: [{{namespaces: {NOT_X}}}]}}"
    tiers = yaml.safe_load(f"cnp/a: {{tier: Admin, priority: 1, subject: {{namespaces: {NOT_X}}}, ingress: [{rule}]}}")
    found = lines(linted({**SHOPS, "tiers": tiers}), "NP026")
    assert [line.split(": ")[0] for line in found] == ["NP026 info spec.ingress[0].from[0]"]


def test_in_the_subject_of_a_tier() -> None:
    subject = "{pods: {podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}}}"
    tiers = yaml.safe_load(f"cnp/a: {{tier: Admin, priority: 1, subject: {subject}}}")
    found = lines(linted({**SHOPS, "tiers": tiers}), "NP026")
    assert [line.split(": ")[0] for line in found] == ["NP026 info spec.subject"]
