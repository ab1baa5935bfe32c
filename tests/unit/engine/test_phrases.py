"""Peers, ports and misses in words."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.engine.phrases import (
    count,
    miss_text,
    names_text,
    near_miss_text,
    peer_text,
    position_text,
    rule_ports_text,
)
from kubectl_netpol.engine.verdict import Dialled, Miss, NearMiss, RulePart
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.objects import ContainerPort, Pod
from kubectl_netpol.model.policies import Direction, Policy

POD = Pod("shop", "web", ports=(ContainerPort("http", 8080),))


def policy(rule: dict[str, Any]) -> Policy:
    reader = Reader(default_namespace="shop")
    reader.add_items("NetworkPolicy", [{"metadata": {"name": "p"}, "spec": {"podSelector": {}, "ingress": [rule]}}])
    return reader.snapshot().policies[0]


NAME = "kubernetes.io/metadata.name"


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (None, "everyone"),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, "10.0.0.0/8"),
        (
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}},
            "10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16",
        ),
        ({"podSelector": {}}, "all pods in shop"),
        ({"podSelector": {"matchLabels": {"run": "san"}}}, "pods run=san"),
        ({"namespaceSelector": {}}, "all pods in all namespaces"),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, "all pods in namespaces team=a"),
        ({"namespaceSelector": {"matchLabels": {NAME: "db"}}}, "all pods in db"),
        ({"namespaceSelector": {"matchLabels": {NAME: "db"}}, "podSelector": {}}, "all pods in db"),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": ["db"]}]}},
            f"all pods in namespaces {NAME}!=db",
        ),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": NAME, "operator": "In", "values": ["a", "b"]}]}},
            f"all pods in namespaces {NAME} in (a,b)",
        ),
        (
            {
                "podSelector": {
                    "matchExpressions": [
                        {"key": "a", "operator": "Exists"},
                        {"key": "b", "operator": "DoesNotExist"},
                        {"key": "c", "operator": "NotIn", "values": ["x", "y"]},
                    ]
                }
            },
            "pods a,!b,c notin (x,y)",
        ),
    ],
)
def test_a_peer_in_words(peer: dict[str, Any] | None, words: str) -> None:
    found = policy({"from": [peer]} if peer else {})
    assert peer_text(found.rules[0].peers[0] if peer else None, found) == words


@pytest.mark.parametrize(
    ("ports", "pod", "words"),
    [
        ([], None, "all ports"),
        ([{"port": 80}, {"port": 443}], None, "TCP 80,443"),
        ([{"port": "http"}, {"port": 53, "protocol": "UDP"}], POD, "TCP http (8080), UDP 53"),
        ([{"port": "http"}], None, "TCP http"),
        ([{"port": "gone"}], POD, "TCP gone"),
        ([{"port": 8000, "endPort": 8080}], None, "TCP 8000-8080"),
        ([{"protocol": "SCTP"}, {}], None, "SCTP any port, TCP any port"),
    ],
)
def test_ports_in_words(ports: list[Any], pod: Pod | None, words: str) -> None:
    assert rule_ports_text(policy({"ports": ports}).rules[0], pod) == words


@pytest.mark.parametrize(
    ("miss", "dialled", "words"),
    [
        ((RulePart.POD, "run=san", "run=sam"), None, "label run=san wanted, pod has run=sam"),
        ((RulePart.POD, "run=san", "no label run"), None, "label run=san wanted, pod has no label run"),
        ((RulePart.NAMESPACE, "team=a", "team=b"), None, "namespace label team=a wanted, namespace has team=b"),
        (
            (RulePart.NAMESPACE, "team", "no label team"),
            None,
            "namespace label team wanted, namespace has no label team",
        ),
        ((RulePart.NAMESPACE, "shop", "lab"), None, "pods of namespace shop wanted, this one is in lab"),
        ((RulePart.ADDRESS, "10.0.0.0/8", "192.0.2.1"), None, "10.0.0.0/8 wanted, not 192.0.2.1"),
        ((RulePart.NO_POD, "a pod", "192.0.2.1"), None, "a pod wanted, not 192.0.2.1"),
        ((RulePart.PROTOCOL, "UDP", "TCP"), None, "UDP wanted, not TCP"),
        ((RulePart.PORT_NAME, "http", "shop/web"), None, "port http wanted, shop/web has no port of that name"),
        ((RulePart.PORT, "80", "8080"), None, "port 80 wanted, not 8080"),
        (
            (RulePart.PORT, "80", "8080"),
            Dialled("10.96.0.1", 80),
            "port 80 wanted, not 8080 (the Service's 80 is the pod's 8080)",
        ),
        ((RulePart.PORT, "80", "8080"), Dialled("10.96.0.1", 8080), "port 80 wanted, not 8080"),
    ],
)
def test_a_miss_in_words(miss: tuple[RulePart, str, str], dialled: Dialled | None, words: str) -> None:
    assert miss_text(Miss(*miss), dialled) == words


def test_all_misses_of_a_rule_are_said() -> None:
    found = policy({"from": [{"podSelector": {}}]})
    misses = (Miss(RulePart.NO_POD, "a pod", "192.0.2.1"), Miss(RulePart.PROTOCOL, "UDP", "TCP"))
    near = NearMiss(found, found.rules[0], 0, None, misses)
    assert near_miss_text(near) == "a pod wanted, not 192.0.2.1; UDP wanted, not TCP"


def test_positions_and_counts() -> None:
    assert position_text(Direction.INGRESS, 0) == "ingress[0]"
    assert position_text(Direction.EGRESS, 2, 1) == "egress[2].to[1]"
    assert names_text(["a", "b"]) == "a, b"
    assert names_text(["a", "b", "c"], 2) == "a, b and 1 more"
    assert [count(1, "pod"), count(3, "pod"), count(1, "policy"), count(0, "policy")] == [
        "1 pod",
        "3 pods",
        "1 policy",
        "0 policies",
    ]
