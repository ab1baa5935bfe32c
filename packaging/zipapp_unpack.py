"""The zipapp's first run: unpacks and compiles its site-packages into a cache, and deletes old caches."""

from __future__ import annotations

import marshal
import os
import shutil
import stat
import tempfile
import warnings
import zipfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT = 3
"""How many caches of other versions or Pythons are kept: the most recently used."""

UNFINISHED = "new-"
"""Prefix of the names of folders that are being filled or deleted."""


def unpack(
    archive: str, folder: str, name: str, is_private: Callable[[str], bool], is_whole: Callable[[str], bool]
) -> bool:
    """Makes the cache `name` in `folder`, anew if it is damaged; complete or not at all. False if it can't."""
    root = Path(folder)
    try:
        if not _may_write_there(root):
            return False
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        if not is_private(folder):
            return False
        with _only_one(root) as locked:
            if not is_whole(str(root / name)):
                _fill(archive, root / name, is_whole)
            if locked:
                _sweep(root, name)
    except (OSError, zipfile.BadZipFile):
        return False
    return True


def _may_write_there(root: Path) -> bool:
    """Whether the folder is this user's own or shared: sudo must not leave root's files in a user's home."""
    there = next(path for path in (root, *root.parents) if path.exists()).stat()
    return there.st_uid == getattr(os, "getuid", lambda: 0)() or bool(there.st_mode & stat.S_ISVTX)


@contextmanager
def _only_one(root: Path) -> Iterator[bool]:
    """Waits for others that unpack here; yields False if the file system or the platform has no locks."""
    descriptor = os.open(root, os.O_RDONLY)
    locked = False
    try:
        with suppress(ImportError, OSError):
            import fcntl  # noqa: PLC0415  (not on Windows)

            fcntl.flock(descriptor, fcntl.LOCK_EX)
            locked = True
        yield locked
    finally:
        os.close(descriptor)


def _fill(archive: str, cache: Path, is_whole: Callable[[str], bool]) -> None:
    new = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=cache.parent))
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(new, [name for name in packed.namelist() if name.startswith("site-packages/")])
        site = new / "site-packages"
        _compile(site, cache)
        _list_files(site)
        with suppress(FileNotFoundError):
            cache.rename(new / "damaged")  # who uses it goes on with the same files in the same place
        try:
            site.rename(cache)
        except OSError:  # without locks, another run may have been faster
            if not is_whole(str(cache)):
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _compile(site: Path, cache: Path) -> None:
    """Two files: the code of all modules, and where it is, by name: (is it a package, begin, length, checksum)."""
    places = {}
    code = bytearray()
    for path in sorted(site.rglob("*.py")):
        place = path.relative_to(site)
        package = place.name == "__init__.py"
        name = ".".join(place.parent.parts if package else place.with_suffix("").parts)
        with warnings.catch_warnings(), suppress(SyntaxError):  # of a module for another Python, which is not imported
            warnings.simplefilter("ignore")
            compiled = marshal.dumps(
                compile(path.read_bytes(), str(cache / place), "exec", dont_inherit=True, optimize=0)
            )
            places[name] = package, len(code), len(compiled), zlib.adler32(compiled)
            code += compiled
    (site / "code").write_bytes(code)
    (site / "code-places").write_bytes(marshal.dumps(places))


def _list_files(site: Path) -> None:
    """The manifest by which a start sees that all is there."""
    files = sorted(path for path in site.rglob("*") if path.is_file())
    lines = [f"{path.stat().st_size} {path.relative_to(site).as_posix()}" for path in files]
    (site / "manifest").write_text("\n".join([*lines, "end"]), encoding="utf-8")


def _sweep(root: Path, name: str) -> None:
    """Deletes what killed runs left and all but the most recently used caches, but none that is in use."""
    import fcntl  # noqa: PLC0415  (not on Windows, where _only_one yields False)

    others = sorted((path for path in root.iterdir() if path.name != name), key=_last_used, reverse=True)
    unfinished = [path for path in others if path.name.startswith(UNFINISHED)]
    caches = [path for path in others if path not in unfinished]
    for path in unfinished + caches[KEPT:]:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                doomed = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=root))
                path.rename(doomed)
                shutil.rmtree(doomed)
            finally:
                os.close(descriptor)


def _last_used(path: Path) -> float:
    return path.lstat().st_mtime
