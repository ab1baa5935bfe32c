"""Every cell of a matrix is the engine's verdict on that one connection, on clusters made to be awkward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.connection.predict import pod_connection, predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import WorkloadSpan, examples, group_by_workload, summarize
from tests.support.clusters import GAPS, clusters, read
from tests.support.lawful import lawful
from tests.support.tables import FOLDER, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot
    from tests.support.clusters import Feature

LETTER = {Verdict.ALLOWED: "a", Verdict.BLOCKED: "b", Verdict.UNDEFINED: "u"}


@st.composite
def snapshots(draw: st.DrawFn, pods: tuple[int, int] = (1, 10), plugin: str = "") -> Snapshot:
    gaps = draw(st.sampled_from(((), (), (), *((gap,) for gap in GAPS))))
    without: dict[Feature, str] = {"services": "a matrix is of pods"}
    return read(draw(clusters(pods=pods, policies=6, without=without, plugin=plugin)), gaps, plugin)


def cell(snapshot: Snapshot, source: Pod, destination: Pod, protocol: str, port: int | str) -> str:
    number = port if isinstance(port, int) else destination.port_named(port, protocol)
    if number is None:
        return "-"
    verdict = evaluate(snapshot, pod_connection(source, destination, protocol, number))
    ends = [Resolved(pod=pod) for pod in (source, destination)]
    assert predict(snapshot, request(snapshot, ends[0], ends[1], port, protocol)).verdict is verdict.verdict
    return LETTER[verdict.verdict]


ASKED = (
    ("TCP", 80),
    ("TCP", 8080),
    ("TCP", "http"),
    ("TCP", "dns"),
    ("UDP", 53),
    ("UDP", "http"),
    ("UDP", "dns"),
    ("SCTP", 80),
)


@pytest.mark.parametrize(
    "snapshots_of",
    [
        pytest.param(snapshots(), id="a few pods"),
        pytest.param(snapshots(pods=(10, 14)), id="a crowd"),
        pytest.param(snapshots(plugin="Cilium"), id="Cilium"),
        pytest.param(snapshots(plugin="Calico"), id="Calico"),
    ],
)
def test_every_cell_is_the_engines_verdict_on_that_connection(snapshots_of: st.SearchStrategy[Snapshot]) -> None:
    @lawful(150)
    @given(snapshots_of, st.sampled_from(ASKED))
    def law(snapshot: Snapshot, asked: tuple[str, int | str]) -> None:
        protocol, port = asked
        got = list(Grid(PodSets(snapshot, snapshot.pods), protocol, port).rows())
        assert got == [
            "".join(cell(snapshot, source, destination, protocol, port) for destination in snapshot.pods)
            for source in snapshot.pods
        ]

    law()


@lawful(100)
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


CILIUM = yaml.safe_load((FOLDER / "cilium.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("cluster", [pytest.param(case, id=case["case"]) for case in CILIUM])
def test_of_ciliums_policies_a_matrix_says_what_each_connection_does(cluster: dict[str, Any]) -> None:
    snapshot = snapshot_of(cluster)
    pods = [pod for pod in snapshot.pods if pod.ips]
    sets = PodSets(snapshot, pods)
    for protocol, port in (("TCP", 80), ("TCP", 8080), ("UDP", 53)):
        for source, row in zip(pods, Grid(sets, protocol, port).rows(), strict=True):
            assert row == "".join(cell(snapshot, source, destination, protocol, port) for destination in pods)
