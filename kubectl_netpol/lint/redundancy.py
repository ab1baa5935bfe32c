"""What is probably not what a policy's author meant, each with the fix. Pure: notes, never verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import position_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.analysis.isolation import RulePeers


def redundant_rules(rules: tuple[RulePeers, ...]) -> Iterator[Note]:
    """Rules that another one covers whole, so that they change nothing."""
    for index, narrow in enumerate(rules):
        for other, wide in enumerate(rules):
            covered = index != other and _covers(wide, narrow)
            if covered and not (other > index and _covers(narrow, wide)):
                here = f"{narrow.policy.name} {position_text(narrow.rule.direction, narrow.rule.position)}"
                there = f"{wide.policy.name} {position_text(wide.rule.direction, wide.rule.position)}"
                everything = "allows everything" if not wide.rule.peers and not wide.rule.ports else "allows it already"
                yield Note(Code.REDUNDANT_RULE, f"{here} has no effect: {there} {everything}")
                break


def _covers(wide: RulePeers, narrow: RulePeers) -> bool:
    """Whether all that `narrow` allows is allowed by `wide`, as far as the texts show."""
    peers = not wide.rule.peers or (
        bool(narrow.rule.peers) and all(peer in wide.rule.peers for peer in narrow.rule.peers)
    )
    return peers and (
        not wide.rule.ports
        or (bool(narrow.rule.ports) and all(any(_holds(w, n) for w in wide.rule.ports) for n in narrow.rule.ports))
    )


def _holds(wide: PortRange | NamedPort, narrow: PortRange | NamedPort) -> bool:
    if isinstance(wide, PortRange) and isinstance(narrow, PortRange):
        return wide.protocol == narrow.protocol and wide.first <= narrow.first and narrow.last <= wide.last
    return wide == narrow
