"""`--watch`: looks again and again, and prints a line only where something changed."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from kubectl_netpol.console import in_a_line
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import NetpolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_netpol.console import Console
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult


class Seen(NamedTuple):
    """A line, and what must change for it to be printed again. `quiet`: not printed where it is the first one."""

    line: str
    what: object
    quiet: bool = False


def state_of(result: ConnectionResult) -> object:
    """What must change of a connection for a line. Refused or timed out, what is blocked is blocked."""
    finding = result.finding
    return finding.word, result.prediction.verdict, finding.detail if finding.reachable is None else ""


def watch(look: Callable[[], Mapping[str, Seen]], seconds: float, console: Console) -> NoReturn:
    """Until it is interrupted: an interrupt is raised again after a line on stderr that sums up.

    What goes wrong in the first round is raised; later it is a line, and the next round prints everything.
    """
    began = time.monotonic()
    rounds, changes, failed = 0, 0, ""
    try:
        before: Mapping[str, Seen] = look()
        _print([seen.line for seen in before.values() if not seen.quiet], console)
        while True:
            rounds += 1
            # The process runs without the garbage collector, which one short run does not need.
            gc.collect()
            time.sleep(seconds)
            try:
                now = look()
            except NetpolError as error:
                if error.message != failed:
                    changes += 1
                    _print([f"can't tell: {error.message}"], console)
                before, failed = {}, error.message
            else:
                lines = _changed(before, now)
                changes += len(lines)
                _print(lines, console)
                before, failed = now, ""
    except KeyboardInterrupt:
        console.note(
            f"{count(rounds, 'round')} in {time.monotonic() - began:.0f} s, {count(changes, 'line')} about changes"
        )
        raise


def _changed(before: Mapping[str, Seen], now: Mapping[str, Seen]) -> list[str]:
    lines = []
    for name, seen in now.items():
        earlier = before.get(name)
        if earlier.what != seen.what if earlier else not seen.quiet:
            lines.append(seen.line)
    return lines + [f"gone: {name}" for name in before if name not in now]


def _print(lines: list[str], console: Console) -> None:
    """Each with the time; written out at once, since the next one may be hours away."""
    for line in lines:
        console.data(f"{time.strftime('%H:%M:%S')} {in_a_line(line)}")
    console.finish()
