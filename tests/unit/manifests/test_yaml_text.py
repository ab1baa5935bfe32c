"""YAML text to the values that kubectl reads."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.yaml_text import compose_all, load_all, load_first, load_with_lines
from tests.support.spellings import REFUSED, spellings

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def without_c(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as in the zipapp, which has PyYAML without its C part."""
    monkeypatch.delattr("yaml.CSafeLoader")
    spec = importlib.util.find_spec("kubectl_netpol.manifests.yaml_text")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
        ("0b_", "0b_"),
        ("0o_", "0o_"),
        ("0x_", "0x_"),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("N", "N"),
        ("1e400", "1e400"),
        ("-1e400", "-1e400"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("18446744073709551615", 18446744073709551615),
        ("9" * 5000, "9" * 5000),
        ("!secret x", "x"),
        ("!secret [a]", ["a"]),
        ("!secret {a: b}", {"a": "b"}),
        ("!!str 5", "5"),
        ("{5: a, true: b, 1.5: c, 2e3: d, no: e}", {"5": "a", "true": "b", "1.5": "c", "2000": "d", "false": "e"}),
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
def test_a_scalar_is_what_kubectl_reads(text: str, value: Any, without_c: ModuleType) -> None:
    for read in (load_all, without_c.load_all):
        (found,) = read(f"key: {text}", "it")
        assert found == {"key": value}
        assert type(found["key"]) is type(value)


@pytest.mark.parametrize("digits", ["0x" + "f" * 5000, "0b" + "1" * 20000, "0o" + "7" * 5000, "-0x8000000000000001"])
def test_a_number_of_no_use_as_one_stays_a_text(digits: str) -> None:
    assert list(load_all(f"a: {digits}", "it")) == [{"a": digits}]


def test_documents_come_in_order_with_the_empty_ones() -> None:
    assert list(load_all("a: 1\n---\n---\nb: 2\n", "it")) == [{"a": 1}, None, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: [", "it, document 2, line 4: "),
        ("a: 1\n---\n{b: 1, b: 2}", 'it, document 2, line 3: duplicate key "b"'),
        ("a: !!set {}", "it, document 1, line 1: could not determine a constructor for the tag"),
        ("a: !!map [1]", "it, document 1, line 1: expected an object, got a sequence"),
        ("a: !!map x", "it, document 1, line 1: expected an object, got a scalar"),
        ("a: 1\n~: a", "it, document 1, line 2: expected a string as key, got null: quote it"),
        ("1: a\n'1': b", 'it, document 1, line 2: duplicate key "1"'),
        ("a: .nan", "it, document 1, line 1: JSON has no such number"),
        ("a: 1\nb: [-.inf]", "it, document 1, line 2: JSON has no such number"),
        ("? [a]\n: x", "it, document 1, line 1: expected a string as key, got a list: quote it"),
        ("a: &x [*x]", "it, document 1, line 1: found unconstructable recursive node"),
        ("&x {a: *x}", "it, document 1, line 1: found unconstructable recursive node"),
        ("a: !!int x", "it, document 1, line 1: expected an integer"),
        ("a: !!float x", "it, document 1, line 1: expected a number"),
        ("a: \x01", "it, document 1"),
        ("a: \ud800", "it, document 1: unacceptable character #xd800: "),
        ("- " * 2000 + "a", "it, document 1"),
        (f"? {'[' * 900}{']' * 900}\n: x", "it, document 1: nested too deeply"),
    ],
)
def test_an_error_has_file_document_and_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        list(load_all(text, "it"))
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a: 1\n---\nb: "\\U00110000"', id="an escape beyond Unicode"),
        pytest.param('a: 1\n---\nb: "\\UFFFFFFFF"', id="an escape beyond what a C integer holds"),
        pytest.param(f"a: 1\n...\n%YAML {'9' * 5000}.1\n--- b", id="a version of 5,000 digits"),
    ],
)
def test_a_number_that_python_refuses_is_an_error_of_its_document(text: str, without_c: ModuleType) -> None:
    for read in (load_all, without_c.load_all, load_with_lines, without_c.load_with_lines):
        with pytest.raises(ManifestError, match=r"^it, document 2, line [23]: "):
            list(read(text, "it"))
    last = text.rpartition("\n---\n" if "---\n" in text else "...\n")[2]
    for first in (load_first, without_c.load_first):
        with pytest.raises(ValueError, match=r"^line [12], column \d+: "):
            first(last)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: 1\n---\n}{ broken", {"a": 1}, id="only the first document"),
        pytest.param("---\n---\na: 1", None, id="an empty first document"),
        pytest.param("", None, id="no document"),
        pytest.param("{a: 1, a: 2}", {"a": 2}, id="the last of duplicate keys"),
        pytest.param("{2: x, true: z}", {"2": "x", "true": "z"}, id="keys that are not strings"),
        pytest.param(
            "{a: 2024-01-01, b: 12:30, c: =}", {"a": "2024-01-01", "b": "12:30", "c": "="}, id="kubectl's scalars"
        ),
        pytest.param("{a: &x {b: 1}, c: {<<: *x}}", {"a": {"b": 1}, "c": {"b": 1}}, id="an anchor and a merge"),
    ],
)
def test_the_first_document_is_read_as_kubectl_reads_a_kubeconfig(text: str, value: Any) -> None:
    assert load_first(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("token: s3cret: s3cret", "line 1, column 14: mapping values are not allowed"),
        ("a: 1\npassword: *s3cret", "line 2, column 11: found undefined alias"),
        ("password: !!set s3cret", "line 1, column 11: could not determine a constructor for the tag …"),
        ("password: !!int s3cret", "line 1, column 11: expected an integer"),
        ("password: !!float s3cret", "line 1, column 11: expected a number"),
        ('password: "s3cret', "line 1, column 18: found unexpected end of stream"),
        ('password: "\\s3cret"', "line 1, column 1"),
        ("password: @s3cret", "line 1, column 11: found character"),
        ("password: [s3cret}", "line 1, column 1"),
        ("? [s3cret]\n: x", "line 1, column 3: expected a string as key, got a list"),
        ("s3cret: &s3cret [*s3cret]", "line 1, column 9: found unconstructable recursive node"),
        ("s3cret\x01", "invalid YAML"),
        ("s3cret\ud800", "invalid YAML"),
        (f"{'[' * 900}s3cret{']' * 900}", "nested too deeply"),
    ],
)
def test_an_error_shows_nothing_of_a_text_that_may_hold_a_password(
    text: str, message: str, without_c: ModuleType
) -> None:
    for read, start in ((load_first, message), (without_c.load_first, message.partition(":")[0])):
        with pytest.raises(ValueError, match=f"^{re.escape(start)}") as caught:
            read(text)
        assert "s3c" not in str(caught.value)
        assert caught.value.__cause__ is None


def bomb(levels: int, width: int) -> str:
    lines = ["x0: &x0 [a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param("a: &a {b: c}\nd: [*a, *a, *a]", True, id="a few aliases"),
        pytest.param(f"a: &a {{b: c}}\nd: [{', '.join(['*a'] * 100_000)}]", True, id="many of one small value"),
        pytest.param(bomb(3, 9), True, id="a small value that doubles"),
        pytest.param(bomb(9, 9), False, id="a value that multiplies nine times"),
        pytest.param(bomb(30, 20), False, id="more values than there are atoms"),
        pytest.param(
            f"a: &a {{b: c, d: [{', '.join('e' * 1000)}]}}\nf: [{', '.join(['*a'] * 1000)}]",
            False,
            id="a million by one level",
        ),
    ],
)
def test_aliases_unfold_as_far_as_kubectl_unfolds_them(text: str, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    if fits:
        assert len(list(load_all(text, "it"))) == 1
        return
    with pytest.raises(ManifestError, match=r"^it, document 1, line 1: the aliases unfold to too many values$"):
        list(load_all(text, "it"))
    with pytest.raises(ValueError, match=r"^line 1, column 1: the aliases unfold to too many values$"):
        load_first(text)


CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things}
broken: [
"""
POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"


def wanted(version: str, kind: str) -> bool:
    return (version, kind) == ("networking.k8s.io/v1", "NetworkPolicy")


def test_of_what_is_not_wanted_only_the_header_is_read() -> None:
    header = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}}
    assert list(load_all(f"{CRD}---\n{POLICY}---\n{CRD}", "it", wanted)) == [header, policy, header]


def test_an_error_after_what_was_passed_over_has_its_line() -> None:
    with pytest.raises(ManifestError, match=r'^it, document 3, line 11: duplicate key "a"$'):
        list(load_all(f"{CRD}---\n{POLICY}---\na: 1\na: 2\n", "it", wanted))


def test_both_parsers_read_every_yaml_file_here_alike(without_c: ModuleType) -> None:
    root = Path(__file__).parents[3]
    texts = [path.read_text(encoding="utf-8") for path in sorted(root.glob("*/**/*.y*ml")) if ".venv" not in path.parts]
    assert len(texts) > 15
    texts += [row.manifest for row in spellings() if row.server != REFUSED and not row.differs]
    for text in texts:
        assert list(load_all(text, "it")) == list(without_c.load_all(text, "it"))


TEXT = """# a comment
a:
  b: [1, {c: 2,
    d: 3}]
  "e": x
---
---
- f
- g: &g
    h: 1
- *g
"""


@pytest.mark.parametrize(
    ("document", "path", "line"),
    [
        pytest.param(0, "", 2, id="the document itself"),
        pytest.param(0, "a", 2, id="a field"),
        pytest.param(0, "a.b", 3, id="a field of a field"),
        pytest.param(0, "a.b[1]", 3, id="an item"),
        pytest.param(0, "a.b[1].d", 4, id="a field of an item"),
        pytest.param(0, "a.e", 5, id="a key in quotation marks"),
        pytest.param(0, "a.z", 2, id="a missing field: of what it is missing in"),
        pytest.param(0, "a.b[7].c", 3, id="a missing item"),
        pytest.param(0, "a.e.z", 5, id="a field of what is none"),
        pytest.param(0, "a.e[0]", 5, id="an item of what is none"),
        pytest.param(2, "[0]", 8, id="an item of a later document"),
        pytest.param(2, "[1].g.h", 10, id="an anchor"),
        pytest.param(2, "[2].h", 10, id="what stands for an anchor is where the anchor is"),
    ],
)
def test_lines(document: int, path: str, line: int, without_c: ModuleType) -> None:
    for read in (load_with_lines, without_c.load_with_lines):
        found = read(TEXT, "it.yaml")
        assert [content for content, _ in found] == [
            {"a": {"b": [1, {"c": 2, "d": 3}], "e": "x"}},
            None,
            ["f", {"g": {"h": 1}}, {"h": 1}],
        ]
        assert found[document][1].of(path) == line


def test_lines_of_nothing_and_of_what_is_no_yaml() -> None:
    for nothing in ("", "\t", "# c\f\n", "# c\r\ufeff\n"):
        assert load_with_lines(nothing, "it.yaml") == []
    (found,) = load_with_lines("# c\f\n---\n{a: 1,\n b: 2}", "it.yaml")
    assert (found[0], found[1].of("b")) == ({"a": 1, "b": 2}, 4)
    with pytest.raises(ManifestError, match=r"^it\.yaml, document 2, line [23]: "):
        load_with_lines("---\n--- [", "it.yaml")
    assert list(compose_all("a: \ud800")) == []
