"""The values by themselves: addresses, blocks, gaps, and looking things up in a snapshot."""

from __future__ import annotations

import pytest

from kubectl_netpol.engine.verdict import End
from kubectl_netpol.model.addresses import is_cidr, is_ip, is_outside, parse_ip, parse_network
from kubectl_netpol.model.objects import Namespace, Node, Pod, Service
from kubectl_netpol.model.policies import IPBlock, OverridingPolicy
from kubectl_netpol.model.snapshot import Gap, Snapshot


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        (
            IPBlock("10.0.0.0/8"),
            ("10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"),
            ("11.0.0.0", "9.255.255.255", "::a"),
        ),
        (IPBlock("10.0.0.0/8", ("10.1.0.0/16", "10.2.0.0/16")), ("10.3.0.1",), ("10.1.0.1", "10.2.255.255")),
        (IPBlock("10.0.0.5/8"), ("10.9.9.9",), ("11.0.0.5",)),
        (IPBlock("10.0.0.5/32"), ("10.0.0.5",), ("10.0.0.4",)),
        (IPBlock("0.0.0.0/0"), ("255.255.255.255", "0.0.0.0"), ("::", "2001:db8::1")),
        (IPBlock("::/0"), ("::", "2001:db8::1"), ("10.0.0.1", "::ffff:10.0.0.1")),
        (IPBlock("fd00::/8", ("fd00:1::/32",)), ("fd00::1", "FD00:0::2"), ("fd00:1::1", "fe80::1")),
        (IPBlock("::ffff:10.0.0.0/104"), ("10.255.0.1",), ("11.0.0.1", "::a")),
    ],
)
def test_what_a_block_contains(block: IPBlock, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    assert [address for address in inside if not block.contains(address)] == []
    assert [address for address in outside if block.contains(address)] == []


def test_texts_of_addresses_and_blocks() -> None:
    assert [text for text in ("10.0.0.1", "fd00::1", "::ffff:10.0.0.1") if not is_ip(text)] == []
    assert [text for text in ("", "10.0.0", "10.0.0.256", "10.0.0.0/8", "web", "010.0.0.1") if is_ip(text)] == []
    assert [text for text in ("10.0.0.0/8", "10.0.0.1/8", "::/0", "fd00::1/64") if not is_cidr(text)] == []
    wrong = ("", "10.0.0.1", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/255.0.0.0", "fe80::%1/64", "a/8", "10.0.0.0/-1")
    assert [text for text in wrong if is_cidr(text)] == []
    assert str(parse_ip("::ffff:10.0.0.1")) == "10.0.0.1"
    assert str(parse_network("10.1.2.3/8")) == "10.0.0.0/8"
    assert str(parse_network("::ffff:0:0/95")) == "::fffe:0:0/95"


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.20.10", "fe80::1", "127.0.0.1"])
def test_addresses_that_are_hardly_a_pods(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "fd00::1", "2a00:1450::1", "203.0.113.9", "100.64.0.1"])
def test_addresses_that_may_be_a_pods(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize(
    ("gap", "hidden", "seen"),
    [
        (Gap("pods", None, "m"), ("a", "b", None), ()),
        (Gap("pods", None, "m", frozenset({"a"})), ("b", None), ("a",)),
        (Gap("pods", "a", "m"), ("a", None), ("b",)),
    ],
)
def test_what_a_gap_hides(gap: Gap, hidden: tuple[str | None, ...], seen: tuple[str | None, ...]) -> None:
    snapshot = Snapshot(gaps=[gap])
    assert [namespace for namespace in hidden if snapshot.gap("pods", namespace) is not gap] == []
    assert [namespace for namespace in seen if snapshot.gap("pods", namespace)] == []
    assert snapshot.gap("services", None) is None


POD = Pod("a", "web", ips=("10.0.0.1", "fd00::1"), node="n1", host_ips=("192.0.2.1",))
HOST = Pod("a", "host", ips=("192.0.2.2",), host_network=True, node="n2", host_ips=("192.0.2.2",))
SNAPSHOT = Snapshot(
    namespaces=[Namespace("a", {"team": "x"})],
    pods=[Pod("a", "old", ips=("10.0.0.1",), phase="Failed"), POD, HOST, Pod("b", "web")],
    nodes=[Node("n9", ("192.0.2.9", "2001:db8::9"))],
    services=[Service("a", "web", None)],
)


def test_looking_up_in_a_snapshot() -> None:
    assert SNAPSHOT.pod("a", "web") is POD
    assert SNAPSHOT.pod("c", "web") is None
    assert [pod.name for pod in SNAPSHOT.pods_in("b")] == ["web"]
    assert SNAPSHOT.policies_in("a") == ()
    assert SNAPSHOT.service("a", "web") is SNAPSHOT.services[0]
    assert SNAPSHOT.service("b", "web") is None
    assert SNAPSHOT.node("n9") is SNAPSHOT.nodes[0]
    assert SNAPSHOT.node("n1") is None
    assert SNAPSHOT.services[0].key == "a/web"
    assert SNAPSHOT.namespace("a").complete
    assert SNAPSHOT.namespace("b") == Namespace("b", {"kubernetes.io/metadata.name": "b"}, complete=False)


@pytest.mark.parametrize(
    ("address", "pod", "node"),
    [
        ("10.0.0.1", "a/web", None),
        ("::ffff:10.0.0.1", "a/web", None),
        ("fd00:0::1", "a/web", None),
        ("192.0.2.2", None, "n2"),
        ("192.0.2.1", None, "n1"),
        ("2001:db8::9", None, "n9"),
        ("10.9.9.9", None, None),
    ],
)
def test_whose_address_it_is(address: str, pod: str | None, node: str | None) -> None:
    found, there = SNAPSHOT.pod_at(address), SNAPSHOT.node_at(address)
    assert (found and found.key) == pod
    assert (there and there.name) == node


def test_titles() -> None:
    assert End(pod=POD).title == "a/web"
    assert End(node=Node("n1")).title == "node n1"
    assert End(address="10.0.0.1").title == "10.0.0.1"
    assert End().title == "?"
    assert OverridingPolicy("GlobalNetworkPolicy", None, "g").title == "GlobalNetworkPolicy g"
    assert OverridingPolicy("CiliumNetworkPolicy", "a", "g").title == "CiliumNetworkPolicy a/g"


def test_the_first_pod_of_a_name_is_the_one() -> None:
    template = POD._replace(ips=(), planned=True)
    snapshot = Snapshot(pods=[POD, template])
    assert snapshot.pod("a", "web") is POD
    assert not snapshot.is_template(template)
