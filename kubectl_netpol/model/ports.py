"""The cluster as frozen values in the API's own words; knows nothing of YAML, files or the API server.

NamedTuples rather than dataclasses: immutable too, quicker to make by the ten thousand, and `allow` starts
8 ms sooner without importing `dataclasses` (and `inspect` behind it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.names import is_port_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod

PROTOCOLS = ("TCP", "UDP", "SCTP")


LAST_PORT = 65535


class PortRange(NamedTuple):
    """One item of a rule's ports by number, both ends included; an item without port is 1-65535."""

    protocol: str
    first: int = 1
    last: int = LAST_PORT


class NamedPort(NamedTuple):
    """One item of a rule's ports by name: the number is the destination pod's."""

    protocol: str
    name: str


def port_text(item: PortRange | NamedPort, destination: Pod | None = None) -> str:
    """An item of a rule's ports without its protocol: "80", "8000-8080", "any port", "http (8080)"."""
    if isinstance(item, NamedPort):
        number = destination.port_named(item.name, item.protocol) if destination else None
        return f"{item.name} ({number})" if number else item.name
    if (item.first, item.last) == (1, LAST_PORT):
        return "any port"
    return str(item.first) if item.first == item.last else f"{item.first}-{item.last}"


def protocols_text(items: Iterable[PortRange | NamedPort], pod: Pod | None = None) -> str:
    """Port items by protocol."""
    by_protocol: dict[str, list[str]] = {}
    for item in items:
        by_protocol.setdefault(item.protocol, []).append(port_text(item, pod))
    return ", ".join(f"{protocol} {','.join(texts)}" for protocol, texts in by_protocol.items())


_DIGITS = 10


def parse_protocol(word: str) -> str:
    """TCP, UDP or SCTP, typed in any case."""
    if word.upper() not in PROTOCOLS:
        raise UsageError(f'"{word}" is no protocol', f"one of {', '.join(PROTOCOLS)}")
    return word.upper()


def parse_ports(typed: str) -> tuple[int | str, ...]:
    """`80`, `http`, or several: `80,443,8000-8003`; each once, in the order typed."""
    found: list[int | str] = []
    for word in typed.split(","):
        word = word.strip()  # noqa: PLW2901 - the same word without spaces
        first, dash, last = word.partition("-")
        if first.isascii() and first.isdecimal() and (not dash or (last.isascii() and last.isdecimal())):
            # Ten digits at most: Python itself refuses to read thousands.
            low, high = int(first[:_DIGITS]), int((last or first)[:_DIGITS])
            if not 1 <= low <= high <= LAST_PORT:
                raise UsageError(f'"{word}" is no port or range of ports', f"1 to {LAST_PORT}")
            found.extend(range(low, high + 1))
        elif is_port_name(word):
            found.append(word)
        else:
            raise UsageError(f'"{word}" is no port', "write a number, a port name, or several: 80,443,8000-8003")
    return tuple(dict.fromkeys(found))
