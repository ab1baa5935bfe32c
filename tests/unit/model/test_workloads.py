"""From a pod to its workload, and from a workload to its pods and its selector."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.objects import Owner, Pod, Workload
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot
from kubectl_netpol.model.workloads import controller_of, controllers, own_selector, pod_title, pods_of

KNOWN = {("x", Owner("Job", "nightly-28")): Owner("CronJob", "nightly")}


@pytest.mark.parametrize(
    ("owner", "labels", "controller", "title"),
    [
        pytest.param(None, {}, None, "x/p", id="a bare pod has none"),
        pytest.param(Owner("Node", "n1"), {}, None, "x/p", id="a static pod has none"),
        pytest.param(Owner("StatefulSet", "db"), {}, Owner("StatefulSet", "db"), "x/sts/db", id="a StatefulSet"),
        pytest.param(
            Owner("ReplicaSet", "web-5f"),
            {"pod-template-hash": "5f"},
            Owner("Deployment", "web"),
            "x/deploy/web",
            id="a Deployment whose ReplicaSet was not read, by the hash",
        ),
        pytest.param(
            Owner("ReplicaSet", "web-5f"),
            {},
            Owner("ReplicaSet", "web-5f"),
            "x/rs/web-5f",
            id="a ReplicaSet, without a hash",
        ),
        pytest.param(
            Owner("ReplicaSet", "web-None"),
            {},
            Owner("ReplicaSet", "web-None"),
            "x/rs/web-None",
            id="a ReplicaSet whose name ends with None",
        ),
        pytest.param(
            Owner("Job", "nightly-28"), {}, Owner("CronJob", "nightly"), "x/cj/nightly", id="a CronJob, by its Job"
        ),
        pytest.param(Owner("Rollout", "web"), {}, Owner("Rollout", "web"), "x/p", id="a kind that can't be typed"),
        pytest.param(
            Owner("CloneSet", "web-5f"),
            {"pod-template-hash": "5f"},
            Owner("CloneSet", "web-5f"),
            "x/p",
            id="a kind that no Deployment owns, with a hash",
        ),
    ],
)
def test_the_controller_of_a_pod_and_its_title(
    owner: Owner | None, labels: dict[str, str], controller: Owner | None, title: str
) -> None:
    pod = Pod("x", "p", labels, owner=owner)
    assert controller_of(pod, KNOWN) == controller
    assert pod_title(pod, KNOWN) == title


def workload(kind: str, name: str, *, owner: Owner | None = None, selector: LabelSelector | None = None) -> Workload:
    template = Pod("x", name, owner=owner or Owner(kind, name), planned=True, phase=None)
    return Workload(kind, "x", name, selector, template)


WEB = LabelSelector.of({"app": "web"})
DEPLOYMENT = workload("Deployment", "web", selector=WEB)
REPLICA_SET = workload(
    "ReplicaSet", "web-5f", owner=Owner("Deployment", "web"), selector=LabelSelector.of({"app": "web", "h": "5f"})
)
CRON_JOB = workload("CronJob", "nightly")
JOB = workload("Job", "nightly-28", owner=Owner("CronJob", "nightly"), selector=LabelSelector.of({"job": "28"}))


def test_workloads_that_another_workload_controls() -> None:
    snapshot = Snapshot(workloads=[DEPLOYMENT, REPLICA_SET, CRON_JOB, JOB])
    assert controllers(snapshot) == {
        ("x", Owner("ReplicaSet", "web-5f")): Owner("Deployment", "web"),
        ("x", Owner("Job", "nightly-28")): Owner("CronJob", "nightly"),
    }


STATEFUL_SET = workload("StatefulSet", "db", selector=LabelSelector.of({"app": "db"}))
EVERYTHING = workload("Deployment", "all", selector=LabelSelector())
OF_REPLICA_SET = Pod("x", "web-5f-a", {"app": "web", "h": "5f"}, owner=Owner("ReplicaSet", "web-5f"))
OF_JOB = Pod("x", "nightly-28-a", owner=Owner("Job", "nightly-28"))
OF_STATEFUL_SET = Pod("x", "db-0", {"app": "db"}, owner=Owner("StatefulSet", "db"))
LOOKALIKE = Pod("x", "other", {"app": "web", "h": "5f"})
CLUSTER = Snapshot(
    pods=[
        OF_REPLICA_SET,
        OF_REPLICA_SET._replace(name="web-5f-b", phase="Succeeded"),
        OF_REPLICA_SET._replace(namespace="y"),
        LOOKALIKE,
        OF_JOB,
        OF_STATEFUL_SET,
    ],
    workloads=[DEPLOYMENT, REPLICA_SET, CRON_JOB, JOB, STATEFUL_SET, EVERYTHING],
)


@pytest.mark.parametrize(
    ("owner", "pods"),
    [
        pytest.param(REPLICA_SET, (OF_REPLICA_SET,), id="a ReplicaSet: those it owns that have not finished"),
        pytest.param(STATEFUL_SET, (OF_STATEFUL_SET,), id="a StatefulSet: those it owns"),
        pytest.param(JOB, (OF_JOB,), id="a Job: those it owns"),
        pytest.param(CRON_JOB, (OF_JOB,), id="a CronJob: those that its Jobs own"),
        pytest.param(
            DEPLOYMENT, (OF_REPLICA_SET, LOOKALIKE), id="a Deployment owns no pod: those its selector matches"
        ),
        pytest.param(EVERYTHING, (), id="none for an empty selector that matches everything"),
        pytest.param(workload("CronJob", "new"), (), id="none for a CronJob that has created no Job"),
    ],
)
def test_the_pods_of_a_workload(owner: Workload, pods: tuple[Pod, ...]) -> None:
    assert pods_of(CLUSTER, owner) == pods


@pytest.mark.parametrize(
    ("pod", "selector"),
    [
        pytest.param(Pod("x", "p"), None, id="none for a bare pod"),
        pytest.param(OF_REPLICA_SET, WEB, id="the Deployment's, not its ReplicaSet's"),
        pytest.param(OF_STATEFUL_SET, STATEFUL_SET.selector, id="the StatefulSet's"),
        pytest.param(OF_JOB, None, id="none for a Job: its selector does not outlive it"),
        pytest.param(Pod("x", "p", owner=Owner("Rollout", "web")), None, id="none for a workload that was not read"),
        pytest.param(OF_REPLICA_SET._replace(namespace="y"), None, id="none from another namespace"),
    ],
)
def test_the_selector_that_matches_a_pod_and_the_pods_that_replace_it(pod: Pod, selector: LabelSelector | None) -> None:
    assert own_selector(CLUSTER, pod, None) == selector


def test_the_selector_of_a_workload_that_was_typed_is_its_controllers_if_that_was_read() -> None:
    assert own_selector(CLUSTER, LOOKALIKE, REPLICA_SET) == WEB
    assert own_selector(Snapshot(workloads=[REPLICA_SET]), LOOKALIKE, REPLICA_SET) == REPLICA_SET.selector
