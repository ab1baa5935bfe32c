"""Which connections a change of policies opens and closes, and by which rule; compared with the engine one by one."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.analysis.change import Cause, Changes
from kubectl_netpol.analysis.changes import changed_policies, changes_between
from kubectl_netpol.analysis.groups import OUTSIDE_TITLE
from kubectl_netpol.model.objects import ContainerPort, Namespace, Owner, Pod, Workload
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Peer, Policy, Rule, Tier, UnevaluatedPolicy
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector
from kubectl_netpol.model.snapshot import Gap, Snapshot
from tests.support.tables import snapshot_of

NAMESPACES = [Namespace(name, {METADATA_NAME: name, "team": team}) for name, team in (("a", "x"), ("b", "y"))]
DENY = Policy("a", "deny", LabelSelector(), (Direction.INGRESS,))
WEB, DB = LabelSelector.of({"app": "web"}), LabelSelector.of({"app": "db"})


def pod(key: str, ip: str = "", ports: tuple[ContainerPort, ...] = (), **labels: str) -> Pod:
    namespace, name = key.split("/")
    return Pod(namespace, name, labels, (ip,) if ip else (), ports, planned=not ip)


def cluster(*policies: Policy, pods: tuple[Pod, ...] = ()) -> Snapshot:
    return Snapshot(namespaces=NAMESPACES, pods=pods, policies=policies)


def ingress(name: str, to: LabelSelector, *peers: Peer, ports: tuple[PortRange | NamedPort, ...] = ()) -> Policy:
    return Policy("a", name, to, (Direction.INGRESS,), (Rule(Direction.INGRESS, 0, peers, ports),))


def rows(changes: Changes) -> list[str]:
    """Each change as one line; the other ports of all three protocols as one."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for change in changes.connections:
        ends = " -> ".join(",".join(one.title for one in side) for side in (change.sources, change.destinations))
        span = "other" if change.ports.other else f"{change.ports.first}-{change.ports.last}"
        verdicts = f"{change.before.value} {change.after.value}"
        found.setdefault((ends, span, verdicts), []).append(f"/{change.ports.protocol}")
    return sorted(
        f"{ends} {span}{protocol} {verdicts}"
        for (ends, span, verdicts), protocols in found.items()
        for protocol in ([""] if span == "other" and len(protocols) == 3 else protocols)
    )


SHOP = (
    pod("a/web", "10.0.0.1", app="web"),
    pod("a/api", "10.0.0.2", (ContainerPort("http", 80), ContainerPort("metrics", 90)), app="db"),
    pod("b/far", "10.0.0.3", app="far"),
)


def test_a_policy_that_isolates_closes_all_but_what_its_rules_allow() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(cluster(pods=SHOP), cluster(allow, pods=SHOP))
    assert rows(found) == [
        "a/web -> a/api 90-90/TCP allowed blocked",
        "a/web -> a/api other allowed blocked",
        "b/far,outside the cluster -> a/api 80-80/TCP allowed blocked",
        "b/far,outside the cluster -> a/api 90-90/TCP allowed blocked",
        "b/far,outside the cluster -> a/api other allowed blocked",
    ]
    assert {change.because for change in found.connections} == {
        (Cause("a/allow", Direction.INGRESS, None, gone=False),)
    }
    assert {change.other_ports_open for change in found.connections if change.sources[0].title == "a/web"} == {True}
    assert {change.other_ports_open for change in found.connections if change.sources[0].title == "b/far"} == {False}
    assert [(one.member.title, one.newly) for one in found.isolated] == [("a/api", True)]
    assert found.opens == ()
    assert len(found.closes) == 9


def test_the_rule_that_opens_a_connection_is_its_cause() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(NamedPort("TCP", "http"),))
    found = changes_between(cluster(DENY, pods=SHOP), cluster(DENY, allow, pods=SHOP))
    assert rows(found) == ["a/web -> a/api 80-80/TCP blocked allowed"]
    assert found.connections[0].because == (Cause("a/allow", Direction.INGRESS, 0, gone=False),)
    assert [(one.member.title, one.newly) for one in found.isolated] == [("a/api", False)]


def test_deleting_a_policy_opens_what_it_blocked() -> None:
    found = changes_between(cluster(DENY, pods=SHOP), cluster(pods=SHOP))
    assert all(change.opens for change in found.connections)
    assert found.isolated == ()
    assert {change.because for change in found.connections} == {(Cause("a/deny", Direction.INGRESS, None, gone=True),)}


def test_a_source_whose_own_policies_block_it_gains_nothing_and_others_do() -> None:
    pods = (SHOP[1], pod("b/shut", "10.0.0.4", app="shut"), pod("b/free", "10.0.0.5", app="free"))
    for order in (pods, (pods[0], pods[2], pods[1])):
        shut = Policy("b", "shut", LabelSelector.of({"app": "shut"}), (Direction.EGRESS,))
        found = changes_between(cluster(DENY, shut, pods=order), cluster(shut, pods=order))
        assert {member.title for change in found.opens for member in change.sources} == {"b/free", OUTSIDE_TITLE}
        assert {member.title for change in found.opens for member in change.destinations} == {"a/api"}


def test_deleting_a_rule_closes_what_it_allowed() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(cluster(DENY, allow, pods=SHOP), cluster(DENY, pods=SHOP))
    assert rows(found) == ["a/web -> a/api 80-80/TCP allowed blocked"]
    assert found.connections[0].because == (Cause("a/allow", Direction.INGRESS, 0, gone=True),)


def test_a_policy_with_another_time_of_its_last_change_is_the_same() -> None:
    later = DENY._replace(changed="2026-01-01T00:00:00Z")
    assert changes_between(cluster(DENY, pods=SHOP), cluster(later, pods=SHOP)) == Changes()


def test_replicas_are_one_member_and_connect_to_each_other() -> None:
    pods = tuple(
        pod(f"a/web-5d-{n}", f"10.0.0.{n}")._replace(
            labels={"app": "web", "pod-template-hash": "5d"}, owner=Owner("ReplicaSet", "web-5d")
        )
        for n in (1, 2, 3)
    )
    found = changes_between(cluster(pods=pods), cluster(DENY, pods=pods))
    assert rows(found) == ["a/deploy/web,outside the cluster -> a/deploy/web other allowed blocked"]
    assert found.connections[0].destinations[0].pods == 3


def test_a_replica_set_is_its_deployment_and_a_finished_pod_does_not_count() -> None:
    template = pod("a/web-5d")._replace(owner=Owner("Deployment", "web"))
    workload = Workload("ReplicaSet", "a", "web-5d", None, template)
    running = pod("a/web-5d-1", "10.0.0.1")._replace(owner=Owner("ReplicaSet", "web-5d"))
    done = pod("a/job-1", "10.0.0.2")._replace(phase="Succeeded")
    before = Snapshot(namespaces=NAMESPACES, pods=(running, done), workloads=(workload,))
    after = before.with_policies([DENY])
    assert rows(changes_between(before, after)) == ["outside the cluster -> a/deploy/web other allowed blocked"]


def test_a_policy_for_egress_is_a_cause_on_the_side_of_the_source() -> None:
    rule = Rule(Direction.EGRESS, 0, (Peer(pod_selector=DB),))
    out = Policy("a", "out", WEB, (Direction.EGRESS,), (rule,))
    deny_web = ingress("deny-web", WEB, Peer(pod_selector=WEB))
    found = changes_between(cluster(deny_web, pods=SHOP), cluster(deny_web, out, pods=SHOP))
    assert rows(found) == ["a/web -> b/far,outside the cluster other allowed blocked"]
    assert found.connections[0].because == (Cause("a/out", Direction.EGRESS, None, gone=False),)
    assert [(one.member.title, one.direction.field) for one in found.isolated] == [("a/web", "egress")]


def test_a_side_that_stays_allowed_is_not_a_cause() -> None:
    both = Policy("a", "both", LabelSelector(), tuple(Direction), (Rule(Direction.EGRESS, 0),))
    found = changes_between(cluster(pods=SHOP[:2]), cluster(both, pods=SHOP[:2]))
    causes = {cause for change in found.connections for cause in change.because}
    assert causes == {Cause("a/both", Direction.INGRESS, None, gone=False)}


def test_sources_that_different_rules_allow_have_different_causes() -> None:
    far = Peer(LabelSelector(), LabelSelector.of({"app": "far"}))
    peers = (Peer(pod_selector=WEB), far)
    rules = tuple(Rule(Direction.INGRESS, position, (peer,)) for position, peer in enumerate(peers))
    allow = Policy("a", "allow", DB, (Direction.INGRESS,), rules)
    found = changes_between(cluster(DENY, pods=SHOP), cluster(DENY, allow, pods=SHOP))
    causes = {(change.sources[0].title, change.because[0].position) for change in found.connections}
    assert causes == {("a/web", 0), ("b/far", 1)}


def test_the_addresses_of_an_ip_block_change_by_themselves() -> None:
    allow = ingress("allow", DB, Peer(ip_block=IPBlock("10.9.0.0/24")))
    elsewhere = ingress("elsewhere", DB, Peer(ip_block=IPBlock("10.8.0.0/24")))._replace(namespace="b")
    before = cluster(elsewhere, pods=SHOP[1:2])
    closes = changes_between(before, before.with_policies([elsewhere, ingress("deny", DB, Peer(pod_selector=WEB))]))
    assert {source.title for change in closes.connections for source in change.sources} == {OUTSIDE_TITLE}
    denied = before.with_policies([elsewhere, DENY])
    opens = changes_between(denied, before.with_policies([elsewhere, DENY, allow]))
    assert {source.title for change in opens.connections for source in change.sources} == {"addresses in 10.9.0.0/24"}


def test_a_dual_stack_pod_is_undefined_where_its_families_differ() -> None:
    one = pod("b/one")._replace(ips=("10.0.0.1", "fd00::1"), planned=False)
    two = pod("b/two")._replace(ips=("10.0.0.2", "fd01::2"), planned=False)
    db = pod("a/db", app="db")._replace(ips=("10.0.1.1", "fd00:1::1"), planned=False)
    allow = ingress("allow", DB, Peer(ip_block=IPBlock("10.0.0.0/24")), Peer(ip_block=IPBlock("fd00::/64")))
    found = changes_between(cluster(DENY, pods=(one, two, db)), cluster(DENY, allow, pods=(one, two, db)))
    assert rows(found) == [
        "b/one,addresses in 10.0.0.0/24,addresses in fd00::/64 -> a/db other blocked allowed",
        "b/two -> a/db other blocked undefined",
    ]


def test_a_named_port_is_the_number_on_each_destination() -> None:
    pods = (
        pod("a/web", "10.0.0.1", app="web"),
        pod("b/one", "10.0.0.2", (ContainerPort("http", 80),)),
        pod("b/two", "10.0.0.3", (ContainerPort("http", 90),)),
    )
    rule = Rule(Direction.EGRESS, 0, (Peer(LabelSelector()),), (NamedPort("TCP", "http"),))
    deny = Policy("a", "deny", WEB, (Direction.EGRESS,))
    out = Policy("a", "out", WEB, (Direction.EGRESS,), (rule,))
    assert rows(changes_between(cluster(deny, pods=pods), cluster(deny, out, pods=pods))) == [
        "a/web -> b/one 80-80/TCP blocked allowed",
        "a/web -> b/two 90-90/TCP blocked allowed",
    ]


def test_pods_from_manifests_are_evaluated_without_addresses() -> None:
    pods = (pod("a/web", app="web"), pod("a/api", app="db"))
    found = changes_between(cluster(pods=pods), cluster(ingress("deny", DB, Peer(pod_selector=DB)), pods=pods))
    assert rows(found) == ["a/web,outside the cluster -> a/api other allowed blocked"]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            {
                "unevaluated": [
                    UnevaluatedPolicy(
                        "CiliumClusterwideNetworkPolicy",
                        None,
                        "far",
                        (Direction.EGRESS,),
                        pod_selector=LabelSelector.of({"app": "far"}),
                    )
                ]
            },
            id="a policy of another kind selects one of them",
        ),
        pytest.param(
            {"gaps": [Gap("x", "b", "you may not list x in b", policy_kind="CiliumNetworkPolicy")]},
            id="policies in one namespace are unread",
        ),
    ],
)
def test_sources_that_the_same_rules_treat_alike_may_still_differ(more: dict[str, Any]) -> None:
    pods = (SHOP[1], pod("a/web", "10.0.0.1"), pod("b/far", "10.0.0.3", app="far"))
    before = Snapshot(namespaces=NAMESPACES, pods=pods, policies=[DENY], **more)
    allow = ingress("allow", DB, Peer(LabelSelector()), ports=(PortRange("TCP", 80, 80),))
    assert rows(changes_between(before, before.with_policies([DENY, allow]))) == [
        "a/web -> a/api 80-80/TCP blocked allowed",
        "b/far -> a/api 80-80/TCP blocked undefined",
    ]


def test_a_source_in_the_host_network_differs_too() -> None:
    host = pod("b/far", "10.0.0.3")._replace(host_network=True, node="n1")
    pods = (SHOP[1]._replace(node="n2"), pod("b/near", "10.0.0.4"), host)
    allow = ingress("allow", DB, Peer(LabelSelector()), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(cluster(DENY, pods=pods), cluster(DENY, allow, pods=pods))
    assert rows(found) == [
        "b/far -> a/api 80-80/TCP blocked undefined",
        "b/near -> a/api 80-80/TCP blocked allowed",
    ]
    other = ingress("allow", DB, Peer(LabelSelector()), ports=(PortRange("TCP", 80, 90),))
    assert changes_between(cluster(DENY, allow, pods=pods), cluster(DENY, other, pods=pods)).undetermined == (), (
        "undefined before and after, but nothing is unread"
    )


def test_a_change_behind_the_other_end_that_still_blocks_is_none() -> None:
    out = Policy("a", "out", WEB, (Direction.EGRESS,))
    allow = ingress("allow", DB, Peer(pod_selector=WEB))
    found = changes_between(cluster(DENY, out, pods=SHOP), cluster(DENY, out, allow, pods=SHOP))
    assert found.connections == ()


def test_a_policy_whose_spec_changes_is_the_cause_by_its_new_rule_or_its_old_one() -> None:
    old = ingress("p", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 80, 80),))
    new = ingress("p", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 90, 90),))
    found = changes_between(cluster(old, pods=SHOP), cluster(new, pods=SHOP))
    assert rows(found) == ["a/web -> a/api 80-80/TCP allowed blocked", "a/web -> a/api 90-90/TCP blocked allowed"]
    causes = [cause for change in (*found.closes, *found.opens) for cause in change.because]
    assert causes == [Cause("a/p", Direction.INGRESS, 0, gone=True), Cause("a/p", Direction.INGRESS, 0, gone=False)]


def test_the_policies_that_changed_are_those_that_differ() -> None:
    old, new = ingress("p", DB), ingress("p", WEB)
    assert changed_policies(cluster(DENY, old), cluster(new, DENY)) == [old, new]
    assert changed_policies(cluster(DENY), cluster(DENY, new)) == [new]
    assert changed_policies(cluster(DENY, old), cluster(old, DENY)) == []


@pytest.mark.parametrize(
    ("more", "undetermined"),
    [
        pytest.param({}, [], id="everything is known"),
        pytest.param(
            {"unevaluated": [UnevaluatedPolicy("CiliumClusterwideNetworkPolicy", None, "wide")]},
            ["overriding-policy", "overriding-policy"],
            id="a policy of another kind may override, for either end",
        ),
        pytest.param(
            {"gaps": [Gap("admins", None, "you may not list admins", policy_kind="CiliumNetworkPolicy")]},
            ["permission-missing"],
            id="policies of another kind are unread: once",
        ),
    ],
)
def test_why_it_is_unknown_whether_connections_change(more: dict[str, Any], undetermined: list[str]) -> None:
    pods = (pod("a/web", "10.0.0.1", app="web"), pod("a/api", "10.0.0.2", app="db"))
    before = Snapshot(namespaces=NAMESPACES, pods=pods, **more)
    found = changes_between(before, before.with_policies([ingress("allow", DB, Peer(pod_selector=WEB))]))
    assert [note.code.value for note in found.undetermined] == undetermined


def tier_policy(name: str, tier: Tier, action: Action, priority: int = 1, *peers: Peer) -> Policy:
    rule = Rule(Direction.INGRESS, 0, peers or (Peer(LabelSelector()),), action=action)
    return Policy(
        "",
        name,
        LabelSelector(),
        (Direction.INGRESS,),
        (rule,),
        kind="ClusterNetworkPolicy",
        namespace_selector=LabelSelector(),
        tier=tier,
        priority=priority,
    )


ADMIN_DENY = tier_policy("deny", Tier.ADMIN, Action.DENY, 5)
ADMIN_ALLOW = tier_policy("allow", Tier.ADMIN, Action.ALLOW, 3)
ADMIN_PASS = tier_policy("pass", Tier.ADMIN, Action.PASS, 2)
BASELINE_DENY = tier_policy("base", Tier.BASELINE, Action.DENY)


@pytest.mark.parametrize(
    ("before", "after", "changes", "causes"),
    [
        pytest.param([], [ADMIN_DENY], "allowed blocked", "denies deny", id="an Admin Deny closes"),
        pytest.param([ADMIN_DENY], [], "blocked allowed", "no longer denies deny", id="without it, it opens"),
        pytest.param(
            [ADMIN_DENY], [ADMIN_DENY, ADMIN_ALLOW], "blocked allowed", "allows allow, no longer denies deny",
            id="an Accept of higher priority opens",
        ),
        pytest.param([ADMIN_DENY], [ADMIN_DENY, ADMIN_PASS], "blocked allowed", "passes pass", id="so does a Pass"),
        pytest.param([ADMIN_PASS], [ADMIN_PASS, ADMIN_DENY], None, "", id="a Deny behind a Pass changes nothing"),
        pytest.param([BASELINE_DENY], [], "blocked allowed", "no longer denies base", id="Baseline denies no longer"),
        pytest.param(
            [DENY, BASELINE_DENY], [DENY], None, "", id="Baseline is not asked where a NetworkPolicy isolates"
        ),
        pytest.param(
            [ADMIN_DENY], [tier_policy("deny", Tier.ADMIN, Action.DENY, 9)], None, "", id="another priority alone"
        ),
    ],
)  # fmt: skip
def test_the_tiers_change(before: list[Policy], after: list[Policy], changes: str | None, causes: str) -> None:
    pods = (SHOP[1], pod("a/web", "10.0.0.1"))
    old = Snapshot(namespaces=NAMESPACES, pods=pods, policies=[DENY])
    old = old.with_policies(before)
    found = changes_between(old, old.with_policies(after))
    assert {" ".join(row.split()[-2:]) for row in rows(found)} == ({changes} if changes else set())
    known = {policy.key: policy for policy in (*before, *after)}
    verbs = {Action.ALLOW: "allows", Action.DENY: "denies", Action.PASS: "passes"}
    named = {
        f"{'no longer ' if cause.gone else ''}{verbs[cause.action]} {known[cause.policy].name}"
        for change in found.connections
        for cause in change.because
    }
    assert not named or named & set(causes.split(", "))
    assert bool(named) is bool(changes)
    assert found.isolated == ()


def test_only_the_end_whose_tier_changed_has_a_cause() -> None:
    only_db = tier_policy("from-db", Tier.ADMIN, Action.DENY, 1, Peer(LabelSelector(), DB))
    pods = (pod("a/web", "10.0.0.1"), pod("a/api", "10.0.0.2"), pod("b/db", "10.0.0.4", app="db"))
    old = Snapshot(namespaces=NAMESPACES, pods=pods)
    found = changes_between(old, old.with_policies([only_db]))
    assert {member.title for change in found.connections for member in change.sources} == {"b/db"}


def test_pods_on_two_nodes_are_one_group_whichever_comes_first() -> None:
    """A pod on the host network of one of the nodes is let in there, and is not elsewhere."""
    near, far = (
        Pod("a", name, {}, (ip,), node=node)
        for name, ip, node in (("near", "10.0.0.1", "n1"), ("far", "10.0.0.2", "n2"))
    )
    agent = Pod("b", "agent", {}, ("192.168.0.1",), host_network=True, node="n1")
    found = []
    for pods in ([near, far, agent], [far, near, agent]):
        before = Snapshot(namespaces=NAMESPACES, pods=pods)
        changes = changes_between(before, before.with_policies([DENY]))
        found.append(
            {row.replace("a/far,a/near", "a/near,a/far") for row in rows(changes) if row.startswith("b/agent ->")}
        )
    assert found[0] == found[1] != set()
    assert all(row.endswith("allowed undefined") for row in found[0])


def test_pods_that_only_a_policy_of_cilium_tells_apart_are_not_one_group() -> None:
    cluster = yaml.safe_load("""
      namespaces: {a: {}}
      pods:
        a/web: {labels: {app: web}, ip: 10.0.0.1}
        a/one: {labels: {grade: one}, ip: 10.0.0.2}
        a/two: {labels: {grade: two}, ip: 10.0.0.3}
      objects:
      - apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {namespace: a, name: c}
        spec:
          endpointSelector: {matchLabels: {app: web}}
          ingressDeny: [{fromEndpoints: [{matchLabels: {grade: two}}]}]
    """)
    before = snapshot_of(cluster)
    assert before.plugin == "Cilium"
    allow = ingress("allow", WEB, Peer(pod_selector=LabelSelector()), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(before, before.with_policies([allow]))
    assert {member.title for change in found.opens for member in change.sources} == {"a/one"}


def test_a_link_local_address_may_be_the_nodes_own_and_is_not_taken_for_any_other() -> None:
    """Of another pod's policy; the one that changes does not tell the two apart."""
    block = Peer(ip_block=IPBlock("169.254.0.0/16"))
    other = Policy("a", "other", WEB, (Direction.EGRESS,), (Rule(Direction.EGRESS, 0, (block,)),))
    shut = Policy("a", "shut", DB, (Direction.EGRESS,))
    found = changes_between(cluster(other, pods=SHOP), cluster(other, shut, pods=SHOP))
    assert rows(found) == [
        "a/api -> a/web,b/far,outside the cluster other allowed blocked",
        "a/api -> addresses in 169.254.0.0/16 other allowed undefined",
    ]
