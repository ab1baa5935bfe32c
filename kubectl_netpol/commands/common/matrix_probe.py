"""`matrix --probe`: every pair of a matrix tried from its source pod, beside what the policies say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.options import parse_duration
from kubectl_netpol.commands.common.prober import Prober
from kubectl_netpol.connection.predict import Prediction, predict
from kubectl_netpol.connection.resolve import Resolved, parse_reference
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import UsageError
from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.summary import Cell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.matrix.grid import Grid
    from kubectl_netpol.matrix.sets import PodSets
    from kubectl_netpol.render.matrix import Explainer

_SOURCES_AT_ONCE = 8


_HOUR = 3600


def probe_matrix(
    arguments: argparse.Namespace,
    world: Inputs,
    sets: PodSets,
    grids: Sequence[tuple[Grid, int]],
    explainer: Explainer,
) -> list[Compared]:
    """Tries every pair of the grids but a pod with itself; one exec a source and protocol. A line tells how far it is.

    UsageError where that is more than --max, or where it can't be done.
    """
    if world.api is None:
        raise UsageError("--probe needs a cluster, and -f names manifests", "leave out -f, or --probe")
    timeout = parse_duration(arguments.timeout)
    if not 0 < timeout <= _HOUR:
        raise UsageError(f"--timeout {arguments.timeout} is too short or too long", "write 3s or 500ms")
    cells = list(_cells(sets, grids))
    if len(cells) > arguments.max:
        raise UsageError(
            f"{count(len(cells), 'pair')} to probe, more than --max {arguments.max}",
            f"add --max {len(cells)} to probe them all",
        )
    prober = Prober(world.api, sets.snapshot, arguments, world.namespace, timeout)
    compared: list[Compared] = []
    with world.console.progress(f"probing {count(len(cells), 'pair')}") as tell:
        for protocol in dict.fromkeys(cell.protocol for cell in cells):
            if protocol == "SCTP":
                raise UsageError("SCTP can't be probed", "say --protocol tcp")
            own = [cell for cell in cells if cell.protocol == protocol]
            sources = list(dict.fromkeys(cell.source for cell in own))
            for start in range(0, len(sources), _SOURCES_AT_ONCE):
                some = set(sources[start : start + _SOURCES_AT_ONCE])
                asked = [cell for cell in own if cell.source in some]
                results = prober.results([_verdict(sets, cell, explainer) for cell in asked])
                compared += map(Compared, asked, results)
                tell(f"probed {len(compared)} of {count(len(cells), 'pair')}")
    return compared


def _cells(sets: PodSets, grids: Sequence[tuple[Grid, int]]) -> Iterator[Cell]:
    for grid, counted in grids:
        digits = f"{counted:0{len(sets.pods)}b}"
        for source, row in enumerate(grid.rows()):
            for destination, letter in enumerate(row):
                if source != destination and letter != "-" and digits[destination] == "1":
                    yield Cell(source, destination, grid.protocol, grid.port)


def _verdict(sets: PodSets, cell: Cell, explainer: Explainer) -> Prediction:
    ends = []
    for position in (cell.source, cell.destination):
        pod = sets.pods[position]
        ends.append(Resolved(parse_reference(explainer.reference(position), pod.namespace), pod=pod))
    return predict(sets.snapshot, request(sets.snapshot, ends[0], ends[1], cell.port, cell.protocol))
