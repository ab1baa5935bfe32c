"""Label texts and kubectl's selector grammar."""

from __future__ import annotations

import pytest

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.names import is_namespace_name, is_object_name, is_port_name, key_fault, value_fault
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, parse_selector

IN, NOT_IN = Operator.IN, Operator.NOT_IN


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", []),
        ("  ", []),
        ("app=web", [("app", IN, ("web",))]),
        ("app==web", [("app", IN, ("web",))]),
        (" app = web ", [("app", IN, ("web",))]),
        ("app=", [("app", IN, ("",))]),
        ("app!=web", [("app", NOT_IN, ("web",))]),
        ("app in (a,b)", [("app", IN, ("a", "b"))]),
        ("app in ( a , b , a )", [("app", IN, ("a", "b"))]),
        ("app notin (a)", [("app", NOT_IN, ("a",))]),
        ("app in ()", [("app", IN, ("",))]),
        ("app", [("app", Operator.EXISTS, ())]),
        ("!app", [("app", Operator.DOES_NOT_EXIST, ())]),
        ("! app", [("app", Operator.DOES_NOT_EXIST, ())]),
        ("in in (in)", [("in", IN, ("in",))]),
        (
            "app=web,tier in (a,b),!debug,a.b/c",
            [
                ("app", IN, ("web",)),
                ("tier", IN, ("a", "b")),
                ("debug", Operator.DOES_NOT_EXIST, ()),
                ("a.b/c", Operator.EXISTS, ()),
            ],
        ),
    ],
)
def test_a_selector_as_kubectl_reads_it(text: str, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert parse_selector(text) == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app=web,", '"app=web," is no label selector: "" can\'t be read'),
        ("app=a b", '"app=a b" is no label selector: "app=a b" can\'t be read'),
        ("app in (a", '"app in (a" is no label selector: "app in (a" can\'t be read'),
        ("app in a", '"app in a" is no label selector: "app in a" can\'t be read'),
        ("size>3", "a NetworkPolicy's selector can't compare numbers: \"size>3\""),
        ("-app=x", '"-app" is no label key'),
        ("A.b/c=x", '"A.b/c" is no label key: what stands before the slash'),
        ("app=-x", '"-x" is no label value'),
        (f"app={'x' * 64}", f'"{"x" * 64}" is no label value'),
    ],
)
def test_what_is_no_selector(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selector(text)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize("key", ["a", "A1", "a.b_c-d", "example.com/a", f"{'a' * 253}/b", "x" * 63, "1"])
def test_label_keys(key: str) -> None:
    assert key_fault(key) is None


@pytest.mark.parametrize("key", ["", "-a", "a-", "a b", "a/b/c", "/a", "a/", f"{'a' * 254}/b", "x" * 64, "Aa.b/c", "ä"])
def test_what_is_no_label_key(key: str) -> None:
    assert f'"{key}" is no label key' in str(key_fault(key))


def test_label_values() -> None:
    assert [value_fault(value) for value in ("", "a", "A.b_c-1", "x" * 63)] == [None] * 4
    assert all(value_fault(value) for value in ("-a", "a.", "a b", "x" * 64, "a/b"))


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        (is_port_name, ("http", "a1", "1a", "a-b", "x" * 15), ("", "80", "-a", "a-", "a--b", "x" * 16, "Http", "a_b")),
        (is_namespace_name, ("a", "a-1", "1", "x" * 63), ("", "a.b", "A", "-a", "a-", "x" * 64)),
        (is_object_name, ("a", "a.b-1", "x" * 253), ("", "A", "a..b", "-a", "a_b", "x" * 254)),
    ],
)
def test_names(test: object, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert callable(test)
    assert [name for name in good if not test(name)] == []
    assert [name for name in bad if test(name)] == []
