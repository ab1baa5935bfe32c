"""Routes: from what was dialled to the pods and addresses where it arrives, such as the endpoints of a Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.endpoints import endpoints_of
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Dialled, End, Note
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.addresses import is_among, is_outside, shared_family

if TYPE_CHECKING:
    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.model.objects import Node, Pod, Service, ServicePort
    from kubectl_netpol.model.snapshot import Snapshot

_NUMBER = "write the port number"


class Route(NamedTuple):
    """One endpoint where the connection may arrive, and the port there.

    `source`: the pod that it comes from, where that is not the one of the request.
    """

    destination: End
    port: int
    dialled: Dialled | None = None
    source: Pod | None = None


class Request(NamedTuple):
    """One connection to predict. `port`: the one dialled. `address`: the one to dial, None if it is not known.

    `problem`: why there are no routes (no endpoints, no such port, …).
    `service`: also set if its node port or its address was typed.
    """

    source: Resolved
    destination: Resolved
    protocol: str
    port: int | None
    routes: tuple[Route, ...] = ()
    address: str | None = None
    service: Service | None = None
    service_port: ServicePort | None = None
    problem: Note | None = None


def request(snapshot: Snapshot, source: Resolved, destination: Resolved, port: int | str, protocol: str) -> Request:
    """The connection from `source` to `destination` on `port`, with every route it may take.

    Of a workload whose pods policies tell apart, from and to each of these. UsageError for a port name that the
    destination does not have.
    """
    asked = _request(snapshot, source, destination, port, protocol)
    routes = asked.routes
    if destination.others:
        ends = (End(pod=pod, address=address_for(pod, source.pod)) for pod in destination.others)
        routes += tuple(route._replace(destination=end) for end in ends for route in asked.routes)
    more = tuple(route._replace(source=pod) for pod in source.others for route in routes)
    return asked._replace(routes=(*routes, *more))


def _request(snapshot: Snapshot, source: Resolved, destination: Resolved, port: int | str, protocol: str) -> Request:
    asked = Request(source, destination, protocol, port if isinstance(port, int) else None)
    if destination.service:
        return _to_service(snapshot, asked, destination.service, port)
    if destination.host:
        if isinstance(port, str):
            raise UsageError(f'can\'t look up port name "{port}": {destination.host} is outside the cluster', _NUMBER)
        return asked._replace(routes=(Route(End(), port),))
    if not destination.pod and (rewritten := _at_service_address(snapshot, asked, port)):
        return rewritten
    end = destination.end
    if destination.node:
        end = end._replace(address=_node_address(asked))
    if destination.pod:
        number = _pod_port(destination.pod, port, protocol)
        end = End(pod=destination.pod, address=destination.address or address_for(destination.pod, source.pod))
    elif isinstance(port, str):
        raise UsageError(f'can\'t look up port name "{port}": {end.title} is not a pod', _NUMBER)
    else:
        number = port
    return asked._replace(port=number, routes=(Route(end, number),), address=end.address)


def _at_service_address(snapshot: Snapshot, asked: Request, port: int | str) -> Request | None:
    """The request if its address is a Service's, or its port on a node is a node port or a hostPort; else None.

    Of several Services with the same address (externalIPs, a load balancer's) it is the one that has the port. On a
    node's address any other port is the node's own.
    """
    destination = asked.destination
    here = [s for s in snapshot.services if destination.address and _has_address(s, destination.address)]
    fitting = [service for service in here if _ports_of(service, port, asked.protocol)]
    if fitting or (here and not destination.node):
        return _to_service(snapshot, asked, (fitting or here)[0], port, destination.address)
    if destination.node or (destination.address and not _nodes_known(snapshot)):
        for service in snapshot.services:
            for service_port in service.ports:
                if (service_port.node_port, service_port.protocol) == (port, asked.protocol):
                    return _to_node_port(snapshot, asked, service, service_port)
    if destination.node and isinstance(port, int) and (found := _to_host_port(snapshot, asked, destination.node, port)):
        return found
    return _possibly_unread(snapshot, asked, port)


def _possibly_unread(snapshot: Snapshot, asked: Request, port: int | str) -> Request | None:
    """The request without routes if a Service, pod or node that could not be read may receive it; else None."""
    destination = asked.destination
    nodes = None if destination.node else snapshot.gap("nodes", None)
    if nodes and destination.address and not is_outside(destination.address) and _on_nodes(snapshot, port, asked):
        message = f"{destination.address} may be a node's address, where port {port} is forwarded, and {nodes.message}"
        return asked._replace(address=destination.address, problem=Note(Code.PERMISSION_MISSING, message))
    gap = snapshot.gap("services", None) or (snapshot.gap("pods", None) if destination.node else None)
    outside = destination.address and is_outside(destination.address) and _nodes_known(snapshot)
    if gap is None or outside or not (destination.node or destination.address):
        return None
    what = "be a pod's hostPort" if gap.resource == "pods" else "belong to a Service"
    message = f"port {port} of {destination.end.title} may {what}, and {gap.message}"
    return asked._replace(address=destination.end.address, problem=Note(Code.PERMISSION_MISSING, message))


def _on_nodes(snapshot: Snapshot, port: int | str, asked: Request) -> bool:
    """Whether nodes forward this port: a node port, a hostPort or a port of a pod on the host network."""
    wanted = port, asked.protocol
    return any((p.node_port, p.protocol) == wanted for service in snapshot.services for p in service.ports) or any(
        (entry.number if pod.host_network else entry.host_port, entry.protocol) == wanted
        for pod in snapshot.pods
        for entry in pod.ports
    )


def _node_address(asked: Request) -> str | None:
    """The address typed, or the node's first one of a family that the source has."""
    node = asked.destination.node
    return asked.destination.address or _reachable_from(node.addresses if node else (), asked.source.pod)


def _nodes_known(snapshot: Snapshot) -> bool:
    return bool(snapshot.nodes) or any(pod.host_ips for pod in snapshot.pods)


def _to_host_port(snapshot: Snapshot, asked: Request, node: Node, port: int) -> Request | None:
    """The request if a pod on this node has the port: as a hostPort, which the node forwards to the container's port,
    or in the host network, where the API leaves open whether policies see the pod or the node.
    """
    address = _node_address(asked)
    for pod in snapshot.pods:
        if pod.node != node.name or pod.finished:
            continue
        for entry in pod.ports:
            if pod.host_network:
                if (entry.number, entry.protocol) == (port, asked.protocol):
                    return asked._replace(address=address, routes=(Route(End(pod=pod, address=address), port),))
            elif (entry.host_port, entry.protocol) == (port, asked.protocol) and entry.listens_at(address):
                dialled = Dialled(address, port, source_rewritten=True)
                end = End(pod=pod, address=shared_family(pod.ips, (address,) if address else ()))
                return asked._replace(address=address, routes=(Route(end, entry.number, dialled),))
    return None


def _pod_port(pod: Pod, port: int | str, protocol: str) -> int:
    if isinstance(port, int):
        return port
    number = pod.port_named(port, protocol)
    if number is None:
        names = ", ".join(entry.name for entry in pod.ports if entry.name and entry.protocol == protocol)
        raise UsageError(f'{pod.key} has no {protocol} port named "{port}"', f"found: {names}" if names else _NUMBER)
    return number


def address_for(pod: Pod, source: Pod | None) -> str | None:
    """The pod's first address of a family that the source has; without one, its first address."""
    return _reachable_from(pod.ips, source)


def _reachable_from(addresses: tuple[str, ...], source: Pod | None) -> str | None:
    return shared_family(addresses, source.ips if source else ())


def _has_address(service: Service, address: str) -> bool:
    return is_among(address, (*service.cluster_ips, *service.addresses))


def _ports_of(service: Service, port: int | str, protocol: str) -> list[ServicePort]:
    return [entry for entry in service.ports if entry.protocol == protocol and port in (entry.number, entry.name)]


def _to_service(
    snapshot: Snapshot, asked: Request, service: Service, port: int | str, address: str | None = None
) -> Request:
    asked = asked._replace(service=service, address=address)
    if service.external_name:
        message = f"Service {service.key} is an alias of {service.external_name} (type ExternalName)"
        return asked._replace(problem=Note(Code.EXTERNAL_NAME, message))
    wanted = _ports_of(service, port, asked.protocol)
    if not wanted and service.headless and isinstance(port, int):
        return _to_headless(snapshot, asked, service, port)
    if not wanted:
        return asked._replace(problem=_no_such_port(service, port, asked.protocol))
    service_port = wanted[0]
    asked = asked._replace(service_port=service_port, port=service_port.number)
    if service.headless and isinstance(port, int):
        return _to_headless(snapshot, asked, service, port)
    cluster_ip = address or _reachable_from(service.cluster_ips, asked.source.pod)
    rewritten = cluster_ip is not None and not is_among(cluster_ip, service.cluster_ips)
    # From outside the cluster, a node forwards to the Service and puts its own address in as the source.
    from_outside = not asked.source.pod and not asked.source.node
    dialled = None if service.headless else _from_outside(asked, service, cluster_ip, service_port.number)
    if dialled and not (rewritten or from_outside):
        dialled = Dialled(cluster_ip, service_port.number)
    routed = _with_routes(snapshot, asked._replace(address=cluster_ip), service, service_port, dialled)
    if service.headless and routed.routes:
        return routed._replace(address=routed.routes[0].destination.address, port=routed.routes[0].port)
    if service.local_inside and not (service.headless or rewritten or from_outside):
        node = asked.source.pod.node if asked.source.pod else asked.source.node.name if asked.source.node else ""
        return _on_node(routed, service, node, "internalTrafficPolicy")
    return routed


def _to_node_port(snapshot: Snapshot, asked: Request, service: Service, service_port: ServicePort) -> Request:
    address = _node_address(asked)
    dialled = _from_outside(asked, service, address, service_port.node_port or service_port.number)
    asked = asked._replace(service=service, service_port=service_port, address=address)
    routed = _with_routes(snapshot, asked, service, service_port, dialled)
    node = asked.destination.node
    if dialled.policy != "Local" or node is None:
        return routed
    return _on_node(routed, service, node.name, "externalTrafficPolicy")


def _on_node(routed: Request, service: Service, node: str | None, field: str) -> Request:
    """The routes to endpoints on this node alone, as far as it is known where they are."""
    pods = [route.destination.pod for route in routed.routes]
    if not node or not pods or not all(pod and pod.node for pod in pods):
        return routed
    here = tuple(route for route, pod in zip(routed.routes, pods, strict=True) if pod and pod.node == node)
    if here:
        return routed._replace(routes=here)
    message = f"Service {service.key} has {field}: Local, and no endpoint on node {node}"
    return routed._replace(routes=(), problem=Note(Code.SERVICE_HAS_NO_ENDPOINTS, message))


def _from_outside(asked: Request, service: Service, address: str | None, port: int) -> Dialled:
    outside = not asked.source.pod and not asked.source.node
    if outside:
        return Dialled(address, port, source_rewritten=True, policy="Local" if service.local else "Cluster")
    return Dialled(address, port, source_rewritten=True)


def _to_headless(snapshot: Snapshot, asked: Request, service: Service, port: int) -> Request:
    """A headless Service has no address: its name resolves to its pods, and the port dialled is the pods' own."""
    ends, problem = endpoints_of(snapshot, service, port, address=None, source=asked.source.pod)
    if problem:
        return asked._replace(problem=problem)
    return asked._replace(routes=tuple(Route(end, port) for end, _ in ends), address=ends[0][0].address)


def _with_routes(
    snapshot: Snapshot, asked: Request, service: Service, service_port: ServicePort, dialled: Dialled | None
) -> Request:
    address = dialled.address if dialled else None
    ends, problem = endpoints_of(snapshot, service, service_port, address=address, source=asked.source.pod)
    if problem:
        return asked._replace(problem=problem)
    return asked._replace(routes=tuple(Route(end, number, dialled) for end, number in ends))


def _no_such_port(service: Service, port: int | str, protocol: str) -> Note:
    ports = ", ".join(f"{f'{p.name} ' if p.name else ''}{p.number}/{p.protocol}" for p in service.ports) or "none"
    message = f"Service {service.key} has no port {port}/{protocol}; it has {ports}"
    if node_port := next(
        (p for p in service.ports if p.node_port and (p.node_port, p.protocol) == (port, protocol)), None
    ):
        message += f"; {port} is the nodePort of {node_port.number}, on the address of a node"
    return Note(Code.SERVICE_HAS_NO_SUCH_PORT, message)
