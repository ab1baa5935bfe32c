"""What a diff opens and closes, as Markdown for a comment: it starts with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import count
from kubectl_netpol.render.changes import change_entries
from kubectl_netpol.render.lint import markdown_page, markdown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.analysis.change import Changes


def changes_markdown(changes: Changes, *, unread: Sequence[str] = (), verbose: bool = False) -> str:
    """Ports that no pod declares and no rule names only if `verbose`. At most 60,000 characters."""
    rows, parts = [], []
    for verb, found in (("closes", changes.closes), ("opens", changes.opens)):
        listed = change_entries([one for one in found if verbose or not one.ports.undeclared], verbose=verbose)
        parts += [f"{verb} {count(len(listed), 'connection')}"] if listed else []
        rows += [(verb, what.strip(), "; ".join(map(str.strip, because))) for what, *because in listed]
    first = f"`kubectl netpol diff`: {', '.join(parts) or 'no connection opens or closes'}"
    first += ", and not all is known." if unread else "."
    tail = "".join(f"\nNot known: {markdown_text(text)}\n" for text in unread)
    return markdown_page(first, ("", "connections", "because"), rows, tail)
