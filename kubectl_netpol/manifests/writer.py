"""Policies to API objects, and plain data to YAML or JSON.

The YAML has the same values to kubectl and to PyYAML. It is written without PyYAML, whose import costs 15 ms and which
leaves `y`, `1e3` and `08` unquoted: kubectl reads those as a boolean and numbers.
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
_NOT_A_STRING = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def policy_object(policy: Policy) -> Object:
    """The NetworkPolicy in the API's field order, without a namespace field if the policy's namespace is ""."""
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
    """The spec, always with policyTypes; a direction without rules has no field."""
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
    """The metav1.LabelSelector: `In` with one value becomes a matchLabels entry, the rest matchExpressions."""
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
    """One YAML document per object; dicts, lists, strings, numbers, booleans and None keep their values."""
    return "---\n".join("".join(f"{line}\n" for line in _lines(found)) for found in objects)


def to_json(objects: Iterable[Object]) -> str:
    """The object as JSON; several as one List."""
    import json  # noqa: PLC0415 - YAML is the default and does without

    found = list(objects)
    whole = found[0] if len(found) == 1 else {"apiVersion": "v1", "kind": "List", "items": found}
    return json.dumps(whole, indent=2) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            if isinstance(entry, dict | list | tuple) and entry:
                yield f"{_scalar(key)}:"
                # The dash of a list is as deep as its key, as kubectl writes lists.
                indent = "  " if isinstance(entry, dict) else ""
                yield from (f"{indent}{line}" for line in _lines(entry))
            else:
                yield f"{_scalar(key)}: {_scalar(entry)}"
    elif isinstance(value, list | tuple) and value:
        for item in value:
            first, *more = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in more)
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _NOT_A_STRING else quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        # YAML 1.1 reads 1e-05 as a string.
        return str(value) if "." in str(value) else str(value).replace("e", ".0e")
    return "{}" if isinstance(value, dict) else "[]"


def quoted(text: str) -> str:
    """The text as a double-quoted string of YAML."""
    inner = (
        _SHORT_ESCAPES.get(character) or (character if character.isprintable() else _escape(ord(character)))
        for character in text
    )
    return f'"{"".join(inner)}"'


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what \u can name
