"""The results of `test` as text or as objects, with what they suggest, and as an exit status."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.findings import messages, refused_beside, warn
from kubectl_netpol.commands.common.watch import Seen, state_of
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.render.probe_result import result_line, result_text, results_table
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.snapshot import Snapshot

_UNKNOWN = 2
_EXPECTED = {"open": True, "blocked": False}


def print_results(
    snapshot: Snapshot,
    results: Sequence[ConnectionResult],
    namespace: str,
    console: Console,
    *,
    output: str | None,
    verbose: bool,
) -> None:
    """With the policies of the snapshot that were probably meant for an end: warnings, or part of an object."""
    names = Names(namespace)
    refused = [refused_beside(snapshot, result.prediction) for result in results]
    nearby = _nearby(snapshot, results)
    if output:
        results = [
            result._replace(warnings=(*result.warnings, *messages([*first, *found])))
            for result, first, found in zip(results, refused, nearby, strict=True)
        ]
        refused, nearby = [], []
        from kubectl_netpol.render.json_objects import kind, result_object, serialize  # noqa: PLC0415 - not for text

        items = [result_object(result) for result in results]
        content = items[0] if len(items) == 1 else kind("TestResultList", {"items": items})
        console.data(serialize(content, output))
    elif len(results) == 1:
        console.data(result_text(results[0], names, console, verbose=verbose))
    else:
        console.data(results_table(results, names, console))
    for message in dict.fromkeys(message for result in results for message in result.warnings):
        console.warning(message)
    warn(chain(*refused), chain(*nearby), console, verbose=verbose)


def _nearby(snapshot: Snapshot, results: Sequence[ConnectionResult]) -> list[list[Finding]]:
    """For each result, policies that were probably meant for one of its ends."""
    if all(result.prediction.verdict is Verdict.ALLOWED for result in results):
        return [[] for _ in results]
    from kubectl_netpol.lint.nearby import policies_that_would_open  # noqa: PLC0415 - only for what may be blocked

    return [policies_that_would_open(snapshot, result.prediction) for result in results]


def seen(results: Sequence[ConnectionResult], namespace: str, console: Console) -> Mapping[str, Seen]:
    """For --watch: a line for each connection."""
    names = Names(namespace)
    return {
        arrow(result.prediction.request, names): Seen(result_line(result, names, console), state_of(result))
        for result in results
    }


def status_of(results: Sequence[ConnectionResult], expected: str | None) -> int:
    """0 open, 1 not, 2 can't tell, of several the worst; with --expect 0 met, 1 not met, 2 can't tell."""
    statuses = []
    for result in results:
        reachable = result.finding.reachable
        if result.finding.code is Code.PREDICTED:
            reachable = {Verdict.ALLOWED: True, Verdict.BLOCKED: False}.get(result.prediction.verdict)
        wanted = _EXPECTED[expected] if expected else True
        statuses.append(_UNKNOWN if reachable is None else int(reachable is not wanted))
    return max(statuses)
