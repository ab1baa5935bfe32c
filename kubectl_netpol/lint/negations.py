"""Findings about selectors with NotIn, which match what has no such label too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, where_text
from kubectl_netpol.lint.finding import Finding, Severity, found
from kubectl_netpol.model.selectors import Operator, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kubectl_netpol.lint.context import Context
    from kubectl_netpol.model.policies import Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector

Labelled = tuple[str, "Mapping[str, str]"]


def selects_without_key(context: Context, policy: Policy) -> Iterator[Finding]:
    """Of the policy's own selector."""
    pods = [(one.pod.key, one.pod.labels) for one in context.selected(policy)]
    path = "spec.podSelector" if policy.tier is None else "spec.subject"
    yield from _findings(policy, policy.title, path, policy.pod_selector, pods)


def peers_without_key(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Of the selectors of the rule's peers."""
    for index, peer in enumerate(rule.peers):
        if not peer.selects_pods or peer.selects_by_own_namespace:
            continue
        where = where_text(rule, index)
        matched = context.matched(policy, peer).classes
        namespaces = dict.fromkeys(one.pod.namespace for one in matched)
        listed = [(f"namespace {name}", context.snapshot.namespace(name).labels) for name in namespaces]
        for selector, found_by in (
            (peer.namespace_selector, listed),
            (peer.pod_selector, [(one.pod.key, one.pod.labels) for one in matched]),
        ):
            yield from _findings(policy, f"{policy.title} {where}", f"spec.{where}", selector, found_by)


def _findings(
    policy: Policy, title: str, path: str, selector: LabelSelector | None, matched: Iterable[Labelled]
) -> Iterator[Finding]:
    """One for each NotIn by which something is matched that has no such label at all."""
    for one in selector.requirements if selector else ():
        if one.operator is not Operator.NOT_IN:
            continue
        without = [name for name, labels in matched if one.key not in labels]
        if without:
            text = names_text(without, 3)
            verb = "has" if len(without) == 1 else "have"
            message = f"{title}: {requirement_text(one)} matches {text} too, which {verb} no label {one.key}"
            fix = f"if it should not, add {{key: {one.key}, operator: Exists}} to matchExpressions"
            yield found(Code.NOT_IN_WITHOUT_KEY, Severity.INFO, policy, path, message, fix=fix)
