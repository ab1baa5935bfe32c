"""Reads fields of parsed YAML and JSON; every error has the path of its field."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")


class BadField(Exception):  # noqa: N818 - it is caught where file and document are known, and becomes a ManifestError
    """An invalid field: `path` such as spec.ingress[0].from[1].ipBlock.cidr, or "" for the object itself."""

    def __init__(self, path: str, message: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message
        self.hint = hint

    def within(self, place: str) -> BadField:
        """The same error with its path below `place`."""
        return BadField(f"{place}.{self.path}" if self.path else place, self.message, self.hint)


def mapping(value: Any, path: str) -> dict[str, Any]:
    """An object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadField(path, f"expected an object, got {shown(value)}")
    return value


def sequence(value: Any, path: str) -> list[Any]:
    """A list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadField(path, f"expected a list, got {shown(value)}", "start each item with a dash")
    return value


def each(value: Any, path: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
    """The results of `read` for each object of a list; null is an empty list, or an empty object.

    Paths in `read` are relative to the object. Full paths are built for errors only: a cluster has tens of thousands of
    pods.
    """
    if value is None:
        return []
    found: list[T] = []
    entries = sequence(value, path)
    try:
        for entry in entries:
            found.append(read(entry if type(entry) is dict else mapping(entry, "")))  # noqa: PERF401 - its length counts
    except BadField as error:
        raise error.within(f"{path}[{len(found)}]") from None
    return found


def objects(value: Any, path: str) -> list[dict[str, Any]]:
    """The objects of a list, not copied; null is an empty list, or an empty object."""
    if value is None:
        return []
    entries = sequence(value, path)
    for entry in entries:
        if type(entry) is not dict:
            return each(entries, path, dict)
    return entries


def texts(value: Any, path: str) -> tuple[str, ...]:
    """The strings of a list, none of them empty; null is an empty list."""
    if value is None:
        return ()
    return tuple(text(entry, f"{path}[{index}]") for index, entry in enumerate(sequence(value, path)))


def text(value: Any, path: str, *, empty: bool = False) -> str:
    """A string; an empty one is an error unless `empty`."""
    if not isinstance(value, str):
        hint = "quote it" if isinstance(value, int | float) else None  # as it is written, which is not known here
        raise BadField(path, "is missing" if value is None else f"expected a string, got {shown(value)}", hint)
    if not value and not empty:
        raise BadField(path, "is empty")
    return value


def optional_text(value: Any, path: str) -> str | None:
    """A string, or None where the field is absent, null or empty."""
    return None if value is None or value == "" else text(value, path)


def integer(value: Any, path: str) -> int:
    """A whole number, which JSON may write with a fraction of zeros."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadField(path, "is missing" if value is None else f"expected an integer, got {shown(value)}")
    return value


def boolean(value: Any, path: str) -> bool:
    """True or false; null is false."""
    if value is not None and not isinstance(value, bool):
        raise BadField(path, f"expected true or false, got {shown(value)}")
    return value is True


def slip(value: dict[str, Any], names: tuple[str, ...]) -> BadField | None:
    """The error for a field that is probably a misspelt one of these; others may be of a later version."""
    found = _slip(tuple(value), names)
    return BadField("", f'unknown field "{found[0]}"', f"did you mean {found[1]}?") if found else None


@lru_cache(maxsize=4096)  # every pod has the fields of many others, and comparing one takes 0.05 ms
def _slip(keys: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, str] | None:
    import difflib  # noqa: PLC0415 - it costs every start a millisecond

    for key in keys:
        swapped = [name for name in names if sorted(name) == sorted(key)]
        near = next(iter(swapped or difflib.get_close_matches(key, names, 1, 0.85)), key)
        if key not in names and near not in (key, *keys):
            return key, near
    return None


def known_fields(value: dict[str, Any], path: str, names: Collection[str]) -> None:
    """Raise BadField for a field that is not in `names`: a misspelt one would silently change what a policy means."""
    for key in value:
        if key not in names:
            import difflib  # noqa: PLC0415 - only for a mistake, and it costs every start a millisecond

            near = difflib.get_close_matches(str(key), names, 1, 0.5)
            raise BadField(
                path,
                f'unknown field "{key}"',
                f"did you mean {near[0]}?" if near else f"known fields: {', '.join(names)}",
            )


def shown(value: Any) -> str:
    """A value for an error; never the content of an object or list, which has no limit."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
