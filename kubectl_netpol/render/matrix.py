"""A matrix as text for people, and as JSON that is written while it is made."""

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
from kubectl_netpol.render.text import Names, table, wrapped
from kubectl_netpol.render.verdict import arrow

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.model.objects import Pod

MOST_COLUMNS = 30
_MOST_LINES = 40
_FEW, _SOME, _MANY = 3, 8, 10_000
WORDS = {"a": "allowed", "b": "blocked", "u": "undefined", "-": "no such port", MIXED: "mixed"}
_STYLE = {"a": "green", "b": "red", "u": "yellow", MIXED: "yellow", "-": "dim"}
_ITSELF, _DIFFERS = ".", "!"


class Explainer:
    """The `explain` command for a cell: `options` are those that say where to look, as typed."""

    def __init__(self, pods: Sequence[Pod], groups: Sequence[WorkloadSpan], options: Sequence[str]) -> None:
        self._pods = pods
        self._group_of = [group for group in groups for _ in range(group.size)]
        self._options = options

    def reference(self, position: int) -> str:
        """The pod as the command takes it."""
        return reference(self._group_of[position], self._pods[position])

    def command(self, cell: Cell) -> str:
        """What to type to learn why the cell is what it is."""
        words = [self.reference(cell.source), self.reference(cell.destination), str(cell.port)]
        return shlex.join(["kubectl", "netpol", "explain", *words, *self.tail(cell.protocol)])

    def tail(self, protocol: str) -> list[str]:
        """The words after the ends and the port."""
        return [*(() if protocol == "TCP" else ("--protocol", protocol.lower())), *self._options]


class Heading(NamedTuple):
    """What a text's first line says: `ports` as "TCP 80", `where` as "namespace shop", `noun` "workload" or "pod"."""

    ports: str
    where: str
    noun: str


def _asked(column: tuple[str, ...]) -> bool:
    """Whether the destination has a port that was asked for."""
    return bool(set(column) - {"-", " "}) or len(column) == 1


class _Part(NamedTuple):
    """A row or column of the text: its name, and the groups that it stands for."""

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
    """The grid, its totals, what is open to all and what nobody reaches; `marked` cells get a !."""
    groups, letters = summary.groups, summary.letters()
    columns = [place for place, column in enumerate(zip(*letters, strict=True)) if _asked(column)]
    title = f"{heading.where}, {heading.ports}: {count(len(groups), heading.noun)}"
    lines = [console.paint(title, "bold")]
    if not columns:
        return "\n".join([*lines, "no destination has such a port"])
    if len(columns) <= MOST_COLUMNS and len(groups) <= 2 * MOST_COLUMNS:
        rows = [_Part(names.short(group.namespace, group.name), [place]) for place, group in enumerate(groups)]
        lines += _grid(letters, rows, [rows[place] for place in columns], marked, console)
    else:
        lines += _larger(summary, columns, names, marked, console, verbose=verbose)
    lines += ["", *_totals(summary, columns, heading, names, verbose=verbose)]
    return wrapped(lines, console)


def _grid(
    letters: Sequence[str],
    rows: Sequence[_Part],
    columns: Sequence[_Part],
    marked: Container[tuple[int, int]],
    console: Console,
) -> list[str]:
    """Rows are sources, columns destinations under the numbers that the rows have."""
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
            sign = _ITSELF if letter == " " else letter
            used |= {sign, _DIFFERS} if differs else {sign}
            cells += " " * (digits - 1) + console.paint(sign, _STYLE.get(letter, "dim"))
            cells += console.paint(_DIFFERS, "bold") if differs else " "
        lines.append(f"{numbers[part.name].rjust(digits)} {part.name.ljust(names)}    {cells}".rstrip())
    words = {**WORDS, _ITSELF: "itself", _DIFFERS: "the network differs"}
    return [*lines, console.paint("   ".join(f"{sign} {word}" for sign, word in words.items() if sign in used), "dim")]


def _larger(
    summary: Summary,
    columns: Sequence[int],
    names: Names,
    marked: Container[tuple[int, int]],
    console: Console,
    *,
    verbose: bool,
) -> list[str]:
    """Groups that are alike where those are few, else namespaces, else a line for each kind of destination."""
    letters = summary.letters()
    same = alike(summary)
    if len(same) <= MOST_COLUMNS:
        parts = [_Part(_names(summary, places, names, _FEW), places) for places in same]
        lines = _grid(letters, parts, parts, marked, console)
        return [f"those that nothing tells apart are put together, {len(same)} in all", *lines]
    spaces = by_namespace(summary)
    if 1 < len(spaces) <= MOST_COLUMNS:
        parts = [_Part(summary.groups[places[0]].namespace, places) for places in spaces]
        return ["by namespace", *_grid(letters, parts, parts, marked, console)]
    return _list(summary, columns, names, verbose=verbose)


def _list(summary: Summary, columns: Sequence[int], names: Names, *, verbose: bool) -> list[str]:
    size = len(summary.groups)
    by_column: dict[bytes, list[int]] = {}
    for place in columns:
        by_column.setdefault(bytes(row[place] for row in summary.rows), []).append(place)
    rows: list[tuple[str, ...]] = [("TO", "FROM")]
    limit = _MANY if verbose else _FEW
    for column, places in by_column.items():
        sources = [place for place in range(size) if column[place] & 1]
        whom = _names(summary, sources, names, limit)
        if len(sources) in (0, size):
            whom = "everyone" if sources else "nobody"
        elif len(sources) > limit:
            whom += f" ({len(sources)} of {size})"
        rows.append((_names(summary, places, names, limit), whom))
    shown = rows if verbose else rows[: _MOST_LINES + 1]
    more = len(rows) - len(shown)
    return [*table(shown), *([f"and {more} more (-v; -o html shows them as a picture)"] if more else [])]


def _names(summary: Summary, places: Iterable[int], names: Names, limit: int) -> str:
    groups = [summary.groups[place] for place in places]
    return names_text([names.short(group.namespace, group.name) for group in groups], limit)


def _totals(
    summary: Summary, columns: Sequence[int], heading: Heading, names: Names, *, verbose: bool
) -> Iterator[str]:
    letters = summary.letters()
    counts: Counter[str] = Counter()
    open_to_all, reached_by_none = [], []
    for destination in columns:
        column = Counter(row[destination] for row in letters)
        del column[" "]
        counts += column
        if set(column) == {"a"}:
            open_to_all.append(destination)
        elif set(column) == {"b"}:
            reached_by_none.append(destination)
    listed = ", ".join(f"{counts[letter]} {word}" for letter, word in WORDS.items() if counts[letter])
    yield f"{count(counts.total(), 'pair')} of {heading.noun}s: {listed or 'nothing to tell'}"
    limit = _MANY if verbose else _SOME
    if open_to_all:
        yield f"open to all of these: {_names(summary, open_to_all, names, limit)}"
    if reached_by_none:
        yield f"reached by none of these: {_names(summary, reached_by_none, names, limit)}"
    if left_out := sorted(set(range(len(summary.groups))) - set(columns)):
        yield f"left out as destinations, without such a port: {_names(summary, left_out, names, limit)}"


def cells_text(summary: Summary, examples: Mapping[tuple[int, int], Mapping[str, Cell]], explainer: Explainer) -> str:
    """A line for each verdict of each cell, with the command that explains it."""
    rows: list[tuple[str, ...]] = [("FROM", "TO", "VERDICT", "WHY")]
    for (source, destination), found in examples.items():
        ends = summary.groups[source].key, summary.groups[destination].key
        rows += [(*ends, WORDS[letter], explainer.command(cell)) for letter, cell in found.items() if letter != "-"]
    return "\n".join(table(rows))


def difference_text(pair: Compared, names: Names) -> str:
    """A pair on which the network differs from the policies, in a line."""
    finding, prediction = pair.result.finding, pair.result.prediction
    return f"{arrow(prediction.request, names)}: policies {prediction.verdict.value}, network {finding.message}"


def network_text(compared: Sequence[Compared], names: Names, console: Console) -> str:
    """How many pairs the network agrees on, each that it does not, and why the others can't be told."""
    agreed = sum(pair.result.finding.agrees is True for pair in compared)
    differing = [pair for pair in compared if pair.differs]
    unknown = [pair for pair in compared if pair.result.finding.agrees is None]
    parts = [f"{agreed} as the policies say"]
    parts += [console.paint(f"{len(differing)} otherwise", "red")] if differing else []
    parts += [f"{len(unknown)} can't be compared"] if unknown else []
    lines = [f"probed {count(len(compared), 'pair')} of pods: {', '.join(parts)}"]
    lines += [f"  {difference_text(pair, names)}" for pair in differing]
    reasons = Counter(pair.result.finding.message for pair in unknown)
    lines += [f"  can't compare {number}: {message}" for message, number in reasons.most_common()]
    return wrapped(lines, console)
