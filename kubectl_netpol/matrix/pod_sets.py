"""Sets of pods as bits of an int: the pods that a selector or an address block matches.

The predicates are the engine's, evaluated once for all pods that they can't distinguish: a requirement once per label
value, a namespaceSelector once per namespace, a block once per range between the edges of all blocks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.walk import Matched
from kubectl_netpol.model.addresses import family, parse_ip, parse_network
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.selectors import LabelSelector, Requirement
    from kubectl_netpol.model.snapshot import Snapshot

_Edge = tuple[int, int]


class _Addresses(NamedTuple):
    """One address per pod. `intervals`: interval between edges -> (its pods, one of their addresses)."""

    intervals: dict[int, tuple[int, str]]
    order: list[int]
    missing: int


class PodSets:
    """The pods in a fixed order. The first is the highest bit, so that a set in binary reads in this order."""

    def __init__(self, snapshot: Snapshot, pods: Sequence[Pod]) -> None:
        self.snapshot = snapshot
        self.pods = tuple(pods)
        self.all = (1 << len(self.pods)) - 1
        alive = self.of(position for position, pod in enumerate(self.pods) if not pod.finished)
        self.families: list[tuple[int, ...]] = [tuple(map(family, pod.ips)) for pod in self.pods]
        self._by_namespace = self._grouped((pod.namespace for pod in self.pods), alive)
        self._labels: dict[str, dict[str | None, int]] = {}
        self._selectors: dict[LabelSelector, int] = {}
        self._namespaces: dict[tuple[Peer, str], Matched] = {}
        self.host_network = self.of(position for position, pod in enumerate(self.pods) if pod.host_network)
        self._edges = sorted({*_edges((*snapshot.policies, *snapshot.tiered)), *_node_edges(snapshot)})
        self._addresses: dict[tuple[Direction, tuple[int, ...]], _Addresses] = {}
        self._blocks: dict[tuple[IPBlock, Direction, tuple[int, ...]], Matched] = {}

    @cached_property
    def class_of(self) -> list[object]:
        """Per position: what a plugin's conditions may tell pods apart by, but for their addresses."""
        plugin = plugin_of(self.snapshot)
        return list(map(plugin.class_of, self.pods)) if plugin else [None] * len(self.pods)

    @cached_property
    def classes(self) -> list[int]:
        positions: dict[object, list[int]] = {}
        for position, known in enumerate(self.class_of):
            positions.setdefault(known, []).append(position)
        return [self.of(found) for found in positions.values()]

    @cached_property
    def one_by_one(self) -> list[int]:
        return [self.of((position,)) for position in range(len(self.pods))]

    def of(self, positions: Iterable[int]) -> int:
        """The set of the pods at these positions in `pods`."""
        digits = bytearray(b"0") * len(self.pods)
        for position in positions:
            digits[position] = 49
        return int(digits or b"0", 2)

    def first(self, pods: int) -> Pod:
        """The first pod of a set, which must not be empty."""
        return self.pods[len(self.pods) - pods.bit_length()]

    def peer(
        self, policy: Policy, peer: Peer, direction: Direction, subject: Pod, families: tuple[int, ...]
    ) -> Matched:
        """The pods that a peer of the policy matches, as a subject with addresses of these families sees them."""
        found = self._peer(policy, peer, direction, subject, families)
        return Matched(0, found.yes | found.unknown) if peer.unreadable else found

    def _peer(
        self, policy: Policy, peer: Peer, direction: Direction, subject: Pod, families: tuple[int, ...]
    ) -> Matched:
        if peer.blocks:
            yes = unknown = 0
            for block in peer.blocks:
                found = self._block(block, direction, families)
                yes |= found.yes
                unknown |= found.unknown
            return Matched(yes, unknown)
        if not peer.selects_pods:
            return self._by_address(policy, peer, direction, subject, families)
        pods = self.all if peer.pod_selector is None else self.selected(peer.pod_selector)
        if peer.namespace_selector is None and not peer.selects_by_own_namespace:
            return Matched(pods & self._by_namespace.get(policy.namespace, 0))
        key = peer._replace(pod_selector=None), "" if peer.namespace_selector else subject.namespace
        found = self._namespaces.get(key) or self._in_namespaces(policy, key[0], subject)
        self._namespaces[key] = found
        return Matched(pods & found.yes, pods & found.unknown)

    def _by_address(
        self, policy: Policy, peer: Peer, direction: Direction, subject: Pod, families: tuple[int, ...]
    ) -> Matched:
        """Nodes and domain names: alike for all pods with addresses of their own."""
        seen = self._seen(direction, families)
        groups: list[tuple[int, str | None]] = [(self.all & ~self.host_network, None)]
        groups += [(pods & self.host_network, address) for pods, address in seen.intervals.values()]
        groups.append((seen.missing & self.host_network, None))
        return self._matched_groups(policy, peer, subject, groups)

    def selected(self, selector: LabelSelector) -> int:
        """The pods of every namespace whose labels the selector matches."""
        found = self._selectors.get(selector)
        if found is None:
            found = self.all
            for requirement in selector.requirements:
                found &= self._required(requirement)
            self._selectors[selector] = found
        return found

    def _required(self, requirement: Requirement) -> int:
        """Evaluated for each value that it names, for one other value, and for an absent key."""
        key = requirement.key
        if key not in self._labels:
            self._labels[key] = self._grouped((pod.labels.get(key) for pod in self.pods), self.all)
        by_value = self._labels[key]
        absent = by_value.get(None, 0)
        found = absent if requirement.matches({}) else 0
        others = self.all & ~absent
        for value in set(requirement.values) & by_value.keys():
            others &= ~by_value[value]
            if requirement.matches({key: value}):
                found |= by_value[value]
        if others and requirement.matches({key: self.first(others).labels[key]}):
            found |= others
        return found

    def _grouped(self, values: Iterable[str | None], among: int) -> dict[str | None, int]:
        positions: dict[str | None, list[int]] = {}
        for position, value in enumerate(values):
            positions.setdefault(value, []).append(position)
        return {value: self.of(found) & among for value, found in positions.items()}

    def _in_namespaces(self, policy: Policy, peer: Peer, subject: Pod) -> Matched:
        return self._matched_groups(policy, peer, subject, ((pods, None) for pods in self._by_namespace.values()))

    def _matched_groups(
        self, policy: Policy, peer: Peer, subject: Pod, groups: Iterable[tuple[int, str | None]]
    ) -> Matched:
        """Asked of the first pod of each group, with the address by which the subject sees the group's pods."""
        yes = unknown = 0
        for pods, address in groups:
            if not pods:
                continue
            matched = peer_matches(self.snapshot, policy, peer, self.first(pods), address, subject=subject)
            if matched is True:
                yes |= pods
            elif matched:
                unknown |= pods
        return Matched(yes, unknown)

    def _block(self, block: IPBlock, direction: Direction, families: tuple[int, ...]) -> Matched:
        key = block, direction, families
        found = self._blocks.get(key)
        if found is None:
            addresses = self._seen(direction, families)
            network = parse_network(block.cidr)
            version = network.version
            first = bisect_left(addresses.order, self._interval((version, int(network.network_address))))
            last = bisect_right(addresses.order, self._interval((version, int(network.broadcast_address))))
            yes = 0
            for interval in addresses.order[first:last]:
                pods, address = addresses.intervals[interval]
                if block.contains(address):
                    yes |= pods
            found = self._blocks[key] = Matched(yes, addresses.missing)
        return found

    def _interval(self, edge: _Edge) -> int:
        return bisect_right(self._edges, edge)

    def _seen(self, direction: Direction, families: tuple[int, ...]) -> _Addresses:
        """The address by which a subject with addresses of these families sees each pod."""
        if (found := self._addresses.get((direction, families))) is not None:
            return found
        subject = self.pods[self.families.index(families)]
        which: dict[tuple[int, ...], int | None] = {}
        positions: dict[int, list[int]] = {}
        missing: list[int] = []
        for position, (pod, own) in enumerate(zip(self.pods, self.families, strict=True)):
            if own not in which:
                which[own] = _index_seen(subject, pod, direction)
            index = which[own]
            if index is None:
                missing.append(position)
            else:
                ip = parse_ip(pod.ips[index])
                positions.setdefault(self._interval((ip.version, int(ip))), []).append(position)
        intervals = {}
        for interval, members in positions.items():
            pod = self.pods[members[0]]
            index = which[self.families[members[0]]]
            intervals[interval] = self.of(members), pod.ips[index or 0]
        found = self._addresses[direction, families] = _Addresses(intervals, sorted(intervals), self.of(missing))
        return found


def _index_seen(subject: Pod, peer: Pod, direction: Direction) -> int | None:
    """The index of the peer's address on a connection between the two; None where it has none."""
    if direction is Direction.EGRESS:
        address = pod_connection(subject, peer, "TCP", 1).destination.address
    else:
        address = pod_connection(peer, subject, "TCP", 1).source.address
    return None if address is None else peer.ips.index(address)


def _edges(policies: Iterable[Policy]) -> Iterable[_Edge]:
    """(family, number) of the first address of each block, and of the first one after it."""
    for policy in policies:
        for rule in policy.rules:
            for peer in rule.peers:
                for cidr in (cidr for block in peer.blocks for cidr in (block.cidr, *block.except_)):
                    network = parse_network(cidr)
                    yield network.version, int(network.network_address)
                    yield network.version, int(network.broadcast_address) + 1


def _node_edges(snapshot: Snapshot) -> Iterable[_Edge]:
    """Around each node's address, where a policy speaks of nodes."""
    rules = (rule for policy in snapshot.tiered for rule in policy.rules)
    if any(peer.node_selector is not None for rule in rules for peer in rule.peers):
        for ip in (parse_ip(address) for node in snapshot.nodes for address in node.addresses):
            yield ip.version, int(ip)
            yield ip.version, int(ip) + 1
