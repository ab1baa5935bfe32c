"""What Felix, Calico's agent, does beside the policies: to a pod's own node, with VXLAN, at host endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.calico_match import own_node
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import Layer, RuleList
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Action, Direction, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector

if TYPE_CHECKING:
    from kubectl_netpol.engine.conditions import Seen
    from kubectl_netpol.model.calico import HostEndpoint
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

_VXLAN = 4789


class _OwnNode:
    """A pod's connection to its own node, which defaultEndpointToHostAction may drop."""

    by_address = False

    def about(self, _: Direction, subject: Pod, __: str, ___: int) -> object:
        return subject.node, subject.host_ips

    def holds(self, _: Snapshot, seen: Seen) -> bool | Note:
        if own_node(seen) is False:
            return False
        message = (
            f"{seen.pod.key if seen.pod else seen.address} is or may be the node of {seen.subject.key}: "
            "whether a pod reaches its own node hangs on Felix's defaultEndpointToHostAction"
        )
        return Note(Code.OWN_NODE, message)


class _NoTunnel:
    """Anything but VXLAN, which Felix drops on its way out of a pod."""

    by_address = False

    def about(self, _: Direction, __: Pod, protocol: str, ___: int) -> object:
        return protocol

    def holds(self, _: Snapshot, seen: Seen) -> bool | Note:
        return (seen.protocol, seen.port) != ("UDP", _VXLAN)


class Crosses:
    """Whether a connection may cross the interface of a host endpoint."""

    by_address = False

    def __init__(self, subject: Pod, endpoint: HostEndpoint, policy: str) -> None:
        self._subject = subject
        self._endpoint = endpoint
        self._policy = policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crosses) and self._what == other._what

    def __hash__(self) -> int:
        return hash((self._endpoint.name, self._policy))

    @property
    def _what(self) -> object:
        return self._subject.identity, self._endpoint, self._policy

    def holds(self, _: Snapshot, seen: Seen) -> bool | Note:
        nodes = {self._subject.node, seen.pod.node if seen.pod else seen.node.name if seen.node else None}
        if len(nodes) == 1 and None not in nodes:
            return False
        if self._endpoint.node and self._endpoint.node not in nodes and None not in nodes:
            return False
        message = (
            f"globalnetworkpolicy.projectcalico.org/{self._policy} may apply where it crosses host endpoint "
            f"{self._endpoint.name}"
        )
        return Note(Code.HOST_ENDPOINT, message)


INTERNAL = Policy("", "", LabelSelector(), (), kind="GlobalNetworkPolicy")  # no policy: what Felix itself does
NO_TUNNEL = Layer(
    RuleList(INTERNAL, (Rule(Direction.EGRESS, 0, action=Action.PASS, condition=_NoTunnel()),)),
    isolates=True,
    at_end=Note(Code.DENIED_BY_PLUGIN, f"Felix drops what a pod sends to UDP port {_VXLAN} (VXLAN) before any policy"),
)
TO_OWN_NODE = Layer(
    RuleList(INTERNAL, (Rule(Direction.EGRESS, 0, action=Action.DENY, condition=_OwnNode()),)),
)
