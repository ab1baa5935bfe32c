"""Policies as text: field order, and values that every YAML reader reads alike."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.allow.policy import make_policy, normalized
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.writer import policy_object, quoted, to_json, to_yaml
from kubectl_netpol.manifests.yaml_text import load_all
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

# Each is a string to the API, and unquoted something else to some YAML reader.
NASTY = """
y n Y N yes no Yes NO on off On OFF true false True FALSE null Null NULL 1e3 1E3 12e03 25921e05 1.5e3 08 0o17 017 0x1F
0b11 1_000 1.0 1 0 007 12.30 2026-11-25 2001-01-01T00.00.00Z 685230.15 a y.y y-n e3 E3 inf nan NaN a.b a_b v1.2.3 1.2.3
""".split()  # noqa: SIM905 - a table of words

EVERYTHING = Policy(
    "shop",
    "all-fields",
    LabelSelector.of({"app": "api"}),
    (Direction.INGRESS, Direction.EGRESS),
    (
        Rule(
            Direction.INGRESS,
            0,
            (
                Peer(LabelSelector(), LabelSelector((Requirement("tier", Operator.IN, ("a", "y")),))),
                Peer(ip_block=IPBlock("10.0.0.0/8", ("10.1.0.0/16",))),
            ),
            (PortRange("TCP", 80, 80), PortRange("UDP", 5000, 5010), NamedPort("TCP", "http"), PortRange("SCTP")),
        ),
        Rule(Direction.INGRESS, 1),
        Rule(Direction.EGRESS, 0, (Peer(pod_selector=LabelSelector((Requirement("debug", Operator.EXISTS),))),)),
    ),
)
TEXT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: all-fields
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: api
  policyTypes:
  - Ingress
  - Egress
  ingress:
  - from:
    - namespaceSelector: {}
      podSelector:
        matchExpressions:
        - key: tier
          operator: In
          values:
          - a
          - "y"
    - ipBlock:
        cidr: "10.0.0.0/8"
        except:
        - "10.1.0.0/16"
    ports:
    - protocol: TCP
      port: 80
    - protocol: UDP
      port: 5000
      endPort: 5010
    - protocol: TCP
      port: http
    - protocol: SCTP
  - {}
  egress:
  - to:
    - podSelector:
        matchExpressions:
        - key: debug
          operator: Exists
"""


def read(text: str) -> tuple[Policy, ...]:
    reader = Reader()
    reader.add_text(text, "text")
    return reader.snapshot().policies


def test_every_field_is_written_in_the_order_of_the_api() -> None:
    assert to_yaml([policy_object(EVERYTHING)]) == TEXT


def test_what_is_written_is_read_back() -> None:
    assert read(TEXT) == (EVERYTHING,)
    assert read(to_json([policy_object(EVERYTHING)])) == (EVERYTHING,)


def test_a_policy_without_namespace_has_no_such_field() -> None:
    assert "namespace:" not in to_yaml([policy_object(EVERYTHING._replace(namespace="", rules=()))])


def test_several_policies_are_documents_of_one_stream_and_items_of_one_list() -> None:
    both = [policy_object(EVERYTHING), policy_object(EVERYTHING._replace(name="other"))]
    assert [item["metadata"]["name"] for item in yaml.safe_load_all(to_yaml(both))] == ["all-fields", "other"]
    listed = json.loads(to_json(both))
    assert (listed["apiVersion"], listed["kind"], len(listed["items"])) == ("v1", "List", 2)


@pytest.mark.parametrize("word", NASTY)
def test_a_string_that_looks_like_something_else_stays_a_string(word: str) -> None:
    wanted = {word: word, f"example.com/{word}": word, "empty": ""}
    found = make_policy("", Direction.INGRESS, LabelSelector.of(wanted), [])
    text = to_yaml([policy_object(found)])
    assert yaml.safe_load(text)["spec"]["podSelector"]["matchLabels"] == wanted
    assert read(text)[0].pod_selector == normalized(LabelSelector.of(wanted))


# What kubectl's YAML (go.yaml.in/yaml/v2, 1.1 with YAML 1.2 octals) does not read as a string when unquoted.
GO_RESOLVES = re.compile(
    r"(?i:y|n|yes|no|on|off|true|false|null|~|[-+]?\.inf|\.nan)|[-+]?[0-9][0-9_]*|[-+]?0[xob][0-9a-fA-F_]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[0-9]+(:[0-9]+)+(\.[0-9]*)?"
)
VALUES = st.from_regex(r"\A([A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?)?\Z")


@given(VALUES)
def test_what_go_or_pyyaml_would_resolve_is_quoted(value: str) -> None:
    found = make_policy("", Direction.INGRESS, LabelSelector.of({"k": value}), [])
    text = to_yaml([policy_object(found)])
    (written,) = re.findall(r"^ +k: (.*)$", text, re.MULTILINE)
    assert written == f'"{value}"' or (written == value and not GO_RESOLVES.fullmatch(value))
    assert yaml.safe_load(text)["spec"]["podSelector"]["matchLabels"] == {"k": value}


@given(st.text())
def test_quoted_text_is_read_back(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert yaml.safe_load(quoted(text)) == text


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
        ("a\nb", '"a\\u000ab"'),
        (80, "80"),
        (0.25, "0.25"),
        (1e-05, "1.0e-05"),
        (1e16, "1.0e+16"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
        ([], "[]"),
        ({"a": [1]}, "\n  a:\n  - 1"),
        ([{"a": 1, "b": 2}, [3, [4]], (5,), []], "\n- a: 1\n  b: 2\n- - 3\n  - - 4\n- - 5\n- []"),
    ],
)
def test_a_value_is_written_so_that_every_yaml_reader_reads_it_back(value: Any, text: str) -> None:
    written = to_yaml([{"key": value}])
    assert written == f"key:{'' if text.startswith(chr(10)) else ' '}{text}\n"
    for found in (yaml.safe_load(written), *load_all(written, "it")):
        assert json.dumps(found) == json.dumps({"key": value})


def test_a_value_that_occurs_twice_is_written_twice() -> None:
    ports = [{"port": 80}]
    assert to_yaml([{"b": ports, "a": ports}]) == "b:\n- port: 80\na:\n- port: 80\n"
