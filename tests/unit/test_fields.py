"""Fields of parsed objects: their values, and errors with the path of the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol import fields
from kubectl_netpol.fields import BadField

if TYPE_CHECKING:
    from collections.abc import Callable


def text_or_empty(value: Any, path: str) -> str:
    return fields.text(value, path, empty=True)


def names(value: Any, path: str) -> list[str]:
    return fields.each(value, path, lambda item: fields.text(item.get("name"), "name"))


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        pytest.param(fields.mapping, {"a": 1}, {"a": 1}, id="an object"),
        pytest.param(fields.mapping, None, {}, id="null is an empty object"),
        pytest.param(fields.sequence, [1], [1], id="a list"),
        pytest.param(fields.sequence, None, [], id="null is an empty list"),
        pytest.param(fields.objects, [{"a": 1}, None], [{"a": 1}, {}], id="objects, one of them null"),
        pytest.param(fields.objects, None, [], id="null is an empty list of objects"),
        pytest.param(names, [{"name": "a"}, {"name": "b"}], ["a", "b"], id="a field of each object"),
        pytest.param(names, None, [], id="null has no objects"),
        pytest.param(fields.texts, ["a", "b"], ("a", "b"), id="strings"),
        pytest.param(fields.texts, None, (), id="null is an empty list of strings"),
        pytest.param(fields.text, "a", "a", id="a string"),
        pytest.param(text_or_empty, "", "", id="an empty string where one may be"),
        pytest.param(fields.optional_text, "a", "a", id="an optional string"),
        pytest.param(fields.optional_text, "", None, id="an optional string that is empty"),
        pytest.param(fields.optional_text, None, None, id="an optional string that is null"),
        pytest.param(fields.integer, 80, 80, id="an integer"),
        pytest.param(fields.integer, 80.0, 80, id="an integer with a fraction of zeros"),
    ],
)
def test_a_field_is_read(read: Callable[[Any, str], Any], value: Any, expected: Any) -> None:
    assert read(value, "spec") == expected


def test_objects_are_not_copied() -> None:
    found = [{"a": 1}]
    assert fields.objects(found, "spec") is found


@pytest.mark.parametrize(
    ("read", "value", "message", "hint"),
    [
        pytest.param(fields.mapping, [], "spec: expected an object, got a list", None, id="a list for an object"),
        pytest.param(fields.mapping, "x", 'spec: expected an object, got "x"', None, id="a string for an object"),
        pytest.param(
            fields.sequence, {}, "spec: expected a list, got an object", "start each item with a dash", id="no list"
        ),
        pytest.param(fields.objects, [{}, 1], "spec[1]: expected an object, got 1", None, id="the second of a list"),
        pytest.param(names, [{"name": "a"}, {}], "spec[1].name: is missing", None, id="a field of the second object"),
        pytest.param(names, [7], "spec[0]: expected an object, got 7", None, id="the first object itself"),
        pytest.param(
            fields.texts, ["a", 1], "spec[1]: expected a string, got 1", "quote it", id="a number for a string"
        ),
        pytest.param(fields.text, True, "spec: expected a string, got true", "quote it", id="a boolean for a string"),
        pytest.param(fields.text, {}, "spec: expected a string, got an object", None, id="an object for a string"),
        pytest.param(fields.text, None, "spec: is missing", None, id="no string"),
        pytest.param(fields.text, "", "spec: is empty", None, id="an empty string"),
        pytest.param(fields.optional_text, 1, "spec: expected a string, got 1", "quote it", id="an optional string"),
        pytest.param(fields.integer, "80", 'spec: expected an integer, got "80"', None, id="a string for an integer"),
        pytest.param(fields.integer, 8.5, "spec: expected an integer, got 8.5", None, id="a fraction for an integer"),
        pytest.param(fields.integer, True, "spec: expected an integer, got true", None, id="a boolean for an integer"),
        pytest.param(fields.integer, None, "spec: is missing", None, id="no integer"),
    ],
)
def test_an_invalid_field(read: Callable[[Any, str], Any], value: Any, message: str, hint: str | None) -> None:
    with pytest.raises(BadField) as caught:
        read(value, "spec")
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_an_error_of_the_object_itself_has_no_path() -> None:
    with pytest.raises(BadField, match=r"^expected an object, got 1$"):
        fields.mapping(1, "")


@pytest.mark.parametrize(
    ("path", "expected"), [("cidr", "spec.ipBlock.cidr"), ("", "spec.ipBlock")], ids=["a field", "the object itself"]
)
def test_an_error_within_an_object(path: str, expected: str) -> None:
    error = BadField(path, "is empty", "write one").within("spec.ipBlock")
    assert (error.path, error.message, error.hint) == (expected, "is empty", "write one")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("ingres", "did you mean ingress?"),
        ("xyz", "known fields: ingress, egress"),
        (7, "known fields: ingress, egress"),
    ],
)
def test_an_unknown_field(key: Any, hint: str) -> None:
    with pytest.raises(BadField) as caught:
        fields.known_fields({"egress": [], key: []}, "spec", ("ingress", "egress"))
    assert (str(caught.value), caught.value.hint) == (f'spec: unknown field "{key}"', hint)


def test_known_fields_are_accepted() -> None:
    fields.known_fields({"egress": [], "ingress": []}, "spec", ("ingress", "egress"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, "an object"),
        ([1], "a list"),
        (None, "null"),
        ("x", '"x"'),
        (False, "false"),
        (8.0, "8.0"),
        (80, "80"),
    ],
    ids=str,
)
def test_a_value_in_an_error(value: Any, expected: str) -> None:
    assert fields.shown(value) == expected
