"""Label texts: what the API server accepts, and kubectl's selector grammar (`app=web,tier in (a,b),!debug`)."""

from __future__ import annotations

import re

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model import LabelSelector, Operator, Requirement

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN_LENGTH = 253
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
_SET = re.compile(r"(?P<key>[^\s!=,()<>]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(r"(?P<key>[^\s!=,()<>]+)\s*(?P<operator>==?|!=)\s*(?P<value>[^\s!=,()<>]*)")
_EXISTENCE = re.compile(r"(?P<not>!\s*)?(?P<key>[^\s!=,()<>]+)")
_NUMERIC = re.compile(r"[^\s!=,()<>]+\s*[<>]\s*\S+")


def key_fault(key: str) -> str | None:
    """What keeps the text from being a label key, or None. Rules of the API's IsQualifiedName."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _DNS_SUBDOMAIN_LENGTH or not _PREFIX.fullmatch(prefix)):
        return f'"{key}" is no label key: what stands before the slash must be a DNS name in lower case'
    if not _NAME.fullmatch(name):
        return f'"{key}" is no label key: 1 to 63 of A-Z a-z 0-9 . _ -, a letter or digit at both ends'
    return None


def value_fault(value: str) -> str | None:
    """What keeps the text from being a label value, or None. Rules of the API's IsValidLabelValue; empty is valid."""
    if value and not _NAME.fullmatch(value):
        return f'"{value}" is no label value: at most 63 of A-Z a-z 0-9 . _ -, a letter or digit at both ends'
    return None


def is_port_name(name: str) -> bool:
    """Whether the text is a port name (IANA service name: 15 of a-z 0-9 -, at least one letter)."""
    return _PORT_NAME.fullmatch(name) is not None


def is_namespace_name(name: str) -> bool:
    """Whether the text can be a namespace's name (a DNS label)."""
    return _DNS_LABEL.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """Whether the text can be the name of a policy or a pod (a DNS subdomain)."""
    return len(name) <= _DNS_SUBDOMAIN_LENGTH and _PREFIX.fullmatch(name) is not None


def parse_selector(text: str) -> LabelSelector:
    """The LabelSelector that kubectl's grammar means; "" selects everything.

    `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, `k`, `!k`, joined by commas. `k!=v` accepts an absent key,
    as NotIn does. UsageError for anything else, `k>1` included, which a LabelSelector can't say.
    """
    return LabelSelector(tuple(_requirement(part, text) for part in _split(text))) if text.strip() else LabelSelector()


def requirement_text(requirement: Requirement) -> str:
    """A requirement in the grammar that parse_selector reads."""
    key, values = requirement.key, requirement.values
    if requirement.operator is Operator.IN:
        return f"{key}={values[0]}" if len(values) == 1 else f"{key} in ({','.join(values)})"
    if requirement.operator is Operator.NOT_IN:
        return f"{key}!={values[0]}" if len(values) == 1 else f"{key} notin ({','.join(values)})"
    return key if requirement.operator is Operator.EXISTS else f"!{key}"


def _split(text: str) -> list[str]:
    """The requirements, split at commas outside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        depth += {"(": 1, ")": -1}.get(character, 0)
    return [*parts, text[start:]]


def _requirement(part: str, text: str) -> Requirement:
    part = part.strip()
    if match := _SET.fullmatch(part):
        key, values = match["key"], tuple(dict.fromkeys(value.strip() for value in match["values"].split(",")))
        operator = Operator.IN if match["operator"] == "in" else Operator.NOT_IN
    elif match := _EQUALITY.fullmatch(part):
        key, values = match["key"], (match["value"],)
        operator = Operator.NOT_IN if match["operator"] == "!=" else Operator.IN
    elif match := _EXISTENCE.fullmatch(part):
        key, values = match["key"], ()
        operator = Operator.DOES_NOT_EXIST if match["not"] else Operator.EXISTS
    elif _NUMERIC.fullmatch(part):
        raise UsageError(f"a NetworkPolicy's selector can't compare numbers: \"{part}\"", "name the values: k in (1,2)")
    else:
        raise UsageError(f'"{text}" is no label selector: "{part}" can\'t be read', "write k=v, k in (a,b), k or !k")
    fault = key_fault(key) or next(filter(None, map(value_fault, values)), None)
    if fault:
        raise UsageError(fault, "look at the labels: kubectl get pods --show-labels")
    return Requirement(key, operator, values)
