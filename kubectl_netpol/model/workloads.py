"""From a pod to the workload that controls it, and from a workload to its pods and its selector."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubectl_netpol.model.kinds import KINDS, WORKLOADS
from kubectl_netpol.model.objects import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod, Workload
    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot

Controllers: TypeAlias = "dict[tuple[str, Owner], Owner]"
_RUN_TO_COMPLETION = ("Job", "CronJob")


def controllers(snapshot: Snapshot) -> Controllers:
    """(namespace, workload) -> the workload that controls it, such as a ReplicaSet's Deployment."""
    return _controllers(snapshot.workloads)


def _controllers(workloads: Iterable[Workload]) -> Controllers:
    found = {}
    for workload in workloads:
        this, owner = Owner(workload.kind, workload.name), workload.template.owner
        if owner and owner != this:
            found[workload.namespace, this] = owner
    return found


def controller_of(pod: Pod, known: Controllers) -> Owner | None:
    """The outermost controller of the pod; None for a bare pod and for a static one.

    If its ReplicaSet was not read, the hash in the ReplicaSet's name shows that a Deployment owns it.
    """
    owner = pod.owner
    if owner is None or owner.kind == "Node":
        return None
    if outer := known.get((pod.namespace, owner)):
        return outer
    generation = pod.labels.get("pod-template-hash")
    if owner.kind == "ReplicaSet" and generation and owner.name.endswith(f"-{generation}"):
        return Owner("Deployment", owner.name.removesuffix(f"-{generation}"))
    return owner


def pod_title(pod: Pod, known: Controllers) -> str:
    """The pod's workload as it can be typed ("shop/deploy/web"), or the pod itself ("shop/web")."""
    owner = controller_of(pod, known)
    if owner is None or owner.kind not in WORKLOADS:
        return pod.key
    return f"{pod.namespace}/{KINDS[owner.kind].short}/{owner.name}"


def pods_of(snapshot: Snapshot, workload: Workload) -> tuple[Pod, ...]:
    """The pods of a workload that have not finished, its template included if the snapshot has that as a pod.

    Those it owns; without any, those of the workloads it owns, or those its selector matches.
    """
    this = Owner(workload.kind, workload.name)
    pods = [pod for pod in snapshot.pods_in(workload.namespace) if not pod.finished]
    own = [pod for pod in pods if pod.owner == this]
    if not own and workload.selector is None:
        made = {
            Owner(other.kind, other.name)
            for other in snapshot.workloads
            if other.namespace == workload.namespace and other.template.owner == this
        }
        own = [pod for pod in pods if pod.owner in made]
    if not own and workload.selector and workload.selector.requirements:
        known = controllers(snapshot)
        own = [pod for pod in pods if workload.selector.matches(pod.labels) and _may_control(workload, pod, known)]
    return tuple(own)


def _may_control(workload: Workload, pod: Pod, known: Controllers) -> bool:
    """Whether a pod that its selector matches may be its own: no controller takes a pod that another one has."""
    owner = controller_of(pod, known)
    if owner is None or Owner(workload.kind, workload.name) in (owner, pod.owner):
        return True
    return workload.kind == "Deployment" and owner.kind == "ReplicaSet" and owner.name.startswith(f"{workload.name}-")


def own_selector(snapshot: Snapshot, pod: Pod, workload: Workload | None) -> LabelSelector | None:
    """The selector that matches this pod and the pods that will replace it: its workload's. None for a bare pod.

    For a ReplicaSet it is its Deployment's, if that was read. None for a Job: its selector does not outlive it.
    """
    if workload is None and pod.owner:
        workload = _workload(snapshot, pod.namespace, pod.owner)
    if workload and workload.template.owner and workload.template.owner.kind != workload.kind:
        workload = _workload(snapshot, workload.namespace, workload.template.owner) or workload
    return workload.selector if workload and workload.kind not in _RUN_TO_COMPLETION else None


def _workload(snapshot: Snapshot, namespace: str, owner: Owner) -> Workload | None:
    return next((w for w in snapshot.workloads if (w.namespace, w.kind, w.name) == (namespace, *owner)), None)


def without_missing_owners(workloads: list[Workload]) -> list[Workload]:
    """The workloads, of which those whose owner is not among them own their templates themselves.

    So they go by their own name: an operator's object, or a Deployment that is not in the files, can't be typed.
    """
    known = {(workload.namespace, Owner(workload.kind, workload.name)) for workload in workloads}
    return [
        workload
        if (workload.namespace, workload.template.owner) in known
        else workload._replace(
            template=workload.template._replace(owner=Owner(workload.kind, workload.name)),
            replicas=tuple(pod._replace(owner=Owner(workload.kind, workload.name)) for pod in workload.replicas),
        )
        for workload in workloads
    ]


def planned_pods(workloads: list[Workload], pods: list[Pod]) -> list[Pod]:
    """The planned pods: of workloads that no other workload controls and that have no pods of their own yet."""
    known = {(workload.namespace, Owner(workload.kind, workload.name)) for workload in workloads}
    owners = {(pod.namespace, pod.owner) for pod in pods}
    controlled = _controllers(workloads)
    found: list[Pod] = []
    for workload in workloads:
        own = (workload.namespace, Owner(workload.kind, workload.name))
        owner = (workload.namespace, workload.template.owner)
        if workload.scaled_down or own in owners or (owner != own and owner in known):
            continue
        running = (pod for pod in pods if pod.namespace == workload.namespace and not pod.planned and not pod.finished)
        matches = workload.selector.matches if workload.selector else None
        if not matches or not any(matches(pod.labels) and _may_control(workload, pod, controlled) for pod in running):
            found += workload.templates
    return found
