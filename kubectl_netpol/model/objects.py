"""The cluster as frozen values in the API's own words; knows nothing of YAML, files or the API server.

NamedTuples rather than dataclasses: immutable too, quicker to make by the ten thousand, and `allow` starts
8 ms sooner without importing `dataclasses` (and `inspect` behind it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_netpol.model.selectors import LabelSelector

FINISHED = ("Succeeded", "Failed")


class Namespace(NamedTuple):
    """A namespace. `complete` is False where only kubernetes.io/metadata.name, which the API server sets, is known."""

    name: str
    labels: Mapping[str, str]
    complete: bool = True

    def selected_by(self, selector: LabelSelector) -> bool | None:
        """Whether the selector matches; None where that depends on labels that are not known."""
        unknown = False
        for requirement in selector.requirements:
            if not self.complete and requirement.key not in self.labels:
                unknown = True
            elif not requirement.matches(self.labels):
                return False
        return None if unknown else True


class ContainerPort(NamedTuple):
    """spec.containers[].ports[]: information for people, and the numbers behind port names."""

    name: str | None
    number: int
    protocol: str = "TCP"
    host_port: int | None = None


class Owner(NamedTuple):
    """metadata.ownerReferences[] with controller: true."""

    kind: str
    name: str


class Container(NamedTuple):
    """A container by name; `running` is None where no status tells."""

    name: str
    image: str
    running: bool | None = None
    ephemeral: bool = False


class Pod(NamedTuple):
    """A pod, or what a workload's template will make (`planned`: no status, so no address and no phase).

    `changed` is when the object last changed: the latest time in its metadata, RFC 3339 in UTC, or None.
    `nameservers` are spec.dnsConfig.nameservers.
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

    @property
    def key(self) -> str:
        """The pod as "namespace/name"."""
        return f"{self.namespace}/{self.name}"

    @property
    def identity(self) -> tuple[str, str, Owner | None]:
        """What tells pods apart: the templates of two workloads, and a pod, may have one name."""
        return self.namespace, self.name, self.owner

    @property
    def finished(self) -> bool:
        """Whether all its containers have ended for good: such a pod has no address and no policy in force."""
        return self.phase in FINISHED

    def port_named(self, name: str, protocol: str) -> int | None:
        """The number behind a port name on this pod, or None."""
        for port in self.ports:
            if port.name == name and port.protocol == protocol:
                return port.number
        return None


class Workload(NamedTuple):
    """An object that makes pods: its selector (None where it has none, as a CronJob) and the pod its template means.

    `scaled_down`: spec.replicas is 0, so it makes none now.
    """

    kind: str
    namespace: str
    name: str
    selector: LabelSelector | None
    template: Pod
    scaled_down: bool = False


class Node(NamedTuple):
    """A node and all its addresses (status.addresses that are addresses, not names)."""

    name: str
    addresses: tuple[str, ...] = ()


class ServicePort(NamedTuple):
    """spec.ports[] of a Service; `target` is targetPort, a number or the name of a container port."""

    name: str | None
    number: int
    target: int | str
    protocol: str = "TCP"
    node_port: int | None = None

    def number_on(self, pod: Pod) -> int | None:
        """The port of the pod that it leads to; None where the pod has no port of the target's name."""
        return pod.port_named(self.target, self.protocol) if isinstance(self.target, str) else self.target


class Service(NamedTuple):
    """A Service. `selector` None: its endpoints are in EndpointSlices that someone else writes.

    `addresses` are its load balancer's and its externalIPs; `headless` is clusterIP None.
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

    @property
    def key(self) -> str:
        """The Service as "namespace/name"."""
        return f"{self.namespace}/{self.name}"


class SliceEndpoint(NamedTuple):
    """endpoints[] of an EndpointSlice; `pod` is the targetRef's name where it is a pod."""

    addresses: tuple[str, ...]
    ready: bool = True
    pod: str | None = None


class EndpointSlice(NamedTuple):
    """discovery.k8s.io/v1 EndpointSlice of the Service `service`; ports are (name or "", number, protocol)."""

    namespace: str
    service: str
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[tuple[str, int, str], ...] = ()
