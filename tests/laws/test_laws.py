"""Laws that hold in every cluster, and agreement with the naive evaluator.

Deterministic by default; NETPOL_LAWS=N runs N examples of each law, other ones each time.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, End, Verdict
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import kind_of
from kubectl_netpol.model.snapshot import Snapshot
from tests.support import naive
from tests.support.clusters import (
    ADDRESSES,
    ADMIN_KINDS,
    CLUSTER_KINDS,
    NAMESPACES,
    PROTOCOLS,
    TIERS,
    clusters,
    made,
    policy,
    read,
    rules,
    selectors,
    tier_policies,
)
from tests.support.lawful import lawful

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from tests.support.clusters import Feature

Object = dict[str, Any]
NO_OTHER_POLICIES: dict[Feature, str] = {"other policies": "which may decide instead of a rule"}
NAIVE: dict[Feature, str] = {
    "IPv4 in IPv6": "the naive evaluator takes addresses as they are spelled",
    "other policies": "it has NetworkPolicies only",
    "unread namespaces": "it knows all labels",
}


class Question(NamedTuple):
    """A connection in a cluster: each end is the number of a pod, the name of a node, or an address."""

    objects: list[Object]
    source: int | str
    destination: int | str
    port: int
    protocol: str

    def end(self, which: int | str) -> Any:
        if isinstance(which, int):
            return self.pods[which]
        nodes = [item for item in self.objects if item["kind"] == "Node" and item["metadata"]["name"] == which]
        return nodes[0] if nodes else which

    @property
    def pods(self) -> list[Object]:
        return [item for item in self.objects if item["kind"] == "Pod"]


@st.composite
def questions(draw: st.DrawFn, *, on_hosts: bool = True, without: Mapping[Feature, str] | None = None) -> Question:
    """Not `on_hosts`: neither end is a host-network pod, though the cluster may have some."""
    objects = draw(clusters(without=without))
    pods = [item for item in objects if item["kind"] == "Pod"]
    numbers = [number for number, pod in enumerate(pods) if on_hosts or not pod["spec"]["hostNetwork"]]
    assume(len(numbers) > 1)
    source, destination = draw(st.permutations(numbers))[:2]
    other: int | str = source
    if draw(st.integers(0, 4)) == 0:
        nodes = [item["metadata"]["name"] for item in objects if item["kind"] == "Node"]
        other = draw(st.sampled_from((*ADDRESSES, *nodes, *nodes)))
    one, two = (other, destination) if draw(st.booleans()) else (destination, other)
    return Question(objects, one, two, draw(st.sampled_from((80, 8080, 53, 81))), draw(st.sampled_from(PROTOCOLS)))


def everything(snapshot: Snapshot) -> object:
    """All that was read; without the pods of templates and the replicas told apart, which only files have."""
    fields = {name: getattr(snapshot, name) for name in Snapshot.__slots__ if not name.startswith("_")}
    workloads = [workload._replace(replicas=()) for workload in snapshot.workloads]
    return {
        **fields,
        "pods": [pod for pod in snapshot.pods if not snapshot.is_template(pod)],
        "workloads": workloads,
    }


def end_in(snapshot: Snapshot, asked: Question, which: int | str) -> End:
    if isinstance(which, str):
        node = snapshot.node(which)
        return End(node=node, address=node.addresses[0]) if node else End(address=which)
    metadata = asked.pods[which]["metadata"]
    pod = snapshot.pod(metadata["namespace"], metadata["name"])
    assert pod
    return End(pod=pod, address=next(iter(pod.ips), None))


def verdict(asked: Question, snapshot: Snapshot | None = None) -> ConnectionVerdict:
    snapshot = snapshot or read(asked.objects)
    ends = [end_in(snapshot, asked, which) for which in (asked.source, asked.destination)]
    return evaluate(snapshot, Connection(ends[0], ends[1], asked.protocol, asked.port))


def answers(asked: Question) -> tuple[str, str]:
    found = verdict(asked)
    return found.egress.verdict.value, found.ingress.verdict.value


def may_be_its_own_node(asked: Question) -> bool:
    """Whether the destination is the source's node, or a node and it is not known which the pod is on."""
    ends = [asked.end(which) for which in (asked.source, asked.destination)]
    node = next((end for end in ends if isinstance(end, dict) and end["kind"] == "Node"), None)
    if node is None:
        return False
    (own,) = (end["spec"]["nodeName"] for end in ends if end is not node)
    return own is None or (own == node["metadata"]["name"] and node is ends[1])


@lawful(400)
@given(questions(on_hosts=False, without=NAIVE))
def test_a_naive_evaluator_says_the_same(asked: Question) -> None:
    assume(not may_be_its_own_node(asked))
    wanted = naive.connection(
        asked.objects, asked.end(asked.source), asked.end(asked.destination), asked.port, asked.protocol
    )
    assert answers(asked) == tuple("undefined" if answer == "unknown" else answer for answer in wanted)


@lawful(200)
@given(questions())
def test_a_connection_is_what_its_ends_say(asked: Question) -> None:
    found = verdict(asked)
    ends = [asked.end(which) for which in (asked.source, asked.destination)]
    if not all(naive.can_connect(end) for end in ends if naive.is_pod(end)):
        assert found.verdict is Verdict.UNDEFINED
        return
    sides = {found.egress.verdict, found.ingress.verdict}
    worst = next(answer for answer in (Verdict.BLOCKED, Verdict.UNDEFINED, Verdict.ALLOWED) if answer in sides)
    assert found.verdict is worst
    assert (found.reason is None) is (worst is Verdict.ALLOWED)


@lawful(200)
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_policies_rules_peers_and_ports_never_matters(asked: Question, chance: random.Random) -> None:
    """The rules of a tier's policies excepted, which are asked from the top."""
    mixed = copy.deepcopy(asked.objects)
    for item in mixed:
        for field in ("ingress", "egress"):
            listed = item.get("spec", {}).get(field) or []
            if item["kind"] == "NetworkPolicy":
                chance.shuffle(listed)
            for rule in listed:
                for inner in ("from", "to", "ports", "protocols"):
                    chance.shuffle(rule.get(inner) or [])
    policies = [item for item in mixed if item["kind"].endswith("NetworkPolicy")]
    chance.shuffle(policies)
    rest = [item for item in mixed if not item["kind"].endswith("NetworkPolicy")]
    assert answers(asked._replace(objects=rest + policies)) == answers(asked)


@lawful(200)
@given(questions(), selectors, rules("from"), rules("to"), st.sampled_from(NAMESPACES))
def test_adding_rules_to_pods_isolated_already_never_blocks(
    asked: Question, selector: Object, ingress: Any, egress: Any, namespace: str
) -> None:
    """The deny-all policies keep the new one from isolating anybody."""
    shut = [policy(name, "deny-all", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}) for name in NAMESPACES]
    before = asked._replace(objects=asked.objects + shut)
    more = policy(namespace, "more", {"podSelector": selector, "ingress": ingress, "egress": egress})
    after = before._replace(objects=[*before.objects, more])
    rank = {"blocked": 0, "undefined": 1, "allowed": 2}
    assert all(rank[one] <= rank[two] for one, two in zip(answers(before), answers(after), strict=True))


@lawful(200)
@given(questions(), selectors, st.sampled_from(NAMESPACES))
def test_a_policy_that_selects_neither_end_changes_nothing(asked: Question, selector: Object, namespace: str) -> None:
    for which in (asked.source, asked.destination):
        pod = asked.end(which)
        same = naive.is_pod(pod) and pod["metadata"]["namespace"] == namespace
        if same and naive.selector_matches(selector, naive.labels_of(pod)):
            return
    more = policy(namespace, "elsewhere", {"podSelector": selector, "policyTypes": ["Ingress", "Egress"]})
    assert verdict(asked._replace(objects=[*asked.objects, more]))[1:] == verdict(asked)[1:]


@lawful(200)
@given(questions())
def test_a_policy_of_one_direction_leaves_the_other_alone(asked: Question) -> None:
    shut = [policy(name, "shut", {"podSelector": {}, "policyTypes": ["Ingress"]}) for name in NAMESPACES]
    assert answers(asked._replace(objects=asked.objects + shut))[0] == answers(asked)[0]


@lawful(200)
@given(questions())
def test_yaml_and_json_of_the_same_objects_are_the_same_cluster(asked: Question) -> None:
    by_yaml = Reader(plugin="")
    by_yaml.add_text(yaml.safe_dump_all(asked.objects), "law")
    one, two = by_yaml.snapshot(), read(asked.objects)
    assert everything(one) == everything(two)


@lawful(200)
@given(questions())
def test_files_or_a_live_list_of_the_same_objects_are_the_same_cluster(asked: Question) -> None:
    live = Reader(live=True)
    for item in asked.objects:
        kind = kind_of(item["kind"], item["apiVersion"])
        assert kind
        live.add_items(kind.name, [{key: item[key] for key in item if key not in ("kind", "apiVersion")}])
    one, two = live.snapshot(), read(asked.objects)
    assert everything(one) == everything(two)


@lawful(200)
@given(questions())
def test_names_don_t_matter(asked: Question) -> None:
    """Namespaces, pods and policies under other names, the name label with them: every answer stays."""
    renamed = {name: f"{name}-renamed" for name in NAMESPACES}

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        found = {key: walk(entry) for key, entry in value.items()}
        if found.get("key") == "kubernetes.io/metadata.name" and "values" in found:
            found["values"] = [renamed.get(name, name) for name in found["values"]]
        if (name := found.get("kubernetes.io/metadata.name")) is not None:
            found["kubernetes.io/metadata.name"] = renamed.get(name, name)
        return found

    objects = walk(asked.objects)
    for item in objects:
        metadata = item["metadata"]
        if item["kind"] == "Namespace":
            metadata["name"] = renamed[metadata["name"]]
        elif "namespace" in metadata:
            metadata["namespace"] = renamed[metadata["namespace"]]
            metadata["name"] = f"other-{metadata['name']}"
    assert answers(asked._replace(objects=objects)) == answers(asked)


@lawful(200)
@given(questions(on_hosts=False, without=NO_OTHER_POLICIES))
def test_every_rule_named_allows_by_itself(asked: Question) -> None:
    """Provenance: the cluster with only that rule left in its policy, and no other policy, still allows.

    Not on the host network, where a rule may allow by one reading only and another rule by the other.
    """
    snapshot = read(asked.objects)
    found = verdict(asked, snapshot)
    for side in (found.egress, found.ingress):
        for allow in side.allowed_by:
            alone = snapshot.with_policies([allow.policy._replace(rules=(allow.rule,))])
            again = verdict(asked, alone)
            assert (again.egress if side is found.egress else again.ingress).verdict is Verdict.ALLOWED


@lawful(200)
@given(questions())
def test_near_misses_are_the_rules_that_don_t_allow(asked: Question) -> None:
    found = verdict(asked)
    for side in (found.egress, found.ingress):
        missed = {(near.policy.key, near.rule.position) for near in side.near_misses}
        if side.verdict is Verdict.BLOCKED:
            assert all(near.misses for near in side.near_misses)
            if not side.tiered_by:
                assert missed == {(p.key, r.position) for p in side.isolated_by for r in p.rules_of(side.direction)}
        elif side.verdict is Verdict.ALLOWED:
            assert not missed


@lawful(200)
@given(questions())
def test_a_verdict_is_the_same_without_near_misses(asked: Question) -> None:
    found = verdict(asked)
    sides = [side._replace(near_misses=()) for side in (found.egress, found.ingress)]
    snapshot = read(asked.objects)
    assert evaluate(snapshot, verdict(asked, snapshot).connection, near=False) == found._replace(
        egress=sides[0], ingress=sides[1]
    )


# Laws of the Admin and Baseline tiers.

EVERYTHING: dict[str, Object] = {
    "ingress": {"from": [{"namespaces": {}}]},
    "egress": {"to": [{"namespaces": {}}, {"networks": ["0.0.0.0/0", "::/0"]}]},
}
RANK = {"blocked": 0, "undefined": 1, "allowed": 2}


def tier_policy(name: str, action: str, tier: str = "Admin", **spec: Any) -> Object:
    """A ClusterNetworkPolicy whose first rule of both directions matches everything that a rule can."""
    rules = {direction: [{"action": action, **peers}] for direction, peers in EVERYTHING.items()}
    spec = {"tier": tier, "priority": 0, "subject": {"namespaces": {}}, **rules, **spec}
    return made("policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy", name, spec=spec)


def with_(asked: Question, *more: Object) -> Question:
    return asked._replace(objects=[*asked.objects, *more])


@lawful(200)
@given(questions(), st.data())
def test_an_admin_accept_can_only_open(asked: Question, data: st.DataObject) -> None:
    more = data.draw(tier_policies(data.draw(st.sampled_from(CLUSTER_KINDS)), "more"))
    more["spec"]["tier"] = "Admin"
    for direction in ("ingress", "egress"):
        for rule in more["spec"].get(direction, ()):
            rule["action"] = "Accept"
    before, after = answers(asked), answers(with_(asked, more))
    assert all(RANK[one] <= RANK[two] for one, two in zip(before, after, strict=True))


@lawful(200)
@given(questions(), st.data())
def test_an_admin_deny_can_only_shut(asked: Question, data: st.DataObject) -> None:
    more = data.draw(tier_policies(data.draw(st.sampled_from(CLUSTER_KINDS)), "more"))
    more["spec"]["tier"] = "Admin"
    for direction in ("ingress", "egress"):
        for rule in more["spec"].get(direction, ()):
            rule["action"] = "Deny"
    before, after = answers(asked), answers(with_(asked, more))
    assert all(RANK[one] >= RANK[two] for one, two in zip(before, after, strict=True))


@lawful(200)
@given(questions(on_hosts=False), st.sampled_from(TIERS))
def test_a_pass_before_all_others_is_a_tier_without_policies(asked: Question, tier: str) -> None:
    """Of one generation, since either of two may be asked first. A source that is no pod can't be matched."""
    kinds = {item["apiVersion"] for item in asked.objects if naive.tier_of(item)}
    assume(not any("v1alpha1" in version for version in kinds))
    assume(isinstance(asked.source, int))
    without = [item for item in asked.objects if naive.tier_of(item) != tier]
    assert answers(with_(asked, tier_policy("first", "Pass", tier))) == answers(asked._replace(objects=without))


@lawful(100)
@given(questions(), st.data())
def test_a_policy_of_a_tier_that_selects_neither_end_changes_nothing(asked: Question, data: st.DataObject) -> None:
    more = data.draw(tier_policies(data.draw(st.sampled_from((*CLUSTER_KINDS, *ADMIN_KINDS))), "more"))
    known = [item["metadata"]["name"] for item in asked.objects if item["kind"] == "Namespace"]
    assume(all(end["metadata"]["namespace"] in known for end in ends_of(asked)))
    assume(not any(naive.takes_in(asked.objects, more["spec"]["subject"], end) for end in ends_of(asked)))
    rest = [item for item in asked.objects if item["kind"] != more["kind"] or item["metadata"] != more["metadata"]]
    asked = asked._replace(objects=rest)
    assert verdict(with_(asked, more))[1:] == verdict(asked)[1:]


@lawful(200)
@given(questions(), st.sampled_from(("ingress", "egress")), st.data())
def test_a_policy_of_a_tier_for_one_direction_leaves_the_other_alone(
    asked: Question, direction: str, data: st.DataObject
) -> None:
    more = data.draw(tier_policies(data.draw(st.sampled_from(CLUSTER_KINDS)), "more", (direction,)))
    before, after = verdict(asked), verdict(with_(asked, more))
    assert before.ingress == after.ingress or direction == "ingress"
    assert before.egress == after.egress or direction == "egress"


def ends_of(asked: Question) -> list[Any]:
    return [end for end in map(asked.end, (asked.source, asked.destination)) if naive.is_pod(end)]
