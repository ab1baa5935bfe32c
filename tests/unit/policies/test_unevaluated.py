"""Objects that can override NetworkPolicy: their kinds, and Calico's selectors."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.policies.unevaluated import calico_selector, read_overriding

IN, NOT_IN = Operator.IN, Operator.NOT_IN


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("app == 'web'", [("app", IN, ("web",))]),
        ('app == "web"', [("app", IN, ("web",))]),
        ("app=='' && has(a.b/c-d)", [("app", IN, ("",)), ("a.b/c-d", Operator.EXISTS, ())]),
        ("app != 'x'&&!has( tier )", [("app", NOT_IN, ("x",)), ("tier", Operator.DOES_NOT_EXIST, ())]),
    ],
)
def test_a_plain_conjunction_of_calico(text: str, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert calico_selector(text) == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        " all() ",
        "app in {'a'}",
        "app == 'a' || app == 'b'",
        "(app == 'a')",
        "app == 'a && b'",
        "projectcalico.org/name == 'x'",
        "pcns.team == 'x'",
        "has(pcsa.role)",
        "global()",
    ],
)
def test_what_may_select_anything(text: object) -> None:
    assert calico_selector(text) is None


@pytest.mark.parametrize(
    "subject",
    [
        {"namespaces": {"matchLabels": {"a b": "c"}}},
        {"namespaces": {"matchLabels": []}},
        {"pods": {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}, "podSelector": 3}},
        {},
        None,
    ],
)
def test_a_subject_that_can_t_be_read_may_be_anything(subject: object) -> None:
    item = {"spec": {"subject": subject, "ingress": [{}]}}
    found = read_overriding("AdminNetworkPolicy", item, "a", None)
    assert found
    assert (found.namespace_selector, found.pod_selector) == (None, None)
