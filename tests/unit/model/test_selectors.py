"""Label selectors: what they match, and kubectl's grammar for them."""

from __future__ import annotations

import pytest

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.selectors import (
    LabelSelector,
    Operator,
    Requirement,
    in_namespace,
    parse_selector,
    selector_text,
)

IN, NOT_IN = Operator.IN, Operator.NOT_IN


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        pytest.param("", {}, True, id="an empty selector matches everything"),
        pytest.param("app=web", {"app": "web", "v": "1"}, True, id="the value"),
        pytest.param("app=web", {"app": "api"}, False, id="another value"),
        pytest.param("app=web", {}, False, id="In needs the key"),
        pytest.param("app in (a,b)", {"app": "b"}, True, id="one of several values"),
        pytest.param("app!=web", {"app": "api"}, True, id="NotIn with another value"),
        pytest.param("app!=web", {"app": "web"}, False, id="NotIn with that value"),
        pytest.param("app!=web", {}, True, id="NotIn matches labels without the key"),
        pytest.param("app", {"app": ""}, True, id="Exists with an empty value"),
        pytest.param("app", {}, False, id="Exists needs the key"),
        pytest.param("!app", {"app": ""}, False, id="DoesNotExist with the key"),
        pytest.param("!app", {}, True, id="DoesNotExist matches labels without the key"),
        pytest.param("app=web,tier", {"app": "web"}, False, id="all requirements have to match"),
    ],
)
def test_what_a_selector_matches(selector: str, labels: dict[str, str], matches: bool) -> None:  # noqa: FBT001 - a column
    assert parse_selector(selector).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("  ", [], id="spaces"),
        pytest.param("app=web", [("app", IN, ("web",))], id="equals"),
        pytest.param("app==web", [("app", IN, ("web",))], id="two equals signs"),
        pytest.param(" app = web ", [("app", IN, ("web",))], id="spaces around the equals sign"),
        pytest.param("app=", [("app", IN, ("",))], id="an empty value"),
        pytest.param("app!=web", [("app", NOT_IN, ("web",))], id="not equal"),
        pytest.param("app in (a,b)", [("app", IN, ("a", "b"))], id="in"),
        pytest.param("app in ( a , b , a )", [("app", IN, ("a", "b"))], id="in, with spaces and a duplicate"),
        pytest.param("app notin (a)", [("app", NOT_IN, ("a",))], id="notin"),
        pytest.param("app in ()", [("app", IN, ("",))], id="in nothing is the empty value"),
        pytest.param("app", [("app", Operator.EXISTS, ())], id="exists"),
        pytest.param("!app", [("app", Operator.DOES_NOT_EXIST, ())], id="does not exist"),
        pytest.param("! app", [("app", Operator.DOES_NOT_EXIST, ())], id="does not exist, with a space"),
        pytest.param("in in (in)", [("in", IN, ("in",))], id="a key that is an operator's name"),
        pytest.param(
            "app=web,tier in (a,b),!debug,a.b/c",
            [
                ("app", IN, ("web",)),
                ("tier", IN, ("a", "b")),
                ("debug", Operator.DOES_NOT_EXIST, ()),
                ("a.b/c", Operator.EXISTS, ()),
            ],
            id="all forms together",
        ),
    ],
)
def test_a_selector_as_kubectl_reads_it(text: str, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert parse_selector(text) == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


CHARACTERS = "A-Z a-z 0-9 . _ -, with a letter or digit at both ends"
FORMS = "write k=v, k in (a,b), k or !k"
LIST_LABELS = "to list labels: kubectl get pods --show-labels"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("app=web,", 'invalid label selector "app=web,": can\'t parse ""', FORMS, id="a comma at the end"),
        pytest.param("app=a b", 'invalid label selector "app=a b": can\'t parse "app=a b"', FORMS, id="a space"),
        pytest.param("x,app in (a", 'invalid label selector "x,app in (a": can\'t parse "app in (a"', FORMS, id="open"),
        pytest.param("app in a", 'invalid label selector "app in a": can\'t parse "app in a"', FORMS, id="no brackets"),
        pytest.param(
            "size>3",
            'invalid label selector "size>3": a NetworkPolicy can\'t compare numbers',
            "list the values: k in (1,2)",
            id="a comparison of numbers",
        ),
        pytest.param(
            "-app=x", f'invalid label key "-app": must be 1-63 of {CHARACTERS}', LIST_LABELS, id="an invalid key"
        ),
        pytest.param(
            "A.b/c=x",
            'invalid label key "A.b/c": the part before the slash must be a lowercase DNS name',
            LIST_LABELS,
            id="an invalid prefix of a key",
        ),
        pytest.param(
            "app=-x",
            f'invalid label value "-x": must be at most 63 of {CHARACTERS}',
            LIST_LABELS,
            id="an invalid value",
        ),
        pytest.param(
            f"app in (a,{'x' * 64})",
            f'invalid label value "{"x" * 64}": must be at most 63 of {CHARACTERS}',
            LIST_LABELS,
            id="a second value that is too long",
        ),
    ],
)
def test_an_invalid_selector_is_an_error_with_the_next_step(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selector(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("app=web", "app=web"),
        ("app==web", "app=web"),
        ("app in (a)", "app=a"),
        ("app in (a,b)", "app in (a,b)"),
        ("app notin (a)", "app!=a"),
        ("app notin (a, b)", "app notin (a,b)"),
        ("app,!debug", "app,!debug"),
    ],
)
def test_a_selector_is_printed_in_the_grammar_that_it_is_read_in(text: str, printed: str) -> None:
    selector = parse_selector(text)
    assert selector_text(selector) == printed
    assert parse_selector(printed) == selector


def test_the_selector_of_one_namespace_uses_the_label_that_the_api_server_sets() -> None:
    assert selector_text(in_namespace("shop")) == "kubernetes.io/metadata.name=shop"
