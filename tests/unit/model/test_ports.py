"""Ports as typed: one grammar for every command; and their text."""

from __future__ import annotations

import pytest

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import ContainerPort, Pod
from kubectl_netpol.model.ports import (
    NamedPort,
    PortRange,
    RulePorts,
    SinglePort,
    parse_ports,
    parse_protocol,
    port_text,
    protocols_text,
    single_ports,
)


def tcp(first: int, last: int | None = None) -> PortRange:
    return PortRange("TCP", first, last or first)


@pytest.mark.parametrize(
    ("typed", "ports"),
    [
        pytest.param("80", (tcp(80),), id="a number"),
        pytest.param("1", (tcp(1),), id="the lowest"),
        pytest.param("65535", (tcp(65535),), id="the highest"),
        pytest.param("http", (NamedPort("TCP", "http"),), id="a name"),
        pytest.param("a-b", (NamedPort("TCP", "a-b"),), id="a name with a dash"),
        pytest.param("80/UDP", (PortRange("UDP", 80, 80),), id="a protocol"),
        pytest.param("dns/udp", (NamedPort("UDP", "dns"),), id="a name with a protocol, in lower case"),
        pytest.param("8000-8080", (tcp(8000, 8080),), id="a range"),
        pytest.param("8000-8080/sctp", (PortRange("SCTP", 8000, 8080),), id="a range with a protocol"),
        pytest.param("1-1", (tcp(1),), id="a range of one"),
        pytest.param("80,443", (tcp(80), tcp(443)), id="several"),
        pytest.param("443,80", (tcp(443), tcp(80)), id="several in the order typed"),
        pytest.param("80, 443", (tcp(80), tcp(443)), id="spaces after commas"),
        pytest.param("80,80,80/tcp", (tcp(80),), id="without duplicates"),
        pytest.param("53/UDP,53", (PortRange("UDP", 53, 53), tcp(53)), id="one number on two protocols"),
        pytest.param("080", (tcp(80),), id="a leading zero"),
    ],
)
def test_ports_as_typed(typed: str, ports: RulePorts) -> None:
    assert parse_ports(typed) == ports


def test_a_port_without_a_protocol_has_the_default_one() -> None:
    assert parse_ports("80,53/tcp,http", "udp") == (PortRange("UDP", 80, 80), tcp(53), NamedPort("UDP", "http"))


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        pytest.param("99999", 'invalid port "99999": must be 1-65535', None, id="too high"),
        pytest.param("0", 'invalid port "0": must be 1-65535', None, id="zero"),
        pytest.param("65536", 'invalid port "65536": must be 1-65535', None, id="one too high"),
        pytest.param("1-70000", 'invalid port "1-70000": must be 1-65535', None, id="a range that ends too high"),
        pytest.param("80-79", 'invalid port range "80-79": it ends before it begins', "write 79-80", id="backwards"),
        pytest.param("80/ICMP", 'invalid protocol "ICMP"', "must be one of TCP, UDP, SCTP", id="an unknown protocol"),
        pytest.param("80/", 'invalid protocol ""', "must be one of TCP, UDP, SCTP", id="no protocol after the slash"),
        *(
            pytest.param(
                typed,
                f'invalid port "{bad}"',
                "write a number, a range or a name: 80, 80/UDP, 8000-8080, http",
                id=f"{typed!r} is neither a number nor a name",
            )
            for typed, bad in (
                ("", ""),
                ("80-", "80-"),
                ("-80", "-80"),
                ("80,,81", ""),
                ("Http", "Http"),
                ("8 0", "8 0"),
                ("٨٠", "٨٠"),
                ("a.b", "a.b"),
            )
        ),
    ],
)
def test_an_invalid_port_is_an_error_with_the_next_step(typed: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ports(typed)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_thousands_of_digits_are_an_error_not_a_crash() -> None:
    with pytest.raises(UsageError, match="must be 1-65535"):
        parse_ports("9" * 5000)


def test_ranges_are_expanded_to_their_numbers_without_duplicates() -> None:
    assert single_ports(parse_ports("8001,8000-8002,http,53/udp")) == (
        SinglePort("TCP", 8001),
        SinglePort("TCP", 8000),
        SinglePort("TCP", 8002),
        SinglePort("TCP", "http"),
        SinglePort("UDP", 53),
    )


def test_a_thousand_ports_can_be_asked_for_and_not_more() -> None:
    assert len(single_ports(parse_ports("1-999,http"))) == 1000
    with pytest.raises(UsageError, match="65535 ports are more than 1000") as error:
        single_ports(parse_ports("1-65535"))
    assert error.value.hint == "narrow the range: policies tell apart only the ports they name"


def test_protocols_are_typed_in_any_case() -> None:
    assert [parse_protocol(typed) for typed in ("tcp", "UDP", "Sctp")] == ["TCP", "UDP", "SCTP"]
    with pytest.raises(UsageError, match='invalid protocol "icmp"'):
        parse_protocol("icmp")


WEB = Pod("shop", "web", ports=(ContainerPort("http", 8080), ContainerPort("dns", 53, "UDP")))


@pytest.mark.parametrize(
    ("item", "pod", "text"),
    [
        pytest.param(tcp(80), None, "80", id="one number"),
        pytest.param(tcp(8000, 8080), None, "8000-8080", id="a range"),
        pytest.param(PortRange("TCP"), None, "any port", id="all ports"),
        pytest.param(NamedPort("TCP", "http"), None, "http", id="a name without a pod"),
        pytest.param(NamedPort("TCP", "http"), WEB, "http (8080)", id="a name that the pod has, with its number"),
        pytest.param(
            NamedPort("UDP", "http"), WEB, "http (no such port)", id="a name that the pod has for another protocol"
        ),
    ],
)
def test_the_text_of_a_port(item: PortRange | NamedPort, pod: Pod | None, text: str) -> None:
    assert port_text(item, pod) == text


def test_the_text_of_ports_by_protocol() -> None:
    ports = (tcp(80), PortRange("UDP", 53, 53), NamedPort("TCP", "http"))
    assert protocols_text(ports, WEB) == "TCP 80,http (8080), UDP 53"
