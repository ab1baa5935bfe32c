"""Reads policies whose rules are not evaluated: which pods they may select, and in which directions.

A selector that can't be read may select anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import mapping, objects, sequence
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.policies.antrea import read_antrea
from kubectl_netpol.policies.calico import read_calico
from kubectl_netpol.policies.cilium import read_cilium
from kubectl_netpol.policies.mesh import read_istio, read_linkerd
from kubectl_netpol.policies.meta import directions_named, selector_or_any

if TYPE_CHECKING:
    from collections.abc import Callable

_BOTH = (Direction.INGRESS, Direction.EGRESS)


def read_unevaluated(kind: str, item: dict[str, Any], name: str, namespace: str) -> UnevaluatedPolicy | None:
    """`kind` as `policy_kind` names it, `namespace` "" if it has none. None for an object that never decides."""
    read = _READERS.get(kind)
    return read(kind, item, name, namespace or None) if read else unread_policy(kind, name, namespace)


def unread_policy(kind: str, name: str, namespace: str) -> UnevaluatedPolicy:
    """One of which nothing but its scope is known."""
    return UnevaluatedPolicy(kind, namespace or None, name, _BOTH, nodes=True)


def unread_networkpolicy(item: dict[str, Any], name: str, namespace: str, because: str) -> UnevaluatedPolicy:
    """A NetworkPolicy of which more could not be read than the peers of its rules."""
    spec = item.get("spec")
    pods = selector_or_any(spec.get("podSelector")) if isinstance(spec, dict) else None
    return UnevaluatedPolicy("NetworkPolicy", namespace, name, _BOTH, pod_selector=pods, because=because)


def unread_tiered(kind: str, item: dict[str, Any], name: str, because: str) -> UnevaluatedPolicy:
    """A policy of the Admin or Baseline tier that could not be read: what its subject may select."""
    spec = item.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    subject = spec.get("subject")
    subject = subject if isinstance(subject, dict) else {}
    namespaces = pods = None
    if subject.get("namespaces") is not None:
        namespaces = selector_or_any(subject["namespaces"])
    elif isinstance(subject.get("pods"), dict):
        namespaces = selector_or_any(subject["pods"].get("namespaceSelector"))
        pods = selector_or_any(subject["pods"].get("podSelector"))
    return UnevaluatedPolicy(
        kind,
        None,
        name,
        tuple(direction for direction in Direction if spec.get(direction.field)) or _BOTH,
        namespaces,
        pods,
        after=kind == "BaselineAdminNetworkPolicy" or spec.get("tier") == "Baseline",
        because=because,
    )


def _fqdn(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """GKE: it isolates for egress, and allows names beside what NetworkPolicies allow."""
    pods = selector_or_any(mapping(item.get("spec"), "spec").get("podSelector"))
    return UnevaluatedPolicy(kind, namespace, name, (Direction.EGRESS,), pod_selector=pods)


def _egress_of_namespace(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy | None:
    """OVN-Kubernetes and OpenShift SDN: rules for all pods of the namespace, the first that matches decides."""
    if not sequence(mapping(item.get("spec"), "spec").get("egress"), "spec.egress"):
        return None
    return UnevaluatedPolicy(kind, namespace, name, (Direction.EGRESS,))


def _application(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """Amazon: a NetworkPolicy that knows domain names. It has the directions of a NetworkPolicy."""
    spec = mapping(item.get("spec"), "spec")
    types = sequence(spec.get("policyTypes"), "spec.policyTypes")
    types = types or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    pods = selector_or_any(spec.get("podSelector"))
    return UnevaluatedPolicy(kind, namespace, name, directions_named(types), pod_selector=pods)


def _security_group(kind: str, item: dict[str, Any], name: str, _: str | None) -> UnevaluatedPolicy:
    """Kube-OVN: pods name their groups in an annotation, so it may be any pod's."""
    mapping(item.get("spec"), "spec")
    return UnevaluatedPolicy(kind, None, name, _BOTH)


def _subnet(kind: str, item: dict[str, Any], name: str, _: str | None) -> UnevaluatedPolicy | None:
    """Kube-OVN: a pod's annotation counts before the subnet of its namespace, so it may be any pod's."""
    spec = mapping(item.get("spec"), "spec")
    if not spec.get("private") and not objects(spec.get("acls"), "spec.acls"):
        return None
    return UnevaluatedPolicy(kind, None, name, _BOTH)


_READERS: dict[str, Callable[[str, dict[str, Any], str, str | None], UnevaluatedPolicy | None]] = {
    "CiliumNetworkPolicy": read_cilium,
    "CiliumClusterwideNetworkPolicy": read_cilium,
    "CalicoNetworkPolicy": read_calico,
    "GlobalNetworkPolicy": read_calico,
    "AntreaNetworkPolicy": read_antrea,
    "AntreaClusterNetworkPolicy": read_antrea,
    "FQDNNetworkPolicy": _fqdn,
    "EgressFirewall": _egress_of_namespace,
    "EgressNetworkPolicy": _egress_of_namespace,
    "ApplicationNetworkPolicy": _application,
    "SecurityGroup": _security_group,
    "Subnet": _subnet,
    "IstioAuthorizationPolicy": read_istio,
    "LinkerdAuthorizationPolicy": read_linkerd,
    "Server": read_linkerd,
}
