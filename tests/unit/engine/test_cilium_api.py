"""Why Cilium's reading of NetworkPolicies is not the API's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.tables import ask, snapshot_of

CLUSTER = yaml.safe_load("""
  plugin: Cilium
  namespaces: {a: {team: x}}
  nodes: {n1: [192.0.2.1], n2: [192.0.2.2]}
  pods:
    a/src: {labels: {app: src, pod-template-hash: h}, ip: 10.0.0.1, node: n1}
    a/web: {labels: {app: web}, ip: 10.0.0.2, node: n1, ports: http=80}
    a/db: {labels: {app: db}, ip: 10.0.0.3, node: n1, ports: http=5432}
    a/host: {labels: {app: host}, ip: 192.0.2.2, node: n2, host_network: true}
  services:
    a/front: {type: NodePort, clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
""")
WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
SRC = {"podSelector": {"matchLabels": {"app": "src"}}}


def caveats(policy: dict[str, Any], source: str, destination: str, port: int = 80) -> list[str]:
    found = ask(snapshot_of({**CLUSTER, "policies": {"a/p": policy}}), source, destination, port, "TCP")
    assert found.plugin == "Cilium"
    return [note.message for note in found.caveats if note.code == "plugin-differs"]


@pytest.mark.parametrize(
    ("policy", "source", "destination", "text"),
    [
        (
            {**WEB, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
            "a/src",
            "a/web",
            "allowed; on Cilium an ipBlock never matches a pod",
        ),
        (
            {**WEB, "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]},
            "node/n2",
            "a/web",
            "allowed; on Cilium an ipBlock never matches a node",
        ),
        (
            {**WEB, "policyTypes": ["Egress"], "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "x"}}}]}]},
            "a/src",
            "a/web",
            "allowed; on Cilium rules count, and isolate, where policyTypes leaves their direction out",
        ),
        (
            {**SRC, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}]},
            "a/src",
            "node/n1",
            "undefined; on Cilium a pod's own node is let in, and not out",
        ),
        (
            {**WEB, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "host"}}}]}]},
            "a/host",
            "a/web",
            "undefined; on Cilium no peer of a NetworkPolicy matches a node, or a pod on its network",
        ),
        (
            {"podSelector": {"matchLabels": {"app": "host"}}},
            "a/src",
            "a/host",
            "undefined; on Cilium a pod on the host network is no pod to a NetworkPolicy",
        ),
        (
            {**WEB, "ingress": [{"from": [{"podSelector": {"matchLabels": {"pod-template-hash": "h"}}}]}]},
            "a/src",
            "a/web",
            "allowed; on Cilium pods are not told apart by the label pod-template-hash",
        ),
        (
            {"podSelector": {"matchLabels": {"pod-template-hash": "h"}}},
            "a/web",
            "a/src",
            "blocked; on Cilium pods are not told apart by the label pod-template-hash",
        ),
        (
            {**SRC, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]},
            "a/src",
            "a/web",
            (
                "allowed; on Cilium a port name at egress is one number for the whole cluster up to 1.18, "
                "and the destination's after it"
            ),
        ),
        (
            {
                **WEB,
                "ingress": [
                    {
                        "from": [
                            {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}
                        ]
                    }
                ],
            },
            "203.0.113.1",
            "a/web",
            "blocked; on Cilium a namespaceSelector that only excludes matches more than pods up to 1.18",
        ),
    ],
)
def test_what_differs(policy: dict[str, Any], source: str, destination: str, text: str) -> None:
    assert caveats(policy, source, destination) == [f"by the NetworkPolicy API: {text}"]


def test_a_service_is_seen_as_the_pod_behind_it() -> None:
    policy = {**SRC, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "10.96.0.0/12"}}]}]}
    assert caveats(policy, "a/src", "a/svc/front") == [
        "by the NetworkPolicy API: undefined; on Cilium a Service's traffic is seen as that of its ends"
    ]


@pytest.mark.parametrize(
    ("policy", "source", "destination"),
    [
        pytest.param({**WEB, "ingress": [{}]}, "a/src", "a/web", id="both allow"),
        pytest.param(WEB, "a/src", "a/web", id="both block"),
        pytest.param({**WEB, "ingress": [{"from": [{"podSelector": {}}]}]}, "a/src", "a/web", id="by labels"),
    ],
)
def test_what_does_not_differ(policy: dict[str, Any], source: str, destination: str) -> None:
    assert caveats(policy, source, destination) == []


def test_what_ciliums_own_policies_decide_is_no_difference() -> None:
    cluster = {**CLUSTER, "cilium": {"a/deny": {"ingressDeny": [{"fromEntities": ["all"]}]}}}
    found = ask(snapshot_of(cluster), "a/src", "a/web", 80, "TCP")
    assert (found.verdict.value, found.api_verdict and found.api_verdict.value) == ("blocked", "allowed")
    assert not found.caveats


def test_without_the_plugin_there_is_nothing_to_compare() -> None:
    found = ask(snapshot_of({**CLUSTER, "plugin": None}), "a/src", "a/web", 80, "TCP")
    assert (found.plugin, found.api_verdict) == (None, None)
