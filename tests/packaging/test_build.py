"""build.sh on other machines: it makes the same bytes, and needs only Python and pip."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = ("build.sh", "LICENSE", "plugin.yaml", "pyproject.toml", "packaging", "kubectl_netpol", "examples")
PYTHONS = [
    found
    for found in {sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(10, 20)), "/usr/bin/python3"}
    if found
]


def _copy(project: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in SOURCES:
        source = project / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def _runs(python: str) -> bool:
    done = subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 10))"], check=False)
    return done.returncode == 0


def test_any_folder_umask_time_zone_and_python_makes_the_same_bytes(project: Path, tmp_path: Path) -> None:
    one = _copy(project, tmp_path / "one")
    other = Path(shutil.copytree(one, tmp_path / "other" / "of-a-longer-name"))
    dependencies, tools = project / "build" / "dependencies", project / "build" / "tools"
    pythons = [python for python in PYTHONS if _runs(python)]
    settings = [
        (one, 0o022, "UTC", sys.executable),
        (other, 0o077, "Asia/Tokyo", sys.executable),
        *((other, 0o002, "America/New_York", python) for python in pythons),
    ]
    digests = {}
    for folder, umask, zone, python in settings:
        script, made = folder / "packaging" / "make_zipapp.py", folder / "dist" / "kubectl-netpol"
        subprocess.run(
            [python, script, "--dependencies", dependencies, "--tools", tools, "--output", made],
            env={"PATH": os.environ["PATH"], "TZ": zone},
            umask=umask,
            check=True,
        )
        assert made.stat().st_mode & 0o777 == 0o755
        digests[folder, umask, zone, python] = hashlib.sha256(made.read_bytes()).hexdigest()
        made.unlink()
    assert len(set(digests.values())) == 1, digests


def test_a_changed_dependency_is_refused(project: Path, tmp_path: Path) -> None:
    copy = _copy(project, tmp_path)
    lock = copy / "packaging" / "requirements-build.txt"
    lock.write_text(lock.read_text().replace("sha256:8", "sha256:9"))
    done = subprocess.run([copy / "build.sh"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (copy / "dist").exists()


def test_the_demo_needs_only_python_and_pip(project: Path, tmp_path: Path) -> None:
    """An externally managed Python, without venv and ensurepip, and no home to write to."""
    python = "/usr/bin/python3"
    stdlib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if not Path(stdlib, "EXTERNALLY-MANAGED").exists():
        pytest.skip(f"{python} is not externally managed")
    copy = _copy(project, tmp_path / "project")
    absent = tmp_path / "absent"
    absent.mkdir()
    for name in ("venv", "ensurepip"):
        (absent / f"{name}.py").write_text("raise ImportError('absent')")
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/proc/nobody",
        "TMPDIR": str(tmp_path),
        "PYTHON": python,
        "PYTHONPATH": str(absent),
        "KUBECONFIG": "/proc/nobody/config",
    }
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = subprocess.run([copy / "build.sh", "demo"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert [line.split()[3] for line in shown] == ["test", "allow", "explain"]
    assert "kind: NetworkPolicy" in done.stdout
