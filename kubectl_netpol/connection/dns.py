"""The DNS resolvers of a pod, if the API shows them, and whether policies block them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.addresses import is_ip

if TYPE_CHECKING:
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


def resolvers_blocked(snapshot: Snapshot, pod: Pod) -> Resolver | None:
    """The pod's first resolver if policies block all of them, else None."""
    found = resolvers(snapshot, pod)
    source = Resolved(pod=pod)
    for resolver in found:
        destination = Resolved(service=resolver.service, address=resolver.address)
        prediction = predict(snapshot, request(snapshot, source, destination, DNS_PORT, "UDP"))
        if prediction.verdict is not Verdict.BLOCKED:
            return None
    return found[0] if found else None
