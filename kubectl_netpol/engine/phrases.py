"""Peers, ports, positions and near misses as text, in the terms of `kubectl describe networkpolicy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.verdict import Connection, Miss, NearMiss, RulePart
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import protocols_text
from kubectl_netpol.model.selectors import selector_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.engine.verdict import RuleMatch
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Peer, Policy, Rule


def peer_text(peer: Peer | None, policy: Policy, direction: Direction | None = None) -> str:
    """A peer of the policy: "pods run=san", "all pods in shop", "pods app=x in namespaces team=a", "10.0.0.0/8".

    None is a rule without peers: "everyone", and "anywhere" for egress.
    """
    if peer is None:
        return "anywhere" if direction is Direction.EGRESS else "everyone"
    if peer.unreadable:
        return f"a peer that can't be evaluated ({peer.unreadable})"
    if not peer.selects_pods:
        return _addresses_text(peer)
    pods = selector_text(peer.pod_selector) if peer.pod_selector else ""
    who = f"pods {pods}" if pods else "all pods"
    if peer.selects_by_own_namespace:
        keys = peer.same_labels or peer.other_labels
        which = "the same" if peer.same_labels else "another"
        return f"{who} in namespaces with {which} {', '.join(keys)}" if keys else "no pods"
    if peer.namespace_selector is None:
        return who if pods else f"{who} in {policy.namespace}"
    if name := peer.one_namespace:
        return f"{who} in {name}"
    namespaces = selector_text(peer.namespace_selector)
    return f"{who} in namespaces {namespaces}" if namespaces else f"{who} in all namespaces"


def _addresses_text(peer: Peer) -> str:
    if peer.domain_names:
        return ", ".join(peer.domain_names)
    if peer.node_selector is not None:
        nodes = selector_text(peer.node_selector)
        return f"nodes {nodes}" if nodes else "all nodes"
    return ", ".join(
        f"{block.cidr} except {', '.join(block.except_)}" if block.except_ else block.cidr for block in peer.blocks
    )


def rule_ports_text(rule: Rule, pod: Pod | None = None) -> str:
    """A rule's ports: "TCP 80,443", "TCP http (8080), UDP 53", "all ports". Names are looked up on the pod."""
    if not rule.ports:
        return "all ports"
    return protocols_text(rule.ports, pod)


def position_text(direction: Direction, rule: int | None, peer: int | None = None) -> str:
    """The path in the spec: "ingress[0]", "ingress[0].from[1]"."""
    text = f"{direction.field}[{rule}]"
    return text if peer is None else f"{text}.{direction.peers_field}[{peer}]"


def where_text(rule: Rule, peer: int | None = None) -> str:
    """The rule's path in the object: "ingress[0].from[1]", "ingressDeny[0]"."""
    return rule.path or position_text(rule.direction, rule.position, peer)


def policy_text(policy: Policy) -> str:
    """The policy with what orders it: "web", "adminnetworkpolicy.policy.networking.k8s.io/a (Admin, priority 5)"."""
    if policy.place:
        order = "last" if policy.place.order is None else f"order {policy.place.order:g}"
        return f"{policy.title} (tier {policy.place.tier}, {order})"
    if policy.tier is None:
        return policy.title
    priority = "" if policy.kind == "BaselineAdminNetworkPolicy" else f", priority {policy.priority}"
    return f"{policy.title} ({policy.tier.value}{priority})"


def match_text(match: RuleMatch) -> str:
    """The rule by its policy, position and name: "web ingress[0].from[1]"."""
    where = where_text(match.rule, match.peer)
    return f"{match.policy.title} {where}{rule_name_text(match.rule)}"


def rule_name_text(rule: Rule) -> str:
    """The name that a rule of a tier may have, in quotes after a space: it can be any text, of any number of lines."""
    name = rule.name.replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"')
    return f' "{name}"' if name else ""


def miss_text(miss: Miss, connection: Connection | None = None) -> str:
    """Why a part of a rule does not match: "requires label run=san, pod has run=sam"."""
    dialled = connection and connection.dialled
    required, found = miss.required, miss.found
    if miss.part is RulePart.POD:
        return f"requires label {required}, pod has {found}"
    if miss.part is RulePart.NAMESPACE:
        if "=" not in found and not found.startswith("no "):
            return f"requires a pod in namespace {required}, this one is in {found}"
        return f"requires namespace label {required}, namespace has {found}"
    if miss.part is RulePart.PORT_NAME:
        protocol = f"{connection.protocol} " if connection else ""
        return f"requires port {required}, {found} has no {protocol}port of that name"
    if miss.part is RulePart.CONDITION and not found:
        return required
    if miss.part is not RulePart.PORT:
        return f"requires {required}, not {found}"
    mapped = ""
    if connection and dialled and str(dialled.port) != found:
        whose = "pod" if connection.destination.pod else "endpoint"
        mapped = f" (the Service's {dialled.port} is the {whose}'s {found})"
    return f"requires port {required}, not {found}{mapped}"


def near_miss_text(near: NearMiss, connection: Connection | None = None) -> str:
    return "; ".join(miss_text(miss, connection) for miss in near.misses)


def names_text(names: Sequence[str], limit: int = 5) -> str:
    """The first names, and how many more there are: "a, b and 3 more"."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 pod", "3 pods", "2 policies"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
