"""The pods that peers and policies select, found by labels and addresses; the engine is asked once for pods alike."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.analysis.groups import label_keys
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Seen
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.addresses import parse_ip, parse_network
from kubectl_netpol.model.selector_index import ByLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_netpol.engine.conditions import Held
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector
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


class Alike(NamedTuple):
    """Pods of a namespace with the same `class_key`: one of them, and their places among those of the namespace."""

    key: object
    pod: Pod
    places: list[int]


class _Found(NamedTuple):
    """What a peer matches: pods in the order that they were read, by namespace, and why there may be more."""

    pods: tuple[Pod, ...]
    unknown: Note | None = None


class _Addresses(NamedTuple):
    """Those of pods, sorted: (family, number), the pod's place, and as written.

    `unplaced`: the last pod that will have an address and has none yet.
    """

    numbers: list[tuple[int, int]]
    places: list[int]
    ips: list[str]
    unplaced: Pod | None


class PodIndex:
    """Of one snapshot, whose memo has it (`index_of`)."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._keys = label_keys(snapshot, snapshot.evaluated)
        self._labels: dict[str, ByLabels[Alike]] = {}
        self._namespaces: dict[LabelSelector, list[str]] = {}
        self._peers: dict[tuple[object, ...], _Found] = {}
        self._rules: dict[tuple[object, ...], RulePeers] = {}

    def class_key(self, pod: Pod) -> object:
        """Equal for pods that no selector of a policy, and of a peer, tells apart."""
        labels = pod.labels
        return pod.namespace, pod.host_network, pod.finished, tuple([labels.get(key) for key in self._keys])

    def _classes_in(self, namespace: str) -> Iterable[Alike]:
        found: dict[object, Alike] = {}
        for place, pod in enumerate(self.snapshot.pods_in(namespace)):
            key = self.class_key(pod)
            if key in found:
                found[key].places.append(place)
            else:
                found[key] = Alike(key, pod, [place])
        return found.values()

    def selected(self, policy: Policy) -> tuple[Pod, ...]:
        """The pods that a NetworkPolicy applies to."""
        alike = (
            found for found in self._candidates(policy.namespace, policy.pod_selector) if policy.selects(found.pod)
        )
        return self._pods(policy.namespace, alike)

    def matching(self, policy: Policy, peer: Peer, subject: Pod | None = None) -> Iterator[tuple[Alike, bool | Note]]:
        """The pods that a peer with selectors matches, or may, those on the host network too; by namespace."""
        if peer.selects_by_own_namespace:
            names: Sequence[str] = self.snapshot.pod_namespaces
        elif peer.namespace_selector is None:
            names = (policy.namespace,)
        else:
            names = self._selected_namespaces(peer.namespace_selector)
        for name in names:
            for found in self._candidates(name, peer.pod_selector):
                if matched := peer_matches(self.snapshot, policy, peer, found.pod, None, subject=subject):
                    yield found, matched

    def rule_peers(self, policy: Policy, rule: Rule, subject: Pod | None) -> RulePeers:
        """A peer for everyone where the rule lists none. `subject`: a pod that the policy applies to."""
        own = subject and any(peer.selects_by_own_namespace for peer in rule.peers) and subject.namespace
        key = id(policy), id(rule), subject is None, own
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = RulePeers(policy, rule, self._peers_of(policy, rule, subject))
        return found

    def _peers_of(self, policy: Policy, rule: Rule, subject: Pod | None) -> tuple[PeerPods, ...]:
        found: Iterable[PeerPods] = (self._peer(policy, index, peer, subject) for index, peer in enumerate(rule.peers))
        if rule.condition is not None and rule.condition.text():
            found = (self._holding_now(rule, index, peer) for index, peer in enumerate(rule.condition.peers()))
        return tuple(found) or (PeerPods(None, None, ()),)

    def holding(self, rule: Rule, peer: Any) -> Iterator[tuple[list[int], bool | Note]]:
        """The places in `snapshot.pods` for which a peer of the rule's condition holds, or may.

        Of pods that are no nodes it says the same to every subject, whatever the ports.
        """
        pods = self.snapshot.pods
        groups: Iterable[list[int]] = self._told_apart
        if rule.condition.by_address:
            groups = ([place] for place in range(len(pods)))
        for places in groups:
            if pods[places[0]].host_network:
                continue
            if held := self._holds(rule, peer, pods[places[0]]):
                yield places, held if isinstance(held, Note) else True

    def _holds(self, rule: Rule, peer: Any, pod: Pod) -> bool | Note | Held:
        found: bool | Note | Held = peer.holds(self.snapshot, Seen(rule.direction, pod, pod, None, None, "TCP", 1))
        return found

    def _holding_now(self, rule: Rule, index: int, peer: Any) -> PeerPods:
        pods = self.snapshot.pods
        certain: list[int] = []
        unsure: list[int] = []
        for places, held in self.holding(rule, peer):
            if not pods[places[0]].finished:
                (unsure if isinstance(held, Note) else certain).extend(places)
        unknown = self._holds(rule, peer, pods[max(unsure)]) if unsure else None
        if gap := self.snapshot.gap("pods", None):
            unknown = Note(Code.PERMISSION_MISSING, gap.message)
        found = tuple([pods[place] for place in sorted(certain)])
        return PeerPods(index, None, found, unknown if isinstance(unknown, Note) else None, peer.text())

    @cached_property
    def _told_apart(self) -> list[list[int]]:
        """The places of pods that a plugin's conditions can't tell apart, but for their addresses."""
        plugin = plugin_of(self.snapshot)
        assert plugin is not None  # noqa: S101 - only a plugin has conditions
        found: dict[object, list[int]] = {}
        for place, pod in enumerate(self.snapshot.pods):
            found.setdefault((plugin.class_of(pod), pod.finished), []).append(place)
        return list(found.values())

    def _peer(self, policy: Policy, index: int, peer: Peer, subject: Pod | None) -> PeerPods:
        key = (
            peer,
            policy.namespace if peer.namespace_selector is None else None,
            policy.title if peer.unreadable else None,
            subject.namespace if subject and peer.selects_by_own_namespace else None,
        )
        found = self._peers.get(key)
        if found is None:
            find = self._by_labels if peer.selects_pods else self._by_address
            found = self._peers[key] = find(policy, peer, subject)
        return PeerPods(index, peer, *found)

    def _by_labels(self, policy: Policy, peer: Peer, subject: Pod | None) -> _Found:
        certain: dict[str, list[Alike]] = {}
        unsure: dict[str, list[Alike]] = {}
        notes: dict[str, Note] = {}
        for alike, matched in self.matching(policy, peer, subject):
            name = alike.pod.namespace
            if alike.pod.host_network:
                continue
            if isinstance(matched, Note):
                unsure.setdefault(name, []).append(alike)
                notes[name] = matched
            else:
                certain.setdefault(name, []).append(alike)
        pods, others = (
            [pod for name, found in each.items() for pod in self._pods(name, found)] for each in (certain, unsure)
        )
        if peer.selects_by_own_namespace:
            pods, others = (self._as_read(each) for each in (pods, others))
        if gap := self.snapshot.gap("pods", policy.namespace if peer.namespace_selector is None else None):
            return _Found(tuple(pods), Note(Code.PERMISSION_MISSING, gap.message))
        return _Found(tuple(pods), notes[others[-1].namespace] if others else None)

    def _by_address(self, policy: Policy, peer: Peer, subject: Pod | None) -> _Found:
        def ask(pod: Pod, address: str | None) -> bool | Note:
            return peer_matches(self.snapshot, policy, peer, pod, address, subject=subject)

        if peer.blocks and not (peer.unreadable or peer.domain_names or peer.node_selector):
            return self._in_blocks(peer, ask)
        alive = (pod for pod in self.snapshot.pods if not (pod.host_network or pod.finished))
        answers = [(pod, ask(pod, None)) for pod in alive]
        notes = [answer for _, answer in answers if isinstance(answer, Note)]
        return _Found(tuple([pod for pod, answer in answers if answer is True]), notes[-1] if notes else None)

    def _in_blocks(self, peer: Peer, ask: Callable[[Pod, str | None], bool | Note]) -> _Found:
        """Asked once for the addresses between two edges of the blocks."""
        pods, known = self.snapshot.pods, self._addresses
        networks = [parse_network(cidr) for block in peer.blocks for cidr in (block.cidr, *block.except_)]
        edges = [(network.version, int(network.network_address)) for network in networks]
        edges += [(network.version, int(network.broadcast_address) + 1) for network in networks]
        found: set[int] = set()
        for first, after in pairwise(sorted({bisect_left(known.numbers, edge) for edge in edges})):
            if ask(pods[known.places[first]], known.ips[first]) is True:
                found.update(known.places[first:after])
        unknown = ask(known.unplaced, None) if known.unplaced else None
        return _Found(tuple([pods[place] for place in sorted(found)]), unknown if isinstance(unknown, Note) else None)

    @cached_property
    def _addresses(self) -> _Addresses:
        alive = [(place, pod) for place, pod in enumerate(self.snapshot.pods) if not (pod.host_network or pod.finished)]
        listed = sorted(
            (parsed.version, int(parsed), place, ip)
            for place, pod in alive
            for ip in pod.ips
            for parsed in (parse_ip(ip),)
        )
        # A running pod without an address is in no block yet; where a planned one will be is unknown.
        unplaced = [pod for _, pod in alive if pod.planned and not pod.ips]
        return _Addresses(
            [entry[:2] for entry in listed],
            [entry[2] for entry in listed],
            [entry[3] for entry in listed],
            unplaced[-1] if unplaced else None,
        )

    def _selected_namespaces(self, selector: LabelSelector) -> list[str]:
        found = self._namespaces.get(selector)
        if found is None:
            snapshot = self.snapshot
            found = self._namespaces[selector] = [
                name for name in snapshot.pod_namespaces if snapshot.namespace(name).selected_by(selector) is not False
            ]
        return found

    def _candidates(self, namespace: str, selector: LabelSelector | None) -> list[Alike]:
        """The classes of pods that the selector may match."""
        found = self._labels.get(namespace)
        if found is None:
            classes = ((alike.pod.labels, alike) for alike in self._classes_in(namespace))
            found = self._labels[namespace] = ByLabels(classes, set(self._keys))
        return found.that_may_match(selector)

    def _as_read(self, pods: list[Pod]) -> list[Pod]:
        wanted = set(map(id, pods))
        return [pod for pod in self.snapshot.pods if id(pod) in wanted]

    def _pods(self, namespace: str, classes: Iterable[Alike]) -> tuple[Pod, ...]:
        pods = self.snapshot.pods_in(namespace)
        return tuple([pods[place] for place in sorted([place for found in classes for place in found.places])])


def index_of(snapshot: Snapshot) -> PodIndex:
    """Made once."""
    found: PodIndex | None = snapshot.memo.get("index of pods")
    if found is None:
        found = snapshot.memo["index of pods"] = PodIndex(snapshot)
    return found
