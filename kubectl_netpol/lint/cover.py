"""Whether one selector, peer, port or rule covers another, as written: true only where it does for whatever pods."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kubectl_netpol.model.addresses import parse_network
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.policies import IPBlock, Peer, Rule
    from kubectl_netpol.model.selectors import LabelSelector, Requirement


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


class Rules:
    """The rules of one policy and direction, of which those that may cover another are found by what it requires."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._may_cover_any: list[Rule] = []
        self._by_requirement: dict[Requirement, list[Rule]] = {}
        for rule in rules:
            keys = {
                peer.pod_selector.requirements[0]
                if peer.selects_pods and peer.pod_selector and peer.pod_selector.requirements
                else None
                for peer in rule.peers
            }
            if None in keys or not keys:
                self._may_cover_any.append(rule)
            else:
                for key in filter(None, keys):
                    self._by_requirement.setdefault(key, []).append(rule)

    def that_may_cover(self, narrow: Rule) -> list[Rule]:
        """In order. A peer covers another one only if that requires all that it does."""
        selector = narrow.peers[0].pod_selector if narrow.peers else None
        required = (self._by_requirement.get(one, ()) for one in (selector.requirements if selector else ()))
        found = {id(rule): rule for rule in (*self._may_cover_any, *chain.from_iterable(required))}
        return sorted(found.values(), key=lambda rule: rule.position)
