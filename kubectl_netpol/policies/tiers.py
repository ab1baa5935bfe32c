"""Reads the policies of the Admin and Baseline tiers, validated like in the API server.

ClusterNetworkPolicy (policy.networking.k8s.io v1alpha2 and v1beta1, which have one schema), AdminNetworkPolicy and
BaselineAdminNetworkPolicy (v1alpha1, also in the form before 0.1.3), and Amazon's ClusterNetworkPolicy
(networking.k8s.aws). All are cluster-scoped.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, optional_text, sequence, shown, text, texts
from kubectl_netpol.model.addresses import is_cidr, parse_network
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.policies.meta import BadRequirement, Object, last_change, read_selector

_LAST_PRIORITY = 1000
_MOST_ADDRESSES = 25
_ALL = LabelSelector()
_UNKNOWN = Peer(unreadable="its kind is not known")
_LABEL = r"[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?"
_DOMAIN_NAME = rf"(\*\.)?({_LABEL}\.)+{_LABEL}\.?"


class _Form(NamedTuple):
    """How a kind writes its policies. `tier` None: the spec says which. `egress_peers`: besides pods.

    `names`: port names may stand beside any peer.
    `strict`: a peer with unknown fields alone is an error, not a peer of a later version.
    """

    tier: Tier | None
    actions: dict[str, Action]
    ports: str
    egress_peers: tuple[str, ...]
    strict: bool = True
    names: bool = False

    @property
    def newest(self) -> bool:
        """Whether it is the form of v1alpha2 and v1beta1, stricter than the others."""
        return self.ports == "protocols"

    @property
    def most(self) -> int:
        """Rules of a direction, and peers and ports of a rule."""
        return 25 if self.newest else 100

    def peers(self, direction: Direction) -> tuple[str, ...]:
        return ("namespaces", "pods", *(self.egress_peers if direction is Direction.EGRESS else ()))

    def is_older(self, value: Any, fields: tuple[str, ...]) -> bool:
        """Whether a peer is in the form of v1alpha1 before 0.1.3, by fields that the later form does not have."""
        return self.tier is not None and isinstance(value, dict) and not value.keys().isdisjoint(fields)


_ALLOW = {"Allow": Action.ALLOW, "Deny": Action.DENY}
_ACCEPT = {"Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}
_FORMS = {
    "ClusterNetworkPolicy": _Form(None, _ACCEPT, "protocols", ("networks", "nodes", "domainNames")),
    "AdminNetworkPolicy": _Form(
        Tier.ADMIN, {**_ALLOW, "Pass": Action.PASS}, "ports", ("networks", "nodes", "domainNames")
    ),
    "BaselineAdminNetworkPolicy": _Form(Tier.BASELINE, _ALLOW, "ports", ("networks", "nodes")),
    "AmazonClusterNetworkPolicy": _Form(None, _ACCEPT, "ports", ("networks", "domainNames")),
}


def read_tiered(
    kind: str, item: Object, metadata: Object, name: str, *, lenient: bool = False, names: bool = False
) -> Policy:
    """BadField for what the API server would refuse. A selector that it takes and nobody can evaluate is kept as such.

    `lenient`: so are peers of a kind that a later version of the API may have. `names`: so are port names beside peers
    that have none, which not every definition refuses.
    """
    known_fields(item, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    form = _FORMS[kind]._replace(strict=not lenient, names=names)
    baseline = kind == "BaselineAdminNetworkPolicy"
    if baseline and name != "default":
        raise BadField("metadata.name", f'must be "default", got "{name}"')
    spec = mapping(item.get("spec"), "spec")
    own = [*(() if form.tier else ("tier",)), *(() if baseline else ("priority",))]
    known_fields(spec, "spec", ("subject", "ingress", "egress", *own))
    subject = _subject(form, spec.get("subject"))
    rules = tuple(
        rule
        for direction in Direction
        for index, entry in enumerate(_at_most(form.most, spec.get(direction.field), f"spec.{direction.field}"))
        for rule in _closed(_rule(form, entry, direction, index))
    )
    return Policy(
        namespace="",
        name=name,
        pod_selector=subject.pod_selector or _ALL,
        directions=tuple(d for d in Direction if any(rule.direction is d for rule in rules)),
        rules=rules,
        changed=last_change(metadata),
        kind=kind,
        namespace_selector=subject.namespace_selector,
        tier=form.tier or _tier(spec.get("tier")),
        priority=0 if baseline else _priority(spec),
        unreadable=subject.unreadable,
    )


def _tier(value: Any) -> Tier:
    if value not in [tier.value for tier in Tier]:
        raise BadField("spec.tier", "is missing" if value is None else f"must be Admin or Baseline, got {shown(value)}")
    return Tier(value)


def _priority(spec: Object) -> int:
    priority = integer(spec.get("priority"), "spec.priority")
    if not 0 <= priority <= _LAST_PRIORITY:
        raise BadField("spec.priority", f"must be 0-{_LAST_PRIORITY}, got {priority}")
    return priority


def _at_most(most: int, value: Any, path: str) -> list[Any]:
    entries = sequence(value, path)
    if len(entries) > most:
        raise BadField(path, f"has {len(entries)} items, at most {most} are allowed")
    return entries


def _some(most: int, value: Any, path: str, hint: str | None = None) -> list[Any]:
    """A list that must not be empty."""
    entries = _at_most(most, value, path)
    if not entries:
        raise BadField(path, "is missing" if value is None else "is empty", hint)
    return entries


def _one_of(value: Any, path: str, names: tuple[str, ...]) -> tuple[str, Any]:
    """The name and value of the one field that the object must have. Absent and null are the same."""
    item = mapping(value, path)
    known_fields(item, path, names)
    given = [name for name in names if item.get(name) is not None]
    if len(given) != 1:
        raise BadField(path, f"must have exactly one of {', '.join(names)}, got {' and '.join(given) or 'none'}")
    return given[0], item[given[0]]


def _subject(form: _Form, value: Any) -> Peer:
    if value is None:
        raise BadField("spec.subject", "is missing", "for all pods write namespaces: {}")
    field, selector = _one_of(value, "spec.subject", ("namespaces", "pods"))
    return (
        _namespaces(selector, "spec.subject.namespaces")
        if field == "namespaces"
        else _pods(form, selector, "spec.subject.pods")
    )


def _namespaces(value: Any, path: str) -> Peer:
    selector, unreadable = _selector(value, path)
    return Peer(selector, unreadable=unreadable)


def _pods(form: _Form, value: Any, path: str) -> Peer:
    both = mapping(value, path)
    known_fields(both, path, ("namespaceSelector", "podSelector"))
    if both.get("namespaceSelector") is None and not form.newest:
        raise BadField(f"{path}.namespaceSelector", "is missing", "for all namespaces write namespaceSelector: {}")
    return _with_pods(_namespaces(both.get("namespaceSelector"), f"{path}.namespaceSelector"), both, path)


def _with_pods(peer: Peer, value: Object, path: str) -> Peer:
    """The peer with the podSelector of this object."""
    if value.get("podSelector") is None:
        raise BadField(f"{path}.podSelector", "is missing", "for all pods write podSelector: {}")
    selector, unreadable = _selector(value["podSelector"], f"{path}.podSelector")
    return peer._replace(pod_selector=selector, unreadable=peer.unreadable or unreadable)


def _selector(value: Any, path: str) -> tuple[LabelSelector, str | None]:
    """A selector, or one that matches everything and why it can't be evaluated.

    The definitions take any operator with any values, and nothing says what such a selector matches.
    """
    try:
        return read_selector(value, path), None
    except BadRequirement as error:
        return _ALL, str(error)


def _closed(rule: Rule) -> tuple[Rule, ...]:
    """The rule; with a peer of a kind that is not known (`{}`: its field was dropped), what the API wants instead.

    An Accept matches nothing, a Deny or Pass denies everything; whether on the rule's ports or on all is not said.
    """
    if _UNKNOWN not in rule.peers:
        return (rule,)
    if rule.action is Action.ALLOW:
        return ()
    denied = rule._replace(action=Action.DENY, peers=())
    return (denied, denied._replace(peers=(_UNKNOWN,), ports=())) if rule.ports else (denied,)


def _rule(form: _Form, value: Any, direction: Direction, index: int) -> Rule:
    path = f"spec.{direction.field}[{index}]"
    rule = mapping(value, path)
    known_fields(rule, path, ("name", "action", direction.peers_field, form.ports))
    action = text(rule.get("action"), f"{path}.action")
    if action not in form.actions:
        raise BadField(f"{path}.action", f'must be one of {", ".join(form.actions)}, got "{action}"')
    at = f"{path}.{direction.peers_field}"
    entries = _some(form.most, rule.get(direction.peers_field), at, "for every pod write namespaces: {}")
    peers = tuple(_peer(form, peer, direction, f"{at}[{i}]") for i, peer in enumerate(entries))
    ports = _ports(form, rule.get(form.ports), f"{path}.{form.ports}")
    named = direction is Direction.EGRESS and any(isinstance(port, NamedPort) for port in ports)
    if named and not form.names and not all(peer.selects_pods or peer is _UNKNOWN for peer in peers):
        raise BadField(f"{path}.{form.ports}", "a port name can't be combined with networks, nodes or domainNames")
    name = optional_text(rule.get("name"), f"{path}.name") or ""
    return Rule(direction, index, peers, ports, form.actions[action], name)


def _peer(form: _Form, value: Any, direction: Direction, path: str) -> Peer:
    if (
        isinstance(value, dict)
        and value.keys().isdisjoint(form.peers(Direction.EGRESS))
        and not (value and form.strict)
    ):
        return _UNKNOWN
    field, value = _one_of(value, path, form.peers(direction))
    at = f"{path}.{field}"
    if field == "namespaces":
        return _older_namespaces(value, at) if form.is_older(value, _OLDER) else _namespaces(value, at)
    if field == "pods":
        return _older_pods(value, at) if form.is_older(value, ("namespaces",)) else _pods(form, value, at)
    if field == "nodes":
        selector, unreadable = _selector(value, at)
        return Peer(node_selector=selector, unreadable=unreadable)
    entries = texts(_some(_MOST_ADDRESSES, value, at), at)
    if len(set(entries)) != len(entries):
        raise BadField(at, "lists one twice")
    if field == "networks":
        return Peer(networks=tuple(_network(form, cidr, f"{at}[{i}]") for i, cidr in enumerate(entries)))
    for index, name in enumerate(entries):
        if not re.fullmatch(_DOMAIN_NAME, name):
            hint = "write a name of two labels or more, such as example.com or *.example.com"
            raise BadField(f"{at}[{index}]", f'invalid domain name "{name}"', hint)
    return Peer(domain_names=entries)


def _network(form: _Form, cidr: str, path: str) -> IPBlock:
    if not is_cidr(cidr):
        raise BadField(path, f'invalid CIDR "{cidr}"', "write an address range such as 10.0.0.0/8")
    network, address = parse_network(cidr), parse_network(cidr.partition("/")[0])
    if form.newest and network.network_address != address.network_address:
        raise BadField(path, f'invalid CIDR "{cidr}": it has host bits', f"write {network}")
    return IPBlock(cidr)


_OLDER = ("namespaceSelector", "sameLabels", "notSameLabels")


def _older_pods(value: Object, path: str) -> Peer:
    known_fields(value, path, ("namespaces", "podSelector"))
    return _with_pods(_older_namespaces(value["namespaces"], f"{path}.namespaces"), value, path)


def _older_namespaces(value: Any, path: str) -> Peer:
    field, selector = _one_of(value, path, _OLDER)
    at = f"{path}.{field}"
    if field == "namespaceSelector":
        return _namespaces(selector, at)
    keys = texts(selector, at)
    return Peer(same_labels=keys) if field == "sameLabels" else Peer(other_labels=keys)


def _ports(form: _Form, value: Any, path: str) -> tuple[PortRange | NamedPort, ...]:
    if value is None:
        return ()
    read = _protocol if form.newest else _port
    entries = _some(form.most, value, path, "for every port leave it out")
    return tuple(read(port, f"{path}[{i}]") for i, port in enumerate(entries))


def _protocol(value: Any, path: str) -> PortRange | NamedPort:
    """An item of `protocols`."""
    field, value = _one_of(value, path, ("tcp", "udp", "sctp", "destinationNamedPort"))
    at = f"{path}.{field}"
    if field == "destinationNamedPort":
        return NamedPort(None, text(value, at, empty=True))
    protocol = mapping(value, at)
    known_fields(protocol, at, ("destinationPort",))
    at = f"{at}.destinationPort"
    which, port = _one_of(protocol.get("destinationPort"), at, ("number", "range"))
    at = f"{at}.{which}"
    if which == "number":
        first = last = _number(port, at)
        return PortRange(field.upper(), first, last)
    limits = mapping(port, at)
    known_fields(limits, at, ("start", "end"))
    first, last = (_number(limits.get(limit), f"{at}.{limit}") for limit in ("start", "end"))
    if first >= last:
        raise BadField(at, f"start {first} must be less than end {last}")
    return PortRange(field.upper(), first, last)


def _port(value: Any, path: str) -> PortRange | NamedPort:
    """An item of `ports`, which may have any text as protocol, and a range that contains nothing."""
    field, value = _one_of(value, path, ("portNumber", "portRange", "namedPort"))
    at = f"{path}.{field}"
    if field == "namedPort":
        return NamedPort(None, text(value, at, empty=True))
    limits = ("port", "port") if field == "portNumber" else ("start", "end")
    port = mapping(value, at)
    known_fields(port, at, ("protocol", *limits))
    protocol = optional_text(port.get("protocol"), f"{at}.protocol") or "TCP"
    return PortRange(protocol, *(_number(port.get(limit), f"{at}.{limit}") for limit in limits))


def _number(value: Any, path: str) -> int:
    number = integer(value, path)
    if not 1 <= number <= LAST_PORT:
        raise BadField(path, f"invalid port {number}: must be 1-{LAST_PORT}")
    return number
