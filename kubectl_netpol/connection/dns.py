"""The DNS resolvers of a pod, if the API shows them, and whether policies block them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.layers import layers_of
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.snapshot import Snapshot

DNS_PORT = 53
NAMESPACES = ("kube-system", "openshift-dns")
_SERVICES = (("kube-system", "kube-dns"), ("openshift-dns", "dns-default"), ("kube-system", "coredns"))


class Resolver(NamedTuple):
    """A Service of the cluster, or an address (from spec.dnsConfig, such as a node-local cache)."""

    service: Service | None = None
    address: str | None = None

    @property
    def title(self) -> str:
        return f"Service {self.service.key}" if self.service else str(self.address)

    @property
    def port_title(self) -> str:
        return f"{self.title} port {DNS_PORT}/UDP"

    def allow_arguments(self, source: str) -> list[str]:
        """The arguments of `kubectl netpol allow` that open it to the source."""
        return [source, self.service.key if self.service else str(self.address), str(DNS_PORT), "--protocol", "udp"]


def resolvers(snapshot: Snapshot, pod: Pod) -> tuple[Resolver, ...]:
    """None if the API does not show them: with dnsPolicy Default they are in a file on the node."""
    if pod.dns_policy == "None":
        return tuple(Resolver(address=address) for address in pod.nameservers if is_ip(address))
    if pod.dns_policy == "Default" or (pod.host_network and pod.dns_policy != "ClusterFirstWithHostNet"):
        return ()
    for namespace, name in _SERVICES:
        if service := snapshot.service(namespace, name):
            return (Resolver(service=service),)
    return ()


class BlockedResolver(NamedTuple):
    """A resolver that policies block, and the prediction that says so."""

    resolver: Resolver
    prediction: Prediction

    @property
    def by_egress(self) -> bool:
        """Whether the pod's own egress blocks it; else what lets no one in is at the resolver."""
        return Direction.EGRESS in self.prediction.blocked_at


def blocked_resolver(snapshot: Snapshot, pod: Pod) -> BlockedResolver | None:
    """The first one if policies block all of them, else None; of several one that the pod's egress blocks."""
    found = []
    for resolver in resolvers(snapshot, pod):
        prediction = predict(snapshot, _request(snapshot, pod, resolver))
        if prediction.verdict is not Verdict.BLOCKED:
            return None
        found.append(BlockedResolver(resolver, prediction))
    return next((blocked for blocked in found if blocked.by_egress), found[0]) if found else None


def resolvers_blocked(snapshot: Snapshot, pod: Pod) -> Resolver | None:
    blocked = blocked_resolver(snapshot, pod)
    return blocked.resolver if blocked else None


def resolvers_guarded(snapshot: Snapshot, pod: Pod) -> bool:
    """Whether policies have a say on who reaches the pods behind one of its resolvers."""
    ends = (
        route.destination.pod
        for resolver in resolvers(snapshot, pod)
        for route in _request(snapshot, pod, resolver).routes
    )
    return any(end and layers_of(snapshot, end, Direction.INGRESS) for end in ends)


def _request(snapshot: Snapshot, pod: Pod, resolver: Resolver) -> Request:
    behind = snapshot.pod_at(resolver.address) if resolver.address else None
    destination = Resolved(service=resolver.service, pod=behind, address=resolver.address)
    return request(snapshot, Resolved(pod=pod), destination, DNS_PORT, "UDP")
