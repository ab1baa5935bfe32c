"""Servers on loopback: what a probe can meet."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ports(NamedTuple):
    """TCP: one that accepts and says nothing, one that greets, one where nothing listens, one that drops. UDP too."""

    accepts: int
    greets: int
    closed: int
    drops: int
    udp_answers: int
    udp_silent: int
    udp_closed: int


def _listen(stack: ExitStack, address: str, port: int = 0, backlog: int = 128) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(backlog)
    return server


def _serve(server: socket.socket, greeting: bytes) -> None:
    connections = []
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        connections.append(connection)
        if greeting:
            connection.sendall(greeting)


def _echo(server: socket.socket) -> None:
    while True:
        try:
            data, sender = server.recvfrom(2048)
            server.sendto(data, sender)
        except OSError:
            return


def _dropping(stack: ExitStack) -> int:
    """A port whose queue of connections is full: Linux then ignores each further SYN, as a dropping filter does."""
    server = _listen(stack, "127.0.0.1", backlog=0)
    port: int = server.getsockname()[1]
    while True:
        client = stack.enter_context(socket.socket())
        client.settimeout(0.2)
        try:
            client.connect(("127.0.0.1", port))
        except TimeoutError:
            return port


@pytest.fixture(scope="session")
def ports() -> Iterator[Ports]:
    with ExitStack() as stack:
        threads = []
        numbers = []
        for greeting in (b"", b"HELLO Connection refused\n"):
            for address in ("127.0.0.1", "::1"):
                server = _listen(stack, address, numbers[-1] if address == "::1" else 0)
                if address != "::1":
                    numbers.append(server.getsockname()[1])
                threads.append(threading.Thread(target=_serve, args=(server, greeting), daemon=True))
        # Bound and not listening: nobody else can take them meanwhile.
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        datagrams = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(3)]
        for datagram in datagrams:
            datagram.bind(("127.0.0.1", 0))
        threads.append(threading.Thread(target=_echo, args=(datagrams[0],), daemon=True))
        # A connected socket refuses what comes from others with ICMP, as where nobody listens.
        datagrams[2].connect(("127.0.0.1", 9))
        for thread in threads:
            thread.start()
        udp = [datagram.getsockname()[1] for datagram in datagrams]
        yield Ports(*numbers, closed.getsockname()[1], _dropping(stack), *udp)
