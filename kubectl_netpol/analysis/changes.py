"""What changes between two sets of policies on one cluster: which connections open or close, and by which rule.

Every verdict is the engine's. Only pods that a changed policy selects are evaluated, and pods that no policy tells
apart only once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.analysis.change import Cause, Changes, ConnectionChange, IsolatedMember, causes_of
from kubectl_netpol.analysis.groups import Member, PodGroup, outside_groups, pod_groups
from kubectl_netpol.analysis.port_classes import PortClass, port_classes, rules_covering
from kubectl_netpol.analysis.sights import Sights
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.layers import applies, isolating_policies
from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, DirectionVerdict, End, Note, Verdict
from kubectl_netpol.model.addresses import by_family
from kubectl_netpol.model.policies import Direction, Policy, Rule, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.model.snapshot import Snapshot


def changed_policies(before: Snapshot, after: Snapshot) -> list[Policy]:
    """The policies that exist only before or only after; one whose spec changed is listed twice."""
    old, new = (dict.fromkeys(_timeless(snapshot).evaluated) for snapshot in (before, after))
    return [*(policy for policy in old if policy not in new), *(policy for policy in new if policy not in old)]


def changes_between(before: Snapshot, after: Snapshot) -> Changes:
    """The two snapshots differ in their policies of evaluated kinds only, and in the objects of a plugin."""
    if after.plugin:
        from kubectl_netpol.analysis.plugin_changes import PluginDiffer  # noqa: PLC0415 - only where one runs

        return PluginDiffer(before, after).run()
    return Differ(*map(_timeless, (before, after))).run()


def _timeless(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the times of the policies' last changes, so that equal policies compare equal."""
    return snapshot.with_policies(policy._replace(changed=None) for policy in snapshot.evaluated)


class _Outcome(NamedTuple):
    """How connections between two ends change: ports, before, after and causes, as in `ConnectionChange`."""

    changes: tuple[tuple[PortClass, Verdict, Verdict, tuple[Cause, ...]], ...]
    other_ports_open: bool


class Differ:
    ports_matter = False  # where no rule has ports

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self.before = before
        self.after = after
        self.changed = changed_policies(before, after)
        self._group()
        self.affected = {direction: self._affected(direction) for direction in Direction}
        self.outcomes: dict[object, _Outcome] = {}
        self.known: dict[object, DirectionVerdict] = {}
        self.rows: dict[tuple[Any, ...], dict[Member, None]] = {}
        self.undetermined: dict[Note, None] = {}

    def _group(self) -> None:
        """Pods and outside addresses that no policy tells apart."""
        policies = dict.fromkeys((*self.before.evaluated, *self.after.evaluated))
        self.has_blocks = bool(blocks_of(policies))
        self.pods = pod_groups(self.after, policies, blocks_of(policies))
        namespaces = {policy.namespace for policy in self.changed}
        nearby = blocks_of(
            policy for policy in policies if policy.tier or "" in namespaces or policy.namespace in namespaces
        )
        self.outside = outside_groups(self.after, nearby, len(self.pods))
        self.sights = Sights(self.before, self.after, self.changed, [*self.pods, *self.outside])

    def run(self) -> Changes:
        """Evaluates every pair with an affected end: ingress at the destination, then egress at the source."""
        for destination in self.affected[Direction.INGRESS].values():
            for key, alike in self._alike(destination, [*self.pods, *self.outside], Direction.INGRESS):
                self._add(destination, alike, Direction.INGRESS, self._outcome(alike[0], destination, key))
        for source in self.affected[Direction.EGRESS].values():
            rest = [group for group in self.pods if group.number not in self.affected[Direction.INGRESS]]
            for key, alike in self._alike(source, [*rest, *self.outside], Direction.EGRESS):
                self._add(source, alike, Direction.EGRESS, self._outcome(source, alike[0], key))
        groups = {group.number: group for group in self.pods}
        changes = []
        for (number, direction, *what), members in self.rows.items():
            own, others = groups[number].members, tuple(members)
            ends = (others, own) if direction is Direction.INGRESS else (own, others)
            changes.append(ConnectionChange(*ends, *what))
        return Changes(tuple(changes), tuple(self._isolated()), tuple(self.undetermined))

    def _affected(self, direction: Direction) -> dict[int, PodGroup]:
        changed = [policy for policy in self.changed if direction in policy.directions]
        return {
            group.number: group
            for group in self.pods
            if group.pod and any(applies(self.after, policy, group.pod) is not False for policy in changed)
        }

    def _isolated(self) -> Iterator[IsolatedMember]:
        changed = [policy for policy in self.changed if policy.tier is None]
        for direction, groups in self.affected.items():
            for group in groups.values():
                if not group.pod or not any(policy.isolates(group.pod, direction) for policy in changed):
                    continue
                if isolating_policies(self.after, group.pod, direction):
                    newly = not isolating_policies(self.before, group.pod, direction)
                    yield from (IsolatedMember(member, direction, newly) for member in group.members)

    def _rules_of(self, group: PodGroup, direction: Direction) -> Iterator[Rule]:
        """The rules that are asked about the group, before or after."""
        return self.sights.rules_of(group, direction)

    def _alike(
        self, subject: PodGroup, others: Iterable[PodGroup], direction: Direction
    ) -> Iterable[tuple[object, list[PodGroup]]]:
        """The other ends, grouped by how the policies of both ends see them; with the key of `_outcome`."""
        keys: Sequence[object] = self.sights.keys(subject, direction)
        odd = bool(self.after.unevaluated or self.after.gaps)
        found: dict[object, list[PodGroup]] = {}
        for other in others:
            alone = other is subject or (other.pod and (odd or other.pod.host_network))
            found.setdefault(other.number if alone else keys[other.number], []).append(other)
        if odd or (subject.pod and subject.pod.host_network):
            return ((None, groups) for groups in found.values())
        own = direction, self.sights.ends(direction.opposite)[subject.number]
        return (((own, key) if isinstance(key, tuple) else None, groups) for key, groups in found.items())

    def _add(self, own: PodGroup, alike: list[PodGroup], direction: Direction, outcome: _Outcome) -> None:
        members = {member: None for group in alike for member in group.members}
        for row in outcome.changes:
            self.rows.setdefault((own.number, direction, *row, outcome.other_ports_open), {}).update(members)

    def _outcome(self, source: PodGroup, destination: PodGroup, key: object) -> _Outcome:
        """Of one source and one destination, evaluated once for all pairs with the same key; None is none's.

        What remains unknown names the pods, so it is asked until nothing new comes of it.
        """
        found = self.outcomes.get(key)
        if found is None:
            known = len(self.undetermined)
            found = self._evaluate_pair(source, destination, alone=key is None)
            if key is not None and len(self.undetermined) == known:
                self.outcomes[key] = found
        return found

    def _evaluate_pair(self, source: PodGroup, destination: PodGroup, *, alone: bool) -> _Outcome:
        pairs = self._connections(source, destination)
        ends = ((source, destination, Direction.EGRESS), (destination, source, Direction.INGRESS))
        rules = [rule for group, _, direction in ends for rule in self._rules_of(group, direction)]
        classes = port_classes(destination.pod, rules) if pairs else []
        if not self.ports_matter:
            matching = rules if alone else [rule for end in ends for rule in self.sights.rules_matching(*end)]
            alike = rules_covering(classes, destination.pod, matching)
        else:
            alike = list(range(len(classes)))
        about = () if alone else tuple(self.sights.side(source, destination, direction) for _, _, direction in ends)
        known: dict[object, tuple[Verdict, Verdict, tuple[Cause, ...]]] = {}
        for ports, key in zip(classes, alike, strict=True):
            if key not in known:
                known[key] = self._evaluate_ports(pairs, ports, about)
        found = tuple(
            (ports, *known[key])
            for ports, key in zip(classes, alike, strict=True)
            if known[key][0] is not known[key][1]
        )
        return _Outcome(found, any(now is Verdict.ALLOWED for _, now, _ in known.values()))

    def _evaluate_ports(
        self, pairs: list[tuple[End, End]], ports: PortClass, about: tuple[object, ...]
    ) -> tuple[Verdict, Verdict, tuple[Cause, ...]]:
        connections = [Connection(*pair, ports.protocol, ports.first) for pair in pairs]
        old, new = (
            [self._evaluate(snapshot, one, (place, *about)) for place, one in enumerate(connections)]
            for snapshot in (self.before, self.after)
        )
        then, now = _together(old), _together(new)
        causes: dict[Cause, None] = {}
        if then is not now:
            for one, other in zip(old, new, strict=True):
                causes.update(dict.fromkeys(causes_of(one, other, self.changed)))
        elif now is Verdict.UNDEFINED:
            reasons = [verdict.reason for verdict in new if verdict.reason]
            self.undetermined.update(dict.fromkeys(reason for reason in reasons if reason.code in _UNREAD))
        return then, now, tuple(causes)

    def _evaluate(self, snapshot: Snapshot, connection: Connection, about: tuple[object, ...]) -> ConnectionVerdict:
        """`about`: the place among the address families, and what each side depends on, if it is known."""
        place, *sides = about
        keys = [(snapshot is self.after, place, connection.protocol, connection.port, side) for side in sides]
        egress, ingress = map(self.known.get, keys) if keys else (None, None)
        found = evaluate(snapshot, connection, near=False, egress=egress, ingress=ingress)
        for key, side in zip(keys, (found.egress, found.ingress), strict=False):
            if side.verdict is not Verdict.UNDEFINED:  # else its reason names the pods
                self.known[key] = side
        return found

    def _connections(self, source: PodGroup, destination: PodGroup) -> list[tuple[End, End]]:
        """Two ends by each address family that both have; the first family alone where no rule has an ipBlock."""
        if source is destination and len(source.ends) == 1:
            return []
        return [
            pair
            for one in source.ends_towards(destination, 0)
            for other in destination.ends_towards(source, -1)
            for pair in self._pairs(one, other)
        ]

    def _pairs(self, one: End, other: End) -> list[tuple[End, End]]:
        mine, theirs = _by_family(one), _by_family(other)
        if not mine or not theirs:
            return [(one, other)]
        pairs = [
            (one._replace(address=address), other._replace(address=theirs[version]))
            for version, address in mine.items()
            if version in theirs
        ]
        return pairs if self.has_blocks else pairs[:1]


# Undefined because something is unknown, not because plugins differ.
_UNREAD = (
    Code.OVERRIDING_POLICY,
    Code.PERMISSION_MISSING,
    Code.NAMESPACE_LABELS_UNKNOWN,
    Code.NODES_UNKNOWN,
    Code.POD_ADDRESS_UNKNOWN,
    Code.SELECTOR_NOT_EVALUATED,
)


def _by_family(end: End) -> dict[int, str]:
    return by_family(end.pod.ips if end.pod else filter(None, (end.address,)))


def _together(verdicts: list[ConnectionVerdict]) -> Verdict:
    """One verdict for all address families: UNDEFINED where they differ."""
    found = {verdict.verdict for verdict in verdicts}
    return found.pop() if len(found) == 1 else Verdict.UNDEFINED
