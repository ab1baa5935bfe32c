"""What all text output shares: short names, aligned columns and folded lines."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from kubectl_netpol.console import in_a_line, one_line
from kubectl_netpol.engine.phrases import names_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod

_COLOURED = r"(\033\[\d+m)(\S+)(\033\[0m)"
FEW, UNLIMITED = 3, 10_000  # names in a list, without and with -v
_NARROWEST = 40


class Names:
    """Names of pods and policies, without their namespace where it is the one of -n."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def short(self, namespace: str, name: str) -> str:
        return name if namespace == self.namespace else f"{namespace}/{name}"

    def end(self, resolved: Resolved) -> str:
        """One end of a connection as the user meant it: a pod of a workload by the workload's name."""
        if resolved.workload:
            return self.short(resolved.workload.namespace, f"{resolved.workload.kind.lower()}/{resolved.workload.name}")
        if resolved.pod:
            return self.short(resolved.pod.namespace, resolved.pod.name)
        if resolved.service:
            return self.short(resolved.service.namespace, resolved.service.name)
        return resolved.host or resolved.end.title

    def pods(self, pods: Iterable[Pod], limit: int) -> str:
        return names_text([self.short(pod.namespace, pod.name) for pod in pods], limit)


def table(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Columns aligned with three spaces between them, as kubectl prints them. The last one is not padded."""
    rows = [tuple(map(one_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        indent + "   ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in rows
    )
    return list(map(in_a_line, lines))


def fits(lines: Iterable[str], console: Console) -> bool:
    return all(len(line) <= console.width for line in lines)


def wrapped(lines: Iterable[str], console: Console) -> str:
    """The lines, folded at the terminal's width and indented by two more; table rows are left as they are.

    Only a line's first word may be coloured.
    """
    folded: list[str] = []
    width = max(console.width, _NARROWEST)
    for line in map(in_a_line, lines):
        coloured = re.match(_COLOURED, line)
        plain = coloured[2] + line[coloured.end() :] if coloured else line
        if len(plain) <= width or "   " in plain.strip(" ")[8:]:
            folded.append(line)
            continue
        indent = " " * (len(plain) - len(plain.lstrip()) + 2)
        pieces = textwrap.wrap(plain, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if coloured:
            pieces[0] = coloured[0] + pieces[0].removeprefix(coloured[2])
        folded += map(in_a_line, pieces)
    return "\n".join(folded)
