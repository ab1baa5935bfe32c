"""What is as expected, what is not, and what can't be told: the policies' word, the network's, and the control."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Facts, diagnose, not_probed, predicted
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.probe.outcome import Observation, Outcome
from kubectl_netpol.suite.checks import Check, Expect
from kubectl_netpol.suite.judge import Asked, CheckResult, Problem, Result, judge, status
from tests.support.results import COMMANDS
from tests.support.tables import ask, snapshot_of

EXPECTED, DIFFERENT, UNKNOWN = Result.EXPECTED, Result.DIFFERENT, Result.UNKNOWN
OPEN, BLOCKED = Expect.OPEN, Expect.BLOCKED
# san may reach web, cat may not; of pods on the host network nothing is known.
CLUSTER: dict[str, Any] = {
    "live": True,
    "pods": {
        "default/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "default/cat": {"ip": "10.0.0.2", "labels": {"run": "cat"}},
        "default/web": {"ip": "10.0.0.3", "labels": {"run": "web"}},
        "default/web2": {"ip": "10.0.0.4", "labels": {"run": "web"}},
        "default/host": {"ip": "10.1.0.1", "host_network": True},
    },
    "services": {"default/webs": {"selector": {"run": "web"}, "clusterIP": "10.96.0.1", "ports": [{"port": 80}]}},
    "objects": [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "alias"},
            "spec": {"type": "ExternalName", "externalName": "example.com"},
        }
    ],
    "policies": {
        "default/web-in": {
            "podSelector": {"matchLabels": {"run": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"run": "san"}}}]}],
        },
        "default/cat-out": {"podSelector": {"matchLabels": {"run": "cat"}}, "policyTypes": ["Egress"]},
    },
}
SNAPSHOT = snapshot_of(CLUSTER)
OF_VERDICT = {"allowed": "san", "blocked": "cat", "undefined": "host"}


def check(expect: Expect, *, control: bool = True) -> Check:
    return Check("c", ("san", "web"), (None, None), (), expect, control=control)


def found(
    source: str,
    outcome: Outcome | None,
    *,
    to: str = "web",
    protocol: str = "TCP",
    listening: bool | None = None,
    port: int = 80,
) -> ConnectionResult:
    prediction = ask(SNAPSHOT, source, to, port, protocol)
    if outcome is None:
        return ConnectionResult(prediction, predicted(prediction))
    observation = Observation(outcome, "nc", ("nc",), 1, "", 0.1)
    finding = diagnose(SNAPSHOT, prediction, observation, Facts(listening=listening), COMMANDS)
    return ConnectionResult(prediction, finding, observation, listening=listening)


def one(check: Check, result: ConnectionResult, *beside: Asked, live: bool = True) -> CheckResult:
    return judge([Asked(check, (result,)), *beside], live=live)[0]


@pytest.mark.parametrize(
    ("policies", "outcome", "expect_open", "expect_blocked"),
    [
        pytest.param("allowed", Outcome.OPEN, EXPECTED, DIFFERENT, id="allowed and open"),
        pytest.param("blocked", Outcome.OPEN, DIFFERENT, DIFFERENT, id="blocked, and open: not enforced"),
        pytest.param("undefined", Outcome.OPEN, EXPECTED, DIFFERENT, id="open: an undefined verdict does not decide"),
        pytest.param("allowed", Outcome.TIMED_OUT, DIFFERENT, DIFFERENT, id="allowed, and timed out"),
        pytest.param("blocked", Outcome.TIMED_OUT, DIFFERENT, EXPECTED, id="blocked and timed out"),
        pytest.param("undefined", Outcome.TIMED_OUT, DIFFERENT, EXPECTED, id="timed out, and undefined"),
        pytest.param("blocked", Outcome.REFUSED, DIFFERENT, EXPECTED, id="blocked and refused"),
        pytest.param("blocked", Outcome.UNREACHABLE, DIFFERENT, EXPECTED, id="blocked and unreachable"),
        pytest.param("allowed", Outcome.NO_TOOL, UNKNOWN, DIFFERENT, id="allowed, and it can't be probed"),
        pytest.param("blocked", Outcome.NO_TOOL, DIFFERENT, UNKNOWN, id="blocked, and it can't be probed"),
        pytest.param("undefined", Outcome.EXEC_FAILED, UNKNOWN, UNKNOWN, id="nothing is known"),
        pytest.param("blocked", Outcome.UNRESOLVED, DIFFERENT, UNKNOWN, id="blocked, and the name does not resolve"),
    ],
)
def test_policies_and_network_must_both_be_as_expected(
    policies: str, outcome: Outcome, expect_open: Result, expect_blocked: Result
) -> None:
    result = found(OF_VERDICT[policies], outcome, listening=True)
    assert result.prediction.verdict.value == policies
    assert (one(check(OPEN), result).result, one(check(BLOCKED), result).result) == (expect_open, expect_blocked)


@pytest.mark.parametrize(
    ("policies", "expect_open", "expect_blocked"),
    [("allowed", EXPECTED, DIFFERENT), ("blocked", DIFFERENT, EXPECTED), ("undefined", UNKNOWN, UNKNOWN)],
)
def test_without_a_network_the_policies_alone_decide(
    policies: str, expect_open: Result, expect_blocked: Result
) -> None:
    result = found(OF_VERDICT[policies], None)
    assert one(check(OPEN), result, live=False).result is expect_open
    assert one(check(BLOCKED), result, live=False).result is expect_blocked


NOTHING = "nothing shows that it would be open without the policies (a check that expects open, or control: none)"
NOT_THERE = "nothing listens there, so no policy is needed to block it"


def beside(source: str, outcome: Outcome, expect: Expect = OPEN, **more: Any) -> Asked:
    return Asked(check(expect), (found(source, outcome, **more),))


@pytest.mark.parametrize(
    ("listening", "others", "reason"),
    [
        pytest.param(True, [], None, id="it listens"),
        pytest.param(False, [], NOT_THERE, id="nothing listens"),
        pytest.param(None, [], NOTHING, id="nothing is known of it"),
        pytest.param(None, [beside("san", Outcome.OPEN)], None, id="another source reaches it"),
        pytest.param(False, [beside("san", Outcome.OPEN)], None, id="which says more than port-forward"),
        pytest.param(None, [beside("san", Outcome.TIMED_OUT)], NOTHING, id="another source does not reach it"),
        pytest.param(None, [beside("san", Outcome.OPEN, BLOCKED)], NOTHING, id="that was not to reach it"),
        pytest.param(None, [beside("san", Outcome.OPEN, port=81)], NOTHING, id="on another port"),
        pytest.param(None, [beside("san", Outcome.OPEN, to="web2")], NOTHING, id="another destination"),
        pytest.param(None, [beside("san", Outcome.OPEN, protocol="UDP")], NOTHING, id="over another protocol"),
        pytest.param(
            None,
            [beside("san", Outcome.OPEN, to="webs")],
            NOTHING,
            id="a Service with an endpoint beside it: another one may have answered",
        ),
        pytest.param(
            None, [beside("san", Outcome.OPEN, to="alias")], NOTHING, id="a name that leads nobody knows where"
        ),
        pytest.param(
            None,
            [Asked(check(OPEN), problem=Problem("no pod"))],
            NOTHING,
            id="a source that is not there",
        ),
    ],
)
def test_what_is_blocked_needs_a_control(listening: bool | None, others: list[Asked], reason: str | None) -> None:  # noqa: FBT001 - a column
    result = found("cat", Outcome.TIMED_OUT, listening=listening)
    judged = one(check(BLOCKED), result, *others)
    assert judged.result is (UNKNOWN if reason else EXPECTED)
    (connection,) = judged.connections
    assert (connection.reason and (connection.reason.code, connection.reason.message)) == (
        (Code.NO_CONTROL, reason) if reason else None
    )
    assert one(check(BLOCKED, control=False), result).result is EXPECTED


def test_one_endpoint_reached_is_a_control_of_its_service() -> None:
    result = found("cat", Outcome.TIMED_OUT, to="webs")
    assert one(check(BLOCKED), result, beside("san", Outcome.OPEN)).result is EXPECTED


def test_an_address_outside_needs_another_source_that_reaches_it() -> None:
    result = found("cat", Outcome.TIMED_OUT, to="192.0.2.1")
    assert one(check(BLOCKED), result).result is UNKNOWN
    assert one(check(BLOCKED), result, beside("san", Outcome.OPEN, to="192.0.2.1")).result is EXPECTED
    assert one(check(BLOCKED, control=False), result).result is EXPECTED


def test_what_is_open_needs_no_control_even_where_it_leads_nobody_knows_where() -> None:
    result = found("san", Outcome.OPEN, to="alias")
    assert not result.prediction.routes
    assert one(check(OPEN), result).result is EXPECTED


def test_so_does_a_host_by_its_name() -> None:
    result = found("cat", Outcome.TIMED_OUT, to="example.com")
    assert one(check(BLOCKED), result, beside("san", Outcome.OPEN, to="example.org")).result is UNKNOWN
    assert one(check(BLOCKED), result, beside("san", Outcome.OPEN, to="example.com")).result is EXPECTED


@pytest.mark.parametrize("of", ["blocked", "undefined"])
def test_no_answer_over_udp_is_blocked_where_another_source_is_answered(of: str) -> None:
    result = found(OF_VERDICT[of], Outcome.NO_ANSWER, protocol="UDP")
    assert one(check(BLOCKED), result).result is UNKNOWN
    assert one(check(BLOCKED), result, beside("san", Outcome.OPEN, protocol="UDP")).result is EXPECTED
    assert one(check(BLOCKED, control=False), result).result is EXPECTED
    assert one(check(OPEN), result).result is (DIFFERENT if of == "blocked" else UNKNOWN)


@pytest.mark.parametrize(
    ("source", "control", "result"),
    [
        pytest.param("cat", True, UNKNOWN, id="blocked: can't be probed"),
        pytest.param("cat", False, EXPECTED, id="blocked, without a control: the policies' word"),
        pytest.param("host", False, UNKNOWN, id="undefined: nobody has said anything"),
        pytest.param("san", False, DIFFERENT, id="allowed"),
    ],
)
def test_sctp_is_only_predicted(source: str, control: bool, result: Result) -> None:  # noqa: FBT001 - a column
    prediction = ask(SNAPSHOT, source, "web", 80, "SCTP")
    seen = ConnectionResult(prediction, not_probed(prediction, "SCTP can't be probed", Code.NOT_PROBED))
    assert one(check(BLOCKED, control=control), seen).result is result


def test_without_a_control_a_probe_that_did_not_run_still_says_nothing() -> None:
    assert one(check(BLOCKED, control=False), found("cat", Outcome.NO_TOOL)).result is UNKNOWN


YES, NO = found("san", Outcome.OPEN), found("cat", Outcome.TIMED_OUT, listening=True)
CANT = found("san", Outcome.NO_TOOL)


@pytest.mark.parametrize(
    ("results", "problem", "result", "failing", "exit_status"),
    [
        pytest.param([YES, YES], None, EXPECTED, 0, 0, id="all as expected"),
        pytest.param([YES, NO, NO], None, DIFFERENT, 2, 1, id="some not"),
        pytest.param([YES, CANT], None, UNKNOWN, 1, 2, id="one can't be told"),
        pytest.param([CANT, NO], None, DIFFERENT, 1, 2, id="one not, which is known, and one that can't be told"),
        pytest.param([], Problem("no pod"), UNKNOWN, 0, 2, id="it could not be asked"),
    ],
)
def test_a_check_is_as_expected_if_all_its_connections_are(
    results: list[ConnectionResult], problem: Problem | None, result: Result, failing: int, exit_status: int
) -> None:
    (judged,) = judge([Asked(check(OPEN), tuple(results), problem)], live=True)
    assert (judged.result, len(judged.failing), status([judged])) == (result, failing, exit_status)


def test_the_status_is_the_worst_of_all_checks() -> None:
    asked = [Asked(check(OPEN), (YES,)), Asked(check(OPEN), (NO,))]
    assert status(judge(asked, live=True)) == 1
    assert status(judge([*asked, Asked(check(OPEN), problem=Problem("no pod"))], live=True)) == 2
