"""Peers of rules for pods and addresses: label selectors for pods, an ipBlock for each other address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.label_choice import choose_labels
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.addresses import parse_ip
from kubectl_netpol.model.policies import IPBlock, Peer
from kubectl_netpol.model.selectors import LabelSelector, in_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.connection.routes import Route
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


def addresses_of(resolved: Resolved) -> tuple[str, ...]:
    """The addresses from which an end connects: a host-network pod's are its node's."""
    if resolved.pod:
        return resolved.pod.host_ips or resolved.pod.ips
    if resolved.node:
        return resolved.node.addresses or tuple(filter(None, [resolved.address]))
    return tuple(filter(None, [resolved.address]))


def route_addresses(route: Route) -> tuple[str, ...]:
    """The addresses at which a route ends: a host-network pod's are its node's."""
    end = route.destination
    if end.pod and end.pod.host_ips:
        return end.pod.host_ips
    return tuple(filter(None, [end.address])) or (end.node.addresses if end.node else ())


def block_peers(title: str, addresses: Iterable[str], notes: list[str]) -> tuple[Peer, ...]:
    """One peer per address. NetpolError where there is none; a note where `title` is not the address itself."""
    peers = tuple(Peer(ip_block=IPBlock(f"{ip}/{ip.max_prefixlen}")) for ip in map(parse_ip, addresses))
    if not peers:
        raise NetpolError(f"the address of {title} is unknown, and an ipBlock needs one")
    if any(title != str(ip) for ip in map(parse_ip, addresses)):
        notes.append(f"{title} is matched by address, which may change: no selector can match it")
    return peers


def pod_peer(selector: LabelSelector, own: str, namespace: str) -> Peer:
    """The peer for pods of namespace `own` in a policy of `namespace`."""
    return Peer(None if own == namespace else in_namespace(own), selector)


def selector_for(snapshot: Snapshot, pods: Sequence[Pod], resolved: Resolved, notes: list[str]) -> LabelSelector:
    """`choose_labels`, its note added to `notes`."""
    choice = choose_labels(snapshot, pods, resolved)
    notes += [choice.note] if choice.note else []
    return choice.selector


def unique_pods(pods: Iterable[Pod | None]) -> list[Pod]:
    return list({pod.identity: pod for pod in pods if pod}.values())
