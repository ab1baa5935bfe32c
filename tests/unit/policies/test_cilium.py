"""Cilium's policies: which pods they may select, and in which directions."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.policies.cilium import read_cilium
from kubectl_netpol.policies.meta import NO_POD

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BOTH = (INGRESS, EGRESS)
APP = {"matchLabels": {"app": "web"}}


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": APP, "ingressDeny": []},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (INGRESS,), None, parse_selector("app=web")),
            id="a Cilium policy with an empty list of denies",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"k8s:app": "a", "any:v": "1"}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app=a,v=1")),
            id="Cilium's sources of labels are left out",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchExpressions": [{"key": "k8s:app", "operator": "Exists"}]}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app")),
            id="Cilium's sources of labels are left out in expressions",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"reserved:host": ""}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,)),
            id="with another source it may select any pod of its namespace",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"io.kubernetes.pod.namespace": "lab"}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, LabelSelector()),
            id="a namespaced Cilium policy ignores a namespace in its selector",
        ),
        pytest.param(
            "CiliumClusterwideNetworkPolicy",
            {
                "endpointSelector": {
                    "matchLabels": {
                        "app": "web",
                        "k8s:io.kubernetes.pod.namespace": "lab",
                        "io.cilium.k8s.namespace.labels.team": "x",
                    }
                },
                "ingress": [{}],
            },
            UnevaluatedPolicy(
                "CiliumClusterwideNetworkPolicy",
                None,
                "p",
                (INGRESS,),
                parse_selector("kubernetes.io/metadata.name=lab,team=x"),
                parse_selector("app=web"),
            ),
            id="a cluster-wide Cilium policy selects namespaces by name and by label",
        ),
        pytest.param(
            "CiliumClusterwideNetworkPolicy",
            {"nodeSelector": {}, "ingress": [{}]},
            UnevaluatedPolicy("CiliumClusterwideNetworkPolicy", None, "p", (INGRESS,), None, NO_POD, nodes=True),
            id="a cluster-wide Cilium policy with a nodeSelector selects nodes and no pod",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", BOTH),
            id="a Cilium policy without endpointSelector may select any pod of its namespace",
        ),
    ],
)
def test_what_a_policy_may_select_and_in_which_directions(
    kind: str, spec: dict[str, Any], found: UnevaluatedPolicy
) -> None:
    assert read_cilium(kind, {"spec": spec}, "p", found.namespace) == found


def test_several_specs_of_a_cilium_policy_may_select_anything_in_its_scope() -> None:
    item = {"specs": [{"endpointSelector": APP}]}
    namespaced = read_cilium("CiliumNetworkPolicy", item, "p", "shop")
    assert namespaced == UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", BOTH)
    wide = read_cilium("CiliumClusterwideNetworkPolicy", item, "p", None)
    assert wide == UnevaluatedPolicy("CiliumClusterwideNetworkPolicy", None, "p", BOTH, nodes=True)
