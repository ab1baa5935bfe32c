"""Ports of rules and ports as typed: one grammar, and their text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.validation import is_port_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod

PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST_PORT = 65535
MOST_PORTS = 1000
_NUMBERS = r"(\d+)(?:-(\d+))?"
_DIGITS = 10  # Python refuses to read thousands of digits


class PortRange(NamedTuple):
    """Ports by number, both ends included; a rule's item without a port is 1-65535."""

    protocol: str
    first: int = 1
    last: int = LAST_PORT


class NamedPort(NamedTuple):
    """A port by name; its number depends on the destination pod, and with `protocol` None its protocol too."""

    protocol: str | None
    name: str


class SinglePort(NamedTuple):
    """One port, by number or by name."""

    protocol: str
    port: int | str


RulePorts: TypeAlias = "tuple[PortRange | NamedPort, ...]"


def parse_protocol(typed: str) -> str:
    """TCP, UDP or SCTP, typed in any case. UsageError for anything else."""
    if typed.upper() not in PROTOCOLS:
        raise UsageError(f'invalid protocol "{typed}"', f"must be one of {', '.join(PROTOCOLS)}")
    return typed.upper()


def parse_ports(typed: str, protocol: str = "TCP") -> RulePorts:
    """Ports such as `80`, `http`, `80/UDP`, `8000-8080`, or several joined by commas: in order, without duplicates.

    `protocol` is the default. UsageError for anything else.
    """
    return tuple(dict.fromkeys(_parse_port(item.strip(), protocol) for item in typed.split(",")))


def _parse_port(item: str, protocol: str) -> PortRange | NamedPort:
    text, slash, own = item.partition("/")
    if slash:
        protocol = own
    protocol = parse_protocol(protocol)
    if numbers := re.fullmatch(_NUMBERS, text, re.ASCII):
        first, last = (int((digits or numbers[1])[:_DIGITS]) for digits in numbers.groups())
        if not (1 <= first <= LAST_PORT and 1 <= last <= LAST_PORT):
            raise UsageError(f'invalid port "{item}": must be 1-{LAST_PORT}')
        if last < first:
            raise UsageError(f'invalid port range "{item}": it ends before it begins', f"write {last}-{first}")
        return PortRange(protocol, first, last)
    if not is_port_name(text):
        raise UsageError(f'invalid port "{item}"', "write a number, a range or a name: 80, 80/UDP, 8000-8080, http")
    return NamedPort(protocol, text)


def single_ports(ports: RulePorts) -> tuple[SinglePort, ...]:
    """Ranges expanded to their numbers, without duplicates. UsageError for more than 1,000: each is a question."""
    wanted = sum(1 if isinstance(item, NamedPort) else item.last - item.first + 1 for item in ports)
    if wanted > MOST_PORTS:
        raise UsageError(
            f"{wanted} ports are more than {MOST_PORTS}",
            "narrow the range: policies tell apart only the ports they name",
        )
    found: dict[SinglePort, None] = {}
    for item in ports:
        numbers = (item.name,) if isinstance(item, NamedPort) else range(item.first, item.last + 1)
        found.update(dict.fromkeys(SinglePort(item.protocol or "TCP", number) for number in numbers))
    return tuple(found)


def port_text(item: PortRange | NamedPort, destination: Pod | None = None) -> str:
    """A port without its protocol: "80", "8000-8080", "any port", "http".

    Of a destination "http (8080)", or "http (no such port)".
    """
    if isinstance(item, NamedPort):
        if destination is None:
            return item.name
        return f"{item.name} ({destination.port_named(item.name, item.protocol) or 'no such port'})"
    if (item.first, item.last) == (1, LAST_PORT):
        return "any port"
    return str(item.first) if item.first == item.last else f"{item.first}-{item.last}"


def protocols_text(ports: Iterable[PortRange | NamedPort], pod: Pod | None = None) -> str:
    """Ports by protocol, as in "TCP 80,443, UDP 53"."""
    by_protocol: dict[str | None, list[str]] = {}
    for item in ports:
        by_protocol.setdefault(item.protocol, []).append(port_text(item, pod))
    return ", ".join(
        f"{protocol} {','.join(texts)}" if protocol else ",".join(texts) for protocol, texts in by_protocol.items()
    )
