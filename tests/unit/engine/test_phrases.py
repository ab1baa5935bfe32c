"""Peers, ports, positions and near misses as text."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.engine.phrases import (
    count,
    match_text,
    miss_text,
    names_text,
    near_miss_text,
    peer_text,
    policy_text,
    position_text,
    rule_ports_text,
)
from kubectl_netpol.engine.verdict import Connection, Dialled, End, Miss, NearMiss, RuleMatch, RulePart
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.objects import ContainerPort, Pod
from kubectl_netpol.model.policies import Direction, Policy, Tier

POD = Pod("shop", "web", ports=(ContainerPort("http", 8080),))
NAME = "kubernetes.io/metadata.name"


def policy(rule: dict[str, Any]) -> Policy:
    reader = Reader(default_namespace="shop")
    reader.add_items("NetworkPolicy", [{"metadata": {"name": "p"}, "spec": {"podSelector": {}, "ingress": [rule]}}])
    return reader.snapshot().policies[0]


def by_name(operator: str, *names: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchExpressions": [{"key": NAME, "operator": operator, "values": list(names)}]}}


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        pytest.param(None, "everyone", id="no peers"),
        pytest.param({"ipBlock": {"cidr": "10.0.0.0/8"}}, "10.0.0.0/8", id="an ipBlock"),
        pytest.param(
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}},
            "10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16",
            id="an ipBlock with excepts",
        ),
        pytest.param({"podSelector": {}}, "all pods in shop", id="every pod of the policy's namespace"),
        pytest.param({"podSelector": {"matchLabels": {"run": "san"}}}, "pods run=san", id="pods by label"),
        pytest.param({"namespaceSelector": {}}, "all pods in all namespaces", id="every namespace"),
        pytest.param(
            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"run": "san"}}},
            "pods run=san in all namespaces",
            id="pods by label in every namespace",
        ),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"team": "a"}}},
            "all pods in namespaces team=a",
            id="namespaces by label",
        ),
        pytest.param(by_name("In", "db"), "all pods in db", id="one namespace by name"),
        pytest.param({**by_name("In", "db"), "podSelector": {}}, "all pods in db", id="an empty podSelector in it"),
        pytest.param(by_name("NotIn", "db"), f"all pods in namespaces {NAME}!=db", id="all but one namespace"),
        pytest.param(by_name("In", "a", "b"), f"all pods in namespaces {NAME} in (a,b)", id="two namespaces by name"),
        pytest.param(
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
            id="pods by expressions",
        ),
    ],
)
def test_a_peer(peer: dict[str, Any] | None, text: str) -> None:
    found = policy({"from": [peer]} if peer else {})
    assert peer_text(found.rules[0].peers[0] if peer else None, found) == text


@pytest.mark.parametrize(
    ("ports", "pod", "text"),
    [
        pytest.param([], None, "all ports", id="no ports"),
        pytest.param([{"port": 80}, {"port": 443}], None, "TCP 80,443", id="two of one protocol"),
        pytest.param(
            [{"port": "http"}, {"port": 53, "protocol": "UDP"}],
            POD,
            "TCP http (8080), UDP 53",
            id="a name that the pod has, and another protocol",
        ),
        pytest.param([{"port": "http"}], None, "TCP http", id="a name without a pod"),
        pytest.param([{"port": "gone"}], POD, "TCP gone (no such port)", id="a name that the pod does not have"),
        pytest.param([{"port": 8000, "endPort": 8080}], None, "TCP 8000-8080", id="a range"),
        pytest.param([{"protocol": "SCTP"}, {}], None, "SCTP any port, TCP any port", id="protocols without ports"),
    ],
)
def test_the_ports_of_a_rule(ports: list[Any], pod: Pod | None, text: str) -> None:
    assert rule_ports_text(policy({"ports": ports}).rules[0], pod) == text


@pytest.mark.parametrize(
    ("miss", "dialled", "text"),
    [
        pytest.param(
            (RulePart.POD, "run=san", "run=sam"), None, "requires label run=san, pod has run=sam", id="another value"
        ),
        pytest.param(
            (RulePart.POD, "run=san", "no label run"),
            None,
            "requires label run=san, pod has no label run",
            id="no such label",
        ),
        pytest.param(
            (RulePart.NAMESPACE, "team=a", "team=b"),
            None,
            "requires namespace label team=a, namespace has team=b",
            id="another value of a namespace label",
        ),
        pytest.param(
            (RulePart.NAMESPACE, "team", "no label team"),
            None,
            "requires namespace label team, namespace has no label team",
            id="no such namespace label",
        ),
        pytest.param(
            (RulePart.NAMESPACE, "!team", "team=a"),
            None,
            "requires namespace label !team, namespace has team=a",
            id="a namespace label that must be absent",
        ),
        pytest.param(
            (RulePart.NAMESPACE, "shop", "lab"),
            None,
            "requires a pod in namespace shop, this one is in lab",
            id="another namespace",
        ),
        pytest.param(
            (RulePart.ADDRESS, "10.0.0.0/8", "192.0.2.1"), None, "requires 10.0.0.0/8, not 192.0.2.1", id="an address"
        ),
        pytest.param((RulePart.NO_POD, "a pod", "192.0.2.1"), None, "requires a pod, not 192.0.2.1", id="not a pod"),
        pytest.param((RulePart.PROTOCOL, "UDP", "TCP"), None, "requires UDP, not TCP", id="another protocol"),
        pytest.param(
            (RulePart.PORT_NAME, "http", "shop/web"),
            None,
            "requires port http, shop/web has no port of that name",
            id="no such port name",
        ),
        pytest.param(
            (RulePart.PORT_NAME, "dns", "shop/web"),
            Dialled("10.96.0.1", 53),
            "requires port dns, shop/web has no TCP port of that name",
            id="no such port name, of the protocol that is asked about",
        ),
        pytest.param((RulePart.PORT, "80", "8080"), None, "requires port 80, not 8080", id="another port"),
        pytest.param(
            (RulePart.PORT, "80", "8080"),
            Dialled("10.96.0.1", 80),
            "requires port 80, not 8080 (the Service's 80 is the pod's 8080)",
            id="another port, mapped by a Service",
        ),
        pytest.param(
            (RulePart.PORT, "80", "8080"),
            Dialled("10.96.0.1", 8080),
            "requires port 80, not 8080",
            id="another port, the same on the Service",
        ),
    ],
)
def test_a_miss(miss: tuple[RulePart, str, str], dialled: Dialled | None, text: str) -> None:
    assert miss_text(Miss(*miss), dialled and dialling(dialled, POD)) == text


def dialling(dialled: Dialled, pod: Pod | None) -> Connection:
    return Connection(End(), End(pod=pod, address="192.0.2.9"), "TCP", 6443, dialled)


def test_what_is_behind_a_service_may_be_no_pod() -> None:
    text = miss_text(Miss(RulePart.PORT, "80", "6443"), dialling(Dialled(None, 443), None))
    assert text == "requires port 80, not 6443 (the Service's 443 is the endpoint's 6443)"


def test_a_rule_without_peers_is_for_everyone_or_leads_anywhere() -> None:
    found = policy({"ports": []})
    assert [peer_text(None, found, direction) for direction in Direction] == ["everyone", "anywhere"]
    assert peer_text(None, found) == "everyone"


def test_a_near_miss_lists_all_that_a_rule_misses() -> None:
    found = policy({"from": [{"podSelector": {}}]})
    misses = (Miss(RulePart.NO_POD, "a pod", "192.0.2.1"), Miss(RulePart.PORT, "80", "8080"))
    near = NearMiss(found, found.rules[0], 0, None, misses)
    assert near_miss_text(near, dialling(Dialled(None, 81), POD)) == (
        "requires a pod, not 192.0.2.1; requires port 80, not 8080 (the Service's 81 is the pod's 8080)"
    )


@pytest.mark.parametrize(
    ("direction", "peer", "text"),
    [
        pytest.param(Direction.INGRESS, None, "ingress[2]", id="a rule"),
        pytest.param(Direction.INGRESS, 0, "ingress[2].from[0]", id="a peer of an ingress rule"),
        pytest.param(Direction.EGRESS, 1, "egress[2].to[1]", id="a peer of an egress rule"),
    ],
)
def test_a_position_is_a_path_in_the_spec(direction: Direction, peer: int | None, text: str) -> None:
    assert position_text(direction, 2, peer) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        pytest.param("", "", id="none"),
        pytest.param("a b c d e", "a, b, c, d, e", id="five"),
        pytest.param("a b c d e f", "a, b, c, d, e and 1 more", id="six"),
    ],
)
def test_long_lists_end_with_a_count(names: str, text: str) -> None:
    assert names_text(names.split()) == text


def test_the_limit_of_a_list() -> None:
    assert names_text(["a", "b", "c"], 1) == "a and 2 more"


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(1, "pod", "1 pod"), (3, "pod", "3 pods"), (0, "policy", "0 policies"), (1, "policy", "1 policy")],
    ids=["one", "several", "none, with y", "one, with y"],
)
def test_a_count_has_the_number_of_its_noun(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text


def tiered(peer: str, rule: str = "action: Deny") -> Policy:
    """An AdminNetworkPolicy, whose peers can be of every kind."""
    spec = f"{{priority: 7, subject: {{namespaces: {{}}}}, egress: [{{{rule}, to: [{peer}]}}]}}"
    reader = Reader(live=True)
    reader.add_items("AdminNetworkPolicy", [{"metadata": {"name": "p"}, "spec": yaml.safe_load(spec)}])
    return reader.snapshot().tiered[0]


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        pytest.param("{namespaces: {}}", "all pods in all namespaces", id="every pod"),
        pytest.param("{namespaces: {matchLabels: {team: a}}}", "all pods in namespaces team=a", id="namespaces"),
        pytest.param(
            "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: x}}}}",
            "pods app=x in all namespaces",
            id="pods",
        ),
        pytest.param("{networks: [10.0.0.0/8, 192.0.2.0/24]}", "10.0.0.0/8, 192.0.2.0/24", id="networks"),
        pytest.param("{nodes: {}}", "all nodes", id="every node"),
        pytest.param("{nodes: {matchLabels: {zone: a}}}", "nodes zone=a", id="nodes by label"),
        pytest.param("{domainNames: [example.com, a.b]}", "example.com, a.b", id="domain names"),
        pytest.param(
            "{namespaces: {sameLabels: [team, env]}}",
            "all pods in namespaces with the same team, env",
            id="the same labels",
        ),
        pytest.param(
            "{pods: {namespaces: {notSameLabels: [team]}, podSelector: {matchLabels: {app: x}}}}",
            "pods app=x in namespaces with another team",
            id="other labels",
        ),
        pytest.param("{namespaces: {notSameLabels: []}}", "no pods", id="no label at all"),
        pytest.param(
            "{nodes: {matchExpressions: [{key: a, operator: In}]}}",
            "a peer that can't be evaluated (spec.egress[0].to[0].nodes.matchExpressions[0].values: "
            "In requires at least one value)",
            id="a selector that is no selector",
        ),
    ],
)
def test_a_peer_of_a_tier(peer: str, text: str) -> None:
    policy = tiered(peer)
    assert peer_text(policy.rules[0].peers[0], policy) == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param("action: Deny", "adminnetworkpolicy.policy.networking.k8s.io/p egress[0].to[0]", id="by position"),
        pytest.param(
            "action: Deny, name: no way",
            'adminnetworkpolicy.policy.networking.k8s.io/p egress[0].to[0] "no way"',
            id="with its name",
        ),
    ],
)
def test_a_rule_that_matches(rule: str, text: str) -> None:
    policy = tiered("{namespaces: {}}", rule)
    assert match_text(RuleMatch(policy, policy.rules[0], 0, None)) == text


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        pytest.param(policy({}), "p", id="a NetworkPolicy"),
        pytest.param(
            tiered("{nodes: {}}"), "adminnetworkpolicy.policy.networking.k8s.io/p (Admin, priority 7)", id="a tier"
        ),
        pytest.param(
            tiered("{nodes: {}}")._replace(kind="BaselineAdminNetworkPolicy", name="default", tier=Tier.BASELINE),
            "baselineadminnetworkpolicy.policy.networking.k8s.io/default (Baseline)",
            id="the one that has no priority",
        ),
    ],
)
def test_a_policy(policy: Policy, text: str) -> None:
    assert policy_text(policy) == text
