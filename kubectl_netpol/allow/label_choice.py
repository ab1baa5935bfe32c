"""The labels that select given pods and their future replicas, and no other pods if possible."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.kinds import WORKLOADS
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.workloads import controller_of, controllers, own_selector, pod_title, pods_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot
    from kubectl_netpol.model.workloads import Controllers

# Labels that differ between replicas, rollouts or runs.
TRANSIENT = frozenset(
    (
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
    )
)
_PREFERRED = (
    "app",
    "app.kubernetes.io/name",
    "k8s-app",
    "run",
    "name",
    "app.kubernetes.io/instance",
    "component",
    "tier",
)
_MOST_COMBINED = 3


class LabelChoice(NamedTuple):
    """`note`: the other pods that the selector matches too, or None."""

    selector: LabelSelector
    note: str | None = None


def choose_labels(snapshot: Snapshot, pods: Sequence[Pod], resolved: Resolved) -> LabelChoice:
    """For pods of one namespace that `resolved` means: the selector of their workload or Service where it is stable,
    else the fewest labels that no other pod has. NetpolError where they have no stable label.
    """
    owners = controllers(snapshot)
    titles = {pod_title(pod, owners) for pod in pods}
    neighbours = [pod for pod in snapshot.pods_in(pods[0].namespace) if not pod.finished]
    targets: set[object] = {pod.identity for pod in neighbours if pod_title(pod, owners) in titles}
    candidates = [own_selector(snapshot, pod, resolved.workload) for pod in pods]
    selector = candidates[0] if len(set(candidates)) == 1 else None
    if resolved.workload:
        targets |= {pod.identity for pod in pods_of(snapshot, resolved.workload)}
    if resolved.service and resolved.service.selector:
        selector = resolved.service.selector
        targets |= {pod.identity for pod in snapshot.selected_by_service(resolved.service)}
    if selector is None or not _is_stable(selector):
        selector = _fewest(_common_labels(pods, owners), neighbours, targets)
    others = {pod_title(pod, owners) for pod in _others(selector, neighbours, targets)}
    if not others:
        return LabelChoice(selector)
    return LabelChoice(
        selector, f"no label distinguishes {min(titles)} from {names_text(sorted(others))}: the policy matches them too"
    )


def _common_labels(pods: Sequence[Pod], owners: Controllers) -> dict[str, str]:
    """The stable labels that all the pods have."""
    first = pods[0]
    labels = {
        key: value
        for key, value in first.labels.items()
        if key not in TRANSIENT and all(pod.labels.get(key) == value for pod in pods)
    }
    if not labels:
        hint = f"kubectl label pod {first.name} -n {first.namespace} app={first.name}"
        owner = controller_of(first, owners)
        if owner and owner.kind in WORKLOADS:
            hint = f"add a label to the pod template of {pod_title(first, owners)}, such as app: {owner.name}"
        raise NetpolError(f"{names_text([pod.key for pod in pods])}: no stable label to select by", hint)
    return labels


def _is_stable(selector: LabelSelector) -> bool:
    return bool(selector.requirements) and not any(item.key in TRANSIENT for item in selector.requirements)


def _others(selector: LabelSelector, neighbours: Iterable[Pod], targets: set[object]) -> list[Pod]:
    return [pod for pod in neighbours if pod.identity not in targets and selector.matches(pod.labels)]


def _fewest(labels: Mapping[str, str], neighbours: Sequence[Pod], targets: set[object]) -> LabelSelector:
    """The combination of labels that the fewest other pods have: the smallest first, then preferred keys."""
    ranked = sorted(labels, key=lambda key: (_PREFERRED.index(key) if key in _PREFERRED else len(_PREFERRED), key))
    sizes = [*range(1, min(len(ranked), _MOST_COMBINED) + 1), len(ranked)]
    subsets = (keys for size in sizes for keys in itertools.combinations(ranked, size))
    selectors = [LabelSelector.of({key: labels[key] for key in keys}) for keys in subsets]
    return min(selectors, key=lambda selector: len(_others(selector, neighbours, targets)))
