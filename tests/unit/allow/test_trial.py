"""Policies tried on a snapshot: what they would overwrite, and what they open besides what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.allow.minimal import AllowOptions, minimal_policies
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.allow.trial import add_policies, unasked_changes, wider_rules
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.render.changes import change_entries
from tests.support.tables import ask, example, snapshot_of

DENY = {"a/deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
PODS: dict[str, Any] = {
    "a/web": {"ip": "10.0.0.1", "labels": {"app": "web"}},
    "a/san": {"ip": "10.0.0.2", "labels": {"app": "san"}},
    "a/sam": {"ip": "10.0.0.3", "labels": {"app": "sam"}},
}
TWINS: dict[str, Any] = {**PODS, "a/twin": {"ip": "10.0.0.4", "labels": {"app": "san"}}}
DNS: dict[str, Any] = {
    "services": {
        "kube-system/kube-dns": {"selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53, "protocol": "UDP"}]}
    },
}
COREDNS = {"kube-system/coredns": {"ip": "10.0.9.9", "labels": {"k8s-app": "kube-dns"}}}
WEB_SERVICE = {"a/web": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}


def from_san(name: str | None = None, port: int = 80) -> Policy:
    peer = Peer(pod_selector=LabelSelector.of({"app": "san"}))
    rule = Rule(Direction.INGRESS, 0, (peer,), (PortRange("TCP", port, port),))
    policy = make_policy("a", Direction.INGRESS, LabelSelector.of({"app": "web"}), [rule])
    return policy._replace(name=name) if name else policy


def test_a_policy_is_added_and_what_it_changes_is_known() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": DENY})
    trial = add_policies(snapshot, [make_policy("a", Direction.INGRESS, LabelSelector(), [])])
    assert [policy.name for policy in trial.after.policies] == ["deny", "default-deny-ingress"]
    assert (trial.existing, trial.changes.opens, trial.changes.closes) == ((), (), ())
    assert len(trial.changes.isolated) == len(PODS)


def test_a_policy_that_exists_with_the_same_spec_changes_nothing() -> None:
    before = snapshot_of({"live": True, "pods": PODS}).with_policies(
        [from_san()._replace(changed="2026-01-01T00:00:00Z")]
    )
    trial = add_policies(before, [from_san()])
    assert trial.existing == ("a/allow-app-san-to-app-web-80",)
    assert trial.changes == ((), (), ())


def test_a_policy_of_the_same_name_and_another_spec_is_not_overwritten() -> None:
    before = snapshot_of({"live": True, "pods": PODS}).with_policies([from_san("web", port=443)])
    with pytest.raises(NetpolError, match="policy a/web exists with another spec") as raised:
        add_policies(before, [from_san("web")])
    assert raised.value.hint == "choose another --name"


@pytest.mark.parametrize(
    ("cluster", "ends", "unasked"),
    [
        pytest.param({"pods": PODS, "policies": DENY}, "a/san a/pod/web", [], id="nothing but what was asked for"),
        pytest.param(
            {"pods": TWINS, "policies": DENY},
            "a/san a/pod/web",
            ["a/twin -> a/web: port 80"],
            id="a pod with the same labels as the source",
        ),
        pytest.param(
            {"pods": TWINS, "policies": DENY},
            "a/web a/pod/san",
            ["a/web -> a/twin: port 80"],
            id="a pod with the same labels as the destination",
        ),
        pytest.param(
            {"pods": {**PODS, **COREDNS}, "policies": DENY, **DNS, "services": {**DNS["services"], **WEB_SERVICE}},
            "a/san a/svc/web",
            [],
            id="the DNS rule counts as asked for",
        ),
        pytest.param(
            {"pods": {**TWINS, **COREDNS}, "policies": DENY, **DNS, "services": {**DNS["services"], **WEB_SERVICE}},
            "a/san a/svc/web",
            ["a/twin -> a/web: port 80"],
            id="the DNS rule counts as asked for, also for a pod with the same labels",
        ),
    ],
)
def test_what_opens_besides(cluster: dict[str, Any], ends: str, unasked: list[str]) -> None:
    snapshot = snapshot_of({"live": True, **cluster})
    source, destination = ends.split()
    predictions = [ask(snapshot, source, destination, 80, "TCP")]
    minimal = minimal_policies(snapshot, predictions, AllowOptions())
    trial = add_policies(snapshot, minimal.policies)
    found = unasked_changes(snapshot, predictions, trial.changes, minimal)
    assert [what.strip() for what, *_ in change_entries(found, verbose=True)] == unasked
    assert trial.changes.opens


GUARD = "clusternetworkpolicy.policy.networking.k8s.io/guard-rails (Admin, priority 10)"


@pytest.mark.parametrize(
    ("subject", "wider"),
    [
        pytest.param(
            "shop db",
            [
                (
                    f"{GUARD} ingress[0] already allows all ports from pods run=prom in namespaces team=platform, "
                    "whatever NetworkPolicies say"
                )
            ],
            id="the Admin tier allows more",
        ),
        pytest.param("monitoring prom", [], id="only the Baseline tier applies"),
        pytest.param("shop nobody", [], id="no pod is selected"),
    ],
)
def test_what_the_admin_tier_allows_anyway(subject: str, wider: list[str]) -> None:
    namespace, run = subject.split()
    rule = Rule(Direction.INGRESS, 0, (Peer(pod_selector=LabelSelector()),))
    policy = make_policy(namespace, Direction.INGRESS, LabelSelector.of({"run": run}), [rule])
    assert wider_rules(example("tiers"), [policy]) == wider
    assert wider_rules(snapshot_of({"pods": PODS}), [policy]) == []


def test_the_rules_of_the_admin_tier_towards_the_outside() -> None:
    objects = [
        {
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            "metadata": {"name": "out"},
            "spec": {
                "tier": "Admin",
                "priority": 1,
                "subject": {"namespaces": {}},
                "egress": [
                    {"action": "Deny", "to": [{"networks": ["10.0.0.0/8"]}]},
                    {
                        "action": "Accept",
                        "to": [{"networks": ["203.0.113.0/24"]}, {"nodes": {}}],
                        "protocols": [{"tcp": {"destinationPort": {"number": 443}}}],
                    },
                ],
            },
        }
    ]
    policy = make_policy("a", Direction.EGRESS, LabelSelector(), [])
    assert wider_rules(snapshot_of({"pods": PODS, "objects": objects}), [policy]) == [
        (
            "clusternetworkpolicy.policy.networking.k8s.io/out (Admin, priority 1) egress[1] already allows TCP 443 to "
            "203.0.113.0/24, all nodes, whatever NetworkPolicies say"
        )
    ]
