"""The layers of a pod where Cilium runs, and which policies they come from; verdicts are in tests/cases/cilium.yaml."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.engine.cilium import Cilium
from kubectl_netpol.engine.phrases import where_text
from kubectl_netpol.model.policies import Direction
from tests.support.tables import ask, snapshot_of

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
CLUSTER: dict[str, Any] = yaml.safe_load("""
  nodes: {n1: [192.0.2.1]}
  pods:
    a/web: {labels: {app: web}, ip: 10.0.0.1, node: n1}
    a/src: {labels: {app: src}, ip: 10.0.0.2, node: n1}
    a/host: {labels: {app: web}, ip: 192.0.2.1, node: n1, host_network: true}
    b/src: {labels: {app: src}, ip: 10.0.1.2, node: n1}
    a/done: {labels: {app: web}, node: n1, phase: Succeeded}
  policies:
    a/plain: {podSelector: {}, policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]}
  cilium:
    a/deny:
      endpointSelector: {matchLabels: {app: web}}
      ingressDeny: [{fromEntities: [world]}]
      enableDefaultDeny: {ingress: false}
    a/bad: {ingress: [{fromEndpoints: [{}], fromEntities: [all]}]}
    a/nodes: {ingress: [{fromNodes: [{}]}]}
    both:
      - endpointSelector: {matchLabels: {app: web}}
        ingress: [{fromEntities: [all], authentication: {mode: required}}]
      - {endpointSelector: {matchLabels: {app: web}}, egress: [{}], ingress: [{}]}
    of-nodes: {nodeSelector: {}, egress: [{}]}
""")
SNAPSHOT = snapshot_of(CLUSTER)


def pod(name: str) -> Any:
    return SNAPSHOT.pod("a", name)


@pytest.mark.parametrize(
    ("name", "direction", "policies"),
    [
        ("web", INGRESS, ["plain", "both"]),
        ("web", EGRESS, ["plain", "both"]),
        ("src", INGRESS, ["plain"]),
        ("host", INGRESS, []),
        ("host", EGRESS, ["of-nodes"]),
    ],
)
def test_who_isolates(name: str, direction: Direction, policies: list[str]) -> None:
    assert [policy.name for policy in Cilium(SNAPSHOT).isolating(pod(name), direction)] == policies


@pytest.mark.parametrize(
    ("name", "policies"),
    [("web", ["plain", "deny", "nodes", "both"]), ("src", ["plain", "nodes"]), ("host", ["of-nodes"])],
)
def test_who_selects(name: str, policies: list[str]) -> None:
    assert [policy.name for policy in Cilium(SNAPSHOT).selecting(pod(name))] == policies


def test_every_rule_once_by_its_path() -> None:
    assert [f"{policy.name} {where_text(rule)}" for policy, rule in Cilium(SNAPSHOT).rules] == [
        "plain ingress[0]",
        "deny ingressDeny[0]",
        "nodes ingress[0]",
        "both specs[0].ingress[0]",
        "both specs[1].ingress[0]",
        "both specs[1].egress[0]",
        "of-nodes egress[0]",
    ]


def test_denies_come_first_and_what_is_left_is_blocked_by_those_who_ask_for_it() -> None:
    (layer,) = Cilium(SNAPSHOT).layers(pod("web"), INGRESS)
    plain, why = layer.either[0]
    assert why is None
    assert [found.isolates for found in plain] == [False, True]
    assert [note and note.code.value for _, note in layer.either] == [None, "plugin-setting"]


@pytest.mark.parametrize(
    ("cluster", "direction"),
    [
        pytest.param({}, INGRESS, id="no policy"),
        pytest.param({"cilium": {"a/p": {"egress": [{}]}}}, INGRESS, id="none of the direction"),
        pytest.param({"cilium": {"b/p": {"ingress": [{}]}}}, INGRESS, id="none that selects it"),
        pytest.param(
            {"cilium": {"a/p": {"ingress": [{"fromEntities": ["all"], "fromCIDR": ["10.0.0.0/8"]}]}}},
            INGRESS,
            id="one that is refused",
        ),
    ],
)
def test_without_a_policy_that_takes_part_there_are_no_layers(cluster: dict[str, Any], direction: Direction) -> None:
    snapshot = snapshot_of({"pods": {"a/web": {"ip": "10.0.0.1", "node": "n1"}}, "plugin": "Cilium", **cluster})
    assert Cilium(snapshot).layers(snapshot.pods[0], direction) == ()


NAMESPACE, ZONE = "io.kubernetes.pod.namespace", "topology.kubernetes.io/zone"


@pytest.mark.parametrize(
    ("spec", "direction", "notes"),
    [
        pytest.param("ingress: [{fromEndpoints: [{matchLabels: {app: x}}]}]", INGRESS, [], id="nothing open"),
        pytest.param(
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: DoesNotExist}]}]}]",
            INGRESS,
            [],
            id="a negative term beside the own namespace",
        ),
        pytest.param(
            f"ingress: [{{fromEndpoints: [{{matchExpressions: [{{key: {NAMESPACE}, operator: DoesNotExist}}]}}]}}]",
            INGRESS,
            ["plugin-version: ingress[0] says only what its peers are not"],
            id="negative terms alone",
        ),
        pytest.param(
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: 'reserved:host', operator: DoesNotExist}]}]}]",
            INGRESS,
            [],
            id="negative terms of reserved labels",
        ),
        pytest.param(
            f"ingress: [{{fromEndpoints: [{{matchLabels: {{{ZONE}: z}}}}]}}]",
            INGRESS,
            [f"plugin-version: ingress[0] selects by {ZONE}"],
            id="a zone of a peer",
        ),
        pytest.param(
            f"ingress: [{{}}], endpointSelector: {{matchLabels: {{{ZONE}: z}}}}",
            INGRESS,
            [f"plugin-version: selects pods by {ZONE}"],
            id="a zone of the subject",
        ),
        pytest.param(
            "egress: [{toPorts: [{ports: [{port: web}]}]}]",
            EGRESS,
            ["plugin-version: egress[0] has a port name, at egress"],
            id="a port name at egress",
        ),
        pytest.param("ingress: [{toPorts: [{ports: [{port: web}]}]}]", INGRESS, [], id="a port name at ingress"),
        pytest.param(
            "egress: [{toPorts: [{ports: [{port: web}]}]}], ingress: [{}]", INGRESS, [], id="of the other direction"
        ),
        pytest.param(
            "ingress: [{fromEntities: [kube-apiserver]}]",
            INGRESS,
            ["api-server-unknown: ingress[0] is about the API server"],
            id="the API server",
        ),
        pytest.param(
            "ingress: [{fromEndpoints: [{matchLabels: {kube-apiserver: ''}}]}]",
            INGRESS,
            ["api-server-unknown: ingress[0] is about the API server"],
            id="the API server by its label",
        ),
        pytest.param(
            "ingress: [{fromNodes: [{}]}]",
            INGRESS,
            ["plugin-setting: has fromNodes or toNodes"],
            id="nodes",
        ),
        pytest.param(
            "ingress: [{fromNodes: [{}]}, {fromEntities: [kube-apiserver]}]",
            INGRESS,
            [
                "plugin-setting: has fromNodes or toNodes",
                "api-server-unknown: ingress[1] is about the API server",
                "plugin-setting: has fromNodes or toNodes",
            ],
            id="two things, in each combination",
        ),
    ],
)
def test_what_the_objects_do_not_tell_is_asked_apart_only_where_it_matters(
    spec: str, direction: Direction, notes: list[str]
) -> None:
    pods = {"a/web": {"ip": "10.0.0.1", "node": "n1", "labels": {"app": "web", ZONE: "z"}}}
    snapshot = snapshot_of({"pods": pods, "cilium": {"a/p": yaml.safe_load(f"{{{spec}}}")}})
    (layer, *_) = Cilium(snapshot).layers(snapshot.pods[0], direction)
    found = [f"{note.code.value}: {note.message}" for _, note in layer.either if note]
    title = "a/ciliumnetworkpolicy.cilium.io/p "
    assert [text.replace(title, "", 1)[: len(note)] for text, note in zip(found, notes, strict=True)] == notes


def test_the_reason_names_the_rule_by_its_policy() -> None:
    found = ask(SNAPSHOT, "203.0.113.1", "a/web", 80, "TCP")
    assert found.reason
    assert found.reason.message == "a/ciliumnetworkpolicy.cilium.io/deny ingressDeny[0] denies it"
    asked = ask(SNAPSHOT, "b/src", "a/web", 80, "TCP")
    assert asked.reason
    assert asked.reason.message == (
        "ciliumclusterwidenetworkpolicy.cilium.io/both specs[0].ingress[0] requires authentication, and whether that "
        "succeeds is not known"
    )


def test_the_reason_names_a_node_by_its_name() -> None:
    found = ask(SNAPSHOT, "node/n1", "b/src", 80, "TCP")
    assert found.reason
    assert found.reason.message == "a policy selects node n1, and whether Cilium's host firewall is on is not known"


def test_the_labels_of_a_node_that_was_not_read_are_not_known() -> None:
    pods = {
        "a/host": {"ip": "192.0.2.9", "node": "n9", "host_network": True},
        "a/src": {"ip": "10.0.0.1", "node": "n1"},
    }
    policies = {"p": {"nodeSelector": {"matchLabels": {"pool": "x"}}, "ingress": [{}]}}
    snapshot = snapshot_of({"pods": pods, "cilium": policies})
    (layer,) = Cilium(snapshot).layers(snapshot.pods[0], INGRESS)
    assert [len(layers) for layers, _ in layer.either] == [0, 1]
    unknown = layer.either[1][0][0].unknown
    assert unknown
    assert unknown.message == "the labels of the node of a/host are unknown, and policies select by them"
