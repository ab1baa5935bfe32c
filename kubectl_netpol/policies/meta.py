"""A NetworkPolicy object to the model, checked as the API server checks it; selectors and labels of other kinds too.

`policyTypes` left out, rule lists absent, null or empty, and empty against absent selectors are told apart here.
"""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import BadField, known_fields, mapping, objects, sequence, shown, text
from kubectl_netpol.model.names import key_fault, value_fault
from kubectl_netpol.model.ports import PROTOCOLS
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

Object = dict[str, Any]


def read_protocol(item: Object, path: str) -> str:
    """The protocol of a port (its field is at `path`), TCP where it is left out."""
    protocol = item.get("protocol")
    if protocol is None:
        return "TCP"
    if protocol not in PROTOCOLS:
        raise BadField(path, f"{shown(protocol)} is none of {', '.join(PROTOCOLS)}")
    return str(protocol)


def read_selector(value: Any, path: str) -> LabelSelector:
    """A metav1.LabelSelector; null is the empty one, which selects everything. BadField where the API refuses it."""
    selector = mapping(value, path)
    known_fields(selector, path, ("matchLabels", "matchExpressions"))
    requirements = []
    for key, wanted in read_labels(selector.get("matchLabels"), f"{path}.matchLabels").items():
        if fault := key_fault(key) or value_fault(wanted):
            raise BadField(f"{path}.matchLabels", fault)
        requirements.append(Requirement(key, Operator.IN, (wanted,)))
    for index, entry in enumerate(sequence(selector.get("matchExpressions"), f"{path}.matchExpressions")):
        at = f"{path}.matchExpressions[{index}]"
        expression = mapping(entry, at)
        known_fields(expression, at, ("key", "operator", "values"))
        key = text(expression.get("key"), f"{at}.key")
        if fault := key_fault(key):
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
