"""The table of docs/questions.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
_ROW = re.compile(
    r"^\| (?P<question>[^|`]+) \| `kubectl netpol (?P<line>[^`]+)` \| `(?P<said>[^`]+)` \|$", re.MULTILINE
)
_ON_A_CLUSTER = re.compile(r"^test (?!-F)")


class Question(NamedTuple):
    """`line`: what is typed after `kubectl netpol`; `said`: a part of what it prints, whitespace aside."""

    question: str
    line: str
    said: str

    @property
    def live(self) -> bool:
        return _ON_A_CLUSTER.match(self.line) is not None


def questions() -> list[Question]:
    return [Question(*row) for row in _ROW.findall(PAGE.read_text(encoding="utf-8"))]


def one_line(text: str) -> str:
    return " ".join(text.split())
