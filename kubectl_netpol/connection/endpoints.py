"""Which endpoints receive what is sent to a Service, and why none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import End, Note
from kubectl_netpol.model.addresses import family, is_among, shared_family
from kubectl_netpol.model.objects import SERVICE_NAME
from kubectl_netpol.model.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from kubectl_netpol.model.objects import EndpointSlice, Pod, Service, ServicePort, SliceEndpoint
    from kubectl_netpol.model.snapshot import Snapshot


class Endpoints(NamedTuple):
    """Where traffic for a Service arrives, and the port there; or why there is nothing. Each once."""

    ends: tuple[tuple[End, int], ...] = ()
    problem: Note | None = None


def endpoints_of(
    snapshot: Snapshot, service: Service, port: ServicePort | int, *, address: str | None, source: Pod | None
) -> Endpoints:
    """`port`: the Service's, or that of the pods, which a headless one has by any number.

    `address`: the one dialled, whose family the endpoints have, unless a load balancer is there, which may translate;
    None: not known, or the name of a headless Service. `source`: the pod that dials.
    """
    resource = "pods" if service.selector else "endpointslices"
    selector = service.selector or LabelSelector.of({SERVICE_NAME: service.name})
    if gap := snapshot.gap(resource, service.namespace, selector):
        return Endpoints(problem=Note(Code.PERMISSION_MISSING, gap.message))
    like = (address,) if address else source.ips if source else ()
    if address and not is_among(address, service.addresses):
        families: tuple[int, ...] = (family(address),)
    else:
        families = service.families if address else _by_name(snapshot, service, set(map(family, like)))
    found: Endpoints | str
    if service.selector is None:
        found = _of_slices(snapshot, service, port, families)
    else:
        found = _of_pods(snapshot, service, port, families, like)
    if isinstance(found, Endpoints):
        return found
    message = f"Service {service.key} has no ready endpoints: {found}"
    return Endpoints(problem=Note(Code.SERVICE_HAS_NO_ENDPOINTS, message))


def _by_name(snapshot: Snapshot, service: Service, own: set[int]) -> tuple[int, ...]:
    """The address families of the answers that a source with these can use, if there are any; (): any."""
    if service.families or not service.headless:
        return tuple(one for one in service.families if one in own) or service.families
    there = {family(ip) for pod in snapshot.selected_by_service(service) for ip in pod.ips}
    return tuple(sorted(own & there))


def _of_pods(
    snapshot: Snapshot, service: Service, port: ServicePort | int, families: Collection[int], like: Sequence[str]
) -> Endpoints | str:
    pods = snapshot.selected_by_service(service)
    if not pods:
        return "its selector selects no pod"
    having = [pod for pod in pods if pod.planned or _in(families, pod.ips)]
    alive = [pod for pod in having if pod.ready or service.publish_not_ready or (pod.serving and not service.headless)]
    numbered = [(pod, port if isinstance(port, int) else port.number_on(pod)) for pod in alive]
    fitting = [(pod, number) for pod, number in numbered if number is not None]
    ready = [found for found in fitting if found[0].ready or service.publish_not_ready] or fitting
    if ready:
        return Endpoints(tuple((End(pod=p, address=shared_family(_in(families, p.ips), like)), n) for p, n in ready))
    if alive and not isinstance(port, int):
        return f'no pod it selects has a port named "{port.target}"'
    if not having and any(pod.ready for pod in pods):
        return f"no pod it selects has an {_families_text(families)} address"
    return f"none of the {len(pods)} pods it selects is ready" if len(pods) > 1 else "the pod it selects is not ready"


def _in(families: Collection[int], addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(one for one in addresses if not families or family(one) in families)


def _families_text(families: Collection[int]) -> str:
    return " or ".join(f"IPv{one}" for one in families)


def _of_slices(
    snapshot: Snapshot, service: Service, port: ServicePort | int, families: Collection[int]
) -> Endpoints | str:
    """Of a Service without selector: the endpoints that something else manages. A slice has those of one family."""
    slices = [s for s in snapshot.endpoint_slices if (s.namespace, s.service) == (service.namespace, service.name)]
    here = [entry for entry in slices if any(_in(families, one.addresses) for one in entry.endpoints)]
    fitting = [(entry, _number_in(entry, port)) for entry in here]
    listed = [(entry, one, number) for entry, number in fitting if number is not None for one in entry.endpoints]
    ready = [found for found in listed if found[1].ready]
    if not ready and not service.headless:
        ready = [found for found in listed if found[1].serving]
    ends = [(end, number) for entry, one, number in ready for end in _ends_at(snapshot, entry, one)]
    if ends:
        return Endpoints(tuple(end for index, end in enumerate(ends) if end not in ends[:index]))
    if not here and _any_ready(slices):
        return f"no EndpointSlice of it has {_families_text(families)} addresses"
    if not listed and not isinstance(port, int) and _any_ready(here):
        return (
            f"no EndpointSlice of it has its port {f'{port.name} ' if port.name else ''}{port.number}/{port.protocol}"
        )
    return "it has no selector and no ready EndpointSlice"


def _any_ready(slices: Iterable[EndpointSlice]) -> bool:
    return any(one.ready for entry in slices for one in entry.endpoints)


def _number_in(entry: EndpointSlice, port: ServicePort | int) -> int | None:
    """By the port's name, as kube-proxy looks it up."""
    if isinstance(port, int):
        return port
    wanted = (port.name or "", port.protocol)
    return next((number for name, number, protocol in entry.ports if (name, protocol) == wanted), None)


def _ends_at(snapshot: Snapshot, entry: EndpointSlice, endpoint: SliceEndpoint) -> Iterator[End]:
    """The endpoint as the pod or the node that has its first address, the only one that counts."""
    for address in endpoint.addresses[:1]:
        named = snapshot.pod(entry.namespace, endpoint.pod) if endpoint.pod else None
        if named and is_among(address, named.ips):
            yield End(pod=named, address=address)
        elif pod := snapshot.pod_at(address):
            yield End(pod=pod, address=address)
        else:
            yield End(node=snapshot.node_at(address), address=address)
