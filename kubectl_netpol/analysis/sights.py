"""How the policies of one end see another, before and after a change: what looks the same is evaluated once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.groups import label_keys
from kubectl_netpol.engine.layers import isolating_policies, tiered_policies
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.model.addresses import Blocks, family, parse_ip, parse_network
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selector_index import ByLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kubectl_netpol.analysis.groups import PodGroup
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot

_NOTHING: frozenset[object] = frozenset()


class RuleOfPolicy(NamedTuple):
    """One rule of a policy, or (None) that it applies; `changed`: its key and position where the policy changed."""

    policy: Policy
    rule: Rule | None
    changed: tuple[str, int | None] | None


class _Rules(NamedTuple):
    """The rules that are asked about `group`, and others, before and after.

    `near`: the numbers of the groups that one of them may match; None: of any. `default`: how they see all others.
    """

    number: int
    group: PodGroup
    sides: list[list[RuleOfPolicy]]
    near: set[int] | None
    default: int


class Sights:
    """Of the groups, whose numbers are their places."""

    def __init__(
        self, before: Snapshot, after: Snapshot, changed: Sequence[Policy], groups: Sequence[PodGroup]
    ) -> None:
        self._snapshots = before, after
        self._changed = changed
        self._groups = groups
        self._index = _Index(after, (*before.evaluated, *after.evaluated), groups)
        self._numbers: dict[object, int] = {}
        self._rules: dict[tuple[int, Direction], _Rules] = {}
        self._alike: dict[object, _Rules] = {}
        self._matches: dict[tuple[int, int, bool | int], frozenset[object]] = {}
        self._seen: dict[tuple[int, int], int] = {}
        self._rows: dict[int, list[int]] = {}
        self._blocks: dict[int, tuple[Blocks, list[Peer]]] = {}
        self._own_namespace: dict[int, bool] = {}  # by the rule's id: whether a peer depends on the subject's namespace
        self._ends: dict[Direction, list[int]] = {}
        self._of_all: dict[Direction, tuple[list[int], list[_Rules]]] = {}

    def rules_of(self, group: PodGroup, direction: Direction) -> Iterator[Rule]:
        """The rules that are asked about the group, before or after."""
        return (part.rule for side in self._asked(group, direction).sides for part in side if part.rule)

    def rules_matching(self, group: PodGroup, peer: PodGroup, direction: Direction) -> Iterator[Rule]:
        """Those of them that may match the peer on some port."""
        for side in self._asked(group, direction).sides:
            for policy, rule, _ in side:
                if rule and (not rule.peers or self._matching(policy, rule, group, peer)):
                    yield rule

    def keys(self, subject: PodGroup, direction: Direction) -> list[tuple[int, int, int]]:
        """For each group one that is equal for other ends that the policies of both ends see alike."""
        numbers, listed = self._asked_of_all(direction.opposite)
        back = {rules.number: self._seen_by(rules, subject) for rules in listed}
        row = self._row(self._asked(subject, direction))
        return list(zip(self.ends(direction), row, map(back.__getitem__, numbers), strict=True))

    def side(self, source: PodGroup, destination: PodGroup, direction: Direction) -> object:
        """Equal for pairs about which the policies of this direction say the same on each port."""
        group, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
        rules = self._asked(group, direction)
        ends = self.ends(Direction.INGRESS)[source.number], self.ends(Direction.EGRESS)[destination.number]
        return direction, rules.number, self._seen_by(rules, peer), *ends

    def ends(self, direction: Direction) -> list[int]:
        """For each group what of it decides beside rules where policies of this direction are asked about others."""
        if direction not in self._ends:
            self._ends[direction] = [self._number(("end", _as_end(group, direction))) for group in self._groups]
        return self._ends[direction]

    def _number(self, what: object) -> int:
        return self._numbers.setdefault(what, len(self._numbers))

    def _asked(self, group: PodGroup, direction: Direction) -> _Rules:
        key = group.number, direction
        if key not in self._rules:
            sides = [
                [
                    RuleOfPolicy(
                        policy, rule, (policy.key, rule and rule.position) if policy in self._changed else None
                    )
                    for policy in (asked_policies(snapshot, group.pod, direction) if group.pod else ())
                    for rule in (None, *policy.rules_of(direction))
                ]
                for snapshot in self._snapshots
            ]
            parts = [part for side in sides for part in side]
            own = any(peer.selects_by_own_namespace for part in parts if part.rule for peer in part.rule.peers)
            same = (own and group.number, *(tuple((id(one.policy), id(one.rule)) for one in side) for side in sides))
            if same not in self._alike:
                near = self._index.that_may_match((one.policy, one.rule) for one in parts if one.rule)
                default = self._number(_sight(sides, lambda part: _NOTHING if part.rule and part.rule.peers else None))
                self._alike[same] = _Rules(len(self._alike), group, sides, near, default)
            self._rules[key] = self._alike[same]
        return self._rules[key]

    def _asked_of_all(self, direction: Direction) -> tuple[list[int], list[_Rules]]:
        """For each group the number of its rules; and these, each once."""
        if direction not in self._of_all:
            asked = [self._asked(group, direction) for group in self._groups]
            listed = {rules.number: rules for rules in asked}
            self._of_all[direction] = [rules.number for rules in asked], list(listed.values())
        return self._of_all[direction]

    def _row(self, rules: _Rules) -> list[int]:
        """For each group how these rules see it."""
        if rules.number not in self._rows:
            row = self._rows[rules.number] = [rules.default] * len(self._groups)
            for place in range(len(row)) if rules.near is None else rules.near:
                row[place] = self._seen_by(rules, self._groups[place])
        return self._rows[rules.number]

    def _seen_by(self, rules: _Rules, peer: PodGroup) -> int:
        """How these rules see the peer, before and after."""
        if rules.near is not None and peer.number not in rules.near:
            return rules.default
        key = rules.number, peer.number
        if key not in self._seen:

            def match(part: RuleOfPolicy) -> object:
                if part.rule is None or not part.rule.peers:
                    return None
                return self._matching(part.policy, part.rule, rules.group, peer)

            self._seen[key] = self._number(_sight(rules.sides, match))
        return self._seen[key]

    def _matching(self, policy: Policy, rule: Rule, group: PodGroup, peer: PodGroup) -> frozenset[object]:
        """How the rule's peers match this other end, each by each of its addresses, but for those that don't."""
        if id(rule) not in self._own_namespace:
            self._own_namespace[id(rule)] = any(item.selects_by_own_namespace for item in rule.peers)
        key = (id(rule), peer.number, self._own_namespace[id(rule)] and group.number)
        if key not in self._matches:
            addresses = (peer.pod.ips if peer.pod else (peer.ends[0].address,)) or (None,)
            found = (
                tuple(
                    peer_matches(self._snapshots[1], policy, item, peer.pod, ip, subject=group.pod) for ip in addresses
                )
                for item in self._peers(rule, addresses)
            )
            self._matches[key] = frozenset(
                tuple(one if isinstance(one, bool) else None for one in matched) for matched in found if any(matched)
            )
        return self._matches[key]

    def _peers(self, rule: Rule, addresses: Sequence[str | None]) -> Iterable[Peer]:
        """The peers that may match one of these addresses, or a pod by its labels: of many blocks a few."""
        known = self._blocks.get(id(rule))
        if known is None:
            numbered = [(block.cidr, number) for number, peer in enumerate(rule.peers) for block in peer.blocks]
            others = [peer for peer in rule.peers if not peer.blocks]
            known = self._blocks[id(rule)] = Blocks(numbered), others
        if None in addresses:
            return rule.peers
        holding = {number for ip in addresses if ip for number in known[0].holding(ip)}
        return [*known[1], *(rule.peers[number] for number in sorted(holding))]


def asked_policies(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
    return (*tiered_policies(snapshot, pod, direction), *isolating_policies(snapshot, pod, direction))


def _sight(sides: Sequence[Sequence[RuleOfPolicy]], match: Callable[[RuleOfPolicy], object]) -> object:
    """The ports of each rule and whether it matches. Only in tiers the order of the rules matters."""

    def seen(part: RuleOfPolicy) -> object:
        return part.changed, part.rule and (part.rule.action, part.rule.ports, match(part))

    return tuple(
        (
            frozenset(seen(part) for part in side if part.policy.tier is None),
            tuple(
                (part.policy.tier, part.policy.priority, part.policy.kind, seen(part))
                for part in side
                if part.policy.tier
            ),
        )
        for side in sides
    )


def _as_end(group: PodGroup, direction: Direction) -> object:
    addresses = group.pod.ips if group.pod else (group.ends[0].address,)
    ports = group.pod.ports if group.pod and direction is Direction.EGRESS else ()
    outside = [parse_ip(address) for address in addresses if address and not group.pod]
    # What answers at such an address may be on the pod's own node, or is the pod itself.
    local = any(ip.is_link_local for ip in outside), any(ip.is_loopback for ip in outside)
    return tuple(map(family, filter(None, addresses))), ports, local


class _Index:
    """Which groups a rule's peers may match, found by labels and addresses."""

    def __init__(self, snapshot: Snapshot, policies: Iterable[Policy], groups: Iterable[PodGroup]) -> None:
        self._snapshot = snapshot
        self._namespaces: dict[LabelSelector, list[str]] = {}
        self._unplaced: set[int] = set()
        self._addresses: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        labelled: dict[str, list[tuple[Mapping[str, str], int]]] = {}
        for group in groups:
            if group.pod:
                labelled.setdefault(group.pod.namespace, []).append((group.pod.labels, group.number))
            addresses = group.pod.ips if group.pod else (group.ends[0].address,)
            for address in filter(None, addresses):
                ip = parse_ip(address)
                self._addresses[ip.version].append((int(ip), group.number))
            if not any(addresses):
                self._unplaced.add(group.number)
        for listed in self._addresses.values():
            listed.sort()
        keys = set(label_keys(snapshot, policies))
        self._pods = {name: ByLabels(pods, keys) for name, pods in labelled.items()}

    def that_may_match(self, rules: Iterable[tuple[Policy, Rule]]) -> set[int] | None:
        """The numbers of the groups; None: any."""
        found: set[int] = set()
        for policy, peer in ((policy, peer) for policy, rule in rules for peer in rule.peers):
            if peer.unreadable or peer.selects_by_own_namespace:
                return None
            if peer.selects_pods:
                for name in self._reach(policy, peer):
                    found.update(self._pods[name].that_may_match(peer.pod_selector))
            elif peer.blocks:
                found |= self._unplaced
                for block in peer.blocks:
                    found.update(self._inside(block.cidr))
            else:
                return None
        return found

    def _reach(self, policy: Policy, peer: Peer) -> Iterable[str]:
        selector = peer.namespace_selector
        if selector is None:
            return (policy.namespace,) if policy.namespace in self._pods else ()
        if selector not in self._namespaces:
            self._namespaces[selector] = [
                name for name in self._pods if self._snapshot.namespace(name).selected_by(selector) is not False
            ]
        return self._namespaces[selector]

    def _inside(self, cidr: str) -> Iterator[int]:
        network = parse_network(cidr)
        listed = self._addresses[network.version]
        first, last = int(network.network_address), int(network.broadcast_address)
        start, end = bisect_left(listed, (first,)), bisect_right(listed, last, key=itemgetter(0))
        return (number for _, number in listed[start:end])
