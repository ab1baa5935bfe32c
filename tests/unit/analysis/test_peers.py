"""The pods that peers match: the same as asking the engine about each pod, address by address."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from kubectl_netpol.analysis.peers import PeerPods, index_of
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.model.snapshot import Gap
from tests.support.tables import checks, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

EGRESS = Direction.EGRESS
CLUSTER = yaml.safe_load("""
namespaces: {a: {team: x}, b: {team: y}}
pods:
  a/web: {labels: {app: web, tier: front}, ip: 10.0.0.1, ports: http=80}
  b/web: {labels: {app: web}, ip: 10.0.1.1}
  a/web-2: {labels: {app: web}, ip: 10.0.0.2}
  a/db: {labels: {app: db}, ip: 10.0.0.3}
  a/lone: {ip: fd00::3}
  a/host: {labels: {app: web}, ip: 192.0.2.1, host_network: true}
  a/done: {labels: {app: web}, ip: 10.0.0.4, phase: Succeeded}
  c/far: {labels: {app: web}, ip: 10.0.2.1}
policies:
  a/some: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {tier: front}}}]}]}
""")
POLICY = Policy("a", "p", LabelSelector.of({"app": "web"}), (EGRESS,))


@cache
def clusters() -> list[Snapshot]:
    """Those of all tables."""
    found = {id(check.cluster): check.cluster for check in checks()}
    return [snapshot_of(cluster) for cluster in found.values()]


def naively(snapshot: Snapshot, policy: Policy, peer: Peer, subject: Pod | None) -> tuple[list[str], str | None]:
    """The keys of the pods that the peer matches, each asked for, and why there may be more."""
    found, unknown = [], None
    for pod in snapshot.pods:
        if pod.host_network or pod.finished:
            continue
        addresses = (pod.ips or ((None,) if pod.planned else ())) if peer.blocks else (None,)
        answers = [peer_matches(snapshot, policy, peer, pod, ip, subject=subject) for ip in addresses]
        if True in answers:
            found.append(pod.key)
        unknown = next((answer.message for answer in answers if isinstance(answer, Note)), unknown)
    gap = snapshot.gap("pods", policy.namespace if peer.namespace_selector is None else None)
    return sorted(found), gap.message if gap and peer.selects_pods else unknown


def test_in_every_table_a_peer_matches_the_pods_of_which_the_engine_says_so() -> None:
    asked = 0
    for snapshot in clusters():
        for policy in snapshot.evaluated:
            for rule in (rule for rule in policy.rules if rule.peers):
                for subject in (None, *snapshot.pods[:2]):
                    for match in index_of(snapshot).rule_peers(policy, rule, subject).peers:
                        assert match.peer
                        expected, unknown = naively(snapshot, policy, match.peer, subject)
                        assert sorted(pod.key for pod in match.pods) == expected
                        assert bool(match.unknown) is bool(unknown)
                        asked += 1
    assert asked > 500


def test_in_every_table_a_policy_selects_the_pods_of_which_it_says_so() -> None:
    for snapshot in clusters():
        for policy in snapshot.policies:
            expected = [pod for pod in snapshot.pods_in(policy.namespace) if policy.selects(pod)]
            assert index_of(snapshot).selected(policy) == tuple(expected)


def of_peer(peer: Peer, cluster: dict[str, object] | None = None, *gaps: Gap) -> PeerPods:
    snapshot = snapshot_of({**CLUSTER, **(cluster or {})})
    snapshot.gaps = gaps
    (found,) = index_of(snapshot).rule_peers(POLICY, Rule(EGRESS, 0, (peer,)), None).peers
    return found


TEAM = LabelSelector.of({"team": "x"})
WEB = LabelSelector.of({"app": "web"})


@pytest.mark.parametrize(
    ("peer", "keys"),
    [
        pytest.param(Peer(pod_selector=WEB), "a/web a/web-2", id="a label in the policy's own namespace"),
        pytest.param(
            Peer(LabelSelector(), WEB), "a/web a/web-2 b/web c/far", id="namespace by namespace, as they were read"
        ),
        pytest.param(Peer(TEAM, WEB), "a/web a/web-2", id="a label of the namespace"),
        pytest.param(Peer(TEAM), "a/web a/web-2 a/db a/lone", id="all pods of a namespace, but for nodes"),
        pytest.param(Peer(pod_selector=LabelSelector.of({"app": "none"})), "", id="a value that no pod has"),
        pytest.param(
            Peer(pod_selector=LabelSelector.of({"odd": "x"})), "", id="a key that no selector of a policy has"
        ),
        pytest.param(
            Peer(pod_selector=LabelSelector((Requirement("app", Operator.IN, ("db", "web")),))),
            "a/web a/web-2 a/db",
            id="one of several values, in the order that the pods were read",
        ),
        pytest.param(
            Peer(pod_selector=LabelSelector((Requirement("app", Operator.NOT_IN, ("web",)),))),
            "a/db a/lone",
            id="not a value",
        ),
        pytest.param(
            Peer(ip_block=IPBlock("10.0.0.0/23", ("10.0.0.2/32",))), "a/web b/web a/db", id="a block with an exception"
        ),
        pytest.param(Peer(ip_block=IPBlock("fd00::/8")), "a/lone", id="a block of the other family"),
        pytest.param(Peer(ip_block=IPBlock("192.0.2.0/24")), "", id="a block with a node only"),
        pytest.param(
            Peer(networks=(IPBlock("10.0.0.0/24", ("10.0.0.1/32",)), IPBlock("10.0.0.0/31"))),
            "a/web a/web-2 a/db",
            id="two networks, one with what the other leaves out",
        ),
    ],
)
def test_the_pods_that_a_peer_matches(peer: Peer, keys: str) -> None:
    found = of_peer(peer)
    assert " ".join(pod.key for pod in found.pods) == keys
    assert (found.position, found.peer, found.unknown) == (0, peer, None)


PLANNED = {
    "pods": {
        "a/one": {"planned": True},
        "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.1"},
        "a/two": {"planned": True},
        "a/idle": {"phase": "Pending"},
    }
}


@pytest.mark.parametrize(
    ("peer", "cluster", "keys", "message"),
    [
        pytest.param(
            Peer(ip_block=IPBlock("10.0.0.0/8")),
            PLANNED,
            "a/web",
            "an ipBlock decides, and the address of a/two is unknown",
            id="where a planned pod will be",
        ),
        pytest.param(
            Peer(LabelSelector.of({"team": "z"}), WEB),
            {"namespaces": {"a": {}}, "unread": ["b", "c"]},
            "",
            "the labels of namespace c are unknown",
            id="the labels of namespaces that were not read, the last one named",
        ),
        pytest.param(
            Peer(unreadable="why"),
            {},
            "",
            "p has a peer that can't be evaluated: why",
            id="a peer of which it is not known what it is",
        ),
        pytest.param(Peer(domain_names=("x.example",)), {}, "", None, id="a name outside the cluster is no pod's"),
        pytest.param(
            Peer(domain_names=("x.shop.svc.cluster.local",)),
            {},
            "",
            "a rule about x.shop.svc.cluster.local decides, and which addresses that is, is unknown",
            id="a name inside the cluster",
        ),
        pytest.param(Peer(node_selector=LabelSelector()), {}, "", None, id="nodes are no pods"),
    ],
)
def test_why_there_may_be_more_pods(peer: Peer, cluster: dict[str, object], keys: str, message: str | None) -> None:
    found = of_peer(peer, cluster)
    assert " ".join(pod.key for pod in found.pods) == keys
    assert (found.unknown and found.unknown.message) == message


def test_pods_that_were_not_read_may_be_more() -> None:
    gap = Gap("pods", "a", "you may not list pods in a")
    found = of_peer(Peer(pod_selector=WEB), None, gap)
    assert found.unknown
    assert found.unknown.message == gap.message
    assert of_peer(Peer(ip_block=IPBlock("10.0.0.0/8")), None, gap).unknown is None


def test_a_rule_without_peers_has_one_for_everyone() -> None:
    index = index_of(snapshot_of(CLUSTER))
    assert index.rule_peers(POLICY, Rule(EGRESS, 0), None).peers == (PeerPods(None, None, ()),)


def test_pods_with_the_labels_of_the_subjects_namespace_are_in_the_order_that_they_were_read() -> None:
    namespaces = {name: {"team": "x"} for name in "abc"}
    snapshot = snapshot_of({**CLUSTER, "namespaces": namespaces})
    rule = Rule(EGRESS, 0, (Peer(same_labels=("team",)),))
    subject = snapshot.pod("c", "far")
    (found,) = index_of(snapshot).rule_peers(POLICY, rule, subject).peers
    assert [pod.key for pod in found.pods] == ["a/web", "b/web", "a/web-2", "a/db", "a/lone", "c/far"]
    (unsure,) = index_of(snapshot).rule_peers(POLICY, rule, None).peers
    assert unsure.unknown
    assert "labels of namespace c are unknown" in unsure.unknown.message


def test_a_rule_is_asked_once_for_all_that_see_the_same() -> None:
    snapshot = snapshot_of(CLUSTER)
    index, rule = index_of(snapshot), Rule(EGRESS, 0, (Peer(LabelSelector(), WEB),))
    first, second, *_ = snapshot.pods
    assert index.rule_peers(POLICY, rule, first) is index.rule_peers(POLICY, rule, second)
    assert index.rule_peers(POLICY, rule, first).peers[0].pods is index.rule_peers(POLICY, rule, None).peers[0].pods
    assert index_of(snapshot) is index
