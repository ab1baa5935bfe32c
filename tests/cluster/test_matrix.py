"""`matrix --probe`: every pair of a namespace, tried on the real network beside what the policies say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cluster.lab import Cluster, Result, pod

if TYPE_CHECKING:
    from collections.abc import Iterable

PODS = (
    pod("san"),
    pod("sam", "bash"),
    pod("web", ports={"http": 80}, command=["busybox", "httpd", "-f", "-p", "80"]),
    pod("db", "nginx", ports={"sql": 80}),
)
POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-from-san}
spec:
  podSelector: {matchLabels: {run: web}}
  ingress: [{from: [{podSelector: {matchLabels: {run: san}}}], ports: [{port: 80}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db-from-web}
spec:
  podSelector: {matchLabels: {run: db}}
  ingress: [{from: [{podSelector: {matchLabels: {run: web}}}], ports: [{port: 80}]}]
"""
# Sources and destinations in the order db, sam, san, web. Of db's image nothing can be run, so it can't be probed from;
# sam and san are no destinations, because they declare no port.
VERDICTS = ["abbb", "babb", "bbaa", "abba"]


def matrix(cluster: Cluster, namespace: str, *more: str) -> Result:
    return cluster.netpol("matrix", "-n", namespace, "--probe", *more, timeout=120)


def data(result: Result) -> Any:
    (only,) = json.loads(result.stdout)["items"]
    return only


def pairs(differences: Iterable[dict[str, Any]]) -> set[str]:
    return {f"{item['source'].split('/')[1]} {item['destination'].split('/')[1]}" for item in differences}


def test_the_network_agrees_where_policies_are_enforced(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, *PODS)
    cluster.apply(POLICIES, namespace=namespace)
    cluster.wait_until(
        lambda: matrix(cluster, namespace, "-o", "json").returncode == 0, timeout=60, what="a matrix that agrees"
    )
    result = matrix(cluster, namespace, "-o", "json")
    answer = data(result)
    assert (result.returncode, answer["differences"], answer["port"]) == (0, [], 80)
    assert answer["sources"] == [f"{namespace}/{name}" for name in ("db", "sam", "san", "web")]
    assert answer["verdicts"] == VERDICTS
    assert answer["network"] == ["---u", "c--c", "c--o", "o---"]
    text = matrix(cluster, namespace)
    assert text.returncode == 0, text
    assert "probed 6 pairs of pods: 5 as the policies say, 1 can't be compared" in text.stdout
    assert "!" not in text.stdout


def test_what_nothing_enforces_is_found_and_marked(cluster_without_enforcer: Cluster) -> None:
    cluster = cluster_without_enforcer
    with cluster.namespace() as namespace:
        cluster.create_pods(namespace, *PODS)
        cluster.apply(POLICIES, namespace=namespace)
        result = matrix(cluster, namespace, "-o", "json")
        answer = data(result)
        assert result.returncode == 1, result
        assert answer["verdicts"] == VERDICTS
        assert answer["network"] == ["---u", "o--o", "o--o", "o---"]
        assert pairs(answer["differences"]) == {"sam db", "sam web", "san db"}
        assert {item["finding"]["code"] for item in answer["differences"]} == {"policy-not-enforced"}
        assert "enforce" in result.stderr
        text = matrix(cluster, namespace)
        assert text.returncode == 1
        assert text.stdout.count("b!") == 3
        assert "2 as the policies say, 3 differ, 1 can't be compared" in text.stdout
        page = matrix(cluster, namespace, "-o", "html")
        assert page.returncode == 1
        assert '"differences":3' in page.stdout


def test_more_pairs_than_max_are_not_probed(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, *PODS)
    result = matrix(cluster, namespace, "--max", "5")
    assert (result.returncode, result.stdout) == (2, "")
    assert "6 pairs to probe, more than --max 5" in result.stderr
    assert "--max 6" in result.stderr
