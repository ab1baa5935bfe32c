"""A second evaluator, slow and plain, written from the API reference over raw objects; it shares no code with ours.

It answers one direction of a pod-to-pod or pod-to-address connection with "allowed", "blocked" or "unknown"
(an ipBlock decides and the address is not known). It has no Services, no host network and no other kinds.
"""

from __future__ import annotations

import ipaddress
from typing import Any

Object = dict[str, Any]


def connection(objects: list[Object], source: Any, destination: Any, port: int, protocol: str) -> tuple[str, str]:
    """(egress, ingress). An end is a Pod object or an address (text)."""
    there = {"destination": destination, "port": port, "protocol": protocol}
    return (
        one_side(objects, source, destination, "Egress", **there),
        one_side(objects, destination, source, "Ingress", **there),
    )


def one_side(
    objects: list[Object], subject: Any, other: Any, direction: str, *, destination: Any, port: int, protocol: str
) -> str:
    if isinstance(subject, str):
        return "allowed"
    answers = []
    isolated = False
    for policy in objects:
        if policy["kind"] != "NetworkPolicy" or policy["metadata"]["namespace"] != subject["metadata"]["namespace"]:
            continue
        if not selector_matches(policy["spec"].get("podSelector") or {}, labels_of(subject)) or finished(subject):
            continue
        if direction not in types_of(policy["spec"]):
            continue
        isolated = True
        for rule in policy["spec"].get("ingress" if direction == "Ingress" else "egress") or []:
            if port_matches(rule.get("ports"), destination, port, protocol):
                peers = rule.get("from" if direction == "Ingress" else "to")
                answers.append(peers_match(objects, policy, peers, other))
    if not isolated or "yes" in answers:
        return "allowed"
    return "unknown" if "unknown" in answers else "blocked"


def types_of(spec: Object) -> list[str]:
    if spec.get("policyTypes"):
        return list(spec["policyTypes"])
    return ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def labels_of(item: Object) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


def finished(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def can_connect(pod: Object) -> bool:
    """A pod without a status is one that a manifest plans, and gets an address."""
    return not finished(pod) and ("status" not in pod or address_of(pod) is not None)


def address_of(end: Any) -> str | None:
    return end if isinstance(end, str) else end.get("status", {}).get("podIP")


def selector_matches(selector: Object, labels: dict[str, str]) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if key not in labels or labels[key] != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        key, operator = expression["key"], expression["operator"]
        if operator == "In" and (key not in labels or labels[key] not in expression["values"]):
            return False
        if operator == "NotIn" and key in labels and labels[key] in expression["values"]:
            return False
        if operator == "Exists" and key not in labels:
            return False
        if operator == "DoesNotExist" and key in labels:
            return False
    return True


def peers_match(objects: list[Object], policy: Object, peers: list[Object] | None, other: Any) -> str:
    if not peers:
        return "yes"
    answers = [peer_matches(objects, policy, peer, other) for peer in peers]
    return "yes" if "yes" in answers else "unknown" if "unknown" in answers else "no"


def peer_matches(objects: list[Object], policy: Object, peer: Object, other: Any) -> str:
    block = peer.get("ipBlock")
    if block is not None:
        address = address_of(other)
        if address is None:
            return "unknown"
        inside = lies_in(address, block["cidr"]) and not any(lies_in(address, e) for e in block.get("except") or [])
        return "yes" if inside else "no"
    if isinstance(other, str) or finished(other):
        return "no"
    if peer.get("podSelector") is not None and not selector_matches(peer["podSelector"], labels_of(other)):
        return "no"
    namespace = other["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        return "yes" if namespace == policy["metadata"]["namespace"] else "no"
    known = next(o for o in objects if o["kind"] == "Namespace" and o["metadata"]["name"] == namespace)
    labels = {**labels_of(known), "kubernetes.io/metadata.name": namespace}
    return "yes" if selector_matches(peer["namespaceSelector"], labels) else "no"


def lies_in(address: str, cidr: str) -> bool:
    base, length = cidr.split("/")
    one, two = ipaddress.ip_address(address), ipaddress.ip_address(base)
    bits = one.max_prefixlen - int(length)
    return one.version == two.version and int(one) >> bits == int(two) >> bits


def port_matches(ports: list[Object] | None, destination: Any, port: int, protocol: str) -> bool:
    if not ports:
        return True
    for item in ports:
        wanted = item.get("port")
        if (item.get("protocol") or "TCP") != protocol:
            continue
        if wanted is None:
            return True
        if isinstance(wanted, int):
            if wanted <= port <= (item.get("endPort") or wanted):
                return True
        elif port in numbers_named(destination, wanted, protocol):
            return True
    return False


def numbers_named(destination: Any, name: str, protocol: str) -> list[int]:
    containers = [] if isinstance(destination, str) else destination["spec"]["containers"]
    declared = [port for container in containers for port in container.get("ports") or []]
    same = [port for port in declared if port.get("name") == name and (port.get("protocol") or "TCP") == protocol]
    return [port["containerPort"] for port in same]
