"""Findings and verdicts as people read them: at most eight lines at 80 columns, aligned, nothing cut in silence."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.console import Console
from kubectl_netpol.diagnosis.diagnose import (
    ConnectionResult,
    Facts,
    SuggestedCommands,
    diagnose,
    not_probed,
    predicted,
)
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.probe.outcome import Observation, Outcome
from kubectl_netpol.render.explanation import explanation_text, overview_text
from kubectl_netpol.render.objects import explanation_object, result_object, serialize, verdict_object
from kubectl_netpol.render.result import result_text, results_table
from kubectl_netpol.render.text import Names, table, wrapped
from kubectl_netpol.render.verdict import verdict_text
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
    verdict = ask(snapshot, *ends, 80, "TCP")
    if outcome is None:
        return ConnectionResult(verdict, predicted(verdict))
    observation = Observation(outcome, "nc", ("nc", "-zv", "10.0.0.2", "80"), 1, "nc: refused\nbye", 0.1234)
    finding = diagnose(snapshot, verdict, observation, facts, commands)
    return ConnectionResult(verdict, finding, observation, "kubectl exec san -n default -- nc -zv 10.0.0.2 80")


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
                "  egress:  no policy isolates team/cat, so everything may go out",
                "  ingress: no policy isolates web, so everything may come in",
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
                "  egress:  no policy isolates san, so everything may go out",
                "  nc: refused bye",
            ],
            id="a host outside: no side of its own",
        ),
    ],
)
def test_a_finding_in_words(found: ConnectionResult, lines: list[str]) -> None:
    assert result_text(found, NAMES, console()).splitlines() == lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
        "  egress:  no policy isolates san, so everything may go out",
        "  ingress: no policy isolates web, so everything may come in",
        "  source:  san (run=san)",
        "  probe:   nc in 0.12 s said: nc: refused | bye",
        "  command: kubectl exec san -n default -- nc -zv 10.0.0.2 80",
    ]


def test_verbose_says_that_there_are_no_labels_words_and_tools() -> None:
    found = result({}, Outcome.OPEN, cluster={"live": True, "pods": {**PODS, "default/san": {"ip": "10.0.0.1"}}})
    assert found.observation
    silent = found._replace(observation=found.observation._replace(tool=None, output=""), command=None)
    assert result_text(silent, NAMES, console(), verbose=True).splitlines()[-2:] == [
        "  source:  san (no labels)",
        "  probe:   no tool in 0.12 s said: nothing",
    ]


def rows(text: str, width: int = 80) -> int:
    return sum(max(1, -(-len(line) // width)) for line in text.splitlines())


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


@pytest.mark.parametrize("cluster", [LONG_CLUSTER, {**LONG_CLUSTER, "policies": {}}], ids=["blocked", "allowed"])
@pytest.mark.parametrize("outcome", [*Outcome, None], ids=str)
@pytest.mark.parametrize("listening", [True, False, None])
def test_eight_lines_are_the_most_at_80_columns(
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
    assert rows(text) <= 8, text
    everything = result_text(found, NAMES, console(), verbose=True)
    if found.finding.next and found.finding.code is not Code.OPEN:
        assert found.finding.next.split()[-1] in text, "what to do is never what is cut"
    assert "…" not in everything


def test_what_is_cut_is_said() -> None:
    found = result({}, Outcome.REFUSED, ends=(f"{LONG}1", f"{LONG}2"), commands=LONG_COMMANDS, cluster=LONG_CLUSTER)
    lines = result_text(found, NAMES, console()).splitlines()
    assert lines[-2].endswith(" … (-v: all of it)")
    assert len(lines[-2]) <= 80
    assert lines[-1].startswith("  to open: kubectl netpol allow")


def test_a_table_of_results_and_what_they_come_to() -> None:
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
        "1 open, 1 not, 1 can't tell",
    ]


def test_a_table_too_wide_is_two_lines_a_connection() -> None:
    far = result({}, Outcome.TIMED_OUT, Facts(), ends=(f"{LONG}1", f"{LONG}2"), cluster=LONG_CLUSTER)
    assert results_table([far, result({}, Outcome.NO_TOOL)], NAMES, console()).splitlines() == [
        f"blocked: {LONG}1 →",
        f"  {LONG}2, TCP 80",
        "  network: timed-out, policies: blocked, finding: blocked-by-policy",
        "can't tell: san → web, TCP 80",
        "  network: no-tool, policies: allowed, finding: no-tool",
        "0 open, 1 not, 1 can't tell",
    ]


def test_rules_too_wide_for_a_table_are_two_lines_each() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"team": "operations"}}, "podSelector": {"matchLabels": {"run": "x"}}}
    policies = {"default/a-policy-with-a-name-of-some-length": {"podSelector": {}, "ingress": [{"from": [peer]}]}}
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    assert explanation_text(explain_pod(snapshot, snapshot.pods[0]), NAMES, console()).splitlines()[2:6] == [
        "ingress: isolated by a-policy-with-a-name-of-some-length; only this may come in:",
        "  from pods run=x in namespaces team=operations: all ports",
        "    by a-policy-with-a-name-of-some-length ingress[0]; pods now: none",
        "egress: not affected by any policy: everything may go out",
    ]


def test_colours_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    line = " ".join(["\033[1mingress:\033[0m", "x" * 35, "y" * 35])
    terminal = Console(Terminal(), Terminal())
    monkeypatch.setattr(terminal, "width", 80)
    assert wrapped([line], terminal) == line
    assert wrapped([line + "z"], terminal).splitlines() == [f"\033[1mingress:\033[0m {'x' * 35}", f"  {'y' * 35}z"]


def test_a_table_of_predictions_counts_predictions() -> None:
    found = [result({}, None), result(DENY, None), result(DENY, None)]
    assert results_table(found, NAMES, console()).splitlines()[1:] == [
        "san      web           80/TCP   not probed   allowed    predicted",
        "san      web           80/TCP   not probed   blocked    predicted",
        "san      web           80/TCP   not probed   blocked    predicted",
        "1 allowed, 2 blocked, 0 undefined",
    ]


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        pytest.param(
            [("A", "B"), ("one", "x"), ("z", "")], ["A     B", "one   x", "z     "], id="the last is not padded"
        ),
        pytest.param([("grün", "x"), ("rot", "y")], ["grün   x", "rot    y"], id="letters with dots"),
        pytest.param([("имя", "x"), ("名", "y")], ["имя   x", "名     y"], id="other alphabets"),
        pytest.param([("one",)], ["one"], id="one column"),
    ],
)
def test_columns_are_aligned(cells: list[tuple[str, ...]], lines: list[str]) -> None:
    assert table(cells) == lines


def words_of(text: str) -> list[str]:
    """Without the words that head columns, and what joins the same cells where there are none."""
    joints = {"from", "to", "ports", "allowed", "by", "pods", "now"}
    return [word for word in re.sub("[:;]", " ", text).split() if word.lower() not in joints]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_word_is_lost_at_any_width(width: int, verbose: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a column
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": NEAR})
    verdict = ask(snapshot, "san", "web", 80, "TCP")
    wide, narrow = console(), console()
    monkeypatch.setattr(wide, "width", 10_000)
    monkeypatch.setattr(narrow, "width", width)
    explanation = explain_pod(snapshot, snapshot.pods[0])
    texts = [
        verdict_text(verdict, NAMES, at, verbose=verbose) + explanation_text(explanation, NAMES, at, verbose=verbose)
        for at in (narrow, wide)
    ]
    assert [words_of(text) for text in texts[:1]] == [words_of(text) for text in texts[1:]]


def test_what_may_not_be_read_is_not_called_open() -> None:
    gap = Gap("networkpolicies", "default", "you may not list networkpolicies in namespace default")
    whole = snapshot_of({"live": True, "pods": PODS})
    snapshot = Snapshot(pods=whole.pods, gaps=[gap])
    found = [explain_pod(snapshot, pod) for pod in snapshot.pods_in("default")]
    assert overview_text(found).splitlines()[1:] == ["san   ?         ?        0", "web   ?         ?        0"]
    assert explanation_text(found[0], NAMES, console()).splitlines()[2:4] == [
        "ingress: not known: you may not list networkpolicies in namespace default",
        "egress: not known: you may not list networkpolicies in namespace default",
    ]
    side = explanation_object(found[0], ())["ingress"]
    assert (side["isolated"], side["reason"]["code"]) == (None, "permission-missing")


def test_a_peer_whose_pods_may_not_be_read_is_not_called_none() -> None:
    policies: dict[str, Any] = {
        "default/p": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]},
    }
    whole = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    gap = Gap("pods", None, "you may not list pods in the whole cluster", frozenset({"default"}))
    snapshot = Snapshot(namespaces=whole.namespaces.values(), pods=whole.pods, policies=whole.policies, gaps=[gap])
    text = explanation_text(explain_pod(snapshot, whole.pods_in("default")[0]), NAMES, console())
    assert "  from all pods in all namespaces: all ports\n" in text
    assert "    by p ingress[0]; pods now: not known: you may not list pods" in text


# Objects for scripts.


@pytest.mark.parametrize(
    ("ends", "source", "destination"),
    [
        pytest.param(
            ("san", "pod/web"),
            {"pod": "default/san", "address": "10.0.0.1"},
            {"pod": "default/web", "address": "10.0.0.2"},
            id="pods",
        ),
        pytest.param(
            ("deploy/san", "web"),
            {"pod": "default/san", "address": "10.0.0.1", "workload": "Deployment default/san"},
            {"service": "default/web", "address": "10.96.0.1"},
            id="a workload's pod, and a Service",
        ),
        pytest.param(
            ("node/one", "192.0.2.1"),
            {"node": "one", "address": "10.1.0.1"},
            {"address": "192.0.2.1"},
            id="a node and an address",
        ),
        pytest.param(
            ("10.0.0.1", "example.com"),
            {"pod": "default/san", "address": "10.0.0.1"},
            {"host": "example.com"},
            id="an address that is a pod's, and a host outside",
        ),
    ],
)
def test_both_ends_for_scripts(ends: tuple[str, str], source: dict[str, str], destination: dict[str, str]) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "default", "name": "san"},
        "spec": {"selector": {"matchLabels": {"run": "san"}}, "template": {"metadata": {"labels": {"run": "san"}}}},
    }
    snapshot = snapshot_of(
        {
            "live": True,
            "pods": PODS,
            "nodes": {"one": ["10.1.0.1"]},
            "objects": [deployment],
            "services": {
                "default/web": {"selector": {"run": "web"}, "clusterIP": "10.96.0.1", "ports": [{"port": 80}]}
            },
        }
    )
    connection = verdict_object(ask(snapshot, *ends, 80, "TCP"))["connection"]
    assert connection == {"source": source, "destination": destination, "protocol": "TCP", "port": 80}


def test_positions_for_scripts() -> None:
    policies = {
        "default/in": {
            "podSelector": {},
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {"run": "x"}}}]},
                {"from": [{"podSelector": {}}, {"podSelector": {}}], "ports": [{"port": 81}, {"port": 80}]},
                {},
            ],
        }
    }
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    side = verdict_object(ask(snapshot, "san", "web", 80, "TCP"))["ingress"]
    assert side["allowedBy"] == [
        {"namespace": "default", "name": "in", "rule": 1, "peer": 0, "port": 1},
        {"namespace": "default", "name": "in", "rule": 2, "peer": None, "port": None},
    ]
    blocked = verdict_object(ask(snapshot, "team/cat", "web", 80, "TCP"))
    assert blocked["verdict"] == "allowed", "the last rule lets everyone in"


def test_a_result_for_scripts() -> None:
    found = result_object(result(DENY, Outcome.REFUSED))
    assert {key: found[key] for key in ("outcome", "reachable", "agrees", "tool", "seconds", "output")} == {
        "outcome": "refused",
        "reachable": False,
        "agrees": True,
        "tool": "nc",
        "seconds": 0.123,
        "output": "nc: refused\nbye",
    }
    assert found["finding"] == {
        "code": "rejected-by-policy",
        "message": "blocked: refused, though the port listens: a policy rejects it",
        "evidence": ["default/web listens on 80, says port-forward"],
        "next": "kubectl netpol allow san web 80 | kubectl apply -f -",
    }
    unprobed = result_object(result(DENY, None))
    assert [unprobed[key] for key in ("outcome", "reachable", "tool", "command", "output", "seconds")] == [None] * 6


def test_json_and_yaml_say_the_same() -> None:
    import yaml  # noqa: PLC0415 - only here

    found = result_object(result(NEAR, Outcome.REFUSED))
    found["output"] = "é → \x1b\n---\n- no: 'yes'"
    assert json.loads(serialize(found, "json")) == yaml.safe_load(serialize(found, "yaml")) == found


def test_sctp_has_a_side_each_and_no_probe() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS})
    verdict = ask(snapshot, "san", "web", 80, "SCTP")
    found = ConnectionResult(verdict, not_probed(verdict, "SCTP can't be probed", Code.NOT_PROBED))
    assert result_text(found, NAMES, console()).splitlines() == [
        "can't tell: san → web, SCTP 80",
        "  SCTP can't be probed; the policies say allowed",
        "  egress:  no policy isolates san, so everything may go out",
        "  ingress: no policy isolates web, so everything may come in",
    ]
