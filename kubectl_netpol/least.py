"""From verdicts to the least policies that turn them into allowed: whose labels, which ports, which direction. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.addresses import parse_ip
from kubectl_netpol.dns import DNS_PORT, resolvers, resolvers_blocked
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.generate import dns_rule, in_namespace, policy, under_names
from kubectl_netpol.model import Direction, IPBlock, LabelSelector, NamedPort, Peer, PortRange, Rule
from kubectl_netpol.resolve import Named, Reference
from kubectl_netpol.routes import request
from kubectl_netpol.selection import choose
from kubectl_netpol.verdict import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.judge import Verdict
    from kubectl_netpol.model import Pod, Policy
    from kubectl_netpol.routes import Request, Route
    from kubectl_netpol.snapshot import Snapshot

_NODE_LOCAL_DNS = LabelSelector.of({"k8s-app": "node-local-dns"})
_NODE_LOCAL_ADDRESS = "169.254.20.10"


class Wish(NamedTuple):
    """How the policies are wanted. `forced`: directions to write whether they are missing or not."""

    named_port: bool = False
    forced: tuple[Direction, ...] = ()
    dns: bool | None = None
    name: str | None = None


class Least(NamedTuple):
    """The policies, the source's side first, and what a person should know of how they were chosen.

    `dns`: the rule to the resolvers, as (policy key, direction, position), or None.
    """

    policies: tuple[Policy, ...]
    notes: tuple[str, ...] = ()
    dns: tuple[str, Direction, int] | None = None


class Dns(NamedTuple):
    """The egress rule to the resolvers that a pod really has."""

    rule: Rule
    notes: tuple[str, ...] = ()


def least(snapshot: Snapshot, verdicts: Sequence[Verdict], wish: Wish) -> Least:
    """The policies that the verdicts (one end each, on some ports) are missing; none where nothing is.

    NetpolError where no policy can do it.
    """
    asked = [verdict.request for verdict in verdicts]
    _check(asked)
    notes: list[str] = []
    found: list[Policy] = []
    incoming, outgoing = (_missing(verdicts, way, wish) for way in (Direction.INGRESS, Direction.EGRESS))
    if incoming and (ingress := _ingress(snapshot, incoming, wish, notes)):
        found.append(ingress)
    rules = [_egress_rule(snapshot, outgoing, wish, notes)] if outgoing else []
    source, with_dns = asked[0].source.pod, False
    if source and not source.host_network:
        if dns := _dns_wanted(snapshot, asked, wish, _egress(snapshot, source, rules, notes), notes):
            rules.append(dns.rule)
            with_dns = True
        if egress := _egress(snapshot, source, rules, notes):
            found.insert(0, egress)
    elif rules:
        notes.append(f"{asked[0].source.end.title} is no pod that a policy could select: nothing is written for egress")
    named = under_names(found, wish.name)
    at = (named[0].key, Direction.EGRESS, len(rules) - 1) if with_dns else None
    return Least(named, tuple(dict.fromkeys(notes)), at)


def _missing(verdicts: Sequence[Verdict], direction: Direction, wish: Wish) -> list[Request]:
    """The requests that a direction does not let through, or all of them where that direction is wanted anyway."""
    if direction in wish.forced:
        return [verdict.request for verdict in verdicts]
    return [
        verdict.request
        for verdict in verdicts
        if any(
            side.answer is not Answer.ALLOWED and side.isolated_by
            for route in verdict.routes
            for side in (route.egress, route.ingress)
            if side.direction is direction
        )
    ]


def _check(asked: Sequence[Request]) -> None:
    """Refuses what no NetworkPolicy can say."""
    first = asked[0]
    if first.destination.host:
        raise NetpolError(
            f"a NetworkPolicy can't name hosts, and {first.destination.host} is one",
            "write its address; for names some network plugins have policy kinds of their own",
        )
    if problem := next((request.problem for request in asked if request.problem and not request.routes), None):
        raise NetpolError(f"there is nothing to allow: {problem.message}")
    ends = [first.source.end, *(route.destination for route in first.routes)]
    if not any(end.pod and not end.pod.host_network for end in ends):
        raise NetpolError(
            f"neither {ends[0].title} nor {ends[1].title} is a pod that a NetworkPolicy applies to",
            "pods in their node's network and addresses outside are no subjects of policies",
        )


def _ingress(snapshot: Snapshot, asked: Sequence[Request], wish: Wish, notes: list[str]) -> Policy | None:
    """The policy at the destination."""
    routes = [route for one in asked for route in one.routes]
    pods = _unique(route.destination.pod for route in routes)
    notes += [
        f"a policy does not apply to {pod.key}: it runs in its node's network" for pod in pods if pod.host_network
    ]
    subjects = [pod for pod in pods if not pod.host_network]
    if not subjects:
        return None
    selector = _chosen(snapshot, subjects, asked[0].destination, notes)
    namespace = subjects[0].namespace
    peers = _source_peers(snapshot, asked[0].source, namespace, notes)
    rule = Rule(Direction.INGRESS, 0, peers, _ports(asked, wish))
    return policy(namespace, Direction.INGRESS, selector, [rule])


def _source_peers(snapshot: Snapshot, source: Named, namespace: str, notes: list[str]) -> tuple[Peer, ...]:
    pod = source.pod
    if pod is None or pod.host_network:
        return _block_peers(source.end.title, _addresses_of(source), notes)
    return (_pod_peer(_chosen(snapshot, [pod], source, notes), pod.namespace, namespace),)


def _addresses_of(named: Named) -> tuple[str, ...]:
    if named.pod:
        return named.pod.host_ips or named.pod.ips
    if named.node:
        return named.node.addresses or tuple(filter(None, [named.address]))
    return tuple(filter(None, [named.address]))


def _block_peers(title: str, addresses: Iterable[str], notes: list[str]) -> tuple[Peer, ...]:
    found = tuple(Peer(ip_block=IPBlock(f"{ip}/{ip.max_prefixlen}")) for ip in map(parse_ip, addresses))
    if not found:
        raise NetpolError(f"the address of {title} is not known, and a rule for it needs one")
    if any(title != str(ip) for ip in map(parse_ip, addresses)):
        notes.append(f"{title} is named by address, which may change: no selector can name it")
    return found


def _pod_peer(selector: LabelSelector, own: str, namespace: str) -> Peer:
    return Peer(None if own == namespace else in_namespace(own), selector)


def _egress(snapshot: Snapshot, source: Pod, rules: Sequence[Rule], notes: list[str]) -> Policy | None:
    """The policy at the source."""
    if not rules:
        return None
    reference = Reference(source.key, source.namespace, source.name)
    selector = _chosen(snapshot, [source], Named(reference, pod=source), notes)
    return policy(source.namespace, Direction.EGRESS, selector, rules)


def _egress_rule(snapshot: Snapshot, asked: Sequence[Request], wish: Wish, notes: list[str]) -> Rule:
    routes = [route for one in asked for route in one.routes]
    source = asked[0].source.pod
    pods = [pod for pod in _unique(route.destination.pod for route in routes) if not pod.host_network]
    peers: list[Peer] = []
    if pods:
        selector = _chosen(snapshot, pods, asked[0].destination, notes)
        peers.append(_pod_peer(selector, pods[0].namespace, source.namespace if source else ""))
    for route in routes:
        if not route.destination.pod or route.destination.pod.host_network:
            peers += _block_peers(route.destination.title, _route_addresses(route), notes)
    return Rule(Direction.EGRESS, 0, tuple(dict.fromkeys(peers)), _ports(asked, wish))


def _route_addresses(route: Route) -> tuple[str, ...]:
    end = route.destination
    if end.pod and end.pod.host_ips:
        return end.pod.host_ips
    return tuple(filter(None, [end.address])) or (end.node.addresses if end.node else ())


def _ports(asked: Sequence[Request], wish: Wish) -> tuple[PortRange | NamedPort, ...]:
    """The pod's ports: after a Service's mapping."""
    found: dict[PortRange | NamedPort, None] = {}
    for one in asked:
        for route in one.routes:
            item: PortRange | NamedPort = PortRange(one.protocol, route.port, route.port)
            if wish.named_port:
                item = NamedPort(one.protocol, _port_name(one, route))
            found[item] = None
    return tuple(found)


def _port_name(one: Request, route: Route) -> str:
    if one.service_port and isinstance(one.service_port.target, str):
        return one.service_port.target
    pod = route.destination.pod
    names = [
        port.name
        for port in (pod.ports if pod else ())
        if port.name and (port.number, port.protocol) == (route.port, one.protocol)
    ]
    if not names:
        raise UsageError(
            f"{route.destination.title} has no name for port {route.port}/{one.protocol}", "leave --named-port out"
        )
    return names[0]


def _unique(pods: Iterable[Pod | None]) -> list[Pod]:
    return list({pod.key: pod for pod in pods if pod}.values())


def _chosen(snapshot: Snapshot, pods: Sequence[Pod], named: Named, notes: list[str]) -> LabelSelector:
    choice = choose(snapshot, pods, named)
    notes += [choice.note] if choice.note else []
    return choice.selector


def _dns_wanted(
    snapshot: Snapshot, asked: Sequence[Request], wish: Wish, egress: Policy | None, notes: list[str]
) -> Dns | None:
    """The rule for DNS where a name has to be resolved and isolation, this policy's included, would prevent it."""
    source = asked[0].source.pod
    by_name = any(one.destination.service and not one.destination.address for one in asked)
    if source is None or wish.dns is False or not (wish.dns or by_name):
        return None
    after = snapshot.with_policies([*snapshot.policies, *([egress] if egress else [])])
    if not (wish.dns and egress) and not resolvers_blocked(after, source):
        return None
    dns = cluster_dns(snapshot, source)
    if dns is None:
        notes.append(f"the resolver of {source.key} is not in what was read: no rule for DNS is written")
        return None
    notes.extend(dns.notes)
    return dns


def cluster_dns(snapshot: Snapshot, pod: Pod) -> Dns | None:
    """The rule to the resolvers that the pod has, by the labels and ports of the pods behind them; None: not known."""
    peers: dict[Peer, None] = {}
    ports: dict[PortRange | NamedPort, None] = {}
    notes: list[str] = []
    for resolver in resolvers(snapshot, pod):
        reference = Reference(resolver.title, "", resolver.title)
        destination = Named(reference, service=resolver.service, address=resolver.address)
        if resolver.address and (behind := snapshot.pod_at(resolver.address)):
            destination = Named(reference, pod=behind, address=resolver.address)
        here = Named(Reference(pod.name, pod.namespace, pod.name), pod=pod)
        for protocol in ("UDP", "TCP"):
            one = request(snapshot, here, destination, DNS_PORT, protocol)
            ports.update({PortRange(protocol, route.port, route.port): None for route in one.routes})
            pods = [found for found in _unique(route.destination.pod for route in one.routes) if not found.host_network]
            if pods:
                peers[_pod_peer(_chosen(snapshot, pods, destination, notes), pods[0].namespace, pod.namespace)] = None
            for route in one.routes:
                if not route.destination.pod or route.destination.pod.host_network:
                    peers.update(dict.fromkeys(_block_peers(resolver.title, _route_addresses(route), notes)))
    local = [one for one in snapshot.pods if one.host_network and _NODE_LOCAL_DNS.matches(one.labels)]
    if local and pod.dns_policy != "None":
        peers[Peer(ip_block=IPBlock(f"{_NODE_LOCAL_ADDRESS}/32"))] = None
        ports.update({PortRange(protocol, DNS_PORT, DNS_PORT): None for protocol in ("UDP", "TCP")})
        notes.append(
            f"a node-local DNS cache runs here: its usual address {_NODE_LOCAL_ADDRESS} is let through as well"
        )
    return Dns(dns_rule(peers, tuple(ports)), tuple(notes)) if peers and ports else None
