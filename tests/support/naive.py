"""A second evaluator, slow and plain, written from the API reference over raw objects; it shares no code with ours.

It answers one direction of a connection between pods, nodes and addresses with "allowed", "blocked" or "unknown". It
has NetworkPolicy and the Admin and Baseline tiers; no Services, and no end on the host network.
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
    if not is_pod(subject) or finished(subject):
        return "allowed"
    there = {"destination": destination, "port": port, "protocol": protocol}
    outcomes: set[str] = set()
    pending = [0]
    while pending:
        layer = pending.pop()
        if layer == 3:
            outcomes.add("allowed")
        elif layer == 1:
            outcomes |= network_policies(objects, subject, other, direction, **there)
            if not isolating(objects, subject, direction):
                pending.append(2)
        else:
            actions = tier(objects, "Admin" if layer == 0 else "Baseline", subject, other, direction, **there)
            outcomes |= {"blocked" if action == "Deny" else "allowed" for action in actions - {"Pass", "none"}}
            if actions & {"Pass", "none"}:
                pending.append(layer + 1)
    return outcomes.pop() if len(outcomes) == 1 else "unknown"


def is_pod(end: Any) -> bool:
    return isinstance(end, dict) and end["kind"] == "Pod"


def isolating(objects: list[Object], subject: Any, direction: str) -> list[Object]:
    return [
        policy
        for policy in objects
        if policy["kind"] == "NetworkPolicy"
        and policy["metadata"]["namespace"] == subject["metadata"]["namespace"]
        and selector_matches(policy["spec"].get("podSelector") or {}, labels_of(subject))
        and direction in types_of(policy["spec"])
    ]


def network_policies(
    objects: list[Object], subject: Any, other: Any, direction: str, *, destination: Any, port: int, protocol: str
) -> set[str]:
    """What they may do; nothing if none isolates the pod."""
    answers = []
    found = isolating(objects, subject, direction)
    for policy in found:
        for rule in policy["spec"].get("ingress" if direction == "Ingress" else "egress") or []:
            if port_matches(rule.get("ports"), destination, port, protocol):
                peers = rule.get("from" if direction == "Ingress" else "to")
                answers.append(peers_match(objects, policy, peers, other))
    if not found:
        return set()
    if "yes" in answers or (direction == "Ingress" and is_own_node(subject, other)):
        return {"allowed"}
    return {"allowed", "blocked"} if "unknown" in answers else {"blocked"}


def is_own_node(pod: Any, end: Any) -> bool:
    return isinstance(end, dict) and end["kind"] == "Node" and pod["spec"]["nodeName"] == end["metadata"]["name"]


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
    if isinstance(end, str):
        return end
    address: str | None = end.get("status", {}).get("podIP")
    return end["status"]["addresses"][0]["address"] if end["kind"] == "Node" else address


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
    if not is_pod(other) or finished(other):
        return "no"
    if peer.get("podSelector") is not None and not selector_matches(peer["podSelector"], labels_of(other)):
        return "no"
    namespace = other["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        return "yes" if namespace == policy["metadata"]["namespace"] else "no"
    return "yes" if selector_matches(peer["namespaceSelector"], namespace_labels(objects, namespace)) else "no"


def namespace_labels(objects: list[Object], name: str) -> dict[str, str]:
    known = next(o for o in objects if o["kind"] == "Namespace" and o["metadata"]["name"] == name)
    return {**labels_of(known), "kubernetes.io/metadata.name": name}


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
    containers = destination["spec"]["containers"] if is_pod(destination) else []
    declared = [port for container in containers for port in container.get("ports") or []]
    same = [port for port in declared if port.get("name") == name and (port.get("protocol") or "TCP") == protocol]
    return [port["containerPort"] for port in same]


# The tiers.


def tier(
    objects: list[Object],
    which: str,
    subject: Any,
    other: Any,
    direction: str,
    **there: Any,
) -> set[str]:
    """The actions that may end the tier; "none" if it may be that no rule matches.

    How policies of two generations mix is not said, so either of them may come first.
    """
    by_generation: dict[str, dict[int, list[set[str]]]] = {}
    for policy in objects:
        spec = policy.get("spec", {})
        if tier_of(policy) != which or not takes_in(objects, spec["subject"], subject):
            continue
        rules = spec.get("ingress" if direction == "Ingress" else "egress") or []
        answers = first_match(objects, rules, subject, other, direction, **there)
        generation = "" if "v1alpha1" not in policy["apiVersion"] else policy["apiVersion"]
        by_generation.setdefault(generation, {}).setdefault(spec.get("priority", 0), []).append(answers)
    found: list[set[str]] = []
    for numbers in by_generation.values():
        deciding: set[str] = set()
        for number in sorted(numbers):
            together = at_once(numbers[number])
            deciding |= together - {"none"}
            if "none" not in together:
                break
        else:
            deciding.add("none")
        found.append(deciding)
    return at_once(found)


def at_once(answers: list[set[str]]) -> set[str]:
    """Any that matches may be the one that decides; none does only if none matches."""
    found = {action for actions in answers for action in actions if action != "none"}
    return found | ({"none"} if all("none" in actions for actions in answers) else set())


def tier_of(policy: Object) -> str | None:
    if policy["kind"] == "AdminNetworkPolicy":
        return "Admin"
    if policy["kind"] == "BaselineAdminNetworkPolicy":
        return "Baseline"
    return policy["spec"]["tier"] if policy["kind"] == "ClusterNetworkPolicy" else None


def takes_in(objects: list[Object], subject: Object, pod: Any) -> bool:
    if pod["spec"].get("hostNetwork") or finished(pod):
        return False
    return labels_match(objects, subject, pod)


def labels_match(objects: list[Object], item: Object, pod: Any) -> bool:
    """Whether `namespaces` or `pods` of a subject or peer matches this pod."""
    of_namespace = namespace_labels(objects, pod["metadata"]["namespace"])
    if "namespaces" in item:
        return selector_matches(item["namespaces"], of_namespace)
    both = item["pods"]
    return selector_matches(both.get("namespaceSelector") or {}, of_namespace) and selector_matches(
        both["podSelector"], labels_of(pod)
    )


def first_match(
    objects: list[Object], rules: list[Object], subject: Any, other: Any, direction: str, **there: Any
) -> set[str]:
    """The actions of the rules that may be the first to match; "none" if it may be that no rule does."""
    found = set()
    for rule in rules:
        peers = rule["from" if direction == "Ingress" else "to"]
        matches = {tier_peer_matches(objects, peer, subject, other) for peer in peers}
        if not tier_port_matches(rule.get("protocols") or rule.get("ports"), **there) or matches == {"no"}:
            continue
        found.add(rule["action"])
        if "yes" in matches:
            return found
    return found | {"none"}


def tier_peer_matches(objects: list[Object], peer: Object, subject: Any, other: Any) -> str:
    pod = is_pod(other)
    if "domainNames" in peer:
        return "no" if pod else "unknown"
    if "networks" in peer:
        address = address_of(other)
        if address is None:
            return "unknown"
        return "yes" if any(lies_in(address, cidr) for cidr in peer["networks"]) else "no"
    if "nodes" in peer:
        return "no" if pod else node_matches(objects, peer["nodes"], address_of(other))
    if not pod or finished(other) or other["spec"].get("hostNetwork"):
        return "no"
    wrapped = peer.get("pods", {}).get("namespaces") or peer.get("namespaces", {})
    if not wrapped.keys() & {"namespaceSelector", "sameLabels", "notSameLabels"}:
        return "yes" if labels_match(objects, peer, other) else "no"
    if "pods" in peer and not selector_matches(peer["pods"]["podSelector"], labels_of(other)):
        return "no"
    own, theirs = (namespace_labels(objects, end["metadata"]["namespace"]) for end in (subject, other))
    if "namespaceSelector" in wrapped:
        return "yes" if selector_matches(wrapped["namespaceSelector"], theirs) else "no"
    keys = wrapped.get("sameLabels") or wrapped.get("notSameLabels") or []
    if not keys or any(key not in theirs for key in keys):
        return "no"
    same = all(theirs[key] == own.get(key) for key in keys)
    return "yes" if same == ("sameLabels" in wrapped) else "no"


def node_matches(objects: list[Object], selector: Object, address: str | None) -> str:
    nodes = [item for item in objects if item["kind"] == "Node"]
    if not nodes:
        return "unknown"
    for node in nodes:
        addresses = [entry["address"] for entry in node["status"]["addresses"]]
        if address in addresses and selector_matches(selector, labels_of(node)):
            return "yes"
    return "no"


def tier_port_matches(items: list[Object] | None, *, destination: Any, port: int, protocol: str) -> bool:
    if not items:
        return True
    for item in items:
        name = item.get("namedPort") or item.get("destinationNamedPort")
        if name:
            if port in numbers_named(destination, name, protocol):
                return True
            continue
        if "portNumber" in item or "portRange" in item:
            limits = item.get("portNumber") or item["portRange"]
            wanted = limits.get("protocol") or "TCP"
        else:
            ((wanted, inner),) = item.items()
            limits = inner["destinationPort"].get("range") or inner["destinationPort"]
        number = limits.get("number") or limits.get("port")
        first, last = (number, number) if number else (limits["start"], limits["end"])
        if wanted.upper() == protocol and first <= port <= last:
            return True
    return False
