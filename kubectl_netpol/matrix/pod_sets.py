"""Sets of pods as bits of an int: the pods that a selector or an address block matches.

The predicates are the engine's, evaluated once for all pods that they can't distinguish: a requirement once per label
value, a namespaceSelector once per namespace, a block once per range between the edges of all blocks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.model.addresses import family, parse_ip, parse_network
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.selectors import LabelSelector, Requirement
    from kubectl_netpol.model.snapshot import Snapshot

_Edge = tuple[int, int]


class Matched(NamedTuple):
    """The pods that match, and those for which that is unknown."""

    yes: int
    unknown: int = 0


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
        self._namespaces: dict[LabelSelector, Matched] = {}
        self._edges = sorted(set(_edges(snapshot.policies)))
        self._addresses: dict[tuple[Direction, tuple[int, ...]], _Addresses] = {}
        self._blocks: dict[tuple[IPBlock, Direction, tuple[int, ...]], Matched] = {}

    def of(self, positions: Iterable[int]) -> int:
        """The set of the pods at these positions in `pods`."""
        digits = bytearray(b"0") * len(self.pods)
        for position in positions:
            digits[position] = 49
        return int(digits or b"0", 2)

    def first(self, pods: int) -> Pod:
        """The first pod of a set, which must not be empty."""
        return self.pods[len(self.pods) - pods.bit_length()]

    def peer(self, policy: Policy, peer: Peer, direction: Direction, families: tuple[int, ...]) -> Matched:
        """The pods that a peer of the policy matches, for a subject with addresses of these families."""
        if peer.ip_block:
            return self._block(peer.ip_block, direction, families)
        pods = self.all if peer.pod_selector is None else self.selected(peer.pod_selector)
        if peer.namespace_selector is None:
            return Matched(pods & self._by_namespace.get(policy.namespace, 0))
        found = self._namespaces.get(peer.namespace_selector)
        if found is None:
            found = self._namespaces[peer.namespace_selector] = self._in_namespaces(policy, peer.namespace_selector)
        return Matched(pods & found.yes, pods & found.unknown)

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

    def _in_namespaces(self, policy: Policy, selector: LabelSelector) -> Matched:
        yes = unknown = 0
        for pods in self._by_namespace.values():
            matched = peer_matches(self.snapshot, policy, Peer(selector), self.first(pods), None) if pods else False
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
                for cidr in (peer.ip_block.cidr, *peer.ip_block.except_) if peer.ip_block else ():
                    network = parse_network(cidr)
                    yield network.version, int(network.network_address)
                    yield network.version, int(network.broadcast_address) + 1
