"""One object of each kind of policy beside NetworkPolicy, and what the verdict is because of it."""

from __future__ import annotations

from typing import Any, NamedTuple

Object = dict[str, Any]


class OfKind(NamedTuple):
    """`verdict` of a connection between pods in the object's namespace; "caveat": allowed, with proxy-decides."""

    api_version: str
    kind: str
    plural: str
    spec: Object
    verdict: str = "undefined"
    namespaced: bool = True

    @property
    def group(self) -> str:
        return self.api_version.partition("/")[0]

    @property
    def title(self) -> str:
        """As kubectl prints the object, without its namespace."""
        return f"{self.kind.lower()}.{self.group}/{self.name}"

    @property
    def name(self) -> str:
        """The one name that a BaselineAdminNetworkPolicy and an EgressFirewall may have."""
        return "default"

    def manifest(self, namespace: str) -> Object:
        metadata = {"name": self.name, **({"namespace": namespace} if self.namespaced else {})}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata, "spec": self.spec}


ALL: Object = {"namespaces": {}}
DENY = [{"action": "Deny", "from": [ALL]}]
ISTIO, LINKERD = "security.istio.io/v1", "policy.linkerd.io/v1alpha1"
GET = [{"to": [{"operation": {"methods": ["GET"]}}]}]
_OF_EACH_KIND = {
    "ClusterNetworkPolicy, v1alpha2": OfKind(
        "policy.networking.k8s.io/v1alpha2",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        {"tier": "Admin", "priority": 5, "subject": ALL, "ingress": DENY},
        "blocked",
        namespaced=False,
    ),
    "ClusterNetworkPolicy, v1beta1": OfKind(
        "policy.networking.k8s.io/v1beta1",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        {"tier": "Baseline", "priority": 5, "subject": ALL, "ingress": DENY},
        "blocked",
        namespaced=False,
    ),
    "ClusterNetworkPolicy, in a version that can't be read": OfKind(
        "policy.networking.k8s.io/v2",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        {"tier": "Between", "subject": ALL, "ingress": DENY},
        namespaced=False,
    ),
    "AdminNetworkPolicy": OfKind(
        "policy.networking.k8s.io/v1alpha1",
        "AdminNetworkPolicy",
        "adminnetworkpolicies",
        {"priority": 5, "subject": ALL, "ingress": DENY},
        "blocked",
        namespaced=False,
    ),
    "BaselineAdminNetworkPolicy": OfKind(
        "policy.networking.k8s.io/v1alpha1",
        "BaselineAdminNetworkPolicy",
        "baselineadminnetworkpolicies",
        {"subject": ALL, "ingress": DENY},
        "blocked",
        namespaced=False,
    ),
    "Amazon's ClusterNetworkPolicy": OfKind(
        "networking.k8s.aws/v1alpha1",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        {"tier": "Admin", "priority": 5, "subject": ALL, "ingress": DENY},
        "blocked",
        namespaced=False,
    ),
    "Amazon's ApplicationNetworkPolicy": OfKind(
        "networking.k8s.aws/v1alpha1",
        "ApplicationNetworkPolicy",
        "applicationnetworkpolicies",
        {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"domainNames": ["example.com"]}]}]},
    ),
    "CiliumNetworkPolicy": OfKind(
        "cilium.io/v2",
        "CiliumNetworkPolicy",
        "ciliumnetworkpolicies",
        {"endpointSelector": {}, "ingress": [{}]},
        "blocked",
    ),
    "CiliumClusterwideNetworkPolicy": OfKind(
        "cilium.io/v2",
        "CiliumClusterwideNetworkPolicy",
        "ciliumclusterwidenetworkpolicies",
        {"endpointSelector": {}, "egress": [{}]},
        "blocked",
        namespaced=False,
    ),
    "Calico's NetworkPolicy": OfKind(
        "projectcalico.org/v3",
        "NetworkPolicy",
        "networkpolicies",
        {"selector": "all()", "types": ["Ingress"]},
        "blocked",
    ),
    "Calico's GlobalNetworkPolicy, without its API server": OfKind(
        "crd.projectcalico.org/v1",
        "GlobalNetworkPolicy",
        "globalnetworkpolicies",
        {"selector": "all()", "types": ["Ingress", "Egress"]},
        "blocked",
        namespaced=False,
    ),
    "Antrea's NetworkPolicy": OfKind(
        "crd.antrea.io/v1beta1",
        "NetworkPolicy",
        "networkpolicies",
        {"priority": 5, "appliedTo": [{"podSelector": {}}], "ingress": [{"action": "Drop"}]},
    ),
    "Antrea's ClusterNetworkPolicy, of the baseline tier": OfKind(
        "crd.antrea.io/v1beta1",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        {
            "tier": "baseline",
            "priority": 5,
            "egress": [{"action": "Drop", "appliedTo": [{"namespaceSelector": {}}]}],
        },
        namespaced=False,
    ),
    "GKE's FQDNNetworkPolicy": OfKind(
        "networking.gke.io/v1alpha1",
        "FQDNNetworkPolicy",
        "fqdnnetworkpolicies",
        {"podSelector": {}, "egress": [{"matches": [{"name": "example.com"}]}]},
    ),
    "EgressFirewall": OfKind(
        "k8s.ovn.org/v1",
        "EgressFirewall",
        "egressfirewalls",
        {"egress": [{"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]},
    ),
    "EgressNetworkPolicy": OfKind(
        "network.openshift.io/v1",
        "EgressNetworkPolicy",
        "egressnetworkpolicies",
        {"egress": [{"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]},
    ),
    "Kube-OVN's SecurityGroup": OfKind(
        "kubeovn.io/v1", "SecurityGroup", "security-groups", {"ingressRules": []}, namespaced=False
    ),
    "Kube-OVN's Subnet, private": OfKind("kubeovn.io/v1", "Subnet", "subnets", {"private": True}, namespaced=False),
    "Kube-OVN's Subnet, with acls": OfKind(
        "kubeovn.io/v1", "Subnet", "subnets", {"acls": [{"action": "drop", "direction": "to-lport"}]}, namespaced=False
    ),
    "Istio's AuthorizationPolicy that denies connections": OfKind(
        ISTIO, "AuthorizationPolicy", "authorizationpolicies", {"action": "DENY", "rules": [{}]}
    ),
    "Istio's AuthorizationPolicy that allows nothing": OfKind(
        ISTIO, "AuthorizationPolicy", "authorizationpolicies", {}
    ),
    "Istio's AuthorizationPolicy about requests": OfKind(
        ISTIO, "AuthorizationPolicy", "authorizationpolicies", {"action": "DENY", "rules": GET}, "caveat"
    ),
    "Linkerd's AuthorizationPolicy": OfKind(
        LINKERD,
        "AuthorizationPolicy",
        "authorizationpolicies",
        {"targetRef": {"group": "policy.linkerd.io", "kind": "Server", "name": "web"}},
        "caveat",
    ),
    "Linkerd's Server": OfKind("policy.linkerd.io/v1beta3", "Server", "servers", {"podSelector": {}, "port": 80}),
    "Linkerd's Server that only reports": OfKind(
        "policy.linkerd.io/v1beta3",
        "Server",
        "servers",
        {"podSelector": {}, "port": 80, "accessPolicy": "audit"},
        "caveat",
    ),
    "a kind that is not known": OfKind("example.com/v1", "TeamNetworkPolicy", "teamnetworkpolicies", {}),
    "a cluster-scoped kind that is not known": OfKind(
        "example.com/v1", "WideNetworkPolicy", "widenetworkpolicies", {"anything": 1}, namespaced=False
    ),
}
OF_EACH_KIND = tuple(_OF_EACH_KIND.items())


def definitions() -> list[Object]:
    """CustomResourceDefinitions of all these kinds, which take any object."""
    found: dict[str, Object] = {}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    for _, one in OF_EACH_KIND:
        name = f"{one.plural}.{one.group}"
        names = {"plural": one.plural, "kind": one.kind, "singular": one.kind.lower()}
        definition = found.setdefault(
            name,
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                # The API server asks for a word on who approved a definition in a group of Kubernetes' own.
                "metadata": {"name": name, "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}},
                "spec": {
                    "group": one.group,
                    "scope": "Namespaced" if one.namespaced else "Cluster",
                    "names": names,
                    "versions": [],
                },
            },
        )
        versions = definition["spec"]["versions"]
        version = one.api_version.partition("/")[2]
        if version not in {other["name"] for other in versions}:
            versions.append({"name": version, "served": True, "storage": not versions, "schema": schema})
    return list(found.values())
