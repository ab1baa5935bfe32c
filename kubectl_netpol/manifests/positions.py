"""Where the fields of objects stand in a YAML or JSON text. Only asked for texts that something is to be said about."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.manifests.yaml_text import compose_all
from kubectl_netpol.model.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
_SPACE = re.compile(r"\s*")
_MAP, _LIST = "mapping", "sequence"
Key = tuple[str, str, str]


class Place(NamedTuple):
    """`parent`: the mapping or list that it stands in. `key`: of an entry of a mapping the node of its key."""

    node: Any
    parent: Any = None
    key: Any = None

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int((self.key or self.node).start_mark.line) + 1


class Positions:
    """Of one text that was read without error. Of an object that it has twice the last one counts.

    Of a JSON list only the objects that are asked for are looked into.
    """

    def __init__(self, content: str, default_namespace: str = "default") -> None:
        self._objects: dict[Key, Any] = {}
        self._parts: dict[Key, tuple[int, str]] = {}
        self._default = default_namespace
        items = _json_items(content)
        if items is None:
            for root in compose_all(content):
                self._collect(root, "", "")
        else:
            self._find_parts(content, items)

    def _find_parts(self, content: str, items: list[tuple[Any, int, int]]) -> None:
        """The text of each item, and the line on which it begins."""
        line, at = 0, 0
        for item, start, end in items:
            line, at = line + content.count("\n", at, start), start
            metadata = item.get("metadata") if isinstance(item, dict) else None
            known = kind_of(str(item.get("kind")), str(item.get("apiVersion"))) if isinstance(metadata, dict) else None
            if known and isinstance(metadata, dict):
                namespace = (metadata.get("namespace") or self._default) if known.namespaced else ""
                self._parts[known.name, namespace, metadata.get("name") or ""] = line, content[start:end]

    def _collect(self, node: Any, version: str, kind: str) -> None:
        if node is None or node.id != _MAP:
            return
        fields = {key.value: value for key, value in node.value}
        version, kind = _text(fields.get("apiVersion")) or version, _text(fields.get("kind")) or kind
        items = fields.get("items")
        if kind.endswith("List") and items is not None and items.id == _LIST:
            for item in items.value:
                self._collect(item, version, kind.removesuffix("List"))
            return
        metadata = fields.get("metadata")
        known = kind_of(kind, version)
        if known is None or metadata is None or metadata.id != _MAP:
            return
        about = {key.value: _text(value) for key, value in metadata.value}
        namespace = (about.get("namespace") or self._default) if known.namespaced else ""
        self._objects[known.name, namespace, about.get("name") or about.get("generateName") or ""] = node

    def place(self, key: Key, path: str) -> Place | None:
        """That of the field, or None where the object does not have it, and for an item of a JSON list."""
        places = list(self._walk(self._objects.get(key), path))
        return places[-1] if len(places) == len(steps(path)) + 1 else None

    def line(self, key: Key, path: str) -> int | None:
        """The line of the field, or of what is nearest above it; None for an object that is not in the text."""
        first, part = self._parts.get(key, (0, None))
        root = next(compose_all(part)) if part else self._objects.get(key)
        places = list(self._walk(root, path))
        return first + places[-1].line if places else None

    @staticmethod
    def _walk(node: Any, path: str) -> Iterator[Place]:
        """The object, and each further step as far as it goes."""
        if node is None:
            return
        yield Place(node)
        for step in steps(path):
            place = _child(node, step)
            if place is None:
                return
            yield place
            node = place.node


def _json_items(content: str) -> list[tuple[Any, int, int]] | None:
    """The items of a JSON list, each with its place in the text; None for any other text."""
    if not content.lstrip().startswith("{"):
        return None
    decode, items = json.JSONDecoder().raw_decode, None
    try:
        at = _after(content, 0, "{")
        while True:
            key, at = decode(content, at)
            at = _after(content, at, ":")
            if key == "items" and content[at] == "[":
                items, at = _spans(content, at)
            else:
                _, at = decode(content, at)
            at = _after(content, at, ",")
    except (ValueError, IndexError):
        return items  # at the end of the object, or not JSON at all


def _spans(content: str, at: int) -> tuple[list[tuple[Any, int, int]], int]:
    spans: list[tuple[Any, int, int]] = []
    at = _after(content, at, "[")
    while content[at] != "]":
        item, end = json.JSONDecoder().raw_decode(content, at)
        spans.append((item, at, end))
        at = _SPACE.match(content, end).end()  # type: ignore[union-attr] # it matches nothing, too
        if content[at] == ",":
            at = _after(content, at, ",")
    return spans, at + 1


def _after(content: str, at: int, character: str) -> int:
    """Where the next token begins after this one. ValueError if it is another."""
    at = _SPACE.match(content, at).end()  # type: ignore[union-attr] # it matches nothing, too
    if content[at] != character:
        raise ValueError(character)
    return int(_SPACE.match(content, at + 1).end())  # type: ignore[union-attr] # the same


def steps(path: str) -> list[str]:
    """The steps of a path such as spec.ingress[0].from[1].podSelector.matchLabels[app.kubernetes.io/name]."""
    return [name or index for name, index in _STEP.findall(path)]


def _child(node: Any, step: str) -> Place | None:
    if node.id == _MAP:
        found = [Place(value, node, key) for key, value in node.value if key.value == step]
        return found[-1] if found else None
    if node.id == _LIST and step.isdecimal() and int(step) < len(node.value):
        return Place(node.value[int(step)], node)
    return None


def _text(node: Any) -> str:
    return str(node.value) if node is not None and node.id == "scalar" else ""
