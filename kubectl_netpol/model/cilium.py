"""Cilium's own policies as frozen values: subjects, rules, peers and ports, with what Cilium adds to them filled in."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubectl_netpol.model.kinds import object_title
from kubectl_netpol.model.ports import LAST_PORT

if TYPE_CHECKING:
    from kubectl_netpol.model.policies import Direction, IPBlock
    from kubectl_netpol.model.selectors import LabelSelector

NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
SERVICE_ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CLUSTER = "io.cilium.k8s.policy.cluster"


class Entity(str, Enum):
    """The values of fromEntities and toEntities."""

    ALL = "all"
    WORLD = "world"
    CLUSTER = "cluster"
    HOST = "host"
    REMOTE_NODE = "remote-node"
    KUBE_APISERVER = "kube-apiserver"
    INIT = "init"
    INGRESS = "ingress"
    UNMANAGED = "unmanaged"
    HEALTH = "health"
    NONE = "none"


class Endpoints(NamedTuple):
    """Whoever has these labels. Keys are SOURCE:NAME; the source `any` stands for each one.

    `any_cluster`: nothing is added to it in any version, so that it may match ends that are no pods.
    """

    selector: LabelSelector
    any_cluster: bool = False


class NodesWith(NamedTuple):
    """fromNodes, toNodes: nodes by their labels. Only with a setting of the agent that is off by default."""

    selector: LabelSelector


class NotEvaluated(NamedTuple):
    """Peers that the objects do not tell: `what` such as "toFQDNs a.example". `outside`: never pods or nodes."""

    what: str
    outside: bool = True
    domain_names: bool = False


CiliumPeer: TypeAlias = "Endpoints | Entity | IPBlock | NodesWith | NotEvaluated"


class CiliumPort(NamedTuple):
    """Ports by number, both ends included, or by name, in lower case. `protocol` None: TCP, UDP and SCTP."""

    protocol: str | None
    first: int = 1
    last: int = LAST_PORT
    name: str = ""


class PortItem(NamedTuple):
    """One item of toPorts; without ports it covers none. `content`: by what a proxy decides then, "HTTP"."""

    ports: tuple[CiliumPort, ...]
    content: str = ""


class CiliumRule(NamedTuple):
    """`peers` None: no list of peers; (): a list that is there, and empty. `items` None: all ports.

    `numbered`: its peers are those of a NetworkPolicy's rule, in that order.
    """

    direction: Direction
    position: int
    deny: bool = False
    peers: tuple[CiliumPeer, ...] | None = None
    items: tuple[PortItem, ...] | None = None
    icmps: bool = False
    authentication: bool = False
    numbered: bool = False

    @property
    def field(self) -> str:
        """The field of the spec that it stands in: "ingress", "ingressDeny"."""
        return f"{self.direction.field}Deny" if self.deny else self.direction.field


class RuleSet(NamedTuple):
    """spec, or one of specs: a subject with its rules and its default deny, apart from the others.

    `pods`: endpointSelector with the namespace that Cilium adds; None where `nodes`, the nodeSelector, is set.
    `takes_part`: the directions with rules. `isolates`: those of them in which it asks for default deny.
    `because`: why its rules can't be evaluated.
    """

    path: str
    pods: LabelSelector | None
    nodes: LabelSelector | None = None
    rules: tuple[CiliumRule, ...] = ()
    takes_part: tuple[Direction, ...] = ()
    isolates: tuple[Direction, ...] = ()
    because: str = ""


class CiliumPolicy(NamedTuple):
    """A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy. `refused`: why Cilium takes none of it.

    `selects_nodes`: it has fromNodes or toNodes, and is refused as a whole where the agent does not know them.
    """

    kind: str
    namespace: str
    name: str
    sets: tuple[RuleSet, ...] = ()
    refused: str = ""
    selects_nodes: bool = False
    changed: str | None = None

    @property
    def title(self) -> str:
        return object_title(self.kind, self.namespace, self.name)
