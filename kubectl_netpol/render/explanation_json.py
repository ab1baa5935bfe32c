"""An ExplanationList as JSON, written pod by pod: what pods share is put into words once, and memory has a bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.console import json_safe
from kubectl_netpol.render.json_objects import explanation_object, kind, warning_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.analysis.isolation import Explanation
    from kubectl_netpol.engine.verdict import Note
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.render.json_objects import Make

_MOST_CHARACTERS = 32_000_000
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _scalar(value: Any) -> str:
    text = _encode(value)
    return text if text.isascii() and "\x7f" not in text else json_safe(text)


class _Part(NamedTuple):
    """What several explanations have; `make` makes its object."""

    of: Any
    make: Make


def explanations_json(
    found: Iterable[tuple[Explanation, Sequence[Finding | Note]]], warnings: Iterable[Finding | Note]
) -> Iterator[str]:
    """In pieces, as `serialize` writes the whole."""
    texts = _Texts()
    head, _, _ = texts.write(kind("ExplanationList", {"items": None}), 0).partition("null")
    separator, ending = f"{head}[\n    ", f"{head}[]"
    for explanation, notes in found:
        yield separator + texts.write(explanation_object(explanation, notes, shared=_Part), 2)
        separator, ending = ",\n    ", "\n  ]"
    yield f'{ending},\n  "warnings": {texts.write([warning_object(one) for one in warnings], 1)}\n}}\n'


class _Texts:
    """JSON with an indent of 2, as `json` writes it. The text of a part is kept for as long as there is room."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, object, int], tuple[Any, str]] = {}
        self._size = 0

    def write(self, value: Any, depth: int) -> str:
        """`depth`: of the brackets around it."""
        if isinstance(value, _Part):
            return self._part(value, depth)
        if not value or not isinstance(value, (dict, list)):
            return _scalar(value)
        between = ",\n" + "  " * (depth + 1)
        if isinstance(value, dict):
            fields = [f"{_scalar(key)}: {self.write(one, depth + 1)}" for key, one in value.items()]
            return f"{{{between[1:]}{between.join(fields)}{between[1:-2]}}}"
        listed = [_scalar(one) if isinstance(one, str) else self.write(one, depth + 1) for one in value]
        return f"[{between[1:]}{between.join(listed)}{between[1:-2]}]"

    def _part(self, part: _Part, depth: int) -> str:
        key = id(part.of), part.make, depth
        if key not in self._known:
            text = self.write(part.make(part.of, _Part), depth)
            self._size += len(text)
            if self._size > _MOST_CHARACTERS:
                self._known.clear()
                self._size = len(text)
            self._known[key] = part.of, text
        return self._known[key][1]
