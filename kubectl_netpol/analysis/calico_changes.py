"""What changes between two sets of policies where Calico runs: its own among them, and its tiers and sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.changes import Differ, IsolatedMember, asked_policies, blocks_of, changed_policies
from kubectl_netpol.analysis.groups import outside_groups, pod_groups
from kubectl_netpol.engine.calico import calico_of
from kubectl_netpol.engine.layers import isolating_policies
from kubectl_netpol.model.calico import CalicoPolicy, StagedKubernetes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.analysis.groups import PodGroup
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Direction, Policy
    from kubectl_netpol.model.snapshot import Snapshot


def changed_titles(before: Snapshot, after: Snapshot) -> set[str]:
    """The keys of the policies of every kind that exist only before or after, or in another form."""
    old, new = (set(map(_timeless, _own(snapshot))) for snapshot in (before, after))
    return {policy.title for policy in old ^ new} | {policy.key for policy in changed_policies(before, after)}


def _own(snapshot: Snapshot) -> list[CalicoPolicy]:
    return [found for found in snapshot.plugin_objects if isinstance(found, CalicoPolicy) and found.staged is None]


def _timeless(policy: CalicoPolicy) -> CalicoPolicy:
    return policy._replace(changed=None)


def with_objects(snapshot: Snapshot, objects: Iterable[Any], *, delete: bool) -> Snapshot:
    """A copy with these objects of Calico's kinds, staged ones as if they were enforced; or (`delete`) without them."""
    own = {_identity(found): found for found in snapshot.plugin_objects}
    kept = {policy.key: policy for policy in snapshot.evaluated}
    for found in objects:
        if isinstance(found, StagedKubernetes):
            if found.action == "Delete":
                kept.pop(found.policy.key, None)
            elif found.action != "Ignore" and not delete:
                kept[found.policy.key] = found.policy
        elif isinstance(found, CalicoPolicy):
            one = found.enforced
            if delete or found.staged == "Delete":
                own.pop(_identity(one), None)
            elif found.staged != "Ignore":
                own[_identity(one)] = one
        elif delete:
            own.pop(_identity(found), None)
        else:
            own[_identity(found)] = found
    return snapshot.with_policies(kept.values(), own.values())


def _identity(found: Any) -> object:
    return type(found), getattr(found, "kind", ""), getattr(found, "namespace", ""), found.name


def changed_by(before: Snapshot, after: Snapshot, given: Snapshot) -> tuple[list[Policy], dict[str, str]]:
    """The policies that are given, of every kind, and what becomes of each: added, changed, deleted or unchanged."""
    old, new = ({policy.key: policy for policy in calico_of(snapshot).policies} for snapshot in (before, after))
    titles = changed_titles(before, after)
    keys = {policy.key: None for policy in given.evaluated}
    for found in given.plugin_objects:
        if isinstance(found, CalicoPolicy):
            keys[found.enforced.title] = None
        elif isinstance(found, StagedKubernetes):
            keys[found.policy.key] = None
    changes = {}
    for key in keys:
        change = "changed" if key in titles else "unchanged"
        if key in old and key not in new:
            change = "deleted"
        elif key in new and key not in old:
            change = "added"
        changes[key] = change
    return [found for key in keys if (found := new.get(key) or old.get(key))], changes


class CalicoDiffer(Differ):
    """Pods that no policy tells apart are evaluated once; other ends are not merged further."""

    def _group(self) -> None:
        both = [calico_of(snapshot) for snapshot in (self.before, self.after)]
        titles = changed_titles(self.before, self.after)
        self.changed = [policy for calico in both for policy in calico.policies if policy.key in titles]
        old, new = (
            {_identity(found): found for found in snapshot.plugin_objects if not isinstance(found, CalicoPolicy)}
            for snapshot in (self.before, self.after)
        )
        self._all = old != new
        blocks = blocks_of(policy for snapshot in (self.before, self.after) for policy in snapshot.evaluated)
        blocks.update(*(calico.blocks for calico in both))
        self.has_blocks = True
        self.pods = pod_groups(self.after, (), blocks, lambda pod: tuple(calico.class_of(pod) for calico in both))
        self.outside = outside_groups(self.after, blocks, len(self.pods))

    def _affected(self, direction: Direction) -> dict[int, PodGroup]:
        return {
            group.number: group
            for group in self.pods
            if group.pod and any(policy in self.changed or self._all for policy in self._asked(group.pod, direction))
        }

    def _asked(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        before, after = (asked_policies(snapshot, pod, direction) for snapshot in (self.before, self.after))
        return (*before, *after)

    def _isolated(self) -> Iterator[IsolatedMember]:
        for direction, groups in self.affected.items():
            for group in groups.values():
                before, after = (
                    isolating_policies(snapshot, group.pod, direction) if group.pod else ()
                    for snapshot in (self.before, self.after)
                )
                if any(policy in self.changed for policy in after):
                    yield from (IsolatedMember(member, direction, not before) for member in group.members)

    def _alike(self, _: PodGroup, others: Iterable[PodGroup], __: Direction) -> Iterable[list[PodGroup]]:
        return [[other] for other in others]
