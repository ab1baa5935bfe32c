"""Every check of the shared sets of clusters with Calico and with Cilium, through the engine and as it is printed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.manifests.reader import Reader
from tests.support.built import built
from tests.support.printed_sets import wrong_in_print
from tests.support.running import run
from tests.support.shared_sets import LETTERS, clusters, typed
from tests.support.tables import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shared_sets import Cluster

CHECKS = {"Calico": 66_004, "Cilium": 69_964}
WITHOUT_ITS_KINDS = {"Calico": 2, "Cilium": 9}  # clusters of Kubernetes' policies alone
GROUPS = {"Calico": "projectcalico.org/", "Cilium": "cilium.io/"}

each_plugin = pytest.mark.parametrize("plugin", CHECKS)


def told(cluster: Cluster, plugin: str) -> str | None:
    """The plugin where it has to be said, since no object of the cluster tells that it runs."""
    return None if any(GROUPS[plugin] in item["apiVersion"] for item in cluster.objects) else plugin


@each_plugin
def test_every_check_of_the_set_is_right(plugin: str, shared: Path) -> None:
    without = checked = 0
    wrong = []
    for cluster in clusters(shared, plugin.lower()):
        reader = Reader(plugin=told(cluster, plugin))
        without += reader.plugin is not None
        reader.add_text(cluster.manifest, cluster.name)
        snapshot = reader.snapshot()
        for check in cluster.checks:
            checked += 1
            found = ask(snapshot, typed(check.source), typed(check.destination), check.port, check.protocol)
            if LETTERS[found.verdict.value] != check.letter:
                wrong.append((cluster.name, check, found.verdict.value, found.reason))
    assert not wrong, (len(wrong), wrong[:5])
    assert (without, checked) == (WITHOUT_ITS_KINDS[plugin], CHECKS[plugin])


@each_plugin
def test_every_check_is_right_in_what_is_printed(plugin: str, shared: Path, tmp_path: Path) -> None:
    assert not wrong_of_plugin(plugin, shared, tmp_path, lambda *arguments: run(arguments[0], "", *arguments[1:]))


@each_plugin
def test_every_check_is_right_in_what_the_built_file_prints(plugin: str, shared: Path, tmp_path: Path) -> None:
    if "NETPOL_ZIPAPP" not in os.environ:
        pytest.skip("NETPOL_ZIPAPP does not say where the built file is")
    with built(Path(os.environ["NETPOL_ZIPAPP"]).resolve(), tmp_path / "built") as program:
        assert not wrong_of_plugin(plugin, shared, tmp_path, program.run)


def wrong_of_plugin(plugin: str, shared: Path, folder: Path, program: Callable[..., Any]) -> list[Any]:
    checked = 0
    wrong = []
    for cluster in clusters(shared, plugin.lower()):
        options = ["--plugin", plugin.lower()] if told(cluster, plugin) else []
        wrong += wrong_in_print(program, cluster, folder, *options)
        checked += len(cluster.checks)
    assert checked == CHECKS[plugin]
    return wrong[:5]
