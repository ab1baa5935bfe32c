"""Which labels select pods: their workload's or Service's selector, else the fewest labels that no other pod has."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.label_choice import choose_labels
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.objects import Owner, Pod, Service, Workload
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.model.snapshot import Snapshot

HASH = {"pod-template-hash": "5d9"}


def pod(name: str, labels: dict[str, str], *, namespace: str = "a", owner: Owner | None = None) -> Pod:
    return Pod(namespace, name, labels, owner=owner)


@pytest.mark.parametrize(
    ("labels", "others", "expected"),
    [
        pytest.param({"version": "1", "app": "web"}, [], {"app": "web"}, id="one label, app before others"),
        pytest.param({"name": "x", "k8s-app": "y", "run": "z"}, [], {"k8s-app": "y"}, id="k8s-app before run and name"),
        pytest.param({"component": "x", "run": "y"}, [], {"run": "y"}, id="run before component"),
        pytest.param({"zone": "1", "color": "red"}, [], {"color": "red"}, id="else the first key of the alphabet"),
        pytest.param({**HASH, "zone": "1"}, [], {"zone": "1"}, id="a label of one rollout is never used"),
        pytest.param(
            {"app": "web", "tier": "front"},
            [{"app": "web", "tier": "back"}],
            {"tier": "front"},
            id="a label that no other pod has, before a preferred one",
        ),
        pytest.param(
            {"app": "web", "tier": "front"},
            [{"app": "web", "tier": "back"}, {"app": "db", "tier": "front"}],
            {"app": "web", "tier": "front"},
            id="two labels where each alone has other pods",
        ),
        pytest.param(
            {"a": "1", "b": "1", "c": "1", "d": "1"},
            [{"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "1", "d": "1"}, {"c": "1", "d": "1"}],
            {"a": "1", "c": "1", "d": "1"},
            id="three labels where any two have other pods",
        ),
        pytest.param(
            dict.fromkeys("abcde", "1"),
            [{key: "1" for key in "abcde" if key != without} for without in "abcde"],
            dict.fromkeys("abcde", "1"),
            id="all labels where any three have other pods",
        ),
    ],
)
def test_the_fewest_labels_that_no_other_pod_has(
    labels: dict[str, str], others: list[dict[str, str]], expected: dict[str, str]
) -> None:
    web = pod("web", labels)
    snapshot = Snapshot(pods=[web, *(pod(f"other-{number}", found) for number, found in enumerate(others))])
    assert choose_labels(snapshot, [web], Resolved(pod=web)) == (LabelSelector.of(expected), None)


WEB = LabelSelector.of({"app": "web", "part": "front"})
TEMPLATE = {"app": "web", "part": "front", "version": "1"}
DEPLOYMENT = Workload("Deployment", "a", "web", WEB, pod("web", TEMPLATE))
REPLICA_SET = Workload(
    "ReplicaSet",
    "a",
    "web-5d9",
    LabelSelector.of({**TEMPLATE, **HASH}),
    pod("web-5d9", {}, owner=Owner("Deployment", "web")),
)
REPLICAS = [pod(f"web-5d9-{number}", {**TEMPLATE, **HASH}, owner=Owner("ReplicaSet", "web-5d9")) for number in (1, 2)]
JOB_POD = pod("report-1", {"controller-uid": "7", "app": "report"}, owner=Owner("Job", "report"))
JOB = Workload("Job", "a", "report", LabelSelector.of({"controller-uid": "7"}), JOB_POD)


def test_a_pod_of_a_deployment_is_selected_by_the_deployments_selector() -> None:
    snapshot = Snapshot(pods=REPLICAS, workloads=[DEPLOYMENT, REPLICA_SET])
    assert choose_labels(snapshot, REPLICAS[:1], Resolved(pod=REPLICAS[0])) == (WEB, None)
    assert choose_labels(snapshot, REPLICAS, Resolved(workload=DEPLOYMENT)) == (WEB, None)


def test_replicas_of_one_deployment_are_not_other_pods_even_if_it_was_not_read() -> None:
    snapshot = Snapshot(pods=REPLICAS)
    assert choose_labels(snapshot, REPLICAS[:1], Resolved(pod=REPLICAS[0])) == (LabelSelector.of({"app": "web"}), None)


def test_the_template_of_a_workload_of_the_same_name_is_another_pod() -> None:
    web = pod("web", {"app": "web", "role": "server"})
    template = pod("web", {"app": "web", "job": "clean"}, owner=Owner("CronJob", "web"))
    snapshot = Snapshot(pods=[web, template])
    assert choose_labels(snapshot, [web], Resolved(pod=web)) == (LabelSelector.of({"role": "server"}), None)


def test_a_job_is_selected_by_a_label_that_outlives_it() -> None:
    snapshot = Snapshot(pods=[JOB_POD], workloads=[JOB])
    assert choose_labels(snapshot, [JOB_POD], Resolved(workload=JOB)).selector == LabelSelector.of({"app": "report"})


def test_pods_behind_a_service_are_selected_by_its_selector() -> None:
    service = Service("a", "web", LabelSelector.of({"app": "web"}))
    snapshot = Snapshot(pods=[*REPLICAS, pod("canary", {"app": "web"})], workloads=[DEPLOYMENT, REPLICA_SET])
    assert choose_labels(snapshot, REPLICAS, Resolved(service=service)) == (service.selector, None)


def test_a_service_that_selects_by_a_rollout_is_not_used() -> None:
    service = Service("a", "web", LabelSelector.of(HASH))
    one = pod("one", {**HASH, "app": "one"})
    assert choose_labels(Snapshot(pods=[one]), [one], Resolved(service=service)).selector == LabelSelector.of(
        {"app": "one"}
    )


def test_several_pods_are_selected_by_a_label_that_all_of_them_have() -> None:
    pods = [pod("one", {"app": "one", "tier": "front"}), pod("two", {"app": "two", "tier": "front"})]
    assert choose_labels(Snapshot(pods=pods), pods, Resolved()).selector == LabelSelector.of({"tier": "front"})


@pytest.mark.parametrize(
    ("other", "note"),
    [
        pytest.param(
            pod("db-backup", {"app": "db", "job": "backup"}),
            "no label distinguishes a/db from a/db-backup: the policy matches them too",
            id="another pod with the same labels is named",
        ),
        pytest.param(
            pod("db-backup", {"app": "db"}, namespace="b"), None, id="a pod of another namespace does not count"
        ),
        pytest.param(
            pod("db-backup", {"app": "db"})._replace(phase="Succeeded"), None, id="a finished pod does not count"
        ),
    ],
)
def test_other_pods_that_are_matched_too(other: Pod, note: str | None) -> None:
    db = pod("db", {"app": "db"})
    choice = choose_labels(Snapshot(pods=[db, other]), [db], Resolved(pod=db))
    assert choice == (LabelSelector.of({"app": "db"}), note)


def test_a_workloads_selector_is_kept_even_where_it_matches_other_pods() -> None:
    snapshot = Snapshot(pods=[*REPLICAS, pod("twin", TEMPLATE)], workloads=[DEPLOYMENT, REPLICA_SET])
    choice = choose_labels(snapshot, REPLICAS[:1], Resolved(pod=REPLICAS[0]))
    assert choice.selector == WEB
    assert choice.note == "no label distinguishes a/deploy/web from a/twin: the policy matches them too"


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({}, id="no labels"),
        pytest.param(
            {**HASH, "controller-revision-hash": "x", "job-name": "y"}, id="only labels of a rollout or a run"
        ),
    ],
)
def test_a_pod_without_a_stable_label_is_an_error_with_the_command_that_adds_one(labels: dict[str, str]) -> None:
    bare = pod("bare", labels)
    with pytest.raises(NetpolError, match="a/bare: no stable label to select by") as raised:
        choose_labels(Snapshot(pods=[bare]), [bare], Resolved(pod=bare))
    assert raised.value.hint == "kubectl label pod bare -n a app=bare"


@pytest.mark.parametrize(
    ("owner", "hint"),
    [
        pytest.param(
            Owner("CronJob", "w"), "add a label to the pod template of a/cj/w, such as app: w", id="a CronJob"
        ),
        pytest.param(Owner("Job", "w"), "add a label to the pod template of a/job/w, such as app: w", id="a Job"),
        pytest.param(
            Owner("ReplicaSet", "w-5d9"),
            "add a label to the pod template of a/deploy/w, such as app: w",
            id="a Deployment by its ReplicaSet",
        ),
        pytest.param(Owner("Node", "n1"), "kubectl label pod bare -n a app=bare", id="a node: a static pod"),
        pytest.param(Owner("Runner", "r"), "kubectl label pod bare -n a app=bare", id="a kind that is not known"),
    ],
)
def test_a_workload_gets_the_label_in_its_template(owner: Owner, hint: str) -> None:
    bare = pod("bare", HASH, owner=owner)
    with pytest.raises(NetpolError) as raised:
        choose_labels(Snapshot(pods=[bare]), [bare], Resolved(pod=bare))
    assert raised.value.hint == hint


def test_pods_without_a_common_label_are_an_error() -> None:
    pods = [pod("one", {"app": "one"}), pod("two", {"app": "two"})]
    with pytest.raises(NetpolError, match="a/one, a/two: no stable label to select by"):
        choose_labels(Snapshot(pods=pods), pods, Resolved())


def test_an_expression_of_a_workload_is_kept() -> None:
    selector = LabelSelector((Requirement("app", Operator.IN, ("web", "api")),))
    web = pod("web", {"app": "web"}, owner=Owner("StatefulSet", "web"))
    workload = Workload("StatefulSet", "a", "web", selector, web)
    assert (
        choose_labels(Snapshot(pods=[web], workloads=[workload]), [web], Resolved(workload=workload)).selector
        == selector
    )
