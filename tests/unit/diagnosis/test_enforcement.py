"""What a plugin's name says of each kind of policy, and where it says nothing."""

from __future__ import annotations

import pytest

from kubectl_netpol.diagnosis.enforcement import TRIAL, enforcement

CNP, ANP = "ClusterNetworkPolicy", "AdminNetworkPolicy"


@pytest.mark.parametrize(
    ("plugin", "enforced", "why"),
    [
        pytest.param("Calico", True, "Calico does", id="a plugin that does"),
        pytest.param(
            "flannel, which enforces no policies by itself",
            False,
            "flannel enforces no policies",
            id="one that does not",
        ),
        pytest.param(
            "kindnet, which enforces no policies before kind 0.24",
            None,
            "kindnet does from kind 0.24 on, and not before",
            id="one that hangs on its version",
        ),
        pytest.param(
            "flannel, which enforces no policies by itself and kube-router",
            True,
            "kube-router does",
            id="of two, the one that does",
        ),
        pytest.param(
            "flannel, which enforces no policies by itself and the Azure CNI, which enforces policies only if that is "
            "enabled",
            None,
            "the Azure CNI does only if that is enabled",
            id="of two, the one that may",
        ),
        pytest.param(None, None, "no DaemonSet of a network plugin that is known", id="none that is known"),
    ],
)
def test_network_policies(plugin: str | None, enforced: bool | None, why: str) -> None:  # noqa: FBT001 - a column
    found = enforcement(plugin, [])
    assert (found.enforced, found.kinds[0].why) == (enforced, why)
    assert found.kinds[0].kind == "NetworkPolicy.networking.k8s.io"


@pytest.mark.parametrize(
    ("plugin", "kind", "enforced", "why"),
    [
        pytest.param("kube-router", CNP, False, "kube-router does not", id="tiers that a plugin stores and ignores"),
        pytest.param("Calico", CNP, None, "hangs on its version", id="tiers that hang on a version"),
        pytest.param("OVN-Kubernetes", ANP, None, "up to priority 99", id="tiers in part"),
        pytest.param("flannel and Calico", CNP, None, "hangs on its version", id="of two, one that may"),
        pytest.param("Cilium", "CiliumNetworkPolicy", True, "Cilium does", id="its own kind"),
        pytest.param("Canal", "GlobalNetworkPolicy", True, "Calico does", id="Canal's kinds are Calico's"),
        pytest.param("Calico", "CiliumNetworkPolicy", False, "only Cilium does", id="another plugin's kind"),
        pytest.param(
            "the Amazon VPC CNI", "AmazonClusterNetworkPolicy", None, "only if that is enabled", id="one to be enabled"
        ),
        pytest.param("Calico", "IstioAuthorizationPolicy", None, "a proxy in the pods", id="what a proxy decides"),
        pytest.param("Calico", "FQDNNetworkPolicy", None, "whether Calico does is not known", id="a vendor's kind"),
        pytest.param("Calico", "TeamNetworkPolicy.example.com", None, "is not known", id="a kind that nobody knows"),
        pytest.param(None, CNP, None, "the network plugin is not known", id="no plugin that is known"),
    ],
)
def test_other_kinds(plugin: str | None, kind: str, enforced: bool | None, why: str) -> None:  # noqa: FBT001
    _, found = enforcement(plugin, [kind]).kinds
    assert found.enforced is enforced
    assert why in found.why


def test_a_reason_why_the_plugin_is_not_known() -> None:
    found = enforcement(None, [CNP], "you may not look")
    assert [(one.enforced, one.why) for one in found.kinds] == [(None, "you may not look")] * 2


def test_the_trial_cleans_up_after_itself() -> None:
    assert TRIAL[0].split()[:3] == ["kubectl", "create", "namespace"]
    assert TRIAL[-1].split()[:3] == ["kubectl", "delete", "namespace"]
