"""Calico's rules: their fields as values and in words, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.calico import AllOf, CalicoRule, Compare, Entity, Ports, ServiceMatch, Term
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.policies.calico_rules import read_rule

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def read(rule: Any, direction: Direction = INGRESS, namespace: str = "") -> CalicoRule:
    return read_rule(rule, direction, 2, namespace)


def in_shop(*parts: Term) -> AllOf:
    return AllOf((*parts, Term("projectcalico.org/namespace", Compare.EQUAL, ("shop",))))


APP = Term("app", Compare.EQUAL, ("web",))


@pytest.mark.parametrize(
    ("source", "namespace", "found"),
    [
        pytest.param({}, "shop", Entity(), id="nothing"),
        pytest.param({"selector": "app == 'web'"}, "", Entity(AllOf((APP,))), id="a global policy's selector"),
        pytest.param(
            {"selector": "app == 'web'"}, "shop", Entity(in_shop(APP)), id="a namespaced one stays in its namespace"
        ),
        pytest.param({"notSelector": "app == 'web'"}, "", Entity(None, APP), id="notSelector alone, global"),
        pytest.param(
            {"notSelector": "app == 'web'"}, "shop", Entity(in_shop(), APP), id="notSelector alone, namespaced"
        ),
        pytest.param(
            {"namespaceSelector": "env == 'a'", "selector": "app == 'web'"},
            "shop",
            Entity(AllOf((APP, Term("pcns.env", Compare.EQUAL, ("a",))))),
            id="with a namespaceSelector it is not in its namespace",
        ),
        pytest.param(
            {"serviceAccounts": {"names": ["a", "b"], "selector": "team == 'x'"}},
            "",
            Entity(
                AllOf(
                    (
                        Term("pcsa.team", Compare.EQUAL, ("x",)),
                        Term("projectcalico.org/serviceaccount", Compare.IN, ("a", "b")),
                    )
                )
            ),
            id="service accounts",
        ),
        pytest.param({"serviceAccounts": {}}, "shop", Entity(), id="empty service accounts are none"),
        pytest.param(
            {"nets": ["10.0.0.9/8", "192.0.2.1", "fd00::1"]},
            "",
            Entity(nets=("10.0.0.9/8", "192.0.2.1/32", "fd00::1/128")),
            id="nets",
        ),
        pytest.param(
            {"services": {"name": "s", "namespace": "b"}}, "", Entity(service=ServiceMatch("b", "s")), id="services"
        ),
        pytest.param(
            {"services": {"name": "s"}}, "shop", Entity(service=ServiceMatch("", "s")), id="services, no namespace"
        ),
    ],
)
def test_a_source(source: Any, namespace: str, found: Entity) -> None:
    assert read({"action": "Allow", "source": source}, namespace=namespace).source == found


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        pytest.param([80], Ports((PortRange("", 80, 80),)), id="a number"),
        pytest.param(["80"], Ports((PortRange("", 80, 80),)), id="a number as text"),
        pytest.param(["80:90"], Ports((PortRange("", 80, 90),)), id="a range"),
        pytest.param(["0:65535"], Ports((PortRange("", 0, 65535),)), id="all ports"),
        pytest.param(["http", 81, "a.B_c"], Ports((PortRange("", 81, 81),), ("http", "a.B_c")), id="names"),
    ],
)
def test_ports(ports: Any, found: Ports) -> None:
    rule = read({"action": "Allow", "protocol": "TCP", "destination": {"ports": ports}, "source": {"notPorts": ports}})
    assert (rule.destination.ports, rule.source.not_ports) == (found, found)


@pytest.mark.parametrize(
    ("protocol", "found"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("TCP", "TCP", id="a name"),
        pytest.param("sctp", "SCTP", id="a name in small letters"),
        pytest.param(17, "UDP", id="a number"),
        pytest.param("132", "SCTP", id="a number as text"),
        pytest.param("ICMPv6", "", id="ICMP"),
        pytest.param(47, "", id="another number"),
    ],
)
def test_protocols(protocol: Any, found: str | None) -> None:
    assert read({"action": "Allow", "protocol": protocol}).protocol == found
    assert read({"action": "Allow", "notProtocol": protocol}).not_protocol == found


def test_a_rule_about_icmp_has_no_other_protocol() -> None:
    assert read({"action": "Allow", "icmp": {"type": 8}}).protocol == ""
    assert read({"action": "Allow", "notICMP": {"type": 8}}).protocol == ""


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        pytest.param({}, ("everything", "", "", "all ports"), id="nothing"),
        pytest.param(
            {
                "protocol": "TCP",
                "source": {"selector": "a == 'b'", "nets": ["10.0.0.0/8", "fd00::/8"], "ports": [1]},
                "destination": {"ports": [80, "90:99"], "notPorts": ["x"]},
            },
            (
                "TCP from selector a == 'b' and nets 10.0.0.0/8,fd00::/8 and ports 1 to ports 80,90:99 and notPorts x",
                "selector a == 'b' and nets 10.0.0.0/8,fd00::/8",
                "",
                "TCP 80,90:99 not x",
            ),
            id="ports and nets",
        ),
        pytest.param(
            {
                "notProtocol": "UDP",
                "ipVersion": 6,
                "http": {"methods": ["GET"]},
                "source": {"serviceAccounts": {"names": ["x"], "selector": "all()"}},
            },
            (
                "not UDP IPv6 from serviceAccounts names x and serviceAccounts selector all() http",
                "serviceAccounts names x and serviceAccounts selector all()",
                "",
                "not UDP",
            ),
            id="the rest",
        ),
        pytest.param(
            {"source": {"services": {"name": "s", "namespace": "n"}}},
            ("from services n/s", "services n/s", "", "all ports"),
            id="services",
        ),
    ],
)
def test_in_words(rule: dict[str, Any], texts: tuple[str, ...]) -> None:
    found = read({"action": "Allow", **rule})
    assert (found.text, found.end_text("source"), found.end_text("destination"), found.ports_text) == texts
    assert found.other_text == found.end_text("source")
    assert read({"action": "Allow"}, EGRESS).other_text == ""


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param({}, "spec.ingress[2].action: is missing", id="no action"),
        pytest.param({"action": "Accept"}, '.action: must be one of Allow, Deny, Log, Pass, got "Accept"', id="action"),
        pytest.param({"action": "Allow", "port": 1}, 'spec.ingress[2]: unknown field "port"', id="an unknown field"),
        pytest.param({"action": "Allow", "source": {"cidr": 1}}, '.source: unknown field "cidr"', id="of an end"),
        pytest.param(
            {"action": "Allow", "source": {"serviceAccounts": {"name": "x"}}},
            '.source.serviceAccounts: unknown field "name"',
            id="of service accounts",
        ),
        pytest.param({"action": "Allow", "protocol": "HTTP"}, '.protocol: invalid protocol "HTTP"', id="protocol"),
        pytest.param({"action": "Allow", "protocol": 0}, ".protocol: invalid protocol 0", id="protocol 0"),
        pytest.param({"action": "Allow", "protocol": 256}, ".protocol: invalid protocol 256", id="protocol 256"),
        pytest.param({"action": "Allow", "protocol": True}, ".protocol: invalid protocol true", id="protocol true"),
        pytest.param({"action": "Allow", "protocol": []}, ".protocol: invalid protocol a list", id="protocol list"),
        pytest.param({"action": "Allow", "ipVersion": 5}, ".ipVersion: must be 4 or 6, got 5", id="version"),
        pytest.param(
            {"action": "Allow", "destination": {"ports": [80]}},
            ".destination: ports by number need protocol TCP, UDP or SCTP",
            id="a port without a protocol",
        ),
        pytest.param(
            {"action": "Allow", "protocol": "ICMP", "source": {"notPorts": [80]}},
            ".source: ports by number need protocol TCP, UDP or SCTP",
            id="a port with another protocol",
        ),
        pytest.param(
            {"action": "Allow", "protocol": "TCP", "notProtocol": "UDP", "destination": {"ports": [80]}},
            ".destination: ports by number need protocol TCP, UDP or SCTP",
            id="a port with notProtocol",
        ),
        *(
            pytest.param(
                {"action": "Allow", "protocol": "TCP", "destination": {"ports": [port]}},
                f".destination.ports[0]: {message}",
                id=f"port {port}",
            )
            for port, message in (
                (65536, "invalid port 65536: must be 0-65535, the lower one first"),
                (-1, "invalid port -1: must be 0-65535"),
                ("90:80", 'invalid port "90:80": must be 0-65535, the lower one first'),
                ("9999999999", 'invalid port "9999999999"'),
                ("a b", 'invalid port "a b"'),
                (None, "is missing"),
            )
        ),
        pytest.param(
            {"action": "Allow", "source": {"nets": ["10.0.0.0/33"]}}, '.source.nets[0]: invalid CIDR "10', id="net"
        ),
        pytest.param(
            {"action": "Allow", "source": {"services": {"name": "s"}}}, ".services.namespace: is missing", id="service"
        ),
        pytest.param(
            {"action": "Allow", "source": {"services": {"namespace": "s"}}}, ".services.name: is missing", id="name"
        ),
        pytest.param(
            {"action": "Allow", "source": {"services": {"name": "s", "namespace": "n"}, "nets": ["10.0.0.0/8"]}},
            ".source.services: can't be combined with other fields",
            id="services and nets",
        ),
        pytest.param(
            {"action": "Allow", "destination": {"services": {"name": "s", "namespace": "n"}}},
            ".destination.services: services is for the destination of egress rules",
            id="services at the wrong end of an ingress rule",
        ),
        pytest.param([], "spec.ingress[2]: expected an object, got a list", id="a list"),
    ],
)
def test_what_is_refused(rule: Any, message: str) -> None:
    with pytest.raises(BadField) as error:
        read(rule)
    assert message in str(error.value)


def test_services_of_a_source_may_have_ports_beside_them_and_those_of_a_destination_not() -> None:
    end = {"services": {"name": "s", "namespace": "n"}, "ports": [80]}
    found = read({"action": "Allow", "protocol": "TCP", "source": end}).source
    assert found == Entity(service=ServiceMatch("n", "s"), ports=Ports((PortRange("", 80, 80),)))
    with pytest.raises(BadField, match=r"destination\.services: can't be combined with other fields"):
        read({"action": "Allow", "protocol": "TCP", "destination": end}, EGRESS)


def test_services_at_the_wrong_end_of_an_egress_rule_are_refused() -> None:
    with pytest.raises(BadField, match=r"source\.services: services is for the source of ingress rules"):
        read({"action": "Allow", "source": {"services": {"name": "s", "namespace": "n"}}}, EGRESS)
