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
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NAME = re.compile(r"""[nN]ame["']?\s*:\s*["']?([^\s"',}]+)""")
_MAP, _LIST = "mapping", "sequence"
Key = tuple[str, str, str]


class Part(NamedTuple):
    """A document, or an item of a JSON list, in the whole text: where it begins, on which line (from 0), and itself.

    `version`, `kind`: those of an item that leaves them out.
    """

    start: int
    line: int
    text: str
    version: str = ""
    kind: str = ""


class Place(NamedTuple):
    """`parent`: the mapping or list that it stands in. `key`: of an entry of a mapping the node of its key."""

    part: Part
    node: Any
    parent: Any = None
    key: Any = None

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.part.line + int((self.key or self.node).start_mark.line) + 1

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node of this part begins and ends in the whole text."""
        return self.part.start + int(node.start_mark.index), self.part.start + int(node.end_mark.index)


class Positions:
    """Of one text that was read without error. Of an object that it has twice the last one counts.

    The first object with generateName p- has the name "p-#1", the second one "p-#2".
    """

    def __init__(self, content: str, default_namespace: str = "default") -> None:
        items = _json_items(content)
        self._parts = _documents(content) if items is None else items
        self._default = default_namespace
        # JSON as programs write it, megabytes in one line: nothing is to be looked for.
        self._one_line = content if items is not None and "\n" not in content.strip() else None
        self._names: set[str] | None = None  # in the one line
        self._by_name: dict[str, list[int]] | None = None  # in which parts a name stands
        self._objects: dict[int, dict[Key, list[Any]]] = {}

    def place(self, key: Key, path: str) -> Place | None:
        """That of the field, or None where the object does not have it."""
        places = list(self._walk(key, path))
        return places[-1] if len(places) == len(steps(path)) + 1 else None

    def line(self, key: Key, path: str) -> int | None:
        """The line of the field, or of what is nearest above it; None for an object that is not in the text."""
        if self._one_line is not None:
            if self._names is None:
                self._names = set(_NAME.findall(self._one_line))
            return 1 if key[2] in self._names else None
        places = list(self._walk(key, path))
        return places[-1].line if places else None

    def _walk(self, key: Key, path: str) -> Iterator[Place]:
        """The object, and each further step as far as it goes."""
        found = self._find(key)
        if found is None:
            return
        part, node = found
        yield Place(part, node)
        for step in steps(path):
            child = _child(part, node, step)
            if child is None:
                return
            yield child
            node = child.node

    def _find(self, key: Key) -> tuple[Part, Any] | None:
        if self._by_name is None:
            self._by_name = {}
            for number, part in enumerate(self._parts):
                for name in set(_NAME.findall(part.text)):
                    self._by_name.setdefault(name, []).append(number)
        name, numbered, nth = key[2].partition("#")
        found = [
            (self._parts[number], node)
            for number in self._by_name.get(name, ())
            for node in self._in_part(number).get((key[0], key[1], name + numbered), ())
        ]
        if numbered:
            return found[int(nth) - 1] if int(nth) <= len(found) else None
        return found[-1] if found else None

    def _in_part(self, number: int) -> dict[Key, list[Any]]:
        if number not in self._objects:
            part = self._parts[number]
            self._objects[number] = {}
            for root in compose_all(part.text):
                self._collect(self._objects[number], root, part.version, part.kind)
        return self._objects[number]

    def _collect(self, objects: dict[Key, list[Any]], node: Any, version: str, kind: str) -> None:
        """By name, and those with a generateName by that and a #."""
        if node is None or node.id != _MAP:
            return
        fields = {key.value: value for key, value in node.value if key.id == "scalar"}
        version, kind = _text(fields.get("apiVersion")) or version, _text(fields.get("kind")) or kind
        items = fields.get("items")
        if kind.endswith("List") and items is not None and items.id == _LIST:
            for item in items.value:
                self._collect(objects, item, version, kind.removesuffix("List"))
            return
        metadata = fields.get("metadata")
        known = kind_of(kind, version)
        if known is None or metadata is None or metadata.id != _MAP:
            return
        about = {key.value: _text(value) for key, value in metadata.value if key.id == "scalar"}
        namespace = (about.get("namespace") or self._default) if known.namespaced else ""
        name = about.get("name") or f"{about.get('generateName')}#"
        objects.setdefault((known.name, namespace, name), []).append(node)


def _documents(content: str) -> list[Part]:
    """The documents of a stream: a marker begins one wherever a line starts with it."""
    starts = [0, *(match.start() for match in _MARKER.finditer(content) if match.start())]
    parts, line = [], 0
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        parts.append(Part(start, line, content[start:end]))
        line += content.count("\n", start, end)
    return parts


def _json_items(content: str) -> list[Part] | None:
    """The items of a JSON list; None for any other text."""
    if not content.lstrip().startswith("{"):
        return None
    decode = json.JSONDecoder().raw_decode
    spans: list[tuple[int, int]] | None = None
    about: dict[str, str] = {}
    try:
        at = _after(content, 0, "{")
        while True:
            key, at = decode(content, at)
            at = _after(content, at, ":")
            if key == "items" and content[at] == "[":
                spans, at = _spans(content, at)
            else:
                about[key], at = decode(content, at)
            at = _after(content, at, ",")
    except (ValueError, IndexError):  # at the end of the object, or no JSON at all
        pass
    if spans is None:
        return None
    version, kind = str(about.get("apiVersion", "")), str(about.get("kind", "")).removesuffix("List")
    parts, line, at = [], 0, 0
    for start, end in spans:
        line, at = line + content.count("\n", at, start), start
        parts.append(Part(start, line, content[start:end], version, kind))
    return parts


def _spans(content: str, at: int) -> tuple[list[tuple[int, int]], int]:
    """Where each item of the list begins and ends, and where the list ends."""
    spans = []
    at = _after(content, at, "[")
    while content[at] != "]":
        _, end = json.JSONDecoder().raw_decode(content, at)
        spans.append((at, end))
        at = _skip(content, end)
        if content[at] == ",":
            at = _after(content, at, ",")
    return spans, at + 1


def _after(content: str, at: int, character: str) -> int:
    """Where the next token begins after this one. ValueError if it is another."""
    at = _skip(content, at)
    if content[at] != character:
        raise ValueError(character)
    return _skip(content, at + 1)


def _skip(content: str, at: int) -> int:
    match = _SPACE.match(content, at)
    return match.end() if match else at


def steps(path: str) -> list[str]:
    """The steps of a path such as spec.ingress[0].from[1].podSelector.matchLabels[app.kubernetes.io/name]."""
    return [name or index for name, index in _STEP.findall(path)]


def _child(part: Part, node: Any, step: str) -> Place | None:
    if node.id == _MAP:
        return next((Place(part, value, node, key) for key, value in node.value if key.value == step), None)
    if node.id == _LIST and step.isdecimal() and int(step) < len(node.value):
        return Place(part, node.value[int(step)], node)
    return None


def _text(node: Any) -> str:
    return str(node.value) if node is not None and node.id == "scalar" else ""
