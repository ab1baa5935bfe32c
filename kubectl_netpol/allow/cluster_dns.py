"""From verdicts to the least policies that turn them into allowed: whose labels, which ports, which direction. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.allow.peers import block_peers, pod_peer, route_addresses, selector_for, unique_pods
from kubectl_netpol.connection.dns import DNS_PORT, resolvers
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.model.policies import IPBlock, Peer, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

_NODE_LOCAL_DNS = LabelSelector.of({"k8s-app": "node-local-dns"})
_NODE_LOCAL_ADDRESS = "169.254.20.10"


class DnsRule(NamedTuple):
    """The egress rule to the resolvers that a pod really has."""

    rule: Rule
    notes: tuple[str, ...] = ()


def cluster_dns(snapshot: Snapshot, pod: Pod) -> DnsRule | None:
    """The rule to the resolvers that the pod has, by the labels and ports of the pods behind them; None: not known."""
    peers: dict[Peer, None] = {}
    ports: dict[PortRange | NamedPort, None] = {}
    notes: list[str] = []
    for resolver in resolvers(snapshot, pod):
        destination = Resolved(service=resolver.service, address=resolver.address)
        if resolver.address and (behind := snapshot.pod_at(resolver.address)):
            destination = Resolved(pod=behind, address=resolver.address)
        here = Resolved(pod=pod)
        for protocol in ("UDP", "TCP"):
            one = request(snapshot, here, destination, DNS_PORT, protocol)
            ports.update({PortRange(protocol, route.port, route.port): None for route in one.routes})
            pods = [
                found for found in unique_pods(route.destination.pod for route in one.routes) if not found.host_network
            ]
            if pods:
                peers[pod_peer(selector_for(snapshot, pods, destination, notes), pods[0].namespace, pod.namespace)] = (
                    None
                )
            for route in one.routes:
                if not route.destination.pod or route.destination.pod.host_network:
                    peers.update(dict.fromkeys(block_peers(resolver.title, route_addresses(route), notes)))
    local = [one for one in snapshot.pods if one.host_network and _NODE_LOCAL_DNS.matches(one.labels)]
    if local and pod.dns_policy != "None":
        peers[Peer(ip_block=IPBlock(f"{_NODE_LOCAL_ADDRESS}/32"))] = None
        ports.update({PortRange(protocol, DNS_PORT, DNS_PORT): None for protocol in ("UDP", "TCP")})
        notes.append(
            f"a node-local DNS cache runs here: its usual address {_NODE_LOCAL_ADDRESS} is let through as well"
        )
    return DnsRule(dns_rule(peers, tuple(ports)), tuple(notes)) if peers and ports else None
