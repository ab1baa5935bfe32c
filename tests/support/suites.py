"""Results of a suite for the tests of what is printed: one of each kind."""

from __future__ import annotations

from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.suite.checks import Check, Expect
from kubectl_netpol.suite.judge import Asked, CheckResult, Problem, judge
from tests.support.results import DENY, LISTENS, result


def suite_results() -> list[CheckResult]:
    """As expected, not, can't tell for want of a control, can't tell for want of a pod, and two of two not."""
    good = result({}, Outcome.OPEN)._replace(listening=None)
    bad = result(DENY, Outcome.TIMED_OUT, LISTENS)._replace(listening=True)
    slow = result({}, Outcome.TIMED_OUT, LISTENS)

    def check(name: str, expect: Expect, *, line: int, namespace: str = "default", file: str = "s.yaml") -> Check:
        return Check(name, ("san", "web"), (None, None), (), expect, namespace, file=file, line=line)

    problem = Problem('no pod or workload "sam" in namespace shop', "did you mean san?")
    asked = [
        Asked(check("good", Expect.OPEN, line=4), (good,)),
        Asked(check("bad", Expect.OPEN, line=5), (bad,)),
        Asked(check("missing", Expect.OPEN, line=7, namespace="shop", file="t.yaml"), problem=problem),
        Asked(check("two", Expect.OPEN, line=8, namespace="shop", file="t.yaml"), (slow, slow)),
    ]
    unknown = Asked(check("unknown", Expect.BLOCKED, line=6), (bad._replace(listening=None),))
    good_one, bad_one, missing, two = judge(asked, live=True)
    return [good_one, bad_one, *judge([unknown], live=True), missing, two]
