"""The zipapp on every Python: those of this machine, and Debian's in systems made by debootstrap."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 10)


def _pythons() -> dict[str, str]:
    """Version to executable, for every CPython of this machine."""
    names = [f"python{version}" for version in ("2.7", *(f"3.{minor}" for minor in range(6, 20)))]
    candidates = [sys.executable, *filter(None, map(shutil.which, names))]
    candidates += sorted(str(path) for path in Path.home().glob(".pyenv/versions/*/bin/python"))
    script = "import platform; print(platform.python_implementation() + ' ' + platform.python_version())"
    found: dict[str, str] = {}
    for candidate in candidates:
        done = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
        implementation, _, version = done.stdout.strip().partition(" ")
        if implementation == "CPython":
            found.setdefault(version, candidate)
    return found


def _run(command: list[str], folder: Path, home: Path | str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def _is_supported(version: str) -> bool:
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= OLDEST


@pytest.mark.parametrize(("version", "python"), _pythons().items(), ids=_pythons())
def test_every_python_of_this_machine_runs_it_or_gets_a_clear_error(
    version: str, python: str, zipapp: Path, folder: Path, smoke: dict[str, tuple[list[str], int]]
) -> None:
    if _is_supported(version):
        _check_smoke([python, "-W", "error", str(zipapp)], folder, folder, smoke)
    else:
        _check_refused([python, str(zipapp), "version"], folder, folder, version)


def _check_smoke(command: list[str], folder: Path, home: Path | str, smoke: dict[str, tuple[list[str], int]]) -> None:
    for what, (arguments, status) in smoke.items():
        done = _run([*command, *arguments], folder, home)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), (what, done.stdout, done.stderr)


def _check_refused(command: list[str], folder: Path, home: Path | str, version: str) -> None:
    done = _run(command, folder, home)
    short = ".".join(version.split(".")[:2])
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(
        rf"error: kubectl netpol needs Python 3\.10 or newer, but \S+ is Python {re.escape(short)}\n", done.stderr
    )


@contextmanager
def _debian(suite: str, package: str) -> Iterator[Path]:
    """A minimal Debian and one package, from debootstrap's own mirror."""
    with tempfile.TemporaryDirectory(prefix="netpol-chroot-") as folder:
        scripts, system = Path(folder, "debootstrap"), Path(folder, "system")
        shutil.copytree("/usr/share/debootstrap", scripts, symlinks=True)
        if not (scripts / "scripts" / suite).exists():  # newer than this debootstrap
            (scripts / "scripts" / suite).symlink_to("sid")
        try:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={package}", suite, str(system)],
                env=os.environ | {"DEBOOTSTRAP_DIR": str(scripts)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr
            yield system
        finally:
            mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
            for place in sorted((place for place in mounted if place.startswith(f"{folder}/")), reverse=True):
                subprocess.run(["umount", place], check=True)


@pytest.mark.chroot
@pytest.mark.parametrize(
    ("suite", "package", "version"),
    [("trixie", "python3", "3.13"), ("forky", "python3", "3.14"), ("bullseye", "python3-minimal", "3.9")],
)
def test_debians_pythons_run_it_or_get_a_clear_error(
    *,
    suite: str,
    package: str,
    version: str,
    zipapp: Path,
    folder: Path,
    smoke: dict[str, tuple[list[str], int]],
    required: bool,
) -> None:
    if not required:
        pytest.skip("whole Debian systems are made only with NETPOL_REQUIRE_CLUSTER=1")
    with _debian(suite, package) as system:
        shutil.copy(zipapp, system / "usr/local/bin")
        for name in ("manifest.yaml", "config.yaml"):
            shutil.copy(folder / name, system)
        command = ["chroot", str(system), "/usr/local/bin/kubectl-netpol"]
        if _is_supported(version):
            found = subprocess.run(["chroot", system, "python3", "-V"], capture_output=True, text=True, check=True)
            assert found.stdout.startswith(f"Python {version}.")
            _check_smoke(command, folder, "/root", smoke)
        else:
            _check_refused([*command, "version"], folder, "/root", version)
