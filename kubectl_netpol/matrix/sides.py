"""One direction of one subject towards all pods at once: the engine's walk with sets in the place of one peer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.evaluate import isolating_policies, overridden
from kubectl_netpol.engine.readings import Reading, readings_of
from kubectl_netpol.engine.rules import matching_port
from kubectl_netpol.engine.verdict import DirectionVerdict, Verdict
from kubectl_netpol.matrix.sets import PodSets, Sets
from kubectl_netpol.model.policies import Direction, Policy, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.ports import NamedPort, PortRange


class PeerVerdicts(NamedTuple):
    """What a subject's policies say of every pod as its peer: allowed wins, and blocked where neither."""

    allowed: int
    undefined: int = 0


class Sides:
    """Both directions of all pods on one port; pods that nothing tells apart as subjects are asked for once."""

    def __init__(self, sets: PodSets, protocol: str, port: int | str) -> None:
        self._sets = sets
        self._protocol = protocol
        self._port = port
        self._all = PeerVerdicts(sets.all)
        self._keys = _keys_by_namespace(sets)
        self._hosts = _by_node(sets)
        self._by_ports = self._destinations()
        self._answers: dict[tuple[object, ...], PeerVerdicts] = {}
        self._peers: dict[tuple[int, tuple[int, ...], bool], Sets] = {}
        self._egress_ports: dict[tuple[tuple[PortRange | NamedPort, ...], bool], int] = {}

    def number(self, pod: Pod) -> int | None:
        """The port's number on this pod as the destination; None where it has no port of that name."""
        return self._port if isinstance(self._port, int) else pod.port_named(self._port, self._protocol)

    def answers(self, position: int, direction: Direction) -> PeerVerdicts:
        """What the policies of the pod at this position say of every pod. Not for pods that can't talk at all."""
        pod = self._sets.pods[position]
        families = self._sets.families[position]
        key = (
            direction,
            pod.namespace,
            tuple([pod.labels.get(key) for key in self._keys.get(pod.namespace, self._keys[""])]),
            families,
            pod.host_network,
            pod.node if self._hosts else None,
            pod.ports if direction is Direction.INGRESS else (),
        )
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._ask(pod, families, direction)
        return found

    def _ask(self, pod: Pod, families: tuple[int, ...], direction: Direction) -> PeerVerdicts:
        snapshot = self._sets.snapshot
        unread = snapshot.gap("networkpolicies", pod.namespace) is not None
        isolating = () if unread else isolating_policies(snapshot, pod, direction)
        plain = DirectionVerdict(direction, Verdict.UNDEFINED if unread else Verdict.ALLOWED, isolating)
        if overridden(snapshot, pod, plain).verdict is Verdict.UNDEFINED:
            return PeerVerdicts(0, self._sets.all)
        if not isolating:
            return self._all
        allowed = blocked = 0
        walked: dict[tuple[bool, bool], PeerVerdicts] = {}
        for peers, witness in self._peer_groups(pod):
            agreed, refused = peers, peers
            for view in self._views(pod, witness, direction):
                if view.always:
                    refused = 0
                    continue
                kind = view.pod is not None, view.destination is not None
                if kind not in walked:
                    walked[kind] = self._walk(pod, families, isolating, direction, view)
                agreed &= walked[kind].allowed
                refused &= ~(walked[kind].allowed | walked[kind].undefined)
            allowed |= agreed
            blocked |= refused
        return PeerVerdicts(allowed, self._sets.all & ~(allowed | blocked))

    def _peer_groups(self, subject: Pod) -> Iterator[tuple[int, Pod]]:
        """The pods in groups of which the engine has the same readings, each with one of them."""
        on_hosts = {node: pods for node, pods in self._hosts.items() if node in (None, subject.node)}
        groups = [self._sets.all & ~_union(self._hosts), *on_hosts.values(), _union(self._hosts) & ~_union(on_hosts)]
        yield from ((pods, self._sets.first(pods)) for pods in groups if pods)

    def _views(self, subject: Pod, peer: Pod, direction: Direction) -> list[Reading]:
        ends = (subject, peer) if direction is Direction.EGRESS else (peer, subject)
        connection = pod_connection(*ends, self._protocol, self.number(ends[1]) or 0)
        mine, theirs = connection.source, connection.destination
        if direction is Direction.INGRESS:
            mine, theirs = theirs, mine
        return list(readings_of(self._sets.snapshot, connection, direction, mine, theirs))

    def _walk(
        self, pod: Pod, families: tuple[int, ...], isolating: tuple[Policy, ...], direction: Direction, view: Reading
    ) -> PeerVerdicts:
        """One reading: the union of the rules of all isolating policies."""
        yes = unknown = 0
        for policy in isolating:
            for rule in policy.rules_of(direction):
                if direction is Direction.EGRESS:
                    within = self._egress(rule, named=view.destination is not None)
                else:
                    number = self.number(pod)
                    covered = number is not None and matching_port(rule, number, self._protocol, view.destination)
                    within = 0 if covered is None or covered is False else self._sets.all
                if within:
                    matched = self._rule(policy, rule, families, as_pod=view.pod is not None)
                    yes |= matched.yes & within
                    unknown |= matched.unknown & within
        return PeerVerdicts(yes, unknown)

    def _rule(self, policy: Policy, rule: Rule, families: tuple[int, ...], *, as_pod: bool) -> Sets:
        """The pods that the rule's peers match; seen as no pod, only blocks can match them."""
        if not rule.peers:
            return Sets(self._sets.all)
        key = id(rule), families, as_pod
        found = self._peers.get(key)
        if found is None:
            yes = unknown = 0
            for peer in rule.peers:
                if as_pod or peer.ip_block:
                    matched = self._sets.peer(policy, peer, rule.direction, families)
                    yes |= matched.yes
                    unknown |= matched.unknown
            found = self._peers[key] = Sets(yes, unknown)
        return found

    def _egress(self, rule: Rule, *, named: bool) -> int:
        """The destinations on which the rule's ports cover the port asked for."""
        if not rule.ports:
            return self._sets.all
        key = rule.ports, named
        found = self._egress_ports.get(key)
        if found is None:
            found = 0
            for number, pods in self._by_ports:
                destination = self._sets.first(pods) if named else None
                if matching_port(rule, number, self._protocol, destination) is not None:
                    found |= pods
            self._egress_ports[key] = found
        return found

    def _destinations(self) -> list[tuple[int, int]]:
        """(number, the pods with that number and the same ports); not those without a port of the name asked for."""
        positions: dict[tuple[object, ...], list[int]] = {}
        for position, pod in enumerate(self._sets.pods):
            if (number := self.number(pod)) is not None:
                positions.setdefault((number, pod.ports), []).append(position)
        return [(self.number(self._sets.pods[found[0]]) or 0, self._sets.of(found)) for found in positions.values()]


def _keys_by_namespace(sets: PodSets) -> dict[str, tuple[str, ...]]:
    """The label keys that decide which policies select a pod of a namespace; "" for those without policies."""
    everywhere = {
        requirement.key
        for policy in sets.snapshot.overriding
        for requirement in (policy.pod_selector.requirements if policy.pod_selector else ())
    }
    keys: dict[str, set[str]] = {"": everywhere}
    for policy in sets.snapshot.policies:
        own = keys.setdefault(policy.namespace, set(everywhere))
        own.update(requirement.key for requirement in policy.pod_selector.requirements)
    return {namespace: tuple(sorted(found)) for namespace, found in keys.items()}


def _by_node(sets: PodSets) -> dict[str | None, int]:
    """The pods in their node's network, by node."""
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
