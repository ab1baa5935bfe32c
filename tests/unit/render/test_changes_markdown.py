"""What a diff opens and closes as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.render.changes_markdown import changes_markdown
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.analysis.change import Changes

PODS = yaml.safe_load("{a/web: {labels: {app: web}, ports: http=80}, a/cli: {labels: {app: cli}}}")


def changes(before: str, after: str) -> Changes:
    return changes_between(*(snapshot_of({"pods": PODS, "policies": yaml.safe_load(text)}) for text in (before, after)))


DENY, OPEN = (
    "{a/p: {podSelector: {matchLabels: {app: web}}}}",
    "{a/p: {podSelector: {matchLabels: {app: web}}, ingress: [{}]}}",
)


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        pytest.param("{}", DENY, "`kubectl netpol diff`: closes 1 connection.", id="a new policy"),
        pytest.param(DENY, OPEN, "`kubectl netpol diff`: opens 1 connection.", id="a rule for everyone"),
        pytest.param(
            DENY,
            "{a/q: {podSelector: {matchLabels: {app: cli}}}}",
            "`kubectl netpol diff`: closes 1 connection, opens 1 connection.",
            id="one for another",
        ),
        pytest.param("{}", "{}", "`kubectl netpol diff`: no connection opens or closes.", id="nothing"),
    ],
)
def test_the_first_sentence(before: str, after: str, first: str) -> None:
    assert changes_markdown(changes(before, after)).splitlines()[0] == first


def test_the_rows_and_what_is_unknown() -> None:
    page = changes_markdown(changes("{}", DENY), unread=["you may not list pods"], verbose=True)
    assert page.splitlines() == [
        "`kubectl netpol diff`: closes 1 connection, and not all is known.",
        "",
        "|  | connections | because |",
        "| --- | --- | --- |",
        (
            "| closes | a/cli, outside the cluster -&gt; a/web: port 80 and every other port "
            "| a/p isolates the destination for ingress |"
        ),
        "",
        "Not known: you may not list pods",
    ]


def test_what_is_not_known_is_a_line_of_text() -> None:
    page = changes_markdown(changes("{}", DENY), unread=["shop/a\n::error::b <b> [c](d)"])
    assert page.splitlines()[-1] == "Not known: shop/a ::error::b &lt;b&gt; \\[c\\](d)"
