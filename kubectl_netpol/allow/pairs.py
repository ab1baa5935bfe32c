"""Destinations with ports of their own, `--to app=db:5432`, and what several --to and several ports open together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.ports import parse_ports, protocols_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.model.ports import RulePorts


class Pair(NamedTuple):
    """A selector as typed, and the ports behind its colon, or None."""

    selector: str
    ports: RulePorts | None = None


def parse_pair(text: str, protocol: str) -> Pair:
    """SELECTOR or SELECTOR:PORT[,PORT]; `protocol` is that of ports without one. UsageError for an invalid port."""
    selector, colon, ports = text.rpartition(":")
    return Pair(selector, parse_ports(ports, protocol)) if colon else Pair(text)


def check_pairs(pairs: Sequence[Pair], ports: RulePorts) -> None:
    """UsageError where some have ports of their own and it is not plain which ports the others get."""
    bare = [pair.selector for pair in pairs if pair.ports is None]
    if len(bare) == len(pairs):
        return
    if bare and not ports:
        raise UsageError(f"--to {bare[0]} has no port, and others have", f"write --to {bare[0]}:PORT")
    if ports and not bare:
        raise UsageError("--port beside --to SELECTOR:PORT", "drop --port: each --to has ports of its own")


def opened_by_pairs(pairs: Sequence[Pair], ports: RulePorts) -> Iterator[str]:
    """What each of several destinations gets, in words; nothing where that is plain from what was typed."""
    if len(pairs) > 1 and (len(ports) > 1 or any(pair.ports for pair in pairs)):
        for pair in pairs:
            yield f"{pair.selector}: {protocols_text(pair.ports or ports) or 'every port'}"


def cross_product(pairs: Sequence[Pair], ports: RulePorts) -> str:
    """The warning that each of several destinations gets each of several ports, or ""."""
    bare = [pair.selector for pair in pairs if pair.ports is None]
    if len(bare) < 2 or len(ports) < 2:  # noqa: PLR2004 - several of both
        return ""
    one, other = (str(getattr(item, "name", getattr(item, "first", ""))) for item in ports[:2])
    return (
        f"each of the {len(bare)} --to gets each of the {len(ports)} ports; for pairs write "
        f"--to {bare[0]}:{one} --to {bare[1]}:{other}"
    )
