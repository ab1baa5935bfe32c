"""What the policies mean for one pod: which isolate it, what they allow, and which pods that is now."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import applies, isolating_policies, layers_of, tiered_policies
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Action, Direction, Peer, Policy, Rule, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.snapshot import Snapshot


class PeerPods(NamedTuple):
    """One peer of a rule (None: everyone), its `position` and the pods that it matches now.

    `unknown`: why there may be more of them, or None.
    """

    position: int | None
    peer: Peer | None
    pods: tuple[Pod, ...]
    unknown: Note | None = None


class RulePeers(NamedTuple):
    """A rule that applies to the pod, or may, and its peers."""

    policy: Policy
    rule: Rule
    peers: tuple[PeerPods, ...]


class Isolation(NamedTuple):
    """One direction. `isolated_by`: the NetworkPolicies that isolate the pod, and their `rules`.

    `admin`: the rules that are asked first, in that order. `baseline`: those that are asked last, where none isolates.
    `unknown`: why it is not known what decides, or None: policies that were not read, or of a kind not evaluated.
    """

    direction: Direction
    isolated_by: tuple[Policy, ...]
    rules: tuple[RulePeers, ...]
    unknown: Note | None = None
    admin: tuple[RulePeers, ...] = ()
    baseline: tuple[RulePeers, ...] = ()

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
        _selecting(snapshot, pod),
        isolation(snapshot, pod, Direction.INGRESS),
        isolation(snapshot, pod, Direction.EGRESS),
        _service_mappings(snapshot, pod),
        mentions(snapshot, pod),
    )


def _selecting(snapshot: Snapshot, pod: Pod) -> tuple[Policy, ...]:
    """The policies that select the pod, those of tiers only if they do for sure."""
    own = (policy for policy in snapshot.policies_in(pod.namespace) if policy.selects(pod))
    return (*own, *(policy for policy in snapshot.tiered if applies(snapshot, policy, pod)))


def isolation(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    isolating = isolating_policies(snapshot, pod, direction)
    tiered = tiered_policies(snapshot, pod, direction)
    admin, rules, baseline = (
        tuple(
            RulePeers(policy, rule, peer_pods(snapshot, policy, rule, pod))
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


def peer_pods(snapshot: Snapshot, policy: Policy, rule: Rule, subject: Pod | None = None) -> tuple[PeerPods, ...]:
    """The rule's peers; one without a peer, for everyone, where it lists none. `subject`: the pod it applies to."""
    if not rule.peers:
        return (PeerPods(None, None, ()),)
    return tuple(
        _find_pods(snapshot, policy, index, peer, subject)
        if peer.selects_by_own_namespace
        else _pods_of_peer(snapshot, policy, index, peer)
        for index, peer in enumerate(rule.peers)
    )


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
    found = []
    for policy in snapshot.evaluated:
        for direction in policy.directions:
            for rule in policy.rules_of(direction):
                for index, peer in enumerate(rule.peers):
                    if peer.selects_pods and peer_matches(snapshot, policy, peer, pod, None) is True:
                        found.append(Mention(policy, rule, index))
                        break
    return tuple(found)


def _service_mappings(snapshot: Snapshot, pod: Pod) -> tuple[ServiceMapping, ...]:
    found = []
    for service in snapshot.services:
        if service.namespace != pod.namespace or pod not in snapshot.selected_by_service(service):
            continue
        for port in service.ports:
            number = port.number if service.headless else port.number_on(pod)
            found.append(ServiceMapping(service, port.number, port.name, port.protocol, number))
    return tuple(found)
