"""Reads the rules of Calico's policies: actions, protocols, and the source and destination of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, sequence, shown, text, texts
from kubectl_netpol.model.addresses import is_cidr, is_ip
from kubectl_netpol.model.calico import (
    ACCOUNT,
    NAMESPACE,
    OF_ACCOUNT,
    OF_NAMESPACE,
    AllOf,
    CalicoRule,
    Compare,
    Entity,
    Ports,
    Selector,
    ServiceMatch,
    Term,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import LAST_PORT, PROTOCOLS, PortRange
from kubectl_netpol.policies.calico_selectors import IN_A_NAMESPACE, read_selector_text

if TYPE_CHECKING:
    from kubectl_netpol.policies.meta import Object

_ACTIONS = ("Allow", "Deny", "Log", "Pass")
_PROTOCOLS = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP", "icmp": "", "icmpv6": "", "udplite": ""}
_NUMBERS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_LAST_PROTOCOL = 255
_RULE = (
    "action",
    "protocol",
    "notProtocol",
    "ipVersion",
    "icmp",
    "notICMP",
    "source",
    "destination",
    "http",
    "metadata",
)
_ENTITY = (
    "selector",
    "notSelector",
    "namespaceSelector",
    "serviceAccounts",
    "nets",
    "notNets",
    "ports",
    "notPorts",
    "services",
)
_RANGE = r"(\d{1,5}):(\d{1,5})"
_PORT_NAME = r"[a-zA-Z0-9_.-]{1,128}"


def read_rule(value: Any, direction: Direction, position: int, namespace: str) -> CalicoRule:
    """`namespace` "": of a global policy."""
    path = f"spec.{direction.field}[{position}]"
    rule = mapping(value, path)
    known_fields(rule, path, _RULE)
    protocol = _protocol(rule.get("protocol"), f"{path}.protocol")
    version = rule.get("ipVersion")
    if version is not None and version not in (4, 6):
        raise BadField(f"{path}.ipVersion", f"must be 4 or 6, got {shown(version)}")
    if rule.get("icmp") is not None or rule.get("notICMP") is not None:
        protocol = ""
    ends = {}
    for name in ("source", "destination"):
        at = f"{path}.{name}"
        ends[name] = _entity(mapping(rule.get(name), at), at, namespace)
        needs = ends[name].ports.ranges or ends[name].not_ports.ranges
        if needs and (protocol not in PROTOCOLS or rule.get("notProtocol") is not None):
            raise BadField(at, "ports by number need protocol TCP, UDP or SCTP")
    if ends["source"].service and direction is Direction.EGRESS:
        raise BadField(f"{path}.source.services", "services is for the source of ingress rules, and for destinations")
    if ends["destination"].service and direction is Direction.INGRESS:
        raise BadField(
            f"{path}.destination.services", "services is for the destination of egress rules, and for sources"
        )
    return CalicoRule(
        direction,
        position,
        _action(rule.get("action"), f"{path}.action"),
        ends["source"],
        ends["destination"],
        protocol,
        _protocol(rule.get("notProtocol"), f"{path}.notProtocol"),
        version,
        http=bool(mapping(rule.get("http"), f"{path}.http")),
        text=_rule_text(rule),
        ends=(_end_text(rule, "source"), _end_text(rule, "destination")),
        ports_text=_ports_text(rule),
    )


def _action(value: Any, path: str) -> str:
    """Old definitions took any case, and Felix does not mind."""
    found = text(value, path).capitalize()
    if found not in _ACTIONS:
        raise BadField(path, f"must be one of {', '.join(_ACTIONS)}, got {shown(value)}")
    return found


def _protocol(value: Any, path: str) -> str | None:
    """An empty one that is not TCP, UDP or SCTP; None without one."""
    if value is None:
        return None
    if isinstance(value, str) and value.lower() in _PROTOCOLS:
        return _PROTOCOLS[value.lower()]
    number = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,3}", value, re.ASCII) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _LAST_PROTOCOL:
        raise BadField(path, f"invalid protocol {shown(value)}", "write TCP, UDP, SCTP, ICMP or a number, 1-255")
    return _NUMBERS.get(number, "")


def _entity(entity: Object, path: str, namespace: str) -> Entity:
    known_fields(entity, path, _ENTITY)
    accounts = mapping(entity.get("serviceAccounts"), f"{path}.serviceAccounts")
    known_fields(accounts, f"{path}.serviceAccounts", ("names", "selector"))
    selects_not = read_selector_text(entity.get("notSelector"), f"{path}.notSelector")
    namespaces = read_selector_text(
        entity.get("namespaceSelector"), f"{path}.namespaceSelector", OF_NAMESPACE, whole=IN_A_NAMESPACE
    )
    parts = [
        read_selector_text(accounts.get("selector"), f"{path}.serviceAccounts.selector", OF_ACCOUNT),
        _one_of(ACCOUNT, texts(accounts.get("names"), f"{path}.serviceAccounts.names")),
        read_selector_text(entity.get("selector"), f"{path}.selector"),
    ]
    found: list[Selector] = [part for part in parts if part is not None]
    if namespaces is not None:
        found.append(namespaces)
    elif namespace and (found or selects_not is not None):
        found.append(Term(NAMESPACE, Compare.EQUAL, (namespace,)))
    service = _service(entity.get("services"), f"{path}.services", namespace)
    # Those of a destination bring their own ports.
    beside = ("services", *(_PORTS if path.endswith(".source") else ()))
    if service and any(value for field, value in entity.items() if field not in beside):
        raise BadField(f"{path}.services", "can't be combined with other fields")
    return Entity(
        AllOf(tuple(found)) if found else None,
        selects_not,
        read_nets(entity.get("nets"), f"{path}.nets"),
        read_nets(entity.get("notNets"), f"{path}.notNets"),
        _ports(entity.get("ports"), f"{path}.ports"),
        _ports(entity.get("notPorts"), f"{path}.notPorts"),
        service,
    )


def _one_of(key: str, values: tuple[str, ...]) -> Term | None:
    return Term(key, Compare.IN, values) if values else None


def read_nets(value: Any, path: str) -> tuple[str, ...]:
    """CIDRs; a bare address is the block of that one."""
    found = []
    for index, net in enumerate(texts(value, path)):
        block = f"{net}/{128 if ':' in net else 32}" if is_ip(net) else net
        if not is_cidr(block):
            raise BadField(f"{path}[{index}]", f'invalid CIDR "{net}"', "write an address range such as 10.0.0.0/8")
        found.append(block)
    return tuple(found)


def _ports(value: Any, path: str) -> Ports:
    ranges, names = [], []
    for index, port in enumerate(sequence(value, path)):
        at = f"{path}[{index}]"
        if isinstance(port, str) and (limits := re.fullmatch(_RANGE, port, re.ASCII)):
            first, last = int(limits[1]), int(limits[2])
        elif isinstance(port, str) and not re.fullmatch(r"\d+", port, re.ASCII):
            if not re.fullmatch(_PORT_NAME, port, re.ASCII):
                raise BadField(at, f'invalid port "{port}"', 'write a number, a range such as "8000:8080" or a name')
            names.append(port)
            continue
        else:
            first = last = int(port[:6]) if isinstance(port, str) else integer(port, at)
        if not 0 <= first <= last <= LAST_PORT:
            raise BadField(at, f"invalid port {shown(port)}: must be 0-{LAST_PORT}, the lower one first")
        ranges.append(PortRange("", first, last))
    return Ports(tuple(ranges), tuple(names))


def _service(value: Any, path: str, namespace: str) -> ServiceMatch | None:
    if value is None:
        return None
    service = mapping(value, path)
    known_fields(service, path, ("name", "namespace"))
    own = service.get("namespace") or ""
    if not own and not namespace:
        raise BadField(f"{path}.namespace", "is missing")
    return ServiceMatch(text(own, f"{path}.namespace", empty=True), text(service.get("name"), f"{path}.name"))


def _rule_text(rule: Object) -> str:
    """The rule's fields as they are written: "TCP from selector app == 'web' to ports 80,8000:8080"."""
    words = []
    for name, before in (("protocol", ""), ("notProtocol", "not "), ("ipVersion", "IPv")):
        if rule.get(name) is not None:
            words.append(f"{before}{rule[name]}")
    for name, before in (("source", "from"), ("destination", "to")):
        fields = [_field_text(field, value) for field, value in (rule.get(name) or {}).items() if value]
        if fields:
            words.append(f"{before} {' and '.join(fields)}")
    if rule.get("http"):
        words.append("http")
    return " ".join(words) or "everything"


def _end_text(rule: Object, name: str) -> str:
    fields = (rule.get(name) or {}).items()
    return " and ".join(_field_text(field, value) for field, value in fields if value and field not in _PORTS)


_PORTS = ("ports", "notPorts")


def _ports_text(rule: Object) -> str:
    """The protocol and the ports of the destination: "TCP 80,8000:8080", "not UDP", "all ports"."""
    words = [f"not {rule['notProtocol']}"] if rule.get("notProtocol") is not None else []
    words += [str(rule["protocol"])] if rule.get("protocol") is not None else []
    ends = rule.get("destination") or {}
    words += [",".join(map(str, ends["ports"]))] if ends.get("ports") else []
    words += [f"not {','.join(map(str, ends['notPorts']))}"] if ends.get("notPorts") else []
    return " ".join(words) or "all ports"


def _field_text(field: str, value: Any) -> str:
    if field == "serviceAccounts":
        return " and ".join(f"serviceAccounts {_field_text(inner, entry)}" for inner, entry in value.items() if entry)
    if field == "services":
        return f"services {'/'.join(filter(None, (value.get('namespace'), value.get('name'))))}"
    return f"{field} {','.join(map(str, value)) if isinstance(value, list) else value}"
