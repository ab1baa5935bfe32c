"""The built zipapp, run as by a user with a home and a temporary folder of the test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[2]

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: san, namespace: shop, labels: {run: san}}
spec: {containers: [{name: san, image: busybox}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nginx, namespace: shop, labels: {run: nginx}}
spec: {containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all-ingress, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""

UNREACHABLE = """\
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: secret}}]
"""

SMOKE: dict[str, tuple[list[str], int]] = {
    "version": (["version"], 0),
    "help": (["--help"], 0),
    "allow": (["allow", "--from", "run=san", "--to", "run=nginx", "--port", "80"], 0),
    "explain": (["explain", "nginx", "-n", "shop", "-f", "manifest.yaml"], 0),
    "explain a connection": (["explain", "san", "nginx", "80", "-n", "shop", "-f", "manifest.yaml"], 1),
    "matrix as a page": (["matrix", "-n", "shop", "-f", "manifest.yaml", "-o", "html"], 0),
    "test": (["test", "san", "nginx", "80", "-n", "shop", "-f", "manifest.yaml"], 1),
    "a cluster that can't be reached": (
        ["explain", "nginx", "--kubeconfig", "config.yaml", "--request-timeout", "5s"],
        2,
    ),
}
"""Commands that every Python must run in a folder with MANIFEST and UNREACHABLE, and their exit status."""


class User(NamedTuple):
    """Who runs the zipapp: with an own home and temporary folder, and nothing else from our environment."""

    zipapp: Path
    home: Path
    temporary: Path

    @property
    def caches(self) -> Path:
        return self.home / ".cache" / "kubectl-netpol"

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "TMPDIR": str(self.temporary), "LC_ALL": "C.UTF-8"}

    def run(
        self, *arguments: str, python: str | None = sys.executable, path: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs the zipapp by `python` (None: by its shebang); an empty value removes the variable."""
        command = [*([python] if python else []), str(path or self.zipapp), *arguments]
        variables = {name: value for name, value in (self.environment | environment).items() if value}
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)


class Release(NamedTuple):
    """The files of `build.sh release`, and the addresses that they were made with."""

    folder: Path
    version: str
    address: str
    homepage: str

    @property
    def archive(self) -> Path:
        return self.folder / f"kubectl-netpol-v{self.version}.tar.gz"

    @property
    def manifest(self) -> Path:
        return self.folder / "netpol.yaml"

    @property
    def wheel(self) -> Path:
        return self.folder / "pypi" / f"kubectl_netpol-{self.version}-py3-none-any.whl"


ADDRESS, HOMEPAGE = "https://example.com/downloads", "https://example.com/netpol"
VERSION = re.findall(r'__version__ = "(.+)"', (PROJECT / "kubectl_netpol" / "__init__.py").read_text())[0]


@pytest.fixture(scope="session")
def repository() -> Callable[[Path], Path]:
    """Makes a folder with the project as it is here, all of it committed; what was fetched for a build is shared."""

    def make(folder: Path) -> Path:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (PROJECT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, folder / name)
        (folder / "build").symlink_to(PROJECT / "build")
        environment = os.environ | {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A"), ("EMAIL", "a@example.com"), ("DATE", "2026-01-02T03:04:05Z"))
        }
        for command in ("init -q", "add -A", "commit -q -m all"):
            subprocess.run(["git", *command.split()], cwd=folder, env=environment, check=True)
            if command == "init -q":
                (folder / ".git" / "info" / "exclude").write_text("build\n")
        for name, value in (("user.name", "A"), ("user.email", "a@example.com")):
            subprocess.run(["git", "config", name, value], cwd=folder, check=True)
        return folder

    return make


@pytest.fixture(scope="session")
def make_release(repository: Callable[[Path], Path]) -> Callable[..., Path]:
    """Makes a release in this folder, and says where its files are."""

    def make(folder: Path, *, address: str = ADDRESS, umask: int = 0o022, zone: str = "UTC") -> Path:
        subprocess.run(
            ["./build.sh", "release", VERSION, address, HOMEPAGE],
            cwd=repository(folder),
            env=os.environ | {"TZ": zone},
            umask=umask,
            check=True,
        )
        return folder / "dist" / "release"

    return make


@pytest.fixture(scope="session")
def release(make_release: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = make_release(tmp_path_factory.mktemp("release") / "project")
    return Release(folder, VERSION, ADDRESS, HOMEPAGE)


@pytest.fixture(scope="session")
def smoke() -> dict[str, tuple[list[str], int]]:
    return SMOKE


@pytest.fixture(scope="session")
def required() -> bool:
    """Whether a test fails, as in CI, instead of being skipped if this machine lacks something."""
    return os.environ.get("NETPOL_REQUIRE_CLUSTER") == "1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with manifest.yaml and config.yaml."""
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    (tmp_path / "config.yaml").write_text(UNREACHABLE)
    return tmp_path


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def zipapp() -> Path:
    path = Path(os.environ.get("NETPOL_ZIPAPP", PROJECT / "dist" / "kubectl-netpol")).resolve()
    assert path.exists(), "run ./build.sh first"
    return path


@pytest.fixture
def user(zipapp: Path, tmp_path: Path) -> User:
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    return User(zipapp, tmp_path / "home", tmp_path / "tmp")
