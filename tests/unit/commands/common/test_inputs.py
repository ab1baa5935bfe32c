"""Where a snapshot comes from: manifests that are read once, or a cluster that is read as far as is asked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.commands.common.inputs import Inputs, open_inputs
from kubectl_netpol.console import Console
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.snapshot import Scope, Snapshot
from tests.support.api import FakeApi

if TYPE_CHECKING:
    from pathlib import Path


def test_the_plugin_of_manifests_and_none_of_a_cluster(tmp_path: Path) -> None:
    file = tmp_path / "it.yaml"
    file.write_text("{apiVersion: v1, kind: Namespace, metadata: {name: a}}", encoding="utf-8")
    console = Console(io.StringIO(), io.StringIO())
    found = open_inputs(ClusterOptions(plugin="Cilium"), [str(file)], console)
    assert found.snapshot
    assert found.snapshot.plugin == "Cilium"
    config = tmp_path / "config"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}], "
        "clusters: [{name: c, cluster: {server: 'https://api.example'}}]}",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="--plugin is for manifests"):
        open_inputs(ClusterOptions(plugin="Cilium", kubeconfig=str(config)), [], console)


def test_a_cluster_is_read_as_far_as_the_scope_goes() -> None:
    fake = FakeApi({"/api/v1/namespaces/shop/pods": [{"metadata": {"name": "web", "namespace": "shop"}}]})
    inputs = Inputs("shop", fake.api, None, Console(io.StringIO(), io.StringIO()))
    assert inputs.live
    assert [pod.key for pod in inputs.read(Scope(frozenset({"shop"}))).pods] == ["shop/web"]
    assert "/api/v1/pods" not in fake.asked


def test_manifests_are_read_once_whatever_the_scope() -> None:
    snapshot = Snapshot()
    inputs = Inputs("shop", None, snapshot, Console(io.StringIO(), io.StringIO()))
    assert not inputs.live
    assert inputs.read(Scope(frozenset())) is snapshot
