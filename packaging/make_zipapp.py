"""Makes the zipapp: `make_zipapp.py --dependencies DIR --tools DIR --output FILE`, run by build.sh.

The dependencies (requirements.txt, unpacked by pip) are pruned and edited, shiv packs them with the package, and the
result is rewritten with our own `__main__`. Nothing in it depends on the machine, except on its zlib: any folder,
umask and Python makes the same bytes.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from edits import EDITS, REPLACED

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
EPOCH = (1980, 1, 1, 0, 0, 0)
NOTICE = "\n# Changed for the kubectl netpol zipapp: imports happen where they are used.\n"
SHEBANG = b"#!/usr/bin/env python3\n"

OURS = (".py", ".sh", ".js", ".css", ".html", ".md")  # of the package; what an editor leaves beside them is not
KEPT = ("kubernetes/client/configuration.py",)
PRUNED = (
    "*.dist-info/*",
    ".lock",
    "*.js",
    "*.pyi",
    "*.so",
    "*.typed",
    "*/tests/*",
    "_yaml/*",
    "bin/*",
    "certifi/__main__.py",
    "idna/__main__.py",
    "idna/cli.py",
    "kubernetes/*",
    "urllib3/contrib/emscripten/*",
    "urllib3/contrib/pyopenssl.py",
    "urllib3/http2/connection.py",
    "websocket/_app.py",
    "websocket/_dispatcher.py",
    "websocket/_wsdump.py",
)


def stage(dependencies: Path, site: Path) -> None:
    """Copies everything that the zipapp needs into the new folder `site`."""
    for path in sorted(dependencies.rglob("*")):
        name = path.relative_to(dependencies).as_posix()
        pruned = name not in KEPT and any(fnmatch.fnmatchcase(name, pattern) for pattern in PRUNED)
        if path.is_dir() or pruned:
            continue
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, site / name)
    for name, text in REPLACED.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    for edit in EDITS:
        path = site / edit.path
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise SystemExit(f"error: {edit.path}: must have exactly once: {edit.old!r}")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    for name in sorted({edit.path for edit in EDITS}):
        with (site / name).open("a", encoding="utf-8") as file:
            file.write(NOTICE)
    for path in sorted(path for path in (PROJECT / "kubectl_netpol").rglob("*") if path.suffix in OURS):
        name = path.relative_to(PROJECT).as_posix()
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, site / name)


def licences(*folders: Path) -> str:
    """The licence texts of every distribution in `folders`."""
    parts = []
    for info in sorted((info for folder in folders for info in folder.glob("*.dist-info")), key=lambda info: info.name):
        texts = sorted(
            path
            for path in info.rglob("*")
            if path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS"))
        )
        if not texts:
            raise SystemExit(f"error: {info.name} has no licence text")
        for path in texts:
            name = f"{info.name.removesuffix('.dist-info')}: {path.name}"
            parts.append(f"{name}\n{'=' * len(name)}\n\n{path.read_text(encoding='utf-8').strip()}\n")
    return "\n\n".join(parts)


def pack(site: Path, tools: Path, archive: Path) -> None:
    arguments = [f"--site-packages={site}", "--entry-point=kubectl_netpol.__main__:main", "--reproducible"]
    subprocess.run(  # noqa: S603  (our own arguments)
        [sys.executable, "-m", "shiv", *arguments, f"--output-file={archive}"],
        env={**os.environ, "PYTHONPATH": str(tools), "SOURCE_DATE_EPOCH": "315532800"},
        check=True,
    )


def finish(packed: Path, extra: dict[str, str], output: Path) -> None:
    """Rewrites shiv's archive to `output`, sorted and without dates, with `extra` files and our `__main__`."""
    with zipfile.ZipFile(packed) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.startswith("site-packages/")}
    modules = sorted({name.split("/")[1].removesuffix(".py") for name in files})
    main = (HERE / "zipapp_main.py").read_text(encoding="utf-8").replace("@MODULES@", " ".join(modules))
    files |= {"__main__.py": main.encode(), "zipapp_unpack.py": (HERE / "zipapp_unpack.py").read_bytes()}
    build_id = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    files["__main__.py"] = main.replace("@BUILD_ID@", build_id).encode()
    files |= {name: text.encode() for name, text in extra.items()}
    with output.open("wb") as out:
        out.write(SHEBANG)
        with zipfile.ZipFile(out, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.create_system = 3  # Unix, on any platform
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    output.chmod(0o755)


def main() -> None:
    """The zipapp appears complete, so concurrent builds do not disturb each other."""
    parser = argparse.ArgumentParser()
    for option in ("--dependencies", "--tools", "--output"):
        parser.add_argument(option, type=Path, required=True)
    options = parser.parse_args()
    output: Path = options.output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".making-") as folder:
        work = Path(folder)
        stage(options.dependencies, work / "site")
        pack(work / "site", options.tools.resolve(), work / "packed")
        extra = {
            "LICENSE": (PROJECT / "LICENSE").read_text(encoding="utf-8"),
            "LICENSES-of-dependencies.txt": licences(options.dependencies),
        }
        finish(work / "packed", extra, work / output.name)
        (work / output.name).replace(output)


if __name__ == "__main__":
    main()
