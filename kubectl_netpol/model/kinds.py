"""The table of all kinds that are read: their API groups, their resources, and the names that kubectl gives them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kubectl_netpol.errors import nearest

ISTIO_ROOT = "istio-system"  # AuthorizationPolicies of this namespace are for all
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
    def api(self) -> str:
        """As in an object's kind."""
        return self.api_kind or self.name

    @property
    def short(self) -> str:
        """As in "deploy/web"."""
        return self.aliases[-1] if self.aliases else self.name.lower()

    @property
    def api_version(self) -> str:
        """As in an object's apiVersion: "apps/v1", "v1"."""
        return "/".join(filter(None, (self.groups[0], self.version)))

    def path(self, namespace: str | None = None) -> str:
        """The path of its list on the API server, in one namespace or (None) in all; of the first group."""
        prefix = f"/{'apis' if self.groups[0] else 'api'}/{self.api_version}"
        return f"{prefix}/namespaces/{namespace}/{self.resource}" if namespace else f"{prefix}/{self.resource}"


_AUTHORIZATION = "AuthorizationPolicy"
_APPS, _BATCH, _CORE = ("apps",), ("batch",), ("",)
UPSTREAM = "policy.networking.k8s.io"
_UPSTREAM, _AMAZON, _CILIUM = (UPSTREAM,), ("networking.k8s.aws",), ("cilium.io",)
_ANTREA, _KUBE_OVN, _LINKERD = ("crd.antrea.io",), ("kubeovn.io",), ("policy.linkerd.io",)
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
# Their rules are not evaluated.
_UNEVALUATED = (
    Kind("CiliumNetworkPolicy", _CILIUM, "", "ciliumnetworkpolicies"),
    Kind("CiliumClusterwideNetworkPolicy", _CILIUM, "", "ciliumclusterwidenetworkpolicies", namespaced=False),
    Kind("CalicoNetworkPolicy", CALICO, "", "networkpolicies", api_kind="NetworkPolicy"),
    Kind("GlobalNetworkPolicy", CALICO, "", "globalnetworkpolicies", namespaced=False),
    Kind("AntreaNetworkPolicy", _ANTREA, "", "networkpolicies", api_kind="NetworkPolicy"),
    Kind(
        "AntreaClusterNetworkPolicy",
        _ANTREA,
        "",
        "clusternetworkpolicies",
        namespaced=False,
        api_kind="ClusterNetworkPolicy",
    ),
    Kind("FQDNNetworkPolicy", ("networking.gke.io",), "", "fqdnnetworkpolicies"),
    Kind("EgressFirewall", ("k8s.ovn.org",), "", "egressfirewalls"),
    Kind("EgressNetworkPolicy", ("network.openshift.io",), "", "egressnetworkpolicies"),
    Kind("ApplicationNetworkPolicy", _AMAZON, "", "applicationnetworkpolicies"),
    Kind("SecurityGroup", _KUBE_OVN, "", "security-groups", namespaced=False),
    Kind("Subnet", _KUBE_OVN, "", "subnets", namespaced=False),
    Kind("IstioAuthorizationPolicy", ("security.istio.io",), "", "authorizationpolicies", api_kind=_AUTHORIZATION),
    Kind("LinkerdAuthorizationPolicy", _LINKERD, "", "authorizationpolicies", api_kind=_AUTHORIZATION),
    Kind("Server", _LINKERD, "", "servers"),
)
# What else the verdict of a plugin rests on, beside its policies.
_BESIDE = (
    Kind("Tier", CALICO, "", "tiers", namespaced=False),
    Kind("NetworkSet", CALICO, "", "networksets"),
    Kind("GlobalNetworkSet", CALICO, "", "globalnetworksets", namespaced=False),
    Kind("HostEndpoint", CALICO, "", "hostendpoints", namespaced=False),
    Kind("StagedNetworkPolicy", CALICO, "", "stagednetworkpolicies"),
    Kind("StagedGlobalNetworkPolicy", CALICO, "", "stagedglobalnetworkpolicies", namespaced=False),
    Kind("StagedKubernetesNetworkPolicy", CALICO, "", "stagedkubernetesnetworkpolicies"),
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Pod", _CORE, "v1", "pods", ("pods", "po", "pod")),
        Kind("Service", _CORE, "v1", "services", ("service", "services", "svc")),
        *_WORKLOADS,
        Kind("Node", _CORE, "v1", "nodes", ("node", "nodes", "no"), namespaced=False),
        Kind("Namespace", _CORE, "v1", "namespaces", namespaced=False),
        Kind("Endpoints", _CORE, "v1", "endpoints"),
        Kind("EndpointSlice", ("discovery.k8s.io",), "v1", "endpointslices"),
        Kind(
            "NetworkPolicy",
            ("networking.k8s.io",),
            "v1",
            "networkpolicies",
            ("networkpolicy", "networkpolicies", "netpol"),
        ),
        Kind("ServiceAccount", _CORE, "v1", "serviceaccounts"),
        *_TIERED,
        *_UNEVALUATED,
        *_BESIDE,
    )
}
# The kinds of a network plugin that decides by its own reading of all policies.
PLUGINS = {
    "Cilium": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    "Calico": ("CalicoNetworkPolicy", "GlobalNetworkPolicy", *(kind.name for kind in _BESIDE)),
}
# The one version of their objects in each group of a plugin.
_VERSIONS = {"cilium.io": "v2", **dict(zip(CALICO, ("v3", "v1"), strict=True))}
WORKLOADS = tuple(kind.name for kind in _WORKLOADS)
TIERED = tuple(kind.name for kind in _TIERED)
STAGED = tuple(kind.name for kind in _BESIDE if kind.name.startswith("Staged"))
BESIDE = tuple(kind.name for kind in _BESIDE)
UNEVALUATED = tuple(kind.name for kind in _UNEVALUATED)
_POLICIES = {(kind.api, group): kind.name for kind in (*_TIERED, *_UNEVALUATED) for group in kind.groups}
POLICY_GROUPS = frozenset(group for _, group in _POLICIES)
# Kinds that an end of a connection can be typed as: KIND/NAME.
TYPED = ("Pod", "Service", *WORKLOADS, "Node")
_BY_ALIAS = {alias: kind for kind in KINDS.values() for alias in kind.aliases}


def kind_typed(typed: str) -> Kind | None:
    """The kind typed before a slash, as kubectl reads it ("deploy", "Deployments.apps"), or None."""
    word, _, group = typed.lower().partition(".")
    kind = _BY_ALIAS.get(word)
    if kind and group.strip(".") in ("", kind.groups[0], f"{kind.version}.{kind.groups[0]}".strip(".")):
        return kind
    return None


def policy_kinds_typed(typed: str) -> tuple[str, ...]:
    """The kinds of policy that a word before a slash may mean: "netpol", "cnp", "networkpolicy.projectcalico.org".

    Plain `networkpolicy` is Kubernetes' own, as for kubectl. (): it is no such kind.
    """
    word, _, group = typed.lower().partition(".")
    found = []
    for name in ("NetworkPolicy", *TIERED, *UNEVALUATED):
        kind = KINDS[name]
        if word in (kind.api.lower(), kind.resource, *kind.aliases, *_SHORT.get(name, ())) and (
            not group or group in kind.groups
        ):
            found.append(name)
    return tuple(found[:1] if found[:1] == ["NetworkPolicy"] else found)


# The short names of the definitions that come with them.
_SHORT = {
    "ClusterNetworkPolicy": ("cnp",),
    "AmazonClusterNetworkPolicy": ("cnp",),
    "AdminNetworkPolicy": ("anp",),
    "BaselineAdminNetworkPolicy": ("banp",),
    "CiliumNetworkPolicy": ("cnp", "ciliumnp"),
    "CiliumClusterwideNetworkPolicy": ("ccnp",),
    "CalicoNetworkPolicy": ("cnp", "caliconetworkpolicy"),
    "GlobalNetworkPolicy": ("gnp", "cgnp"),
    "AntreaNetworkPolicy": ("annp",),
    "AntreaClusterNetworkPolicy": ("acnp",),
}


@lru_cache(maxsize=1024)  # a file may have ten thousand objects of one kind
def kind_of(api_kind: str, api_version: str) -> Kind | None:
    """The kind of an object with these fields, or None if that kind is not read in this version."""
    group, _, version = api_version.rpartition("/")
    for kind in KINDS.values():
        if kind.api == api_kind and group in kind.groups and (kind.version or _VERSIONS.get(group, version)) == version:
            return kind
    return None


def right_version(api_kind: str, api_version: str) -> str | None:
    """The apiVersion to write for this kind instead of one that does not have it, where that is known."""
    group = api_version.rpartition("/")[0]
    known = KINDS.get(api_kind)
    if known and known.version and is_built_in(group):
        return known.api_version
    of_plugin = any(kind.api == api_kind and group in kind.groups for kind in KINDS.values())
    return f"{group}/{_VERSIONS[group]}" if of_plugin and group in _VERSIONS else None


def policy_kind(api_kind: str, group: str) -> str | None:
    """The name of a kind of policy other than NetworkPolicy: as in KINDS, or of one that is not known KIND.GROUP.

    None for any other kind.
    """
    if name := _POLICIES.get((api_kind, group)):
        return name
    if not api_kind.endswith(_END) or group in _COPIES or group in KINDS["NetworkPolicy"].groups:
        return None
    if group in CALICO and api_kind.startswith("Staged"):
        return None  # never enforced
    return f"{api_kind}.{group}"


# Its NetworkPolicies are what Antrea has computed of those of other groups.
_COPIES = ("controlplane.antrea.io",)


@lru_cache(maxsize=1024)  # comparing names costs 0.5 ms, and a file may have a thousand objects of one kind
def meant_kind(api_kind: str, group: str) -> Kind | None:
    """The kind of policy that a misspelt one of this group means; in one of Kubernetes' own groups, that of any."""
    if (api_kind, group) in _POLICIES:
        return None
    policies = [KINDS[name] for name in ("NetworkPolicy", *TIERED, *UNEVALUATED)]
    if is_built_in(group):
        policies = [kind for kind in policies if kind.api.endswith(_END)]
    else:
        policies = [kind for kind in policies if group in kind.groups]
    # TeamNetworkPolicy is no misspelt NetworkPolicy: of a name that ends well, only the rest is compared.
    end = _END if api_kind.endswith(_END) else ""
    by_spelling = {kind.api.removesuffix(end).lower(): kind for kind in reversed(policies)}
    near = nearest(api_kind.removesuffix(end).lower(), by_spelling, _ALIKE)
    return by_spelling[near] if near is not None else None


_END = "NetworkPolicy"
_ALIKE = 0.85  # NetworkPolicies is NetworkPolicy; no other kind of these groups comes as near to one


def is_built_in(group: str) -> bool:
    """Whether the API group is one of Kubernetes' own; other groups may reuse its kinds for something else."""
    return "." not in group or group.endswith(".k8s.io")


def object_title(kind: str, namespace: str, name: str) -> str:
    """As kubectl prints an object, after its namespace: "shop/ciliumnetworkpolicy.cilium.io/web"."""
    known = KINDS.get(kind)
    text = f"{(f'{known.api}.{known.groups[0]}' if known else kind).lower()}/{name}"
    return f"{namespace}/{text}" if namespace else text
