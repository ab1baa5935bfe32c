"""Every line of the tables in tests/cases."""

from __future__ import annotations

import pytest

from tests.support.tables import Check, checks, faults


@pytest.mark.parametrize("check", [pytest.param(check, id=check.name) for check in checks()])
def test_the_engine_says_what_the_table_says(check: Check) -> None:
    assert not faults(check), check.line
