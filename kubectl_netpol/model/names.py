"""Label texts: what the API server accepts, and kubectl's selector grammar (`app=web,tier in (a,b),!debug`)."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN_LENGTH = 253
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")


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
