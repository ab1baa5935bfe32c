"""Which of several sets of policies lets connections through, and which of those opens the least beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.change import distinct
from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.workloads import controllers, pod_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.analysis.change import Changes, ConnectionChange
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.engine.verdict import End
    from kubectl_netpol.model.snapshot import Snapshot


class Candidate(NamedTuple):
    """`predictions`: of each connection that is needed, with these policies. `changes`: all that they change.

    `beside`, `closes`: how many pairs of pods and ports they open beside what is needed, and close.
    """

    name: str
    predictions: tuple[Prediction, ...]
    changes: Changes
    beside: int
    closes: int

    @property
    def fits(self) -> bool | None:
        """Whether everything that is needed is allowed; None where that can't be told."""
        verdicts = {prediction.verdict for prediction in self.predictions}
        return False if Verdict.BLOCKED in verdicts else None if Verdict.UNDEFINED in verdicts else True


def candidate(name: str, before: Snapshot, after: Snapshot, needs: Sequence[Request]) -> Candidate:
    changes = changes_between(before, after)
    predictions = tuple(predict(after, need) for need in needs)
    asked = _asked(before, predictions)
    beside = sum(_pairs(change, asked) for change in distinct(changes.opens))
    closes = sum(_pairs(change, ()) for change in distinct(changes.closes))
    return Candidate(name, predictions, changes, beside, closes)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that fit first, the ones that open the least before the others; in the order given where they are equal."""
    order = {True: 0, None: 1, False: 2}
    return sorted(candidates, key=lambda found: (order[found.fits], found.beside, found.closes))


class _Asked(NamedTuple):
    """One route of what is needed, its ends as changes have them."""

    source: str | None
    destination: str | None
    protocol: str
    port: int


def _asked(snapshot: Snapshot, predictions: Iterable[Prediction]) -> list[_Asked]:
    owners = controllers(snapshot)
    connections = [route.connection for prediction in predictions for route in prediction.routes]

    def title(end: End) -> str | None:
        return pod_title(end.pod, owners) if end.pod else end.address

    return [_Asked(title(one.source), title(one.destination), one.protocol, one.port) for one in connections]


def _pairs(change: ConnectionChange, asked: Iterable[_Asked]) -> int:
    """How many pairs of pods and ports it is, without those asked for; an end outside the cluster counts as one."""
    named = {
        (one.source, one.destination)
        for one in asked
        if one.protocol == change.ports.protocol and change.ports.first <= one.port <= change.ports.last
    }
    return sum(
        max(source.pods, 1) * max(destination.pods, 1)
        for source in change.sources
        for destination in change.destinations
        if (source.title, destination.title) not in named
    )
