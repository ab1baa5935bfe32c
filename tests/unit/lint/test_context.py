"""What all checks ask of the snapshot, worked out once."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.lint.context import labels_text, pods_text
from tests.support.linting import SHOP, context_of
from tests.support.tables import snapshot_of

REPLICAS = yaml.safe_load("""
pods:
  a/web-1: {labels: {app: web}, ip: 10.0.0.1}
  a/web-2: {labels: {app: web}, ip: 10.0.0.2}
  a/old: {labels: {app: web}, ip: 10.0.0.9, phase: Succeeded}
  a/api: {labels: {app: api}, ip: 10.0.0.3}
  a/none: {ip: 10.0.0.4}
  b/web: {labels: {app: web}, ip: 10.0.1.1}
services:
  a/node: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
  a/inside: {selector: {app: web}, ports: [{port: 80}]}
""")


def test_pods_with_the_same_labels_and_ports_are_one_class() -> None:
    context = context_of(REPLICAS)
    assert [(one.pod.name, one.size) for one in context.classes_in("a")] == [("web-1", 2), ("api", 1), ("none", 1)]
    assert context.classes_in("a") is context.classes_in("a")
    assert [one.number for one in context.classes()] == [0, 1, 2, 3]


def test_pods_as_text() -> None:
    context = context_of(REPLICAS)
    assert pods_text(context.classes_in("a"), 2) == "a/web-1 (app=web), a/api (app=api) and 2 more"
    assert pods_text(context.classes_in("b")) == "b/web (app=web)"
    assert labels_text(context.classes_in("a")[2].pod) == "no labels"


def test_published_services() -> None:
    context = context_of(REPLICAS)
    assert [service.name for service in context.public_services("a")] == ["node"]
    assert context.public_services("b") == []
    assert context.public_services("a") is context.public_services("a")


def test_addresses_in_order() -> None:
    context = context_of(REPLICAS)
    assert [pod.name for _, pod in context.addresses(4)] == ["web-1", "web-2", "api", "none", "web"]
    assert context.addresses(6) == []
    assert context.addresses(4) is context.addresses(4)


@pytest.mark.parametrize(
    ("peer", "classes", "unknown"),
    [
        pytest.param({"namespaces": {"matchLabels": {"team": "x"}}}, ["shop/web", "shop/api"], False, id="by labels"),
        pytest.param({"namespaces": {"sameLabels": ["team"]}}, [], True, id="by those of the subject's own namespace"),
    ],
)
def test_whom_a_peer_matches(peer: dict[str, object], classes: list[str], unknown: bool) -> None:  # noqa: FBT001 - a column
    rule = {"action": "Allow", "from": [peer]}
    spec = {"priority": 1, "subject": {"namespaces": {}}, "ingress": [rule]}
    cluster = {**SHOP, "tiers": {"anp/p": spec}}
    context = context_of(cluster)
    policy = context.snapshot.tiered[0]
    matched = context.matched(policy, policy.rules[0].peers[0])
    assert ([one.pod.key for one in matched.classes], matched.unknown) == (classes, unknown)
    assert context.matched(policy, policy.rules[0].peers[0]) is matched


def test_whom_a_policy_of_a_tier_selects() -> None:
    spec = {"priority": 1, "subject": {"namespaces": {"matchLabels": {"team": "x"}}}, "ingress": []}
    context = context_of({**SHOP, "tiers": {"anp/p": spec}})
    policy = context.snapshot.tiered[0]
    assert [one.pod.key for one in context.selected(policy)] == ["shop/web", "shop/api"]
    assert context.numbers(policy) == {0, 1}
    assert context.numbers(policy) is context.numbers(policy)


def test_labels_that_controllers_set_are_on_no_template() -> None:
    context = context_of({"pods": {"a/web": {"planned": True}, "b/web": {"ip": "10.0.0.1"}}})
    selector = (
        snapshot_of({"policies": {"a/p": {"podSelector": {"matchLabels": {"pod-template-hash": "x"}}}}})
        .policies[0]
        .pod_selector
    )
    assert not context.can_tell(selector, ["a", "b"])
    assert context.can_tell(selector, ["b"])
    assert context.can_tell(None, ["a"])
