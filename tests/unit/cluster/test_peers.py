"""The pods of the whole cluster for `explain POD`: metadata alone where labels decide, with the same answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.cluster import peers
from kubectl_netpol.cluster.reader import read_snapshot
from kubectl_netpol.errors import ClusterError, NotFoundError
from kubectl_netpol.lint.warnings import pod_warnings
from kubectl_netpol.model.snapshot import Gap, Scope
from kubectl_netpol.render.json_objects import explanation_object
from tests.support.api import FakeApi, Object, forbidden, groups

SCOPE = Scope(frozenset({"shop"}), frozenset({"pods", "networkpolicies"}), peers=True)
PODS, POLICIES = "/api/v1/pods", "/apis/networking.k8s.io/v1/networkpolicies"
IN_SHOP = "/api/v1/namespaces/shop/pods"


def pod(name: str, namespace: str, ip: str, /, *, spec: Any = None, phase: str = "Running", **labels: str) -> Object:
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 80}]}], **(spec or {})},
        "status": {"phase": phase, "podIPs": [{"ip": ip}]},
    }


FOUND = [
    pod("web", "shop", "10.0.0.1", app="web"),
    pod("db", "shop", "10.0.0.2", app="db"),
    pod("ended", "shop", "10.0.0.3", phase="Succeeded", app="db"),
    pod("a", "lab", "10.0.1.1", app="web", team="x"),
    pod("b", "lab", "10.0.1.2", app="web", team="x"),
    pod("on-node", "lab", "10.9.0.1", spec={"hostNetwork": True}, app="web"),
    pod("done", "lab", "10.0.1.3", phase="Failed", app="web"),
]
LABELS = {
    "from": [{"namespaceSelector": {"matchLabels": {"team": "x"}}, "podSelector": {}}],
    "ports": [{"port": "http"}],
}
NOTHING = {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "wbe"}}}]}
OUT: Object = {"to": [{"namespaceSelector": {}}]}


def policy(*, ingress: Any = (), egress: Any = (), namespace: str = "shop") -> Object:
    types = ["Ingress"] * bool(ingress) + ["Egress"] * bool(egress)
    spec = {"podSelector": {}, "policyTypes": types, "ingress": list(ingress), "egress": list(egress)}
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": spec}


def cluster(*policies: Object, **more: Any) -> FakeApi:
    namespaces = [
        {"metadata": {"name": name, "labels": {"team": team}}} for name, team in (("shop", "y"), ("lab", "x"))
    ]
    in_shop = [item for item in FOUND if item["metadata"]["namespace"] == "shop"]
    found = {PODS: FOUND, IN_SHOP: in_shop, POLICIES: list(policies), "/api/v1/namespaces": namespaces}
    return FakeApi(found | more)


class Accepts(FakeApi):
    """Keeps in which form pods of the whole cluster were asked for."""

    def __init__(self, fake: FakeApi) -> None:
        super().__init__(fake.found)
        self.accepted: list[str] = []

    def list(self, path: str, read: Any = None, *, query: Any = (), accept: str = "") -> Any:
        if path == PODS:
            self.accepted.append("metadata" if accept else "full")
            if accept and self.found.get("no field selector"):
                raise ClusterError('field label not supported: "spec.hostNetwork"')
        return super().list(path, read, query=query, accept=accept)


def explained(fake: FakeApi, monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    """The whole answer for the pod web; with `monkeypatch` of full objects."""
    if monkeypatch:
        monkeypatch.setattr(peers, "labels_decide", lambda *_: False)
    snapshot = read_snapshot(fake.api, SCOPE)
    web = snapshot.pod("shop", "web")
    assert web
    explanation = explain_pod(snapshot, web)
    return json.dumps(explanation_object(explanation, pod_warnings(snapshot, explanation)))


ROWS = [
    pytest.param((), "metadata", id="no policy"),
    pytest.param((policy(ingress=[LABELS]),), "metadata", id="labels"),
    pytest.param((policy(ingress=[LABELS], egress=[OUT]),), "metadata", id="labels in both directions"),
    pytest.param((policy(ingress=[NOTHING]),), "metadata", id="a peer that matches nothing"),
    pytest.param((policy(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.1.0/24"}}]}]),), "full", id="addresses"),
    pytest.param((policy(egress=[{**OUT, "ports": [{"port": "http"}]}]),), "full", id="ports of the pods it may reach"),
    pytest.param(
        (policy(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.1.0/24"}}]}], namespace="lab"),),
        "metadata",
        id="addresses in a policy of another namespace",
    ),
    pytest.param((policy(ingress=[{"from": 3}]),), "metadata", id="a policy that can't be read"),
]


@pytest.mark.parametrize(("policies", "form"), ROWS)
def test_the_answer_is_that_of_full_objects(
    policies: tuple[Object, ...], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Accepts(cluster(*policies))
    found = explained(asked)
    assert asked.accepted == [form]
    assert found == explained(cluster(*policies), monkeypatch)


def test_where_another_kind_of_policy_is_read_objects_are_full() -> None:
    tier = {"metadata": {"name": "t"}, "spec": {"priority": 1, "subject": {"namespaces": {}}}}
    path = "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"
    asked = Accepts(cluster(**{"/apis": groups(policy_networking_k8s_io="v1alpha1"), path: [tier]}))
    explained(asked)
    assert asked.accepted == ["full"]


def test_a_server_without_the_field_selector_is_asked_for_full_objects() -> None:
    asked = Accepts(cluster(policy(ingress=[LABELS]), **{"no field selector": True}))
    assert explained(asked) == explained(cluster(policy(ingress=[LABELS])))
    assert asked.accepted == ["metadata", "full"]


def test_where_pods_of_the_whole_cluster_are_forbidden_those_of_the_namespace_are_known() -> None:
    snapshot = read_snapshot(cluster(**{PODS: forbidden(PODS)}).api, SCOPE)
    assert [pod.key for pod in snapshot.pods] == ["shop/web", "shop/db", "shop/ended"]
    assert snapshot.gaps == (Gap("pods", None, "you may not list pods in the whole cluster", frozenset({"shop"})),)


def test_a_list_of_all_pods_that_is_missing_is_an_error() -> None:
    with pytest.raises(NotFoundError):
        read_snapshot(cluster(**{PODS: NotFoundError("no")}).api, SCOPE)


def test_pods_with_equal_labels_share_them_and_others_do_not() -> None:
    snapshot = read_snapshot(cluster().api, SCOPE)
    a, b = (snapshot.pod("lab", name) for name in ("a", "b"))
    assert a
    assert b
    assert a.labels is b.labels
    assert (a.planned, a.phase, a.ips) == (False, "Running", ())
    assert snapshot.pod("lab", "on-node") is None


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        pytest.param({"metadata": {"name": 3}}, "expected a string, got 3", id="a number as name"),
        pytest.param({"metadata": []}, "expected an object, got a list", id="metadata of a list"),
        pytest.param(
            {"metadata": {"name": "x", "namespace": 3}}, "expected a string, got 3", id="a number as namespace"
        ),
    ],
)
def test_an_item_of_another_form_is_an_error(odd: Any, message: str) -> None:
    with pytest.raises(Exception, match=message):
        read_snapshot(cluster(**{PODS: [odd]}).api, SCOPE)


@pytest.mark.parametrize("labels", [3, {"a": 3}], ids=["a number", "with a number"])
def test_odd_labels_are_a_gap_of_that_pod(labels: Any) -> None:
    odd = {"metadata": {"name": "x", "namespace": "lab", "labels": labels}}
    assert [gap.name for gap in read_snapshot(cluster(**{PODS: [odd]}).api, SCOPE).gaps] == ["x"]
