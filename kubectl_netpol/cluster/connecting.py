"""Connections to the API server: how they are made, whether they are still open, and why they broke."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
from typing import TYPE_CHECKING, Any

import urllib3

from kubectl_netpol.cluster.tls import tls_context
from kubectl_netpol.concurrency import THREADS, call_after, next_of, start
from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_netpol.cluster.kubeconfig import Access


def pool(access: Access) -> Any:
    configuration = access.configuration
    settings: dict[str, Any] = {"maxsize": THREADS, "block": False}
    if access.tls:
        settings["ssl_context"] = access.tls
        if configuration.tls_server_name:
            settings["server_hostname"] = configuration.tls_server_name
    try:
        if not configuration.proxy:
            return urllib3.PoolManager(**settings).connection_from_url(configuration.host)
        # Go verifies a proxy's own certificate by the cluster's authority too.
        settings["proxy_ssl_context"] = access.tls or tls_context(b"", None, verify=True, user="")
        settings["proxy_headers"] = configuration.proxy_headers
        manager = urllib3.ProxyManager(configuration.proxy, **settings)
        return manager.connection_from_url(configuration.host)
    except urllib3.exceptions.LocationParseError as error:
        raise ClusterError(
            f"invalid kubeconfig: {error}", "correct the server or the proxy-url of the cluster"
        ) from None


def shut_after(seconds: float, connection: Any) -> contextlib.AbstractContextManager[None]:
    """A timeout bounds each single read, so a proxy that sends a byte now and then would go on for ever."""

    def shut() -> None:
        with contextlib.suppress(OSError, AttributeError):  # it is closed, or was never open
            sock = connection.sock
            while not isinstance(sock, socket.socket):  # Timed, or TLS within TLS
                sock = sock.socket
            # Not SSLSocket's own, which takes the TLS from under who reads.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    return call_after(seconds, shut)


class Prepared:
    """Connections that are made in threads, so that the caller may do something else, or give up.

    A name server that does not answer, or a name of many addresses, has no deadline otherwise, and no interrupt.
    """

    def __init__(self) -> None:
        self._promised: list[None] = []
        self._made: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False

    def begin(self, number: int, connect: Callable[[], Any]) -> None:
        def make() -> None:
            try:
                self._made.put(connect())
            except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
                self._made.put(error)
            if self._closed:
                self.close()

        self._promised += [None for _ in range(number) if start(make)]

    def take(self, seconds: float) -> Any | None:
        """One that is open; None if none was begun, or it was closed. Whatever `connect` raises; TimeoutError."""
        try:
            self._promised.pop()
        except IndexError:
            return None
        connection = next_of(self._made, seconds)
        if isinstance(connection, Exception):
            raise connection
        if is_open(connection.sock):
            return connection
        connection.close()
        return None

    def close(self) -> None:
        """Those that nobody took, and those that are still to come."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                connection = self._made.get_nowait()
                if not isinstance(connection, Exception):
                    connection.close()


def is_open(sock: Any) -> bool:
    """Whether the server has not closed it. What TLS sends by itself may be there to read."""
    sock.settimeout(0)
    try:
        return socket.socket.recv(sock, 1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    except TypeError:  # TLS within TLS
        return True


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it wraps; urllib3 keeps a cause in any of four places."""
    seen: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def reason(chain: list[BaseException], netloc: str, seconds: float) -> str:
    def first(*kinds: type[BaseException]) -> Any:
        return next((cause for cause in chain if isinstance(cause, kinds)), None)

    if unverified := first(ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {unverified.verify_message}"
    if broken := first(ssl.SSLError):
        if broken.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return "http: server gave HTTP response to HTTPS client"
        return f"tls: {(broken.reason or str(broken)).lower().replace('_', ' ')}"
    if unknown := first(socket.gaierror):
        return f"lookup {netloc}: {unknown.strerror}"
    if first(TimeoutError, urllib3.exceptions.ReadTimeoutError):
        return f"no response within {round(seconds, 1):g} s"
    other = first(OSError) or chain[0]
    return getattr(other, "strerror", None) or str(other)
