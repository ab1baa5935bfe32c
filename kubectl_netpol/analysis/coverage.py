"""How many pods of a namespace the policies isolate, or a tier limits, in each direction; all kinds are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.layers import isolating_policies, layers_of, tiered_policies
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.model.policies import Action, Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class Share(NamedTuple):
    """Of `pods`, how many are isolated, of how many others a tier denies something, and of how many it is unknown."""

    pods: int = 0
    isolated: int = 0
    limited: int = 0
    unknown: int = 0

    def plus(self, other: Share) -> Share:
        return Share(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def open(self) -> int:
        """The pods to which, or from which, everything is allowed."""
        return self.pods - self.isolated - self.limited - self.unknown


class Coverage(NamedTuple):
    """Of one namespace. `example`: for each direction a pod that nothing isolates or limits."""

    namespace: str
    ingress: Share
    egress: Share
    examples: tuple[Pod | None, Pod | None]

    def of(self, direction: Direction) -> Share:
        return self.ingress if direction is Direction.INGRESS else self.egress


def coverage(snapshot: Snapshot, namespaces: Iterable[str]) -> list[Coverage]:
    """Of each namespace that has pods which have not finished."""
    plugin = plugin_of(snapshot)
    found = []
    for namespace in namespaces:
        counts: dict[object, list[Pod]] = {}
        for pod in snapshot.pods_in(namespace):
            if not pod.finished:
                key = (frozenset(pod.labels.items()), pod.host_network, plugin.class_of(pod) if plugin else None)
                counts.setdefault(key, []).append(pod)
        if not counts:
            continue
        shares = {direction: Share() for direction in Direction}
        examples: dict[Direction, Pod | None] = dict.fromkeys(Direction)
        for pods in counts.values():
            for direction in Direction:
                share = _share(snapshot, pods[0], direction, len(pods))
                shares[direction] = shares[direction].plus(share)
                if share.open and examples[direction] is None:
                    examples[direction] = pods[0]
        both = examples[Direction.INGRESS], examples[Direction.EGRESS]
        found.append(Coverage(namespace, shares[Direction.INGRESS], shares[Direction.EGRESS], both))
    return found


def total(covered: Iterable[Coverage], direction: Direction) -> Share:
    share = Share()
    for one in covered:
        share = share.plus(one.of(direction))
    return share


def _share(snapshot: Snapshot, pod: Pod, direction: Direction, number: int) -> Share:
    """As the overview of `explain` has it: isolated, limited, open or not known."""
    if snapshot.plugin or snapshot.unevaluated or snapshot.gaps:
        layers = layers_of(snapshot, pod, direction)
        if any(layer.unknown for layer in layers):
            return Share(number, unknown=number)
    if isolating_policies(snapshot, pod, direction):
        return Share(number, isolated=number)
    tiered = tiered_policies(snapshot, pod, direction)
    denies = any(rule.action is Action.DENY for policy in tiered for rule in policy.rules_of(direction))
    return Share(number, limited=number if denies else 0)
