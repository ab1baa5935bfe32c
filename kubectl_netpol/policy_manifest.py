"""A NetworkPolicy object to the model, checked as the API server checks it; selectors and labels of other kinds too.

`policyTypes` left out, rule lists absent, null or empty, and empty against absent selectors are told apart here.
"""

from __future__ import annotations

from typing import Any

from kubectl_netpol import labels as label_rules
from kubectl_netpol.addresses import is_cidr, parse_network
from kubectl_netpol.fields import BadField, integer, known_fields, mapping, objects, sequence, shown, text
from kubectl_netpol.model import (
    LAST_PORT,
    PROTOCOLS,
    Direction,
    IPBlock,
    LabelSelector,
    NamedPort,
    Operator,
    Peer,
    Policy,
    PortRange,
    Requirement,
    Rule,
)

Object = dict[str, Any]


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
        if not label_rules.is_port_name(port):
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


def read_protocol(item: Object, path: str) -> str:
    """The protocol of a port (its field is at `path`), TCP where it is left out."""
    protocol = item.get("protocol")
    if protocol is None:
        return "TCP"
    if protocol not in PROTOCOLS:
        raise BadField(path, f"{shown(protocol)} is none of {', '.join(PROTOCOLS)}")
    return str(protocol)


def _port_number(value: Any, path: str) -> int:
    number = integer(value, path)
    if not 1 <= number <= LAST_PORT:
        raise BadField(path, f"{number} is no port: 1 to {LAST_PORT}")
    return number


def read_selector(value: Any, path: str) -> LabelSelector:
    """A metav1.LabelSelector; null is the empty one, which selects everything. BadField where the API refuses it."""
    selector = mapping(value, path)
    known_fields(selector, path, ("matchLabels", "matchExpressions"))
    requirements = []
    for key, wanted in read_labels(selector.get("matchLabels"), f"{path}.matchLabels").items():
        if fault := label_rules.key_fault(key) or label_rules.value_fault(wanted):
            raise BadField(f"{path}.matchLabels", fault)
        requirements.append(Requirement(key, Operator.IN, (wanted,)))
    for index, entry in enumerate(sequence(selector.get("matchExpressions"), f"{path}.matchExpressions")):
        at = f"{path}.matchExpressions[{index}]"
        expression = mapping(entry, at)
        known_fields(expression, at, ("key", "operator", "values"))
        key = text(expression.get("key"), f"{at}.key")
        if fault := label_rules.key_fault(key):
            raise BadField(f"{at}.key", fault)
        word = expression.get("operator")
        if word not in [operator.value for operator in Operator]:
            raise BadField(f"{at}.operator", f"{shown(word)} is none of In, NotIn, Exists, DoesNotExist")
        operator = Operator(word)
        values = tuple(text(v, f"{at}.values", empty=True) for v in sequence(expression.get("values"), f"{at}.values"))
        if bool(values) is not (operator in (Operator.IN, Operator.NOT_IN)):
            raise BadField(f"{at}.values", f"{word} takes {'no values' if values else 'at least one value'}")
        requirements.append(Requirement(key, operator, values))
    return LabelSelector(tuple(requirements))


def read_labels(value: Any, path: str) -> dict[str, str]:
    """A map of strings; null is the empty one."""
    if not value:
        return mapping(value, path)
    entries = mapping(value, path)
    for key, entry in entries.items():
        if not isinstance(entry, str):
            hint = f'quote it: "{shown(entry)}"' if isinstance(entry, int | float) else None
            raise BadField(f"{path}.{key}", f"a label is a string, this is {shown(entry)}", hint)
    return entries


def last_change(metadata: Object) -> str | None:
    """The latest time in the metadata; RFC 3339 times in UTC compare as texts."""
    times = [metadata.get("creationTimestamp"), metadata.get("deletionTimestamp")]
    times += [entry.get("time") for entry in objects(metadata.get("managedFields"), "metadata.managedFields")]
    return max((time for time in times if isinstance(time, str)), default=None)
