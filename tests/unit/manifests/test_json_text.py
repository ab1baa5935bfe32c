"""JSON streams, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.manifests.json_text import is_json, load_stream


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        pytest.param('{"a": 1}', [{"a": 1}], id="one document"),
        pytest.param(' \n{"a": 1}{"b": 2}\n\n[3]\n', [{"a": 1}, {"b": 2}, [3]], id="one after the other"),
        pytest.param("{} ", [{}], id="space at the end"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_stream(content: str, documents: list[Any]) -> None:
    assert list(load_stream(content)) == documents


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("{a: 1}", id="flow-style YAML"),
        pytest.param('{"a": 1, "a": 2}', id="a key twice"),
        pytest.param('{"a": NaN}', id="what Python alone takes for a number"),
        pytest.param('{"a": 1} x', id="something behind it"),
    ],
)
def test_what_is_no_stream(content: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json has several
        list(load_stream(content))


@pytest.mark.parametrize(("content", "begins"), [(' \n{"a"', True), ("[", True), ("a: {}", False), ("", False)])
def test_whether_a_text_begins_as_json_does(content: str, begins: bool) -> None:  # noqa: FBT001 - a column
    assert is_json(content) is begins
