"""Findings beside the answer to another question, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.console import Console
    from kubectl_netpol.engine.verdict import Note
    from kubectl_netpol.lint.finding import Finding

_MOST_NEARBY = 2  # without -v


def messages(findings: Iterable[Finding | Note]) -> list[str]:
    """Each sentence once."""
    return list(dict.fromkeys(found.message for found in findings))


def warn(findings: Iterable[Finding | Note], nearby: Iterable[Finding], console: Console, *, verbose: bool) -> None:
    """All findings; of `nearby`, policies that were probably meant for a pod, the first two unless `verbose`."""
    texts = messages(nearby)
    shown = texts if verbose else texts[:_MOST_NEARBY]
    console.warnings([*messages(findings), *shown], verbose=verbose)
    if more := len(texts) - len(shown):
        console.note(f"{count(more, 'more policy')} may have been meant: -v names them")
