"""Reads a networking.k8s.io/v1 NetworkPolicy, validated like in the API server.

Meanings that must stay distinct: `policyTypes` left out or given, a rule list that is absent or has an empty rule,
a selector that is absent or empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, sequence, shown, text
from kubectl_netpol.model.addresses import is_cidr, parse_network
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange
from kubectl_netpol.model.validation import is_port_name
from kubectl_netpol.policies.meta import last_change, read_protocol, read_selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_netpol.policies.meta import Object


def read_policy(item: Object, metadata: Object, namespace: str, name: str, *, lenient: bool = False) -> Policy:
    """BadField for what the API server would refuse.

    `lenient`: a peer that can't be read may be anyone, and so may those of a rule that can't.
    """
    known_fields(item, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    spec = mapping(item.get("spec"), "spec")
    known_fields(spec, "spec", ("podSelector", "policyTypes", "ingress", "egress"))
    rules = tuple(
        (_lenient_rule if lenient else _rule)(rule, direction, index)
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
    """policyTypes; the API's default is Ingress, and Egress if there are egress rules."""
    types = sequence(value, "spec.policyTypes")
    if not types:
        egress = any(rule.direction is Direction.EGRESS for rule in rules)
        return (Direction.INGRESS, Direction.EGRESS) if egress else (Direction.INGRESS,)
    if len(types) > len(Direction):
        raise BadField("spec.policyTypes", f"at most {len(Direction)} are allowed, got {len(types)}")
    for index, name in enumerate(types):
        if name not in ("Ingress", "Egress"):
            raise BadField(f"spec.policyTypes[{index}]", f"must be Ingress or Egress, got {shown(name)}")
    return tuple(direction for direction in Direction if direction.value in types)


def _lenient_rule(value: Any, direction: Direction, index: int) -> Rule:
    """Where its ports can't be read, its peers say whom it may be about."""
    try:
        return _rule(value, direction, index, _lenient_peer)
    except BadField as error:
        try:
            peers = _rule({**value, "ports": None}, direction, index, _lenient_peer).peers
        except (BadField, TypeError):
            peers = ()
        unread = str(error)
        return Rule(
            direction, index, tuple(peer._replace(unreadable=unread) for peer in peers) or (Peer(unreadable=unread),)
        )


def _lenient_peer(value: Any, path: str) -> Peer:
    try:
        return _peer(value, path)
    except BadField as error:
        return Peer(unreadable=str(error))


def _rule(value: Any, direction: Direction, index: int, read_peer: Callable[[Any, str], Peer] | None = None) -> Rule:
    path = f"spec.{direction.field}[{index}]"
    rule = mapping(value, path)
    known_fields(rule, path, (direction.peers_field, "ports"))
    peers_path = f"{path}.{direction.peers_field}"
    return Rule(
        direction,
        index,
        tuple(
            (read_peer or _peer)(p, f"{peers_path}[{i}]")
            for i, p in enumerate(sequence(rule.get(direction.peers_field), peers_path))
        ),
        tuple(_port(p, f"{path}.ports[{i}]") for i, p in enumerate(sequence(rule.get("ports"), f"{path}.ports"))),
    )


def _peer(value: Any, path: str) -> Peer:
    peer = mapping(value, path)
    known_fields(peer, path, ("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock")
    if block is not None:
        if pods is not None or namespaces is not None:
            raise BadField(
                path,
                "ipBlock can't be combined with podSelector or namespaceSelector",
                "write ipBlock and the selectors as separate peers",
            )
        return Peer(ip_block=_ip_block(block, f"{path}.ipBlock"))
    if pods is None and namespaces is None:
        raise BadField(path, "the peer is empty", "for all pods of the policy's namespace write podSelector: {}")
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
                at, f"{entry} is not a strict subset of {cidr}", "list each except under the CIDR that contains it"
            )
        excepted.append(entry)
    return IPBlock(cidr, tuple(excepted))


def _cidr(value: Any, path: str) -> str:
    cidr = text(value, path)
    if not is_cidr(cidr):
        raise BadField(path, f'invalid CIDR "{cidr}"', "write an address range such as 10.0.0.0/8")
    return cidr


def _port(value: Any, path: str) -> PortRange | NamedPort:
    item = mapping(value, path)
    known_fields(item, path, ("port", "endPort", "protocol"))
    protocol = read_protocol(item, f"{path}.protocol")
    port, end = item.get("port"), item.get("endPort")
    if isinstance(port, str):
        if end is not None:
            raise BadField(f"{path}.endPort", "requires a port by number")
        if not is_port_name(port):
            hint = f"write {port} without quotes" if port.isdecimal() else "a port name is 1-15 of a-z 0-9 -"
            raise BadField(f"{path}.port", f'invalid port name "{port}"', hint)
        return NamedPort(protocol, port)
    if port is None:
        if end is not None:
            raise BadField(f"{path}.endPort", "requires a port")
        return PortRange(protocol)
    first = _port_number(port, f"{path}.port")
    last = first if end is None else _port_number(end, f"{path}.endPort")
    if last < first:
        raise BadField(f"{path}.endPort", f"{last} is less than port {first}")
    return PortRange(protocol, first, last)


def _port_number(value: Any, path: str) -> int:
    number = integer(value, path)
    if not 1 <= number <= LAST_PORT:
        raise BadField(path, f"invalid port {number}: must be 1-{LAST_PORT}")
    return number
