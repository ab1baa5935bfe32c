"""What a rule of Cilium's misses, and its peers one by one; whether it matches is in tests/cases/cilium.yaml."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.engine.cilium import Cilium
from kubectl_netpol.engine.phrases import near_miss_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.objects import ContainerPort, Pod
from kubectl_netpol.model.policies import Direction
from tests.support.tables import ask, snapshot_of

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
PODS = yaml.safe_load("""
    a/src: {labels: {app: src, pod-template-hash: h}, ip: 10.0.0.1, node: n1}
    a/web: {labels: {app: web}, ip: 10.0.0.2, node: n1, ports: http=80}
    b/other: {labels: {app: other}, ip: 10.0.1.1, node: n1}
    b/host: {ip: 192.0.2.2, node: n2, host_network: true}
""")
CLUSTER: dict[str, Any] = {
    "pods": PODS,
    "nodes": {"n1": ["192.0.2.1"], "n2": ["192.0.2.2"]},
    "namespaces": {"a": {"team": "x"}},
}


def missed(rule: str, source: str = "a/src", port: int = 80) -> list[str]:
    """Of the rule of a policy for a/web, as `explain` prints it."""
    policy = {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [yaml.safe_load(rule)]}
    found = ask(snapshot_of({**CLUSTER, "cilium": {"a/web": policy}}), source, "a/web", port, "TCP")
    assert found.verdict is not Verdict.ALLOWED
    return [near_miss_text(near) for near in found.ingress.near_misses]


IN_B = "'k8s:io.kubernetes.pod.namespace': b"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("[{matchLabels: {app: x}}]", f"[{{matchLabels: {{app: src, {IN_B}}}}}]", id="labels"),
        pytest.param(
            f"[{{matchLabels: {{{IN_B}}}}}]", f"[{{matchLabels: {{app: src, {IN_B}}}}}]", id="not a namespace alone"
        ),
    ],
)
def test_a_rule_that_names_the_pod_is_closer(first: str, second: str) -> None:
    for authentication in ("", ", authentication: {mode: required}"):
        rules = [yaml.safe_load(f"{{fromEndpoints: {peers}{authentication}}}") for peers in (first, second)]
        policy = {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": rules}
        found = ask(snapshot_of({**CLUSTER, "cilium": {"a/web": policy}}), "a/src", "a/web", 80, "TCP")
        assert [near.rule.position for near in found.ingress.near_misses] == [1, 0]


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        ("{}", ["has neither peers nor ports, so it matches nothing"]),
        ("{fromEndpoints: []}", ["has an empty list of peers, so it matches nothing"]),
        ("{icmps: [{fields: []}]}", ["requires ICMP, not TCP"]),
        ("{toPorts: [{}]}", ["requires no port, not TCP"]),
        ("{toPorts: [{ports: [{port: '81', protocol: TCP}]}]}", ["requires port TCP 81, not 80"]),
        ("{toPorts: [{ports: [{port: web}]}]}", ["requires port ANY web, not 80"]),
        ("{toPorts: [{ports: [{port: '80', protocol: UDP}]}]}", ["requires UDP, not TCP"]),
        ("{fromEndpoints: [{matchLabels: {app: x}}]}", ["requires label app=x, pod has app=src"]),
        ("{fromEndpoints: [{matchLabels: {tier: x}}]}", ["requires label tier=x, pod has no label tier"]),
        (
            "{fromEndpoints: [{matchLabels: {pod-template-hash: h}}]}",
            ["requires label pod-template-hash=h, pod has pod-template-hash=h, which does not count"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}]}",
            ["requires a pod in namespace b, this one is in a"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: y}}]}",
            ["requires namespace label team=y, namespace has team=x"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.env: y}}]}",
            ["requires namespace label env=y, namespace has no label env"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {app: x}}, {matchLabels: {app: y}}]}",
            ["requires pods app=x in a or pods app=y in a, not a/src"],
        ),
        ("{fromEntities: [world]}", ["requires entity world, not a/src"]),
        (
            "{fromCIDR: [10.0.0.0/8]}",
            ["requires 10.0.0.0/8 outside the cluster, not a/src: a CIDR never matches a pod"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {app: src}}], toPorts: [{ports: [{port: '81'}]}]}",
            ["requires port ANY 81, not 80"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {app: x}}], toPorts: [{ports: [{port: '81'}]}]}",
            ["requires port ANY 81, not 80; requires label app=x, pod has app=src"],
        ),
        (
            "{fromEndpoints: [{matchLabels: {app: x}}], authentication: {mode: required}}",
            ["requires label app=x, pod has app=src"],
        ),
    ],
)
def test_what_a_rule_misses(rule: str, texts: list[str]) -> None:
    assert missed(rule) == texts


@pytest.mark.parametrize(
    ("source", "rule", "texts"),
    [
        (
            "node/n2",
            "{fromCIDR: [192.0.2.0/24]}",
            ["requires 192.0.2.0/24 outside the cluster, not node n2: a CIDR never matches a node"],
        ),
        (
            "b/host",
            "{fromCIDR: [192.0.2.0/24]}",
            ["requires 192.0.2.0/24 outside the cluster, not b/host: a CIDR never matches a node"],
        ),
        ("node/n2", "{fromEntities: [world]}", ["requires entity world, not node n2"]),
        ("203.0.113.1", "{fromEntities: [cluster]}", ["requires entity cluster, not 203.0.113.1"]),
        ("203.0.113.1", "{fromCIDR: [10.0.0.0/8]}", ["requires 10.0.0.0/8 outside the cluster, not 203.0.113.1"]),
        ("b/host", "{fromEndpoints: [{matchLabels: {app: x}}]}", ["requires pods app=x in a, not b/host"]),
    ],
)
def test_what_a_rule_misses_of_other_ends(source: str, rule: str, texts: list[str]) -> None:
    assert missed(rule, source) == texts


def test_what_is_not_known_is_no_near_miss() -> None:
    assert missed("{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}") == []


def test_a_host_name_has_no_address_for_a_cidr() -> None:
    policy = {"egress": [{"toCIDR": ["10.0.0.0/8"]}]}
    found = ask(snapshot_of({**CLUSTER, "cilium": {"a/p": policy}}), "a/src", "example.com", 443, "TCP")
    assert found.verdict is Verdict.UNDEFINED
    assert found.reason
    assert found.reason.code == "host-name"


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        pytest.param("203.0.0.1", Verdict.ALLOWED, id="in the first"),
        pytest.param("203.0.19.255", Verdict.ALLOWED, id="in the last"),
        pytest.param("203.0.20.0", Verdict.BLOCKED, id="after the last"),
        pytest.param("10.200.0.1", Verdict.ALLOWED, id="in a wider one among them"),
    ],
)
def test_a_rule_of_many_blocks_allows_what_one_of_them_holds(address: str, verdict: Verdict) -> None:
    policy = {"egress": [{"toCIDR": [*(f"203.0.{n}.0/24" for n in range(20)), "10.0.0.0/8"]}]}
    found = ask(snapshot_of({**CLUSTER, "cilium": {"a/p": policy}}), "a/src", address, 443, "TCP")
    assert found.verdict is verdict


def about(rule: str, direction: Direction, number: int = 80, **subject: Any) -> object:
    """By the first rule of a policy, of a pod on node n1 with port http, but for what is given."""
    pod = Pod("a", "x", {}, (), (ContainerPort("http", 80),), node="n1")._replace(**subject)
    field = "ingress" if direction is Direction.INGRESS else "egress"
    snapshot = snapshot_of({**CLUSTER, "cilium": {"a/p": {field: [yaml.safe_load(rule)]}}})
    ((_, found),) = Cilium(snapshot).rules
    return found.condition.about(direction, pod, "TCP", number)


NUMBERED, NAMED = (f"{{toPorts: [{{ports: [{{port: '{port}'}}]}}]}}" for port in ("80", "http"))
AUTH = "{authentication: {mode: required}, toPorts: [{ports: [{port: http}]}]}"


@pytest.mark.parametrize(
    ("rule", "direction", "other", "same"),
    [
        pytest.param(NUMBERED, INGRESS, {"labels": {"app": "x"}}, True, id="its labels make no difference"),
        pytest.param(NUMBERED, INGRESS, {"number": 81}, False, id="the port asked for, at ingress"),
        pytest.param(NUMBERED, EGRESS, {"number": 81}, True, id="not at egress, where it is the peer's"),
        pytest.param(NUMBERED, INGRESS, {"ports": ()}, True, id="its ports make none by number"),
        pytest.param(NAMED, INGRESS, {"ports": ()}, False, id="its ports by name"),
        pytest.param(NAMED, EGRESS, {"ports": ()}, True, id="not at egress"),
        pytest.param(NUMBERED, INGRESS, {"node": "n2"}, False, id="its node, as there are pods on the host network"),
        pytest.param(AUTH, INGRESS, {"ports": ()}, False, id="a rule with authentication too"),
    ],
)
def test_what_of_a_subject_a_rule_depends_on(rule: str, direction: Direction, other: Any, *, same: bool) -> None:
    assert (about(rule, direction) == about(rule, direction, **other)) is same


def test_without_pods_on_the_host_network_the_node_makes_no_difference() -> None:
    pods = {"a/web": {"ip": "10.0.0.1", "node": "n1"}}
    snapshot = snapshot_of({"pods": pods, "cilium": {"a/p": {"ingress": [{"fromEntities": ["all"]}]}}})
    ((_, rule),) = Cilium(snapshot).rules
    found = [rule.condition.about(INGRESS, Pod("a", "x", node=node), "TCP", 80) for node in ("n1", "n2")]
    assert found[0] == found[1]
