"""Which pods and outside addresses are one group, and which ends represent them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.analysis.groups import OUTSIDE_TITLE, Member, PodGroup, outside_groups, pod_groups
from kubectl_netpol.model.objects import ContainerPort, Node, Owner, Pod, Workload
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERRIDING = [
    UnevaluatedPolicy("X", None, "some", pod_selector=LabelSelector.of({"other": "1"})),
    UnevaluatedPolicy("X", None, "any"),
]
APP, TIER = LabelSelector.of({"app": "web"}), LabelSelector.of({"tier": "back"})


def pod(name: str, **fields: Any) -> Pod:
    namespace, _, name = f"a/{name}".rpartition("/")
    return Pod(namespace.removeprefix("a/") or "a", name, **{"ips": ("10.0.0.1",), **fields})


def policy(selector: LabelSelector, *peers: Peer) -> Policy:
    return Policy("a", "p", selector, (Direction.INGRESS,), (Rule(Direction.INGRESS, 0, peers),))


def pods_of(groups: Sequence[PodGroup]) -> list[str]:
    return [" ".join(member.title for member in group.members) for group in groups]


@pytest.mark.parametrize(
    ("one", "two", "together"),
    [
        pytest.param(pod("x"), pod("y"), True, id="pods without a difference"),
        pytest.param(pod("x"), pod("b/y"), False, id="two namespaces"),
        pytest.param(
            pod("x", labels={"app": "1"}), pod("y", labels={"app": "2"}), False, id="a label that a policy uses"
        ),
        pytest.param(pod("x", labels={"tier": "1"}), pod("y"), False, id="a label that a peer uses"),
        pytest.param(pod("x", labels={"other": "1"}), pod("y"), False, id="a label that an overriding policy uses"),
        pytest.param(pod("x", labels={"zone": "1"}), pod("y", labels={"zone": "2"}), True, id="a label that none uses"),
        pytest.param(pod("x", ports=(ContainerPort("http", 80),)), pod("y"), False, id="declared ports"),
        pytest.param(pod("x", ips=("10.0.0.1",)), pod("y", ips=("10.0.0.9",)), True, id="addresses in the same blocks"),
        pytest.param(pod("x", ips=("10.0.0.1",)), pod("y", ips=("10.0.1.1",)), False, id="addresses in other blocks"),
        pytest.param(
            pod("x", ips=("fd00::1",)), pod("y", ips=("fd00:1::1",)), False, id="IPv6 addresses in other blocks"
        ),
        pytest.param(pod("x", ips=("10.9.0.1",)), pod("y", ips=("fd99::1",)), False, id="another address family"),
        pytest.param(pod("x", ips=("10.0.0.1", "fd99::1")), pod("y"), False, id="a second address family"),
        pytest.param(pod("x", node="n1"), pod("y", node="n2"), True, id="two nodes"),
        pytest.param(
            pod("x", node="n1", host_network=True),
            pod("y", node="n2", host_network=True),
            False,
            id="two host networks",
        ),
        pytest.param(pod("x", node="n1", host_network=True), pod("y", node="n1"), False, id="a host network and none"),
    ],
)
def test_pods_are_one_group_where_no_policy_tells_them_apart(one: Pod, two: Pod, together: bool) -> None:  # noqa: FBT001 - a column
    snapshot = Snapshot(pods=(one, two), unevaluated=OVERRIDING)
    groups = pod_groups(
        snapshot,
        [policy(APP, Peer(pod_selector=TIER), Peer(namespace_selector=LabelSelector()))],
        ["10.0.0.0/24", "fd00::/64"],
    )
    assert [group.number for group in groups] == list(range(1 if together else 2))
    assert [group.pod for group in groups] == ([one] if together else [one, two])


def test_members_are_workloads_with_the_number_of_their_pods() -> None:
    of_web = Owner("ReplicaSet", "web-5d")
    template = pod("web-5d", planned=True, owner=Owner("Deployment", "web"))
    snapshot = Snapshot(
        pods=[pod("web-5d-1", owner=of_web), pod("lone"), pod("web-5d-2", owner=of_web)],
        workloads=[Workload("ReplicaSet", "a", "web-5d", None, template)],
    )
    (group,) = pod_groups(snapshot, [], [])
    assert group.members == (Member("a/deploy/web", "a", 2), Member("a/lone", "a", 1))


@pytest.mark.parametrize(
    ("pods", "ends"),
    [
        pytest.param([pod("x")], ["x"], id="one pod"),
        pytest.param([pod("x", node="n1"), pod("y", node="n1"), pod("z", node="n2")], ["x", "z"], id="another node"),
        pytest.param(
            [pod("x", node="n1"), pod("y", node="n2"), pod("z", node="n1")], ["x", "y"], id="the first node again"
        ),
        pytest.param([pod("x", node="n1"), pod("y", node="n1"), pod("z", node="n1")], ["x", "y"], id="one node"),
        pytest.param([pod("x"), pod("y")], ["x", "y"], id="two pods"),
        pytest.param([pod("x"), pod("y", phase="Failed")], ["x"], id="a finished pod is in no group"),
    ],
)
def test_the_ends_are_the_first_pod_and_one_on_another_node(pods: list[Pod], ends: list[str]) -> None:
    (group,) = pod_groups(Snapshot(pods=pods), [], [])
    assert [end.pod.name for end in group.ends if end.pod] == ends
    assert [end.address for end in group.ends] == ["10.0.0.1"] * len(ends)


def test_a_pod_without_an_address_is_evaluated_as_if_from_a_manifest() -> None:
    (group,) = pod_groups(Snapshot(pods=[pod("x", ips=(), phase="Pending")]), [], [])
    assert group.pod
    assert (group.pod.planned, group.ends[0].address) == (True, None)


@pytest.mark.parametrize(
    ("blocks", "addresses"),
    [
        pytest.param([], {OUTSIDE_TITLE: "203.0.113.77"}, id="no block: one address outside"),
        pytest.param(
            ["10.9.0.0/24"],
            {OUTSIDE_TITLE: "203.0.113.77", "addresses in 10.9.0.0/24": "10.9.0.0"},
            id="a block: one address in it",
        ),
        pytest.param(
            ["10.0.0.0/24", "10.0.0.0/30", "10.0.0.4/30"],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                "addresses in 10.0.0.0/30": "10.0.0.0",
                "addresses in 10.0.0.4/30": "10.0.0.4",
                "addresses in 10.0.0.0/24": "10.0.0.8",
            },
            id="blocks in a block: an address in no narrower one",
        ),
        pytest.param(
            ["203.0.113.0/24", "0.0.0.0/0"],
            {OUTSIDE_TITLE: "198.51.100.77", "addresses in 203.0.113.0/24": "203.0.113.0"},
            id="the address outside is in no block, but for the block of all addresses",
        ),
        pytest.param(
            ["10.9.0.0/24", "2001:db8::/32"],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                "outside the cluster (IPv6)": "2620:fe::9",
                "addresses in 10.9.0.0/24": "10.9.0.0",
                "addresses in 2001:db8::/32": "2001:db8::",
            },
            id="blocks of both families",
        ),
        pytest.param(
            ["2001:db8::/32"],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                "outside the cluster (IPv6)": "2620:fe::9",
                "addresses in 2001:db8::/32": "2001:db8::",
            },
            id="a block of the other family: an address of each family",
        ),
        pytest.param(
            [f"10.{number}.0.0/24" for number in (9, 7, 8, 5, 6)],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                **{f"addresses in 10.{number}.0.0/24": f"10.{number}.0.0" for number in (5, 6, 7, 8, 9)},
            },
            id="blocks of one size in the order of their text",
        ),
        pytest.param(
            ["198.51.100.7/32"],
            {OUTSIDE_TITLE: "203.0.113.77", "198.51.100.7": "198.51.100.7"},
            id="a block of one address is that address",
        ),
        pytest.param(["10.0.0.1/32"], {OUTSIDE_TITLE: "203.0.113.77"}, id="a block of one pod has no other address"),
        pytest.param(
            ["10.0.0.2/31"],
            {OUTSIDE_TITLE: "203.0.113.77", "addresses in 10.0.0.2/31": "10.0.0.3"},
            id="the address of a node is not outside",
        ),
        pytest.param(
            ["255.255.255.254/31", "255.255.255.254/32"],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                "255.255.255.254": "255.255.255.254",
                "addresses in 255.255.255.254/31": "255.255.255.255",
            },
            id="the last address of all",
        ),
        pytest.param(
            ["255.255.255.254/31", "255.255.255.254/32", "255.255.255.255/32"],
            {
                OUTSIDE_TITLE: "203.0.113.77",
                "255.255.255.254": "255.255.255.254",
                "255.255.255.255": "255.255.255.255",
            },
            id="a block that narrower ones fill has no address of its own",
        ),
        pytest.param(
            ["0.0.0.0/1", "128.0.0.0/1"],
            {"addresses in 0.0.0.0/1": "0.0.0.0", "addresses in 128.0.0.0/1": "128.0.0.0"},
            id="blocks that hold every address: there is no outside of them",
        ),
    ],
)
def test_the_addresses_that_represent_the_outside(blocks: list[str], addresses: dict[str, str]) -> None:
    snapshot = Snapshot(pods=[pod("x")], nodes=[Node("n", ("10.0.0.2",))])
    groups = outside_groups(snapshot, blocks, 7)
    assert [(group.members[0].title, group.ends[0].address) for group in groups] == list(addresses.items())
    assert [group.number for group in groups] == list(range(7, 7 + len(addresses)))
    assert all(group.pod is None for group in groups)


def test_the_address_of_a_pod_is_not_outside() -> None:
    groups = outside_groups(Snapshot(pods=[pod("x", ips=("203.0.113.77",))]), [], 0)
    assert [group.ends[0].address for group in groups] == ["198.51.100.77"]


def test_the_address_of_a_pods_node_is_not_outside() -> None:
    groups = outside_groups(Snapshot(pods=[pod("x", host_ips=("203.0.113.77",))]), [], 0)
    assert [group.ends[0].address for group in groups] == ["198.51.100.77"]


def test_a_cluster_of_ipv6_alone_has_an_ipv6_outside() -> None:
    groups = outside_groups(Snapshot(pods=[pod("x", ips=("fd00::1",))]), [], 0)
    assert {group.members[0].title: group.ends[0].address for group in groups} == {OUTSIDE_TITLE: "2001:db8:77::77"}


def test_an_empty_cluster_has_an_ipv4_outside() -> None:
    assert [group.ends[0].address for group in outside_groups(Snapshot(), [], 0)] == ["203.0.113.77"]
