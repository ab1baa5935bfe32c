"""Findings beside the answer to another question."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.commands.common.findings import messages, refused_findings, warn
from kubectl_netpol.console import Console
from tests.support.reports import ERROR
from tests.support.tables import snapshot_of

NEARBY = [ERROR._replace(message=f"p{number} does not select it") for number in range(4)]


@pytest.mark.parametrize(
    ("nearby", "verbose", "lines"),
    [
        pytest.param([], False, ["warning: odd"], id="none nearby"),
        pytest.param(
            NEARBY[:2],
            False,
            ["warning: odd", "warning: p0 does not select it", "warning: p1 does not select it"],
            id="two",
        ),
        pytest.param(
            NEARBY[:3],
            False,
            [
                "warning: odd",
                "warning: p0 does not select it",
                "warning: p1 does not select it",
                "note: 1 more policy may have been meant: -v names them",
            ],
            id="a third one is counted",
        ),
        pytest.param(NEARBY, True, ["warning: odd", *(f"warning: {one.message}" for one in NEARBY)], id="-v: all"),
    ],
)
def test_policies_nearby_are_at_most_two(nearby: list[object], verbose: bool, lines: list[str]) -> None:  # noqa: FBT001 - a column
    err = io.StringIO()
    odd = ERROR._replace(message="odd")
    warn([odd, odd], nearby, Console(io.StringIO(), err), verbose=verbose)  # type: ignore[arg-type] # a column
    assert err.getvalue().splitlines() == lines


def test_a_sentence_is_said_once() -> None:
    assert messages([ERROR, ERROR]) == [ERROR.message]


BOTH = {"ingress": [{"fromEndpoints": [{}], "fromCIDR": ["10.0.0.0/8"]}]}
CILIUM = {
    "pods": {"a/web": {}},
    "plugin": "Cilium",
    "cilium": {
        "a/good": {"endpointSelector": {}, "ingress": [{}]},
        "a/both": {"endpointSelector": {}, **BOTH},
        "b/none": {"endpointSelector": {}},
        "wide": {"endpointSelector": {}, "ingress": []},
    },
}


@pytest.mark.parametrize(
    ("namespaces", "names"),
    [
        pytest.param(None, ["both", "none", "wide"], id="all that are refused"),
        pytest.param(["a"], ["both", "wide"], id="of a namespace, and of all"),
        pytest.param(["c"], ["wide"], id="of a namespace without any"),
    ],
)
def test_policies_that_the_plugin_refuses(namespaces: list[str] | None, names: list[str]) -> None:
    found = refused_findings(snapshot_of(CILIUM), namespaces)
    assert sorted(one.subject.name for one in found) == names
    assert {one.number for one in found} == {"NP018"}


def test_where_no_plugin_decides_none_is_refused() -> None:
    assert refused_findings(snapshot_of({"pods": {"a/web": {}}})) == []


@pytest.mark.parametrize(
    ("why", "path"),
    [
        pytest.param("spec.ingress[0] has both fromEndpoints and fromCIDR", "spec.ingress[0]", id="its field"),
        pytest.param("specs[1] has no rule", "specs[1]", id="one of several"),
        pytest.param("Combining FromEndpoints and FromCIDR is not supported yet", "", id="Cilium's own words"),
        pytest.param("specific words", "", id="words that begin like a field"),
    ],
)
def test_why_and_where(why: str, path: str) -> None:
    snapshot = snapshot_of(CILIUM)
    (one,) = [found for found in snapshot.plugin_objects if found.title == "a/ciliumnetworkpolicy.cilium.io/both"]
    snapshot = snapshot.with_policies([], [one._replace(refused=why)])
    (finding,) = refused_findings(snapshot)
    assert finding.path == path
    assert finding.message == f"a/ciliumnetworkpolicy.cilium.io/both is not in force, since Cilium refuses it: {why}"
