"""Edits of one object's text that leave everything else as it is written, comments too; and the unified diff."""

from __future__ import annotations

import difflib
import os
import re
import string
from typing import Any

from kubectl_netpol.manifests.positions import Key, Place, Positions
from kubectl_netpol.manifests.writer import quoted

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*|[1-9][0-9]*")
_PRINTED = string.digits + string.ascii_letters + string.punctuation + " "
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
    lines = difflib.unified_diff(_lines(before), _lines(after), _name(f"a/{name}"), _name(f"b/{name}"))
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _name(path: str) -> str:
    """A path as git writes it: in quotes if something in it would be taken for another line, or is not UTF-8."""
    if not re.search(r'[\x00-\x1f"\\\x7f\ud800-\udfff]', path):
        return path
    known = {ord('"'): '\\"', ord("\\"): "\\\\"}
    pieces = (
        known.get(byte) or (chr(byte) if chr(byte) in _PRINTED else f"\\{byte:03o}") for byte in os.fsencode(path)
    )
    return f'"{"".join(pieces)}"'


def _lines(content: str) -> list[str]:
    """With their ends. Only a line feed ends a line of a diff."""
    lines = [f"{line}\n" for line in content.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _replace(content: str, place: Place, text: str) -> str | None:
    return _written(content, place, place.node, text)


def _rename(content: str, place: Place, text: str) -> str | None:
    return _written(content, place, place.key, text) if place.key is not None else None


def _written(content: str, place: Place, node: Any, text: str) -> str | None:
    """The scalar in the quotes that it has."""
    if node.id != "scalar" or node.style not in (None, "", "'", '"'):
        return None
    start, end = place.span(node)
    quote = content[start : start + 1]
    if quote == '"':
        text = quoted(text)
    elif quote == "'":
        text = f"'{text}'"
    elif not _PLAIN.fullmatch(text):
        text = quoted(text)
    return content[:start] + text + content[end:]


def _join(content: str, place: Place, _: str) -> str | None:
    """An item of a block list becomes part of the item before it: its dash goes."""
    start, _end = place.span(place.node)
    begin = content.rfind("\n", 0, start) + 1
    dash = content.rfind("-", begin, start)
    if not _in_block_list(place) or dash < 0 or content[begin:dash].strip() or content[dash + 1 : start].strip():
        return None
    return content[:dash] + " " + content[dash + 1 :]


def _in_block_list(place: Place) -> bool:
    return place.parent is not None and place.parent.id == "sequence" and not place.parent.flow_style


def _remove(content: str, place: Place, _: str) -> str | None:
    """An item of a block list with its lines; of the only one, the list becomes an empty one."""
    if not _in_block_list(place):
        return None
    lines = _lines(content)
    first, end = place.line - 1, place.part.line + _last_line(place.node) + 1
    if not lines[first].lstrip().startswith("-"):
        return None
    if len(place.parent.value) > 1:
        return "".join(lines[:first] + lines[end:])
    key = next((at for at in range(first - 1, -1, -1) if not _is_comment(lines[at])), 0)
    head = lines[key].rstrip()
    if not head.endswith(":"):
        return None
    ending = lines[key][len(head) :]
    return "".join([*lines[:key], f"{head} []{ending}", *lines[key + 1 : first], *lines[end:]])


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _last_line(node: Any) -> int:
    """The last line on which something of the node stands: what follows it, comments too, is not part of it."""
    start, end = node.start_mark.line, node.end_mark
    if node.id == "scalar" or node.flow_style or not node.value:
        return max(int(start), int(end.line) if end.column else int(end.line) - 1)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _append(content: str, place: Place, text: str) -> str | None:
    """A scalar to a list of scalars."""
    node = place.node
    if node.id != "sequence" or not node.value:
        return None
    start, end = place.span(node.value[-1])
    if node.flow_style:
        return f"{content[:end]}, {text}{content[end:]}"
    begin = content.rfind("\n", 0, start) + 1
    after = content.find("\n", end)
    after = len(content) if after < 0 else after
    indent = content[begin:start]
    return f"{content[:after]}\n{indent}{text}{content[after:]}" if indent.strip() == "-" else None


_OPERATIONS = {"replace": _replace, "rename": _rename, "join": _join, "remove": _remove, "append": _append}
