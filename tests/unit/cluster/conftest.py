from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cluster.fakes import FakeServer, Pki, make_pki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
