"""The pods of a whole cluster, of which only is asked whether peers match them: their metadata where that will do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.model.kinds import KINDS, WORKLOADS
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.model.snapshot import Gap

if TYPE_CHECKING:
    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.manifests.reader import Read, Reader
    from kubectl_netpol.model.snapshot import Scope

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
# No peer matches the others.
_MATCHABLE = "status.phase!=Succeeded,status.phase!=Failed,spec.hostNetwork=false"
# Beside these there may be conditions of other kinds.
_PLAIN = {"Pod", "Service", "NetworkPolicy", "EndpointSlice", "Namespace", "Node", *WORKLOADS}


def read_peers(api: Api, scope: Scope, reader: Reader, gaps: list[Gap]) -> None:
    """All pods, into the reader, which has the policies, and the pods of the scope's namespaces in full."""
    path = KINDS["Pod"].path()
    known = reader.found("Pod")
    try:
        if labels_decide(reader, scope):
            try:
                found = api.list(path, _Metadata(reader), query=[("fieldSelector", _MATCHABLE)], accept=_METADATA)
            except (ForbiddenError, NotFoundError):
                raise
            except ClusterError:  # an older server knows no such field selector
                found = api.list(path, lambda item: reader.read_item("Pod", item))
        else:
            found = api.list(path, lambda item: reader.read_item("Pod", item))
    except ForbiddenError:
        gaps.append(Gap("pods", None, "you may not list pods in the whole cluster", readable=scope.namespaces))
        return
    keys = {(pod.namespace, pod.name) for pod in known}
    reader.take("Pod", [entry for entry in found if entry[:2] not in keys])


def labels_decide(reader: Reader, scope: Scope) -> bool:
    """Whether labels alone say which pods the peers of the scope's policies match, and what is said about their ports.

    An address does where there is an ipBlock, and ports where a rule for egress has some.
    """
    others = [kind for kind in reader.kinds() if kind not in _PLAIN]
    policies = [policy for policy in reader.found("NetworkPolicy") if policy.namespace in scope.namespaces]
    return not others and reader.plugin is None and all(map(_by_labels, policies))


def _by_labels(policy: object) -> bool:
    if not isinstance(policy, Policy):
        return True  # its rules are not evaluated
    return not any(
        any(peer.ip_block for peer in rule.peers) or (rule.direction is Direction.EGRESS and rule.ports)
        for rule in policy.rules
    )


class _Metadata:
    """Reads pods of which there is metadata alone: running ones with their labels; equal labels are kept once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._labels: dict[int, dict[str, Any]] = {}

    def __call__(self, item: dict[str, Any]) -> Read:
        metadata = item.get("metadata")
        if isinstance(metadata, dict):
            namespace, labels = metadata.get("namespace"), metadata.get("labels")
            kept = {"name": metadata.get("name"), "namespace": namespace, "labels": labels}
            if isinstance(namespace, str):
                kept["namespace"] = sys.intern(namespace)
            if isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values()):
                same = self._labels.setdefault(hash(tuple(labels.items())), labels)
                kept["labels"] = same if same == labels else labels
            item = {"metadata": kept, "spec": {}, "status": {"phase": "Running"}}
        return self._reader.read_item("Pod", item)
