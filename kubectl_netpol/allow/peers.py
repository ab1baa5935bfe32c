"""From verdicts to the least policies that turn them into allowed: whose labels, which ports, which direction. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.pod_labels import choose_labels
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


def addresses_of(named: Resolved) -> tuple[str, ...]:
    if named.pod:
        return named.pod.host_ips or named.pod.ips
    if named.node:
        return named.node.addresses or tuple(filter(None, [named.address]))
    return tuple(filter(None, [named.address]))


def block_peers(title: str, addresses: Iterable[str], notes: list[str]) -> tuple[Peer, ...]:
    found = tuple(Peer(ip_block=IPBlock(f"{ip}/{ip.max_prefixlen}")) for ip in map(parse_ip, addresses))
    if not found:
        raise NetpolError(f"the address of {title} is not known, and a rule for it needs one")
    if any(title != str(ip) for ip in map(parse_ip, addresses)):
        notes.append(f"{title} is named by address, which may change: no selector can name it")
    return found


def pod_peer(selector: LabelSelector, own: str, namespace: str) -> Peer:
    return Peer(None if own == namespace else in_namespace(own), selector)


def route_addresses(route: Route) -> tuple[str, ...]:
    end = route.destination
    if end.pod and end.pod.host_ips:
        return end.pod.host_ips
    return tuple(filter(None, [end.address])) or (end.node.addresses if end.node else ())


def unique_pods(pods: Iterable[Pod | None]) -> list[Pod]:
    return list({pod.key: pod for pod in pods if pod}.values())


def selector_for(snapshot: Snapshot, pods: Sequence[Pod], named: Resolved, notes: list[str]) -> LabelSelector:
    choice = choose_labels(snapshot, pods, named)
    notes += [choice.note] if choice.note else []
    return choice.selector
