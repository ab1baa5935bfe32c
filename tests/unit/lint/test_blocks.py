"""Blocks that hold pods, nodes in except, and rules that are open to the world."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import linted, with_policies

CLUSTER = yaml.safe_load("""
pods:
  shop/web: {labels: {app: web}, ip: "10.0.0.1 fd00::1", ports: "http=8080 53/UDP"}
  shop/api: {labels: {app: api}, ip: 10.0.0.2, ports: "9090"}
  shop/node: {labels: {app: node}, ip: 192.0.2.1, host_network: true}
  shop/old: {labels: {app: old}, ip: 10.0.0.9, phase: Succeeded}
nodes: {worker: [192.0.2.1]}
""")


def out(cidr: str, except_: str = "") -> str:
    block = f"{{cidr: '{cidr}', except: [{except_}]}}"
    return f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {block}}}]}}]}}}}"


THEN = "not every plugin applies ipBlock to pods"


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            out("10.0.0.0/30"),
            ("info", f"p egress[0].to[0]: 10.0.0.0/30 holds 2 pods (shop/web, shop/api): {THEN}"),
            id="two pods",
        ),
        pytest.param(
            out("10.0.0.0/30", "10.0.0.2/31"),
            ("info", f"p egress[0].to[0]: 10.0.0.0/30 holds 1 pod (shop/web): {THEN}"),
            id="one of them excepted",
        ),
        pytest.param(out("10.0.0.0/29", "10.0.0.2/32, 10.0.0.0/31, 10.0.0.1/32"), None, id="each of them, one twice"),
        pytest.param(
            out("10.0.0.2/32"),
            (
                "warning",
                "p egress[0].to[0]: 10.0.0.2/32 is the address of shop/api: it gets another one when it is replaced",
            ),
            id="the address of one pod",
        ),
        pytest.param(
            out("fd00::/64"), ("info", f"p egress[0].to[0]: fd00::/64 holds 1 pod (shop/web): {THEN}"), id="over IPv6"
        ),
        pytest.param(out("0.0.0.0/0"), None, id="every address is no block of pods"),
        pytest.param(out("10.0.0.4/30"), None, id="the address of a pod that has finished"),
        pytest.param(out("192.0.2.0/24"), None, id="a node's, which its pods on the host network share"),
        pytest.param(out("fd01::/64"), None, id="nobody"),
    ],
)
def test_blocks_with_pods(policies: str, wanted: tuple[str, str] | None) -> None:
    cluster = with_policies(CLUSTER, policies)
    found = [(one.severity.value, one.message) for one in linted(cluster) if one.number == "NP020"]
    assert found == ([wanted] if wanted else [])
    assert [one for one in linted({**cluster, "plugin": "Cilium"}) if one.number == "NP020"] == []


def test_exceptions_in_one_another_are_left_out_once() -> None:
    cluster = {"pods": {f"shop/p{last}": {"ip": f"10.0.0.{last}"} for last in range(1, 5)}}
    found = linted(with_policies(cluster, out("10.0.0.0/28", "10.0.0.0/30, 10.0.0.2/32")))
    assert [one.message for one in found if one.number == "NP020"] == [
        f"p egress[0].to[0]: 10.0.0.0/28 holds 1 pod (shop/p4): {THEN}"
    ]


def test_a_block_is_looked_up_once() -> None:
    policies = f"{out('10.0.0.2/32')[:-1]}, {out('10.0.0.2/32').replace('shop/p', 'shop/q')[1:]}"
    found = [one for one in linted(with_policies(CLUSTER, policies)) if one.number == "NP020"]
    assert [one.subject.name for one in found] == ["p", "q"]


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            out("0.0.0.0/0", "192.0.2.1/32"),
            "p egress[0].to[0]: 192.0.2.1 is node worker: its own pods reach it all the same with most plugins",
            id="a node",
        ),
        pytest.param(
            out("0.0.0.0/0", "169.254.169.254/32"),
            "p egress[0].to[0]: 169.254.169.254 may be answered by a process on the pod's own node, "
            "which most plugins always let it reach",
            id="the metadata address",
        ),
        pytest.param(out("0.0.0.0/0", "169.254.0.0/16"), None, id="a range"),
        pytest.param(out("0.0.0.0/0", "192.0.2.0/31"), None, id="a range of two, one of them a node's"),
        pytest.param(out("0.0.0.0/0", "192.0.2.2/32"), None, id="the address of nobody"),
        pytest.param(out("::/0", "'fd00::9/128'"), None, id="one of IPv6"),
        pytest.param(out("0.0.0.0/0"), None, id="no except"),
    ],
)
def test_nodes_in_except(policies: str, wanted: str | None) -> None:
    found = [one for one in linted(with_policies(CLUSTER, policies)) if one.number == "NP021"]
    assert [(one.message, one.path) for one in found] == (
        [(wanted, "spec.egress[0].to[0].ipBlock.except[0]")] if wanted else []
    )


def service(kind: str, ports: str = "[{port: 80, targetPort: http}]", more: str = "") -> str:
    return f"{{services: {{shop/s: {{type: {kind}, selector: {{app: web}}, ports: {ports}{more}}}}}}}"


WEB = "podSelector: {matchLabels: {app: web}}"
PUBLIC = "and nothing publishes it"


@pytest.mark.parametrize(
    ("policies", "more", "wanted"),
    [
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}",
            "{}",
            f"p ingress[0] opens shop/web to the world on TCP 8080, {PUBLIC}",
            id="no from",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], ports: [{{port: http}}]}}]}}}}",
            "{}",
            f"p ingress[0] opens shop/web to the world on TCP 8080, {PUBLIC}",
            id="every address of IPv4, on a port by name",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{ipBlock: {{cidr: '::/0'}}}}]}}]}}}}",
            "{}",
            f"p ingress[0] opens shop/web to the world on every port, {PUBLIC}",
            id="every address of IPv6, on every port",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}",
            service("LoadBalancer"),
            None,
            id="a load balancer publishes it",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}",
            service("NodePort", "[{name: x, port: 80, targetPort: gone}, {name: y, port: 81, targetPort: 8080}]"),
            None,
            id="a node port publishes it",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}",
            service("ClusterIP", more=", externalIPs: [198.51.100.9]"),
            None,
            id="an external address publishes it",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}",
            service("LoadBalancer").replace("app: web", "app: api"),
            f"p ingress[0] opens shop/web to the world on TCP 8080, {PUBLIC}",
            id="a load balancer of other pods",
        ),
        pytest.param(
            "{shop/p: {podSelector: {matchLabels: {app: host}}, ingress: [{ports: [{port: 8080}]}]}}",
            "{pods: {shop/host: {labels: {app: host}, ip: 10.0.0.8, ports: 8080@80}}}",
            None,
            id="a host port publishes it",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}}}", "{}", None, id="every pod"
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{from: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}]}}]}}}}",
            "{}",
            None,
            id="a block",
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, policyTypes: [Egress], egress: [{{}}]}}}}", "{}", None, id="out to the world"
        ),
        pytest.param(
            f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: none}}]}}]}}}}", "{}", None, id="a port that it has not"
        ),
        pytest.param(
            "{shop/p: {podSelector: {matchLabels: {app: bare}}, ingress: [{}]}}",
            "{pods: {shop/bare: {labels: {app: bare}}}}",
            None,
            id="every port of a pod that declares none",
        ),
    ],
)
def test_open_to_the_world(policies: str, more: str, wanted: str | None) -> None:
    found = [one for one in linted(with_policies(CLUSTER, policies, more)) if one.number == "NP012"]
    assert [one.message for one in found] == ([wanted] if wanted else [])


def test_what_a_tier_denies_is_not_open() -> None:
    policies = f"{{shop/p: {{{WEB}, ingress: [{{ports: [{{port: 8080}}]}}]}}}}"
    rule = {"action": "Deny", "from": [{"namespaces": {}}]}
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
    cluster = {**with_policies(CLUSTER, policies), "plugin": "Calico"}
    shut = {
        "calico": {"gnp/g": {"selector": "all()", "types": ["Ingress"], "ingress": [{"action": "Deny"}], "order": 1}}
    }
    assert [one.number for one in linted({**cluster, **shut}) if one.number == "NP012"] == []
    pods_alone = {**with_policies(CLUSTER, policies), "tiers": {"cnp/p": {**spec, "ingress": [rule]}}}
    assert [one.number for one in linted(pods_alone) if one.number == "NP012"] == ["NP012"]
