"""compare() against asking the engine about every single connection, and its attribution."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netpol.analysis.changes import Cause, Changes, changes_between
from kubectl_netpol.analysis.groups import OUTSIDE_TITLE, outside_groups
from kubectl_netpol.analysis.port_classes import PortClass, port_classes
from kubectl_netpol.engine.evaluate import evaluate, isolating_policies
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.model.objects import ContainerPort, Namespace, Owner, Pod, Workload
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement
from kubectl_netpol.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def rows(comparison: Changes) -> list[str]:
    """Each effect as one line."""
    return sorted(
        f"{','.join(p.title for p in effect.sources)} -> {','.join(p.title for p in effect.destinations)} "
        f"{'other' if effect.ports.other else f'{effect.ports.first}-{effect.ports.last}'}/{effect.ports.protocol} "
        f"{effect.before.value} {effect.after.value}"
        for effect in comparison.connections
    )


SHOP = (
    pod("a/web", "10.0.0.1", app="web"),
    pod("a/api", "10.0.0.2", (ContainerPort("http", 80), ContainerPort("metrics", 90)), app="db"),
    pod("b/far", "10.0.0.3", app="far"),
)


def test_a_policy_that_lets_one_in_cuts_the_others_off() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(cluster(pods=SHOP), cluster(allow, pods=SHOP))
    assert rows(found) == [
        "a/web -> a/api 90-90/TCP allowed blocked",
        "a/web -> a/api other/TCP allowed blocked",
        "b/far,outside the cluster -> a/api 80-80/TCP allowed blocked",
        "b/far,outside the cluster -> a/api 90-90/TCP allowed blocked",
        "b/far,outside the cluster -> a/api other/TCP allowed blocked",
    ]
    assert {effect.because for effect in found.connections} == {
        (Cause("a/allow", Direction.INGRESS, None, gone=False),)
    }
    assert {effect.other_ports_open for effect in found.connections if effect.sources[0].title == "a/web"} == {True}
    assert {effect.other_ports_open for effect in found.connections if effect.sources[0].title == "b/far"} == {False}
    assert [(one.member.title, one.newly) for one in found.isolated] == [("a/api", True)]
    assert found.opens == ()
    assert len(found.closes) == 5


def test_a_rule_that_opens_is_named_and_nothing_else_changes() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(NamedPort("TCP", "http"),))
    found = changes_between(cluster(DENY, pods=SHOP), cluster(DENY, allow, pods=SHOP))
    assert rows(found) == ["a/web -> a/api 80-80/TCP blocked allowed"]
    assert found.connections[0].because == (Cause("a/allow", Direction.INGRESS, 0, gone=False),)
    assert [(one.member.title, one.newly) for one in found.isolated] == [("a/api", False)]


def test_deleting_a_policy_opens_what_it_isolated() -> None:
    found = changes_between(cluster(DENY, pods=SHOP), cluster(pods=SHOP))
    assert all(effect.opens for effect in found.connections)
    assert {effect.because for effect in found.connections} == {(Cause("a/deny", Direction.INGRESS, None, gone=True),)}


def test_deleting_a_rule_closes_what_it_allowed() -> None:
    allow = ingress("allow", DB, Peer(pod_selector=WEB), ports=(PortRange("TCP", 80, 80),))
    found = changes_between(cluster(DENY, allow, pods=SHOP), cluster(DENY, pods=SHOP))
    assert rows(found) == ["a/web -> a/api 80-80/TCP allowed blocked"]
    assert found.connections[0].because == (Cause("a/allow", Direction.INGRESS, 0, gone=True),)


def test_the_same_policy_changed_at_another_time_changes_nothing() -> None:
    later = DENY._replace(changed="2026-01-01T00:00:00Z")
    assert changes_between(cluster(DENY, pods=SHOP), cluster(later, pods=SHOP)) == Changes()


def test_replicas_are_one_party_and_reach_each_other() -> None:
    pods = tuple(
        pod(f"a/web-5d-{n}", f"10.0.0.{n}")._replace(
            labels={"app": "web", "pod-template-hash": "5d"}, owner=Owner("ReplicaSet", "web-5d")
        )
        for n in (1, 2, 3)
    )
    found = changes_between(cluster(pods=pods), cluster(DENY, pods=pods))
    assert rows(found) == ["a/deploy/web,outside the cluster -> a/deploy/web other/TCP allowed blocked"]
    assert found.connections[0].destinations[0].pods == 3


def test_every_block_has_an_address_of_its_own_and_the_outside_is_in_none() -> None:
    snapshot = cluster(pods=SHOP)
    groups = outside_groups(snapshot, ["10.0.0.0/24", "10.0.0.0/30", "10.0.0.4/30", "0.0.0.0/0", "2001:db8::/32"], 7)
    addresses = {group.members[0].title: group.ends[0].address for group in groups}
    assert addresses == {
        OUTSIDE_TITLE: "203.0.113.77",
        "outside the cluster (IPv6)": "2620:fe::9",
        "addresses in 10.0.0.0/30": "10.0.0.0",
        "addresses in 10.0.0.4/30": "10.0.0.4",
        "addresses in 10.0.0.0/24": "10.0.0.8",
        "addresses in 2001:db8::/32": "2001:db8::",
    }


def test_ports_are_split_where_rules_and_declarations_differ() -> None:
    rule = Rule(Direction.INGRESS, 0, (), (PortRange("TCP", 80, 90), PortRange("UDP", 53, 53), PortRange("SCTP")))
    declaring = pod("a/x", "", (ContainerPort("http", 85),))
    assert port_classes(declaring, [rule]) == [
        PortClass("TCP", 80, 84),
        PortClass("TCP", 85, 85),
        PortClass("TCP", 86, 90),
        PortClass("TCP", 65535, 65535, other=True, undeclared=True),
        PortClass("UDP", 53, 53),
        PortClass("UDP", 65535, 65535, other=True, undeclared=True),
        PortClass("SCTP", 1, 65535, other=True, undeclared=True),
    ]


def test_ports_that_rules_name_to_the_last_leave_no_rest() -> None:
    rule = Rule(Direction.INGRESS, 0, (), (PortRange("TCP", 1, 79), PortRange("TCP", 80, 65535)))
    assert port_classes(None, [rule]) == [PortClass("TCP", 1, 79), PortClass("TCP", 80, 65535)]


def test_a_replica_set_that_was_read_is_its_deployment_and_finished_pods_are_nobody() -> None:
    template = pod("a/web-5d")._replace(owner=Owner("Deployment", "web"))
    workload = Workload("ReplicaSet", "a", "web-5d", None, template)
    running = pod("a/web-5d-1", "10.0.0.1")._replace(owner=Owner("ReplicaSet", "web-5d"))
    done = pod("a/job-1", "10.0.0.2")._replace(phase="Succeeded")
    before, after = (
        Snapshot(namespaces=NAMESPACES, pods=(running, done), policies=policies, workloads=(workload,))
        for policies in ((), (DENY,))
    )
    assert rows(changes_between(before, after)) == ["outside the cluster -> a/deploy/web other/TCP allowed blocked"]


def test_a_block_without_an_address_of_its_own_stands_for_nobody() -> None:
    groups = outside_groups(cluster(pods=SHOP), ["10.0.0.2/32", "255.255.255.254/31", "255.255.255.254/32"], 0)
    assert [group.members[0].title for group in groups] == [
        OUTSIDE_TITLE,
        "255.255.255.254",
        "addresses in 255.255.255.254/31",
    ]
    full = outside_groups(cluster(pods=SHOP), ["255.255.255.254/31", "255.255.255.254/32", "255.255.255.255/32"], 0)
    assert len(full) == len((OUTSIDE_TITLE, "255.255.255.254", "255.255.255.255"))


# Random small clusters.

LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["web", "db"]), max_size=2)
REQUIREMENT = st.one_of(
    st.builds(
        lambda key, value: Requirement(key, Operator.IN, (value,)),
        st.sampled_from(["app", "tier"]),
        st.sampled_from(["web", "db"]),
    ),
    st.builds(lambda key: Requirement(key, Operator.DOES_NOT_EXIST), st.sampled_from(["app", "tier"])),
)
SELECTOR = st.builds(lambda found: LabelSelector(tuple(found)), st.lists(REQUIREMENT, max_size=2))
NAMESPACE_SELECTOR = st.sampled_from(
    [LabelSelector(), LabelSelector.of({"team": "x"}), LabelSelector.of({"team": "y"})]
)
BLOCK = st.sampled_from(
    [
        IPBlock("10.0.0.0/29"),
        IPBlock("10.0.0.0/24", ("10.0.0.4/30",)),
        IPBlock("0.0.0.0/0", ("10.0.0.0/24",)),
        IPBlock("fd00::/64"),
    ]
)
PEER = st.one_of(
    st.builds(lambda pods: Peer(pod_selector=pods), SELECTOR),
    st.tuples(NAMESPACE_SELECTOR, st.none() | SELECTOR).map(lambda pair: Peer(*pair)),
    st.builds(lambda block: Peer(ip_block=block), BLOCK),
)
PORT: st.SearchStrategy[PortRange | NamedPort] = st.sampled_from(
    [
        PortRange("TCP", 80, 80),
        PortRange("TCP", 79, 81),
        PortRange("UDP", 53, 53),
        PortRange("TCP"),
        NamedPort("TCP", "http"),
    ]
)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        directions = draw(st.sampled_from([(Direction.INGRESS,), (Direction.EGRESS,), tuple(Direction)]))
        rules = tuple(
            Rule(direction, position, tuple(draw(st.lists(PEER, max_size=2))), tuple(draw(st.lists(PORT, max_size=2))))
            for direction in directions
            for position in range(draw(st.integers(0, 2)))
        )
        found.append(Policy(draw(st.sampled_from("ab")), f"p{number}", draw(SELECTOR), directions, rules))
    return tuple(found)


@st.composite
def pods(draw: st.DrawFn) -> tuple[Pod, ...]:
    families = draw(st.sampled_from([("10.0.0.{}",), ("10.0.0.{}", "fd00::{}"), ("10.0.0.{}", "fd01::{}")]))
    return tuple(
        Pod(
            draw(st.sampled_from("ab")),
            f"pod{number}",
            draw(LABELS),
            tuple(family.format(number) for family in families),
            draw(st.sampled_from([(), (ContainerPort("http", 80),), (ContainerPort("http", 8080),)])),
        )
        for number in range(2, 2 + draw(st.integers(1, 5)))
    )


OUTSIDERS = {
    OUTSIDE_TITLE: "198.51.100.9",
    "addresses in 10.0.0.0/29": "10.0.0.1",
    "addresses in 10.0.0.0/24": "10.0.0.99",
    "addresses in 10.0.0.4/30": "10.0.0.7",
}
FAMILIES = 2


def one_by_one(snapshot: Snapshot, source: Pod | str, destination: Pod | str, protocol: str, port: int) -> Verdict:
    """The engine's answer for all families together."""
    answers = set()
    for family in range(FAMILIES):
        ends = []
        for one in (source, destination):
            addresses = (one,) if isinstance(one, str) else one.ips
            if family >= len(addresses):
                break
            ends.append(End(pod=None if isinstance(one, str) else one, address=addresses[family]))
        else:
            answers.add(evaluate(snapshot, Connection(ends[0], ends[1], protocol, port)).verdict)
    return answers.pop() if len(answers) == 1 else Verdict.UNDEFINED


def told(
    comparison: Changes, title: str, other: str, protocol: str, port: int, *, named: bool
) -> Iterator[tuple[Verdict, Verdict]]:
    for effect in comparison.connections:
        titles = ({party.title for party in effect.sources}, {party.title for party in effect.destinations})
        covered = effect.ports.first <= port <= effect.ports.last if named else effect.ports.other
        same = named is not effect.ports.other and effect.ports.protocol == protocol
        if title in titles[0] and other in titles[1] and covered and same:
            yield effect.before, effect.after


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pods(), policies(), policies())
def test_compare_says_of_every_connection_what_the_engine_says(
    found: tuple[Pod, ...], old: tuple[Policy, ...], new: tuple[Policy, ...]
) -> None:
    before, after = cluster(*old, pods=found), cluster(*new, pods=found)
    comparison = changes_between(before, after)
    known = {party.title for effect in comparison.connections for party in (*effect.sources, *effect.destinations)}
    taken = {ip for one in found for ip in one.ips}
    ends: list[Pod | str] = [
        *found,
        *(t for t, address in OUTSIDERS.items() if address not in taken and (t in known or t == OUTSIDE_TITLE)),
    ]
    for one, other in itertools.permutations(ends, 2):
        if isinstance(one, str) and isinstance(other, str):
            continue
        source, destination = (OUTSIDERS[end] if isinstance(end, str) else end for end in (one, other))
        title, other_title = (end if isinstance(end, str) else end.key for end in (one, other))
        items = [
            item
            for snapshot in (before, after)
            for end, direction in ((source, Direction.EGRESS), (destination, Direction.INGRESS))
            if isinstance(end, Pod)
            for policy in isolating_policies(snapshot, end, direction)
            for rule in policy.rules_of(direction)
            for item in rule.ports
        ]
        named_ports = {
            (port.protocol, port.number) for port in (destination.ports if isinstance(destination, Pod) else ())
        }
        for item in items:
            if isinstance(item, PortRange) and item.first > 1:
                named_ports |= {(item.protocol, number) for number in range(item.first, item.last + 1)}
        for protocol, port in itertools.product(("TCP", "UDP"), (53, 79, 80, 8080, 40000)):
            named = (protocol, port) in named_ports
            answers = [one_by_one(snapshot, source, destination, protocol, port) for snapshot in (before, after)]
            wanted = [] if answers[0] is answers[1] else [tuple(answers)]
            got = list(told(comparison, title, other_title, protocol, port, named=named))
            if protocol == "UDP" and protocol not in {item.protocol for item in items}:
                continue  # ports of a protocol that nobody names are not looked at
            assert got == wanted, (title, other_title, protocol, port)
