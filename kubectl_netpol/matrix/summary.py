"""The matrix by workload: what the cells of their pods have in common, with examples."""

from __future__ import annotations

from collections import Counter
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
_POD = KINDS["Pod"].short
_SEEN_OF_CODE = bytes(SEEN[chr(letter)] for letter in LETTERS)
_MASK = bytes.maketrans(b"01", b"\x00\xff")


class WorkloadSpan(NamedTuple):
    """A workload and the positions `first` to `last` (excluded) of its pods; `kind` Pod for a pod without one.

    `namesake`: another one of the namespace has the same name.
    """

    namespace: str
    kind: str
    name: str
    first: int
    last: int
    namesake: bool = False

    @property
    def size(self) -> int:
        """The number of pods."""
        return self.last - self.first

    @property
    def typed(self) -> str:
        """As kubectl takes it: deploy/web."""
        return f"{KINDS[self.kind].short if self.kind in KINDS else self.kind.lower()}/{self.name}"

    @property
    def title(self) -> str:
        return self.typed if self.namesake else self.name

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.title}"


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
    return tuple(entry[3] for entry in keyed), _with_namesakes(groups)


def group_by_pod(pods: Sequence[Pod]) -> tuple[WorkloadSpan, ...]:
    """One group per pod."""
    return _with_namesakes([_span_of(pod, place) for place, pod in enumerate(pods)])


def _span_of(pod: Pod, place: int) -> WorkloadSpan:
    kind = pod.owner.kind if pod.planned and pod.owner else "Pod"
    return WorkloadSpan(pod.namespace, kind, pod.name, place, place + 1)


def _with_namesakes(groups: Sequence[WorkloadSpan]) -> tuple[WorkloadSpan, ...]:
    named = Counter((group.namespace, group.name) for group in groups)
    return tuple(group._replace(namesake=named[group.namespace, group.name] > 1) for group in groups)


def reference(group: WorkloadSpan, pod: Pod) -> str:
    """The unambiguous argument for `explain`: the pod, or its workload where the pod is only a template."""
    return f"{pod.namespace}/{group.typed if pod.planned and pod.owner else f'{_POD}/{pod.name}'}"


def summarize(grids: Sequence[tuple[Grid, int]], groups: tuple[WorkloadSpan, ...]) -> Summary:
    """The cells of all grids by group. A grid counts only for the destinations in its set of pods."""
    size = groups[-1].last if groups else 0
    fold = _Fold(groups)
    streams = [
        (grid, int.from_bytes(f"{counted:0{size}b}".encode().translate(_MASK), "little"), grid.codes())
        for grid, counted in grids
    ]
    known: dict[bytes, bytes] = {}
    rows = []
    for group in groups:
        merged = 0
        for position in range(group.first, group.last):
            for grid, mask, codes in streams:
                merged |= int.from_bytes(_seen(grid, position, next(codes), alone=group.size == 1), "little") & mask
        row = fold.row(merged)
        rows.append(known.setdefault(row, row))
    return Summary(groups, tuple(rows))


def _seen(grid: Grid, position: int, row: bytes, *, alone: bool) -> bytearray:
    """A source's cells as bits of SEEN. Of its own, only that of a pod that is `alone` in its group counts."""
    seen = bytearray(row.translate(_SEEN_OF_CODE))
    for own in grid.own_positions(position):
        if own != position:
            seen[own] = _SEEN_OF_CODE[row[own] & (CANT_CONNECT | NO_PORT)]
        elif not alone:
            seen[own] = 0
    return seen


class _Fold:
    """Makes one byte per group of one per pod: what is seen of any of its pods.

    All groups at once, by shifts of the whole row: 10,000 groups of 50,000 pods take a tenth of a millisecond.
    """

    def __init__(self, groups: Sequence[WorkloadSpan]) -> None:
        self._size = groups[-1].last if groups else 0
        self._shifts: list[tuple[int, int]] = []
        reach = 1  # how many pods the byte of each has seen, from it on
        while reach < max((group.size for group in groups), default=0):
            within = bytearray(self._size)
            for group in groups:
                if group.size > reach:
                    within[group.first : group.last - reach] = b"\xff" * (group.size - reach)
            self._shifts.append((8 * reach, int.from_bytes(within, "little")))
            reach *= 2
        others = bytearray(b"\xff") * self._size
        for group in groups:
            others[group.first] = 0
        self._others = int.from_bytes(others, "little")

    def row(self, seen: int) -> bytes:
        for shift, within in self._shifts:
            seen |= seen >> shift & within
        return (seen | self._others).to_bytes(self._size, "little").translate(None, b"\xff")


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
