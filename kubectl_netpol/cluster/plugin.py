"""Which network plugin a cluster runs, as far as its DaemonSets tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from kubectl_netpol.cluster.api import Api

# A DaemonSet's name begins with the key.
_PLUGINS = {
    "kube-flannel": "flannel, which enforces no policy by itself",
    "kindnet": "kindnet, which enforces no policy before kind 0.24",
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "antrea-agent": "Antrea",
    "kube-router": "kube-router",
    "weave-net": "Weave Net",
    "aws-node": "the Amazon VPC CNI, which enforces policies only where that is switched on",
    "azure-npm": "Azure NPM",
    "azure-cns": "the Azure CNI, which enforces policies only where that is switched on",
    "ovnkube-node": "OVN-Kubernetes",
    "kube-ovn-cni": "Kube-OVN",
    "kube-network-policies": "kube-network-policies",
}


def network_plugin(api: Api) -> str | None:
    """The plugin in words, or None where nothing known runs or it may not be read."""
    try:
        names = [item["metadata"]["name"] for item in api.list("/apis/apps/v1/daemonsets")]
    except ClusterError:
        return None
    found = [words for start, words in _PLUGINS.items() if any(name.startswith(start) for name in names)]
    return " and ".join(found) or None
