"""Reads fields of a kubeconfig; no error shows the value of a field, which may be a password."""

from __future__ import annotations

import base64
import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
_MOST_BYTES = 16 << 20
_SCALARS = {bool: "a boolean", int: "a number", float: "a number"}
_KINDS = {**_SCALARS, str: "a string", list: "a list", dict: "a mapping"}


def text(body: Mapping[str, Any], key: str, owner: str) -> str:
    """The string at `key`, "" if absent; `owner` names the body in an error."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(key, owner, "a string", value, "quote it" if type(value) in _SCALARS else None)
    if re.search("[\ud800-\udfff]", value):
        raise ClusterError(f"invalid kubeconfig: {key} of {owner} has half a character")
    return value


def flag(body: Mapping[str, Any], key: str, owner: str) -> bool:
    """The boolean at `key`, false if absent."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise _wrong(key, owner, "true or false", value)
    return bool(value)


def mapping(body: Mapping[str, Any], key: str, owner: str) -> dict[str, Any]:
    """The mapping at `key`, empty if absent."""
    value = body.get(key)
    if value is not None and not isinstance(value, dict):
        raise _wrong(key, owner, "a mapping", value)
    return value or {}


def strings(body: Mapping[str, Any], key: str, owner: str) -> tuple[str, ...]:
    """The list of strings at `key`, empty if absent."""
    return _list(body, key, owner, str, "strings")


def mappings(body: Mapping[str, Any], key: str, owner: str) -> tuple[dict[str, Any], ...]:
    """The list of mappings at `key`, empty if absent."""
    return _list(body, key, owner, dict, "mappings")


def _list(body: Mapping[str, Any], key: str, owner: str, kind: type[T], noun: str) -> tuple[T, ...]:
    value = body.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
        raise _wrong(key, owner, f"a list of {noun}", value)
    return tuple(value)


def _wrong(key: str, owner: str, expected: str, value: Any, hint: str | None = None) -> ClusterError:
    found = "" if isinstance(value, list) else f", not {_KINDS.get(type(value), type(value).__name__)}"
    return ClusterError(f"invalid kubeconfig: {key} of {owner} must be {expected}{found}", hint)


def read_file(path: str) -> bytes:
    """OSError where it can't be read, or is larger than any such file; ValueError for a NUL in the path."""
    with Path(path).open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"more than {_MOST_BYTES >> 20} MiB", path)
    return content


def data_or_file(body: Mapping[str, Any], key: str, owner: str) -> bytes:
    """The decoded `KEY-data`, or else the content of the file `KEY`; empty if neither is given."""
    path, encoded = text(body, key, owner), text(body, f"{key}-data", owner)
    if encoded:
        try:
            return base64.b64decode(encoded.replace("\r", "").replace("\n", ""), validate=True)
        except ValueError:
            raise ClusterError(f"invalid kubeconfig: {key}-data of {owner} is not valid base64") from None
    if not path:
        return b""
    try:
        return read_file(path)
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        why = getattr(error, "strerror", None) or error
        raise ClusterError(f"unable to read {key} {path} for {owner} due to {why}") from error
