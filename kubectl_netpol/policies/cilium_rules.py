"""Reads Cilium's policies with all that they mean; `cilium` reads which pods they may select, for other clusters."""

from __future__ import annotations

import re
from typing import Any

from kubectl_netpol.fields import (
    BadField,
    integer,
    known_fields,
    mapping,
    objects,
    optional_text,
    sequence,
    shown,
    text,
)
from kubectl_netpol.model.addresses import is_cidr, parse_network
from kubectl_netpol.model.cilium import (
    NAMESPACE,
    NAMESPACE_LABELS,
    CiliumPeer,
    CiliumPolicy,
    CiliumPort,
    CiliumRule,
    Endpoints,
    Entity,
    NodesWith,
    NotEvaluated,
    PortItem,
    RuleSet,
)
from kubectl_netpol.model.policies import Direction, IPBlock
from kubectl_netpol.model.ports import LAST_PORT
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.model.validation import is_port_name
from kubectl_netpol.policies.meta import Object, last_change, read_labels


class _Refused(Exception):  # noqa: N818 - no error: Cilium takes none of the policy then
    """What Cilium refuses although the API server takes it."""


def read_cilium_policy(kind: str, item: Object, metadata: Object, name: str, namespace: str) -> CiliumPolicy:
    """BadField for what the API server would refuse; `namespace` "" for a cluster-wide policy."""
    known_fields(item, "", ("apiVersion", "kind", "metadata", "spec", "specs", "status"))
    policy = CiliumPolicy(kind, namespace, name, changed=last_change(metadata))
    specs = [("spec", "", item["spec"])] if item.get("spec") is not None else []
    listed = sequence(item.get("specs"), "specs")
    specs += [(f"specs[{index}]", f"specs[{index}].", spec) for index, spec in enumerate(listed)]
    refused = _reported(item)
    try:
        sets = [_rule_set(mapping(spec, place), place, path, namespace) for place, path, spec in specs]
    except _Refused as why:
        return policy._replace(refused=refused or str(why))
    if refused or not sets:
        return policy._replace(refused=refused or "it has neither spec nor specs")
    peers = [peer for found in sets for rule in found.rules for peer in rule.peers or ()]
    return policy._replace(sets=tuple(sets), selects_nodes=any(isinstance(peer, NodesWith) for peer in peers))


def _reported(item: Object) -> str:
    """Why Cilium's operator says that the policy is not valid, or ""."""
    status = mapping(item.get("status"), "status")
    for condition in objects(status.get("conditions"), "status.conditions"):
        if condition.get("type") == "Valid" and condition.get("status") == "False":
            message = optional_text(condition.get("message"), "status.conditions.message")
            return message or "its status says Valid: False"
    return ""


_SPEC = (
    *("endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny"),
    *("enableDefaultDeny", "labels", "description", "log"),
)


def _rule_set(spec: Object, place: str, path: str, namespace: str) -> RuleSet:
    known_fields(spec, place, _SPEC)
    if ("endpointSelector" in spec) is ("nodeSelector" in spec):
        raise BadField(place, "must have either endpointSelector or nodeSelector")
    of_nodes = "nodeSelector" in spec
    field = "nodeSelector" if of_nodes else "endpointSelector"
    if spec[field] is None:
        raise BadField(f"{place}.{field}", "expected an object, got null", "to select all write {}")
    # The namespace of a namespaced policy replaces what its subject says of one by this key.
    subject = _selector(spec[field], f"{place}.{field}", replaced=_NAMESPACE_KEY if namespace else "")
    if namespace:
        own = Requirement(_NAMESPACE_KEY, Operator.IN, (namespace,))
        subject = LabelSelector((own, *subject.requirements))
    if of_nodes and namespace:
        raise _Refused(f"{place} has a nodeSelector, which is for cluster-wide policies")
    reader = _Rules(place, namespace, of_nodes=of_nodes, init=_names(subject, "reserved", "init"))
    rules: list[CiliumRule] = []
    for direction in Direction:
        for deny in (False, True):
            rules += reader.read(spec, direction, deny=deny)
    if not rules:
        raise _Refused(f"{place} has no rule")
    asks = mapping(spec.get("enableDefaultDeny"), f"{place}.enableDefaultDeny")
    takes_part = tuple(d for d in Direction if any(rule.direction is d for rule in rules))
    return RuleSet(
        path,
        None if of_nodes else subject,
        subject if of_nodes else None,
        tuple(rules),
        takes_part,
        tuple(d for d in takes_part if asks.get(d.field) is not False),
        reader.because,
    )


def _selector(value: Any, path: str, *, replaced: str = "") -> LabelSelector:
    """A selector whose keys are SOURCE:NAME, `any` where they have no source; without this key of matchLabels."""
    selector = mapping(value, path)
    known_fields(selector, path, ("matchLabels", "matchExpressions"))
    labels = read_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    found = [Requirement(_with_source(key), Operator.IN, (label,)) for key, label in labels.items() if key != replaced]
    for index, entry in enumerate(objects(selector.get("matchExpressions"), f"{path}.matchExpressions")):
        place = f"{path}.matchExpressions[{index}]"
        known_fields(entry, place, ("key", "operator", "values"))
        listed = sequence(entry.get("values"), f"{place}.values")
        values = tuple(text(label, f"{place}.values", empty=True) for label in listed)
        operator = _OPERATORS.get(str(entry.get("operator")))
        if operator is None:
            raise BadField(f"{place}.operator", f"must be one of {', '.join(_OPERATORS)}")
        if bool(values) is not (operator in (Operator.IN, Operator.NOT_IN)):
            raise _Refused(f"{place}: {operator.value} {'needs values' if not values else 'takes no values'}")
        found.append(Requirement(_with_source(text(entry.get("key"), f"{place}.key")), operator, values))
    return LabelSelector(tuple(found))


def _with_source(key: str) -> str:
    return key if ":" in key else f"any:{key}"


def _names(selector: LabelSelector, source: str, name: str = "") -> bool:
    """Whether it has a key of that source, and of that name if one is given."""
    keys = [requirement.key.partition(":") for requirement in selector.requirements]
    return any(found == source and name in ("", named) for found, _, named in keys)


class _Rules:
    """Reads the rules of one rule set."""

    def __init__(self, place: str, namespace: str, *, of_nodes: bool, init: bool) -> None:
        self.because = ""
        self._place = place
        self._namespace = namespace
        self._of_nodes = of_nodes
        self._init = init

    def read(self, spec: Object, direction: Direction, *, deny: bool) -> list[CiliumRule]:
        field = f"{direction.field}Deny" if deny else direction.field
        path = f"{self._place}.{field}"
        found = []
        for index, entry in enumerate(objects(spec.get(field), path)):
            found.append(self._rule(entry, f"{path}[{index}]", direction, index, deny=deny))
        return found

    def _rule(self, rule: Object, path: str, direction: Direction, index: int, *, deny: bool) -> CiliumRule:
        lists = [field for field in _PEERS if field.startswith(direction.peers_field)]
        requires = f"{direction.peers_field}Requires"
        known_fields(rule, path, (*lists, requires, "toPorts", "icmps", "authentication"))
        if rule.get(requires):
            self.because = f"{requires} means something else in each version of Cilium"
        if len(full := [field for field in lists if rule.get(field)]) > 1:
            raise _Refused(f"{path} has both {full[0]} and {full[1]}")
        if rule.get("icmps") and rule.get("toPorts"):
            raise _Refused(f"{path} has both icmps and toPorts")
        items = [
            self._port_item(entry, f"{path}.toPorts[{i}]", direction)
            for i, entry in enumerate(objects(rule.get("toPorts"), f"{path}.toPorts"))
        ]
        mode = mapping(rule.get("authentication"), f"{path}.authentication").get("mode")
        return CiliumRule(
            direction,
            index,
            deny,
            self._peers(rule, path, lists),
            tuple(items) or None,
            bool(rule.get("icmps")),
            mode in ("required", "test-always-fail"),
        )

    def _peers(self, rule: Object, path: str, lists: list[str]) -> tuple[CiliumPeer, ...] | None:
        """A list that is there and empty matches nobody, but for those that are as if absent."""
        given = [field for field in lists if rule.get(field) or (rule.get(field) == [] and field not in _AS_ABSENT)]
        if not given:
            return None
        found = []
        for field in given:
            entries = sequence(rule[field], f"{path}.{field}")
            found += [self._peer(field, entry, f"{path}.{field}[{i}]") for i, entry in enumerate(entries)]
        return tuple(found)

    def _peer(self, field: str, entry: Any, path: str) -> CiliumPeer:
        kind = field.removeprefix("from").removeprefix("to")
        if kind == "Endpoints":
            return self._endpoints(_selector(entry, path))
        if kind == "CIDR":
            return IPBlock(_cidr(entry, path))
        if kind == "CIDRSet":
            return _cidr_set(mapping(entry, path), path)
        if kind == "Entities":
            if entry not in _ENTITIES:
                raise BadField(path, f"must be one of {', '.join(_ENTITIES)}")
            return Entity(entry)
        if kind == "Nodes":
            return NodesWith(_selector(entry, path))
        if kind == "FQDNs":
            names = _domain_names(mapping(entry, path), path)
            if len(names) > 1:
                raise _Refused(f"{path} has both matchName and matchPattern")
            return NotEvaluated(names[0] if names else "?", domain_names=True)
        return NotEvaluated(field, outside=kind == "Groups")

    def _endpoints(self, selector: LabelSelector) -> Endpoints:
        """With what Cilium adds to it, so that `{}` is every pod of the namespace, or of the cluster."""
        if _names(selector, "reserved"):
            return Endpoints(selector, any_cluster=True)
        if any(_names(selector, source, NAMESPACE) for source in ("k8s", "any")):
            return Endpoints(selector)
        if not self._namespace:
            added = () if self._init else (Requirement(_NAMESPACE_KEY, Operator.EXISTS),)
        elif any(requirement.key.startswith(_LABELS_KEYS) for requirement in selector.requirements):
            added = ()
        else:
            added = (Requirement(_NAMESPACE_KEY, Operator.IN, (self._namespace,)),)
        return Endpoints(LabelSelector((*added, *selector.requirements)))

    def _port_item(self, item: Object, path: str, direction: Direction) -> PortItem:
        known_fields(item, path, ("ports", "rules", "terminatingTLS", "originatingTLS", "serverNames", "listener"))
        listed = objects(item.get("ports"), f"{path}.ports")
        if len(listed) > _MOST_PORTS:
            raise BadField(f"{path}.ports", f"must have at most {_MOST_PORTS} items, has {len(listed)}")
        ports = tuple(_port(entry, f"{path}.ports[{i}]") for i, entry in enumerate(listed))
        rules = mapping(item.get("rules"), f"{path}.rules")
        for index, names in enumerate(objects(rules.get("dns"), f"{path}.rules.dns")):
            _domain_names(names, f"{path}.rules.dns[{index}]")
        content = [field for field in _CONTENT if rules.get(field)]
        zero = any(str(entry.get("port")) == "0" for entry in listed)
        if content and zero:
            raise _Refused(f"{path} has rules for {content[0]} on port 0")
        if any(field != "dns" for field in content) and any(port.protocol != "TCP" for port in ports):
            raise _Refused(f"{path} has rules for {content[0]} on a port that is not TCP")
        if "dns" in content and direction is Direction.INGRESS:
            raise _Refused(f"{path} has rules for dns at ingress")
        if self._of_nodes and {"http", "kafka"} & set(content):
            raise _Refused(f"{path} has rules for {content[0]} on nodes")
        if content and item.get("serverNames") and not item.get("terminatingTLS"):
            raise _Refused(f"{path} has serverNames and rules for {content[0]}, without terminatingTLS")
        content += [field for field in _PROXIED if item.get(field)]
        return PortItem(ports, content[0] if content else "")


def _port(entry: Object, path: str) -> CiliumPort:
    known_fields(entry, path, ("port", "endPort", "protocol"))
    protocol = entry.get("protocol") or "ANY"
    if protocol not in _PROTOCOLS:
        raise BadField(f"{path}.protocol", f"must be one of {', '.join(_PROTOCOLS)}, got {shown(protocol)}")
    of = None if protocol == "ANY" else str(protocol)
    port = text(entry.get("port"), f"{path}.port")
    if not port.isdecimal():
        if not is_port_name(port.lower()):
            raise BadField(f"{path}.port", f'invalid port name "{port}"', "a port name is 1-15 of a-z 0-9 -")
        return CiliumPort(of, name=port.lower())
    first = int(port[:_DIGITS])
    last = entry.get("endPort")
    last = integer(last, f"{path}.endPort") if last is not None else 0
    if max(first, last) > LAST_PORT:
        raise BadField(path, f"invalid port {max(first, last)}: must be 0-{LAST_PORT}")
    return CiliumPort(of, first, max(first, last)) if first else CiliumPort(of)


def _domain_names(entry: Object, path: str) -> list[str]:
    """What it has of matchName and matchPattern."""
    known_fields(entry, path, tuple(_DOMAIN_NAMES))
    found = []
    for field, pattern in _DOMAIN_NAMES.items():
        if (name := entry.get(field)) is None:
            continue
        if not re.fullmatch(pattern, text(name, f"{path}.{field}")) or len(name) > _LONGEST_NAME:
            wild = field == "matchName" and re.fullmatch(_DOMAIN_NAMES["matchPattern"], name)
            hint = f"write matchPattern: {shown(name)}" if wild else "write a name such as www.example.com"
            raise BadField(f"{path}.{field}", f"invalid domain name {shown(name)}", hint)
        found.append(name)
    return found


def _cidr(value: Any, path: str) -> str:
    cidr = text(value, path)
    if not is_cidr(cidr):
        raise BadField(path, f'invalid CIDR "{cidr}"', "write an address range such as 10.0.0.0/8")
    return cidr


def _cidr_set(entry: Object, path: str) -> CiliumPeer:
    known_fields(entry, path, ("cidr", "cidrGroupRef", "cidrGroupSelector", "except"))
    if not entry.get("cidr"):
        group = entry.get("cidrGroupRef")
        return NotEvaluated(f"cidrGroupRef {group}" if isinstance(group, str) else "cidrGroupSelector")
    cidr = _cidr(entry["cidr"], f"{path}.cidr")
    outer = parse_network(cidr)
    listed = sequence(entry.get("except"), f"{path}.except")
    excepted = [_cidr(inner, f"{path}.except[{index}]") for index, inner in enumerate(listed)]
    for inner in map(parse_network, excepted):
        if inner.version != outer.version or inner.network_address not in outer:
            raise _Refused(f"{path}: except {inner} is not in {cidr}")
    return IPBlock(cidr, tuple(excepted))


_NAMESPACE_KEY = f"k8s:{NAMESPACE}"
_LABELS_KEYS = (f"k8s:{NAMESPACE_LABELS}", f"any:{NAMESPACE_LABELS}")
_PEERS = (
    *("fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromNodes", "fromGroups"),
    *("toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toNodes", "toGroups", "toServices", "toFQDNs"),
)
_AS_ABSENT = ("toFQDNs", "toServices", "toGroups")
_ENTITIES = tuple(entity.value for entity in Entity)
_OPERATORS = {operator.value: operator for operator in Operator}
_PROTOCOLS = ("TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "VRRP", "IGMP", "ANY")
_CONTENT = ("http", "kafka", "dns", "l7proto")
_PROXIED = ("serverNames", "terminatingTLS", "originatingTLS", "listener")
# The definition's patterns, ([…]+[.]?)+, without a repetition in a repetition, which would take forever.
_DOMAIN_NAMES = {
    "matchName": r"[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?",
    "matchPattern": r"[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?",
}
_LONGEST_NAME = 255
_MOST_PORTS = 40
_DIGITS = 10
