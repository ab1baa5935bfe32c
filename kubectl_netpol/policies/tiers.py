"""Reads the policies of the Admin and Baseline tiers, validated like in the API server.

ClusterNetworkPolicy (policy.networking.k8s.io v1alpha2 and v1beta1, which have one schema), AdminNetworkPolicy and
BaselineAdminNetworkPolicy (v1alpha1, also in the form before 0.1.3), and Amazon's ClusterNetworkPolicy
(networking.k8s.aws). All are cluster-scoped.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, optional_text, sequence, shown, text, texts
from kubectl_netpol.model.addresses import is_cidr, parse_network
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.policies.meta import Object, last_change, read_selector

_LAST_PRIORITY = 1000
_ALL = LabelSelector()
_UNKNOWN = Peer(_ALL, unreadable="its kind is not known")


class _Form(NamedTuple):
    """How a kind writes a policy. `tier` None: it is in the spec. `ports`: the field of a rule with its ports."""

    tier: Tier | None
    actions: dict[str, Action]
    ports: str
    most_rules: int
    egress_peers: tuple[str, ...]
    host_bits: bool


_PEERS = ("namespaces", "pods")
_ALPHA1 = {"Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}
_ALPHA2 = {"Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}
_BANP = {"Allow": Action.ALLOW, "Deny": Action.DENY}
_FORMS = {
    "ClusterNetworkPolicy": _Form(
        None, _ALPHA2, "protocols", 25, (*_PEERS, "networks", "nodes", "domainNames"), host_bits=False
    ),
    "AdminNetworkPolicy": _Form(
        Tier.ADMIN, _ALPHA1, "ports", 100, (*_PEERS, "networks", "nodes", "domainNames"), host_bits=True
    ),
    "BaselineAdminNetworkPolicy": _Form(
        Tier.BASELINE, _BANP, "ports", 100, (*_PEERS, "networks", "nodes"), host_bits=True
    ),
    "AmazonClusterNetworkPolicy": _Form(
        None, _ALPHA2, "ports", 100, (*_PEERS, "networks", "domainNames"), host_bits=True
    ),
}


def read_tiered(kind: str, item: Object, metadata: Object, name: str) -> Policy:
    """BadField for what the API server would refuse; a selector that it takes and nobody can evaluate is kept as such."""
    form = _FORMS[kind]
    spec = mapping(item.get("spec"), "spec")
    fields = ["subject", "ingress", "egress"]
    fields += ["tier"] if form.tier is None else []
    fields += ["priority"] if kind != "BaselineAdminNetworkPolicy" else []
    known_fields(spec, "spec", fields)
    if kind == "BaselineAdminNetworkPolicy" and name != "default":
        raise BadField("metadata.name", f'must be "default", got "{name}"')
    rules = tuple(
        rule
        for direction in Direction
        for index, entry in enumerate(_at_most(form.most_rules, spec.get(direction.field), f"spec.{direction.field}"))
        for rule in _rules(form, entry, direction, index)
    )
    subject = _subject(form, spec.get("subject"))
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
        priority=_priority(spec) if "priority" in fields else 0,
        unreadable=subject.unreadable,
    )


def _tier(value: Any) -> Tier:
    names = [tier.value for tier in Tier]
    if value not in names:
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


def _one_of(value: Any, path: str, names: tuple[str, ...]) -> tuple[Object, str]:
    """An object with exactly one of these fields, and which. Absent and null are the same."""
    item = mapping(value, path)
    known_fields(item, path, names)
    given = [name for name in names if item.get(name) is not None]
    if len(given) != 1:
        found = f"got {' and '.join(given)}" if given else "got none"
        raise BadField(path, f"must have exactly one of {', '.join(names)}, {found}")
    return item, given[0]


def _subject(form: _Form, value: Any) -> Peer:
    if value is None:
        raise BadField("spec.subject", "is missing", "for all pods write namespaces: {}")
    subject, field = _one_of(value, "spec.subject", _PEERS)
    if field == "namespaces":
        return _selecting(subject[field], None, "spec.subject")
    return _pods(form, subject[field], "spec.subject.pods")


def _selecting(namespaces: Any, pods: Any, path: str) -> Peer:
    """The pods that both selectors match; an absent one matches all. `unreadable` where one can't be evaluated."""
    found = []
    for selector, at in ((namespaces, f"{path}.namespaces"), (pods, f"{path}.podSelector")):
        try:
            found.append(read_selector(selector, at))
        except BadField as error:
            # The definitions take any operator with any values: nothing says what such a selector matches.
            if "matchExpressions" not in error.path and "matchLabels" not in error.path:
                raise
            return Peer(_ALL, unreadable=str(error))
    return Peer(found[0], found[1] if pods is not None else None)


def _pods(form: _Form, value: Any, path: str) -> Peer:
    both = mapping(value, path)
    known_fields(both, path, ("namespaceSelector", "podSelector"))
    if both.get("podSelector") is None:
        raise BadField(f"{path}.podSelector", "is missing", "for all pods write podSelector: {}")
    namespaces = both.get("namespaceSelector")
    if namespaces is None and form.ports == "ports":
        raise BadField(f"{path}.namespaceSelector", "is missing", "for all namespaces write namespaceSelector: {}")
    return _selecting(namespaces, both["podSelector"], path)


def _rules(form: _Form, value: Any, direction: Direction, index: int) -> tuple[Rule, ...]:
    """One rule; a peer `{}` is of a kind that the API server knows and this program does not.

    With such a peer an Accept matches nothing, and a Deny or Pass denies everything; whether on all ports is not said.
    """
    rule = _rule(form, value, direction, index)
    if _UNKNOWN not in rule.peers:
        return (rule,)
    if rule.action is Action.ALLOW:
        return ()
    certain = rule._replace(action=Action.DENY, peers=())
    return (certain, certain._replace(peers=(_UNKNOWN,), ports=())) if rule.ports else (certain,)


def _rule(form: _Form, value: Any, direction: Direction, index: int) -> Rule:
    path = f"spec.{direction.field}[{index}]"
    rule = mapping(value, path)
    known_fields(rule, path, ("name", "action", direction.peers_field, form.ports))
    action = rule.get("action")
    if not isinstance(action, str) or action not in form.actions:
        known = ", ".join(form.actions)
        raise BadField(f"{path}.action", f"is missing: one of {known}" if action is None else f"must be one of {known}, got {shown(action)}")
    peers_path = f"{path}.{direction.peers_field}"
    peers = _at_most(form.most_rules, rule.get(direction.peers_field), peers_path)
    if not peers:
        raise BadField(peers_path, "has no peers", "for every pod write namespaces: {}")
    ports = rule.get(form.ports)
    ports_path = f"{path}.{form.ports}"
    if ports is not None and not sequence(ports, ports_path):
        raise BadField(ports_path, "has no items", "for every port leave it out")
    read = _protocol if form.ports == "protocols" else _port
    found = Rule(
        direction,
        index,
        tuple(_peer(form, peer, direction, f"{peers_path}[{i}]") for i, peer in enumerate(peers)),
        tuple(read(port, f"{ports_path}[{i}]") for i, port in enumerate(_at_most(form.most_rules, ports, ports_path))),
        form.actions[action],
        optional_text(rule.get("name"), f"{path}.name") or "",
    )
    if direction is Direction.EGRESS and any(isinstance(port, NamedPort) for port in found.ports):
        if any(not peer.selects_pods for peer in found.peers):
            raise BadField(ports_path, "a port name can't be combined with networks, nodes or domainNames")
    return found


def _peer(form: _Form, value: Any, direction: Direction, path: str) -> Peer:
    if value == {}:
        return _UNKNOWN
    if form.ports == "ports" and (older := _older_peer(value, path)):
        return older
    peer, field = _one_of(value, path, form.egress_peers if direction is Direction.EGRESS else _PEERS)
    if field == "namespaces":
        return _selecting(peer[field], None, path)
    if field == "pods":
        return _pods(form, peer[field], f"{path}.pods")
    at = f"{path}.{field}"
    if field == "nodes":
        try:
            return Peer(node_selector=read_selector(peer[field], at))
        except BadField as error:
            return Peer(node_selector=_ALL, unreadable=str(error))
    names = texts(_at_most(25, peer[field], at), at)
    if not names:
        raise BadField(at, "has no items")
    if field == "domainNames":
        for index, name in enumerate(names):
            if "." not in name.rstrip("."):
                raise BadField(f"{at}[{index}]", f'invalid domain name "{name}"', "write a name of at least two labels")
        return Peer(domain_names=names)
    return Peer(networks=tuple(_network(form, name, f"{at}[{index}]") for index, name in enumerate(names)))


def _network(form: _Form, cidr: str, path: str) -> IPBlock:
    if not is_cidr(cidr):
        raise BadField(path, f'invalid CIDR "{cidr}"', "write an address range such as 10.0.0.0/8")
    if not form.host_bits and str(parse_network(cidr).network_address) != str(parse_network(f"{cidr.partition('/')[0]}/{128 if ':' in cidr else 32}").network_address):
        raise BadField(path, f'invalid CIDR "{cidr}": it has host bits', f"write {parse_network(cidr)}")
    return IPBlock(cidr)


_OLDER = ("namespaceSelector", "sameLabels", "notSameLabels")


def _older_peer(value: Any, path: str) -> Peer | None:
    """A peer as v1alpha1 wrote it before 0.1.3, or None: each selector of namespaces in an object of its own."""
    peer = mapping(value, path)
    pods = mapping(peer.get("pods"), f"{path}.pods") if isinstance(peer.get("pods"), dict) else {}
    namespaces, at = (pods.get("namespaces"), f"{path}.pods.namespaces") if pods else (peer.get("namespaces"), f"{path}.namespaces")
    if not isinstance(namespaces, dict) or (not pods and not any(field in namespaces for field in _OLDER)):
        return None
    if pods:
        known_fields(pods, f"{path}.pods", ("namespaces", "podSelector"))
    inner, field = _one_of(namespaces, at, _OLDER)
    if field == "namespaceSelector":
        return _selecting(inner[field], pods.get("podSelector"), at)
    keys = texts(inner[field], f"{at}.{field}")
    selector = read_selector(pods["podSelector"], f"{path}.pods.podSelector") if "podSelector" in pods else None
    if field == "sameLabels":
        return Peer(None, selector, same_labels=keys)
    return Peer(None, selector, other_labels=keys)


def _protocol(value: Any, path: str) -> PortRange | NamedPort:
    """An item of `protocols`."""
    item, field = _one_of(value, path, ("tcp", "udp", "sctp", "destinationNamedPort"))
    if field == "destinationNamedPort":
        return NamedPort(None, text(item[field], f"{path}.{field}", empty=True))
    at = f"{path}.{field}"
    protocol = mapping(item[field], at)
    known_fields(protocol, at, ("destinationPort",))
    port, which = _one_of(protocol.get("destinationPort"), f"{at}.destinationPort", ("number", "range"))
    at = f"{at}.destinationPort.{which}"
    if which == "number":
        number = _number(port[which], at)
        return PortRange(field.upper(), number, number)
    limits = mapping(port[which], at)
    known_fields(limits, at, ("start", "end"))
    first, last = _number(limits.get("start"), f"{at}.start"), _number(limits.get("end"), f"{at}.end")
    if first >= last:
        raise BadField(at, f"start {first} must be less than end {last}")
    return PortRange(field.upper(), first, last)


def _port(value: Any, path: str) -> PortRange | NamedPort:
    """An item of `ports`, which takes any text as protocol, and ranges that contain nothing."""
    item, field = _one_of(value, path, ("portNumber", "portRange", "namedPort"))
    at = f"{path}.{field}"
    if field == "namedPort":
        return NamedPort(None, text(item[field], at, empty=True))
    port = mapping(item[field], at)
    known_fields(port, at, ("protocol", "port") if field == "portNumber" else ("protocol", "start", "end"))
    protocol = optional_text(port.get("protocol"), f"{at}.protocol") or "TCP"
    if field == "portNumber":
        number = _number(port.get("port"), f"{at}.port")
        return PortRange(protocol, number, number)
    return PortRange(protocol, _number(port.get("start"), f"{at}.start"), _number(port.get("end"), f"{at}.end"))


def _number(value: Any, path: str) -> int:
    number = integer(value, path)
    if not 1 <= number <= LAST_PORT:
        raise BadField(path, f"invalid port {number}: must be 1-{LAST_PORT}")
    return number
