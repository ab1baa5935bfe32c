"""The code of the built zipapp, loaded once in a process of its own: many commands, one start."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOP = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
from kubectl_netpol import cli
assert cli.__file__.startswith(sys.argv[1]), cli.__file__
answers = sys.stdout
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


class Built:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str) -> Ran:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return Ran(*json.loads(self._process.stdout.readline()))


@contextmanager
def built(zipapp: Path, folder: Path) -> Iterator[Built]:
    """The zipapp, unpacked into this folder; ends with the block."""
    with zipfile.ZipFile(zipapp) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("site-packages/")])
    command = [sys.executable, "-I", "-c", _LOOP, str(folder / "site-packages")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Built(process)
        finally:
            process.kill()
