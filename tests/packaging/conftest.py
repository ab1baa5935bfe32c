"""The built zipapp, run as by a user with a home and a temporary folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

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
