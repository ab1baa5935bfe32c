"""Cilium's rules in words."""

from __future__ import annotations

import pytest

from kubectl_netpol.engine.cilium_text import items_text, peer_text
from kubectl_netpol.model.cilium import (
    CiliumPeer,
    CiliumPort,
    Endpoints,
    Entity,
    NodesWith,
    NotEvaluated,
    PortItem,
)
from kubectl_netpol.model.policies import IPBlock
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
TEAM = "any:io.cilium.k8s.namespace.labels.team"


def ends(*requirements: tuple[str, Operator, tuple[str, ...]]) -> Endpoints:
    return Endpoints(LabelSelector(tuple(Requirement(*one) for one in requirements)))


WEB = ("any:app", Operator.IN, ("web",))


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (Entity.ALL, "everyone"),
        (Entity.WORLD, "entity world"),
        (Entity.REMOTE_NODE, "entity remote-node"),
        (IPBlock("10.0.0.0/8"), "10.0.0.0/8 outside the cluster"),
        (
            IPBlock("10.0.0.0/8", ("10.1.0.0/16", "10.2.0.0/16")),
            "10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16 outside the cluster",
        ),
        (NotEvaluated("a.example", domain_names=True), "a.example"),
        (NodesWith(LabelSelector((Requirement("any:pool", Operator.IN, ("x",)),))), "nodes pool=x"),
        (NodesWith(LabelSelector()), "nodes"),
        (ends((NAMESPACE, Operator.IN, ("shop",))), "all pods in shop"),
        (ends((NAMESPACE, Operator.EXISTS, ())), "all pods in all namespaces"),
        (ends((NAMESPACE, Operator.IN, ("shop",)), WEB), "pods app=web in shop"),
        (ends((NAMESPACE, Operator.IN, ("a", "b"))), "all pods in a or b"),
        (ends((NAMESPACE, Operator.NOT_IN, ("a",))), "pods io.kubernetes.pod.namespace!=a"),
        (
            ends((NAMESPACE, Operator.IN, ("a",)), ("any:io.kubernetes.pod.namespace", Operator.IN, ("b",))),
            "pods io.kubernetes.pod.namespace=b in a",
        ),
        (
            ends((NAMESPACE, Operator.IN, ("a",)), ("any:io.kubernetes.pod.namespace", Operator.EXISTS, ())),
            "pods io.kubernetes.pod.namespace in a",
        ),
        (ends(WEB, (TEAM, Operator.IN, ("x",))), "pods app=web in namespaces team=x"),
        (
            ends((NAMESPACE, Operator.EXISTS, ()), (TEAM, Operator.EXISTS, ())),
            "all pods in all namespaces in namespaces team",
        ),
        (ends(("reserved:host", Operator.EXISTS, ())), "ends reserved:host"),
        (ends(("k8s:app", Operator.DOES_NOT_EXIST, ())), "pods !app"),
        (ends(("container:app", Operator.EXISTS, ())), "pods container:app"),
    ],
)
def test_peers(peer: CiliumPeer, text: str) -> None:
    assert peer_text(peer) == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ((PortItem((CiliumPort("TCP", 80, 80),)),), "TCP 80"),
        (
            (PortItem((CiliumPort("TCP", 80, 80), CiliumPort("TCP", 90, 99), CiliumPort(None, 53, 53))),),
            "TCP 80,90-99, ANY 53",
        ),
        ((PortItem((CiliumPort("UDP"),)),), "UDP any port"),
        (
            (PortItem((CiliumPort(None, name="web"),)), PortItem((CiliumPort("TCP", 1, 1),), "http")),
            "ANY web, TCP 1 (http)",
        ),
        ((PortItem(()),), "no port"),
    ],
)
def test_ports(items: tuple[PortItem, ...], text: str) -> None:
    assert items_text(items) == text
