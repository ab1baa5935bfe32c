"""Results of probes, predicted and diagnosed, and consoles to print them on."""

from __future__ import annotations

import io
import re
from typing import Any

from kubectl_netpol.console import Console
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Facts, SuggestedCommands, diagnose, predicted
from kubectl_netpol.probe.outcome import Observation, Outcome
from kubectl_netpol.render.text import Names
from tests.support.tables import ask, snapshot_of

COMMANDS = SuggestedCommands(
    "kubectl netpol allow san web 80 | kubectl apply -f -",
    "kubectl netpol explain san web 80",
    "kubectl netpol test san web 80",
    "kubectl netpol allow san web kube-system/kube-dns 53 | kubectl apply -f -",
)
NAMES = Names("default")
PODS: dict[str, Any] = {
    "default/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "default/web": {"ip": "10.0.0.2", "labels": {"run": "web"}},
    "team/cat": {"ip": "10.0.1.1", "labels": {"run": "cat"}},
}
DENY = {"default/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}}
NEAR = {
    "default/near": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"run": "sam"}}}]}],
        "egress": [{"ports": [{"port": 81}]}],
    }
}
LISTENS = Facts(listening=True, listening_evidence="default/web listens on 80, says port-forward")


def console() -> Console:
    return Console(io.StringIO(), io.StringIO())


def result(
    policies: dict[str, Any],
    outcome: Outcome | None,
    facts: Facts = LISTENS,
    *,
    ends: tuple[str, str] = ("san", "web"),
    commands: SuggestedCommands = COMMANDS,
    cluster: dict[str, Any] | None = None,
) -> ConnectionResult:
    snapshot = snapshot_of(cluster or {"live": True, "pods": PODS, "policies": policies})
    prediction = ask(snapshot, *ends, 80, "TCP")
    if outcome is None:
        return ConnectionResult(prediction, predicted(prediction))
    observation = Observation(outcome, "nc", ("nc", "-zv", "10.0.0.2", "80"), 1, "nc: refused\nbye", 0.1234)
    finding = diagnose(snapshot, prediction, observation, facts, commands)
    return ConnectionResult(prediction, finding, observation, "kubectl exec san -n default -- nc -zv 10.0.0.2 80")


def console_of(width: int) -> Console:
    """A console as wide as this."""
    found = console()
    found.width = width
    return found


class Terminal(io.StringIO):
    """A stream that says it is a terminal; colours also need TERM and no NO_COLOR."""

    def isatty(self) -> bool:
        return True


def words_of(text: str) -> list[str]:
    """The words, but for the headings of columns and what joins the same cells where there are no columns."""
    joints = {"from", "to", "ports", "allowed", "by", "pods", "now"}
    return [word for word in re.sub("[:;]", " ", text).split() if word.lower() not in joints]


LONG = "a-name-that-is-as-long-as-a-name-of-the-api-may-possibly-be-00"
LONG_CLUSTER: dict[str, Any] = {
    "live": True,
    "pods": {
        f"default/{LONG}1": {"ip": "10.0.0.1", "labels": {"example.com/name": f"{LONG}1"}},
        f"default/{LONG}2": {"ip": "10.0.0.2", "labels": {"example.com/name": f"{LONG}2"}},
    },
    "policies": {
        f"default/{LONG}-{number}": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"example.com/name": f"{LONG}3"}}}]}],
            "egress": [{"to": [{"podSelector": {"matchLabels": {"example.com/name": f"{LONG}3"}}}]}],
        }
        for number in range(9)
    },
}
LONG_COMMANDS = SuggestedCommands(*(str(command).replace("san web", f"{LONG}1 {LONG}2") for command in COMMANDS))
