"""Which network plugin a cluster runs, by its DaemonSets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.cluster.decode import name_of, shapes
from kubectl_netpol.errors import ClusterError, ForbiddenError
from kubectl_netpol.model.kinds import PLUGINS
from kubectl_netpol.model.snapshot import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.cluster.api import Api

# By the prefix of a DaemonSet's name.
_PLUGINS = {
    "kube-flannel": "flannel, which enforces no policies by itself",
    "kindnet": "kindnet, which enforces no policies before kind 0.24",
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "antrea-agent": "Antrea",
    "kube-router": "kube-router",
    "weave-net": "Weave Net",
    "aws-node": "the Amazon VPC CNI, which enforces policies only if that is enabled",
    "azure-npm": "Azure NPM",
    "azure-cns": "the Azure CNI, which enforces policies only if that is enabled",
    "ovnkube-node": "OVN-Kubernetes",
    "kube-ovn-cni": "Kube-OVN",
    "kube-network-policies": "kube-network-policies",
}


# The DaemonSets of the plugins that decide by their own reading of all policies.
_DECIDING = {"Cilium": "cilium", "Calico": "calico-node"}


def deciding_plugin(api: Api, kinds: Iterable[str]) -> tuple[str | None, Gap | None]:
    """The plugin whose reading of the policies is the verdict, of those that have some of these kinds.

    It runs if its DaemonSet is there. Where DaemonSets can't be listed its kinds alone count, and the gap says so. None
    if there are two, or if no plugin has such kinds, which is not asked for then.
    """
    known = set(kinds)
    having = [plugin for plugin in _DECIDING if not known.isdisjoint(PLUGINS[plugin])]
    if not having:
        return None, None
    gap = None
    try:
        names = _daemonsets(api)
    except ForbiddenError:
        message = (
            f"you may not list daemonsets in the whole cluster: {having[0]} is taken to run, since it has policies"
        )
        gap = Gap("plugin", None, message)
    else:
        having = [plugin for plugin in having if _DECIDING[plugin] in names]
    return (having[0], gap) if len(having) == 1 else (None, None)


def network_plugin(api: Api) -> str | None:
    """The plugin with what it enforces, such as "Calico"; None if none is known or DaemonSets can't be listed."""
    try:
        return plugin_seen(api)
    except ClusterError:
        return None


def plugin_seen(api: Api) -> str | None:
    """The same, several joined by "and"; ClusterError if DaemonSets can't be listed."""
    names = _daemonsets(api)
    found = [title for prefix, title in _PLUGINS.items() if any(name.startswith(prefix) for name in names)]
    return " and ".join(found) or None


def _daemonsets(api: Api) -> set[str]:
    with shapes("list of daemonsets"):
        return {name_of(item) for item in api.list("/apis/apps/v1/daemonsets")}
