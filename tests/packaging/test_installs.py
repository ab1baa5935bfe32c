"""The wheel as people install it: by pip, by pipx and by uv; each then answers a question."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Release

TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """Of a user who has no such tool yet; where packages come from is the machine's setting."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "HTTP"))}
    return kept | {
        "HOME": str(home),
        "PATH": os.pathsep.join((str(home / ".local" / "bin"), str(TOOLS), "/usr/bin", "/bin")),
        "LC_ALL": "C.UTF-8",
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


@pytest.fixture(scope="module")
def python(release: Release, home: Path, environment: dict[str, str], project: Path) -> Path:
    """Of a virtual environment into which pip has installed the wheel."""
    found = home / "venv" / "bin" / "python"
    virtualenv = {"PYTHONPATH": str(project / "build" / "virtualenv")}
    make = [sys.executable, "-m", "virtualenv", "-q", str(found.parents[1])]
    subprocess.run(make, env=environment | virtualenv, check=True, timeout=300)
    subprocess.run([found, "-m", "pip", "install", "-q", release.wheel], env=environment, check=True, timeout=300)
    return found


WAYS = {"pip": [], "pipx": ["pipx", "install", "-q"], "uv": ["uv", "tool", "install", "-q", "--force"]}


@pytest.fixture(scope="module", params=WAYS)
def program(request: pytest.FixtureRequest, release: Release, python: Path, environment: dict[str, str]) -> Path:
    """The program, installed in this way."""
    if request.param == "pip":
        return python.with_name("kubectl-netpol")
    tool, *words = WAYS[request.param]
    found = Path(environment["HOME"], ".local", "bin", "kubectl-netpol")
    found.unlink(missing_ok=True)
    subprocess.run([TOOLS / tool, *words, release.wheel], env=environment, check=True, timeout=300)
    return found


def test_it_answers(
    program: Path, folder: Path, environment: dict[str, str], smoke: dict[str, tuple[list[str], int]]
) -> None:
    for words, status in smoke.values():
        done = subprocess.run(
            [program, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr


def test_kubectl_finds_it(program: Path, environment: dict[str, str], release: Release) -> None:
    path = os.pathsep.join((str(program.parent), environment["PATH"]))
    done = subprocess.run(
        ["kubectl", "netpol", "version"],
        env=environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert release.version in done.stdout


def test_python_runs_it_as_a_module(python: Path, folder: Path, environment: dict[str, str]) -> None:
    words = ["-m", "kubectl_netpol", "test", "san", "nginx", "80", "-n", "shop", "-f", "manifest.yaml"]
    done = subprocess.run(
        [python, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("blocked: san → nginx, TCP 80")
