"""From verdicts to the least policies that turn them into allowed: whose labels, which ports, which direction. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.cluster_dns import DnsRule, cluster_dns
from kubectl_netpol.allow.names import under_names
from kubectl_netpol.allow.peers import addresses_of, block_peers, pod_peer, route_addresses, selector_for, unique_pods
from kubectl_netpol.allow.policy import policy
from kubectl_netpol.connection.dns import resolvers_blocked
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request, Route
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class AllowOptions(NamedTuple):
    """How the policies are wanted. `forced`: directions to write whether they are missing or not."""

    named_port: bool = False
    forced: tuple[Direction, ...] = ()
    dns: bool | None = None
    name: str | None = None


class MinimalPolicies(NamedTuple):
    """The policies, the source's side first, and what a person should know of how they were chosen.

    `dns`: the rule to the resolvers, as (policy key, direction, position), or None.
    """

    policies: tuple[Policy, ...]
    notes: tuple[str, ...] = ()
    dns: tuple[str, Direction, int] | None = None


def minimal_policies(snapshot: Snapshot, predictions: Sequence[Prediction], wish: AllowOptions) -> MinimalPolicies:
    """The policies that the verdicts (one end each, on some ports) are missing; none where nothing is.

    NetpolError where no policy can do it.
    """
    asked = [prediction.request for prediction in predictions]
    _check(asked)
    notes: list[str] = []
    found: list[Policy] = []
    incoming, outgoing = (_missing(predictions, way, wish) for way in (Direction.INGRESS, Direction.EGRESS))
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
    return MinimalPolicies(named, tuple(dict.fromkeys(notes)), at)


def _missing(predictions: Sequence[Prediction], direction: Direction, wish: AllowOptions) -> list[Request]:
    """The requests that a direction does not let through, or all of them where that direction is wanted anyway."""
    if direction in wish.forced:
        return [prediction.request for prediction in predictions]
    return [
        prediction.request
        for prediction in predictions
        if any(
            side.verdict is not Verdict.ALLOWED and side.isolated_by
            for route in prediction.routes
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


def _ingress(snapshot: Snapshot, asked: Sequence[Request], wish: AllowOptions, notes: list[str]) -> Policy | None:
    """The policy at the destination."""
    routes = [route for one in asked for route in one.routes]
    pods = unique_pods(route.destination.pod for route in routes)
    notes += [
        f"a policy does not apply to {pod.key}: it runs in its node's network" for pod in pods if pod.host_network
    ]
    subjects = [pod for pod in pods if not pod.host_network]
    if not subjects:
        return None
    selector = selector_for(snapshot, subjects, asked[0].destination, notes)
    namespace = subjects[0].namespace
    peers = _source_peers(snapshot, asked[0].source, namespace, notes)
    rule = Rule(Direction.INGRESS, 0, peers, _ports(asked, wish))
    return policy(namespace, Direction.INGRESS, selector, [rule])


def _source_peers(snapshot: Snapshot, source: Resolved, namespace: str, notes: list[str]) -> tuple[Peer, ...]:
    pod = source.pod
    if pod is None or pod.host_network:
        return block_peers(source.end.title, addresses_of(source), notes)
    return (pod_peer(selector_for(snapshot, [pod], source, notes), pod.namespace, namespace),)


def _egress(snapshot: Snapshot, source: Pod, rules: Sequence[Rule], notes: list[str]) -> Policy | None:
    """The policy at the source."""
    if not rules:
        return None
    selector = selector_for(snapshot, [source], Resolved(pod=source), notes)
    return policy(source.namespace, Direction.EGRESS, selector, rules)


def _egress_rule(snapshot: Snapshot, asked: Sequence[Request], wish: AllowOptions, notes: list[str]) -> Rule:
    routes = [route for one in asked for route in one.routes]
    source = asked[0].source.pod
    pods = [pod for pod in unique_pods(route.destination.pod for route in routes) if not pod.host_network]
    peers: list[Peer] = []
    if pods:
        selector = selector_for(snapshot, pods, asked[0].destination, notes)
        peers.append(pod_peer(selector, pods[0].namespace, source.namespace if source else ""))
    for route in routes:
        if not route.destination.pod or route.destination.pod.host_network:
            peers += block_peers(route.destination.title, route_addresses(route), notes)
    return Rule(Direction.EGRESS, 0, tuple(dict.fromkeys(peers)), _ports(asked, wish))


def _ports(asked: Sequence[Request], wish: AllowOptions) -> tuple[PortRange | NamedPort, ...]:
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


def _dns_wanted(
    snapshot: Snapshot, asked: Sequence[Request], wish: AllowOptions, egress: Policy | None, notes: list[str]
) -> DnsRule | None:
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
