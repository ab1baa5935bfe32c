"""A matrix as JSON, in pieces: one object for one port, a list for several, and the fields of a probe."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import Cell
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.render.matrix_json import matrix_json, network_fields
from tests.support.results import DENY, PODS, result
from tests.support.tables import snapshot_of

NAMES = ["default/san", "default/web", "team/cat"]


def grid(port: int | str = 80, protocol: str = "TCP") -> Grid:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": DENY})
    return Grid(PodSets(snapshot, snapshot.pods), protocol, port)


def printed(*grids: Grid, as_list: bool = False, **extra: str) -> str:
    return "".join(matrix_json(grids, as_list=as_list, extra=lambda _: extra.items()))


@pytest.mark.parametrize("port", [80, "http"])
def test_one_port_is_one_object(port: int | str) -> None:
    assert json.loads(printed(grid(port, "UDP"))) == {
        "apiVersion": "netpol/v1",
        "kind": "Matrix",
        "protocol": "UDP",
        "port": port,
        "sources": NAMES,
        "destinations": NAMES,
        "verdicts": ["aba", "baa", "bba"] if port == 80 else ["---"] * 3,
    }


def test_several_ports_are_a_list_in_their_order() -> None:
    found = json.loads(printed(grid(80), grid(443), as_list=True))
    assert (found["apiVersion"], found["kind"]) == ("netpol/v1", "MatrixList")
    assert [item["port"] for item in found["items"]] == [80, 443]
    assert found["items"][0] == json.loads(printed(grid(80)))


def test_a_list_may_have_one_item() -> None:
    assert [item["port"] for item in json.loads(printed(grid(80), as_list=True))["items"]] == [80]


def test_it_is_indented_with_one_row_per_line() -> None:
    assert printed(grid()).splitlines()[-5:] == ['    "aba",', '    "baa",', '    "bba"', "  ]", "}"]
    assert printed(grid(), as_list=True).splitlines()[-3:] == ["    }", "  ]", "}"]


def test_further_fields_come_before_the_verdicts() -> None:
    found = json.loads(printed(grid(), network='["x"]'))
    assert list(found)[-2:] == ["network", "verdicts"]
    assert found["network"] == ["x"]


def fields(*compared: Compared) -> dict[str, Any]:
    return {name: json.loads(content) for name, content in network_fields(grid(), compared)}


def test_what_a_probe_adds() -> None:
    found = fields(
        Compared(Cell(0, 2, "TCP", 80), result({}, Outcome.OPEN)),
        Compared(Cell(0, 1, "TCP", 80), result(DENY, Outcome.OPEN)),
        Compared(Cell(1, 0, "TCP", 80), result(DENY, Outcome.TIMED_OUT)),
        Compared(Cell(2, 0, "TCP", 80), result({}, Outcome.NO_TOOL)),
    )
    assert found["network"] == ["-oo", "c--", "u--"]
    (difference,) = found["differences"]
    assert {key: difference[key] for key in ("source", "destination", "verdict", "outcome")} == {
        "source": "default/san",
        "destination": "default/web",
        "verdict": "blocked",
        "outcome": "open",
    }
    assert difference["finding"]["code"] == "policy-not-enforced"
    assert sorted(difference["finding"]) == ["code", "message", "next"]


def test_a_pair_of_another_port_or_protocol_belongs_to_another_matrix() -> None:
    differs = result(DENY, Outcome.OPEN)
    cells = (Cell(0, 1, "UDP", 80), Cell(0, 1, "TCP", 81))
    assert fields(*(Compared(cell, differs) for cell in cells)) == {"network": ["---"] * 3, "differences": []}
