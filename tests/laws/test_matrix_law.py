"""Every cell of a matrix is the engine's verdict on that one connection, on clusters made to be awkward."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpol.connection.predict import pod_connection, predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import WorkloadSpan, examples, group_by_workload, summarize
from kubectl_netpol.model.objects import ContainerPort, Namespace, Pod
from kubectl_netpol.model.policies import Direction, IPBlock, UnevaluatedPolicy, Peer, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement
from kubectl_netpol.model.snapshot import Gap, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn

LETTER = {Verdict.ALLOWED: "a", Verdict.BLOCKED: "b", Verdict.UNDEFINED: "u"}
NAMESPACES = ("x", "y", "z")
NODES = ("n1", "n2", None)
IPS4 = ("10.0.0.1", "10.0.0.2", "10.0.1.9", "10.9.0.1", "::ffff:10.0.0.7")
IPS6 = ("fd00::1", "fd00::2", "fd01::1")
BLOCKS = (
    IPBlock("10.0.0.0/8"),
    IPBlock("10.0.0.0/16", ("10.0.1.0/24",)),
    IPBlock("10.0.0.2/32"),
    IPBlock("10.0.0.5/30"),
    IPBlock("0.0.0.0/0", ("10.0.0.1/32", "10.9.0.0/16")),
    IPBlock("::/0"),
    IPBlock("fd00::/64", ("fd00::2/128",)),
    IPBlock("192.0.2.0/24"),
)
PORTS = ((), (ContainerPort("http", 80),), (ContainerPort("http", 8080), ContainerPort("dns", 53, "UDP")))

labels = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("a", "b", "")), max_size=2)
requirements = st.builds(
    lambda key, operator, values: Requirement(
        key, operator, tuple(values) if operator in (Operator.IN, Operator.NOT_IN) else ()
    ),
    st.sampled_from(("app", "tier", "none")),
    st.sampled_from(Operator),
    st.lists(st.sampled_from(("a", "b", "", "elsewhere")), min_size=1, max_size=2, unique=True),
)
selectors = st.one_of(st.just(LabelSelector()), st.builds(lambda r: LabelSelector((r,)), requirements))
namespace_selectors = st.one_of(
    selectors, st.sampled_from(NAMESPACES).map(lambda name: LabelSelector.of({METADATA_NAME: name}))
)
peers = st.one_of(
    selectors.map(lambda selector: Peer(None, selector)),
    st.builds(Peer, namespace_selectors, st.none() | selectors, st.none()),
    st.sampled_from(BLOCKS).map(lambda block: Peer(ip_block=block)),
)
port_items: st.SearchStrategy[PortRange | NamedPort] = st.sampled_from(
    (
        PortRange("TCP", 80, 80),
        PortRange("TCP", 8000, 9000),
        PortRange("UDP"),
        NamedPort("TCP", "http"),
        NamedPort("UDP", "dns"),
        NamedPort("TCP", "nowhere"),
    )
)


@st.composite
def rules(draw: DrawFn) -> Rule:
    return Rule(
        draw(st.sampled_from(Direction)),
        0,
        tuple(draw(st.lists(peers, max_size=2))),
        tuple(draw(st.lists(port_items, max_size=2))),
    )


@st.composite
def policies(draw: DrawFn, number: int) -> Policy:
    directions = draw(st.sampled_from(((Direction.INGRESS,), (Direction.EGRESS,), tuple(Direction))))
    return Policy(
        draw(st.sampled_from(NAMESPACES)),
        f"p{number}",
        draw(st.just(LabelSelector()) | selectors),
        directions,
        tuple(draw(st.lists(rules(), max_size=3))),
    )


@st.composite
def pods(draw: DrawFn, number: int) -> Pod:
    planned = draw(st.integers(0, 9)) == 0
    phase = None if planned else draw(st.sampled_from(("Running", "Running", "Running", "Pending", "Succeeded")))
    return Pod(
        namespace=draw(st.sampled_from(NAMESPACES)),
        name=f"pod-{number}",
        labels=draw(labels),
        ips=() if planned else draw(addresses()),
        ports=draw(st.sampled_from(PORTS)),
        host_network=draw(st.integers(0, 3)) == 0,
        node=draw(st.sampled_from(NODES)),
        phase=phase,
        planned=planned,
    )


@st.composite
def addresses(draw: DrawFn) -> tuple[str, ...]:
    families = draw(st.sampled_from(((4,), (4,), (4,), (6,), (4, 6), (6, 4), ())))
    return tuple(draw(st.sampled_from(IPS4 if family == 4 else IPS6)) for family in families)


@st.composite
def replicas(draw: DrawFn) -> list[Pod]:
    """Pods of few kinds, most of which differ from another one in one field only."""
    kinds = [draw(pods(number)) for number in range(draw(st.integers(1, 3)))]
    changes: dict[str, st.SearchStrategy[Any]] = {
        "namespace": st.sampled_from(NAMESPACES),
        "labels": labels,
        "ips": addresses(),
        "ports": st.sampled_from(PORTS),
        "host_network": st.booleans(),
        "node": st.sampled_from(NODES),
        "phase": st.sampled_from(("Running", "Succeeded")),
        "name": st.just("pod-0"),
    }
    found = [*kinds]
    for number in range(len(kinds), draw(st.integers(len(kinds), 10))):
        field = draw(st.sampled_from(sorted(changes)))
        changed = draw(st.sampled_from(kinds))._replace(name=f"pod-{number}")
        if not (changed.planned and field in ("ips", "phase")):
            changed = changed._replace(**{field: draw(changes[field])})
        found.append(changed)
    return found


overriding = st.builds(
    UnevaluatedPolicy,
    kind=st.just("ClusterNetworkPolicy"),
    namespace=st.none() | st.sampled_from(NAMESPACES),
    name=st.just("o"),
    directions=st.sampled_from(((Direction.INGRESS,), (Direction.EGRESS,), tuple(Direction))),
    namespace_selector=st.none() | namespace_selectors,
    pod_selector=st.none() | selectors,
    after=st.booleans(),
    nodes=st.booleans(),
)
gaps = st.sampled_from(
    (
        Gap("networkpolicies", "x", "you may not list networkpolicies in namespace x"),
        Gap("namespaces", None, "you may not list namespaces", frozenset({"x"})),
        Gap("clusternetworkpolicies", "y", "you may not", policy_kind="CiliumNetworkPolicy"),
    )
)


@st.composite
def snapshots(draw: DrawFn) -> Snapshot:
    rare = draw(st.integers(0, 2)) == 0
    known = [name for name in NAMESPACES if draw(st.integers(0, 3))]
    return Snapshot(
        namespaces=[Namespace(name, {METADATA_NAME: name, **draw(labels)}) for name in known],
        pods=draw(replicas()),
        policies=[draw(policies(number)) for number in range(draw(st.integers(0, 6)))],
        unevaluated=draw(st.lists(overriding, max_size=2)) if rare else (),
        gaps=draw(st.lists(gaps, max_size=1)) if rare else (),
    )


def cell(snapshot: Snapshot, source: Pod, destination: Pod, protocol: str, port: int | str) -> str:
    number = port if isinstance(port, int) else destination.port_named(port, protocol)
    if number is None:
        return "-"
    verdict = evaluate(snapshot, pod_connection(source, destination, protocol, number))
    ends = [Resolved(pod=pod) for pod in (source, destination)]
    assert predict(snapshot, request(snapshot, ends[0], ends[1], port, protocol)).verdict is verdict.verdict
    return LETTER[verdict.verdict]


@settings(max_examples=300, deadline=None)
@given(
    snapshot=snapshots(),
    asked=st.sampled_from((("TCP", 80), ("TCP", 8080), ("TCP", "http"), ("UDP", 53), ("UDP", "dns"), ("SCTP", 80))),
)
def test_every_cell_is_the_engines_verdict_on_that_connection(snapshot: Snapshot, asked: tuple[str, int | str]) -> None:
    protocol, port = asked
    got = list(Grid(PodSets(snapshot, snapshot.pods), protocol, port).rows())
    assert got == [
        "".join(cell(snapshot, source, destination, protocol, port) for destination in snapshot.pods)
        for source in snapshot.pods
    ]


def crowd(seed: int) -> Snapshot:
    """A cluster with pods of few kinds, and policies that select and allow most of them."""
    chosen = random.Random(seed)

    def some(most: int, make: Callable[[], Any]) -> tuple[Any, ...]:
        return tuple(make() for _ in range(chosen.randint(0, most)))

    def selector() -> LabelSelector:
        key = chosen.choice(("app", "tier"))
        values = (chosen.choice("ab"),)
        operator = chosen.choice((Operator.IN, Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST))
        own = Requirement(key, operator, values if operator in (Operator.IN, Operator.NOT_IN) else ())
        return LabelSelector(chosen.choice(((), (own,))))

    def peer() -> Peer:
        block = Peer(ip_block=chosen.choice(BLOCKS))
        named = LabelSelector.of({METADATA_NAME: chosen.choice("xy")})
        return chosen.choice(
            (Peer(None, selector()), Peer(chosen.choice((named, selector())), selector()), block, block)
        )

    def rule() -> Rule:
        items = (PortRange("TCP", 80, 80), PortRange("TCP", 8000, 9000), NamedPort("TCP", "http"))
        return Rule(chosen.choice(tuple(Direction)), 0, some(2, peer), some(2, lambda: chosen.choice(items)))

    def pod(number: int) -> Pod:
        own = chosen.choice(((), ("app",), ("tier",), ("app", "tier")))
        return Pod(
            namespace=chosen.choice("xxy"),
            name=f"pod-{number}",
            labels={key: chosen.choice("ab") for key in (*own, *chosen.choice(((), ("grade",))))},
            ips=chosen.choice(((chosen.choice(IPS4),), (IPS4[0], IPS6[0]), (IPS6[0], IPS4[0]), (IPS6[1],), ())),
            ports=chosen.choice(PORTS),
            host_network=chosen.random() < 0.3,
            node=chosen.choice(NODES),
            phase=None,
            planned=True,
        )

    everything = tuple(Direction)
    other = UnevaluatedPolicy(
        "ClusterNetworkPolicy", None, "o", everything, None, selector(), after=chosen.random() < 0.7
    )
    return Snapshot(
        namespaces=[Namespace("x", {METADATA_NAME: "x", "app": "a"})],
        pods=[pod(number) for number in range(14)],
        policies=[
            Policy(chosen.choice("xxy"), f"p{number}", selector(), everything[: chosen.randint(1, 2)], some(3, rule))
            for number in range(5)
        ],
        unevaluated=[other] if chosen.random() < 0.3 else (),
    )


@pytest.mark.parametrize("port", [80, 8080, "http"])
def test_every_cell_is_the_engines_verdict_in_a_crowd(port: int | str) -> None:
    for seed in range(60):
        snapshot = crowd(seed)
        got = list(Grid(PodSets(snapshot, snapshot.pods), "TCP", port).rows())
        expected = [
            "".join(cell(snapshot, source, destination, "TCP", port) for destination in snapshot.pods)
            for source in snapshot.pods
        ]
        assert got == expected, seed


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots(), wanted=st.sampled_from(((80,), (80, 8080, "http"))))
def test_a_workloads_cell_is_what_its_pods_cells_have_in_common(
    snapshot: Snapshot, wanted: tuple[int | str, ...]
) -> None:
    pods, groups = group_by_workload(snapshot, snapshot.pods)
    sets = PodSets(snapshot, pods)
    declaring = sets.of(place for place, pod in enumerate(pods) if pod.ports)
    grids = [(Grid(sets, "TCP", port), declaring if port == 8080 else sets.all) for port in wanted]
    summary = summarize(grids, groups)
    cells: dict[tuple[int, int], set[tuple[str, int, int, int | str]]] = {}
    for grid, _ in grids:
        for here, row in enumerate(grid.rows()):
            for there, letter in enumerate(row):
                if here != there and (grid.port != 8080 or pods[there].ports):
                    ends = (group_of(groups, here), group_of(groups, there))
                    cells.setdefault(ends, set()).add((letter, here, there, grid.port))
    letters = summary.letters()
    everything = [(source, there) for source in range(len(groups)) for there in range(len(groups))]
    found = examples(grids, summary, everything)
    for ends in everything:
        expected = {letter for letter, *_ in cells.get(ends, ())}
        wanted_letter = expected.copy().pop() if len(expected) == 1 else ("~" if expected else " ")
        assert letters[ends[0]][ends[1]] == wanted_letter
        shown = found.get(ends, {})
        assert set(shown) == expected
        for letter, example in shown.items():
            assert (letter, example.source, example.destination, example.port) in cells[ends]


def group_of(groups: tuple[WorkloadSpan, ...], position: int) -> int:
    return next(place for place, group in enumerate(groups) if group.first <= position < group.last)
