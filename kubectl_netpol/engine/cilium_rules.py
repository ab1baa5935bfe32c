"""One rule of Cilium's, or of a NetworkPolicy as Cilium takes it, against one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.cilium_ends import Cluster, Labels, View, is_own_node, selected
from kubectl_netpol.engine.cilium_text import end_text, items_text, label_misses, names_pod, peer_text, port_miss
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.conditions import Held
from kubectl_netpol.engine.layers import labels_unknown
from kubectl_netpol.engine.verdict import Miss, Note, RulePart
from kubectl_netpol.model.addresses import MANY, Blocks
from kubectl_netpol.model.cilium import CiliumPort, CiliumRule, Endpoints, Entity, NodesWith, NotEvaluated
from kubectl_netpol.model.policies import Direction, IPBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.engine.conditions import Seen
    from kubectl_netpol.model.cilium import CiliumPeer
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class CiliumCondition:
    """A rule in one view. `where`: as it is named in a reason. Cilium never looks at a pod's address.

    Equal to itself alone: a matrix looks up thousands of answers by it.
    """

    __slots__ = ("_blocks", "cluster", "rule", "view", "where")

    def __init__(self, cluster: Cluster, rule: CiliumRule, view: View, where: str) -> None:
        self.cluster = cluster
        self.rule = rule
        self.view = view
        self.where = where
        blocks = [(peer.cidr, index) for index, peer in enumerate(rule.peers or ()) if isinstance(peer, IPBlock)]
        self._blocks = Blocks(blocks) if len(blocks) > MANY else None

    @property
    def by_address(self) -> bool:
        return False

    def about(self, direction: Direction, subject: Pod, protocol: str, number: int) -> object:
        """What of a subject it depends on: equal values are the same answer for each peer."""
        ingress = direction is Direction.INGRESS
        named = ingress and any(port.name for item in self.rule.items or () for port in item.ports)
        node = subject.node if self.cluster.has_host_network else None
        return protocol, number if ingress else 0, subject.ports if named else (), node, subject.host_network

    def holds(self, snapshot: Snapshot, seen: Seen) -> bool | Note | Held:  # noqa: ARG002 - the cluster has it
        content = self._port(seen)
        if content is None:
            return False
        matched = self._matched(seen)
        if content and not isinstance(matched, Note) and matched:
            message = f"{self.where} leaves it to a proxy, by {content}: that depends on the request"
            return Note(Code.CONTENT_DECIDES, message)
        return matched

    def text(self) -> str:
        if self._matches_nothing:
            return "nobody"
        return " or ".join(map(peer_text, self.rule.peers)) if self.rule.peers is not None else "everyone"

    def peers(self) -> tuple[CiliumCondition, ...]:
        if self._matches_nothing:
            return (self,)
        if self.rule.peers in (None, (Entity.ALL,)):
            return ()
        rules = (self.rule._replace(peers=(peer,), items=None, icmps=False) for peer in self.rule.peers or ())
        return tuple(CiliumCondition(self.cluster, rule, self.view, self.where) for rule in rules)

    @property
    def _matches_nothing(self) -> bool:
        """Without peers and ports, or with an empty list of peers."""
        rule = self.rule
        return rule.peers == () or (rule.peers is None and rule.items is None and not rule.icmps)

    @property
    def by_labels(self) -> bool:
        """Whether all that it is about has labels: pods."""
        return all(isinstance(peer, Endpoints) for peer in self.rule.peers or (None,))

    def ports_text(self) -> str:
        if self.rule.icmps:
            return "ICMP"
        return items_text(self.rule.items) if self.rule.items else "all ports"

    def misses(self, snapshot: Snapshot, seen: Seen) -> tuple[Miss, ...]:  # noqa: ARG002 - the same
        if self._matches_nothing:
            what = "neither peers nor ports" if self.rule.peers is None else "an empty list of peers"
            return (Miss(RulePart.CONDITION, f"has {what}, so it matches nothing", ""),)
        found = [] if self._port(seen) is not None else [port_miss(self.rule, seen.protocol, seen.port)]
        if self.rule.peers is None or self._matched(seen):
            return tuple(found)
        pod = None if seen.pod is None or seen.pod.host_network else seen.pod
        peers = self.rule.peers
        if len(peers) == 1 and isinstance(peers[0], Endpoints) and pod:
            labels = self.cluster.of_pod(pod, old=self.view.old)
            return (*found, *label_misses(peers[0].selector, labels, pod))
        return (*found, Miss(RulePart.CONDITION, self.text(), end_text(peers, seen)))

    def names(self, seen: Seen) -> bool:
        peers = self.rule.peers or ()
        if len(peers) != 1 or not isinstance(peers[0], Endpoints) or seen.pod is None:
            return False
        return names_pod(peers[0].selector, self.cluster.of_pod(seen.pod, old=self.view.old))

    def _port(self, seen: Seen) -> str | None:
        """None where no port matches; else by what the proxy decides where all that match have content, or ""."""
        if self.rule.icmps:
            return None
        if self.rule.items is None:
            return "" if self.rule.peers is not None else None
        found = [item.content for item in self.rule.items if any(self._covers(port, seen) for port in item.ports)]
        return None if not found else "" if "" in found else found[0]

    def _covers(self, port: CiliumPort, seen: Seen) -> bool:
        if port.protocol not in (None, seen.protocol):
            return False
        if not port.name:
            return port.first <= seen.port <= port.last
        if seen.direction is Direction.INGRESS:
            return not seen.subject.host_network and any(
                own.number == seen.port and own.protocol == seen.protocol and (own.name or "").lower() == port.name
                for own in seen.subject.ports
            )
        if self.view.old:
            return self.cluster.old_names.get((seen.protocol, port.name)) == {seen.port}
        if seen.pod is None or seen.pod.host_network:
            return False
        labels = frozenset(self.cluster.of_pod(seen.pod, old=False).found.items())
        return self.cluster.new_names.get((labels, seen.protocol, port.name)) == {seen.port}

    def _matched(self, seen: Seen) -> bool | Note | Held:
        """Held for a NetworkPolicy, whose peers have positions that everybody knows."""
        if self.rule.peers is None:
            return True
        unknown: bool | Note = False
        peers: Iterable[tuple[int, CiliumPeer]] = enumerate(self.rule.peers)
        if self._blocks and seen.address:
            holding = self._blocks.holding(seen.address)
            peers = [(index, peer) for index, peer in peers if index in holding or type(peer) is not IPBlock]
        for index, peer in peers:
            matched = self._peer(peer, seen)
            if matched is True:
                return Held(index) if self.rule.numbered else True
            unknown = matched or unknown
        return unknown

    def _peer(self, peer: CiliumPeer, seen: Seen) -> bool | Note:
        is_node = seen.node is not None or (seen.pod is not None and seen.pod.host_network)
        outside = not is_node and seen.pod is None
        if isinstance(peer, IPBlock):
            return outside and self._in_block(peer, seen)
        if isinstance(peer, NotEvaluated):
            return self._not_evaluated(peer) if outside or not peer.outside else False
        if isinstance(peer, NodesWith):
            return is_node and self._node_matches(seen)
        if not is_node:
            return self._matches(peer, seen, local=False)
        local = is_own_node(seen.subject, seen.pod, seen.node)
        if local is not None:
            return self._matches(peer, seen, local=local)
        answers = [self._matches(peer, seen, local=either) for either in (True, False)]
        if answers[0] == answers[1]:
            return answers[0]
        return Note(Code.OWN_NODE, f"{self.where} is about a pod's own node, and which node that is, is unknown")

    def _matches(self, peer: Endpoints | Entity, seen: Seen, *, local: bool) -> bool | Note:
        """`local`: the other end is a node, the subject's own."""
        is_pod = seen.pod is not None and not seen.pod.host_network
        outside = seen.pod is None and seen.node is None
        known = not is_pod and self.cluster.is_api_server(seen.node, seen.pod, seen.address)
        api = known or (self.view.api_server and not is_pod)
        if isinstance(peer, Entity):
            return {
                Entity.ALL: True,
                Entity.WORLD: outside,
                Entity.CLUSTER: not outside or known,
                Entity.HOST: local,
                Entity.REMOTE_NODE: not is_pod and not outside and not local,
                Entity.KUBE_APISERVER: api,
            }.get(peer, False)
        if seen.pod is not None and is_pod:
            labels = self.cluster.of_pod(seen.pod, old=self.view.old)
        elif not self.view.old and not peer.any_cluster:
            return False
        elif outside:
            labels = self.cluster.of_outside(seen.address, api_server=api)
        else:
            labels = self.cluster.of_node(local=local, api_server=api)
        matched = selected(peer.selector, labels)
        return self._unknown_labels(seen, labels) if matched is None else matched

    def _unknown_labels(self, seen: Seen, labels: Labels) -> Note:
        if labels.complete or seen.pod is None:
            return Note(Code.PLUGIN_SETTING, f"{self.where} names a cluster, and the name of this one is not known")
        return labels_unknown(self.cluster.snapshot, seen.pod.namespace)

    def _in_block(self, block: IPBlock, seen: Seen) -> bool | Note:
        if seen.address is None:
            return Note(Code.HOST_NAME, "a CIDR decides, and the address of the host name is unknown")
        return block.contains(seen.address)

    def _not_evaluated(self, peer: NotEvaluated) -> Note:
        if peer.domain_names:
            message = f"a rule about {peer.what} decides, and which addresses that is, is unknown"
            return Note(Code.DOMAIN_NAME, message)
        return Note(Code.RULE_NOT_EVALUATED, f"{self.where} has {peer.what}, which is not evaluated")

    def _node_matches(self, seen: Seen) -> bool | Note:
        """Other nodes than the subject's own. By their labels, and which of those count is one more setting."""
        if is_own_node(seen.subject, seen.pod, seen.node) is True:
            return False
        return Note(Code.PLUGIN_SETTING, f"{self.where} selects nodes")


class Handshake:
    """A rule with authentication: what it matches passes only with a handshake, which other rules do not replace."""

    __slots__ = ("condition",)

    def __init__(self, condition: CiliumCondition) -> None:
        self.condition = condition

    @property
    def by_address(self) -> bool:
        return self.condition.by_address

    def holds(self, snapshot: Snapshot, seen: Seen) -> bool | Note:
        if not self.condition.holds(snapshot, seen):
            return False
        message = f"{self.condition.where} requires authentication, and whether that succeeds is not known"
        return Note(Code.AUTHENTICATION_DECIDES, message)

    def text(self) -> str:
        return self.condition.text()

    def about(self, direction: Direction, subject: Pod, protocol: str, number: int) -> object:
        return self.condition.about(direction, subject, protocol, number)

    def peers(self) -> tuple[CiliumCondition, ...]:
        return self.condition.peers()

    def ports_text(self) -> str:
        return f"{self.condition.ports_text()} (with authentication)"

    def misses(self, snapshot: Snapshot, seen: Seen) -> tuple[Miss, ...]:
        return self.condition.misses(snapshot, seen)

    def names(self, seen: Seen) -> bool:
        return self.condition.names(seen)
