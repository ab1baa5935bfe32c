"""Labels with which a policy that is there would let a blocked connection through."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.connection.labels import helpful_labels
from tests.support.tables import ask, snapshot_of

PODS = {
    "a/san": {"labels": {"app": "san"}, "ip": "10.0.0.1"},
    "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.2", "ports": "http=80"},
    "b/far": {"ip": "10.0.1.1"},
}
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def labels(**found: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": found}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    one = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"podSelector": {"matchExpressions": [one]}}


AND_IN = {"ingress": [{"from": [labels(app="cart")]}]}
NOWHERE = {"a/none": {"selector": {"x": "y"}, "ports": [{"port": 80}]}}
OUT: dict[str, Any] = {"egress": [{}], "policyTypes": ["Egress"]}
IN: dict[str, Any] = {"ingress": [{}]}
SAN, WEB = ("a/san", "egress"), ("a/web", "ingress")


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            {"out": {**labels(open="yes"), **OUT}}, [(*SAN, {"open": "yes"}, "out")], id="a label of the source"
        ),
        pytest.param({"in": {**labels(open="yes"), **IN}}, [(*WEB, {"open": "yes"}, "in")], id="of the destination"),
        pytest.param(
            {"in": {**labels(a="1", b="2"), **IN}, "out": {**labels(c="3"), **OUT}},
            [(*SAN, {"c": "3"}, "out"), (*WEB, {"a": "1", "b": "2"}, "in")],
            id="the fewest first",
        ),
        pytest.param({"in": {**labels(app="db"), **IN}}, [], id="not one that would have to change"),
        pytest.param({"in": {**expression("open", "Exists"), **IN}}, [(*WEB, {"open": "true"}, "in")], id="any value"),
        pytest.param(
            {"in": {**expression("open", "In", "x", "y"), **IN}}, [(*WEB, {"open": "x"}, "in")], id="the first"
        ),
        pytest.param({"in": {**expression("app", "NotIn", "web"), **IN}}, [], id="not one that would have to go"),
        pytest.param(
            {"in": {**labels(open="yes"), "ingress": [{"from": [labels(app="cart")]}]}},
            [],
            id="whose rules do not allow it",
        ),
        pytest.param({"in": {**labels(open="yes"), "policyTypes": ["Ingress"]}}, [], id="without rules"),
        pytest.param({"in": {**labels(app="web"), **IN}}, [], id="one that selects it already"),
    ],
)
def test_what_would_help(policies: dict[str, Any], wanted: list[tuple[str, str, dict[str, str], str]]) -> None:
    snapshot = snapshot_of({"pods": PODS, "policies": {"a/deny": DENY, **{f"a/{k}": v for k, v in policies.items()}}})
    found = helpful_labels(snapshot, ask(snapshot, "a/san", "a/web", 80, "TCP"))
    rows = [(one.pod.key, one.direction.field, dict(one.labels), one.match.policy.name) for one in found]
    assert rows == wanted


@pytest.mark.parametrize(
    ("cluster", "destination"),
    [
        pytest.param({"policies": {"a/in": {**labels(open="yes"), **IN}}}, "a/web", id="allowed already"),
        pytest.param(
            {"plugin": "Calico", "policies": {"a/deny": DENY, "a/in": {**labels(open="yes"), **IN}}},
            "a/web",
            id="a plugin decides",
        ),
        pytest.param(
            {
                "policies": {"a/in": {**labels(open="yes"), **IN}},
                "tiers": {
                    "anp/shut": {
                        "priority": 1,
                        "subject": {"namespaces": {}},
                        "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
                    }
                },
            },
            "a/web",
            id="a rule of a tier denies it",
        ),
        pytest.param(
            {
                "policies": {"a/out": {**labels(open="yes"), **OUT}, "a/deny": DENY},
                "services": {"a/none": {"selector": {"x": "y"}, "ports": [{"port": 80}]}},
            },
            "a/svc/none",
            id="it leads nowhere",
        ),
    ],
)
def test_where_no_label_helps(cluster: dict[str, Any], destination: str) -> None:
    snapshot = snapshot_of({"namespaces": {"a": {}, "b": {}}, "pods": PODS, **cluster})
    assert helpful_labels(snapshot, ask(snapshot, "a/san", destination, 80, "TCP")) == ()
