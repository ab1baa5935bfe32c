"""What `lint` looks at, and which findings are wanted."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.commands.common.linting import Wanted, check_typed, read_linted, report_of, wanted_checks
from kubectl_netpol.console import Console
from kubectl_netpol.errors import UsageError
from kubectl_netpol.lint.finding import CHECKS
from tests.support.linting import SHOP
from tests.support.tables import objects

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("select", "ignore", "numbers"),
    [
        pytest.param([], [], [check.number for check in CHECKS], id="all"),
        pytest.param(["NP002", "NP001"], [], ["NP001", "NP002"], id="two"),
        pytest.param(["NP002, np001,"], ["peer-matches-nothing"], ["NP001"], id="two without one"),
    ],
)
def test_wanted_checks(select: list[str], ignore: list[str], numbers: list[str]) -> None:
    assert sorted(check.number for check in wanted_checks(select, ignore)) == numbers


def test_a_word_that_is_no_finding() -> None:
    with pytest.raises(UsageError, match='--ignore: no finding "x"'):
        check_typed("x", "--ignore")


def test_findings_are_in_the_order_of_files_and_lines_and_those_without_a_file_come_last(tmp_path: Path) -> None:
    wrong = {"podSelector": {"matchLabels": {"app": "wbe"}}}
    parts = [
        [item for item in objects({**SHOP, "policies": {"shop/b": wrong}}) if item["kind"] != "Namespace"],
        [item for item in objects({"policies": {"shop/z": wrong, "shop/a": wrong}}) if item["kind"] == "NetworkPolicy"],
    ]
    for number, items in enumerate(parts):
        content = {"apiVersion": "v1", "kind": "List", "items": items}
        (tmp_path / f"{number}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    console = Console(io.StringIO(), io.StringIO())
    linted = read_linted(ClusterOptions(), [str(tmp_path)], console, all_namespaces=False)
    report = report_of(linted, Wanted(frozenset(CHECKS)), console)
    assert [
        (placed.file or "").removeprefix(f"{tmp_path}/") + placed.finding.subject.name for placed in report.findings
    ] == [
        "0.jsonb",
        "1.jsonz",
        "1.jsona",
        "lab",
        "shop",
    ]
    assert report.policies == ("shop/b", "shop/z", "shop/a")
