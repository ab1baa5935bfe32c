"""Where the snapshot comes from: manifests named by -f, or the cluster that kubectl would use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.commands.options import parse_duration
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.labels import is_namespace_name
from kubectl_netpol.words import count

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.snapshot import Scope
    from kubectl_netpol.console import Console
    from kubectl_netpol.model import Snapshot

_ENDINGS = (".yaml", ".yml", ".json")


class World(NamedTuple):
    """A cluster or a set of manifests. `snapshot` is there for manifests; a cluster (`api`) is read by `read`."""

    namespace: str
    api: Api | None
    snapshot: Snapshot | None

    def read(self, scope: Scope) -> Snapshot:
        """The manifests, or as much of the cluster as the scope says."""
        if self.snapshot is not None:
            return self.snapshot
        from kubectl_netpol.cluster.snapshot import read_snapshot  # noqa: PLC0415 - only for a cluster

        assert self.api is not None  # noqa: S101 - one of the two is there
        return read_snapshot(self.api, scope)


def open_world(arguments: argparse.Namespace, console: Console) -> World:
    """What the options say: manifests (then no kubeconfig is read), or the cluster of kubectl's choice."""
    if arguments.namespace is not None and not is_namespace_name(arguments.namespace):
        raise UsageError(f"\"{arguments.namespace}\" can't be a namespace's name")
    if arguments.filenames:
        namespace = arguments.namespace or "default"
        return World(namespace, None, read_manifests(arguments.filenames, namespace, console))
    from kubectl_netpol.cluster.api import Api  # noqa: PLC0415 - only for a cluster
    from kubectl_netpol.cluster.kubeconfig import Options, load  # noqa: PLC0415 - the same

    limit = parse_duration(arguments.request_timeout) if arguments.request_timeout else None
    access = load(
        Options(
            kubeconfig=arguments.kubeconfig,
            context=arguments.context,
            cluster=arguments.cluster,
            user=arguments.user,
            namespace=arguments.namespace,
            as_user=arguments.as_user,
            as_groups=tuple(arguments.as_groups),
            as_uid=arguments.as_uid,
            request_timeout=limit or None,
        )
    )
    return World(access.namespace, Api(access), None)


def read_manifests(filenames: Sequence[str], namespace: str, console: Console) -> Snapshot:
    """Every object of the files, folders (their files, not those of folders below) and stdin (-)."""
    from kubectl_netpol.manifest import Reader  # noqa: PLC0415 - allow without -f does without

    reader = Reader(default_namespace=namespace)
    for name, content in texts(filenames):
        reader.add_text(content, name)
    if reader.skipped:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(reader.skipped.items()))
        console.note(f"{count(sum(reader.skipped.values()), 'object')} of other kinds skipped: {kinds}")
    return reader.snapshot()


def texts(filenames: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, text) of each file meant."""
    for filename in filenames:
        if filename == "-":
            yield "stdin", sys.stdin.read()
            continue
        path = Path(filename)
        if path.is_dir():
            found = sorted(entry for entry in path.iterdir() if entry.suffix in _ENDINGS and entry.is_file())
            if not found:
                raise NetpolError(f"{filename}: no {', '.join(_ENDINGS)} in this folder")
            for entry in found:
                yield str(entry), _text(entry)
        else:
            yield filename, _text(path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NetpolError(f"{path}: no such file or folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NetpolError(f"{path}: can't be read: {error}") from None
