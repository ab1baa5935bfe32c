"""A matrix as a suite: by workload, in a stable order, and nothing in it that a check can't say."""

from __future__ import annotations

import json
from typing import Any

from kubectl_netpol.matrix.grid import Grid, declared_ports
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import group_by_workload
from kubectl_netpol.suite.from_matrix import Suite, suite_of
from kubectl_netpol.suite.reader import read_suites
from tests.support.tables import snapshot_of


def pods(**found: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": found}}


def owned(name: str, owner: str, kind: str = "ReplicaSet", ports: tuple[int, ...] = (80,)) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": "shop",
            "name": name,
            "labels": {"run": owner},
            "ownerReferences": [{"kind": kind, "name": owner, "controller": True, "apiVersion": "x/v1"}],
        },
        "spec": {"containers": [{"name": "c", "ports": [{"containerPort": port} for port in ports]}]},
        "status": {"phase": "Running", "podIPs": [{"ip": f"10.0.9.{ord(name[-1])}"}]},
    }


def deployed(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"selector": {"matchLabels": {"run": name}}, "template": {"metadata": {"labels": {"run": name}}}},
    }


CLUSTER: dict[str, Any] = {
    "live": True,
    "pods": {
        "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "shop/dns": {"ip": "10.0.0.2", "labels": {"run": "dns"}, "ports": "53/UDP 53"},
    },
    "policies": {
        "shop/dns-in": {
            **pods(run="dns"),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [pods(run="db")], "ports": [{"port": 53, "protocol": "UDP"}]}],
        },
        "shop/db-in": {
            **pods(run="db"),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [pods(run="san")], "ports": [{"port": 80}]}],
        },
    },
    "objects": [
        deployed("db"),
        owned("db-0", "db", "StatefulSet", (9187, 80)),
        owned("db-1", "db", "StatefulSet", (9187, 80)),
        owned("roll-a", "roll", "Rollout", ()),
    ],
}


def suite(cluster: dict[str, Any], namespace: str = "shop", ports: tuple[tuple[str, int], ...] | None = None) -> Suite:
    snapshot = snapshot_of(cluster)
    found, groups = group_by_workload(snapshot, snapshot.pods)
    sets = PodSets(snapshot, found)
    if ports is not None:
        return suite_of([(Grid(sets, *pair), sets.all) for pair in ports], groups, namespace)
    grids = []
    for protocol, number in declared_ports(sets.pods):
        declaring = [
            place
            for place, pod in enumerate(sets.pods)
            if any((port.protocol, port.number) == (protocol, number) for port in pod.ports)
        ]
        grids.append((Grid(sets, protocol, number), sets.of(declaring)))
    return suite_of(grids, groups, namespace)


def rows(found: Suite) -> list[tuple[Any, ...]]:
    keys = ("name", "port", "expect", "control")
    return [tuple(check.get(key) for key in keys if key in check) for check in found.content["checks"]]


def test_one_check_for_two_workloads_a_protocol_and_a_verdict() -> None:
    found = suite(CLUSTER)
    assert rows(found) == [
        ("sts/db does not reach pod/dns", 53, "blocked"),
        ("sts/db reaches pod/dns by UDP", 53, "open"),
        ("pod/dns does not reach sts/db", "80,9187", "blocked"),
        ("pod/roll-a does not reach sts/db", "80,9187", "blocked"),
        ("pod/roll-a does not reach pod/dns", 53, "blocked"),
        ("pod/roll-a does not reach pod/dns by UDP", 53, "blocked", "none"),
        ("pod/san does not reach sts/db", 9187, "blocked"),
        ("pod/san reaches sts/db", 80, "open"),
        ("pod/san does not reach pod/dns", 53, "blocked"),
        ("pod/san does not reach pod/dns by UDP", 53, "blocked", "none"),
    ]
    assert (found.mixed, found.undefined) == (0, 0)
    assert {key: value for key, value in found.content.items() if key != "checks"} == {
        "apiVersion": "netpol/v1",
        "kind": "TestSuite",
        "defaults": {"namespace": "shop"},
    }


def test_it_is_a_suite() -> None:
    content = suite(CLUSTER).content
    checks = read_suites([("s.json", json.dumps(content))])
    assert [check.name for check in checks] == [check["name"] for check in content["checks"]]
    assert [check.control for check in checks] == ["control" not in check for check in content["checks"]]


def test_the_order_of_the_objects_does_not_matter() -> None:
    turned = {**CLUSTER, "objects": CLUSTER["objects"][::-1], "pods": dict(reversed(CLUSTER["pods"].items()))}
    assert suite(turned) == suite(CLUSTER)


def test_of_several_namespaces_each_name_has_its_own() -> None:
    found = suite({"pods": {"a/x": {"ip": "10.0.0.1"}, "b/x": {"ip": "10.0.0.2", "ports": "80"}}}, "")
    assert rows(found) == [("a/pod/x reaches b/pod/x", 80, "open")]
    assert "defaults" not in found.content


def test_what_no_check_can_say_is_counted() -> None:
    replicas = [owned("web-0", "web", "StatefulSet"), owned("web-1", "web", "StatefulSet")]
    replicas[0]["metadata"]["labels"] = {"one": "yes"}
    san = {"shop/san": {"ip": "10.0.0.1"}}
    mixed = {"pods": san, "policies": {"shop/one": pods(one="yes")}, "objects": [deployed("web"), *replicas]}
    found = suite({"live": True, **mixed}, ports=(("TCP", 80),))
    assert (found.mixed, found.undefined, rows(found)) == (1, 0, [("sts/web reaches pod/san", 80, "open")])
    host = {**san, "shop/host": {"ip": "10.1.0.1", "host_network": True}}
    from_pods = {"shop/in": {"podSelector": {}, "ingress": [{"from": [pods(run="x")]}]}}
    found = suite({"live": True, "pods": host, "policies": from_pods}, ports=(("TCP", 80),))
    assert (found.mixed, found.undefined, rows(found)) == (0, 2, [])
