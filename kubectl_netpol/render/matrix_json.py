"""A matrix as JSON, written row by row so that a large one is never in memory as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_netpol.console import json_safe
from kubectl_netpol.render.json_objects import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.matrix.grid import Grid

_OUTCOMES = {True: "o", False: "c", None: "u"}
Extra = tuple[str, str]


def matrix_json(grids: Sequence[Grid], *, as_list: bool, extra: Callable[[Grid], Iterable[Extra]]) -> Iterator[str]:
    """A Matrix, or a MatrixList, in pieces. `extra`: further fields of a matrix, as (name, JSON)."""
    if not as_list:
        yield from _matrix(grids[0], "", extra(grids[0]))
        yield "\n"
        return
    yield f'{{\n  "apiVersion": "{API_VERSION}",\n  "kind": "MatrixList",\n  "items": [\n'
    for number, grid in enumerate(grids):
        yield from _matrix(grid, "    ", extra(grid))
        yield ",\n" if number < len(grids) - 1 else "\n"
    yield "  ]\n}\n"


def _matrix(grid: Grid, indent: str, extra: Iterable[Extra]) -> Iterator[str]:
    names = json_safe(json.dumps([pod.key for pod in grid.pods], ensure_ascii=False))
    yield f'{indent}{{\n{indent}  "apiVersion": "{API_VERSION}",\n{indent}  "kind": "Matrix",\n'
    yield f'{indent}  "protocol": "{grid.protocol}",\n{indent}  "port": {json.dumps(grid.port)},\n'
    yield f'{indent}  "sources": {names},\n{indent}  "destinations": {names},\n'
    for name, content in extra:
        yield f'{indent}  "{name}": {content},\n'
    yield f'{indent}  "verdicts": ['
    separator = "\n"
    for row in grid.rows():
        yield f'{separator}{indent}    "{row}"'
        separator = ",\n"
    yield f"\n{indent}  ]\n{indent}}}"


def network_fields(grid: Grid, compared: Sequence[Compared]) -> Iterator[Extra]:
    """The fields of --probe: `network`, in the shape of `verdicts`, and `differences`.

    o open, c refused, timed out or unreachable, u unknown, - not probed.
    """
    network = [["-"] * len(grid.pods) for _ in grid.pods]
    differences = []
    for pair in compared:
        if (pair.cell.protocol, pair.cell.port) != (grid.protocol, grid.port):
            continue
        finding = pair.result.finding
        network[pair.cell.source][pair.cell.destination] = _OUTCOMES[finding.reachable]
        if pair.differs:
            differences.append(
                {
                    "source": grid.pods[pair.cell.source].key,
                    "destination": grid.pods[pair.cell.destination].key,
                    "verdict": pair.result.prediction.verdict.value,
                    "outcome": pair.result.observation.outcome.value if pair.result.observation else None,
                    "finding": {"code": finding.code.value, "message": finding.message, "next": finding.next},
                }
            )
    yield "network", json.dumps(["".join(row) for row in network])
    yield "differences", json_safe(json.dumps(differences, ensure_ascii=False))
