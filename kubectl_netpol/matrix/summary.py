"""The matrix by workload: what the cells of their pods have in common, with examples."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.matrix.grid import CANT_CONNECT, LETTERS, NO_PORT, Grid
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.model.workloads import controller_of, controllers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

SEEN = {"a": 1, "b": 2, "u": 4, "-": 8}
MIXED = "~"
_SEEN_OF_CODE = bytes(SEEN[chr(letter)] for letter in LETTERS)
_MASK = bytes.maketrans(b"01", b"\x00\xff")


class WorkloadSpan(NamedTuple):
    """A workload and the positions `first` to `last` (excluded) of its pods; `kind` Pod for a pod without one."""

    namespace: str
    kind: str
    name: str
    first: int
    last: int

    @property
    def size(self) -> int:
        """The number of pods."""
        return self.last - self.first

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


class Cell(NamedTuple):
    """One pair of pods, by position, and the port."""

    source: int
    destination: int
    protocol: str
    port: int | str


class Summary(NamedTuple):
    """`rows`: per source group one byte per destination group, the verdicts between their pods as bits of SEEN.

    A group's byte on itself is about two of its pods; for a single pod, about another pod just like it.
    """

    groups: tuple[WorkloadSpan, ...]
    rows: tuple[bytes, ...]

    def letters(self) -> tuple[str, ...]:
        """One string per source group: a, b, u or - where all pods agree, else ~; a space for a single pod itself."""
        found = []
        for place, (group, row) in enumerate(zip(self.groups, self.rows, strict=True)):
            text = row.translate(LETTER_OF_SEEN).decode("ascii")
            found.append(f"{text[:place]} {text[place + 1 :]}" if group.size == 1 else text)
        return tuple(found)


def _letter_of(seen: int) -> str:
    if not seen:
        return " "
    return next((letter for letter, bit in SEEN.items() if seen == bit), MIXED)


LETTER_OF_SEEN = "".join(map(_letter_of, range(256))).encode()


def group_by_workload(snapshot: Snapshot, pods: Iterable[Pod]) -> tuple[tuple[Pod, ...], tuple[WorkloadSpan, ...]]:
    """The pods sorted by namespace, workload and name, and their workloads."""
    known = controllers(snapshot)
    keyed: list[tuple[str, str, str, Pod]] = []
    for pod in pods:
        kind, name = controller_of(pod, known) or ("Pod", pod.name)
        keyed.append((pod.namespace, name, kind, pod))
    keyed.sort(key=lambda entry: (*entry[:3], entry[3].name))
    groups: list[WorkloadSpan] = []
    for (namespace, name, kind), members in groupby(keyed, key=lambda entry: entry[:3]):
        first = groups[-1].last if groups else 0
        groups.append(WorkloadSpan(namespace, kind, name, first, first + len(list(members))))
    return tuple(entry[3] for entry in keyed), tuple(groups)


def group_by_pod(pods: Sequence[Pod]) -> tuple[WorkloadSpan, ...]:
    """One group per pod."""
    return tuple(WorkloadSpan(pod.namespace, "Pod", pod.name, place, place + 1) for place, pod in enumerate(pods))


def reference(group: WorkloadSpan, pod: Pod) -> str:
    """The unambiguous argument for `explain`: the pod, or its workload where the pod is only a template."""
    kind, name = (group.kind, group.name) if pod.planned and pod.owner else ("Pod", pod.name)
    return f"{pod.namespace}/{KINDS[kind].short if kind in KINDS else kind.lower()}/{name}"


def summarize(grids: Sequence[tuple[Grid, int]], groups: tuple[WorkloadSpan, ...]) -> Summary:
    """The cells of all grids by group. A grid counts only for the destinations in its set of pods."""
    size = groups[-1].last if groups else 0
    rows = [bytes(size)] * len(groups)
    for grid, counted in grids:
        mask = int.from_bytes(f"{counted:0{size}b}".encode().translate(_MASK), "little")
        codes = grid.codes()
        known: dict[bytes, bytes] = {}
        for place, group in enumerate(groups):
            merged = int.from_bytes(rows[place], "little")
            for position in range(group.first, group.last):
                row = next(codes)
                seen = bytearray(row.translate(_SEEN_OF_CODE))
                for own in grid.own_positions(position):
                    if own != position:
                        seen[own] = _SEEN_OF_CODE[row[own] & (CANT_CONNECT | NO_PORT)]
                    elif group.size > 1:
                        seen[own] = 0
                merged |= int.from_bytes(seen, "little") & mask
            content = merged.to_bytes(size, "little")
            rows[place] = known.setdefault(content, content)
    by_group = _by_group(list(dict.fromkeys(rows)), groups) if size > len(groups) else {}
    return Summary(groups, tuple([by_group.get(row, row) for row in rows]))


def _by_group(rows: Sequence[bytes], groups: Sequence[WorkloadSpan]) -> dict[bytes, bytes]:
    """Each row with one byte per group in place of one per pod."""
    columns = _transposed(rows, groups[-1].last)
    merged = []
    for group in groups:
        seen_in = 0
        for position in range(group.first, group.last):
            seen_in |= int.from_bytes(columns[position], "little")
        merged.append(seen_in.to_bytes(len(rows), "little"))
    return dict(zip(rows, _transposed(merged, len(rows)), strict=True))


def _transposed(rows: Sequence[bytes], width: int) -> list[bytes]:
    """The columns of rows of this width."""
    joined = b"".join(rows)
    return [joined[place::width] for place in range(width)]


def examples(
    grids: Sequence[tuple[Grid, int]], summary: Summary, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], dict[str, Cell]]:
    """(source group, destination group) -> letter -> the first pair of pods with it, for the cells in `wanted`."""
    by_source: dict[int, list[int]] = {}
    for source, destination in wanted:
        by_source.setdefault(source, []).append(destination)
    found: dict[tuple[int, int], dict[str, Cell]] = {}
    for grid, counted in grids:
        digits = f"{counted:0{len(grid.pods)}b}"
        rows = grid.rows()
        for source, group in enumerate(summary.groups):
            for position in range(group.first, group.last):
                row = next(rows)
                for destination in by_source.get(source, ()):
                    cells = found.setdefault((source, destination), {})
                    to = summary.groups[destination]
                    for other in range(to.first, to.last):
                        if other != position and digits[other] == "1":
                            cells.setdefault(row[other], Cell(position, other, grid.protocol, grid.port))
    return found


def by_namespace(summary: Summary) -> list[list[int]]:
    """The places of the groups of each namespace."""
    found: dict[str, list[int]] = {}
    for place, group in enumerate(summary.groups):
        found.setdefault(group.namespace, []).append(place)
    return list(found.values())
