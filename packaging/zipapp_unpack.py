"""The zipapp's first run: unpacks and compiles its site-packages into a cache folder, and deletes old ones."""

from __future__ import annotations

import compileall
import os
import shutil
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT = 3
"""How many caches, of other versions or Pythons, stay: the most recently used."""


def unpack(archive: str, root: str, name: str, is_private: Callable[[str], bool]) -> bool:
    """Makes the cache folder `name` in `root`, whole or not at all; False where it can't."""
    try:
        os.makedirs(os.path.dirname(root), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(root, 0o700)
        if not is_private(root):
            return False
        with _only_one(root) as locked:
            cache = os.path.join(root, name)
            if not os.path.isdir(cache):
                _fill(archive, root, cache)
            if locked:
                _sweep(root, cache)
    except OSError:
        return False
    return True


@contextmanager
def _only_one(root: str) -> Iterator[bool]:
    """Waits for others that unpack here; yields False where the file system, or the platform, has no locks."""
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


def _fill(archive: str, root: str, cache: str) -> None:
    new = tempfile.mkdtemp(prefix="new-", dir=root)
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(new, [name for name in packed.namelist() if name.startswith("site-packages/")])
        site = os.path.join(new, "site-packages")
        compileall.compile_dir(
            site, quiet=2, stripdir=site, prependdir=cache, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
        )
        try:
            os.rename(site, cache)
        except OSError:  # without locks another run may have been quicker
            if not os.path.isdir(cache):
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _sweep(root: str, cache: str) -> None:
    """Deletes what killed runs left, and all caches but the last used ones; never one that is being used."""
    import fcntl  # noqa: PLC0415  (not on Windows, where _only_one says so)

    with os.scandir(root) as entries:
        others = sorted((entry for entry in entries if entry.path != cache), key=_last_used, reverse=True)
    caches = [entry for entry in others if not entry.name.startswith("new-")]
    for entry in [*caches[KEPT:], *(entry for entry in others if entry.name.startswith("new-"))]:
        with suppress(OSError):
            descriptor = os.open(entry.path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                doomed = tempfile.mkdtemp(prefix="new-", dir=root)
                os.rename(entry.path, doomed)
                shutil.rmtree(doomed)
            finally:
                os.close(descriptor)


def _last_used(entry: os.DirEntry[str]) -> float:
    return entry.stat(follow_symlinks=False).st_mtime
