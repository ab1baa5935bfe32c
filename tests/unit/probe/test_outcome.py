from __future__ import annotations

from kubectl_netpol.probe.outcome import Outcome


def test_an_outcome_prints_as_its_public_name() -> None:
    assert str(Outcome.TIMED_OUT) == "timed-out"
    assert f"{Outcome.OPEN}" == "open"
