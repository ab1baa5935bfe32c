"""NetworkPolicies, their rules and peers as frozen values, and policies of other kinds that can override them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.addresses import parse_ip, parse_network
from kubectl_netpol.model.selectors import METADATA_NAME, Operator

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Namespace, Pod
    from kubectl_netpol.model.ports import NamedPort, PortRange
    from kubectl_netpol.model.selectors import LabelSelector


class Direction(str, Enum):
    """The values of spec.policyTypes."""

    INGRESS = "Ingress"
    EGRESS = "Egress"

    @property
    def field(self) -> str:
        """The field of the spec with its rules, and its name in JSON: "ingress" or "egress"."""
        return self.value.lower()

    @property
    def opposite(self) -> Direction:
        return Direction.EGRESS if self is Direction.INGRESS else Direction.INGRESS

    @property
    def peers_field(self) -> str:
        """The field of a rule with its peers: "from" or "to"."""
        return "from" if self is Direction.INGRESS else "to"


class IPBlock(NamedTuple):
    """networking/v1 IPBlock; the CIDRs as written."""

    cidr: str
    except_: tuple[str, ...] = ()

    def contains(self, address: str) -> bool:
        """Whether the address is in the CIDR and in no except; never for an address of the other family."""
        ip = parse_ip(address)
        return ip in parse_network(self.cidr) and not any(ip in parse_network(block) for block in self.except_)


class Peer(NamedTuple):
    """One item of a rule's from or to: either selectors (at least one is not None) or a block."""

    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None

    @property
    def one_namespace(self) -> str | None:
        """The namespace that the peer names by kubernetes.io/metadata.name, if that is its whole namespaceSelector."""
        requirements = self.namespace_selector.requirements if self.namespace_selector else ()
        if len(requirements) != 1 or len(requirements[0].values) != 1:
            return None
        key, operator, (name,) = requirements[0]
        return name if key == METADATA_NAME and operator is Operator.IN else None


class Rule(NamedTuple):
    """spec.ingress[position] or spec.egress[position]. No peers: any peer. No ports: any port and protocol."""

    direction: Direction
    position: int
    peers: tuple[Peer, ...] = ()
    ports: tuple[PortRange | NamedPort, ...] = ()


class Policy(NamedTuple):
    """networking.k8s.io/v1 NetworkPolicy; `directions` are its policyTypes, by the API's default if left out.

    `changed`: as in Pod.
    """

    namespace: str
    name: str
    pod_selector: LabelSelector
    directions: tuple[Direction, ...]
    rules: tuple[Rule, ...] = ()
    changed: str | None = None

    @property
    def key(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    def selects(self, pod: Pod) -> bool:
        """Whether it applies to the pod: in its namespace, matched by podSelector, and not finished."""
        return pod.namespace == self.namespace and not pod.finished and self.pod_selector.matches(pod.labels)

    def isolates(self, pod: Pod, direction: Direction) -> bool:
        return direction in self.directions and self.selects(pod)

    def rules_of(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules that apply in a direction: none if policyTypes leaves it out."""
        if direction not in self.directions:
            return ()
        return tuple(rule for rule in self.rules if rule.direction is direction)


class OverridingPolicy(NamedTuple):
    """A policy of another kind, which applies before, after or along with NetworkPolicies.

    `namespace` None: cluster-wide. A selector that is None may select anything, which includes one that can't be read.
    `after`: applies only to ends that no NetworkPolicy isolates (the Baseline tier).
    `directions`: those it has rules for. `nodes`: it can select nodes and host-network pods.
    """

    kind: str
    namespace: str | None
    name: str
    directions: tuple[Direction, ...] = (Direction.INGRESS, Direction.EGRESS)
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    after: bool = False
    nodes: bool = False

    @property
    def title(self) -> str:
        """As in "ClusterNetworkPolicy admin-deny"."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def may_select(self, pod: Pod, namespace: Namespace) -> bool:
        """False only if it certainly does not select the pod."""
        if self.namespace is not None and self.namespace != pod.namespace:
            return False
        if pod.host_network:
            return self.nodes
        if self.namespace_selector is not None and namespace.selected_by(self.namespace_selector) is False:
            return False
        return self.pod_selector is None or self.pod_selector.matches(pod.labels)
