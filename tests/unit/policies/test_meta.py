"""Fields that several kinds share: selectors, labels, protocols and times, and what the API server would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.policies.meta import last_change, read_labels, read_protocol, read_selector

CHARACTERS = "A-Z a-z 0-9 . _ -, with a letter or digit at both ends"


@pytest.mark.parametrize(
    ("value", "requirements"),
    [
        pytest.param(None, [], id="null matches everything"),
        pytest.param({}, [], id="an empty selector matches everything"),
        pytest.param({"matchLabels": None, "matchExpressions": None}, [], id="null lists match everything"),
        pytest.param(
            {"matchLabels": {"a": "b", "c": ""}},
            [("a", Operator.IN, ("b",)), ("c", Operator.IN, ("",))],
            id="each of matchLabels is In with one value",
        ),
        pytest.param(
            {"matchLabels": {"a": None}, "matchExpressions": [{"key": "b", "operator": "In", "values": [None]}]},
            [("a", Operator.IN, ("",)), ("b", Operator.IN, ("",))],
            id="a value that is null is empty",
        ),
        pytest.param(
            {
                "matchLabels": {"a": "b"},
                "matchExpressions": [
                    {"key": "c", "operator": "NotIn", "values": ["d", ""]},
                    {"key": "e", "operator": "Exists"},
                    {"key": "f", "operator": "DoesNotExist", "values": []},
                ],
            },
            [
                ("a", Operator.IN, ("b",)),
                ("c", Operator.NOT_IN, ("d", "")),
                ("e", Operator.EXISTS, ()),
                ("f", Operator.DOES_NOT_EXIST, ()),
            ],
            id="matchExpressions after matchLabels",
        ),
    ],
)
def test_a_selector(value: Any, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert read_selector(value, "s") == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


def labels(key: str, value: Any) -> dict[str, Any]:
    return {"matchLabels": {key: value}}


def expression(**fields: Any) -> dict[str, Any]:
    return {"matchExpressions": [fields]}


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        pytest.param("x", 's: expected an object, got "x"', None, id="a text for a selector"),
        pytest.param(
            {"matchLabel": {}}, 's: unknown field "matchLabel"', "did you mean matchLabels?", id="a misspelt field"
        ),
        pytest.param(
            {"matchLabels": {"a": True}},
            "s.matchLabels.a: expected a string, got true",
            "quote it",
            id="a boolean for a label",
        ),
        pytest.param(
            labels("version", 1.1),
            "s.matchLabels.version: expected a string, got 1.1",
            "quote it",
            id="a number for a label",
        ),
        pytest.param(
            expression(key="a", operator="In", values=["ok", "not valid!"]),
            f's.matchExpressions[0].values: invalid label value "not valid!": must be at most 63 of {CHARACTERS}',
            None,
            id="an invalid value of an expression",
        ),
        pytest.param(
            labels("a", {"b": "c"}),
            "s.matchLabels.a: expected a string, got an object",
            None,
            id="an object for a label",
        ),
        pytest.param(
            labels("a b", "c"),
            f's.matchLabels: invalid label key "a b": must be 1-63 of {CHARACTERS}',
            None,
            id="an invalid key",
        ),
        pytest.param(
            labels("a", "b c"),
            f's.matchLabels: invalid label value "b c": must be at most 63 of {CHARACTERS}',
            None,
            id="an invalid value",
        ),
        pytest.param(
            {"matchExpressions": [3]}, "s.matchExpressions[0]: expected an object, got 3", None, id="a number in a list"
        ),
        pytest.param(
            expression(key="a", operator="Exists", value="x"),
            's.matchExpressions[0]: unknown field "value"',
            "did you mean values?",
            id="a misspelt field of an expression",
        ),
        pytest.param(
            expression(operator="Exists"), "s.matchExpressions[0].key: is missing", None, id="an expression without key"
        ),
        pytest.param(
            expression(key="/", operator="Exists"),
            's.matchExpressions[0].key: invalid label key "/": the part before the slash must be a lowercase DNS name',
            None,
            id="an invalid key of an expression",
        ),
        pytest.param(
            expression(key="a", operator="in", values=["x"]),
            's.matchExpressions[0].operator: must be one of In, NotIn, Exists, DoesNotExist, got "in"',
            None,
            id="an operator in lower case",
        ),
        pytest.param(
            expression(key="a", operator=["In"]),
            "s.matchExpressions[0].operator: must be one of In, NotIn, Exists, DoesNotExist, got a list",
            None,
            id="a list of operators",
        ),
        pytest.param(
            expression(key="a"),
            "s.matchExpressions[0].operator: must be one of In, NotIn, Exists, DoesNotExist, got null",
            None,
            id="no operator",
        ),
        pytest.param(
            expression(key="a", operator="In"),
            "s.matchExpressions[0].values: In requires at least one value",
            None,
            id="In without values",
        ),
        pytest.param(
            expression(key="a", operator="Exists", values=["x"]),
            "s.matchExpressions[0].values: Exists takes no values",
            None,
            id="Exists with a value",
        ),
        pytest.param(
            expression(key="a", operator="In", values=[1]),
            "s.matchExpressions[0].values: expected a string, got 1",
            "quote it",
            id="a number for a value",
        ),
    ],
)
def test_a_selector_that_the_api_server_would_refuse(value: Any, message: str, hint: str | None) -> None:
    with pytest.raises(BadField) as caught:
        read_selector(value, "s")
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(None, {}, id="null is empty"),
        pytest.param({}, {}, id="empty"),
        pytest.param({"a": "b", "c": ""}, {"a": "b", "c": ""}, id="strings, also empty ones"),
        pytest.param({"not a key!": "and no value"}, {"not a key!": "and no value"}, id="annotations can be any text"),
    ],
)
def test_labels(value: Any, found: dict[str, str]) -> None:
    assert read_labels(value, "metadata.labels") == found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param([], "m: expected an object, got a list", id="an empty list"),
        pytest.param("", 'm: expected an object, got ""', id="an empty text"),
        pytest.param({"a": 1}, "m.a: expected a string, got 1", id="a number"),
    ],
)
def test_labels_that_the_api_server_would_refuse(value: Any, message: str) -> None:
    with pytest.raises(BadField) as caught:
        read_labels(value, "m")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("item", "protocol"),
    [({}, "TCP"), ({"protocol": None}, "TCP"), ({"protocol": "UDP"}, "UDP"), ({"protocol": "SCTP"}, "SCTP")],
)
def test_a_protocol_is_tcp_by_default(item: dict[str, Any], protocol: str) -> None:
    assert read_protocol(item, "p") == protocol


@pytest.mark.parametrize(
    ("protocol", "got"), [("tcp", '"tcp"'), ("", '""'), ("ICMP", '"ICMP"'), (6, "6"), (["TCP"], "a list")]
)
def test_a_protocol_that_the_api_server_would_refuse(protocol: Any, got: str) -> None:
    with pytest.raises(BadField) as caught:
        read_protocol({"protocol": protocol}, "p")
    assert str(caught.value) == f"p: must be one of TCP, UDP, SCTP, got {got}"


@pytest.mark.parametrize(
    ("metadata", "time"),
    [
        pytest.param({}, None, id="no time"),
        pytest.param({"creationTimestamp": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z", id="created"),
        pytest.param({"creationTimestamp": None, "managedFields": None}, None, id="null"),
        pytest.param(
            {
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "managedFields": [{"time": "2026-03-01T00:00:00Z"}, {"time": "2026-02-01T00:00:00Z"}, {}],
            },
            "2026-03-01T00:00:00Z",
            id="the latest of several changes",
        ),
        pytest.param(
            {"creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-04-01T00:00:00Z"},
            "2026-04-01T00:00:00Z",
            id="deleted",
        ),
    ],
)
def test_the_time_of_the_last_change(metadata: dict[str, Any], time: str | None) -> None:
    assert last_change(metadata) == time
