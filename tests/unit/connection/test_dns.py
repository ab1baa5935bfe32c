"""The DNS resolvers of a pod, and whether policies block them."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.connection.dns import Resolver, blocked_resolver, resolvers, resolvers_blocked, resolvers_guarded
from kubectl_netpol.model.objects import Pod, Service
from tests.support.tables import snapshot_of

COREDNS: dict[str, Any] = {
    "pods": {"kube-system/c": {"labels": {"d": "d"}, "ip": "10.0.9.1"}, "a/web": {"ip": "10.0.0.1"}},
    "policies": {"a/shut": {"podSelector": {}, "policyTypes": ["Egress"]}},
}


def services(*keys: str) -> dict[str, object]:
    spec = {"clusterIP": "10.96.0.10", "selector": {"d": "d"}, "ports": [{"port": 53, "protocol": "UDP"}]}
    return {**COREDNS, "services": dict.fromkeys(keys, spec)}


@pytest.mark.parametrize(
    ("pod", "titles"),
    [
        pytest.param(Pod("a", "web"), ["Service kube-system/kube-dns"], id="the cluster's DNS"),
        pytest.param(Pod("a", "web", dns_policy="Default"), [], id="not shown: a file on the node"),
        pytest.param(Pod("a", "web", host_network=True), [], id="not shown with host network: a file on the node"),
        pytest.param(
            Pod("a", "web", host_network=True, dns_policy="ClusterFirstWithHostNet"),
            ["Service kube-system/kube-dns"],
            id="the cluster's DNS with host network",
        ),
        pytest.param(
            Pod("a", "web", dns_policy="None", nameservers=("169.254.20.10", "nonsense", "fd00::a")),
            ["169.254.20.10", "fd00::a"],
            id="nameservers of its own that are addresses",
        ),
        pytest.param(Pod("a", "web", dns_policy="None"), [], id="none without nameservers"),
    ],
)
def test_the_resolvers_of_a_pod(pod: Pod, titles: list[str]) -> None:
    snapshot = snapshot_of(services("kube-system/kube-dns", "kube-system/coredns"))
    assert [resolver.title for resolver in resolvers(snapshot, pod)] == titles


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        pytest.param(("openshift-dns/dns-default",), "Service openshift-dns/dns-default", id="OpenShift's"),
        pytest.param(("kube-system/coredns",), "Service kube-system/coredns", id="coredns"),
        pytest.param(
            ("kube-system/coredns", "kube-system/kube-dns"), "Service kube-system/kube-dns", id="kube-dns first"
        ),
        pytest.param(("kube-system/other",), None, id="not by another name"),
    ],
)
def test_the_clusters_dns_by_its_usual_names(keys: tuple[str, ...], title: str | None) -> None:
    found = resolvers(snapshot_of(services(*keys)), Pod("a", "web"))
    assert [resolver.title for resolver in found] == ([title] if title else [])


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        pytest.param({}, "Service kube-system/kube-dns port 53/UDP", id="the cluster's DNS"),
        pytest.param(
            {"dns_policy": "None", "nameservers": ("8.8.8.8", "8.8.4.4")},
            "8.8.8.8 port 53/UDP",
            id="the first of two that are blocked",
        ),
        pytest.param(
            {"dns_policy": "None", "nameservers": ("8.8.8.8", "169.254.20.10")},
            None,
            id="none if one of two may be open: it may be on the pod's own node",
        ),
        pytest.param({"dns_policy": "None", "nameservers": ()}, None, id="none without resolvers"),
    ],
)
def test_the_resolver_of_a_pod_whose_egress_is_blocked(changes: dict[str, Any], blocked: str | None) -> None:
    snapshot = snapshot_of(services("kube-system/kube-dns"))
    web = snapshot.pod("a", "web")
    assert web
    found = resolvers_blocked(snapshot, web._replace(**changes))
    assert (found and found.port_title) == blocked


def test_without_policies_no_resolver_is_blocked() -> None:
    snapshot = snapshot_of({**services("kube-system/kube-dns"), "policies": {}})
    web = snapshot.pod("a", "web")
    assert web
    assert resolvers_blocked(snapshot, web) is None


SHUT_DNS: dict[str, Any] = {"kube-system/in": {"podSelector": {}}}


@pytest.mark.parametrize(
    ("policies", "by_egress", "guarded"),
    [
        pytest.param(COREDNS["policies"], True, False, id="the pod's egress"),
        pytest.param(SHUT_DNS, False, True, id="the resolver's ingress"),
        pytest.param({**COREDNS["policies"], **SHUT_DNS}, True, True, id="both: the pod's egress is named"),
        pytest.param({"kube-system/in": {"podSelector": {}, "ingress": [{}]}}, None, True, id="neither, though asked"),
        pytest.param({}, None, False, id="no policies"),
    ],
)
def test_the_end_that_blocks_a_resolver(policies: Any, by_egress: Any, guarded: Any) -> None:
    snapshot = snapshot_of({**services("kube-system/kube-dns"), "policies": policies})
    web = snapshot.pod("a", "web")
    assert web
    found = blocked_resolver(snapshot, web)
    assert (found and found.by_egress, resolvers_guarded(snapshot, web)) == (by_egress, guarded)


def test_of_two_resolvers_the_one_that_the_pods_egress_blocks_is_named() -> None:
    egress = {"a/out": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}}
    snapshot = snapshot_of({**COREDNS, "policies": {**egress, **SHUT_DNS}})
    web = snapshot.pod("a", "web")
    assert web
    found = blocked_resolver(snapshot, web._replace(dns_policy="None", nameservers=("10.0.9.1", "8.8.8.8")))
    assert found
    assert (found.resolver.title, found.by_egress) == ("8.8.8.8", True)


def test_the_arguments_of_allow_that_open_a_resolver() -> None:
    service = Resolver(service=Service("kube-system", "kube-dns", None))
    assert service.allow_arguments("web") == ["web", "kube-system/kube-dns", "53", "--protocol", "udp"]
    assert Resolver(address="8.8.8.8").allow_arguments("web") == ["web", "8.8.8.8", "53", "--protocol", "udp"]
