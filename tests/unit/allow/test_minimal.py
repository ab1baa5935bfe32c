"""The minimal policies: the labels, ports and directions of what runs, and that no part of them can be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.allow.minimal import AllowOptions, minimal_policies
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange
from tests.support.allow_manifests import DEEP, DENIED, ENDS, FRONT, NODE_LOCAL, REAL_DNS, blocks, written
from tests.support.running import EXAMPLES, SHOP, TCP80, allow, egress, ingress, labels, named
from tests.support.tables import ask, snapshot_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "san nginx 80": [ingress(labels(run="san"), **labels(run="nginx"))],
    "pod/san svc/nginx 80": [ingress(labels(run="san"), **labels(run="nginx"))],
    "shop/san shop/pod/nginx 80-81": [
        ingress(labels(run="san"), ports=[*TCP80, {"protocol": "TCP", "port": 81}], **labels(run="nginx"))
    ],
    "san cart 5000 --protocol udp": [
        ingress(labels(run="san"), ports=[{"protocol": "UDP", "port": 5000}], **labels(run="cart"))
    ],
    "203.0.113.9 nginx 80": [ingress({"ipBlock": {"cidr": "203.0.113.9/32"}}, **labels(run="nginx"))],
    "svc/nginx cart 80": [ingress(labels(run="nginx"), **labels(run="cart"))],
    "san nginx 80 --both --no-dns": [
        egress({"to": [labels(run="nginx")], "ports": TCP80}, **labels(run="san")),
        ingress(labels(run="san"), **labels(run="nginx")),
    ],
}


@pytest.mark.parametrize("line", NAMES)
def test_names_become_the_labels_of_what_runs(line: str) -> None:
    ran = allow(line, *SHOP)
    assert (ran.status, ran.specs) == (0, NAMES[line]), ran.err
    assert all(found["metadata"]["namespace"] == "shop" for found in ran.objects)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        pytest.param(
            "san nginx 81",
            "nothing to allow: Service shop/nginx has no port 81/TCP",
            "",
            id="a port that the Service does not have",
        ),
        pytest.param(
            "san example.com 443",
            "example.com is a host name: a NetworkPolicy can't match hosts",
            "write its address",
            id="a host name",
        ),
        pytest.param(
            "203.0.113.9 203.0.113.10 80",
            "a NetworkPolicy applies to neither 203.0.113.9 nor 203.0.113.10",
            "policies apply to pods",
            id="no pod at either end",
        ),
        pytest.param(
            "san pod/nginx 80 --named-port",
            "port 80/TCP of shop/nginx has no name",
            "drop --named-port",
            id="a port without a name",
        ),
    ],
)
def test_what_no_policy_can_allow(line: str, message: str, hint: str) -> None:
    ran = allow(line, *SHOP)
    assert (ran.status, ran.out) == (2, "")
    assert f"error: {message}" in ran.err
    assert hint in ran.err.partition("hint: ")[2]


def test_only_the_ports_that_are_missing_are_written(tmp_path: Path) -> None:
    files = written(
        tmp_path, "all.yaml", (EXAMPLES / "shop.yaml").read_text(), "---\n", allow("san nginx 80", *SHOP).out
    )
    ran = allow(f"san pod/nginx 80,443 -n shop {files}")
    assert [rule["ports"] for rule in ran.specs[0]["ingress"]] == [[{"protocol": "TCP", "port": 443}]]


WITH_DNS: dict[str, Any] = {
    "live": True,
    "pods": {
        "a/san": {"ip": "10.0.0.1", "labels": {"app": "san"}},
        "a/web": {"ip": "10.0.0.2", "labels": {"app": "web"}},
        "kube-system/dns": {"ip": "10.0.9.9", "labels": {"app": "dns"}},
    },
    "services": {
        "a/web": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        "kube-system/kube-dns": {"selector": {"app": "dns"}, "ports": [{"port": 53, "protocol": "UDP"}]},
    },
}


def test_the_dns_rule_is_named_by_policy_and_position() -> None:
    deny = {"a/deny": {"podSelector": {}, "policyTypes": ["Egress"]}}
    snapshot = snapshot_of({**WITH_DNS, "policies": deny})
    by_name = minimal_policies(snapshot, [ask(snapshot, "a/san", "a/svc/web", 80, "TCP")], AllowOptions())
    (policy,) = by_name.policies
    assert by_name.dns == (policy.key, Direction.EGRESS, 1)
    assert policy.rules[1].ports == (PortRange("UDP", 53, 53),)
    by_pod = minimal_policies(snapshot, [ask(snapshot, "a/san", "a/pod/web", 80, "TCP")], AllowOptions())
    assert (by_pod.dns, len(by_pod.policies[0].rules)) == (None, 1)


def test_no_dns_rule_where_another_policy_allows_dns() -> None:
    dns = {
        "a/dns": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
        }
    }
    snapshot = snapshot_of({**WITH_DNS, "policies": dns})
    predictions = [ask(snapshot, "a/san", "a/svc/web", 80, "TCP")]
    needed = minimal_policies(snapshot, predictions, AllowOptions())
    assert (needed.dns, len(needed.policies[0].rules)) == (None, 1)
    asked_for = minimal_policies(snapshot, predictions, AllowOptions(dns=True))
    assert len(asked_for.policies[0].rules) == 2, "--dns adds it all the same"


SHUT = {"podSelector": {}, "policyTypes": ["Ingress"]}
OUT = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}


@pytest.mark.parametrize(
    ("policies", "destination", "port", "written_for"),
    [
        pytest.param(
            {"a/in": SHUT, "a/out": OUT}, "a/svc/web", 80, ["a Ingress"], id="beside a source that may go out"
        ),
        pytest.param({"a/in": SHUT}, "a/svc/web", 80, ["a Ingress"], id="beside a source that nothing isolates"),
        pytest.param({"a/out": OUT}, "a/svc/web", 80, [], id="and nothing else is missing"),
        pytest.param(
            {"a/out": OUT}, "kube-system/svc/kube-dns", 53, ["kube-system Ingress"], id="and the resolver is asked for"
        ),
    ],
)
@pytest.mark.parametrize("dns", [None, True])
def test_no_dns_rule_where_the_resolver_lets_no_one_in(
    policies: dict[str, Any], destination: str, port: int, written_for: list[str], dns: Any
) -> None:
    snapshot = snapshot_of({**WITH_DNS, "policies": {**policies, "kube-system/in": SHUT}})
    protocol = "UDP" if port == 53 else "TCP"
    found = minimal_policies(snapshot, [ask(snapshot, "a/san", destination, port, protocol)], AllowOptions(dns=dns))
    texts = [f"{policy.namespace} {policy.directions[0].value}" for policy in found.policies]
    assert (found.dns, texts) == (None, written_for)


@pytest.fixture
def deep(tmp_path: Path) -> str:
    return written(tmp_path, "deep.yaml", DEEP)


@pytest.fixture
def ends(tmp_path: Path) -> str:
    return f"-n a {written(tmp_path, 'ends.yaml', ENDS, DENIED)}"


def test_a_service_port_becomes_the_pods_port_and_its_name_needs_dns(deep: str) -> None:
    out, into = allow(f"b/db-0 a/svc/web 80 {deep}").specs
    assert out["podSelector"] == {"matchLabels": {"app": "db"}}
    assert out["egress"] == [
        {
            "to": [{**named("a"), "podSelector": {"matchLabels": {"app": "web"}}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        },
        REAL_DNS,
    ]
    assert into["podSelector"] == {"matchLabels": {"app": "web"}}
    assert into["ingress"][0]["from"] == [{**named("b"), **labels(app="db")}]


def test_a_workload_is_selected_by_its_own_selector(deep: str) -> None:
    ran = allow(f"b/db-backup a/deploy/web http --named-port {deep}")
    out, into = ran.specs
    assert out["podSelector"] == {"matchLabels": {"job": "backup"}}
    assert into["podSelector"] == FRONT["podSelector"]
    assert into["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert len(out["egress"]) == 1, "a pod has no name to resolve"


def test_a_host_network_pod_gets_no_policy(deep: str) -> None:
    ran = allow(f"b/db-0 b/agent 9100 {deep}")
    assert "no policy applies to b/agent: it uses the host network" in allow(f"b/db-0 b/agent 9100 --both {deep}").err
    (out,) = ran.specs
    assert out["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.9.0.1/32"}}], "ports": [{"protocol": "TCP", "port": 9100}]}
    ]


def test_dns_alone_where_only_the_name_is_missing(deep: str, tmp_path: Path) -> None:
    more = written(tmp_path, "more.yaml", allow(f"b/db-0 a/svc/web 80 --no-dns {deep}").out)
    assert allow(f"b/db-0 a/svc/web 80 {deep} {more}").specs == [egress(REAL_DNS, **labels(app="db"))]


@pytest.mark.parametrize(
    ("line", "specs", "text"),
    [
        pytest.param(
            "san svc/outside 5432 --no-dns",
            [
                egress(
                    {
                        "to": blocks("198.51.100.1/32", "198.51.100.2/32"),
                        "ports": [{"protocol": "TCP", "port": 6432}],
                    },
                    **labels(run="san"),
                )
            ],
            "isolates a/san for egress, as other policies already do",
            id="a Service of addresses outside the cluster is a block per address",
        ),
        pytest.param(
            "san svc/outside 5432",
            [
                egress(
                    {
                        "to": blocks("198.51.100.1/32", "198.51.100.2/32"),
                        "ports": [{"protocol": "TCP", "port": 6432}],
                    },
                    **labels(run="san"),
                )
            ],
            "isolates a/san for egress",
            id="no DNS rule without a known resolver",
        ),
        pytest.param(
            "node/worker web 80",
            [ingress(*blocks("192.0.2.7/32"), ports=[{"protocol": "TCP", "port": 8080}], **labels(run="web"))],
            "node worker is matched by address",
            id="a node as the source is a block",
        ),
        pytest.param(
            "san node/worker 9100",
            [egress({"to": blocks("192.0.2.7/32"), "ports": [{"protocol": "TCP", "port": 9100}]}, **labels(run="san"))],
            "node worker is matched by address",
            id="a node as the destination is a block",
        ),
        pytest.param(
            "2001:db8::1 web 80 --both",
            [ingress(*blocks("2001:db8::1/128"), ports=[{"protocol": "TCP", "port": 8080}], **labels(run="web"))],
            "no policy can select 2001:db8::1: there is no egress policy",
            id="an address gets no policy of its own",
        ),
        pytest.param(
            "own-dns svc/web 80 --named-port",
            [
                egress(
                    {"to": [labels(run="web")], "ports": [{"protocol": "TCP", "port": "http"}]},
                    {
                        "to": [*blocks("198.51.100.53/32"), labels(run="resolver")],
                        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
                    },
                    **labels(run="own-dns"),
                ),
                ingress(labels(run="own-dns"), ports=[{"protocol": "TCP", "port": "http"}], **labels(run="web")),
            ],
            "opens a/own-dns",
            id="the pod's own nameservers, one of them a pod",
        ),
    ],
)
def test_ends_of_every_kind(ends: str, line: str, specs: list[Any], text: str) -> None:
    ran = allow(f"{line} {ends}")
    assert (ran.status, ran.specs) == (0, specs), ran.err
    assert text in ran.err


def test_the_node_local_cache_is_allowed_too(ends: str, tmp_path: Path) -> None:
    ran = allow(f"san web 80 {ends} {written(tmp_path, 'dns.yaml', NODE_LOCAL)}")
    assert ran.specs[0]["egress"][-1] == {
        "to": [{**named("kube-system"), **labels(**{"k8s-app": "kube-dns"})}, *blocks("169.254.20.10/32")],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    assert "a node-local DNS cache runs here" in ran.err


def test_a_dns_rule_that_is_asked_for_and_can_not_be_made_is_noted(ends: str) -> None:
    ran = allow(f"san 198.51.100.9 443 --dns {ends}")
    assert len(ran.specs[0]["egress"]) == 1
    assert "note: no resolver of a/san was read: there is no DNS rule" in ran.err


def test_a_host_network_pod_as_the_source_is_its_nodes_address(deep: str) -> None:
    ran = allow(f"b/agent a/deploy/web 8080 {deep}")
    assert ran.specs == [
        ingress(*blocks("10.9.0.1/32"), ports=[{"protocol": "TCP", "port": 8080}], **FRONT),
    ]
    assert "b/agent is matched by address, which may change" in ran.err


def test_an_end_without_a_known_address_can_not_be_a_block(tmp_path: Path) -> None:
    agent = (
        "{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: a}, spec: {hostNetwork: true, containers: []}}"
    )
    ran = allow(f"agent web 80 -n a {written(tmp_path, 'planned.yaml', agent, chr(10), '---', ENDS, DENIED)}")
    assert (ran.status, ran.out) == (2, "")
    assert "the address of a/agent is unknown, and an ipBlock needs one" in ran.err
