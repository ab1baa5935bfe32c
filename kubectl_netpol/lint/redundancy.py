"""Warnings about rules that have no effect because another rule allows the same and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import position_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.analysis.peers import RulePeers


def redundant_rules(rules: tuple[RulePeers, ...]) -> Iterator[Note]:
    """Rules that another rule covers completely; of two equal ones, the later."""
    for index, narrow in enumerate(rules):
        for other, wide in enumerate(rules):
            covered = index != other and _covers(wide, narrow)
            if covered and not (other > index and _covers(narrow, wide)):
                here = f"{narrow.policy.name} {position_text(narrow.rule.direction, narrow.rule.position)}"
                there = f"{wide.policy.name} {position_text(wide.rule.direction, wide.rule.position)}"
                allows = "allows everything" if not wide.rule.peers and not wide.rule.ports else "already allows it"
                yield Note(Code.REDUNDANT_RULE, f"{here} has no effect: {there} {allows}")
                break


def _covers(wide: RulePeers, narrow: RulePeers) -> bool:
    """Whether `wide` allows all that `narrow` allows. Selectors are compared as written."""
    peers = not wide.rule.peers or (
        bool(narrow.rule.peers) and all(peer in wide.rule.peers for peer in narrow.rule.peers)
    )
    return peers and (
        not wide.rule.ports
        or (
            bool(narrow.rule.ports) and all(any(_covers_port(w, n) for w in wide.rule.ports) for n in narrow.rule.ports)
        )
    )


def _covers_port(wide: PortRange | NamedPort, narrow: PortRange | NamedPort) -> bool:
    if isinstance(wide, PortRange) and isinstance(narrow, PortRange):
        return wide.protocol == narrow.protocol and wide.first <= narrow.first and narrow.last <= wide.last
    return wide == narrow
