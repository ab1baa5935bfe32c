"""The ports of a destination in classes that no rule tells apart, so that one port of each class is evaluated."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.ports import LAST_PORT, PROTOCOLS, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Rule


class PortClass(NamedTuple):
    """Ports of one protocol, `first` to `last`, that every rule treats alike.

    `other`: the ports that no rule names and the pod does not declare, with one of them as `first` and `last`, or
    1-65535 where these are all. `undeclared`: those of a pod that declares ports, so probably nothing listens there.
    """

    protocol: str
    first: int
    last: int
    other: bool = False
    undeclared: bool = False


def port_classes(destination: Pod | None, rules: Iterable[Rule]) -> list[PortClass]:
    """The classes of each protocol: a rule may let through one of them alone. None: the end is not a pod."""
    ranges: dict[str, set[tuple[int, int]]] = {protocol: set() for protocol in PROTOCOLS}
    for item in (item for rule in rules for item in rule.ports):
        if item.protocol is None:  # a port name, and the ports that the pod declares have classes of their own
            continue
        if isinstance(item, PortRange) and (item.first, item.last) != (1, LAST_PORT):
            ranges[item.protocol].add((item.first, item.last))
    declared: dict[str, set[int]] = {}
    for port in destination.ports if destination else ():
        declared.setdefault(port.protocol, set()).add(port.number)
    return [
        ports._replace(undeclared=ports.other and bool(declared))
        for protocol, named in ranges.items()
        for ports in _protocol_classes(protocol, named, declared.get(protocol, set()))
    ]


def rules_covering(classes: Sequence[PortClass], destination: Pod | None, rules: Iterable[Rule]) -> list[object]:
    """For each class which of the rules cover it, by number or by which name: what the verdict depends on."""
    found: list[set[object]] = [set() for _ in classes]
    places = {
        protocol: sorted((ports.first, place) for place, ports in enumerate(classes) if ports.protocol == protocol)
        for protocol in PROTOCOLS
    }

    def cover(protocol: str, first: int, last: int, what: object) -> None:
        there = places[protocol]
        for _, place in there[bisect_left(there, (first,)) : bisect_right(there, (last, len(classes)))]:
            found[place].add(what)

    for number, rule in enumerate(rules):
        for item in rule.ports:
            if isinstance(item, PortRange):
                cover(item.protocol, item.first, item.last, number)
                continue
            for protocol in (item.protocol,) if item.protocol else PROTOCOLS:
                port = destination.port_named(item.name, protocol) if destination else None
                if port is not None:
                    cover(protocol, port, port, (number, item.name))
    return [(ports.protocol, frozenset(what)) if what else None for ports, what in zip(classes, found, strict=True)]


def _protocol_classes(protocol: str, named: set[tuple[int, int]], declared: set[int]) -> Iterator[PortClass]:
    cuts = {1, LAST_PORT + 1, *declared, *(number + 1 for number in declared)}
    cuts |= {cut for first, last in named for cut in (first, last + 1)}
    edges = sorted(cuts)
    lows = sorted(named)
    highs = list(itertools.accumulate((high for _, high in lows), max))
    rest = None
    for first, after in itertools.pairwise(edges):
        if first in declared:
            yield PortClass(protocol, first, first)
        elif (before := bisect_right(lows, (first, LAST_PORT))) and highs[before - 1] >= first:
            yield PortClass(protocol, first, after - 1)
        else:
            rest = after - 1
    if rest:
        whole = len(edges) == len((1, LAST_PORT + 1))
        yield PortClass(protocol, 1 if whole else rest, rest, other=True)
