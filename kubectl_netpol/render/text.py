"""Results as text: the answer first, then why, aligned and cut to what a tired person reads."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import names_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod

_COLOURED = re.compile(r"(\033\[\d+m)(\S+)(\033\[0m)")
FEW = 3
_NARROWEST = 40
MANY = 10_000


class Names:
    """Names of pods and policies as short as they can be: without the namespace that -n says."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def short(self, namespace: str, name: str) -> str:
        """`name`, or `namespace/name` elsewhere."""
        return name if namespace == self.namespace else f"{namespace}/{name}"

    def end(self, named: Resolved) -> str:
        """One end as it was meant."""
        if named.workload:
            return self.short(named.workload.namespace, f"{named.workload.kind.lower()}/{named.workload.name}")
        if named.pod:
            return self.short(named.pod.namespace, named.pod.name)
        if named.service:
            return self.short(named.service.namespace, named.service.name)
        return named.host or named.end.title

    def pods(self, pods: Iterable[Pod], limit: int) -> str:
        """Some of the pods' names."""
        return names_text([self.short(pod.namespace, pod.name) for pod in pods], limit)


def table(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Columns aligned with three spaces between, as kubectl prints them; the last is not padded."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent + "   ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in rows
    ]


def fits(lines: Iterable[str], console: Console) -> bool:
    """Whether none of the lines is wider than the terminal."""
    return all(len(line) <= console.width for line in lines)


def wrapped(lines: Iterable[str], console: Console) -> str:
    """The lines, each folded at the width with its own indentation and two more; tables are left as they are.

    A colour may only be on a line's first word.
    """
    folded: list[str] = []
    width = max(console.width, _NARROWEST)
    for line in lines:
        coloured = _COLOURED.match(line)
        plain = coloured[2] + line[coloured.end() :] if coloured else line
        if len(plain) <= width or "   " in plain.strip(" ")[8:]:
            folded.append(line)
            continue
        indent = " " * (len(plain) - len(plain.lstrip()) + 2)
        pieces = textwrap.wrap(plain, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if coloured:
            pieces[0] = coloured[0] + pieces[0].removeprefix(coloured[2])
        folded += pieces
    return "\n".join(folded)
