"""What changes where Calico runs: its policies, tiers and sets, and staged policies as if they were enforced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.analysis.plugin_changes import changed_by, with_objects
from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.render.changes import cause_text
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot

ALLOW_80 = {"action": "Allow", "protocol": "TCP", "destination": {"ports": [80]}}
DENY_80 = {**ALLOW_80, "action": "Deny"}
BASE: dict[str, Any] = {
    "plugin": "Calico",
    "pods": {
        "a/src": {"labels": {"app": "src"}, "ip": "10.0.0.1"},
        "a/dst": {"labels": {"app": "dst"}, "ports": "http=80", "ip": "10.0.0.2"},
    },
    "calico": {
        "tier/sec": {"order": 1, "defaultAction": "Pass"},
        "gset/s": {"labels": {"kind": "s"}, "nets": ["203.0.113.0/24"]},
        "np/a/own": {
            "selector": "app == 'dst'",
            "types": ["Ingress"],
            "ingress": [{**ALLOW_80, "source": {"selector": "app == 'src'"}}, {"action": "Log"}],
        },
    },
}


def given(**objects: Any) -> Snapshot:
    fields = {"calico": {key.replace("__", "/"): spec for key, spec in objects.items()}}
    return snapshot_of({"plugin": "Calico", "pods": {}, **fields})


def rows(before: Snapshot, after: Snapshot) -> list[tuple[str, str, int, str, str, list[str]]]:
    """Of the ports that pods declare."""
    return [
        (
            ",".join(member.title for member in change.sources),
            ",".join(member.title for member in change.destinations),
            change.ports.first,
            change.before.value,
            change.after.value,
            [cause_text(cause) for cause in change.because],
        )
        for change in changes_between(before, after).connections
        if not change.ports.other
    ]


DENY = "globalnetworkpolicy.projectcalico.org/deny (tier sec, order 3) ingress[0] denies it"
SPEC = {"tier": "sec", "order": 3, "selector": "app == 'dst'", "types": ["Ingress"], "ingress": [DENY_80]}


@pytest.mark.parametrize(
    ("objects", "found", "changes"),
    [
        pytest.param({"gnp__deny": SPEC}, [DENY], {"deny": "added"}, id="a policy"),
        pytest.param({"sgnp__deny": SPEC}, [DENY], {"deny": "added"}, id="a staged one, as if it were enforced"),
        pytest.param({"sgnp__deny": {**SPEC, "stagedAction": "Ignore"}}, [], {"deny": "unchanged"}, id="one to ignore"),
        pytest.param(
            {"snp__a__own": {"selector": "app == 'dst'", "types": ["Ingress"], "ingress": [DENY_80]}},
            [
                "a/networkpolicy.projectcalico.org/own (tier default, last) ingress[0] denies it",
                "a/networkpolicy.projectcalico.org/own (tier default, last) ingress[0] no longer allows it",
            ],
            {"own": "changed"},
            id="a staged one in place of one that is enforced",
        ),
        pytest.param(
            {"gnp__deny": {**SPEC, "selector": "app == 'x'"}}, [], {"deny": "added"}, id="one that selects nobody"
        ),
        pytest.param(
            {"np__a__own": BASE["calico"]["np/a/own"]}, [], {"own": "unchanged"}, id="one that is there already"
        ),
    ],
)
def test_what_policies_close(objects: Any, found: list[str], changes: dict[str, str]) -> None:
    before, more = snapshot_of(BASE), given(**objects)
    after = with_objects(before, more.plugin_objects, delete=False)
    assert [(row[:5], row[5]) for row in rows(before, after)] == (
        [(("a/src", "a/dst", 80, "allowed", "blocked"), found)] if found else []
    )
    policies, by_key = changed_by(before, after, more)
    assert list(by_key.values()) == list(changes.values())
    assert {policy.name: by_key[policy.key] for policy in policies}.items() <= changes.items()


def test_a_staged_deletion_and_delete_are_alike() -> None:
    before = snapshot_of(BASE)
    spec = {"selector": "app == 'dst'", "types": ["Ingress"]}
    deletion = given(snp__a__own={**spec, "stagedAction": "Delete"})
    for after in (
        with_objects(before, deletion.plugin_objects, delete=False),
        with_objects(before, given(np__a__own=spec).plugin_objects, delete=True),
    ):
        (row,) = rows(before, after)
        assert row[0] == "outside the cluster,addresses in 203.0.113.0/24"
        assert row[1:5] == ("a/dst", 80, "blocked", "allowed")
        assert row[5] == ["a/networkpolicy.projectcalico.org/own no longer isolates the destination for ingress"]
        assert changed_by(before, after, deletion)[1] == {"a/networkpolicy.projectcalico.org/own": "deleted"}


def test_a_staged_network_policy() -> None:
    before = snapshot_of(BASE)
    for action, wanted in (("Set", 1), ("Ignore", 0), ("Delete", 0)):
        more = given(sknp__a__k={"podSelector": {"matchLabels": {"app": "src"}}, "stagedAction": action})
        after = with_objects(before, more.plugin_objects, delete=False)
        isolated = [(one.member.title, one.newly) for one in changes_between(before, after).isolated]
        assert isolated == [("a/src", True)] * wanted
        assert list(changed_by(before, after, more)[1]) == ["a/k"]
        assert not changes_between(before, with_objects(before, more.plugin_objects, delete=True)).isolated


def test_a_tier_and_a_set() -> None:
    before = with_objects(snapshot_of(BASE), given(gnp__deny={**SPEC, "ingress": []}).plugin_objects, delete=False)
    more = given(tier__sec={"order": 1})
    after = with_objects(before, more.plugin_objects, delete=False)
    assert changed_by(before, after, more) == ([], {}), "no policy"
    assert [row[:5] for row in rows(before, after)] == [("a/src", "a/dst", 80, "allowed", "blocked")]
    gone = with_objects(after, given(tier__sec={}).plugin_objects, delete=True)
    assert [row[4] for row in rows(after, gone)] == ["undefined"], "without its tier, a policy's place is not known"


def test_addresses_of_sets_are_ends() -> None:
    before = snapshot_of(BASE)
    rule = {**ALLOW_80, "source": {"namespaceSelector": "global()", "selector": "kind == 's'"}}
    more = given(np__a__set={"selector": "app == 'dst'", "types": ["Ingress"], "ingress": [rule]})
    (row,) = rows(before, with_objects(before, more.plugin_objects, delete=False))
    assert row[:5] == ("addresses in 203.0.113.0/24", "a/dst", 80, "blocked", "allowed")
