"""One read of a cluster: every list that can matter at once, and what RBAC forbids as gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.cluster.decode import shapes
from kubectl_netpol.cluster.discovery import Discovery
from kubectl_netpol.cluster.network_plugin import deciding_plugin
from kubectl_netpol.cluster.peers import read_peers
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import ISTIO_ROOT, KINDS, UPSTREAM, WORKLOADS
from kubectl_netpol.model.snapshot import Gap, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.discovery import Discovered, PolicyKind
    from kubectl_netpol.model.snapshot import Scope


_EVERYWHERE = ("Pod", "Service", "NetworkPolicy", "Namespace", "Node")


class Call(NamedTuple):
    """`policy`: the kind is one of policy beside NetworkPolicy."""

    kind: str
    namespace: str | None
    policy: PolicyKind | None = None

    @property
    def resource(self) -> str:
        return self.policy.resource if self.policy else KINDS[self.kind].resource

    @property
    def path(self) -> str:
        return (self.policy or KINDS[self.kind]).path(self.namespace)

    @property
    def namespaced(self) -> bool:
        return (self.policy or KINDS[self.kind]).namespaced


def read_snapshot(api: Api, scope: Scope, reader: Reader | None = None) -> Snapshot:
    """The cluster as far as the scope goes. `reader`: a live one of another class, that keeps more.

    A list that RBAC forbids is a gap; a forbidden cluster-wide one falls back to the scope's namespaces. ClusterError
    where the server can't be asked at all.
    """
    discovery = Discovery(api)
    reader = reader or Reader(live=True)
    gaps: list[Gap] = []
    make_calls(api, [Call(kind, namespace) for kind, namespace in _wanted(scope)], scope, reader, gaps)
    discovered = discovery.result()
    reader.plugin, unseen = deciding_plugin(api, (kind.name for kind in discovered.kinds))
    if unseen:
        gaps.append(unseen)
    make_calls(api, _policy_calls(discovered, scope), scope, reader, gaps)
    if reader.plugin == "Calico":
        from kubectl_netpol.cluster.calico import read_calico  # noqa: PLC0415 - most clusters have none

        read_calico(api, discovered, scope, reader, gaps)
    if scope.peers:
        read_peers(api, scope, reader, gaps)
    for group in discovered.silent:
        message = f"the API group {group} does not answer: if it has policies, they may decide"
        gaps.append(Gap(group, None, message, unknown_kind=True))
    return reader.snapshot(gaps)


def _wanted(scope: Scope) -> Iterable[tuple[str, str | None]]:
    kinds = ["Pod", "Service", "NetworkPolicy"]
    if scope.endpoints:
        kinds.append("EndpointSlice")
    if scope.workloads:
        kinds += WORKLOADS
    for kind in kinds:
        if KINDS[kind].resource in scope.everywhere and not (kind == "Pod" and scope.peers):
            yield kind, None
        else:
            more = scope.services_in if kind in ("Service", "Pod") else frozenset()
            for namespace in sorted(scope.namespaces | more):
                yield kind, namespace
    yield "Namespace", None
    if scope.nodes:
        yield "Node", None


def _policy_calls(discovered: Discovered, scope: Scope) -> list[Call]:
    """The lists of the other kinds of policy, and of nodes where a kind may have rules about these."""
    calls = []
    for policy in discovered.kinds:
        everywhere = not policy.namespaced or "networkpolicies" in scope.everywhere
        namespaces = [None] if everywhere else _namespaces(policy.name, scope)
        calls += [Call(policy.name, namespace, policy) for namespace in namespaces]
    if not scope.nodes and any(policy.group == UPSTREAM for policy in discovered.kinds):
        calls.append(Call("Node", None))
    return calls


def _namespaces(kind: str, scope: Scope) -> Sequence[str | None]:
    return sorted(scope.namespaces | ({ISTIO_ROOT} if kind == "IstioAuthorizationPolicy" else set()))


def make_calls(api: Api, calls: list[Call], scope: Scope, reader: Reader, gaps: list[Gap]) -> None:
    """Makes the calls, falls back where a cluster-wide one is forbidden, and records what stays unread."""
    if not calls:
        return
    again: list[Call] = []
    paths = {call: call.path for call in calls}
    found = api.gather(paths, lambda call, item: reader.read_item(call.kind, item, call.namespace))
    for call, result in found.items():
        if isinstance(result, NotFoundError):
            # A kind of a plugin, or of an older server, may be gone by now. What every server has is not.
            if call.policy is None and call.kind in _EVERYWHERE:
                raise result
            continue
        if not isinstance(result, ClusterError):
            reader.take(call.kind, result)
        elif call.kind == "Namespace":
            gaps.append(_read_namespaces_one_by_one(api, scope, reader))
        else:
            gaps.append(_gap(call, scope))
            if call.namespaced and call.namespace is None:
                again += [call._replace(namespace=namespace) for namespace in _namespaces(call.kind, scope)]
    make_calls(api, again, scope, reader, gaps)


def _gap(call: Call, scope: Scope) -> Gap:
    """A list that is forbidden; a cluster-wide one of a namespaced kind is made good in the scope's namespaces."""
    gap = Gap(call.resource, call.namespace, _message(call.resource, call.namespace))
    if call.namespaced and call.namespace is None:
        gap = gap._replace(readable=scope.namespaces)
    if call.policy and call.kind not in KINDS:
        return gap._replace(message=f"{gap.message}: such policies may decide", unknown_kind=True)
    if call.policy:
        gap = gap._replace(policy_kind=call.kind, after=call.kind == "BaselineAdminNetworkPolicy")
    if call.kind == "IstioAuthorizationPolicy" and call.namespace == ISTIO_ROOT:
        gap = gap._replace(namespace=None)
    return gap


def _read_namespaces_one_by_one(api: Api, scope: Scope, reader: Reader) -> Gap:
    """The scope's namespaces by name; the gap is about all others."""
    known = set()
    for name in sorted(scope.namespaces):
        try:
            item = api.get(path := f"{KINDS['Namespace'].path()}/{name}")
        except (ForbiddenError, NotFoundError):
            continue
        with shapes(f"response to {path}"):
            reader.add_items("Namespace", [item])
        known.add(name)
    return Gap("namespaces", None, _message("namespaces", None), frozenset(known))


def _message(resource: str, namespace: str | None) -> str:
    return f"you may not list {resource}" + (f" in namespace {namespace}" if namespace else " in the whole cluster")
