"""All findings about a pod, a policy, a namespace's policies, a connection, or everything that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.lint import tiers
from kubectl_netpol.lint.blocks import blocks_with_pods, nodes_in_except, open_to_world
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.finding import Finding, Severity
from kubectl_netpol.lint.negations import peers_without_key, selects_without_key
from kubectl_netpol.lint.paths import clients_behind_nodes, opens_replies, shut_off
from kubectl_netpol.lint.peers import split_peers, split_rules, unmatched_peers
from kubectl_netpol.lint.pods import pod_without_dns, without_default_deny, without_dns
from kubectl_netpol.lint.ports import impossible_ports, mistaken_ports
from kubectl_netpol.lint.redundancy import redundant
from kubectl_netpol.lint.replies import probable_reply
from kubectl_netpol.lint.selection import controller_labels, misses_by_a_slip, on_host_network, selects_nothing
from kubectl_netpol.lint.types import contradicting_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.analysis.isolation import Explanation
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.engine.verdict import Note
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


def all_findings(context: Context, namespace: str | None = None) -> list[Finding]:
    """About every policy, or those of one namespace; and about the pods there."""
    snapshot = context.snapshot
    policies = snapshot.policies if namespace is None else snapshot.policies_in(namespace)
    findings = [one for policy in policies for one in policy_findings(context, policy)]
    if namespace is None:
        findings += [one for policy in snapshot.tiered for one in _of_tier(context, policy)]
    namespaces = snapshot.pod_namespaces if namespace is None else (namespace,)
    for name in namespaces:
        if not snapshot.gap("pods", name):
            findings += without_dns(context, name)
            findings += shut_off(context, name)
    findings += without_default_deny(context, namespaces)
    return list(dict.fromkeys(findings))


def policy_findings(context: Context, policy: Policy) -> list[Finding]:
    """About one NetworkPolicy by itself, and beside the others of its namespace."""
    findings = [*contradicting_types(policy, context.snapshot.plugin), *controller_labels(context, policy)]
    if context.snapshot.gap("pods", policy.namespace):
        return findings
    findings += selects_nothing(context, policy)
    if not context.selected(policy):
        return findings
    findings += on_host_network(context, policy)
    findings += misses_by_a_slip(context, policy)
    findings += selects_without_key(context, policy)
    for direction in policy.directions:
        findings += split_rules(policy, direction)
        for rule in policy.rules_of(direction):
            findings += split_peers(context, policy, rule)
            findings += unmatched_peers(context, policy, rule)
            findings += mistaken_ports(context, policy, rule)
            findings += blocks_with_pods(context, policy, rule)
            findings += nodes_in_except(context, policy, rule)
            findings += open_to_world(context, policy, rule)
            findings += opens_replies(context, policy, rule)
            findings += clients_behind_nodes(context, policy, rule)
            findings += peers_without_key(context, policy, rule)
    findings += redundant(context, policy)
    return findings


def _of_tier(context: Context, policy: Policy) -> Iterator[Finding]:
    yield from controller_labels(context, policy)
    for rule in policy.rules:
        yield from impossible_ports(policy, rule)
    yield from tiers.selects_nothing(context, policy)
    if not context.selected(policy):
        return
    yield from tiers.same_priority(context, policy)
    yield from tiers.unreachable_rules(context, policy)
    yield from selects_without_key(context, policy)
    for rule in policy.rules:
        yield from unmatched_peers(context, policy, rule)
        yield from mistaken_ports(context, policy, rule)
        yield from peers_without_key(context, policy, rule)


def pod_warnings(snapshot: Snapshot, explanation: Explanation, context: Context | None = None) -> list[Finding]:
    """About the policies that select the pod, and its access to DNS; no advice. `context`: to ask for several pods."""
    context = context or Context(snapshot)
    own = [policy for policy in explanation.selected_by if policy.kind == "NetworkPolicy"]
    findings = [one for policy in own for one in policy_warnings(context, policy) if one.code is not Code.HOST_NETWORK]
    if explanation.pod.host_network:
        findings = [*(one for policy in own for one in on_host_network(context, policy)), *findings]
    return list(dict.fromkeys([*findings, *pod_without_dns(snapshot, explanation.pod)]))


def namespace_warnings(context: Context, namespace: str) -> list[Finding]:
    """About the policies of a namespace; no advice."""
    return [one for policy in context.snapshot.policies_in(namespace) for one in policy_warnings(context, policy)]


def connection_warnings(snapshot: Snapshot, prediction: Prediction) -> list[Finding | Note]:
    """About the policies behind the verdict, and that it is a reply; none where the connection is allowed."""
    if prediction.verdict is Verdict.ALLOWED:
        return []
    policies = {policy.key: policy for side in (prediction.egress, prediction.ingress) for policy in side.isolated_by}
    own = [policy for policy in policies.values() if policy.kind == "NetworkPolicy"]
    context = Context(snapshot, partial=True)
    found: list[Finding | Note] = [*probable_reply(snapshot, prediction)]
    return list(dict.fromkeys([*found, *(one for policy in own for one in policy_warnings(context, policy))]))


def policy_warnings(context: Context, policy: Policy) -> list[Finding]:
    """About one policy of the snapshot; no advice."""
    if id(policy) not in context.warnings:
        found = policy_findings(context, policy)
        context.warnings[id(policy)] = [one for one in found if one.severity is not Severity.INFO]
    return context.warnings[id(policy)]
