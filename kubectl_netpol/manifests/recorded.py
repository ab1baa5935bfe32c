"""Reads as `reader` does, and keeps where each policy stands, its annotations, and what the API server would refuse."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import KINDS, PLUGINS, TIERED

if TYPE_CHECKING:
    from kubectl_netpol.manifests.reader import Read
    from kubectl_netpol.policies.meta import Object

_POLICIES = frozenset(("NetworkPolicy", *TIERED))  # whose validation is that of the API server
_RECORDED = frozenset((*_POLICIES, "Namespace", *PLUGINS["Cilium"]))
_FIELD = r"(?s)^(?P<path>[A-Za-z][\w.\[\]/-]*): (?P<problem>.*)$"
# Kinds of other groups that make no pods. Any other kind that is skipped may.
_NO_PODS = frozenset(
    (
        *("APIService", "CSIDriver", "ConfigMap", "CustomResourceDefinition", "HorizontalPodAutoscaler", "Ingress"),
        *("IngressClass", "Issuer", "ClusterIssuer", "Certificate", "Kustomization", "LimitRange", "Lease", "List"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "PersistentVolume", "PersistentVolumeClaim", "PodDisruptionBudget"),
        *("PodMonitor", "PodSecurityPolicy", "PriorityClass", "PrometheusRule", "Probe", "ResourceQuota", "Role"),
        *("RoleBinding", "ClusterRole", "ClusterRoleBinding", "RuntimeClass", "Secret", "ServiceMonitor"),
        *("StorageClass", "VolumeSnapshotClass", "Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "TLSRoute"),
        *("ReferenceGrant", "VirtualService", "DestinationRule", "Endpoints", "Event", "FlowSchema"),
        *("PriorityLevelConfiguration", "SecurityContextConstraints", "Route", "Component", "ControllerRevision"),
        *("VerticalPodAutoscaler", "ScaledObject", "ExternalSecret", "SecretStore", "SealedSecret", "Binding"),
    )
)


class Recorded(NamedTuple):
    """One object: the name of its file, its annotations as they are written, and its key in `Positions` of the file."""

    source: str
    annotations: dict[str, Any]
    item: Object
    key: tuple[str, str, str]


class Refused(NamedTuple):
    """A policy that can't be read, since the API server refuses it: the field, the problem, and a hint."""

    kind: str
    namespace: str
    name: str
    path: str
    problem: str
    hint: str | None


class RecordingReader(Reader):
    """`recorded`: policies and Namespaces by kind, namespace and name. `refused`: instead of an error.

    `texts`: what was read, by source.
    """

    def __init__(self, *, default_namespace: str = "default", live: bool = False, plugin: str | None = None) -> None:
        super().__init__(default_namespace=default_namespace, live=live, plugin=plugin)
        self.recorded: dict[tuple[str, str, str], Recorded] = {}
        self.refused: list[Refused] = []
        self.texts: dict[str, str] = {}
        self._source = ""
        self._in_source: Counter[tuple[str, str, str, str]] = Counter()

    def add_text(self, content: str, source: str) -> None:
        self._source = source
        self.texts[source] = content
        super().add_text(content, source)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The kinds that were skipped and may make pods."""
        return tuple(sorted(kind for kind in self.skipped if kind not in _NO_PODS))

    def _add(self, kind: str, item: Object, where: str) -> None:
        if kind not in _RECORDED:
            super()._add(kind, item, where)
            return
        key = self._key(kind, item)
        try:
            super()._add(kind, item, where)
        except ManifestError as error:
            if kind not in _POLICIES or not key[2]:
                raise
            self.refused.append(_refused(key[0], key[1], self._adding, error))
        self._record((key[0], key[1], self._adding), item, key)

    def read_item(self, kind: str, item: Object, listed_in: str | None = None) -> Read:
        found = super().read_item(kind, item, listed_in)
        if kind in _RECORDED:
            self._record(key := self._key(kind, item), item, key)
        return found

    def _record(self, key: tuple[str, str, str], item: Object, written: tuple[str, str, str]) -> None:
        if not item["metadata"].get("name"):
            place = self._source, *written
            self._in_source[place] += 1
            written = (written[0], written[1], f"{written[2]}#{self._in_source[place]}")
        annotations = item["metadata"].get("annotations")
        self.recorded[key] = Recorded(self._source, annotations if isinstance(annotations, dict) else {}, item, written)

    def _key(self, kind: str, item: Object) -> tuple[str, str, str]:
        """Without a name for an object that has none."""
        metadata = item.get("metadata")
        if not isinstance(metadata, dict):
            return kind, "", ""
        name, namespace = metadata.get("name") or metadata.get("generateName"), metadata.get("namespace")
        if not KINDS[kind].namespaced:
            namespace = ""
        elif not isinstance(namespace, str) or not namespace:
            namespace = self.default_namespace
        return kind, namespace, name if isinstance(name, str) else ""


def _refused(kind: str, namespace: str, name: str, error: ManifestError) -> Refused:
    """The reader's message is "FILE, document 1 (NetworkPolicy NAME): PATH: PROBLEM"."""
    text = error.message.partition(f" {name}): ")[2] or error.message
    match = re.match(_FIELD, text)
    return Refused(
        kind, namespace, name, match["path"] if match else "", match["problem"] if match else text, error.hint
    )
