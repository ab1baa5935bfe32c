"""What comes from outside as JSON, of the API server, a credential plugin or a websocket: decoded within bounds.

It is read further by `fields` within `shapes`: a field of another shape is one ClusterError with its path.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from kubectl_netpol.errors import ClusterError
from kubectl_netpol.fields import BadField, mapping, shown, text

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 256 << 20  # of one answer: a page of the largest objects there can be
_MANY_BYTES = 16 << 20
_MOST_ENTRIES = 10_000_000


class BadJsonError(ValueError):
    """Not JSON, or none that fits into the bounds; the text says why in a few words."""


def decode(content: bytes) -> Any:
    """The value of a JSON text, at most MOST_BYTES long. BadJsonError if it is none, nested too deeply or too large."""
    if len(content) > MOST_BYTES:
        raise BadJsonError(f"longer than {MOST_BYTES >> 20} MiB")
    # Each entry costs a hundred bytes, and there can be one in two bytes.
    if len(content) > _MANY_BYTES and sum(map(content.count, (b",", b"[", b"{"))) > _MOST_ENTRIES:
        raise BadJsonError(f"more than {_MOST_ENTRIES:,} entries")
    try:
        return json.loads(content)
    except RecursionError:
        raise BadJsonError("nested too deeply") from None
    except ValueError:
        raise BadJsonError("not JSON") from None


def as_object(value: Any) -> dict[str, Any]:
    """BadField for anything else than an object, null included."""
    if not isinstance(value, dict):
        raise BadField("", f"expected an object, got {shown(value)}")
    return value


def name_of(item: dict[str, Any]) -> str:
    """An object's name. BadField if it has none."""
    return text(mapping(item.get("metadata"), "metadata").get("name"), "metadata.name")


@contextlib.contextmanager
def shapes(what: str, hint: str | None = None) -> Iterator[None]:
    """Turns BadField into a ClusterError: "invalid `what`: PATH: MESSAGE"."""
    try:
        yield
    except BadField as error:
        raise ClusterError(f"invalid {what}: {error}", hint) from None
