"""Who may talk to whom, in groups that no policy can tell apart: pods, and addresses outside the cluster. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.model.kinds import SHORT
from kubectl_netpol.model.objects import Owner, Pod, Workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot


def controllers(snapshot: Snapshot) -> dict[tuple[str, Owner], Owner]:
    """The owner of a workload that another one made, as a ReplicaSet's Deployment."""
    found = {}
    for workload in snapshot.workloads:
        me, owner = Owner(workload.kind, workload.name), workload.template.owner
        if owner and owner != me:
            found[workload.namespace, me] = owner
    return found


def pod_title(pod: Pod, owners: dict[tuple[str, Owner], Owner]) -> str:
    """The pod's workload as it can be typed ("shop/deploy/web"), or the pod ("shop/web")."""
    owner = pod.owner and owners.get((pod.namespace, pod.owner), pod.owner)
    generation = pod.labels.get("pod-template-hash")
    if owner and owner.kind == "ReplicaSet" and generation and owner.name.endswith(f"-{generation}"):
        owner = Owner("Deployment", owner.name.removesuffix(f"-{generation}"))
    if owner is None or owner.kind not in SHORT or owner.kind == "Node":
        return pod.key
    return f"{pod.namespace}/{SHORT[owner.kind]}/{owner.name}"


def workload_of(owners: Mapping[tuple[str, str, str], tuple[str, str]], pod: Pod) -> tuple[str, str]:
    """(kind, name) of what keeps the pod: the Deployment of its ReplicaSet; ("Pod", its name) where nothing does."""
    owner = pod.owner
    if owner is None or owner.kind == "Node":
        return "Pod", pod.name
    if known := owners.get((pod.namespace, owner.kind, owner.name)):
        return known
    suffix = f"-{pod.labels.get('pod-template-hash')}"
    if owner.kind == "ReplicaSet" and owner.name.endswith(suffix):
        return "Deployment", owner.name.removesuffix(suffix)
    return owner.kind, owner.name


def owners_of_workloads(snapshot: Snapshot) -> dict[tuple[str, str, str], tuple[str, str]]:
    """(namespace, kind, name) of each workload that another one keeps -> that one's kind and name."""
    return {
        (workload.namespace, workload.kind, workload.name): (owner.kind, owner.name)
        for workload in snapshot.workloads
        if (owner := workload.template.owner) and (owner.kind, owner.name) != (workload.kind, workload.name)
    }


def pods_of(snapshot: Snapshot, workload: Workload) -> tuple[Pod, ...]:
    """The pods of a workload that have not finished; its template where there is no other."""
    pods = [pod for pod in snapshot.pods_in(workload.namespace) if not pod.finished]
    own = [pod for pod in pods if pod.owner == Owner(workload.kind, workload.name)]
    if not own and workload.selector is None:
        made = {
            Owner(other.kind, other.name)
            for other in snapshot.workloads
            if other.namespace == workload.namespace and other.template.owner == Owner(workload.kind, workload.name)
        }
        own = [pod for pod in pods if pod.owner in made]
    if not own and workload.selector and workload.selector.requirements:
        own = [pod for pod in pods if workload.selector.matches(pod.labels)]
    return tuple(own)


def own_selector(snapshot: Snapshot, pod: Pod, workload: Workload | None) -> LabelSelector | None:
    """The selector of the workload that keeps this pod and its replicas to come, or None for a pod on its own.

    A ReplicaSet's is its Deployment's where that was read; a Job has none that outlives it.
    """
    if workload is None and pod.owner:
        workload = _keeper(snapshot, pod.namespace, pod.owner.kind, pod.owner.name)
    if workload and workload.template.owner and workload.template.owner.kind != workload.kind:
        owner = workload.template.owner
        workload = _keeper(snapshot, workload.namespace, owner.kind, owner.name) or workload
    return workload.selector if workload and workload.kind not in ("Job", "CronJob") else None


def _keeper(snapshot: Snapshot, namespace: str, kind: str, name: str) -> Workload | None:
    return next((w for w in snapshot.workloads if (w.namespace, w.kind, w.name) == (namespace, kind, name)), None)
