"""Which resolver a pod has, and whether the policies let it ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.connection.dns import resolvers, resolvers_blocked
from kubectl_netpol.model.objects import Pod
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.policies import Policy

COREDNS = {
    "pods": {"kube-system/c": {"labels": {"d": "d"}, "ip": "10.0.9.1"}, "a/web": {"ip": "10.0.0.1"}},
    "policies": {"a/shut": {"podSelector": {}, "policyTypes": ["Egress"]}},
}


def services(*keys: str) -> dict[str, object]:
    spec = {"clusterIP": "10.96.0.10", "selector": {"d": "d"}, "ports": [{"port": 53, "protocol": "UDP"}]}
    return {**COREDNS, "services": dict.fromkeys(keys, spec)}


@pytest.mark.parametrize(
    ("pod", "titles"),
    [
        pytest.param(Pod("a", "web"), ["Service kube-system/kube-dns"], id="the cluster's"),
        pytest.param(Pod("a", "web", dns_policy="Default"), [], id="the node's own file"),
        pytest.param(Pod("a", "web", host_network=True), [], id="host network means the node's own file"),
        pytest.param(
            Pod("a", "web", host_network=True, dns_policy="ClusterFirstWithHostNet"),
            ["Service kube-system/kube-dns"],
            id="host network with the cluster's",
        ),
        pytest.param(
            Pod("a", "web", dns_policy="None", nameservers=("169.254.20.10", "nonsense", "fd00::a")),
            ["169.254.20.10", "fd00::a"],
            id="addresses of its own",
        ),
        pytest.param(Pod("a", "web", dns_policy="None"), [], id="none at all"),
    ],
)
def test_the_resolvers_of_a_pod(pod: Pod, titles: list[str]) -> None:
    snapshot = snapshot_of(services("kube-system/kube-dns", "kube-system/coredns"))
    assert [resolver.title for resolver in resolvers(snapshot, pod)] == titles


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (("openshift-dns/dns-default",), "Service openshift-dns/dns-default"),
        (("kube-system/coredns",), "Service kube-system/coredns"),
        (("kube-system/other",), None),
    ],
)
def test_the_clusters_dns_by_its_usual_names(keys: tuple[str, ...], title: str | None) -> None:
    found = resolvers(snapshot_of(services(*keys)), Pod("a", "web"))
    assert [resolver.title for resolver in found] == ([title] if title else [])


def test_all_of_them_must_be_blocked() -> None:
    snapshot = snapshot_of(services("kube-system/kube-dns"))
    web = snapshot.pod("a", "web")
    assert web
    service = resolvers_blocked(snapshot, web)
    assert service
    assert service.port_title == "Service kube-system/kube-dns port 53/UDP"
    assert service.allow_words("web") == ["web", "kube-system/kube-dns", "53", "--protocol", "udp"]
    own = web._replace(dns_policy="None", nameservers=("8.8.8.8", "8.8.4.4"))
    address = resolvers_blocked(snapshot, own)
    assert address
    assert address.port_title == "8.8.8.8 port 53/UDP"
    assert address.allow_words("web")[1] == "8.8.8.8"
    assert resolvers_blocked(snapshot, own._replace(nameservers=("8.8.8.8", "169.254.20.10"))) is None
    assert resolvers_blocked(snapshot, own._replace(nameservers=())) is None
    free: list[Policy] = []
    assert resolvers_blocked(snapshot.with_policies(free), web) is None
