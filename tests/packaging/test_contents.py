"""What is in the zipapp."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NEEDS_MORE = {
    "yaml.cyaml": "the C extension, which yaml does not require",
    "urllib3.contrib.socks": "PySocks, which is not a dependency",
}
"""Modules that can't be imported, and what they need."""


@pytest.fixture(scope="module")
def site(zipapp: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(zipapp) as archive:
        archive.extractall(folder)
    return folder / "site-packages"


def test_it_is_about_one_megabyte(zipapp: Path) -> None:
    assert zipapp.stat().st_size < 1_200_000


def test_what_the_package_reads_of_itself_is_there(site: Path) -> None:
    ours = site / "kubectl_netpol"
    read = {
        name
        for path in ours.rglob("*.py")
        for name in re.findall(r'"([\w-]+\.(?:md|js|css|html|sh))"', path.read_text())
    }
    assert read == {path.name for path in ours.rglob("*") if path.suffix not in ("", ".py")}


def test_dependencies_are_pure_python(site: Path) -> None:
    ours = set((site / "kubectl_netpol").rglob("*"))
    assert {path.suffix for path in site.rglob("*") if path.is_file() and path not in ours} == {".py", ".pem"}


def test_every_file_of_the_package_is_in_it_unchanged(site: Path, project: Path) -> None:
    """Not only modules, but also the code in other languages that they read."""
    files = {
        path.relative_to(project): path.read_bytes()
        for path in (project / "kubectl_netpol").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    packed = {
        path.relative_to(site): path.read_bytes() for path in (site / "kubectl_netpol").rglob("*") if path.is_file()
    }
    assert packed.keys() == files.keys()
    assert [name for name, content in files.items() if packed[name] != content] == []
    assert {path.suffix for path in files} == {".py", ".sh", ".js", ".css", ".html", ".md"}


def test_it_has_the_licence_of_every_dependency(zipapp: Path, project: Path) -> None:
    pinned = re.findall(r"^([\w.-]+)==", (project / "packaging" / "requirements.txt").read_text(), re.MULTILINE)
    with zipfile.ZipFile(zipapp) as archive:
        texts = archive.read("LICENSES-of-dependencies.txt").decode()
        assert archive.read("LICENSE") == (project / "LICENSE").read_bytes()
    for name in pinned:
        assert re.search(rf"^{name.replace('-', '[-_]')}-[\w.]+: (LICEN|COPYING)", texts, re.MULTILINE), name


def test_every_module_can_be_imported(site: Path) -> None:
    names = []
    for path in sorted(site.rglob("*.py")):
        parts = path.relative_to(site).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if parts[-1] != "__main__" and name not in NEEDS_MORE:
            names.append(name)
    script = "import importlib, sys; sys.path.insert(0, sys.argv[1]); [*map(importlib.import_module, sys.argv[2:])]"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(site), *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(names) > 100


def test_every_module_that_the_package_imports_is_in_it(site: Path) -> None:
    """Including imports inside functions, which the test above does not run."""
    wanted: dict[str, Path] = {}
    for path in sorted((site / "kubectl_netpol").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                wanted |= {alias.name: path for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted[node.module] = path
    missing = {
        name: str(path)
        for name, path in wanted.items()
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not (site / name.replace(".", "/")).is_dir()
        and not (site / (name.replace(".", "/") + ".py")).is_file()
    }
    assert missing == {}
    assert {"kubernetes.client.configuration", "urllib3", "websocket", "yaml"} <= wanted.keys()
