"""The minimal policies that turn predictions into allowed: which pods, peers, ports and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.cluster_dns import DnsRule, cluster_dns
from kubectl_netpol.allow.peers import addresses_of, block_peers, pod_peer, route_addresses, selector_for, unique_pods
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.allow.policy_names import renamed
from kubectl_netpol.connection.dns import blocked_resolver
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request, Route
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.ports import RulePorts
    from kubectl_netpol.model.snapshot import Snapshot


class AllowOptions(NamedTuple):
    """`forced`: directions that get a policy even where they are allowed. `dns` None: a DNS rule only where needed."""

    named_port: bool = False
    forced: tuple[Direction, ...] = ()
    dns: bool | None = None
    name: str | None = None


class MinimalPolicies(NamedTuple):
    """The policies, the source's side first. `dns`: the DNS rule as (policy key, direction, position), or None."""

    policies: tuple[Policy, ...]
    notes: tuple[str, ...] = ()
    dns: tuple[str, Direction, int] | None = None


def minimal_policies(snapshot: Snapshot, predictions: Sequence[Prediction], options: AllowOptions) -> MinimalPolicies:
    """No policies where everything is allowed. The predictions are for one source and destination, on several ports.

    NetpolError where no policy can allow the connection.
    """
    asked = [prediction.request for prediction in predictions]
    _check_requests(asked)
    notes: list[str] = []
    policies: list[Policy] = []
    incoming, outgoing = (
        _missing(predictions, direction, options) for direction in (Direction.INGRESS, Direction.EGRESS)
    )
    if incoming and (ingress := _ingress(snapshot, incoming, options, notes)):
        policies.append(ingress)
    rules = [_egress_rule(snapshot, outgoing, options, notes)] if outgoing else []
    source, with_dns = asked[0].source.pod, False
    if source and not source.host_network:
        if dns := _needed_dns(snapshot, asked, options, _egress(snapshot, source, rules, notes), notes):
            rules.append(dns.rule)
            with_dns = True
        if egress := _egress(snapshot, source, rules, notes):
            policies.insert(0, egress)
    elif rules:
        notes.append(f"no policy can select {asked[0].source.end.title}: there is no egress policy")
    named = renamed(policies, options.name)
    at = (named[0].key, Direction.EGRESS, len(rules) - 1) if with_dns else None
    return MinimalPolicies(named, tuple(dict.fromkeys(notes)), at)


def _missing(predictions: Sequence[Prediction], direction: Direction, options: AllowOptions) -> list[Request]:
    """The requests that this direction does not allow and a NetworkPolicy may; all of them where it is forced.

    The Baseline tier is not asked about a pod that a NetworkPolicy isolates.
    """
    if direction in options.forced:
        return [prediction.request for prediction in predictions]
    return [
        prediction.request
        for prediction in predictions
        if any(
            side.verdict is not Verdict.ALLOWED
            and (side.isolated_by or any(policy.tier is Tier.BASELINE for policy in side.tiered_by))
            for route in prediction.routes
            for side in (route.egress, route.ingress)
            if side.direction is direction
        )
    ]


def _check_requests(asked: Sequence[Request]) -> None:
    first = asked[0]
    if first.destination.host:
        raise NetpolError(
            f"{first.destination.host} is a host name: a NetworkPolicy can't match hosts",
            "write its address; some network plugins have their own policies for hosts",
        )
    if problem := next((request.problem for request in asked if request.problem and not request.routes), None):
        raise NetpolError(f"nothing to allow: {problem.message}")
    ends = [first.source.end, *(route.destination for route in first.routes)]
    if not any(end.pod and not end.pod.host_network for end in ends):
        raise NetpolError(
            f"a NetworkPolicy applies to neither {ends[0].title} nor {ends[1].title}",
            "policies apply to pods, except those that use the host network",
        )


def _ingress(snapshot: Snapshot, asked: Sequence[Request], options: AllowOptions, notes: list[str]) -> Policy | None:
    """The policy at the destination; None where it applies to no pod there."""
    routes = [route for one in asked for route in one.routes]
    pods = unique_pods(route.destination.pod for route in routes)
    notes += [f"no policy applies to {pod.key}: it uses the host network" for pod in pods if pod.host_network]
    subjects = [pod for pod in pods if not pod.host_network]
    if not subjects:
        return None
    selector = selector_for(snapshot, subjects, asked[0].destination, notes)
    namespace = subjects[0].namespace
    peers = _source_peers(snapshot, asked[0].source, namespace, notes)
    rule = Rule(Direction.INGRESS, 0, peers, _ports(asked, options))
    return make_policy(namespace, Direction.INGRESS, selector, [rule])


def _source_peers(snapshot: Snapshot, source: Resolved, namespace: str, notes: list[str]) -> tuple[Peer, ...]:
    pod = source.pod
    if pod is None or pod.host_network:
        return block_peers(source.end.title, addresses_of(source), notes)
    return (pod_peer(selector_for(snapshot, [pod], source, notes), pod.namespace, namespace),)


def _egress(snapshot: Snapshot, source: Pod, rules: Sequence[Rule], notes: list[str]) -> Policy | None:
    if not rules:
        return None
    selector = selector_for(snapshot, [source], Resolved(pod=source), notes)
    return make_policy(source.namespace, Direction.EGRESS, selector, rules)


def _egress_rule(snapshot: Snapshot, asked: Sequence[Request], options: AllowOptions, notes: list[str]) -> Rule:
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
    return Rule(Direction.EGRESS, 0, tuple(dict.fromkeys(peers)), _ports(asked, options))


def _ports(asked: Sequence[Request], options: AllowOptions) -> RulePorts:
    """The ports on the pods, after a Service has mapped them."""
    ports: dict[PortRange | NamedPort, None] = {}
    for one in asked:
        for route in one.routes:
            item: PortRange | NamedPort = PortRange(one.protocol, route.port, route.port)
            if options.named_port:
                item = NamedPort(one.protocol, _port_name(one, route))
            ports[item] = None
    return tuple(ports)


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
            f"port {route.port}/{one.protocol} of {route.destination.title} has no name", "drop --named-port"
        )
    return names[0]


def _needed_dns(
    snapshot: Snapshot, asked: Sequence[Request], options: AllowOptions, egress: Policy | None, notes: list[str]
) -> DnsRule | None:
    """The DNS rule where a name must be resolved and isolation of the source would prevent it.

    That is also by the new policy `egress`, and not what the ingress of the resolver blocks.
    """
    source = asked[0].source.pod
    by_name = any(one.destination.service and not one.destination.address for one in asked)
    if source is None or options.dns is False or not (options.dns or by_name):
        return None
    after = snapshot.with_policies([*snapshot.evaluated, *([egress] if egress else [])])
    blocked = blocked_resolver(after, source)
    if not (options.dns and egress) and not (blocked and blocked.by_egress):
        return None
    dns = cluster_dns(snapshot, source)
    if dns is None:
        notes.append(f"no resolver of {source.key} was read: there is no DNS rule")
        return None
    notes.extend(dns.notes)
    return dns
