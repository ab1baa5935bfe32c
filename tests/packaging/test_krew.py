"""krew itself installs the release, offline, and its own validator accepts the manifest."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import re
import shutil
import stat
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from tests.cluster.lab import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

KREW = "v0.4.3"
PLATFORMS = [(system, machine) for system in ("linux", "darwin") for machine in ("amd64", "arm64")]


class Release(NamedTuple):
    """The files of `build.sh release`: the archive, and the manifest with the name that krew's validator requires."""

    archive: Path
    manifest: Path
    version: str


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        pass


@pytest.fixture(scope="module")
def krew(project: Path, *, required: bool) -> Path:
    """A folder with krew and its validator, built once from the Go module."""
    if not shutil.which("go") and not required:
        pytest.skip("krew is built by Go, which is not installed")
    folder = project / "build" / f"krew-{KREW}"
    if not (folder / "validate-krew-manifest").exists():
        subprocess.run(
            ["go", "install", "-p", "1"]
            + [f"sigs.k8s.io/krew/cmd/{name}@{KREW}" for name in ("krew", "validate-krew-manifest")],
            env=os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"},
            check=True,
        )
    shutil.copy(folder / "krew", folder / "kubectl-krew")
    return folder


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder and the URL at which a server on this machine offers it."""
    folder = tmp_path_factory.mktemp("downloads")
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def release(
    project: Path, zipapp: Path, downloads: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Release:
    """A release of the zipapp under test, built in a copy of the project."""
    folder, address = downloads
    copy = tmp_path_factory.mktemp("project")
    for name in ("LICENSE", "plugin.yaml"):
        shutil.copy(project / name, copy)
    for name in ("packaging", "kubectl_netpol"):
        shutil.copytree(project / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "dist").mkdir()
    shutil.copy(zipapp, copy / "dist" / "kubectl-netpol")
    said = subprocess.run([zipapp, "version"], capture_output=True, text=True, check=True).stdout
    version = re.findall(r"\d+\.\d+\.\d+\S*", said)[0]
    script = copy / "packaging" / "release.py"
    subprocess.run([shutil.which("python3") or "python3", script, version, address], check=True)
    archive = Path(shutil.copy(copy / "dist" / f"kubectl-netpol-v{version}.tar.gz", folder))
    return Release(archive, Path(shutil.copy(copy / "dist" / "plugin.yaml", folder / "netpol.yaml")), version)


def test_the_manifest_matches_the_release(release: Release, zipapp: Path, project: Path) -> None:
    manifest = yaml.safe_load(release.manifest.read_text())
    assert manifest["spec"]["version"] == f"v{release.version}"
    assert len(manifest["spec"]["shortDescription"]) <= 50
    (platform,) = manifest["spec"]["platforms"]
    assert platform["uri"].endswith(f"/{release.archive.name}")
    assert platform["sha256"] == hashlib.sha256(release.archive.read_bytes()).hexdigest()
    with tarfile.open(release.archive) as archive:
        members = {member.name: stat.filemode(member.mode) for member in archive.getmembers()}
        assert members == {"LICENSE": "?rw-r--r--", "kubectl-netpol": "?rwxr-xr-x"}
        contents = {name: archive.extractfile(name) for name in members}
        read = {name: file.read() for name, file in contents.items() if file}
    assert read == {"LICENSE": (project / "LICENSE").read_bytes(), "kubectl-netpol": zipapp.read_bytes()}


def test_a_version_that_is_not_the_packages_is_refused(project: Path) -> None:
    script = project / "packaging" / "release.py"
    done = subprocess.run(
        ["python3", script, "v99.0.0", "http://localhost"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "not 99.0.0" in done.stderr


@pytest.fixture(scope="module")
def kubectl(*, required: bool) -> Path:
    """The one that the cluster tests built, or the machine's."""
    found = [*runs().parent.glob("*/bin/kubectl"), *map(Path, filter(None, [shutil.which("kubectl")]))]
    if not found and not required:
        pytest.skip("kubectl is not installed")
    return found[0]


@pytest.mark.parametrize(("system", "machine"), PLATFORMS)
def test_krew_installs_it_offline(
    krew: Path, kubectl: Path, release: Release, tmp_path: Path, *, system: str, machine: str
) -> None:
    root = tmp_path / "krew"
    environment = os.environ | {
        "HOME": str(tmp_path),
        "KREW_ROOT": str(root),
        "KREW_OS": system,
        "KREW_ARCH": machine,
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(
        [krew / "krew", "install", f"--manifest={release.manifest}", f"--archive={release.archive}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    done = subprocess.run([kubectl, "netpol", "version"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert release.version in done.stdout


def test_krews_validator_accepts_the_manifest(krew: Path, release: Release, tmp_path: Path) -> None:
    """It downloads the archive from this machine and installs it for every platform."""
    environment = os.environ | {
        "HOME": str(tmp_path),
        "KREW_ROOT": str(tmp_path / "krew"),
        "PATH": f"{krew}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [krew / "validate-krew-manifest", f"-manifest={release.manifest}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
