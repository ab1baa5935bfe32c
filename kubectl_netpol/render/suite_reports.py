"""The results of a suite for test runners: JUnit's XML, and the Test Anything Protocol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from kubectl_netpol.console import in_a_line
from kubectl_netpol.manifests.writer import quoted
from kubectl_netpol.render.suite_text import WORDS, check_message, judged_text, unexercised_line
from kubectl_netpol.suite.judge import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.suite.exercised import Unexercised
    from kubectl_netpol.suite.judge import CheckResult

_NOT_IN_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ELEMENTS = {Result.DIFFERENT: "failure", Result.UNKNOWN: "error"}


def junit_text(results: Sequence[CheckResult], unexercised: Sequence[Unexercised], seconds: float) -> str:
    """One testsuite for each file; not as expected is a failure, can't tell an error."""
    by_file: dict[str, list[CheckResult]] = {}
    for found in results:
        by_file.setdefault(found.check.file, []).append(found)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(_tag("testsuites", {"name": "kubectl netpol test", **_counts(results), "time": f"{seconds:.3f}"}))
    for number, (file, own) in enumerate(by_file.items()):
        lines.append(f"  {_tag('testsuite', {'name': file, **_counts(own), 'time': f'{_seconds(own):.3f}'})}")
        for found in own:
            lines += [f"    {line}" for line in _case(found)]
        if unexercised and number == 0:
            text = _in_lines(["not exercised by any check:", *(unexercised_line(one, "") for one in unexercised)])
            lines.append(f"    <system-out>{_text(text)}</system-out>")
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _case(found: CheckResult) -> Iterator[str]:
    check = found.check
    attributes = {
        "classname": check.file,
        "name": check.name,
        "file": check.file,
        "line": str(check.line),
        "time": f"{_seconds([found]):.3f}",
    }
    element = _ELEMENTS.get(found.result)
    if element is None:
        yield _tag("testcase", attributes, "/")
        return
    yield _tag("testcase", attributes)
    said = {"message": f"{check_message(found)} (expected {check.expect})", "type": _codes(found)}
    yield f"  {_tag(element, said)}{_text(_in_lines(_details(found)))}</{element}>"
    yield "</testcase>"


def _tag(name: str, attributes: Mapping[str, str], end: str = "") -> str:
    written = "".join(f" {key}={quoteattr(_xml(value), _LINES)}" for key, value in attributes.items())
    return f"<{name}{written}{end}>"


_LINES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def _text(text: str) -> str:
    return escape(_xml(text), {"\r": "&#13;"})


def _xml(text: str) -> str:
    """What XML can't have, even escaped, as the console writes it."""
    return re.sub(_NOT_IN_XML, lambda found: f"\\x{ord(found[0]):02x}", text)


def _counts(results: Sequence[CheckResult]) -> dict[str, str]:
    found = [result.result for result in results]
    return {
        "tests": str(len(found)),
        "failures": str(found.count(Result.DIFFERENT)),
        "errors": str(found.count(Result.UNKNOWN)),
        "skipped": "0",
    }


def _seconds(results: Sequence[CheckResult]) -> float:
    """What the probes took, each by itself."""
    observed = (judged.found.observation for found in results for judged in found.connections)
    return sum(observation.seconds for observation in observed if observation)


def _codes(found: CheckResult) -> str:
    judged = found.failing[0] if found.failing else None
    if judged is None:
        return "not-asked"
    return judged.reason.code.value if judged.reason else judged.found.finding.code.value


def _in_lines(lines: Iterable[str]) -> str:
    return "\n".join(map(in_a_line, lines))


def _details(found: CheckResult) -> list[str]:
    """Every connection that fails, with its evidence and the next step."""
    if found.problem:
        return [check_message(found)]
    lines = []
    for judged in found.failing:
        finding = judged.found.finding
        lines += [judged_text(judged, found.check.namespace), *(f"  {line}" for line in finding.evidence)]
        lines += [f"  next: {finding.next}"] if finding.next else []
    return lines


def tap_text(results: Sequence[CheckResult], unexercised: Sequence[Unexercised]) -> str:
    """Version 13: what is not as expected, and what can't be told, is `not ok`."""
    lines = ["TAP version 13", f"1..{len(results)}"]
    for number, found in enumerate(results, 1):
        ok = "ok" if found.result is Result.EXPECTED else "not ok"
        lines.append(f"{ok} {number} - {_description(found.check.name)}")
        if found.result is not Result.EXPECTED:
            lines += [
                "  ---",
                f"  result: {quoted(WORDS[found.result])}",
                f"  expected: {found.check.expect}",
                f"  message: {quoted(check_message(found))}",
                f"  type: {_codes(found)}",
                f"  at: {quoted(f'{found.check.file}:{found.check.line}')}",
                "  ...",
            ]
    lines += [f"# not exercised by any check: {_description(unexercised_line(one, ''))}" for one in unexercised]
    return "\n".join(lines)


def _description(text: str) -> str:
    """One line without the sign that begins a directive, such as SKIP, for which the protocol has no escape."""
    return re.sub(r"[#\x00-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)
