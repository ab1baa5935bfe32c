"""The table of odd spellings in tests/cases/spellings.yaml, row by row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.support.tables import SPELLINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = "refused"


class Spelling(NamedTuple):
    """One manifest. `server`: REFUSED, or what it stores at `stored`; `differs`: why the reader does the opposite."""

    name: str
    manifest: str
    stored: str
    server: Any
    differs: str | None


def spellings() -> Iterator[Spelling]:
    for group in yaml.safe_load(SPELLINGS.read_text(encoding="utf-8")):
        for text, answer in group["spellings"].items():
            server, differs = answer, None
            if isinstance(answer, dict) and "differs" in answer:
                server, differs = answer["server"], answer["differs"]
            yield Spelling(
                f"{group['field']}: {text}", group["in"].replace("@", text), group["stored"], server, differs
            )


def at(item: Any, path: str) -> Any:
    """The value at a path such as spec.ports[0], or None."""
    for step in re.findall(r"[^.\[\]]+", path):
        found = item.get(step) if isinstance(item, dict) else (item or [])[int(step) : int(step) + 1]
        item = found[0] if isinstance(found, list) and step.isdecimal() and found else found
    return item


def replaced(item: Any, path: str, value: Any) -> Any:
    """A copy of the object with this value at the path, of which all but the last step is there."""
    first, *rest = re.findall(r"[^.\[\]]+", path)
    if first.isdecimal():
        return [replaced_or(entry, rest, value) if i == int(first) else entry for i, entry in enumerate(item)]
    return {**(item or {}), first: replaced_or((item or {}).get(first), rest, value)}


def replaced_or(item: Any, rest: list[str], value: Any) -> Any:
    return replaced(item, ".".join(rest), value) if rest else value
