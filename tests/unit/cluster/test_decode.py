"""JSON from outside: its bounds, and what becomes of a field of another shape."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.cluster import decode as module
from kubectl_netpol.cluster.decode import BadJsonError, as_object, decode, name_of, shapes
from kubectl_netpol.errors import ClusterError
from kubectl_netpol.fields import BadField


@pytest.mark.parametrize(
    ("content", "value"),
    [(b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "é"]}), (b" null\n", None), (b"[[[]]]", [[[]]])],
    ids=["an object", "null", "nested lists"],
)
def test_a_value(content: bytes, value: Any) -> None:
    assert decode(content) == value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"<html>", "not JSON", id="a page"),
        pytest.param(b'{"a": "\xff"}', "not JSON", id="no UTF-8"),
        pytest.param(b"9" * 5000, "not JSON", id="a number of 5,000 digits"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="lists in lists"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply", id="objects in objects"),
        pytest.param(b"[" + b"0," * (11 << 20) + b"0]", "more than 10,000,000 entries", id="many numbers"),
        pytest.param(b"[" + b"[]," * (6 << 20) + b"0]", "more than 10,000,000 entries", id="many lists"),
    ],
)
def test_what_is_beyond_the_bounds(content: bytes, why: str) -> None:
    with pytest.raises(BadJsonError, match=f"^{why}$"):
        decode(content)


def test_what_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    assert decode(b'"' + b"a" * ((1 << 20) - 2) + b'"') == "a" * ((1 << 20) - 2)
    with pytest.raises(BadJsonError, match=r"^longer than 1 MiB$"):
        decode(b'"' + b"a" * (1 << 20) + b'"')


@pytest.mark.parametrize("value", [None, [], "a", 3, True], ids=str)
def test_what_is_no_object(value: Any) -> None:
    with pytest.raises(BadField, match="expected an object, got "):
        as_object(value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param({"metadata": {"name": 7}}, "metadata.name: expected a string, got 7", id="a number as name"),
        pytest.param({"metadata": []}, "metadata: expected an object, got a list", id="metadata that is a list"),
        pytest.param({}, "metadata.name: is missing", id="no metadata"),
    ],
)
def test_an_error_of_a_field_names_what_was_read(item: Any, message: str) -> None:
    with pytest.raises(ClusterError) as caught, shapes("response to /api", "ask somebody"):
        name_of(item)
    assert (caught.value.message, caught.value.hint) == (f"invalid response to /api: {message}", "ask somebody")


def test_a_name() -> None:
    assert name_of({"metadata": {"name": "web"}}) == "web"
