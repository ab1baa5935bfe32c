"""Servers on loopback: what a probe can meet."""

from __future__ import annotations

import contextlib
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
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            connections.append(connection)
            if greeting:
                connection.sendall(greeting)


def _echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, sender = server.recvfrom(2048)
            server.sendto(data, sender)


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
        accepts, greets = (_listen(stack, "127.0.0.1") for _ in range(2))
        serving = [(accepts, b""), (greets, b"HELLO Connection refused\n")]
        serving += [(_listen(stack, "::1", server.getsockname()[1]), greeting) for server, greeting in serving]
        threads = [threading.Thread(target=_serve, args=pair, daemon=True) for pair in serving]
        # Bound and not listening: nobody else can take it meanwhile.
        closed = stack.enter_context(socket.socket())
        answers, silent, refuses = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(3))
        for server in (closed, answers, silent, refuses):
            server.bind(("127.0.0.1", 0))
        threads.append(threading.Thread(target=_echo, args=(answers,), daemon=True))
        # A connected socket refuses what comes from others with ICMP, as where nobody listens.
        refuses.connect(("127.0.0.1", 9))
        for thread in threads:
            thread.start()
        accepts_port, greets_port, closed_port, answers_port, silent_port, refuses_port = (
            server.getsockname()[1] for server in (accepts, greets, closed, answers, silent, refuses)
        )
        yield Ports(
            accepts=accepts_port,
            greets=greets_port,
            closed=closed_port,
            drops=_dropping(stack),
            udp_answers=answers_port,
            udp_silent=silent_port,
            udp_closed=refuses_port,
        )
