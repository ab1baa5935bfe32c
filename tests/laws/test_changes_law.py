"""What changes between two sets of policies is what the engine says of every connection before and after."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubectl_netpol.analysis.changes import changed_policies, changes_between
from kubectl_netpol.analysis.groups import OUTSIDE_TITLE
from kubectl_netpol.analysis.sights import asked_policies
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.model.addresses import parse_ip, parse_network
from kubectl_netpol.model.kinds import WORKLOADS
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange
from tests.support.clusters import PROTOCOLS, clusters, network_policies, read
from tests.support.lawful import lawful
from tests.support.plugin_policies import OF_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.analysis.change import Changes, ConnectionChange
    from kubectl_netpol.model.addresses import IPNetwork
    from kubectl_netpol.model.ports import NamedPort
    from kubectl_netpol.model.snapshot import Snapshot
    from tests.support.clusters import Feature

CHANGED = ("NetworkPolicy", "GlobalNetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
WITHOUT: dict[Feature, str] = {"services": "a change is of pods and addresses, behind Services too"}
# An address of each block that is in no narrower one: what a change calls "addresses in" the block.
IN_BLOCKS = {
    "10.0.0.0/8": "10.99.0.1",
    "10.0.0.0/15": "10.0.50.1",
    "10.0.1.0/24": "10.0.1.200",
    "10.1.0.0/16": "10.1.200.1",
    "10.0.0.0/24": "10.0.0.200",
    "10.0.0.4/30": "10.0.0.7",
    "198.51.100.0/24": "198.51.100.200",
    "192.168.0.0/16": "192.168.50.1",
    "192.168.0.0/24": "192.168.0.200",
    "192.168.1.0/24": "192.168.1.200",
    "fd00::/8": "fd50::1",
    "fd00::/16": "fd00:50::1",
    "fd00:1::/32": "fd00:1:50::1",
    "fd00:2::/64": "fd00:2::50",
    "2001:db8::/32": "2001:db8:50::1",
}


@st.composite
def before_and_after(draw: st.DrawFn, plugin: str = "") -> tuple[Snapshot, Snapshot]:
    """Pods of one workload go by its name in a change, so here no pod has one: the labels that it added stay."""
    drawn = draw(clusters(pods=(2, 5), policies=3, without=WITHOUT, plugin=plugin))
    objects = [item for item in drawn if item["kind"] not in WORKLOADS]
    for item in objects:
        item["metadata"].pop("ownerReferences", None)
    before = read(objects, plugin=plugin)
    kept = [item for item in objects if item["kind"] not in (CHANGED if plugin else CHANGED[:1]) or draw(st.booleans())]
    more = draw(network_policies(2))
    for number, item in enumerate(more):
        item["metadata"]["name"] = f"new-{number}"
    more += draw(OF_PLUGIN[plugin](2, "new-")) if plugin else []
    known = {(item["kind"], item["metadata"]["name"]) for item in kept}
    more = [item for item in more if (item["kind"], item["metadata"]["name"]) not in known]
    return before, read([*kept, *more], plugin=plugin)


def outsiders(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Title -> address, for each block in the policies of a namespace where one changes, and outside them all."""
    namespaces = {policy.namespace for policy in changed_policies(before, after)}
    found: dict[str, str] = {}
    blocks: list[IPNetwork] = []
    for policy in (*before.policies, *after.policies):
        for peer in (peer for rule in policy.rules for peer in rule.peers if policy.namespace in namespaces):
            for block in (peer.ip_block.cidr, *peer.ip_block.except_) if peer.ip_block else ():
                network = parse_network(block)
                blocks.append(network)
                if network.prefixlen == network.max_prefixlen:
                    found[str(network.network_address)] = str(network.network_address)
                elif network.prefixlen:
                    found[f"addresses in {network}"] = IN_BLOCKS[str(network)]
    taken = {parse_ip(ip) for pod in after.pods for ip in pod.ips}
    taken |= {parse_ip(ip) for node in after.nodes for ip in node.addresses}
    found = {title: address for title, address in found.items() if parse_ip(address) not in taken}
    found[OUTSIDE_TITLE] = "203.0.113.9"
    if any(ip.version == 6 for ip in (*taken, *blocks)):
        found[f"{OUTSIDE_TITLE} (IPv6)"] = "2a00::1"
    return found


def ends_by_family(end: Pod | str) -> dict[int, End]:
    """A pod without an address yet is evaluated as one from a manifest, which gets one of either family."""
    if isinstance(end, str):
        return {parse_ip(end).version: End(address=end)}
    if not end.ips:
        return dict.fromkeys((4, 6), End(pod=end._replace(planned=True)))
    return {parse_ip(ip).version: End(pod=end, address=ip) for ip in reversed(end.ips)}


def verdict_of(snapshot: Snapshot, source: Pod | str, destination: Pod | str, protocol: str, port: int) -> Verdict:
    """The engine's verdict over all address families."""
    mine, theirs = ends_by_family(source), ends_by_family(destination)
    found = {
        evaluate(snapshot, Connection(end, theirs[family], protocol, port)).verdict
        for family, end in mine.items()
        if family in theirs
    }
    return found.pop() if len(found) == 1 else Verdict.UNDEFINED


def verdicts_in(
    changes: Changes, title: str, other: str, protocol: str, port: int, *, named: bool
) -> Iterator[tuple[Verdict, Verdict]]:
    for change in changes.connections:
        titles = ({member.title for member in change.sources}, {member.title for member in change.destinations})
        covered = change.ports.first <= port <= change.ports.last if named else change.ports.other
        same = named is not change.ports.other and change.ports.protocol == protocol
        if title in titles[0] and other in titles[1] and covered and same:
            yield change.before, change.after


def port_items(
    snapshots: tuple[Snapshot, Snapshot], source: Pod | str, destination: Pod | str
) -> list[PortRange | NamedPort]:
    """The ports of every rule that applies between the two, before or after."""
    return [
        item
        for snapshot in snapshots
        for end, direction in ((source, Direction.EGRESS), (destination, Direction.INGRESS))
        if isinstance(end, Pod)
        for policy in asked_policies(snapshot, end, direction)
        for rule in policy.rules_of(direction)
        for item in rule.ports
    ]


@lawful(100)
@given(before_and_after())
def test_the_changes_are_those_of_evaluating_every_connection(snapshots: tuple[Snapshot, Snapshot]) -> None:
    before, after = snapshots
    # Where every address is IPv6, "outside the cluster" is too.
    assume(any(parse_ip(ip).version == 4 for pod in after.pods for ip in pod.ips))
    changes = changes_between(before, after)
    ends: dict[str, Pod | str] = {**{pod.key: pod for pod in after.pods}, **outsiders(before, after)}
    for (title, source), (other_title, destination) in itertools.permutations(ends.items(), 2):
        if isinstance(source, str) and isinstance(destination, str):
            continue
        items = port_items(snapshots, source, destination)
        declared = {
            (port.protocol, port.number) for port in (destination.ports if isinstance(destination, Pod) else ())
        }
        for protocol, port in itertools.product(PROTOCOLS, (53, 80, 8080, 40000)):
            named = (protocol, port) in declared or any(
                isinstance(item, PortRange) and item.protocol == protocol and 1 < item.first <= port <= item.last
                for item in items
            )
            verdicts = [verdict_of(snapshot, source, destination, protocol, port) for snapshot in snapshots]
            wanted = [] if verdicts[0] is verdicts[1] else [tuple(verdicts)]
            got = list(verdicts_in(changes, title, other_title, protocol, port, named=named))
            assert got == wanted, (title, other_title, protocol, port)


def outside_of(snapshots: tuple[Snapshot, Snapshot]) -> dict[str, str]:
    """As `outsiders`, for every block that a plugin's policies and sets name."""
    plugins = [plugin for snapshot in snapshots if (plugin := plugin_of(snapshot))]
    networks = {parse_network(cidr) for plugin in plugins for cidr in plugin.blocks}
    found = {f"addresses in {network}": IN_BLOCKS[str(network)] for network in networks if str(network) in IN_BLOCKS}
    return {**found, OUTSIDE_TITLE: "203.0.113.9"}


@pytest.mark.parametrize("plugin", OF_PLUGIN)
def test_where_a_plugin_decides_too(plugin: str) -> None:
    """Every change is there, and every one that is there is so, at both ends of its ports."""

    @lawful(100)
    @given(before_and_after(plugin))
    def law(snapshots: tuple[Snapshot, Snapshot]) -> None:
        changes = changes_between(*snapshots)
        ends: dict[str, Pod | str] = {**{pod.key: pod for pod in snapshots[1].pods}, **outside_of(snapshots)}
        assume(any(parse_ip(ip).version == 4 for pod in snapshots[1].pods for ip in pod.ips))
        reported: dict[tuple[str, str, str], list[ConnectionChange]] = {}
        for change in changes.connections:
            titles = [(one.title, other.title) for one in change.sources for other in change.destinations]
            for title, other in titles:
                reported.setdefault((title, other, change.ports.protocol), []).append(change)
                if title in ends and other in ends and title != other:
                    for port in {change.ports.first, change.ports.last}:
                        pair = [verdict_of(s, ends[title], ends[other], change.ports.protocol, port) for s in snapshots]
                        assert pair == [change.before, change.after], (title, other, change.ports)
        for (title, source), (other, destination) in itertools.permutations(ends.items(), 2):
            if isinstance(source, str) and isinstance(destination, str):
                continue
            for protocol, port in itertools.product(PROTOCOLS, (53, 80, 8080, 40000)):
                pair = [verdict_of(snapshot, source, destination, protocol, port) for snapshot in snapshots]
                found = [
                    [change.before, change.after]
                    for change in reported.get((title, other, protocol), ())
                    if change.ports.other or change.ports.first <= port <= change.ports.last
                ]
                assert pair[0] is pair[1] or pair in found, (title, other, protocol, port)

    law()
