"""What a program prints on a terminal, and its picture as SVG."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = 80
SIZE, CHARACTER, LINE, MARGIN = 14, 8.4, 20, 16
CLASSES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow"}
STYLE = """
    rect { fill: #f6f8fa; stroke: #d1d9e0 }
    text { fill: #1f2328; font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace }
    .bold { font-weight: bold } .dim { fill: #59636e }
    .red { fill: #d1242f } .green { fill: #1a7f37 } .yellow { fill: #9a6700 }
    @media (prefers-color-scheme: dark) {
      rect { fill: #151b23; stroke: #3d444d }
      text { fill: #f0f6fc } .dim { fill: #9198a1 }
      .red { fill: #ff7b72 } .green { fill: #3fb950 } .yellow { fill: #d29922 }
    }
  """


class Piece(NamedTuple):
    """Text in one colour, without two spaces in a row; `column` counts from 0."""

    column: int
    text: str
    style: str


def printed_on_terminal(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Both streams as a terminal of COLUMNS columns shows them at the end, with colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    plain = {name: value for name, value in environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env={**plain, "TERM": "xterm-256color"}
    ):
        os.close(theirs)
        found = b""
        while part := _read(ours):
            found += part
    os.close(ours)
    return re.sub(r"[^\n]*\r\x1b\[K", "", found.decode().replace("\r\n", "\n"))  # the progress line erases itself


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the program has ended
        return b""


def pieces(line: str) -> list[Piece]:
    """The line, split where its colour changes and at aligned columns."""
    found: list[Piece] = []
    column, style = 0, ""
    for part in re.split(r"(\x1b\[\d+m|  +)", line):
        if colour := re.fullmatch(r"\x1b\[(\d+)m", part):
            style = CLASSES.get(colour[1], "")
        else:
            if part.strip():
                found.append(Piece(column, part, style))
            column += len(part)
    return found


def drawn(command: str, output: str) -> str:
    """The picture of a command and its output. Each piece has a fixed position, so no font moves it."""
    return _picture(command, [(line, ["", *[""] * len(line)]) for line in _lines(command, output)], output, "")


# Seconds: between two words, from a command to its output, from there to the next command, and until it begins anew.
WORD, ANSWER, PAUSE, END = 0.15, 0.6, 3.5, 6.0


def drawn_in_time(steps: Sequence[tuple[str, str]]) -> str:
    """A picture of commands, typed word by word, and their outputs; it begins anew, and is all there where none moves.

    The first one is there from the beginning, so that no frame is empty.
    """
    now = 0.0
    rows: list[tuple[list[Piece], list[float]]] = []
    for command, output in steps:
        prompt, *answer = _lines(command, output)
        words = [prompt[0], *_words(prompt[1])]
        typed = (now + ANSWER + WORD * number for number in range(len(words) - 1))
        rows.append((words, [now, *typed] if rows else [now] * len(words)))
        now = rows[-1][1][-1] + ANSWER
        rows += [(line, [now] * len(line)) for line in answer]
        now += PAUSE
    whole = now - PAUSE + END
    times = sorted({time for _, line in rows for time in line})
    names = {time: f"t{number}" for number, time in enumerate(times)}
    style = "".join(
        f"    @keyframes {name} {{ 0%, {100 * time / whole:.2f}% {{ opacity: 0 }} "
        f"{100 * time / whole + 0.01:.2f}%, 100% {{ opacity: 1 }} }}\n"
        f"    .{name} {{ animation: {name} {whole:g}s infinite }}\n"
        for time, name in names.items()
    )
    still = "    @media (prefers-reduced-motion: reduce) { text { animation: none !important } }\n  "
    plain = "\n".join(f"$ {command}\n{output}" for command, output in steps)
    lines = [(line, [names[time] for time in when]) for line, when in rows]
    return _picture(" ; ".join(command for command, _ in steps), lines, plain, f"{style}{still}")


def _lines(command: str, output: str) -> list[list[Piece]]:
    return [[Piece(0, "$", "dim"), Piece(2, command, "bold")], *map(pieces, output.rstrip("\n").split("\n"))]


def _words(piece: Piece) -> list[Piece]:
    found = re.finditer(r"\S+", piece.text)
    return [Piece(piece.column + word.start(), word[0], piece.style) for word in found]


def _picture(title: str, lines: list[tuple[list[Piece], list[str]]], described: str, style: str) -> str:
    """`lines`: each with the class by which each of its pieces moves, or ""."""
    longest = max(piece.column + len(piece.text) for line, _ in lines for piece in line)
    width, height = round(longest * CHARACTER) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    plain = re.sub(r"\x1b\[\d+m", "", described)
    rows = []
    for number, (line, moves) in enumerate(lines):
        bottom = MARGIN + number * LINE + SIZE
        for piece, move in zip(line, moves, strict=False):
            start = piece.column + len(piece.text) - len(piece.text.lstrip())
            text = piece.text.strip()
            classes = " ".join(filter(None, (piece.style, move)))
            attribute = f' class="{classes}"' if classes else ""
            place = f'x="{MARGIN + start * CHARACTER:g}" y="{bottom}" textLength="{len(text) * CHARACTER:g}"'
            rows.append(f'  <text {place} lengthAdjust="spacingAndGlyphs"{attribute}>{escape(text)}</text>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img">\n  <title>{escape(title)}</title>\n  <desc>{escape(plain)}</desc>\n'
        f"  <style>{STYLE}{style}</style>\n"
        f'  <rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>\n{"".join(rows)}</svg>\n'
    )
