"""A pair differs only where network and policies are both known and disagree."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.summary import Cell
from kubectl_netpol.probe.outcome import Outcome
from tests.support.results import DENY, result


@pytest.mark.parametrize(
    ("policies", "outcome", "differs"),
    [
        pytest.param({}, Outcome.OPEN, False, id="open and allowed"),
        pytest.param(DENY, Outcome.TIMED_OUT, False, id="timed out and blocked"),
        pytest.param(DENY, Outcome.OPEN, True, id="open though blocked"),
        pytest.param({}, Outcome.TIMED_OUT, True, id="timed out though allowed"),
        pytest.param({}, Outcome.NO_TOOL, False, id="allowed, and the network is unknown"),
        pytest.param(DENY, None, False, id="blocked, and not probed"),
    ],
)
def test_whether_a_pair_differs(policies: dict[str, Any], outcome: Outcome | None, differs: bool) -> None:  # noqa: FBT001 - a column
    assert Compared(Cell(0, 1, "TCP", 80), result(policies, outcome)).differs is differs
