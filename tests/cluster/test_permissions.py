"""Users who may not do everything: the shipped roles suffice, and what is missing is named where it matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.cluster.lab import Cluster, Result, pod

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-shops}
spec:
  podSelector: {matchLabels: {run: web}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {run: san}}}]
  - from: [{namespaceSelector: {matchLabels: {team: shops}}}]
"""
LIST_PODS = [{"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]}]
EXEC = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}]
POLICIES = [{"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list"]}]


class Viewer(NamedTuple):
    cluster: Cluster
    namespace: str

    def run(self, *args: str) -> Result:
        return self.cluster.netpol(*args, "-n", self.namespace, kubeconfig=self.cluster.viewer_kubeconfig)

    def json(self, *args: str) -> Any:
        return json.loads(self.run(*args, "-o", "json").stdout)

    def may(self, rules: list[dict[str, Any]]) -> None:
        """Gives the user just these rules in the namespace, once the API server knows it."""
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules}
        self.cluster.apply(role, binding("Role", "r"), namespace=self.namespace)


def binding(kind: str, name: str) -> dict[str, Any]:
    scope = "" if kind == "Role" else "Cluster"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{scope}RoleBinding",
        "metadata": {"name": f"viewer-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "viewer"}],
    }


@pytest.fixture
def viewer(cluster: Cluster, namespace: str) -> Viewer:
    cluster.apply(POLICY, namespace=namespace)
    cluster.create_pods(namespace, pod("san"), pod("other"), pod("web", "nginx", ports={"http": 80}))
    return Viewer(cluster, namespace)


@pytest.fixture
def with_the_cluster_role(viewer: Viewer) -> Iterator[Viewer]:
    viewer.cluster.kubectl("apply", "-f", str(EXAMPLES / "rbac-cluster.yaml"))
    viewer.cluster.apply(binding("ClusterRole", "kubectl-netpol"))
    yield viewer
    viewer.cluster.kubectl("delete", "clusterrolebinding", "viewer-kubectl-netpol")


def settled(viewer: Viewer, *args: str, status: int) -> None:
    viewer.cluster.wait_until(lambda: viewer.run(*args).returncode == status, what=f"{args} to exit with {status}")


def test_the_cluster_role_can_do_everything(with_the_cluster_role: Viewer) -> None:
    viewer = with_the_cluster_role
    settled(viewer, "test", "san", "web", "80", status=0)
    settled(viewer, "test", "other", "web", "80", status=1)
    assert viewer.json("test", "other", "web", "80")["finding"]["code"] == "rejected-by-policy"
    assert viewer.json("explain", "web")["ingress"]["rules"][1]["peers"][0]["reason"] is None
    assert viewer.run("explain", "192.0.2.10", "web", "80").returncode == 0
    assert viewer.run("explain").stderr == "" or "warning" in viewer.run("explain").stderr


def test_the_namespace_role_answers_within_its_namespace(viewer: Viewer) -> None:
    viewer.cluster.kubectl("apply", "-n", viewer.namespace, "-f", str(EXAMPLES / "rbac-namespace.yaml"))
    viewer.cluster.apply(binding("Role", "kubectl-netpol"), namespace=viewer.namespace)
    settled(viewer, "test", "san", "web", "80", status=0)
    verdict = viewer.json("explain", "other", "web", "80")
    assert (verdict["verdict"], verdict["reason"]["code"]) == ("undefined", "permission-missing")
    assert "list namespaces" in verdict["reason"]["message"]
    assert viewer.json("explain", "san", "web", "80")["verdict"] == "allowed"
    assert viewer.json("explain", "web", "san", "80")["verdict"] == "allowed"


def test_without_permission_to_read_policies_the_probe_still_runs(viewer: Viewer) -> None:
    viewer.may([*LIST_PODS, *EXEC])
    settled(viewer, "test", "san", "web", "80", status=0)
    answer = viewer.json("test", "san", "web", "80")
    assert (answer["outcome"], answer["finding"]["code"], answer["agrees"]) == ("open", "open-unpredicted", None)
    assert "list networkpolicies" in answer["prediction"]["reason"]["message"]


def test_without_permission_to_exec_the_prediction_is_still_there(viewer: Viewer) -> None:
    viewer.may([*LIST_PODS, *POLICIES])
    settled(viewer, "explain", "san", "web", "80", status=0)
    result = viewer.run("test", "san", "web", "80")
    assert result.returncode == 2
    answer = viewer.json("test", "san", "web", "80")
    assert (answer["finding"]["code"], answer["prediction"]["verdict"]) == ("exec-forbidden", "allowed")
    assert "pods/exec" in answer["finding"]["message"] + answer["finding"]["next"]


def test_without_permission_to_port_forward_the_cause_stays_open(viewer: Viewer) -> None:
    viewer.may([*LIST_PODS, *EXEC, *POLICIES])
    settled(viewer, "test", "san", "web", "80", status=0)
    answer = viewer.json("test", "san", "web", "81")
    assert (answer["outcome"], answer["finding"]["evidence"]) == ("refused", [])
    assert answer["finding"]["code"] in ("refused", "changed-recently")


def test_without_any_permission_the_error_says_what_is_missing(viewer: Viewer) -> None:
    result = viewer.run("test", "san", "web", "80")
    assert (result.returncode, result.stdout) == (2, "")
    assert "you may not list pods" in result.stderr
