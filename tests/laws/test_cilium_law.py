"""What holds for every cluster with Cilium's policies and NetworkPolicies, whatever they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.model.policies import Action
from tests.support.lawful import lawful
from tests.support.plugin_policies import cilium_specs
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot

LETTER = {Verdict.ALLOWED: "a", Verdict.BLOCKED: "b", Verdict.UNDEFINED: "u"}
PODS = {
    "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.1", "node": "n1", "ports": "http=80"},
    "a/db": {"labels": {"app": "db", "tier": ""}, "ip": "10.0.0.2", "node": "n2", "ports": "http=8080 dns=53/UDP"},
    "b/web": {"labels": {"app": "web", "pod-template-hash": "x"}, "ip": "10.0.1.1", "node": "n1"},
    "b/host": {"labels": {"app": "web"}, "ip": "192.0.2.2", "node": "n2", "host_network": True},
}
BASE: dict[str, Any] = {
    "plugin": "Cilium",
    "namespaces": {"a": {"team": "x"}, "b": {}},
    "nodes": {"n1": ["192.0.2.1"], "n2": ["192.0.2.2"]},
    "pods": PODS,
}
ASKED = (("TCP", 80), ("TCP", 8080), ("UDP", 53))

Specs = dict[str, dict[str, Any]]


scopes = st.sampled_from(("", "a/", "b/"))
network_policies = st.fixed_dictionaries(
    {"podSelector": st.sampled_from(({}, {"matchLabels": {"app": "web"}}))},
    optional={
        "policyTypes": st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])),
        "ingress": st.sampled_from(
            ([], [{}], [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}], [{"from": [{"namespaceSelector": {}}]}])
        ),
        "egress": st.sampled_from(([], [{"to": [{"podSelector": {}}]}], [{"ports": [{"port": "http"}]}])),
    },
)


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, Any]:
    own = {f"{draw(scopes)}c{number}": draw(cilium_specs()) for number in range(draw(st.integers(0, 4)))}
    others = {f"a/p{number}": draw(network_policies) for number in range(draw(st.integers(0, 2)))}
    return {**BASE, "cilium": own, "policies": others}


def connections(snapshot: Snapshot) -> list[Connection]:
    pods = snapshot.pods
    found = [pod_connection(one, other, protocol, port) for one in pods for other in pods for protocol, port in ASKED]
    for end in (End(address="203.0.113.1"), End(node=snapshot.nodes[1], address="192.0.2.2")):
        for pod in pods:
            inside = End(pod=pod, address=pod.ips[0])
            found += [Connection(end, inside, "TCP", 80), Connection(inside, end, "TCP", 80)]
    return found


def verdicts(cluster: dict[str, Any]) -> list[Verdict]:
    snapshot = snapshot_of(cluster)
    return [evaluate(snapshot, connection).verdict for connection in connections(snapshot)]


@lawful(40)
@given(clusters())
def test_every_cell_of_a_matrix_is_the_verdict_on_that_connection(cluster: dict[str, Any]) -> None:
    snapshot = snapshot_of(cluster)
    for protocol, port in ASKED:
        for source, row in zip(
            snapshot.pods, Grid(PodSets(snapshot, snapshot.pods), protocol, port).rows(), strict=True
        ):
            asked = [pod_connection(source, destination, protocol, port) for destination in snapshot.pods]
            assert row == "".join(LETTER[evaluate(snapshot, connection).verdict] for connection in asked)


@lawful(40)
@given(clusters())
def test_the_order_of_policies_never_matters(cluster: dict[str, Any]) -> None:
    turned = {**cluster, **{kind: dict(reversed(cluster[kind].items())) for kind in ("cilium", "policies")}}
    assert verdicts(cluster) == verdicts(turned)


@lawful(40)
@given(clusters(), cilium_specs(denies=True), scopes)
def test_one_more_policy_of_denies_opens_nothing(cluster: dict[str, Any], spec: dict[str, Any], scope: str) -> None:
    more = {**cluster, "cilium": {**cluster["cilium"], f"{scope}more": spec}}
    for before, after in zip(verdicts(cluster), verdicts(more), strict=True):
        assert before is not Verdict.BLOCKED or after is Verdict.BLOCKED


@lawful(40)
@given(clusters(), cilium_specs(denies=False), scopes)
def test_one_more_policy_without_default_deny_and_denies_blocks_nothing(
    cluster: dict[str, Any], spec: dict[str, Any], scope: str
) -> None:
    spec = {**spec, "enableDefaultDeny": {"ingress": False, "egress": False}}
    more = {**cluster, "cilium": {**cluster["cilium"], f"{scope}more": spec}}
    for before, after in zip(verdicts(cluster), verdicts(more), strict=True):
        assert before is not Verdict.ALLOWED or after is Verdict.ALLOWED


@lawful(40)
@given(clusters(), cilium_specs(), scopes)
def test_a_policy_that_is_refused_changes_nothing(cluster: dict[str, Any], spec: dict[str, Any], scope: str) -> None:
    bad = {"endpointSelector": {}, "ingress": [{"fromEndpoints": [{}], "fromEntities": ["all"]}]}
    more = {**cluster, "cilium": {**cluster["cilium"], f"{scope}more": [spec, bad]}}
    assert verdicts(cluster) == verdicts(more)


@lawful(40)
@given(clusters())
def test_what_is_blocked_by_a_rule_is_blocked_by_a_deny_that_matches(cluster: dict[str, Any]) -> None:
    snapshot = snapshot_of(cluster)
    for connection in connections(snapshot):
        found = evaluate(snapshot, connection)
        for side in (found.egress, found.ingress):
            if side.denied_by and side.verdict is Verdict.BLOCKED:
                assert all(match.rule.action is Action.DENY for match in side.denied_by)
            elif side.verdict is Verdict.BLOCKED:
                assert side.isolated_by
                assert not side.allowed_by
