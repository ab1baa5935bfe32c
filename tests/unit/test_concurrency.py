"""Concurrent calls: order, limits, exceptions and interrupts."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.concurrency import import_ahead, map_concurrently, start_thread

if TYPE_CHECKING:
    from pathlib import Path


def test_results_are_in_the_order_of_the_items() -> None:
    def square_later(number: int) -> int:
        time.sleep((number % 3) / 1000)
        return number * number

    assert map_concurrently(square_later, list(range(100))) == [number * number for number in range(100)]


def test_no_items() -> None:
    assert map_concurrently(str, []) == []


def test_eight_calls_run_at_the_same_time_and_not_more() -> None:
    together = threading.Barrier(8, timeout=20)
    threads = set()

    def call(_: int) -> None:
        threads.add(threading.current_thread())
        together.wait()

    map_concurrently(call, list(range(16)))
    assert len(threads) == 8


def test_as_many_at_the_same_time_as_are_asked_for() -> None:
    together = threading.Barrier(10, timeout=20)
    threads = set()

    def call(_: int) -> None:
        threads.add(threading.current_thread())
        together.wait()

    map_concurrently(call, list(range(20)), at_once=10)
    assert len(threads) == 10


def test_each_result_is_handed_over_when_it_is_there_and_in_this_thread() -> None:
    first_is_done = threading.Event()
    seen: list[tuple[str, threading.Thread]] = []

    def call(item: str) -> str:
        if item == "slow":
            first_is_done.wait(20)
        return item

    def done(item: str) -> None:
        seen.append((item, threading.current_thread()))
        first_is_done.set()

    assert map_concurrently(call, ["slow", "fast"], done=done) == ["slow", "fast"]
    assert seen == [("fast", threading.current_thread()), ("slow", threading.current_thread())]


def test_two_items_need_two_threads() -> None:
    before = threading.active_count()
    assert map_concurrently(lambda _: threading.active_count() - before, [1, 2])[0] <= 2


def test_an_exception_is_raised_without_waiting_for_the_other_calls() -> None:
    release = threading.Event()

    def call(item: str) -> None:
        if item == "bad":
            raise ValueError(item)
        release.wait(20)

    began = time.monotonic()
    with pytest.raises(ValueError, match=r"^bad$"):
        map_concurrently(call, ["slow", "bad", "slow"])
    assert time.monotonic() - began < 10
    release.set()


INTERRUPTED = """
import os, sys, time
from kubectl_netpol.concurrency import import_ahead, map_concurrently, start_thread
try:
    map_concurrently(lambda _: (os.write(1, b"begun\\n"), time.sleep(60)), [1, 2])
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupted_process_ends_without_waiting_for_its_threads() -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(30) == 130
        assert time.monotonic() - began < 10


class InterruptedThread(threading.Thread):
    """Its start is interrupted in the midst of Condition.wait, which then releases a lock that it does not hold."""

    def start(self) -> None:
        started = threading.Condition(threading.Lock())
        with started:
            started.release()
            raise KeyboardInterrupt


def test_an_interrupt_while_a_thread_starts_does_not_pass_for_no_more_threads() -> None:
    with pytest.raises(RuntimeError, match=r"^release unlocked lock$"):
        InterruptedThread().start()
    with pytest.raises(KeyboardInterrupt):
        start_thread(InterruptedThread())


def test_an_interrupt_of_work_in_the_callers_thread_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def call(item: int) -> None:
        begun.append(item)
        raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netpol.concurrency.start", lambda _: False)
    with pytest.raises(KeyboardInterrupt):
        map_concurrently(call, [1, 2, 3])
    assert begun == [1]


@pytest.mark.parametrize("most", [0, 1, 3], ids=["none", "one", "three"])
def test_where_the_machine_has_no_more_threads_the_work_is_done_all_the_same(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[threading.Thread] = []
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert map_concurrently(lambda item: item * 2, list(range(20))) == list(range(0, 40, 2))
    assert len(started) == most


def test_what_is_imported_ahead_is_there_soon_and_what_fails_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "netpol_first.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    (tmp_path / "netpol_second.py").write_text("READY = True\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def remembered(thread: threading.Thread) -> None:
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", remembered)
    import_ahead(["netpol_second", "netpol_first"])
    begun[0].join(20)
    assert sys.modules["netpol_second"].READY
    assert "netpol_first" not in sys.modules
    assert capfd.readouterr() == ("", "")
