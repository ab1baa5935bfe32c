"""What is asked and what is answered: connections and verdicts, as frozen values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_netpol.engine.codes import Code
    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.policies import Direction, Policy, Rule


class Verdict(str, Enum):
    """A verdict as it stands in JSON."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    UNDEFINED = "undefined"


class Note(NamedTuple):
    """A code with its sentence: a reason, a caveat or a warning."""

    code: Code
    message: str


class End(NamedTuple):
    """One end of a connection: a pod, a node, or neither, which is an address outside the cluster.

    `address` is the one used; None where it is not known (a pod that only a manifest describes).
    """

    pod: Pod | None = None
    node: Node | None = None
    address: str | None = None

    @property
    def title(self) -> str:
        """What people call it: "shop/nginx", "node worker-1", "10.0.0.5"."""
        if self.pod:
            return self.pod.key
        return f"node {self.node.name}" if self.node else self.address or "?"


class Dialled(NamedTuple):
    """The address and port that the source dialled where a Service rewrites them on the way.

    `address` None: the Service's, which is not known (manifests). `source_rewritten`: the source's may be rewritten
    too (NodePort, load balancer, external IP).
    """

    address: str | None
    port: int
    source_rewritten: bool = False


class Connection(NamedTuple):
    """What is asked about. `port` is the destination's own, after a Service's mapping."""

    source: End
    destination: End
    protocol: str
    port: int
    dialled: Dialled | None = None


class RulePart(str, Enum):
    """The part of a rule that did not match."""

    NAMESPACE = "namespace"
    POD = "pod"
    ADDRESS = "address"
    NO_POD = "no-pod"
    PORT = "port"
    PROTOCOL = "protocol"
    PORT_NAME = "port-name"


class Miss(NamedTuple):
    """Why a rule does not match: what it wants and what it found, in words of the API."""

    part: RulePart
    wanted: str
    found: str


class RuleMatch(NamedTuple):
    """The rule that allows, with the positions of its first matching peer and port; None where it has no such list."""

    policy: Policy
    rule: Rule
    peer: int | None
    port: int | None


class NearMiss(NamedTuple):
    """A rule of an isolating policy that does not match: its closest peer and what keeps it from matching."""

    policy: Policy
    rule: Rule
    peer: int | None
    port: int | None
    misses: tuple[Miss, ...]


class DirectionVerdict(NamedTuple):
    """What one end's policies say. No `isolated_by`: that end is not isolated in this direction (or is no pod)."""

    direction: Direction
    verdict: Verdict
    isolated_by: tuple[Policy, ...] = ()
    allowed_by: tuple[RuleMatch, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    reason: Note | None = None
    caveats: tuple[Note, ...] = ()


class ConnectionVerdict(NamedTuple):
    """What both ends' policies say of one connection. `reason` is None where it is allowed."""

    connection: Connection
    verdict: Verdict
    egress: DirectionVerdict
    ingress: DirectionVerdict
    reason: Note | None
    caveats: tuple[Note, ...]
