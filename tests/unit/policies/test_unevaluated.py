"""Policies whose rules are not evaluated: which pods they may select, and in which directions."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.kinds import KINDS, UNEVALUATED
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.policies.unevaluated import read_unevaluated, unread_policy, unread_tiered

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BOTH = (INGRESS, EGRESS)
APP = {"matchLabels": {"app": "web"}}
WEB = parse_selector("app=web")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param(
            {"podSelector": APP, "egress": []},
            UnevaluatedPolicy("FQDNNetworkPolicy", "shop", "p", (EGRESS,), None, WEB),
            id="GKE's isolates for egress, with or without rules",
        ),
        pytest.param(
            {"podSelector": {"matchLabels": {"a b": "c"}}},
            UnevaluatedPolicy("FQDNNetworkPolicy", "shop", "p", (EGRESS,)),
            id="a selector that can't be read may select anything",
        ),
        pytest.param(
            {"egress": [{"type": "Deny"}]},
            UnevaluatedPolicy("EgressFirewall", "shop", "p", (EGRESS,)),
            id="OVN-Kubernetes: all pods of the namespace",
        ),
        pytest.param(
            {"egress": [{"type": "Deny"}]},
            UnevaluatedPolicy("EgressNetworkPolicy", "shop", "p", (EGRESS,)),
            id="OpenShift: all pods of the namespace",
        ),
        pytest.param(
            {"podSelector": APP},
            UnevaluatedPolicy("ApplicationNetworkPolicy", "shop", "p", (INGRESS,), None, WEB),
            id="Amazon's without policyTypes is for ingress",
        ),
        pytest.param(
            {"podSelector": APP, "egress": [{}]},
            UnevaluatedPolicy("ApplicationNetworkPolicy", "shop", "p", BOTH, None, WEB),
            id="and for egress if it has such rules",
        ),
        pytest.param(
            {"podSelector": APP, "egress": [{}], "policyTypes": ["Egress"]},
            UnevaluatedPolicy("ApplicationNetworkPolicy", "shop", "p", (EGRESS,), None, WEB),
            id="Amazon's with policyTypes",
        ),
        pytest.param(
            {"podSelector": APP, "policyTypes": ["ingress"]},
            UnevaluatedPolicy("ApplicationNetworkPolicy", "shop", "p", (INGRESS,), None, WEB),
            id="Amazon's with policyTypes in lower case",
        ),
        pytest.param(
            {"podSelector": APP, "policyTypes": [None]},
            UnevaluatedPolicy("ApplicationNetworkPolicy", "shop", "p", BOTH, None, WEB),
            id="Amazon's with a direction that is not known",
        ),
        pytest.param(
            {"ingressRules": []},
            UnevaluatedPolicy("SecurityGroup", None, "p", BOTH),
            id="Kube-OVN: any pod may name a SecurityGroup",
        ),
        pytest.param(
            {"private": True, "namespaces": ["lab"]},
            UnevaluatedPolicy("Subnet", None, "p", BOTH),
            id="Kube-OVN: any pod may name a private Subnet",
        ),
        pytest.param(
            {"acls": [{"action": "drop"}]}, UnevaluatedPolicy("Subnet", None, "p", BOTH), id="a Subnet with acls"
        ),
    ],
)
def test_what_a_policy_may_select_and_in_which_directions(spec: dict[str, Any], found: UnevaluatedPolicy) -> None:
    namespace = "shop" if KINDS[found.kind].namespaced else ""
    assert read_unevaluated(found.kind, {"spec": spec}, "p", namespace) == found


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        pytest.param("EgressFirewall", {"egress": []}, id="an EgressFirewall without rules"),
        pytest.param("EgressNetworkPolicy", {}, id="an EgressNetworkPolicy without rules"),
        pytest.param("Subnet", {"private": False, "acls": []}, id="a Subnet that is open"),
    ],
)
def test_an_object_that_decides_nothing_is_left_out(kind: str, spec: dict[str, Any]) -> None:
    assert read_unevaluated(kind, {"spec": spec}, "p", "shop") is None


@pytest.mark.parametrize("kind", UNEVALUATED)
def test_a_spec_that_is_not_an_object_is_an_error(kind: str) -> None:
    with pytest.raises(BadField) as caught:
        read_unevaluated(kind, {"spec": []}, "p", "shop")
    assert str(caught.value) == "spec: expected an object, got a list"


@pytest.mark.parametrize(("given", "namespace"), [("shop", "shop"), ("", None)])
def test_of_a_kind_that_is_not_known_anything_is_possible(given: str, namespace: str | None) -> None:
    found = UnevaluatedPolicy("TeamNetworkPolicy.example.com", namespace, "p", BOTH, nodes=True)
    assert read_unevaluated("TeamNetworkPolicy.example.com", {"spec": 3}, "p", given) == found
    assert unread_policy("TeamNetworkPolicy.example.com", "p", given) == found


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        pytest.param(
            "AdminNetworkPolicy",
            {"subject": {"namespaces": APP}, "ingress": [{}]},
            UnevaluatedPolicy("AdminNetworkPolicy", None, "p", (INGRESS,), WEB, because="why"),
            id="one of namespaces, with ingress rules",
        ),
        pytest.param(
            "AdminNetworkPolicy",
            {"subject": {"pods": {"namespaceSelector": {}, "podSelector": APP}}, "egress": [{}], "ingress": []},
            UnevaluatedPolicy("AdminNetworkPolicy", None, "p", (EGRESS,), LabelSelector(), WEB, because="why"),
            id="one of pods, with egress rules",
        ),
        pytest.param(
            "BaselineAdminNetworkPolicy",
            {"subject": {"namespaces": {}}, "ingress": [{}], "egress": [{}]},
            UnevaluatedPolicy(
                "BaselineAdminNetworkPolicy", None, "p", BOTH, LabelSelector(), after=True, because="why"
            ),
            id="a BaselineAdminNetworkPolicy applies after NetworkPolicies",
        ),
        pytest.param(
            "ClusterNetworkPolicy",
            {"tier": "Baseline", "subject": {"namespaces": {}}, "ingress": [{}]},
            UnevaluatedPolicy(
                "ClusterNetworkPolicy", None, "p", (INGRESS,), LabelSelector(), after=True, because="why"
            ),
            id="a ClusterNetworkPolicy of the Baseline tier does too",
        ),
        pytest.param(
            "ClusterNetworkPolicy",
            {"tier": "Admin", "subject": {"namespaces": {}}},
            UnevaluatedPolicy("ClusterNetworkPolicy", None, "p", BOTH, LabelSelector(), because="why"),
            id="one without rules that can be read may have any",
        ),
        *(
            pytest.param(
                "AdminNetworkPolicy",
                {"subject": subject, "ingress": [{}]},
                UnevaluatedPolicy("AdminNetworkPolicy", None, "p", (INGRESS,), because="why"),
                id=name,
            )
            for name, subject in {
                "an invalid label key": {"namespaces": {"matchLabels": {"a b": "c"}}},
                "a list of labels": {"namespaces": {"matchLabels": []}},
                "an unknown operator, and a number": {
                    "pods": {"namespaceSelector": {"matchExpressions": [{"key": "a"}]}, "podSelector": 3}
                },
                "neither namespaces nor pods": {},
                "a list": [],
                "null": None,
            }.items()
        ),
        pytest.param(
            "AdminNetworkPolicy",
            [],
            UnevaluatedPolicy("AdminNetworkPolicy", None, "p", BOTH, because="why"),
            id="a spec that is not an object",
        ),
    ],
)
def test_a_policy_of_a_tier_that_could_not_be_read(kind: str, spec: Any, found: UnevaluatedPolicy) -> None:
    assert unread_tiered(kind, {"spec": spec}, "p", "why") == found
