"""What the policies mean for one pod: which isolate it, what they allow, and which pods that is now."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Seen
from kubectl_netpol.engine.layers import (
    InOrder,
    RuleList,
    isolating_policies,
    layers_of,
    rules_of_plugin,
    selecting_policies,
    tiered_policies,
)
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Action, Direction, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import NamedPort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.engine.layers import Step
    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.snapshot import Snapshot


class PeerPods(NamedTuple):
    """One peer of a rule (None: everyone), its `position` and the pods that it matches now.

    `unknown`: why there may be more of them, or None. `text`: the peer in words, of a plugin's own policy.
    """

    position: int | None
    peer: Peer | None
    pods: tuple[Pod, ...]
    unknown: Note | None = None
    text: str = ""


class RulePeers(NamedTuple):
    """A rule that applies to the pod, or may, and its peers.

    `closed`: it lets nothing in, since its ports are names that the pod lacks.
    """

    policy: Policy
    rule: Rule
    peers: tuple[PeerPods, ...]
    closed: bool = False

    @property
    def ports(self) -> str:
        """Its ports in words, of a plugin's own policy; else "", and the rule has them."""
        return self.rule.condition.ports_text() if self.rule.condition and self.rule.condition.text() else ""


class Isolation(NamedTuple):
    """One direction. `isolated_by`: the NetworkPolicies that isolate the pod, and their `rules`.

    `admin`: the rules that are asked first, in that order. `baseline`: those that are asked last, where none isolates.
    Of Cilium's, first the denies, and last what is allowed where nothing is isolated.
    On Calico `admin` has all rules, as they are asked; `at_end`: which tiers deny what none of their rules decides.
    `unknown`: why it is not known what decides, or None: policies that were not read, or of a kind not evaluated.
    """

    direction: Direction
    isolated_by: tuple[Policy, ...]
    rules: tuple[RulePeers, ...]
    unknown: Note | None = None
    admin: tuple[RulePeers, ...] = ()
    baseline: tuple[RulePeers, ...] = ()
    at_end: tuple[str, ...] = ()

    @property
    def unaffected(self) -> bool:
        """Whether everything is allowed, since no policy applies."""
        return not (self.unknown or self.isolated_by or self.admin or self.baseline)

    @property
    def denies(self) -> bool:
        """Whether a rule of a tier denies something."""
        return any(entry.rule.action is Action.DENY for entry in (*self.admin, *self.baseline))


class ServiceMapping(NamedTuple):
    """A port of a Service that selects the pod, and the pod port behind it (None: the pod has no port of that name)."""

    service: Service
    number: int
    name: str | None
    protocol: str
    pod_port: int | None


class Mention(NamedTuple):
    """A rule of any policy, one of whose peers matches the pod."""

    policy: Policy
    rule: Rule
    peer: int


class Explanation(NamedTuple):
    pod: Pod
    selected_by: tuple[Policy, ...]
    ingress: Isolation
    egress: Isolation
    services: tuple[ServiceMapping, ...]
    mentioned_by: tuple[Mention, ...]


def explain_pod(snapshot: Snapshot, pod: Pod) -> Explanation:
    return Explanation(
        pod,
        selecting_policies(snapshot, pod),
        isolation(snapshot, pod, Direction.INGRESS),
        isolation(snapshot, pod, Direction.EGRESS),
        _service_mappings(snapshot, pod),
        mentions(snapshot, pod),
    )


def isolation(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    if snapshot.plugin == "Cilium":
        return _isolation_in_cilium(snapshot, pod, direction)
    if snapshot.plugin == "Calico":
        return _isolation_in_calico(snapshot, pod, direction)
    isolating = isolating_policies(snapshot, pod, direction)
    tiered = tiered_policies(snapshot, pod, direction)
    admin, rules, baseline = (
        tuple(
            RulePeers(policy, rule, peer_pods(snapshot, policy, rule, pod), _is_closed(rule, pod))
            for policy in policies
            for rule in policy.rules_of(direction)
        )
        for policies in (
            [policy for policy in tiered if policy.tier is Tier.ADMIN],
            isolating,
            [policy for policy in tiered if policy.tier is Tier.BASELINE],
        )
    )
    unknown = next((layer.unknown for layer in layers_of(snapshot, pod, direction) if layer.unknown), None)
    return Isolation(direction, isolating, rules, unknown, admin, baseline)


def _is_closed(rule: Rule, pod: Pod) -> bool:
    """Whether the rule is for ports of this pod by names none of which it has."""
    if rule.direction is Direction.EGRESS or not rule.ports:
        return False
    return all(isinstance(item, NamedPort) and not pod.port_named(item.name, item.protocol) for item in rule.ports)


def _isolation_in_cilium(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    """As it is in the plain view of what Cilium's version and settings leave open."""
    layers = layers_of(snapshot, pod, direction)
    if layers and layers[0].either:
        layers = layers[0].either[0][0]
    found: dict[bool | None, list[RulePeers]] = {None: [], True: [], False: []}
    for number, layer in enumerate(layers):
        last = number == len(layers) - 1 and not isinstance(layer.step, InOrder)
        for policy, rule in dict.fromkeys(_rules_of_step(layer.step)):
            peers = peer_pods(snapshot, policy, rule, pod)
            found[layer.isolates if last else None].append(RulePeers(policy, rule, peers))
    unknown = next((layer.unknown for layer in layers if layer.unknown), None)
    first, then, rest = (tuple(entries) for entries in found.values())
    return Isolation(direction, isolating_policies(snapshot, pod, direction), then, unknown, first, rest)


def _isolation_in_calico(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    """All rules in the order in which they are asked, and the tiers that deny at their end."""
    layers = layers_of(snapshot, pod, direction)
    asked = tuple(
        RulePeers(policy, rule, peer_pods(snapshot, policy, rule, pod))
        for layer in layers
        for policy, rule in dict.fromkeys(_rules_of_step(layer.step))
        if policy.name and rule.condition is not None
    )
    unknown = next((layer.unknown for layer in layers if layer.unknown), None)
    isolating = isolating_policies(snapshot, pod, direction)
    at_end = tuple(layer.at_end.message for layer in layers if layer.at_end)
    return Isolation(direction, isolating, (), unknown, asked, at_end=at_end)


def _rules_of_step(step: Step) -> Iterator[tuple[Policy, Rule]]:
    """A rule with authentication allows, and is asked once more for what it denies: left out."""
    if not isinstance(step, RuleList):
        for inner in step.steps:
            yield from _rules_of_step(inner)
        return
    seen = set()
    for rule in step.rules:
        if rule.path not in seen or not rule.path:
            yield step.policy, rule
        seen.add(rule.path)


def peer_pods(snapshot: Snapshot, policy: Policy, rule: Rule, subject: Pod | None = None) -> tuple[PeerPods, ...]:
    """The rule's peers; one without a peer, for everyone, where it lists none. `subject`: the pod it applies to."""
    if rule.condition is not None and rule.condition.text() and subject:
        return tuple(_pods_of_condition(snapshot, rule, subject)) or (PeerPods(None, None, ()),)
    if not rule.peers:
        return (PeerPods(None, None, ()),)
    return tuple(
        _find_pods(snapshot, policy, index, peer, subject)
        if peer.selects_by_own_namespace
        else _pods_of_peer(snapshot, policy, index, peer)
        for index, peer in enumerate(rule.peers)
    )


def _pods_of_condition(snapshot: Snapshot, rule: Rule, subject: Pod) -> Iterator[PeerPods]:
    for index, peer in enumerate(rule.condition.peers()):
        pods, unknown = [], None
        for pod in snapshot.pods:
            if pod.finished or pod.host_network:
                continue
            held = peer.holds(snapshot, Seen(rule.direction, subject, pod, None, None, "TCP", 1))
            if isinstance(held, Note):
                unknown = held
            elif held:
                pods.append(pod)
        if gap := snapshot.gap("pods", None):
            unknown = Note(Code.PERMISSION_MISSING, gap.message)
        yield PeerPods(index, None, tuple(pods), unknown, peer.text())


@lru_cache(maxsize=512)  # lint asks again for what the explanation has
def _pods_of_peer(snapshot: Snapshot, policy: Policy, index: int, peer: Peer) -> PeerPods:
    return _find_pods(snapshot, policy, index, peer, None)


def _find_pods(snapshot: Snapshot, policy: Policy, index: int, peer: Peer, subject: Pod | None) -> PeerPods:
    pods, unknown = [], None
    for pod in _within_reach(snapshot, policy, peer):
        if pod.host_network or pod.finished:
            continue
        addresses: tuple[str | None, ...] = (None,)
        if peer.blocks:
            # A running pod without an address is in no block yet; where a planned one will be is unknown.
            addresses = pod.ips or ((None,) if pod.planned else ())
        for address in addresses:
            matched = peer_matches(snapshot, policy, peer, pod, address, subject=subject)
            if matched is True:
                pods.append(pod)
                break
            if matched:
                unknown = matched
    gap = snapshot.gap("pods", policy.namespace if peer.namespace_selector is None else None)
    if gap and peer.selects_pods:
        unknown = Note(Code.PERMISSION_MISSING, gap.message)
    return PeerPods(index, peer, tuple(pods), unknown)


def _within_reach(snapshot: Snapshot, policy: Policy, peer: Peer) -> Iterable[Pod]:
    """The pods of the namespaces that the peer may select; each namespace is matched once."""
    if not peer.selects_pods or peer.selects_by_own_namespace:
        return snapshot.pods
    if peer.namespace_selector is None:
        return snapshot.pods_in(policy.namespace)
    selector = peer.namespace_selector
    names = [name for name in snapshot.pod_namespaces if snapshot.namespace(name).selected_by(selector) is not False]
    return (pod for name in names for pod in snapshot.pods_in(name))


def mentions(snapshot: Snapshot, pod: Pod) -> tuple[Mention, ...]:
    """The rules with a peer whose selectors match this pod, each once, by its first such peer. No ipBlock."""
    if snapshot.plugin:
        return tuple(_mentions_in_plugin(snapshot, pod))
    found = []
    for policy in snapshot.evaluated:
        for direction in policy.directions:
            for rule in policy.rules_of(direction):
                for index, peer in enumerate(rule.peers):
                    if peer.selects_pods and peer_matches(snapshot, policy, peer, pod, None) is True:
                        found.append(Mention(policy, rule, index))
                        break
    return tuple(found)


def _mentions_in_plugin(snapshot: Snapshot, pod: Pod) -> Iterator[Mention]:
    for policy, rule in rules_of_plugin(snapshot):
        for index, peer in enumerate(rule.condition.peers()):
            seen = Seen(rule.direction, pod, pod, None, None, "TCP", 1)
            held = peer.holds(snapshot, seen) if peer.by_labels and not pod.host_network else False
            if held and not isinstance(held, Note):
                yield Mention(policy, rule, index)
                break


def _service_mappings(snapshot: Snapshot, pod: Pod) -> tuple[ServiceMapping, ...]:
    found = []
    for service in snapshot.services:
        if service.namespace != pod.namespace or pod not in snapshot.selected_by_service(service):
            continue
        for port in service.ports:
            number = port.number if service.headless else port.number_on(pod)
            found.append(ServiceMapping(service, port.number, port.name, port.protocol, number))
    return tuple(found)
