"""Label selectors: what they match, and kubectl's grammar for them (`app=web,tier in (a,b),!debug`)."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.validation import key_fault, value_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA_NAME = "kubernetes.io/metadata.name"


class Operator(str, Enum):
    """metav1.LabelSelectorOperator."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Requirement(NamedTuple):
    """One condition on labels. An entry of matchLabels is In with one value."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """NotIn and DoesNotExist match labels without the key."""
        value = labels.get(self.key)
        if self.operator is Operator.IN:
            return value is not None and value in self.values
        if self.operator is Operator.NOT_IN:
            return value is None or value not in self.values
        return (value is not None) is (self.operator is Operator.EXISTS)


class LabelSelector(NamedTuple):
    """metav1.LabelSelector: matches if all requirements do, so without any it matches everything.

    An absent selector is None, not an empty one.
    """

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        for requirement in self.requirements:  # noqa: SIM110 - all() takes half as long again
            if not requirement.matches(labels):
                return False
        return True

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> LabelSelector:
        """The selector whose matchLabels these are."""
        return cls(tuple(Requirement(key, Operator.IN, (value,)) for key, value in labels.items()))


_SET = r"(?P<key>[^\s!=,()<>]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)"
_EQUALITY = r"(?P<key>[^\s!=,()<>]+)\s*(?P<operator>==?|!=)\s*(?P<value>[^\s!=,()<>]*)"
_EXISTENCE = r"(?P<not>!\s*)?(?P<key>[^\s!=,()<>]+)"
_NUMERIC = r"[^\s!=,()<>]+\s*[<>]\s*\S+"


def parse_selector(text: str) -> LabelSelector:
    """A selector in kubectl's grammar; "" matches everything.

    `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, `k`, `!k`, joined by commas. UsageError for anything else,
    `k>1` included, which a LabelSelector can't express.
    """
    return LabelSelector(tuple(_requirement(part, text) for part in _split(text))) if text.strip() else LabelSelector()


def requirement_text(requirement: Requirement) -> str:
    """A requirement in kubectl's grammar."""
    key, values = requirement.key, requirement.values
    if requirement.operator is Operator.IN:
        return f"{key}={values[0]}" if len(values) == 1 else f"{key} in ({','.join(values)})"
    if requirement.operator is Operator.NOT_IN:
        return f"{key}!={values[0]}" if len(values) == 1 else f"{key} notin ({','.join(values)})"
    return key if requirement.operator is Operator.EXISTS else f"!{key}"


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        depth += {"(": 1, ")": -1}.get(character, 0)
    return [*parts, text[start:]]


def _requirement(part: str, text: str) -> Requirement:
    part = part.strip()
    if match := re.fullmatch(_SET, part):
        key, values = match["key"], tuple(dict.fromkeys(value.strip() for value in match["values"].split(",")))
        operator = Operator.IN if match["operator"] == "in" else Operator.NOT_IN
    elif match := re.fullmatch(_EQUALITY, part):
        key, values = match["key"], (match["value"],)
        operator = Operator.NOT_IN if match["operator"] == "!=" else Operator.IN
    elif match := re.fullmatch(_EXISTENCE, part):
        key, values = match["key"], ()
        operator = Operator.DOES_NOT_EXIST if match["not"] else Operator.EXISTS
    elif re.fullmatch(_NUMERIC, part):
        raise UsageError(
            f'invalid label selector "{part}": a NetworkPolicy can\'t compare numbers', "list the values: k in (1,2)"
        )
    else:
        raise UsageError(f'invalid label selector "{text}": can\'t parse "{part}"', "write k=v, k in (a,b), k or !k")
    fault = key_fault(key) or next(filter(None, map(value_fault, values)), None)
    if fault:
        raise UsageError(fault, "to list labels: kubectl get pods --show-labels")
    return Requirement(key, operator, values)


def selector_text(selector: LabelSelector) -> str:
    """A selector in kubectl's grammar; "" if it matches everything."""
    return ",".join(requirement_text(requirement) for requirement in selector.requirements)


def in_namespace(name: str) -> LabelSelector:
    """The namespaceSelector for one namespace, by the label that the API server sets."""
    return LabelSelector.of({METADATA_NAME: name})
