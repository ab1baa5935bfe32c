"""Ctrl-C and SIGTERM at any moment of a run: nothing is printed, and the status says which it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packaging.conftest import User

MATRIX = ("matrix", "-n", "shop", "-f", "manifest.yaml")
ANSWERED = 0, 1


def interrupted(user: User, folder: Path, number: int, seconds: float) -> tuple[int, str]:
    """Status and stderr of a run that gets the signal after this time."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", user.zipapp, *MATRIX],
        cwd=folder,
        env=user.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(number)
    _, printed = process.communicate(timeout=60)
    return process.returncode, printed


def of_python(printed: str) -> bool:
    """Whether it is from Python's own start, before the first line of the zipapp: nothing can be done about that."""
    return "/__main__.py" not in printed and "site-packages" not in printed and "zipapp_" not in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("start", ["the first start", "a later start"])
def test_an_interrupt_at_any_moment_is_silent(user: User, folder: Path, number: int, start: str) -> None:
    seen = set()
    if start == "a later start":
        user.run("version")
    for milliseconds in range(1, 161, 3):
        status, printed = interrupted(user, folder, number, milliseconds / 1000)
        if printed and of_python(printed):
            continue
        assert not printed, f"after {milliseconds} ms"
        assert status in (*ANSWERED, -number, 128 + number), f"after {milliseconds} ms"
        seen.add(status)
    assert seen & {-number, 128 + number}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_while_it_works_has_the_status_of_the_signal(user: User, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, user.zipapp, "explain", "-f", "-"],
        env=user.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(b"# more than a pipe holds\n" * 10_000)  # done once the program reads
    process.stdin.flush()
    while process.poll() is None:  # Python itself may not notice one that comes just before it waits for more
        process.send_signal(number)
        time.sleep(0.1)
    assert process.returncode == 128 + number
    assert process.communicate() == (b"", b"")


def test_a_signal_that_is_ignored_stays_ignored(user: User) -> None:
    """As after nohup, or in the background of a script."""
    process = subprocess.Popen(
        [sys.executable, user.zipapp, "explain", "-f", "-"],
        env=user.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - no threads here
    )
    assert process.stdin
    process.stdin.write(b"# more than a pipe holds\n" * 10_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    assert process.wait(20) == 0
