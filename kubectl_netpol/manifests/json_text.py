"""JSON documents one after the other, as kubectl reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"\s*")


def is_json(content: str) -> bool:
    """Whether a text begins as JSON does; it may be flow-style YAML too."""
    return re.match(r"\s*[\[{]", content) is not None


def load_stream(content: str) -> Iterator[Any]:
    """ValueError for anything but JSON, and for an object that has a key twice."""
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)
    start = _SPACE.match(content).end()  # type: ignore[union-attr] # it matches nothing as well
    while start < len(content):
        document, end = decoder.raw_decode(content, start)
        yield document
        start = _SPACE.match(content, end).end()  # type: ignore[union-attr] # it matches nothing as well


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)
