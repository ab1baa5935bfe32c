"""The DNS rule: the conventional resolver where none is known, else the peers and ports that it is given."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.dns_rule import CONVENTIONAL_DNS, dns_rule
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.manifests.writer import spec_object
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector
from tests.support.running import DNS

RESOLVER = Peer(ip_block=IPBlock("169.254.20.10/32"))
TCP5353 = (PortRange("TCP", 5353, 5353),)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(dns_rule(), DNS, id="by default kube-dns in kube-system, port 53 of UDP and TCP"),
        pytest.param(
            dns_rule([RESOLVER], TCP5353),
            {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": [{"protocol": "TCP", "port": 5353}]},
            id="else exactly the given peers and ports",
        ),
        pytest.param(
            dns_rule([CONVENTIONAL_DNS, RESOLVER]),
            {**DNS, "to": [*DNS["to"], {"ipBlock": {"cidr": "169.254.20.10/32"}}]},
            id="a given peer next to the conventional one",
        ),
    ],
)
def test_the_rule_in_a_spec(rule: Rule, expected: dict[str, object]) -> None:
    policy = make_policy("", Direction.EGRESS, LabelSelector(), [rule])
    assert spec_object(policy) == {"podSelector": {}, "policyTypes": ["Egress"], "egress": [expected]}


def test_it_is_an_egress_rule() -> None:
    assert dns_rule().direction is Direction.EGRESS
