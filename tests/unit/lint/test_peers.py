"""Extra dashes that split a rule or a peer, and peers that match no pod."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.analysis.isolation import peer_pods
from kubectl_netpol.lint.peers import similar_label_hint, split_peers, split_rules, unmatched_peers
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from tests.support.tables import snapshot_of

CLUSTER = yaml.safe_load("""
namespaces: {shop: {team: x}, lab: {}}
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1}
  shop/api: {labels: {app: api}, ip: 10.0.0.2}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1}
  lab/done: {labels: {app: done}, ip: 10.0.1.2, phase: Succeeded}
""")


@pytest.mark.parametrize(
    ("rules", "messages"),
    [
        pytest.param(
            "[{from: [{podSelector: {}}]}, {ports: [{port: 8080}]}]",
            [
                (
                    "p: ingress[0] allows its peers on every port, and ingress[1] its ports for everyone: "
                    "probably meant as one rule (remove the dash before ports)"
                )
            ],
            id="peers only, then ports only",
        ),
        pytest.param("[{ports: [{port: 1}]}, {from: [{podSelector: {}}]}]", [], id="ports only, then peers only"),
        pytest.param(
            "[{from: [{podSelector: {}}]}, {from: [{podSelector: {}}], ports: [{port: 1}]}]",
            [],
            id="peers only, then a complete rule",
        ),
        pytest.param(
            "[{from: [{podSelector: {}}], ports: [{port: 1}]}, {ports: [{port: 1}]}]",
            [],
            id="a complete rule, then ports only",
        ),
        pytest.param("[{}, {ports: [{port: 1}]}]", [], id="a rule for everything, then ports only"),
        pytest.param("[{from: [{podSelector: {}}]}, {}]", [], id="peers only, then a rule for everything"),
        pytest.param("[{from: [{podSelector: {}}]}]", [], id="one rule"),
    ],
)
def test_a_dash_before_ports_splits_a_rule(rules: str, messages: list[str]) -> None:
    snapshot = snapshot_of({"policies": {"shop/p": {"podSelector": {}, "ingress": yaml.safe_load(rules)}}})
    policy = snapshot.policies[0]
    notes = list(split_rules(policy, policy.rules_of(Direction.INGRESS)))
    assert [(note.code.value, note.message) for note in notes] == [("split-rule", message) for message in messages]


@pytest.mark.parametrize(
    ("peers", "messages"),
    [
        pytest.param(
            "[{ipBlock: {cidr: 192.0.2.0/24}}, {namespaceSelector: {matchLabels: {team: x}}}, "
            "{podSelector: {matchLabels: {app: api}}}]",
            [
                (
                    "p: egress[0].to[1] matches all pods in namespaces team=x, and egress[0].to[2] pods app=api: "
                    "either is enough; to require both, remove the dash before podSelector"
                )
            ],
            id="a namespaceSelector, then a podSelector",
        ),
        pytest.param("[{podSelector: {}}, {namespaceSelector: {}}]", [], id="a podSelector, then a namespaceSelector"),
        pytest.param(
            "[{namespaceSelector: {}, podSelector: {}}, {podSelector: {}}]", [], id="both, then a podSelector"
        ),
        pytest.param(
            "[{namespaceSelector: {}}, {namespaceSelector: {}, podSelector: {}}]",
            [],
            id="a namespaceSelector, then both",
        ),
        pytest.param(
            "[{namespaceSelector: {}}, {ipBlock: {cidr: 192.0.2.0/24}}]", [], id="a namespaceSelector, then an ipBlock"
        ),
        pytest.param("[{ipBlock: {cidr: 192.0.2.0/24}}, {podSelector: {}}]", [], id="an ipBlock, then a podSelector"),
    ],
)
def test_a_dash_before_pod_selector_splits_a_peer(peers: str, messages: list[str]) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": yaml.safe_load(peers)}]}
    policy = snapshot_of({"policies": {"shop/p": spec}}).policies[0]
    notes = list(split_peers(policy, policy.rules[0]))
    assert [(note.code.value, note.message) for note in notes] == [("split-peer", message) for message in messages]


@pytest.mark.parametrize(
    ("peer", "wanted"),
    [
        pytest.param("{podSelector: {}}", None, id="some pod matches"),
        pytest.param("{ipBlock: {cidr: 192.0.2.0/24}}", None, id="an ipBlock need not match a pod"),
        pytest.param(
            "{podSelector: {matchLabels: {app: ap}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=ap; did you mean app=api?",
            id="a pod of the namespace has a similar label",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: client}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=client",
            id="similar labels in other namespaces don't count without a namespaceSelector",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: cli}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=cli; "
            "such pods are in lab: add a namespaceSelector to the same peer",
            id="the pods are in another namespace",
        ),
        pytest.param(
            "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web, api]}]}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app notin (web,api); "
            "such pods are in lab: add a namespaceSelector to the same peer",
            id="the pods are in another namespace, by an expression",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: done}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=done",
            id="finished pods in another namespace don't count",
        ),
        pytest.param(
            "{namespaceSelector: {}, podSelector: {matchLabels: {app: clii}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=clii in all namespaces; "
            "did you mean app=cli?",
            id="a pod of any namespace has a similar label",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: cli}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=cli in namespaces team=x",
            id="the pods are in another namespace than the namespaceSelector's",
        ),
        pytest.param(
            "{namespaceSelector: {matchExpressions: [{key: name, operator: NotIn, values: [lab]}]}, "
            "podSelector: {matchLabels: {zone: north}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods zone=north in namespaces name!=lab",
            id="a namespace that an expression excludes",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {name: lab}}}",
            "namespace-name-label: p ingress[0].from[0]: no namespace has the label name=lab; "
            "to select namespace lab, use kubernetes.io/metadata.name: lab",
            id="a namespace by a label that no namespace has",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {name: nowhere}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: all pods in namespaces name=nowhere",
            id="a label that no namespace has, and its value is not a namespace",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: lab}}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: all pods in namespaces team=lab",
            id="a label that some namespace has, with another namespace as its value",
        ),
        pytest.param(
            "{namespaceSelector: {matchExpressions: [{key: team, operator: Exists}, "
            "{key: kubernetes.io/metadata.name, operator: In, values: [lab]}]}}",
            "peer-matches-nothing: p ingress[0].from[0] matches no pod: "
            "all pods in namespaces team,kubernetes.io/metadata.name=lab",
            id="kubernetes.io/metadata.name is never the mistake",
        ),
    ],
)
def test_a_peer_that_matches_no_pod(peer: str, wanted: str | None) -> None:
    spec = {"podSelector": {}, "ingress": [{"from": [yaml.safe_load(peer)]}]}
    snapshot = snapshot_of({**CLUSTER, "policies": {"shop/p": spec}})
    policy = snapshot.policies[0]
    rule = policy.rules[0]
    notes = unmatched_peers(snapshot, policy, rule, peer_pods(snapshot, policy, rule))
    assert [f"{note.code}: {note.message}" for note in notes] == ([wanted] if wanted else [])


def test_a_rule_for_everyone_and_one_for_all_pods_of_an_empty_namespace() -> None:
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}, {"from": [{"podSelector": {}}]}]}
    snapshot = snapshot_of({**CLUSTER, "policies": {"empty/p": spec}})
    policy = snapshot.policies[0]
    notes = [
        note.message
        for rule in policy.rules
        for note in unmatched_peers(snapshot, policy, rule, peer_pods(snapshot, policy, rule))
    ]
    assert notes == ["p ingress[1].from[0] matches no pod: all pods in empty"]


def test_a_peer_whose_pods_are_unread_has_no_warning() -> None:
    spec = {
        "podSelector": {},
        "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}]}],
    }
    gap = {"resource": "pods", "namespace": "lab", "message": "you may not list pods"}
    snapshot = snapshot_of({**CLUSTER, "live": True, "policies": {"shop/p": spec}, "gaps": [gap]})
    policy = snapshot.policies[0]
    rule = policy.rules[0]
    assert list(unmatched_peers(snapshot, policy, rule, peer_pods(snapshot, policy, rule))) == []


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        pytest.param("app=wbe", "; did you mean app=web?", id="two letters swapped"),
        pytest.param("ap=web", "; did you mean app=web?", id="a letter missing in the key"),
        pytest.param("app in (nothing,wbe)", "; did you mean app=web?", id="any of several values"),
        pytest.param("tier=back,app=wbe", "; did you mean app=web?", id="the second requirement"),
        pytest.param("app=web", "", id="a label that exists"),
        pytest.param("zone=north", "", id="nothing is close"),
        pytest.param("app!=wbe", "", id="only required labels have a hint"),
    ],
)
def test_the_label_that_was_probably_meant(selector: str, hint: str) -> None:
    assert similar_label_hint(parse_selector(selector), [{"app": "web", "tier": "back"}, {"app": "api"}]) == hint


def test_no_hint_without_labels_or_requirements() -> None:
    assert similar_label_hint(parse_selector("app=web"), []) == ""
    assert similar_label_hint(LabelSelector(), [{"app": "web"}]) == ""
