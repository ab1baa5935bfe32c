"""Where the fields of objects stand in a YAML or JSON text. Only asked for texts that something is to be said about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.manifests.yaml_text import compose_all
from kubectl_netpol.model.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
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
    """Of one text that was read without error. Of an object that it has twice the last one counts."""

    def __init__(self, content: str, default_namespace: str = "default") -> None:
        self._objects: dict[Key, Any] = {}
        self._default = default_namespace
        for root in compose_all(content):
            self._collect(root, "", "")

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
        """That of the field, or None where the object does not have it."""
        places = list(self._walk(key, path))
        return places[-1] if len(places) == len(steps(path)) + 1 else None

    def line(self, key: Key, path: str) -> int | None:
        """The line of the field, or of what is nearest above it; None for an object that is not in the text."""
        places = list(self._walk(key, path))
        return places[-1].line if places else None

    def _walk(self, key: Key, path: str) -> Iterator[Place]:
        """The object, and each further step as far as it goes."""
        node = self._objects.get(key)
        if node is None:
            return
        yield Place(node)
        for step in steps(path):
            place = _child(node, step)
            if place is None:
                return
            yield place
            node = place.node


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
