"""Policies out: the API's objects, and YAML or JSON text that kubectl and PyYAML read as the same strings.

Written by hand: PyYAML costs 15 ms and leaves `y`, `1e3` and `08` bare, which kubectl reads as no strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Object = dict[str, Any]


_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")


_NO_STRINGS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def policy_object(policy: Policy) -> Object:
    """The NetworkPolicy as an object in the API's field order; no namespace field where the policy's is ""."""
    metadata = {"name": policy.name}
    if policy.namespace:
        metadata["namespace"] = policy.namespace
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec_object(policy),
    }


def spec_object(policy: Policy) -> Object:
    """The spec, with policyTypes always and with a list of rules for each direction that has any."""
    spec: Object = {
        "podSelector": selector_object(policy.pod_selector),
        "policyTypes": [direction.value for direction in policy.directions],
    }
    for direction in Direction:
        if rules := policy.rules_of(direction):
            spec[direction.field] = [_rule_object(rule) for rule in rules]
    return spec


def _rule_object(rule: Rule) -> Object:
    found: Object = {}
    if rule.peers:
        found[rule.direction.peers_field] = [_peer_object(peer) for peer in rule.peers]
    if rule.ports:
        found["ports"] = [_port_object(item) for item in rule.ports]
    return found


def _peer_object(peer: Peer) -> Object:
    if peer.ip_block:
        block: Object = {"cidr": peer.ip_block.cidr}
        if peer.ip_block.except_:
            block["except"] = list(peer.ip_block.except_)
        return {"ipBlock": block}
    found: Object = {}
    if peer.namespace_selector is not None:
        found["namespaceSelector"] = selector_object(peer.namespace_selector)
    if peer.pod_selector is not None:
        found["podSelector"] = selector_object(peer.pod_selector)
    return found


def _port_object(item: PortRange | NamedPort) -> Object:
    found: Object = {"protocol": item.protocol}
    if isinstance(item, NamedPort):
        found["port"] = item.name
    elif (item.first, item.last) != (1, LAST_PORT):
        found["port"] = item.first
        if item.last != item.first:
            found["endPort"] = item.last
    return found


def selector_object(selector: LabelSelector) -> Object:
    """The metav1.LabelSelector: one value is a matchLabels entry, the rest are matchExpressions."""
    labels: dict[str, str] = {}
    expressions: list[Object] = []
    for requirement in selector.requirements:
        key, operator, values = requirement
        if operator is Operator.IN and len(values) == 1 and labels.get(key, values[0]) == values[0]:
            labels[key] = values[0]
            continue
        expression: Object = {"key": key, "operator": operator.value}
        if values:
            expression["values"] = list(values)
        expressions.append(expression)
    found: Object = {}
    if labels:
        found["matchLabels"] = labels
    if expressions:
        found["matchExpressions"] = expressions
    return found


def to_yaml(objects: Iterable[Object]) -> str:
    """One YAML document an object, with separators between them."""
    return "---\n".join("".join(f"{line}\n" for line in _block(found, "")) for found in objects)


def to_json(objects: Iterable[Object]) -> str:
    """The object as JSON; several as one List."""
    import json  # noqa: PLC0415 - YAML is the default and does without

    found = list(objects)
    whole = found[0] if len(found) == 1 else {"apiVersion": "v1", "kind": "List", "items": found}
    return json.dumps(whole, indent=2) + "\n"


def _block(value: Object, indent: str) -> Iterator[str]:
    """The lines of a non-empty mapping."""
    for key, entry in value.items():
        head = f"{indent}{_scalar(key)}:"
        if isinstance(entry, dict) and entry:
            yield head
            yield from _block(entry, f"{indent}  ")
        elif isinstance(entry, list) and entry:
            yield head
            for item in entry:
                yield from _item(item, indent)
        else:
            yield f"{head} {_scalar(entry)}"


def _item(item: Any, indent: str) -> Iterator[str]:
    """The lines of one item of a list, its dash as deep as the key above, as kubectl writes lists."""
    if not isinstance(item, dict) or not item:
        yield f"{indent}- {_scalar(item)}"
        return
    lines = list(_block(item, f"{indent}  "))
    yield f"{indent}- {lines[0].removeprefix(f'{indent}  ')}"
    yield from lines[1:]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _NO_STRINGS else quoted(value)
    if isinstance(value, int):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def quoted(text: str) -> str:
    """The text in double quotes, as YAML and JSON read it."""
    inner = (
        _SHORT_ESCAPES.get(character) or (character if " " <= character <= "~" else _escape(ord(character)))
        for character in text
    )
    return f'"{"".join(inner)}"'


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what \u can name
