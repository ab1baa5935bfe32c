"""The entry of each number: every one is there, in order, and is found in its own bad manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpol.lint.finding import CHECKS, Check
from kubectl_netpol.render.lint_pages import page_of
from tests.support.running import run

ROOT = Path(__file__).parents[3]
ENTRIES = (ROOT / "kubectl_netpol/render/lint.md").read_text(encoding="utf-8")
LINTED = [pytest.param(check, id=f"{check.number} {check.code}") for check in CHECKS]


def numbers(manifests: str) -> dict[str, str]:
    """The gravest severity of each number that is found."""
    ran = run("lint", "-f - -o json", stdin=manifests)
    found = json.loads(ran.out)["findings"]
    return {one["number"]: one["severity"] for one in sorted(found, key=lambda one: str(one["severity"]), reverse=True)}


def test_each_number_has_one_entry_in_order() -> None:
    headings = [line.removeprefix("## ") for line in ENTRIES.splitlines() if line.startswith("## ")]
    assert headings == [f"{check.number} {check.code}" for check in CHECKS]


@pytest.mark.parametrize("check", LINTED)
def test_the_bad_manifest_is_found_and_mending_it_as_the_good_one_is_leaves_nothing(check: Check) -> None:
    page = page_of(check.number)
    bad, good = numbers(page.bad), numbers(page.good)
    assert bad.get(check.number) == check.severity.value
    assert check.number not in good
    assert set(good.values()) <= {"info"}


@pytest.mark.parametrize("check", LINTED)
def test_an_entry_begins_with_a_sentence(check: Check) -> None:
    page = page_of(check.number)
    assert page.summary.endswith(".")
    assert page.summary.replace("\n", " ") in page.text.replace("\n", " ")
    assert len(page.summary) < 150
