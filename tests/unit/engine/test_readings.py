"""Which readings a connection has, each with the code of what it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.readings import Reading, plain_reading, reading_message, readings_of
from kubectl_netpol.engine.verdict import Connection, Dialled, End
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot

SNAPSHOT = snapshot_of(
    yaml.safe_load("""
nodes: {n1: [192.0.2.1, "2001:db8::1"], n2: [192.0.2.2]}
pods:
  a/one: {ip: "10.0.0.1 fd00::1", node: n1, host_ip: 192.0.2.1, ports: http=8080}
  a/two: {ip: 10.0.0.2, node: n2, host_ip: 192.0.2.2}
  a/unplaced: {ip: 10.0.0.3}
  a/host-1: {ip: 192.0.2.1, node: n1, host_network: true}
  a/host-2: {ip: 192.0.2.2, node: n2, host_network: true}
  a/host-unplaced: {ip: 192.0.2.3, host_network: true}
""")
)
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
CLUSTER_IP = Dialled("10.96.0.1", 80)
NODE_PORT = Dialled("192.0.2.2", 30080, source_rewritten=True)


def end(name: str, snapshot: Snapshot = SNAPSHOT) -> End:
    """ "a/one" is a pod, "n1" a node, "host" a host name, anything else an address."""
    if name == "host":
        return End()
    if "/" in name:
        pod = snapshot.pod(*name.split("/"))
        assert pod
        return End(pod=pod, address=pod.ips[0])
    if node := snapshot.node(name):
        return End(node=node, address=node.addresses[0])
    return End(address=name)


def short(reading: Reading) -> str:
    """The code, and "allowed" or what the rules see: pod or "-", address, port if dialled, "names" looked up."""
    if reading.always:
        seen = "allowed"
    else:
        port = f":{reading.block_port}" if reading.block_port != reading.port else ""
        names = "" if reading.destination else " without port names"
        seen = f"{reading.pod.key if reading.pod else '-'} {reading.address}{port}{names}"
    return f"{reading.code.value if reading.code else 'plain'}: {seen}"


def listed(source: str, destination: str, direction: Direction, dialled: Dialled | None = None) -> list[str]:
    connection = Connection(end(source), end(destination), "TCP", 8080, dialled)
    subject, peer = connection.source, connection.destination
    if direction is INGRESS:
        subject, peer = peer, subject
    return [short(reading) for reading in readings_of(SNAPSHOT, connection, direction, subject, peer)]


@pytest.mark.parametrize(
    ("source", "destination", "direction", "readings"),
    [
        pytest.param("a/one", "a/two", EGRESS, ["plain: a/two 10.0.0.2"], id="egress to a pod: one"),
        pytest.param("a/one", "a/two", INGRESS, ["plain: a/one 10.0.0.1"], id="ingress from a pod: one"),
        pytest.param(
            "a/one", "203.0.113.9", EGRESS, ["plain: - 203.0.113.9 without port names"], id="egress to an address: one"
        ),
        pytest.param("a/one", "host", EGRESS, ["plain: - None without port names"], id="egress to a host name: one"),
        pytest.param("203.0.113.9", "a/one", INGRESS, ["plain: - 203.0.113.9"], id="ingress from an address: one"),
        pytest.param(
            "a/host-1",
            "a/two",
            EGRESS,
            ["plain: a/two 10.0.0.2", "host-network: allowed"],
            id="egress of a host-network pod: its policies may not apply",
        ),
        pytest.param(
            "a/two",
            "a/host-1",
            INGRESS,
            ["plain: a/two 10.0.0.2", "host-network: allowed"],
            id="ingress to a host-network pod: its policies may not apply",
        ),
        pytest.param(
            "a/two",
            "a/host-1",
            EGRESS,
            ["plain: a/host-1 192.0.2.1", "host-network: - 192.0.2.1 without port names"],
            id="egress to a host-network pod on another node: it may be seen as that node",
        ),
        pytest.param(
            "a/one",
            "a/host-1",
            EGRESS,
            [
                "plain: a/host-1 192.0.2.1",
                "host-network: allowed",
                "host-network: - 192.0.2.1 without port names",
            ],
            id="egress to a host-network pod on the same node: that may be the pod's own node",
        ),
        pytest.param(
            "a/host-2",
            "a/one",
            INGRESS,
            ["plain: a/host-2 192.0.2.2", "host-network: - 192.0.2.2"],
            id="ingress from a host-network pod on another node: it may be seen as that node",
        ),
        pytest.param(
            "a/host-1",
            "a/one",
            INGRESS,
            ["plain: a/host-1 192.0.2.1", "host-network: allowed"],
            id="ingress from a host-network pod on the same node: that may be the pod's own node",
        ),
        pytest.param(
            "a/host-unplaced",
            "a/one",
            INGRESS,
            ["plain: a/host-unplaced 192.0.2.3", "host-network: allowed", "host-network: - 192.0.2.3"],
            id="ingress from a host-network pod on an unknown node: both",
        ),
        pytest.param(
            "a/host-1",
            "a/unplaced",
            INGRESS,
            ["plain: a/host-1 192.0.2.1", "host-network: allowed", "host-network: - 192.0.2.1"],
            id="ingress from a host-network pod to a pod on an unknown node: both",
        ),
        pytest.param("n1", "a/one", INGRESS, ["plain: allowed"], id="ingress from the pod's own node: always allowed"),
        pytest.param("n2", "a/one", INGRESS, ["plain: - 192.0.2.2"], id="ingress from another node: one"),
        pytest.param(
            "n1",
            "a/unplaced",
            INGRESS,
            ["plain: - 192.0.2.1", "own-node: allowed"],
            id="ingress from a node to a pod on an unknown node: it may be its own",
        ),
        pytest.param(
            "a/one",
            "n1",
            EGRESS,
            ["plain: - 192.0.2.1 without port names", "own-node: allowed"],
            id="egress to the pod's own node: plugins differ",
        ),
        pytest.param(
            "a/one", "n2", EGRESS, ["plain: - 192.0.2.2 without port names"], id="egress to another node: one"
        ),
        pytest.param(
            "a/one",
            "192.0.2.1",
            EGRESS,
            ["plain: - 192.0.2.1 without port names", "own-node: allowed"],
            id="egress to an address that the status shows to be the pod's own node",
        ),
        pytest.param(
            "a/one",
            "169.254.20.10",
            EGRESS,
            ["plain: - 169.254.20.10 without port names", "own-node: allowed"],
            id="egress to a link-local address: it may be on the pod's own node",
        ),
    ],
)
def test_the_readings_of_a_direct_connection(
    source: str, destination: str, direction: Direction, readings: list[str]
) -> None:
    assert listed(source, destination, direction) == readings


@pytest.mark.parametrize(
    ("source", "direction", "dialled", "readings"),
    [
        pytest.param(
            "a/two",
            EGRESS,
            CLUSTER_IP,
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 10.96.0.1:80"],
            id="egress to a ClusterIP: an ipBlock may see that address and port",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            Dialled(None, 80),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one None:80"],
            id="egress to a ClusterIP that is unknown",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            Dialled("192.0.2.2", 80),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 192.0.2.2:80"],
            id="egress to a ClusterIP is never the pod's own node",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            NODE_PORT._replace(address=None),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one None:30080"],
            id="egress to an unknown address that is rewritten",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            NODE_PORT._replace(address="169.254.1.1"),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 169.254.1.1:30080", "own-node: allowed"],
            id="egress to a link-local address that is rewritten: it may be on the pod's own node",
        ),
        pytest.param(
            "a/two", INGRESS, CLUSTER_IP, ["plain: a/two 10.0.0.2"], id="ingress by a ClusterIP: the source stays"
        ),
        pytest.param(
            "a/two",
            EGRESS,
            NODE_PORT,
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 192.0.2.2:30080", "own-node: allowed"],
            id="egress to a node port of the pod's own node: plugins differ",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            NODE_PORT._replace(address="192.0.2.1"),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 192.0.2.1:30080"],
            id="egress to a node port of another node",
        ),
        pytest.param(
            "a/two",
            EGRESS,
            NODE_PORT._replace(address="203.0.113.9"),
            ["plain: a/one 10.0.0.1", "destination-rewritten: a/one 203.0.113.9:30080"],
            id="egress to a load balancer",
        ),
        pytest.param(
            "a/two",
            INGRESS,
            NODE_PORT,
            [
                "plain: a/two 10.0.0.2",
                "source-rewritten: allowed",
                "source-rewritten: - 192.0.2.1",
                "source-rewritten: - 192.0.2.2",
            ],
            id="ingress by a node port: the source may be the pod's own node, or any node of the family dialled",
        ),
        pytest.param(
            "a/two",
            INGRESS,
            NODE_PORT._replace(address="2001:db8::1"),
            ["plain: a/two 10.0.0.2", "source-rewritten: allowed", "source-rewritten: - 2001:db8::1"],
            id="ingress by a node port over IPv6",
        ),
        pytest.param(
            "a/two",
            INGRESS,
            NODE_PORT._replace(address=None),
            [
                "plain: a/two 10.0.0.2",
                "source-rewritten: allowed",
                "source-rewritten: - 192.0.2.1",
                "source-rewritten: - 2001:db8::1",
                "source-rewritten: - 192.0.2.2",
            ],
            id="ingress by an unknown address: nodes of both families",
        ),
    ],
)
def test_the_readings_of_a_connection_through_a_service(
    source: str, direction: Direction, dialled: Dialled, readings: list[str]
) -> None:
    assert listed(source, "a/one", direction, dialled) == readings


def test_a_rewritten_source_is_an_unknown_address_where_no_node_is_known() -> None:
    snapshot = snapshot_of({"pods": {"a/one": {"ip": "10.0.0.1"}, "a/two": {"ip": "10.0.0.2"}}})
    source, destination = end("a/one", snapshot), end("a/two", snapshot)
    connection = Connection(source, destination, "TCP", 80, Dialled("203.0.113.9", 80, source_rewritten=True))
    found = [short(reading) for reading in readings_of(snapshot, connection, INGRESS, destination, source)]
    assert found == ["plain: a/one 10.0.0.1", "source-rewritten: allowed", "source-rewritten: - None"]


def test_the_plain_reading_is_the_peer_on_the_port_of_the_connection() -> None:
    source, destination = end("a/one"), end("a/two")
    connection = Connection(source, destination, "UDP", 53, CLUSTER_IP)
    for peer in (source, destination):
        assert plain_reading(connection, peer) == Reading(peer.pod, peer.address, "UDP", 53, 53, destination.pod)


@pytest.mark.parametrize(
    ("code", "direction", "source", "destination", "dialled", "message"),
    [
        pytest.param(
            Code.HOST_NETWORK, EGRESS, "a/host-1", "a/two", None,
            "a/host-1 uses the host network: the API leaves open whether policies see it as a pod",
            id="the pod itself uses the host network",
        ),
        pytest.param(
            Code.HOST_NETWORK, EGRESS, "a/two", "a/host-1", None,
            "a/host-1 uses the host network: the API leaves open whether policies see it as a pod",
            id="the peer uses the host network",
        ),
        pytest.param(
            Code.OWN_NODE, INGRESS, "n1", "a/unplaced", None,
            "node n1 may be the node of a/unplaced, and a pod's own node is always let in",
            id="ingress from what may be the own node",
        ),
        pytest.param(
            Code.OWN_NODE, EGRESS, "a/one", "n1", None,
            "node n1 is or may be on the node of a/one: the Kubernetes docs say that a pod's own node is always "
            "reachable, the API reference does not; plugins differ",
            id="egress to the own node",
        ),
        pytest.param(
            Code.OWN_NODE, EGRESS, "a/two", "a/one", NODE_PORT,
            "192.0.2.2 is or may be on the node of a/two: the Kubernetes docs say that a pod's own node is always "
            "reachable, the API reference does not; plugins differ",
            id="egress to a node port of the own node",
        ),
        pytest.param(
            Code.SOURCE_REWRITTEN, INGRESS, "a/two", "a/one", NODE_PORT,
            "a/one may see a node's address instead of a/two: the API leaves it open",
            id="a source that may be rewritten",
        ),
        pytest.param(
            Code.SOURCE_REWRITTEN, INGRESS, "a/two", "a/one", NODE_PORT._replace(policy="Cluster"),
            "a/one may see a node's address instead of a/two: the API leaves it open; externalTrafficPolicy is "
            "Cluster, and with externalTrafficPolicy: Local most networks keep a/two",
            id="a source that may be rewritten, with the policy of the Service",
        ),
        pytest.param(
            Code.SOURCE_REWRITTEN, INGRESS, "a/two", "a/one", NODE_PORT._replace(policy="Local"),
            "a/one may see a node's address instead of a/two: the API leaves it open; "
            "with externalTrafficPolicy: Local most networks keep a/two, which is allowed",
            id="a source that most networks keep",
        ),
        pytest.param(
            Code.DESTINATION_REWRITTEN, EGRESS, "a/two", "a/one", CLUSTER_IP,
            "an ipBlock decides, and the API leaves open whether it sees 10.96.0.1 or the address of a/one",
            id="a destination that is rewritten",
        ),
        pytest.param(
            Code.DESTINATION_REWRITTEN, EGRESS, "a/two", "a/one", Dialled(None, 80),
            "an ipBlock decides, and the API leaves open whether it sees the Service's address or the address of a/one",
            id="a destination that is rewritten from an unknown address",
        ),
    ],
)  # fmt: skip
def test_why_a_verdict_depends_on_the_reading(
    *, code: Code, direction: Direction, source: str, destination: str, dialled: Dialled | None, message: str
) -> None:
    connection = Connection(end(source), end(destination), "TCP", 8080, dialled)
    subject, peer = connection.source, connection.destination
    if direction is INGRESS:
        subject, peer = peer, subject
    assert subject.pod
    assert reading_message(code, direction, subject.pod, peer, connection, plain="allowed") == message
