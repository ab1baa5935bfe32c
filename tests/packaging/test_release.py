"""The release command: what it makes, that the same commit makes the same bytes, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.packaging.conftest import Release

FILES = {
    "kubectl-netpol-v{}.cdx.json",
    "kubectl-netpol-v{}.tar.gz",
    "kubectl-netpol-v{}.tar.gz.sha256",
    "netpol.yaml",
    "pypi/kubectl_netpol-{}-py3-none-any.whl",
    "pypi/kubectl_netpol-{}.tar.gz",
}


def test_it_makes_these_files_and_no_other(release: Release) -> None:
    found = {path.relative_to(release.folder).as_posix() for path in release.folder.rglob("*") if path.is_file()}
    assert found == {name.format(release.version) for name in FILES}


def test_the_archive_holds_the_zipapp_and_its_licence(release: Release, zipapp: Path, project: Path) -> None:
    with tarfile.open(release.archive) as archive:
        members = {member.name: stat.filemode(member.mode) for member in archive.getmembers()}
        assert members == {"LICENSE": "?rw-r--r--", "kubectl-netpol": "?rwxr-xr-x"}
        contents = {name: archive.extractfile(name) for name in members}
        read = {name: file.read() for name, file in contents.items() if file}
    assert read == {"LICENSE": (project / "LICENSE").read_bytes(), "kubectl-netpol": zipapp.read_bytes()}


def test_the_digest_is_one_that_sha256sum_takes(release: Release) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", f"{release.archive.name}.sha256"], cwd=release.folder, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_the_same_commit_makes_the_same_bytes_in_any_folder(
    release: Release, make_release: Callable[..., Path], tmp_path: Path
) -> None:
    again = make_release(tmp_path / "of-a-longer-name", umask=0o077, zone="Asia/Tokyo")
    for path in sorted(path for path in release.folder.rglob("*") if path.is_file()):
        name = path.relative_to(release.folder)
        assert hashlib.sha256((again / name).read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest(), name


# As the guides of the krew index and its reviews have them.
RULES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "the name is lower case and has no kube in it": lambda manifest: bool(
        re.fullmatch(r"(?!.*kube)[a-z][a-z0-9-]*", manifest["metadata"]["name"])
    ),
    "there is a homepage": lambda manifest: manifest["spec"]["homepage"].startswith("https://"),
    "the short description has at most 50 characters, and no full stop": lambda manifest: (
        len(manifest["spec"]["shortDescription"]) <= 50 and not manifest["spec"]["shortDescription"].endswith(".")
    ),
    "neither description says that it is a kubectl plugin": lambda manifest: (
        not re.search("plugin", manifest["spec"]["shortDescription"] + manifest["spec"]["description"], re.IGNORECASE)
    ),
    "no line is longer than 80 characters": lambda manifest: all(
        len(line) <= 80 for key in ("description", "caveats") for line in manifest["spec"][key].splitlines()
    ),
    "the description has no usage lines and no list of commands": lambda manifest: (
        not re.search(r"kubectl netpol|^[ \t]*[-*] |^[ \t]+\S", manifest["spec"]["description"], re.MULTILINE)
    ),
    "the caveats are what must be done before it works": lambda manifest: (
        manifest["spec"]["caveats"].splitlines() == ["This plugin needs python3 3.10 or newer on the PATH."]
    ),
    "the version is semantic, with a v": lambda manifest: bool(
        re.fullmatch(r"v\d+\.\d+\.\d+", manifest["spec"]["version"])
    ),
    "nothing of the template is left": lambda manifest: "@" not in yaml.safe_dump(manifest),
}


@pytest.mark.parametrize("rule", [pytest.param(rule, id=text) for text, rule in RULES.items()])
def test_the_manifest_keeps_the_rules_of_the_krew_index(
    release: Release, rule: Callable[[dict[str, Any]], bool]
) -> None:
    assert rule(yaml.safe_load(release.manifest.read_text()))


def test_the_manifest_names_the_archive_at_its_address_with_its_digest(release: Release) -> None:
    (platform,) = yaml.safe_load(release.manifest.read_text())["spec"]["platforms"]
    assert platform["uri"] == f"{release.address}/{release.archive.name}"
    assert platform["sha256"] == hashlib.sha256(release.archive.read_bytes()).hexdigest()


def test_the_wheel_says_what_an_index_shows(release: Release) -> None:
    with zipfile.ZipFile(release.wheel) as wheel:
        metadata = wheel.read(f"kubectl_netpol-{release.version}.dist-info/METADATA").decode()
        names = set(wheel.namelist())
    head, _, readme = metadata.partition("\n\n")
    assert {
        "Author: The kubectl netpol authors",
        f"Project-URL: Homepage, {release.homepage}",
        "License-Expression: Apache-2.0",
        "Requires-Python: >=3.10",
    } <= set(head.splitlines())
    assert {f"kubectl_netpol/{name}" for name in ("probe/probe.sh", "render/page.js", "render/lint.md")} <= names
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert len(links) > 20
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)
    assert pictures
    assert all(link.startswith(f"{release.homepage}/raw/v{release.version}/docs/pictures/") for link in pictures)


def test_the_bill_lists_the_packages_that_the_zipapp_holds(release: Release, project: Path) -> None:
    bill = json.loads((release.folder / f"kubectl-netpol-v{release.version}.cdx.json").read_text())
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", (project / "packaging" / "requirements.txt").read_text(), re.MULTILINE)
    assert {(one["name"], one["version"]) for one in bill["components"]} == set(pinned)
    assert bill["metadata"]["component"]["version"] == release.version
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def commit(folder: Path) -> None:
    subprocess.run(["git", "commit", "-qam", "another"], cwd=folder, check=True)


def tagged(folder: Path) -> None:
    subprocess.run(["git", "tag", "v0.1.0"], cwd=folder, check=True)
    change(folder, "LICENSE", "Apache", "apache")
    commit(folder)


def without_section(folder: Path) -> None:
    change(folder, "CHANGELOG.md", "## 0.1.0", "## Unreleased")
    commit(folder)


@pytest.mark.parametrize(
    ("before", "words", "said"),
    [
        pytest.param(
            lambda folder: change(folder, "LICENSE", "Apache", "apache"),
            "0.1.0 https://example.com/dl https://example.com",
            "there are changes that are not committed",
            id="a dirty tree",
        ),
        pytest.param(
            without_section,
            "0.1.0 https://example.com/dl https://example.com",
            "CHANGELOG.md has no section ## 0.1.0",
            id="a version without its section of the changelog",
        ),
        pytest.param(
            tagged,
            "0.1.0 https://example.com/dl https://example.com",
            "there is a tag v0.1.0, of another commit",
            id="a tag that is there",
        ),
        pytest.param(
            lambda _: None,
            "v99.0.0 https://example.com/dl https://example.com",
            "kubectl_netpol is version 0.1.0, not 99.0.0",
            id="a version that is not the package's",
        ),
        pytest.param(
            lambda _: None,
            "0.1.0 https://example.com/dl example.com",
            'invalid HOMEPAGE "example.com": must be a URL',
            id="a homepage that is no address",
        ),
        pytest.param(lambda _: None, "0.1.0 https://example.com/dl", "usage: ./build.sh", id="a word too few"),
    ],
)
def test_it_refuses(
    repository: Callable[[Path], Path], tmp_path: Path, before: Callable[[Path], None], words: str, said: str
) -> None:
    folder = repository(tmp_path / "project")
    before(folder)
    done = subprocess.run(
        ["./build.sh", "release", *words.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (folder / "dist").exists()
