from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cluster.fakes import FakeServer, Pki, make_pki
from tests.unit.cluster.kubeconfigs import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def serve(pki: Pki) -> Iterator[Callable[..., FakeServer]]:
    """Start a recording server; `tls=False` for one without TLS."""
    servers = []

    def start(answer: Callable[..., Any], *, tls: bool = True, **settings: Any) -> FakeServer:
        servers.append(FakeServer(pki if tls else None, answer, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def world(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An environment without kubeconfig, proxies and certificates of the developer's own."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("KUBE", "POD_NAMESPACE", "SSL_CERT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    world = World(pki, tmp_path, monkeypatch)
    yield world
    for server in world.servers.values():
        server.close()
