"""Whether a cluster enforces its policies, as far as its network plugin and the kinds that it serves say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.diagnosis.faults import is_ignored
from kubectl_netpol.model.kinds import KINDS, PLUGINS, TIERED

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIAL = (
    "kubectl create namespace netpol-trial",
    "kubectl run san --image=busybox -n netpol-trial -- sleep 3600",
    "kubectl run web --image=nginx --port=80 -n netpol-trial",
    "kubectl wait --for=condition=Ready pod --all -n netpol-trial --timeout=120s",
    "kubectl netpol test san web 80 -n netpol-trial --expect open",
    "kubectl netpol allow --from-none --to-all-pods -n netpol-trial | kubectl apply -f -",
    "kubectl netpol test san web 80 -n netpol-trial --expect blocked",
    "kubectl delete namespace netpol-trial",
)


class KindEnforcement(NamedTuple):
    """`kind` as kubectl names it; `enforced` None: it can't be told; `why` in words."""

    kind: str
    enforced: bool | None
    why: str


class Enforcement(NamedTuple):
    """`plugin`: its title, several joined by "and". `kinds`: NetworkPolicy first, then the others that are served."""

    plugin: str | None
    kinds: tuple[KindEnforcement, ...]

    @property
    def enforced(self) -> bool | None:
        """Whether NetworkPolicies are."""
        return self.kinds[0].enforced


# Of plugins by the beginning of their title: whether they enforce NetworkPolicies. All others do.
_NETWORK_POLICY: dict[str, tuple[bool | None, str]] = {
    "flannel": (False, "flannel enforces no policies"),
    "kindnet": (None, "kindnet does from kind 0.24 on, and not before"),
    "the Amazon VPC CNI": (None, "the Amazon VPC CNI does only if that is enabled"),
    "the Azure CNI": (None, "the Azure CNI does only if that is enabled"),
}
# The kinds of the tiers by the plugins that may enforce them, and on what that hangs.
_TIERS = {
    "Calico": "hangs on its version: ClusterNetworkPolicy from 3.32 on, the v1alpha1 kinds from 3.29 to 3.31",
    "Cilium": "hangs on its version and settings: ClusterNetworkPolicy from 1.20 on, with a flag; no v1alpha1 kinds",
    "Antrea": "hangs on its feature gates",
    "OVN-Kubernetes": "the v1alpha1 kinds up to priority 99; ClusterNetworkPolicy is not known to be",
    "Kube-OVN": "hangs on its version",
    "kube-network-policies": "hangs on which of its programs runs",
}
# Whose kinds these are, by the beginning of a plugin's title. Of all others it is not known.
_OWN = {
    **dict.fromkeys(PLUGINS["Cilium"], ("Cilium",)),
    **dict.fromkeys(PLUGINS["Calico"], ("Calico", "Canal")),
    "AntreaNetworkPolicy": ("Antrea",),
    "AntreaClusterNetworkPolicy": ("Antrea",),
    "EgressFirewall": ("OVN-Kubernetes",),
    "SecurityGroup": ("Kube-OVN",),
    "Subnet": ("Kube-OVN",),
    "AmazonClusterNetworkPolicy": ("the Amazon VPC CNI",),
    "ApplicationNetworkPolicy": ("the Amazon VPC CNI",),
}
_PROXIES = ("IstioAuthorizationPolicy", "LinkerdAuthorizationPolicy", "Server")


def enforcement(plugin: str | None, kinds: Sequence[str], unreadable: str | None = None) -> Enforcement:
    """`plugin`: its title. `kinds`: those that are served beside NetworkPolicy, by name as in KINDS or KIND.GROUP.

    `unreadable`: why the plugin is not known, where it may not be looked for.
    """
    running = [title.partition(",")[0] for title in plugin.split(" and ")] if plugin else []
    found = [_network_policy(running, unreadable), *(_other(kind, running, unreadable) for kind in kinds)]
    return Enforcement(" and ".join(running) or None, tuple(found))


def _network_policy(running: Sequence[str], unreadable: str | None) -> KindEnforcement:
    title = _title("NetworkPolicy")
    if not running:
        return KindEnforcement(title, None, unreadable or "no DaemonSet of a network plugin that is known")
    answers = [
        next((answer for name, answer in _NETWORK_POLICY.items() if one.startswith(name)), (True, f"{one} does"))
        for one in running
    ]
    return KindEnforcement(title, *max(answers, key=lambda answer: (answer[0] is True, answer[0] is None)))


def _other(kind: str, running: Sequence[str], unreadable: str | None) -> KindEnforcement:
    title = _title(kind)
    if kind in _PROXIES:
        return KindEnforcement(title, None, "a proxy in the pods does, if it is there")
    if not running:
        return KindEnforcement(title, None, unreadable or "the network plugin is not known")
    if all(is_ignored(kind, one) for one in running):
        return KindEnforcement(title, enforced=False, why=f"{' and '.join(running)} does not")
    if owners := _OWN.get(kind):
        if not any(one.startswith(owners) for one in running):
            return KindEnforcement(
                title, enforced=False, why=f"only {' or '.join(owners)} does, and it does not run here"
            )
        hangs = next((text for name, (sure, text) in _NETWORK_POLICY.items() if name in owners and sure is None), None)
        return KindEnforcement(title, None if hangs else True, hangs or f"{owners[0]} does")
    for name, why in _TIERS.items():
        if kind in TIERED and any(one.startswith(name) for one in running):
            return KindEnforcement(title, None, why)
    return KindEnforcement(title, None, f"whether {' and '.join(running)} does is not known")


def _title(kind: str) -> str:
    """As kubectl names the resource's kind."""
    known = KINDS.get(kind)
    return f"{known.api}.{known.groups[0]}" if known else kind
