"""A shell in the source pod that is started while the cluster is read, so that the probe need not wait for it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from kubectl_netpol.concurrency import start
from kubectl_netpol.errors import ClusterError
from kubectl_netpol.model.kinds import kind_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.streams import CompletedExec, Shell
    from kubectl_netpol.model.objects import Pod

_SHELL = "sh"
_SECONDS = 5.0


def pod_typed(typed: str, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of what is probably a pod, as SOURCE is typed; None for what is none."""
    *before, name = typed.split("/")
    if before and (kind := kind_typed(before[-1])):
        if kind.name != "Pod":
            return None
        before.pop()
    if len(before) > 1 or not name or ":" in name or name.replace(".", "").isdecimal():
        return None
    return (before[0] if before else namespace), name


class ShellAhead:
    """Started in a thread; where that fails, the probe starts its own, and says why that fails."""

    def __init__(self, api: Api, namespace: str, pod: str, container: str | None) -> None:
        self._api = api
        self._place = namespace, pod
        self._container = container
        self._shell: Shell | None = None
        self._done = threading.Event()
        if not start(self._begin):
            self._done.set()

    def _begin(self) -> None:
        with contextlib.suppress(Exception):  # the probe says what is wrong
            from kubectl_netpol.cluster.streams import Shell  # noqa: PLC0415 - the caller does something else meanwhile

            self._shell = Shell(self._api, *self._place, self._container, _SHELL, deadline=_SECONDS)
        self._done.set()

    def run(self, pod: Pod, container: str, command: Sequence[str], *, deadline: float) -> CompletedExec | None:
        """As `execute`, once; None where this shell is not the one for the command, or is not there."""
        alone = sum(not one.ephemeral for one in pod.containers) == 1
        fits = self._container == container if self._container else alone and pod.containers[0].name == container
        if not fits or (pod.namespace, pod.name) != self._place or command[0] != _SHELL:
            return None
        self._done.wait(_SECONDS)
        shell, self._shell = self._shell, None
        try:
            return shell.run(command, deadline=deadline) if shell else None
        except ClusterError:
            return None
