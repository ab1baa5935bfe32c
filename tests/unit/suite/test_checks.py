"""The values of a check."""

from __future__ import annotations

from kubectl_netpol.suite.checks import Check, Expect


def test_what_is_expected_reads_as_it_is_written() -> None:
    assert [str(expect) for expect in Expect] == ["open", "blocked"]


def test_a_check_wants_a_control_unless_it_says_otherwise() -> None:
    assert Check("x", ("a", "b"), (None, None), (), Expect.BLOCKED).control is True
