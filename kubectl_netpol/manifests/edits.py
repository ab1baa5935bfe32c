"""Edits of one object's text that leave everything else as it is written, comments too; and the unified diff."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from kubectl_netpol.manifests.positions import Key, Place, Positions
from kubectl_netpol.manifests.writer import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*|[1-9][0-9]*")
_NO_NEWLINE = "\\ No newline at end of file\n"


def edited(content: str, default_namespace: str, key: Key, edits: tuple[tuple[str, str, str], ...]) -> str | None:
    """The text after all edits (operation, path, text) of the object; None where one of them can't be made.

    What the new text means is for the caller to read and compare.
    """
    for operation, path, text in edits:
        positions = Positions(content, default_namespace)
        place = positions.place(key, path)
        changed = _OPERATIONS[operation](content, place, text) if place else None
        if changed is None:
            return None
        content = changed
    return content


def unified_diff(name: str, before: str, after: str) -> str:
    """As `git apply` takes it, with the file's own line breaks."""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(content: str) -> list[str]:
    """With their ends. Only a line feed ends a line of a diff."""
    lines = [f"{line}\n" for line in content.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _replace(content: str, place: Place, text: str) -> str | None:
    return _written(content, place.node, text)


def _rename(content: str, place: Place, text: str) -> str | None:
    return _written(content, place.key, text) if place.key is not None else None


def _written(content: str, node: Any, text: str) -> str | None:
    """The scalar in the quotes that it has."""
    if node.id != "scalar" or node.style not in (None, "", "'", '"'):
        return None
    old = content[node.start_mark.index : node.end_mark.index]
    if node.style == '"' and old.startswith('"'):
        text = quoted(text)
    elif node.style == "'" and old.startswith("'"):
        text = f"'{text}'"
    elif not _PLAIN.fullmatch(text):
        text = quoted(text)
    return content[: node.start_mark.index] + text + content[node.end_mark.index :]


def _join(content: str, place: Place, _: str) -> str | None:
    """An item of a block list becomes part of the item before it: its dash goes."""
    if place.parent is None or place.parent.id != "sequence" or place.parent.flow_style:
        return None
    start = place.node.start_mark
    begin = content.rfind("\n", 0, start.index) + 1
    dash = content.rfind("-", begin, start.index)
    if dash < 0 or content[begin:dash].strip() or content[dash + 1 : start.index].strip():
        return None
    return content[:dash] + " " + content[dash + 1 :]


def _remove(content: str, place: Place, _: str) -> str | None:
    """An item of a block list with its lines; of the only one, the list becomes an empty one."""
    if place.parent is None or place.parent.id != "sequence" or place.parent.flow_style:
        return None
    items = place.parent.value
    lines = _lines(content)
    first, end = place.node.start_mark.line, _last_line(place.node) + 1
    if not lines[first].lstrip().startswith("-"):
        return None
    if len(items) > 1:
        return "".join(lines[:first] + lines[end:])
    for line in range(first - 1, -1, -1):  # the key that the list belongs to
        if lines[line].rstrip().endswith(":"):
            head = lines[line].rstrip()
            ending = lines[line][len(head) :] or "\n"
            return "".join([*lines[:line], f"{head} []{ending}", *lines[line + 1 : first], *lines[end:]])
        if lines[line].strip() and not lines[line].lstrip().startswith("#"):
            return None
    return None


def _last_line(node: Any) -> int:
    """The last line on which something of the node stands: what follows it, comments too, is not part of it."""
    last = int(node.start_mark.line)
    if node.id == "scalar" or node.flow_style or not node.value:
        return max(last, int(node.end_mark.line) if node.end_mark.column else int(node.end_mark.line) - 1, last)
    for child in _children(node):
        last = max(last, _last_line(child))
    return last


def _children(node: Any) -> Iterator[Any]:
    for value in node.value:
        yield from value if isinstance(value, tuple) else (value,)


def _append(content: str, place: Place, text: str) -> str | None:
    """A scalar to a list of scalars."""
    node = place.node
    if node.id != "sequence" or not node.value:
        return None
    last = node.value[-1]
    if node.flow_style:
        return content[: last.end_mark.index] + f", {text}" + content[last.end_mark.index :]
    begin = content.rfind("\n", 0, last.start_mark.index) + 1
    end = content.find("\n", last.end_mark.index)
    end = len(content) if end < 0 else end
    indent = content[begin : last.start_mark.index]
    if indent.strip() != "-":
        return None
    return f"{content[:end]}\n{indent}{text}{content[end:]}"


_OPERATIONS = {"replace": _replace, "rename": _rename, "join": _join, "remove": _remove, "append": _append}
