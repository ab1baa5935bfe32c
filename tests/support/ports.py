"""The one grammar of ports, as rows for every command that takes ports: what they mean, and what is wrong."""

from __future__ import annotations

import pytest

# For a pod that declares these, in the short form of tables.py.
DECLARED = "http=80 dns=53/UDP dns-tcp=53"
NUMBERS: dict[tuple[str, int | str], int] = {("TCP", "http"): 80, ("UDP", "dns"): 53, ("TCP", "dns-tcp"): 53}

# (as typed, the protocol of --protocol or None, the ports one by one)
TYPED_PORTS = [
    pytest.param("80", None, [("TCP", 80)], id="a number is a TCP port"),
    pytest.param("http", None, [("TCP", "http")], id="a name"),
    pytest.param("80/UDP", None, [("UDP", 80)], id="a number with its protocol"),
    pytest.param("dns/udp", None, [("UDP", "dns")], id="a name with its protocol, in lower case"),
    pytest.param("80,443", None, [("TCP", 80), ("TCP", 443)], id="a list"),
    pytest.param("443,80", None, [("TCP", 443), ("TCP", 80)], id="a list in the order typed"),
    pytest.param("8000-8002", None, [("TCP", 8000), ("TCP", 8001), ("TCP", 8002)], id="a range"),
    pytest.param("8000-8001/SCTP", None, [("SCTP", 8000), ("SCTP", 8001)], id="a range with its protocol"),
    pytest.param("53,53/UDP", None, [("TCP", 53), ("UDP", 53)], id="one number on two protocols"),
    pytest.param(
        "http,443,8000-8001,53/udp",
        None,
        [("TCP", "http"), ("TCP", 443), ("TCP", 8000), ("TCP", 8001), ("UDP", 53)],
        id="everything in one list",
    ),
    pytest.param("80,80,80/tcp", None, [("TCP", 80)], id="a port typed twice"),
    pytest.param("dns,80", "udp", [("UDP", "dns"), ("UDP", 80)], id="--protocol is for every port"),
    pytest.param("53,80/tcp", "UDP", [("UDP", 53), ("TCP", 80)], id="but not for one with its own"),
]

_GRAMMAR = "write a number, a range or a name: 80, 80/UDP, 8000-8080, http"
_PROTOCOLS = "must be one of TCP, UDP, SCTP"

# (as typed, the whole of stderr)
INVALID_PORTS = [
    pytest.param("0", 'error: invalid port "0": must be 1-65535\n', id="port 0"),
    pytest.param("65536", 'error: invalid port "65536": must be 1-65535\n', id="port 65536"),
    pytest.param("80,1-70000", 'error: invalid port "1-70000": must be 1-65535\n', id="a range that ends too high"),
    pytest.param(
        "90-80",
        'error: invalid port range "90-80": it ends before it begins\nhint: write 80-90\n',
        id="a reversed range",
    ),
    pytest.param("80/ICMP", f'error: invalid protocol "ICMP"\nhint: {_PROTOCOLS}\n', id="another protocol"),
    pytest.param("80/", f'error: invalid protocol ""\nhint: {_PROTOCOLS}\n', id="no protocol after the slash"),
    pytest.param("80,", f'error: invalid port ""\nhint: {_GRAMMAR}\n', id="a list that ends in a comma"),
    pytest.param("", f'error: invalid port ""\nhint: {_GRAMMAR}\n', id="nothing, as of an unset variable"),
    pytest.param("HTTP", f'error: invalid port "HTTP"\nhint: {_GRAMMAR}\n', id="a name in capitals"),
    pytest.param("80-", f'error: invalid port "80-"\nhint: {_GRAMMAR}\n', id="half a range"),
    pytest.param("٨٠", f'error: invalid port "٨٠"\nhint: {_GRAMMAR}\n', id="digits of another script"),
]


def options(protocol: str | None) -> str:
    return f"--protocol {protocol}" if protocol else ""


def numbers(ports: list[tuple[str, int | str]]) -> list[tuple[str, int]]:
    """The ports with the numbers that DECLARED gives their names."""
    return [(protocol, NUMBERS.get((protocol, port)) or int(port)) for protocol, port in ports]
