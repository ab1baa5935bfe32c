"""Findings about ways that rules miss: replies, clients behind a node, the API server, the DNS cache of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.connection.dns import DNS_PORT, resolvers_blocked
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import isolating_policies
from kubectl_netpol.engine.phrases import names_text, where_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.lint.finding import Finding, Severity, found
from kubectl_netpol.model.addresses import parse_network
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context, PodClass
    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.policies import Policy, Rule

_FIRST_CLIENT_PORT, _LAST_CLIENT_PORT = 32768, 60999  # that Linux gives to the client's end of a connection
_PRIVILEGED = 1024
_NODE_CACHE = "169.254.20.10"  # of NodeLocal DNSCache, and the label of its pods, as its manifest has them
_CACHE_LABEL = ("k8s-app", "node-local-dns")
_API_SERVER = ("default", "kubernetes")


def opens_replies(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """An ingress rule for all ports that clients get, of which no selected pod declares one."""
    if rule.direction is not Direction.INGRESS:
        return
    declared = [port for one in context.selected(policy) for port in (*one.pod.ports, *one.pod.init_ports)]
    for index, item in enumerate(rule.ports):
        if not isinstance(item, PortRange) or item.first < _PRIVILEGED:
            continue
        if item.first > _FIRST_CLIENT_PORT or item.last < _LAST_CLIENT_PORT:
            continue
        if any(
            port.protocol == item.protocol and _FIRST_CLIENT_PORT <= port.number <= _LAST_CLIENT_PORT
            for port in declared
        ):
            continue
        where = where_text(rule)
        span = f"{item.protocol} {item.first}-{item.last}"
        message = (
            f"{policy.name} {where}: {span} are ports of clients: replies need no rule, and this lets others connect"
        )
        fix = "remove the ports, if they were meant for replies"
        yield found(Code.OPENS_REPLIES, Severity.INFO, policy, f"spec.{where}.ports[{index}]", message, fix=fix)


def clients_behind_nodes(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """A block of outside addresses, for pods behind a Service whose clients a node may stand in for."""
    blocks = [(index, peer.ip_block) for index, peer in enumerate(rule.peers) if peer.ip_block]
    if rule.direction is not Direction.INGRESS or len(blocks) < len(rule.peers):
        return
    networks = [parse_network(block.cidr) for _, block in blocks]
    nodes = [address for node in context.snapshot.nodes for address in node.addresses]
    if any(network.prefixlen == 0 for network in networks) or any(
        block.contains(address) for _, block in blocks for address in nodes
    ):
        return
    for service in context.public_services(policy.namespace) if blocks else ():
        pods = [one.pod for one in context.selected(policy) if _forwards(service, one.pod, rule)]
        if pods and not service.local:
            index, block = blocks[0]
            where = where_text(rule, index)
            message = (
                f"{policy.name} {where}: clients in {block.cidr} that come by Service {service.name} may have a node's "
                "address by then"
            )
            proof = (f"Service {service.key} is a {service.type} with externalTrafficPolicy Cluster",)
            fix = f"set externalTrafficPolicy: Local on Service {service.name}, or let the nodes' addresses in"
            path = f"spec.{where}.ipBlock.cidr"
            yield found(Code.CLIENTS_BEHIND_NODES, Severity.INFO, policy, path, message, proof=proof, fix=fix)
            return


def _forwards(service: Service, pod: Pod, rule: Rule) -> bool:
    """Whether the Service forwards to a port of this pod that the rule is about."""
    if service.selector is None or not service.selector.matches(pod.labels):
        return False
    forwarded = [(port.protocol, number) for port in service.ports if (number := port.number_on(pod)) is not None]
    return any(not rule.ports or _covers(rule, pod, protocol, number) for protocol, number in forwarded)


def _covers(rule: Rule, pod: Pod, protocol: str, number: int) -> bool:
    return any(
        item.first <= number <= item.last and item.protocol == protocol
        if isinstance(item, PortRange)
        else pod.port_named(item.name, protocol) == number
        for item in rule.ports
    )


def shut_off(context: Context, namespace: str) -> Iterator[Finding]:
    """Pods whose egress isolation leaves them no way to the API server, or to the DNS cache of their node."""
    groups: dict[object, list[PodClass]] = {}
    for one in context.classes_in(namespace):
        isolating = isolating_policies(context.snapshot, one.pod, Direction.EGRESS)
        if isolating and not one.pod.host_network:
            groups.setdefault((tuple(map(id, isolating)), one.pod.service_account), []).append(one)
    api_server, cached = context.snapshot.service(*_API_SERVER), _node_cache(context)
    for classes in groups.values():
        pod = classes[0].pod
        policy = isolating_policies(context.snapshot, pod, Direction.EGRESS)[0]
        if api_server and pod.service_account not in (None, "", "default"):
            yield from _without_api_server(context, policy, pod, api_server)
        if cached and not resolvers_blocked(context.snapshot, pod):
            yield from _without_cache(context, policy, pod, cached)


def _without_api_server(context: Context, policy: Policy, pod: Pod, service: Service) -> Iterator[Finding]:
    for port in service.ports[:1]:
        if _verdict(context, pod, Resolved(service=service), port.number, port.protocol) is Verdict.BLOCKED:
            message = (
                f"{policy.name} leaves {pod.name} no way to the API server ({service.key} port {port.number}), for "
                f"which pods have accounts such as its {pod.service_account}"
            )
            allow = f"kubectl netpol allow {pod.name} {service.key} {port.number} -n {pod.namespace}"
            proof = (f"isolated for egress by {_names(context, pod)}",)
            fix = f"if it asks the API server: {allow}"
            yield found(Code.NO_WAY_TO_API_SERVER, Severity.INFO, policy, "spec.egress", message, proof=proof, fix=fix)


def _node_cache(context: Context) -> Pod | None:
    """A pod of the DNS cache that runs on each node."""
    key, value = _CACHE_LABEL
    return next((pod for pod in context.snapshot.pods if pod.host_network and pod.labels.get(key) == value), None)


def _without_cache(context: Context, policy: Policy, pod: Pod, cache: Pod) -> Iterator[Finding]:
    if _verdict(context, pod, Resolved(address=_NODE_CACHE), DNS_PORT, "UDP") is Verdict.ALLOWED:
        return
    message = (
        f"{policy.name} lets {pod.name} ask the cluster's DNS, and not the cache of its node at {_NODE_CACHE}, "
        "which no selector matches"
    )
    proof = (f"{cache.key} runs on the host network", f"isolated for egress by {_names(context, pod)}")
    fix = f"add the peer ipBlock: {{cidr: {_NODE_CACHE}/32}} to the rule for port 53"
    yield found(Code.NODE_DNS_CACHE, Severity.INFO, policy, "spec.egress", message, proof=proof, fix=fix)


def _names(context: Context, pod: Pod) -> str:
    return names_text([policy.name for policy in isolating_policies(context.snapshot, pod, Direction.EGRESS)])


def _verdict(context: Context, pod: Pod, destination: Resolved, port: int, protocol: str) -> Verdict:
    asked = request(context.snapshot, Resolved(pod=pod), destination, port, protocol)
    return predict(context.snapshot, asked).egress.verdict
