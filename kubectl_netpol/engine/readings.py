"""The readings of one connection: what a plugin may see of the other end where the API leaves that open.

A verdict is defined only where all readings agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Connection, Dialled, End, Note
from kubectl_netpol.model.addresses import family, is_among, is_metadata, is_outside, parse_ip
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.snapshot import Snapshot


class Reading(NamedTuple):
    """One reading of what a plugin sees of the other end.

    `pod`: what selectors match against; `address` and `block_port`: what a rule with an ipBlock matches against.
    `node`: the node that the other end is. `destination`: the pod on which port names are looked up.
    `subject`: the pod whose policies are asked.
    `always`: NetworkPolicy lets it through, whatever the rules say.
    `unread`: why the address may be that of a pod that could not be read.
    `code`: why there is more than one reading; None for the plain one.
    `endpoint`: where `address` is a Service's, the reading of what is behind it, which the tiers see in any case.
    """

    pod: Pod | None
    address: str | None
    protocol: str
    port: int
    block_port: int
    destination: Pod | None
    subject: Pod | None = None
    node: Node | None = None
    always: bool = False
    unread: Note | None = None
    code: Code | None = None
    endpoint: Reading | None = None

    @property
    def in_tiers(self) -> Reading:
        """As the tiers of ClusterNetworkPolicy see it: a pod on the host network is its node's address only."""
        if self.pod is None or not self.pod.host_network:
            return self
        destination = None if self.destination is self.pod else self.destination
        return self._replace(pod=None, destination=destination)


def plain_reading(connection: Connection, peer: End, subject: Pod | None = None, unread: Note | None = None) -> Reading:
    """The reading in which nothing is rewritten and `peer`, the other end, is seen as it is."""
    pod, protocol, port = connection.destination.pod, connection.protocol, connection.port
    return Reading(peer.pod, peer.address, protocol, port, port, pod, subject, peer.node, unread=unread)


def unread_pods(snapshot: Snapshot, end: End) -> Note | None:
    """Why this address may be that of a pod that could not be read, or None where it can't be.

    No pod is expected to have a public IPv4 address.
    """
    if end.pod or end.node or end.address is None or is_outside(end.address):
        return None
    gap = snapshot.gap("pods", None)
    return Note(Code.PERMISSION_MISSING, f"{end.title} may be a pod's address, and {gap.message}") if gap else None


def unread_node(snapshot: Snapshot, end: End) -> Note | None:
    """Why this address may be that of a node that could not be read, or None where it can't be."""
    if end.address is None or is_outside(end.address):
        return None
    gap = snapshot.gap("nodes", None)
    return Note(Code.PERMISSION_MISSING, f"{end.title} may be a node's address, and {gap.message}") if gap else None


def readings_of(
    snapshot: Snapshot, connection: Connection, direction: Direction, subject: End, peer: End
) -> Iterator[Reading]:
    """Every reading of this direction, the plain one first; each other one has the code of what it depends on.

    `subject` is a pod.
    """
    pod = subject.pod
    assert pod is not None  # noqa: S101 - for the type checker
    plain = plain_reading(connection, peer, pod, unread_pods(snapshot, peer) if snapshot.gaps else None)
    if plugin := plugin_of(snapshot):
        yield from plugin.readings(connection, direction, peer, plain)
        return
    local = is_local(snapshot, pod, peer)
    if peer.node and local is True and direction is Direction.INGRESS:
        yield plain._replace(always=True)  # the API reference says so, not only the concept page
        return
    yield plain
    if pod.host_network:
        yield plain._replace(always=True, code=Code.HOST_NETWORK)
    if peer.pod and peer.pod.host_network:
        as_node = _without_pod(plain, direction, Code.HOST_NETWORK)
        if local is not False:
            yield as_node._replace(always=True)
        if local is not True or direction is Direction.EGRESS:
            yield as_node
    elif local is not False:
        yield plain._replace(always=True, code=Code.OWN_NODE)
    if connection.dialled:
        yield from rewritten(snapshot, connection.dialled, direction, pod, plain)


def rewritten(
    snapshot: Snapshot, dialled: Dialled, direction: Direction, pod: Pod, plain: Reading
) -> Iterator[Reading]:
    """The readings in which a policy sees the address that the source dialled, or a source that was rewritten."""
    if direction is Direction.EGRESS:
        service = plain._replace(address=dialled.address, block_port=dialled.port, code=Code.DESTINATION_REWRITTEN)
        yield service._replace(endpoint=plain)
        if dialled.source_rewritten and dialled.address:
            node = snapshot.node_at(dialled.address)
            if is_local(snapshot, pod, End(node=node, address=dialled.address)) is not False:
                yield plain._replace(always=True, code=Code.OWN_NODE)
    elif dialled.source_rewritten:
        as_node = _without_pod(plain, direction, Code.SOURCE_REWRITTEN)
        yield as_node._replace(always=True)
        for address in _node_addresses(snapshot, dialled.address):
            yield as_node._replace(address=address)


def _node_addresses(snapshot: Snapshot, dialled: str | None) -> tuple[str | None, ...]:
    """The node addresses that a source may be rewritten to; (None,) where no node's address is known."""
    known = [address for node in snapshot.nodes for address in node.addresses]
    known += [address for pod in snapshot.pods for address in pod.host_ips]
    if dialled:
        known = [address for address in known if family(address) == family(dialled)]
    return tuple(dict.fromkeys(known)) or (None,)


def _without_pod(reading: Reading, direction: Direction, code: Code) -> Reading:
    """The peer as an address only. As a destination, it has no port names then."""
    destination = reading.destination if direction is Direction.INGRESS else None
    return reading._replace(pod=None, destination=destination, code=code)


def is_local(snapshot: Snapshot, pod: Pod, peer: End) -> bool | None:
    """Whether the peer is the pod's own node, or uses that node's network; None where that is unknown."""
    if peer.node:
        return None if pod.node is None else pod.node == peer.node.name
    if peer.pod:
        if not peer.pod.host_network:
            return False
        return None if pod.node is None or peer.pod.node is None else pod.node == peer.pod.node
    if peer.address is None:
        return False
    if is_among(peer.address, pod.host_ips):
        return True
    if snapshot.gap("nodes", None) and not is_outside(peer.address):
        return None  # a node has addresses that no pod on it shows
    # The cloud's address is no node's, though something on the node may answer for it.
    return None if parse_ip(peer.address).is_link_local and not is_metadata(peer.address) else False


def reading_message(
    code: Code, direction: Direction, pod: Pod, peer: End, connection: Connection, *, plain: str = ""
) -> str:
    """Why the verdict is undefined where the reading with this code disagrees with the plain one, which is `plain`."""
    if code is Code.HOST_NETWORK:
        key = pod.key if pod.host_network else peer.title
        return f"{key} uses the host network: the API leaves open whether policies see it as a pod"
    if code is Code.OWN_NODE:
        if direction is Direction.INGRESS:
            return f"{peer.title} may be the node of {pod.key}, and a pod's own node is always let in"
        address = connection.dialled.address if connection.dialled else peer.title
        return (
            f"{address} is or may be on the node of {pod.key}: the Kubernetes docs say that a pod's own node is "
            "always reachable, the API reference does not; plugins differ"
        )
    if code is Code.SOURCE_REWRITTEN:
        text = f"{pod.key} may see a node's address instead of {peer.title}: the API leaves it open"
        if connection.dialled is None or not connection.dialled.policy:
            return text
        kept = f"with externalTrafficPolicy: Local most networks keep {peer.title}"
        if connection.dialled.policy == "Local":
            return f"{text}; {kept}, which is {plain}"
        return f"{text}; externalTrafficPolicy is Cluster, and {kept}"
    dialled = (connection.dialled and connection.dialled.address) or "the Service's address"
    return f"an ipBlock decides, and the API leaves open whether it sees {dialled} or the address of {peer.title}"
