"""Policies tried on a snapshot: what they would overwrite, and what they open besides what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.allow.minimal import AllowOptions, minimal_policies
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.allow.trial import add_policies, unasked_changes
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.render.changes import change_entries
from tests.support.tables import ask, snapshot_of

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
    assert [policy.name for policy in trial.after.policies] == ["deny", "allow-none-to-all-pods"]
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
