"""Results as JSON objects for scripts: which keys an end has, positions, and null where something is unknown."""

from __future__ import annotations

import json

import pytest
import yaml

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.lint.finding import BY_NUMBER, Finding, Severity, Subject
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.render.json_objects import (
    explanation_object,
    kind,
    note_object,
    result_object,
    serialize,
    verdict_object,
)
from tests.support.results import DENY, NEAR, PODS, result
from tests.support.tables import ask, snapshot_of

FOUND = Finding(BY_NUMBER["NP005"], Severity.WARNING, Subject("NetworkPolicy", "a", "p"), "", "odd")


@pytest.mark.parametrize(
    ("ends", "source", "destination"),
    [
        pytest.param(
            ("san", "pod/web"),
            {"pod": "default/san", "address": "10.0.0.1"},
            {"pod": "default/web", "address": "10.0.0.2"},
            id="pods",
        ),
        pytest.param(
            ("deploy/san", "web"),
            {"pod": "default/san", "address": "10.0.0.1", "workload": "Deployment default/san"},
            {"service": "default/web", "address": "10.96.0.1"},
            id="a workload's pod, and a Service",
        ),
        pytest.param(
            ("node/one", "192.0.2.1"),
            {"node": "one", "address": "10.1.0.1"},
            {"address": "192.0.2.1"},
            id="a node and an address",
        ),
        pytest.param(
            ("10.0.0.1", "example.com"),
            {"pod": "default/san", "address": "10.0.0.1"},
            {"host": "example.com"},
            id="an address that is a pod's, and a host outside",
        ),
    ],
)
def test_both_ends(ends: tuple[str, str], source: dict[str, str], destination: dict[str, str]) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "default", "name": "san"},
        "spec": {"selector": {"matchLabels": {"run": "san"}}, "template": {"metadata": {"labels": {"run": "san"}}}},
    }
    snapshot = snapshot_of(
        {
            "live": True,
            "pods": PODS,
            "nodes": {"one": ["10.1.0.1"]},
            "objects": [deployment],
            "services": {
                "default/web": {"selector": {"run": "web"}, "clusterIP": "10.96.0.1", "ports": [{"port": 80}]}
            },
        }
    )
    connection = verdict_object(ask(snapshot, *ends, 80, "TCP"))["connection"]
    assert connection == {"source": source, "destination": destination, "protocol": "TCP", "port": 80}


def test_positions() -> None:
    policies = {
        "default/in": {
            "podSelector": {},
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {"run": "x"}}}]},
                {"from": [{"podSelector": {}}, {"podSelector": {}}], "ports": [{"port": 81}, {"port": 80}]},
                {},
            ],
        }
    }
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    side = verdict_object(ask(snapshot, "san", "web", 80, "TCP"))["ingress"]
    assert side["allowedBy"] == [
        {"namespace": "default", "name": "in", "rule": 1, "peer": 0, "port": 1},
        {"namespace": "default", "name": "in", "rule": 2, "peer": None, "port": None},
    ]
    blocked = verdict_object(ask(snapshot, "team/cat", "web", 80, "TCP"))
    assert blocked["verdict"] == "allowed", "the last rule lets everyone in"


def test_a_result() -> None:
    found = result_object(result(DENY, Outcome.REFUSED))
    assert {key: found[key] for key in ("outcome", "reachable", "agrees", "tool", "seconds", "output")} == {
        "outcome": "refused",
        "reachable": False,
        "agrees": True,
        "tool": "nc",
        "seconds": 0.123,
        "output": "nc: refused\nbye",
    }
    assert found["finding"] == {
        "code": "rejected-by-policy",
        "message": "blocked: refused, though the port listens: a policy rejects it",
        "evidence": ["default/web listens on 80, says port-forward"],
        "next": "kubectl netpol allow san web 80 | kubectl apply -f -",
    }
    unprobed = result_object(result(DENY, None))
    assert [unprobed[key] for key in ("outcome", "reachable", "tool", "command", "output", "seconds")] == [None] * 6


def test_json_and_yaml_say_the_same() -> None:
    found = result_object(result(NEAR, Outcome.REFUSED))
    found["output"] = "é → \x1b\n---\n- no: 'yes'"
    assert "é →" in serialize(found, "json"), "readable, not escaped"
    assert json.loads(serialize(found, "json")) == yaml.safe_load(serialize(found, "yaml")) == found


def test_a_verdict() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": DENY})
    found = verdict_object(ask(snapshot, "san", "web", 80, "TCP"), [FOUND])
    assert [found[key] for key in ("apiVersion", "kind", "verdict", "blockedAt")] == [
        "netpol/v1",
        "Verdict",
        "blocked",
        ["ingress"],
    ]
    assert found["reason"] == {
        "code": "no-rule-allows",
        "message": "deny isolates default/web for ingress, and no rule lets it in",
    }
    assert found["egress"] == {
        "verdict": "allowed",
        "isolatedBy": [],
        "allowedBy": [],
        "deniedBy": [],
        "passedBy": [],
        "nearMisses": [],
        "reason": None,
    }
    assert found["ingress"]["isolatedBy"] == [{"namespace": "default", "name": "deny"}]
    assert [(route["pod"], route["address"], route["port"], route["verdict"]) for route in found["resolvesTo"]] == [
        ("default/web", "10.0.0.2", 80, "blocked")
    ]
    assert (found["caveats"], found["warnings"]) == ([], [{"code": "split-rule", "number": "NP005", "message": "odd"}])


def test_a_near_miss_has_its_positions_and_why() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": NEAR})
    side = verdict_object(ask(snapshot, "san", "web", 80, "TCP"))
    assert side["egress"]["nearMisses"] == [
        {
            "namespace": "default",
            "name": "near",
            "rule": 0,
            "peer": None,
            "port": None,
            "because": "requires port 81, not 80",
            "otherPeers": [],
        }
    ]
    (near,) = side["ingress"]["nearMisses"]
    assert (near["rule"], near["peer"], near["port"]) == (0, 0, None)


def test_an_explanation() -> None:
    cluster = {
        "live": True,
        "pods": PODS,
        "policies": {**NEAR, "team/in": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}},
        "services": {"default/front": {"selector": {"run": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}},
    }
    snapshot = snapshot_of(cluster)
    pod = snapshot.pod("default", "web")
    assert pod
    found = explanation_object(explain_pod(snapshot, pod), ())
    assert (found["kind"], found["pod"], found["labels"]) == ("Explanation", "default/web", {"run": "web"})
    assert found["selectedBy"] == [{"namespace": "default", "name": "near"}]
    assert found["mentionedBy"] == [{"namespace": "team", "name": "in", "direction": "ingress", "rule": 0, "peer": 0}]
    assert found["services"] == [
        {"namespace": "default", "name": "front", "port": 80, "portName": None, "protocol": "TCP", "podPort": None}
    ]
    assert found["egress"]["rules"] == [
        {
            "namespace": "default",
            "name": "near",
            "rule": 0,
            "peers": [{"peer": None, "text": "anywhere", "pods": None, "reason": None}],
            "ports": "TCP 81",
        }
    ]
    assert found["ingress"]["rules"][0]["peers"] == [{"peer": 0, "text": "pods run=sam", "pods": [], "reason": None}]


def test_isolation_is_null_where_policies_could_not_be_read() -> None:
    gap = Gap("networkpolicies", "default", "you may not list networkpolicies in namespace default")
    snapshot = Snapshot(pods=snapshot_of({"live": True, "pods": PODS}).pods, gaps=[gap])
    side = explanation_object(explain_pod(snapshot, snapshot.pods[0]), ())["ingress"]
    assert (side["isolated"], side["reason"]["code"]) == (None, "permission-missing")


def test_a_note_is_null_or_code_and_message() -> None:
    assert note_object(None) is None
    assert note_object(Note(Code.SCTP, "why")) == {"code": "sctp", "message": "why"}


def test_every_object_has_the_version_and_its_kind_first() -> None:
    assert list(kind("Version", {"version": "1"}).items()) == [
        ("apiVersion", "netpol/v1"),
        ("kind", "Version"),
        ("version", "1"),
    ]


CILIUM = {
    "plugin": "Cilium",
    "pods": PODS,
    "cilium": {
        "default/web": {
            "endpointSelector": {"matchLabels": {"run": "web"}},
            "ingress": [{"fromEndpoints": [{"matchLabels": {"run": "san"}}]}],
        },
        "all": [{"egressDeny": [{"toEntities": ["world"]}], "enableDefaultDeny": {"egress": False}}],
    },
}


def test_a_verdict_where_a_plugin_decides() -> None:
    found = verdict_object(ask(snapshot_of(CILIUM), "san", "web", 80, "TCP"))
    assert [(key, found[key]) for key in list(found)[3:6]] == [
        ("verdict", "allowed"),
        ("plugin", "Cilium"),
        ("apiVerdict", "allowed"),
    ]
    assert found["ingress"]["allowedBy"] == [
        {
            "namespace": "default",
            "name": "web",
            "kind": "CiliumNetworkPolicy",
            "group": "cilium.io",
            "rule": 0,
            "path": "ingress[0]",
            "action": "allow",
            "peer": None,
            "port": None,
        }
    ]
    denied = verdict_object(ask(snapshot_of(CILIUM), "san", "203.0.113.1", 80, "TCP"))["egress"]["deniedBy"]
    assert [(one["namespace"], one["kind"], one["path"], one["action"]) for one in denied] == [
        (None, "CiliumClusterwideNetworkPolicy", "specs[0].egressDeny[0]", "deny")
    ]


def test_a_rule_of_cilium_has_its_peers_and_ports_in_words() -> None:
    snapshot = snapshot_of(CILIUM)
    (pod,) = (pod for pod in snapshot.pods if pod.name == "web")
    (rule,) = explanation_object(explain_pod(snapshot, pod), ())["ingress"]["rules"]
    assert rule["ports"] == "all ports"
    assert rule["peers"] == [
        {"peer": 0, "text": "pods run=san in default", "pods": ["default/san"], "reason": None},
    ]


def test_without_a_plugin_there_is_no_verdict_of_the_api() -> None:
    found = verdict_object(ask(snapshot_of({"pods": PODS}), "san", "web", 80, "TCP"))
    assert not {"plugin", "apiVerdict"} & found.keys()
