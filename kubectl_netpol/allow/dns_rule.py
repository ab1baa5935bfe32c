"""The egress rule for DNS, by default to the cluster's conventional resolver pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.model.policies import Direction, Peer, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector, in_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.ports import RulePorts

DNS_PORTS: RulePorts = (PortRange("UDP", 53, 53), PortRange("TCP", 53, 53))
CONVENTIONAL_DNS = Peer(in_namespace("kube-system"), LabelSelector.of({"k8s-app": "kube-dns"}))


def dns_rule(peers: Iterable[Peer] = (CONVENTIONAL_DNS,), ports: RulePorts = DNS_PORTS) -> Rule:
    """At position 0; `make_policy` sets the final position."""
    return Rule(Direction.EGRESS, 0, tuple(peers), ports)
