"""IP addresses and CIDRs as the API accepts them, and their families."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.addresses import (
    by_family,
    family,
    is_among,
    is_cidr,
    is_ip,
    is_metadata,
    is_outside,
    other_family,
    parse_ip,
    parse_network,
    shared_family,
)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param("10.0.0.1", True, id="IPv4"),
        pytest.param("fd00::1", True, id="IPv6"),
        pytest.param("::ffff:10.0.0.1", True, id="IPv4-mapped IPv6"),
        pytest.param("", False, id="an empty text"),
        pytest.param("web", False, id="a name"),
        pytest.param("10.0.0", False, id="three octets"),
        pytest.param("10.0.0.256", False, id="an octet above 255"),
        pytest.param("010.0.0.1", False, id="a leading zero"),
        pytest.param("10.0.0.1\n", False, id="a line break at the end"),
        pytest.param("10.0.0.0/8", False, id="a CIDR"),
    ],
)
def test_what_is_an_ip_address(text: str, valid: bool) -> None:  # noqa: FBT001 - a column
    assert is_ip(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param("10.0.0.0/8", True, id="IPv4"),
        pytest.param("10.0.0.1/8", True, id="host bits may be set"),
        pytest.param("::/0", True, id="IPv6"),
        pytest.param("fd00::1/64", True, id="IPv6 host bits may be set"),
        pytest.param("", False, id="an empty text"),
        pytest.param("10.0.0.1", False, id="the prefix length is required"),
        pytest.param("10.0.0.0/", False, id="an empty prefix length"),
        pytest.param("10.0.0.0/33", False, id="a prefix length above 32"),
        pytest.param("10.0.0.0/-1", False, id="a negative prefix length"),
        pytest.param("10.0.0.0/٨", False, id="a prefix length in digits of another script"),
        pytest.param("10.0.0.0/255.0.0.0", False, id="a netmask"),
        pytest.param("fe80::%1/64", False, id="a zone"),
        pytest.param("a/8", False, id="a name with a prefix length"),
    ],
)
def test_what_is_a_cidr(text: str, valid: bool) -> None:  # noqa: FBT001 - a column
    assert is_cidr(text) is valid


def test_an_ipv4_mapped_address_or_block_is_ipv4() -> None:
    assert str(parse_ip("::ffff:10.0.0.1")) == "10.0.0.1"
    assert str(parse_network("::ffff:10.0.0.0/104")) == "10.0.0.0/8"


def test_a_block_that_is_wider_than_all_mapped_addresses_stays_ipv6() -> None:
    assert str(parse_network("::ffff:0:0/95")) == "::fffe:0:0/95"


def test_host_bits_of_a_block_are_cleared() -> None:
    assert str(parse_network("10.1.2.3/8")) == "10.0.0.0/8"


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        pytest.param("8.8.8.8", True, id="public IPv4"),
        pytest.param("169.254.20.10", True, id="link-local IPv4"),
        pytest.param("fe80::1", True, id="link-local IPv6"),
        pytest.param("127.0.0.1", True, id="loopback"),
        pytest.param("10.0.0.1", False, id="private IPv4"),
        pytest.param("192.168.1.1", False, id="private IPv4 of a small network"),
        pytest.param("fd00::1", False, id="unique local IPv6"),
        pytest.param("2a00:1450::1", False, id="global IPv6, which pods have too"),
        pytest.param("203.0.113.9", False, id="a documentation range is not routed"),
        pytest.param("100.64.0.1", False, id="carrier-grade NAT, which clusters use"),
    ],
)
def test_addresses_that_a_pod_or_a_service_is_unlikely_to_have(address: str, outside: bool) -> None:  # noqa: FBT001 - a column
    assert is_outside(address) is outside


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("10.0.0.1", 4, id="IPv4"),
        pytest.param("fd00::1", 6, id="IPv6"),
        pytest.param("::ffff:10.0.0.1", 4, id="IPv4-mapped IPv6 is IPv4"),
    ],
)
def test_the_family_of_an_address(text: str, version: int) -> None:
    assert family(text) == version


def test_an_address_is_among_others_in_any_spelling() -> None:
    assert is_among("fd00:0:0::1", ("10.0.0.1", "fd00::1"))
    assert is_among("::ffff:10.0.0.1", ("10.0.0.1",))
    assert not is_among("10.0.0.2", ("10.0.0.1", "fd00::1"))
    assert not is_among("10.0.0.1", ())


def test_the_first_address_of_each_family() -> None:
    assert by_family(("10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2")) == {4: "10.0.0.1", 6: "fd00::1"}


@pytest.mark.parametrize(
    ("addresses", "others", "found"),
    [
        pytest.param(("10.0.0.1", "fd00::1", "fd00::2"), ("2001:db8::1",), "fd00::1", id="the first of that family"),
        pytest.param(("10.0.0.1", "fd00::1"), ("fd00::9", "10.0.0.9"), "10.0.0.1", id="the first if both are shared"),
        pytest.param(("10.0.0.1",), ("2001:db8::1",), "10.0.0.1", id="the first if no family is shared"),
        pytest.param(("fd00::1", "10.0.0.1"), (), "fd00::1", id="the first without anything to compare"),
        pytest.param((), ("10.0.0.1",), None, id="none without addresses"),
    ],
)
def test_an_address_of_a_shared_family(addresses: tuple[str, ...], others: tuple[str, ...], found: str | None) -> None:
    assert shared_family(addresses, others) == found


def test_an_address_of_the_other_family() -> None:
    assert other_family(("10.0.0.1", "10.0.0.2", "fd00::1"), "10.0.0.9") == "fd00::1"
    assert other_family(("10.0.0.1",), "10.0.0.9") is None


@pytest.mark.parametrize(
    ("address", "metadata"),
    [("169.254.169.254", True), ("fd00:ec2:0::254", True), ("169.254.169.253", False), ("10.0.0.1", False)],
)
def test_where_clouds_tell_of_a_machine(address: str, metadata: bool) -> None:  # noqa: FBT001 - a row
    assert is_metadata(address) is metadata
