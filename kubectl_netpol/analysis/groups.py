"""Pods and outside addresses in groups that no policy tells apart, so that one of each group is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.verdict import End
from kubectl_netpol.model.addresses import Blocks, IPAddress, IPNetwork, family, parse_ip, parse_network
from kubectl_netpol.model.workloads import controllers, pod_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kubectl_netpol.model.objects import Owner, Pod
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot

OUTSIDE_TITLE = "outside the cluster"
_OUTSIDE_EXAMPLES = (
    "203.0.113.77",
    "198.51.100.77",
    "192.0.2.77",
    "9.9.9.9",
    "2001:db8:77::77",
    "2001:db8:ffff::1",
    "2620:fe::9",
)
_IPV4, _IPV6 = 4, 6


class Member(NamedTuple):
    """A workload, a pod without one, or outside addresses, as users call it. `pods`: how many it has now."""

    title: str
    namespace: str | None = None
    pods: int = 0


class PodGroup(NamedTuple):
    """Pods, or an outside address, that every policy treats alike. `ends`: one of them, or two.

    `by_node`: one of the pods on each node (None: not known), for the ends that are nodes themselves.
    """

    number: int
    members: tuple[Member, ...]
    ends: tuple[End, ...]
    by_node: Mapping[str | None, End] = {}

    @property
    def pod(self) -> Pod | None:
        """The first of the pods; None outside the cluster."""
        return self.ends[0].pod

    def ends_towards(self, other: PodGroup, index: int) -> list[End]:
        """The ends to evaluate with the other group: towards a pod on the host network one on its node, one elsewhere.

        Towards all others one is enough, the one at `index`.
        """
        if not (self.pod and other.pod and other.pod.host_network) or self.pod.host_network:
            return [self.ends[index]]
        node = other.pod.node
        elsewhere = next((end for own, end in self.by_node.items() if own not in (node, None)), None)
        return [end for end in (self.by_node.get(node), elsewhere, self.by_node.get(None)) if end]


def pod_groups(
    snapshot: Snapshot,
    policies: Iterable[Policy],
    blocks: Iterable[str],
    telling: Callable[[Pod], object] | None = None,
) -> list[PodGroup]:
    """All pods that have not finished; `policies`, `blocks` (CIDRs) and `telling` are what may tell them apart."""
    keys = label_keys(snapshot, policies)
    inside = Blocks((block, number) for number, block in enumerate(blocks))
    members: dict[object, list[Pod]] = {}
    for pod in snapshot.pods:
        if not pod.finished:
            key = _group_key(pod, keys, inside), telling(pod) if telling else None
            members.setdefault(key, []).append(pod)
    owners = controllers(snapshot)
    return [
        PodGroup(
            number,
            tuple(_members(pods, owners)),
            tuple(map(_end_of, _spread(pods))),
            {pod.node: _end_of(pod) for pod in reversed(pods)},
        )
        for number, pods in enumerate(members.values())
    ]


def _group_key(pod: Pod, keys: list[str], blocks: Blocks) -> object:
    return (
        pod.namespace,
        tuple(pod.labels.get(key) for key in keys),
        pod.ports,
        pod.host_network and (pod.node, pod.host_ips),
        tuple(map(family, pod.ips)),
        tuple(frozenset(blocks.holding(ip)) for ip in pod.ips),
    )


def label_keys(snapshot: Snapshot, policies: Iterable[Policy]) -> list[str]:
    """The keys in any pod selector: pods with the same values of them are selected alike."""
    selectors: list[LabelSelector | None] = [policy.pod_selector for policy in snapshot.unevaluated]
    for policy in policies:
        selectors.append(policy.pod_selector)
        selectors += [peer.pod_selector for rule in policy.rules for peer in rule.peers]
    return sorted({requirement.key for selector in selectors if selector for requirement in selector.requirements})


def _end_of(pod: Pod) -> End:
    return End(pod=_as_running(pod), address=next(iter(pod.ips), None))


def _as_running(pod: Pod) -> Pod:
    """A pod without an address yet is evaluated as if it came from a manifest."""
    return pod if pod.ips else pod._replace(planned=True)


def _spread(pods: list[Pod]) -> Iterator[Pod]:
    """The first pod and one more, on another node if there is one."""
    yield pods[0]
    if len(pods) > 1:
        yield next((pod for pod in pods[1:] if pod.node != pods[0].node), pods[1])


def _members(pods: list[Pod], owners: dict[tuple[str, Owner], Owner]) -> Iterator[Member]:
    counts: dict[str, Member] = {}
    for pod in pods:
        title = pod_title(pod, owners)
        member = counts.get(title) or Member(title, pod.namespace)
        counts[title] = member._replace(pods=member.pods + 1)
    yield from counts.values()


def outside_groups(snapshot: Snapshot, blocks: Iterable[str], first_number: int) -> list[PodGroup]:
    """Addresses of no pod and no node: one outside every block, and one in each block and in no narrower one."""
    networks = sorted(
        {parse_network(block) for block in blocks}, key=lambda net: (net.version, -net.prefixlen, str(net))
    )
    taken = {parse_ip(ip) for pod in snapshot.pods for ip in (*pod.ips, *pod.host_ips)}
    taken |= {parse_ip(ip) for node in snapshot.nodes for ip in node.addresses}
    versions: set[int] = {ip.version for ip in taken} | {network.version for network in networks} or {_IPV4}
    found: dict[str, str] = {}
    wide = [network for network in networks if network.prefixlen]
    for version in sorted(versions):
        for address in _OUTSIDE_EXAMPLES:
            ip = parse_ip(address)
            if ip.version == version and ip not in taken and not any(ip in network for network in wide):
                found[address] = OUTSIDE_TITLE if version == _IPV4 or versions == {_IPV6} else f"{OUTSIDE_TITLE} (IPv6)"
                break
    within = _within(wide)
    for network in wide:
        if own := _own_address(network, within[network], taken):
            found[own] = own if network.prefixlen == network.max_prefixlen else f"addresses in {network}"
    return [
        PodGroup(number, (Member(title),), (End(address=address),))
        for number, (address, title) in enumerate(found.items(), first_number)
    ]


def _within(networks: Iterable[IPNetwork]) -> dict[IPNetwork, list[IPNetwork]]:
    """For each network those that are right below it, in order; two either are apart, or one is in the other."""
    found: dict[IPNetwork, list[IPNetwork]] = {}
    around: list[IPNetwork] = []
    for network in sorted(networks, key=lambda net: (net.version, int(net.network_address), net.prefixlen)):
        while around and network.network_address not in around[-1]:
            around.pop()
        if around:
            found[around[-1]].append(network)
        found[network] = []
        around.append(network)
    return found


def _own_address(network: IPNetwork, narrower: list[IPNetwork], taken: set[IPAddress]) -> str | None:
    """An address of the block that is in no narrower block and belongs to no pod or node; None where there is none."""
    first = free = int(network.network_address)
    gaps = []
    for other in narrower:
        gaps.append(range(free, int(other.network_address)))
        free = int(other.broadcast_address) + 1
    gaps.append(range(free, int(network.broadcast_address) + 1))
    for gap in gaps:
        for number in gap[:64]:
            ip = network.network_address + (number - first)
            if ip not in taken:
                return str(ip)
    return None
