"""What the API server accepts as label keys and values, and as names of objects, namespaces and ports."""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN_LENGTH = 253
_CHARACTERS = "A-Z a-z 0-9 . _ -, with a letter or digit at both ends"
_DNS_1035_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_CRON_JOB_LENGTH = 52  # the Jobs that it makes have eleven characters more
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")


def key_fault(key: str) -> str | None:
    """What is wrong with a label key, or None. Rules of the API's IsQualifiedName."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _DNS_SUBDOMAIN_LENGTH or not _PREFIX.fullmatch(prefix)):
        return f'invalid label key "{key}": the part before the slash must be a lowercase DNS name'
    if not _NAME.fullmatch(name):
        return f'invalid label key "{key}": must be 1-63 of {_CHARACTERS}'
    return None


def value_fault(value: str) -> str | None:
    """What is wrong with a label value, or None. Rules of the API's IsValidLabelValue; empty is valid."""
    if value and not _NAME.fullmatch(value):
        return f'invalid label value "{value}": must be at most 63 of {_CHARACTERS}'
    return None


def is_port_name(name: str) -> bool:
    """An IANA service name: at most 15 of a-z 0-9 -, at least one of them a letter."""
    return _PORT_NAME.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def is_namespace_name(name: str) -> bool:
    """A DNS label."""
    return _DNS_LABEL.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """A DNS subdomain, as the names of pods and policies are."""
    return len(name) <= _DNS_SUBDOMAIN_LENGTH and _PREFIX.fullmatch(name) is not None


def name_fault(kind: str, name: str) -> str | None:
    """What is wrong with the name of an object of this kind, or None."""
    if kind == "Namespace":
        fitting, rule = is_namespace_name(name), "must be 1-63 of a-z 0-9 -, with a letter or digit at both ends"
    elif kind == "Service":
        fitting = _DNS_1035_LABEL.fullmatch(name) is not None
        rule = "must be 1-63 of a-z 0-9 -, with a letter first and a letter or digit last"
    else:
        most = _CRON_JOB_LENGTH if kind == "CronJob" else _DNS_SUBDOMAIN_LENGTH
        fitting = is_object_name(name) and len(name) <= most
        rule = f"must be 1-{most} of a-z 0-9 - ., with a letter or digit at both ends and beside each dot"
    return None if fitting else f'invalid name "{name}": {rule}'
