"""The labels that Cilium sees of each end."""

from __future__ import annotations

import pytest

from kubectl_netpol.engine.cilium_ends import Cluster, Labels, counts, is_own_node, selected
from kubectl_netpol.model.objects import Node, Pod
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from tests.support.tables import snapshot_of

POD = Labels({"k8s:app": "web", "k8s:reserved": "x"}, is_pod=True)


def one(key: str, operator: Operator = Operator.EXISTS, *values: str) -> LabelSelector:
    return LabelSelector((Requirement(key, operator, values),))


@pytest.mark.parametrize(
    ("labels", "key", "value"),
    [
        (POD, "k8s:app", "web"),
        (POD, "any:app", "web"),
        (POD, "container:app", None),
        (POD, "reserved:app", None),
        (POD, "any:nothing", None),
        (Labels({"reserved:host": ""}), "any:host", ""),
        (Labels({"reserved:host": ""}), "reserved:host", ""),
        (Labels({"reserved:host": ""}), "k8s:host", None),
    ],
)
def test_a_label_by_its_source(labels: Labels, key: str, value: str | None) -> None:
    assert labels.get(key) == value


LABEL = "k8s:io.cilium.k8s.namespace.labels.team"
PARTLY = Labels({"k8s:app": "web"}, is_pod=True, complete=False)
CLUSTER = "any:io.cilium.k8s.policy.cluster"


@pytest.mark.parametrize(
    ("selector", "labels", "matched"),
    [
        (LabelSelector(), POD, True),
        (one(LABEL), POD, False),
        (one(LABEL), PARTLY, None),
        (LabelSelector((*one(LABEL).requirements, *one("k8s:app", Operator.IN, "db").requirements)), PARTLY, False),
        (LabelSelector((*one("k8s:app").requirements, *one(LABEL).requirements)), PARTLY, None),
        (one(LABEL), Labels({LABEL: "x"}, is_pod=True, complete=False), True),
        (one(CLUSTER, Operator.IN, "a"), POD, None),
        (one(CLUSTER, Operator.NOT_IN, "a"), POD, None),
        (one(CLUSTER), Labels({"k8s:io.cilium.k8s.policy.cluster": "default"}, is_pod=True), True),
        (one(CLUSTER, Operator.IN, "a"), Labels({"reserved:world": ""}), False),
    ],
)
def test_what_hangs_on_labels_that_are_not_known(
    selector: LabelSelector,
    labels: Labels,
    matched: bool | None,  # noqa: FBT001 - a row's expectation
) -> None:
    assert selected(selector, labels) is matched


@pytest.mark.parametrize(
    "key",
    [
        "io.kubernetes.pod.name",
        "kubernetes.io/role",
        "k8s.io/x",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "annotation.x",
        "etcd_node",
        "beta.kubernetes.io/arch",
        "failure-domain.beta.kubernetes.io/zone",
        "io.cilium.k8s.policy.serviceaccount",
    ],
)
def test_labels_that_do_not_count(key: str) -> None:
    assert not counts(key, old=False)
    assert not counts(key, old=True)


@pytest.mark.parametrize(
    "key", ["app", "app.kubernetes.io/name", "batch.kubernetes.io/job-name", "x/kubernetes.io", "job-name", "k8s-app"]
)
def test_labels_that_count(key: str) -> None:
    assert counts(key, old=False)
    assert counts(key, old=True)


def test_labels_that_count_in_one_version() -> None:
    assert [counts("topology.kubernetes.io/zone", old=old) for old in (True, False)] == [True, False]


def test_all_labels_of_a_pod() -> None:
    snapshot = snapshot_of(
        {
            "namespaces": {"a": {"team": "x", "beta.kubernetes.io/x": "y"}},
            "pods": {
                "a/p": {"labels": {"app": "web", "controller-uid": "1"}, "account": "robot"},
                "b/q": {"labels": {}},
            },
            "unread": ["b"],
        }
    )
    cluster = Cluster(snapshot)
    first, second = (cluster.of_pod(pod, old=False) for pod in snapshot.pods)
    assert first.found == {
        "k8s:app": "web",
        "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": "a",
        "k8s:io.cilium.k8s.namespace.labels.team": "x",
        "k8s:io.cilium.k8s.policy.cluster": "default",
        "k8s:io.cilium.k8s.policy.serviceaccount": "robot",
        "k8s:io.kubernetes.pod.namespace": "a",
    }
    assert (first.complete, second.complete) == (True, False)
    assert second.found["k8s:io.cilium.k8s.policy.serviceaccount"] == "default"
    assert cluster.of_pod(snapshot.pods[0], old=False) is first
    assert cluster.of_pod(snapshot.pods[0], old=True) is not first


@pytest.mark.parametrize(
    ("subject", "pod", "node", "own"),
    [
        ("n1", None, None, False),
        ("n1", Pod("a", "p", node="n1"), None, False),
        ("n1", Pod("a", "p", node="n1", host_network=True), None, True),
        ("n1", Pod("a", "p", node="n2", host_network=True), None, False),
        ("n1", Pod("a", "p", host_network=True), None, None),
        (None, Pod("a", "p", node="n2", host_network=True), None, None),
        ("n1", None, Node("n1"), True),
        ("n1", None, Node("n2"), False),
        (None, None, Node("n2"), None),
    ],
)
def test_whether_the_other_end_is_the_own_node(
    subject: str | None,
    pod: Pod | None,
    node: Node | None,
    own: bool | None,  # noqa: FBT001 - a row's expectation
) -> None:
    assert is_own_node(Pod("a", "subject", node=subject), pod, node) is own
