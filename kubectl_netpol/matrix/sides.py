"""One direction of one pod towards all pods: the engine's walk, with all pods as the set of peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.conditions import Seen
from kubectl_netpol.engine.layers import layers_of
from kubectl_netpol.engine.readings import Reading, readings_of
from kubectl_netpol.engine.rules import matching_port
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.engine.walk import Matched, Outcome, walk
from kubectl_netpol.model.policies import Direction, Policy, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.matrix.pod_sets import PodSets
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.ports import NamedPort, PortRange


class PeerVerdicts(NamedTuple):
    """The verdict of one pod's policies on every pod as its peer, as sets. Blocked: the pods in neither."""

    allowed: int
    undefined: int = 0


class Sides:
    """Both directions of all pods on one port, evaluated once for all pods that the policies can't distinguish."""

    def __init__(self, sets: PodSets, protocol: str, port: int | str) -> None:
        self.sets = sets
        self._protocol = protocol
        self._port = port
        self._all = PeerVerdicts(sets.all)
        self._keys = _keys_by_namespace(sets)
        self._host_network = _by_node(sets)
        self._by_ports = self._destinations()
        self._verdicts: dict[tuple[object, ...], PeerVerdicts] = {}
        self._peers: dict[tuple[object, ...], Matched] = {}
        self._conditions: dict[tuple[object, ...], Matched] = {}
        self._others: dict[tuple[object, ...], list[tuple[Pod, str | None, int | None]]] = {}
        self._egress_ports: dict[tuple[tuple[PortRange | NamedPort, ...], bool], int] = {}

    def number(self, pod: Pod) -> int | None:
        """The port's number on a destination; None where it has no port of that name."""
        return self._port if isinstance(self._port, int) else pod.port_named(self._port, self._protocol)

    def peer_verdicts(self, position: int, direction: Direction) -> PeerVerdicts:
        """The verdict of the policies of the pod at this position. For pods that can connect only (`pod_problem`)."""
        pod = self.sets.pods[position]
        families = self.sets.families[position]
        key = (
            direction,
            pod.namespace,
            tuple([pod.labels.get(key) for key in self._keys.get(pod.namespace, self._keys[""])]),
            families,
            pod.host_network,
            pod.node if self._host_network else None,
            pod.ports if direction is Direction.INGRESS else (),
            self.sets.class_of[position],
        )
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = self._evaluate(pod, families, direction)
        return found

    def _evaluate(self, pod: Pod, families: tuple[int, ...], direction: Direction) -> PeerVerdicts:
        layers = layers_of(self.sets.snapshot, pod, direction)
        if not layers:
            return self._all
        allowed = blocked = 0
        walked: dict[tuple[bool, bool, bool], Outcome] = {}
        for peers, sample in self._peer_groups(pod):
            all_allow, all_block = peers, peers
            for reading in self._readings(pod, sample, direction):
                seen = reading.pod is not None, reading.destination is not None, reading.always
                if seen not in walked:
                    walked[seen] = walk(layers, _AllPods(self, pod, families, direction, reading))
                all_allow &= walked[seen].allowed
                all_block &= ~walked[seen].may_allow
            allowed |= all_allow
            blocked |= all_block
        return PeerVerdicts(allowed, self.sets.all & ~(allowed | blocked))

    def _peer_groups(self, subject: Pod) -> Iterator[tuple[int, Pod]]:
        """The pods in groups with the same readings, each group with one of its pods."""
        nearby = {node: pods for node, pods in self._host_network.items() if node in (None, subject.node)}
        groups = [
            self.sets.all & ~_union(self._host_network),
            *nearby.values(),
            _union(self._host_network) & ~_union(nearby),
        ]
        yield from ((pods, self.sets.first(pods)) for pods in groups if pods)

    def _readings(self, subject: Pod, peer: Pod, direction: Direction) -> list[Reading]:
        ends = (subject, peer) if direction is Direction.EGRESS else (peer, subject)
        connection = pod_connection(*ends, self._protocol, self.number(ends[1]) or 0)
        mine, theirs = connection.source, connection.destination
        if direction is Direction.INGRESS:
            mine, theirs = theirs, mine
        return list(readings_of(self.sets.snapshot, connection, direction, mine, theirs))

    def matched(self, seen: _AllPods, policy: Policy, rule: Rule) -> Matched:
        """The pods that a rule matches, as a subject sees them in one reading."""
        if rule.condition is not None:
            return self._by_condition(seen, rule)
        named = seen.reading.destination is not None
        if seen.direction is Direction.EGRESS:
            within = self._egress(rule, named=named, in_tiers=policy.tier is not None)
        else:
            number = self.number(seen.subject)
            destination = seen.reading.destination
            covered = number is not None and matching_port(rule, number, self._protocol, destination) is not None
            within = self.sets.all if covered else 0
        if not within:
            return _NONE
        found = self._rule(policy, rule, seen)
        return Matched(found.yes & within, found.unknown & within & ~found.yes)

    def _by_condition(self, seen: _AllPods, rule: Rule) -> Matched:
        """The pods for which a condition holds, or one of its parts."""
        yes = unknown = 0
        for part in getattr(rule.condition, "parts", None) or (rule.condition,):
            found = self._by_part(seen, part)
            yes |= found.yes
            unknown |= found.unknown
        return Matched(yes, unknown & ~yes)

    def _by_part(self, seen: _AllPods, condition: Any) -> Matched:
        """Asked once for pods, and subjects, that it can't tell apart; only for pods with the port."""
        about = getattr(condition, "about", None)
        if about is None:
            return self._ask_condition(seen, condition)
        number = self.number(seen.subject) if seen.direction is Direction.INGRESS else None
        same = getattr(condition, "same", condition)
        key = same, seen.direction, about(seen.direction, seen.subject, self._protocol, number or 0)
        found = self._conditions.get(key)
        if found is None:
            found = self._conditions[key] = self._ask_condition(seen, condition)
        return found

    def _ask_condition(self, seen: _AllPods, condition: Any) -> Matched:
        yes = unknown = 0
        others = self._others_seen(seen)
        own = self.number(seen.subject)
        for pods in self.sets.one_by_one if condition.by_address else self.sets.classes:
            peer, address, number = others[len(others) - pods.bit_length()]
            if seen.direction is Direction.INGRESS:
                number = own
            if number is None:
                continue
            held = condition.holds(
                self.sets.snapshot,
                Seen(seen.direction, seen.subject, peer, None, address, self._protocol, number),
            )
            if isinstance(held, Note):
                unknown |= pods
            elif held:
                yes |= pods
        return Matched(yes, unknown)

    def _others_seen(self, seen: _AllPods) -> list[tuple[Pod, str | None, int | None]]:
        """Each pod, the address by which a subject with addresses of these families sees it, and its number."""
        key = seen.direction, seen.families
        found = self._others.get(key)
        if found is None:
            found = self._others[key] = []
            for peer in self.sets.pods:
                ends = (seen.subject, peer) if seen.direction is Direction.EGRESS else (peer, seen.subject)
                connection = pod_connection(*ends, self._protocol, 0)
                other = connection.destination if seen.direction is Direction.EGRESS else connection.source
                found.append((peer, other.address, self.number(peer)))
        return found

    def _rule(self, policy: Policy, rule: Rule, seen: _AllPods) -> Matched:
        """The pods that the rule's peers match. A reading that sees no pod leaves those that match by address."""
        if not rule.peers:
            return Matched(self.sets.all)
        as_pods = policy.tier or seen.reading.pod is not None
        own = any(peer.selects_by_own_namespace for peer in rule.peers) and seen.subject.namespace
        key = id(rule), seen.families, as_pods, own
        found = self._peers.get(key)
        if found is None:
            pods = self.sets.all & ~self.sets.host_network if policy.tier else self.sets.all if as_pods else 0
            yes = unknown = 0
            for peer in rule.peers:
                matched = self.sets.peer(policy, peer, rule.direction, seen.subject, seen.families)
                within = pods if peer.selects_pods else self.sets.all
                yes |= matched.yes & within
                unknown |= matched.unknown & within
            found = self._peers[key] = Matched(yes, unknown)
        return found

    def _egress(self, rule: Rule, *, named: bool, in_tiers: bool) -> int:
        """The destinations whose port is covered by the rule's ports. `named`: the reading resolves port names."""
        if not rule.ports:
            return self.sets.all
        if in_tiers:
            by_number = self._egress(rule, named=False, in_tiers=False) & self.sets.host_network
            return by_number | self._egress(rule, named=True, in_tiers=False) & ~self.sets.host_network
        key = rule.ports, named
        found = self._egress_ports.get(key)
        if found is None:
            found = 0
            for number, pods in self._by_ports:
                destination = self.sets.first(pods) if named else None
                if matching_port(rule, number, self._protocol, destination) is not None:
                    found |= pods
            self._egress_ports[key] = found
        return found

    def _destinations(self) -> list[tuple[int, int]]:
        """(number, pods with that number and the same ports); pods without a port of the name are left out."""
        positions: dict[tuple[object, ...], list[int]] = {}
        for position, pod in enumerate(self.sets.pods):
            if (number := self.number(pod)) is not None:
                positions.setdefault((number, pod.ports), []).append(position)
        return [(self.number(self.sets.pods[found[0]]) or 0, self.sets.of(found)) for found in positions.values()]


class _AllPods(NamedTuple):
    """All pods as the subject's policies see them in one reading."""

    sides: Sides
    subject: Pod
    families: tuple[int, ...]
    direction: Direction
    reading: Reading

    @property
    def everyone(self) -> int:
        return self.sides.sets.all

    @property
    def always(self) -> int:
        return self.everyone if self.reading.always else 0

    def matched(self, policy: Policy, rule: Rule) -> Matched:
        return self.sides.matched(self, policy, rule)


_NONE = Matched(0)


def _keys_by_namespace(sets: PodSets) -> dict[str, tuple[str, ...]]:
    """Namespace -> the label keys that its policies select pods by; "" for namespaces without policies."""
    selectors = [policy.pod_selector for policy in sets.snapshot.tiered]
    selectors += [policy.pod_selector for policy in sets.snapshot.unevaluated if policy.pod_selector]
    everywhere = {requirement.key for selector in selectors for requirement in selector.requirements}
    keys: dict[str, set[str]] = {"": everywhere}
    for policy in sets.snapshot.policies:
        own = keys.setdefault(policy.namespace, set(everywhere))
        own.update(requirement.key for requirement in policy.pod_selector.requirements)
    return {namespace: tuple(sorted(found)) for namespace, found in keys.items()}


def _by_node(sets: PodSets) -> dict[str | None, int]:
    """The host-network pods of each node."""
    positions: dict[str | None, list[int]] = {}
    for position, pod in enumerate(sets.pods):
        if pod.host_network:
            positions.setdefault(pod.node, []).append(position)
    return {node: sets.of(found) for node, found in positions.items()}


def _union(sets: dict[str | None, int]) -> int:
    found = 0
    for pods in sets.values():
        found |= pods
    return found
