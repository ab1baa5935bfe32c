"""Calls a function for several items concurrently."""

from __future__ import annotations

import contextlib
import importlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from kubectl_netpol.errors import interrupt_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")
THREADS = 8  # as many calls, and connections, at once
_WAIT_SECONDS = 0.5


def start(work: Callable[[], None]) -> bool:
    """Begin the work in a thread; False if there are no more."""
    return start_thread(threading.Thread(target=work, daemon=True))


def start_thread(thread: threading.Thread) -> bool:
    """False if there are no more."""
    try:
        thread.start()
    except RuntimeError as error:
        if interrupt := interrupt_behind(error):
            raise interrupt from None
        return False
    return True


@contextlib.contextmanager
def call_after(seconds: float, call: Callable[[], None]) -> Iterator[None]:
    """Call it in a thread, if there is one, unless the body of the with statement ends before."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    start_thread(timer)
    try:
        yield
    finally:
        timer.cancel()


def import_ahead(modules: Sequence[str]) -> None:
    """Begin to import modules in a thread, for a caller that waits for something else meanwhile.

    What fails there fails again, and is reported, where the module is imported by name.
    """

    def work() -> None:
        with contextlib.suppress(Exception):
            for module in modules:
                importlib.import_module(module)

    start(work)


def map_concurrently(
    call: Callable[[T], R], items: Sequence[T], *, at_once: int = THREADS, done: Callable[[R], None] = lambda _: None
) -> list[R]:
    """The result of `call` for each item, in order, from at most that many threads; raises the first exception at once.

    `done` gets each result as soon as it is there, in the caller's thread.

    Where the machine has no more threads, the caller's works too. The threads are daemons, so neither an interrupt nor
    the end of the process waits for them, as both would for those of concurrent.futures.
    """
    todo: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    ready: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
    for task in enumerate(items):
        todo.put(task)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                index, item = todo.get_nowait()
                try:
                    ready.put((index, call(item), None))
                except BaseException as error:  # noqa: BLE001 # raised again in the caller's thread
                    ready.put((index, None, error))
                    break

    if not all(start(work) for _ in range(min(at_once, len(items)))):
        work()
    results: dict[int, Any] = {}
    for _ in items:
        index, result, error = next_of(ready)
        if error is not None:
            raise error
        results[index] = result
        done(result)
    return [results[index] for index in range(len(items))]


def next_of(ready: queue.SimpleQueue[T], seconds: float = float("inf")) -> T:
    """The next entry. TimeoutError if there is none in that time.

    Waits again and again: an interrupt that comes just before a wait begins is heeded only when it ends.
    """
    until = time.monotonic() + seconds
    while True:
        left = max(until - time.monotonic(), 0)
        with contextlib.suppress(queue.Empty):
            return ready.get(timeout=min(left, _WAIT_SECONDS))
        if not left:
            raise TimeoutError
