"""Every check of the shared set of clusters with Calico, through the engine and as it is printed."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.manifests.reader import Reader
from tests.support.built import built
from tests.support.running import run
from tests.support.shared_sets import LETTERS, clusters, typed
from tests.support.tables import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shared_sets import Check, Cluster

CHECKS = 66_004
WITHOUT_ITS_KINDS = 2  # clusters of Kubernetes' policies alone


def plugin_of(cluster: Cluster) -> str | None:
    """What has to be said where no object tells which plugin runs."""
    return None if any("projectcalico.org/" in item["apiVersion"] for item in cluster.objects) else "Calico"


def test_every_check_of_the_set_is_right(shared: Path) -> None:
    told = checked = 0
    wrong = []
    for cluster in clusters(shared, "calico"):
        reader = Reader(plugin=plugin_of(cluster))
        told += reader.plugin is not None
        reader.add_text(cluster.manifest, cluster.name)
        snapshot = reader.snapshot()
        for check in cluster.checks:
            checked += 1
            found = ask(snapshot, typed(check.source), typed(check.destination), check.port, check.protocol)
            if LETTERS[found.verdict.value] != check.letter:
                wrong.append((cluster.name, check, found.verdict.value, found.reason))
    assert not wrong, (len(wrong), wrong[:5])
    assert (told, checked) == (WITHOUT_ITS_KINDS, CHECKS)


def test_every_check_is_right_in_what_is_printed(shared: Path, tmp_path: Path) -> None:
    assert not wrong_in_print(shared, tmp_path, lambda *arguments: run(arguments[0], "", *arguments[1:]))


def test_every_check_is_right_in_what_the_built_file_prints(shared: Path, tmp_path: Path) -> None:
    if "NETPOL_ZIPAPP" not in os.environ:
        pytest.skip("NETPOL_ZIPAPP does not say where the built file is")
    with built(Path(os.environ["NETPOL_ZIPAPP"]).resolve(), tmp_path / "built") as program:
        assert not wrong_in_print(shared, tmp_path, program.run)


def wrong_in_print(shared: Path, folder: Path, program: Callable[..., Any]) -> list[Any]:
    """Connections between two pods through `matrix`, the others through `explain`: those that are wrong, a few."""
    checked = 0
    wrong = []
    manifest = folder / "cluster.json"
    for cluster in clusters(shared, "calico"):
        manifest.write_text(cluster.manifest, encoding="utf-8")
        options = ["-o", "json", "-f", str(manifest), *(["--plugin", "calico"] if plugin_of(cluster) else [])]
        found = {**by_matrix(program, cluster, options), **by_explain(program, cluster, options)}
        checked += len(cluster.checks)
        wrong += [(cluster.name, check, found[check]) for check in cluster.checks if found[check] != check.letter]
    assert checked == CHECKS
    return wrong[:5]


def by_matrix(program: Callable[..., Any], cluster: Cluster, options: list[str]) -> dict[Check, str]:
    """The letters of the checks between pods."""
    checks = [check for check in cluster.checks if check.between_pods]
    ports = ",".join(dict.fromkeys(f"{check.port}/{check.protocol}" for check in checks))
    letters = {}
    for grid in printed(program, "matrix", "-A", "--port", ports, *options):
        for source, row in zip(grid["sources"], grid["verdicts"], strict=True):
            for destination, letter in zip(grid["destinations"], row, strict=True):
                letters[source, destination, grid["protocol"], grid["port"]] = letter
    return {check: letters[check[:4]] for check in checks}


def by_explain(program: Callable[..., Any], cluster: Cluster, options: list[str]) -> dict[Check, str]:
    """The letters of the checks with a node or an address outside."""
    by_ends: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in cluster.checks:
        if not check.between_pods:
            by_ends[check.source, check.destination].append(check)
    found = {}
    for ends, checks in by_ends.items():
        ports = ",".join(f"{check.port}/{check.protocol}" for check in checks)
        verdicts = printed(program, "explain", *map(typed, ends), ports, *options)
        found.update({check: LETTERS[one["verdict"]] for check, one in zip(checks, verdicts, strict=True)})
    return found


def printed(program: Callable[..., Any], *arguments: str) -> list[Any]:
    ran = program(*arguments)
    assert ran.out, (arguments, ran.err)
    found = json.loads(ran.out)
    return list(found["items"]) if found["kind"].endswith("List") else [found]
