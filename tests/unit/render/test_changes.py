"""What policies change: who loses access as notes for `allow`, what opens and closes as text and JSON for `diff`."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.analysis.change import Cause, Changes, ConnectionChange, IsolatedMember
from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.analysis.groups import OUTSIDE_TITLE, Member
from kubectl_netpol.analysis.port_classes import PortClass
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.model.policies import Action, Direction, Policy, Tier
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.render.changes import (
    MOST_LISTED,
    cause_text,
    change_entries,
    changes_object,
    changes_text,
    isolation_texts,
    policy_change_object,
    port_classes_text,
    unread_texts,
)
from tests.support.results import console, console_of
from tests.support.tables import snapshot_of

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
ALLOWED, BLOCKED, UNDEFINED = Verdict.ALLOWED, Verdict.BLOCKED, Verdict.UNDEFINED
WEB, SAN, OUTSIDE = Member("a/web", "a", 1), Member("a/san", "a", 1), Member(OUTSIDE_TITLE)
TCP80, TCP90, REST = PortClass("TCP", 80, 80), PortClass("TCP", 90, 90), PortClass("TCP", 1, 1, other=True)
HIDDEN = REST._replace(undeclared=True)
ALL_TCP, *OTHER_PROTOCOLS = (PortClass(protocol, 1, 65535, other=True) for protocol in ("TCP", "UDP", "SCTP"))


def because(direction: Direction, position: int | None = None, *, gone: bool = False) -> tuple[Cause, ...]:
    return (Cause("a/p", direction, position, gone),)


def closes(
    direction: Direction,
    *others: Member,
    ports: PortClass = TCP80,
    after: Verdict = BLOCKED,
    partly: bool = False,
) -> ConnectionChange:
    """From each of the others to a/web, or from a/web to each of them. `partly`: other ports stay open."""
    sources, destinations = ((WEB,), others) if direction is EGRESS else (others, (WEB,))
    return ConnectionChange(sources, destinations, ports, ALLOWED, after, because(direction), partly)


def isolated(*changes: ConnectionChange, direction: Direction = INGRESS, newly: bool = True) -> Changes:
    return Changes(changes, (IsolatedMember(WEB, direction, newly),))


def members(number: int) -> list[Member]:
    return [Member(f"a/p{place}", "a", 1) for place in range(number)]


@pytest.mark.parametrize(
    ("changes", "cuts", "text"),
    [
        pytest.param(isolated(), False, "isolates a/web for ingress: no existing access is lost", id="newly isolated"),
        pytest.param(
            isolated(newly=False),
            False,
            "isolates a/web for ingress, as other policies already do: nothing is cut off",
            id="isolated before",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN)),
            True,
            "isolates a/web for ingress: a/san loses access",
            id="one loses access",
        ),
        pytest.param(
            isolated(closes(INGRESS, *members(2))),
            True,
            "isolates a/web for ingress: a/p0 and a/p1 lose access",
            id="two lose access",
        ),
        pytest.param(
            isolated(closes(INGRESS, OUTSIDE)),
            True,
            "isolates a/web for ingress: everything outside the cluster loses access",
            id="all from outside loses access",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN, OUTSIDE)),
            True,
            "isolates a/web for ingress: a/san and everything outside the cluster lose access",
            id="a pod and all from outside",
        ),
        pytest.param(
            isolated(closes(INGRESS, *members(7))),
            True,
            "isolates a/web for ingress: a/p0, a/p1, a/p2, a/p3, a/p4 and 2 more lose access",
            id="names after the fifth are counted",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN, ports=TCP90, partly=True)),
            True,
            "isolates a/web for ingress: some lose access to port 90",
            id="a port closes, others stay open",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN), closes(INGRESS, WEB, ports=TCP90, partly=True)),
            True,
            "isolates a/web for ingress: a/san loses access, others lose access to port 90",
            id="one loses access, and a port closes for others",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN, after=UNDEFINED)),
            True,
            "isolates a/web for ingress: a/san loses access (some of it depends on the plugin)",
            id="it depends on the plugin",
        ),
        pytest.param(
            isolated(closes(EGRESS, SAN), direction=EGRESS),
            True,
            "isolates a/web for egress: it loses access to a/san",
            id="egress to a pod",
        ),
        pytest.param(
            isolated(closes(EGRESS, SAN, OUTSIDE), direction=EGRESS),
            True,
            "isolates a/web for egress: it loses access to a/san and everything outside the cluster",
            id="egress to a pod and to all outside",
        ),
        pytest.param(
            isolated(closes(EGRESS, SAN), closes(EGRESS, OUTSIDE, ports=TCP90, partly=True), direction=EGRESS),
            True,
            "isolates a/web for egress: it loses access to a/san, and to port 90 of others",
            id="egress to a pod, and to a port of others",
        ),
        pytest.param(
            isolated(closes(EGRESS, OUTSIDE, ports=TCP90, partly=True), direction=EGRESS),
            True,
            "isolates a/web for egress: it loses access to port 90",
            id="egress to a port alone",
        ),
        pytest.param(
            isolated(closes(INGRESS, SAN, ports=HIDDEN, partly=True)),
            False,
            "isolates a/web for ingress: no existing access is lost",
            id="ports on which probably nothing listens are not mentioned",
        ),
        pytest.param(
            isolated(closes(EGRESS, SAN)),
            False,
            "isolates a/web for ingress: no existing access is lost",
            id="what closes for the other direction is not mentioned",
        ),
    ],
)
def test_who_loses_access(changes: Changes, cuts: bool, text: str) -> None:  # noqa: FBT001 - a column
    assert isolation_texts(changes) == [(cuts, text)]


def test_losses_come_first_and_only_five_are_listed_unless_verbose() -> None:
    found = Changes(
        (closes(INGRESS, SAN),), tuple(IsolatedMember(one, INGRESS, newly=True) for one in (*members(6), WEB))
    )
    texts = isolation_texts(found)
    assert texts[0] == (True, "isolates a/web for ingress: a/san loses access")
    assert texts[MOST_LISTED:] == [(False, "the same for 2 more; -v lists them")]
    assert len(isolation_texts(found, verbose=True)) == 7


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        pytest.param([TCP80], "port 80", id="one"),
        pytest.param([TCP90, TCP80, TCP80], "ports 80, 90", id="several, each once, sorted"),
        pytest.param([PortClass("TCP", 8000, 8080)], "port 8000-8080", id="a range"),
        pytest.param([PortClass("UDP", 53, 53), TCP80], "ports 80, 53/UDP", id="a protocol other than TCP is named"),
        pytest.param([REST], "every other TCP port", id="the ports of a protocol that nothing names"),
        pytest.param([REST, TCP80], "port 80 and every other TCP port", id="a port and the others of its protocol"),
        pytest.param([REST, *OTHER_PROTOCOLS], "every other port", id="the ports that nothing names"),
        pytest.param([TCP80, REST, *OTHER_PROTOCOLS], "port 80 and every other port", id="a port and all others"),
        pytest.param([ALL_TCP, *OTHER_PROTOCOLS], "every port", id="all ports"),
        pytest.param(OTHER_PROTOCOLS, "every UDP port and every SCTP port", id="all but TCP"),
        pytest.param(
            [ALL_TCP, PortClass("UDP", 1, 1, other=True)],
            "every TCP port and every other UDP port",
            id="the others of a protocol",
        ),
    ],
)
def test_ports(ports: list[PortClass], text: str) -> None:
    assert port_classes_text(ports) == text


TIERED = Policy("", "t", LabelSelector(), (INGRESS,), kind="ClusterNetworkPolicy", tier=Tier.ADMIN, priority=3)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        pytest.param(
            Cause("a/p", INGRESS, None, gone=False), "a/p isolates the destination for ingress", id="isolates"
        ),
        pytest.param(
            Cause("a/p", EGRESS, None, gone=True),
            "a/p no longer isolates the source for egress",
            id="no longer isolates",
        ),
        pytest.param(Cause("a/p", INGRESS, 1, gone=False), "a/p ingress[1] allows it", id="a rule allows it"),
        pytest.param(
            Cause("a/p", EGRESS, 0, gone=True), "a/p egress[0] no longer allows it", id="a rule no longer allows it"
        ),
        pytest.param(
            Cause(TIERED.key, INGRESS, 2, gone=False, action=Action.DENY, tiered=TIERED),
            "clusternetworkpolicy.policy.networking.k8s.io/t (Admin, priority 3) ingress[2] denies it",
            id="a rule of a tier denies it",
        ),
        pytest.param(
            Cause(TIERED.key, EGRESS, 0, gone=True, action=Action.PASS, tiered=TIERED),
            "clusternetworkpolicy.policy.networking.k8s.io/t (Admin, priority 3) egress[0] no longer passes it on",
            id="a rule of a tier no longer passes it on",
        ),
    ],
)
def test_a_cause(cause: Cause, text: str) -> None:
    assert cause_text(cause) == text


def opens(
    source: Member, ports: PortClass = TCP80, before: Verdict = BLOCKED, position: int | None = 0
) -> ConnectionChange:
    return ConnectionChange(
        (source,), (WEB,), ports, before, ALLOWED, because(INGRESS, position), other_ports_open=True
    )


def test_changes_of_the_same_ends_and_causes_are_one_entry() -> None:
    found = change_entries([opens(SAN, TCP90), opens(SAN), opens(OUTSIDE)], verbose=False)
    assert found == [
        ["  a/san -> a/web: ports 80, 90", "      a/p ingress[0] allows it"],
        ["  outside the cluster -> a/web: port 80", "      a/p ingress[0] allows it"],
    ]


def test_other_causes_or_an_unsure_change_are_entries_of_their_own() -> None:
    found = change_entries(
        [opens(SAN), opens(SAN, TCP90, position=1), opens(SAN, REST, before=UNDEFINED)], verbose=False
    )
    assert [head for head, *_ in found] == [
        "  a/san -> a/web: every other TCP port  (depends on the plugin)",
        "  a/san -> a/web: port 80",
        "  a/san -> a/web: port 90",
    ]


def test_ends_after_the_fifth_are_counted_unless_verbose() -> None:
    change = opens(SAN)._replace(sources=tuple(members(7)))
    assert (
        change_entries([change], verbose=False)[0][0] == "  a/p0, a/p1, a/p2, a/p3, a/p4 and 2 more -> a/web: port 80"
    )
    assert change_entries([change], verbose=True)[0][0].startswith("  a/p0, a/p1, a/p2, a/p3, a/p4, a/p5, a/p6 -> ")


def test_what_opens_comes_before_what_closes() -> None:
    text = changes_text(Changes((closes(INGRESS, SAN), opens(OUTSIDE))), console())
    assert text.splitlines() == [
        "opens",
        "  outside the cluster -> a/web: port 80",
        "      a/p ingress[0] allows it",
        "closes",
        "  a/san -> a/web: port 80",
        "      a/p isolates the destination for ingress",
    ]


def test_ports_on_which_probably_nothing_listens_and_entries_after_the_twentieth_are_left_out_unless_verbose() -> None:
    many = Changes((*(opens(member) for member in members(22)), opens(SAN, HIDDEN)))
    lines = changes_text(many, console_of(200)).splitlines()
    assert lines[-1] == "  and 2 more; -v lists them"
    assert "every other TCP port" not in "".join(lines)
    verbose = changes_text(many, console_of(200), verbose=True)
    assert "every other TCP port" in verbose
    assert "more" not in verbose


def test_nothing_changes() -> None:
    assert changes_text(Changes(), console()) == ""


def test_reasons_are_gaps_and_undetermined_verdicts_each_once() -> None:
    gaps = [
        Gap("pods", "a", "no pods of a"),
        Gap("services", "a", "no services of a"),
        Gap("networkpolicies", "b", "no policies of b"),
    ]
    found = Changes(undetermined=(Note(Code.HOST_NAME, "no pods of a"), Note(Code.HOST_NAME, "unknown")))
    assert unread_texts(Snapshot(gaps=gaps), found) == ["no pods of a", "no policies of b", "unknown"]
    many = Changes(undetermined=tuple(Note(Code.HOST_NAME, f"r{number}") for number in range(7)))
    assert unread_texts(Snapshot(), many) == ["r0", "r1", "r2", "r3", "r4", "2 more reasons; -v lists them"]
    assert len(unread_texts(Snapshot(), many, verbose=True)) == 7


def test_json_has_each_change_with_its_ports_and_causes() -> None:
    note = Note(Code.HOST_NAME, "unknown")
    twice = (IsolatedMember(WEB, INGRESS, newly=True),) * 2
    found = changes_object(Changes((opens(SAN), closes(INGRESS, OUTSIDE, ports=REST)), twice, (note,)))
    ends: dict[str, Any] = {"destinations": ["a/web"], "protocol": "TCP"}
    cause = {"namespace": "a", "name": "p", "direction": "ingress"}
    assert found == {
        "opens": [
            {
                "sources": ["a/san"],
                **ends,
                "port": 80,
                "endPort": 80,
                "before": "blocked",
                "after": "allowed",
                "because": [{**cause, "rule": 0, "effect": "allows"}],
            }
        ],
        "closes": [
            {
                "sources": ["outside the cluster"],
                **ends,
                "other": True,
                "before": "allowed",
                "after": "blocked",
                "because": [{**cause, "rule": None, "effect": "isolates"}],
            }
        ],
        "isolates": [{"name": "a/web", "direction": "ingress", "newly": True}],
        "undetermined": [{"code": "host-name", "message": "unknown"}],
    }


@pytest.mark.parametrize(
    ("position", "gone", "effect"),
    [
        pytest.param(None, False, "isolates", id="a policy isolates"),
        pytest.param(None, True, "no-longer-isolates", id="a policy no longer isolates"),
        pytest.param(0, False, "allows", id="a rule allows"),
        pytest.param(0, True, "no-longer-allows", id="a rule no longer allows"),
    ],
)
def test_the_effect_of_a_cause_in_json(position: int | None, gone: bool, effect: str) -> None:  # noqa: FBT001 - a column
    change = opens(SAN)._replace(because=because(INGRESS, position, gone=gone))
    assert changes_object(Changes((change,)))["opens"][0]["because"][0]["effect"] == effect


def test_a_compared_policy_in_json() -> None:
    policy = Policy("a", "p", LabelSelector(), (INGRESS,))
    assert policy_change_object(policy, "added") == {"namespace": "a", "name": "p", "change": "added"}


PODS = {name: {"ip": ip, "labels": {"run": name[2:]}} for name, ip in (("a/web", "10.0.0.1"), ("a/san", "10.0.0.2"))}


def test_a_real_comparison() -> None:
    before = snapshot_of({"live": True, "pods": PODS})
    after = before.with_policies([Policy("a", "deny", LabelSelector.of({"run": "web"}), (INGRESS,))])
    found = changes_between(before, after)
    assert isolation_texts(found) == [
        (True, "isolates a/web for ingress: a/san and everything outside the cluster lose access"),
    ]
