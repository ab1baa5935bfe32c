"""Calico's policies: which pods they may select, and in which directions."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, parse_selector
from kubectl_netpol.policies.calico import calico_selector, read_calico

IN, NOT_IN = Operator.IN, Operator.NOT_IN
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BOTH = (INGRESS, EGRESS)


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        pytest.param(
            "CalicoNetworkPolicy",
            {"selector": "app == 'web'", "egress": [{}]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app=web")),
            id="a Calico policy without types has the directions of its rules",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {"types": ["Ingress", "Egress"]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", BOTH),
            id="a Calico policy with types",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {"types": ["egress"]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", (EGRESS,)),
            id="a Calico policy with types in lower case",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {"types": ["Ingress", "Sideways"]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", BOTH),
            id="a Calico policy with a direction that is not known may have both",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", (INGRESS,)),
            id="a Calico policy without types and rules is for ingress",
        ),
        pytest.param(
            "GlobalNetworkPolicy",
            {"namespaceSelector": "team == 'x'", "selector": "app == 'web'", "types": ["Ingress"]},
            UnevaluatedPolicy(
                "GlobalNetworkPolicy",
                None,
                "p",
                (INGRESS,),
                parse_selector("team=x"),
                parse_selector("app=web"),
                nodes=True,
            ),
            id="a global Calico policy can select nodes",
        ),
        *(
            pytest.param(
                "GlobalNetworkPolicy",
                {"selector": "has(host)", "types": ["Ingress"], field: True},
                UnevaluatedPolicy("GlobalNetworkPolicy", None, "p", (INGRESS,), nodes=True),
                id=f"a Calico policy with {field} may apply to any pod",
            )
            for field in ("applyOnForward", "preDNAT", "doNotTrack")
        ),
    ],
)
def test_what_a_policy_may_select_and_in_which_directions(
    kind: str, spec: dict[str, Any], found: UnevaluatedPolicy
) -> None:
    assert read_calico(kind, {"spec": spec}, "p", found.namespace) == found


def test_its_copy_of_a_network_policy_is_left_out() -> None:
    assert read_calico("CalicoNetworkPolicy", {"spec": {}}, "knp.default.p", "shop") is None


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        pytest.param("app == 'web'", [("app", IN, ("web",))], id="equals"),
        pytest.param('app == "web"', [("app", IN, ("web",))], id="equals, in double quotes"),
        pytest.param(
            "app=='' && has(a.b/c-d)", [("app", IN, ("",)), ("a.b/c-d", Operator.EXISTS, ())], id="an empty value; has"
        ),
        pytest.param(
            "app != 'x'&&!has( tier )",
            [("app", NOT_IN, ("x",)), ("tier", Operator.DOES_NOT_EXIST, ())],
            id="not equal; has not",
        ),
    ],
)
def test_a_plain_conjunction_of_calico(text: str, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert calico_selector(text) == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no selector"),
        pytest.param(7, id="a number"),
        pytest.param("", id="an empty selector"),
        pytest.param(" all() ", id="all()"),
        pytest.param("global()", id="global()"),
        pytest.param("app in {'a'}", id="a set"),
        pytest.param("app == 'a' || app == 'b'", id="a disjunction"),
        pytest.param("(app == 'a')", id="parentheses"),
        pytest.param("app == 'a && b'", id="&& in quotes"),
        pytest.param("projectcalico.org/name == 'x'", id="a label of Calico's own"),
        pytest.param("pcns.team == 'x'", id="a label of the namespace"),
        pytest.param("has(pcsa.role)", id="a label of the service account"),
    ],
)
def test_the_rest_of_calicos_grammar_may_select_anything(text: object) -> None:
    assert calico_selector(text) is None
