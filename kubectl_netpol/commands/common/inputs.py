"""Where the snapshot comes from: manifests named by -f, or the cluster that kubectl would use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.validation import is_namespace_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console
    from kubectl_netpol.manifests.reader import Reader
    from kubectl_netpol.manifests.replicas import Named
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Scope, Snapshot


class Inputs(NamedTuple):
    """Manifests, or a cluster. `snapshot` is set for manifests; a cluster (`api`) is read by `read`.

    `as_pod`: a pod that does not exist yet, as if it did.
    """

    namespace: str
    api: Api | None
    snapshot: Snapshot | None
    console: Console
    as_pod: Pod | None = None

    @property
    def live(self) -> bool:
        """Whether it is a cluster, which can be read again for more."""
        return self.snapshot is None

    def read(self, scope: Scope, reader: Reader | None = None) -> Snapshot:
        """The manifests, or as much of the cluster as the scope says. `reader`: as `read_snapshot` has it."""
        found = self._read(scope, reader)
        return found.with_pod(self.as_pod) if self.as_pod else found

    def _read(self, scope: Scope, reader: Reader | None) -> Snapshot:
        if self.snapshot is not None:
            return self.snapshot
        from kubectl_netpol.cluster.reader import read_snapshot  # noqa: PLC0415 - only for a cluster

        assert self.api is not None  # noqa: S101 - one of the two is set
        with self.console.progress("reading the cluster"):
            return read_snapshot(self.api, scope, reader)


def open_inputs(
    options: ClusterOptions,
    filenames: Sequence[str],
    console: Console,
    *,
    named: Named | None = None,
    reader: Reader | None = None,
) -> Inputs:
    """The manifests of `filenames` (then no kubeconfig is read), or the cluster that kubectl would use.

    `named`: as `Reader` has it. `reader`: reads the manifests, if it is to be one that keeps more.
    """
    if options.namespace is not None and not is_namespace_name(options.namespace):
        raise UsageError(f'invalid namespace "{options.namespace}"', "a-z 0-9 -, at most 63, such as kube-system")
    if filenames:
        from kubectl_netpol.commands.common.files import read_manifests  # noqa: PLC0415 - not for a cluster

        namespace = options.namespace or "default"
        snapshot = read_manifests(filenames, namespace, console, options, named=named, reader=reader)
        return Inputs(namespace, None, snapshot, console)
    if options.plugin:
        raise UsageError("--plugin is for manifests", "a cluster shows which plugin runs: add -f, or leave it out")
    from kubectl_netpol.cluster.api import Api  # noqa: PLC0415 - only for a cluster
    from kubectl_netpol.cluster.kubeconfig import load  # noqa: PLC0415 - the same

    access = load(options)
    return Inputs(access.namespace, Api(access), None, console)
