"""What Calico refuses of policies written for projectcalico.org/v3, and what it takes of what is like that."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.policies.calico_objects import read_calico_object

V3 = "projectcalico.org/v3"
ALLOW = {"action": "Allow"}
V4, V6 = {"nets": ["10.0.0.0/8"]}, {"nets": ["fd00::/8"]}


def read(kind: str, spec: Any, namespace: str = "") -> None:
    item = {"apiVersion": V3, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    assert read_calico_object(kind, item, item["metadata"], namespace, "x", stored=False)


def ingress(**rule: Any) -> dict[str, Any]:
    return {"ingress": [ALLOW, {**ALLOW, **rule}]}


def egress(**rule: Any) -> dict[str, Any]:
    return {"egress": [{**ALLOW, **rule}]}


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        pytest.param(
            ingress(action="deny"),
            'spec.ingress[1].action: must be one of Allow, Deny, Log, Pass, got "deny"',
            "write Deny: case matters",
            id="an action in small letters",
        ),
        pytest.param(
            {"types": ["Ingress", "egress"]},
            'spec.types[1]: must be one of Ingress, Egress, got "egress"',
            "write Egress: case matters",
            id="a type in small letters",
        ),
        pytest.param(
            {"types": ["Ingress", "Ingress"]}, "spec.types[1]: Ingress is there twice", None, id="a type that is twice"
        ),
        pytest.param(
            egress(protocol="tcp"),
            'spec.egress[0].protocol: must be one of TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite, got "tcp"',
            "write TCP: case matters",
            id="a protocol in small letters",
        ),
        pytest.param(
            egress(notProtocol="icmpV6"),
            'spec.egress[0].notProtocol: must be one of TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite, got "icmpV6"',
            "write ICMPv6: case matters",
            id="notProtocol in other letters",
        ),
        pytest.param(
            ingress(source={"nets": ["10.0.0.0/8", "fd00::/8"]}),
            "spec.ingress[1].source.nets[1]: fd00::/8 is IPv6, and 10.0.0.0/8 in the same rule IPv4",
            "write one rule for each IP version",
            id="nets of both IP versions in one list",
        ),
        pytest.param(
            ingress(source={"notNets": ["fd00::1"]}, destination=V4),
            "spec.ingress[1].destination.nets[0]: 10.0.0.0/8 is IPv4, and fd00::1 in the same rule IPv6",
            "write one rule for each IP version",
            id="nets of both IP versions at both ends",
        ),
        pytest.param(
            ingress(ipVersion=6, source=V4),
            "spec.ingress[1].ipVersion: is 6, but 10.0.0.0/8 is IPv4",
            "write ipVersion: 4, or leave it out",
            id="nets of another IP version than ipVersion",
        ),
        pytest.param(
            ingress(ipVersion=4, protocol="ICMPv6"),
            "spec.ingress[1].ipVersion: is 4, but protocol ICMPv6 is IPv6",
            "write ipVersion: 6, or leave it out",
            id="a protocol of another IP version than ipVersion",
        ),
        pytest.param(
            ingress(ipVersion=6, notProtocol="ICMP"),
            "spec.ingress[1].ipVersion: is 6, but protocol ICMP is IPv4",
            "write ipVersion: 4, or leave it out",
            id="notProtocol of another IP version than ipVersion",
        ),
        pytest.param(
            ingress(protocol="TCP", icmp={"type": 8}),
            "spec.ingress[1].icmp: needs protocol ICMP or ICMPv6",
            None,
            id="icmp with another protocol",
        ),
        pytest.param(
            ingress(icmp={"type": 8}),
            "spec.ingress[1].icmp: needs protocol ICMP or ICMPv6",
            None,
            id="icmp without a protocol",
        ),
        pytest.param(
            egress(http={"methods": ["GET"]}),
            "spec.egress[0].http: is for ingress rules only",
            None,
            id="http at egress",
        ),
        pytest.param(
            ingress(action="Deny", http={"methods": ["GET"]}),
            "spec.ingress[1].http: needs action Allow, got Deny",
            None,
            id="http in a rule that denies",
        ),
        pytest.param(
            ingress(protocol="UDP", http={"methods": ["GET"]}),
            "spec.ingress[1].http: needs protocol TCP, or none, got UDP",
            None,
            id="http over UDP",
        ),
        pytest.param(
            {"namespaceSelector": "global()"},
            "spec.namespaceSelector: global() is for the namespaceSelector of a rule only",
            None,
            id="a policy whose own namespaceSelector is global()",
        ),
        pytest.param(
            {"preDNAT": True, "doNotTrack": True, "applyOnForward": True},
            "spec.preDNAT: can't be combined with doNotTrack",
            None,
            id="preDNAT with doNotTrack",
        ),
        pytest.param(
            {"preDNAT": True},
            "spec.preDNAT: needs applyOnForward",
            "write applyOnForward: true",
            id="preDNAT without applyOnForward",
        ),
        pytest.param(
            {"doNotTrack": True, "applyOnForward": False},
            "spec.doNotTrack: needs applyOnForward",
            "write applyOnForward: true",
            id="doNotTrack without applyOnForward",
        ),
        pytest.param(
            {"preDNAT": True, "applyOnForward": True, "egress": [ALLOW]},
            "spec.egress: a policy with preDNAT is for ingress only",
            None,
            id="preDNAT with egress rules",
        ),
        pytest.param(
            {"preDNAT": True, "applyOnForward": True, "types": ["Egress"]},
            "spec.types: a policy with preDNAT is for ingress only",
            None,
            id="preDNAT with type Egress",
        ),
    ],
)
def test_what_is_refused(spec: Any, message: str, hint: str | None) -> None:
    for kind in ("GlobalNetworkPolicy", "StagedGlobalNetworkPolicy"):
        with pytest.raises(BadField) as error:
            read(kind, spec)
        assert (str(error.value), error.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            ingress(source=V6, destination=V6, ipVersion=6), id="nets of one IP version, and that as ipVersion"
        ),
        pytest.param(ingress(source={**V4, "notNets": ["10.1.0.0/16"]}), id="nets without ipVersion"),
        pytest.param(ingress(ipVersion=4), id="ipVersion without nets"),
        pytest.param(ingress(protocol="ICMP", ipVersion=4, icmp={"type": 8}), id="icmp with protocol ICMP"),
        pytest.param(ingress(protocol=58, icmp={"type": 128}), id="icmp with the number of ICMPv6"),
        pytest.param(ingress(notICMP={"type": 8}), id="notICMP without a protocol"),
        pytest.param(ingress(protocol="6", http={"methods": ["GET"]}), id="http with the number of TCP"),
        pytest.param(ingress(http={"methods": ["GET"]}), id="http without a protocol"),
        pytest.param(egress(protocol="UDPLite"), id="protocol UDPLite"),
        pytest.param({"types": ["Ingress", "Egress"]}, id="both types"),
        pytest.param({"types": None, "ingress": None, "namespaceSelector": ""}, id="null and empty"),
        pytest.param(
            ingress(source={"namespaceSelector": "global()"}), id="a rule whose namespaceSelector is global()"
        ),
        pytest.param({"preDNAT": True, "applyOnForward": True, "types": ["Ingress"]}, id="preDNAT with applyOnForward"),
        pytest.param({"doNotTrack": True, "applyOnForward": True, "egress": [ALLOW]}, id="doNotTrack at egress"),
        pytest.param({"preDNAT": False, "doNotTrack": False}, id="flags that are false"),
    ],
)
def test_what_is_taken(spec: Any) -> None:
    read("GlobalNetworkPolicy", spec)


def test_a_namespaced_policy_is_held_to_the_same() -> None:
    read("CalicoNetworkPolicy", ingress(source=V4), "shop")
    with pytest.raises(BadField, match=r"spec\.ingress\[1\]\.action: must be one of"):
        read("CalicoNetworkPolicy", ingress(action="allow"), "shop")
