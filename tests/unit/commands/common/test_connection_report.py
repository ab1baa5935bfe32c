"""What `test` prints of its results, and its exit status, with the network replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.running import run

if TYPE_CHECKING:
    from tests.support.network import Network


@pytest.mark.parametrize(
    ("ports", "expected", "status"),
    [
        pytest.param("80", None, 0, id="open"),
        pytest.param("81", None, 1, id="blocked"),
        pytest.param("82", None, 2, id="can't tell"),
        pytest.param("80,81", None, 1, id="the worst of two"),
        pytest.param("81,82,80", None, 2, id="the worst of three"),
        pytest.param("80", "open", 0, id="expected open, and is"),
        pytest.param("81", "open", 1, id="expected open, and is blocked"),
        pytest.param("81", "blocked", 0, id="expected blocked, and is"),
        pytest.param("80", "blocked", 1, id="expected blocked, and is open"),
        pytest.param("82", "blocked", 2, id="expected blocked, can't tell"),
        pytest.param("82", "open", 2, id="expected open, can't tell"),
        pytest.param("80,81", "blocked", 1, id="expected blocked, and one is open"),
    ],
)
def test_the_status_is_what_the_network_did(ports: str, expected: str | None, status: int, network: Network) -> None:
    network.reachable = {80: True, 81: False}
    line = f"san pod/nginx {ports} {f'--expect {expected}' if expected else ''}"
    ran = run("test", line)
    assert ran.status == status
    numbers = ports.split(",")
    assert ran.err.splitlines() == ["warning: odd", *(f"warning: odd {port}" for port in numbers)], "each once"


def test_what_the_network_did_is_in_text_and_json(network: Network) -> None:
    network.reachable = {80: True}
    assert run("test", "san pod/nginx 80").out == "open: san → nginx, TCP 80\n"
    found = json.loads(run("test", "san pod/nginx 80 -o json").out)
    assert (found["reachable"], found["finding"]["code"]) == (True, "open")
