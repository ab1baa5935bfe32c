"""Where a command writes: data on stdout, notes and warnings on stderr; knows whether there is a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}


class Console:
    """Two streams. `width` is the terminal's, 80 where there is none."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self.width = shutil.get_terminal_size().columns if self._out.isatty() else 80

    def data(self, text: str) -> None:
        """The answer, on stdout."""
        self._out.write(text if text.endswith("\n") else text + "\n")

    def note(self, text: str) -> None:
        """Something worth knowing, on stderr."""
        self._line("note", text, "dim")

    def warning(self, text: str) -> None:
        """Something that is probably wrong, on stderr."""
        self._line("warning", text, "yellow")

    def error(self, text: str, hint: str | None = None) -> None:
        """What went wrong and the next step, on stderr."""
        self._line("error", text, "red")
        if hint:
            self._line("hint", hint, "dim")

    def paint(self, text: str, style: str) -> str:
        """The text in a colour where stdout is a terminal that wants colours (NO_COLOR, TERM=dumb)."""
        return _painted(text, style) if _wants_colour(self._out) else text

    def _line(self, word: str, text: str, style: str) -> None:
        self._out.flush()
        label = _painted(f"{word}:", style) if _wants_colour(self._err) else f"{word}:"
        self._err.write(f"{label} {text}\n")
        self._err.flush()


def _painted(text: str, style: str) -> str:
    return f"\033[{_CODES[style]}m{text}\033[0m"


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
