"""Findings about peers: an extra dash that splits a rule or a peer, and peers that match no pod."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from kubectl_netpol.connection.dns import DNS_PORT
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, peer_text, position_text, where_text
from kubectl_netpol.lint.context import pods_text
from kubectl_netpol.lint.finding import Edit, Finding, Repair, Severity, found
from kubectl_netpol.lint.meant import meant
from kubectl_netpol.lint.selection import label_edits, unseen_text
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context
    from kubectl_netpol.lint.meant import Meant
    from kubectl_netpol.model.policies import Peer, Policy, Rule


def split_rules(policy: Policy, direction: Direction) -> Iterator[Finding]:
    """A rule with peers only, followed by one with ports only: an extra dash before `ports`."""
    rules = policy.rules_of(direction)
    for first, second in itertools.pairwise(rules):
        if first.peers and not first.ports and second.ports and not second.peers and not _is_dns(second):
            here, there = (position_text(rule.direction, rule.position) for rule in (first, second))
            message = (
                f"{policy.name}: {here} allows its peers on every port, and {there} its ports for everyone: "
                "probably meant as one rule (remove the dash before ports)"
            )
            joined = first._replace(ports=second.ports)
            rest = [rule for rule in policy.rules if rule is not second]
            rules_now = _renumbered(joined if rule is first else rule for rule in rest)
            repair = Repair((Edit("join", f"spec.{there}"),), policy._replace(rules=rules_now))
            fix = "remove the dash before ports"
            yield found(Code.SPLIT_RULE, Severity.WARNING, policy, f"spec.{there}", message, fix=fix, repair=repair)


def _is_dns(rule: Rule) -> bool:
    """Port 53 alone is let out to everyone on purpose: what answers there is not known by labels."""
    numbers = [(item.first, item.last) if isinstance(item, PortRange) else None for item in rule.ports]
    return rule.direction is Direction.EGRESS and set(numbers) == {(DNS_PORT, DNS_PORT)}


def _renumbered(rules: Iterator[Rule]) -> tuple[Rule, ...]:
    """The rules with the positions that they have in what is left."""
    counted: dict[Direction, int] = {}
    renumbered = []
    for rule in rules:
        position = counted.get(rule.direction, 0)
        counted[rule.direction] = position + 1
        renumbered.append(rule._replace(position=position))
    return tuple(renumbered)


def without_rule(policy: Policy, gone: Rule) -> Policy:
    return policy._replace(rules=_renumbered(rule for rule in policy.rules if rule is not gone))


def split_peers(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """A peer with a namespaceSelector only, followed by one with a podSelector only: an extra dash between them.

    An empty podSelector is meant: the policy's own namespace, and another one.
    """
    for index, (first, second) in enumerate(itertools.pairwise(rule.peers)):
        if first.namespace_selector is None or first.pod_selector is not None:
            continue
        if second.namespace_selector is not None or second.pod_selector is None or not second.pod_selector.requirements:
            continue
        here, there = (position_text(rule.direction, rule.position, peer) for peer in (index, index + 1))
        message = (
            f"{policy.name}: {here} matches {peer_text(first, policy)}, and {there} {peer_text(second, policy)}: "
            "either is enough; to require both, remove the dash before podSelector"
        )
        joined = first._replace(pod_selector=second.pod_selector)
        peers = (*rule.peers[:index], joined, *rule.peers[index + 2 :])
        repair = Repair((Edit("join", f"spec.{there}"),), _with_peers(policy, rule, peers))
        both = context.matched(policy, joined).classes
        proof = (f"both: {pods_text(both)}" if both else "no pod has both", *_alone(context, policy, first, second))
        fix = "remove the dash before podSelector if both were meant"
        yield found(
            Code.SPLIT_PEER, Severity.WARNING, policy, f"spec.{there}", message, proof=proof, fix=fix, repair=repair
        )


def _alone(context: Context, policy: Policy, first: Peer, second: Peer) -> Iterator[str]:
    """Who gets in by one of the two alone."""
    by_first, by_second = (context.matched(policy, peer).classes for peer in (first, second))
    numbers = {one.number for one in by_second}
    only = [one for one in by_first if one.number not in numbers]
    if only:
        yield f"by the namespaceSelector alone: {pods_text(only)}"


def _with_peers(policy: Policy, rule: Rule, peers: tuple[Peer, ...]) -> Policy:
    rules = tuple(one._replace(peers=peers) if one is rule else one for one in policy.rules)
    return policy._replace(rules=rules)


def unmatched_peers(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Peers with selectors that match no pod, unless some pods are unread; and a rule that has no others."""
    findings = [
        one
        for index, peer in enumerate(rule.peers)
        if peer.selects_pods and not (context.partial and peer.namespace_selector is not None)
        for one in _unmatched(context, policy, rule, index, peer)
    ]
    yield from findings
    nothing = [one for one in findings if one.code is not Code.HOST_NETWORK]
    unknown = any(peer.selects_pods and context.matched(policy, peer).unknown for peer in rule.peers)
    if len(rule.peers) > 1 and len(nothing) == len(rule.peers) and not unknown:
        milder = max((one.severity for one in nothing), key=lambda severity: severity.rank)
        where = where_text(rule)
        message = f"{policy.title} {where}: not one of its {len(rule.peers)} peers matches a pod"
        fix = "correct its peers, or remove the rule"
        yield found(Code.RULE_MATCHES_NOTHING, milder, policy, f"spec.{where}", message, fix=fix)


def _unmatched(context: Context, policy: Policy, rule: Rule, index: int, peer: Peer) -> Iterator[Finding]:
    matched = context.matched(policy, peer)
    wrong = _name_label(context, peer.namespace_selector) if peer.namespace_selector is not None else None
    if matched.unknown and wrong and not (matched.classes or matched.hosts or peer.unreadable):
        severity = Severity.WARNING if policy.tier is None else Severity.INFO
        yield _by_name(policy, rule, index, wrong, severity=severity, known=False)
    if matched.classes or matched.unknown or peer.unreadable:
        return
    reach = context.reach(policy, peer)
    if not context.can_tell(peer.pod_selector, reach):
        return
    where = where_text(rule, index)
    path = f"spec.{where}"
    text = peer_text(peer, policy)
    if matched.hosts:
        message = f"{policy.title} {where} matches pods on the host network alone: {text}"
        proof = (pods_text(matched.hosts),)
        fix = "most plugins see such pods as their node: name its addresses in an ipBlock"
        yield found(Code.PEER_MATCHES_NOTHING, Severity.WARNING, policy, path, message, proof=proof, fix=fix)
        return
    if wrong:
        yield _by_name(policy, rule, index, wrong, severity=_severity(context, policy, sure=True))
        return
    hint, right = _meant_pods(context, policy, peer, reach)
    severity = _severity(context, policy, sure=right is not None)
    pods = [one for name in reach for one in context.classes_in(name)]
    proof = (f"there are: {pods_text(pods)}" if pods else "no pod of such a namespace was read",)
    repair = None
    if right and peer.pod_selector is not None:
        changed = peer._replace(pod_selector=right.applied(peer.pod_selector))
        peers = (*rule.peers[:index], changed, *rule.peers[index + 1 :])
        repair = Repair(label_edits(right, f"{path}.podSelector"), _with_peers(policy, rule, peers))
    fix = f"write {requirement_text(right.right)}" if right else "compare it with the labels of pods and namespaces"
    message = f"{policy.title} {where} matches no pod: {text}{hint}"
    yield found(Code.PEER_MATCHES_NOTHING, severity, policy, path, message, proof=proof, fix=fix, repair=repair)


def _severity(context: Context, policy: Policy, *, sure: bool) -> Severity:
    """Only advice where the pods may be unread, and in a tier, whose rules often speak of what is to come.

    `sure`: what was meant is there, under another name.
    """
    if policy.tier is not None:
        return Severity.INFO
    return Severity.ERROR if context.complete or sure else Severity.INFO


def _meant_pods(context: Context, policy: Policy, peer: Peer, reach: tuple[str, ...]) -> tuple[str, Meant | None]:
    """The pods that a podSelector probably means: those of other namespaces, or those with a similar label."""
    selector = peer.pod_selector
    if selector is None:
        return "", None
    right = meant(selector, [one.pod.labels for name in reach for one in context.nearly_matched(name, selector)])
    if right:
        return right.text, right
    if peer.namespace_selector is None and selector.requirements and not context.partial:
        matching = {one.pod.namespace for one in context.classes() if selector.matches(one.pod.labels)}
        if matching:
            return f"; such pods are in {names_text(sorted(matching))}: add a namespaceSelector to the same peer", None
    del policy
    return unseen_text(context), None


def _name_label(context: Context, selector: LabelSelector) -> tuple[Requirement, str] | None:
    """A requirement that names a namespace by a label that no namespace of known labels has, and the namespace."""
    namespaces = context.snapshot.namespaces
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN or requirement.key == METADATA_NAME:
            continue
        named = [value for value in requirement.values if value in namespaces]
        if named and not any(requirement.key in namespace.labels for namespace in namespaces.values()):
            return requirement, named[0]
    return None


def _by_name(
    policy: Policy, rule: Rule, index: int, wrong: tuple[Requirement, str], *, severity: Severity, known: bool = True
) -> Finding:
    """`known`: all namespaces' labels are."""
    requirement, name = wrong
    where = where_text(rule, index)
    label = requirement_text(requirement)
    fix = f"to select namespace {name}, use {METADATA_NAME}: {name}"
    lacking = "no namespace has" if known else f"namespace {name} does not have"
    message = f"{policy.title} {where}: {lacking} the label {label}; {fix}"
    repair = None
    peer = rule.peers[index]
    if requirement.values == (name,) and peer.namespace_selector and policy.tier is None:
        right = Requirement(METADATA_NAME, Operator.IN, (name,))
        selector = LabelSelector(tuple(right if one == requirement else one for one in peer.namespace_selector[0]))
        changed = peer._replace(namespace_selector=selector)
        peers = (*rule.peers[:index], changed, *rule.peers[index + 1 :])
        at = f"spec.{where}.namespaceSelector.matchLabels[{requirement.key}]"
        repair = Repair((Edit("rename", at, METADATA_NAME),), _with_peers(policy, rule, peers))
    return found(
        Code.NAMESPACE_NAME_LABEL, severity, policy, f"spec.{where}", message, fix=fix, proof=(), repair=repair
    )
