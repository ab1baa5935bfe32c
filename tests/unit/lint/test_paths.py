"""Ways that rules miss: replies, clients behind a node, the API server, the DNS cache of a node."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        pytest.param("ingress: [{ports: [{port: 1024, endPort: 65535}]}]", "TCP 1024-65535", id="all high ports"),
        pytest.param("ingress: [{ports: [{port: 32768, endPort: 60999}]}]", "TCP 32768-60999", id="those of Linux"),
        pytest.param(
            "ingress: [{ports: [{port: 1024, endPort: 65535, protocol: UDP}]}]", "UDP 1024-65535", id="of UDP"
        ),
        pytest.param("ingress: [{ports: [{port: 32769, endPort: 65535}]}]", None, id="not from the first one on"),
        pytest.param("ingress: [{ports: [{port: 1024, endPort: 60998}]}]", None, id="not up to the last one"),
        pytest.param("ingress: [{ports: [{port: 1, endPort: 65535}]}]", None, id="every port"),
        pytest.param("ingress: [{ports: [{}]}]", None, id="every port, without a number"),
        pytest.param("ingress: [{ports: [{port: http}]}]", None, id="a name"),
        pytest.param("egress: [{ports: [{port: 1024, endPort: 65535}]}]", None, id="for egress"),
    ],
)
def test_a_rule_for_the_ports_of_clients(policy: str, found: str | None) -> None:
    cluster = with_policies(SHOP, f"{{shop/p: {{podSelector: {{}}, {policy}}}}}")
    message = (
        f"NP027 info spec.ingress[0].ports[0]: p ingress[0]: {found} are ports of clients: replies need no rule, and "
        "this lets others connect"
    )
    assert lines(linted(cluster), "NP027") == ([message] if found else [])


@pytest.mark.parametrize(
    ("ports", "number"),
    [
        pytest.param("passive=40000", 0, id="one that a pod declares"),
        pytest.param("passive=60999", 0, id="the last one, declared"),
        pytest.param("passive=61000", 1, id="one above them, declared"),
        pytest.param("passive=40000/UDP", 1, id="one of another protocol, declared"),
    ],
)
def test_ports_of_clients_that_a_server_has(ports: str, number: int) -> None:
    policies = "{shop/p: {podSelector: {}, ingress: [{ports: [{port: 1024, endPort: 65535}]}]}}"
    cluster = with_policies(SHOP, policies, f"pods: {{shop/ftp: {{ip: 10.0.0.9, ports: {ports}}}}}")
    assert len(lines(linted(cluster), "NP027")) == number


BLOCK = "{ipBlock: {cidr: 198.51.100.0/24}}"
WEB = "{podSelector: {matchLabels: {app: web}}, "
NODEPORT = "type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]"


@pytest.mark.parametrize(
    ("spec", "service", "number"),
    [
        pytest.param(f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}", NODEPORT, 1, id="a NodePort, and every port"),
        pytest.param(f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: 8080}}]}}]}}", NODEPORT, 1, id="its number"),
        pytest.param(f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: http}}]}}]}}", NODEPORT, 1, id="its name"),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: 8000, endPort: 9000}}]}}]}}", NODEPORT, 1, id="a range"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: 9090}}]}}]}}", NODEPORT, 0, id="another port"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: 8080, protocol: UDP}}]}}]}}",
            NODEPORT,
            0,
            id="another protocol",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}], ports: [{{port: sql}}]}}]}}", NODEPORT, 0, id="a name that pods lack"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}",
            "type: LoadBalancer, balancer: [203.0.113.9], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]",
            1,
            id="a LoadBalancer",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}",
            f"externalTrafficPolicy: Local, {NODEPORT}",
            0,
            id="a Service with externalTrafficPolicy Local",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}",
            "selector: {app: web}, ports: [{port: 80, targetPort: http}]",
            0,
            id="a Service of the cluster alone",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}",
            "type: NodePort, selector: {app: api}, ports: [{port: 80}]",
            0,
            id="a Service of other pods",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}", "type: NodePort, ports: [{port: 80}]", 0, id="without a selector"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}]}}]}}",
            "type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: sql}]",
            0,
            id="a Service for a port that its pods lack",
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}, {{podSelector: {{}}}}]}}]}}", NODEPORT, 0, id="pods are let in, too"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]}}]}}", NODEPORT, 0, id="every address"
        ),
        pytest.param(
            f"{WEB} ingress: [{{from: [{BLOCK}, {{ipBlock: {{cidr: 192.0.2.0/24}}}}]}}]}}",
            NODEPORT,
            0,
            id="the nodes are let in, too",
        ),
        pytest.param(f"{WEB} ingress: [{{}}]}}", NODEPORT, 0, id="everyone is"),
        pytest.param(f"{WEB} egress: [{{to: [{BLOCK}]}}]}}", NODEPORT, 0, id="for egress"),
    ],
)
def test_a_block_of_clients_behind_a_node(spec: str, service: str, number: int) -> None:
    more = f"{{nodes: {{n1: [192.0.2.1]}}, services: {{shop/out: {{{service}}}}}}}"
    found = lines(linted(with_policies(SHOP, f"{{shop/p: {spec}}}", more)), "NP028")
    wanted = (
        "NP028 info spec.ingress[0].from[0].ipBlock.cidr: p ingress[0].from[0]: clients in 198.51.100.0/24 that come "
        "by Service out may have a node's address by then"
    )
    assert found == [wanted] * number


def test_every_address_is_no_block_of_clients_though_no_node_is_known() -> None:
    spec = f"{WEB} ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]}}]}}"
    cluster = with_policies(SHOP, f"{{shop/p: {spec}}}", f"{{services: {{shop/out: {{{NODEPORT}}}}}}}")
    assert lines(linted(cluster), "NP028") == []


API_SERVER = """
objects:
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
  addressType: IPv4
  endpoints: [{addresses: [172.18.0.2]}]
  ports: [{port: 6443}]
services: {default/kubernetes: {clusterIP: 10.96.0.1, ports: [{port: 443, targetPort: 6443}]}}
"""


@pytest.mark.parametrize(
    ("pod", "egress", "found"),
    [
        pytest.param("account: op", "[]", True, id="a service account, and no way"),
        pytest.param(
            "account: op", "[{ports: [{port: 443}]}]", True, id="the Service's port, which is not the server's"
        ),
        pytest.param("account: op", "[{to: [{namespaceSelector: {}}]}]", True, id="all pods, of which it is none"),
        pytest.param("account: op", "[{ports: [{port: 6443}]}]", False, id="its port"),
        pytest.param("account: op", "[{to: [{ipBlock: {cidr: 172.18.0.2/32}}]}]", False, id="its address"),
        pytest.param("account: default", "[]", False, id="the default account"),
        pytest.param("labels: {app: op}", "[]", False, id="no account"),
        pytest.param("account: op, host_network: true, host_ip: 192.0.2.7", "[]", False, id="the host network"),
    ],
)
def test_egress_isolation_without_a_way_to_the_api_server(pod: str, egress: str, *, found: bool) -> None:
    base = yaml.safe_load(f"pods: {{shop/op: {{ip: 10.0.0.1, {pod}}}}}")
    policies = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: {egress}}}}}"
    wanted = (
        "NP029 info spec.egress: p leaves op no way to the API server (default/kubernetes port 443), for which pods "
        "have accounts such as its op"
    )
    assert lines(linted(with_policies(base, policies, API_SERVER)), "NP029") == ([wanted] if found else [])


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param("{}", id="without isolation"),
        pytest.param("{shop/p: {podSelector: {}, policyTypes: [Ingress]}}", id="isolated for ingress alone"),
    ],
)
def test_no_way_is_shut_where_egress_is_not(policies: str) -> None:
    base = yaml.safe_load("pods: {shop/op: {ip: 10.0.0.1, account: op}}")
    assert lines(linted(with_policies(base, policies, API_SERVER)), "NP029", "NP030") == []


CACHE = """
pods:
  kube-system/node-local-dns: {labels: {k8s-app: node-local-dns}, host_network: true, host_ip: 192.0.2.1, ip: 192.0.2.1}
  kube-system/coredns: {labels: {k8s-app: kube-dns}, ip: 10.0.9.1, ports: dns=53/UDP}
services:
  kube-system/kube-dns:
    {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP, targetPort: dns}]}
"""
DNS = "{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}"


@pytest.mark.parametrize(
    ("peers", "more", "found"),
    [
        pytest.param(DNS, CACHE, True, id="the cluster's DNS alone"),
        pytest.param(f"{DNS}, {{ipBlock: {{cidr: 169.254.20.10/32}}}}", CACHE, False, id="and the cache"),
        pytest.param(DNS, CACHE.replace("host_network: true, ", ""), False, id="a cache that is a pod"),
        pytest.param(DNS, CACHE.replace("node-local-dns}", "other}"), False, id="no cache"),
        pytest.param("{podSelector: {}}", CACHE, False, id="no DNS at all, which another finding says"),
    ],
)
def test_a_way_to_dns_that_is_none_to_the_cache_of_the_node(peers: str, more: str, *, found: bool) -> None:
    base = yaml.safe_load("pods: {shop/web: {ip: 10.0.0.1}, shop/host: {ip: 192.0.2.8, host_network: true}}")
    policies = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{peers}]}}]}}}}"
    wanted = (
        "NP030 info spec.egress: p lets web ask the cluster's DNS, and not the cache of its node at 169.254.20.10, "
        "which no selector matches"
    )
    assert lines(linted(with_policies(base, policies, more)), "NP030") == ([wanted] if found else [])
