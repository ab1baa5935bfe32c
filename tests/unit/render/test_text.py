"""Short names, aligned columns and folded lines."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.console import Console, in_a_line, one_line
from kubectl_netpol.model.objects import Node, Pod, Service, Workload
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.render.text import Names, fits, table, wrapped
from tests.support.results import Terminal, console_of

SAN, CAT = Pod("shop", "san"), Pod("team", "cat")


@pytest.mark.parametrize(
    ("end", "name"),
    [
        pytest.param(Resolved(pod=SAN), "san", id="a pod of the namespace of -n"),
        pytest.param(Resolved(pod=CAT), "team/cat", id="a pod of another namespace"),
        pytest.param(Resolved(service=Service("shop", "web", None)), "web", id="a Service"),
        pytest.param(
            Resolved(pod=CAT, workload=Workload("Deployment", "team", "cats", LabelSelector(), CAT)),
            "team/deployment/cats",
            id="a workload, although one of its pods is meant",
        ),
        pytest.param(Resolved(node=Node("worker", ("192.0.2.7",))), "node worker", id="a node"),
        pytest.param(Resolved(address="198.51.100.1"), "198.51.100.1", id="an address"),
        pytest.param(Resolved(host="example.com"), "example.com", id="a host name"),
    ],
)
def test_the_name_of_an_end(end: Resolved, name: str) -> None:
    assert Names("shop").end(end) == name


def test_some_of_many_pods() -> None:
    pods = [SAN, CAT, *(Pod("shop", f"p{number}") for number in range(3))]
    assert Names("shop").pods(pods, 3) == "san, team/cat, p0 and 2 more"
    assert Names("shop").pods(pods, 5) == "san, team/cat, p0, p1, p2"


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        pytest.param(
            [("A", "B"), ("one", "x"), ("z", "")], ["A     B", "one   x", "z     "], id="the last is not padded"
        ),
        pytest.param([("grün", "x"), ("rot", "y")], ["grün   x", "rot    y"], id="letters with diacritics"),
        pytest.param([("имя", "x"), ("名", "y")], ["имя   x", "名     y"], id="other alphabets"),
        pytest.param([("one",)], ["one"], id="one column"),
    ],
)
def test_columns_are_aligned(cells: list[tuple[str, ...]], lines: list[str]) -> None:
    assert table(cells) == lines


def test_columns_may_be_indented() -> None:
    assert table([("A", "B"), ("one", "x")], indent="  ") == ["  A     B", "  one   x"]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        pytest.param("x" * 60, ["x" * 60], id="a line that fits"),
        pytest.param(
            "note: " + "word " * 11 + "end", ["note:" + " word" * 11, "  end"], id="a line too long is indented by two"
        ),
        pytest.param(
            "  deep " + "word " * 11 + "end",
            ["  deep" + " word" * 10, "    word end"],
            id="two more than its own indentation",
        ),
        pytest.param("x" * 70, ["x" * 70], id="a word too long is not broken"),
        pytest.param("a-" * 35 + " b", ["a-" * 35, "  b"], id="nor is it at a hyphen"),
        pytest.param("column one   " + "y" * 60, ["column one   " + "y" * 60], id="a table row stays as it is"),
    ],
)
def test_a_line_is_folded_at_sixty_columns(line: str, lines: list[str]) -> None:
    assert wrapped([line], console_of(60)).split("\n") == lines


def test_a_terminal_narrower_than_forty_columns_is_taken_for_forty() -> None:
    assert wrapped(["word " * 7 + "fills"], console_of(10)) == "word " * 7 + "fills"
    assert wrapped(["word " * 7 + "fills!"], console_of(10)) == "word " * 6 + "word\n  fills!"


def test_lines_fit_where_none_is_wider() -> None:
    assert fits(["x" * 60, ""], console_of(60))
    assert not fits(["", "x" * 61], console_of(60))


def test_colours_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    line = " ".join(["\033[1mingress:\033[0m", "x" * 35, "y" * 35])
    terminal = Console(Terminal(), Terminal())
    monkeypatch.setattr(terminal, "width", 80)
    assert wrapped([line], terminal) == line
    assert wrapped([line + "z"], terminal).splitlines() == [f"\033[1mingress:\033[0m {'x' * 35}", f"  {'y' * 35}z"]


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        pytest.param("::/0   all ports", "::/0   all ports", id="an IPv6 block"),
        pytest.param("  ::1 and ::2", "  ::1 and ::2", id="two IPv6 addresses"),
        pytest.param("::error::x", r"\x3a:error::x", id="a command"),
        pytest.param("  ::error file=a,line=1::x", r"  \x3a:error file=a,line=1::x", id="a command with properties"),
        pytest.param("a ::error::x", "a ::error::x", id="not at its begin"),
        pytest.param("a ##[error]x", r"a ##\x5berror]x", id="a command of old"),
        pytest.param("a\nb\tc", r"a\nb\tc", id="a line break and a tab"),
    ],
)
def test_a_line_is_no_command_of_a_runner(line: str, safe: str) -> None:
    assert in_a_line(line) == safe
    assert wrapped([line], Console(io.StringIO(), io.StringIO())) == safe
    assert table([(line, "x")]) == [f"{in_a_line(one_line(line))}   x"]
