"""The table of kinds: the names that kubectl takes, the objects of each kind, and the paths of the API."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.kinds import KINDS, TYPED, UNEVALUATED, WORKLOADS, kind_of, kind_typed


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("po", "Pod"),
        ("pods", "Pod"),
        ("Pod", "Pod"),
        ("svc", "Service"),
        ("deploy", "Deployment"),
        ("deployments.apps", "Deployment"),
        ("Deployment.v1.apps", "Deployment"),
        ("sts", "StatefulSet"),
        ("cj", "CronJob"),
        ("no", "Node"),
        ("netpol", "NetworkPolicy"),
        ("shop", None),
        ("", None),
    ],
)
def test_a_kind_is_typed_before_a_slash_as_in_kubectl(typed: str, name: str | None) -> None:
    kind = kind_typed(typed)
    assert (kind and kind.name) == name


@pytest.mark.parametrize(
    ("kind", "version", "name"),
    [
        ("NetworkPolicy", "networking.k8s.io/v1", "NetworkPolicy"),
        ("NetworkPolicy", "networking.k8s.io/v1beta1", None),
        ("NetworkPolicy", "projectcalico.org/v3", "CalicoNetworkPolicy"),
        ("NetworkPolicy", "crd.projectcalico.org/v1", "CalicoNetworkPolicy"),
        ("GlobalNetworkPolicy", "projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        ("ClusterNetworkPolicy", "crd.antrea.io/v1beta1", None),
        ("CiliumNetworkPolicy", "cilium.io/v2", "CiliumNetworkPolicy"),
        ("CiliumNetworkPolicy", "v2", None),
        ("CalicoNetworkPolicy", "projectcalico.org/v3", None),
        ("Pod", "v1", "Pod"),
        ("Deployment", "apps/v1", "Deployment"),
        ("Deployment", "extensions/v1beta1", None),
        ("Widget", "example.com/v1", None),
    ],
)
def test_the_kind_of_an_object(kind: str, version: str, name: str | None) -> None:
    found = kind_of(kind, version)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("name", "namespace", "path"),
    [
        ("Pod", "shop", "/api/v1/namespaces/shop/pods"),
        ("Pod", None, "/api/v1/pods"),
        ("Node", None, "/api/v1/nodes"),
        ("Deployment", "shop", "/apis/apps/v1/namespaces/shop/deployments"),
        ("NetworkPolicy", None, "/apis/networking.k8s.io/v1/networkpolicies"),
        ("EndpointSlice", "shop", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"),
    ],
)
def test_the_path_of_a_list(name: str, namespace: str | None, path: str) -> None:
    assert KINDS[name].path(namespace) == path


def test_a_kind_of_two_groups_is_listed_in_the_group_that_is_served() -> None:
    kind = KINDS["CalicoNetworkPolicy"]
    path = kind.path("shop", group="crd.projectcalico.org", version="v1")
    assert path == "/apis/crd.projectcalico.org/v1/namespaces/shop/networkpolicies"


def test_the_api_version_of_an_object_of_a_kind() -> None:
    assert [KINDS[name].api_version for name in ("Pod", "Deployment", "Job")] == ["v1", "apps/v1", "batch/v1"]


def test_no_alias_is_of_two_kinds_and_every_kind_that_can_be_typed_has_a_short_one() -> None:
    aliases = [alias for kind in KINDS.values() for alias in kind.aliases]
    assert len(aliases) == len(set(aliases))
    assert [KINDS[name].short for name in TYPED] == [
        "pod", "svc", "deploy", "sts", "ds", "rs", "rc", "job", "cj", "no",
    ]  # fmt: skip
    assert KINDS["EndpointSlice"].short == "endpointslice"


def test_every_listed_kind_is_in_the_table() -> None:
    assert {*TYPED, *WORKLOADS, *UNEVALUATED} <= KINDS.keys()
