"""Fields that objects of several kinds share: labels, label selectors, protocols, and the time of the last change."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kubectl_netpol.fields import BadField, known_fields, mapping, sequence, shown, text
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PROTOCOLS
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement
from kubectl_netpol.model.validation import key_fault, value_fault

Object = dict[str, Any]
NO_POD = LabelSelector((Requirement(METADATA_NAME, Operator.IN),))  # In without values matches nothing
_OPERATORS = [operator.value for operator in Operator]


class BadRequirement(BadField):
    """A requirement that no label selector can have: custom resources are stored with it, built-in kinds are not."""


def read_protocol(item: Object, path: str) -> str:
    """The protocol of a port, TCP by default. `path` is that of the field itself."""
    protocol = item.get("protocol")
    if protocol is None:
        return "TCP"
    if protocol not in PROTOCOLS:
        raise BadField(path, f"must be one of {', '.join(PROTOCOLS)}, got {shown(protocol)}")
    return str(protocol)


def read_port_protocol(item: Object) -> str:
    """The protocol of a port of a container, a Service or an endpoint, where an empty one is TCP too."""
    return read_protocol(item, "protocol") if item.get("protocol") != "" else "TCP"


def read_selector(value: Any, path: str) -> LabelSelector:
    """A metav1.LabelSelector; null is an empty one, which matches everything. BadField if the API would refuse it."""
    selector = mapping(value, path)
    known_fields(selector, path, ("matchLabels", "matchExpressions"))
    requirements = []
    for key, label in read_labels(selector.get("matchLabels"), f"{path}.matchLabels").items():
        if fault := label_fault(key, label):
            raise BadRequirement(f"{path}.matchLabels", fault)
        requirements.append(Requirement(key, Operator.IN, (label,)))
    expressions = sequence(selector.get("matchExpressions"), f"{path}.matchExpressions")
    requirements += [_expression(entry, f"{path}.matchExpressions[{i}]") for i, entry in enumerate(expressions)]
    return LabelSelector(tuple(requirements))


def _expression(value: Any, path: str) -> Requirement:
    expression = mapping(value, path)
    known_fields(expression, path, ("key", "operator", "values"))
    key, name = text(expression.get("key"), f"{path}.key"), expression.get("operator")
    listed = sequence(expression.get("values"), f"{path}.values")
    values = tuple("" if v is None else text(v, f"{path}.values", empty=True) for v in listed)
    if fault := key_fault(key):
        raise BadRequirement(f"{path}.key", fault)
    if fault := next(filter(None, map(value_fault, values)), None):
        raise BadRequirement(f"{path}.values", fault)
    if name not in _OPERATORS:
        error = BadRequirement if isinstance(name, str) else BadField
        raise error(f"{path}.operator", f"must be one of {', '.join(_OPERATORS)}, got {shown(name)}")
    operator = Operator(name)
    if bool(values) is not (operator in (Operator.IN, Operator.NOT_IN)):
        raise BadRequirement(
            f"{path}.values", f"{name} {'takes no values' if values else 'requires at least one value'}"
        )
    return Requirement(key, operator, values)


@lru_cache(maxsize=65536)  # pods and selectors have the labels of many others
def label_fault(key: str, value: str) -> str | None:
    return key_fault(key) or value_fault(value)


def directions_named(types: list[Any]) -> tuple[Direction, ...]:
    """Those that `Ingress` and `Egress` name, whatever their case; both where one is not known."""
    given = {name.capitalize() if isinstance(name, str) else "" for name in types}
    known = tuple(direction for direction in Direction if direction.value in given)
    return known if len(known) == len(given) else tuple(Direction)


def labels_or_any(metadata: Object) -> dict[str, str] | None:
    """An object's labels; None (may be any) for what can't be read."""
    try:
        return read_labels(metadata.get("labels"), "metadata.labels")
    except BadField:
        return None


def selector_or_any(value: Any) -> LabelSelector | None:
    """A metav1.LabelSelector; None (may select anything) for one that can't be read."""
    try:
        return read_selector(value, "")
    except BadField:
        return None


def read_labels(value: Any, path: str) -> dict[str, str]:
    """Labels or annotations, a map of strings; null is an empty one, and a value that is null is "", as to the API."""
    entries = mapping(value, path)
    unset = False
    for key, entry in entries.items():
        if type(entry) is not str:
            if entry is not None:
                hint = "quote it" if isinstance(entry, int | float) else None
                raise BadField(f"{path}.{key}", f"expected a string, got {shown(entry)}", hint)
            unset = True
    return {key: "" if entry is None else entry for key, entry in entries.items()} if unset else entries


def last_change(metadata: Object) -> str | None:
    """The latest time in the metadata, or None. Times are RFC 3339 in UTC, so they sort as strings."""
    times = [metadata.get("creationTimestamp"), metadata.get("deletionTimestamp")]
    managed = metadata.get("managedFields")
    times += [entry.get("time") for entry in managed if isinstance(entry, dict)] if isinstance(managed, list) else []
    return max([time for time in times if isinstance(time, str)], default=None)
