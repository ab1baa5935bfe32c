"""What changes where a network plugin decides: its policies, and Calico's tiers, sets and staged policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.analysis.plugin_changes import changed_by, with_objects
from kubectl_netpol.engine.verdict import Verdict
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


CILIUM: dict[str, Any] = {
    "plugin": "Cilium",
    "namespaces": {"a": {}, "b": {}},
    "pods": {
        "a/src": {"labels": {"app": "src"}, "ip": "10.0.0.1"},
        "a/dst": {"labels": {"app": "dst"}, "ports": "http=80", "ip": "10.0.0.2"},
        "b/far": {"labels": {"app": "far"}, "ports": "web=8080", "ip": "10.0.1.1"},
    },
    "cilium": {
        "a/there": {
            "endpointSelector": {"matchLabels": {"app": "dst"}},
            "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "src"}}]}],
        }
    },
}
TO_DST = {"endpointSelector": {"matchLabels": {"app": "dst"}}}
FROM_FAR = {"fromEndpoints": [{"matchLabels": {"io.kubernetes.pod.namespace": "b"}}]}


def on_cilium(policies: dict[str, Any], **more: Any) -> tuple[Snapshot, Snapshot, Snapshot]:
    before = snapshot_of(CILIUM)
    after = snapshot_of({"plugin": "Cilium", "pods": {}, "cilium": policies, **more})
    applied = before.with_policies([*before.evaluated, *after.evaluated])
    return before, with_objects(applied, after.plugin_objects, delete=False), after


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            {"a/new": {**TO_DST, "ingress": [FROM_FAR]}},
            {("b/far", "a/dst", "allowed", "a/ciliumnetworkpolicy.cilium.io/new ingress[0] allows it")},
            id="one more policy adds to what is allowed",
        ),
        pytest.param(
            {"a/new": {**TO_DST, "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"app": "src"}}]}]}},
            {("a/src", "a/dst", "blocked", "a/ciliumnetworkpolicy.cilium.io/new ingressDeny[0] denies it")},
            id="a deny comes first",
        ),
        pytest.param(
            {"a/there": {**TO_DST, "ingress": [FROM_FAR]}},
            {
                ("b/far", "a/dst", "allowed", "a/ciliumnetworkpolicy.cilium.io/there ingress[0] allows it"),
                ("a/src", "a/dst", "blocked", "a/ciliumnetworkpolicy.cilium.io/there ingress[0] no longer allows it"),
            },
            id="a policy that takes the place of the one of that name",
        ),
        pytest.param(
            {"a/new": {**TO_DST, "ingress": [{"fromEndpoints": [{}]}], "enableDefaultDeny": {"ingress": False}}},
            set(),
            id="one that allows what is allowed already",
        ),
        pytest.param(
            {"/wide": {"endpointSelector": {"matchLabels": {"app": "far"}}, "ingress": [{}]}},
            {
                ("a/dst,a/src,outside the cluster", "b/far", "blocked", cause)
                for cause in ("ciliumclusterwidenetworkpolicy.cilium.io/wide isolates the destination for ingress",)
            },
            id="a cluster-wide policy that isolates",
        ),
        pytest.param(
            {"a/new": {**TO_DST, "ingress": [{"fromCIDR": ["203.0.113.0/24"]}]}},
            {
                (
                    "addresses in 203.0.113.0/24",
                    "a/dst",
                    "allowed",
                    "a/ciliumnetworkpolicy.cilium.io/new ingress[0] allows it",
                )
            },
            id="addresses outside that only the new policy tells apart",
        ),
    ],
)
def test_what_a_policy_of_cilium_changes(policies: dict[str, Any], wanted: set[tuple[str, str, str, str]]) -> None:
    before, after, given_ = on_cilium(policies)
    found = {
        (",".join(sorted(source.split(","))), destination, then, cause)
        for source, destination, _, _, then, causes in rows(before, after)
        for cause in causes
    }
    assert found == wanted
    (change,) = changed_by(before, after, given_)[1].values()
    assert change == ("changed" if "a/there" in policies else "added")


def test_a_port_name_at_egress_may_be_another_pods_number() -> None:
    """Cilium 1.18 takes the one number that the name has in the cluster, of whichever pod."""
    names = {
        "endpointSelector": {"matchLabels": {"app": "src"}},
        "egress": [{"toPorts": [{"ports": [{"port": "web"}]}]}],
    }
    before, after, _ = on_cilium({"a/names": names})
    found = {(row[1], row[2], row[4]) for row in rows(before, after) if row[0] == "a/src"}
    assert ("a/dst,outside the cluster", 8080, "undefined") in found
    assert ("b/far", 8080, "allowed") not in found, "it was allowed before"


def test_policies_of_the_tiers_may_decide_on_cilium() -> None:
    shut: dict[str, Any] = {"tier": "Admin", "subject": {"namespaces": {}}, "priority": 1}
    shut["ingress"] = [{"action": "Deny", "from": [{"namespaces": {}}]}]
    before, after, _ = on_cilium({}, tiers={"cnp/shut": shut})
    assert ("a/src", "a/dst", 80, "allowed", "undefined") in [row[:5] for row in rows(before, after)]


def test_the_isolated_of_a_policy_of_cilium() -> None:
    before, after, _ = on_cilium({"a/all": {"endpointSelector": {}, "ingress": [{}]}})
    isolated = {(one.member.title, one.newly) for one in changes_between(before, after).isolated}
    assert isolated == {("a/src", True), ("a/dst", False)}


FORWARDED = {
    "selector": "host == 'x'",
    "preDNAT": True,
    "applyOnForward": True,
    "types": ["Ingress"],
    "ingress": [DENY_80],
}
HOST_ENDPOINT = {"node": "n1", "interfaceName": "*", "labels": {"host": "x"}}
HOST: dict[str, Any] = {
    **BASE,
    "nodes": {"n1": ["192.0.2.1"]},
    "pods": {**BASE["pods"], "a/host": {"ip": "192.0.2.1", "node": "n1", "host_network": True, "ports": "9100"}},
}


@pytest.mark.parametrize(
    ("base", "objects", "changed"),
    [
        pytest.param(
            BASE,
            {"gnp__other.deny": {**SPEC, "tier": "other"}},
            {
                ("a/src", "a/dst", 80),
                ("outside the cluster", "a/dst", 80),
                ("addresses in 203.0.113.0/24", "a/dst", 80),
            },
            id="a policy of a tier that is not there",
        ),
        pytest.param(
            HOST,
            {"hep__h1": HOST_ENDPOINT},
            {("addresses in 203.0.113.0/24", "a/host", 9100), ("outside the cluster", "a/host", 9100)},
            id="a host endpoint, of pods that no policy is asked about",
        ),
        pytest.param(
            {**HOST, "calico": {**BASE["calico"], "hep/h1": HOST_ENDPOINT}},
            {"gnp__fw": FORWARDED},
            {("a/src", "a/dst", 80)},
            id="a policy of host endpoints for what they forward",
        ),
        pytest.param(
            {**HOST, "calico": {**BASE["calico"], "hep/h1": HOST_ENDPOINT, "gnp/fw": FORWARDED}},
            {"gnp__deny": {**SPEC, "selector": "app == 'nobody'"}},
            set(),
            id="what was unknown before is no change",
        ),
    ],
)
def test_what_becomes_unknown_is_a_change(
    base: dict[str, Any], objects: dict[str, Any], changed: set[tuple[str, str, int]]
) -> None:
    before = snapshot_of(base)
    found = changes_between(before, with_objects(before, given(**objects).plugin_objects, delete=False))
    undefined = {
        (source.title, destination.title, change.ports.first)
        for change in found.connections
        if change.after is Verdict.UNDEFINED and not change.ports.other
        for source in change.sources
        for destination in change.destinations
    }
    assert undefined == changed


def test_a_policy_of_nodes_changes_what_is_known_of_pods_on_their_network() -> None:
    nodes = {"fw": {"nodeSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}}
    other = {"a/other": {"endpointSelector": {"matchLabels": {"app": "nobody"}}, "ingress": [{}]}}
    without, after, later = (
        snapshot_of({**HOST, "plugin": "Cilium", "calico": {}, "cilium": policies})
        for policies in ({}, nodes, {**nodes, **other})
    )
    found = changes_between(without, after).connections
    assert {change.after for change in found} == {Verdict.UNDEFINED}
    assert {"a/host"} == {end.title for change in found for end in change.destinations}
    assert changes_between(after, later).connections == ()
