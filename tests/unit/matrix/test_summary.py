"""The matrix by workload: which pods are a group, what their cells have in common, and examples of each verdict."""

from __future__ import annotations

import pytest

from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import (
    Cell,
    Summary,
    WorkloadSpan,
    by_namespace,
    examples,
    group_by_pod,
    group_by_workload,
    reference,
    summarize,
)
from kubectl_netpol.model.objects import ContainerPort, Owner, Pod, Workload
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot

INGRESS = Direction.INGRESS
HTTP = (ContainerPort("http", 80),)
SAN = Pod("x", "san", {"app": "san"}, ("10.0.0.1",))
WEB = Owner("ReplicaSet", "web-5d9")
WEB_2, WEB_3 = (
    Pod(
        "x",
        f"web-{number}",
        {"app": "web", "pod-template-hash": "5d9", "odd": str(number % 2)},
        (f"10.0.0.{number}",),
        HTTP,
        owner=WEB,
    )
    for number in (2, 3)
)
CAT = Pod("w", "cat", {"app": "cat"}, ("10.0.1.1",), HTTP)
PODS = (CAT, SAN, WEB_2, WEB_3)
GROUPS = (
    WorkloadSpan("w", "Pod", "cat", 0, 1),
    WorkloadSpan("x", "Pod", "san", 1, 2),
    WorkloadSpan("x", "Deployment", "web", 2, 4),
)


def policy(name: str, subject: dict[str, str], *apps: str) -> Policy:
    peers = tuple(Peer(LabelSelector(), LabelSelector.of({"app": app})) for app in apps)
    rules = (Rule(INGRESS, 0, peers),) if peers else ()
    return Policy("x", name, LabelSelector.of(subject), (INGRESS,), rules)


def summary_of(
    *policies: Policy, port: int | str = 80, counted: int | None = None
) -> tuple[Summary, list[tuple[Grid, int]]]:
    sets = PodSets(Snapshot(pods=PODS, policies=policies), PODS)
    grids = [(Grid(sets, "TCP", port), sets.all if counted is None else counted)]
    return summarize(grids, GROUPS), grids


def test_pods_are_sorted_and_grouped_by_workload() -> None:
    assert group_by_workload(Snapshot(), (WEB_3, SAN, WEB_2, CAT)) == (PODS, GROUPS)


def test_a_workload_that_was_read_owns_the_pods_of_its_replica_sets() -> None:
    template = Pod("x", "plain", owner=Owner("Deployment", "plain"), planned=True)
    workload = Workload("ReplicaSet", "x", "plain-1", None, template)
    pods = [Pod("x", "b", owner=Owner("ReplicaSet", "plain-1")), Pod("x", "a", owner=Owner("ReplicaSet", "plain-1"))]
    ordered, groups = group_by_workload(Snapshot(workloads=[workload]), pods)
    assert [pod.name for pod in ordered] == ["a", "b"]
    assert groups == (WorkloadSpan("x", "Deployment", "plain", 0, 2),)


def test_a_group_has_a_size_and_a_key() -> None:
    assert (GROUPS[2].size, GROUPS[2].key) == (2, "x/web")


def test_every_pod_may_be_a_group() -> None:
    assert [(group.kind, group.key, group.first, group.last) for group in group_by_pod(PODS)] == [
        ("Pod", "w/cat", 0, 1),
        ("Pod", "x/san", 1, 2),
        ("Pod", "x/web-2", 2, 3),
        ("Pod", "x/web-3", 3, 4),
    ]


@pytest.mark.parametrize(
    ("group", "pod", "text"),
    [
        pytest.param(GROUPS[2], WEB_2, "x/pod/web-2", id="a running pod by its own name"),
        pytest.param(GROUPS[1], SAN, "x/pod/san", id="a pod without a workload"),
        pytest.param(
            GROUPS[2],
            Pod("x", "web", planned=True, owner=Owner("Deployment", "web")),
            "x/deploy/web",
            id="a template by its workload",
        ),
        pytest.param(
            WorkloadSpan("x", "Widget", "web", 0, 1),
            Pod("x", "web", planned=True, owner=Owner("Widget", "web")),
            "x/widget/web",
            id="a template of a kind without a short form",
        ),
        pytest.param(GROUPS[1], Pod("x", "san", planned=True), "x/pod/san", id="a pod of a manifest"),
    ],
)
def test_the_argument_for_explain(group: WorkloadSpan, pod: Pod, text: str) -> None:
    assert reference(group, pod) == text


@pytest.mark.parametrize(
    ("policies", "letters"),
    [
        pytest.param((), (" aa", "a a", "aaa"), id="all pods of all groups agree"),
        pytest.param(
            (policy("p", {"app": "web"}),), (" ab", "a b", "aab"), id="a group that blocks all, its own pods too"
        ),
        pytest.param((policy("p", {"odd": "1"}),), (" a~", "a ~", "aa~"), id="one pod of the group blocks"),
        pytest.param((policy("p", {"app": "web"}, "san"),), (" ab", "a a", "aab"), id="a rule for one group"),
    ],
)
def test_the_letter_of_a_group(policies: tuple[Policy, ...], letters: tuple[str, ...]) -> None:
    summary, _ = summary_of(*policies)
    assert summary.letters() == letters


def test_pods_without_the_port_have_a_letter_of_their_own() -> None:
    summary, _ = summary_of(port="http")
    assert summary.letters() == (" -a", "a a", "a-a")


def test_a_grid_counts_for_the_destinations_in_its_set_only() -> None:
    summary, _ = summary_of(policy("p", {"odd": "1"}), counted=0b0010)
    assert summary.letters() == ("  a", "  a", "  a")


def test_grids_of_several_ports_are_put_into_one_summary() -> None:
    sets = PodSets(Snapshot(pods=PODS, policies=[policy("p", {"app": "web"})]), PODS)
    grids = [(Grid(sets, "TCP", 80), 0b0011), (Grid(sets, "TCP", 81), 0b1000)]
    assert summarize(grids, GROUPS).letters() == ("  b", "a b", "a b")


def test_an_example_is_the_first_pair_of_pods_with_a_letter() -> None:
    summary, grids = summary_of(policy("p", {"odd": "1"}))
    assert examples(grids, summary, [(1, 2), (2, 2)]) == {
        (1, 2): {"a": Cell(1, 2, "TCP", 80), "b": Cell(1, 3, "TCP", 80)},
        (2, 2): {"b": Cell(2, 3, "TCP", 80), "a": Cell(3, 2, "TCP", 80)},
    }


def test_an_example_is_of_a_destination_that_counts() -> None:
    summary, grids = summary_of(policy("p", {"odd": "1"}), counted=0b0001)
    assert examples(grids, summary, [(1, 2)]) == {(1, 2): {"b": Cell(1, 3, "TCP", 80)}}


def test_no_grids_and_no_groups_are_an_empty_summary() -> None:
    assert summarize([], ()) == Summary((), ())


def test_groups_by_namespace() -> None:
    assert by_namespace(summary_of()[0]) == [[0], [1, 2]]


def test_workloads_of_one_name_are_two_and_named_with_their_kind() -> None:
    owned = [
        Pod("x", "web", {"app": "web"}, owner=Owner(kind, "web"), planned=True)
        for kind in ("Deployment", "StatefulSet")
    ]
    pods, groups = group_by_workload(
        Snapshot(pods=owned), [*owned, Pod("x", "web", {}, ("10.0.0.1",)), Pod("y", "web", {})]
    )
    titles = ["x/deploy/web", "x/pod/web", "x/sts/web", "y/web"]
    assert [group.key for group in groups] == [group.key for group in group_by_pod(pods)] == titles
    sets = PodSets(Snapshot(pods=pods, policies=[policy("p", {"app": "web"})]), pods[:3])
    assert summarize([(Grid(sets, "TCP", 80), sets.all)], groups[:3]).letters() == (" ab", "b b", "ba ")


@pytest.mark.parametrize("sizes", [(1, 2, 3), (3, 2, 1), (5, 4), (8, 1, 7), (9,), (1, 17, 1), (2, 2, 2, 2)])
def test_each_pod_of_a_group_counts_whatever_its_place(sizes: tuple[int, ...]) -> None:
    owners = [Owner("DaemonSet", f"d{number}") for number, size in enumerate(sizes) for _ in range(size)]
    pods = [
        Pod("x", f"p{place:02}", {"place": str(place)}, (f"10.0.0.{place + 1}",), owner=owner)
        for place, owner in enumerate(owners)
    ]
    for place, owner in enumerate(owners):
        snapshot = Snapshot(pods=pods, policies=[policy("closed", {"place": str(place)})])
        ordered, groups = group_by_workload(snapshot, pods)
        sets = PodSets(snapshot, ordered)
        letters = summarize([(Grid(sets, "TCP", 80), sets.all)], groups).letters()
        for source, row in enumerate(letters):
            expected = "".join(
                (" " if source == column else "b" if group.name == owner.name else "a")
                if group.size == 1
                else ("~" if group.name == owner.name else "a")
                for column, group in enumerate(groups)
            )
            assert row == expected, (place, source)
