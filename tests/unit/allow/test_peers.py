"""Peers: pods by label selectors, in another namespace with its name, and everything else by its addresses."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.peers import (
    addresses_of,
    block_peers,
    pod_peer,
    route_addresses,
    selector_for,
    unique_pods,
)
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import Route
from kubectl_netpol.engine.verdict import End
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.objects import Node, Pod
from kubectl_netpol.model.policies import IPBlock, Peer
from kubectl_netpol.model.selectors import LabelSelector, in_namespace
from kubectl_netpol.model.snapshot import Snapshot

POD = Pod("a", "web", {"app": "web"}, ("10.0.0.2", "fd00::2"))
AGENT = Pod("a", "agent", {"app": "agent"}, ("192.0.2.7",), host_network=True, host_ips=("192.0.2.7", "2001:db8::7"))
PLANNED = Pod("a", "next", {"app": "next"}, planned=True)
NODE = Node("worker", ("192.0.2.7", "2001:db8::7"))


@pytest.mark.parametrize(
    ("end", "addresses"),
    [
        pytest.param(Resolved(pod=POD), ("10.0.0.2", "fd00::2"), id="a pod connects from its own addresses"),
        pytest.param(Resolved(pod=AGENT), ("192.0.2.7", "2001:db8::7"), id="a host-network pod from its node's"),
        pytest.param(Resolved(pod=PLANNED), (), id="a planned pod has none"),
        pytest.param(Resolved(node=NODE), ("192.0.2.7", "2001:db8::7"), id="a node from all of its addresses"),
        pytest.param(
            Resolved(node=Node("worker"), address="192.0.2.7"),
            ("192.0.2.7",),
            id="a node without any, from the one typed",
        ),
        pytest.param(Resolved(address="198.51.100.1"), ("198.51.100.1",), id="an address from itself"),
        pytest.param(Resolved(host="example.com"), (), id="a host name has none"),
    ],
)
def test_the_addresses_of_a_source(end: Resolved, addresses: tuple[str, ...]) -> None:
    assert addresses_of(end) == addresses


@pytest.mark.parametrize(
    ("end", "addresses"),
    [
        pytest.param(End(pod=AGENT, address="192.0.2.7"), AGENT.host_ips, id="a host-network pod is at all its node's"),
        pytest.param(End(pod=POD, address="10.0.0.2"), ("10.0.0.2",), id="a pod is at the address in use"),
        pytest.param(End(node=NODE, address="2001:db8::7"), ("2001:db8::7",), id="a node is at the address in use"),
        pytest.param(End(node=NODE), NODE.addresses, id="a node without one in use is at all of its own"),
        pytest.param(End(address="198.51.100.1"), ("198.51.100.1",), id="an address outside"),
        pytest.param(End(), (), id="an unknown address"),
    ],
)
def test_the_addresses_of_a_route(end: End, addresses: tuple[str, ...]) -> None:
    assert route_addresses(Route(end, 80)) == addresses


@pytest.mark.parametrize(
    ("title", "addresses", "cidrs", "notes"),
    [
        pytest.param("198.51.100.1", ["198.51.100.1"], ["198.51.100.1/32"], [], id="an address needs no note"),
        pytest.param(
            "2001:db8::1", ["2001:DB8:0::1"], ["2001:db8::1/128"], [], id="an address in another spelling is the same"
        ),
        pytest.param(
            "node worker",
            NODE.addresses,
            ["192.0.2.7/32", "2001:db8::7/128"],
            ["node worker is matched by address, which may change: no selector can match it"],
            id="a node is a block per address, and a note",
        ),
    ],
)
def test_a_block_for_each_address(title: str, addresses: list[str], cidrs: list[str], notes: list[str]) -> None:
    found: list[str] = []
    assert block_peers(title, addresses, found) == tuple(Peer(ip_block=IPBlock(cidr)) for cidr in cidrs)
    assert found == notes


def test_an_end_without_a_known_address_can_not_be_a_block() -> None:
    with pytest.raises(NetpolError, match="the address of a/agent is unknown, and an ipBlock needs one"):
        block_peers("a/agent", (), [])


def test_pods_of_another_namespace_are_matched_with_its_name() -> None:
    selector = LabelSelector.of({"app": "web"})
    assert pod_peer(selector, "a", "a") == Peer(None, selector)
    assert pod_peer(selector, "a", "b") == Peer(in_namespace("a"), selector)


def test_each_pod_is_there_once_and_what_is_no_pod_is_dropped() -> None:
    assert unique_pods([POD, None, AGENT, POD._replace(ips=())]) == [POD._replace(ips=()), AGENT]


def test_a_note_on_the_chosen_labels_is_kept() -> None:
    twin = Pod("a", "twin", {"app": "web"})
    notes = ["before"]
    assert selector_for(Snapshot(pods=[POD]), [POD], Resolved(pod=POD), notes) == LabelSelector.of({"app": "web"})
    assert notes == ["before"]
    selector_for(Snapshot(pods=[POD, twin]), [POD], Resolved(pod=POD), notes)
    assert notes == ["before", "no label distinguishes a/web from a/twin: the policy matches them too"]
