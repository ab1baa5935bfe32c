"""What lint says, as text, JSON, GitHub's annotations, and Markdown for a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.engine.phrases import count
from kubectl_netpol.lint.finding import Severity
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.render.coverage import coverage_line, coverage_objects, coverage_rows
from kubectl_netpol.render.json_objects import kind
from kubectl_netpol.render.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.lint.report import Placed, Report

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_LONGEST = 60_000
_ELLIPSIS = 200  # room for the line that says what is left out


def lint_text(report: Report, console: Console, *, verbose: bool = False) -> str:
    """Of advice only what it is, unless `verbose`."""
    lines: list[str] = []
    for placed in report.findings:
        found = placed.finding
        severity = console.paint(f"{found.severity.value}:", _COLOURS[found.severity])
        lines.append(f"{severity} {found.number} {found.code} at {where_text(placed)}")
        lines.append(f"  {found.message}")
        if verbose or found.severity is not Severity.INFO:
            lines += [f"  because: {text}" for text in found.proof]
            lines += [f"  fix: {found.fix}"] if found.fix and found.fix not in found.message else []
    lines.append(f"{count(len(report.policies), 'policy')}: {summary(report)}")
    return wrapped(lines, console)


def where_text(placed: Placed) -> str:
    """FILE:LINE, or the object; and the path of the field."""
    found = placed.finding
    at = f"{placed.file}:{placed.line}" if placed.file and placed.line else placed.file or ""
    return " ".join(filter(None, (at, found.subject.title, found.path)))


def summary(report: Report) -> str:
    """The numbers of each severity: "1 error, 2 warnings", or "no findings"; and how many are ignored."""
    parts = [count(number, one.value) for one in Severity if (number := report.number_of(one))]
    parts += [f"{len(report.ignored)} ignored"] if report.ignored else []
    return ", ".join(parts) if report.findings else ", ".join(["no findings", *parts])


def lint_object(report: Report) -> dict[str, Any]:
    return kind(
        "Lint",
        {
            "findings": [_finding(placed) for placed in report.findings],
            "ignored": [{**_finding(placed), "reason": placed.reason} for placed in report.ignored],
            "summary": {one.value: report.number_of(one) for one in Severity},
            "coverage": coverage_objects(report.coverage),
            "unread": list(report.unread),
        },
    )


def _finding(placed: Placed) -> dict[str, Any]:
    found = placed.finding
    known = KINDS[found.subject.kind]
    return {
        "number": found.number,
        "code": found.code.value,
        "severity": found.severity.value,
        "message": found.message,
        "object": {
            "kind": known.api_kind or known.name,
            "group": known.groups[0],
            "namespace": found.subject.namespace or None,
            "name": found.subject.name,
        },
        "path": found.path or None,
        "file": placed.file,
        "line": placed.line,
        "because": list(found.proof),
        "fix": found.fix or None,
    }


def github_text(report: Report) -> str:
    """A workflow command a finding; "" without any."""
    lines = []
    for placed in report.findings:
        found = placed.finding
        fields = {"title": f"{found.number} {found.code}"}
        if placed.file:
            fields = {"file": placed.file, **({"line": str(placed.line)} if placed.line else {}), **fields}
        listed = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in fields.items())
        text = f"{found.subject.title} {found.message}" if not placed.file else found.message
        lines.append(f"::{_GITHUB[found.severity]} {listed}::{_escaped(text)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def lint_markdown(report: Report) -> str:
    """It starts with one sentence, and has at most 60,000 characters."""
    first = f"`kubectl netpol lint` looked at {count(len(report.policies), 'policy')}: {summary(report)}."
    rows = [_row(placed) for placed in report.findings]
    tail = _coverage_table(report)
    head = ("severity", "number", "where", "what", "fix")
    return markdown_page(first, head, rows, tail)


def _row(placed: Placed) -> tuple[str, ...]:
    found = placed.finding
    return found.severity.value, f"{found.number} {found.code}", where_text(placed), found.message, found.fix


def _coverage_table(report: Report) -> str:
    rows = list(coverage_rows(report.coverage))
    if not rows:
        return ""
    table = markdown_table(("namespace", "pods", "isolated for ingress", "isolated for egress"), rows)
    return f"\n{coverage_line(report.coverage)}\n\n" + "".join(table)


def markdown_page(first: str, head: Sequence[str], rows: Sequence[Sequence[str]], tail: str = "") -> str:
    """A sentence, a table of as many rows as there is room for, and what follows, if there is room for that."""
    lines = markdown_table(head, rows)
    if rows:
        lines[0] = f"\n{lines[0]}"
    page = f"{first}\n" + ("".join(lines) if rows else "")
    if len(page) + len(tail) <= _LONGEST:
        return page + tail
    used, kept = len(first), []
    for line in lines:
        used += len(line)
        if used > _LONGEST - _ELLIPSIS:
            break
        kept.append(line)
    more = len(lines) - len(kept)
    page = f"{first}\n" + "".join(kept) + (f"\nand {more} more; they are left out here\n" if more else "")
    return page + tail if len(page) + len(tail) <= _LONGEST else page


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A line for each row; what Markdown or HTML would take for its own is escaped."""
    lines = [head, ["---"] * len(head), *([markdown_text(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |\n" for line in lines]


def markdown_text(text: str) -> str:
    """One line of text, in a table or by itself."""
    for character in "\\`*_[]|":
        text = text.replace(character, f"\\{character}")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    text = text.replace("://", "&#58;//").replace("www.", "www&#46;")  # GitHub makes links of these
    return " ".join(text.split())
