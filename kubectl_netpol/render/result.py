"""What `test` found, as text: one line where it is open and allowed, else the answer, the evidence and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.codes import Code
from kubectl_netpol.render.text import Names, arrow, near_text, side_text, table, wrapped
from kubectl_netpol.verdict import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.diagnose import Result

_STYLE = {True: "green", False: "red", None: "yellow"}
_ALLOW = "kubectl netpol allow"
MOST_LINES = 8


def result_text(result: Result, names: Names, console: Console, *, verbose: bool = False) -> str:
    """The finding of one connection; eight lines at most at 80 columns unless verbose."""
    finding, verdict = result.finding, result.verdict
    first = f"{console.paint(finding.word, _STYLE[finding.reachable])}: {arrow(verdict.request, names)}"
    if finding.code is Code.OPEN and not verbose:
        return first
    lines = [f"  {finding.detail}", *(_policy_lines(result, names) if verdict.routes else [])]
    lines += [f"  {line}" for line in finding.evidence]
    lines = wrapped(lines, console).split("\n")
    if not verbose:
        lines = lines[: MOST_LINES - 1 - bool(finding.next)]
    if finding.next:
        label = "to open:" if finding.next.startswith(_ALLOW) else "next:"
        lines.append(f"  {label:8} {finding.next}")
    if verbose:
        lines.append(wrapped(_details(result, names), console))
    return "\n".join([first, *lines])


def _policy_lines(result: Result, names: Names) -> list[str]:
    """The sides that matter: those that do not allow, or both where all is allowed."""
    verdict = result.verdict
    source, destination = (names.end(end) for end in (verdict.request.source, verdict.request.destination))
    connection = verdict.routes[0].connection
    lines = []
    for side, pod, other in (
        (verdict.egress, connection.source.pod, destination),
        (verdict.ingress, connection.destination.pod, source),
    ):
        if pod is None or (side.answer is Answer.ALLOWED and verdict.answer is not Answer.ALLOWED):
            continue
        lines.append(f"  {side.direction.field + ':':8} {side_text(side, pod, names, other)}")
        if side.answer is Answer.BLOCKED and side.near_misses:
            lines.append(f"  nearest: {near_text(side.near_misses[0], verdict)}")
    return lines


def _details(result: Result, names: Names) -> list[str]:
    """What -v adds: the source's labels, the probe, its words and the command to repeat it."""
    lines = []
    if pod := result.verdict.request.source.pod:
        labels = ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
        lines.append(f"  source:  {names.short(pod.namespace, pod.name)} ({labels})")
    if observation := result.observation:
        said = observation.words.replace("\n", " | ") or "nothing"
        lines.append(f"  probe:   {observation.tool or 'no tool'} in {observation.seconds:.2f} s said: {said}")
    if result.command:
        lines.append(f"  command: {result.command}")
    lines += [f"  note:    {note.message}" for note in result.verdict.caveats]
    return lines


def results_table(results: Sequence[Result], names: Names, console: Console) -> str:
    """One line a connection, then a count."""
    rows: list[tuple[str, ...]] = [("SOURCE", "DESTINATION", "PORT", "NETWORK", "POLICIES", "FINDING")]
    for result in results:
        request = result.verdict.request
        outcome = result.observation.outcome.value if result.observation else "not probed"
        rows.append(
            (
                names.end(request.source),
                names.end(request.destination),
                f"{request.port or '?'}/{request.protocol}",
                outcome,
                result.verdict.answer.value,
                result.finding.code.value,
            )
        )
    reachable = [result.finding.reachable for result in results]
    counts = f"{reachable.count(True)} open, {reachable.count(False)} not, {reachable.count(None)} can't tell"
    lines = table(rows)
    painted = [console.paint(lines[0], "dim"), *lines[1:]]
    return "\n".join([*painted, counts])
