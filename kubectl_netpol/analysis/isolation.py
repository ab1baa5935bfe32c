"""What the policies mean for one pod: who isolates it, what they let in and out, and which pods that is now. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import isolating_policies
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.snapshot import Snapshot


class PeerPods(NamedTuple):
    """One peer of a rule (None: everyone) with its `position` and the pods that it matches now.

    `unknown`: why that can't be told in full, or None.
    """

    position: int | None
    peer: Peer | None
    pods: tuple[Pod, ...]
    unknown: Note | None = None


class RulePeers(NamedTuple):
    """A rule in force for the pod, with its peers."""

    policy: Policy
    rule: Rule
    peers: tuple[PeerPods, ...]


class Isolation(NamedTuple):
    """One direction. Nobody in `isolated_by`: not affected, everything is allowed. `unknown`: policies not read."""

    direction: Direction
    isolated_by: tuple[Policy, ...]
    rules: tuple[RulePeers, ...]
    unknown: Note | None = None


class ServiceMapping(NamedTuple):
    """A port of a Service that selects the pod, and the pod's port behind it (None: the pod has no such name)."""

    service: Service
    number: int
    name: str | None
    protocol: str
    pod_port: int | None


class Mention(NamedTuple):
    """A rule of another pod's policy that names this pod as a peer."""

    policy: Policy
    rule: Rule
    peer: int


class Explanation(NamedTuple):
    """Everything that the policies mean for one pod."""

    pod: Pod
    selected_by: tuple[Policy, ...]
    ingress: Isolation
    egress: Isolation
    services: tuple[ServiceMapping, ...]
    mentioned_by: tuple[Mention, ...]


def explain_pod(snapshot: Snapshot, pod: Pod) -> Explanation:
    """What the policies in the snapshot mean for the pod."""
    return Explanation(
        pod,
        tuple(policy for policy in snapshot.policies_in(pod.namespace) if policy.selects(pod)),
        isolation(snapshot, pod, Direction.INGRESS),
        isolation(snapshot, pod, Direction.EGRESS),
        _service_mappings(snapshot, pod),
        mentions(snapshot, pod),
    )


def isolation(snapshot: Snapshot, pod: Pod, direction: Direction) -> Isolation:
    """One direction of the pod, with the pods that each rule's peers match now."""
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
    """The rule's peers with the pods that each matches now."""
    if not rule.peers:
        return (PeerPods(None, None, ()),)
    return tuple(_pods_of_peer(snapshot, policy, index, peer) for index, peer in enumerate(rule.peers))


@lru_cache(maxsize=512)  # warnings ask again for what the explanation has
def _pods_of_peer(snapshot: Snapshot, policy: Policy, index: int, peer: Peer) -> PeerPods:
    pods, unknown = [], None
    for pod in _within_reach(snapshot, policy, peer):
        if pod.host_network or pod.finished:
            continue
        # Without an address a real pod is in no block yet; a planned one may come to be.
        addresses = pod.ips if peer.ip_block and not pod.planned else pod.ips or (None,)
        for address in addresses if peer.ip_block else (None,):
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
    """The pods of the namespaces that the peer can mean; each namespace is asked about once."""
    if peer.ip_block:
        return snapshot.pods
    if peer.namespace_selector is None:
        return snapshot.pods_in(policy.namespace)
    selector = peer.namespace_selector
    names = [name for name in snapshot.pod_namespaces if snapshot.namespace(name).selected_by(selector) is not False]
    return (pod for name in names for pod in snapshot.pods_in(name))


def mentions(snapshot: Snapshot, pod: Pod) -> tuple[Mention, ...]:
    """The rules, of any policy, whose selectors name this pod as a peer (blocks of addresses aside)."""
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
