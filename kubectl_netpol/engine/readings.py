"""One rule against one view of the other end: does it match, where, and what keeps it from matching?

The predicates that everything else is made of; a matrix asks the same ones for many pods at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Connection, Dialled, End
from kubectl_netpol.model.addresses import family, is_among, parse_ip
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class Reading(NamedTuple):
    """One reading of what a plugin sees of the other end.

    `pod`: what selectors are compared with; `address` and `block_port`: what an ipBlock rule is.
    `destination`: the pod on which port names are looked up. `always`: allowed whatever the rules say.
    `code`: the reason why there is more than one reading.
    """

    pod: Pod | None
    address: str | None
    protocol: str
    port: int
    block_port: int
    destination: Pod | None
    always: bool = False
    code: Code | None = None


def plain_reading(connection: Connection, peer: End) -> Reading:
    """The plain reading of a connection from the end whose peer this is."""
    port = connection.port
    return Reading(peer.pod, peer.address, connection.protocol, port, port, connection.destination.pod)


def readings_of(
    snapshot: Snapshot, connection: Connection, direction: Direction, subject: End, peer: End
) -> Iterator[Reading]:
    """Every reading of this direction, the plainest first; each other one carries the code of what it turns on."""
    pod = subject.pod
    assert pod is not None  # noqa: S101 - _direction asks for pods only
    base = plain_reading(connection, peer)
    local = _is_local(pod, peer)
    if peer.node and local is True and direction is Direction.INGRESS:
        yield base._replace(always=True)  # the API reference says so, not only the concept page
        return
    yield base
    if pod.host_network:
        yield base._replace(always=True, code=Code.HOST_NETWORK)
    if peer.pod and peer.pod.host_network:
        as_node = _not_a_pod(base, direction, Code.HOST_NETWORK)
        if local is not False:
            yield as_node._replace(always=True)
        if local is not True or direction is Direction.EGRESS:
            yield as_node
    elif local is not False:
        yield base._replace(always=True, code=Code.OWN_NODE)
    if connection.dialled:
        yield from _rewritten(snapshot, connection.dialled, direction, pod, base)


def _rewritten(
    snapshot: Snapshot, dialled: Dialled, direction: Direction, pod: Pod, base: Reading
) -> Iterator[Reading]:
    """The readings in which a Service's rewriting comes after the policies, or before them."""
    if direction is Direction.EGRESS:
        yield base._replace(address=dialled.address, block_port=dialled.port, code=Code.DESTINATION_REWRITTEN)
        if dialled.source_rewritten and dialled.address:
            node = snapshot.node_at(dialled.address)
            if _is_local(pod, End(node=node, address=dialled.address)) is not False:
                yield base._replace(always=True, code=Code.OWN_NODE)
    elif dialled.source_rewritten:
        rewritten = _not_a_pod(base, direction, Code.SOURCE_REWRITTEN)
        yield rewritten._replace(always=True)
        for address in _node_addresses(snapshot, dialled.address):
            yield rewritten._replace(address=address)


def _node_addresses(snapshot: Snapshot, dialled: str | None) -> tuple[str | None, ...]:
    """The addresses of nodes that a source may be rewritten to; one unknown address where no node's is known."""
    known = [address for node in snapshot.nodes for address in node.addresses]
    known += [address for pod in snapshot.pods for address in pod.host_ips]
    if dialled:
        known = [address for address in known if family(address) == family(dialled)]
    return tuple(dict.fromkeys(known)) or (None,)


def _not_a_pod(view: Reading, direction: Direction, code: Code) -> Reading:
    """The same without a pod to see; a destination that is no pod has no port names either."""
    return view._replace(pod=None, destination=view.destination if direction is Direction.INGRESS else None, code=code)


def _is_local(pod: Pod, peer: End) -> bool | None:
    """Whether the peer is the pod's own node, or runs in its network; None where that can't be told."""
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
    return None if parse_ip(peer.address).is_link_local else False


def reading_message(code: Code, direction: Direction, pod: Pod, peer: End, connection: Connection) -> str:
    if code is Code.HOST_NETWORK:
        who = pod.key if pod.host_network else peer.title
        return f"{who} runs in its node's network: the API leaves open whether policies see it as a pod"
    if code is Code.OWN_NODE:
        if direction is Direction.INGRESS:
            return f"{peer.title} may be the node of {pod.key}, and a pod's own node is always let in"
        where = connection.dialled.address if connection.dialled else peer.title
        return (
            f"{where} is, or may be, on the node of {pod.key}: the documentation says that a pod's own node is "
            "always reachable, the API reference does not; plugins differ"
        )
    if code is Code.SOURCE_REWRITTEN:
        return f"{pod.key} may see a node's address instead of {peer.title}: the API leaves it open"
    dialled = (connection.dialled and connection.dialled.address) or "the Service's address"
    return f"an ipBlock decides, and the API leaves open whether it sees {dialled} or the address of {peer.title}"
