"""`version` as typed: for people, and for scripts."""

from __future__ import annotations

import json
import sys

import pytest

from kubectl_netpol import __version__
from tests.support.running import run

PYTHON = ".".join(map(str, sys.version_info[:3]))


def test_the_version_and_the_python_that_runs_it() -> None:
    assert run("version", "") == (0, f"kubectl-netpol {__version__} (Python {PYTHON})\n", "")


def test_json_has_both_apart() -> None:
    ran = run("version", "-o json")
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "apiVersion": "netpol/v1",
        "kind": "Version",
        "version": __version__,
        "python": PYTHON,
    }


def test_nothing_of_the_cluster_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    assert run("version", "").status == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("-o yaml", "argument -o/--output: invalid choice: 'yaml'", id="YAML"),
        pytest.param("1.0", 'unexpected argument "1.0"', id="an argument"),
        pytest.param("-n shop", "unknown option -n", id="a namespace"),
    ],
)
def test_what_is_refused(line: str, message: str) -> None:
    ran = run("version", line)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
