"""Which of many connections out of a network namespace get through."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Target(NamedTuple):
    """A server that accepts TCP, or that answers what comes by UDP."""

    protocol: str
    address: str
    port: int


def enter(netns: Path) -> None:
    """Moves the calling thread."""
    with netns.open() as handle:
        if LIBC.setns(handle.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(netns))


def within(netns: Path, action: Callable[[], T]) -> T:
    """Runs the action in a thread of its own that has moved to the network namespace."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            enter(netns)
            answers.append(action())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def own_address(towards: str) -> str:
    """The address from which a packet in that direction would come."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((towards, 9))
        return str(probe.getsockname()[0])


def connect_all(targets: Iterable[Target], timeout: float = 1.0) -> set[Target]:
    """Goes to every target at once and returns those that accepted, or answered, within the time."""
    reached: set[Target] = set()
    poll = select.poll()
    waiting: dict[int, tuple[Target, socket.socket]] = {}
    try:
        for target in targets:
            udp = target.protocol == "UDP"
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
            client.setblocking(False)  # noqa: FBT003 - its only parameter
            waiting[client.fileno()] = (target, client)
            started = client.connect_ex((target.address, target.port))
            assert started in (0, errno.EINPROGRESS), target
            if udp:
                client.send(b"?")
            poll.register(client, select.POLLIN if udp else select.POLLOUT)
        end = time.monotonic() + timeout
        while waiting and (left := end - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                target, client = waiting.pop(descriptor)
                if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    reached.add(target)
                poll.unregister(descriptor)
                client.close()
    finally:
        for _, client in waiting.values():
            client.close()
    return reached
