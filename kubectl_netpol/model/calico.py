"""Calico's own objects as frozen values: selectors, rules, policies, tiers, network sets, host endpoints.

They are written in `policies.calico`; what they mean, alone and together, is in `engine.calico`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubectl_netpol.model.kinds import object_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.model.policies import Direction, Policy
    from kubectl_netpol.model.ports import PortRange

NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
ACCOUNT = "projectcalico.org/serviceaccount"
NAME = "projectcalico.org/name"
OF_NAMESPACE, OF_ACCOUNT = "pcns.", "pcsa."  # before a label's key: that of the namespace, of the service account
DEFAULT_TIER = "default"


class Labels(NamedTuple):
    """What selectors see of a pod, a set or a host endpoint. `unknown`: beginnings of keys whose values are unknown."""

    known: Mapping[str, str]
    unknown: tuple[str, ...] = ()


class Compare(str, Enum):
    """The operators of a selector's terms. Those on an absent key fail, but for the negative ones."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"
    HAS = "has"


class Term(NamedTuple):
    key: str
    test: Compare
    values: tuple[str, ...] = ()

    def holds(self, labels: Labels) -> bool | None:
        value = labels.known.get(self.key)
        if value is None and labels.unknown and self.key.startswith(labels.unknown):
            return None
        if self.test in (Compare.EQUAL, Compare.IN):
            return value in self.values
        if self.test in (Compare.NOT_EQUAL, Compare.NOT_IN):
            return value not in self.values
        if value is None or self.test is Compare.HAS:
            return value is not None
        if self.test is Compare.CONTAINS:
            return self.values[0] in value
        return value.startswith(self.values[0]) if self.test is Compare.STARTS_WITH else value.endswith(self.values[0])


class Not(NamedTuple):
    of: Selector

    def holds(self, labels: Labels) -> bool | None:
        held = self.of.holds(labels)
        return None if held is None else not held


class AllOf(NamedTuple):
    """Without parts it is all()."""

    parts: tuple[Selector, ...] = ()

    def holds(self, labels: Labels) -> bool | None:
        found: bool | None = True
        for part in self.parts:
            held = part.holds(labels)
            if held is False:
                return False
            if held is None:
                found = None
        return found


class AnyOf(NamedTuple):
    parts: tuple[Selector, ...]

    def holds(self, labels: Labels) -> bool | None:
        found = [part.holds(labels) for part in self.parts]
        return True if True in found else None if None in found else False


Selector: TypeAlias = "Term | Not | AllOf | AnyOf"


def keys_of(selector: Selector) -> frozenset[str]:
    """The keys of all its terms."""
    if isinstance(selector, Term):
        return frozenset((selector.key,))
    parts = (selector.of,) if isinstance(selector, Not) else selector.parts
    return frozenset().union(*map(keys_of, parts))


class Ports(NamedTuple):
    """Ports of a rule: any of them. Names are those of container ports."""

    ranges: tuple[PortRange, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ranges or self.names)

    def covers(self, port: int) -> bool:
        """By number."""
        return any(item.first <= port <= item.last for item in self.ranges)


class ServiceMatch(NamedTuple):
    """The endpoints of a Service. `namespace` "": it is left out."""

    namespace: str
    name: str


class Entity(NamedTuple):
    """A rule's source or destination: what is required of that end's address and port.

    `selects`: some thing (pod, set, host endpoint) with the address has it; namespace and accounts are part of it.
    `selects_not`: with `selects` that same thing has it not; alone, no thing with the address has it.
    """

    selects: Selector | None = None
    selects_not: Selector | None = None
    nets: tuple[str, ...] = ()
    not_nets: tuple[str, ...] = ()
    ports: Ports = Ports()
    not_ports: Ports = Ports()
    service: ServiceMatch | None = None

    @property
    def by_address(self) -> bool:
        """Whether it asks for addresses."""
        return bool(self.nets or self.not_nets or self.service)


class CalicoRule(NamedTuple):
    """`protocol`, `not_protocol`: TCP, UDP, SCTP, "" for others, None for any. `http`: it has a match on requests.

    `text`: its fields in words; `ends`: those of its source and destination, ports apart; `ports_text`: its ports.
    """

    direction: Direction
    position: int
    action: str
    source: Entity = Entity()
    destination: Entity = Entity()
    protocol: str | None = None
    not_protocol: str | None = None
    ip_version: int | None = None
    http: bool = False
    text: str = ""
    ends: tuple[str, str] = ("", "")
    ports_text: str = ""

    @property
    def nets(self) -> tuple[str, ...]:
        """Every CIDR that it names."""
        return tuple(net for end in (self.source, self.destination) for net in (*end.nets, *end.not_nets))

    def end_text(self, name: str) -> str:
        """Of "source" or "destination"."""
        return self.ends[name == "destination"]

    @property
    def other_text(self) -> str:
        """Of the end that is not the subject's."""
        return self.end_text("source" if self.direction.value == "Ingress" else "destination")


_ENFORCED = {"StagedNetworkPolicy": "CalicoNetworkPolicy", "StagedGlobalNetworkPolicy": "GlobalNetworkPolicy"}


class CalicoPolicy(NamedTuple):
    """A NetworkPolicy or GlobalNetworkPolicy. `order` None: last. `selector`: the pods, namespaces and accounts.

    `unsure`: directions of which it is not known whether the policy speaks of them.
    `hosts_only`: never for pods (doNotTrack, preDNAT). `forwarded`: for what host endpoints forward too.
    `staged`: what a staged one would do if it were enforced (Set, Delete, Learn, Ignore), None for one that is.
    """

    kind: str
    namespace: str
    name: str
    tier: str
    order: float | None
    selector: Selector
    directions: tuple[Direction, ...]
    rules: tuple[CalicoRule, ...] = ()
    unsure: tuple[Direction, ...] = ()
    hosts_only: bool = False
    forwarded: bool = False
    staged: str | None = None
    changed: str | None = None

    @property
    def title(self) -> str:
        """As kubectl prints an object."""
        return object_title(self.kind, self.namespace, self.name)

    @property
    def enforced(self) -> CalicoPolicy:
        """A staged policy as the one that it would be."""
        return self._replace(kind=_ENFORCED.get(self.kind, self.kind), staged=None)


class StagedKubernetes(NamedTuple):
    """A StagedKubernetesNetworkPolicy: the NetworkPolicy that it would be. `action`: as `staged` of a CalicoPolicy."""

    policy: Policy
    action: str


def kinds_asked_for(policies: Iterable[CalicoPolicy]) -> set[str]:
    """The kinds whose objects decide what these policies mean; tiers and host endpoints always do."""
    found = {"Tier", "HostEndpoint"}
    for policy in policies:
        ends = [end for rule in policy.rules for end in (rule.source, rule.destination)]
        selectors = [one for end in ends for one in (end.selects, end.selects_not) if one is not None]
        if selectors:
            found |= {"NetworkSet", "GlobalNetworkSet"}
        if any(key.startswith(OF_ACCOUNT) for one in (policy.selector, *selectors) for key in keys_of(one)):
            found.add("ServiceAccount")
        if any(end.service for end in ends):
            found.add("EndpointSlice")
    return found


class CalicoTier(NamedTuple):
    name: str
    order: float
    passes: bool


class NetworkSet(NamedTuple):
    """`namespace` "": a GlobalNetworkSet."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    nets: tuple[str, ...]


class HostEndpoint(NamedTuple):
    name: str
    node: str
    labels: Mapping[str, str]
    addresses: tuple[str, ...] = ()
