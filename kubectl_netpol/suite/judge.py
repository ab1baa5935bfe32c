"""Whether what was found is what a check expects: as expected, not as expected, or can't tell."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.suite.checks import Expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.suite.checks import Check


class Result(str, Enum):
    """The value is the one in JSON."""

    EXPECTED = "as-expected"
    DIFFERENT = "not-as-expected"
    UNKNOWN = "cant-tell"


class Judged(NamedTuple):
    """One connection of a check. `reason`: why it can't be told, where the finding itself does not say that."""

    found: ConnectionResult
    result: Result
    reason: Note | None = None


class Problem(NamedTuple):
    """Why a check could not be asked (a name that is not there), and the next step."""

    message: str
    hint: str | None = None


class Asked(NamedTuple):
    """A check with what was found for each of its connections; or the problem."""

    check: Check
    found: tuple[ConnectionResult, ...] = ()
    problem: Problem | None = None


class CheckResult(NamedTuple):
    check: Check
    connections: tuple[Judged, ...]
    problem: Problem | None = None

    @property
    def result(self) -> Result:
        """As expected if all its connections are; a connection that is not outweighs those that can't be told."""
        results = {judged.result for judged in self.connections}
        if Result.DIFFERENT in results:
            return Result.DIFFERENT
        return Result.EXPECTED if results == {Result.EXPECTED} else Result.UNKNOWN

    @property
    def failing(self) -> tuple[Judged, ...]:
        """Its connections that make it not as expected; else those that can't be told."""
        return tuple(judged for judged in self.connections if judged.result is self.result is not Result.EXPECTED)


# What a connection arrives at: a pod or an address, or the host named, with the port and the protocol there.
_Target: TypeAlias = tuple[str, int, str]
_STATUS = {Result.EXPECTED: 0, Result.DIFFERENT: 1, Result.UNKNOWN: 2}


def judge(asked: Sequence[Asked], *, live: bool) -> list[CheckResult]:
    """The results, in the same order. `live`: a network was probed; else the policies alone say.

    A check that expects blocked needs a control: the destination listens, or another source, of a check that expects
    open, reached it.
    """
    reached = [
        _targets(found.prediction)
        for check, results, _ in asked
        for found in results
        if check.expect is Expect.OPEN and found.finding.reachable
    ]
    return [
        CheckResult(check, tuple(_judged(check, one, reached, live=live) for one in found), problem)
        for check, found, problem in asked
    ]


def status(results: Sequence[CheckResult]) -> int:
    """The exit status, as `test --expect` has it for all connections of all checks."""
    found = [judged.result for result in results for judged in result.connections]
    found += [Result.UNKNOWN for result in results if result.problem]
    return max(_STATUS[result] for result in found)


def _judged(check: Check, found: ConnectionResult, reached: Sequence[frozenset[_Target]], *, live: bool) -> Judged:
    wanted = Verdict.ALLOWED if check.expect is Expect.OPEN else Verdict.BLOCKED
    verdict = found.prediction.verdict
    policies = None if verdict is Verdict.UNDEFINED else verdict is wanted
    if not live:
        return Judged(found, _result(policies))
    network = _network(check, found)
    if policies is False or not network:
        return Judged(found, Result.DIFFERENT if policies is False else _result(network))
    if check.expect is Expect.BLOCKED and check.control and not _has_control(found, reached):
        listens = "nothing listens there, so no policy is needed to block it"
        unknown = (
            "nothing shows that it would be open without the policies (a check that expects open, or control: none)"
        )
        why = listens if found.listening is False else unknown
        return Judged(found, Result.UNKNOWN, Note(Code.NO_CONTROL, why))
    return Judged(found, Result.EXPECTED)


def _result(as_expected: bool | None) -> Result:  # noqa: FBT001 - a fact, not a switch
    return Result.UNKNOWN if as_expected is None else Result.EXPECTED if as_expected else Result.DIFFERENT


def _network(check: Check, found: ConnectionResult) -> bool | None:
    """Whether the network does what is expected; None where that is unknown."""
    code, reachable = found.finding.code, found.finding.reachable
    if check.expect is Expect.OPEN or reachable is not None:
        return None if reachable is None else reachable is (check.expect is Expect.OPEN)
    if code is Code.NO_ANSWER:
        return True  # of a destination that answers another source; which the control shows
    if found.prediction.request.protocol == "SCTP" and found.prediction.verdict is Verdict.BLOCKED:
        return True  # it can't be probed: the policies' word, where the check wants no control
    return None


def _has_control(found: ConnectionResult, reached: Sequence[frozenset[_Target]]) -> bool:
    targets = _targets(found.prediction)
    return bool(found.listening) or any(others and others <= targets for others in reached)


def _targets(prediction: Prediction) -> frozenset[_Target]:
    host = prediction.request.destination.host
    return frozenset(
        (host or route.connection.destination.title, route.connection.port, route.connection.protocol)
        for route in prediction.routes
    )
