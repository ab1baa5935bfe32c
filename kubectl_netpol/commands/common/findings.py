"""Findings beside the answer to another question, on stderr; those about policies that a plugin takes nothing of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.engine.verdict import Note
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.snapshot import Snapshot

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


def refused_findings(snapshot: Snapshot, namespaces: Collection[str] | None = None) -> list[Finding]:
    """The policies that the plugin refuses as a whole: of these namespaces (None: all of them) and of all."""
    refused = [found for found in snapshot.plugin_objects if getattr(found, "refused", "")]
    if not refused:
        return []
    from kubectl_netpol.engine.codes import Code  # noqa: PLC0415 - there are none as a rule
    from kubectl_netpol.lint.finding import BY_CODE, Finding, Severity, Subject  # noqa: PLC0415 - the same

    found = []
    for policy in refused:
        if namespaces is not None and policy.namespace not in ("", *namespaces):
            continue
        place = re.match(r"specs?\b[\w.\[\]]*", policy.refused)
        found.append(
            Finding(
                BY_CODE[Code.REFUSED_BY_SERVER],
                Severity.ERROR,
                Subject(policy.kind, policy.namespace, policy.name),
                place[0] if place else "",
                f"{policy.title} is not in force, since {snapshot.plugin} refuses it: {policy.refused}",
                fix=f"correct it: {snapshot.plugin} takes a whole policy or none of it",
            )
        )
    return found


def refused_beside(snapshot: Snapshot, prediction: Prediction) -> list[Finding]:
    """Those that could have been about one of its ends."""
    ends = (prediction.request.source, prediction.request.destination)
    return refused_findings(snapshot, {end.pod.namespace for end in ends if end.pod})
