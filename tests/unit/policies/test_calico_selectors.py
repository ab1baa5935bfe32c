"""The grammar of Calico's selectors: what it means is in tests/cases/calico.yaml, what is refused is here."""

from __future__ import annotations

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.calico import AllOf, AnyOf, Compare, Not, Selector, Term
from kubectl_netpol.policies.calico_selectors import EVERYTHING, IN_A_NAMESPACE, read_selector_text

A, B = Term("a", Compare.EQUAL, ("1",)), Term("b", Compare.HAS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param(" \t", None, id="blank"),
        pytest.param("all()", EVERYTHING, id="all"),
        pytest.param("all( )", EVERYTHING, id="all, with a blank"),
        pytest.param("a=='1'", A, id="without blanks"),
        pytest.param('  a\t==  "1"  ', A, id="with blanks, and double quotes"),
        pytest.param("a == '\"'", Term("a", Compare.EQUAL, ('"',)), id="the other quote in a value"),
        pytest.param("a != '1'", Term("a", Compare.NOT_EQUAL, ("1",)), id="not equal"),
        pytest.param("a in {'1','2',}", Term("a", Compare.IN, ("1", "2")), id="a set with a comma at its end"),
        pytest.param("a not in {}", Term("a", Compare.NOT_IN, ()), id="an empty set"),
        pytest.param("a notin {'1'}", Term("a", Compare.NOT_IN, ("1",)), id="notin"),
        pytest.param("a contains '1'", Term("a", Compare.CONTAINS, ("1",)), id="contains"),
        pytest.param("a starts with '1'", Term("a", Compare.STARTS_WITH, ("1",)), id="starts with"),
        pytest.param("a endswith '1'", Term("a", Compare.ENDS_WITH, ("1",)), id="ends with, in one word"),
        pytest.param("has( b )", B, id="has"),
        pytest.param("has(x.y/a-b_c)", Term("x.y/a-b_c", Compare.HAS), id="a key with a prefix"),
        pytest.param("in in {'in'}", Term("in", Compare.IN, ("in",)), id="a key that is a word of the grammar"),
        pytest.param("!has(b)", Not(B), id="not"),
        pytest.param("! ! has(b)", B, id="twice not"),
        pytest.param("a == '1' && has(b)", AllOf((A, B)), id="and"),
        pytest.param("a == '1' || has(b)", AnyOf((A, B)), id="or"),
        pytest.param("has(b) || a == '1' && has(b)", AnyOf((B, AllOf((A, B)))), id="and binds before or"),
        pytest.param("(has(b) || a == '1') && has(b)", AllOf((AnyOf((B, A)), B)), id="parentheses"),
    ],
)
def test_what_is_read(text: str | None, found: Selector | None) -> None:
    assert read_selector_text(text, "spec.selector") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a = '1'", "can't parse it at \"= '1'\"", id="one equals sign"),
        pytest.param("a == 1", 'expected a value in quotes at "1"', id="no quotes"),
        pytest.param("a == '1", 'expected a value in quotes at "\'1"', id="an open quote"),
        pytest.param("a", "can't parse it at its end", id="a key alone"),
        pytest.param("a == '1' has(b)", 'can\'t parse it at "has(b)"', id="two terms without an operator"),
        pytest.param("(a == '1'", "expected ) at its end", id="an open parenthesis"),
        pytest.param("a in '1'", "expected { at \"'1'\"", id="in without a set"),
        pytest.param("a in {'1'", "expected } at its end", id="an open set"),
        pytest.param("a == '1' &&", "can't parse it at its end", id="nothing after and"),
        pytest.param("&& a == '1'", "can't parse it at \"&& a == '1'\"", id="nothing before and"),
        pytest.param("a == '1' \n", 'can\'t parse it at "\n"', id="a new line"),
        pytest.param("has (b)", 'can\'t parse it at "(b)"', id="a blank before the parenthesis"),
        pytest.param("ü == '1'", "can't parse it at \"ü == '1'\"", id="a letter that keys can't have"),
        pytest.param("(" * 60 + "has(b)" + ")" * 60, "invalid selector: nested too deeply", id="nested too deeply"),
        pytest.param("global()", "global() is for the namespaceSelector of a rule only", id="global"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadField) as error:
        read_selector_text(text, "spec.selector")
    assert error.value.path == "spec.selector"
    assert message in error.value.message


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadField, match=r"spec\.selector: expected a string, got 1"):
        read_selector_text(1, "spec.selector")


def test_a_namespace_selector_has_prefixed_keys_and_its_own_all_and_global() -> None:
    def read(text: str) -> Selector | None:
        return read_selector_text(text, "x", "pcns.", whole=IN_A_NAMESPACE)

    assert read("env == 'a'") == Term("pcns.env", Compare.EQUAL, ("a",))
    assert read("has(env)") == Term("pcns.env", Compare.HAS)
    assert read("all()") == Term("projectcalico.org/namespace", Compare.HAS)
    assert read("global()") == Not(Term("projectcalico.org/namespace", Compare.HAS))
    assert read("!all() || has(env)") == AnyOf((Not(IN_A_NAMESPACE), Term("pcns.env", Compare.HAS)))
