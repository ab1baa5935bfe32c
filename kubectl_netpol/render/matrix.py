"""A matrix as text: the grid or its summary, totals, the command that explains a cell, and a probe's differences."""

from __future__ import annotations

import shlex
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.matrix.summary import MIXED, SEEN, Cell, Summary, WorkloadSpan, by_namespace, reference
from kubectl_netpol.render.text import FEW, UNLIMITED, Names, table, wrapped
from kubectl_netpol.render.verdict import arrow

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.matrix.patterns import Part, Patterns
    from kubectl_netpol.model.objects import Pod

MOST_COLUMNS = 30
_MOST_ROWS = 40
_MOST_NAMES = 8
MEANINGS = {"a": "allowed", "b": "blocked", "u": "undefined", "-": "no such port", MIXED: "mixed"}
_LETTER_STYLES = {"a": "green", "b": "red", "u": "yellow", MIXED: "yellow", "-": "dim"}
_ASKED = ("a", "b", "u", MIXED)
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


def asked(letters: Iterable[Container[str]], rows: int) -> list[int]:
    """The places of the destinations that have one of the ports, by the letters in the column of each."""
    return [place for place, found in enumerate(letters) if rows == 1 or any(letter in found for letter in _ASKED)]


class _Line(NamedTuple):
    """A row or column of the grid."""

    name: str
    part: Part


def matrix_text(
    summary: Summary,
    heading: Heading,
    names: Names,
    console: Console,
    *,
    marked: Collection[tuple[int, int]] = (),
    verbose: bool = False,
) -> str:
    """The grid and its totals. Cells in `marked` get a !."""
    from kubectl_netpol.matrix.patterns import Patterns  # noqa: PLC0415 - its hashes bring 4 MB that JSON does without

    groups, patterns = summary.groups, Patterns(summary)
    letters = patterns.letters
    columns = asked(letters, len(groups))
    title = f"{heading.where}, {heading.ports}: {count(len(groups), heading.noun)}"
    lines = [console.paint(title, "bold")]
    if not columns:
        return "\n".join([*lines, "no destination has such a port"])
    if len(columns) <= MOST_COLUMNS and len(groups) <= 2 * MOST_COLUMNS:
        rows = [
            _Line(names.short(group.namespace, group.title), patterns.part([place]))
            for place, group in enumerate(groups)
        ]
        lines += _grid(patterns, rows, [rows[place] for place in columns], marked, console)
    else:
        lines += _grouped(patterns, columns, names, marked, console, verbose=verbose)
    from_all, from_none = ([place for place in columns if letters[place] == {letter}] for letter in "ab")
    counts = patterns.counts(columns)
    lines.append("")
    lines += _totals(summary, counts, (from_all, from_none, columns), heading, names, verbose=verbose)
    return wrapped(lines, console)


def _grid(
    patterns: Patterns,
    rows: Sequence[_Line],
    columns: Sequence[_Line],
    marked: Collection[tuple[int, int]],
    console: Console,
) -> list[str]:
    """Rows are sources, columns destinations, under the numbers of their rows."""
    numbers = {line.name: str(number) for number, line in enumerate(rows, 1)}
    digits = len(str(len(rows)))
    names = max(len(line.name) for line in rows)
    head = " ".join(numbers[line.name].rjust(digits) for line in columns)
    lines = [f"{'from'.ljust(digits + names + 2)}to {head}"]
    used: set[str] = set()
    for line in rows:
        cells = ""
        for other in columns:
            letter = patterns.letter(line.part, other.part)
            differs = bool(marked) and any(
                (here, there) in marked for here in line.part.places for there in other.part.places
            )
            sign = _ITSELF_SIGN if letter == " " else letter
            used |= {sign, _DIFFERS_SIGN} if differs else {sign}
            cells += " " * (digits - 1) + console.paint(sign, _LETTER_STYLES.get(letter, "dim"))
            cells += console.paint(_DIFFERS_SIGN, "bold") if differs else " "
        lines.append(f"{numbers[line.name].rjust(digits)} {line.name.ljust(names)}    {cells}".rstrip())
    legend = {**MEANINGS, _ITSELF_SIGN: "itself", _DIFFERS_SIGN: "the network differs"}
    listed = "   ".join(f"{sign} {meaning}" for sign, meaning in legend.items() if sign in used)
    return [*lines, console.paint(listed, "dim")]


def _grouped(
    patterns: Patterns,
    columns: Sequence[int],
    names: Names,
    marked: Collection[tuple[int, int]],
    console: Console,
    *,
    verbose: bool,
) -> list[str]:
    """By groups with the same verdicts if those are few, else by namespace, else one line per kind of destination."""
    summary, same = patterns.summary, patterns.alike()
    if len(same) <= MOST_COLUMNS:
        lines = [_Line(_names(summary, places, names, FEW), patterns.part(places)) for places in same]
        return [f"grouped by identical verdicts: {len(same)} groups", *_grid(patterns, lines, lines, marked, console)]
    spaces = by_namespace(summary)
    if 1 < len(spaces) <= MOST_COLUMNS:
        lines = [_Line(summary.groups[places[0]].namespace, patterns.part(places)) for places in spaces]
        return ["grouped by namespace", *_grid(patterns, lines, lines, marked, console)]
    return _list(patterns, columns, names, verbose=verbose)


def _list(patterns: Patterns, columns: Sequence[int], names: Names, *, verbose: bool) -> list[str]:
    summary = patterns.summary
    size = len(summary.groups)
    by_column: dict[int, list[int]] = {}
    for place in columns:
        by_column.setdefault(patterns.column_of[place], []).append(place)
    rows: list[tuple[str, ...]] = [("TO", "FROM")]
    limit = UNLIMITED if verbose else FEW
    shown = len(by_column) if verbose else _MOST_ROWS
    for column, places in islice(by_column.items(), shown):
        sources = patterns.sources(column, SEEN["a"])
        sources_text = _names(summary, sources, names, limit)
        if len(sources) in (0, size):
            sources_text = "everyone" if sources else "nobody"
        elif len(sources) > limit:
            sources_text += f" ({len(sources)} of {size})"
        rows.append((_names(summary, places, names, limit), sources_text))
    more = len(by_column) - shown
    return [*table(rows), *([f"and {more} more (-v lists them, -o html draws them)"] if more > 0 else [])]


def _names(summary: Summary, places: Iterable[int], names: Names, limit: int) -> str:
    groups = [summary.groups[place] for place in places]
    return names_text([names.short(group.namespace, group.title) for group in groups], limit)


def _totals(
    summary: Summary,
    counts: Counter[str],
    destinations: tuple[Sequence[int], Sequence[int], Sequence[int]],
    heading: Heading,
    names: Names,
    *,
    verbose: bool,
) -> Iterator[str]:
    """`destinations`: those that are reached from all, from none, and all that have the port."""
    from_all, from_none, columns = destinations
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
