"""The rows and columns of a summary, equal ones once: what is said of many cells is counted of few."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.matrix.summary import LETTER_OF_SEEN, MIXED, SEEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.matrix.summary import Summary

_SEVERAL = -1
_AT_ONCE = 256


class Part(NamedTuple):
    """Groups that are shown as one. By pattern of row, and of column, the place of the one that has it, or -1."""

    places: Sequence[int]
    rows: Mapping[int, int]
    columns: Mapping[int, int]


class Patterns:
    """`row_of`, `column_of`: by place of a group the pattern of its row, and of its column.

    `letters`: by place those in its column. A single pod's cell on itself, which is no pair of pods, counts nowhere.
    """

    def __init__(self, summary: Summary) -> None:
        rows: dict[bytes, int] = {}
        self.summary = summary
        self._groups = summary.groups
        self.row_of = [rows.setdefault(row, len(rows)) for row in summary.rows]
        self._rows = list(rows)
        self._weights = Counter(self.row_of)
        self.column_of: list[int] = []
        self.letters: list[frozenset[str]] = []
        self._samples: list[int] = []
        # A column has one byte per pattern of a row; all columns would take as much memory as all rows.
        known: dict[bytes, int] = {}
        letters: list[frozenset[str]] = []
        for place, column in enumerate(_columns(self._rows, len(self._groups))):
            pattern = known.setdefault(blake2b(column, digest_size=16).digest(), len(known))
            if pattern == len(self._samples):
                self._samples.append(place)
                letters.append(_letters(column))
            self.column_of.append(pattern)
            self.letters.append(
                letters[pattern] if self._counts_itself(place, column) else _letters(column, self.row_of[place])
            )

    def _counts_itself(self, place: int, column: bytes) -> bool:
        """Whether there is a pair of pods with the group's cell on itself, or another cell like it in the column."""
        row = self.row_of[place]
        return self._groups[place].size > 1 or self._weights[row] > 1 or column.count(column[row]) > 1

    def _cell(self, row: int, column: int) -> int:
        return self._rows[row][self._samples[column]]

    def counts(self, columns: Sequence[int]) -> Counter[str]:
        """How many cells have which letter, in the columns of these places."""
        width = len(self._groups)
        digits = bytearray(width)
        for place in columns:
            digits[place] = 0xFF
        mask = int.from_bytes(digits, "little")
        found: Counter[str] = Counter()
        for row, content in enumerate(self._rows):
            letters = (int.from_bytes(content, "little") & mask).to_bytes(width, "little").translate(LETTER_OF_SEEN)
            for letter in (*SEEN, MIXED):
                found[letter] += self._weights[row] * letters.count(letter.encode())
        for place in columns:
            if self._groups[place].size == 1:
                found[_letter(self.summary.rows[place][place])] -= 1
        del found[" "]
        return found

    def sources(self, column: int, seen: int) -> list[int]:
        """The places whose cell in a column of this pattern has the bit of `seen`."""
        place = self._samples[column]
        return [source for source, row in enumerate(self.summary.rows) if row[place] & seen]

    def part(self, places: Sequence[int]) -> Part:
        return Part(places, _by_pattern(places, self.row_of), _by_pattern(places, self.column_of))

    def letter(self, source: Part, destination: Part) -> str:
        """The letter between two parts as if each were one group; a space if there is no pair of pods."""
        found = set()
        for row, here in source.rows.items():
            for column, there in destination.columns.items():
                if here != there or here == _SEVERAL or self._groups[here].size > 1:
                    found.add(_letter(self._cell(row, column)))
        found.discard(" ")
        return found.pop() if len(found) == 1 else (MIXED if found else " ")

    def alike(self) -> list[list[int]]:
        """The places of groups with the same row and the same column, each list in order."""
        found: dict[tuple[int, int], list[int]] = {}
        for place, both in enumerate(zip(self.row_of, self.column_of, strict=True)):
            found.setdefault(both, []).append(place)
        return list(found.values())


def _columns(rows: Sequence[bytes], width: int) -> Iterator[bytes]:
    for start in range(0, width, _AT_ONCE):
        wide = min(_AT_ONCE, width - start)
        block = b"".join([row[start : start + wide] for row in rows])
        for offset in range(wide):
            yield block[offset::wide]


def _letter(value: int) -> str:
    return chr(LETTER_OF_SEEN[value])


def _letters(column: bytes, without: int | None = None) -> frozenset[str]:
    """Those of the different bytes, but for the one at `without`; a set of the bytes would take far longer."""
    if without is not None:
        column = column[:without] + column[without + 1 :]
    found = set()
    while column:
        found.add(_letter(column[0]))
        column = column.translate(None, column[:1])
    return frozenset(found - {" "})


def _by_pattern(places: Iterable[int], pattern_of: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for place in places:
        pattern = pattern_of[place]
        found[pattern] = _SEVERAL if pattern in found else place
    return found
