"""Reads policies of kinds that can override NetworkPolicy: which pods they may select, and in which directions.

ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy (policy.networking.k8s.io), Cilium's and
Calico's policies. Their rules are not evaluated; a selector that can't be read may select anything.
"""

from __future__ import annotations

import re
from typing import Any

from kubectl_netpol.fields import BadField, mapping, objects, sequence
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement
from kubectl_netpol.policies.meta import read_selector

_CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
_CILIUM_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_NO_POD = LabelSelector((Requirement(METADATA_NAME, Operator.IN),))  # In without values matches nothing
_BOTH = (Direction.INGRESS, Direction.EGRESS)


def read_unevaluated(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy | None:
    """None for Calico's copy of a NetworkPolicy (knp.default.*)."""
    spec = mapping(item.get("spec"), "spec")
    if kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
        return _cilium(kind, item, name, namespace)
    if kind in ("CalicoNetworkPolicy", "GlobalNetworkPolicy"):
        return None if name.startswith("knp.default.") else _calico(kind, spec, name, namespace)
    raise AssertionError(kind)


def unread_tiered(kind: str, item: dict[str, Any], name: str, because: str) -> UnevaluatedPolicy:
    """A policy of the Admin or Baseline tier that could not be read: what its subject may select."""
    spec = item.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    subject = spec.get("subject")
    subject = subject if isinstance(subject, dict) else {}
    namespaces = pods = None
    if subject.get("namespaces") is not None:
        namespaces = _selector_or_any(subject["namespaces"])
    elif isinstance(subject.get("pods"), dict):
        namespaces = _selector_or_any(subject["pods"].get("namespaceSelector"))
        pods = _selector_or_any(subject["pods"].get("podSelector"))
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


def _selector_or_any(value: Any) -> LabelSelector | None:
    try:
        return read_selector(value, "")
    except BadField:
        return None


def _cilium(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """With `specs` (a list), or an endpointSelector that can't be read, it may select anything in its scope.

    A cluster-wide policy without endpointSelector has a nodeSelector, and applies to nodes only.
    """
    spec = mapping(item.get("spec"), "spec")
    namespace = namespace if kind == "CiliumNetworkPolicy" else None
    clusterwide = namespace is None
    directions = tuple(d for d in Direction if spec.get(d.field) is not None or spec.get(f"{d.field}Deny") is not None)
    if item.get("specs") or ("endpointSelector" not in spec and not clusterwide):
        return UnevaluatedPolicy(kind, namespace, name, _BOTH, nodes=clusterwide)
    if "endpointSelector" not in spec:
        return UnevaluatedPolicy(kind, None, name, directions, pod_selector=_NO_POD, nodes=True)
    try:
        selector = read_selector(_without_prefixes(spec["endpointSelector"]), "spec.endpointSelector")
    except BadField:
        return UnevaluatedPolicy(kind, namespace, name, directions)
    # Cilium ignores a namespace in the selector of a namespaced policy: that applies in its own namespace.
    namespaces = tuple(
        requirement._replace(
            key=METADATA_NAME
            if requirement.key == _CILIUM_NAMESPACE
            else requirement.key.removeprefix(_CILIUM_NAMESPACE_LABELS)
        )
        for requirement in selector.requirements
        if (requirement.key == _CILIUM_NAMESPACE and namespace is None)
        or requirement.key.startswith(_CILIUM_NAMESPACE_LABELS)
    )
    pods = tuple(r for r in selector.requirements if not r.key.startswith("io.c") and r.key != _CILIUM_NAMESPACE)
    return UnevaluatedPolicy(
        kind, namespace, name, directions, LabelSelector(namespaces) if namespaces else None, LabelSelector(pods)
    )


def _without_prefixes(selector: Any) -> Any:
    """Without the source that Cilium puts before a label's key: k8s:app, any:app. Other sources (reserved:) stay."""

    def plain(key: str) -> str:
        source, colon, rest = key.partition(":")
        return rest if colon and source in ("k8s", "any") else key

    path = "spec.endpointSelector"
    selector = mapping(selector, path)
    labels = mapping(selector.get("matchLabels"), f"{path}.matchLabels")
    return {
        **selector,
        "matchLabels": {plain(key): value for key, value in labels.items()},
        "matchExpressions": [
            {**entry, "key": plain(entry["key"]) if isinstance(entry.get("key"), str) else None}
            for entry in objects(selector.get("matchExpressions"), f"{path}.matchExpressions")
        ],
    }


def _calico(kind: str, spec: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    types = sequence(spec.get("types"), "spec.types") or [d.value for d in Direction if spec.get(d.field)]
    forwarded = spec.get("applyOnForward") or spec.get("preDNAT") or spec.get("doNotTrack")
    return UnevaluatedPolicy(
        kind,
        namespace if kind == "CalicoNetworkPolicy" else None,
        name,
        tuple(direction for direction in Direction if direction.value in (types or ["Ingress"])),
        # With these, it applies to traffic that a node forwards, so also to pods that it does not select.
        None if forwarded else calico_selector(spec.get("namespaceSelector")),
        None if forwarded else calico_selector(spec.get("selector")),
        nodes=kind == "GlobalNetworkPolicy",
    )


_CALICO_TERMS = (
    (r"""([\w./-]+)\s*==\s*(?:"([^"]*)"|'([^']*)')""", Operator.IN),
    (r"""([\w./-]+)\s*!=\s*(?:"([^"]*)"|'([^']*)')""", Operator.NOT_IN),
    (r"has\(\s*([\w./-]+)\s*\)", Operator.EXISTS),
    (r"!\s*has\(\s*([\w./-]+)\s*\)", Operator.DOES_NOT_EXIST),
)


def calico_selector(text: Any) -> LabelSelector | None:
    """A Calico selector that is a plain conjunction; None (may select anything) for the rest of the grammar."""
    if not isinstance(text, str) or not text.strip() or text.strip() == "all()":
        return None
    requirements = []
    for term in text.split("&&"):
        for pattern, operator in _CALICO_TERMS:
            if match := re.fullmatch(pattern, term.strip()):
                values = tuple(group for group in match.groups()[1:] if group is not None)
                requirements.append(Requirement(match[1], operator, values))
                break
        else:
            return None
    # Calico matches these labels although no object has them.
    return (
        None
        if any(r.key.startswith(("projectcalico.org/", "pcns.", "pcsa.")) for r in requirements)
        else LabelSelector(tuple(requirements))
    )
