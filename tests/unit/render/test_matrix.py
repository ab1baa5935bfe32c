"""A matrix as text: the grid up to thirty columns, coarser beyond that; totals; and what a probe found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.summary import SEEN, Cell, Summary, WorkloadSpan
from kubectl_netpol.model.objects import Owner, Pod
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.render.matrix import (
    MOST_COLUMNS,
    Explainer,
    Heading,
    cells_text,
    difference_text,
    matrix_text,
    network_text,
)
from kubectl_netpol.render.text import Names
from tests.support.results import DENY, NAMES, Terminal, console, console_of, result

if TYPE_CHECKING:
    from collections.abc import Callable

HEADING = Heading("TCP 80", "namespace shop", "workload")
SHOP = Names("shop")
BITS = {**SEEN, "~": SEEN["a"] | SEEN["b"], " ": 0}


def groups(*names: str, size: int = 1) -> tuple[WorkloadSpan, ...]:
    """Groups of pods of this size, named NAMESPACE/NAME."""
    found = []
    for place, name in enumerate(names):
        namespace, _, own = name.rpartition("/")
        found.append(WorkloadSpan(namespace or "shop", "Pod", own, place * size, (place + 1) * size))
    return tuple(found)


def summary(names: str, *rows: str, size: int = 1) -> Summary:
    """Letters as in the text, a row per source."""
    return Summary(groups(*names.split(), size=size), tuple(bytes(BITS[letter] for letter in row) for row in rows))


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        pytest.param(
            summary("db san web", "aab", "aaa", "aaa"),
            [
                "namespace shop, TCP 80: 3 workloads",
                "from  to 1 2 3",
                "1 db     . a b",
                "2 san    a . a",
                "3 web    a a .",
                "a allowed   b blocked   . itself",
                "",
                "6 pairs of workloads: 5 allowed, 1 blocked",
                "reachable from all: db, san",
            ],
            id="rows are sources, columns destinations",
        ),
        pytest.param(
            summary("db web", "bb", "bb"),
            [
                "namespace shop, TCP 80: 2 workloads",
                "from  to 1 2",
                "1 db     . b",
                "2 web    b .",
                "b blocked   . itself",
                "",
                "2 pairs of workloads: 2 blocked",
                "reachable from none: db, web",
            ],
            id="destinations that nothing reaches",
        ),
        pytest.param(
            summary("other/db web", "u~", "a-", size=2),
            [
                "namespace shop, TCP 80: 2 workloads",
                "from       to 1 2",
                "1 other/db    u ~",
                "2 web         a -",
                "a allowed   u undefined   - no such port   ~ mixed",
                "",
                "4 pairs of workloads: 1 allowed, 1 undefined, 1 no such port, 1 mixed",
            ],
            id="a group of several pods has a letter on itself, and every letter is explained",
        ),
        pytest.param(
            summary("db san", "a-", "a-"),
            [
                "namespace shop, TCP 80: 2 workloads",
                "from  to 1",
                "1 db     .",
                "2 san    a",
                "a allowed   . itself",
                "",
                "1 pair of workloads: 1 allowed",
                "reachable from all: db",
                "no such port, left out as destinations: san",
            ],
            id="a destination without the port is no column",
        ),
        pytest.param(
            summary("db san", "--", "--"),
            ["namespace shop, TCP 80: 2 workloads", "no destination has such a port"],
            id="a port that no destination has",
        ),
        pytest.param(
            summary("db", "a"),
            [
                "namespace shop, TCP 80: 1 workload",
                "from to 1",
                "1 db    .",
                ". itself",
                "",
                "0 pairs of workloads",
            ],
            id="a single pod",
        ),
    ],
)
def test_a_grid(found: Summary, lines: list[str]) -> None:
    assert matrix_text(found, HEADING, SHOP, console()).splitlines() == lines


def test_numbers_are_right_aligned() -> None:
    names = " ".join(f"p{number:02}" for number in range(11))
    lines = matrix_text(summary(names, *["a" * 11] * 11), HEADING, SHOP, console()).splitlines()
    assert lines[1:3] == ["from   to  1  2  3  4  5  6  7  8  9 10 11", " 1 p00     .  a  a  a  a  a  a  a  a  a  a"]
    assert lines[12] == "11 p10     a  a  a  a  a  a  a  a  a  a  ."


def test_a_cell_on_which_the_network_differs_is_marked() -> None:
    lines = matrix_text(summary("db web", "ab", "aa"), HEADING, SHOP, console(), marked={(0, 1)}).splitlines()
    assert lines[1:5] == [
        "from  to 1 2",
        "1 db     . b!",
        "2 web    a .",
        "a allowed   b blocked   . itself   ! the network differs",
    ]


def test_cells_have_the_colour_of_their_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = matrix_text(summary("db web", "ab", "ua"), HEADING, SHOP, Console(Terminal(), Terminal()))
    assert "\033[31mb\033[0m" in text
    assert "\033[33mu\033[0m" in text


def many(number: int, *, alike: bool, namespaces: int = 1) -> Summary:
    """Each lets in the next one only, or all of them the first one."""
    names = " ".join(f"n{place % namespaces}/p{place:02}" for place in range(number))
    rows = [
        "".join("a" if source == (0 if alike else (place + 1) % number) else "b" for place in range(number))
        for source in range(number)
    ]
    return summary(names, *rows)


def test_beyond_thirty_columns_groups_with_the_same_verdicts_are_merged() -> None:
    assert matrix_text(many(MOST_COLUMNS + 1, alike=True), HEADING, SHOP, console_of(200)).splitlines()[:5] == [
        "namespace shop, TCP 80: 31 workloads",
        "grouped by identical verdicts: 2 groups",
        "from                                 to 1 2",
        "1 n0/p00                                . a",
        "2 n0/p01, n0/p02, n0/p03 and 27 more    b b",
    ]


def test_beyond_thirty_kinds_namespaces_are_merged() -> None:
    assert matrix_text(many(32, alike=False, namespaces=2), HEADING, SHOP, console_of(200)).splitlines()[1:6] == [
        "grouped by namespace",
        "from to 1 2",
        "1 n0    b ~",
        "2 n1    ~ b",
        "b blocked   ~ mixed",
    ]


def test_beyond_that_there_is_one_line_per_kind_of_destination() -> None:
    found = many(45, alike=False)
    lines = matrix_text(found, HEADING, SHOP, console_of(200)).splitlines()
    assert lines[1:3] == ["TO       FROM", "n0/p00   n0/p01"]
    assert lines[42] == "and 5 more (-v lists them, -o html draws them)"
    assert "n0/p44   n0/p00" in matrix_text(found, HEADING, SHOP, console_of(200), verbose=True).splitlines()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        pytest.param(lambda _: "a", "everyone", id="all sources"),
        pytest.param(lambda _: "b", "nobody", id="no source"),
        pytest.param(lambda source: "a" if source < 3 else "b", "n0/p00, n0/p01, n0/p02", id="three sources"),
        pytest.param(
            lambda source: "a" if source < 5 else "b",
            "n0/p00, n0/p01, n0/p02 and 2 more (5 of 45)",
            id="more than three sources",
        ),
    ],
)
def test_the_sources_of_a_kind_of_destination(row: Callable[[int], str], text: str) -> None:
    base = many(45, alike=False)
    rows = tuple(bytes([BITS[row(place)], *found[1:]]) for place, found in enumerate(base.rows))
    lines = matrix_text(base._replace(rows=rows), HEADING, SHOP, console_of(200)).splitlines()
    assert lines[2] == f"n0/p00   {text}"


def test_names_in_totals_after_the_eighth_are_counted_unless_verbose() -> None:
    names = " ".join(f"p{number}" for number in range(10))
    found = summary(names, *["a" * 10] * 10)
    assert matrix_text(found, HEADING, SHOP, console_of(200)).splitlines()[-1] == (
        "reachable from all: p0, p1, p2, p3, p4, p5, p6, p7 and 2 more"
    )
    verbose = matrix_text(found, HEADING, SHOP, console_of(200), verbose=True)
    assert verbose.splitlines()[-1].endswith("p8, p9")


WEB = (
    Pod("shop", "web-1", owner=Owner("Deployment", "web")),
    Pod("shop", "web", planned=True, owner=Owner("Deployment", "web")),
)
SPANS = (WorkloadSpan("shop", "Deployment", "web", 0, 1), WorkloadSpan("shop", "Deployment", "web", 1, 2))


@pytest.mark.parametrize(
    ("cell", "options", "command"),
    [
        pytest.param(
            Cell(0, 1, "TCP", 80),
            [],
            "kubectl netpol explain shop/pod/web-1 shop/deploy/web 80",
            id="a pod, and a template",
        ),
        pytest.param(
            Cell(1, 0, "UDP", "dns"),
            [],
            "kubectl netpol explain shop/deploy/web shop/pod/web-1 dns --protocol udp",
            id="a protocol other than TCP, and a port name",
        ),
        pytest.param(
            Cell(0, 0, "TCP", 80),
            ["-f", "my manifests/"],
            "kubectl netpol explain shop/pod/web-1 shop/pod/web-1 80 -f 'my manifests/'",
            id="the options that were typed, quoted",
        ),
    ],
)
def test_the_command_that_explains_a_cell(cell: Cell, options: list[str], command: str) -> None:
    assert Explainer(WEB, SPANS, options).command(cell) == command


def test_each_verdict_of_a_cell_has_its_command() -> None:
    found = summary("db web", "~a", "a-")
    pods = (Pod("shop", "db"), Pod("shop", "web"))
    cells = {(0, 0): {"a": Cell(0, 1, "TCP", 80), "b": Cell(1, 0, "TCP", 80)}, (1, 1): {"-": Cell(1, 1, "TCP", 80)}}
    assert cells_text(found, cells, Explainer(pods, found.groups, ())).splitlines() == [
        "FROM      TO        VERDICT   WHY",
        "shop/db   shop/db   allowed   kubectl netpol explain shop/pod/db shop/pod/web 80",
        "shop/db   shop/db   blocked   kubectl netpol explain shop/pod/web shop/pod/db 80",
    ]


CELL = Cell(0, 1, "TCP", 80)
AGREES, DIFFERS, UNKNOWN = (
    Compared(CELL, result(policies, outcome))
    for policies, outcome in (({}, Outcome.OPEN), (DENY, Outcome.OPEN), ({}, Outcome.NO_TOOL))
)


@pytest.mark.parametrize(
    ("compared", "lines"),
    [
        pytest.param([AGREES] * 2, ["probed 2 pairs of pods: 2 as the policies say"], id="all agree"),
        pytest.param(
            [AGREES, DIFFERS],
            [
                "probed 2 pairs of pods: 1 as the policies say, 1 differs",
                (
                    "  san → web, TCP 80: policies blocked, network open: though the policies block it: "
                    "this cluster does not enforce them, or not yet"
                ),
            ],
            id="one differs",
        ),
        pytest.param(
            [UNKNOWN, AGREES, UNKNOWN],
            [
                "probed 3 pairs of pods: 1 as the policies say, 2 can't be compared",
                (
                    "  2 can't be compared: can't tell: no tool in the container can open a connection; "
                    "the policies say allowed"
                ),
            ],
            id="why some can't be compared, once per reason",
        ),
    ],
)
def test_what_a_probe_found(compared: list[Compared], lines: list[str]) -> None:
    assert network_text(compared, NAMES, console_of(200)).splitlines() == lines


def test_a_difference_in_one_line() -> None:
    assert difference_text(DIFFERS, NAMES).startswith("san → web, TCP 80: policies blocked, network open: ")
