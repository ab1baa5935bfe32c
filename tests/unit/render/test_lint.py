"""What lint says as text, JSON, GitHub's annotations and Markdown."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.lint.report import Placed, Report
from kubectl_netpol.render.lint import (
    github_text,
    lint_markdown,
    lint_object,
    lint_text,
    markdown_page,
    summary,
    where_text,
)
from tests.support.reports import CLEAN, ERROR, REPORT, WARNING


@pytest.mark.parametrize("verbose", [False, True])
def test_text_has_the_proof_and_the_fix_of_what_is_more_than_advice(verbose: bool) -> None:  # noqa: FBT001 - a column
    console = Console(io.StringIO(), io.StringIO())
    more = ["  because: shop/api is", "  fix: a policy"] if verbose else []
    assert lint_text(REPORT, console, verbose=verbose).splitlines() == [
        "error: NP001 policy-selects-nothing at a b/web.yaml:7 shop/web spec.podSelector",
        "  web selects no pod (app=wbe)",
        "  because: shop/web (app=web)",
        "  fix: write app=web",
        "warning: NP004 split-peer at /abs/web.yaml shop/web spec.ingress[0].from[1]",
        "  either, is: 100% <enough>",
        "info: NP013 no-default-deny at shop",
        "  some pods are open",
        *more,
        "2 policies: 1 error, 1 warning, 1 info, 2 ignored",
    ]


def test_a_fix_that_the_message_says_is_not_said_twice() -> None:
    console = Console(io.StringIO(), io.StringIO())
    report = Report((Placed(ERROR._replace(fix="app=wbe")),), policies=("shop/web",))
    assert "fix:" not in lint_text(report, console)


@pytest.mark.parametrize(
    ("report", "text"),
    [
        pytest.param(CLEAN, "no findings", id="none"),
        pytest.param(CLEAN._replace(ignored=REPORT.ignored), "no findings, 2 ignored", id="none but what is ignored"),
        pytest.param(CLEAN._replace(findings=(Placed(ERROR), Placed(ERROR))), "2 errors", id="two"),
    ],
)
def test_the_summary(report: Report, text: str) -> None:
    assert summary(report) == text


@pytest.mark.parametrize(
    ("placed", "text"),
    [
        pytest.param(Placed(ERROR), "shop/web spec.podSelector", id="an object of a cluster"),
        pytest.param(Placed(ERROR, "a.yaml"), "a.yaml shop/web spec.podSelector", id="a file"),
        pytest.param(Placed(ERROR, "a.yaml", 3), "a.yaml:3 shop/web spec.podSelector", id="a line"),
    ],
)
def test_where_it_is(placed: Placed, text: str) -> None:
    assert where_text(placed) == text


def test_the_object() -> None:
    found = lint_object(REPORT)
    assert found["findings"][0] == {
        "number": "NP001",
        "code": "policy-selects-nothing",
        "severity": "error",
        "message": "web selects no pod (app=wbe)",
        "object": {"kind": "NetworkPolicy", "group": "networking.k8s.io", "namespace": "shop", "name": "web"},
        "path": "spec.podSelector",
        "file": "a b/web.yaml",
        "line": 7,
        "because": ["shop/web (app=web)"],
        "fix": "write app=web",
    }
    assert [(one["number"], one["reason"]) for one in found["ignored"]] == [("NP001", "a demo"), ("NP013", "")]
    assert found["findings"][2]["object"] == {"kind": "Namespace", "group": "", "namespace": None, "name": "shop"}
    assert (found["findings"][2]["path"], found["findings"][2]["file"], found["findings"][1]["fix"]) == (None,) * 3
    assert found["summary"] == {"error": 1, "warning": 1, "info": 1}


def test_annotations_of_github_are_escaped_as_its_runner_reads_them() -> None:
    assert github_text(REPORT).splitlines() == [
        "::error file=a b/web.yaml,line=7,title=NP001 policy-selects-nothing::web selects no pod (app=wbe)",
        "::warning file=/abs/web.yaml,title=NP004 split-peer::either, is: 100%25 <enough>",
        "::notice title=NP013 no-default-deny::shop some pods are open",
    ]
    odd = Placed(ERROR._replace(message="a\nb"), "a,b:c.yaml", 1)
    assert github_text(Report((odd,))).startswith("::error file=a%2Cb%3Ac.yaml,line=1,title=")
    assert github_text(Report((odd,))).endswith("::a%0Ab\n")
    assert github_text(CLEAN) == ""


def test_markdown_starts_with_one_sentence_and_ends_with_the_coverage() -> None:
    lines = lint_markdown(REPORT).splitlines()
    assert lines[0] == "`kubectl netpol lint` looked at 2 policies: 1 error, 1 warning, 1 info, 2 ignored."
    assert lines[2:5] == [
        "| severity | number | where | what | fix |",
        "| --- | --- | --- | --- | --- |",
        (
            "| error | NP001 policy-selects-nothing | a b/web.yaml:7 shop/web spec.podSelector "
            "| web selects no pod (app=wbe) | write app=web |"
        ),
    ]
    assert "either, is: 100% &lt;enough&gt;" in lines[5]
    assert lines[-5:] == [
        "isolated: 1 of 2 pods for ingress, 0 of 2 for egress",
        "",
        "| namespace | pods | isolated for ingress | isolated for egress |",
        "| --- | --- | --- | --- |",
        "| shop | 2 | 50 % | 0 % |",
    ]


def test_markdown_without_findings_is_the_sentence() -> None:
    assert lint_markdown(CLEAN) == "`kubectl netpol lint` looked at 1 policy: no findings.\n"


def test_what_markdown_would_take_for_its_own_is_escaped() -> None:
    page = markdown_page("x", ("a",), [("<b> | *c* _d_ `e` [f] @g &h;\ni \\",)])
    assert page.splitlines()[-1] == r"| &lt;b&gt; \| \*c\* \_d\_ \`e\` \[f\] &#64;g &amp;h; i \\ |"


@pytest.mark.parametrize(
    ("rows", "tail", "whole"),
    [
        pytest.param(5, "end", True, id="all fits"),
        pytest.param(59, "x" * 2_000, False, id="all but what follows"),
        pytest.param(90, "end", False, id="too many rows"),
        pytest.param(90, "x" * 2_000, False, id="too many rows, and too much after them"),
    ],
)
def test_markdown_is_at_most_60000_characters(rows: int, tail: str, whole: bool) -> None:  # noqa: FBT001 - a column
    page = markdown_page("first.", ("a",), [(f"{number} {'y' * 990}",) for number in range(rows)], tail)
    assert len(page) <= 60_000
    assert page.startswith("first.\n\n| a |\n| --- |\n| 0 yyy")
    assert page.endswith(tail) is (whole or tail == "end")
    shown = page.count("yyy |")
    assert (f"\nand {rows - shown} more; they are left out here\n" in page) is (shown < rows)


def test_a_warning_has_no_fix_of_its_own() -> None:
    assert WARNING.fix == ""
