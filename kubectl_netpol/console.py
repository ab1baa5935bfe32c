"""The two streams of a command: data on stdout, notes and warnings on stderr, with colours only on a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import time
from typing import TYPE_CHECKING, TextIO

from kubectl_netpol.errors import NetpolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}
# Control characters but the line break and the tab, and those that show nothing or change the order of the others.
_HIDDEN = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROL_BYTES = bytes({*range(0x20), 0x7F} - {0x09, 0x0A})
_HIDDEN_BUT_COLOUR = rf"(?!\x1b\[(?:0|{'|'.join(_CODES.values())})m){_HIDDEN}"
_COMMAND = r"^(\s*):(?=:[A-Za-z][\w-]*(?: .*)?::)|##\["
_ERASED = "\r\033[K"
_MOST_WARNINGS = 8
_PATIENCE_SECONDS = 1.0
_USUAL_WIDTH = 80
_LAST_OF_LATIN, _LAST_OF_ONE = 0xFF, 0xFFFF  # what \\x and \\u can name


class Console:
    """Two streams; what is written to a closed one is lost. `width` is the terminal's, 80 where there is none.

    Control characters and invisible ones, which a name may contain, are escaped; a character that the stream's
    encoding lacks is written in ASCII.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        # Python has None where the shell closed the stream (>&-).
        self._out = out or sys.stdout or io.StringIO()
        self._err = err or sys.stderr or io.StringIO()
        self._progress: _Progress | None = None
        self.width = terminal_width() if self._out.isatty() else _USUAL_WIDTH

    def data(self, text: str) -> None:
        """The answer, on stdout. NetpolError where it can't be written, BrokenPipeError where the pipe is closed."""
        self.piece(text if text.endswith("\n") else text + "\n")

    def piece(self, text: str) -> None:
        """A part of the answer: as `data`, without adding a line break."""
        with self._aside(), self._answering():
            _put(self._out, text)

    def exact(self, text: str) -> None:
        """As `data`, for a program that reads it: every character as it is, but for a terminal."""
        with self._aside(), self._answering():
            _put(self._out, text if text.endswith("\n") else text + "\n", raw=not self._out.isatty())

    def finish(self) -> None:
        """Write out what is buffered, with the errors of `data`."""
        with self._answering():
            self._out.flush()

    def discard(self) -> None:
        """Drop what is buffered of an answer that will not be completed."""
        _to_nowhere(self._out)

    def note(self, text: str) -> None:
        self._line("note", text, "dim")

    def warning(self, text: str) -> None:
        self._line("warning", text, "yellow")

    def warnings(self, texts: Iterable[str], *, verbose: bool) -> None:
        """The first eight, and how many more there are; `verbose` (-v): all."""
        found = list(texts)
        shown = found if verbose else found[:_MOST_WARNINGS]
        for text in shown:
            self.warning(text)
        if more := len(found) - len(shown):
            self.warning(f"and {more} more (-v lists them)")

    def error(self, text: str, hint: str | None = None) -> None:
        self._line("error", text, "red")
        if hint:
            self._line("hint", hint, "dim")

    def paint(self, text: str, style: str) -> str:
        """The text in a colour where stdout is a terminal that wants colours (NO_COLOR, TERM=dumb)."""
        return _painted(text, style) if _wants_colour(self._out) else text

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """For slow work: from the first second on, a line on stderr, if that is a terminal, says what is going on.

        Yields a function that changes the text.
        """
        if not self._err.isatty() or os.environ.get("TERM") == "dumb":
            yield lambda _: None
            return
        self._progress = _Progress(self._err, text)
        try:
            yield self._progress.update
        finally:
            self._progress.end()
            self._progress = None

    def _line(self, word: str, text: str, style: str) -> None:
        with contextlib.suppress(OSError):
            self._out.flush()  # on one terminal, in the order written; a failure is raised by finish
        label = _painted(f"{word}:", style) if _wants_colour(self._err) else f"{word}:"
        text = in_a_line(text)
        with self._aside():
            try:
                _put(self._err, f"{label} {text}\n")
                self._err.flush()
            except OSError:  # a full disk, a closed pipe: no reason for another answer or status
                _to_nowhere(self._err)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _to_nowhere(self._out)
            if isinstance(error, BrokenPipeError):
                raise
            raise NetpolError(f"can't write the output: {error.strerror}") from error

    def _aside(self) -> contextlib.AbstractContextManager[None]:
        """Without the progress line on the terminal."""
        return self._progress.aside() if self._progress else contextlib.nullcontext()


class _Progress:
    """One line that a thread updates every second."""

    def __init__(self, stream: TextIO, text: str) -> None:
        import threading  # noqa: PLC0415 - most runs show nothing

        from kubectl_netpol.concurrency import start_thread  # noqa: PLC0415

        self._stream = stream
        self._text = text
        self._shown = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        start_thread(self._thread)  # no more threads: then no line

    def update(self, text: str) -> None:
        self._text = text

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Without the line, which is written again in the next second."""
        with self._lock:
            if self._shown:
                self._shown = False
                self._write(_ERASED)
            yield

    def end(self) -> None:
        """A terminal that is stopped may hold the thread for ever."""
        self._done.set()
        if self._thread.ident:
            self._thread.join(_PATIENCE_SECONDS)
        if not self._thread.is_alive():
            with self.aside():
                pass

    def _run(self) -> None:
        began = time.monotonic()
        while not self._done.wait(_PATIENCE_SECONDS):
            columns = os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
            line = f"{self._text} ({time.monotonic() - began:.0f} s)"
            with self._lock:
                self._shown = True
                self._write(_ERASED + line[: columns - 1])

    def _write(self, text: str) -> None:
        # A terminal that has gone is no reason to fail, nor is a stream that is closed by now.
        with contextlib.suppress(OSError, ValueError):
            _put(self._stream, text, raw=True)
            self._stream.flush()


def _put(stream: TextIO, text: str, *, raw: bool = False) -> None:
    # By bytes it takes a tenth of the time, which counts for hundreds of megabytes.
    if not raw and not (text.isascii() and len(text.encode().translate(None, _CONTROL_BYTES)) == len(text)):
        text = re.sub(_HIDDEN_BUT_COLOUR if _wants_colour(stream) else _HIDDEN, _escaped, text)
    try:
        stream.write(text)
    except UnicodeEncodeError:
        plain = text.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
        stream.write(plain.replace(r"\u2192", "->").replace(r"\u2026", "..."))


def in_a_line(text: str) -> str:
    """A line of text in which a name is no more than a name: it begins no other line, and no command to a CI's runner.

    GitHub's takes ::error …:: at its begin as one, and ##[ wherever it stands. An IPv6 address is none.
    """
    return re.sub(_COMMAND, lambda found: "##\\x5b" if found[1] is None else f"{found[1]}\\x3a", one_line(text))


def one_line(text: str) -> str:
    """Text with its line breaks and tabs escaped."""
    return re.sub(r"[\n\t]", _escaped, text) if "\n" in text or "\t" in text else text


def json_safe(text: str) -> str:
    """The text of a JSON document with hidden characters as JSON escapes them."""
    return re.sub(_HIDDEN, lambda found: _json_escape(ord(found[0])), text)


def _json_escape(code: int) -> str:
    if code > _LAST_OF_ONE:
        code -= _LAST_OF_ONE + 1
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if short := {"\n": "\\n", "\t": "\\t"}.get(found[0]):
        return short
    if code <= _LAST_OF_LATIN:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_ONE else f"\\U{code:08x}"


def _to_nowhere(stream: TextIO) -> None:
    """Sends what is buffered to the null device: the interpreter's own flush at its end must not fail once more."""
    with contextlib.suppress(OSError, ValueError):  # no file descriptor: nothing is flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _painted(text: str, style: str) -> str:
    return f"\033[{_CODES[style]}m{text}\033[0m"


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int:
    """As shutil has it, which costs 2 ms to import: what COLUMNS says, or the terminal of stdout, or 80."""
    with contextlib.suppress(ValueError):
        if (columns := int(os.environ.get("COLUMNS", ""))) > 0:
            return columns
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _USUAL_WIDTH  # type: ignore[union-attr] # None where it is closed
    return _USUAL_WIDTH
