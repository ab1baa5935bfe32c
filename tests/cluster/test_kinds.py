"""No kind of policy on a real cluster is overlooked: one object of each, through explain and matrix."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.lab import Cluster, Result, pod
from tests.support.policy_kinds import OF_EACH_KIND, OfKind, definitions

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"
RBAC = "rbac.authorization.k8s.io"
# The groups of policies that their plugin alone decides about -> the DaemonSet by which it is known.
PLUGINS = {"cilium.io": "cilium", "projectcalico.org": "calico-node", "crd.projectcalico.org": "calico-node"}
LISTS = [
    {"apiGroups": [""], "resources": ["pods", "services", "nodes", "namespaces"], "verbs": ["get", "list"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
]


class Shop:
    """A namespace with two pods that nothing isolates, on a server with all kinds of policy and no object of any."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def run(self, *args: str, viewer: bool = False) -> Result:
        kubeconfig = self.cluster.viewer_kubeconfig if viewer else None
        return self.cluster.netpol(*args, "-n", self.namespace, kubeconfig=kubeconfig)

    def explained(self, *, viewer: bool = False) -> Any:
        result = self.run("explain", "san", "web", "80", "-o", "json", viewer=viewer)
        assert result.stdout, result.stderr
        return json.loads(result.stdout)

    @contextmanager
    def having(self, one: OfKind) -> Iterator[None]:
        manifest = one.manifest(self.namespace)
        self.cluster.apply(manifest)
        yield
        self.cluster.kubectl("delete", "-f", "-", input=json.dumps(manifest))

    @contextmanager
    def viewer_may(self, rules: list[dict[str, Any]]) -> Iterator[None]:
        """The viewer may do just this, once the API server knows it."""
        role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "kinds"}, "rules": rules}
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "viewer-kinds"},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "kinds"},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "viewer"}],
        }
        self.cluster.apply(role, binding)
        explain = ("explain", "san", "web", "80", "-o", "json")
        self.cluster.wait_until(lambda: self.run(*explain, viewer=True).stdout, what="the viewer's role")
        yield
        self.cluster.kubectl("delete", "clusterrolebinding/viewer-kinds", "clusterrole/kinds")


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Shop]:
    found = definitions()
    names = {definition["metadata"]["name"] for definition in found}

    def discovered() -> set[str]:
        return set(cluster.kubectl("api-resources", "-o", "name").stdout.split())

    with cluster.namespace() as namespace:
        cluster.apply(*found)
        cluster.create_pods(namespace, pod("san"), pod("web", "nginx", ports={"http": 80}))
        cluster.wait_until(lambda: names <= discovered(), timeout=60, what="the definitions in the discovery")
        yield Shop(cluster, namespace)
        cluster.kubectl("delete", "crd", *names)
        cluster.wait_until(lambda: not names & discovered(), timeout=60, what="their end")


def test_without_an_object_of_any_kind_it_is_allowed(shop: Shop) -> None:
    answer = shop.explained()
    assert (answer["verdict"], answer["caveats"]) == ("allowed", [])


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in OF_EACH_KIND])
def test_explain_and_matrix_never_say_just_allowed(shop: Shop, one: OfKind) -> None:
    with shop.having(one):
        answer = shop.explained()
        matrix = shop.run("matrix", "--port", "80", "-o", "json")
    verdict = "undefined" if one.group in PLUGINS else one.verdict  # neither of them runs here
    letter = {"undefined": "u", "blocked": "b", "caveat": "a"}[verdict]
    assert json.loads(matrix.stdout)["verdicts"] == [f"a{letter}", f"{letter}a"]
    if verdict == "caveat":
        assert (answer["verdict"], [note["code"] for note in answer["caveats"]]) == ("allowed", ["proxy-decides"])
        assert one.title in matrix.stderr
    else:
        assert answer["verdict"] == verdict
        assert f"{one.kind.lower()}." in answer["reason"]["message"]


def rules_without(*resources: str) -> list[dict[str, Any]]:
    """All lists but these."""
    rules = list(LISTS)
    for definition in definitions():
        spec = definition["spec"]
        if definition["metadata"]["name"] not in resources:
            rules.append({"apiGroups": [spec["group"]], "resources": [spec["names"]["plural"]], "verbs": ["list"]})
    return rules


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("egressfirewalls.k8s.ovn.org", id="a namespaced kind"),
        pytest.param("security-groups.kubeovn.io", id="a cluster-scoped one"),
        pytest.param("clusternetworkpolicies.policy.networking.k8s.io", id="one that is evaluated"),
        pytest.param("authorizationpolicies.security.istio.io", id="one that a proxy asks"),
    ],
)
def test_a_forbidden_list_is_a_gap(shop: Shop, resource: str) -> None:
    with shop.viewer_may(rules_without(resource)):
        answer = shop.explained(viewer=True)
        matrix = json.loads(shop.run("matrix", "--port", "80", "-o", "json", viewer=True).stdout)
    assert (answer["verdict"], answer["reason"]["code"]) == ("undefined", "permission-missing")
    assert f"you may not list {resource}" in answer["reason"]["message"]
    assert matrix["verdicts"] == ["au", "ua"]


def test_a_forbidden_list_of_a_kind_that_is_not_known_is_a_caveat(shop: Shop) -> None:
    with shop.viewer_may(rules_without("teamnetworkpolicies.example.com")):
        answer = shop.explained(viewer=True)
        matrix = shop.run("matrix", "--port", "80", viewer=True)
    assert (answer["verdict"], [note["code"] for note in answer["caveats"]]) == ("allowed", ["unknown-kind"])
    assert "you may not list teamnetworkpolicies.example.com" in matrix.stderr


def test_the_role_of_the_example_may_list_every_kind_that_is_known(shop: Shop) -> None:
    example = json.loads(
        shop.cluster.kubectl(
            "create", "--dry-run=client", "-o", "json", "-f", str(EXAMPLES / "rbac-cluster.yaml")
        ).stdout
    )
    with shop.viewer_may(example["rules"]):
        answer = shop.explained(viewer=True)
    assert (answer["verdict"], [note["code"] for note in answer["caveats"]]) == ("allowed", ["unknown-kind"])


@contextmanager
def daemon_set(shop: Shop, name: str) -> Iterator[None]:
    """The DaemonSet by which a plugin is known. It runs on no node."""
    labels = {"run": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "busybox"}], "nodeSelector": {"netpol/nowhere": "true"}},
    }
    found = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": shop.namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    shop.cluster.apply(found)
    yield
    shop.cluster.kubectl("delete", "daemonset", name, "-n", shop.namespace)


def test_the_network_ignores_a_kind_that_the_plugin_does_not_enforce(shop: Shop) -> None:
    (one,) = (one for _, one in OF_EACH_KIND if one.kind == "AdminNetworkPolicy")
    with daemon_set(shop, "kube-router"), shop.having(one):
        result = shop.run("test", "san", "web", "80", "-o", "json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["prediction"]["verdict"], answer["reachable"]) == (0, "blocked", True)
    assert answer["finding"]["code"] == "kind-not-enforced"
    assert [note["code"] for note in answer["prediction"]["caveats"]] == ["kind-not-enforced"]
    assert "kube-router does not enforce adminnetworkpolicy.policy.networking.k8s.io" in answer["finding"]["message"]


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in OF_EACH_KIND if one.group in PLUGINS])
def test_where_its_plugin_runs_the_policy_decides(shop: Shop, one: OfKind) -> None:
    with daemon_set(shop, PLUGINS[one.group]), shop.having(one):
        answer = shop.explained()
        matrix = shop.run("matrix", "--port", "80", "-o", "json")
    assert (answer["plugin"], answer["verdict"]) == ("Cilium" if one.group == "cilium.io" else "Calico", "blocked")
    assert one.title.replace("crd.projectcalico", "projectcalico") in json.dumps(answer)
    assert json.loads(matrix.stdout)["verdicts"] == ["ab", "ba"]


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("ciliumnetworkpolicies.cilium.io", id="of Cilium"),
        pytest.param("globalnetworkpolicies.crd.projectcalico.org", id="of Calico"),
    ],
)
def test_a_forbidden_list_of_the_plugins_own_kinds_is_a_gap(shop: Shop, resource: str) -> None:
    sees = {"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["list"]}
    name = PLUGINS[resource.partition(".")[2]]
    with daemon_set(shop, name), shop.viewer_may([*rules_without(resource), sees]):
        answer = shop.explained(viewer=True)
    assert (answer["verdict"], answer["reason"]["code"]) == ("undefined", "permission-missing")
    assert f"you may not list {resource}" in answer["reason"]["message"]
