"""The process: `python -m kubectl_netpol`, the installed script and the zipapp start here."""

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found] # without the enumerations of signal, which cost a millisecond
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def listen(handler: Callable[[int, FrameType | None], object]) -> None:
    """Calls it for Ctrl-C and SIGTERM, but for one that is ignored, as by nohup."""
    for number in (signals.SIGINT, signals.SIGTERM):
        if signals.getsignal(number) != signals.SIG_IGN:
            signals.signal(number, handler)


def leave(number: int, _: FrameType | None) -> NoReturn:
    """End at once, without a word."""
    os._exit(128 + number)


listen(leave)  # before the imports that take time

import gc  # noqa: E402
from contextlib import suppress  # noqa: E402

from kubectl_netpol import cli  # noqa: E402
from kubectl_netpol.errors import TerminatedError  # noqa: E402


def main() -> NoReturn:
    """Run the process's own command line, and end with its exit status."""
    gc.disable()  # one short run with few cycles; measured: json.loads of 10,000 pods takes a third of the time
    sys.unraisablehook = _unraisable
    try:
        listen(_interrupt)
        status = cli.main()
        listen(leave)
    except KeyboardInterrupt as interrupt:  # before cli could catch it, or after
        status = cli.status_of(interrupt)
    # Not stderr, which has nothing left to write: a thread may hold it, where the terminal is stopped.
    with suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()
    # Without taking everything apart first, which costs time, and prints what fails in it.
    os._exit(status)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    """The first one ends the command, a second one what that still has to do."""
    listen(leave)
    raise TerminatedError if number == signals.SIGTERM else KeyboardInterrupt


def _unraisable(found: Any) -> None:
    """Where an interrupt arrives in a callback, Python would print it and go on."""
    if isinstance(found.exc_value, KeyboardInterrupt):
        os._exit(cli.status_of(found.exc_value))
    sys.__unraisablehook__(found)


if __name__ == "__main__":
    main()
