"""The table of all kinds that are read: their API groups, their resources, and the names that kubectl gives them."""

from __future__ import annotations

from typing import NamedTuple

CALICO = ("projectcalico.org", "crd.projectcalico.org")


class Kind(NamedTuple):
    """A kind by its name in this program, which differs from `api_kind` where two groups share a kind.

    `groups`: the API groups that have it, the preferred one first; "" is the core group.
    `version`: the version to read; "" means the server's preferred one.
    `aliases`: the names that kubectl accepts for it; the last one is printed.
    """

    name: str
    groups: tuple[str, ...]
    version: str
    resource: str
    aliases: tuple[str, ...] = ()
    namespaced: bool = True
    api_kind: str = ""

    @property
    def short(self) -> str:
        """As in "deploy/web"."""
        return self.aliases[-1] if self.aliases else self.name.lower()

    @property
    def api_version(self) -> str:
        """As in an object's apiVersion: "apps/v1", "v1"."""
        return "/".join(filter(None, (self.groups[0], self.version)))

    def path(self, namespace: str | None = None, *, group: str | None = None, version: str | None = None) -> str:
        """The path of its list on the API server, in one namespace or (None) in all; the first group by default."""
        group = self.groups[0] if group is None else group
        prefix = f"/apis/{group}/{version or self.version}" if group else f"/api/{self.version}"
        return f"{prefix}/namespaces/{namespace}/{self.resource}" if namespace else f"{prefix}/{self.resource}"


_APPS, _BATCH, _CORE = ("apps",), ("batch",), ("",)
_UPSTREAM, _AMAZON, _CILIUM = ("policy.networking.k8s.io",), ("networking.k8s.aws",), ("cilium.io",)
_WORKLOADS = (
    Kind("Deployment", _APPS, "v1", "deployments", ("deployment", "deployments", "deploy")),
    Kind("StatefulSet", _APPS, "v1", "statefulsets", ("statefulset", "statefulsets", "sts")),
    Kind("DaemonSet", _APPS, "v1", "daemonsets", ("daemonset", "daemonsets", "ds")),
    Kind("ReplicaSet", _APPS, "v1", "replicasets", ("replicaset", "replicasets", "rs")),
    Kind(
        "ReplicationController",
        _CORE,
        "v1",
        "replicationcontrollers",
        ("replicationcontroller", "replicationcontrollers", "rc"),
    ),
    Kind("Job", _BATCH, "v1", "jobs", ("jobs", "job")),
    Kind("CronJob", _BATCH, "v1", "cronjobs", ("cronjob", "cronjobs", "cj")),
)
_TIERED = (
    Kind("ClusterNetworkPolicy", _UPSTREAM, "", "clusternetworkpolicies", namespaced=False),
    Kind("AdminNetworkPolicy", _UPSTREAM, "v1alpha1", "adminnetworkpolicies", namespaced=False),
    Kind("BaselineAdminNetworkPolicy", _UPSTREAM, "v1alpha1", "baselineadminnetworkpolicies", namespaced=False),
    Kind(
        "AmazonClusterNetworkPolicy",
        _AMAZON,
        "v1alpha1",
        "clusternetworkpolicies",
        namespaced=False,
        api_kind="ClusterNetworkPolicy",
    ),
)
# These can override NetworkPolicy; their rules are not evaluated.
_UNEVALUATED = (
    Kind("CiliumNetworkPolicy", _CILIUM, "", "ciliumnetworkpolicies"),
    Kind("CiliumClusterwideNetworkPolicy", _CILIUM, "", "ciliumclusterwidenetworkpolicies", namespaced=False),
    Kind("CalicoNetworkPolicy", CALICO, "", "networkpolicies", api_kind="NetworkPolicy"),
    Kind("GlobalNetworkPolicy", CALICO, "", "globalnetworkpolicies", namespaced=False),
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Pod", _CORE, "v1", "pods", ("pods", "po", "pod")),
        Kind("Service", _CORE, "v1", "services", ("service", "services", "svc")),
        *_WORKLOADS,
        Kind("Node", _CORE, "v1", "nodes", ("node", "nodes", "no"), namespaced=False),
        Kind("Namespace", _CORE, "v1", "namespaces", namespaced=False),
        Kind("EndpointSlice", ("discovery.k8s.io",), "v1", "endpointslices"),
        Kind(
            "NetworkPolicy",
            ("networking.k8s.io",),
            "v1",
            "networkpolicies",
            ("networkpolicy", "networkpolicies", "netpol"),
        ),
        *_TIERED,
        *_UNEVALUATED,
    )
}
WORKLOADS = tuple(kind.name for kind in _WORKLOADS)
TIERED = tuple(kind.name for kind in _TIERED)
UNEVALUATED = tuple(kind.name for kind in _UNEVALUATED)
# Kinds that an end of a connection can be typed as: KIND/NAME.
TYPED = ("Pod", "Service", *WORKLOADS, "Node")
_BY_ALIAS = {alias: kind for kind in KINDS.values() for alias in kind.aliases}


def kind_typed(typed: str) -> Kind | None:
    """The kind typed before a slash, as kubectl reads it ("deploy", "Deployments.apps"), or None."""
    return _BY_ALIAS.get(typed.split(".", maxsplit=1)[0].lower())


def kind_of(api_kind: str, api_version: str) -> Kind | None:
    """The kind of an object with these fields, or None if that kind is not read."""
    group, _, version = api_version.rpartition("/")
    for kind in KINDS.values():
        if (kind.api_kind or kind.name) == api_kind and group in kind.groups and kind.version in ("", version):
            return kind
    return None


def object_title(kind: str, namespace: str, name: str) -> str:
    """As kubectl prints an object, after its namespace: "shop/ciliumnetworkpolicy.cilium.io/web"."""
    known = KINDS[kind]
    text = f"{(known.api_kind or known.name).lower()}.{known.groups[0]}/{name}"
    return f"{namespace}/{text}" if namespace else text
