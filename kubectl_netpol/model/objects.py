"""Namespaces, pods, workloads, nodes, Services and EndpointSlices as frozen values.

NamedTuples rather than dataclasses: immutable too, quicker to make by the ten thousand, and `allow` starts
8 ms sooner without importing `dataclasses` (and `inspect` behind it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.addresses import family, is_among, parse_ip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_netpol.model.selectors import LabelSelector

SERVICE_NAME = "kubernetes.io/service-name"  # the label of an EndpointSlice that says whose it is
FINISHED = ("Succeeded", "Failed")


class Namespace(NamedTuple):
    """`complete` is False if only kubernetes.io/metadata.name is known, the label that the API server sets."""

    name: str
    labels: Mapping[str, str]
    complete: bool = True

    def selected_by(self, selector: LabelSelector) -> bool | None:
        """Whether the selector matches; None if that depends on labels that are not known."""
        unknown = False
        for requirement in selector.requirements:
            if not self.complete and requirement.key not in self.labels:
                unknown = True
            elif not requirement.matches(self.labels):
                return False
        return None if unknown else True


class ContainerPort(NamedTuple):
    """spec.containers[].ports[]. It opens no port: it documents one, gives it a name, or a port of the node.

    `host_ip`: the one of the node's addresses at which the `host_port` is; "": all.
    """

    name: str | None
    number: int
    protocol: str = "TCP"
    host_port: int | None = None
    host_ip: str = ""

    def listens_at(self, address: str | None) -> bool:
        """Whether the node's address (None: not known) is one at which the `host_port` is."""
        if not self.host_ip or address is None:
            return True
        if parse_ip(self.host_ip).is_unspecified:
            return family(self.host_ip) == family(address)
        return is_among(address, (self.host_ip,))


class Owner(NamedTuple):
    """metadata.ownerReferences[] with controller: true."""

    kind: str
    name: str


class Container(NamedTuple):
    """`running` is None without a status."""

    name: str
    image: str
    running: bool | None = None
    ephemeral: bool = False


class Pod(NamedTuple):
    """A pod, or the pod of a workload's template (`planned`: no status, so no address and no phase).

    `changed`: when the object last changed, the latest time in its metadata (RFC 3339, UTC), or None.
    `serving`: it terminates, and is not `ready` for that alone: it counts where nothing is ready (kube-proxy).
    `nameservers`: spec.dnsConfig.nameservers. `init_ports`: of init containers that run to completion.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = {}
    ips: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    node: str | None = None
    host_ips: tuple[str, ...] = ()
    phase: str | None = "Running"
    ready: bool = True
    planned: bool = False
    owner: Owner | None = None
    containers: tuple[Container, ...] = ()
    annotations: Mapping[str, str] = {}
    dns_policy: str = "ClusterFirst"
    nameservers: tuple[str, ...] = ()
    changed: str | None = None
    service_account: str | None = None
    init_ports: tuple[ContainerPort, ...] = ()
    serving: bool = False

    @property
    def key(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    @property
    def identity(self) -> tuple[str, str, Owner | None]:
        """Unique, unlike the name: a pod and the templates of two workloads can share one."""
        return self.namespace, self.name, self.owner

    @property
    def finished(self) -> bool:
        """Whether all its containers have ended for good: then it has no address, and no policy applies to it."""
        return self.phase in FINISHED

    def port_named(self, name: str, protocol: str | None) -> int | None:
        """The number of the port of that name and protocol (None: of any), or None."""
        for port in self.ports:
            if port.name == name and protocol in (None, port.protocol):
                return port.number
        return None


class ServiceAccount(NamedTuple):
    namespace: str
    name: str
    labels: Mapping[str, str]


class Workload(NamedTuple):
    """An object that creates pods. `selector` is None if it has none, like a CronJob's.

    `template`: the pod that its template describes. `scaled_down`: spec.replicas is 0. `replicas`: the pods that
    stand for it where policies tell them apart by labels that its controller adds. `single`: it has one pod at a time.
    """

    kind: str
    namespace: str
    name: str
    selector: LabelSelector | None
    template: Pod
    scaled_down: bool = False
    replicas: tuple[Pod, ...] = ()
    single: bool = False

    @property
    def templates(self) -> tuple[Pod, ...]:
        """The pods that stand for it before it has any."""
        return self.replicas or (self.template,)


class Node(NamedTuple):
    """`addresses`: those of status.addresses that are IP addresses, not names."""

    name: str
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}


class ServicePort(NamedTuple):
    """spec.ports[] of a Service. `target` is its targetPort: a number, or the name of a container port."""

    name: str | None
    number: int
    target: int | str
    protocol: str = "TCP"
    node_port: int | None = None

    def number_on(self, pod: Pod) -> int | None:
        """The port on the pod that traffic is sent to; None if the pod has no port of the target's name."""
        return pod.port_named(self.target, self.protocol) if isinstance(self.target, str) else self.target


class Service(NamedTuple):
    """`selector` None: its endpoints are in EndpointSlices that something else manages.

    `addresses`: those of its load balancer, and its externalIPs. `headless`: its clusterIP is None.
    `local`, `local_inside`: its externalTrafficPolicy and internalTrafficPolicy are Local: a node forwards to its own
    pods alone. `families`: its ipFamilies, 4 and 6; empty if it does not say.
    """

    namespace: str
    name: str
    selector: LabelSelector | None
    ports: tuple[ServicePort, ...] = ()
    type: str = "ClusterIP"
    cluster_ips: tuple[str, ...] = ()
    headless: bool = False
    external_name: str | None = None
    addresses: tuple[str, ...] = ()
    publish_not_ready: bool = False
    labels: Mapping[str, str] = {}
    local: bool = False
    local_inside: bool = False
    families: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"


class SliceEndpoint(NamedTuple):
    """endpoints[] of an EndpointSlice. `pod`: the name in targetRef, if that is a pod. `serving`: as in `Pod`."""

    addresses: tuple[str, ...]
    ready: bool = True
    pod: str | None = None
    serving: bool = False


class EndpointSlice(NamedTuple):
    """A discovery.k8s.io/v1 EndpointSlice. `ports`: (name or "", number, protocol)."""

    namespace: str
    service: str
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[tuple[str, int, str], ...] = ()
