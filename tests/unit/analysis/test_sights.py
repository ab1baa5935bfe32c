"""Which ends look alike to the policies of both, before and after a change."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.analysis.groups import outside_groups, pod_groups
from kubectl_netpol.analysis.sights import Sights
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule, blocks_of
from kubectl_netpol.model.selectors import LabelSelector
from tests.support.tables import snapshot_of

CLUSTER = """
namespaces: {a: {team: x}, b: {team: y}}
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1}
  a/db: {labels: {app: db}, ip: 10.0.0.2, ports: http=80}
  a/api: {labels: {app: api}, ip: 10.0.1.3}
  a/six: {labels: {app: six}, ip: "fd00::4"}
  a/unborn: {labels: {app: unborn}, planned: true}
  b/web: {labels: {app: web}, ip: 10.0.0.5}
"""
SAME = "a/api=a/db=a/web=b/web a/six"


@pytest.mark.parametrize(
    ("policy", "direction", "classes"),
    [
        pytest.param("{}", "ingress", f"{SAME} a/unborn", id="no rule: the address family and nothing else"),
        pytest.param("{ingress: [{}]}", "ingress", f"{SAME} a/unborn", id="a rule for everyone"),
        pytest.param(
            "{ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
            "ingress",
            "a/api=a/db=b/web a/web a/six a/unborn",
            id="pods of its own namespace by a label",
        ),
        pytest.param(
            "{ingress: [{from: [{namespaceSelector: {matchLabels: {team: y}}}]}]}",
            "ingress",
            "a/api=a/db=a/web b/web a/six a/unborn",
            id="pods of a namespace by its label",
        ),
        pytest.param(
            "{ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}]}",
            "ingress",
            "a/api=a/db a/web=b/web a/six a/unborn",
            id="pods of every namespace",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.5/32]}}]}]}",
            "ingress",
            "a/api=b/web a/db=a/web a/six a/unborn",
            id="addresses, and one without is seen by itself",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 'fd00::/64'}}, {podSelector: {matchLabels: {app: api}}}]}]}",
            "ingress",
            "a/db=a/web=b/web a/api a/six a/unborn",
            id="either of two peers",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {app: web}}}]}]}",
            "ingress",
            "a/api=a/db=b/web a/web a/six a/unborn",
            id="a rule for everyone beside another",
        ),
        pytest.param(
            "{policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
            "egress",
            "a/api=a/web=b/web a/db a/six a/unborn",
            id="the ports that a destination declares",
        ),
    ],
)
def test_which_ends_look_alike(policy: str, direction: str, classes: str) -> None:
    """A pod `subject` has the policy after the change and none before."""
    cluster = yaml.safe_load(CLUSTER)
    cluster["pods"]["a/subject"] = {"labels": {"app": "subject"}, "ip": "10.9.9.9"}
    before = snapshot_of(cluster)
    spec = {"podSelector": {"matchLabels": {"app": "subject"}}, **yaml.safe_load(policy)}
    after = snapshot_of({**cluster, "policies": {"a/new": spec}})
    blocks = blocks_of(after.policies)
    pods = pod_groups(after, after.policies, blocks)
    groups = [*pods, *outside_groups(after, blocks, len(pods))]
    sights = Sights(before, after, after.policies, groups)
    subject = next(group for group in pods if group.pod and group.pod.name == "subject")
    found: dict[object, list[str]] = {}
    for group, key in zip(groups, sights.keys(subject, Direction[direction.upper()]), strict=True):
        if group.pod and group is not subject:
            found.setdefault(key, []).extend(member.title for member in group.members)
    assert {"=".join(sorted(names)) for names in found.values()} == set(classes.split())


@pytest.mark.parametrize(
    ("peer", "classes"),
    [
        pytest.param(Peer(unreadable="odd"), f"{SAME} a/unborn", id="one that can't be read may match any"),
        pytest.param(Peer(node_selector=LabelSelector()), f"{SAME} a/unborn", id="nodes: no pod"),
        pytest.param(
            Peer(same_labels=("team",)), "a/api=a/db=a/web b/web a/six a/unborn", id="namespaces like its own"
        ),
    ],
)
def test_peers_that_no_index_finds(peer: Peer, classes: str) -> None:
    before = snapshot_of(yaml.safe_load(CLUSTER))
    rule = Rule(Direction.INGRESS, 0, (peer,))
    new = Policy("a", "new", LabelSelector(), (Direction.INGRESS,), (rule,))
    after = before.with_policies([new])
    groups = pod_groups(after, [new], ())
    subject = next(group for group in groups if group.pod and group.pod.key == "a/web")
    found: dict[object, list[str]] = {}
    for group, key in zip(groups, Sights(before, after, [new], groups).keys(subject, Direction.INGRESS), strict=True):
        found.setdefault(key[:2], []).extend(member.title for member in group.members)
    assert {"=".join(sorted(names)) for names in found.values()} == set(classes.split())


def test_where_the_other_ends_policies_differ_they_do_not_look_alike() -> None:
    cluster = yaml.safe_load(CLUSTER)
    policies = {"a/db": {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Egress"]}}
    after = snapshot_of({**cluster, "policies": policies})
    groups = pod_groups(after, after.policies, ())
    sights = Sights(snapshot_of(cluster), after, after.policies, groups)
    key = dict(
        zip((group.members[0].title for group in groups), sights.keys(groups[0], Direction.INGRESS), strict=True)
    )
    assert key["a/api"] == key["b/web"]
    assert key["a/db"] != key["a/api"]
