"""A page of a list, held to be what was asked for."""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import BadField, mapping, objects, optional_text, shown
from kubectl_netpol.model.kinds import KINDS, is_built_in

_METADATA_LIST = "PartialObjectMetadataList"


def page_of(answer: dict[str, Any], path: str) -> tuple[list[Any], str | None]:
    """The items of a page of the list at `path`, and what to ask for the next one. BadField for what is no such list.

    What is cut, or is a list of another kind, would pass for a list without what was asked for.
    """
    kind, expected = optional_text(answer.get("kind"), "kind"), _list_kind(path)
    if kind and kind != _METADATA_LIST and (kind != expected if expected else kind == "Status"):
        raise BadField("kind", f"expected {expected or 'a list'}, got {shown(kind)}")
    if "items" not in answer:
        raise BadField("", "expected a list")
    metadata = mapping(answer.get("metadata"), "metadata")
    token = optional_text(metadata.get("continue"), "metadata.continue")
    if token and not token.isprintable():
        raise BadField("metadata.continue", f"is no token: {shown(token[:80])}")
    if metadata.get("remainingItemCount") and not token:
        raise BadField("metadata.continue", "is missing, and there are more items")
    return objects(answer["items"], "items"), token


def _list_kind(path: str) -> str | None:
    """The kind of the list at this path; None for a kind that is not built in, whose list may have any name."""
    parts = path.split("/")
    group = parts[2] if parts[1] == "apis" else ""
    found = (kind for kind in KINDS.values() if kind.resource == parts[-1] and group in kind.groups)
    return next((f"{kind.api}List" for kind in found if is_built_in(group)), None)
