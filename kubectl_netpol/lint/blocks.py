"""Findings about addresses: blocks that hold pods, nodes in except, and rules that are open to the world."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.phrases import count, names_text, where_text
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.lint.finding import Finding, Severity, found
from kubectl_netpol.model.addresses import is_among, parse_network
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import NamedPort

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context, PodClass
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import IPBlock, Policy, Rule

_OUTSIDE = {4: "203.0.113.77", 6: "2001:db8:77::77"}
_METADATA = "169.254.0.0/16"


def blocks_with_pods(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """An ipBlock that holds the addresses of pods; not one that holds every address."""
    if context.snapshot.plugin:
        return  # what blocks match is known there
    for index, peer in enumerate(rule.peers):
        block = peer.ip_block
        if block is None or parse_network(block.cidr).prefixlen == 0:
            continue
        pods = _pods_in(context, block)
        if not pods:
            continue
        where = where_text(rule, index)
        network = parse_network(block.cidr)
        single = network.prefixlen == network.max_prefixlen
        names = names_text(pods, 3)
        what = f"is the address of {names}" if single else f"holds {count(len(pods), 'pod')} ({names})"
        then = "it gets another one when it is replaced" if single else "not every plugin applies ipBlock to pods"
        message = f"{policy.name} {where}: {block.cidr} {what}: {then}"
        severity = Severity.WARNING if single else Severity.INFO
        fix = "select pods by their labels"
        yield found(Code.BLOCK_HOLDS_PODS, severity, policy, f"spec.{where}", message, fix=fix)


def _pods_in(context: Context, block: IPBlock) -> list[str]:
    """The keys of the pods with an address of their own in the block."""
    if block not in context.in_block:
        listed = context.addresses(parse_network(block.cidr).version)
        first, last = _between(listed, block.cidr)
        pods: dict[int, Pod] = {}
        for start, end in (*sorted(_between(listed, cidr) for cidr in block.except_), (last, last)):
            pods.update((id(pod), pod) for _, pod in listed[first:start])
            first = max(first, end)
        context.in_block[block] = [pod.key for pod in pods.values()]
    return context.in_block[block]


def _between(listed: list[tuple[int, Pod]], cidr: str) -> tuple[int, int]:
    """Where the addresses of the block begin and end in the list."""
    network = parse_network(cidr)
    first = bisect_left(listed, int(network.network_address), key=itemgetter(0))
    return first, bisect_right(listed, int(network.broadcast_address), key=itemgetter(0))


def nodes_in_except(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """A single address in except that is a node's, or one that something on each node answers for."""
    for index, peer in enumerate(rule.peers):
        for number, cidr in enumerate(peer.ip_block.except_ if peer.ip_block else ()):
            network = parse_network(cidr)
            if network.prefixlen != network.max_prefixlen:
                continue
            address = str(network.network_address)
            where = where_text(rule, index)
            nodes = [node.name for node in context.snapshot.nodes if is_among(address, node.addresses)]
            if nodes:
                what = f"is node {nodes[0]}: its own pods reach it all the same with most plugins"
            elif network.subnet_of(parse_network(_METADATA)) if network.version == 4 else False:  # type: ignore[arg-type] # noqa: PLR2004 - the same version
                what = "may be answered by a process on the pod's own node, which most plugins always let it reach"
            else:
                continue
            message = f"{policy.name} {where}: {address} {what}"
            path = f"spec.{where}.ipBlock.except[{number}]"
            fix = "don't rely on it: shut it on the node itself"
            yield found(Code.HOST_ADDRESS_IN_EXCEPT, Severity.WARNING, policy, path, message, fix=fix)


def open_to_world(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """An ingress rule for every address on a port that nothing publishes; by the engine's verdict."""
    if rule.direction is not Direction.INGRESS:
        return
    families = _world(rule)
    if not families:
        return
    for one in context.selected(policy):
        port = _open_port(context, one, rule, families)
        if port:
            where = where_text(rule)
            ports = "every port" if not rule.ports else f"{port[0]} {port[1]}"
            message = f"{policy.name} {where} opens {one.pod.key} to the world on {ports}, and nothing publishes it"
            proof = (f"{_OUTSIDE[families[0]]} is let in on {port[0]} {port[1]}",)
            fix = "name the peers: for pods of all namespaces write namespaceSelector: {}"
            yield found(Code.OPEN_TO_WORLD, Severity.INFO, policy, f"spec.{where}", message, proof=proof, fix=fix)
            return


def _world(rule: Rule) -> list[int]:
    """The address families that the rule lets in from everywhere."""
    if not rule.peers:
        return [4]
    networks = [parse_network(peer.ip_block.cidr) for peer in rule.peers if peer.ip_block]
    return [network.version for network in networks if network.prefixlen == 0]


def _open_port(context: Context, one: PodClass, rule: Rule, families: list[int]) -> tuple[str, int] | None:
    """A port of the rule that is open from outside and not published."""
    pod = one.pod if one.pod.ips else one.pod._replace(planned=True)
    published = _published(context, pod)
    for protocol, port in _ports(rule, pod):
        if (protocol, port) in published:
            continue
        source = End(address=_OUTSIDE[families[0]])
        connection = Connection(source, End(pod=pod, address=next(iter(pod.ips), None)), protocol, port)
        if evaluate(context.snapshot, connection, near=False).verdict is Verdict.ALLOWED:
            return protocol, port
    return None


def _ports(rule: Rule, pod: Pod) -> Iterator[tuple[str, int]]:
    """Those of the rule; of a rule for every port, those that the pod declares."""
    for item in rule.ports:
        if isinstance(item, NamedPort):
            number = pod.port_named(item.name, item.protocol)
            if number is not None and item.protocol:
                yield item.protocol, number
        else:
            yield item.protocol, item.first
    if not rule.ports:
        yield from ((port.protocol, port.number) for port in pod.ports)


def _published(context: Context, pod: Pod) -> set[tuple[str, int]]:
    """The pod's ports that are reached from outside by a Service, or by a port of its node."""
    ports = {(port.protocol, port.number) for port in pod.ports if port.host_port}
    for service in context.public_services(pod.namespace):
        if service.selector and service.selector.matches(pod.labels):
            for port in service.ports:
                number = port.number_on(pod)
                if number is not None:
                    ports.add((port.protocol, number))
    return ports
