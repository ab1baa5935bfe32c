"""A NetworkPolicy object to the model, checked as the API server checks it; selectors and labels of other kinds too.

`policyTypes` left out, rule lists absent, null or empty, and empty against absent selectors are told apart here.
"""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, sequence, shown, text
from kubectl_netpol.model.addresses import is_cidr, parse_network
from kubectl_netpol.model.names import is_port_name
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange
from kubectl_netpol.policies.meta import Object, last_change, read_protocol, read_selector


def read_policy(item: Object, metadata: Object, namespace: str, name: str) -> Policy:
    """A networking.k8s.io/v1 NetworkPolicy; BadField for what the API server would refuse."""
    known_fields(item, "the object", ("apiVersion", "kind", "metadata", "spec", "status"))
    spec = mapping(item.get("spec"), "spec")
    known_fields(spec, "spec", ("podSelector", "policyTypes", "ingress", "egress"))
    rules = tuple(
        _rule(rule, direction, index)
        for direction in Direction
        for index, rule in enumerate(sequence(spec.get(direction.field), f"spec.{direction.field}"))
    )
    return Policy(
        namespace,
        name,
        read_selector(spec.get("podSelector"), "spec.podSelector"),
        _directions(spec.get("policyTypes"), rules),
        rules,
        last_change(metadata),
    )


def _directions(value: Any, rules: tuple[Rule, ...]) -> tuple[Direction, ...]:
    """policyTypes; where it is left out, Ingress always and Egress only where there are egress rules (API default)."""
    words = sequence(value, "spec.policyTypes")
    if not words:
        egress = any(rule.direction is Direction.EGRESS for rule in rules)
        return (Direction.INGRESS, Direction.EGRESS) if egress else (Direction.INGRESS,)
    for index, word in enumerate(words):
        if word not in ("Ingress", "Egress"):
            raise BadField(f"spec.policyTypes[{index}]", f"{shown(word)} is neither Ingress nor Egress")
    return tuple(direction for direction in Direction if direction.value in words)


def _rule(value: Any, direction: Direction, index: int) -> Rule:
    path = f"spec.{direction.field}[{index}]"
    if value is None:
        raise BadField(path, "the rule is null", "write {} for a rule that allows everything")
    rule = mapping(value, path)
    known_fields(rule, path, (direction.peers_field, "ports"))
    peers_path = f"{path}.{direction.peers_field}"
    return Rule(
        direction,
        index,
        tuple(
            _peer(p, f"{peers_path}[{i}]") for i, p in enumerate(sequence(rule.get(direction.peers_field), peers_path))
        ),
        tuple(_port(p, f"{path}.ports[{i}]") for i, p in enumerate(sequence(rule.get("ports"), f"{path}.ports"))),
    )


def _peer(value: Any, path: str) -> Peer:
    peer = mapping(value, path)
    known_fields(peer, path, ("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock")
    if block is not None:
        if pods is not None or namespaces is not None:
            raise BadField(path, "ipBlock stands alone in its item", "put the selector into an item of its own")
        return Peer(ip_block=_ip_block(block, f"{path}.ipBlock"))
    if pods is None and namespaces is None:
        raise BadField(path, "the peer names nothing", "podSelector: {} means all pods of the policy's namespace")
    return Peer(
        None if namespaces is None else read_selector(namespaces, f"{path}.namespaceSelector"),
        None if pods is None else read_selector(pods, f"{path}.podSelector"),
    )


def _ip_block(value: Any, path: str) -> IPBlock:
    block = mapping(value, path)
    known_fields(block, path, ("cidr", "except"))
    cidr = _cidr(block.get("cidr"), f"{path}.cidr")
    excepted = []
    for index, entry in enumerate(sequence(block.get("except"), f"{path}.except")):
        at = f"{path}.except[{index}]"
        inner, outer = parse_network(_cidr(entry, at)), parse_network(cidr)
        if inner.version != outer.version or inner == outer or not inner.subnet_of(outer):  # type: ignore[arg-type] # same version by then
            raise BadField(
                at, f"{entry} does not lie inside {cidr}", "each except belongs into the block that holds it"
            )
        excepted.append(entry)
    return IPBlock(cidr, tuple(excepted))


def _cidr(value: Any, path: str) -> str:
    cidr = text(value, path)
    if not is_cidr(cidr):
        raise BadField(path, f'"{cidr}" is no CIDR', "write an address block such as 10.0.0.0/8")
    return cidr


def _port(value: Any, path: str) -> PortRange | NamedPort:
    item = mapping(value, path)
    known_fields(item, path, ("port", "endPort", "protocol"))
    protocol = read_protocol(item, f"{path}.protocol")
    port, end = item.get("port"), item.get("endPort")
    if isinstance(port, str):
        if end is not None:
            raise BadField(f"{path}.endPort", "endPort needs a port by number")
        if not is_port_name(port):
            hint = f"write {port} without quotes" if port.isdecimal() else None
            raise BadField(f"{path}.port", f'"{port}" is no port name', hint)
        return NamedPort(protocol, port)
    if port is None:
        if end is not None:
            raise BadField(f"{path}.endPort", "endPort needs a port")
        return PortRange(protocol)
    first = _port_number(port, f"{path}.port")
    last = first if end is None else _port_number(end, f"{path}.endPort")
    if last < first:
        raise BadField(f"{path}.endPort", f"{last} is less than port {first}")
    return PortRange(protocol, first, last)


def _port_number(value: Any, path: str) -> int:
    number = integer(value, path)
    if not 1 <= number <= LAST_PORT:
        raise BadField(path, f"{number} is no port: 1 to {LAST_PORT}")
    return number
