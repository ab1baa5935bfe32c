"""The table of kinds: the names that kubectl takes, the objects of each kind, and the paths of the API."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.kinds import (
    KINDS,
    POLICY_GROUPS,
    TYPED,
    UNEVALUATED,
    WORKLOADS,
    is_built_in,
    kind_of,
    kind_typed,
    meant_kind,
    object_title,
    policy_kind,
    right_version,
)


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
        ("services.v1.", "Service"),
        ("services.serving.knative.dev", None),
        ("pods.metrics.k8s.io", None),
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
        ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy"),
        ("ClusterNetworkPolicy", "networking.k8s.aws/v1alpha1", "AmazonClusterNetworkPolicy"),
        ("ClusterNetworkPolicy", "crd.antrea.io/v1beta1", "AntreaClusterNetworkPolicy"),
        ("NetworkPolicy", "crd.antrea.io/v1alpha1", "AntreaNetworkPolicy"),
        ("AuthorizationPolicy", "security.istio.io/v1", "IstioAuthorizationPolicy"),
        ("AuthorizationPolicy", "policy.linkerd.io/v1alpha1", "LinkerdAuthorizationPolicy"),
        ("Server", "example.com/v1", None),
        ("CiliumNetworkPolicy", "cilium.io/v2", "CiliumNetworkPolicy"),
        ("CiliumNetworkPolicy", "v2", None),
        ("CiliumNetworkPolicy", "cilium.io/v1", None),
        ("GlobalNetworkPolicy", "projectcalico.org/v1", None),
        ("Tier", "crd.projectcalico.org/v3", None),
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
    ("kind", "version", "right"),
    [
        pytest.param("Deployment", "extensions/v1beta1", "apps/v1", id="a former group"),
        pytest.param("CiliumNetworkPolicy", "cilium.io/v1", "cilium.io/v2", id="Cilium's has one version"),
        pytest.param("Tier", "projectcalico.org/v1", "projectcalico.org/v3", id="Calico's has one version"),
        pytest.param("Tier", "crd.projectcalico.org/v3", "crd.projectcalico.org/v1", id="and one where it is stored"),
        pytest.param("CiliumCIDRGroup", "cilium.io/v2alpha1", None, id="a kind that is not read"),
        pytest.param("Subnet", "kubeovn.io/v9", None, id="a kind that is read in any version"),
        pytest.param("Pod", "example.com/v1", None, id="a group that may have a kind of the same name"),
    ],
)
def test_the_version_that_has_a_kind(kind: str, version: str, right: str | None) -> None:
    assert right_version(kind, version) == right


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


@pytest.mark.parametrize(
    ("kind", "group", "name"),
    [
        ("ClusterNetworkPolicy", "policy.networking.k8s.io", "ClusterNetworkPolicy"),
        ("ClusterNetworkPolicy", "networking.k8s.aws", "AmazonClusterNetworkPolicy"),
        ("NetworkPolicy", "projectcalico.org", "CalicoNetworkPolicy"),
        ("NetworkPolicy", "crd.projectcalico.org", "CalicoNetworkPolicy"),
        ("Subnet", "kubeovn.io", "Subnet"),
        ("Subnet", "example.com", None),
        ("NetworkPolicy", "example.com", "NetworkPolicy.example.com"),
        ("TeamNetworkPolicy", "example.com", "TeamNetworkPolicy.example.com"),
        ("CiliumNetworkPolicy", "isovalent.com", "CiliumNetworkPolicy.isovalent.com"),
        ("TeamNetworkPolicy", "policy.networking.k8s.io", "TeamNetworkPolicy.policy.networking.k8s.io"),
        ("NetworkPolicy", "networking.k8s.io", None),
        ("NetworkPolicy", "controlplane.antrea.io", None),
        ("StagedNetworkPolicy", "projectcalico.org", None),
        ("StagedKubernetesNetworkPolicy", "crd.projectcalico.org", None),
        ("StagedNetworkPolicy", "example.com", "StagedNetworkPolicy.example.com"),
        ("NetworkPolicyStats", "stats.antrea.io", None),
        ("PolicyEndpoint", "networking.k8s.aws", None),
    ],
)
def test_a_kind_of_policy_is_known_or_ends_in_network_policy(kind: str, group: str, name: str | None) -> None:
    assert policy_kind(kind, group) == name


@pytest.mark.parametrize(
    ("kind", "group", "meant"),
    [
        ("Networkpolicy", "networking.k8s.io", "NetworkPolicy"),
        ("NetworkPolcy", "networking.k8s.io", "NetworkPolicy"),
        ("networkpolicy", "networking.k8s.io", "NetworkPolicy"),
        ("NETWORKPOLICY", "networking.k8s.io", "NetworkPolicy"),
        ("NetworkPolicies", "networking.k8s.io", "NetworkPolicy"),
        ("Network-Policy", "networking.k8s.io", "NetworkPolicy"),
        ("NetworkPollicy", "extensions", "NetworkPolicy"),
        ("ClusterNetworkPolcy", "policy.networking.k8s.io", "ClusterNetworkPolicy"),
        ("AdminNetworkpolicy", "policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("BaselineAdminNetwrkPolicy", "policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
        ("ClusterNetworkPolicy", "networking.k8s.io", "ClusterNetworkPolicy"),
        ("CiliumNetworkPolicy", "", "CiliumNetworkPolicy"),
        ("CiliumNetworkPolcy", "cilium.io", "CiliumNetworkPolicy"),
        ("NetworkPolcy", "crd.antrea.io", "AntreaNetworkPolicy"),
        ("clusternetworkpolicy", "networking.k8s.aws", "AmazonClusterNetworkPolicy"),
        ("Authorizationpolicy", "security.istio.io", "IstioAuthorizationPolicy"),
        ("NetworkPolcy", "example.com", None),
        ("NetworkPolicy", "crd.antrea.io", None),
        # Other kinds of these groups.
        *((kind, "networking.k8s.io", None) for kind in ("Ingress", "IngressClass", "IPAddress", "ServiceCIDR")),
        *((kind, "admissionregistration.k8s.io", None) for kind in ("ValidatingAdmissionPolicy",)),
        ("PodSecurityPolicy", "policy", None),
        ("Policy", "audit.k8s.io", None),
        ("BackendTLSPolicy", "gateway.networking.k8s.io", None),
        ("TeamNetworkPolicy", "policy.networking.k8s.io", None),
        ("TenantNetworkPolicy", "policy.networking.k8s.io", None),
        ("ClusterwideNetworkPolicy", "policy.networking.k8s.io", None),
        *(
            (kind, "cilium.io", None)
            for kind in ("CiliumEgressGatewayPolicy", "CiliumLocalRedirectPolicy", "CiliumBGPPeeringPolicy",
                         "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumNodeConfig", "CiliumEndpoint")
        ),
        *(
            (kind, "projectcalico.org", None)
            for kind in ("StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "GlobalNetworkSet", "NetworkSet", "Tier")
        ),
        *((kind, "kubeovn.io", None) for kind in ("Vpc", "IP", "IPPool", "Vlan", "SwitchLBRule", "QoSPolicy")),
        *((kind, "policy.linkerd.io", None) for kind in ("ServerAuthorization", "MeshTLSAuthentication", "HTTPRoute")),
        *((kind, "k8s.ovn.org", None) for kind in ("EgressIP", "EgressQoS", "EgressService", "NetworkQoS")),
        *((kind, "networking.k8s.aws", None) for kind in ("PolicyEndpoint", "ClusterPolicyEndpoint")),
        *((kind, "crd.antrea.io", None) for kind in ("Tier", "ClusterGroup", "Egress", "TrafficControl")),
    ],
)  # fmt: skip
def test_what_a_misspelt_kind_means(kind: str, group: str, meant: str | None) -> None:
    found = meant_kind(kind, group)
    assert (found and found.name) == meant


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "title"),
    [
        ("CiliumNetworkPolicy", "shop", "web", "shop/ciliumnetworkpolicy.cilium.io/web"),
        ("AdminNetworkPolicy", "", "A.b", "adminnetworkpolicy.policy.networking.k8s.io/A.b"),
        ("AmazonClusterNetworkPolicy", "", "a", "clusternetworkpolicy.networking.k8s.aws/a"),
        ("AntreaClusterNetworkPolicy", "", "a", "clusternetworkpolicy.crd.antrea.io/a"),
        ("CalicoNetworkPolicy", "shop", "a", "shop/networkpolicy.projectcalico.org/a"),
        ("TeamNetworkPolicy.example.com", "shop", "a", "shop/teamnetworkpolicy.example.com/a"),
    ],
)
def test_an_object_is_named_with_kind_and_group(kind: str, namespace: str, name: str, title: str) -> None:
    assert object_title(kind, namespace, name) == title


def test_the_groups_of_kubernetes_own_and_those_of_policies() -> None:
    assert [is_built_in(group) for group in ("", "apps", "networking.k8s.io", "cilium.io", "x-k8s.io")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert {"policy.networking.k8s.io", "crd.projectcalico.org", "kubeovn.io"} < POLICY_GROUPS
    assert "networking.k8s.io" not in POLICY_GROUPS
