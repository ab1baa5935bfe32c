"""One read of a cluster: every list that can matter at once, and what RBAC forbids as gaps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.manifests.reader import TEMPLATED, Reader
from kubectl_netpol.model.snapshot import Gap, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.cluster.api import Api

_CORE = "/api/v1"


_PATHS = {
    "pods": (_CORE, "Pod"),
    "services": (_CORE, "Service"),
    "namespaces": (_CORE, "Namespace"),
    "nodes": (_CORE, "Node"),
    "endpointslices": ("/apis/discovery.k8s.io/v1", "EndpointSlice"),
    "networkpolicies": ("/apis/networking.k8s.io/v1", "NetworkPolicy"),
    "deployments": ("/apis/apps/v1", "Deployment"),
    "statefulsets": ("/apis/apps/v1", "StatefulSet"),
    "daemonsets": ("/apis/apps/v1", "DaemonSet"),
    "replicasets": ("/apis/apps/v1", "ReplicaSet"),
    "replicationcontrollers": (_CORE, "ReplicationController"),
    "jobs": ("/apis/batch/v1", "Job"),
    "cronjobs": ("/apis/batch/v1", "CronJob"),
}


WORKLOADS = tuple(resource for resource, (_, kind) in _PATHS.items() if kind in TEMPLATED)


# API group -> (resource, our kind, namespaced)
_OVERRIDING = {
    "policy.networking.k8s.io": (
        ("clusternetworkpolicies", "ClusterNetworkPolicy", False),
        ("adminnetworkpolicies", "AdminNetworkPolicy", False),
        ("baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy", False),
    ),
    "cilium.io": (
        ("ciliumnetworkpolicies", "CiliumNetworkPolicy", True),
        ("ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", False),
    ),
    "projectcalico.org": (
        ("networkpolicies", "CalicoNetworkPolicy", True),
        ("globalnetworkpolicies", "GlobalNetworkPolicy", False),
    ),
    "crd.projectcalico.org": (
        ("networkpolicies", "CalicoNetworkPolicy", True),
        ("globalnetworkpolicies", "GlobalNetworkPolicy", False),
    ),
}


class Scope(NamedTuple):
    """What a question needs. `namespaces` are those that matter; the rest is read only where asked for."""

    namespaces: frozenset[str]
    everywhere: frozenset[str] = frozenset()
    nodes: bool = False
    workloads: bool = False
    services_in: frozenset[str] = frozenset()
    endpoints: bool = True


class _Call(NamedTuple):
    resource: str
    kind: str
    path: str
    namespace: str | None
    overriding: bool = False


def read_snapshot(api: Api, scope: Scope) -> Snapshot:
    """The cluster as far as the scope goes. A list that RBAC forbids is a gap; a forbidden cluster-wide one falls
    back to the scope's namespaces. ClusterError where the server can't be asked at all.
    """
    groups = _Groups(api)
    calls = [_call(resource, namespace) for resource, namespace in _wanted(scope)]
    reader = Reader(live=True)
    gaps: list[Gap] = []
    _read(api, calls, scope, reader, gaps)
    _read(api, _overriding_calls(groups.names(), scope), scope, reader, gaps)
    return reader.snapshot(gaps)


class _Groups:
    """Which API groups the server has, asked for beside the lists."""

    def __init__(self, api: Api) -> None:
        self._found: dict[str, str] = {}
        self._error: ClusterError | None = None
        self._thread = threading.Thread(target=self._ask, args=(api,), daemon=True)
        self._thread.start()

    def names(self) -> dict[str, str]:
        """Group -> the version the server prefers."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._found

    def _ask(self, api: Api) -> None:
        try:
            answer: Any = api.get("/apis")
            self._found = {group["name"]: group["preferredVersion"]["version"] for group in answer["groups"] or ()}
        except ClusterError as error:
            self._error = error
        except (LookupError, TypeError):
            # Not knowing what may override the policies must not pass for there being nothing.
            self._error = ClusterError("the server answered /apis with no list of API groups")


def _wanted(scope: Scope) -> Iterable[tuple[str, str | None]]:
    resources = ["pods", "services", "networkpolicies"]
    if scope.endpoints:
        resources.append("endpointslices")
    if scope.workloads:
        resources += WORKLOADS
    for resource in resources:
        if resource in scope.everywhere:
            yield resource, None
        else:
            more = scope.services_in if resource in ("services", "pods") else frozenset()
            for namespace in sorted(scope.namespaces | more):
                yield resource, namespace
    yield "namespaces", None
    if scope.nodes:
        yield "nodes", None


def _call(resource: str, namespace: str | None) -> _Call:
    prefix, kind = _PATHS[resource]
    return _Call(resource, kind, _path(prefix, resource, namespace), namespace)


def _path(prefix: str, resource: str, namespace: str | None) -> str:
    return f"{prefix}/namespaces/{namespace}/{resource}" if namespace else f"{prefix}/{resource}"


def _overriding_calls(groups: dict[str, str], scope: Scope) -> list[_Call]:
    calls = []
    for group, kinds in _OVERRIDING.items():
        if group not in groups or (group == "crd.projectcalico.org" and "projectcalico.org" in groups):
            continue
        prefix = f"/apis/{group}/{groups[group]}"
        for resource, kind, namespaced in kinds:
            everywhere: list[str | None] = [None]
            within: list[str | None] = [*sorted(scope.namespaces)]
            calls += [
                _Call(f"{resource}.{group}", kind, _path(prefix, resource, namespace), namespace, overriding=True)
                for namespace in (within if namespaced and "networkpolicies" not in scope.everywhere else everywhere)
            ]
    return calls


def _read(api: Api, calls: list[_Call], scope: Scope, reader: Reader, gaps: list[Gap]) -> None:
    """Makes the calls, falls back where a cluster-wide one is forbidden, and writes down what stays unread."""
    if not calls:
        return
    again: list[_Call] = []
    for call, result in api.gather({call: call.path for call in calls}).items():
        if isinstance(result, NotFoundError):
            continue  # the server has no such kind
        if not isinstance(result, ClusterError):
            reader.add_items(call.kind, result)
        elif call.resource == "namespaces":
            gaps.append(_read_namespaces_one_by_one(api, scope, reader))
        elif call.namespace is None and call.resource in _PATHS and call.resource != "nodes":
            again += [_call(call.resource, namespace) for namespace in sorted(scope.namespaces)]
            gaps.append(Gap(call.resource, None, _message(call.resource, None), scope.namespaces))
        else:
            gaps.append(
                Gap(call.resource, call.namespace, _message(call.resource, call.namespace), overriding=call.overriding)
            )
    _read(api, again, scope, reader, gaps)


def _read_namespaces_one_by_one(api: Api, scope: Scope, reader: Reader) -> Gap:
    """The scope's namespaces by name; the gap is about all others."""
    known = set()
    for name in sorted(scope.namespaces):
        try:
            item = api.get(f"{_CORE}/namespaces/{name}")
        except (ForbiddenError, NotFoundError):
            continue
        reader.add_items("Namespace", [item])
        known.add(name)
    return Gap("namespaces", None, _message("namespaces", None), frozenset(known))


def _message(resource: str, namespace: str | None) -> str:
    return f"you may not list {resource}" + (f" in namespace {namespace}" if namespace else " in the whole cluster")
