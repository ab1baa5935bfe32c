"""Which network plugin a cluster runs, by its DaemonSets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
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


def network_plugin(api: Api) -> str | None:
    """The plugin with what it enforces, such as "Calico"; None if none is known or DaemonSets can't be listed."""
    try:
        names = [item["metadata"]["name"] for item in api.list("/apis/apps/v1/daemonsets")]
    except ClusterError:
        return None
    found = [title for prefix, title in _PLUGINS.items() if any(name.startswith(prefix) for name in names)]
    return " and ".join(found) or None
