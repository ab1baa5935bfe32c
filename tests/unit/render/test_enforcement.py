"""Whether a cluster enforces its policies, printed."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.diagnosis.enforcement import TRIAL, enforcement
from kubectl_netpol.render.enforcement import enforcement_object, enforcement_text


def printed(plugin: str | None, kinds: list[str]) -> list[str]:
    return enforcement_text(enforcement(plugin, kinds), Console(io.StringIO(), io.StringIO())).splitlines()


@pytest.mark.parametrize(
    ("plugin", "first"),
    [
        ("kube-router", "enforced: NetworkPolicies; kube-router does"),
        (
            "flannel, which enforces no policies by itself",
            "not enforced: NetworkPolicies; flannel enforces no policies",
        ),
        (None, "can't tell: NetworkPolicies; no DaemonSet of a network plugin that is known"),
    ],
)
def test_the_first_line_is_the_answer(plugin: str | None, first: str) -> None:
    assert printed(plugin, [])[0] == first


def test_the_other_kinds_and_the_trial_follow() -> None:
    lines = printed("kube-router", ["ClusterNetworkPolicy", "CiliumNetworkPolicy"])
    assert [" ".join(line.split()) for line in lines[1:3]] == [
        "ClusterNetworkPolicy.policy.networking.k8s.io: no, kube-router does not",
        "CiliumNetworkPolicy.cilium.io: no, only Cilium does, and it does not run here",
    ]
    assert lines[3:] == ["to see it, in a namespace of its own:", *(f"  {command}" for command in TRIAL)]


def test_what_is_too_wide_for_a_table_is_folded() -> None:
    lines = printed("Cilium", ["ClusterNetworkPolicy"])
    assert lines[1].startswith("  ClusterNetworkPolicy.policy.networking.k8s.io: can't tell, hangs on its")
    assert all(len(line) <= 80 for line in lines[1:3])


def test_json() -> None:
    found = enforcement_object(enforcement("kube-router", ["ClusterNetworkPolicy"]))
    assert (found["kind"], found["plugin"], found["enforced"]) == ("Enforcement", "kube-router", True)
    assert [one["enforced"] for one in found["kinds"]] == [True, False]
    assert found["trial"] == list(TRIAL)
