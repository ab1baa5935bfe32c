"""Sets of pods: which pods a selector, a namespace or an address block matches, and for which that is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.model.objects import Namespace, Node, Pod
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule, Tier
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement, in_namespace
from kubectl_netpol.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
IN, NOT_IN, EXISTS, ABSENT = Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST
PODS = (
    Pod("x", "web", {"app": "web"}, ("10.0.0.1", "fd00::1")),
    Pod("x", "db", {"app": "db", "tier": "back"}, ("10.0.0.2", "fd00::2")),
    Pod("y", "api", {"app": "api", "tier": ""}, ("10.0.1.1", "fd00:1::1")),
    Pod("y", "bare", {}, ("10.0.1.2", "fd00:1::2")),
    Pod("y", "v6", {"app": "v6"}, ("fd00::9",)),
    Pod("z", "planned", {"app": "planned"}, planned=True),
    Pod("y", "done", {"app": "web"}, ("10.0.0.1",), phase="Succeeded"),
)
NAMESPACES = [Namespace(name, {METADATA_NAME: name, "team": team}) for name, team in (("x", "red"), ("y", "blue"))]
ALL = "web db api bare v6 planned done"


def sets_of(*blocks: IPBlock) -> PodSets:
    rules = tuple(Rule(INGRESS, number, (Peer(ip_block=block),)) for number, block in enumerate(blocks))
    policy = Policy("x", "p", LabelSelector(), (INGRESS,), rules)
    return PodSets(Snapshot(namespaces=NAMESPACES, pods=PODS, policies=[policy]), PODS)


def names(pods: int) -> str:
    return " ".join(pod.name for place, pod in enumerate(PODS) if pods >> (len(PODS) - 1 - place) & 1)


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        pytest.param((), ALL, id="no requirement matches every pod of every namespace"),
        pytest.param((Requirement("app", IN, ("web",)),), "web done", id="In with one value"),
        pytest.param((Requirement("app", IN, ("web", "db", "nobody")),), "web db done", id="In with several values"),
        pytest.param((Requirement("app", IN, ("nobody",)),), "", id="In with a value that no pod has"),
        pytest.param(
            (Requirement("app", NOT_IN, ("web",)),), "db api bare v6 planned", id="NotIn accepts an absent key"
        ),
        pytest.param((Requirement("app", NOT_IN, ("nobody",)),), ALL, id="NotIn with a value that no pod has"),
        pytest.param((Requirement("tier", EXISTS),), "db api", id="Exists accepts an empty value"),
        pytest.param((Requirement("tier", ABSENT),), "web bare v6 planned done", id="DoesNotExist"),
        pytest.param((Requirement("none", EXISTS),), "", id="a key that no pod has"),
        pytest.param(
            (Requirement("tier", EXISTS), Requirement("app", NOT_IN, ("db",))), "api", id="all requirements must match"
        ),
    ],
)
def test_a_selector(requirements: tuple[Requirement, ...], expected: str) -> None:
    assert names(sets_of().selected(LabelSelector(requirements))) == expected


@pytest.mark.parametrize(
    ("peer", "yes", "unknown"),
    [
        pytest.param(Peer(None, LabelSelector()), "web db", "", id="an empty podSelector: the policy's own namespace"),
        pytest.param(Peer(None, LabelSelector.of({"app": "api"})), "", "", id="a podSelector does not reach further"),
        pytest.param(
            Peer(LabelSelector()), "web db api bare v6 planned", "", id="every namespace, without finished pods"
        ),
        pytest.param(Peer(in_namespace("y")), "api bare v6", "", id="a namespace by its name"),
        pytest.param(Peer(in_namespace("z")), "planned", "", id="a namespace by its name, also if it was not read"),
        pytest.param(
            Peer(LabelSelector.of({"team": "red"})), "web db", "planned", id="a label of a namespace that was not read"
        ),
        pytest.param(
            Peer(LabelSelector.of({"team": "red"}), LabelSelector.of({"app": "web"})),
            "web",
            "",
            id="both selectors must match",
        ),
    ],
)
def test_a_peer_by_selectors(peer: Peer, yes: str, unknown: str) -> None:
    sets = sets_of()
    matched = sets.peer(sets.snapshot.policies[0], peer, INGRESS, PODS[0], (4, 6))
    assert (names(matched.yes), names(matched.unknown)) == (yes, unknown)


@pytest.mark.parametrize(
    ("block", "families", "yes", "unknown"),
    [
        pytest.param(IPBlock("10.0.0.0/8"), (4,), "web db api bare done", "planned", id="by the family of the subject"),
        pytest.param(IPBlock("10.0.0.0/24"), (4,), "web db done", "planned", id="a smaller block"),
        pytest.param(IPBlock("10.0.0.2/32"), (4,), "db", "planned", id="a single address"),
        pytest.param(
            IPBlock("10.0.0.0/8", ("10.0.0.0/24",)),
            (4,),
            "api bare",
            "planned",
            id="without the addresses of except",
        ),
        pytest.param(IPBlock("10.0.0.3/24"), (4,), "web db done", "planned", id="host bits of the block are ignored"),
        pytest.param(IPBlock("192.0.2.0/24"), (4,), "", "planned", id="a block without pods"),
        pytest.param(IPBlock("fd00::/64"), (4,), "v6", "planned", id="a pod of the other family by its only address"),
        pytest.param(IPBlock("fd00::/64"), (6,), "web db v6", "planned", id="a block of IPv6"),
        pytest.param(
            IPBlock("fd00::/64"), (4, 6), "v6", "planned", id="dual stack: IPv4 first, IPv6 where there is none"
        ),
    ],
)
def test_a_peer_by_addresses(block: IPBlock, families: tuple[int, ...], yes: str, unknown: str) -> None:
    sets = sets_of(block, IPBlock("10.0.0.0/16"))
    subject = {(4,): PODS[6], (6,): PODS[4], (4, 6): PODS[0]}[families]
    assert sets.families[PODS.index(subject)] == families
    for direction in Direction:
        matched = sets.peer(sets.snapshot.policies[0], Peer(ip_block=block), direction, subject, families)
        assert (names(matched.yes), names(matched.unknown)) == (yes, unknown)


def test_the_first_pod_is_the_highest_bit() -> None:
    sets = sets_of()
    assert sets.of([0]) == 1 << 6
    assert sets.of([5, 0]) == 0b1000010
    assert sets.of([]) == 0
    assert sets.first(sets.of([3, 1, 5])) is PODS[1]
    assert sets.all == 0b1111111


def test_a_namespace_whose_pods_have_all_finished_has_none() -> None:
    pods = (Pod("x", "done", {}, ("10.0.0.1",), phase="Failed"), Pod("y", "web", {}, ("10.0.0.2",)))
    policy = Policy("x", "p", LabelSelector(), (INGRESS,))
    sets = PodSets(Snapshot(namespaces=NAMESPACES, pods=pods, policies=[policy]), pods)
    assert sets.peer(policy, Peer(LabelSelector()), INGRESS, pods[1], (4,)) == (0b01, 0, None)


def test_no_pods_are_the_empty_set() -> None:
    sets = PodSets(Snapshot(), ())
    assert (sets.all, sets.of([]), sets.selected(LabelSelector())) == (0, 0, 0)


TIERED = (
    Pod("x", "web", {"app": "web"}, ("10.0.0.1", "fd00::1")),
    Pod("y", "api", {"app": "api"}, ("10.0.1.1", "fd00:1::1")),
    Pod("z", "far", {"app": "web"}, ("10.0.2.1",)),
    Pod("y", "node1", {"app": "web"}, ("192.0.2.1",), host_network=True, node="n1"),
    Pod("y", "node2", {"app": "web"}, ("192.0.2.2",), host_network=True, node="n2"),
    Pod("y", "new", {"app": "web"}, planned=True, host_network=True),
    Pod("y", "planned", {"app": "web"}, planned=True),
)
NODES = [Node("n1", ("192.0.2.1", "198.51.100.1"), {"zone": "a"}), Node("n2", ("192.0.2.2",))]
BAD = "values: In requires at least one value"


def in_tier(peer: Peer, subject: Pod = TIERED[0], nodes: Sequence[Node] = NODES) -> tuple[str, str]:
    """The names of the pods that a peer of the Admin tier matches, and of those for which that is unknown."""
    policy = Policy(
        "", "p", LabelSelector(), (EGRESS,), (Rule(EGRESS, 0, (peer,)),), kind="AdminNetworkPolicy", tier=Tier.ADMIN
    )
    snapshot = Snapshot(namespaces=NAMESPACES, pods=TIERED, tiered=[policy], nodes=nodes)
    sets = PodSets(snapshot, TIERED)
    matched = sets.peer(policy, peer, EGRESS, subject, sets.families[TIERED.index(subject)])

    def named(pods: int) -> str:
        return " ".join(pod.name for place, pod in enumerate(TIERED) if pods >> (len(TIERED) - 1 - place) & 1)

    return named(matched.yes), named(matched.unknown)


@pytest.mark.parametrize(
    ("peer", "yes", "unknown"),
    [
        pytest.param(
            Peer(networks=(IPBlock("10.0.0.0/24"), IPBlock("192.0.2.2/32"))),
            "web node2",
            "new planned",
            id="several networks",
        ),
        pytest.param(Peer(networks=(IPBlock("::/0"),)), "", "new planned", id="a network of the other family"),
        pytest.param(Peer(node_selector=LabelSelector()), "node1 node2", "new", id="every node is its address"),
        pytest.param(Peer(node_selector=LabelSelector.of({"zone": "a"})), "node1", "new", id="a node by its label"),
        pytest.param(
            Peer(node_selector=LabelSelector(), unreadable=BAD),
            "",
            "node1 node2 new",
            id="nodes that can't be selected",
        ),
        pytest.param(
            Peer(domain_names=("example.com",)), "", "node1 node2 new", id="a name outside, which a node may have"
        ),
        pytest.param(
            Peer(domain_names=("a.svc",)), "", "web api far node1 node2 new planned", id="a name inside, of any pod"
        ),
        pytest.param(
            Peer(LabelSelector.of({"team": "blue"}), unreadable=BAD),
            "",
            "api far node1 node2 new planned",
            id="the half of a selector that can be evaluated counts",
        ),
        pytest.param(
            Peer(LabelSelector(), LabelSelector.of({"app": "api"}), unreadable=BAD), "", "api", id="its podSelector too"
        ),
        pytest.param(
            Peer(unreadable="its kind is not known"),
            "",
            "web api far node1 node2 new planned",
            id="a kind that is not known may be anything",
        ),
        pytest.param(Peer(same_labels=("team",)), "web", "far", id="the label of the subject's own namespace"),
        pytest.param(Peer(other_labels=("team",)), "api node1 node2 new planned", "far", id="another value of it"),
        pytest.param(
            Peer(None, LabelSelector.of({"app": "api"}), other_labels=("team",)), "api", "", id="with a podSelector"
        ),
        pytest.param(Peer(same_labels=()), "", "", id="no label at all"),
    ],
)
def test_a_peer_of_a_tier(peer: Peer, yes: str, unknown: str) -> None:
    assert in_tier(peer) == (yes, unknown)


def test_the_same_labels_as_the_subject_depend_on_the_subject() -> None:
    assert in_tier(Peer(same_labels=("team",)), TIERED[1])[0] == "api node1 node2 new planned"
    policy = Policy("", "p", LabelSelector(), (EGRESS,), kind="AdminNetworkPolicy", tier=Tier.ADMIN)
    sets = PodSets(Snapshot(namespaces=NAMESPACES, pods=TIERED, tiered=[policy]), TIERED)
    peer = Peer(same_labels=("team",))
    one, two = (sets.peer(policy, peer, EGRESS, pod, (4, 6)).yes for pod in TIERED[:2])
    assert (one, two) == (sets.of([0]), sets.of([1, 3, 4, 5, 6]))


def test_without_nodes_which_address_is_a_nodes_is_not_known() -> None:
    assert in_tier(Peer(node_selector=LabelSelector()), nodes=()) == ("", "node1 node2 new")
