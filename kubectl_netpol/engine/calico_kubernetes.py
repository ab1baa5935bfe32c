"""The rules of NetworkPolicy and ClusterNetworkPolicy as Calico makes them its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.calico_match import OtherEnd, RuleCondition
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Held
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.calico import (
    NAMESPACE,
    OF_NAMESPACE,
    ORCHESTRATOR,
    AllOf,
    CalicoRule,
    Compare,
    Entity,
    Not,
    Ports,
    Selector,
    Term,
)
from kubectl_netpol.model.policies import Action, Direction, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.engine.calico_things import Things
    from kubectl_netpol.engine.conditions import Seen
    from kubectl_netpol.model.policies import Peer
    from kubectl_netpol.model.snapshot import Snapshot

_A_POD = Term(ORCHESTRATOR, Compare.EQUAL, ("k8s",))
_COMPARED = {
    Operator.IN: Compare.IN,
    Operator.NOT_IN: Compare.NOT_IN,
    Operator.EXISTS: Compare.HAS,
}


def subject_of(policy: Policy) -> Selector:
    """The pods of a NetworkPolicy, or of a policy of a tier."""
    if policy.tier is None:
        return _pods(policy.pod_selector, Term(NAMESPACE, Compare.EQUAL, (policy.namespace,)))
    return _pods(policy.pod_selector, _namespaces(policy.namespace_selector or LabelSelector()))


def rules_of_kubernetes(things: Things, policy: Policy) -> tuple[Rule, ...]:
    return tuple(rule._replace(condition=_AnyPeer(things, policy, rule)) for rule in policy.rules)


def rules_of_tiered(things: Things, policy: Policy) -> tuple[Rule, ...]:
    """A rule with a peer that Calico can't read is dropped, or denies everything if it is no Accept."""
    found = []
    for rule in policy.rules:
        if not _broken(rule):
            found.append(rule._replace(condition=_AnyPeer(things, policy, rule)))
        elif rule.action is not Action.ALLOW:
            everything = RuleCondition(things, CalicoRule(rule.direction, rule.position, "Deny", text="everything"))
            found.append(rule._replace(action=Action.DENY, condition=everything))
    return tuple(found)


def _broken(rule: Rule) -> bool:
    return any(
        peer.domain_names
        or peer.node_selector is not None
        or peer.selects_by_own_namespace
        or (peer.unreadable and not peer.selects_pods)
        for peer in rule.peers
    )


class _Unreadable(RuleCondition):
    """With a peer whose selector can't be evaluated."""

    def __init__(self, things: Things, rule: CalicoRule, reason: Note) -> None:
        super().__init__(things, rule)
        self.same = rule._replace(text=reason.message)
        self._reason = reason

    def holds(self, snapshot: Snapshot, seen: Seen) -> bool | Note:
        held = super().holds(snapshot, seen)
        return self._reason if held is True else held


class _AnyPeer:
    """A rule that matches where one of its peers and one of its ports do."""

    def __init__(self, things: Things, policy: Policy, rule: Rule) -> None:
        self._alternatives = list(_alternatives(things, policy, rule))
        self.parts = tuple(condition for _, condition in self._alternatives)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset().union(*(condition.keys for condition in self.parts))

    @property
    def names_ports(self) -> bool:
        return any(condition.names_ports for condition in self.parts)

    @property
    def by_address(self) -> bool:
        return any(condition.by_address for condition in self.parts)

    @property
    def subject_by_address(self) -> bool:
        """They ask nothing but ports of the subject."""
        return False

    def peers(self) -> tuple[OtherEnd, ...]:
        found = {where.peer: condition.peers() for where, condition in self._alternatives}
        return tuple(one for peers in found.values() for one in peers)

    def text(self) -> str:
        """Its peers and ports say it."""
        return ""

    def holds(self, snapshot: Snapshot, seen: Seen) -> bool | Note | Held:
        unknown: Note | None = None
        for where, condition in self._alternatives:
            held = condition.holds(snapshot, seen)
            if held is True:
                return where
            unknown = unknown or held or None
        return unknown or False


def _alternatives(things: Things, policy: Policy, rule: Rule) -> Iterator[tuple[Held, RuleCondition]]:
    for peer_position, peer in enumerate(rule.peers or (None,)):
        for port_position, port in enumerate(rule.ports or (None,)):
            where = Held(None if peer is None else peer_position, None if port is None else port_position)
            other = _entity(policy, peer)
            ends = (other, Entity(ports=_ports(port)))
            if rule.direction is Direction.EGRESS:
                ends = (Entity(), other._replace(ports=_ports(port)))
            made = CalicoRule(rule.direction, rule.position, "Allow", *ends, port.protocol if port else None)
            if peer and peer.unreadable:
                message = f"{policy.title} has a peer that can't be evaluated: {peer.unreadable}"
                yield where, _Unreadable(things, made, Note(Code.SELECTOR_NOT_EVALUATED, message))
            else:
                yield where, RuleCondition(things, made)


def _entity(policy: Policy, peer: Peer | None) -> Entity:
    if peer is None:
        return Entity()
    if peer.ip_block:
        return Entity(nets=(peer.ip_block.cidr,), not_nets=peer.ip_block.except_)
    if peer.networks:
        return Entity(nets=tuple(block.cidr for block in peer.networks))
    if peer.namespace_selector is None:
        return Entity(_pods(peer.pod_selector, Term(NAMESPACE, Compare.EQUAL, (policy.namespace,))))
    namespaces = _namespaces(peer.namespace_selector)
    # A peer `namespaces` of the tiers takes the network sets of these namespaces too.
    by_pods = policy.tier is None or peer.pod_selector is not None
    return Entity(_pods(peer.pod_selector, namespaces) if by_pods else namespaces)


def _ports(port: PortRange | NamedPort | None) -> Ports:
    if port is None:
        return Ports()
    return Ports((), (port.name,)) if isinstance(port, NamedPort) else Ports((port,))


def _pods(selector: LabelSelector | None, namespaces: Selector) -> Selector:
    own = _selector(selector or LabelSelector())
    return AllOf((_A_POD, namespaces, own))


def _namespaces(selector: LabelSelector) -> Selector:
    return _selector(selector, OF_NAMESPACE) if selector.requirements else Term(NAMESPACE, Compare.HAS)


def _selector(selector: LabelSelector, prefix: str = "") -> Selector:
    return AllOf(tuple(_term(prefix + r.key, r.operator, r.values) for r in selector.requirements))


def _term(key: str, operator: Operator, values: tuple[str, ...]) -> Selector:
    return (
        Not(Term(key, Compare.HAS)) if operator is Operator.DOES_NOT_EXIST else Term(key, _COMPARED[operator], values)
    )
