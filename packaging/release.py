"""Makes the files of a release in dist/release: `release.py VERSION URI-BASE HOMEPAGE`, run by build.sh.

For krew the tar.gz, its sha256 and netpol.yaml; for PyPI the wheel and the sdist, in pypi/; and an SBOM of what the
zipapp holds. The same commit makes the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
ZIPAPP = PROJECT / "dist" / "kubectl-netpol"
RELEASE = PROJECT / "dist" / "release"
MODULE = "kubectl_netpol/__init__.py"


def refused(message: str) -> SystemExit:
    sys.stderr.write(f"error: {message}\n")
    return SystemExit(2)


def package_version() -> str:
    """`__version__` of the package, without importing it."""
    found = re.search(r'^__version__ = "(.+)"$', (PROJECT / MODULE).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise refused(f"{MODULE} has no __version__")
    return found[1]


def output(command: list[str], **settings: Any) -> str:
    """What a command prints; where it fails, what it says is the error."""
    done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, text=True, check=False, **{"cwd": PROJECT, **settings}
    )
    if done.returncode:
        raise refused(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def git(*words: str) -> str:
    return output(["git", *words])


def check(version: str, uri_base: str, homepage: str) -> None:
    """SystemExit with the first reason why this can't be released."""
    if version != package_version():
        raise refused(f"kubectl_netpol is version {package_version()}, not {version}: change {MODULE}")
    for what, address in (("URI-BASE", uri_base), ("HOMEPAGE", homepage)):
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address):
            raise refused(f'invalid {what} "{address}": must be a URL')
    if git("status", "--porcelain"):
        raise refused("there are changes that are not committed: git status")
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        raise refused(f"CHANGELOG.md has no section ## {version}")
    if git("tag", "--list", f"v{version}") and git("rev-parse", f"v{version}^{{commit}}") != git("rev-parse", "HEAD"):
        raise refused(f"there is a tag v{version}, of another commit")


def tarball(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar.gz of {name: (content, mode)}, with the same bytes for the same files."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as out:
        out.write(tar.getvalue())
    return packed.getvalue()


def for_krew(version: str, uri_base: str, homepage: str) -> str:
    """Writes the three files; the sha256 of the archive."""
    name = f"kubectl-netpol-v{version}.tar.gz"
    licence = (PROJECT / "LICENSE").read_bytes()
    content = tarball({"kubectl-netpol": (ZIPAPP.read_bytes(), 0o755), "LICENSE": (licence, 0o644)})
    digest = hashlib.sha256(content).hexdigest()
    (RELEASE / name).write_bytes(content)
    (RELEASE / f"{name}.sha256").write_text(f"{digest}  {name}\n", encoding="utf-8")
    manifest = (PROJECT / "plugin.yaml").read_text(encoding="utf-8")
    manifest = manifest.partition("\n")[2]  # without the line that says it is a template
    uri = f"{uri_base.rstrip('/')}/{name}"
    for key, value in (("VERSION", version), ("HOMEPAGE", homepage), ("URI", uri), ("SHA256", digest)):
        manifest = manifest.replace(f"@{key}@", value)
    (RELEASE / "netpol.yaml").write_text(manifest, encoding="utf-8")
    return digest


def with_addresses(readme: str, version: str, homepage: str) -> str:
    """The README with addresses that work on other sites: pictures and pages of this version."""
    readme = re.sub(r"(!\[[^\]]*\]\()(docs/[^)]*\))", rf"\g<1>{homepage}/raw/v{version}/\2", readme)
    return re.sub(r"(?<!!)(\[[^\]]*\]\()(?!https?:|#)([^)]*\))", rf"\g<1>{homepage}/blob/v{version}/\2", readme)


def urls(homepage: str) -> str:
    return (
        f'\n[project.urls]\nHomepage = "{homepage}"\nDocumentation = "{homepage}#readme"\n'
        f'Changelog = "{homepage}/blob/main/CHANGELOG.md"\nIssues = "{homepage}/issues"\n'
    )


def for_pypi(version: str, homepage: str, folder: Path) -> None:
    """The wheel and the sdist, of the files of the commit alone."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=PROJECT, capture_output=True, check=True)  # noqa: S607
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder)  # noqa: S202 - git's own archive of this project
    readme, project = folder / "README.md", folder / "pyproject.toml"
    readme.write_text(with_addresses(readme.read_text(encoding="utf-8"), version, homepage), encoding="utf-8")
    project.write_text(project.read_text(encoding="utf-8") + urls(homepage), encoding="utf-8")
    output(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(RELEASE / "pypi")],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")},
    )


def sbom(version: str, homepage: str, digest: str) -> None:
    """The packages that the zipapp holds, with the hashes that pip checks; number and time come from the commit."""
    words = ["requirements", "packaging/requirements.txt", "--pyproject", "pyproject.toml", "--output-reproducible"]
    command = [sys.executable, "-m", "cyclonedx_py", *words, "--spec-version", "1.6", "--output-format", "JSON"]
    bill = json.loads(output(command))
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{homepage}#{digest}')}"
    bill["metadata"]["timestamp"] = git("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
    bill["metadata"]["component"] |= {"version": version}
    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    (RELEASE / f"kubectl-netpol-v{version}.cdx.json").write_text(text, encoding="utf-8")


def main(version: str, uri_base: str, homepage: str) -> None:
    os.environ["TZ"] = "UTC"
    homepage = homepage.rstrip("/")
    shutil.rmtree(RELEASE, ignore_errors=True)
    RELEASE.mkdir(parents=True)
    digest = for_krew(version, uri_base, homepage)
    with tempfile.TemporaryDirectory() as folder:
        for_pypi(version, homepage, Path(folder))
    sbom(version, homepage, digest)
    for path in sorted(path for path in RELEASE.rglob("*") if path.is_file()):
        sys.stdout.write(f"built {path.relative_to(PROJECT)} ({path.stat().st_size} bytes)\n")


if __name__ == "__main__":
    words = sys.argv[1:]
    checked = words[:1] == ["--check"]
    typed, *addresses = words[checked:]
    (check if checked else main)(typed.removeprefix("v"), *addresses)
