"""Words typed (`san`, `svc/nginx`, `shop/deploy/web`, `10.0.0.5`) to what they name in a snapshot. Pure."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.verdict import End
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.model.kinds import KIND_WORDS, KINDS, RESOURCES, SHORT, WORKLOADS
from kubectl_netpol.model.names import is_namespace_name
from kubectl_netpol.model.workloads import pods_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Node, Pod, Service, Workload
    from kubectl_netpol.model.snapshot import Snapshot

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")


_PARTS = 3


class Reference(NamedTuple):
    """What was typed, taken apart: a name with or without a kind, or an address."""

    typed: str
    namespace: str
    name: str
    kind: str | None = None
    address: str | None = None


class Resolved(NamedTuple):
    """What a reference names: exactly one of pod, service, node, address or host is there.

    `workload` is the one whose pod this is, where a workload was typed.
    """

    reference: Reference
    pod: Pod | None = None
    service: Service | None = None
    node: Node | None = None
    address: str | None = None
    host: str | None = None
    workload: Workload | None = None

    @property
    def end(self) -> End:
        """It as one end of a connection, with its first address. Not for a Service."""
        if self.pod:
            return End(pod=self.pod, address=next(iter(self.pod.ips), None))
        if self.node:
            return End(node=self.node, address=self.address or next(iter(self.node.addresses), None))
        return End(address=self.address)


def parse_reference(typed: str, namespace: str) -> Reference:
    """NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address; a known kind before the slash is a kind."""
    if is_ip(typed):
        return Reference(typed, namespace, typed, address=typed)
    parts = typed.split("/")
    if len(parts) > _PARTS or not all(part.strip(".") for part in parts):
        raise UsageError(f'"{typed}" is no name', "write NAME, NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME")
    name, kind = parts[-1], None
    if len(parts) > 1 and (kind := KINDS.get(parts[-2].split(".")[0].lower())):
        parts.pop(-2)
    elif len(parts) == _PARTS:
        known = ", ".join(words[-1] for words in KIND_WORDS.values())
        raise UsageError(f'"{parts[1]}" in "{typed}" is no kind', f"one of {known}")
    if len(parts) > 1:
        namespace = parts[0]
        if not is_namespace_name(namespace):
            raise UsageError(f'"{namespace}" in "{typed}" is neither a kind nor a namespace\'s name')
    return Reference(typed, namespace, name, kind)


def resolve_source(snapshot: Snapshot, reference: Reference) -> Resolved:
    """A pod, then a workload (one of its running pods); also an address, a node, or one of a Service's pods."""
    named = _resolve(snapshot, reference, ("Pod", *WORKLOADS))
    if named.service is None:
        return named
    if gap := snapshot.gap("pods", named.service.namespace):
        raise NetpolError(f"can't look for the pods of Service {named.service.key}: {gap.message}")
    pod = best(snapshot.selected_by_service(named.service))
    if pod is None:
        raise NetpolError(f"Service {named.service.key} has no pods that could send", "name a pod")
    return Resolved(reference, pod=pod)


def resolve_destination(snapshot: Snapshot, reference: Reference) -> Resolved:
    """A Service, then a pod, then a workload; NAME.NS[.svc…] is that Service; other names with dots are host names."""
    try:
        return _resolve(snapshot, reference, ("Service", "Pod", *WORKLOADS))
    except NetpolError:
        hidden = snapshot.gap("pods", reference.namespace)
        if hidden or "." not in reference.name or reference.kind or reference.typed != reference.name:
            raise
    name, _, rest = reference.name.rstrip(".").partition(".")
    namespace, _, form = rest.partition(".")
    # With a dot at its end a name is complete: nothing is added to it, and only the longest form is a Service's.
    forms = ("svc.cluster.local",) if reference.name.endswith(".") else ("", "svc", "svc.cluster.local")
    if form in forms:
        if service := snapshot.service(namespace, name):
            return Resolved(reference, service=service)
        gap = snapshot.gap("services", namespace)
        if gap and (namespace in snapshot.namespaces or snapshot.gap("namespaces", namespace)):
            raise NetpolError(
                f'can\'t look for Service "{name}" in namespace {namespace}: {gap.message}',
                f"for a host outside the cluster add a dot: {reference.name}.",
            )
    if form.partition(".")[0] == "svc":
        raise _not_found(
            f'there is no Service "{name}" in namespace {namespace}', name, _names(snapshot, namespace, ("Service",))
        )
    if not _HOST.fullmatch(reference.name) or reference.name.rstrip(".").rpartition(".")[2].isdecimal():
        hint = "the port is a word of its own" if ":" in reference.name else None
        raise UsageError(f'"{reference.name}" is neither an address nor a host name', hint)
    return Resolved(reference, host=reference.name)


def resolve_subject(snapshot: Snapshot, reference: Reference) -> Resolved:
    """A pod, then a workload, then a Service."""
    return _resolve(snapshot, reference, ("Pod", *WORKLOADS, "Service"))


def service_namespace(name: str) -> str | None:
    """The namespace that a name with dots would mean as a Service's, or None: it must be read to find out."""
    parts = name.rstrip(".").split(".")
    return parts[1] if len(parts) > 1 and is_namespace_name(parts[1]) else None


def best(pods: Iterable[Pod]) -> Pod | None:
    """The one to speak for the others: a ready one, with an address, first by name."""
    return min(pods, key=lambda pod: (not pod.ready, not pod.ips, pod.name), default=None)


def _resolve(snapshot: Snapshot, reference: Reference, kinds: tuple[str, ...]) -> Resolved:
    if reference.address:
        return _resolve_address(snapshot, reference, reference.address)
    if reference.kind:
        kinds = (reference.kind,)
    for kind in kinds:
        if kind in WORKLOADS:
            continue
        if named := _find(snapshot, reference, kind):
            return named
        gap = snapshot.gap(RESOURCES[kind], reference.namespace)
        if gap and (reference.kind or kind == "Pod"):
            raise NetpolError(f'can\'t look for {kind} "{reference.name}": {gap.message}')
    workloads = [
        workload
        for workload in snapshot.workloads
        if workload.kind in kinds and (workload.namespace, workload.name) == (reference.namespace, reference.name)
    ]
    if len(workloads) > 1:
        listed = ", ".join(f"{SHORT[workload.kind]}/{workload.name}" for workload in workloads)
        raise UsageError(f'"{reference.typed}" could be any of {listed}', "write the kind before the name")
    if workloads:
        return _of_workload(snapshot, reference, workloads[0])
    what = reference.kind or ("Service, pod or workload" if "Service" in kinds else "pod or workload")
    where = "" if reference.kind == "Node" else f" in namespace {reference.namespace}"
    raise _not_found(
        f'there is no {what} "{reference.name}"{where}', reference.name, _names(snapshot, reference.namespace, kinds)
    )


def _of_workload(snapshot: Snapshot, reference: Reference, workload: Workload) -> Resolved:
    pod = best(pods_of(snapshot, workload))
    if pod is None:
        raise NetpolError(
            f"{workload.kind} {workload.namespace}/{workload.name} has no pods now", "scale it up, or name a pod"
        )
    return Resolved(reference, pod=pod, workload=workload)


def _find(snapshot: Snapshot, reference: Reference, kind: str) -> Resolved | None:
    if kind == "Pod":
        pod = snapshot.pod(reference.namespace, reference.name)
        return Resolved(reference, pod=pod) if pod and not snapshot.is_template(pod) else None
    if kind == "Service":
        service = snapshot.service(reference.namespace, reference.name)
        return Resolved(reference, service=service) if service else None
    node = snapshot.node(reference.name)
    return Resolved(reference, node=node) if node else None


def _resolve_address(snapshot: Snapshot, reference: Reference, address: str) -> Resolved:
    if pod := snapshot.pod_at(address):
        return Resolved(reference, pod=pod, address=address)
    if node := snapshot.node_at(address):
        return Resolved(reference, node=node, address=address)
    return Resolved(reference, address=address)


def _names(snapshot: Snapshot, namespace: str, kinds: tuple[str, ...]) -> set[str]:
    names: set[str] = set()
    if "Node" in kinds:
        names |= {node.name for node in snapshot.nodes}
    if "Pod" in kinds:
        names |= {pod.name for pod in snapshot.pods_in(namespace)}
    if "Service" in kinds:
        names |= {service.name for service in snapshot.services if service.namespace == namespace}
    return names | {w.name for w in snapshot.workloads if w.kind in kinds and w.namespace == namespace}


def _not_found(message: str, name: str, names: Iterable[str]) -> NetpolError:
    known = sorted(names)
    near = difflib.get_close_matches(name, known, 1, 0.6)
    if near:
        return NetpolError(message, f"did you mean {near[0]}?")
    if not known:
        return NetpolError(message, "nothing of that kind is there: is the namespace right (-n)?")
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""  # noqa: PLR2004 - as many as a line holds
    return NetpolError(message, f"there are {', '.join(known[:5])}{more}")
