"""Into which classes the ports of a destination fall."""

from __future__ import annotations

import pytest

from kubectl_netpol.analysis.port_classes import PortClass, port_classes, rules_covering
from kubectl_netpol.model.objects import ContainerPort, Pod
from kubectl_netpol.model.policies import Direction, Rule
from kubectl_netpol.model.ports import PROTOCOLS, NamedPort, PortRange

HTTP, DNS = ContainerPort("http", 85), ContainerPort("dns", 53, "UDP")


def other(protocol: str, first: int, last: int, *, undeclared: bool = False) -> PortClass:
    return PortClass(protocol, first, last, other=True, undeclared=undeclared)


@pytest.mark.parametrize(
    ("ports", "declared", "classes"),
    [
        pytest.param([], [], [other("TCP", 1, 65535)], id="no rule names a port: all of TCP"),
        pytest.param([PortRange("TCP")], [], [other("TCP", 1, 65535)], id="a rule for every port names none"),
        pytest.param(
            [PortRange("TCP", 80, 80)],
            [],
            [PortClass("TCP", 80, 80), other("TCP", 65535, 65535)],
            id="a port, and the last one for all others",
        ),
        pytest.param(
            [PortRange("TCP", 1, 79), PortRange("TCP", 80, 65535)],
            [],
            [PortClass("TCP", 1, 79), PortClass("TCP", 80, 65535)],
            id="ranges that leave no other port",
        ),
        pytest.param(
            [PortRange("TCP", 80, 65535)],
            [],
            [PortClass("TCP", 80, 65535), other("TCP", 79, 79)],
            id="a range to the last port: the port before it for all others",
        ),
        pytest.param(
            [PortRange("TCP", 80, 90), PortRange("TCP", 85, 95)],
            [],
            [PortClass("TCP", 80, 84), PortClass("TCP", 85, 90), PortClass("TCP", 91, 95), other("TCP", 65535, 65535)],
            id="ranges that overlap are cut",
        ),
        pytest.param(
            [PortRange("TCP", 80, 90)],
            [HTTP],
            [
                PortClass("TCP", 80, 84),
                PortClass("TCP", 85, 85),
                PortClass("TCP", 86, 90),
                other("TCP", 65535, 65535, undeclared=True),
            ],
            id="a declared port inside a range is a class",
        ),
        pytest.param(
            [NamedPort("TCP", "http")],
            [HTTP],
            [PortClass("TCP", 85, 85), other("TCP", 65535, 65535, undeclared=True)],
            id="a named port is the declared one",
        ),
        pytest.param(
            [],
            [HTTP, DNS],
            [
                PortClass("TCP", 85, 85),
                other("TCP", 65535, 65535, undeclared=True),
                PortClass("UDP", 53, 53),
                other("UDP", 65535, 65535, undeclared=True),
            ],
            id="every protocol of the pod",
        ),
        pytest.param(
            [PortRange("SCTP"), PortRange("UDP", 53, 53)],
            [HTTP],
            [
                PortClass("TCP", 85, 85),
                other("TCP", 65535, 65535, undeclared=True),
                PortClass("UDP", 53, 53),
                other("UDP", 65535, 65535, undeclared=True),
                other("SCTP", 1, 65535, undeclared=True),
            ],
            id="every protocol that a rule names",
        ),
    ],
)
def test_the_classes(
    ports: list[PortRange | NamedPort], declared: list[ContainerPort], classes: list[PortClass]
) -> None:
    pod = Pod("a", "x", ports=tuple(declared))
    found = port_classes(pod, [Rule(Direction.INGRESS, 0, (), tuple(ports))])
    named = {item.protocol for item in classes}
    assert [item for item in found if item.protocol in named] == classes
    rest = [other(protocol, 1, 65535, undeclared=bool(declared)) for protocol in PROTOCOLS if protocol not in named]
    assert [item for item in found if item.protocol not in named] == rest, "the other protocols, whole"


def test_an_end_that_is_not_a_pod_declares_nothing() -> None:
    rules = [Rule(Direction.EGRESS, 0, (), (PortRange("TCP", 80, 80),)), Rule(Direction.EGRESS, 1)]
    assert port_classes(None, rules) == [
        PortClass("TCP", 80, 80),
        other("TCP", 65535, 65535),
        other("UDP", 1, 65535),
        other("SCTP", 1, 65535),
    ]


TCP80, TCP90 = PortRange("TCP", 80, 80), PortRange("TCP", 90, 90)
REST = "TCP/85 TCP/* UDP/53 UDP/* SCTP/*"


@pytest.mark.parametrize(
    ("rules", "alike"),
    [
        pytest.param([[]], [REST], id="a rule without ports"),
        pytest.param([[TCP80, TCP90]], ["TCP/80 TCP/90", REST], id="two ports of a rule"),
        pytest.param(
            [[TCP80], [TCP90], [PortRange("TCP", 80, 90)]],
            ["TCP/80", "TCP/81-84 TCP/85 TCP/86-89", "TCP/90", "TCP/* UDP/53 UDP/* SCTP/*"],
            id="a range over the ports of others",
        ),
        pytest.param(
            [[NamedPort("TCP", "http")], [PortRange("TCP", 85, 85)]],
            ["TCP/85", "TCP/* UDP/53 UDP/* SCTP/*"],
            id="a name beside its number",
        ),
        pytest.param(
            [[NamedPort(None, "dns")]], ["UDP/53", "TCP/85 TCP/* UDP/* SCTP/*"], id="a name of whatever protocol"
        ),
        pytest.param([[NamedPort("TCP", "dns")]], [REST], id="a name that the pod has not got"),
        pytest.param(
            [[PortRange("UDP")]], ["UDP/53 UDP/*", "TCP/85 TCP/* SCTP/*"], id="a rule for every port of a protocol"
        ),
    ],
)
def test_which_classes_no_rule_tells_apart(rules: list[list[PortRange | NamedPort]], alike: list[str]) -> None:
    pod = Pod("web", "x", ports=(HTTP, DNS))
    given = [Rule(Direction.INGRESS, number, (), tuple(ports)) for number, ports in enumerate(rules)]
    classes = port_classes(pod, given)
    found: dict[object, list[str]] = {}
    for ports, key in zip(classes, rules_covering(classes, pod, given), strict=True):
        numbers = (
            "*" if ports.other else f"{ports.first}-{ports.last}" if ports.first < ports.last else f"{ports.first}"
        )
        found.setdefault(key, []).append(f"{ports.protocol}/{numbers}")
    assert {" ".join(classes) for classes in found.values()} == set(alike)


def test_a_port_name_covers_nothing_of_an_end_that_is_not_a_pod() -> None:
    classes = port_classes(None, [])
    assert rules_covering(classes, None, [Rule(Direction.EGRESS, 0, (), (NamedPort("TCP", "http"),))]) == [None] * 3
