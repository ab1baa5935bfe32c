"""Resolves what was typed (`san`, `svc/nginx`, `shop/deploy/web`, `10.0.0.5`) to an object of a snapshot."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.verdict import End
from kubectl_netpol.errors import NetpolError, UsageError, nearest
from kubectl_netpol.model.addresses import is_among, is_ip
from kubectl_netpol.model.kinds import KINDS, TYPED, WORKLOADS, kind_typed
from kubectl_netpol.model.ports import SinglePort
from kubectl_netpol.model.validation import is_namespace_name
from kubectl_netpol.model.workloads import pods_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Node, Pod, Service, Workload
    from kubectl_netpol.model.snapshot import Gap, Snapshot

_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?"
_POD_RECORD = re.compile(r"([0-9a-f-]+)\.[a-z0-9-]+\.pod(?:\.cluster\.local\.?)?")
_REPLICA = re.compile(r"(.+)-[0-9]+")
_MOST_PARTS = 3
_MOST_NAMES = 5


class Role(Enum):
    """What a name is for. The value: the kinds to look for if none was typed, in this order."""

    SOURCE = ("Pod", *WORKLOADS)
    DESTINATION = ("Service", "Pod", *WORKLOADS)
    SUBJECT = ("Pod", *WORKLOADS, "Service")


class Reference(NamedTuple):
    """What was typed, parsed: a name with or without a kind, or an address."""

    typed: str
    namespace: str
    name: str
    kind: str | None = None
    address: str | None = None


class Resolved(NamedTuple):
    """What a reference resolves to: a pod, Service, node, address or host. `address`: also of a pod or node, if typed.

    `workload`: the one that was typed; the pod represents it. `typed`: what was typed, or "". `others`: pods that
    are of it too, and that policies tell apart from this one by labels that its controller adds.
    """

    pod: Pod | None = None
    service: Service | None = None
    node: Node | None = None
    address: str | None = None
    host: str | None = None
    workload: Workload | None = None
    typed: str = ""
    others: tuple[Pod, ...] = ()

    @property
    def end(self) -> End:
        """An end of a connection with its first address, or a node's that was typed. Not for a Service."""
        if self.pod:
            return End(pod=self.pod, address=next(iter(self.pod.ips), None))
        if self.node:
            return End(node=self.node, address=self.address or next(iter(self.node.addresses), None))
        return End(address=self.address)

    @property
    def reference(self) -> str:
        """What was typed, or what to type."""
        if self.typed:
            return self.typed
        if self.service:
            return f"{self.service.namespace}/svc/{self.service.name}"
        if self.pod:
            return f"{self.pod.namespace}/pod/{self.pod.name}"
        return f"node/{self.node.name}" if self.node else self.host or self.address or ""


def parse_reference(typed: str, namespace: str) -> Reference:
    """NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address. Before a slash, a kind takes precedence over a namespace.

    UsageError for anything else.
    """
    if address := typed if is_ip(typed) else _address_of_record(typed):
        return Reference(typed, namespace, typed, address=address)
    parts = typed.split("/")
    if len(parts) > _MOST_PARTS or not all(part.strip(".") for part in parts):
        raise UsageError(f'invalid name "{typed}"', "write NAME, NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME")
    name, kind = parts[-1], None
    if len(parts) > 1 and (found := kind_typed(parts[-2])) and found.name in TYPED:
        kind = found.name
        parts.pop(-2)
    elif len(parts) == _MOST_PARTS:
        known = ", ".join(KINDS[kind].short for kind in TYPED)
        raise UsageError(f'unknown kind "{parts[1]}" in "{typed}"', f"must be one of {known}")
    if len(parts) > 1:
        namespace = parts[0]
        if not is_namespace_name(namespace):
            raise UsageError(f'"{namespace}" in "{typed}" is neither a kind nor a valid namespace name')
    return Reference(typed, namespace, name, kind)


def _address_of_record(typed: str) -> str | None:
    """The address in a pod's DNS record, "10-0-0-5.shop.pod.cluster.local"."""
    found = _POD_RECORD.fullmatch(typed)
    return next(filter(is_ip, (found[1].replace("-", by) for by in ".:")), None) if found else None


def look_up(snapshot: Snapshot, reference: Reference, role: Role, beside: str | None = None) -> Resolved | None:
    """None if nothing has this name. `beside`: the source's namespace, where it looks up names with dots.

    NetpolError if that can't be known because of a gap, if the name is ambiguous, or if the workload has no pods.
    """
    if reference.address:
        return _at_address(snapshot, reference, reference.address)
    kinds = (reference.kind,) if reference.kind else role.value
    before: Gap | None = None  # why a Service of that name, which would come before a pod, may be missing
    for kind in kinds:
        if kind in WORKLOADS:
            continue
        if found := _of_kind(snapshot, reference, kind):
            return _unless_hidden(found, reference, before)
        gap = _gap(snapshot, reference, kind)
        if gap and (gap.name or reference.kind or kind == "Pod"):
            raise NetpolError(f'can\'t look up {kind} "{reference.name}": {gap.message}')
        before = before or gap
    workloads = [
        workload
        for workload in snapshot.workloads
        if workload.kind in kinds and (workload.namespace, workload.name) == (reference.namespace, reference.name)
    ]
    if len(workloads) > 1:
        listed = ", ".join(f"{KINDS[workload.kind].short}/{workload.name}" for workload in workloads)
        raise UsageError(f'"{reference.typed}" is ambiguous: {listed}', "write the kind before the name")
    if workloads:
        return _unless_hidden(_of_workload(snapshot, reference, workloads[0]), reference, before)
    return _by_dotted_name(snapshot, reference, beside) if role is Role.DESTINATION else None


def _unless_hidden(found: Resolved, reference: Reference, before: Gap | None) -> Resolved:
    if before:
        kind = KINDS[found.workload.kind if found.workload else "Pod"].short
        place = f"{reference.namespace}/" if reference.typed.startswith(f"{reference.namespace}/") else ""
        raise NetpolError(
            f'can\'t tell whether "{reference.typed}" is a Service: {before.message}',
            f"write {place}{kind}/{reference.name}",
        )
    return found


def _gap(snapshot: Snapshot, reference: Reference, kind: str) -> Gap | None:
    """Why an object of that name may be missing."""
    resource = KINDS[kind].resource
    missing = (gap for gap in snapshot.gaps if gap.resource == resource and gap.hides(reference.namespace))
    return next((gap for gap in missing if gap.name in ("", reference.name)), None)


def resolve_source(snapshot: Snapshot, reference: Reference) -> Resolved:
    """A pod, then a workload (one of its pods); with a kind also a node or one of a Service's pods; or an address."""
    resolved = _resolved(snapshot, reference, Role.SOURCE)
    service = resolved.service
    if service is None:
        return resolved
    if service.selector and (gap := snapshot.gap("pods", service.namespace, service.selector)):
        raise NetpolError(f"can't look up the pods of Service {service.key}: {gap.message}")
    pod = representative(snapshot.selected_by_service(service))
    if pod is None:
        raise NetpolError(f"Service {service.key} has no pods that could be a source", "name a pod")
    return Resolved(pod=pod, typed=reference.typed)


def resolve_destination(snapshot: Snapshot, reference: Reference, beside: str | None = None) -> Resolved:
    """A Service, then a pod, then a workload, then a Service as NAME.NS[.svc…]; other names with dots are hosts.

    `beside`: the source's namespace, which the hint names if the destination is only there.
    """
    return _resolved(snapshot, reference, Role.DESTINATION, beside)


def declared_ports(destination: Resolved) -> tuple[SinglePort, ...]:
    """The ports of a Service, or those that a pod's containers declare, by number. UsageError if there are none."""
    if destination.service:
        what = f"Service {destination.service.key} has no ports"
        found = [SinglePort(port.protocol, port.number) for port in destination.service.ports]
    elif destination.pod:
        what = f"{destination.pod.key} declares no ports"
        found = [SinglePort(port.protocol, port.number) for port in destination.pod.ports]
    else:
        what = f"{destination.reference} is no Service and no pod, whose ports would be known"
        found = []
    if not found:
        raise UsageError(what, "write the port: kubectl netpol test san nginx 80")
    return tuple(dict.fromkeys(found))


def resolve_subject(snapshot: Snapshot, reference: Reference) -> Resolved:
    """A pod, then a workload, then a Service."""
    return _resolved(snapshot, reference, Role.SUBJECT)


def namespaces_of(name: str) -> tuple[str, ...]:
    """The namespaces of a name with dots if it is a Service's or a pod's. Only reading them shows which."""
    _, *parts = name.rstrip(".").split(".")
    of_pod = parts[1:2] != ["svc"] and parts[2:3] in ([], ["svc"])  # POD.SERVICE.NAMESPACE[.svc…]
    places = parts[:2] if of_pod else parts[:1]
    return tuple(filter(is_namespace_name, places))


def representative(pods: Iterable[Pod]) -> Pod | None:
    """The first pod by name; ready ones first, then those with an address."""
    return min(pods, key=lambda pod: (not pod.ready, not pod.ips, pod.name), default=None)


def _by_dotted_name(snapshot: Snapshot, reference: Reference, beside: str | None) -> Resolved | None:
    """A Service by its DNS name, a pod by that of its headless Service, or a host name; None if it has no dots."""
    if "." not in reference.name or reference.kind or reference.typed != reference.name:
        return None
    name, _, rest = reference.name.rstrip(".").partition(".")
    namespace, _, form = rest.partition(".")
    # A name that ends with a dot is complete: no search domain is added, so only the longest form is a Service's.
    complete = reference.name.endswith(".")
    forms = ("svc.cluster.local",) if complete else ("", "svc", "svc.cluster.local")
    if form in forms:
        if service := snapshot.service(namespace, name):
            return Resolved(service=service, typed=reference.typed)
        gap = snapshot.gap("services", namespace)
        if gap and (namespace in snapshot.namespaces or snapshot.gap("namespaces", namespace)):
            raise NetpolError(
                f'can\'t look up Service "{name}" in namespace {namespace}: {gap.message}',
                f"for a host outside the cluster add a dot: {reference.name}.",
            )
    if form.partition(".")[0] == "svc":
        names = _names(snapshot, namespace, ("Service",))
        raise _not_found(f'no Service "{name}"', name, names, namespace)
    of_service, _, form_of_pod = form.partition(".")
    place = of_service or beside or reference.namespace
    if form_of_pod in forms and (service := snapshot.service(place, namespace)):
        return _of_headless(snapshot, reference, service, name)
    if form_of_pod.partition(".")[0] == "svc":
        raise _not_found(f'no Service "{namespace}"', namespace, _names(snapshot, place, ("Service",)), place)
    if not form and not complete and (namespace in snapshot.namespaces or rest == "default"):
        raise NetpolError(
            f'no Service "{name}" in namespace {namespace}',
            f"for a host outside the cluster add a dot: {reference.name}.",
        )
    if not re.fullmatch(_HOST, reference.name) or reference.name.rstrip(".").rpartition(".")[2].isdecimal():
        hint = "write the port as a separate argument" if ":" in reference.name else None
        raise UsageError(f'"{reference.name}" is neither an address nor a host name', hint)
    return Resolved(host=reference.name, typed=reference.typed)


def _of_headless(snapshot: Snapshot, reference: Reference, service: Service, host: str) -> Resolved:
    """The pod of POD.SERVICE[.NAMESPACE…], by its name or by its address with dashes."""
    if not service.headless:
        hint = f"ask for it by its name: {service.namespace}/pod/{host}"
        raise NetpolError(f"Service {service.key} is not headless, so its pods have no names in DNS", hint)
    pods = snapshot.selected_by_service(service)
    addresses = [host.replace("-", by) for by in ".:" if is_ip(host.replace("-", by))]
    for pod in pods:
        if pod.name == host or any(is_among(address, pod.ips) for address in addresses):
            return Resolved(pod=pod, typed=reference.typed)
    if replica := _REPLICA.fullmatch(host):
        there = (service.namespace, replica[1], "StatefulSet")
        for workload in snapshot.workloads:
            if (workload.namespace, workload.name, workload.kind) == there and workload.template in pods:
                return _of_workload(snapshot, reference, workload)
    names = {pod.name for pod in pods}
    raise _not_found(f'no pod "{host}" of Service {service.name}', host, names, service.namespace)


def _of_workload(snapshot: Snapshot, reference: Reference, workload: Workload) -> Resolved:
    pod = representative(pods_of(snapshot, workload))
    if pod is None:
        raise NetpolError(
            f"{workload.kind} {workload.namespace}/{workload.name} has no pods now", "scale it up, or name a pod"
        )
    others = tuple(other for other in workload.replicas if other is not pod) if pod.planned else ()
    return Resolved(pod=pod, workload=workload, typed=reference.typed, others=others)


def _of_kind(snapshot: Snapshot, reference: Reference, kind: str) -> Resolved | None:
    if kind == "Pod":
        pod = snapshot.pod(reference.namespace, reference.name)
        # A template has the name of its workload; the replicas that policies tell apart have their own.
        named = pod and not (snapshot.is_template(pod) and _names(snapshot, pod.namespace, WORKLOADS) >= {pod.name})
        return Resolved(pod=pod, typed=reference.typed) if named else None
    if kind == "Service":
        service = snapshot.service(reference.namespace, reference.name)
        return Resolved(service=service, typed=reference.typed) if service else None
    node = snapshot.node(reference.name)
    return Resolved(node=node, typed=reference.typed) if node else None


def _at_address(snapshot: Snapshot, reference: Reference, address: str) -> Resolved:
    if pod := snapshot.pod_at(address):
        return Resolved(pod=pod, address=address, typed=reference.typed)
    return Resolved(node=snapshot.node_at(address), address=address, typed=reference.typed)


def _resolved(snapshot: Snapshot, reference: Reference, role: Role, beside: str | None = None) -> Resolved:
    if found := look_up(snapshot, reference, role, beside):
        return found
    kinds = (reference.kind,) if reference.kind else role.value
    what = reference.kind or ("Service, pod or workload" if "Service" in kinds else "pod or workload")
    names = _names(snapshot, reference.namespace, kinds)
    namespace = None if reference.kind == "Node" else reference.namespace
    if namespace and beside not in (None, namespace):
        there = reference._replace(namespace=beside or "")
        if look_up(snapshot, there, role):
            place = f"{beside}/{KINDS[reference.kind].short}" if reference.kind else beside
            hint = f"it is in namespace {beside}: write {place}/{reference.name}"
            raise NetpolError(f'no {what} "{reference.name}" in namespace {namespace}', hint)
    raise _not_found(f'no {what} "{reference.name}"', reference.name, names, namespace)


def _names(snapshot: Snapshot, namespace: str, kinds: tuple[str, ...]) -> set[str]:
    names: set[str] = set()
    if "Node" in kinds:
        names |= {node.name for node in snapshot.nodes}
    if "Pod" in kinds:
        names |= {pod.name for pod in snapshot.pods_in(namespace)}
    if "Service" in kinds:
        names |= {service.name for service in snapshot.services if service.namespace == namespace}
    return names | {w.name for w in snapshot.workloads if w.kind in kinds and w.namespace == namespace}


def _not_found(message: str, name: str, names: Iterable[str], namespace: str | None) -> NetpolError:
    known = sorted(names)
    message = f"{message} in namespace {namespace}" if namespace else message
    if near := nearest(name, known, 0.6):
        return NetpolError(message, f"did you mean {near}?")
    if not known:
        where = f"namespace {namespace} has none: check the namespace" if namespace else "found no nodes"
        return NetpolError(message, where)
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return NetpolError(message, f"found: {', '.join(known[:_MOST_NAMES])}{more}")
