"""Draws docs/pictures, what the program prints on a terminal for examples/, as SVG; with --check, only compares.

The argument is the program; by default dist/kubectl-netpol.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
ON_SHOP = "-n shop -f examples/shop.yaml"
PICTURES = {
    "test": f"test san nginx 80 {ON_SHOP}",
    "explain": f"explain nginx {ON_SHOP}",
    "allow": f"allow --from run=san --to run=nginx --port 80 {ON_SHOP}",
}
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


def shown(program: Path, words: str) -> str:
    """Both streams, as printed to a terminal of COLUMNS columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, str(program), *shlex.split(words)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment
    ):
        os.close(theirs)
        found = b""
        while part := _read(ours):
            found += part
    os.close(ours)
    return found.decode().replace("\r\n", "\n")


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


def drawn(words: str, output: str) -> str:
    """The picture of a command and its output. Each piece has a fixed position, so no font moves it."""
    lines = [[Piece(0, "$", "dim"), Piece(2, f"kubectl netpol {words}", "bold")]]
    lines += [pieces(line) for line in output.rstrip("\n").split("\n")]
    longest = max(piece.column + len(piece.text) for line in lines for piece in line)
    width, height = round(longest * CHARACTER) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    plain = re.sub(r"\x1b\[\d+m", "", output)
    rows = []
    for number, line in enumerate(lines):
        bottom = MARGIN + number * LINE + SIZE
        for piece in line:
            start = piece.column + len(piece.text) - len(piece.text.lstrip())
            text = piece.text.strip()
            style = f' class="{piece.style}"' if piece.style else ""
            place = f'x="{MARGIN + start * CHARACTER:g}" y="{bottom}" textLength="{len(text) * CHARACTER:g}"'
            rows.append(f'  <text {place} lengthAdjust="spacingAndGlyphs"{style}>{escape(text)}</text>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img">\n  <title>kubectl netpol {escape(words)}</title>\n  <desc>{escape(plain)}</desc>\n'
        f"  <style>{STYLE}</style>\n"
        f'  <rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>\n{"".join(rows)}</svg>\n'
    )


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--check"]
    program = Path(words[0]).resolve() if words else ROOT / "dist" / "kubectl-netpol"
    stale = 0
    for name, line in PICTURES.items():
        path, picture = FOLDER / f"{name}.svg", drawn(line, shown(program, line))
        if "--check" not in sys.argv[1:]:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(picture, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != picture:
            sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: run packaging/pictures.py\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
