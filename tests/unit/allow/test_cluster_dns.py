"""The DNS rule of a pod: to the pods and ports behind its resolvers, whatever the pod's DNS settings."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.allow.cluster_dns import DnsRule, cluster_dns
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.manifests.writer import spec_object
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import LabelSelector
from tests.support.running import labels, named
from tests.support.tables import snapshot_of

DNS_PORTS = [{"port": 53, "protocol": "UDP", "name": "dns"}, {"port": 53, "protocol": "TCP", "name": "dns-tcp"}]
KUBE_DNS = {"kube-system/kube-dns": {"selector": {"k8s-app": "kube-dns"}, "ports": DNS_PORTS}}
COREDNS = {"kube-system/coredns-1": {"ip": "10.0.9.1", "labels": {"k8s-app": "kube-dns", "pod-template-hash": "x"}}}
SAN = {"a/san": {"ip": "10.0.0.1", "labels": {"run": "san"}}}
OTHER_PORTS = {
    "kube-system/kube-dns": {
        "selector": {"k8s-app": "kube-dns"},
        "ports": [{**port, "targetPort": port["name"]} for port in DNS_PORTS],
    }
}
NODE_LOCAL = {
    "kube-system/node-local-1": {
        "ip": "192.0.2.7",
        "host_ip": "192.0.2.7",
        "host_network": True,
        "labels": {"k8s-app": "node-local-dns"},
    }
}
TO_KUBE_DNS = {**named("kube-system"), **labels(**{"k8s-app": "kube-dns"})}
NODE_LOCAL_NOTE = "a node-local DNS cache runs here: its usual address 169.254.20.10 is allowed too"


def both(port: int) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]


def blocks(*addresses: str) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": f"{address}/32"}} for address in addresses]


def rule_of(cluster: dict[str, Any], pod: str = "a/san", **dns: Any) -> DnsRule | None:
    snapshot = snapshot_of(cluster)
    found = snapshot.pod(*pod.split("/"))
    assert found
    return cluster_dns(snapshot, found._replace(**dns))


@pytest.mark.parametrize(
    ("cluster", "rule", "notes"),
    [
        pytest.param(
            {"pods": {**SAN, **COREDNS}, "services": KUBE_DNS},
            {"to": [TO_KUBE_DNS], "ports": both(53)},
            (),
            id="the pods behind Service kube-dns",
        ),
        pytest.param(
            {
                "pods": {
                    **SAN,
                    "kube-system/coredns-1": {**COREDNS["kube-system/coredns-1"], "ports": "dns=5353/UDP dns-tcp=5353"},
                },
                "services": OTHER_PORTS,
            },
            {"to": [TO_KUBE_DNS], "ports": both(5353)},
            (),
            id="on the pods' ports, which need not be 53",
        ),
        pytest.param(
            {
                "pods": {
                    **SAN,
                    **NODE_LOCAL,
                    "kube-system/coredns-1": {
                        **COREDNS["kube-system/coredns-1"],
                        "ports": "dns=5353/UDP dns-tcp=5353",
                    },
                },
                "services": OTHER_PORTS,
            },
            {"to": [TO_KUBE_DNS, *blocks("169.254.20.10")], "ports": [*both(5353), *both(53)]},
            (NODE_LOCAL_NOTE,),
            id="a node-local cache on port 53, next to resolver pods on others",
        ),
        pytest.param(
            {
                "pods": {
                    **SAN,
                    "openshift-dns/dns-1": {
                        "ip": "10.0.9.1",
                        "labels": {"dns.operator.openshift.io/daemonset-dns": "default"},
                    },
                },
                "services": {
                    "openshift-dns/dns-default": {
                        "selector": {"dns.operator.openshift.io/daemonset-dns": "default"},
                        "ports": DNS_PORTS,
                    }
                },
            },
            {
                "to": [{**named("openshift-dns"), **labels(**{"dns.operator.openshift.io/daemonset-dns": "default"})}],
                "ports": both(53),
            },
            (),
            id="the resolvers of OpenShift",
        ),
        pytest.param(
            {"pods": {**SAN, **COREDNS, **NODE_LOCAL}, "services": KUBE_DNS},
            {"to": [TO_KUBE_DNS, *blocks("169.254.20.10")], "ports": both(53)},
            (NODE_LOCAL_NOTE,),
            id="a node-local cache by its usual address, too",
        ),
        pytest.param(
            {
                "pods": {
                    **SAN,
                    "kube-system/coredns-1": {
                        **COREDNS["kube-system/coredns-1"],
                        "ip": "192.0.2.8",
                        "host_ip": "192.0.2.8",
                        "host_network": True,
                    },
                },
                "services": KUBE_DNS,
            },
            {"to": blocks("192.0.2.8"), "ports": both(53)},
            ("Service kube-system/kube-dns is matched by address, which may change: no selector can match it",),
            id="resolvers on the host network by their addresses",
        ),
    ],
)
def test_the_rule_for_a_usual_pod(cluster: dict[str, Any], rule: dict[str, Any], notes: tuple[str, ...]) -> None:
    dns = rule_of({"live": True, **cluster})
    assert dns
    policy = make_policy("a", Direction.EGRESS, LabelSelector(), [dns.rule])
    assert spec_object(policy)["egress"] == [rule]
    assert dns.notes == notes


def test_a_pod_next_to_its_resolver_needs_no_namespace() -> None:
    pods = {**COREDNS, "kube-system/san": {"ip": "10.0.0.1"}}
    dns = rule_of({"live": True, "pods": pods, "services": KUBE_DNS}, "kube-system/san")
    assert dns
    assert [(peer.namespace_selector, peer.pod_selector) for peer in dns.rule.peers] == [
        (None, LabelSelector.of({"k8s-app": "kube-dns"}))
    ]


def test_own_nameservers_are_blocks_or_the_pods_that_have_these_addresses() -> None:
    pods = {**SAN, **COREDNS, **NODE_LOCAL, "a/resolver": {"ip": "10.0.0.9", "labels": {"run": "resolver"}}}
    dns = rule_of(
        {"live": True, "pods": pods, "services": KUBE_DNS},
        dns_policy="None",
        nameservers=("198.51.100.53", "10.0.0.9"),
    )
    assert dns
    policy = make_policy("a", Direction.EGRESS, LabelSelector(), [dns.rule])
    assert spec_object(policy)["egress"] == [
        {"to": [*blocks("198.51.100.53"), labels(run="resolver")], "ports": both(53)}
    ]
    assert dns.notes == ()


@pytest.mark.parametrize(
    ("cluster", "dns"),
    [
        pytest.param({"pods": SAN}, {}, id="no DNS Service was read"),
        pytest.param({"pods": SAN, "services": KUBE_DNS}, {}, id="the DNS Service has no endpoints"),
        pytest.param(
            {"pods": {**SAN, **COREDNS}, "services": KUBE_DNS},
            {"dns_policy": "Default"},
            id="the pod uses its node's resolver, which the API does not show",
        ),
        pytest.param(
            {"pods": {**SAN, **COREDNS}, "services": KUBE_DNS}, {"dns_policy": "None"}, id="the pod has no nameservers"
        ),
    ],
)
def test_no_rule_where_no_resolver_is_known(cluster: dict[str, Any], dns: dict[str, Any]) -> None:
    assert rule_of({"live": True, **cluster}, **dns) is None
