"""A socket with one deadline, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.timed import Timed

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_is_sent_and_received(pair: Pair) -> None:
    ours, theirs = pair
    timed = Timed(ours, time.monotonic() + 10)
    timed.sendall(b"ping")
    assert theirs.recv(10) == b"ping"
    theirs.sendall(b"one\ntwo\n")
    theirs.shutdown(socket.SHUT_WR)
    with timed.makefile("rb") as reader:
        assert reader.readline() == b"one\n"
        assert reader.read() == b"two\n"
    assert timed.fileno() == ours.fileno()


def test_a_byte_now_and_then_ends_at_the_deadline(pair: Pair) -> None:
    ours, theirs = pair
    done = threading.Event()

    def dribble() -> None:
        while not done.wait(0.02):
            theirs.sendall(b"x")

    thread = threading.Thread(target=dribble)
    thread.start()
    began = time.monotonic()
    timed = Timed(ours, began + 0.3)
    timed.settimeout(100)  # as http.client does
    with timed.makefile("rb") as reader, pytest.raises(TimeoutError):
        reader.readline()
    assert 0.3 <= time.monotonic() - began < 5
    done.set()
    thread.join()


def test_silence_ends_at_the_deadline(pair: Pair) -> None:
    began = time.monotonic()
    with Timed(pair[0], began + 0.2).makefile("rb") as reader, pytest.raises(TimeoutError):
        reader.read(1)
    assert 0.2 <= time.monotonic() - began < 2.5


def test_after_the_deadline_nothing_is_sent_nor_read(pair: Pair) -> None:
    timed = Timed(pair[0], time.monotonic())
    with pytest.raises(TimeoutError):
        timed.sendall(b"late")
    with timed.makefile("rb") as reader, pytest.raises(TimeoutError):
        reader.read(1)
    timed.until = time.monotonic() + 10
    timed.sendall(b"in time")
    assert pair[1].recv(10) == b"in time"


def test_it_is_closed_with_its_socket(pair: Pair) -> None:
    Timed(pair[0], 0).close()
    assert pair[1].recv(1) == b""
