"""policyTypes that contradict the rules."""

from __future__ import annotations

import pytest

from tests.support.linting import SHOP, lines, linted, with_policies

LEFT_OUT = "error spec.policyTypes: p has"
NOT_IN_FORCE = "out: they are not in force"


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        pytest.param(
            "policyTypes: [Ingress], egress: [{}, {}]",
            [f"NP022 {LEFT_OUT} 2 egress rules, and policyTypes leaves Egress {NOT_IN_FORCE}"],
            id="rules for egress under Ingress alone",
        ),
        pytest.param(
            "policyTypes: [Egress], ingress: [{}]",
            [f"NP022 {LEFT_OUT} 1 ingress rule, and policyTypes leaves Ingress {NOT_IN_FORCE}"],
            id="rules for ingress under Egress alone",
        ),
        pytest.param("egress: [{}]", [], id="policyTypes left out: Egress comes with its rules"),
        pytest.param("policyTypes: [Ingress, Egress], ingress: [{}]", [], id="a direction without rules isolates"),
        pytest.param("policyTypes: [Ingress], egress: []", [], id="a list without rules"),
    ],
)
def test_rules_of_a_direction_that_is_left_out(spec: str, wanted: list[str]) -> None:
    found = linted(with_policies(SHOP, f"{{shop/p: {{podSelector: {{}}, {spec}}}}}"))
    assert lines(found, "NP022") == wanted
    for one in found:
        if one.repair and one.number == "NP022":
            assert len(one.repair.policy.directions) == 2


@pytest.mark.parametrize(
    ("plugin", "wanted"),
    [
        pytest.param(
            "Cilium",
            "NP022 warning spec.policyTypes: p has 1 ingress rule, and policyTypes leaves Ingress out: on Cilium they "
            "are in force all the same, and isolate",
            id="Cilium asks them",
        ),
        pytest.param(
            "Calico", f"NP022 {LEFT_OUT} 1 ingress rule, and policyTypes leaves Ingress {NOT_IN_FORCE}", id="Calico not"
        ),
    ],
)
def test_whether_they_are_in_force_hangs_on_the_plugin(plugin: str, wanted: str) -> None:
    policies = "{shop/p: {podSelector: {}, policyTypes: [Egress], ingress: [{}]}}"
    assert lines(linted({**with_policies(SHOP, policies), "plugin": plugin}), "NP022") == [wanted]
