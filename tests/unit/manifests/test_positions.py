"""Where fields stand in YAML and JSON."""

from __future__ import annotations

import json

import pytest

from kubectl_netpol.manifests.positions import Positions, steps

STREAM = """\
# head
apiVersion: v1
kind: Pod
metadata: {name: web}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: web
  ingress:
  # a comment
  - from:
    - podSelector: {}
    - namespaceSelector: {}
  - ports:
    - port: 80
--- # the last
apiVersion: v1
kind: List
items:
- apiVersion: policy.networking.k8s.io/v1alpha1
  kind: AdminNetworkPolicy
  metadata: {name: admin}
  spec:
    priority: 5
- text
---
just: text
---
- a list
---
apiVersion: v1
kind: Pod
metadata: nothing
spec: {name: web}
"""
POLICY, ADMIN = ("NetworkPolicy", "shop", "web"), ("AdminNetworkPolicy", "", "admin")


@pytest.mark.parametrize(
    ("key", "path", "line"),
    [
        pytest.param(POLICY, "", 6, id="the object"),
        pytest.param(POLICY, "spec.podSelector", 12, id="a field, by the line of its key"),
        pytest.param(POLICY, "spec.podSelector.matchLabels[app.kubernetes.io/name]", 14, id="a label with dots"),
        pytest.param(POLICY, "spec.ingress[0]", 17, id="an item"),
        pytest.param(POLICY, "spec.ingress[0].from[1]", 19, id="an item of an item"),
        pytest.param(POLICY, "spec.ingress[1].ports[0].port", 21, id="a scalar"),
        pytest.param(POLICY, "spec.ingress[7].ports", 15, id="an item that is not there: the list"),
        pytest.param(POLICY, "spec.podSelector.matchLabels[app.kubernetes.io/name].x", 14, id="below a scalar"),
        pytest.param(POLICY, "spec.egress", 11, id="a field that is not there: the one above"),
        pytest.param(ADMIN, "spec.priority", 30, id="in a List"),
        pytest.param(("Pod", "default", "web"), "metadata.name", 4, id="in the default namespace"),
        pytest.param(("Pod", "default", "none"), "", None, id="an object that is not there"),
        pytest.param(("Pod", "other", "web"), "", None, id="one of another namespace"),
    ],
)
def test_lines(key: tuple[str, str, str], path: str, line: int | None) -> None:
    assert Positions(STREAM).line(key, path) == line


def test_a_place_is_the_field_itself_or_nothing() -> None:
    positions = Positions(STREAM)
    place = positions.place(POLICY, "spec.ingress[1].ports[0].port")
    assert place
    start, end = place.span(place.node)
    assert STREAM[start:end] == "80"
    assert positions.place(POLICY, "spec.ingress[2]") is None


def test_of_an_object_that_is_there_twice_the_last_one_counts() -> None:
    assert Positions(f"{STREAM}---\n{STREAM}").line(POLICY, "") == 47


def test_a_document_that_is_no_yaml_has_no_lines() -> None:
    assert Positions("kind: [\nname: web\n").line(POLICY, "") is None


NAMES = [{"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "shop"}, "spec": {}} for name in ("a", "b")]
LIST = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicyList", "metadata": {}, "items": NAMES}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(json.dumps(LIST, indent=1), 20, id="one line a field"),
        pytest.param(json.dumps(LIST), 1, id="one line"),
        pytest.param(json.dumps({**LIST, "items": []}), None, id="an empty list"),
        pytest.param(json.dumps({**LIST, "items": {"a": 1}}), None, id="items that are no list"),
        pytest.param("{apiVersion: v1, kind: List}", None, id="flow-style YAML"),
        pytest.param('{"items": [1 2]}', None, id="something else"),
    ],
)
def test_an_item_of_a_json_list(text: str, line: int | None) -> None:
    assert Positions(text).line(("NetworkPolicy", "shop", "b"), "spec") == line


def test_one_json_object() -> None:
    single = json.dumps({"apiVersion": LIST["apiVersion"], **NAMES[0]}, indent=1)
    assert Positions(single).line(("NetworkPolicy", "shop", "a"), "spec") == 8


def test_steps_of_a_path() -> None:
    assert steps("spec.ingress[0].matchLabels[a.b/c]") == ["spec", "ingress", "0", "matchLabels", "a.b/c"]
    assert steps("") == []
