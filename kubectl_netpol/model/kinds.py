"""One table of every kind of object that is read: its API group, its resource, and the words that people type for it."""

from __future__ import annotations

from typing import NamedTuple

CALICO = ("projectcalico.org", "crd.projectcalico.org")


class Kind(NamedTuple):
    """A kind by its name in this program, which differs from `api_kind` where two groups share a kind.

    `groups`: the API groups that have it, the preferred one first; "" is the core group.
    `version`: the version that is read, "" where the server's preferred one is.
    `words`: what kubectl takes for it, the one to print last.
    """

    name: str
    groups: tuple[str, ...]
    version: str
    resource: str
    words: tuple[str, ...] = ()
    namespaced: bool = True
    api_kind: str = ""

    @property
    def short(self) -> str:
        """The shortest word for it: "deploy"."""
        return self.words[-1] if self.words else self.name.lower()

    @property
    def api_version(self) -> str:
        """As in an object's apiVersion: "apps/v1", "v1"."""
        return "/".join(filter(None, (self.groups[0], self.version)))

    def path(self, namespace: str | None = None, *, group: str | None = None, version: str | None = None) -> str:
        """Where the API server lists it, in one namespace or (None) in all; in the first group unless told otherwise."""
        group = self.groups[0] if group is None else group
        prefix = f"/apis/{group}/{version or self.version}" if group else f"/api/{self.version}"
        return f"{prefix}/namespaces/{namespace}/{self.resource}" if namespace else f"{prefix}/{self.resource}"


_APPS, _BATCH, _CORE = ("apps",), ("batch",), ("",)
_UPSTREAM, _CILIUM = ("policy.networking.k8s.io",), ("cilium.io",)
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
# They can override NetworkPolicy; their rules are not evaluated.
_UNEVALUATED = (
    Kind("ClusterNetworkPolicy", _UPSTREAM, "", "clusternetworkpolicies", namespaced=False),
    Kind("AdminNetworkPolicy", _UPSTREAM, "", "adminnetworkpolicies", namespaced=False),
    Kind("BaselineAdminNetworkPolicy", _UPSTREAM, "", "baselineadminnetworkpolicies", namespaced=False),
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
        *_UNEVALUATED,
    )
}
WORKLOADS = tuple(kind.name for kind in _WORKLOADS)
UNEVALUATED = tuple(kind.name for kind in _UNEVALUATED)
# The kinds that a connection's end may be given as: KIND/NAME.
TYPED = ("Pod", "Service", *WORKLOADS, "Node")
_BY_WORD = {word: kind for kind in KINDS.values() for word in kind.words}


def kind_typed(word: str) -> Kind | None:
    """The kind that a word before a slash means, as kubectl reads it ("deploy", "Deployments.apps"), or None."""
    return _BY_WORD.get(word.split(".", maxsplit=1)[0].lower())


def kind_of(api_kind: str, api_version: str) -> Kind | None:
    """The kind of an object with these fields, or None for one that is not read."""
    group, _, version = api_version.rpartition("/")
    for kind in KINDS.values():
        if (kind.api_kind or kind.name) == api_kind and group in kind.groups and kind.version in ("", version):
            return kind
    return None
