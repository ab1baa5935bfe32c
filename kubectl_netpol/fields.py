"""Reading fields of parsed objects with the path in every error, so that a person finds the line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class BadField(Exception):  # noqa: N818 - it is caught where file and document are known, and becomes a ManifestError
    """A field that can't be read: `path` such as spec.ingress[0].from[1].ipBlock.cidr."""

    def __init__(self, path: str, message: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message
        self.hint = hint

    def within(self, place: str) -> BadField:
        """The same as seen from outside of `place`, which the path is relative to."""
        return BadField(f"{place}.{self.path}" if self.path else place, self.message, self.hint)


def mapping(value: Any, path: str) -> dict[str, Any]:
    """An object; null is the empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadField(path, f"an object is wanted, not {shown(value)}")
    return value


def sequence(value: Any, path: str) -> list[Any]:
    """A list; null is the empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadField(path, f"a list is wanted, not {shown(value)}", "begin each item with a dash")
    return value


def each(value: Any, path: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
    """What `read` makes of every object of a list; null is the empty list, or the empty object.

    Paths in `read` are relative to the object: whole ones are only made where there is an error, since a cluster has
    tens of thousands of pods.
    """
    found: list[T] = []
    entries = sequence(value, path)
    try:
        for entry in entries:
            found.append(read(entry if type(entry) is dict else mapping(entry, "")))  # noqa: PERF401 - its length counts
    except BadField as error:
        raise error.within(f"{path}[{len(found)}]") from None
    return found


def objects(value: Any, path: str) -> list[dict[str, Any]]:
    """The objects of a list as they are; null is the empty list, or the empty object."""
    entries = sequence(value, path)
    for entry in entries:
        if type(entry) is not dict:
            return each(entries, path, dict)
    return entries


def texts(value: Any, path: str) -> tuple[str, ...]:
    """The strings of a list; null is the empty one."""
    return tuple(text(entry, f"{path}[{index}]") for index, entry in enumerate(sequence(value, path)))


def text(value: Any, path: str, *, empty: bool = False) -> str:
    """A string, not an empty one unless `empty`."""
    if not isinstance(value, str):
        hint = f'quote it: "{shown(value)}"' if isinstance(value, int | float) else None
        raise BadField(path, "is missing" if value is None else f"a string is wanted, not {shown(value)}", hint)
    if not value and not empty:
        raise BadField(path, "is empty")
    return value


def optional_text(value: Any, path: str) -> str | None:
    """A string, or None where the field is absent, null or empty."""
    return None if value is None or value == "" else text(value, path)


def integer(value: Any, path: str) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadField(path, "is missing" if value is None else f"a whole number is wanted, not {shown(value)}")
    return value


def known_fields(value: dict[str, Any], path: str, names: Iterable[str]) -> None:
    """Refuses a field that the API does not have: a misspelt one would silently change what a policy means."""
    known = list(names)
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.5)
            raise BadField(
                path, f'unknown field "{key}"', f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
            )


def shown(value: Any) -> str:
    """A value as a person would name it; never the inside of an object or list, which can be endless."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
