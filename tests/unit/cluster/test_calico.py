"""What is read of a cluster where Calico runs: whether it does, and the objects that its policies need."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.cluster.reader import read_snapshot
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.model.calico import CalicoPolicy, CalicoTier, HostEndpoint, NetworkSet
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.model.objects import Pod, ServiceAccount
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.snapshot import Gap, Scope
from tests.support.api import FakeApi, forbidden, groups

SHOP = Scope(frozenset({"shop"}))
V1, V3 = "/apis/crd.projectcalico.org/v1", "/apis/projectcalico.org/v3"
DAEMONSETS = "/apis/apps/v1/daemonsets"
ACCOUNTS, SLICES = "/api/v1/serviceaccounts", "/apis/discovery.k8s.io/v1/endpointslices"


def item(name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **fields}


RUNS = {DAEMONSETS: [item("calico-node", "calico-system")]}


def policy(source: dict[str, Any]) -> dict[str, Any]:
    spec = {"selector": "all()", "types": ["Ingress"], "ingress": [{"action": "Allow", "source": source}]}
    return item("g", spec=spec)


def cluster(answers: dict[str, Any], api: str = V1) -> FakeApi:
    version = {V1: groups(crd_projectcalico_org="v1"), V3: groups(projectcalico_org="v3")}[api]
    return FakeApi({"/apis": version, **answers})


@pytest.mark.parametrize(
    ("answers", "plugin", "gaps"),
    [
        pytest.param(RUNS, "Calico", (), id="its DaemonSet is there"),
        pytest.param({DAEMONSETS: [item("calico-nodes")]}, None, (), id="it is not"),
        pytest.param({DAEMONSETS: []}, None, (), id="there is none"),
        pytest.param(
            {DAEMONSETS: forbidden("list daemonsets")},
            "Calico",
            (
                Gap(
                    "plugin",
                    None,
                    "you may not list daemonsets in the whole cluster: Calico is taken to run, since it has policies",
                ),
            ),
            id="DaemonSets may not be listed",
        ),
    ],
)
def test_whether_it_runs(answers: dict[str, Any], plugin: str | None, gaps: tuple[Gap, ...]) -> None:
    snapshot = read_snapshot(cluster({f"{V1}/globalnetworkpolicies": [policy({})], **answers}).api, SHOP)
    assert (snapshot.plugin, snapshot.gaps) == (plugin, gaps)
    kinds = {type(found) for found in (*snapshot.plugin_objects, *snapshot.unevaluated)}
    assert kinds == {CalicoPolicy if plugin else UnevaluatedPolicy}


def test_nothing_is_asked_where_its_kinds_are_not_served() -> None:
    fake = FakeApi({"/apis": groups(apps="v1")})
    assert read_snapshot(fake.api, SHOP).plugin is None
    assert DAEMONSETS not in fake.asked


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        pytest.param({}, set(), id="a rule for everyone"),
        pytest.param({"nets": ["10.0.0.0/8"]}, set(), id="nets"),
        pytest.param({"selector": "has(a)"}, {f"{V1}/networksets", f"{V1}/globalnetworksets"}, id="a selector"),
        pytest.param(
            {"serviceAccounts": {"selector": "has(a)"}},
            {f"{V1}/networksets", f"{V1}/globalnetworksets", ACCOUNTS},
            id="labels of service accounts",
        ),
        pytest.param({"services": {"name": "s", "namespace": "n"}}, {SLICES}, id="services"),
    ],
)
def test_only_what_a_rule_needs_is_listed(source: dict[str, Any], asked: set[str]) -> None:
    fake = cluster({**RUNS, f"{V1}/globalnetworkpolicies": [policy(source)]})
    read_snapshot(fake.api, SHOP)
    more = {V1 + path for path in ("/tiers", "/hostendpoints")} | asked
    assert more <= set(fake.asked)
    assert set(fake.asked) & {f"{V1}/networksets", f"{V1}/globalnetworksets", ACCOUNTS, SLICES} == asked
    assert len(fake.asked) == len(set(fake.asked)), "each once"


def test_slices_of_the_whole_cluster_are_listed_once() -> None:
    services = {"services": {"name": "s", "namespace": "n"}}
    fake = cluster({**RUNS, f"{V1}/globalnetworkpolicies": [policy(services)]})
    read_snapshot(fake.api, SHOP._replace(everywhere=frozenset({"endpointslices"})))
    assert fake.asked.count(SLICES) == 1


def test_what_is_listed_is_in_the_snapshot() -> None:
    selector = {"serviceAccounts": {"selector": "has(a)"}}
    snapshot = read_snapshot(
        cluster(
            {
                **RUNS,
                f"{V1}/globalnetworkpolicies": [policy(selector)],
                f"{V1}/tiers": [item("sec", spec={"order": 5})],
                f"{V1}/hostendpoints": [item("h", spec={"node": "n1"})],
                f"{V1}/globalnetworksets": [item("s", spec={"nets": ["10.0.0.0/8"]})],
                ACCOUNTS: [item("default", "shop")],
            }
        ).api,
        SHOP,
    )
    found = [found for found in snapshot.plugin_objects if not isinstance(found, CalicoPolicy)]
    assert found == [
        CalicoTier("sec", 5.0, passes=False),
        NetworkSet("", "s", {}, ("10.0.0.0/8",)),
        HostEndpoint("h", "n1", {}),
        ServiceAccount("shop", "default", {}),
    ]


def test_a_list_that_is_forbidden_is_a_gap() -> None:
    fake = cluster({**RUNS, f"{V1}/tiers": forbidden("list tiers")})
    message = "you may not list tiers.crd.projectcalico.org in the whole cluster"
    gap = Gap("tiers.crd.projectcalico.org", None, message, policy_kind="Tier")
    assert read_snapshot(fake.api, SHOP).gaps == (gap,)


@pytest.mark.parametrize(
    ("answer", "gaps"),
    [
        pytest.param(forbidden("get tiers"), 1, id="it may not be got"),
        pytest.param({"metadata": {"name": "secret"}}, 0, id="it may"),
        pytest.param(None, 0, id="it is gone"),
    ],
)
def test_a_tier_that_may_not_be_got_hides_its_policies(answer: Any, gaps: int) -> None:
    tiers = {f"{V3}/tiers": [item("secret", spec={"order": 1})]}
    fake = cluster({**RUNS, **tiers, **({f"{V3}/tiers/secret": answer} if answer else {})}, V3)
    found = read_snapshot(fake.api, SHOP).gaps
    assert len(found) == gaps
    for gap in found:
        assert gap.message == "you may not get tier secret, so its policies are not listed"
        assert gap.policy_kind == "GlobalNetworkPolicy"


def test_the_stored_form_hides_no_tier() -> None:
    fake = cluster({**RUNS, f"{V1}/tiers": [item("secret", spec={"order": 1})]})
    read_snapshot(fake.api, SHOP)
    assert f"{V1}/tiers/secret" not in fake.asked


@pytest.mark.parametrize(
    ("kind", "odd", "why"),
    [
        pytest.param(
            "GlobalNetworkSet",
            item("s", spec={"nets": ["10.0.0.0/8"], "allowedEgressDomains": ["x.example"]}),
            'spec: unknown field "allowedEgressDomains"',
            id="a set with a field of another edition",
        ),
        pytest.param(
            "GlobalNetworkSet",
            item("s", spec={"nets": ["010.0.0.0/8"]}),
            "spec.nets[0]: ",
            id="a set with an odd block",
        ),
        pytest.param(
            "NetworkSet", item("s", "other", spec={"nets": 3}), "spec.nets: expected a list", id="a set of a namespace"
        ),
        pytest.param(
            "HostEndpoint",
            item("s", spec={"expectedIPs": ["010.0.0.1"]}),
            "spec.expectedIPs[0]: ",
            id="a host endpoint",
        ),
        pytest.param("Tier", item("s", spec={"defaultAction": "Log"}), "spec.defaultAction: ", id="a tier"),
    ],
)
def test_one_that_can_not_be_read_leaves_open_what_is_decided(kind: str, odd: dict[str, Any], why: str) -> None:
    path = f"{V1}/{KINDS[kind].resource}"
    policies = [policy({"selector": "a == 'b'", "namespaceSelector": "has(a)"}), policy({"selector": "a == 'b'"})]
    policies[1]["metadata"]["name"] = "h"
    fake = cluster({**RUNS, f"{V1}/globalnetworkpolicies": policies, path: [odd]})
    snapshot = read_snapshot(fake.api, SHOP)
    (gap,) = snapshot.gaps
    assert why in gap.message
    one, other = Pod("shop", "a", {}, ("10.0.0.1",)), Pod("shop", "b", {}, ("10.0.0.2",))
    ends = End(one, address="10.0.0.1"), End(other, address="10.0.0.2")
    found = evaluate(snapshot, Connection(ends[0], ends[1], "TCP", 80))
    assert (found.verdict, found.reason and found.reason.message) == (Verdict.UNDEFINED, gap.message)


@pytest.mark.parametrize("types", [["Sideways"], [5], ["Ingress", "Sideways"]])
def test_a_policy_for_a_direction_that_is_not_known_may_decide(types: list[Any]) -> None:
    odd = item("g", spec={"selector": "all()", "types": types, "ingress": [{"action": "Deny"}]})
    (found,) = read_snapshot(cluster({**RUNS, f"{V1}/globalnetworkpolicies": [odd]}).api, SHOP).unevaluated
    assert found.directions == tuple(Direction)
    assert str(found.because).startswith("spec.types")
