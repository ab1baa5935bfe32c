"""YAML in and out with the values that kubectl reads and writes."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.yaml_text import dump, load_all


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z"),
        ("12:30", "12:30"),
        ("08", 8.0),
        ("1e3", 1000.0),
        ("010", 8),
        ("-010", -8),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("Null", None),
        ("null", None),
        ('"1"', "1"),
        ("'yes'", "yes"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("{a: 1, <<: {a: 2, b: 3}}", {"a": 1, "b": 3}),
        ("[&x a, *x]", ["a", "a"]),
    ],
)
def test_a_scalar_is_what_kubectl_reads(text: str, value: Any) -> None:
    (found,) = load_all(f"key: {text}", "it")
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_documents_come_in_order_with_the_empty_ones() -> None:
    assert list(load_all("a: 1\n---\n---\nb: 2\n", "it")) == [{"a": 1}, None, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: [", "it, document 2, line 4: "),
        ("a: 1\n---\n{b: 1, b: 2}", 'it, document 2, line 3: the key "b" stands twice'),
        ("a: !!set {}", "it, document 1, line 1: could not determine a constructor for the tag"),
        ("a: !!map [1]", "it, document 1, line 1: an object is wanted here"),
        ("a: !!int x", "it, document 1: invalid literal for int"),
        ("a: \x01", "it, document 1"),
        ("- " * 2000 + "a", "it, document 1"),
        (f"? {'[' * 900}{']' * 900}\n: x", "it, document 1: nested too deeply"),
    ],
)
def test_an_error_has_file_document_and_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        list(load_all(text, "it"))
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("web", "web"),
        ("app.kubernetes.io/name", "app.kubernetes.io/name"),
        ("yes", '"yes"'),
        ("n", '"n"'),
        ("Null", '"Null"'),
        ("1e3", '"1e3"'),
        ("08", '"08"'),
        ("12:30", '"12:30"'),
        ("2026-11-25", '"2026-11-25"'),
        ("", '""'),
        ("a b", '"a b"'),
        ("käse", '"käse"'),
        (80, "80"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_a_value_is_written_so_that_every_yaml_reads_it_back(value: Any, text: str) -> None:
    assert dump({"key": value}) == f"key: {text}\n"
    assert list(load_all(dump({"key": value}), "it")) == [{"key": value}]


def test_a_value_that_stands_twice_is_written_twice() -> None:
    ports = [{"port": 80}]
    assert dump({"b": ports, "a": ports}) == "b:\n- port: 80\na:\n- port: 80\n"
