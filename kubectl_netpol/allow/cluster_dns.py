"""The egress rule to the resolvers that a pod uses, by the Services and pods behind them."""

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
    rule: Rule
    notes: tuple[str, ...] = ()


def cluster_dns(snapshot: Snapshot, pod: Pod) -> DnsRule | None:
    """None where the snapshot has no resolver of the pod. Its ports are those of the resolver pods."""
    peers: dict[Peer, None] = {}
    ports: dict[PortRange | NamedPort, None] = {}
    notes: list[str] = []
    source = Resolved(pod=pod)
    for resolver in resolvers(snapshot, pod):
        destination = Resolved(service=resolver.service, address=resolver.address)
        if resolver.address and (behind := snapshot.pod_at(resolver.address)):
            destination = Resolved(pod=behind, address=resolver.address)
        for protocol in ("UDP", "TCP"):
            routes = request(snapshot, source, destination, DNS_PORT, protocol).routes
            ports.update({PortRange(protocol, route.port, route.port): None for route in routes})
            pods = [one for one in unique_pods(route.destination.pod for route in routes) if not one.host_network]
            if pods:
                selector = selector_for(snapshot, pods, destination, notes)
                peers[pod_peer(selector, pods[0].namespace, pod.namespace)] = None
            for route in routes:
                if not route.destination.pod or route.destination.pod.host_network:
                    peers.update(dict.fromkeys(block_peers(resolver.title, route_addresses(route), notes)))
    node_local = [one for one in snapshot.pods if one.host_network and _NODE_LOCAL_DNS.matches(one.labels)]
    if node_local and pod.dns_policy != "None":
        peers[Peer(ip_block=IPBlock(f"{_NODE_LOCAL_ADDRESS}/32"))] = None
        ports.update({PortRange(protocol, DNS_PORT, DNS_PORT): None for protocol in ("UDP", "TCP")})
        notes.append(f"a node-local DNS cache runs here: its usual address {_NODE_LOCAL_ADDRESS} is allowed too")
    return DnsRule(dns_rule(peers, tuple(ports)), tuple(dict.fromkeys(notes))) if peers and ports else None
