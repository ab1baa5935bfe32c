"""How many pods are isolated, as a line, rows and objects."""

from __future__ import annotations

import pytest

from kubectl_netpol.analysis.coverage import Coverage, Share
from kubectl_netpol.render.coverage import coverage_line, coverage_objects, coverage_rows

SHOP = Coverage("shop", Share(4, 3), Share(4, 1, 2, 1), (None, None))
LAB = Coverage("lab", Share(1), Share(1), (None, None))


@pytest.mark.parametrize(
    ("covered", "line"),
    [
        pytest.param([], "", id="no pods"),
        pytest.param([LAB], "isolated: 0 of 1 pod for ingress, 0 of 1 for egress", id="one pod"),
        pytest.param(
            [SHOP, LAB],
            "isolated: 3 of 5 pods for ingress, 1 of 5 for egress (2 more limited by a tier, 1 not known)",
            id="two namespaces",
        ),
    ],
)
def test_the_line(covered: list[Coverage], line: str) -> None:
    assert coverage_line(covered) == line


def test_the_rows() -> None:
    assert list(coverage_rows([SHOP, LAB])) == [
        ("shop", "4", "75 %", "25 % (2 more limited by a tier, 1 not known)"),
        ("lab", "1", "0 %", "0 %"),
    ]


def test_the_objects() -> None:
    assert coverage_objects([SHOP]) == [
        {
            "namespace": "shop",
            "pods": 4,
            "ingress": {"isolated": 3, "limited": 0, "unknown": 0},
            "egress": {"isolated": 1, "limited": 2, "unknown": 1},
        }
    ]
