"""The layers of policies where Calico runs: its tiers, with Kubernetes' policies among its own."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.calico_felix import INTERNAL, NO_TUNNEL, TO_OWN_NODE, Crosses
from kubectl_netpol.engine.calico_kubernetes import rules_of_kubernetes, rules_of_tiered, subject_of
from kubectl_netpol.engine.calico_match import RuleCondition
from kubectl_netpol.engine.calico_things import Things, is_endpoint
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import (
    NOTHING,
    AtOnce,
    InOrder,
    Layer,
    RuleList,
    not_evaluated,
    policies_of,
    unknown_layer,
)
from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.engine.readings import is_local, rewritten
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.addresses import family
from kubectl_netpol.model.calico import (
    DEFAULT_TIER,
    CalicoPolicy,
    CalicoRule,
    CalicoTier,
    HostEndpoint,
    Selector,
    keys_of,
)
from kubectl_netpol.model.policies import Action, Direction, Place, Policy, Rule, Tier, blocks_of
from kubectl_netpol.model.ports import NamedPort
from kubectl_netpol.model.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.engine.layers import Step
    from kubectl_netpol.engine.readings import Reading
    from kubectl_netpol.engine.verdict import Connection, End
    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.ports import PortRange
    from kubectl_netpol.model.snapshot import Snapshot

_FIRST, _BUILT_IN, _LAST = 1000.0, 1_000_000.0, 10_000_000.0
_ADMIN, _BASELINE = "kube-admin", "kube-baseline"
_OLD_ADMIN, _OLD_BASELINE = "adminnetworkpolicy", "baselineadminnetworkpolicy"
_TIERS = (
    CalicoTier(_ADMIN, _FIRST, passes=True),
    CalicoTier(_OLD_ADMIN, _FIRST, passes=True),
    CalicoTier(DEFAULT_TIER, _BUILT_IN, passes=False),
    CalicoTier(_BASELINE, _LAST, passes=True),
    CalicoTier(_OLD_BASELINE, _LAST, passes=True),
)
_ORDER_OF_KUBERNETES = 1000.0
_ACTIONS = {"Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}


class _Entry(NamedTuple):
    """A policy in its tier. `old_name`: by which versions before 3.32 sort. `unknown`: why it may not count."""

    policy: Policy
    tier: str
    order: float
    old_name: str
    selector: Selector
    unsure: tuple[Direction, ...] = ()
    unknown: Note | None = None

    @property
    def place(self) -> tuple[float, str, str, str]:
        return self.order, self.policy.name, self.policy.namespace, self.policy.kind

    @property
    def old_place(self) -> tuple[float, str]:
        return self.order, f"{self.policy.namespace}/{self.old_name}".lstrip("/")


class Calico:
    """What a snapshot holds, in the order in which Calico asks it: a `plugins.Plugin`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.things = Things(snapshot)
        own = snapshot.plugin_objects
        listed = {found.name: found for found in own if isinstance(found, CalicoTier)}
        self._newest = _ADMIN in listed or any(p.kind == "ClusterNetworkPolicy" for p in snapshot.tiered)
        self._older = _OLD_ADMIN in listed and _ADMIN not in listed
        self._host_endpoints = [found for found in own if isinstance(found, HostEndpoint)]
        self._policies = [found for found in own if isinstance(found, CalicoPolicy) and found.staged is None]
        entries = [self._own(found) for found in self._policies if not found.hosts_only]
        entries += [self._of_kubernetes(policy) for policy in snapshot.policies]
        entries += [self._of_tier(policy) for policy in snapshot.tiered if policy.kind != "AmazonClusterNetworkPolicy"]
        self._entries: dict[str, list[_Entry]] = {}
        for entry in sorted(entries, key=lambda entry: entry.place):
            self._entries.setdefault(entry.tier, []).append(entry)
        tiers = {tier.name: tier for tier in _TIERS} | listed
        self._tiers = sorted(tiers.values(), key=lambda tier: (tier.order, tier.name))
        self._selected: dict[object, list[tuple[_Entry, bool | None]]] = {}
        self._elsewhere = [entry for name, found in self._entries.items() if name not in tiers for entry in found]

    def layers(self, pod: Pod, direction: Direction) -> tuple[Layer, ...]:
        if pod.host_network:
            reason = self._host_endpoint_of(pod.node or "")
            return (unknown_layer(reason),) if reason else ()
        if not is_endpoint(pod):
            return ()
        found = [*not_evaluated(self.snapshot, pod, direction), *self._of_tiers(pod, direction)]
        if crossing := self._crossing(pod):
            found.insert(0, crossing)
        if direction is Direction.EGRESS:
            found[:0] = (NO_TUNNEL, TO_OWN_NODE)
        if found and direction is Direction.INGRESS:
            found.insert(0, Layer(NOTHING, lets_node=True))
        return tuple(found)

    def asked(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        layers = self.layers(pod, direction)
        return (*policies_of(layers, isolating=False), *policies_of(layers, isolating=True))

    def isolating(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        return policies_of(self.layers(pod, direction), isolating=True)

    def isolates(self, policy: Policy, direction: Direction) -> bool | None:
        """At the end of its tier."""
        entry = next(one for one in self._in_order if one.policy.key == policy.key)
        tier = next((tier for tier in self._tiers if tier.name == entry.tier), None)
        if tier and tier.passes:
            return False
        return None if tier is None or direction in entry.unsure else True

    def class_of(self, pod: Pod) -> object:
        """By the labels that selectors name."""
        nearby = pod.host_network or bool(self._host_endpoints)
        return (
            pod.namespace,
            tuple(map(pod.labels.get, self._keys)),
            pod.service_account,
            (pod.ports, pod.init_ports) if self._names else (),
            pod.host_network,
            is_endpoint(pod),
            pod.node if nearby else None,
            pod.ips if self._by_own_address else tuple(map(family, pod.ips)),
        )

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        found: set[str] = set()
        found.update(*(keys_of(entry.selector) for entry in self._in_order))
        found.update(*(rule.condition.keys for _, rule in self.rules))
        return tuple(sorted(found))

    @cached_property
    def _names(self) -> bool:
        return any(rule.condition.names_ports for _, rule in self.rules)

    @cached_property
    def _by_own_address(self) -> bool:
        return any(rule.condition.subject_by_address for _, rule in self.rules)

    @cached_property
    def rules(self) -> tuple[tuple[Policy, Rule], ...]:
        return tuple((entry.policy, rule) for entry in self._in_order for rule in entry.policy.rules)

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(entry.policy for entry in self._in_order)

    @cached_property
    def blocks(self) -> frozenset[str]:
        """Of sets of networks too."""
        own = (rule.nets for policy in self._policies for rule in policy.rules)
        return frozenset(self.things.nets.union(blocks_of(self.snapshot.evaluated), *own))

    @property
    def _in_order(self) -> Iterator[_Entry]:
        for tier in self._tiers:
            yield from self._entries.get(tier.name, ())
        yield from self._elsewhere

    def selecting(self, pod: Pod) -> tuple[Policy, ...]:
        if not is_endpoint(pod):
            return ()
        labels = self.things.of_pod(pod)
        return tuple(entry.policy for entry in self._in_order if entry.selector.holds(labels))

    def of_node(self, node: Node) -> Note | None:
        return self._host_endpoint_of(node.name)

    def readings(self, connection: Connection, direction: Direction, peer: End, plain: Reading) -> Iterator[Reading]:
        """A Service's address is translated before policies see it, and a node always reaches its own pods."""
        subject = plain.subject
        if direction is Direction.EGRESS or subject is None:
            yield plain
            return
        local = is_local(self.snapshot, subject, peer)
        yield plain._replace(always=local is True)
        if local is None:
            yield plain._replace(always=True, code=Code.OWN_NODE)
        if connection.dialled and connection.dialled.source_rewritten:
            yield from rewritten(self.snapshot, connection.dialled, direction, subject, plain)

    def difference(self, _: Connection) -> str:
        return ""

    def _host_endpoint_of(self, node: str) -> Note | None:
        """Why it is not known what policies a node has, if it has a host endpoint."""
        names = [found.name for found in self._host_endpoints if found.node == node]
        if not names:
            return None
        message = f"node {node} has a host endpoint ({names_text(names)}): which of its interfaces it is, is unknown"
        return Note(Code.HOST_ENDPOINT, message)

    def _own(self, policy: CalicoPolicy) -> _Entry:
        rules = tuple(
            Rule(
                rule.direction,
                rule.position,
                ports=_ports(rule),
                action=_ACTIONS[rule.action],
                condition=RuleCondition(self.things, rule),
            )
            for rule in policy.rules
            if rule.action in _ACTIONS
        )
        order = math.inf if policy.order is None else policy.order
        old = policy.name if policy.name.startswith(f"{policy.tier}.") else f"{policy.tier}.{policy.name}"
        return _Entry(
            Policy(
                policy.namespace,
                policy.name,
                LabelSelector(),
                (*policy.directions, *policy.unsure),
                rules,
                policy.changed,
                policy.kind,
                place=Place(policy.tier, policy.order),
            ),
            policy.tier,
            order,
            old,
            policy.selector,
            policy.unsure,
        )

    def _of_kubernetes(self, policy: Policy) -> _Entry:
        return _Entry(
            policy._replace(
                rules=rules_of_kubernetes(self.things, policy), place=Place(DEFAULT_TIER, _ORDER_OF_KUBERNETES)
            ),
            DEFAULT_TIER,
            _ORDER_OF_KUBERNETES,
            f"knp.default.{policy.name}",
            subject_of(policy),
        )

    def _of_tier(self, policy: Policy) -> _Entry:
        """A ClusterNetworkPolicy (from v3.32 on), an AdminNetworkPolicy or BaselineAdminNetworkPolicy (before it)."""
        new = policy.kind == "ClusterNetworkPolicy"
        admin, baseline = (_ADMIN, _BASELINE) if new else (_OLD_ADMIN, _OLD_BASELINE)
        unknown = None
        if policy.unreadable:
            message = f"{policy.title} has a subject that can't be evaluated: {policy.unreadable}"
            unknown = Note(Code.SELECTOR_NOT_EVALUATED, message)
        elif not new and not self._older:
            message = f"{policy.title} is read by Calico up to v3.31 only, and its version is unknown"
            unknown = Note(Code.OVERRIDING_POLICY, message)
        tier = admin if policy.tier is Tier.ADMIN else baseline
        order = _ORDER_OF_KUBERNETES if policy.kind == "BaselineAdminNetworkPolicy" else float(policy.priority)
        rules = rules_of_tiered(self.things, policy)
        # A direction without rules is not governed, not even where it had some that were dropped.
        directions = tuple(d for d in policy.directions if any(rule.direction is d for rule in rules))
        return _Entry(
            policy._replace(rules=rules, directions=directions, place=Place(tier, order)),
            tier,
            order,
            policy.name,
            subject_of(policy),
            unknown=unknown,
        )

    def _of_tiers(self, pod: Pod, direction: Direction) -> Iterator[Layer]:
        if elsewhere := self._selecting(None, pod, direction):
            entry, _ = elsewhere[0]
            message = f"{entry.policy.title} is in tier {entry.tier}, which is not known: neither is its place"
            yield unknown_layer(Note(Code.TIER_UNKNOWN, message))
            return
        for tier in self._tiers:
            if tier.name == DEFAULT_TIER and (gap := self.snapshot.gap("networkpolicies", pod.namespace)):
                yield unknown_layer(Note(Code.PERMISSION_MISSING, gap.message))
                return
            found = [
                (entry, self._why_unsure(entry, pod, direction, held=held))
                for entry, held in self._selecting(tier.name, pod, direction)
            ]
            if found:
                yield from self._tier(tier, found, pod, direction)

    def _selecting(self, tier: str | None, pod: Pod, direction: Direction) -> list[tuple[_Entry, bool | None]]:
        """The policies of a tier, or (None) of those that are not known, that select the pod, or (None) may."""
        key = tier, direction, self.class_of(pod)
        found = self._selected.get(key)
        if found is None:
            labels = self.things.of_pod(pod)
            entries = self._elsewhere if tier is None else self._entries.get(tier, ())
            found = self._selected[key] = [
                (entry, held)
                for entry in entries
                if direction in entry.policy.directions and (held := entry.selector.holds(labels)) is not False
            ]
        return found

    def _why_unsure(self, entry: _Entry, pod: Pod, direction: Direction, *, held: bool | None) -> Note | None:
        if held is None:
            message = f"it is not known whether {entry.policy.title} selects {pod.key}"
            return Note(Code.SELECTOR_NOT_EVALUATED, message)
        if direction in entry.unsure:
            message = f"whether {entry.policy.title} isolates for {direction.field} hangs on what fills in its types"
            return Note(Code.TYPES_UNKNOWN, message)
        return entry.unknown

    def _tier(
        self, tier: CalicoTier, found: list[tuple[_Entry, Note | None]], pod: Pod, direction: Direction
    ) -> Iterator[Layer]:
        certain = [entry.policy for entry, unknown in found if unknown is None]
        step = self._step(found, direction)
        if tier.passes:
            yield Layer(step)
        elif certain:
            names = names_text([policy.title for policy in certain])
            verb = "applies" if len(certain) == 1 else "apply"
            message = (
                f"what no rule decides is denied at the end of tier {tier.name}, since {names} {verb} to {pod.key} "
                f"for {direction.field}"
            )
            yield Layer(step, isolates=True, at_end=Note(Code.NO_RULE_ALLOWS, message))
        else:
            deny = Rule(direction, 0, action=Action.DENY)
            ends = [RuleList(entry.policy, (deny,), unknown=unknown) for entry, unknown in found]
            yield Layer(InOrder((step, *ends)))

    def _step(self, found: list[tuple[_Entry, Note | None]], direction: Direction) -> Step:
        """The policies in order. Where versions before 3.32 have another one, either."""
        new = _steps(found, direction)
        old = new if self._newest else _steps(sorted(found, key=lambda pair: pair[0].old_place), direction)
        return new if old == new else AtOnce((new, old))

    def _crossing(self, pod: Pod) -> Layer | None:
        """Policies of host endpoints for what they forward may block what leaves a node, or comes to it."""
        rules = tuple(
            Rule(Direction.INGRESS, 0, action=Action.DENY, condition=Crosses(pod, endpoint, policy.name))
            for policy in self._policies
            if policy.forwarded
            for endpoint in self._host_endpoints
            if policy.selector.holds(self.things.of_host_endpoint(endpoint)) is not False
        )
        return Layer(RuleList(INTERNAL, rules)) if rules else None


def _ports(rule: CalicoRule) -> tuple[PortRange | NamedPort, ...]:
    """The ports that the rule may tell apart, those of notPorts too. What it matches, its condition says."""
    found: list[PortRange | NamedPort] = []
    for ports in (rule.destination.ports, rule.destination.not_ports):
        found += [item._replace(protocol=rule.protocol or "") for item in ports.ranges]
        found += [NamedPort(rule.protocol, name) for name in ports.names]
    return tuple(found)


def _steps(found: Sequence[tuple[_Entry, Note | None]], direction: Direction) -> InOrder:
    return InOrder(
        tuple(
            RuleList(
                entry.policy,
                entry.policy.rules_of(direction),
                ordered=entry.policy.kind != "NetworkPolicy",
                unknown=unknown,
            )
            for entry, unknown in found
        )
    )
