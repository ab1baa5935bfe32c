"""Calico's objects: policies, tiers, sets, host endpoints, staged kinds, in both forms, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.calico import (
    AllOf,
    CalicoPolicy,
    CalicoTier,
    Compare,
    HostEndpoint,
    NetworkSet,
    StagedKubernetes,
    Term,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.policies.calico_objects import read_calico_object
from kubectl_netpol.policies.calico_selectors import IN_A_NAMESPACE

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BOTH = (INGRESS, EGRESS)
V3, V1 = "projectcalico.org/v3", "crd.projectcalico.org/v1"
ALLOW = {"action": "Allow"}


def read(
    kind: str, spec: Any = None, *, version: str = V3, namespace: str = "", stored: bool = False, **metadata: Any
) -> Any:
    item = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    return read_calico_object(kind, item, metadata, namespace, metadata.get("name", "x"), stored=stored)


def policy(spec: Any = None, **more: Any) -> CalicoPolicy:
    found = read("GlobalNetworkPolicy", spec, **more)
    assert isinstance(found, CalicoPolicy)
    return found


def test_a_policy_without_anything() -> None:
    wanted = CalicoPolicy("GlobalNetworkPolicy", "", "x", "default", None, AllOf(), (INGRESS,))
    assert policy() == wanted


def test_a_copy_of_a_network_policy_is_left_out() -> None:
    assert read("CalicoNetworkPolicy", {}, namespace="a", name="knp.default.x") is None


def test_whom_a_policy_selects() -> None:
    spec = {"namespaceSelector": "all()", "serviceAccountSelector": "a == '1'", "selector": "has(b)"}
    account, label = Term("pcsa.a", Compare.EQUAL, ("1",)), Term("b", Compare.HAS)
    assert policy(spec).selector == AllOf((IN_A_NAMESPACE, account, label))
    own = Term("projectcalico.org/namespace", Compare.EQUAL, ("shop",))
    assert read("CalicoNetworkPolicy", {"selector": "has(b)"}, namespace="shop").selector == AllOf((own, label))


@pytest.mark.parametrize(
    ("spec", "directions", "unsure"),
    [
        pytest.param({}, (INGRESS,), (), id="no rules"),
        pytest.param({"egress": [ALLOW]}, (EGRESS,), (), id="egress rules"),
        pytest.param({"egress": [ALLOW], "ingress": None}, (EGRESS,), (), id="egress rules, and null"),
        pytest.param({"egress": [ALLOW], "ingress": []}, (EGRESS,), (INGRESS,), id="egress rules and an empty list"),
        pytest.param({"egress": [ALLOW], "ingress": [ALLOW]}, BOTH, (), id="both"),
        pytest.param({"egress": [], "ingress": [ALLOW]}, (INGRESS,), (), id="ingress rules and an empty list"),
        pytest.param({"types": ["Egress"], "ingress": [ALLOW]}, (EGRESS,), (), id="types"),
        pytest.param({"types": ["Egress", "Ingress"]}, BOTH, (), id="both types"),
    ],
)
def test_directions(spec: Any, directions: Any, unsure: Any) -> None:
    found = policy(spec)
    assert (found.directions, found.unsure) == (directions, unsure)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"version": V1}, id="the stored form"),
        pytest.param({"stored": True}, id="read from a cluster"),
        pytest.param({"uid": "1"}, id="with a uid, so once read from a cluster"),
    ],
)
def test_a_stored_policy_without_types_has_both(more: Any) -> None:
    assert policy({"egress": [ALLOW]}, **more).directions == BOTH
    assert policy({"egress": [ALLOW], "types": ["Egress"]}, **more).directions == (EGRESS,)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param(0, 0.0, id="zero"),
        pytest.param(-1.5, -1.5, id="a negative fraction"),
        pytest.param("10", 10.0, id="text"),
    ],
)
def test_order(order: Any, found: float | None) -> None:
    assert policy({"order": order}, version=V1).order == found


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"version": V1}, id="the stored form"),
        pytest.param({"stored": True}, id="read from a cluster"),
        pytest.param({"uid": "1"}, id="with a uid, so once read from a cluster"),
    ],
)
def test_what_is_stored_is_not_held_to_what_a_file_is(more: Any) -> None:
    spec = {"order": "10", "types": ["ingress", "ingress"], "ingress": [{"action": "deny", "protocol": "tcp"}]}
    found = policy({**spec, "preDNAT": True}, **more)
    assert (found.order, found.directions, found.hosts_only) == (10.0, (INGRESS,), True)
    assert [(rule.action, rule.protocol) for rule in found.rules] == [("Deny", "TCP")]
    assert read("Tier", {"order": "5", "defaultAction": "pass"}, **more) == CalicoTier("x", 5, passes=True)


def test_host_flags() -> None:
    assert not policy({}).forwarded
    forwarded = policy({"applyOnForward": True})
    assert (forwarded.forwarded, forwarded.hosts_only) == (True, False)
    for flag in ("doNotTrack", "preDNAT"):
        found = policy({flag: True, "applyOnForward": True})
        assert (found.forwarded, found.hosts_only) == (True, True)


def test_the_annotation_of_the_stored_form() -> None:
    kept = '{"labels":{"a":"2","b":"3"},"annotations":{},"name":"short"}'
    metadata: dict[str, Any] = {"annotations": {"projectcalico.org/metadata": kept}, "labels": {"a": "1", "c": "4"}}
    assert policy({}, version=V1, name="default.short", **metadata).name == "short"
    found = read("GlobalNetworkSet", {"nets": []}, version=V1, **metadata)
    assert found == NetworkSet("", "x", {"a": "2", "b": "3", "c": "4"}, ())


def test_tiers() -> None:
    assert read("Tier") == CalicoTier("x", 1_000_000, passes=False)
    assert read("Tier", {"order": 5, "defaultAction": "Pass"}) == CalicoTier("x", 5, passes=True)
    assert read("Tier", {"order": 5, "defaultAction": "Deny"}) == CalicoTier("x", 5, passes=False)


def test_sets_and_host_endpoints() -> None:
    found = read("NetworkSet", {"nets": ["10.0.0.0/8", "192.0.2.1"]}, namespace="a", labels={"k": "v"})
    assert found == NetworkSet("a", "x", {"k": "v"}, ("10.0.0.0/8", "192.0.2.1/32"))
    spec = {"node": "n1", "interfaceName": "eth0", "expectedIPs": ["192.0.2.1"]}
    assert read("HostEndpoint", spec) == HostEndpoint("x", "n1", {}, ("192.0.2.1",))
    assert read("HostEndpoint", {}) == HostEndpoint("x", "", {})


def test_staged_kinds() -> None:
    assert read("StagedGlobalNetworkPolicy", {"stagedAction": "Delete"}).staged == "Delete"
    assert read("StagedNetworkPolicy", {}, namespace="a").staged == "Set"
    assert policy({}).staged is None
    found = read("StagedKubernetesNetworkPolicy", {"podSelector": {}, "stagedAction": "Learn"}, namespace="a")
    assert isinstance(found, StagedKubernetes)
    assert (found.action, found.policy.key) == ("Learn", "a/x")


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        pytest.param("GlobalNetworkPolicy", {"podSelector": {}}, 'spec: unknown field "podSelector"', id="a field"),
        pytest.param("GlobalNetworkPolicy", {"stagedAction": "Set"}, 'unknown field "stagedAction"', id="not staged"),
        pytest.param(
            "GlobalNetworkPolicy", {"order": "first"}, 'spec.order: expected a number, got "first"', id="order"
        ),
        pytest.param("GlobalNetworkPolicy", {"order": "10"}, 'spec.order: expected a number, got "10"', id="text"),
        pytest.param("GlobalNetworkPolicy", {"order": True}, "spec.order: expected a number, got true", id="true"),
        pytest.param("GlobalNetworkPolicy", {"order": "nan"}, 'spec.order: expected a number, got "nan"', id="nan"),
        pytest.param(
            "GlobalNetworkPolicy", {"types": ["Both"]}, "spec.types[0]: must be Ingress or Egress", id="types"
        ),
        pytest.param(
            "GlobalNetworkPolicy", {"selector": "a ="}, 'spec.selector: invalid selector "a ="', id="selector"
        ),
        pytest.param("GlobalNetworkPolicy", {"ingress": [{}]}, "spec.ingress[0].action: is missing", id="a rule"),
        pytest.param(
            "StagedGlobalNetworkPolicy", {"stagedAction": "Do"}, "must be one of Set, Delete, Learn", id="staged"
        ),
        pytest.param("Tier", {"order": "5"}, 'spec.order: expected a number, got "5"', id="a tier's order"),
        pytest.param(
            "Tier", {"defaultAction": "pass"}, 'must be one of Deny, Pass, got "pass"', id="a tier's action in small"
        ),
        pytest.param("Tier", {"defaultAction": "Allow"}, "spec.defaultAction: must be Deny or Pass", id="tier"),
        pytest.param("Tier", {"priority": 1}, 'spec: unknown field "priority"', id="a field of a tier"),
        pytest.param("GlobalNetworkSet", {"nets": ["x"]}, 'spec.nets[0]: invalid CIDR "x"', id="a net"),
        pytest.param("GlobalNetworkSet", {"net": []}, 'spec: unknown field "net"', id="a field of a set"),
        pytest.param(
            "HostEndpoint", {"expectedIPs": ["x"]}, "spec.expectedIPs[0]: expected an IP address", id="address"
        ),
    ],
)
def test_what_is_refused(kind: str, spec: Any, message: str) -> None:
    with pytest.raises(BadField) as error:
        read(kind, spec)
    assert message in str(error.value)


@pytest.mark.parametrize("order", ["first", "nan"])
def test_a_stored_order_that_is_no_number_is_refused(order: str) -> None:
    with pytest.raises(BadField, match=f'expected a number, got "{order}"'):
        policy({"order": order}, stored=True)


def test_a_namespaced_policy_has_no_fields_of_a_global_one() -> None:
    with pytest.raises(BadField, match='unknown field "namespaceSelector"'):
        read("CalicoNetworkPolicy", {"namespaceSelector": "all()"}, namespace="a")


@pytest.mark.parametrize("written", ["{", "[" * 100_000])
def test_an_annotation_that_is_no_json_is_refused(written: str) -> None:
    with pytest.raises(BadField, match=r"metadata\.annotations\.projectcalico\.org/metadata: is not JSON"):
        policy({}, annotations={"projectcalico.org/metadata": written})
