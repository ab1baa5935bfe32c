"""The probe: which tools to run in the source container, and what their words mean. How to exec is a parameter."""

from __future__ import annotations

from kubectl_netpol.probe.containers import intercepted, pick_container
from kubectl_netpol.probe.outcome import Completed, Exec, NameCheck, Observation, Outcome, ProbeResult, Target
from kubectl_netpol.probe.run import probe

__all__ = [
    "Completed",
    "Exec",
    "NameCheck",
    "Observation",
    "Outcome",
    "ProbeResult",
    "Target",
    "intercepted",
    "pick_container",
    "probe",
]
