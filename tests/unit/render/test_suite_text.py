"""The results of a suite as lines: what fails and why, the totals, the rules left untried, the bar."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.render.suite_text import bar, check_line, suite_text, totals, unexercised_line, unexercised_text
from kubectl_netpol.suite.checks import Check, Expect
from kubectl_netpol.suite.exercised import unexercised
from kubectl_netpol.suite.judge import Asked, CheckResult, Problem, judge
from tests.support.results import DENY, LISTENS, Terminal, console, result
from tests.support.suites import suite_results
from tests.support.tables import snapshot_of

GOOD, BAD, UNKNOWN, MISSING, TWO = suite_results()


def test_only_what_is_not_as_expected_has_a_line_and_then_come_the_totals() -> None:
    assert suite_text([GOOD, BAD, UNKNOWN, MISSING, TWO], console()).split("\n") == [
        (
            "not as expected: bad (expected open): san → web, TCP 80: blocked: timed out, as the policies say (deny "
            "isolates default/web for ingress, and no rule lets it in)"
        ),
        (
            "can't tell: unknown (expected blocked): san → web, TCP 80: blocked: timed out, as the policies say; "
            "nothing shows that it would be open without the policies (a check that expects open, or control: none)"
        ),
        'can\'t tell: missing (expected open): no pod or workload "sam" in namespace shop (did you mean san?)',
        (
            "not as expected: two (expected open): default/san → default/web, TCP 80: timed out: though the policies "
            "allow it (and 1 more)"
        ),
        "5 checks: 1 as expected, 2 not as expected, 2 can't tell",
    ]
    assert suite_text([GOOD], console()) == "1 check: 1 as expected, 0 not as expected, 0 can't tell"


def test_verbose_has_every_check_and_below_it_what_test_says() -> None:
    assert suite_text([GOOD, BAD], console(), verbose=True).split("\n") == [
        "as expected: good (expected open)",
        (
            "not as expected: bad (expected open): san → web, TCP 80: blocked: timed out, as the policies say (deny "
            "isolates default/web for ingress, and no rule lets it in)"
        ),
        "    blocked: san → web, TCP 80",
        "      timed out, as the policies say",
        "      ingress: deny isolates web, and no rule lets san in",
        "      default/web listens on 80, says port-forward",
        "      to open: kubectl netpol allow san web 80 | kubectl apply -f -",
        "2 checks: 1 as expected, 1 not as expected, 0 can't tell",
    ]


def test_verbose_shows_what_the_policies_leave_undefined() -> None:
    check = Check("x", ("host", "web"), (None, None), (), Expect.OPEN, "default")
    pods = {"default/host": {"ip": "10.1.0.1", "host_network": True}, "default/web": {"ip": "10.0.0.2"}}
    policies: dict[str, Any] = {"default/in": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}}
    cluster = {"live": True, "pods": pods, "policies": policies}
    (found,) = judge([Asked(check, (result({}, Outcome.OPEN, ends=("host", "web"), cluster=cluster),))], live=True)
    first, second, *_ = suite_text([found], console(), verbose=True).split("\n")
    assert (first, second) == ("as expected: x (expected open)", "    open: host → web, TCP 80")
    assert "the policies' verdict is undefined" in suite_text([found], console(), verbose=True)
    assert suite_text([found], console()) == "1 check: 1 as expected, 0 not as expected, 0 can't tell"


@pytest.mark.parametrize(
    ("found", "colour"), [(GOOD, "32"), (BAD, "31"), (MISSING, "33")], ids=["as expected", "not", "can't tell"]
)
def test_the_result_is_coloured_on_a_terminal(found: CheckResult, colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = Console(Terminal(), io.StringIO())
    assert check_line(found, shown).startswith(f"\033[{colour}m")
    assert "\033" not in check_line(found)


def test_a_problem_may_have_no_hint() -> None:
    check = Check("x", ("a", "b"), (None, None), (), Expect.OPEN)
    assert check_line(judge([Asked(check, problem=Problem("no pods"))], live=True)[0]) == (
        "can't tell: x (expected open): no pods"
    )


def test_totals_of_nothing_but_good_ones() -> None:
    assert totals([GOOD, GOOD]) == "2 checks: 2 as expected, 0 not as expected, 0 can't tell"


SNAPSHOT = snapshot_of(
    {
        "pods": {"shop/web": {"ip": "10.0.0.1", "labels": {"run": "web"}}},
        "policies": {
            "shop/web-in": {
                "podSelector": {"matchLabels": {"run": "web"}},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"ports": [{"port": 80}, {"port": 443}]}],
            }
        },
        "tiers": {
            "cnp/guard": {
                "tier": "Admin",
                "priority": 1,
                "subject": {"namespaces": {}},
                "ingress": [{"name": "none", "action": "Deny", "from": [{"namespaces": {}}]}],
            }
        },
    }
)


def test_rules_that_no_check_exercises_are_named_by_their_place() -> None:
    found = unexercised(SNAPSHOT, ())
    assert unexercised_text(found, "shop").split("\n") == [
        "not exercised by any check:",
        "  web-in ingress[0], TCP 80,443",
        "  web-in egress: no check is blocked by it",
        "  clusternetworkpolicy.policy.networking.k8s.io/guard ingress[0], all ports",
    ]
    assert unexercised_line(found[0], "") == "shop/web-in ingress[0], TCP 80,443"
    assert unexercised_text([], "shop") == "every rule of the policies is exercised"


def test_a_policy_of_a_plugin_is_named_as_a_whole() -> None:
    cluster = {
        "plugin": "Cilium",
        "live": True,
        "pods": {"shop/web": {"ip": "10.0.0.1"}},
        "cilium": {"shop/p": {"ingress": [{}]}},
    }
    (found,) = unexercised(snapshot_of(cluster), ())
    assert unexercised_line(found, "shop") == "shop/ciliumnetworkpolicy.cilium.io/p"


@pytest.mark.parametrize(
    ("done", "total", "filled"),
    [(0, 10, 0), (5, 10, 15), (9, 10, 27), (10, 10, 30), (1, 200, 0), (199, 200, 29)],
)
def test_the_bar_is_full_when_all_is_done_and_not_before(done: int, total: int, filled: int) -> None:
    assert bar(done, total) == f"[{'#' * filled}{'.' * (30 - filled)}]"


def test_a_finding_without_a_known_policy_stands_alone() -> None:
    check = Check("x", ("san", "web"), (None, None), (), Expect.BLOCKED, "default")
    (found,) = judge([Asked(check, (result(DENY, Outcome.OPEN, LISTENS),))], live=True)
    assert check_line(found) == (
        "not as expected: x (expected blocked): san → web, TCP 80: open: though the policies block it: this cluster "
        "does not enforce them, or not yet (deny isolates default/web for ingress, and no rule lets it in)"
    )
