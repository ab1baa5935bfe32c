"""From a pod to its workload and back."""

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
        pytest.param(None, {}, None, "x/p", id="a pod on its own"),
        pytest.param(Owner("Node", "n1"), {}, None, "x/p", id="a static pod"),
        pytest.param(Owner("StatefulSet", "db"), {}, Owner("StatefulSet", "db"), "x/sts/db", id="a StatefulSet's"),
        pytest.param(
            Owner("ReplicaSet", "web-5f"),
            {"pod-template-hash": "5f"},
            Owner("Deployment", "web"),
            "x/deploy/web",
            id="a Deployment's, whose ReplicaSet was not read",
        ),
        pytest.param(
            Owner("ReplicaSet", "web-5f"), {}, Owner("ReplicaSet", "web-5f"), "x/rs/web-5f", id="a ReplicaSet's own"
        ),
        pytest.param(
            Owner("ReplicaSet", "web-None"), {}, Owner("ReplicaSet", "web-None"), "x/rs/web-None", id="no hash at all"
        ),
        pytest.param(
            Owner("Job", "nightly-28"), {}, Owner("CronJob", "nightly"), "x/cj/nightly", id="a CronJob's, by its Job"
        ),
        pytest.param(Owner("Rollout", "web"), {}, Owner("Rollout", "web"), "x/p", id="of a kind that can't be typed"),
    ],
)
def test_the_controller_of_a_pod_and_what_people_call_the_pod(
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


def test_workloads_that_another_one_controls() -> None:
    snapshot = Snapshot(workloads=[DEPLOYMENT, REPLICA_SET, CRON_JOB, JOB])
    assert controllers(snapshot) == {
        ("x", Owner("ReplicaSet", "web-5f")): Owner("Deployment", "web"),
        ("x", Owner("Job", "nightly-28")): Owner("CronJob", "nightly"),
    }


def test_the_pods_of_a_workload_are_those_that_it_owns_and_that_have_not_finished() -> None:
    own = Pod("x", "web-5f-a", {"app": "web"}, owner=Owner("ReplicaSet", "web-5f"))
    done = own._replace(name="web-5f-b", phase="Succeeded")
    stranger = Pod("x", "other", {"app": "web", "h": "5f"})
    elsewhere = own._replace(namespace="y")
    snapshot = Snapshot(pods=[own, done, stranger, elsewhere], workloads=[DEPLOYMENT, REPLICA_SET])
    assert pods_of(snapshot, REPLICA_SET) == (own,)
    # A Deployment owns no pod itself: its selector finds them.
    assert pods_of(snapshot, DEPLOYMENT) == (own, stranger)


def test_the_pods_of_a_cron_job_are_those_of_its_jobs() -> None:
    pod = Pod("x", "nightly-28-a", owner=Owner("Job", "nightly-28"))
    snapshot = Snapshot(pods=[pod, Pod("x", "other")], workloads=[CRON_JOB, JOB])
    assert pods_of(snapshot, CRON_JOB) == (pod,)


def test_a_workload_that_selects_everything_has_no_pods_but_its_own() -> None:
    everything = workload("Deployment", "all", selector=LabelSelector())
    assert pods_of(Snapshot(pods=[Pod("x", "other")], workloads=[everything]), everything) == ()


@pytest.mark.parametrize(
    ("pod", "selector"),
    [
        pytest.param(Pod("x", "p"), None, id="none for a pod on its own"),
        pytest.param(
            Pod("x", "p", owner=Owner("ReplicaSet", "web-5f")), WEB, id="the Deployment's, not its ReplicaSet's"
        ),
        pytest.param(
            Pod("x", "p", owner=Owner("Job", "nightly-28")), None, id="none for a Job: it has none that lasts"
        ),
        pytest.param(Pod("x", "p", owner=Owner("Rollout", "web")), None, id="none for a workload that was not read"),
        pytest.param(Pod("y", "p", owner=Owner("ReplicaSet", "web-5f")), None, id="none from another namespace"),
    ],
)
def test_the_selector_that_keeps_a_pod_and_its_replicas_to_come(pod: Pod, selector: LabelSelector | None) -> None:
    snapshot = Snapshot(workloads=[DEPLOYMENT, REPLICA_SET, CRON_JOB, JOB])
    assert own_selector(snapshot, pod, None) == selector


def test_the_selector_of_a_workload_that_was_typed() -> None:
    snapshot = Snapshot(workloads=[REPLICA_SET])
    assert own_selector(snapshot, Pod("x", "p"), REPLICA_SET) == REPLICA_SET.selector
