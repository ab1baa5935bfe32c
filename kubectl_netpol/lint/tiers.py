"""Findings about the policies of tiers: whom they select, equal priorities, rules that nothing reaches."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.phrases import policy_text, where_text
from kubectl_netpol.engine.verdict import Connection, End
from kubectl_netpol.lint.context import pods_text
from kubectl_netpol.lint.cover import covers_rule, covers_selector
from kubectl_netpol.lint.finding import Finding, Severity, found
from kubectl_netpol.model.policies import Direction, Policy, Rule
from kubectl_netpol.model.ports import PortRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context, PodClass
    from kubectl_netpol.model.objects import Pod


def selects_nothing(context: Context, policy: Policy) -> Iterator[Finding]:
    """A policy of a tier that selects no pod: advice, since it may be there before its namespaces."""
    snapshot = context.snapshot
    if context.partial or policy.unreadable or snapshot.gap("pods", None) or snapshot.gap("namespaces", None):
        return
    if context.selected(policy) or not all(snapshot.namespace(name).complete for name in snapshot.pod_namespaces):
        return
    if not context.can_tell(policy.pod_selector, snapshot.pod_namespaces):
        return
    message = f"{policy.title} selects no pod"
    fix = "compare its subject with the labels of namespaces and pods"
    yield found(Code.POLICY_SELECTS_NOTHING, Severity.INFO, policy, "spec.subject", message, fix=fix)


def same_priority(context: Context, policy: Policy) -> Iterator[Finding]:
    """Policies of the same kind, tier and priority that select the same pods; the later one is found."""
    if policy.kind == "BaselineAdminNetworkPolicy" or context.snapshot.plugin:
        return
    for other in takewhile(lambda one: one is not policy, context.snapshot.tiered):
        if (other.kind, other.tier, other.priority) != (policy.kind, policy.tier, policy.priority):
            continue
        if not set(other.directions) & set(policy.directions):
            continue
        theirs = context.numbers(other)
        shared = [one for one in context.selected(policy) if one.number in theirs]
        if not shared:
            continue
        undecided = _undecided(context, shared, (policy, other))
        message = f"{policy_text(policy)} and {other.name} have the same priority and select the same pods"
        message += f": which one decides is not defined ({undecided})" if undecided else ""
        severity = Severity.WARNING if undecided else Severity.INFO
        proof = (f"both select {pods_text(shared)}",)
        fix = "give each its own priority"
        yield found(Code.SAME_PRIORITY, severity, policy, "spec.priority", message, proof=proof, fix=fix)


def _undecided(context: Context, shared: list[PodClass], policies: tuple[Policy, Policy]) -> str:
    """A connection whose verdict the engine leaves open because of the two, or ""."""
    for one in shared[:5]:
        for rule in (rule for policy in policies for rule in policy.rules):
            for connection in _connections(context, one, policies, rule):
                verdict = evaluate(context.snapshot, connection, near=False)
                if verdict.reason and verdict.reason.code is Code.EQUAL_PRIORITIES:
                    source, destination = connection.source.title, connection.destination.title
                    return f"{source} to {destination}, {connection.protocol} {connection.port}"
    return ""


def _connections(context: Context, one: PodClass, policies: tuple[Policy, Policy], rule: Rule) -> Iterator[Connection]:
    """One connection for each pod that a peer of the rule matches, the first few."""
    ports = [(item.protocol, item.first) for item in rule.ports if isinstance(item, PortRange)] or [("TCP", 1)]
    own = End(pod=_there(one), address=next(iter(one.pod.ips), None))
    for peer in rule.peers:
        if not peer.selects_pods:
            continue
        for other in context.matched(policies[0], peer).classes[:3]:
            there = End(pod=_there(other), address=next(iter(other.pod.ips), None))
            ends = (there, own) if rule.direction is Direction.INGRESS else (own, there)
            for protocol, port in ports:
                yield Connection(*ends, protocol, port)


def _there(one: PodClass) -> Pod:
    return one.pod if one.pod.ips else one.pod._replace(planned=True)


def unreachable_rules(context: Context, policy: Policy) -> Iterator[Finding]:
    """Rules of a tier that an earlier one, of this policy or of one that is asked before it, always decides first."""
    if policy.unreadable or context.snapshot.plugin:
        return
    before = [
        other
        for other in context.snapshot.tiered
        if (other.kind, other.tier) == (policy.kind, policy.tier)
        and other.priority < policy.priority
        and not other.unreadable
        and covers_selector(other.namespace_selector, policy.namespace_selector)
        and covers_selector(other.pod_selector, policy.pod_selector)
    ]
    for rule in policy.rules:
        own = [(policy, one) for one in policy.rules_of(rule.direction) if one.position < rule.position]
        earlier = [*((other, one) for other in before for one in other.rules_of(rule.direction)), *own]
        for other, one in earlier:
            if covers_rule(one, rule):
                where = where_text(rule)
                first = f"{'' if other is policy else f'{other.title} '}{where_text(one)}"
                message = f"{policy.title} {where} is never reached: {first} decides first ({one.action.value})"
                fix = "remove it, or move it up"
                yield found(Code.UNREACHABLE_RULE, Severity.WARNING, policy, f"spec.{where}", message, fix=fix)
                break
