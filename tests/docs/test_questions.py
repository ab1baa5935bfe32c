"""The page of questions: each command that needs no cluster is run, and says what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.questions import PAGE, one_line, questions
from tests.support.running import run

OFFLINE = [question for question in questions() if not question.live]


def test_every_row_of_the_page_is_read() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) - 2 == len(questions()) >= 20
    assert len({question.line for question in questions()}) == len(questions())


@pytest.mark.parametrize("number", range(len(OFFLINE)), ids=[question.question for question in OFFLINE])
def test_the_command_says_what_the_page_says(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    question = OFFLINE[number]
    command, _, words = question.line.partition(" ")
    ran = run(command, words)
    assert one_line(question.said) in one_line(f"{ran.out}\n{ran.err}")
    assert not ran.err.startswith("error")
