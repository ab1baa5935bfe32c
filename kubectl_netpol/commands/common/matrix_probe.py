"""`matrix --probe`: every pair of a matrix is probed from its source pod and compared with the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.prober import Prober
from kubectl_netpol.commands.common.questions import refuse_too_many
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import UsageError
from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.summary import Cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.matrix.grid import Grid
    from kubectl_netpol.matrix.pod_sets import PodSets
    from kubectl_netpol.render.matrix import Explainer

_SOURCES_AT_ONCE = 8


def probe_matrix(
    inputs: Inputs,
    sets: PodSets,
    grids: Sequence[tuple[Grid, int]],
    explainer: Explainer,
    *,
    cluster: ClusterOptions,
    options: ProbeOptions,
) -> list[Compared]:
    """Probe every pair of the grids but a pod with itself, by one exec per source and protocol.

    UsageError where that is more than the most pairs, or where it can't be done.
    """
    if inputs.api is None:
        raise UsageError("--probe needs a cluster, and -f reads manifests", "drop -f or --probe")
    cells = list(_cells(sets, grids))
    refuse_too_many(len(cells), options.most_pairs)
    if any(cell.protocol == "SCTP" for cell in cells):
        raise UsageError("SCTP can't be probed", "add --protocol tcp")
    prober = Prober(inputs.api, sets.snapshot, namespace=inputs.namespace, cluster=cluster, options=options)
    compared: list[Compared] = []
    with inputs.console.progress(f"probing {count(len(cells), 'pair')}") as update:
        for protocol in dict.fromkeys(cell.protocol for cell in cells):
            own = [cell for cell in cells if cell.protocol == protocol]
            sources = list(dict.fromkeys(cell.source for cell in own))
            for start in range(0, len(sources), _SOURCES_AT_ONCE):
                some = set(sources[start : start + _SOURCES_AT_ONCE])
                asked = [cell for cell in own if cell.source in some]
                results = prober.results([_prediction(sets, cell, explainer) for cell in asked])
                compared += map(Compared, asked, results)
                update(f"probed {len(compared)} of {count(len(cells), 'pair')}")
    return compared


def _cells(sets: PodSets, grids: Sequence[tuple[Grid, int]]) -> Iterator[Cell]:
    for grid, counted in grids:
        digits = f"{counted:0{len(sets.pods)}b}"
        for source, row in enumerate(grid.rows()):
            for destination, letter in enumerate(row):
                if source != destination and letter != "-" and digits[destination] == "1":
                    yield Cell(source, destination, grid.protocol, grid.port)


def _prediction(sets: PodSets, cell: Cell, explainer: Explainer) -> Prediction:
    ends = [
        Resolved(pod=sets.pods[position], typed=explainer.reference(position))
        for position in (cell.source, cell.destination)
    ]
    return predict(sets.snapshot, request(sets.snapshot, ends[0], ends[1], cell.port, cell.protocol))
