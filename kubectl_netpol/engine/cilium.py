"""Cilium's reading of all policies, NetworkPolicies included: its layers, and what may be seen in another way.

Denies come first, whatever the kind of policy; then the pod's own node is let in; then what is allowed. What differs
between its versions, or hangs on a setting or an address that the objects do not tell, is a view: each is walked.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.cilium_api import cilium_differs
from kubectl_netpol.engine.cilium_ends import Cluster, View, counts, is_own_node, node_of, selected
from kubectl_netpol.engine.cilium_rules import CiliumCondition, Handshake
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import NOTHING, AtOnce, InOrder, Layer, RuleList, labels_unknown, unknown_layer
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.cilium import (
    NAMESPACE,
    NAMESPACE_LABELS,
    CiliumPolicy,
    CiliumPort,
    CiliumRule,
    Endpoints,
    Entity,
    PortItem,
    RuleSet,
)
from kubectl_netpol.model.objects import Node, Pod
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Policy, Rule
from kubectl_netpol.model.ports import PROTOCOLS, NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.engine.readings import Reading
    from kubectl_netpol.engine.verdict import Connection, End
    from kubectl_netpol.model.cilium import CiliumPeer
    from kubectl_netpol.model.policies import Peer
    from kubectl_netpol.model.snapshot import Snapshot


class _Entry(NamedTuple):
    """One rule set, and the policy that its rules are shown as. `selects_nodes`: as in CiliumPolicy.

    `hangs_on`: fields of a view that make a difference to it, in that direction (None: to whom it selects), and why.
    """

    policy: Policy
    found: RuleSet
    selects_nodes: bool = False
    hangs_on: tuple[tuple[str, Direction | None, Note], ...] = ()

    def where(self, rule: CiliumRule) -> str:
        return f"{self.policy.title} {self.path(rule)}"

    def path(self, rule: CiliumRule) -> str:
        return f"{self.found.path}{rule.field}[{rule.position}]"


class _Rules(NamedTuple):
    denies: tuple[Rule, ...]
    handshakes: tuple[Rule, ...]
    allows: tuple[Rule, ...]


class Cilium:
    """All policies of a snapshot, worked out once: a `plugins.Plugin`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.cluster = Cluster(snapshot)
        self.entries = [_of_networkpolicy(policy) for policy in snapshot.policies]
        own = [(policy, _shown_as(policy)) for policy in snapshot.plugin_objects]
        for policy, shown in own:
            self.entries += _of_cilium(policy, shown)
        self.policies = (*snapshot.evaluated, *(shown for _, shown in own))
        known = bool(self.cluster.api_servers)
        self.entries = [entry._replace(hangs_on=tuple(_hangs_on(entry, known))) for entry in self.entries]
        self._undecided = [entry for entry in self.entries if entry.hangs_on]
        self._rules: dict[tuple[int, Direction, View], _Rules] = {}

    def layers(self, pod: Pod, direction: Direction) -> tuple[Layer, ...]:
        if unknown := _not_read(self.snapshot, pod, direction):
            return (unknown_layer(unknown),)
        found = [(self._in_view(view, pod, direction), why) for view, why in self._views(pod, direction)]
        if pod.host_network and any(layers for layers, _ in found):
            node = f"node {pod.node}" if pod.node else f"the node of {pod.key}"
            message = f"a policy selects {node}, and whether Cilium's host firewall is on is not known"
            firewall = Note(Code.PLUGIN_SETTING, message)
            found = [((), None), *((layers, firewall) for layers, _ in found)]
        if len(found) == 1 or not any(layers for layers, _ in found):
            return found[0][0]
        return (Layer(NOTHING, either=tuple(found)),)

    def _views(self, pod: Pod, direction: Direction) -> Iterator[tuple[View, Note | None]]:
        """The plain view, and with what the pod's policies make a difference of, the others, with why."""
        why: dict[str, Note] = {}
        for entry in self._undecided:
            for field, of, note in entry.hangs_on:
                if field not in why and of in (None, direction) and self._may_apply(entry, pod):
                    why[field] = note
        views = itertools.product(*((False, True) if field in why else (False,) for field in View._fields))
        for view in sorted(views, key=sum):  # what makes the difference by itself is named first
            fields = [field for field, on in zip(View._fields, view, strict=True) if on]
            yield View(*view), why[fields[-1]] if fields else None

    def _may_apply(self, entry: _Entry, pod: Pod) -> bool:
        return any(self._applies(entry, View(old=old), pod) is not False for old in (False, True))

    def _in_view(self, view: View, pod: Pod, direction: Direction) -> tuple[Layer, ...]:
        denies: list[RuleList] = []
        handshakes: list[RuleList] = []
        allows: list[RuleList] = []
        isolates = False
        for index, entry in enumerate(self.entries):
            if direction not in entry.found.takes_part or (entry.selects_nodes and not view.node_selectors):
                continue
            applies = self._applies(entry, view, pod)
            if applies is False:
                continue
            if applies is None:
                return (unknown_layer(self._why_unknown(pod)),)
            if entry.found.because:
                message = f"{entry.policy.title} may decide for {pod.key}: {entry.found.because}"
                return (unknown_layer(Note(Code.OVERRIDING_POLICY, message)),)
            isolates = isolates or direction in entry.found.isolates
            rules = self._rules_of(index, entry, direction, view)
            for found, into in zip(rules, (denies, handshakes, allows), strict=True):
                if found:
                    into.append(RuleList(entry.policy, found, ordered=False))
        first = InOrder((AtOnce(tuple(denies)), AtOnce(tuple(handshakes))))
        layers = [Layer(first)] if denies or handshakes else []
        if isolates or allows:
            layers.append(Layer(AtOnce(tuple(allows)), isolates=isolates))
        return tuple(layers)

    def asked(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        found = (
            entry.policy
            for entry in self.entries
            if direction in entry.found.takes_part and self._may_apply(entry, pod)
        )
        return tuple(dict.fromkeys((*found, *_tiered(self.snapshot, pod, direction))))

    def isolating(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        """The policies that ask for default deny of the pod in this direction."""
        found = (
            entry.policy
            for entry in self.entries
            if direction in entry.found.isolates
            and not entry.selects_nodes
            and self._applies(entry, _PLAIN, pod) is not False
        )
        return tuple(dict.fromkeys(found))

    def isolates(self, policy: Policy, direction: Direction) -> bool | None:
        """By any of its rule sets; unknown where that is a setting, or its rules can't be evaluated."""
        own = [
            entry for entry in self.entries if entry.policy.key == policy.key and direction in entry.found.takes_part
        ]
        asking = [entry for entry in own if direction in entry.found.isolates]
        if any(not (entry.selects_nodes or entry.found.because) and entry.found.nodes is None for entry in asking):
            return True
        return None if asking or any(entry.found.because for entry in own) else False

    def selecting(self, pod: Pod) -> tuple[Policy, ...]:
        found = (entry.policy for entry in self.entries if self._applies(entry, _PLAIN, pod))
        return tuple(dict.fromkeys(found))

    @cached_property
    def rules(self) -> tuple[tuple[Policy, Rule], ...]:
        """As they are in the plain view."""
        return tuple(
            (entry.policy, rule)
            for index, entry in enumerate(self.entries)
            for direction in Direction
            for rule in self._shown(index, entry, direction)
        )

    def _shown(self, index: int, entry: _Entry, direction: Direction) -> tuple[Rule, ...]:
        denies, handshakes, allows = self._rules_of(index, entry, direction, _PLAIN)
        return (*denies, *handshakes[::2], *allows)

    @cached_property
    def blocks(self) -> frozenset[str]:
        blocks = [peer for peer in self._peers if isinstance(peer, IPBlock)]
        return frozenset(cidr for block in blocks for cidr in (block.cidr, *block.except_))

    def class_of(self, pod: Pod) -> object:
        """By the labels that selectors name; by all of them, and by ports, where a port has a name."""
        keys, names = self._keys, self._names
        return (
            (pod.namespace, pod.service_account, pod.finished),
            frozenset(pod.labels.items()) if names else tuple(map(pod.labels.get, keys)),
            pod.ports if names else (),
            pod.node if self.cluster.has_host_network else None,
            (pod.ips, pod.host_ips) if pod.host_network else None,
        )

    @cached_property
    def _peers(self) -> list[CiliumPeer]:
        return [peer for entry in self.entries for rule in entry.found.rules for peer in rule.peers or ()]

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        selectors = [entry.found.pods for entry in self.entries]
        selectors += [peer.selector for peer in self._peers if isinstance(peer, Endpoints)]
        found = {one.key.partition(":")[2] for selector in selectors if selector for one in selector.requirements}
        return tuple(sorted(found))

    @cached_property
    def _names(self) -> bool:
        rules = (rule for entry in self.entries for rule in entry.found.rules)
        return any(port.name for rule in rules for item in rule.items or () for port in item.ports)

    def difference(self, connection: Connection) -> str:
        return cilium_differs(self.snapshot, connection)

    def of_node(self, node: Node) -> Pod:
        """A pod on its network: policies that select nodes apply to both."""
        return Pod("", node.name, {}, node.addresses, host_network=True, node=node.name)

    def readings(self, connection: Connection, direction: Direction, peer: End, plain: Reading) -> Iterator[Reading]:
        """A pod's own node is let in, and a node reaches itself; nothing else is, as it may be by the API."""
        subject = plain.subject
        assert subject is not None  # noqa: S101 - for the type checker
        let_in = direction is Direction.INGRESS or subject.host_network
        local = is_own_node(subject, peer.pod, peer.node) if let_in else False
        yield plain._replace(always=local is True)
        if local is None:
            yield plain._replace(always=True, code=Code.OWN_NODE)
        dialled = connection.dialled
        if dialled and dialled.source_rewritten and direction is Direction.INGRESS and not (peer.pod or peer.node):
            for name in (subject.node or "", _ANOTHER_NODE):
                as_node = plain._replace(node=Node(name), address=None, code=Code.SOURCE_REWRITTEN)
                yield as_node._replace(always=name != _ANOTHER_NODE)

    def _applies(self, entry: _Entry, view: View, pod: Pod) -> bool | None:
        if pod.host_network:
            if entry.found.nodes is None:
                return False
            node = node_of(self.snapshot, pod)
            return None if node is None else selected(entry.found.nodes, self.cluster.of_host(node))
        if entry.found.pods is None:
            return False
        return selected(entry.found.pods, self.cluster.of_pod(pod, old=view.old))

    def _why_unknown(self, pod: Pod) -> Note:
        if pod.host_network:
            return Note(
                Code.NODES_UNKNOWN, f"the labels of the node of {pod.key} are unknown, and policies select by them"
            )
        return labels_unknown(self.snapshot, pod.namespace)

    def _rules_of(self, index: int, entry: _Entry, direction: Direction, view: View) -> _Rules:
        key = index, direction, view
        found = self._rules.get(key)
        if found is None:
            rules = [rule for rule in entry.found.rules if rule.direction is direction]
            denies = tuple(self._rule(entry, rule, view, Action.DENY) for rule in rules if rule.deny)
            allows = tuple(
                self._rule(entry, rule, view, Action.ALLOW)
                for rule in rules
                if not rule.deny and not rule.authentication
            )
            shaken = tuple(
                self._rule(entry, rule, view, action)
                for rule in rules
                if rule.authentication
                for action in (Action.ALLOW, Action.DENY)
            )
            found = self._rules[key] = _Rules(denies, shaken, allows)
        return found

    def _rule(self, entry: _Entry, rule: CiliumRule, view: View, action: Action) -> Rule:
        condition = CiliumCondition(self.cluster, rule, view, entry.where(rule))
        shown = Handshake(condition) if rule.authentication and not rule.deny else condition
        if entry.policy.kind == "NetworkPolicy":
            own = [found for found in entry.policy.rules if found.direction is rule.direction]
            return own[rule.position]._replace(condition=shown)
        ports = tuple(_ports(rule))
        return Rule(rule.direction, rule.position, ports=ports, action=action, condition=shown, path=entry.path(rule))


def _ports(rule: CiliumRule) -> Iterator[PortRange | NamedPort]:
    """The ports that the rule may tell apart. What it matches, its condition says."""
    for port in (port for item in rule.items or () for port in item.ports):
        if port.name:
            yield NamedPort(port.protocol, port.name)
        else:
            for protocol in (port.protocol,) if port.protocol else PROTOCOLS:
                yield PortRange(protocol, port.first, port.last)


def _not_read(snapshot: Snapshot, pod: Pod, direction: Direction) -> Note | None:
    """Why policies may be missing that would decide for the pod."""
    gap = None if pod.host_network else snapshot.gap("networkpolicies", pod.namespace)
    if gap:
        return Note(Code.PERMISSION_MISSING, gap.message)
    namespace = snapshot.namespace(pod.namespace)
    for policy in snapshot.unevaluated:
        if not policy.beside and direction in policy.directions and policy.may_select(pod, namespace):
            because = policy.because or "its rules are not evaluated"
            return Note(Code.OVERRIDING_POLICY, f"{policy.title} may decide for {pod.key}: {because}")
    for tiered in _tiered(snapshot, pod, direction):
        message = f"{tiered.title} may decide for {pod.key}: Cilium does not say what it makes of its kind"
        return Note(Code.OVERRIDING_POLICY, message)
    for gap in snapshot.gaps:
        if gap.policy_kind and gap.hides(pod.namespace):
            return Note(Code.PERMISSION_MISSING, gap.message)
    return None


def _tiered(snapshot: Snapshot, pod: Pod, direction: Direction) -> list[Policy]:
    """The policies of the Admin and Baseline tiers that select the pod, or may."""
    namespace = snapshot.namespace(pod.namespace)
    found = (policy for policy in snapshot.tiered if direction in policy.directions)
    return [policy for policy in found if policy.selects_in(namespace, pod) is not False]


def _hangs_on(entry: _Entry, known_api_server: bool) -> Iterator[tuple[str, Direction | None, Note]]:  # noqa: FBT001
    """What the verdict may hang on that the objects do not tell; `known_api_server`: where that is, they do."""
    title = entry.policy.title
    if entry.selects_nodes:
        message = f"{title} has fromNodes or toNodes, and whether Cilium takes it then is a setting of its agent"
        yield "node_selectors", None, Note(Code.PLUGIN_SETTING, message)
    if key := _zone(entry.found.pods):
        message = f"{title} selects pods by {key}, which counts in Cilium 1.18, and not in 1.20"
        yield "old", None, Note(Code.PLUGIN_VERSION, message)
    for rule in entry.found.rules:
        if rule.direction is Direction.EGRESS and any(port.name for item in rule.items or () for port in item.ports):
            message = (
                f"{entry.where(rule)} has a port name, at egress: in Cilium 1.18 that is one number for the whole "
                "cluster, in 1.20 the destination's own"
            )
            yield "old", rule.direction, Note(Code.PLUGIN_VERSION, message)
        for peer in rule.peers or ():
            if isinstance(peer, Endpoints):
                if key := _zone(peer.selector):
                    message = f"{entry.where(rule)} selects by {key}, which counts in Cilium 1.18, and not in 1.20"
                    yield "old", rule.direction, Note(Code.PLUGIN_VERSION, message)
                if not peer.any_cluster and all(one.operator in _NEGATIVE for one in peer.selector.requirements):
                    message = (
                        f"{entry.where(rule)} says only what its peers are not: in Cilium 1.18 that matches nodes and "
                        "addresses outside too, in 1.20 pods alone"
                    )
                    yield "old", rule.direction, Note(Code.PLUGIN_VERSION, message)
            if not known_api_server and _is_about_api_server(peer):
                message = (
                    f"{entry.where(rule)} is about the API server, and where that is, EndpointSlice default/kubernetes "
                    "would say"
                )
                yield "api_server", rule.direction, Note(Code.API_SERVER_UNKNOWN, message)


def _zone(selector: LabelSelector | None) -> str:
    """The first key of a label that counts in one version only, or ""."""
    names = [requirement.key.partition(":")[2] for requirement in selector.requirements] if selector else []
    return next((name for name in names if counts(name, old=True) is not counts(name, old=False)), "")


def _is_about_api_server(peer: CiliumPeer) -> bool:
    if not isinstance(peer, Endpoints):
        return peer is Entity.KUBE_APISERVER
    return any(requirement.key in _API_SERVER for requirement in peer.selector.requirements)


_PLAIN = View()
_NEGATIVE = (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
_API_SERVER = ("reserved:kube-apiserver", "any:kube-apiserver")
_ANOTHER_NODE = "/"  # no node has this name


def _shown_as(policy: CiliumPolicy) -> Policy:
    directions = tuple(d for d in Direction if any(d in found.takes_part for found in policy.sets))
    return Policy(policy.namespace, policy.name, LabelSelector(), directions, changed=policy.changed, kind=policy.kind)


def _of_cilium(policy: CiliumPolicy, shown: Policy) -> Iterator[_Entry]:
    """Its rule sets; none if Cilium refuses it."""
    for found in () if policy.refused else policy.sets:
        yield _Entry(shown, found, policy.selects_nodes)


def _of_networkpolicy(policy: Policy) -> _Entry:
    """What Cilium makes of a NetworkPolicy: rules isolate, and count, even where policyTypes leaves them out."""
    own = Requirement(f"k8s:{NAMESPACE}", Operator.IN, (policy.namespace,))
    pods = LabelSelector((own, *_with_source(policy.pod_selector, "k8s:")))
    rules = tuple(_rule_of(policy, rule) for rule in policy.rules)
    directions = tuple(d for d in Direction if d in policy.directions or any(rule.direction is d for rule in rules))
    return _Entry(policy, RuleSet("", pods, None, rules, directions, directions))


def _rule_of(policy: Policy, rule: Rule) -> CiliumRule:
    peers = tuple(_peer_of(policy, peer) for peer in rule.peers) or (Entity.ALL,)
    ports = tuple(
        CiliumPort(port.protocol, name=port.name) if isinstance(port, NamedPort) else CiliumPort(*port)
        for port in rule.ports
    )
    items = (PortItem(ports),) if ports else None
    return CiliumRule(rule.direction, rule.position, peers=peers, items=items, numbered=bool(rule.peers))


def _peer_of(policy: Policy, peer: Peer) -> CiliumPeer:
    if peer.ip_block:
        return peer.ip_block
    pods = _with_source(peer.pod_selector, "k8s:") if peer.pod_selector else ()
    if peer.namespace_selector is None:
        own = Requirement(f"k8s:{NAMESPACE}", Operator.IN, (policy.namespace,))
        return Endpoints(LabelSelector((own, *pods)))
    namespaces = tuple(_with_source(peer.namespace_selector, f"k8s:{NAMESPACE_LABELS}"))
    namespaces = namespaces or (Requirement(f"k8s:{NAMESPACE}", Operator.EXISTS),)
    return Endpoints(LabelSelector((*namespaces, *pods)))


def _with_source(selector: LabelSelector, prefix: str) -> Iterable[Requirement]:
    return [requirement._replace(key=f"{prefix}{requirement.key}") for requirement in selector.requirements]
