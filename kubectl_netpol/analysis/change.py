"""A change between two sets of policies: which connections open or close, and the changed policies behind that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.port_classes import PortClass
from kubectl_netpol.engine.verdict import ConnectionVerdict, DirectionVerdict, Note, Verdict
from kubectl_netpol.model.policies import Action, Direction, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.analysis.groups import Member


class Cause(NamedTuple):
    """The policy behind a change: its rule at `position`, or (None) its isolation. `gone`: it existed only before.

    `policy`: its key. `tiered`: the policy itself and the rule's `action`, if it is no NetworkPolicy.
    `path`: as in `Rule`.
    """

    policy: str
    direction: Direction
    position: int | None
    gone: bool
    action: Action = Action.ALLOW
    tiered: Policy | None = None
    path: str = ""


class ConnectionChange(NamedTuple):
    """Connections whose verdict changes in the same way: from each source to each destination, on these ports.

    `other_ports_open`: other ports between the same two ends are open afterwards.
    """

    sources: tuple[Member, ...]
    destinations: tuple[Member, ...]
    ports: PortClass
    before: Verdict
    after: Verdict
    because: tuple[Cause, ...]
    other_ports_open: bool

    @property
    def opens(self) -> bool:
        """Whether access is gained, or may be."""
        return self.after is Verdict.ALLOWED or self.before is Verdict.BLOCKED


class IsolatedMember(NamedTuple):
    """A workload that a changed policy isolates; `newly` where nothing did before."""

    member: Member
    direction: Direction
    newly: bool


class Changes(NamedTuple):
    """All changes. `undetermined`: why it is unknown whether further connections change, each reason once."""

    connections: tuple[ConnectionChange, ...] = ()
    isolated: tuple[IsolatedMember, ...] = ()
    undetermined: tuple[Note, ...] = ()

    @property
    def opens(self) -> tuple[ConnectionChange, ...]:
        return tuple(change for change in self.connections if change.opens)

    @property
    def closes(self) -> tuple[ConnectionChange, ...]:
        return tuple(change for change in self.connections if not change.opens)


def distinct(changes: Iterable[ConnectionChange]) -> list[ConnectionChange]:
    """To be counted: the other ports of all protocols between the same ends once."""
    found: dict[ConnectionChange, ConnectionChange] = {}
    for change in changes:
        same = change._replace(ports=PortClass("", 0, 0, other=True)) if change.ports.other else change
        found.setdefault(same, change)
    return list(found.values())


def causes_of(old: ConnectionVerdict, new: ConnectionVerdict, changed: list[Policy]) -> Iterator[Cause]:
    """The changed policies behind a changed verdict, per direction."""
    for then, now in ((old.egress, new.egress), (old.ingress, new.ingress)):
        if then.verdict is not now.verdict:
            yield from _side_causes(then, now, changed)


def _side_causes(then: DirectionVerdict, now: DirectionVerdict, changed: list[Policy]) -> Iterator[Cause]:
    opened = now.verdict is Verdict.ALLOWED
    gained, lost = (now.allowed_by, then.denied_by) if opened else (now.denied_by, then.allowed_by)
    passing = (*now.passed_by, *then.passed_by)
    for matches in ((*gained, *lost), passing):
        rules = [match for match in matches if match.policy in changed]
        if rules:
            for match in rules:
                gone = match in (then.passed_by if matches is passing else lost)
                tiered = match.policy if match.policy.kind != "NetworkPolicy" else None
                rule = match.rule
                yield Cause(match.policy.key, now.direction, rule.position, gone, rule.action, tiered, rule.path)
            return
    isolating = then.isolated_by if opened else now.isolated_by
    for policy in isolating:
        if policy in changed:
            tiered = policy if policy.kind != "NetworkPolicy" else None
            yield Cause(policy.key, now.direction, None, gone=opened, tiered=tiered)
