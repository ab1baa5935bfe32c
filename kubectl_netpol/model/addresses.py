"""IP addresses and CIDRs as the API accepts them: parsing, comparing, and picking one by address family."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4 = 4
_PLAIN_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_ZONE = re.compile(r"%[A-Za-z0-9_.-]+\Z")  # Python takes any text
_MAPPED_PREFIX = 96  # of ::ffff:0:0/96, where IPv6 holds the IPv4 addresses
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=65536)
def parse_ip(text: str) -> IPAddress:
    """The address; an IPv4-mapped IPv6 one (::ffff:10.0.0.5) is returned as IPv4. ValueError if it is invalid."""
    ip = ipaddress.ip_address(text)
    return (ip.version == 6 and ip.ipv4_mapped) or ip  # noqa: PLR2004 - the name of the protocol


@lru_cache(maxsize=65536)
def parse_network(text: str) -> IPNetwork:
    """The CIDR with its host bits cleared, which the API server accepts when set. ValueError if it is invalid.

    An IPv4-mapped IPv6 block is returned as IPv4, like its addresses.
    """
    network = ipaddress.ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ipaddress.ip_network((int(mapped), network.prefixlen - _MAPPED_PREFIX))


MANY = 8  # blocks, more than which are not asked one by one


class Blocks:
    """Many blocks, each with a number: which of them hold an address is found by its first bits, not one by one."""

    def __init__(self, numbered: Iterable[tuple[str, int]]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, list[int]]] = {}
        for cidr, number in numbered:
            network = parse_network(cidr)
            first = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            by_bits = self._by_length.setdefault((network.version, network.prefixlen), {})
            by_bits.setdefault(first, []).append(number)

    def holding(self, address: str) -> set[int]:
        """The numbers of the blocks that the address is in."""
        ip = parse_ip(address)
        found: set[int] = set()
        for (version, length), by_bits in self._by_length.items():
            if version == ip.version:
                found.update(by_bits.get(int(ip) >> (ip.max_prefixlen - length), ()))
        return found


@lru_cache(maxsize=1024)
def blocks_by_bits(cidrs: tuple[str, ...]) -> Blocks:
    return Blocks((cidr, number) for number, cidr in enumerate(cidrs))


def is_ip(text: str) -> bool:
    if "%" in text and not _ZONE.search(text):
        return False
    if _PLAIN_IPV4.fullmatch(text):  # ten times as fast as ipaddress, and most are plain IPv4
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def family(text: str) -> int:
    """4 or 6."""
    return parse_ip(text).version


def is_among(text: str, addresses: Iterable[str]) -> bool:
    """Whether one of the addresses is this one; spelling does not matter."""
    ip = parse_ip(text)
    return any(parse_ip(address) == ip for address in addresses)


def by_family(addresses: Iterable[str]) -> dict[int, str]:
    """The first address of each family."""
    found: dict[int, str] = {}
    for address in addresses:
        found.setdefault(family(address), address)
    return found


def shared_family(addresses: Iterable[str], others: Iterable[str]) -> str | None:
    """The first address whose family is also among `others`; without one, the first address, or None."""
    listed, families = tuple(addresses), set(map(family, others))
    return next((address for address in listed if family(address) in families), next(iter(listed), None))


def other_family(addresses: Iterable[str], like: str) -> str | None:
    """The first address of the family that `like` is not of, or None."""
    return next((address for address in addresses if family(address) != family(like)), None)


def is_outside(text: str) -> bool:
    """Whether a pod or a Service is unlikely to have the address: public IPv4, link-local or loopback."""
    ip = parse_ip(text)
    return (ip.version == _IPV4 and ip.is_global) or ip.is_link_local or ip.is_loopback


_METADATA = ("169.254.169.254", "fd00:ec2::254", "fe80::a9fe:a9fe")


def is_loopback(text: str) -> bool:
    return parse_ip(text).is_loopback


def is_metadata(text: str) -> bool:
    """Whether clouds answer at the address with what they know of a machine, such as its credentials."""
    return is_among(text, _METADATA)


def is_cidr(text: str) -> bool:
    """Whether the API accepts it as a CIDR: the prefix length is required; host bits may be set."""
    address, _, prefix = text.partition("/")
    if "%" in address or not (prefix.isascii() and prefix.isdecimal()):
        return False
    try:
        parse_network(text)
    except ValueError:
        return False
    return True
