"""Sets of pods: which pods a selector, a namespace or an address block matches, and for which that is unknown."""

from __future__ import annotations

import pytest

from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.model.objects import Namespace, Pod
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement, in_namespace
from kubectl_netpol.model.snapshot import Snapshot

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


def test_no_pods_are_the_empty_set() -> None:
    sets = PodSets(Snapshot(), ())
    assert (sets.all, sets.of([]), sets.selected(LabelSelector())) == (0, 0, 0)
