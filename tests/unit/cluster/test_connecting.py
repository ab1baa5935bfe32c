"""Connections that a proxy keeps waiting, and what is said of it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster.connecting import Prepared
from kubectl_netpol.errors import ClusterError
from tests.unit.cluster.fakes import api_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cluster.fakes import FakeServer, Pki, Request

    Serve = Callable[..., FakeServer]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param((b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"), id="a header now and then"),
        pytest.param((b"", b"H"), id="a byte now and then"),
    ],
)
def test_a_proxy_that_takes_its_time_ends_at_the_deadline(serve: Serve, pki: Pki, script: tuple[bytes, bytes]) -> None:
    def dribble(_request: Request, stream: Any) -> None:
        with contextlib.suppress(OSError):
            stream.sendall(script[0])
            for _ in range(200):
                time.sleep(0.1)
                stream.sendall(script[1])

    proxy = serve(dribble, tls=False)
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"no response within 0\.5 s"):
        api_for("https://127.0.0.1:9", pki, timeout=0.5, proxy=proxy.url).get("/version")
    assert time.monotonic() - began < 10


def test_an_error_that_nobody_foresaw_is_raised_where_the_connection_is_wanted() -> None:
    def connect() -> Any:
        raise ZeroDivisionError

    prepared = Prepared()
    prepared.begin(1, connect)
    with pytest.raises(ZeroDivisionError):
        prepared.take(10)
    assert prepared.take(10) is None, "there was one"
