"""What lint says in SARIF and JUnit's XML, as their schema and a reader of it have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from junitparser import JUnitXml

from kubectl_netpol.lint.finding import CHECKS, Severity
from kubectl_netpol.lint.report import Placed, Report
from kubectl_netpol.render.lint_reports import junit_text, sarif_text
from tests.support.reports import CLEAN, ERROR, REPORT

SCHEMA = json.loads((Path(__file__).parents[2] / "support" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
ODD = Placed(ERROR._replace(message='<a> & "b" \x00\x1b \ufffe end\n', fix="\x0b"), 'a<"&>.yaml', 1)


def sarif(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sarif_text(report))
    assert [f"{error.json_path}: {error.message}" for error in Draft4Validator(SCHEMA).iter_errors(found)] == []
    (run,) = found["runs"]
    return dict(run)


@pytest.mark.parametrize("report", [REPORT, CLEAN, Report((ODD,))], ids=["findings", "none", "odd characters"])
def test_sarif_is_valid_and_has_results_even_without_any(report: Report) -> None:
    run = sarif(report)
    assert len(run["results"]) == len(report.findings) + len(report.ignored)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.number for check in CHECKS]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"].endswith(".") for rule in rules)
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_a_schema_that_takes_anything_would_prove_nothing() -> None:
    found = json.loads(sarif_text(REPORT))
    found["runs"][0]["results"][0]["level"] = "fatal"
    assert list(Draft4Validator(SCHEMA).iter_errors(found))


def test_a_result_has_file_line_and_object() -> None:
    error, warning, info, ignored, silent = sarif(REPORT)["results"]
    assert (error["level"], error["message"]["text"]) == (
        "error",
        "web selects no pod (app=wbe). Because: shop/web (app=web)",
    )
    physical = error["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]) == ("a%20b/web.yaml", {"startLine": 7})
    logical = error["locations"][0]["logicalLocations"]
    assert logical == [{"name": "web", "fullyQualifiedName": "shop/web", "kind": "object"}]
    of_warning = warning["locations"][0]["physicalLocation"]
    assert (of_warning["artifactLocation"]["uri"], of_warning["region"]) == ("file:///abs/web.yaml", {"startLine": 1})
    assert (info["level"], "physicalLocation" in info["locations"][0]) == ("note", False)
    assert ignored["suppressions"] == [{"kind": "inSource", "justification": "a demo"}]
    assert silent["suppressions"] == [{"kind": "inSource"}]


def junit(report: Report) -> Any:
    (suite,) = JUnitXml.fromstring(junit_text(report).encode())
    return suite


def test_junit_has_a_case_for_each_finding_and_for_each_policy_without() -> None:
    suite = junit(REPORT)
    assert (suite.name, suite.tests, suite.failures, suite.errors) == ("kubectl netpol lint", 4, 1, 0)
    cases = list(suite)
    assert [(case.name, case.classname, [type(result).__name__ for result in case.result]) for case in cases] == [
        ("NP001 shop/web spec.podSelector", "a b/web.yaml", ["Failure"]),
        ("NP004 shop/web spec.ingress[0].from[1]", "/abs/web.yaml", []),
        ("NP013 shop", "kubectl netpol lint", []),
        ("shop/good", "kubectl netpol lint", []),
    ]
    (failure,) = cases[0].result
    assert (failure.message, failure.type) == ("NP001 web selects no pod (app=wbe)", "error")
    assert "write app=web" in failure.text
    assert "either, is: 100% <enough>" in cases[1].system_out


def test_what_fails_in_junit_is_what_fails_the_command() -> None:
    suite = junit(REPORT._replace(fail_on=Severity.INFO))
    assert (suite.tests, suite.failures) == (4, 3)


def test_characters_that_xml_cannot_have_are_replaced() -> None:
    (case,) = junit(Report((ODD,)))
    assert case.classname == 'a<"&>.yaml'
    (failure,) = case.result
    assert failure.message == 'NP001 <a> & "b" \ufffd\ufffd \ufffd end\n'


def test_without_findings_each_policy_passes() -> None:
    suite = junit(CLEAN)
    assert [case.name for case in suite] == ["shop/good"]
    assert (suite.tests, suite.failures) == (1, 0)


def test_a_name_makes_no_link_and_need_not_be_utf_8() -> None:
    placed = REPORT.findings[0]
    found = placed.finding._replace(message="app=[fix it](https://evil.example) \\ x", proof=())
    sarif = json.loads(sarif_text(Report((placed._replace(finding=found, file="d/\udcff.yaml"),))))
    (result,) = sarif["runs"][0]["results"]
    assert result["message"]["text"] == "app=\\[fix it\\](https://evil.example) \\\\ x"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "d/%FF.yaml"
