"""Where the snapshot comes from: manifests named by -f, or the cluster that kubectl would use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.kinds import STAGED
from kubectl_netpol.model.validation import is_namespace_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console
    from kubectl_netpol.manifests.reader import Reader
    from kubectl_netpol.model.snapshot import Scope, Snapshot

_ENDINGS = (".yaml", ".yml", ".json")


class Inputs(NamedTuple):
    """Manifests, or a cluster. `snapshot` is set for manifests; a cluster (`api`) is read by `read`."""

    namespace: str
    api: Api | None
    snapshot: Snapshot | None
    console: Console

    @property
    def live(self) -> bool:
        """Whether it is a cluster, which can be read again for more."""
        return self.snapshot is None

    def read(self, scope: Scope, reader: Reader | None = None) -> Snapshot:
        """The manifests, or as much of the cluster as the scope says. `reader`: as `read_snapshot` has it."""
        if self.snapshot is not None:
            return self.snapshot
        from kubectl_netpol.cluster.reader import read_snapshot  # noqa: PLC0415 - only for a cluster

        assert self.api is not None  # noqa: S101 - one of the two is set
        with self.console.progress("reading the cluster"):
            return read_snapshot(self.api, scope, reader)


def open_inputs(
    options: ClusterOptions, filenames: Sequence[str], console: Console, reader: Reader | None = None
) -> Inputs:
    """The manifests of `filenames` (then no kubeconfig is read), or the cluster that kubectl would use.

    `reader`: reads the manifests, if it is to be one that keeps more.
    """
    if options.namespace is not None and not is_namespace_name(options.namespace):
        raise UsageError(f'invalid namespace "{options.namespace}"', "a-z 0-9 -, at most 63, such as kube-system")
    if filenames:
        namespace = options.namespace or "default"
        snapshot = read_manifests(filenames, namespace, console, options.plugin, reader)
        return Inputs(namespace, None, snapshot, console)
    if options.plugin:
        raise UsageError("--plugin is for manifests", "a cluster shows which plugin runs: add -f, or leave it out")
    from kubectl_netpol.cluster.api import Api  # noqa: PLC0415 - only for a cluster
    from kubectl_netpol.cluster.kubeconfig import load  # noqa: PLC0415 - the same

    access = load(options)
    return Inputs(access.namespace, Api(access), None, console)


def read_manifests(
    filenames: Sequence[str],
    namespace: str,
    console: Console,
    plugin: str | None = None,
    reader: Reader | None = None,
) -> Snapshot:
    """Every object of the files, folders (their files, not those of folders below) and stdin (-).

    `plugin`: as `Reader` has it.
    """
    from kubectl_netpol.manifests.reader import Reader  # noqa: PLC0415 - allow without -f does without

    reader = reader or Reader(default_namespace=namespace, plugin=plugin)
    for name, content in texts(filenames):
        reader.add_text(content, name)
    if reader.skipped:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(reader.skipped.items()))
        console.note(f"{count(sum(reader.skipped.values()), 'object')} of other kinds skipped: {kinds}")
    if staged := reader.found(*STAGED):
        console.note(f"{count(len(staged), 'staged policy')} not enforced: kubectl netpol diff says what would change")
    return reader.snapshot()


def texts(filenames: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, text) of every file; "stdin" for -."""
    for filename in filenames:
        if filename == "-":
            yield "stdin", _decoded("stdin", _stdin())
        elif "://" in filename:
            raise NetpolError(f"{filename} is not a file or folder", f"curl -fsSL {filename} | kubectl netpol … -f -")
        elif not filename:
            raise NetpolError("empty file name after -f")
        else:
            for name in _files(filename):
                yield name, _decoded(name, _content(name))


def _files(filename: str) -> list[str]:
    """The file, or the manifests in the folder."""
    path = Path(filename)
    try:
        if not path.is_dir():
            return [filename]
        found = sorted(str(entry) for entry in path.iterdir() if entry.suffix in _ENDINGS and entry.is_file())
    except OSError as error:
        raise _unreadable(filename, error) from None
    if not found:
        raise NetpolError(f"no {', '.join(_ENDINGS)} file in folder {filename}")
    return found


def _content(filename: str) -> bytes:
    try:
        return Path(filename).read_bytes()
    except FileNotFoundError:
        raise NetpolError(f"{filename}: no such file or folder") from None
    except OSError as error:
        raise _unreadable(filename, error) from None


def _stdin() -> bytes:
    if sys.stdin is None:
        raise NetpolError("-f - reads stdin, and stdin is closed")
    try:
        return sys.stdin.buffer.read()
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
