"""Policies of every kind, their rules and peers, as frozen values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.model.addresses import MANY, blocks_by_bits, parse_ip, parse_network
from kubectl_netpol.model.kinds import object_title
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Namespace, Pod
    from kubectl_netpol.model.ports import NamedPort, PortRange


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
        if ip not in parse_network(self.cidr):
            return False
        if len(self.except_) > MANY:
            return not blocks_by_bits(self.except_).holding(address)
        return all([ip not in parse_network(block) for block in self.except_])  # noqa: C419 - twice as fast


class Peer(NamedTuple):
    """One item of a rule's from or to: selectors (at least one is not None), or one of the fields below.

    `namespace_selector` None beside a pod_selector: the policy's own namespace. `networks`: any of them matches.
    `node_selector`: the addresses of these nodes. `domain_names`: the addresses that DNS gives for them.
    `same_labels`, `other_labels`: label keys, namespaces with the values of the subject's namespace, or with others.
    `unreadable`: why it is not known whether it matches what its selectors match; without any, whether anything.
    """

    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None
    networks: tuple[IPBlock, ...] = ()
    node_selector: LabelSelector | None = None
    domain_names: tuple[str, ...] = ()
    same_labels: tuple[str, ...] | None = None
    other_labels: tuple[str, ...] | None = None
    unreadable: str | None = None

    @property
    def blocks(self) -> tuple[IPBlock, ...]:
        """Its ranges of addresses; none if it selects by something else."""
        return (self.ip_block,) if self.ip_block else self.networks

    @property
    def selects_pods(self) -> bool:
        """Whether it matches pods by labels, their own or those of their namespace."""
        if self.pod_selector is not None or self.namespace_selector is not None:
            return True
        return self.same_labels is not None or self.other_labels is not None

    @property
    def selects_by_own_namespace(self) -> bool:
        """Whether it depends on the labels of the subject's namespace."""
        return self.same_labels is not None or self.other_labels is not None

    @property
    def one_namespace(self) -> str | None:
        """The namespace that the peer names by kubernetes.io/metadata.name, if that is its whole namespaceSelector."""
        requirements = self.namespace_selector.requirements if self.namespace_selector else ()
        if len(requirements) != 1 or len(requirements[0].values) != 1:
            return None
        key, operator, (name,) = requirements[0]
        return name if key == METADATA_NAME and operator is Operator.IN else None


class Action(str, Enum):
    """What becomes of a connection that a rule matches. PASS: the next layer of policies decides."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"  # noqa: S105 - no password


class Tier(str, Enum):
    """The tiers of ClusterNetworkPolicy: asked before NetworkPolicy, and after it."""

    ADMIN = "Admin"
    BASELINE = "Baseline"


class Rule(NamedTuple):
    """spec.ingress[position] or spec.egress[position]. No peers: any peer. No ports: any port and protocol.

    `condition`: what it requires instead of peers and ports (`engine.conditions`), of a plugin's own policy.
    `path`: where it is in the object, if that is not spec.ingress[position]: "ingressDeny[0]", "specs[1].egress[0]".
    """

    direction: Direction
    position: int
    peers: tuple[Peer, ...] = ()
    ports: tuple[PortRange | NamedPort, ...] = ()
    action: Action = Action.ALLOW
    name: str = ""
    condition: Any = None
    path: str = ""


class Place(NamedTuple):
    """The tier of a policy of Calico's, and its order there; None: last."""

    tier: str
    order: float | None


class Policy(NamedTuple):
    """A policy whose rules are evaluated; `kind` is its name in `model.kinds`.

    `namespace` "": cluster-scoped, then `namespace_selector` says whose pods it applies to.
    `directions`: the policyTypes of a NetworkPolicy, by the API's default if left out; of other kinds those with rules.
    `tier` and `priority`: None and 0 for a NetworkPolicy. `changed`: as in Pod.
    `unreadable`: why it is not known which pods it applies to. `place`: where Calico asks it.
    """

    namespace: str
    name: str
    pod_selector: LabelSelector
    directions: tuple[Direction, ...]
    rules: tuple[Rule, ...] = ()
    changed: str | None = None
    kind: str = "NetworkPolicy"
    namespace_selector: LabelSelector | None = None
    tier: Tier | None = None
    priority: int = 0
    unreadable: str | None = None
    place: Place | None = None

    @property
    def key(self) -> str:
        """NAMESPACE/NAME of a NetworkPolicy; of another kind as in `title`."""
        return f"{self.namespace}/{self.name}" if self.kind == "NetworkPolicy" else self.title

    @property
    def title(self) -> str:
        """A NetworkPolicy's name; else as kubectl prints an object: "adminnetworkpolicy.policy.networking.k8s.io/a"."""
        return self.name if self.kind == "NetworkPolicy" else object_title(self.kind, self.namespace, self.name)

    def selects(self, pod: Pod) -> bool:
        """Whether a NetworkPolicy applies to the pod: in its namespace, matched by podSelector, and not finished."""
        return pod.namespace == self.namespace and self.pod_selector.matches(pod.labels) and not pod.finished

    def selects_in(self, namespace: Namespace, pod: Pod) -> bool | None:
        """Whether a cluster-scoped policy applies to the pod, which is in that namespace; None where that is unknown.

        It never applies to finished pods, nor to those on the host network.
        """
        if pod.finished or pod.host_network or not self.pod_selector.matches(pod.labels):
            return False
        selected = namespace.selected_by(self.namespace_selector or LabelSelector())
        return None if selected and self.unreadable else selected

    def isolates(self, pod: Pod, direction: Direction) -> bool:
        return direction in self.directions and self.selects(pod)

    def rules_of(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules that apply in a direction: none if policyTypes leaves it out."""
        if direction not in self.directions:
            return ()
        return tuple([rule for rule in self.rules if rule.direction is direction])


class UnevaluatedPolicy(NamedTuple):
    """A policy whose rules are not evaluated, so that what it may select is undefined.

    `kind`: as `policy_kind` names it. `namespace` None: cluster-wide. A selector that is None may select anything,
    which includes one that can't be read. `after`: applies only to ends that no NetworkPolicy isolates.
    `directions`: those it has rules for. `nodes`: it can select host-network pods and, if it is cluster-wide, nodes.
    `because`: why its rules are not evaluated, where the kind is one that is.
    `beside`: a proxy asks it about requests, beside the network: a caveat.
    """

    kind: str
    namespace: str | None
    name: str
    directions: tuple[Direction, ...] = (Direction.INGRESS, Direction.EGRESS)
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    after: bool = False
    nodes: bool = False
    because: str | None = None
    beside: bool = False

    @property
    def title(self) -> str:
        """As kubectl prints an object, after its namespace if it has one."""
        return object_title(self.kind, self.namespace or "", self.name)

    def may_select(self, pod: Pod, namespace: Namespace) -> bool:
        """False only if it certainly does not select the pod."""
        if self.namespace is not None and self.namespace != pod.namespace:
            return False
        if pod.host_network:
            return self.nodes
        if self.namespace_selector is not None and namespace.selected_by(self.namespace_selector) is False:
            return False
        return self.pod_selector is None or self.pod_selector.matches(pod.labels)


def blocks_of(policies: Iterable[Policy]) -> set[str]:
    """Every CIDR in the policies' rules, those in `except` too."""
    return {
        block
        for policy in policies
        for rule in policy.rules
        for peer in rule.peers
        for ranges in peer.blocks
        for block in (ranges.cidr, *ranges.except_)
    }
