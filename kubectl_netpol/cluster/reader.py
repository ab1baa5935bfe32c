"""One read of a cluster: every list that can matter at once, and what RBAC forbids as gaps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import KINDS, TIERED, UNEVALUATED, WORKLOADS
from kubectl_netpol.model.snapshot import Gap, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.model.kinds import Kind
    from kubectl_netpol.model.snapshot import Scope


_BESIDE_NETWORK_POLICY = (*TIERED, *UNEVALUATED)


class _Call(NamedTuple):
    """`others`: the paths to ask next where the server has no such kind at `path`."""

    kind: Kind
    resource: str
    path: str
    namespace: str | None
    others: tuple[str, ...] = ()


def read_snapshot(api: Api, scope: Scope) -> Snapshot:
    """The cluster as far as the scope goes.

    A list that RBAC forbids is a gap; a forbidden cluster-wide one falls back to the scope's namespaces. ClusterError
    where the server can't be asked at all.
    """
    groups = _Groups(api)
    calls = [_call(KINDS[name], namespace) for name, namespace in _wanted(scope)]
    reader = Reader(live=True)
    gaps: list[Gap] = []
    _read(api, calls, scope, reader, gaps)
    _read(api, _unevaluated_calls(groups.versions(), scope), scope, reader, gaps)
    return reader.snapshot(gaps)


class _Groups:
    """The server's API groups, asked for while the lists are read."""

    def __init__(self, api: Api) -> None:
        self._found: dict[str, tuple[str, ...]] = {}
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._ask, args=(api,), daemon=True)
        self._thread.start()

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Group -> its versions, the one that the server prefers first."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._found

    def _ask(self, api: Api) -> None:
        # Not knowing what can override the policies must not pass for there being nothing.
        try:
            answer: Any = api.get("/apis")
            self._found = {group["name"]: _versions(group) for group in answer["groups"] or ()}
        except (LookupError, TypeError):
            self._error = ClusterError("invalid response to /apis: expected a list of API groups")
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error


def _versions(group: Any) -> tuple[str, ...]:
    """LookupError or TypeError if it is not a group of an APIGroupList."""
    served = dict.fromkeys(
        version["version"] for version in (group["preferredVersion"], *(group.get("versions") or ()))
    )
    if not all(isinstance(version, str) for version in served):
        raise TypeError
    return tuple(served)


def _wanted(scope: Scope) -> Iterable[tuple[str, str | None]]:
    kinds = ["Pod", "Service", "NetworkPolicy"]
    if scope.endpoints:
        kinds.append("EndpointSlice")
    if scope.workloads:
        kinds += WORKLOADS
    for kind in kinds:
        if KINDS[kind].resource in scope.everywhere:
            yield kind, None
        else:
            more = scope.services_in if kind in ("Service", "Pod") else frozenset()
            for namespace in sorted(scope.namespaces | more):
                yield kind, namespace
    yield "Namespace", None
    if scope.nodes:
        yield "Node", None


def _call(kind: Kind, namespace: str | None) -> _Call:
    return _Call(kind, kind.resource, kind.path(namespace), namespace)


def _unevaluated_calls(groups: dict[str, tuple[str, ...]], scope: Scope) -> list[_Call]:
    """A list per kind, of the first of its groups that the server has, in the preferred version.

    Another version may have kinds that the preferred one lacks: policy.networking.k8s.io has AdminNetworkPolicy in
    v1alpha1 and ClusterNetworkPolicy in v1alpha2.
    """
    calls = []
    for kind in map(KINDS.__getitem__, _BESIDE_NETWORK_POLICY):
        group = next((group for group in kind.groups if group in groups), None)
        if group is None:
            continue
        namespaces: list[str | None] = [None]
        if kind.namespaced and "networkpolicies" not in scope.everywhere:
            namespaces = [*sorted(scope.namespaces)]
        for namespace in namespaces:
            path, *others = (kind.path(namespace, group=group, version=version) for version in groups[group])
            calls.append(_Call(kind, f"{kind.resource}.{group}", path, namespace, tuple(others)))
    return calls


def _read(api: Api, calls: list[_Call], scope: Scope, reader: Reader, gaps: list[Gap]) -> None:
    """Makes the calls, falls back where a cluster-wide one is forbidden, and records what stays unread."""
    if not calls:
        return
    again: list[_Call] = []
    for call, result in api.gather({call: call.path for call in calls}).items():
        if isinstance(result, NotFoundError):
            if call.others:
                again.append(call._replace(path=call.others[0], others=call.others[1:]))
        elif not isinstance(result, ClusterError):
            reader.add_items(call.kind.name, result)
        elif call.kind.name == "Namespace":
            gaps.append(_read_namespaces_one_by_one(api, scope, reader))
        elif call.namespace is None and call.kind.name not in _BESIDE_NETWORK_POLICY and call.kind.namespaced:
            again += [_call(call.kind, namespace) for namespace in sorted(scope.namespaces)]
            gaps.append(Gap(call.resource, None, _message(call.resource, None), scope.namespaces))
        else:
            message = _message(call.resource, call.namespace)
            kind = call.kind.name if call.kind.name in _BESIDE_NETWORK_POLICY else ""
            after = kind == "BaselineAdminNetworkPolicy"
            gaps.append(Gap(call.resource, call.namespace, message, policy_kind=kind, after=after))
    _read(api, again, scope, reader, gaps)


def _read_namespaces_one_by_one(api: Api, scope: Scope, reader: Reader) -> Gap:
    """The scope's namespaces by name; the gap is about all others."""
    known = set()
    for name in sorted(scope.namespaces):
        try:
            item = api.get(f"{KINDS['Namespace'].path()}/{name}")
        except (ForbiddenError, NotFoundError):
            continue
        reader.add_items("Namespace", [item])
        known.add(name)
    return Gap("namespaces", None, _message("namespaces", None), frozenset(known))


def _message(resource: str, namespace: str | None) -> str:
    return f"you may not list {resource}" + (f" in namespace {namespace}" if namespace else " in the whole cluster")
