"""A rule of Calico's against one connection: what it misses, its other end, and what of a subject it depends on.

What matches is in tests/cases/calico.yaml.
"""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.engine.calico_match import RuleCondition, all_of, negated, own_node
from kubectl_netpol.engine.calico_things import Things
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Seen
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.calico import NetworkSet
from kubectl_netpol.model.objects import ContainerPort, Node, Pod
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.snapshot import Snapshot
from kubectl_netpol.policies.calico_rules import read_rule

WEB = Pod(
    "shop", "web", {"app": "web"}, ("10.0.0.1",), (ContainerPort("http", 80),), node="n1", host_ips=("192.0.2.1",)
)
API = Pod("shop", "api", {"app": "api"}, ("10.0.0.2", "fd00::2"), node="n1")
HOST = Pod("shop", "host", {}, ("192.0.2.1",), host_network=True, node="n1")
UNKNOWN = Note(Code.HOST_NAME, "x")


def condition(rule: dict[str, Any], direction: Direction = Direction.INGRESS, *sets: NetworkSet) -> RuleCondition:
    snapshot = Snapshot(pods=[WEB, API], plugin="Calico", plugin_objects=sets)
    return RuleCondition(Things(snapshot), read_rule({"action": "Allow", **rule}, direction, 0, ""))


def seen(**fields: Any) -> Seen:
    return Seen(Direction.INGRESS, WEB, API, None, "10.0.0.2", "TCP", 80)._replace(**fields)


@pytest.mark.parametrize(
    ("rule", "misses"),
    [
        pytest.param({"protocol": "UDP"}, ["its protocol is UDP, not TCP"], id="the protocol"),
        pytest.param({"notProtocol": "TCP"}, ["its protocol is not TCP, not TCP"], id="notProtocol"),
        pytest.param({"source": {"selector": "has(x)"}}, ["its source is selector has(x)"], id="the source"),
        pytest.param(
            {"destination": {"nets": ["fd00::/8"]}}, ["its destination is nets fd00::/8"], id="the destination"
        ),
        pytest.param(
            {"protocol": "TCP", "source": {"selector": "has(x)"}, "destination": {"ports": [81]}},
            ["its source is selector has(x)", "TCP 81"],
            id="the source and the port",
        ),
        pytest.param({"ipVersion": 6}, ["it is about IPv6"], id="the version"),
    ],
)
def test_what_a_rule_misses(rule: dict[str, Any], misses: list[str]) -> None:
    found = condition(rule)
    assert found.holds(Snapshot(), seen()) is False
    assert [miss.required for miss in found.misses(Snapshot(), seen())] == misses


@pytest.mark.parametrize(
    ("rule", "texts", "pods"),
    [
        pytest.param({}, [], [], id="everyone"),
        pytest.param({"protocol": "TCP", "destination": {"ports": [80]}}, [], [], id="ports alone"),
        pytest.param({"source": {"selector": "app == 'api'"}}, ["selector app == 'api'"], [API], id="a selector"),
        pytest.param({"source": {"nets": ["fd00::/8"]}}, ["nets fd00::/8"], [API], id="by the second address"),
        pytest.param({"source": {"notSelector": "has(app)"}}, ["notSelector has(app)"], [HOST], id="no endpoint"),
    ],
)
def test_the_other_end(rule: dict[str, Any], texts: list[str], pods: list[Pod]) -> None:
    peers = condition(rule).peers()
    assert [peer.text() for peer in peers] == texts
    assert [pod for peer in peers for pod in (WEB, API, HOST) if peer.holds(Snapshot(), seen(pod=pod)) is True] == pods
    assert [peer.by_labels for peer in peers] == ["selector app" in text for text in texts]


@pytest.mark.parametrize(
    ("direction", "rule", "alike"),
    [
        pytest.param(Direction.INGRESS, {"source": {"selector": "app == 'api'"}}, True, id="it asks nothing of it"),
        pytest.param(Direction.INGRESS, {"destination": {"selector": "app == 'api'"}}, False, id="its labels"),
        pytest.param(Direction.INGRESS, {"destination": {"ports": ["http"]}}, False, id="its ports"),
        pytest.param(Direction.EGRESS, {"source": {"nets": ["10.0.0.1"]}}, False, id="its address"),
        pytest.param(Direction.EGRESS, {"destination": {"ports": ["http"]}}, True, id="the other's ports"),
    ],
)
def test_what_of_a_subject_it_depends_on(direction: Direction, rule: dict[str, Any], alike: object) -> None:
    found = condition(rule, direction)
    one, other = (found.about(direction, pod, "TCP", 80) for pod in (WEB, API._replace(ips=("10.0.0.2",))))
    assert (one == other) is alike


def test_a_subject_without_an_address() -> None:
    found = condition({"destination": {"nets": ["10.0.0.0/8"]}})
    about = found.about(Direction.INGRESS, WEB._replace(ips=()), "TCP", 80)
    assert isinstance(about, tuple)
    assert [(version, type(answer)) for version, answer in about] == [(None, Note)]


COVERS = NetworkSet("", "s", {"kind": "s"}, ("10.0.0.0/24",))


@pytest.mark.parametrize(
    ("rule", "sets", "peer", "subject"),
    [
        pytest.param({"source": {"selector": "has(a)"}}, (), False, False, id="a selector"),
        pytest.param({"source": {"selector": "has(a)"}}, (COVERS,), True, False, id="a set may cover the pod"),
        pytest.param({"source": {"notSelector": "has(a)"}}, (COVERS,), True, False, id="notSelector, and a set"),
        pytest.param({"source": {"nets": ["10.0.0.0/8"]}}, (), True, False, id="nets"),
        pytest.param({"destination": {"notNets": ["10.0.0.0/8"]}}, (), False, True, id="notNets of the subject"),
        pytest.param({"ipVersion": 4}, (), True, False, id="a version"),
        pytest.param({"source": {"services": {"name": "s", "namespace": "n"}}}, (), True, False, id="services"),
    ],
)
def test_whether_addresses_count(rule: dict[str, Any], sets: Any, peer: object, subject: object) -> None:
    found = condition(rule, Direction.INGRESS, *sets)
    assert (found.by_address, found.subject_by_address) == (peer, subject)


def test_what_tells_pods_apart() -> None:
    found = condition(
        {"source": {"selector": "has(a)", "notSelector": "has(b)"}, "destination": {"selector": "has(c)"}}
    )
    assert found.keys == frozenset("abc")
    assert not found.names_ports
    assert condition({"destination": {"notPorts": ["http"]}}).names_ports


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param({}, False, id="a pod"),
        pytest.param({"pod": HOST}, True, id="a pod on its node's network"),
        pytest.param({"pod": HOST._replace(node="n2")}, False, id="one on another node"),
        pytest.param({"pod": HOST._replace(node=None)}, None, id="one on a node that is not known"),
        pytest.param({"pod": None, "node": Node("n1")}, True, id="its node"),
        pytest.param({"pod": None, "node": Node("n2")}, False, id="another node"),
        pytest.param({"pod": None, "node": Node("n1"), "subject": WEB._replace(node=None)}, None, id="where is it"),
        pytest.param({"pod": None, "address": "192.0.2.1"}, True, id="its node's address"),
        pytest.param({"pod": None, "address": "192.0.2.2"}, False, id="another address"),
        pytest.param({"pod": None, "address": None}, False, id="a host name"),
    ],
)
def test_the_own_node(fields: dict[str, Any], found: object) -> None:
    assert own_node(seen(**fields)) is found


def test_answers_together() -> None:
    other = Note(Code.SOURCE_PORT, "y")
    assert all_of([]) is True
    assert all_of([True, True]) is True
    assert all_of([UNKNOWN, False]) is False
    assert all_of([True, UNKNOWN, other]) == UNKNOWN
    assert [negated(answer) for answer in (True, False, UNKNOWN)] == [False, True, UNKNOWN]
