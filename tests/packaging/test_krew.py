"""krew itself installs the release, offline, and its own validator accepts the manifest."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.lab import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packaging.conftest import Release

KREW = "v0.4.3"
PLATFORMS = [(system, machine) for system in ("linux", "darwin") for machine in ("amd64", "arm64")]


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
def served(release: Release, downloads: tuple[Path, str]) -> Release:
    """The release, with its archive where its manifest says."""
    folder, address = downloads
    shutil.copy(release.archive, folder)
    (folder / release.manifest.name).write_text(release.manifest.read_text().replace(release.address, address))
    return release._replace(folder=folder)


@pytest.fixture(scope="module")
def kubectl(*, required: bool) -> Path:
    """The one that the cluster tests built, or the machine's."""
    found = [*runs().parent.glob("*/bin/kubectl"), *map(Path, filter(None, [shutil.which("kubectl")]))]
    if not found and not required:
        pytest.skip("kubectl is not installed")
    return found[0]


@pytest.mark.parametrize(("system", "machine"), PLATFORMS)
def test_krew_installs_it_offline(
    krew: Path, kubectl: Path, served: Release, tmp_path: Path, *, system: str, machine: str
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
        [krew / "krew", "install", f"--manifest={served.manifest}", f"--archive={served.archive}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    done = subprocess.run([kubectl, "netpol", "version"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert served.version in done.stdout


def test_krews_validator_accepts_the_manifest(krew: Path, served: Release, tmp_path: Path) -> None:
    """It downloads the archive from this machine and installs it for every platform."""
    environment = os.environ | {
        "HOME": str(tmp_path),
        "KREW_ROOT": str(tmp_path / "krew"),
        "PATH": f"{krew}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [krew / "validate-krew-manifest", f"-manifest={served.manifest}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
