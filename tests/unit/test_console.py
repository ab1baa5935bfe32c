"""Where output goes, in which colours, and the line that says what takes so long."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, TextIO

import pytest

from kubectl_netpol import console as module
from kubectl_netpol.console import Console, json_safe
from kubectl_netpol.errors import NetpolError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("stream", "environment", "out", "err"),
    [
        pytest.param(Terminal, {}, "\033[31mno\033[0m\n", "\033[33mwarning:\033[0m odd\n", id="a terminal"),
        pytest.param(Terminal, {"NO_COLOR": "1"}, "no\n", "warning: odd\n", id="NO_COLOR"),
        pytest.param(
            Terminal, {"NO_COLOR": ""}, "\033[31mno\033[0m\n", "\033[33mwarning:\033[0m odd\n", id="NO_COLOR, but empty"
        ),
        pytest.param(Terminal, {"TERM": "dumb"}, "no\n", "warning: odd\n", id="a terminal that can't"),
        pytest.param(io.StringIO, {}, "no\n", "warning: odd\n", id="a pipe"),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    stream: type[io.StringIO], environment: dict[str, str], out: str, err: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    streams = stream(), stream()
    console = Console(*streams)
    console.data(console.paint("no", "red"))
    console.warning("odd")
    assert (streams[0].getvalue(), streams[1].getvalue()) == (out, err)


def test_each_stream_is_asked_whether_it_is_a_terminal() -> None:
    out, err = io.StringIO(), Terminal()
    console = Console(out, err)
    console.data(console.paint("no", "red"))
    console.error("odd", "look")
    assert out.getvalue() == "no\n"
    assert err.getvalue() == "\033[31merror:\033[0m odd\n\033[2mhint:\033[0m look\n"


@pytest.mark.parametrize(
    ("text", "pipe", "terminal"),
    [
        pytest.param("a\n\tb", "a\n\tb\n", "a\n\tb\n", id="lines and tabs stay"),
        pytest.param("\033[2Jgone", "\\x1b[2Jgone\n", "\\x1b[2Jgone\n", id="nothing clears the screen"),
        pytest.param("a\rb\x07\x9b", "a\\x0db\\x07\\x9b\n", "a\\x0db\\x07\\x9b\n", id="nor goes back, nor rings"),
        pytest.param("\033[31mred", "\\x1b[31mred\n", "\033[31mred\n", id="colours stay where there are some"),
        pytest.param("Grüße, 東京", "Grüße, 東京\n", "Grüße, 東京\n", id="text of any language stays"),
        pytest.param("", "\n", "\n", id="an empty line"),
    ],
)
def test_control_characters_are_shown_not_obeyed(text: str, pipe: str, terminal: str) -> None:
    for stream, wanted in ((io.StringIO(), pipe), (Terminal(), terminal)):
        Console(stream, stream).data(text)
        assert stream.getvalue() == wanted


def test_what_an_encoding_lacks_is_written_in_ascii() -> None:
    found = io.BytesIO()
    console = Console(io.TextIOWrapper(found, "latin-1"), io.StringIO())
    console.data("san → Grüße, 東京 …")
    console.finish()
    assert found.getvalue() == "san -> Grüße, \\u6771\\u4eac ...\n".encode("latin-1")


def test_without_threads_there_is_no_progress_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    err = Terminal()
    with Console(io.StringIO(), err).progress("reading") as update:
        update("more")
    assert err.getvalue() == ""


def test_the_answer_ends_in_one_line_break() -> None:
    out = io.StringIO()
    console = Console(out, io.StringIO())
    for text in ("a", "b\n", "c\n\n"):
        console.data(text)
    console.piece("d")
    assert out.getvalue() == "a\nb\nc\n\nd"


def test_warnings_are_cut_after_eight_with_a_count() -> None:
    texts = [f"w{number}" for number in range(10)]
    for verbose, lines in ((False, [*texts[:8], "and 2 more (-v lists them)"]), (True, texts)):
        err = io.StringIO()
        Console(io.StringIO(), err).warnings(texts, verbose=verbose)
        assert err.getvalue().splitlines() == [f"warning: {line}" for line in lines]
    err = io.StringIO()
    Console(io.StringIO(), err).warnings(texts[:8], verbose=False)
    assert "more" not in err.getvalue()


def test_notes_come_after_what_was_answered_before_them() -> None:
    ours, theirs = os.pipe()
    with open(theirs, "w", encoding="utf-8") as out, open(os.dup(theirs), "w", encoding="utf-8") as err:  # noqa: PTH123 - file descriptors
        console = Console(out, err)
        console.data("answer")
        console.note("odd")
        console.data("more")
        console.finish()
    with open(ours, encoding="utf-8") as stream:  # noqa: PTH123 - a file descriptor
        assert stream.read() == "answer\nnote: odd\nmore\n"


def test_an_answer_that_can_not_be_written_is_an_error_once() -> None:
    with open("/dev/full", "w", encoding="utf-8") as out:  # noqa: PTH123 - closing it is a part of the test
        console = Console(out, io.StringIO())
        console.data("answer")
        with pytest.raises(NetpolError, match="can't write the output: No space left on device"):
            console.finish()
        out.flush()


@pytest.mark.parametrize(
    ("columns", "size", "width"),
    [
        pytest.param(None, 40, 40, id="the terminal's"),
        pytest.param("132", 40, 132, id="COLUMNS comes first"),
        pytest.param(None, 0, 80, id="a terminal that does not know"),
        *(
            pytest.param(columns, 40, 40, id=f"COLUMNS={columns!r} is no width")
            for columns in ("", "0", "-1", "wide", "4.5")
        ),
    ],
)
def test_the_width_of_a_terminal(columns: str | None, size: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as out, open(ours, "rb"):  # noqa: PTH123 - file descriptors
        fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 24, size, 0, 0))
        monkeypatch.setattr(sys, "__stdout__", out)
        assert Console(out, io.StringIO()).width == width


def test_what_is_no_terminal_is_80_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    assert Console(io.StringIO(), Terminal()).width == 80
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    assert Console(Terminal(), io.StringIO()).width == 80, "a terminal without a file descriptor"


# Progress: on a terminal of its own, read by a thread as a terminal does.


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TextIO, list[str]]]:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    ours, theirs = pty.openpty()
    seen: list[str] = []

    def read() -> None:
        try:
            while part := os.read(ours, 1024):
                seen.append(part.decode())
        except OSError:  # the other side is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    with open(theirs, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a file descriptor
        yield stream, seen
    reader.join(10)
    os.close(ours)


def wait_for(seen: list[str], text: str) -> None:
    until = time.monotonic() + 10
    while text not in "".join(seen):
        assert time.monotonic() < until, f"{text!r} never came: {seen}"
        time.sleep(0.01)


def test_what_takes_long_is_shown_and_erased(screen: tuple[TextIO, list[str]]) -> None:
    stream, seen = screen
    console = Console(io.StringIO(), stream)
    before = threading.active_count()
    with console.progress("reading the cluster") as update:
        wait_for(seen, "\r\033[Kreading the cluster (0 s)")
        update("probing 3 connections")
        wait_for(seen, "\r\033[Kprobing 3 connections (0 s)")
    assert threading.active_count() == before
    print("next", file=stream, flush=True)
    wait_for(seen, "s)\r\033[Knext\r\n")


def test_a_note_in_between_has_a_line_of_its_own(screen: tuple[TextIO, list[str]]) -> None:
    stream, seen = screen
    console = Console(io.StringIO(), stream)
    with console.progress("reading"):
        wait_for(seen, "reading")
        console.note("odd")
        wait_for(seen, "s)\r\033[K\033[2mnote:\033[0m odd\r\n")
        console.data("answer")


def test_an_interrupt_leaves_nothing_behind(screen: tuple[TextIO, list[str]]) -> None:
    stream, seen = screen
    console = Console(io.StringIO(), stream)
    before = threading.active_count()

    def read() -> None:
        with console.progress("reading"):
            wait_for(seen, "reading")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    assert threading.active_count() == before
    print("next", file=stream, flush=True)
    wait_for(seen, "s)\r\033[Knext\r\n")


def test_a_terminal_that_is_stopped_holds_nobody(
    screen: tuple[TextIO, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = screen
    begun, over = threading.Event(), threading.Event()

    def put(*_: object, **__: object) -> None:
        begun.set()
        over.wait(20)

    monkeypatch.setattr(module, "_put", put)
    began = time.monotonic()
    with Console(io.StringIO(), stream).progress("reading"):
        assert begun.wait(10)
    assert time.monotonic() - began < 10
    over.set()


def test_a_line_is_no_longer_than_the_terminal(screen: tuple[TextIO, list[str]]) -> None:
    stream, seen = screen
    fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with Console(io.StringIO(), stream).progress("reading " + "x" * 500):
        wait_for(seen, "reading x")
    print("next", file=stream, flush=True)
    wait_for(seen, "x\r\033[Knext\r\n")
    assert max(map(len, "".join(seen).split("\r\033[K"))) == 39


def test_what_is_quick_shows_nothing(screen: tuple[TextIO, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    stream, seen = screen
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 60)
    began = time.monotonic()
    with Console(io.StringIO(), stream).progress("reading"):
        pass
    assert time.monotonic() - began < 10, "it does not wait for the line that is due in a minute"
    print("end", file=stream, flush=True)
    wait_for(seen, "end")
    assert "".join(seen) == "end\r\n"


@pytest.mark.parametrize("dumb", [False, True], ids=["a pipe", "a terminal that can't erase"])
def test_elsewhere_nothing_is_started(dumb: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a column
    if dumb:
        monkeypatch.setenv("TERM", "dumb")
    stream = Terminal() if dumb else io.StringIO()
    before = threading.active_count()
    with Console(io.StringIO(), stream).progress("reading") as update:
        update("still reading")
        assert threading.active_count() == before
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("name", "shown", "in_json"),
    [
        pytest.param("a\u202eb", r"a\u202eb", r"a\u202eb", id="what turns the order around"),
        pytest.param("a\u200bb", r"a\u200bb", r"a\u200bb", id="a space of no width"),
        pytest.param("a\x7fb", r"a\x7fb", r"a\u007fb", id="the last control character of ASCII"),
        pytest.param("a\U000e0041b", r"a\U000e0041b", r"a\udb40\udc41b", id="a tag, of two units in JSON"),
        pytest.param("ü→", "ü→", "ü→", id="letters and arrows are as they are"),
    ],
)
def test_a_name_is_never_more_than_a_name(name: str, shown: str, in_json: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.data(f"{name}\n")
    console.error(f"{name}\nerror: forged")
    assert (out.getvalue(), err.getvalue()) == (f"{shown}\n", f"error: {shown}\\nerror: forged\n")
    assert json_safe(f'"{name}"') == f'"{in_json}"'
