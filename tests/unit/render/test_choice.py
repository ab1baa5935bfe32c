"""Which file fits, printed."""

from __future__ import annotations

import io

from kubectl_netpol.allow.choice import ranked
from kubectl_netpol.console import Console
from kubectl_netpol.render.choice import choice_object, choice_text
from kubectl_netpol.render.text import Names
from tests.unit.allow.test_choice import ALL, CART, SAN, SHUT, tried


def lines(*found: object) -> list[str]:
    return choice_text(list(found), Names("a"), Console(io.StringIO(), io.StringIO())).splitlines()  # type: ignore[arg-type]


def test_the_best_is_first_and_the_reason_stands_under_what_does_not_fit() -> None:
    found = lines(*ranked([tried("cart.yaml", p=CART), tried("san.yaml", p=SAN), tried("all.yaml", p=ALL)]))
    assert found[0] == "fits: san.yaml (opens nothing else)"
    assert found[1].startswith("fits: all.yaml (opens ")
    assert found[2] == "does not fit: cart.yaml (opens 1 other pair of pods and ports)"
    assert found[3].startswith("  san → web, TCP 80 is blocked: ")


def test_equals_are_named() -> None:
    assert lines(tried("a.yaml", p=SAN), tried("b.yaml", p=SAN))[-1] == "a.yaml and b.yaml open and close equally much"


def test_what_closes_is_counted() -> None:
    assert ", closes " in lines(tried("a.yaml", p=SAN, q=SHUT))[0]


def test_json() -> None:
    found = choice_object([tried("a.yaml", p=SAN), tried("b.yaml", p=CART)])
    assert (found["kind"], found["best"]) == ("Choice", ["a.yaml"])
    rows = [(one["file"], one["fits"], one["opensBeside"], one["closes"]) for one in found["candidates"]]
    assert rows == [("a.yaml", True, 0, 0), ("b.yaml", False, 1, 0)]
    assert [one["verdict"] for one in found["candidates"][1]["predictions"]] == ["blocked"]
