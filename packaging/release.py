"""Makes the files of a release from dist/kubectl-netpol: `release.py VERSION URI-BASE`, run by build.sh.

They are the tar.gz that krew unpacks, its sha256, and plugin.yaml with both filled in.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import sys
import tarfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DIST = PROJECT / "dist"


def package_version() -> str:
    """`__version__` of the package, without importing it."""
    text = (PROJECT / "kubectl_netpol" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise SystemExit("error: kubectl_netpol/__init__.py has no __version__")
    return found[1]


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


def main(version: str, uri_base: str) -> None:
    version = version.removeprefix("v")
    if version != package_version():
        raise SystemExit(f"error: kubectl_netpol is version {package_version()}, not {version}")
    name = f"kubectl-netpol-v{version}.tar.gz"
    content = tarball(
        {
            "kubectl-netpol": ((DIST / "kubectl-netpol").read_bytes(), 0o755),
            "LICENSE": ((PROJECT / "LICENSE").read_bytes(), 0o644),
        }
    )
    digest = hashlib.sha256(content).hexdigest()
    (DIST / name).write_bytes(content)
    (DIST / f"{name}.sha256").write_text(f"{digest}  {name}\n", encoding="utf-8")
    manifest = (PROJECT / "plugin.yaml").read_text(encoding="utf-8")
    manifest = manifest.partition("\n")[2]  # without the line that says it is a template
    for key, value in (("VERSION", version), ("URI", f"{uri_base.rstrip('/')}/{name}"), ("SHA256", digest)):
        manifest = manifest.replace(f"@{key}@", value)
    (DIST / "plugin.yaml").write_text(manifest, encoding="utf-8")
    sys.stdout.write(f"built dist/{name}, its .sha256 and dist/plugin.yaml\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
