"""Rules of Cilium's in words, and what keeps one from matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.engine.verdict import Miss, RulePart
from kubectl_netpol.model.cilium import (
    NAMESPACE,
    NAMESPACE_LABELS,
    CiliumPort,
    Endpoints,
    Entity,
    NodesWith,
    NotEvaluated,
)
from kubectl_netpol.model.policies import IPBlock
from kubectl_netpol.model.ports import LAST_PORT
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, selector_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.engine.cilium_ends import Labels
    from kubectl_netpol.engine.conditions import Seen
    from kubectl_netpol.model.cilium import CiliumPeer, CiliumRule, PortItem
    from kubectl_netpol.model.objects import Pod


def peer_text(peer: CiliumPeer) -> str:
    """As in `phrases`: "pods app=web in shop", "entity world", "10.0.0.0/8 outside the cluster"."""
    if isinstance(peer, Entity):
        return "everyone" if peer is Entity.ALL else f"entity {peer.value}"
    if isinstance(peer, IPBlock):
        excepted = f" except {', '.join(peer.except_)}" if peer.except_ else ""
        return f"{peer.cidr}{excepted} outside the cluster"
    if isinstance(peer, NotEvaluated):
        return peer.what
    if isinstance(peer, NodesWith):
        return f"nodes {selector_text(_plain(peer.selector))}".rstrip()
    return _endpoints_text(peer)


def _endpoints_text(peer: Endpoints) -> str:
    own, spaces, where = [], [], ""
    for requirement in peer.selector.requirements:
        name = requirement.key.partition(":")[2]
        if name == NAMESPACE and requirement.operator is Operator.IN and not where:
            where = f" in {' or '.join(requirement.values)}"
        elif name == NAMESPACE and requirement.operator is Operator.EXISTS and not where:
            where = " in all namespaces"
        elif name.startswith(NAMESPACE_LABELS):
            spaces.append(requirement._replace(key=name.removeprefix(NAMESPACE_LABELS)))
        else:
            own.append(requirement)
    pods = selector_text(_plain(LabelSelector(tuple(own))))
    who = "ends" if any(r.key.startswith("reserved:") for r in own) else "pods"
    text = f"{who} {pods}" if pods else f"all {who}"
    if spaces:
        where += f" in namespaces {selector_text(LabelSelector(tuple(spaces)))}"
    return f"{text}{where}"


def _plain(selector: LabelSelector) -> LabelSelector:
    """With the keys as they are usually written: without the sources of a pod's labels."""
    return LabelSelector(tuple(r._replace(key=_plain_key(r)) for r in selector.requirements))


def _plain_key(requirement: Requirement) -> str:
    source, _, name = requirement.key.partition(":")
    return name if source in ("any", "k8s") else requirement.key


def items_text(items: Sequence[PortItem]) -> str:
    """As in `phrases`, with the protocol as Cilium has it: "TCP 80,443, ANY 53", "TCP 80 (http)"."""
    texts = []
    for item in items:
        by_protocol: dict[str, list[str]] = {}
        for port in item.ports:
            by_protocol.setdefault(port.protocol or "ANY", []).append(_port_text(port))
        text = ", ".join(f"{protocol} {','.join(found)}" for protocol, found in by_protocol.items()) or "no port"
        texts.append(f"{text} ({item.content})" if item.content else text)
    return ", ".join(texts)


def _port_text(port: CiliumPort) -> str:
    if port.name:
        return port.name
    if (port.first, port.last) == (1, LAST_PORT):
        return "any port"
    return str(port.first) if port.first == port.last else f"{port.first}-{port.last}"


def port_miss(rule: CiliumRule, protocol: str, port: int) -> Miss:
    """Why no port of the rule covers this one."""
    if rule.icmps:
        return Miss(RulePart.PROTOCOL, "ICMP", protocol)
    ports = [found for item in rule.items or () for found in item.ports]
    if not any(found.protocol in (None, protocol) for found in ports):
        return Miss(RulePart.PROTOCOL, names_text([found.protocol or "" for found in ports]) or "no port", protocol)
    return Miss(RulePart.PORT, items_text(rule.items or ()), str(port))


def label_misses(selector: LabelSelector, labels: Labels, pod: Pod) -> Iterator[Miss]:
    for requirement in selector.requirements:
        if requirement.matches(labels):  # type: ignore[arg-type] # it asks for `get` only
            continue
        name = requirement.key.partition(":")[2]
        value = labels.get(requirement.key)
        if name == NAMESPACE and requirement.operator is Operator.IN:
            yield Miss(RulePart.NAMESPACE, " or ".join(requirement.values), pod.namespace)
            continue
        of_namespace = name.startswith(NAMESPACE_LABELS)
        shown = requirement._replace(
            key=name.removeprefix(NAMESPACE_LABELS) if of_namespace else _plain_key(requirement)
        )
        found = f"no label {shown.key}" if value is None else f"{shown.key}={value}"
        if value is None and not of_namespace and shown.key in pod.labels:
            found = f"{shown.key}={pod.labels[shown.key]}, which does not count"
        part = RulePart.NAMESPACE if of_namespace else RulePart.POD
        yield Miss(part, selector_text(LabelSelector((shown,))), found)


def names_pod(selector: LabelSelector, labels: Labels) -> bool:
    """Whether the selector requires values of a pod's own labels, and these are all there."""
    own = [
        requirement
        for requirement in selector.requirements
        if not requirement.key.partition(":")[2].startswith((NAMESPACE, NAMESPACE_LABELS))
    ]
    listed = any(requirement.operator is Operator.IN for requirement in own)
    return listed and all(requirement.matches(labels) for requirement in own)  # type: ignore[arg-type] # as above


def end_text(peers: Sequence[CiliumPeer], seen: Seen) -> str:
    """The other end, and what it is to Cilium."""
    title = seen.pod.key if seen.pod else f"node {seen.node.name}" if seen.node else seen.address or "a host name"
    if not any(isinstance(peer, IPBlock) for peer in peers) or not (seen.pod or seen.node):
        return title
    kind = "a node" if seen.node or (seen.pod and seen.pod.host_network) else "a pod"
    return f"{title}: a CIDR never matches {kind}"
