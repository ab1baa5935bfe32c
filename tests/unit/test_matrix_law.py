"""Every cell of a matrix is what the engine says of that one connection, on clusters made to be awkward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpol.evaluate import evaluate
from kubectl_netpol.judge import judge, pod_connection
from kubectl_netpol.matrix import Grid, PodSets
from kubectl_netpol.matrix.workloads import Group, examples, in_order, summarize
from kubectl_netpol.model import (
    METADATA_NAME,
    ContainerPort,
    Direction,
    Gap,
    IPBlock,
    LabelSelector,
    NamedPort,
    Namespace,
    Operator,
    OverridingPolicy,
    Peer,
    Pod,
    Policy,
    PortRange,
    Requirement,
    Rule,
    Snapshot,
)
from kubectl_netpol.resolve import Named, parse_reference
from kubectl_netpol.routes import request
from kubectl_netpol.verdict import Answer

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

LETTER = {Answer.ALLOWED: "a", Answer.BLOCKED: "b", Answer.UNDEFINED: "u"}
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
        draw(selectors),
        directions,
        tuple(draw(st.lists(rules(), max_size=3))),
    )


@st.composite
def pods(draw: DrawFn, number: int) -> Pod:
    planned = draw(st.integers(0, 9)) == 0
    families = draw(st.sampled_from(((4,), (4,), (4,), (6,), (4, 6), (6, 4), ())))
    ips = () if planned else tuple(draw(st.sampled_from(IPS4 if family == 4 else IPS6)) for family in families)
    phase = None if planned else draw(st.sampled_from(("Running", "Running", "Running", "Pending", "Succeeded")))
    return Pod(
        namespace=draw(st.sampled_from(NAMESPACES)),
        name=f"pod-{draw(st.integers(0, number))}",
        labels=draw(labels),
        ips=ips,
        ports=draw(st.sampled_from(PORTS)),
        host_network=draw(st.integers(0, 4)) == 0,
        node=draw(st.sampled_from(NODES)),
        phase=phase,
        planned=planned,
    )


overriding = st.builds(
    OverridingPolicy,
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
        Gap("clusternetworkpolicies", "y", "you may not", overriding=True),
    )
)


@st.composite
def snapshots(draw: DrawFn) -> Snapshot:
    rare = draw(st.integers(0, 3)) == 0
    known = [name for name in NAMESPACES if draw(st.integers(0, 4))]
    return Snapshot(
        namespaces=[Namespace(name, {METADATA_NAME: name, **draw(labels)}) for name in known],
        pods=[draw(pods(number)) for number in range(draw(st.integers(1, 9)))],
        policies=[draw(policies(number)) for number in range(draw(st.integers(0, 6)))],
        overriding=draw(st.lists(overriding, max_size=2)) if rare else (),
        gaps=draw(st.lists(gaps, max_size=1)) if rare else (),
    )


def cell(snapshot: Snapshot, source: Pod, destination: Pod, protocol: str, port: int | str) -> str:
    number = port if isinstance(port, int) else destination.port_named(port, protocol)
    if number is None:
        return "-"
    verdict = evaluate(snapshot, pod_connection(source, destination, protocol, number))
    ends = [Named(parse_reference(f"pod/{pod.name}", pod.namespace), pod=pod) for pod in (source, destination)]
    assert judge(snapshot, request(snapshot, ends[0], ends[1], port, protocol)).answer is verdict.answer
    return LETTER[verdict.answer]


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


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots(), wanted=st.sampled_from(((80,), (80, 8080, "http"))))
def test_a_workloads_cell_is_what_its_pods_cells_have_in_common(
    snapshot: Snapshot, wanted: tuple[int | str, ...]
) -> None:
    pods, groups = in_order(snapshot, snapshot.pods)
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


def group_of(groups: tuple[Group, ...], position: int) -> int:
    return next(place for place, group in enumerate(groups) if group.first <= position < group.last)
