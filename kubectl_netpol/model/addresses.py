"""Addresses and blocks of addresses as the API takes them, read once each. Knows nothing of the cluster."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4 = 4
_PLAIN_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_MAPPED_PREFIX = 96  # of ::ffff:0:0/96, where IPv6 holds the IPv4 addresses
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=65536)
def parse_ip(text: str) -> IPAddress:
    """The address; IPv4 mapped into IPv6 (::ffff:10.0.0.5) is the IPv4 address. ValueError where it is none."""
    ip = ipaddress.ip_address(text)
    return (ip.version == 6 and ip.ipv4_mapped) or ip  # noqa: PLR2004 - the name of the protocol


@lru_cache(maxsize=65536)
def parse_network(text: str) -> IPNetwork:
    """The CIDR, with host bits cleared as the API server accepts them. ValueError where it is none.

    A block of IPv4 addresses mapped into IPv6 is the IPv4 block, as its addresses are.
    """
    network = ipaddress.ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ipaddress.ip_network((int(mapped), network.prefixlen - _MAPPED_PREFIX))


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    if _PLAIN_IPV4.fullmatch(text):  # most are, and the module takes ten times as long to say so
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def family(text: str) -> int:
    """The address family, 4 or 6."""
    return parse_ip(text).version


def is_among(text: str, addresses: Iterable[str]) -> bool:
    """Whether one of the addresses is this one, however it is written."""
    ip = parse_ip(text)
    return any(parse_ip(address) == ip for address in addresses)


def by_family(addresses: Iterable[str]) -> dict[int, str]:
    """The first address of each family."""
    found: dict[int, str] = {}
    for address in addresses:
        found.setdefault(family(address), address)
    return found


def shared_family(addresses: Iterable[str], others: Iterable[str]) -> str | None:
    """The first of the addresses whose family one of the others has too; the first of all where none is."""
    listed, families = tuple(addresses), set(map(family, others))
    return next((address for address in listed if family(address) in families), next(iter(listed), None))


def other_family(addresses: Iterable[str], like: str) -> str | None:
    """The first of the addresses that is not of the family of `like`, or None."""
    return next((address for address in addresses if family(address) != family(like)), None)


def is_outside(text: str) -> bool:
    """Whether the address is hardly a pod's or a Service's: a public IPv4 one, or one that stays on its own link."""
    ip = parse_ip(text)
    return (ip.version == _IPV4 and ip.is_global) or ip.is_link_local or ip.is_loopback


def is_cidr(text: str) -> bool:
    """Whether the text is an address block as the API takes it: with a prefix length; host bits may be set."""
    address, _, prefix = text.partition("/")
    if "%" in address or not (prefix.isascii() and prefix.isdecimal()):
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
