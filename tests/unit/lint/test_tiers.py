"""Policies of tiers: whom they select, equal priorities, rules that nothing reaches."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.linting import SHOP, linted

ALL, SHOPS = "{namespaces: {}}", "{namespaces: {matchLabels: {team: x}}}"
DENY, ALLOW = f"{{action: Deny, from: [{ALL}]}}", f"{{action: Accept, from: [{ALL}]}}"
ON_80 = f"{{action: Accept, from: [{ALL}], protocols: [{{tcp: {{destinationPort: {{number: 80}}}}}}]}}"
FROM_SHOPS = f"{{action: Accept, from: [{SHOPS}]}}"
OUTSIDE = "{action: Deny, to: [{networks: [192.0.2.0/24]}]}"
CNP = "clusternetworkpolicy.policy.networking.k8s.io"


def policy(priority: int, rules: str, subject: str = ALL, tier: str = "Admin", direction: str = "ingress") -> Any:
    return yaml.safe_load(f"{{tier: {tier}, priority: {priority}, subject: {subject}, {direction}: {rules}}}")


def found(tiers: dict[str, Any], number: str, **more: Any) -> list[tuple[str, str]]:
    return [
        (one.severity.value, one.message) for one in linted({**SHOP, "tiers": tiers, **more}) if one.number == number
    ]


SAME = f"{CNP}/b (Admin, priority 5) and a have the same priority and select the same pods"


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        pytest.param(
            policy(5, f"[{DENY}]"),
            policy(5, f"[{ALLOW}]"),
            ("warning", f"{SAME}: which one decides is not defined (shop/api to shop/web, TCP 1)"),
            id="one denies what the other accepts",
        ),
        pytest.param(
            policy(5, f"[{DENY}]"),
            policy(5, f"[{ON_80}]"),
            ("warning", f"{SAME}: which one decides is not defined (shop/api to shop/web, TCP 80)"),
            id="on a port",
        ),
        pytest.param(
            policy(5, f"[{DENY}]", direction="egress").copy()
            | {"egress": yaml.safe_load(f"[{DENY}]".replace("from", "to"))},
            policy(5, f"[{ALLOW}]", direction="egress").copy()
            | {"egress": yaml.safe_load(f"[{ALLOW}]".replace("from", "to"))},
            ("warning", f"{SAME}: which one decides is not defined (shop/web to shop/api, TCP 1)"),
            id="for egress",
        ),
        pytest.param(policy(5, f"[{DENY}]"), policy(5, f"[{DENY}]"), ("info", SAME), id="both deny: advice"),
        pytest.param(policy(5, f"[{DENY}]"), policy(6, f"[{ALLOW}]"), None, id="another priority"),
        pytest.param(policy(5, f"[{DENY}]"), policy(5, f"[{ALLOW}]", tier="Baseline"), None, id="another tier"),
        pytest.param(
            policy(5, f"[{DENY}]", SHOPS),
            policy(5, f"[{ALLOW}]", "{namespaces: {matchLabels: {team: y}}}"),
            None,
            id="other pods",
        ),
        pytest.param(
            policy(5, f"[{DENY}]"), policy(5, f"[{OUTSIDE}]", direction="egress"), None, id="the other direction"
        ),
        pytest.param(
            policy(5, f"[{OUTSIDE}]", direction="egress"),
            policy(5, f"[{OUTSIDE}]", direction="egress"),
            ("info", SAME),
            id="about addresses outside",
        ),
    ],
)
def test_equal_priorities(one: Any, other: Any, wanted: tuple[str, str] | None) -> None:
    assert found({"cnp/a": one, "cnp/b": other}, "NP015") == ([wanted] if wanted else [])


def test_equal_priorities_of_pods_without_an_address_yet() -> None:
    pods = {key: {**pod, "ip": ""} for key, pod in SHOP["pods"].items()}
    tiers = {"cnp/a": policy(5, f"[{DENY}]"), "cnp/b": policy(5, f"[{ALLOW}]")}
    assert [severity for severity, _ in found(tiers, "NP015", pods=pods)] == ["warning"]


def test_a_plugin_sorts_equal_priorities_in_its_own_way() -> None:
    tiers = {"cnp/a": policy(5, f"[{DENY}]"), "cnp/b": policy(5, f"[{ALLOW}]")}
    assert found(tiers, "NP015", plugin="Calico") == []


def test_there_is_one_baselineadminnetworkpolicy() -> None:
    spec = {"subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
    assert found({"banp/default": spec}, "NP015") == []


FIRST = f"{CNP}/a ingress[1] is never reached: ingress[0] decides first"
LATER = f"{CNP}/b ingress[0] is never reached: {CNP}/a ingress[0] decides first"


@pytest.mark.parametrize(
    ("tiers", "wanted"),
    [
        pytest.param({"cnp/a": policy(5, f"[{DENY}, {ON_80}]")}, [f"{FIRST} (deny)"], id="after a rule for everything"),
        pytest.param({"cnp/a": policy(5, f"[{FROM_SHOPS}, {DENY}]")}, [], id="the narrow one first"),
        pytest.param({"cnp/a": policy(5, f"[{ON_80}, {DENY}]")}, [], id="a port first"),
        pytest.param(
            {"cnp/a": policy(4, f"[{ALLOW}]"), "cnp/b": policy(5, f"[{DENY}]")},
            [f"{LATER} (allow)"],
            id="of a policy that is asked before it, for the same pods",
        ),
        pytest.param(
            {"cnp/a": policy(4, f"[{ALLOW}]", SHOPS), "cnp/b": policy(5, f"[{DENY}]")}, [], id="for some of its pods"
        ),
        pytest.param(
            {"cnp/a": policy(4, f"[{ALLOW}]"), "cnp/b": policy(5, f"[{DENY}]", SHOPS)},
            [f"{LATER} (allow)"],
            id="for more pods",
        ),
        pytest.param(
            {"cnp/a": policy(4, f"[{ALLOW}]"), "cnp/b": policy(5, f"[{DENY}]", tier="Baseline")},
            [],
            id="of another tier",
        ),
    ],
)
def test_rules_that_nothing_reaches(tiers: dict[str, Any], wanted: list[str]) -> None:
    assert [message for _, message in found(tiers, "NP016")] == wanted
    assert found(tiers, "NP016", plugin="Calico") == []


@pytest.mark.parametrize(
    ("subject", "more", "wanted"),
    [
        pytest.param("{namespaces: {matchLabels: {team: z}}}", {}, 1, id="no such namespace"),
        pytest.param(SHOPS, {}, 0, id="two pods"),
        pytest.param(
            "{namespaces: {matchLabels: {team: z}}}", {"namespaces": {}, "unread": ["lab"]}, 0, id="unread labels"
        ),
        pytest.param(
            "{namespaces: {matchLabels: {team: z}}}",
            {"live": True, "gaps": [{"resource": "pods", "namespace": "q", "message": "no"}]},
            0,
            id="unread pods",
        ),
        pytest.param(
            "{namespaces: {matchExpressions: [{key: team, operator: notIn, values: [x]}]}}", {}, 0, id="an odd selector"
        ),
        pytest.param(
            "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {pod-template-hash: x}}}}",
            {"pods": {"shop/web": {"planned": True}}},
            0,
            id="a label that a controller will set",
        ),
    ],
)
def test_a_policy_of_a_tier_that_selects_no_pod(subject: str, more: dict[str, Any], wanted: int) -> None:
    messages = found({"cnp/a": policy(5, f"[{DENY}]", subject)}, "NP001", **more)
    assert messages == [("info", f"{CNP}/a selects no pod")] * wanted
