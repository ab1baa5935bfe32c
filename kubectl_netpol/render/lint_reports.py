"""What lint says, in the formats that CI systems read: SARIF 2.1.0 and JUnit's XML."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kubectl_netpol import __version__
from kubectl_netpol.lint.finding import CHECKS, Severity
from kubectl_netpol.render.lint import where_text
from kubectl_netpol.render.lint_pages import page_of

if TYPE_CHECKING:
    from kubectl_netpol.lint.finding import Check
    from kubectl_netpol.lint.report import Placed, Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NOT_IN_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def sarif_text(report: Report) -> str:
    results = [_result(placed) for placed in report.findings]
    for placed in report.ignored:
        suppression = {"kind": "inSource", **({"justification": placed.reason} if placed.reason else {})}
        results.append({**_result(placed), "suppressions": [suppression]})
    driver = {"name": "kubectl-netpol", "version": __version__, "rules": [_rule(check) for check in CHECKS]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    page = page_of(check.number)
    return {
        "id": check.number,
        "name": "".join(word.capitalize() for word in check.code.value.split("-")),
        "shortDescription": {"text": f"{check.title}."},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _result(placed: Placed) -> dict[str, Any]:
    found = placed.finding
    place: dict[str, Any] = {
        "logicalLocations": [{"name": found.subject.name, "fullyQualifiedName": found.subject.title, "kind": "object"}]
    }
    if placed.file:
        place["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(placed.file)},
            "region": {"startLine": placed.line or 1},
        }
    text = _no_link(". ".join([found.message, *(f"Because: {proof}" for proof in found.proof)]))
    number = next(index for index, check in enumerate(CHECKS) if check.number == found.number)
    return {
        "ruleId": found.number,
        "ruleIndex": number,
        "level": _LEVELS[found.severity],
        "message": {"text": text},
        "locations": [place],
        "partialFingerprints": {"object/v1": f"{found.number} {found.subject.title} {found.path}"},
    }


def _no_link(text: str) -> str:
    """SARIF takes [text](address) for a link, wherever it stands."""
    return re.sub(r"[\\\[\]]", r"\\\g<0>", text) if "](" in text else text


def _uri(file: str) -> str:
    """Of a path, absolute or relative to where lint runs."""
    path = quote(os.fsencode(file.removeprefix("./")))  # a name need not be UTF-8
    return f"file://{path}" if file.startswith("/") else path


def junit_text(report: Report) -> str:
    """A test case for each finding, failed if it is as grave as --fail-on; and one for each policy without any."""
    cases = []
    named = {placed.finding.subject.title for placed in report.findings}
    for placed in report.findings:
        found = placed.finding
        body = "\n".join([where_text(placed), found.message, *found.proof, *filter(None, (found.fix,))])
        kind = "failure" if report.is_failure(placed) else "system-out"
        about = {"message": f"{found.number} {found.message}", "type": found.severity.value}
        listed = _attributes(about) if kind == "failure" else ""
        content = f"<{kind}{listed}>{_xml(body)}</{kind}>"
        cases.append(_case(f"{found.number} {found.subject.title} {found.path}".rstrip(), placed.file, content))
    cases += [_case(title, None, "") for title in report.policies if title not in named]
    failures = sum(map(report.is_failure, report.findings))
    counts = _attributes({"name": "kubectl netpol lint", "tests": len(cases), "failures": failures, "errors": 0})
    inner = "".join(f"    {case}\n" for case in cases)
    suite = f"  <testsuite{counts}>\n{inner}  </testsuite>\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{counts}>\n{suite}</testsuites>\n'


def _case(name: str, file: str | None, content: str) -> str:
    about = {"name": name, "classname": file or "kubectl netpol lint", **({"file": file} if file else {})}
    return f"<testcase{_attributes(about)}>{content}</testcase>" if content else f"<testcase{_attributes(about)}/>"


def _attributes(fields: dict[str, Any]) -> str:
    return "".join(f' {name}="{_xml(str(value))}"' for name, value in fields.items())


def _xml(text: str) -> str:
    """Escaped, without the characters that XML can't have."""
    text = re.sub(_NOT_IN_XML, "\ufffd", text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\n", "&#10;")):
        text = text.replace(character, entity)
    return text
