"""Reads the files, folders and stdin that -f names."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.kinds import STAGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console
    from kubectl_netpol.manifests.reader import Reader
    from kubectl_netpol.manifests.replicas import Named
    from kubectl_netpol.model.snapshot import Snapshot

_ENDINGS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml")
_PATIENCE_SECONDS = 1.0
_BLOCK = 1 << 20
_MOST_BYTES = 1 << 30  # a dump of 100,000 pods


def read_manifests(
    filenames: Sequence[str],
    namespace: str,
    console: Console,
    options: ClusterOptions | None = None,
    *,
    named: Named | None = None,
    reader: Reader | None = None,
) -> Snapshot:
    """Every object of the files, folders (their files, those of folders below only with `recursive`) and stdin (-).

    `named`, `reader`: as `open_inputs` has them.
    """
    from kubectl_netpol.manifests.reader import Reader  # noqa: PLC0415 - allow without -f does without

    plugin = options.plugin if options else None
    reader = reader or Reader(default_namespace=namespace, plugin=plugin, named=named)
    read_files(reader, filenames, console, recursive=bool(options and options.recursive))
    if reader.skipped:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(reader.skipped.items()))
        console.note(f"{count(sum(reader.skipped.values()), 'object')} of other kinds skipped: {kinds}")
    if staged := reader.found(*STAGED):
        console.note(f"{count(len(staged), 'staged policy')} not enforced: kubectl netpol diff says what would change")
    return reader.snapshot()


def read_files(reader: Reader, filenames: Sequence[str], console: Console, *, recursive: bool = False) -> None:
    """Add every file to the reader. What is no manifest is left out of a folder, and an error where it is named."""
    left_out = []
    patches = _patches(filenames, recursive=recursive)
    for name, content, in_folder in texts(filenames, console, recursive=recursive):
        if not in_folder:
            if Path(name).name in _KUSTOMIZATIONS:
                hint = "kubectl kustomize FOLDER | kubectl netpol … -f -"
                raise NetpolError(f"{name} is a kustomization, which says how to make manifests", hint)
            reader.add_text(content, name)
        elif os.path.normpath(name) in patches or not reader.add_found(content, name):
            left_out.append(name)
    if left_out:
        console.note(f"left out, since no manifest: {names_text(left_out)}")


def _patches(filenames: Sequence[str], *, recursive: bool) -> set[str]:
    """The files of the folders that kustomizations there name as patches."""
    folders = [name for name in filenames if name not in ("-", "") and "://" not in name]
    files = [name for folder in folders for name in _files(folder, recursive=recursive) or ()]
    found = set()
    for name in files:
        if Path(name).name in _KUSTOMIZATIONS:
            from kubectl_netpol.manifests.kustomize import patch_files  # noqa: PLC0415 - most folders have none

            for path in patch_files(_decoded(name, _content(name))):
                found.add(os.path.normpath(Path(name).parent / path))
    return found


def texts(filenames: Sequence[str], console: Console, *, recursive: bool = False) -> Iterator[tuple[str, str, bool]]:
    """(name, text, whether it was found in a folder) of every file; "stdin" for -."""
    for filename in filenames:
        if filename == "-":
            yield "stdin", _text("stdin", None, console), False
        elif "://" in filename:
            raise NetpolError(f"{filename} is not a file or folder", f"curl -fsSL {filename} | kubectl netpol … -f -")
        elif not filename:
            raise NetpolError("empty file name after -f")
        elif (files := _files(filename, recursive=recursive)) is None:
            yield filename, _text(filename, filename, console), False
        else:
            for name in files:
                yield name, _decoded(name, _content(name)), True


def _files(filename: str, *, recursive: bool) -> list[str] | None:
    """The manifests in the folder; None for a file."""
    path = Path(filename)
    try:
        if not path.is_dir():
            return None
        folders = os.walk(path, onerror=_raise) if recursive else [next(os.walk(path, onerror=_raise))]
        found = [Path(folder, name) for folder, _, names in folders for name in names]
    except OSError as error:
        raise _unreadable(filename, error) from None
    manifests = sorted(str(entry) for entry in found if entry.suffix in _ENDINGS and entry.is_file())
    if not manifests:
        hint = None if recursive else "-R reads the folders in it too"
        raise NetpolError(f"no {', '.join(_ENDINGS)} file in folder {filename}", hint)
    return manifests


def _raise(error: OSError) -> NoReturn:
    raise error


def _text(name: str, filename: str | None, console: Console) -> str:
    """The text of a file, or of stdin. (A generator that read it would keep its bytes beside it.)"""
    with _patience(name, console):
        content = _stdin() if filename is None else _content(filename)
    return _decoded(name, content)


def _patience(name: str, console: Console) -> contextlib.AbstractContextManager[None]:
    """A note after a second of waiting: what is read may be a terminal, or a pipe that nobody writes to."""
    if Path(name).is_file():
        return contextlib.nullcontext()
    from kubectl_netpol.concurrency import call_after  # noqa: PLC0415 - a file is there at once

    return call_after(_PATIENCE_SECONDS, lambda: console.note(f"waiting for {name}"))


def _content(filename: str) -> bytes:
    try:
        with Path(filename).open("rb") as file:
            return _bounded(filename, file)
    except FileNotFoundError:
        raise NetpolError(f"{filename}: no such file or folder") from None
    except OSError as error:
        raise _unreadable(filename, error) from None


def _bounded(name: str, file: BinaryIO) -> bytes:
    """All of it. NetpolError for what is no text, at its first such block, or longer than a manifest can be."""
    blocks, size = [], 0
    while block := file.read(_BLOCK):
        if b"\0" in block:
            raise NetpolError(f"can't read {name}: byte {size + block.index(0) + 1} is NUL, so it is no text")
        blocks.append(block)
        size += len(block)
        if size > _MOST_BYTES:
            raise NetpolError(f"can't read {name}: it is longer than {_MOST_BYTES >> 20} MB")
    return b"".join(blocks)


def _stdin() -> bytes:
    if sys.stdin is None:
        raise NetpolError("-f - reads stdin, and stdin is closed")
    try:
        return _bounded("stdin", sys.stdin.buffer)
    except OSError as error:
        raise _unreadable("stdin", error) from None


def _decoded(name: str, content: bytes) -> str:
    """The text of a manifest: UTF-8 whatever the locale, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NetpolError(f"can't read {name}: byte {error.start + 1} is not UTF-8") from None


def _unreadable(name: str, error: OSError) -> NetpolError:
    return NetpolError(f"can't read {name}: {error.strerror}")
