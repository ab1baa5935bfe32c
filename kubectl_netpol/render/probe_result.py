"""The findings of `test` as text: the answer, and unless it is open and allowed, the evidence and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.console import in_a_line
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.render.text import Names, fits, table, wrapped
from kubectl_netpol.render.verdict import (
    TO_ITSELF,
    VERDICT_STYLES,
    arrow,
    from_node,
    near_text,
    reaches_itself,
    side_text,
    with_misses,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Finding

_REACHABLE_STYLES = {True: "green", False: "red", None: "yellow"}
_COMMAND = "kubectl "
_ALLOW = "kubectl netpol allow"
_MORE = " … (-v shows all)"
_FOLDED = " " * 4  # how a line that goes on with the one before it begins
_CLAUSES = ("; ", ", and ")
MOST_LINES = 8


def result_text(result: ConnectionResult, names: Names, console: Console, *, verbose: bool = False) -> str:
    """At most MOST_LINES lines at 80 columns, unless verbose. The next step is never cut."""
    finding, prediction = result.finding, result.prediction
    first = _first(result, names, console)
    if finding.code is Code.OPEN and not verbose:
        return first
    lines = [f"  {finding.detail}", *(_policy_lines(result, names, verbose=verbose) if prediction.routes else [])]
    lines += [f"  {line}" for line in finding.evidence]
    if not verbose:  # of what is true besides, only that nothing at all connects them
        lines += [f"  note:    {note.message}" for note in prediction.caveats if note.code is Code.NO_COMMON_FAMILY]
    lines = wrapped(lines, console).split("\n")
    step = _next_lines(finding, console)
    if verbose:
        return "\n".join([*map(in_a_line, [first, *lines, *step]), wrapped(_details(result, names), console)])
    room = MOST_LINES - _rows([f"{finding.word}: {arrow(prediction.request, names)}", *step], console)
    if _rows(lines, console) > room:
        lost = ""
        while len(lines) > 1 and _rows(lines, console) > room:
            lost = lines.pop()
        lines.append(cut_line(lines.pop(), console, whole=not lost.startswith(_FOLDED)))
    return "\n".join(map(in_a_line, [first, *lines, *step]))


def result_line(result: ConnectionResult, names: Names, console: Console) -> str:
    """The first line of `result_text` with the finding behind it."""
    return f"{_first(result, names, console)}: {result.finding.detail}"


def cut_line(line: str, console: Console, *, whole: bool) -> str:
    """The line ending in the mark that more follows, without the words that this takes the room of.

    `whole`: its sentence ends with it. One that does not is cut where a clause ends, if it has several.
    """
    kept = line
    while len(kept) + len(_MORE) > console.width and kept.strip():
        kept = kept.rpartition(" ")[0]
    end = max(map(kept.rfind, _CLAUSES))
    return (kept[:end] if end > 0 and not (whole and kept == line) else kept) + _MORE


def _first(result: ConnectionResult, names: Names, console: Console) -> str:
    finding, prediction = result.finding, result.prediction
    style = (
        VERDICT_STYLES[prediction.verdict] if finding.code is Code.PREDICTED else _REACHABLE_STYLES[finding.reachable]
    )
    return f"{console.paint(finding.word, style)}: {arrow(prediction.request, names)}"


def _next_lines(finding: Finding, console: Console) -> list[str]:
    """The next step: a command on one line, to be copied; advice folded."""
    if not finding.next:
        return []
    label = "to open:" if finding.next.startswith(_ALLOW) else "next:"
    line = f"  {label:8} {finding.next}"
    return [line] if finding.next.startswith(_COMMAND) else wrapped([line], console).split("\n")


def _rows(lines: Sequence[str], console: Console) -> int:
    """The number of terminal rows that the lines take."""
    return sum(-(-len(line) // console.width) for line in lines)


def _policy_lines(result: ConnectionResult, names: Names, *, verbose: bool) -> list[str]:
    """The directions that don't allow it, or both where both do."""
    prediction = result.prediction
    source, destination = (names.end(end) for end in (prediction.request.source, prediction.request.destination))
    connection = prediction.routes[0].connection
    lines = []
    for side, pod, other in (
        (prediction.egress, connection.source.pod, destination),
        (prediction.ingress, connection.destination.pod, source),
    ):
        if pod is None or (side.verdict is Verdict.ALLOWED and prediction.verdict is not Verdict.ALLOWED):
            continue
        by_node = from_node(prediction)
        text = side_text(side, pod, names, other, stated=prediction.reason, from_node=by_node, verbose=verbose)
        lines.append(f"  {side.direction.field + ':':8} {TO_ITSELF if reaches_itself(prediction) else text}")
        if side.verdict is Verdict.BLOCKED and (nearest := with_misses(side.near_misses)):
            lines.append(f"  nearest: {near_text(nearest[0], prediction)}")
    return lines


def _details(result: ConnectionResult, names: Names) -> list[str]:
    """What -v adds: the source's labels, the probe, its output and the command that repeats it."""
    lines = []
    if pod := result.prediction.request.source.pod:
        labels = ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
        lines.append(f"  source:  {names.short(pod.namespace, pod.name)} ({labels})")
    if observation := result.observation:
        output = observation.output.replace("\n", " | ") or "none"
        lines.append(f"  probe:   {observation.tool or 'no tool'}, {observation.seconds:.2f} s, output: {output}")
    if result.command:
        lines.append(f"  command: {result.command}")
    lines += [f"  note:    {note.message}" for note in result.prediction.caveats]
    return lines


def results_table(results: Sequence[ConnectionResult], names: Names, console: Console) -> str:
    """One line per connection, two where the terminal is too narrow; then the totals."""
    rows: list[tuple[str, ...]] = [("SOURCE", "DESTINATION", "PORT", "NETWORK", "POLICIES", "FINDING")]
    for result in results:
        request = result.prediction.request
        outcome = result.observation.outcome.value if result.observation else "not probed"
        rows.append(
            (
                names.end(request.source),
                names.end(request.destination),
                f"{request.port or '?'}/{request.protocol}",
                outcome,
                result.prediction.verdict.value,
                result.finding.code.value,
            )
        )
    lines = table(rows)
    if fits(lines, console):
        return "\n".join([console.paint(lines[0], "dim"), *lines[1:], _counts(results)])
    lines = []
    for result, (*_, network, policies, finding) in zip(results, rows[1:], strict=True):
        lines += [_first(result, names, console), f"  network: {network}, policies: {policies}, finding: {finding}"]
    return wrapped([*lines, _counts(results)], console)


def _counts(results: Sequence[ConnectionResult]) -> str:
    """The totals: of the findings, or of the verdicts where nothing was probed."""
    if all(result.finding.code is Code.PREDICTED for result in results):
        verdicts = [result.prediction.verdict for result in results]
        return ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)
    reachable = [result.finding.reachable for result in results]
    return f"{reachable.count(True)} open, {reachable.count(False)} not open, {reachable.count(None)} can't tell"
