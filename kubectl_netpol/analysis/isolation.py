"""What the policies mean for one pod: which isolate it, what they allow, and which pods that is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.peers import RulePeers, index_of
from kubectl_netpol.engine.layers import (
    AtOnce,
    RuleList,
    isolating_policies,
    layers_of,
    selecting_policies,
    tiered_policies,
)
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.model.policies import Action, Direction, Policy, Rule, Tier
from kubectl_netpol.model.ports import NamedPort
from kubectl_netpol.model.selector_index import BySelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from kubectl_netpol.analysis.peers import PeerPods
    from kubectl_netpol.engine.layers import Step
    from kubectl_netpol.engine.verdict import Note
    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.snapshot import Snapshot

    _Entry: TypeAlias = Callable[[Policy, Rule], RulePeers]

_DIRECTIONS = (Direction.INGRESS, Direction.EGRESS)


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
    def texts(self) -> tuple[str, ...]:
        """What may be said of this pod alone."""
        return (self.unknown.message, *self.at_end) if self.unknown else self.at_end

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


class Sides(NamedTuple):
    """What the policies that select a pod do to it."""

    pod: Pod
    selected_by: tuple[Policy, ...]
    ingress: Isolation
    egress: Isolation


class Explanation(NamedTuple):
    pod: Pod
    selected_by: tuple[Policy, ...]
    ingress: Isolation
    egress: Isolation
    services: tuple[ServiceMapping, ...]
    mentioned_by: tuple[Mention, ...]


def explain_pod(snapshot: Snapshot, pod: Pod) -> Explanation:
    (sides,) = sides_of(snapshot, (pod,))
    return Explanation(*sides, _service_mappings(snapshot.services, pod), mentions(snapshot, pod))


def explain_pods(snapshot: Snapshot, pods: Iterable[Pod]) -> Iterator[Explanation]:
    """As `explain_pod` of each. Pods that no policy tells apart share what is the same."""
    services, mentioned = _services_by_selector(snapshot), _all_mentions(snapshot)
    for sides in sides_of(snapshot, pods):
        pod = sides.pod
        near = services[pod.namespace].that_may_match(pod.labels) if pod.namespace in services else ()
        mappings = _service_mappings(near, pod)
        yield Explanation(*sides, mappings, mentioned(pod))


def sides_of(snapshot: Snapshot, pods: Iterable[Pod], *, peers: bool = True) -> Iterator[Sides]:
    """Each pod's; asked once for pods that no policy tells apart. `peers`: with the pods that peers match."""
    index = index_of(snapshot)
    plugin = plugin_of(snapshot)
    telling = plugin.class_of if plugin else index.class_key
    named = any(isinstance(item, NamedPort) for _, rule in _rules(snapshot) for item in rule.ports)
    known: dict[object, Sides] = {}
    for pod in pods:
        key = telling(pod), pod.finished, pod.ports if named else ()
        found = known.get(key)
        if found is None:
            found = known[key] = Sides(
                pod,
                selecting_policies(snapshot, pod),
                *(isolation(snapshot, pod, direction, peers=peers) for direction in _DIRECTIONS),
            )
        yield _as_of(snapshot, pod, found, peers=peers)


def _as_of(snapshot: Snapshot, pod: Pod, found: Sides, *, peers: bool) -> Sides:
    """The same of another pod; a side whose words name the pod is asked for anew."""
    if found.pod is pod:
        return found
    sides = (
        isolation(snapshot, pod, side.direction, peers=peers)
        if any(found.pod.key in text for text in side.texts)
        else side
        for side in (found.ingress, found.egress)
    )
    return Sides(pod, found.selected_by, *sides)


def isolation(snapshot: Snapshot, pod: Pod, direction: Direction, *, peers: bool = True) -> Isolation:
    """`peers`: with the pods that peers match; else the rules are without them."""

    def entry(policy: Policy, rule: Rule) -> RulePeers:
        return index_of(snapshot).rule_peers(policy, rule, pod) if peers else RulePeers(policy, rule, ())

    if snapshot.plugin:
        return _isolation_by_plugin(snapshot, pod, direction, entry)
    isolating = isolating_policies(snapshot, pod, direction)
    tiered = tiered_policies(snapshot, pod, direction)
    admin, rules, baseline = (
        tuple(
            [
                entry(policy, rule)._replace(closed=_is_closed(rule, pod))
                for policy in policies
                for rule in policy.rules_of(direction)
            ]
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


def _isolation_by_plugin(snapshot: Snapshot, pod: Pod, direction: Direction, entry: _Entry) -> Isolation:
    """As it is in the plain view of what the plugin's version and settings leave open."""
    layers = layers_of(snapshot, pod, direction)
    isolated_by = isolating_policies(snapshot, pod, direction)
    unsure = None
    if layers and layers[0].either:
        (layers, _), *others_may_hold = layers[0].either
        if not layers:  # what is plain has no rules: show those that a setting may put in force
            isolated_by = ()
            layers, unsure = next(((found, why) for found, why in others_may_hold if found), (layers, None))
    in_order: list[RulePeers] = []
    isolating: list[RulePeers] = []
    others: list[RulePeers] = []
    for layer in layers:
        found = others if _is_unordered(layer.step) else in_order
        if found is others and layer.isolates:
            found = isolating
        for policy, rule in dict.fromkeys(_rules_of_step(layer.step)):
            if policy.name and rule.condition is not None:
                found.append(entry(policy, rule))
    return Isolation(
        direction,
        isolated_by,
        tuple(isolating),
        next((layer.unknown for layer in layers if layer.unknown), unsure),
        tuple(in_order),
        tuple(others),
        tuple(layer.at_end.message for layer in layers if layer.at_end),
    )


def _is_unordered(step: Step) -> bool:
    return isinstance(step, AtOnce) and all(isinstance(one, RuleList) and not one.ordered for one in step.steps)


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
    return index_of(snapshot).rule_peers(policy, rule, subject).peers


def mentions(snapshot: Snapshot, pod: Pod) -> tuple[Mention, ...]:
    """The rules with a peer whose selectors match this pod, each once, by its first such peer. No ipBlock."""
    if snapshot.plugin:
        return _all_mentions(snapshot)(pod)
    found = []
    for policy, rule in _rules(snapshot):
        for index, peer in enumerate(rule.peers):
            if peer.selects_pods and peer_matches(snapshot, policy, peer, pod, None) is True:
                found.append(Mention(policy, rule, index))
                break
    return tuple(found)


def _rules(snapshot: Snapshot) -> Iterator[tuple[Policy, Rule]]:
    return (
        (policy, rule)
        for policy in snapshot.evaluated
        for direction in policy.directions
        for rule in policy.rules_of(direction)
    )


def _all_mentions(snapshot: Snapshot) -> Callable[[Pod], tuple[Mention, ...]]:
    """`mentions` of any pod, by the pods that each peer matches."""
    index = index_of(snapshot)
    found: dict[object, dict[int, Mention]] = {}
    plugin = plugin_of(snapshot)
    if plugin:
        for number, (policy, rule) in enumerate(plugin.rules):
            for position, peer in enumerate(rule.condition.peers()):
                mention = Mention(policy, rule, position)
                for places, held in index.holding(rule, peer) if peer.by_labels else ():
                    for place in places if held is True else ():
                        found.setdefault(id(snapshot.pods[place]), {}).setdefault(number, mention)
    else:
        for number, (policy, rule) in enumerate(_rules(snapshot)):
            for position, peer in enumerate(rule.peers):
                mention = Mention(policy, rule, position)
                for alike, matched in index.matching(policy, peer) if peer.selects_pods else ():
                    if matched is True:
                        found.setdefault(alike.key, {}).setdefault(number, mention)
    listed = {key: tuple(mentioned.values()) for key, mentioned in found.items()}
    return lambda pod: listed.get(id(pod) if plugin else index.class_key(pod), ())


def _services_by_selector(snapshot: Snapshot) -> dict[str, BySelector[Service]]:
    """By namespace."""
    found: dict[str, list[Service]] = {}
    for service in snapshot.services:
        found.setdefault(service.namespace, []).append(service)
    return {name: BySelector((service.selector, service) for service in found[name]) for name in found}


def _service_mappings(services: Iterable[Service], pod: Pod) -> tuple[ServiceMapping, ...]:
    found = []
    for service in services:
        if service.namespace != pod.namespace or service.selector is None or pod.finished:
            continue
        for port in service.ports if service.selector.matches(pod.labels) else ():
            number = port.number if service.headless else port.number_on(pod)
            found.append(ServiceMapping(service, port.number, port.name, port.protocol, number))
    return tuple(found)
