"""Findings beside the answer to another question."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.commands.common.findings import messages, warn
from kubectl_netpol.console import Console
from tests.support.reports import ERROR

NEARBY = [ERROR._replace(message=f"p{number} does not select it") for number in range(4)]


@pytest.mark.parametrize(
    ("nearby", "verbose", "lines"),
    [
        pytest.param([], False, ["warning: odd"], id="none nearby"),
        pytest.param(
            NEARBY[:2],
            False,
            ["warning: odd", "warning: p0 does not select it", "warning: p1 does not select it"],
            id="two",
        ),
        pytest.param(
            NEARBY[:3],
            False,
            [
                "warning: odd",
                "warning: p0 does not select it",
                "warning: p1 does not select it",
                "note: 1 more policy may have been meant: -v names them",
            ],
            id="a third one is counted",
        ),
        pytest.param(NEARBY, True, ["warning: odd", *(f"warning: {one.message}" for one in NEARBY)], id="-v: all"),
    ],
)
def test_policies_nearby_are_at_most_two(nearby: list[object], verbose: bool, lines: list[str]) -> None:  # noqa: FBT001 - a column
    err = io.StringIO()
    odd = ERROR._replace(message="odd")
    warn([odd, odd], nearby, Console(io.StringIO(), err), verbose=verbose)  # type: ignore[arg-type] # a column
    assert err.getvalue().splitlines() == lines


def test_a_sentence_is_said_once() -> None:
    assert messages([ERROR, ERROR]) == [ERROR.message]
