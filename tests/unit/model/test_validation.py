"""What the API server accepts as label keys and values, and as names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.model.validation import is_namespace_name, is_object_name, is_port_name, key_fault, value_fault

if TYPE_CHECKING:
    from collections.abc import Callable

CHARACTERS = "A-Z a-z 0-9 . _ -, with a letter or digit at both ends"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("a", id="one letter"),
        pytest.param("1", id="one digit"),
        pytest.param("A1", id="capitals"),
        pytest.param("a.b_c-d", id="dots, underscores and dashes inside"),
        pytest.param("x" * 63, id="63 characters"),
        pytest.param("example.com/a", id="a prefix"),
        pytest.param(f"{'a' * 253}/b", id="a prefix of 253 characters"),
    ],
)
def test_a_label_key_that_the_api_server_accepts(key: str) -> None:
    assert key_fault(key) is None


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("-a", id="a dash at the beginning"),
        pytest.param("a-", id="a dash at the end"),
        pytest.param("a b", id="a space"),
        pytest.param("ä", id="a letter outside ASCII"),
        pytest.param("x" * 64, id="64 characters"),
        pytest.param("a/", id="nothing after the slash"),
    ],
)
def test_a_label_key_that_the_api_server_refuses(key: str) -> None:
    assert key_fault(key) == f'invalid label key "{key}": must be 1-63 of {CHARACTERS}'


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("/a", id="an empty prefix"),
        pytest.param("Aa.b/c", id="a prefix in capitals"),
        pytest.param("a/b/c", id="two slashes"),
        pytest.param(f"{'a' * 254}/b", id="a prefix of 254 characters"),
    ],
)
def test_a_label_key_whose_prefix_the_api_server_refuses(key: str) -> None:
    assert key_fault(key) == f'invalid label key "{key}": the part before the slash must be a lowercase DNS name'


@pytest.mark.parametrize("value", ["", "a", "A.b_c-1", "x" * 63])
def test_a_label_value_that_the_api_server_accepts(value: str) -> None:
    assert value_fault(value) is None


@pytest.mark.parametrize("value", ["-a", "a.", "a b", "x" * 64, "a/b"])
def test_a_label_value_that_the_api_server_refuses(value: str) -> None:
    assert value_fault(value) == f'invalid label value "{value}": must be at most 63 of {CHARACTERS}'


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        pytest.param(
            is_port_name,
            ("http", "a1", "1a", "a-b", "x" * 15),
            ("", "80", "-a", "a-", "a--b", "x" * 16, "Http", "a_b"),
            id="ports",
        ),
        pytest.param(
            is_namespace_name, ("a", "a-1", "1", "x" * 63), ("", "a.b", "A", "-a", "a-", "x" * 64), id="namespaces"
        ),
        pytest.param(
            is_object_name, ("a", "a.b-1", "x" * 253), ("", "A", "a..b", "-a", "a_b", "x" * 254), id="objects"
        ),
    ],
)
def test_names_that_the_api_server_accepts(
    test: Callable[[str], bool], good: tuple[str, ...], bad: tuple[str, ...]
) -> None:
    assert [name for name in good if not test(name)] == []
    assert [name for name in bad if test(name)] == []
