"""Findings as people read them: the answer first, at most eight lines at 80 columns, nothing cut in silence."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Facts, not_probed
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.render.probe_result import MOST_LINES, cut_line, result_text, results_table
from tests.support.results import (
    DENY,
    LONG,
    LONG_CLUSTER,
    LONG_COMMANDS,
    NAMES,
    NEAR,
    PODS,
    Terminal,
    console,
    result,
)
from tests.support.tables import ask, snapshot_of


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        pytest.param(result({}, Outcome.OPEN), ["open: san → web, TCP 80"], id="open and allowed: one line"),
        pytest.param(
            result(DENY, Outcome.REFUSED),
            [
                "blocked: san → web, TCP 80",
                "  refused, though the port listens: a policy rejects it",
                "  ingress: deny isolates web, and no rule lets san in",
                "  default/web listens on 80, says port-forward",
                "  to open: kubectl netpol allow san web 80 | kubectl apply -f -",
            ],
            id="blocked: why, how it is known, and what opens it",
        ),
        pytest.param(
            result(NEAR, Outcome.TIMED_OUT, Facts()),
            [
                "blocked: san → web, TCP 80",
                "  timed out, as the policies say",
                "  egress:  near isolates san, and no rule lets san reach web",
                "  nearest: near egress[0]: requires port 81, not 80",
                "  ingress: near isolates web, and no rule lets san in",
                "  nearest: near ingress[0].from[0]: requires label run=sam, pod has run=san",
                "  to open: kubectl netpol allow san web 80 | kubectl apply -f -",
            ],
            id="blocked on both sides: the nearest rule of each",
        ),
        pytest.param(
            result(DENY, Outcome.OPEN),
            [
                "open: san → web, TCP 80",
                "  though the policies block it: this cluster does not enforce them, or not yet",
                "  ingress: deny isolates web, and no rule lets san in",
                "  next:    if it persists, use a plugin that does (minikube start --cni=calico)",
            ],
            id="open though blocked",
        ),
        pytest.param(
            result({}, Outcome.TIMED_OUT, Facts(), ends=("team/cat", "web")),
            [
                "timed out: team/cat → web, TCP 80",
                "  though the policies allow it",
                "  egress:  no policy isolates team/cat, so everything is allowed",
                "  ingress: no policy isolates web, so everything is allowed",
                "  next:    check node firewalls, a service mesh, policies of other kinds, or a",
                "    plugin that lags behind",
            ],
            id="timed out though allowed",
        ),
        pytest.param(
            result(DENY, None),
            [
                "blocked: san → web, TCP 80",
                "  not probed",
                "  ingress: deny isolates web, and no rule lets san in",
            ],
            id="only predicted",
        ),
        pytest.param(
            result({}, Outcome.UNRESOLVED, Facts(), ends=("san", "example.com")),
            [
                "can't tell: san → example.com, TCP 80",
                "  the name does not resolve in the source pod",
                "  egress:  no policy isolates san, so everything is allowed",
                "  nc: refused bye",
            ],
            id="a host outside: no side of its own",
        ),
    ],
)
def test_a_finding(found: ConnectionResult, lines: list[str]) -> None:
    assert result_text(found, NAMES, console()).splitlines() == lines


@pytest.mark.parametrize(
    ("found", "first"),
    [
        pytest.param(result({}, Outcome.OPEN), "\033[32mopen\033[0m: san → web, TCP 80", id="open is green"),
        pytest.param(result({}, Outcome.REFUSED), "\033[31mrefused\033[0m: san → web, TCP 80", id="refused is red"),
        pytest.param(result({}, Outcome.NO_TOOL), "\033[33mcan't tell\033[0m: san → web, TCP 80", id="else yellow"),
        pytest.param(result({}, None), "\033[32mallowed\033[0m: san → web, TCP 80", id="predicted to be open"),
        pytest.param(result(DENY, None), "\033[31mblocked\033[0m: san → web, TCP 80", id="predicted to be blocked"),
    ],
)
def test_the_answer_has_the_colour_of_what_it_means(
    found: ConnectionResult, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert result_text(found, NAMES, Console(Terminal(), Terminal())).splitlines()[0] == first


def test_verbose_adds_what_was_done() -> None:
    text = result_text(result({}, Outcome.OPEN), NAMES, console(), verbose=True)
    assert text.splitlines() == [
        "open: san → web, TCP 80",
        "  as the policies say",
        "  egress:  no policy isolates san, so everything is allowed",
        "  ingress: no policy isolates web, so everything is allowed",
        "  source:  san (run=san)",
        "  probe:   nc, 0.12 s, output: nc: refused | bye",
        "  command: kubectl exec san -n default -- nc -zv 10.0.0.2 80",
    ]


def test_verbose_says_that_there_are_no_labels_no_output_and_no_tool() -> None:
    found = result({}, Outcome.OPEN, cluster={"live": True, "pods": {**PODS, "default/san": {"ip": "10.0.0.1"}}})
    assert found.observation
    silent = found._replace(observation=found.observation._replace(tool=None, output=""), command=None)
    assert result_text(silent, NAMES, console(), verbose=True).splitlines()[-2:] == [
        "  source:  san (no labels)",
        "  probe:   no tool, 0.12 s, output: none",
    ]


def rows(text: str, width: int = 80) -> int:
    return sum(max(1, -(-len(line) // width)) for line in text.splitlines())


@pytest.mark.parametrize("cluster", [LONG_CLUSTER, {**LONG_CLUSTER, "policies": {}}], ids=["blocked", "allowed"])
@pytest.mark.parametrize("outcome", [*Outcome, None], ids=str)
@pytest.mark.parametrize("listening", [True, False, None])
def test_eight_lines_at_most_at_80_columns(
    cluster: dict[str, Any],
    outcome: Outcome | None,
    listening: bool | None,  # noqa: FBT001 - a column
) -> None:
    words = "" if listening is None else f"default/{LONG}2 listens or not on 80, says port-forward"
    found = result(
        {},
        outcome,
        Facts(listening=listening, listening_evidence=words),
        ends=(f"{LONG}1", f"{LONG}2"),
        commands=LONG_COMMANDS,
        cluster=cluster,
    )
    text = result_text(found, NAMES, console())
    assert rows(text) <= MOST_LINES, text
    everything = result_text(found, NAMES, console(), verbose=True)
    if found.finding.next and found.finding.code is not Code.OPEN:
        assert found.finding.next.split()[-1] in text, "what to do is never what is cut"
    assert "…" not in everything


def test_exactly_eight_lines_are_not_cut() -> None:
    lines = result_text(result(NEAR, Outcome.REFUSED), NAMES, console()).splitlines()
    assert len(lines) == MOST_LINES
    assert lines[-2] == "  default/web listens on 80, says port-forward"


def test_what_does_not_fit_is_cut_and_as_many_lines_as_possible_are_kept() -> None:
    found = result(NEAR, Outcome.REFUSED, commands=LONG_COMMANDS)
    assert result_text(found, NAMES, console()).splitlines()[:-1] == [
        "blocked: san → web, TCP 80",
        "  refused, though the port listens: a policy rejects it",
        "  egress:  near isolates san, and no rule lets san reach web",
        "  nearest: near egress[0]: requires port 81, not 80",
        "  ingress: near isolates web, and no rule lets san in … (-v shows all)",
    ]


def test_a_cut_is_marked() -> None:
    found = result({}, Outcome.REFUSED, ends=(f"{LONG}1", f"{LONG}2"), commands=LONG_COMMANDS, cluster=LONG_CLUSTER)
    lines = result_text(found, NAMES, console()).splitlines()
    assert lines[-2].endswith(" … (-v shows all)")
    assert len(lines[-2]) <= 80
    assert lines[-1].startswith("  to open: kubectl netpol allow")


@pytest.mark.parametrize(
    ("line", "whole", "cut"),
    [
        pytest.param("  ingress: deny isolates web", True, "  ingress: deny isolates web", id="a sentence that ends"),
        pytest.param(
            "  ingress: an address decides, and the address of web is",
            False,
            "  ingress: an address decides",
            id="one that goes on, after its clause",
        ),
        pytest.param(
            "  ingress: an address decides, and that of web is unknown; web",
            False,
            "  ingress: an address decides, and that of web is unknown",
            id="after its last clause",
        ),
        pytest.param("  ingress: deny, in isolate", False, "  ingress: deny, in isolate", id="one of a single clause"),
        pytest.param(
            "  ingress: deny isolates a-web-of-a-long-name, and no rule lets the-one-with-a-name in",
            True,
            "  ingress: deny isolates a-web-of-a-long-name",
            id="one that the mark leaves no room for",
        ),
    ],
)
def test_a_line_is_cut_where_a_clause_ends(line: str, whole: Any, cut: str) -> None:
    assert cut_line(line, console(), whole=whole) == f"{cut} … (-v shows all)"


def test_nothing_is_nearest_for_a_pod_that_has_finished() -> None:
    cluster = {"live": True, "pods": {**PODS, "default/san": {**PODS["default/san"], "phase": "Succeeded"}}}
    rule = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"run": "san"}}}]}]}
    found = result({}, None, cluster={**cluster, "policies": {"default/deny": rule}})
    assert "nearest" not in result_text(found, NAMES, console())


def test_a_table_of_results_and_its_totals() -> None:
    found = [
        result({}, Outcome.OPEN),
        result(DENY, Outcome.TIMED_OUT, ends=("team/cat", "web")),
        result({}, Outcome.NO_TOOL),
    ]
    assert results_table(found, NAMES, console()).splitlines() == [
        "SOURCE     DESTINATION   PORT     NETWORK     POLICIES   FINDING",
        "san        web           80/TCP   open        allowed    open",
        "team/cat   web           80/TCP   timed-out   blocked    blocked-by-policy",
        "san        web           80/TCP   no-tool     allowed    no-tool",
        "1 open, 1 not open, 1 can't tell",
    ]


def test_a_table_too_wide_is_two_lines_per_connection() -> None:
    far = result({}, Outcome.TIMED_OUT, Facts(), ends=(f"{LONG}1", f"{LONG}2"), cluster=LONG_CLUSTER)
    assert results_table([far, result({}, Outcome.NO_TOOL)], NAMES, console()).splitlines() == [
        f"blocked: {LONG}1 →",
        f"  {LONG}2, TCP 80",
        "  network: timed-out, policies: blocked, finding: blocked-by-policy",
        "can't tell: san → web, TCP 80",
        "  network: no-tool, policies: allowed, finding: no-tool",
        "0 open, 1 not open, 1 can't tell",
    ]


def test_a_table_of_predictions_counts_verdicts() -> None:
    found = [result({}, None), result(DENY, None), result(DENY, None)]
    assert results_table(found, NAMES, console()).splitlines()[1:] == [
        "san      web           80/TCP   not probed   allowed    predicted",
        "san      web           80/TCP   not probed   blocked    predicted",
        "san      web           80/TCP   not probed   blocked    predicted",
        "1 allowed, 2 blocked, 0 undefined",
    ]


def test_what_can_not_be_probed_has_both_directions() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS})
    prediction = ask(snapshot, "san", "web", 80, "SCTP")
    found = ConnectionResult(prediction, not_probed(prediction, "SCTP can't be probed", Code.NOT_PROBED))
    assert result_text(found, NAMES, console()).splitlines() == [
        "can't tell: san → web, SCTP 80",
        "  SCTP can't be probed; the policies say allowed",
        "  egress:  no policy isolates san, so everything is allowed",
        "  ingress: no policy isolates web, so everything is allowed",
    ]
