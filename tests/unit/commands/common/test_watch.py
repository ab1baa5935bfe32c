"""Looking again and again: what is printed when, what an interrupt prints, and that nothing grows."""

from __future__ import annotations

import gc
import io
import re
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.commands.common.watch import Seen, state_of, watch
from kubectl_netpol.console import Console
from kubectl_netpol.diagnosis.diagnose import Facts
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.probe.outcome import Outcome
from tests.support.results import DENY, LISTENS, result

if TYPE_CHECKING:
    from collections.abc import Mapping


def one(name: str, what: str, *, quiet: bool = False) -> Mapping[str, Seen]:
    return {name: Seen(f"{name} is {what}", what, quiet=quiet)}


def rounds(*found: Mapping[str, Seen] | Exception) -> tuple[str, str]:
    """What is printed for these rounds, each line without its time; and stderr."""
    out, err = io.StringIO(), io.StringIO()
    left = iter(found)

    def look() -> Mapping[str, Seen]:
        answer = next(left, None)
        if answer is None:
            raise KeyboardInterrupt
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(KeyboardInterrupt):
        watch(look, 0.001, Console(out, err))
    lines = out.getvalue().splitlines()
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d .*", line) for line in lines)
    return "\n".join(line[9:] for line in lines), re.sub(r"in \d+ s", "in N s", err.getvalue())


def test_a_line_is_printed_only_where_something_changed() -> None:
    assert rounds(one("a", "open"), one("a", "open"), one("a", "blocked"), one("a", "blocked"), one("a", "open")) == (
        "a is open\na is blocked\na is open",
        "note: 5 rounds in N s, 2 lines about changes\n",
    )


def test_of_several_only_those_that_changed() -> None:
    first = {**one("a", "open"), **one("b", "open")}
    assert rounds(first, {**one("a", "open"), **one("b", "blocked")})[0] == "a is open\nb is open\nb is blocked"


def test_what_is_quiet_is_not_printed_at_first_but_when_it_changes() -> None:
    assert rounds(one("a", "good", quiet=True), one("a", "bad"), one("a", "good", quiet=True))[0] == (
        "a is bad\na is good"
    )


def test_what_comes_and_goes_is_said() -> None:
    assert rounds(one("a", "open"), one("b", "open"), {**one("b", "open"), **one("c", "good", quiet=True)})[0] == (
        "a is open\nb is open\ngone: a"
    )


def test_an_error_is_a_line_once_and_then_everything_is_printed_again() -> None:
    error = NetpolError("connection refused", "is the cluster up?")
    assert rounds(one("a", "open"), error, error, NetpolError("no pod"), one("a", "open"), one("a", "open")) == (
        "a is open\ncan't tell: connection refused\ncan't tell: no pod\na is open",
        "note: 6 rounds in N s, 3 lines about changes\n",
    )


def test_an_error_in_the_first_round_is_an_error() -> None:
    def look() -> Mapping[str, Seen]:
        raise UsageError("no such pod")

    with pytest.raises(UsageError):
        watch(look, 1, Console(io.StringIO(), io.StringIO()))


def test_an_interrupt_in_the_first_round_is_summed_up_too() -> None:
    assert rounds() == ("", "note: 0 rounds in N s, 0 lines about changes\n")


def test_it_waits_between_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netpol.commands.common.watch.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watch(lambda: one("a", "open"), 2.0, Console(io.StringIO(), io.StringIO()))
    assert slept == [2.0, 2.0, 2.0]


class Flushed(io.StringIO):
    """A stream that knows how much of it was written out."""

    seen = ""

    def flush(self) -> None:
        self.seen = self.getvalue()


def test_each_line_is_written_out_at_once() -> None:
    out = Flushed()

    def look() -> Mapping[str, Seen]:
        if out.getvalue():
            assert out.seen == out.getvalue()
            raise KeyboardInterrupt
        return one("a", "open")

    with pytest.raises(KeyboardInterrupt):
        watch(look, 0.001, Console(out, io.StringIO()))


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param((DENY, Outcome.REFUSED, LISTENS), (DENY, Outcome.TIMED_OUT, Facts()), True, id="blocked anyhow"),
        pytest.param(({}, Outcome.OPEN, LISTENS), (DENY, Outcome.OPEN, LISTENS), False, id="open, and not enforced"),
        pytest.param(({}, Outcome.OPEN, LISTENS), (DENY, Outcome.REFUSED, LISTENS), False, id="open, then blocked"),
        pytest.param(({}, Outcome.NO_TOOL, LISTENS), ({}, Outcome.EXEC_FAILED, LISTENS), False, id="two unknowns"),
    ],
)
def test_what_counts_as_a_change(before: tuple[object, ...], after: tuple[object, ...], same: bool) -> None:  # noqa: FBT001 - a column
    states = [state_of(result(*given)) for given in (before, after)]  # type: ignore[arg-type] # a row's columns
    assert (states[0] == states[1]) is same


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own, self.weight = self, bytearray(100_000)


def test_a_hundred_rounds_leave_nothing_behind() -> None:
    measured: list[tuple[int, int, int]] = []
    number = 0

    def look() -> Mapping[str, Seen]:
        nonlocal number
        number += 1
        if number in (20, 120):
            measured.append(
                (
                    len(list(Path("/proc/self/fd").iterdir())),
                    threading.active_count(),
                    tracemalloc.get_traced_memory()[0],
                )
            )
        if number == 120:
            raise KeyboardInterrupt
        Cycle()
        return one("a", str(number % 2))

    class Nowhere(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    gc.disable()  # as in the process
    tracemalloc.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            watch(look, 0.0001, Console(Nowhere(), Nowhere()))
    finally:
        tracemalloc.stop()
        gc.enable()
    before, after = measured
    assert after[:2] == before[:2]
    assert abs(after[2] - before[2]) < 20_000, "bytes"
