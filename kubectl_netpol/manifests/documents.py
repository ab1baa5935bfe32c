"""Splits a YAML stream at its separators, and finds kind and apiVersion of a document without parsing it.

A parser in Python reads less than 1 MB a second, and most of a big file is of kinds that nothing here asks about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATOR = re.compile(r"\n---(?=[ \t\r\n]|\Z)")
_BREAKS = "\r\n\x85\u2028\u2029"  # what ends a line, and with it a comment, in YAML
_NOTHING = re.compile(rf"(?:[ \t]*(?:#[^{_BREAKS}]*)?(?:[{_BREAKS}]|$))*")
_KIND = re.compile(r"^kind:[ \t]+([A-Za-z]+)[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_VERSION = re.compile(r"^apiVersion:[ \t]+([A-Za-z0-9./-]+)[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_KEYS = re.compile(r"^(?:kind|apiVersion):", re.MULTILINE)
# A line at the margin that is no plain key, no item of a list and no comment: it may be a key in another spelling.
_OTHER_KEY = re.compile(r"^(?![A-Za-z][A-Za-z0-9_.-]*:(?:[ \t\r]|$)|-(?:[ \t\r]|$)|#)[^\s]", re.MULTILINE)
_HEADER = 2


class Document(NamedTuple):
    """The text after a separator, to the next one. `line`: how many are before it. `open_`: no separator begins it."""

    text: str
    line: int
    open_: bool


def split(content: str) -> Iterator[Document]:
    """Every document of a stream, but not one of comments before the first separator.

    Only one, with all, where the lines don't tell.
    """
    # With a line before the first, so that each separator has one; each then begins where its match does.
    starts = [] if _is_unusual(content) else [found.start() for found in _SEPARATOR.finditer(f"\n{content}")]
    head = content[: starts[0]] if starts else content
    if not _NOTHING.fullmatch(head):
        yield Document(head, 0, open_=True)
    line = head.count("\n")
    for start, end in zip(starts, [*starts[1:], len(content)], strict=False):
        text = content[start + len("---") : end]
        yield Document(text, line, open_=False)
        line += text.count("\n")


def _is_unusual(content: str) -> bool:
    """Whether it has lines that only YAML ends there, or directives, which are about the document that follows."""
    if any(found in content for found in ("\x85", "\u2028", "\u2029", "\n%")) or content.startswith("%"):
        return True
    return "\r" in content and re.search(r"\r(?!\n)", content) is not None


def header(document: Document) -> tuple[str, str] | None:
    """(apiVersion, kind) of a document that certainly has these and no others; None: parse it."""
    if _is_unusual(document.text):
        return None
    first, _, text = document.text.partition("\n") if not document.open_ else ("", "", document.text)
    if first.strip() and not first.lstrip().startswith("#"):
        return None  # something beside the separator
    kind, version = _KIND.search(text), _VERSION.search(text)
    if not kind or not version or len(_KEYS.findall(text)) != _HEADER or _OTHER_KEY.search(text):
        return None
    return version[1], kind[1]
