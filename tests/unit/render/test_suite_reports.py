"""JUnit and TAP as their readers read them: junitparser and tap.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml
from tap.parser import Parser

from kubectl_netpol.render.suite_reports import junit_text, tap_text
from kubectl_netpol.suite.exercised import unexercised
from tests.support.suites import suite_results
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.suite.judge import CheckResult

RESULTS = suite_results()
LEFT = unexercised(
    snapshot_of(
        {
            "pods": {"shop/web": {"ip": "10.0.0.1"}},
            "policies": {"shop/in": {"podSelector": {}, "policyTypes": ["Ingress"]}},
        }
    ),
    (),
)
STRANGE = 'a<b> & "c" #SKIP \x1b[31m\n\u2028 ]]> \\ \ud800 é'


def renamed(name: str) -> CheckResult:
    bad = RESULTS[1]
    return bad._replace(check=bad.check._replace(name=name))


def cases(text: str) -> list[Any]:
    return [case for suite in JUnitXml.fromstring(text.encode()) for case in suite]


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_check() -> None:
    found = JUnitXml.fromstring(junit_text(RESULTS, (), 1.5).encode())
    assert (found.tests, found.failures, found.errors, found.skipped, found.time) == (5, 2, 2, 0, 1.5)
    assert [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in found] == [
        ("s.yaml", 3, 1, 1, 0),
        ("t.yaml", 2, 1, 1, 0),
    ]
    assert [(case.classname, case.name) for suite in found for case in suite] == [
        ("s.yaml", "good"),
        ("s.yaml", "bad"),
        ("s.yaml", "unknown"),
        ("t.yaml", "missing"),
        ("t.yaml", "two"),
    ]


def test_junit_not_as_expected_is_a_failure_and_what_cant_be_told_an_error() -> None:
    found = {case.name: case for case in cases(junit_text(RESULTS, (), 0))}
    assert {name: [type(result) for result in case.result] for name, case in found.items()} == {
        "good": [],
        "bad": [Failure],
        "unknown": [Error],
        "missing": [Error],
        "two": [Failure],
    }
    (bad,), (missing,), (unknown,) = (found[name].result for name in ("bad", "missing", "unknown"))
    assert (bad.type, unknown.type, missing.type) == ("blocked-by-policy", "no-control", "not-asked")
    assert bad.message.startswith("san → web, TCP 80: blocked: timed out, as the policies say (deny isolates ")
    assert bad.message.endswith(" (expected open)")
    assert bad.text.split("\n")[1:] == [
        "  default/web listens on 80, says port-forward",
        "  next: kubectl netpol allow san web 80 | kubectl apply -f -",
    ]
    assert missing.text == 'no pod or workload "sam" in namespace shop (did you mean san?)'
    assert len(found["two"].result[0].text.split("\n")) == 6, "every connection that fails"
    assert found["two"].time == pytest.approx(0.2468, abs=0.001)


def test_junit_rules_that_no_check_exercises_are_output() -> None:
    first, second = ET.fromstring(junit_text(RESULTS, LEFT, 0).encode())
    assert second.find("system-out") is None
    assert [element.text for element in first.findall("system-out")] == [
        "not exercised by any check:\nshop/in ingress: no check is blocked by it"
    ]


def test_junit_survives_any_name() -> None:
    (case,) = cases(junit_text([renamed(STRANGE)], (), 0))
    assert case.name == 'a<b> & "c" #SKIP \\x1b[31m\n\u2028 ]]> \\ \\xd800 é'
    assert [type(result) for result in case.result] == [Failure]


def test_junit_no_name_begins_a_line() -> None:
    missing = RESULTS[3]
    forged = missing._replace(problem=missing.problem and missing.problem._replace(message="no pod a\n::error::b"))
    text = junit_text([forged], (), 0)
    assert [line for line in text.split("\n") if line.startswith("::")] == []
    assert "no pod a\\n::error::b" in cases(text)[0].result[0].text


def lines(text: str) -> list[Any]:
    return list(Parser().parse_text(text))


def test_tap_both_are_not_ok() -> None:
    version, plan, *results = lines(tap_text(RESULTS, ()))
    assert (version.version, plan.expected_tests) == (13, 5)
    assert [(line.number, line.ok, line.description) for line in results] == [
        (1, True, "- good"),
        (2, False, "- bad"),
        (3, False, "- unknown"),
        (4, False, "- missing"),
        (5, False, "- two"),
    ]
    assert results[0].yaml_block is None
    assert results[2].yaml_block == {
        "result": "can't tell",
        "expected": "blocked",
        "message": "san → web, TCP 80: blocked: timed out, as the policies say; nothing shows that it would be "
        "open without the policies (a check that expects open, or control: none)",
        "type": "no-control",
        "at": "s.yaml:6",
    }
    assert results[3].yaml_block["type"] == "not-asked"


def test_tap_rules_that_no_check_exercises_are_comments() -> None:
    *_, last = lines(tap_text(RESULTS, LEFT))
    assert (last.category, last.text) == (
        "diagnostic",
        "# not exercised by any check: shop/in ingress: no check is blocked by it",
    )


@pytest.mark.parametrize("name", [STRANGE, "x # SKIP", "x # TODO later", "ok 3 - x", "Bail out!"])
def test_tap_no_name_is_a_directive(name: str) -> None:
    _, _, *results = lines(tap_text([renamed(name)], ()))
    (result,) = results
    assert (result.category, result.ok, result.skip, result.todo) == ("test", False, False, False)
    assert "\\x23" in result.description or "#" not in name
