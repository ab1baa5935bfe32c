"""The shared sets with the Admin and Baseline tiers through the built file, as `matrix` and `explain` print them.

Connections between two pods through `matrix -o json`, the others through `explain -o json`. NETPOL_CONFORMANCE=all asks
`explain` about every check.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.built import Built, built
from tests.support.shared_sets import LETTERS, SETS, Check, clusters, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.shared_sets import Cluster

ALL = os.environ.get("NETPOL_CONFORMANCE") == "all"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    if "NETPOL_ZIPAPP" not in os.environ:
        pytest.skip("NETPOL_ZIPAPP does not say where the built file is")
    with built(Path(os.environ["NETPOL_ZIPAPP"]).resolve(), tmp_path_factory.mktemp("built")) as found:
        yield found


def printed(program: Built, *arguments: str, cluster: Cluster) -> Any:
    ran = program.run(*arguments, "-o", "json")
    assert ran.out, (cluster.name, arguments, ran.err)
    found = json.loads(ran.out)
    return found["items"] if found["kind"].endswith("List") else [found]


def wrong_in_matrix(program: Built, cluster: Cluster, manifest: Path) -> list[Any]:
    checks = [check for check in cluster.checks if check.between_pods]
    ports = ",".join(dict.fromkeys(f"{check.port}/{check.protocol}" for check in checks))
    letters = {}
    for grid in (
        printed(program, "matrix", "-A", "--port", ports, "-f", str(manifest), cluster=cluster) if ports else ()
    ):
        for source, row in zip(grid["sources"], grid["verdicts"], strict=True):
            for destination, letter in zip(grid["destinations"], row, strict=True):
                letters[source, destination, grid["protocol"], grid["port"]] = letter
    return [(cluster.name, check) for check in checks if letters[check[:4]] != check.letter]


def wrong_in_explain(program: Built, cluster: Cluster, manifest: Path) -> list[Any]:
    by_ends: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in cluster.checks:
        if ALL or not check.between_pods:
            by_ends[check.source, check.destination].append(check)
    wrong = []
    for ends, checks in by_ends.items():
        ports = ",".join(f"{check.port}/{check.protocol}" for check in checks)
        verdicts = printed(program, "explain", *map(typed, ends), ports, "-f", str(manifest), cluster=cluster)
        for check, verdict in zip(checks, verdicts, strict=True):
            if LETTERS[verdict["verdict"]] != check.letter:
                wrong.append((cluster.name, check, verdict["verdict"], verdict["reason"]))
    return wrong


@pytest.mark.parametrize("name", SETS)
def test_every_check_is_right_in_what_is_printed(name: str, shared: Path, program: Built, tmp_path: Path) -> None:
    checked = 0
    wrong = []
    for cluster in clusters(shared, name):
        manifest = tmp_path / "cluster.json"
        manifest.write_text(cluster.manifest)
        checked += len(cluster.checks)
        wrong += wrong_in_matrix(program, cluster, manifest)
        wrong += wrong_in_explain(program, cluster, manifest)
    assert not wrong, (len(wrong), wrong[:5])
    assert checked == SETS[name]
