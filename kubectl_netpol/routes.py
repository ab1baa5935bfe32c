"""From what was dialled to the pods and addresses behind it: a Service's port to its endpoints' ports. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.codes import Code
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model import parse_ip
from kubectl_netpol.resolve import selected_by_service
from kubectl_netpol.verdict import Dialled, End, Note

if TYPE_CHECKING:
    from kubectl_netpol.model import Pod, Service, ServicePort, Snapshot
    from kubectl_netpol.resolve import Named


class Route(NamedTuple):
    """One place where the connection may arrive, and its port there."""

    destination: End
    port: int
    dialled: Dialled | None = None


class Request(NamedTuple):
    """One connection asked about. `port` is the one dialled; `address` the one to dial, None where not known.

    `problem`: why there is nothing to decide (no endpoints, no such port, …); then there may be no routes.
    `service` also where its node port or address was typed.
    """

    source: Named
    destination: Named
    protocol: str
    port: int | None
    routes: tuple[Route, ...] = ()
    address: str | None = None
    service: Service | None = None
    service_port: ServicePort | None = None
    problem: Note | None = None


def request(snapshot: Snapshot, source: Named, destination: Named, port: int | str, protocol: str) -> Request:
    """The connection from `source` to `destination` on `port` with every route it may take.

    UsageError for a port name that a pod, node or address does not have.
    """
    asked = Request(source, destination, protocol, port if isinstance(port, int) else None)
    if destination.service:
        return _to_service(snapshot, asked, destination.service, port)
    if destination.host:
        if isinstance(port, str):
            raise UsageError(
                f'"{port}" is a port name, and {destination.host} is outside the cluster', "write the number"
            )
        return asked._replace(routes=(Route(End(), port),))
    if not destination.pod and (rewritten := _at_service_address(snapshot, asked, port)):
        return rewritten
    end = destination.end
    if destination.pod:
        number = _pod_port(destination.pod, port, protocol)
        end = End(pod=destination.pod, address=destination.address or address_for(destination.pod, source.pod))
    elif isinstance(port, str):
        raise UsageError(f'"{port}" is a port name, and {end.title} is no pod', "write the number")
    else:
        number = port
    return asked._replace(port=number, routes=(Route(end, number),), address=end.address)


def _at_service_address(snapshot: Snapshot, asked: Request, port: int | str) -> Request | None:
    """The request where its address is a Service's, or its node and port are a Service's node port."""
    destination = asked.destination
    for service in snapshot.services:
        if destination.address and _has_address(service, destination.address):
            return _to_service(snapshot, asked, service, port, destination.address)
        for service_port in service.ports if destination.node else ():
            if (service_port.node_port, service_port.protocol) == (port, asked.protocol):
                return _to_node_port(snapshot, asked, service, service_port)
    return None


def _pod_port(pod: Pod, port: int | str, protocol: str) -> int:
    if isinstance(port, int):
        return port
    number = pod.port_named(port, protocol)
    if number is None:
        names = ", ".join(entry.name for entry in pod.ports if entry.name and entry.protocol == protocol)
        raise UsageError(
            f'{pod.key} has no {protocol} port named "{port}"', f"it has {names}" if names else "write the number"
        )
    return number


def address_for(pod: Pod, source: Pod | None) -> str | None:
    """The pod's first address of a family that the source has too."""
    if source and source.ips:
        families = {parse_ip(ip).version for ip in source.ips}
        return next((ip for ip in pod.ips if parse_ip(ip).version in families), next(iter(pod.ips), None))
    return next(iter(pod.ips), None)


def _has_address(service: Service, address: str) -> bool:
    return any(parse_ip(own) == parse_ip(address) for own in (*service.cluster_ips, *service.addresses))


def _to_service(
    snapshot: Snapshot, asked: Request, service: Service, port: int | str, address: str | None = None
) -> Request:
    asked = asked._replace(service=service, address=address)
    if service.external_name:
        message = f"Service {service.key} is only another name for {service.external_name}"
        return asked._replace(problem=Note(Code.EXTERNAL_NAME, message))
    wanted = [p for p in service.ports if p.protocol == asked.protocol and port in (p.number, p.name)]
    if not wanted and service.headless and isinstance(port, int):
        return _to_headless(snapshot, asked, service, port)
    if not wanted:
        return asked._replace(problem=_no_such_port(service, port, asked.protocol))
    service_port = wanted[0]
    asked = asked._replace(service_port=service_port, port=service_port.number)
    if service.headless and isinstance(port, int):
        return _to_headless(snapshot, asked, service, port)
    cluster_ip = address or _cluster_ip(service, asked.source.pod)
    outside = cluster_ip is not None and cluster_ip in service.addresses and cluster_ip not in service.cluster_ips
    dialled = Dialled(cluster_ip, service_port.number, outside) if cluster_ip else None
    if service.headless:
        dialled = None
    routed = _with_routes(snapshot, asked._replace(address=cluster_ip), service, service_port, dialled)
    if service.headless and routed.routes:
        return routed._replace(address=routed.routes[0].destination.address, port=routed.routes[0].port)
    return routed


def _to_node_port(snapshot: Snapshot, asked: Request, service: Service, service_port: ServicePort) -> Request:
    address = asked.destination.end.address
    if address is None or asked.port is None:
        return asked
    dialled = Dialled(address, asked.port, source_rewritten=True)
    asked = asked._replace(service=service, service_port=service_port, address=address)
    return _with_routes(snapshot, asked, service, service_port, dialled)


def _to_headless(snapshot: Snapshot, asked: Request, service: Service, port: int) -> Request:
    """A headless Service maps nothing: its name means the pods, and the port dialled is the port on the pod."""
    pods, problem = _endpoints(snapshot, service)
    if problem:
        return asked._replace(problem=problem)
    routes = tuple(Route(End(pod=pod, address=address_for(pod, asked.source.pod)), port) for pod in pods)
    if not routes:
        ends = [end for end, _ in _slice_endpoints(snapshot, service, None)]
        routes = tuple(Route(end, port) for end in ends)
    if not routes:
        return asked._replace(problem=_no_endpoints(snapshot, service))
    return asked._replace(routes=routes, address=routes[0].destination.address)


def _with_routes(
    snapshot: Snapshot, asked: Request, service: Service, service_port: ServicePort, dialled: Dialled | None
) -> Request:
    pods, problem = _endpoints(snapshot, service)
    if problem:
        return asked._replace(problem=problem)
    routes = []
    for pod in pods:
        target = service_port.target
        number = pod.port_named(target, asked.protocol) if isinstance(target, str) else target
        if number is not None:
            routes.append(Route(End(pod=pod, address=_endpoint_address(pod, asked, dialled)), number, dialled))
    if service.selector is None:
        routes = [Route(end, number, dialled) for end, number in _slice_endpoints(snapshot, service, service_port)]
    if not routes:
        return asked._replace(problem=_no_endpoints(snapshot, service, service_port))
    return asked._replace(routes=tuple(routes))


def _endpoint_address(pod: Pod, asked: Request, dialled: Dialled | None) -> str | None:
    """The endpoint of the family that was dialled."""
    if dialled:
        version = parse_ip(dialled.address).version
        return next((ip for ip in pod.ips if parse_ip(ip).version == version), next(iter(pod.ips), None))
    return address_for(pod, asked.source.pod)


def _endpoints(snapshot: Snapshot, service: Service) -> tuple[tuple[Pod, ...], Note | None]:
    """The pods that take a Service's traffic, or why they can't be told."""
    resource = "pods" if service.selector else "endpointslices"
    if gap := snapshot.gap(resource, service.namespace):
        return (), Note(Code.PERMISSION_MISSING, gap.message)
    pods = selected_by_service(snapshot, service)
    return tuple(pod for pod in pods if (pod.ready or service.publish_not_ready) and (pod.ips or pod.planned)), None


def _slice_endpoints(snapshot: Snapshot, service: Service, service_port: ServicePort | None) -> list[tuple[End, int]]:
    """The ready endpoints of a Service without selector, by address; a pod's address is that pod."""
    found = []
    for entry in snapshot.endpoint_slices:
        if (entry.namespace, entry.service) != (service.namespace, service.name):
            continue
        numbers = [
            number
            for name, number, protocol in entry.ports
            if service_port is None or (name, protocol) == (service_port.name or "", service_port.protocol)
        ]
        for endpoint in entry.endpoints:
            for address in endpoint.addresses[:1] if endpoint.ready else ():
                end = End(address=address)
                if pod := snapshot.pod_at(address):
                    end = End(pod=pod, address=address)
                elif node := snapshot.node_at(address):
                    end = End(node=node, address=address)
                found += [(end, number) for number in numbers[:1]]
    return found


def _cluster_ip(service: Service, source: Pod | None) -> str | None:
    if source and source.ips:
        families = {parse_ip(ip).version for ip in source.ips}
        for ip in service.cluster_ips:
            if parse_ip(ip).version in families:
                return ip
    return next(iter(service.cluster_ips), None)


def _no_such_port(service: Service, port: int | str, protocol: str) -> Note:
    ports = ", ".join(f"{f'{p.name} ' if p.name else ''}{p.number}/{p.protocol}" for p in service.ports) or "none"
    return Note(Code.SERVICE_HAS_NO_SUCH_PORT, f"Service {service.key} has no port {port}/{protocol}; it has {ports}")


def _no_endpoints(snapshot: Snapshot, service: Service, service_port: ServicePort | None = None) -> Note:
    pods = selected_by_service(snapshot, service)
    if service.selector is None:
        why = "it has no selector and no ready EndpointSlice"
    elif not pods:
        why = "its selector selects no pod"
    elif service_port and isinstance(service_port.target, str) and any(pod.ready for pod in pods):
        why = f'no pod it selects has a port named "{service_port.target}"'
    else:
        why = f"none of the {len(pods)} pods it selects is ready"
    return Note(Code.SERVICE_HAS_NO_ENDPOINTS, f"Service {service.key} has no ready endpoints: {why}")
