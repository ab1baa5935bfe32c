"""What changes between two sets of policies where a network plugin decides: its own among them, its tiers and sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.change import IsolatedMember
from kubectl_netpol.analysis.changes import Differ, changed_policies
from kubectl_netpol.analysis.groups import outside_groups, pod_groups
from kubectl_netpol.engine.layers import RuleList
from kubectl_netpol.engine.plugins import Plugin, plugin_of
from kubectl_netpol.model.calico import CalicoPolicy, StagedKubernetes
from kubectl_netpol.model.cilium import CiliumPolicy
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.analysis.groups import PodGroup
    from kubectl_netpol.engine.layers import Layer
    from kubectl_netpol.model.policies import Direction, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


def changed_titles(before: Snapshot, after: Snapshot) -> set[str]:
    """The keys of the policies of every kind that exist only before or after, or in another form."""
    old, new = (set(map(_timeless, _own(snapshot))) for snapshot in (before, after))
    return {policy.title for policy in old ^ new} | {policy.key for policy in changed_policies(before, after)}


def _own(snapshot: Snapshot) -> list[CalicoPolicy | CiliumPolicy]:
    return [found for found in snapshot.plugin_objects if _is_policy(found) and getattr(found, "staged", None) is None]


def _is_policy(found: Any) -> bool:
    return isinstance(found, (CalicoPolicy, CiliumPolicy))


def _timeless(policy: CalicoPolicy | CiliumPolicy) -> CalicoPolicy | CiliumPolicy:
    return policy._replace(changed=None)


def with_objects(snapshot: Snapshot, objects: Iterable[Any], *, delete: bool) -> Snapshot:
    """A copy with these objects of a plugin's kinds, staged ones as if enforced; or (`delete`) without them."""
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
    old, new = ({policy.key: policy for policy in _plugin(snapshot).policies} for snapshot in (before, after))
    titles = changed_titles(before, after)
    keys = {policy.key: None for policy in given.evaluated}
    for found in given.plugin_objects:
        if isinstance(found, CalicoPolicy):
            keys[found.enforced.title] = None
        elif isinstance(found, StagedKubernetes):
            keys[found.policy.key] = None
        elif isinstance(found, CiliumPolicy):
            keys[found.title] = None
    changes = {}
    for key in keys:
        change = "changed" if key in titles else "unchanged"
        if key in old and key not in new:
            change = "deleted"
        elif key in new and key not in old:
            change = "added"
        changes[key] = change
    return [found for key in keys if (found := new.get(key) or old.get(key))], changes


def _plugin(snapshot: Snapshot) -> Plugin:
    plugin = plugin_of(snapshot)
    assert plugin is not None  # noqa: S101 - for the type checker
    return plugin


class PluginDiffer(Differ):
    """Pods that no policy tells apart are evaluated once; other ends are not merged further."""

    ports_matter = True  # a plugin has rules of its own

    def _group(self) -> None:
        old, new = self.plugins = [_plugin(snapshot) for snapshot in (self.before, self.after)]
        titles = changed_titles(self.before, self.after)
        self.changed = [policy for plugin in self.plugins for policy in plugin.policies if policy.key in titles]
        self._all = _but_policies(self.before) != _but_policies(self.after)
        self._rules: list[dict[Policy, list[Rule]]] = []
        for plugin in self.plugins:
            rules: dict[Policy, list[Rule]] = {}
            for policy, rule in plugin.rules:
                rules.setdefault(policy, []).append(rule)
            self._rules.append(rules)
        self._named: dict[str, set[tuple[str, int]]] = {}
        for port in (port for pod in self.after.pods for port in pod.ports):
            self._named.setdefault((port.name or "").lower(), set()).add((port.protocol, port.number))
        blocks = old.blocks | new.blocks
        self.has_blocks = True
        self.pods = pod_groups(self.after, (), blocks, lambda pod: (old.class_of(pod), new.class_of(pod)))
        self.outside = outside_groups(self.after, blocks, len(self.pods))

    def _affected(self, direction: Direction) -> dict[int, PodGroup]:
        changed = set(map(_key, self.changed))
        return {
            group.number: group
            for group in self.pods
            if group.pod
            and (
                any(
                    self._all or _key(policy) in changed
                    for plugin in self.plugins
                    for policy in plugin.asked(group.pod, direction)
                )
                or len({_doubts(plugin.layers(group.pod, direction)) for plugin in self.plugins}) > 1
            )
        }

    def _rules_of(self, group: PodGroup, direction: Direction) -> Iterator[Rule]:
        for plugin, rules in zip(self.plugins, self._rules, strict=True):
            for policy in plugin.asked(group.pod, direction) if group.pod else ():
                for rule in (rule for rule in rules.get(policy, ()) if rule.direction is direction):
                    yield rule
                    yield rule._replace(ports=tuple(self._numbers_of(rule)))

    def _numbers_of(self, rule: Rule) -> Iterator[PortRange]:
        """The numbers of its port names on any pod: a plugin may take one of them for all."""
        for name in {item.name for item in rule.ports if isinstance(item, NamedPort)}:
            for protocol, number in self._named.get(name.lower(), ()):
                yield PortRange(protocol, number, number)

    def _isolated(self) -> Iterator[IsolatedMember]:
        changed = set(map(_key, self.changed))
        for direction, groups in self.affected.items():
            for group in groups.values():
                before, after = (plugin.isolating(group.pod, direction) if group.pod else () for plugin in self.plugins)
                if any(_key(policy) in changed for policy in after):
                    yield from (IsolatedMember(member, direction, not before) for member in group.members)

    def _alike(self, _: PodGroup, others: Iterable[PodGroup], __: Direction) -> Iterable[tuple[object, list[PodGroup]]]:
        return [(None, [other]) for other in others]


def _doubts(layers: Iterable[Layer]) -> frozenset[object]:
    """What is not known, and belongs to no policy that is asked: a tier that is not there, a host endpoint."""
    found: set[object] = set()
    for layer in layers:
        found.add(layer.unknown)
        for inner, why in layer.either:
            found |= {why, *_doubts(inner)}
        if isinstance(layer.step, RuleList) and not layer.step.policy.name:
            found.update(rule.condition for rule in layer.step.rules)
    return frozenset(found)


def _key(policy: Policy) -> str:
    return policy.key


def _but_policies(snapshot: Snapshot) -> dict[object, Any]:
    return {_identity(found): found for found in snapshot.plugin_objects if not _is_policy(found)}
