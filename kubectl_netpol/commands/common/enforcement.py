"""What a cluster shows of whether it enforces policies: its network plugin, and the kinds that it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.diagnosis.enforcement import enforcement
from kubectl_netpol.errors import ForbiddenError

if TYPE_CHECKING:
    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.diagnosis.enforcement import Enforcement


def read_enforcement(api: Api) -> Enforcement:
    """ClusterError where the server can't be asked; not being allowed to list DaemonSets is a reason of its own."""
    from kubectl_netpol.cluster.discovery import discover  # noqa: PLC0415 - only for a cluster
    from kubectl_netpol.cluster.network_plugin import plugin_seen  # noqa: PLC0415 - the same

    kinds = list(dict.fromkeys(found.name for found in discover(api).kinds))
    try:
        return enforcement(plugin_seen(api), kinds)
    except ForbiddenError:
        return enforcement(None, kinds, "you may not list daemonsets in the whole cluster")
