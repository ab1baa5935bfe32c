"""Which labels select some pods, their replicas to come, and no others. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.workloads import controllers, own_selector, pod_title, pods_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

# Labels that differ from replica to replica or from one rollout or run to the next.
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
_TELLING = (
    "app",
    "app.kubernetes.io/name",
    "k8s-app",
    "run",
    "name",
    "app.kubernetes.io/instance",
    "component",
    "tier",
)
_MOST_LABELS = 3


class LabelChoice(NamedTuple):
    """The labels chosen. `note`: which other pods have them too, or None."""

    selector: LabelSelector
    note: str | None = None


def choose_labels(snapshot: Snapshot, pods: Sequence[Pod], named: Resolved) -> LabelChoice:
    """The labels for these pods of one namespace, which `named` stands for: the selector that keeps them together
    where there is one, else the fewest labels that no other pod has. NetpolError where they have none that lasts.
    """
    owners = controllers(snapshot)
    titles = {pod_title(pod, owners) for pod in pods}
    neighbours = [pod for pod in snapshot.pods_in(pods[0].namespace) if not pod.finished]
    targets = {pod.key for pod in neighbours if pod_title(pod, owners) in titles}
    candidates = [own_selector(snapshot, pod, named.workload) for pod in pods]
    selector = candidates[0] if len(set(candidates)) == 1 else None
    if named.workload:
        targets |= {pod.key for pod in pods_of(snapshot, named.workload)}
    if named.service and named.service.selector:
        selector = named.service.selector
        targets |= {pod.key for pod in snapshot.selected_by_service(named.service)}
    if selector is None or not _lasting(selector):
        selector = _fewest(_common_labels(pods), neighbours, targets)
    others = {pod_title(pod, owners) for pod in _others(selector, neighbours, targets)}
    if not others:
        return LabelChoice(selector)
    return LabelChoice(
        selector, f"no label tells {min(titles)} from {names_text(sorted(others))}: the policy is about them too"
    )


def _common_labels(pods: Sequence[Pod]) -> dict[str, str]:
    """The labels that all the pods have, and keep."""
    first = pods[0]
    labels = {
        key: value
        for key, value in first.labels.items()
        if key not in TRANSIENT and all(pod.labels.get(key) == value for pod in pods)
    }
    if not labels:
        raise NetpolError(
            f"{names_text([pod.key for pod in pods])}: no lasting label to select by",
            f"kubectl label pod {first.name} -n {first.namespace} app={first.name}",
        )
    return labels


def _lasting(selector: LabelSelector) -> bool:
    return bool(selector.requirements) and not any(item.key in TRANSIENT for item in selector.requirements)


def _others(selector: LabelSelector, neighbours: Iterable[Pod], targets: set[str]) -> list[Pod]:
    return [pod for pod in neighbours if pod.key not in targets and selector.matches(pod.labels)]


def _fewest(labels: Mapping[str, str], neighbours: Sequence[Pod], targets: set[str]) -> LabelSelector:
    """The fewest labels with the fewest other pods, the most telling first."""
    ranked = sorted(labels, key=lambda key: (_TELLING.index(key) if key in _TELLING else len(_TELLING), key))
    sizes = [*range(1, min(len(ranked), _MOST_LABELS) + 1), len(ranked)]
    subsets = (keys for size in sizes for keys in itertools.combinations(ranked, size))
    selectors = [LabelSelector.of({key: labels[key] for key in keys}) for keys in subsets]
    return min(selectors, key=lambda selector: len(_others(selector, neighbours, targets)))
