"""What images have in them, as folders of links to this machine's programs, and exec in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.cluster.streams import by_stdin

if TYPE_CHECKING:
    from collections.abc import Sequence


class Done(NamedTuple):
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    error: str | None
    seconds: float
    timed_out: bool = False
    truncated: bool = False


# Image: {name in the image: program of this machine}. Left out where the machine has not got one of them.
IMAGES: dict[str, dict[str, str]] = {
    "busybox": dict.fromkeys(("sh", "sleep", "nc", "ping", "nslookup", "dd"), "busybox"),
    "busybox with all its names": dict.fromkeys(("busybox", "sh", "sleep", "nc", "ping"), "busybox"),
    "openbsd-nc": {"sh": "dash", "sleep": "sleep", "nc": "nc.openbsd"},
    "openbsd-nc under bash": {"sh": "bash", "sleep": "sleep", "nc": "nc.openbsd"},
    "openbsd-nc under mksh": {"sh": "mksh", "sleep": "sleep", "printf": "printf", "nc": "nc.openbsd"},
    "traditional-nc": {"sh": "dash", "sleep": "sleep", "nc": "nc.traditional"},
    "ncat": {"sh": "dash", "sleep": "sleep", "nc": "ncat", "ncat": "ncat"},
    "toybox": {"sh": "dash", "sleep": "sleep", "nc": "toybox"},
    "bash": {"sh": "bash", "bash": "bash", "sleep": "sleep"},
    "bash without sleep": {"sh": "bash", "bash": "bash"},
    "curl": {"sh": "dash", "sleep": "sleep", "curl": "curl"},
    "perl": {"sh": "sh", "sleep": "sleep", "perl": "perl"},
    "python": {"sh": "sh", "sleep": "sleep", "python3": sys.executable},
}
NO_UDP = ("busybox", "busybox with all its names", "toybox", "curl")  # Debian's BusyBox: no nc -u
NO_LOOKUP = ("toybox",)
NO_IPV6 = ("traditional-nc",)


def available(*without: str) -> list[str]:
    return [
        image
        for image, programs in IMAGES.items()
        if image not in without and all(shutil.which(program) for program in programs.values())
    ]


def make(folder: Path, programs: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, program in programs.items():
        path = shutil.which(program)
        assert path is not None
        # A link to the link, not to its end: pyenv and Debian's alternatives look at the name they are called by.
        (folder / name).symlink_to(os.path.realpath(path) if program != sys.executable else path)
    return folder


class Container:
    """Runs programs with nothing but one folder on the PATH, in a session of their own that can be looked through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sessions: list[int] = []
        self.commands: list[tuple[str, ...]] = []

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        program = shutil.which(argv[0], path=str(self.path))
        if program is None:
            raise FileNotFoundError(argv[0])
        words, text = by_stdin(list(argv))
        process = subprocess.Popen(
            list(words),
            executable=program,
            env={"PATH": str(self.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        self.sessions.append(process.pid)
        assert process.stdin
        process.stdin.write(text)  # a pipe takes it at once, and stays open as that of an exec does
        process.stdin.flush()
        return process

    def __call__(self, argv: Sequence[str], deadline: float) -> Done:
        self.commands.append(tuple(argv))
        began = time.monotonic()
        try:
            process = self.start(argv)
        except FileNotFoundError:
            return Done(None, b"", b"", f'exec: "{argv[0]}": executable file not found in $PATH', 0.0)
        stdout, stderr = process.communicate(timeout=deadline)
        return Done(process.returncode, stdout, stderr, None, time.monotonic() - began)

    def left_over(self) -> list[str]:
        """What still runs of all that was started, zombies included, as "PID (NAME) STATE"."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text()
            except OSError:
                continue
            head, _, tail = text.rpartition(")")
            state, _parent, _group, session, *_ = tail.split()
            if int(session) in self.sessions:
                found.append(f"{head}) {state}")
        return found
