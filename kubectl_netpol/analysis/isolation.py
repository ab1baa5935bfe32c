"""What the policies mean for one pod: which isolate it, what they allow, and which pods that is now."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import isolating_policies
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule

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
    """A rule that applies to the pod, and its peers."""

    policy: Policy
    rule: Rule
    peers: tuple[PeerPods, ...]


class Isolation(NamedTuple):
    """One direction. No `isolated_by`: everything is allowed. `unknown`: why the policies were not read, or None."""

    direction: Direction
    isolated_by: tuple[Policy, ...]
    rules: tuple[RulePeers, ...]
    unknown: Note | None = None


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
        tuple(policy for policy in snapshot.policies_in(pod.namespace) if policy.selects(pod)),
        isolation(snapshot, pod, Direction.INGRESS),
        isolation(snapshot, pod, Direction.EGRESS),
        _service_mappings(snapshot, pod),
        mentions(snapshot, pod),
    )


def isolation(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    if gap := snapshot.gap("networkpolicies", pod.namespace):
        return Isolation(direction, (), (), Note(Code.PERMISSION_MISSING, gap.message))
    isolating = isolating_policies(snapshot, pod, direction)
    rules = tuple(
        RulePeers(policy, rule, peer_pods(snapshot, policy, rule))
        for policy in isolating
        for rule in policy.rules_of(direction)
    )
    return Isolation(direction, isolating, rules)


def peer_pods(snapshot: Snapshot, policy: Policy, rule: Rule) -> tuple[PeerPods, ...]:
    """The rule's peers; one without a peer, for everyone, where it lists none."""
    if not rule.peers:
        return (PeerPods(None, None, ()),)
    return tuple(_pods_of_peer(snapshot, policy, index, peer) for index, peer in enumerate(rule.peers))


@lru_cache(maxsize=512)  # lint asks again for what the explanation has
def _pods_of_peer(snapshot: Snapshot, policy: Policy, index: int, peer: Peer) -> PeerPods:
    pods, unknown = [], None
    for pod in _within_reach(snapshot, policy, peer):
        if pod.host_network or pod.finished:
            continue
        addresses: tuple[str | None, ...] = (None,)
        if peer.ip_block:
            # A running pod without an address is in no block yet; where a planned one will be is unknown.
            addresses = pod.ips or ((None,) if pod.planned else ())
        for address in addresses:
            matched = peer_matches(snapshot, policy, peer, pod, address)
            if matched is True:
                pods.append(pod)
                break
            if matched:
                unknown = matched
    gap = snapshot.gap("pods", policy.namespace if peer.namespace_selector is None else None)
    if gap and not peer.ip_block:
        unknown = Note(Code.PERMISSION_MISSING, gap.message)
    return PeerPods(index, peer, tuple(pods), unknown)


def _within_reach(snapshot: Snapshot, policy: Policy, peer: Peer) -> Iterable[Pod]:
    """The pods of the namespaces that the peer may select; each namespace is matched once."""
    if peer.ip_block:
        return snapshot.pods
    if peer.namespace_selector is None:
        return snapshot.pods_in(policy.namespace)
    selector = peer.namespace_selector
    names = [name for name in snapshot.pod_namespaces if snapshot.namespace(name).selected_by(selector) is not False]
    return (pod for name in names for pod in snapshot.pods_in(name))


def mentions(snapshot: Snapshot, pod: Pod) -> tuple[Mention, ...]:
    """The rules with a peer whose selectors match this pod, each once, by its first such peer. No ipBlock."""
    found = []
    for policy in snapshot.policies:
        for direction in policy.directions:
            for rule in policy.rules_of(direction):
                for index, peer in enumerate(rule.peers):
                    if not peer.ip_block and peer_matches(snapshot, policy, peer, pod, None) is True:
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
