"""Reads the policies of Istio and Linkerd, which a pod's proxy asks.

Which pods they may select, and whether they deny a connection whatever is sent over it.
"""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import mapping, objects
from kubectl_netpol.model.kinds import ISTIO_ROOT
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.policies.meta import selector_or_any

_INGRESS = (Direction.INGRESS,)
_ISTIO_ACTIONS = ("ALLOW", "DENY", "AUDIT", "CUSTOM")
_LINKERD_ALLOWS = (
    "all-authenticated",
    "all-unauthenticated",
    "cluster-authenticated",
    "cluster-unauthenticated",
    "audit",
)
# Of a request, which a proxy knows only after it has accepted the connection.
_OF_REQUESTS = (
    "methods",
    "notMethods",
    "paths",
    "notPaths",
    "hosts",
    "notHosts",
    "requestPrincipals",
    "notRequestPrincipals",
    "remoteIpBlocks",
    "notRemoteIpBlocks",
)


def read_istio(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy | None:
    """None for one that never denies anything (AUDIT). One in the mesh's root namespace is for all namespaces."""
    spec = mapping(item.get("spec"), "spec")
    action = spec.get("action") or "ALLOW"
    rules = objects(spec.get("rules"), "spec.rules")
    if action == "AUDIT" or (action == "DENY" and not rules):
        return None
    selector = mapping(spec.get("selector"), "spec.selector")
    denies = (action == "DENY" and not all(map(_is_about_requests, rules))) or (action == "ALLOW" and not rules)
    denies = denies or action not in _ISTIO_ACTIONS
    return UnevaluatedPolicy(
        kind,
        None if namespace == ISTIO_ROOT else namespace,
        name,
        _INGRESS,
        pod_selector=selector_or_any(selector) if selector else None,
        beside=not denies,
    )


def _is_about_requests(rule: dict[str, Any]) -> bool:
    """Whether an Istio rule has conditions on what is sent, so that it may leave the connection alone."""
    parts = [
        mapping(entry.get("source"), "spec.rules.from.source") for entry in objects(rule.get("from"), "spec.rules.from")
    ]
    parts += [
        mapping(entry.get("operation"), "spec.rules.to.operation") for entry in objects(rule.get("to"), "spec.rules.to")
    ]
    return bool(rule.get("when")) or any(part.get(field) for part in parts for field in _OF_REQUESTS)


def read_linkerd(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """An AuthorizationPolicy only adds to what is allowed. A Server denies the rest, unless it says otherwise."""
    spec = mapping(item.get("spec"), "spec")
    if kind != "Server":
        return UnevaluatedPolicy(kind, namespace, name, _INGRESS, beside=True)
    pods = selector_or_any(spec["podSelector"]) if spec.get("podSelector") is not None else None
    allows = spec.get("accessPolicy") in _LINKERD_ALLOWS
    return UnevaluatedPolicy(kind, namespace, name, _INGRESS, pod_selector=pods, beside=allows)
