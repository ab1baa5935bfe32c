"""What a change is: whether it opens, when two are the same, and which changed policies are behind it."""

from __future__ import annotations

import pytest

from kubectl_netpol.analysis.change import Cause, Changes, ConnectionChange, causes_of, distinct
from kubectl_netpol.analysis.port_classes import PortClass
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.policies import Direction, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot


@pytest.mark.parametrize(
    ("before", "after", "opens"),
    [
        pytest.param(Verdict.BLOCKED, Verdict.ALLOWED, True, id="blocked to allowed"),
        pytest.param(Verdict.BLOCKED, Verdict.UNDEFINED, True, id="blocked to undefined: it may open"),
        pytest.param(Verdict.UNDEFINED, Verdict.ALLOWED, True, id="undefined to allowed"),
        pytest.param(Verdict.UNDEFINED, Verdict.BLOCKED, False, id="undefined to blocked"),
        pytest.param(Verdict.ALLOWED, Verdict.UNDEFINED, False, id="allowed to undefined: it may close"),
        pytest.param(Verdict.ALLOWED, Verdict.BLOCKED, False, id="allowed to blocked"),
    ],
)
def test_what_opens_and_what_closes(before: Verdict, after: Verdict, *, opens: bool) -> None:
    change = ConnectionChange((), (), PortClass("TCP", 80, 80), before, after, (), other_ports_open=False)
    changes = Changes((change,))
    assert (changes.opens, changes.closes) == (((change,), ()) if opens else ((), (change,)))


def test_the_other_ports_of_all_protocols_count_once() -> None:
    def change(protocol: str, first: int, *, other: bool) -> ConnectionChange:
        ports = PortClass(protocol, first, first, other=other)
        return ConnectionChange((), (), ports, Verdict.BLOCKED, Verdict.ALLOWED, (), other_ports_open=False)

    eighty, rest = change("TCP", 80, other=False), [change(protocol, 9, other=True) for protocol in ("TCP", "UDP")]
    assert distinct([eighty, *rest]) == [eighty, rest[0]]


INGRESS = (Direction.INGRESS,)
DENY, ALLOW = (
    Policy("a", name, LabelSelector(), INGRESS, rules)
    for name, rules in (("deny", ()), ("allow", (Rule(*INGRESS, 0),)))
)


@pytest.mark.parametrize(
    ("before", "after", "changed", "causes"),
    [
        pytest.param(
            [DENY], [DENY, ALLOW], [ALLOW], [Cause("a/allow", *INGRESS, 0, gone=False)], id="a rule that opens"
        ),
        pytest.param(
            [DENY, ALLOW], [DENY], [ALLOW], [Cause("a/allow", *INGRESS, 0, gone=True)], id="a rule that is gone"
        ),
        pytest.param([], [DENY], [DENY], [Cause("a/deny", *INGRESS, None, gone=False)], id="a policy that isolates"),
        pytest.param([DENY], [], [DENY], [Cause("a/deny", *INGRESS, None, gone=True)], id="a policy that is gone"),
        pytest.param([DENY], [DENY, ALLOW], [], [], id="a policy that is not among those that changed"),
        pytest.param([DENY], [DENY], [DENY], [], id="the same verdict"),
    ],
)
def test_the_changed_policies_behind_a_changed_verdict(
    before: list[Policy], after: list[Policy], changed: list[Policy], causes: list[Cause]
) -> None:
    pods = [Pod("a", name, {}, (f"10.0.0.{number}",)) for number, name in enumerate(("web", "db"), 1)]
    connection = Connection(End(pods[0]), End(pods[1]), "TCP", 80)
    then, now = (evaluate(Snapshot(pods=pods, policies=policies), connection) for policies in (before, after))
    assert list(causes_of(then, now, changed)) == causes
