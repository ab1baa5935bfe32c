"""What lint says of everything that was read: findings with file and line, those that are ignored, and the coverage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.lint.finding import BY_NUMBER, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.analysis.coverage import Coverage

ANNOTATION = "netpol/ignore"
_IGNORED = r"\s*(NP[0-9]{3}(?:\s*,\s*NP[0-9]{3})*)\s*[,:;]?\s*(.*)"


class Placed(NamedTuple):
    """A finding with its file and line; None for an object of a cluster. `reason`: why it is ignored."""

    finding: Finding
    file: str | None = None
    line: int | None = None
    reason: str | None = None


class Report(NamedTuple):
    """`ignored`: by an annotation. `policies`: the titles of those that were looked at. `unread`: what is missing."""

    findings: tuple[Placed, ...]
    ignored: tuple[Placed, ...] = ()
    policies: tuple[str, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    unread: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR

    def number_of(self, severity: Severity) -> int:
        return sum(placed.finding.severity is severity for placed in self.findings)

    @property
    def fails(self) -> bool:
        """Whether a finding is as grave as --fail-on."""
        return any(self.is_failure(placed) for placed in self.findings)

    def is_failure(self, placed: Placed) -> bool:
        return placed.finding.severity.rank <= self.fail_on.rank


def ignored_numbers(text: str) -> tuple[dict[str, str], list[str]]:
    """The numbers in an annotation's value ("NP012 for the demo"), each with the reason; and words that are no number.

    Several are joined by commas; several with reasons of their own stand on lines of their own.
    """
    numbers: dict[str, str] = {}
    wrong = []
    for line in filter(str.strip, text.splitlines()):
        match = re.fullmatch(_IGNORED, line)
        listed = re.split(r"\s*,\s*", match[1]) if match else [line.split()[0]]
        for number in listed:
            if number in BY_NUMBER:
                numbers[number] = match[2].strip() if match else ""
            else:
                wrong.append(number)
    return numbers, wrong


def without_ignored(
    placed: Iterable[Placed], ignored: Mapping[tuple[str, str, str], Mapping[str, str]]
) -> tuple[list[Placed], list[Placed]]:
    """The findings, and those that the annotations of their object, or of its namespace, ignore, with the reason."""
    kept, left_out = [], []
    for one in placed:
        subject = one.finding.subject
        namespace = ("Namespace", "", subject.namespace)
        reasons = {**ignored.get(namespace, {}), **ignored.get(subject, {})}
        if one.finding.number in reasons:
            left_out.append(one._replace(reason=reasons[one.finding.number]))
        else:
            kept.append(one)
    return kept, left_out
