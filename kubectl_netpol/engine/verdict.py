"""Connections and the verdicts on them, as frozen values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_netpol.engine.codes import Code
    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.policies import Direction, Policy, Rule


class Verdict(str, Enum):
    """The value is the one in JSON."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    UNDEFINED = "undefined"


class Note(NamedTuple):
    """A code and its message: a reason, a caveat or a warning."""

    code: Code
    message: str


class End(NamedTuple):
    """One end of a connection: a pod, a node, or neither (an address outside the cluster).

    `address` is the one in use; None where it is unknown (a pod from a manifest).
    """

    pod: Pod | None = None
    node: Node | None = None
    address: str | None = None

    @property
    def title(self) -> str:
        """As users write it: "shop/nginx", "node worker-1", "10.0.0.5"."""
        if self.pod:
            return self.pod.key
        return f"node {self.node.name}" if self.node else self.address or "?"


class Dialled(NamedTuple):
    """The address and port that the source dials where a Service rewrites them.

    `address` None: a Service address that is unknown (manifests). `source_rewritten`: the source address may be
    rewritten too (NodePort, load balancer, external IP). `policy`: the externalTrafficPolicy of the Service then.
    """

    address: str | None
    port: int
    source_rewritten: bool = False
    policy: str = ""


class Connection(NamedTuple):
    """`port` is the destination's own, after a Service has mapped it."""

    source: End
    destination: End
    protocol: str
    port: int
    dialled: Dialled | None = None


class RulePart(str, Enum):
    """The part of a rule that does not match."""

    NAMESPACE = "namespace"
    POD = "pod"
    ADDRESS = "address"
    NO_POD = "no-pod"
    PORT = "port"
    PROTOCOL = "protocol"
    PORT_NAME = "port-name"
    CONDITION = "condition"


class Miss(NamedTuple):
    """Why a rule does not match: what it requires and what was found, in terms of the API."""

    part: RulePart
    required: str
    found: str


class RuleMatch(NamedTuple):
    """A rule that matches, and the positions of its first matching peer and port; None where it lists none."""

    policy: Policy
    rule: Rule
    peer: int | None
    port: int | None


class NearMiss(NamedTuple):
    """A rule that would have allowed it and does not match, and what its closest peer misses.

    `by_peer`: what each of its peers misses, by position.
    """

    policy: Policy
    rule: Rule
    peer: int | None
    port: int | None
    misses: tuple[Miss, ...]
    by_peer: tuple[tuple[Miss, ...], ...] = ()

    @property
    def peers(self) -> tuple[NearMiss, ...]:
        """The same rule by each of its other peers."""
        others = enumerate(self.by_peer)
        return tuple([self._replace(peer=at, misses=misses) for at, misses in others if at != self.peer])


class DirectionVerdict(NamedTuple):
    """The verdict of one end's policies.

    `isolated_by`: the NetworkPolicies that isolate it in this direction; none too if it is not a pod.
    `allowed_by`, `denied_by`: the rules that decide. `passed_by`: rules that left it to the next layer.
    `tiered_by`: the policies of the Admin and Baseline tiers that were to be asked.
    """

    direction: Direction
    verdict: Verdict
    isolated_by: tuple[Policy, ...] = ()
    allowed_by: tuple[RuleMatch, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    reason: Note | None = None
    caveats: tuple[Note, ...] = ()
    denied_by: tuple[RuleMatch, ...] = ()
    passed_by: tuple[RuleMatch, ...] = ()
    tiered_by: tuple[Policy, ...] = ()


class ConnectionVerdict(NamedTuple):
    """The verdict of both ends' policies on one connection. `reason` is None where it is allowed."""

    connection: Connection
    verdict: Verdict
    egress: DirectionVerdict
    ingress: DirectionVerdict
    reason: Note | None
    caveats: tuple[Note, ...]
