"""Whether one selector, peer, port or rule covers another, as written: true only where it does for whatever pods."""

from __future__ import annotations

from heapq import merge
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.addresses import parse_network
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from kubectl_netpol.model.policies import IPBlock, Peer, Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector


def covers_selector(wide: LabelSelector | None, narrow: LabelSelector | None) -> bool:
    """Whether the wide one asks for nothing that the narrow one doesn't. None asks for nothing."""
    if wide is None or not wide.requirements:
        return True
    return narrow is not None and set(wide.requirements) <= set(narrow.requirements)


def covers_peer(wide: Peer, narrow: Peer) -> bool:
    """Of the rules of one namespace's policies."""
    if wide == narrow:
        return True
    if wide.unreadable or narrow.unreadable or not (wide.selects_pods and narrow.selects_pods):
        return bool(wide.ip_block and narrow.ip_block) and _covers_block(wide.ip_block, narrow.ip_block)
    if wide.selects_by_own_namespace or narrow.selects_by_own_namespace:
        return False
    if wide.namespace_selector is None:
        namespaces = narrow.namespace_selector is None
    elif narrow.namespace_selector is None:
        namespaces = not wide.namespace_selector.requirements
    else:
        namespaces = covers_selector(wide.namespace_selector, narrow.namespace_selector)
    return namespaces and covers_selector(wide.pod_selector, narrow.pod_selector)


def _covers_block(wide: IPBlock | None, narrow: IPBlock | None) -> bool:
    if wide is None or narrow is None or wide.except_:
        return False
    outer, inner = parse_network(wide.cidr), parse_network(narrow.cidr)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type] # same version by then


def covers_port(wide: PortRange | NamedPort, narrow: PortRange | NamedPort) -> bool:
    if isinstance(wide, PortRange) and (wide.first, wide.last) == (1, LAST_PORT) and wide.protocol == narrow.protocol:
        return True
    if isinstance(wide, PortRange) and isinstance(narrow, PortRange):
        return wide.protocol == narrow.protocol and wide.first <= narrow.first and narrow.last <= wide.last
    return wide == narrow


def covers_rule(wide: Rule, narrow: Rule) -> bool:
    """Whether `wide` matches all that `narrow` matches, for the same pods."""
    peers = not wide.peers or (
        bool(narrow.peers) and all(any(covers_peer(one, peer) for one in wide.peers) for peer in narrow.peers)
    )
    return peers and (
        not wide.ports
        or (bool(narrow.ports) and all(any(covers_port(one, port) for one in wide.ports) for port in narrow.ports))
    )


class Numbered(NamedTuple):
    """A rule and its policy, the number of which is its place among those of the namespace."""

    number: int
    policy: Policy
    rule: Rule


class Rules:
    """Rules of one direction, of which those that may cover another are found by what they require of it."""

    def __init__(self, rules: Iterable[Numbered]) -> None:
        """`rules`: in order."""
        self._by_keys: dict[tuple[Hashable, Hashable], list[Numbered]] = {}
        for one in rules:
            peers = {_required(peer) for peer in one.rule.peers} or {None}
            ports = {_only_port(port) for port in one.rule.ports} or {None}
            for keys in product({None} if None in peers else peers, {None} if None in ports else ports):
                self._by_keys.setdefault(keys, []).append(one)

    def that_may_cover(self, narrow: Rule) -> Iterator[Numbered]:
        """In order, each once."""
        peers = [None, *(_fulfilled(narrow.peers[0]) if narrow.peers else ())]
        ports = {None, _only_port(narrow.ports[0]) if narrow.ports else None}
        found = [self._by_keys[keys] for keys in product(peers, ports) if keys in self._by_keys]
        last = None
        for one in merge(*found, key=place):
            if one.rule is not last:
                yield one
            last = one.rule


def place(one: Numbered) -> tuple[int, int]:
    return one.number, one.rule.position


def _required(peer: Peer) -> Hashable:
    """What any peer that this one covers has among `_fulfilled`; None: nothing in particular."""
    if peer.ip_block:
        return parse_network(peer.ip_block.cidr)
    for selector in (peer.pod_selector, peer.namespace_selector):
        if selector and selector.requirements:
            return selector is peer.namespace_selector, selector.requirements[0]
    return None


def _fulfilled(peer: Peer) -> Iterator[Hashable]:
    if peer.ip_block:
        network = parse_network(peer.ip_block.cidr)
        yield network
        yield from (network.supernet(new_prefix=length) for length in range(network.prefixlen))
    for selector in (peer.pod_selector, peer.namespace_selector):
        for requirement in selector.requirements if selector else ():
            yield selector is peer.namespace_selector, requirement


def _only_port(port: PortRange | NamedPort) -> Hashable:
    """None for several: they may cover more than themselves."""
    return port if isinstance(port, NamedPort) or port.first == port.last else None
