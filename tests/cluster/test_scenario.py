"""The main job, step by step, through the built zipapp, on a cluster that enforces and on one that does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.lab import Cluster, Result, pod

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "netpol-test"
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {selector: {run: nginx}, ports: [{port: 80}]}
"""
DENY_ALL_INGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all-ingress}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def make_shop(cluster: Cluster) -> Iterator[Cluster]:
    with cluster.namespace(NAMESPACE) as namespace:
        cluster.apply(SERVICE, namespace=namespace)
        cluster.create_pods(namespace, pod("san"), pod("nginx", "nginx", ports={"http": 80}))
        yield cluster


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster)


@pytest.fixture(scope="module")
def unguarded_shop(cluster_without_enforcer: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster_without_enforcer)


def probe(cluster: Cluster, *more: str) -> Result:
    return cluster.netpol("test", "san", "nginx", "80", "-n", NAMESPACE, *more)


def set_policies(cluster: Cluster, *manifests: str, settled: int | None = None) -> None:
    """Leaves exactly these policies in the namespace, and the network so that `test` exits with `settled`."""
    cluster.kubectl("delete", "networkpolicy", "--all", "-n", NAMESPACE)
    if manifests:
        cluster.apply(*manifests, namespace=NAMESPACE)
    if settled is not None:
        settle(cluster, settled)


def settle(cluster: Cluster, status: int) -> None:
    cluster.wait_until(lambda: probe(cluster).returncode == status, what=f"test with exit status {status}")


def data(result: Result) -> Any:
    return json.loads(result.stdout)


def names(policies: list[dict[str, Any]]) -> set[str]:
    return {f"{policy['namespace']}/{policy['name']}" for policy in policies}


def test_1_without_policies_it_is_open(shop: Cluster) -> None:
    set_policies(shop, settled=0)
    result = probe(shop)
    assert result.returncode == 0, result
    assert "open" in result.stdout.lower()
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""
    answer = data(probe(shop, "-o", "json"))
    assert (answer["kind"], answer["outcome"], answer["reachable"], answer["agrees"]) == (
        "TestResult",
        "open",
        True,
        True,
    )


def test_2_deny_all_ingress_blocks_and_is_named(shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS, settled=1)
    result = probe(shop)
    assert result.returncode == 1, result
    assert "blocked" in result.stdout.lower()
    assert "deny-all-ingress" in result.stdout
    assert "isolates" in result.stdout
    assert "no rule" in result.stdout.lower()
    assert len(result.stdout.splitlines()) <= 8
    answer = data(probe(shop, "-o", "json"))
    assert (answer["outcome"], answer["reachable"], answer["agrees"]) == ("refused", False, True)
    prediction = answer["prediction"]
    assert (prediction["verdict"], prediction["blockedAt"]) == ("blocked", ["ingress"])
    assert names(prediction["ingress"]["isolatedBy"]) == {"netpol-test/deny-all-ingress"}
    assert prediction["ingress"]["allowedBy"] == []


def test_3_explain_lists_the_policy_and_what_may_come_in_and_go_out(shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS, settled=1)
    result = shop.netpol("explain", "nginx", "-n", NAMESPACE)
    assert result.returncode == 0, result
    assert "deny-all-ingress" in result.stdout
    answer = data(shop.netpol("explain", "nginx", "-n", NAMESPACE, "-o", "json"))
    assert answer["kind"] == "Explanation"
    assert names(answer["selectedBy"]) == {"netpol-test/deny-all-ingress"}
    assert (answer["ingress"]["isolated"], answer["ingress"]["rules"]) == (True, [])
    assert answer["egress"]["isolated"] is False


def test_4_allow_opens_it_and_explain_shows_who_may_come_in(shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS, settled=1)
    line = "kubectl netpol allow --from run=san --to run=nginx --port 80 -n netpol-test | kubectl apply -f -"
    applied = shop.run("bash", "-o", "pipefail", "-c", line)
    assert applied.returncode == 0, applied
    created = [word for word in applied.stdout.split() if word.startswith("networkpolicy")]
    assert len(created) == 1, applied
    settle(shop, 0)
    assert "open" in probe(shop).stdout.lower()
    result = shop.netpol("explain", "nginx", "-n", NAMESPACE)
    assert result.returncode == 0, result
    new = created[0].rpartition("/")[2]
    for word in ("deny-all-ingress", new, "san", "TCP", "80"):
        assert word in result.stdout
    answer = data(shop.netpol("explain", "nginx", "-n", NAMESPACE, "-o", "json"))
    assert names(answer["selectedBy"]) == {"netpol-test/deny-all-ingress", f"netpol-test/{new}"}
    assert "netpol-test/san" in json.dumps(answer["ingress"]["rules"])


def test_5_where_nothing_enforces_it_is_open_and_a_warning_says_so(unguarded_shop: Cluster) -> None:
    set_policies(unguarded_shop, DENY_ALL_INGRESS)
    result = probe(unguarded_shop)
    assert result.returncode == 0, result
    assert "open" in result.stdout.lower()
    assert "blocked" in result.stderr
    assert "enforce" in result.stderr
    answer = data(probe(unguarded_shop, "-o", "json"))
    assert (answer["reachable"], answer["agrees"], answer["prediction"]["verdict"]) == (True, False, "blocked")
    assert answer["finding"]["code"] == "policy-not-enforced"
