"""How the ends of a connection are named, and which values JSON and scripts see."""

from __future__ import annotations

import pytest

from kubectl_netpol.engine.verdict import End, Verdict
from kubectl_netpol.model.objects import Node, Pod


@pytest.mark.parametrize(
    ("end", "title"),
    [
        pytest.param(End(pod=Pod("shop", "nginx"), address="10.0.0.5"), "shop/nginx", id="a pod"),
        pytest.param(
            End(pod=Pod("shop", "proxy", host_network=True), node=Node("n1"), address="192.0.2.1"),
            "shop/proxy",
            id="a pod on a node is the pod",
        ),
        pytest.param(End(node=Node("worker-1"), address="192.0.2.1"), "node worker-1", id="a node"),
        pytest.param(End(address="203.0.113.9"), "203.0.113.9", id="an address"),
        pytest.param(End(), "?", id="an unknown address"),
    ],
)
def test_the_title_of_an_end(end: End, title: str) -> None:
    assert end.title == title


def test_the_verdicts_are_the_values_in_json() -> None:
    assert [verdict.value for verdict in Verdict] == ["allowed", "blocked", "undefined"]
