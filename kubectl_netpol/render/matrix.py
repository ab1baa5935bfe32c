"""A matrix as text: the grid or its summary, totals, the command that explains a cell, and a probe's differences."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.matrix.summary import (
    MIXED,
    Cell,
    Summary,
    WorkloadSpan,
    alike,
    by_namespace,
    merged_letter,
    reference,
)
from kubectl_netpol.render.text import FEW, UNLIMITED, Names, table, wrapped
from kubectl_netpol.render.verdict import arrow

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.model.objects import Pod

MOST_COLUMNS = 30
_MOST_ROWS = 40
_MOST_NAMES = 8
MEANINGS = {"a": "allowed", "b": "blocked", "u": "undefined", "-": "no such port", MIXED: "mixed"}
_LETTER_STYLES = {"a": "green", "b": "red", "u": "yellow", MIXED: "yellow", "-": "dim"}
_ITSELF_SIGN, _DIFFERS_SIGN = ".", "!"


class Explainer:
    """The `explain` command for a cell. `options`: those for the cluster or the manifests, as typed."""

    def __init__(self, pods: Sequence[Pod], groups: Sequence[WorkloadSpan], options: Sequence[str]) -> None:
        self._pods = pods
        self._group_of = [group for group in groups for _ in range(group.size)]
        self._options = options

    def reference(self, position: int) -> str:
        return reference(self._group_of[position], self._pods[position])

    def command(self, cell: Cell) -> str:
        arguments = [self.reference(cell.source), self.reference(cell.destination), str(cell.port)]
        return shlex.join(["kubectl", "netpol", "explain", *arguments, *self.tail(cell.protocol)])

    def tail(self, protocol: str) -> list[str]:
        """The options that follow SOURCE DESTINATION PORT."""
        return [*(() if protocol == "TCP" else ("--protocol", protocol.lower())), *self._options]


class Heading(NamedTuple):
    """The first line. `ports` such as "TCP 80", `where` such as "namespace shop", `noun` "workload" or "pod"."""

    ports: str
    where: str
    noun: str


def _asked(column: tuple[str, ...]) -> bool:
    """Whether the destination has one of the ports."""
    return bool(set(column) - {"-", " "}) or len(column) == 1


class _Line(NamedTuple):
    """A row or column of the grid: its name, and the places of its groups in the summary."""

    name: str
    groups: Sequence[int]


def matrix_text(
    summary: Summary,
    heading: Heading,
    names: Names,
    console: Console,
    *,
    marked: Container[tuple[int, int]] = (),
    verbose: bool = False,
) -> str:
    """The grid and its totals. Cells in `marked` get a !."""
    groups, letters = summary.groups, summary.letters()
    columns = [place for place, column in enumerate(zip(*letters, strict=True)) if _asked(column)]
    title = f"{heading.where}, {heading.ports}: {count(len(groups), heading.noun)}"
    lines = [console.paint(title, "bold")]
    if not columns:
        return "\n".join([*lines, "no destination has such a port"])
    if len(columns) <= MOST_COLUMNS and len(groups) <= 2 * MOST_COLUMNS:
        rows = [_Line(names.short(group.namespace, group.name), [place]) for place, group in enumerate(groups)]
        lines += _grid(letters, rows, [rows[place] for place in columns], marked, console)
    else:
        lines += _grouped(summary, columns, names, marked, console, verbose=verbose)
    lines += ["", *_totals(summary, columns, heading, names, verbose=verbose)]
    return wrapped(lines, console)


def _grid(
    letters: Sequence[str],
    rows: Sequence[_Line],
    columns: Sequence[_Line],
    marked: Container[tuple[int, int]],
    console: Console,
) -> list[str]:
    """Rows are sources, columns destinations, under the numbers of their rows."""
    numbers = {part.name: str(number) for number, part in enumerate(rows, 1)}
    digits = len(str(len(rows)))
    names = max(len(part.name) for part in rows)
    head = " ".join(numbers[part.name].rjust(digits) for part in columns)
    lines = [f"{'from'.ljust(digits + names + 2)}to {head}"]
    used: set[str] = set()
    for part in rows:
        cells = ""
        for other in columns:
            letter = merged_letter(letters, part.groups, other.groups)
            differs = any((here, there) in marked for here in part.groups for there in other.groups)
            sign = _ITSELF_SIGN if letter == " " else letter
            used |= {sign, _DIFFERS_SIGN} if differs else {sign}
            cells += " " * (digits - 1) + console.paint(sign, _LETTER_STYLES.get(letter, "dim"))
            cells += console.paint(_DIFFERS_SIGN, "bold") if differs else " "
        lines.append(f"{numbers[part.name].rjust(digits)} {part.name.ljust(names)}    {cells}".rstrip())
    legend = {**MEANINGS, _ITSELF_SIGN: "itself", _DIFFERS_SIGN: "the network differs"}
    listed = "   ".join(f"{sign} {meaning}" for sign, meaning in legend.items() if sign in used)
    return [*lines, console.paint(listed, "dim")]


def _grouped(
    summary: Summary,
    columns: Sequence[int],
    names: Names,
    marked: Container[tuple[int, int]],
    console: Console,
    *,
    verbose: bool,
) -> list[str]:
    """By groups with the same verdicts if those are few, else by namespace, else one line per kind of destination."""
    letters = summary.letters()
    same = alike(summary)
    if len(same) <= MOST_COLUMNS:
        parts = [_Line(_names(summary, places, names, FEW), places) for places in same]
        lines = _grid(letters, parts, parts, marked, console)
        return [f"grouped by identical verdicts: {len(same)} groups", *lines]
    spaces = by_namespace(summary)
    if 1 < len(spaces) <= MOST_COLUMNS:
        parts = [_Line(summary.groups[places[0]].namespace, places) for places in spaces]
        return ["grouped by namespace", *_grid(letters, parts, parts, marked, console)]
    return _list(summary, columns, names, verbose=verbose)


def _list(summary: Summary, columns: Sequence[int], names: Names, *, verbose: bool) -> list[str]:
    size = len(summary.groups)
    by_column: dict[bytes, list[int]] = {}
    for place in columns:
        by_column.setdefault(bytes(row[place] for row in summary.rows), []).append(place)
    rows: list[tuple[str, ...]] = [("TO", "FROM")]
    limit = UNLIMITED if verbose else FEW
    for column, places in by_column.items():
        sources = [place for place in range(size) if column[place] & 1]
        sources_text = _names(summary, sources, names, limit)
        if len(sources) in (0, size):
            sources_text = "everyone" if sources else "nobody"
        elif len(sources) > limit:
            sources_text += f" ({len(sources)} of {size})"
        rows.append((_names(summary, places, names, limit), sources_text))
    shown = rows if verbose else rows[: _MOST_ROWS + 1]
    more = len(rows) - len(shown)
    return [*table(shown), *([f"and {more} more (-v lists them, -o html draws them)"] if more else [])]


def _names(summary: Summary, places: Iterable[int], names: Names, limit: int) -> str:
    groups = [summary.groups[place] for place in places]
    return names_text([names.short(group.namespace, group.name) for group in groups], limit)


def _totals(
    summary: Summary, columns: Sequence[int], heading: Heading, names: Names, *, verbose: bool
) -> Iterator[str]:
    letters = summary.letters()
    counts: Counter[str] = Counter()
    from_all, from_none = [], []
    for destination in columns:
        column = Counter(row[destination] for row in letters)
        del column[" "]
        counts += column
        if set(column) == {"a"}:
            from_all.append(destination)
        elif set(column) == {"b"}:
            from_none.append(destination)
    listed = ", ".join(f"{counts[letter]} {meaning}" for letter, meaning in MEANINGS.items() if counts[letter])
    yield f"{count(counts.total(), 'pair')} of {heading.noun}s{f': {listed}' if listed else ''}"
    limit = UNLIMITED if verbose else _MOST_NAMES
    if from_all:
        yield f"reachable from all: {_names(summary, from_all, names, limit)}"
    if from_none:
        yield f"reachable from none: {_names(summary, from_none, names, limit)}"
    if left_out := sorted(set(range(len(summary.groups))) - set(columns)):
        yield f"no such port, left out as destinations: {_names(summary, left_out, names, limit)}"


def cells_text(summary: Summary, examples: Mapping[tuple[int, int], Mapping[str, Cell]], explainer: Explainer) -> str:
    """One line per verdict in a cell, with the command that explains it."""
    rows: list[tuple[str, ...]] = [("FROM", "TO", "VERDICT", "WHY")]
    for (source, destination), found in examples.items():
        ends = summary.groups[source].key, summary.groups[destination].key
        rows += [(*ends, MEANINGS[letter], explainer.command(cell)) for letter, cell in found.items() if letter != "-"]
    return "\n".join(table(rows))


def difference_text(pair: Compared, names: Names) -> str:
    finding, prediction = pair.result.finding, pair.result.prediction
    return f"{arrow(prediction.request, names)}: policies {prediction.verdict.value}, network {finding.message}"


def network_text(compared: Sequence[Compared], names: Names, console: Console) -> str:
    """The numbers of pairs that agree and differ, then each that differs, and why others can't be compared."""
    agreed = sum(pair.result.finding.agrees is True for pair in compared)
    differing = [pair for pair in compared if pair.differs]
    unknown = [pair for pair in compared if pair.result.finding.agrees is None]
    parts = [f"{agreed} as the policies say"]
    verb = "differs" if len(differing) == 1 else "differ"
    parts += [console.paint(f"{len(differing)} {verb}", "red")] if differing else []
    parts += [f"{len(unknown)} can't be compared"] if unknown else []
    lines = [f"probed {count(len(compared), 'pair')} of pods: {', '.join(parts)}"]
    lines += [f"  {difference_text(pair, names)}" for pair in differing]
    reasons = Counter(pair.result.finding.message for pair in unknown)
    lines += [f"  {number} can't be compared: {message}" for message, number in reasons.most_common()]
    return wrapped(lines, console)
