"""Predictions: what the verdicts on a request's routes have in common, and where they differ."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.connection.predict import Prediction, pod_connection, predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import Request, request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.snapshot import Gap, Snapshot
from tests.support.tables import ask, snapshot_of

CLUSTER = yaml.safe_load("""
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1}
  a/six: {labels: {app: src}, ip: "fd00::1"}
  a/both: {labels: {app: src}, ip: "10.0.0.9 fd00::9"}
  a/one: {labels: {app: web, v: "1"}, ip: "10.0.0.2 fd00::2", ports: http=80}
  a/two: {labels: {app: web, v: "2"}, ip: "fd00::3 10.0.0.3", ports: http=80}
  a/four: {labels: {v: "4"}, ip: "10.0.0.4 fd00::4"}
  a/jailed: {labels: {v: jailed}, ip: 10.0.0.5}
services:
  a/web: {clusterIPs: [10.96.0.1, "fd96::1"], selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
  a/heads: {clusterIP: None, selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
  a/four: {clusterIPs: [10.96.0.4, "fd96::4"], selector: {v: "4"}, ports: [{port: 80}]}
  a/only-4: {clusterIPs: [10.96.0.5], externalIPs: [203.0.113.4], selector: {v: "4"}, ports: [{port: 80}]}
policies:
  a/one: {podSelector: {matchLabels: {v: "1"}}, ingress: [{from: [{podSelector: {}}]}]}
  a/two: {podSelector: {matchLabels: {v: "2"}}, policyTypes: [Ingress, Egress]}
  a/four: {podSelector: {matchLabels: {v: "4"}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
  a/jailed: {podSelector: {matchLabels: {v: jailed}}, policyTypes: [Egress]}
""")


def asked(source: str, destination: str, port: int | str) -> Request:
    snapshot = snapshot_of(CLUSTER)
    here = resolve_source(snapshot, parse_reference(source, "a"))
    there = resolve_destination(snapshot, parse_reference(destination, "a"))
    return request(snapshot, here, there, port, "TCP")


def predicted(source: str, destination: str, port: int | str) -> Prediction:
    return predict(snapshot_of(CLUSTER), asked(source, destination, port))


@pytest.mark.parametrize(
    ("source", "destination", "verdict", "blocked_at"),
    [
        pytest.param("src", "pod/one", Verdict.ALLOWED, (), id="allowed is blocked nowhere"),
        pytest.param("src", "pod/two", Verdict.BLOCKED, (Direction.INGRESS,), id="blocked at ingress"),
        pytest.param("jailed", "pod/one", Verdict.BLOCKED, (Direction.EGRESS,), id="blocked at egress"),
        pytest.param("jailed", "pod/two", Verdict.BLOCKED, (Direction.EGRESS, Direction.INGRESS), id="blocked at both"),
        pytest.param("jailed", "svc/web", Verdict.BLOCKED, (Direction.EGRESS, Direction.INGRESS), id="at any endpoint"),
        pytest.param("src", "svc/web", Verdict.UNDEFINED, (), id="undefined is blocked nowhere"),
    ],
)
def test_the_directions_that_block_a_request(
    source: str, destination: str, verdict: Verdict, blocked_at: tuple[Direction, ...]
) -> None:
    found = predicted(source, destination, 8000)
    assert (found.verdict, found.blocked_at) == (verdict, blocked_at)


def test_routes_that_differ_keep_a_verdict_each() -> None:
    prediction = ask(snapshot_of(CLUSTER), "a/src", "a/svc/web", 8000, "TCP")
    assert prediction.verdict is Verdict.UNDEFINED
    assert [(route.connection.destination.title, route.verdict.value) for route in prediction.routes] == [
        ("a/one", "allowed"),
        ("a/two", "blocked"),
    ]
    assert prediction.reason
    assert prediction.reason.code is Code.ENDPOINTS_DIFFER
    assert prediction.reason.message == "it depends on the endpoint: of 2, 1 allowed, 1 blocked"
    assert prediction.egress.verdict is Verdict.ALLOWED
    assert prediction.ingress.verdict is Verdict.UNDEFINED
    assert prediction.ingress.reason
    assert prediction.ingress.reason.message == "the endpoints differ for ingress"
    assert [policy.name for policy in prediction.ingress.isolated_by] == ["one", "two"]
    assert [allow.policy.name for allow in prediction.ingress.allowed_by] == ["one"]


TIERS = yaml.safe_load("""
- apiVersion: policy.networking.k8s.io/v1alpha2
  kind: ClusterNetworkPolicy
  metadata: {name: c}
  spec:
    tier: Admin
    priority: 1
    subject: {namespaces: {}}
    ingress:
    - {action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: src}}}}]}
    - {action: Deny, from: [{namespaces: {}}]}
""")


@pytest.mark.parametrize(
    ("source", "denied_by", "passed_by"),
    [
        pytest.param("a/jailed", ["c[1]"], [], id="a rule that denies at each endpoint is named once"),
        pytest.param("a/src", [], ["c[0]"], id="one that passes too"),
    ],
)
def test_rules_of_tiers_at_the_endpoints_of_a_service(source: str, denied_by: list[str], passed_by: list[str]) -> None:
    side = ask(snapshot_of({**CLUSTER, "objects": TIERS}), source, "a/svc/web", 8000, "TCP").ingress
    assert [f"{match.policy.name}[{match.rule.position}]" for match in side.denied_by] == denied_by
    assert [f"{match.policy.name}[{match.rule.position}]" for match in side.passed_by] == passed_by
    assert [policy.name for policy in side.tiered_by] == ["c"]


def test_a_caveat_of_one_endpoint_stays_where_the_endpoints_differ() -> None:
    policies = {
        "a/block": {"podSelector": {"matchLabels": {"v": "1"}}, "ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]},
        "a/shut": {"podSelector": {"matchLabels": {"v": "2"}}},
    }
    prediction = ask(snapshot_of({**CLUSTER, "policies": policies}), "a/six", "a/svc/heads", 8000, "TCP")
    assert prediction.reason
    assert prediction.reason.code is Code.ENDPOINTS_DIFFER
    assert [note.code for note in prediction.caveats] == [Code.IP_BLOCK_ON_POD]


def test_a_request_without_routes_has_its_reason_in_both_directions() -> None:
    prediction = predicted("src", "svc/web", 1)
    assert prediction.reason
    assert prediction.reason.message == "Service a/web has no port 1/TCP; it has w 8000/TCP"
    assert prediction.egress.reason is prediction.ingress.reason is prediction.reason
    assert prediction.egress.verdict is prediction.ingress.verdict is Verdict.UNDEFINED
    assert (prediction.verdict, prediction.routes) == (Verdict.UNDEFINED, ())


@pytest.mark.parametrize(
    ("source", "destination", "verdict", "caveat"),
    [
        pytest.param(
            "both", "pod/four", "allowed", "this is for 10.0.0.4; for fd00::4 it is blocked", id="between two pods"
        ),
        pytest.param(
            "both", "fd00::4", "blocked", "this is for fd00::4; for 10.0.0.4 it is allowed", id="to the address typed"
        ),
        pytest.param(
            "both",
            "svc/four",
            "allowed",
            "this is for 10.96.0.4; for fd96::4 it is blocked",
            id="to a Service, by its cluster IPs",
        ),
        pytest.param("both", "pod/one", "allowed", None, id="not if both are allowed"),
        pytest.param("src", "pod/four", "allowed", None, id="not from a pod with one family"),
        pytest.param("both", "pod/jailed", "allowed", None, id="not to a pod with one family"),
        pytest.param("both", "svc/only-4", "allowed", None, id="not to a Service with one family"),
        pytest.param("both", "203.0.113.4", "undefined", None, id="not to an external IP of a Service"),
    ],
)
def test_a_verdict_that_differs_for_the_other_address_family_has_a_caveat(
    source: str, destination: str, verdict: str, caveat: str | None
) -> None:
    prediction = predicted(source, destination, 80)
    assert prediction.verdict.value == verdict
    found = [note.message for note in prediction.caveats if note.code is Code.FAMILIES_DIFFER]
    assert found == ([caveat] if caveat else [])


@pytest.mark.parametrize(
    ("source", "address"),
    [
        pytest.param("both", "fd00::9", id="of the destination's family by name"),
        pytest.param("10.0.0.9", "10.0.0.9", id="the one that was typed"),
        pytest.param("src", "10.0.0.1", id="its only one"),
    ],
)
def test_the_source_address_of_a_connection(source: str, address: str) -> None:
    (route,) = predicted(source, "fd00::2", 80).routes
    assert (route.connection.source.address, route.connection.destination.address) == (address, "fd00::2")


def test_the_connection_of_two_pods_is_that_of_a_request_by_name() -> None:
    snapshot = snapshot_of(CLUSTER)
    for source in snapshot.pods:
        for destination in snapshot.pods:
            prediction = predict(snapshot, asked(f"pod/{source.name}", f"pod/{destination.name}", 80))
            assert prediction.routes[0].connection == pod_connection(source, destination, "TCP", 80)


def test_a_plugin_that_is_taken_to_run_is_a_caveat() -> None:
    pods = [Pod("shop", name, {}, (f"10.0.0.{number}",)) for number, name in enumerate(("a", "b"), 1)]
    gap = Gap("plugin", None, "you may not list daemonsets: Calico is taken to run")
    snapshot = Snapshot(pods=pods, plugin="Calico", gaps=[gap])
    found = ask(snapshot, "shop/a", "shop/b", 80, "TCP")
    assert (found.verdict, found.api_verdict, found.plugin) == (Verdict.ALLOWED, Verdict.ALLOWED, "Calico")
    assert found.caveats == (Note(Code.PLUGIN_NOT_SEEN, gap.message),)


REPLICAS = """
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1}
policies:
  a/in: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {apps.kubernetes.io/pod-index: "1"}}}]}]}
  a/first: {podSelector: {matchLabels: {apps.kubernetes.io/pod-index: "0"}}, ingress: [{ports: [{port: 80}]}]}
objects:
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: {namespace: a, name: db}
    spec: {replicas: 2, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
"""  # noqa: E501 - a policy a line


def test_the_pods_of_a_workload_that_policies_tell_apart_are_each_asked() -> None:
    snapshot = snapshot_of(yaml.safe_load(REPLICAS))
    found = ask(snapshot, "a/src", "a/sts/db", 80, "TCP")
    assert found.verdict is Verdict.UNDEFINED
    assert found.reason == found.ingress.reason == Note(
        Code.REPLICAS_DIFFER,
        "it depends on the pod of StatefulSet a/db: policies select by apps.kubernetes.io/pod-index, "
        "which its controller sets",
    )  # fmt: skip
    assert [(route.connection.destination.title, route.verdict.value) for route in found.routes] == [
        ("a/db-0", "allowed"),
        ("a/db-1", "blocked"),
    ]
    within = ask(snapshot, "a/sts/db", "a/sts/db", 81, "TCP")
    assert [(route.connection.source.title, route.connection.destination.title) for route in within.routes] == [
        ("a/db-0", "a/db-0"),
        ("a/db-0", "a/db-1"),
        ("a/db-1", "a/db-0"),
        ("a/db-1", "a/db-1"),
    ]
