"""Packs the cluster's small container images into one docker-archive from files of this machine.

usage: images.py BIN ARCHIVE
BIN has what build.sh built (busybox, coredns, pause, server); the other programs are Debian's, with the libraries that
ldd names.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

DEBIAN_BUSYBOX = Path("/bin/busybox")
PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"
NGINX = b"""daemon off; user root; pid /run/nginx.pid; error_log /dev/stderr;
events {}
http { access_log off; server { listen 80; location / { return 200 ok; } } }
"""
FOLDERS = ("tmp", "etc", "run", "var/log/nginx", "var/lib/nginx")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Files = dict[str, "Path | bytes"]


def layer(files: Files, links: dict[str, str]) -> bytes:
    """A tar of files (path in the image: a file of this machine, or its bytes), symbolic links, and their folders."""
    buffer = io.BytesIO()
    seen: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w") as archive:

        def make_folders(path: str) -> None:
            parts = Path(path).parts
            for end in range(1, len(parts) + 1):
                folder = "/".join(parts[:end])
                if folder not in seen:
                    seen.add(folder)
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                    archive.addfile(entry)

        for folder in FOLDERS:
            make_folders(folder)
        for path, source in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            data = source if isinstance(source, bytes) else source.read_bytes()
            entry.size, entry.mode = len(data), 0o755
            make_folders(str(Path(entry.name).parent))
            archive.addfile(entry, io.BytesIO(data))
        for path, target in links.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            make_folders(str(Path(entry.name).parent))
            archive.addfile(entry)
    return buffer.getvalue()


def with_libraries(*programs: str) -> Files:
    """The programs and the shared libraries they load, at the paths they have here."""
    files: Files = {}
    for program in programs:
        files[program] = Path(program)
        listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for word in listing.split():
            if word.startswith("/"):
                files[word] = Path(word).resolve()
    return files


def applets(busybox: Path) -> dict[str, str]:
    """A link for each applet of a busybox that will be /bin/busybox."""
    names = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    return {f"/bin/{name}": "busybox" for name in names if name != "busybox"}


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def pack(out: Path, images: dict[str, tuple[list[str], Files, dict[str, str]]]) -> None:
    """Writes one archive of the images lab/NAME:1, each its command, files and links: one import is quickest."""
    manifest = []
    parts: dict[str, bytes] = {}
    for name, (command, files, links) in images.items():
        data = layer(files, links)
        rootfs = {"type": "layers", "diff_ids": [digest(data)]}
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": command, "Env": [PATH]}, "rootfs": rootfs}
        parts[f"{name}.tar"], parts[f"{name}.json"] = data, json.dumps(config).encode()
        manifest.append({"Config": f"{name}.json", "RepoTags": [f"lab/{name}:1"], "Layers": [f"{name}.tar"]})
    parts["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(out, "w") as archive:
        for part, content in parts.items():
            entry = tarfile.TarInfo(part)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def main(built: Path, out: Path) -> None:
    dash = with_libraries("/bin/dash", "/bin/sleep")
    bash = with_libraries("/bin/bash", "/bin/sleep", "/bin/cat", "/usr/bin/timeout", "/usr/bin/env", "/usr/bin/id")
    sleep = ["sleep", "inf"]
    debian = "debian-busybox"
    images: dict[str, tuple[list[str], Files, dict[str, str]]] = {
        "pause": (["/pause"], {"/pause": built / "pause"}, {}),
        "coredns": (["/coredns"], {"/coredns": built / "coredns"}, {}),
        "distroless": (["/server", "80"], {"/server": built / "server"}, {}),
        "busybox": (sleep, {"/bin/busybox": built / "busybox", "/etc/passwd": PASSWD}, applets(built / "busybox")),
        debian: (sleep, {"/bin/busybox": DEBIAN_BUSYBOX}, applets(DEBIAN_BUSYBOX)),
        "bash": (sleep, bash, {"/bin/sh": "bash"}),
        "dash": (sleep, dash, {"/bin/sh": "dash"}),
        "curl": (sleep, {**dash, **with_libraries("/usr/bin/curl")}, {"/bin/sh": "dash"}),
        "openbsd-nc": (
            sleep,
            {**bash, **with_libraries("/bin/nc.openbsd")},
            {"/bin/sh": "bash", "/bin/nc": "nc.openbsd"},
        ),
        "traditional-nc": (
            sleep,
            {**dash, **with_libraries("/bin/nc.traditional")},
            {"/bin/sh": "dash", "/bin/nc": "nc.traditional"},
        ),
        "ncat": (sleep, {**dash, **with_libraries("/usr/bin/ncat")}, {"/bin/sh": "dash", "/usr/bin/nc": "ncat"}),
        "nginx": (
            ["nginx"],
            {
                **dash,
                **with_libraries("/usr/sbin/nginx"),
                "/etc/nginx/nginx.conf": NGINX,
                "/etc/passwd": PASSWD,
                "/etc/group": b"root:x:0:\n",
            },
            {"/bin/sh": "dash"},
        ),
    }
    pack(out, images)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
