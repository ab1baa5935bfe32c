"""What is said of rows and columns at once is what its cells say one by one."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from kubectl_netpol.matrix.patterns import Patterns
from kubectl_netpol.matrix.summary import SEEN, Summary, WorkloadSpan

BITS = {**SEEN, "~": 3, "m": 5, " ": 0}


def summary(*rows: str, sizes: str = "") -> Summary:
    """A row per source; m is mixed too, by other verdicts. `sizes`: of the groups, 1 if left out."""
    groups: list[WorkloadSpan] = []
    for place in range(len(rows)):
        first = groups[-1].last if groups else 0
        groups.append(WorkloadSpan("x", "Pod", f"p{place}", first, first + int(sizes[place] if sizes else 1)))
    return Summary(tuple(groups), tuple(bytes(BITS[letter] for letter in row) for row in rows))


def drawn(seed: int) -> Summary:
    """Rows and columns of few kinds, more than are read at a time."""
    random_ = random.Random(seed)
    size = random_.choice((1, 2, 3, 7, 20, 300))
    kinds = [random_.choices("ab-u~m ", k=size) for _ in range(random_.choice((1, 2, 5)))]
    rows = [random_.choice(kinds) for _ in range(size)]
    if random_.random() < 0.5:
        rows[0] = random_.choices("ab", k=size)
    return summary(*map("".join, rows), sizes="".join(random_.choices("123" if seed % 2 else "1", k=size)))


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_cells_are_the_patterns_say_what_the_cells_do(seed: int) -> None:
    cells = drawn(seed)
    patterns, letters, size = Patterns(cells), cells.letters(), len(cells.groups)
    columns = ["".join(column) for column in zip(*letters, strict=True)]
    assert patterns.letters == [frozenset(column) - {" "} for column in columns]
    some = list(range(0, size, 2))
    expected = Counter("".join(columns[place] for place in some))
    del expected[" "]
    assert +patterns.counts(some) == expected
    assert patterns.sources(patterns.column_of[0], SEEN["a"]) == [
        place for place, row in enumerate(cells.rows) if row[0] & SEEN["a"]
    ]
    parts = [list(range(place, size, 3)) for place in range(min(size, 3))] + [[0]]
    for sources in parts:
        for destinations in parts:
            found = {letters[here][there] for here in sources for there in destinations} - {" "}
            letter = found.pop() if len(found) == 1 else "~" if found else " "
            assert patterns.letter(patterns.part(sources), patterns.part(destinations)) == letter


@pytest.mark.parametrize(
    ("sources", "destinations", "letter"),
    [
        pytest.param([0, 1], [2], "a", id="all agree"),
        pytest.param([0, 1], [0, 1], "b", id="single pods themselves don't count"),
        pytest.param([0, 1], [1, 2], "~", id="they differ"),
        pytest.param([0], [0], " ", id="a single pod itself"),
        pytest.param([2], [0, 2], "~", id="a letter that is mixed already"),
    ],
)
def test_the_letter_of_merged_groups(sources: list[int], destinations: list[int], letter: str) -> None:
    patterns = Patterns(summary("aba", "baa", "~aa", sizes="112"))
    assert patterns.letter(patterns.part(sources), patterns.part(destinations)) == letter


@pytest.mark.parametrize(
    ("rows", "sizes", "letters"),
    [
        pytest.param(("ba", "aa"), "11", ["a", "a"], id="a pod itself does not count"),
        pytest.param(("ba", "ba"), "11", ["b", "a"], id="but another pod like it does"),
        pytest.param(("ba", "aa"), "21", ["ab", "a"], id="as do the other pods of its workload"),
        pytest.param(("~a", "ma"), "11", ["~", "a"], id="nor where another value has the same letter"),
        pytest.param(("a",), "1", [""], id="a single pod alone"),
    ],
)
def test_the_letters_of_columns(rows: tuple[str, ...], sizes: str, letters: list[str]) -> None:
    assert Patterns(summary(*rows, sizes=sizes)).letters == list(map(frozenset, letters))


def test_groups_with_the_same_row_and_column_are_alike() -> None:
    assert Patterns(summary("aaa", "aaa", "aaa")).alike() == [[0, 1, 2]]
    assert Patterns(summary("aab", "aab", "aab")).alike() == [[0, 1], [2]]
    assert Patterns(summary("aab", "aaa", "aab")).alike() == [[0], [1], [2]]
