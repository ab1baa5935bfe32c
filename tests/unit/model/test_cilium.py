"""The values of Cilium's policies."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.cilium import CiliumPolicy, CiliumRule
from kubectl_netpol.model.policies import Direction


@pytest.mark.parametrize(
    ("policy", "title"),
    [
        (CiliumPolicy("CiliumNetworkPolicy", "shop", "web"), "shop/ciliumnetworkpolicy.cilium.io/web"),
        (CiliumPolicy("CiliumClusterwideNetworkPolicy", "", "all"), "ciliumclusterwidenetworkpolicy.cilium.io/all"),
    ],
)
def test_a_policy_is_called_as_kubectl_prints_it(policy: CiliumPolicy, title: str) -> None:
    assert policy.title == title


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (CiliumRule(Direction.INGRESS, 0), "ingress"),
        (CiliumRule(Direction.INGRESS, 0, deny=True), "ingressDeny"),
        (CiliumRule(Direction.EGRESS, 0), "egress"),
        (CiliumRule(Direction.EGRESS, 0, deny=True), "egressDeny"),
    ],
)
def test_a_rule_knows_the_field_that_it_stands_in(rule: CiliumRule, field: str) -> None:
    assert rule.field == field
