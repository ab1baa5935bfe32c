"""The known faults of an enforcer are recognised by the policies that trigger them, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.codes import Code
from kubectl_netpol.faults import enforcer_fault
from tests.unit.tables import ask, snapshot_of

PODS = {
    "default/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "default/web": {"ip": "10.0.0.2", "labels": {"run": "web"}, "ports": "http=80"},
    "default/api": {"ip": "10.0.0.3", "labels": {"run": "api"}, "ports": "rpc=9000"},
}
WEB = {"podSelector": {"matchLabels": {"run": "web"}}}
SAN = {"podSelector": {"matchLabels": {"run": "san"}}}


def ingress(*rules: Any, **subject: Any) -> dict[str, Any]:
    return {**(subject or WEB), "policyTypes": ["Ingress"], "ingress": list(rules)}


def egress(*rules: Any, **subject: Any) -> dict[str, Any]:
    return {**(subject or SAN), "policyTypes": ["Egress"], "egress": list(rules)}


def both(*rules: Any, **subject: Any) -> dict[str, Any]:
    return {**(subject or {"podSelector": {}}), "policyTypes": ["Ingress", "Egress"], "ingress": list(rules)}


def to(*names: str | int, **peers: Any) -> dict[str, Any]:
    return {**peers, "ports": [{"port": name} for name in names]}


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        pytest.param(
            ingress(to("metrics", **{"from": [SAN]})), Code.ENFORCER_NAMED_PORT_FAULT, id="in: a name that nobody has"
        ),
        pytest.param(
            egress(to("metrics", to=[WEB])), Code.ENFORCER_NAMED_PORT_FAULT, id="out: a name that no peer has"
        ),
        pytest.param(egress(to("rpc", to=[{"podSelector": {}}])), None, id="out: a name that another peer has"),
        pytest.param(egress(to("rpc", to=[WEB])), Code.ENFORCER_NAMED_PORT_FAULT, id="out: another pod's name"),
        pytest.param(
            ingress(
                to("rpc", **{"from": [SAN]}), podSelector={"matchExpressions": [{"key": "run", "operator": "Exists"}]}
            ),
            None,
            id="in: a name that another pod of the policy has",
        ),
        pytest.param(ingress(to("metrics", 81, **{"from": [SAN]})), None, id="a number beside the name"),
        pytest.param(ingress(to(81, **{"from": [SAN]})), None, id="a number alone"),
        pytest.param(ingress({"from": [WEB]}), None, id="another peer, every port"),
        pytest.param(ingress(to("metrics", **{"from": [WEB]})), None, id="a name for another peer"),
        pytest.param(
            ingress(to("metrics", **{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})), None, id="a name for a block"
        ),
        pytest.param(ingress(to("metrics")), None, id="a name for everyone"),
        pytest.param(ingress(), None, id="no rule at all"),
        pytest.param(both({}), Code.ENFORCER_BOTH_ENDS_FAULT, id="both ends: in lets out"),
        pytest.param(
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"to": [WEB]}]},
            Code.ENFORCER_BOTH_ENDS_FAULT,
            id="both ends: out lets in",
        ),
        pytest.param(both({"from": [WEB]}), None, id="both ends: the rule of the other direction does not match"),
        pytest.param(both(), None, id="both ends: no rule"),
        pytest.param(both({}, **SAN), None, id="one end: in does not let out"),
    ],
)
def test_a_fault_is_told_by_its_exact_conditions(policy: dict[str, Any], code: Code | None) -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": {"default/p": policy}})
    verdict = ask(snapshot, "san", "web", 80, "TCP")
    assert verdict.blocked_at, "the row is about something blocked"
    found = enforcer_fault(snapshot, verdict)
    assert (found.code if found else None) == code


def test_what_is_allowed_has_no_fault() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS})
    assert enforcer_fault(snapshot, ask(snapshot, "san", "web", 80, "TCP")) is None


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        pytest.param("192.0.2.1", "web", id="from outside"),
        pytest.param("san", "192.0.2.1", id="to the outside"),
    ],
)
def test_both_ends_are_pods_or_it_is_no_fault(source: str, destination: str) -> None:
    policies = {
        "default/p": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [to(81)], "egress": [to(81)]}
    }
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    verdict = ask(snapshot, source, destination, 80, "TCP")
    assert verdict.blocked_at
    assert enforcer_fault(snapshot, verdict) is None


def test_the_message_names_policy_and_port() -> None:
    policies = {"default/p": ingress(to("metrics", "grpc", **{"from": [SAN]}))}
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    found = enforcer_fault(snapshot, ask(snapshot, "san", "web", 80, "TCP"))
    assert found
    assert found.message.startswith("p allows port metrics, grpc, which no pod in question has")
