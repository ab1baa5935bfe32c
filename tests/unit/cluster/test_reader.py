"""Which lists a question reads, and what becomes of those that RBAC forbids."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.cluster.reader import read_snapshot
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.fields import BadField
from kubectl_netpol.model.objects import Namespace, Pod
from kubectl_netpol.model.snapshot import Gap, Scope
from tests.support.api import FakeApi, forbidden, group, groups, resource

SHOP, BOTH = frozenset({"shop"}), frozenset({"db", "shop"})
EVERYWHERE = frozenset({"pods", "networkpolicies"})
NAMESPACES = "/api/v1/namespaces"
PODS, POLICIES = "/api/v1/pods", "/apis/networking.k8s.io/v1/networkpolicies"


def pods_in(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/pods"


def services_in(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/services"


def policies_in(namespace: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"


def slices_in(namespace: str) -> str:
    return f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"


def item(name: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    """An object as it is in a list: without kind and apiVersion."""
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **fields}


@pytest.mark.parametrize(
    ("scope", "paths"),
    [
        pytest.param(
            Scope(SHOP),
            {pods_in("shop"), services_in("shop"), policies_in("shop"), slices_in("shop"), NAMESPACES},
            id="one namespace",
        ),
        pytest.param(
            Scope(BOTH),
            {read(name) for read in (pods_in, services_in, policies_in, slices_in) for name in BOTH} | {NAMESPACES},
            id="two namespaces: each list once per namespace",
        ),
        pytest.param(
            Scope(SHOP, endpoints=False),
            {pods_in("shop"), services_in("shop"), policies_in("shop"), NAMESPACES},
            id="without EndpointSlices",
        ),
        pytest.param(
            Scope(SHOP, EVERYWHERE),
            {PODS, services_in("shop"), POLICIES, slices_in("shop"), NAMESPACES},
            id="pods and policies of the whole cluster",
        ),
        pytest.param(
            Scope(SHOP, frozenset({"pods", "services", "networkpolicies", "endpointslices"}), nodes=True),
            {
                PODS,
                "/api/v1/services",
                POLICIES,
                "/apis/discovery.k8s.io/v1/endpointslices",
                NAMESPACES,
                "/api/v1/nodes",
            },
            id="everything of the whole cluster, and nodes",
        ),
        pytest.param(
            Scope(SHOP, services_in=frozenset({"kube-system"})),
            {
                pods_in("shop"),
                pods_in("kube-system"),
                services_in("shop"),
                services_in("kube-system"),
                policies_in("shop"),
                slices_in("shop"),
                NAMESPACES,
            },
            id="Services of one more namespace, and the pods behind them",
        ),
        pytest.param(
            Scope(SHOP, workloads=True, endpoints=False),
            {
                pods_in("shop"),
                services_in("shop"),
                policies_in("shop"),
                NAMESPACES,
                "/apis/apps/v1/namespaces/shop/deployments",
                "/apis/apps/v1/namespaces/shop/statefulsets",
                "/apis/apps/v1/namespaces/shop/daemonsets",
                "/apis/apps/v1/namespaces/shop/replicasets",
                "/api/v1/namespaces/shop/replicationcontrollers",
                "/apis/batch/v1/namespaces/shop/jobs",
                "/apis/batch/v1/namespaces/shop/cronjobs",
            },
            id="workloads",
        ),
        pytest.param(Scope(frozenset()), {NAMESPACES}, id="no namespace"),
    ],
)
def test_the_lists_that_a_scope_reads(scope: Scope, paths: set[str]) -> None:
    fake = FakeApi()
    snapshot = read_snapshot(fake.api, scope)
    assert sorted(fake.asked) == sorted({"/apis", *paths}), "each exactly once"
    assert snapshot.gaps == ()


def test_what_is_listed_is_in_the_snapshot() -> None:
    fake = FakeApi(
        {
            pods_in("shop"): [item("web", "shop", spec={"containers": []}, status={"phase": "Running"})],
            services_in("shop"): [item("web", "shop", spec={"ports": [{"port": 80}]})],
            policies_in("shop"): [item("deny", "shop", spec={"podSelector": {}})],
            slices_in("shop"): [
                {
                    "metadata": {
                        "name": "web-1",
                        "namespace": "shop",
                        "labels": {"kubernetes.io/service-name": "web"},
                    },
                    "endpoints": [{"addresses": ["10.0.0.1"]}],
                    "ports": [{"port": 80}],
                }
            ],
            NAMESPACES: [item("shop"), item("other")],
            "/api/v1/nodes": [item("one", status={"addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]})],
            "/apis/apps/v1/namespaces/shop/deployments": [item("web", "shop", spec={"template": {}})],
        }
    )
    snapshot = read_snapshot(fake.api, Scope(SHOP, nodes=True, workloads=True))
    assert [pod.key for pod in snapshot.pods] == ["shop/web"], "a workload of a cluster adds no pod of its template"
    assert [service.key for service in snapshot.services] == ["shop/web"]
    assert [policy.key for policy in snapshot.policies] == ["shop/deny"]
    assert [found.service for found in snapshot.endpoint_slices] == ["web"]
    assert list(snapshot.namespaces) == ["shop", "other"]
    assert [node.name for node in snapshot.nodes] == ["one"]
    assert [workload.name for workload in snapshot.workloads] == ["web"]


def test_a_kind_that_the_server_does_not_have_is_no_gap() -> None:
    missing = NotFoundError("the server could not find the requested resource")
    snapshot = read_snapshot(FakeApi({slices_in("shop"): missing}).api, Scope(SHOP))
    assert snapshot.gaps == ()


@pytest.mark.parametrize("path", [policies_in("shop"), services_in("shop"), pods_in("shop"), NAMESPACES])
def test_a_list_that_every_server_has_is_not_missing(path: str) -> None:
    """No NetworkPolicies and no answer about them are not the same."""
    with pytest.raises(NotFoundError, match="not here"):
        read_snapshot(FakeApi({path: NotFoundError("not here")}).api, Scope(SHOP))


def odd_policy(namespace: str) -> dict[str, Any]:
    rule = {"from": [{"ipBlock": {"cidr": "010.0.0.0/8"}}]}
    return item("odd", namespace, spec={"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [rule]})


def test_of_a_policy_with_a_peer_that_can_not_be_read_the_rest_counts() -> None:
    fake = FakeApi({policies_in("shop"): [odd_policy("shop"), item("deny", "shop", spec={"podSelector": {}})]})
    snapshot = read_snapshot(fake.api, Scope(SHOP))
    assert [policy.key for policy in snapshot.policies] == ["shop/odd", "shop/deny"]
    (peer,) = snapshot.policies[0].rules[0].peers
    assert "010.0.0.0/8" in (peer.unreadable or "")
    assert snapshot.unevaluated == ()


def test_a_policy_that_can_not_be_read_may_decide_and_nothing_else_stops() -> None:
    worse = odd_policy("shop")
    worse["spec"]["policyTypes"] = ["Sideways"]
    fake = FakeApi({policies_in("shop"): [worse, item("deny", "shop", spec={"podSelector": {}})]})
    snapshot = read_snapshot(fake.api, Scope(SHOP))
    assert [policy.key for policy in snapshot.policies] == ["shop/deny"]
    (odd,) = snapshot.unevaluated
    assert odd.title == "shop/networkpolicy.networking.k8s.io/odd"
    assert odd.because
    web, other = (Pod("shop", name, {"app": name}) for name in ("web", "other"))
    elsewhere = Pod("elsewhere", "web", {"app": "web"})
    assert [odd.may_select(pod, Namespace(pod.namespace, {})) for pod in (web, other, elsewhere)] == [
        True,
        False,
        False,
    ]


def test_an_object_without_its_namespace_is_of_the_lists() -> None:
    policies = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
    snapshot = read_snapshot(FakeApi({policies: [{"metadata": {"name": "deny"}, "spec": {}}]}).api, Scope(SHOP))
    assert [policy.key for policy in snapshot.policies] == ["shop/deny"]
    everywhere = FakeApi({PODS: [{"metadata": {"name": "web"}}]})
    with pytest.raises(BadField, match=r"metadata\.namespace: is missing"):  # as a ClusterError of the list's path
        read_snapshot(everywhere.api, Scope(SHOP, EVERYWHERE))


@pytest.mark.parametrize(
    ("path", "odd", "gap"),
    [
        pytest.param(
            services_in("shop"),
            item("web", "shop", spec={"clusterIP": "x"}),
            Gap(
                "services",
                "shop",
                'shop/svc/web can\'t be read: spec.clusterIPs: expected an IP address, got "x"',
                name="web",
                labels={},
            ),
            id="a Service",
        ),
        pytest.param(
            pods_in("shop"),
            item("web", "shop", status={"podIPs": 3}),
            Gap(
                "pods",
                "shop",
                "shop/pod/web can't be read: status.podIPs: expected a list, got 3",
                name="web",
                labels={},
            ),
            id="a pod",
        ),
        pytest.param(
            NAMESPACES,
            {"metadata": {"name": "shop", "labels": 3}},
            Gap(
                "namespaces",
                "shop",
                "namespace/shop can't be read: metadata.labels: expected an object, got 3",
                name="shop",
            ),
            id="a namespace",
        ),
    ],
)
def test_another_object_that_can_not_be_read_is_a_gap_of_its_name(path: str, odd: Any, gap: Gap) -> None:
    assert read_snapshot(FakeApi({path: [odd]}).api, Scope(SHOP)).gaps == (gap,)


@pytest.mark.parametrize(
    ("paths", "scope", "gaps", "again"),
    [
        pytest.param(
            [services_in("shop")],
            Scope(SHOP),
            [Gap("services", "shop", "you may not list services in namespace shop")],
            [],
            id="in one namespace",
        ),
        pytest.param(
            ["/api/v1/nodes"],
            Scope(SHOP, nodes=True),
            [Gap("nodes", None, "you may not list nodes in the whole cluster")],
            [],
            id="nodes, which are in no namespace",
        ),
        pytest.param(
            [PODS],
            Scope(BOTH, EVERYWHERE),
            [Gap("pods", None, "you may not list pods in the whole cluster", BOTH)],
            [pods_in("db"), pods_in("shop")],
            id="in the whole cluster: the scope's namespaces are listed instead",
        ),
        pytest.param(
            [PODS, pods_in("db")],
            Scope(BOTH, EVERYWHERE),
            [
                Gap("pods", None, "you may not list pods in the whole cluster", BOTH),
                Gap("pods", "db", "you may not list pods in namespace db"),
            ],
            [pods_in("db"), pods_in("shop")],
            id="in the whole cluster and in one of the scope's namespaces",
        ),
    ],
)
def test_a_forbidden_list_is_a_gap(paths: list[str], scope: Scope, gaps: list[Gap], again: list[str]) -> None:
    fake = FakeApi({path: forbidden(path) for path in paths})
    snapshot = read_snapshot(fake.api, scope)
    assert list(snapshot.gaps) == gaps
    assert fake.asked[len(fake.asked) - len(again) :] == again


def test_the_pods_of_the_fallback_are_read_and_the_gap_hides_the_others() -> None:
    fake = FakeApi({PODS: forbidden(PODS), pods_in("shop"): [item("web", "shop")]})
    snapshot = read_snapshot(fake.api, Scope(SHOP, EVERYWHERE))
    assert [pod.key for pod in snapshot.pods] == ["shop/web"]
    assert snapshot.gap("pods", "shop") is None
    assert snapshot.gap("pods", "db") is not None
    assert snapshot.gap("pods", None) is not None


def test_where_namespaces_may_not_be_listed_they_are_read_one_by_one() -> None:
    fake = FakeApi(
        {
            NAMESPACES: forbidden(NAMESPACES),
            f"{NAMESPACES}/shop": {"metadata": {"name": "shop", "labels": {"team": "a"}}},
            f"{NAMESPACES}/db": ForbiddenError("no", verb="get", resource="namespaces", namespace="db"),
        }
    )
    snapshot = read_snapshot(fake.api, Scope(frozenset({"shop", "db", "gone"})))
    assert fake.asked[-3:] == [f"{NAMESPACES}/db", f"{NAMESPACES}/gone", f"{NAMESPACES}/shop"]
    assert snapshot.gaps == (
        Gap("namespaces", None, "you may not list namespaces in the whole cluster", frozenset({"shop"})),
    )
    assert (snapshot.namespace("shop").labels["team"], snapshot.namespace("shop").complete) == ("a", True)
    assert not snapshot.namespace("db").complete


# Kinds of policy beside NetworkPolicy.

CILIUM = item("c", "shop", spec={"endpointSelector": {}, "ingress": [{}]})
CILIUM_IN_SHOP = "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies"
CILIUM_IN_DB = "/apis/cilium.io/v2/namespaces/db/ciliumnetworkpolicies"
CILIUM_EVERYWHERE = "/apis/cilium.io/v2/ciliumnetworkpolicies"
CILIUM_CLUSTERWIDE = "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies"
DAEMONSETS = "/apis/apps/v1/daemonsets"
UPSTREAM = "/apis/policy.networking.k8s.io"
ISTIO = "/apis/security.istio.io/v1"
EXAMPLE = "/apis/example.com/v1"


def unknown_kinds(*found: Any) -> dict[str, Any]:
    return {"kind": "APIGroupDiscoveryList", "items": [group("example.com", v1=list(found))]}


TEAM = unknown_kinds(resource("TeamNetworkPolicy", "teams"))


@pytest.mark.parametrize(
    ("answer", "scope", "paths"),
    [
        pytest.param(groups(apps="v1", networking_k8s_io="v1"), Scope(SHOP), [], id="no such group"),
        pytest.param(
            groups(cilium_io="v2"),
            Scope(SHOP),
            [DAEMONSETS, CILIUM_IN_SHOP, CILIUM_CLUSTERWIDE],
            id="Cilium, in one namespace, and whether it runs",
        ),
        pytest.param(
            groups(cilium_io="v2"),
            Scope(SHOP, EVERYWHERE),
            [DAEMONSETS, CILIUM_EVERYWHERE, CILIUM_CLUSTERWIDE],
            id="Cilium, in the whole cluster as NetworkPolicy",
        ),
        pytest.param(
            groups(policy_networking_k8s_io="v1alpha1"),
            Scope(BOTH),
            [
                f"{UPSTREAM}/v1alpha1/clusternetworkpolicies",
                f"{UPSTREAM}/v1alpha1/adminnetworkpolicies",
                f"{UPSTREAM}/v1alpha1/baselineadminnetworkpolicies",
                "/api/v1/nodes",
            ],
            id="the tiers, and nodes, which their rules may be about",
        ),
        pytest.param(
            groups(policy_networking_k8s_io="v1beta1 v1alpha1"),
            Scope(SHOP, nodes=True),
            [
                f"{UPSTREAM}/v1beta1/clusternetworkpolicies",
                f"{UPSTREAM}/v1alpha1/adminnetworkpolicies",
                f"{UPSTREAM}/v1alpha1/baselineadminnetworkpolicies",
            ],
            id="each kind in its version, and nodes only once",
        ),
        pytest.param(
            groups(crd_projectcalico_org="v1"),
            Scope(SHOP),
            [
                DAEMONSETS,
                "/apis/crd.projectcalico.org/v1/namespaces/shop/networkpolicies",
                "/apis/crd.projectcalico.org/v1/globalnetworkpolicies",
            ],
            id="Calico without its API server",
        ),
        pytest.param(
            groups(crd_projectcalico_org="v1", projectcalico_org="v3"),
            Scope(SHOP),
            [
                DAEMONSETS,
                "/apis/projectcalico.org/v3/namespaces/shop/networkpolicies",
                "/apis/projectcalico.org/v3/globalnetworkpolicies",
            ],
            id="Calico in two groups: the same objects are listed once",
        ),
        pytest.param(
            groups(security_istio_io="v1"),
            Scope(SHOP),
            [
                f"{ISTIO}/namespaces/shop/authorizationpolicies",
                f"{ISTIO}/namespaces/istio-system/authorizationpolicies",
            ],
            id="Istio, whose root namespace is for all",
        ),
        pytest.param(
            unknown_kinds(
                resource("TeamNetworkPolicy", "teams"), resource("AllNetworkPolicy", "all", namespaced=False)
            ),
            Scope(SHOP),
            [f"{EXAMPLE}/namespaces/shop/teams", f"{EXAMPLE}/all"],
            id="kinds that are not known",
        ),
    ],
)
def test_kinds_of_policy_are_listed_where_the_server_has_them(answer: Any, scope: Scope, paths: list[str]) -> None:
    fake = FakeApi({"/apis": answer})
    read_snapshot(fake.api, scope)
    plain = FakeApi()
    read_snapshot(plain.api, scope)
    assert sorted(fake.asked) == sorted([*plain.asked, *paths])


@pytest.mark.parametrize(
    ("answer", "path", "found", "kinds"),
    [
        pytest.param(groups(cilium_io="v2"), CILIUM_IN_SHOP, CILIUM, ["CiliumNetworkPolicy"], id="a known kind"),
        pytest.param(
            TEAM, f"{EXAMPLE}/namespaces/shop/teams", item("t", "shop"), ["TeamNetworkPolicy.example.com"], id="another"
        ),
    ],
)
def test_an_object_of_such_a_kind_is_in_the_snapshot(answer: Any, path: str, found: Any, kinds: list[str]) -> None:
    snapshot = read_snapshot(FakeApi({"/apis": answer, path: [found]}).api, Scope(SHOP))
    assert [(policy.kind, policy.namespace) for policy in snapshot.unevaluated] == [(kind, "shop") for kind in kinds]


@pytest.mark.parametrize(
    ("answer", "paths", "scope", "gaps"),
    [
        pytest.param(
            groups(cilium_io="v2"),
            [CILIUM_IN_SHOP],
            Scope(SHOP),
            [
                Gap(
                    "ciliumnetworkpolicies.cilium.io",
                    "shop",
                    "you may not list ciliumnetworkpolicies.cilium.io in namespace shop",
                    policy_kind="CiliumNetworkPolicy",
                )
            ],
            id="in one namespace",
        ),
        pytest.param(
            groups(cilium_io="v2"),
            [CILIUM_EVERYWHERE, CILIUM_IN_DB],
            Scope(BOTH, EVERYWHERE),
            [
                Gap(
                    "ciliumnetworkpolicies.cilium.io",
                    None,
                    "you may not list ciliumnetworkpolicies.cilium.io in the whole cluster",
                    BOTH,
                    policy_kind="CiliumNetworkPolicy",
                ),
                Gap(
                    "ciliumnetworkpolicies.cilium.io",
                    "db",
                    "you may not list ciliumnetworkpolicies.cilium.io in namespace db",
                    policy_kind="CiliumNetworkPolicy",
                ),
            ],
            id="in the whole cluster, and in one of the scope's namespaces",
        ),
        pytest.param(
            groups(cilium_io="v2"),
            [CILIUM_CLUSTERWIDE],
            Scope(SHOP),
            [
                Gap(
                    "ciliumclusterwidenetworkpolicies.cilium.io",
                    None,
                    "you may not list ciliumclusterwidenetworkpolicies.cilium.io in the whole cluster",
                    policy_kind="CiliumClusterwideNetworkPolicy",
                )
            ],
            id="a kind that is in no namespace",
        ),
        pytest.param(
            groups(policy_networking_k8s_io="v1alpha1"),
            [f"{UPSTREAM}/v1alpha1/baselineadminnetworkpolicies"],
            Scope(SHOP),
            [
                Gap(
                    "baselineadminnetworkpolicies.policy.networking.k8s.io",
                    None,
                    "you may not list baselineadminnetworkpolicies.policy.networking.k8s.io in the whole cluster",
                    policy_kind="BaselineAdminNetworkPolicy",
                    after=True,
                )
            ],
            id="a kind that is asked last",
        ),
        pytest.param(
            groups(security_istio_io="v1"),
            [f"{ISTIO}/namespaces/istio-system/authorizationpolicies"],
            Scope(SHOP),
            [
                Gap(
                    "authorizationpolicies.security.istio.io",
                    None,
                    "you may not list authorizationpolicies.security.istio.io in namespace istio-system",
                    policy_kind="IstioAuthorizationPolicy",
                )
            ],
            id="in a namespace that is for all",
        ),
        pytest.param(
            TEAM,
            [f"{EXAMPLE}/namespaces/shop/teams"],
            Scope(SHOP),
            [
                Gap(
                    "teams.example.com",
                    "shop",
                    "you may not list teams.example.com in namespace shop: such policies may decide",
                    unknown_kind=True,
                )
            ],
            id="of a kind that is not known",
        ),
    ],
)
def test_a_forbidden_list_of_such_a_kind_is_a_gap_that_says_so(
    answer: Any, paths: list[str], scope: Scope, gaps: list[Gap]
) -> None:
    fake = FakeApi({"/apis": answer, **{path: forbidden(path) for path in paths}})
    assert list(read_snapshot(fake.api, scope).gaps) == gaps


def test_a_forbidden_list_of_istio_in_the_whole_cluster_falls_back_to_the_root_namespace_too() -> None:
    everywhere = f"{ISTIO}/authorizationpolicies"
    fake = FakeApi({"/apis": groups(security_istio_io="v1"), everywhere: forbidden(everywhere)})
    read_snapshot(fake.api, Scope(SHOP, EVERYWHERE))
    again = [f"{ISTIO}/namespaces/{name}/authorizationpolicies" for name in ("istio-system", "shop")]
    assert fake.asked[-2:] == again


def test_a_group_that_does_not_answer_is_a_caveat() -> None:
    silent = {"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "freshness": "Stale"}]}
    fake = FakeApi({"/apis": {"kind": "APIGroupDiscoveryList", "items": [silent]}})
    message = "the API group example.com does not answer: if it has policies, they may decide"
    assert read_snapshot(fake.api, Scope(SHOP)).gaps == (Gap("example.com", None, message, unknown_kind=True),)


# Not knowing which policies there are must never pass for there being none.


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ForbiddenError("no", verb="get", resource="/apis", namespace=None), id="forbidden"),
        pytest.param(ClusterError("etcd is down"), id="down"),
    ],
)
def test_a_discovery_that_fails_is_an_error(error: ClusterError) -> None:
    with pytest.raises(ClusterError) as caught:
        read_snapshot(FakeApi({"/apis": error}).api, Scope(SHOP))
    assert caught.value is error


def test_a_list_that_fails_is_an_error() -> None:
    fake = FakeApi({"/apis": groups(cilium_io="v2"), CILIUM_IN_SHOP: ClusterError("cilium is down")})
    with pytest.raises(ClusterError, match="cilium is down"):
        read_snapshot(fake.api, Scope(SHOP))


def test_a_server_that_can_not_be_asked_is_an_error() -> None:
    with pytest.raises(ClusterError, match="etcd is down"):
        read_snapshot(FakeApi({pods_in("shop"): ClusterError("etcd is down")}).api, Scope(SHOP))


def test_an_error_nobody_expected_does_not_pass_for_no_kinds() -> None:
    class Broken(FakeApi):
        def get(self, path: str, **_: str) -> Any:
            raise RuntimeError(path)

    with pytest.raises(RuntimeError, match="/apis"):
        read_snapshot(Broken().api, Scope(SHOP))
