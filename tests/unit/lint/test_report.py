"""The annotation that ignores findings, and what makes a report fail."""

from __future__ import annotations

import pytest

from kubectl_netpol.lint.finding import BY_NUMBER, Finding, Severity, Subject
from kubectl_netpol.lint.report import Placed, Report, ignored_numbers, without_ignored

WEB, SHOP = Subject("NetworkPolicy", "shop", "web"), Subject("Namespace", "", "shop")


def placed(number: str, severity: Severity = Severity.ERROR, subject: Subject = WEB) -> Placed:
    return Placed(Finding(BY_NUMBER[number], severity, subject, "", "odd"))


@pytest.mark.parametrize(
    ("text", "numbers", "wrong"),
    [
        pytest.param("NP012", {"NP012": ""}, [], id="one"),
        pytest.param("NP012 the demo is public", {"NP012": "the demo is public"}, [], id="with a reason"),
        pytest.param("NP012: the demo", {"NP012": "the demo"}, [], id="a colon"),
        pytest.param("NP012, NP013 a demo", {"NP012": "a demo", "NP013": "a demo"}, [], id="two with one reason"),
        pytest.param("NP012 a\nNP013 b", {"NP012": "a", "NP013": "b"}, [], id="a reason each"),
        pytest.param("NP999", {}, ["NP999"], id="no such number"),
        pytest.param("all of them", {}, ["all"], id="no number"),
        pytest.param(" \n", {}, [], id="nothing"),
    ],
)
def test_the_annotation(text: str, numbers: dict[str, str], wrong: list[str]) -> None:
    assert ignored_numbers(text) == (numbers, wrong)


@pytest.mark.parametrize(
    ("ignored", "reason"),
    [
        pytest.param({WEB: {"NP012": "why"}}, "why", id="of the policy"),
        pytest.param({SHOP: {"NP012": "all"}}, "all", id="of its namespace"),
        pytest.param({SHOP: {"NP012": "all"}, WEB: {"NP012": "why"}}, "why", id="the policy's own reason counts"),
        pytest.param({WEB: {"NP013": "why"}}, None, id="another number"),
        pytest.param({}, None, id="none"),
    ],
)
def test_what_is_ignored(ignored: dict[tuple[str, str, str], dict[str, str]], reason: str | None) -> None:
    one = placed("NP012")
    kept, left_out = without_ignored([one], ignored)
    assert (kept, left_out) == (([one], []) if reason is None else ([], [one._replace(reason=reason)]))


@pytest.mark.parametrize(
    ("fail_on", "severity", "fails"),
    [
        pytest.param(Severity.ERROR, Severity.ERROR, True, id="an error fails"),
        pytest.param(Severity.ERROR, Severity.WARNING, False, id="a warning does not"),
        pytest.param(Severity.WARNING, Severity.WARNING, True, id="unless warnings count"),
        pytest.param(Severity.WARNING, Severity.INFO, False, id="advice is less"),
        pytest.param(Severity.INFO, Severity.INFO, True, id="unless advice counts"),
    ],
)
def test_what_fails(fail_on: Severity, severity: Severity, fails: bool) -> None:  # noqa: FBT001 - a column
    report = Report((placed("NP012", severity),), fail_on=fail_on)
    assert report.fails is fails
    assert report.number_of(severity) == 1
