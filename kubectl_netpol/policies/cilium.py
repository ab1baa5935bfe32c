"""Reads Cilium's policies: which pods they may select, and in which directions. Their rules are not evaluated."""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import BadField, mapping, objects
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector
from kubectl_netpol.policies.meta import NO_POD, read_selector

_NAMESPACE = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."


def read_cilium(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """With `specs` (a list), or an endpointSelector that can't be read, it may select anything in its scope.

    A cluster-wide policy without endpointSelector has a nodeSelector, and applies to nodes only.
    """
    spec = mapping(item.get("spec"), "spec")
    clusterwide = namespace is None
    directions = tuple(d for d in Direction if spec.get(d.field) is not None or spec.get(f"{d.field}Deny") is not None)
    if item.get("specs") or ("endpointSelector" not in spec and not clusterwide):
        return UnevaluatedPolicy(kind, namespace, name, tuple(Direction), nodes=clusterwide)
    if "endpointSelector" not in spec:
        return UnevaluatedPolicy(kind, None, name, directions, pod_selector=NO_POD, nodes=True)
    try:
        selector = read_selector(_without_prefixes(spec["endpointSelector"]), "spec.endpointSelector")
    except BadField:
        return UnevaluatedPolicy(kind, namespace, name, directions)
    # Cilium ignores a namespace in the selector of a namespaced policy: that applies in its own namespace.
    namespaces = tuple(
        requirement._replace(
            key=METADATA_NAME if requirement.key == _NAMESPACE else requirement.key.removeprefix(_NAMESPACE_LABELS)
        )
        for requirement in selector.requirements
        if (requirement.key == _NAMESPACE and clusterwide) or requirement.key.startswith(_NAMESPACE_LABELS)
    )
    pods = tuple(r for r in selector.requirements if not r.key.startswith("io.c") and r.key != _NAMESPACE)
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
