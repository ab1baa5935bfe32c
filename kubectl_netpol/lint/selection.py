"""Findings about whom a policy selects: no pod, labels that a controller sets, pods on the host network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, where_text
from kubectl_netpol.lint.context import GENERATION_LABELS, JOB_NAME_LABELS, REPLICA_LABELS, pods_text
from kubectl_netpol.lint.finding import Edit, Finding, Repair, Severity, found
from kubectl_netpol.lint.meant import meant
from kubectl_netpol.model.objects import Owner
from kubectl_netpol.model.selectors import LabelSelector, Operator, requirement_text, selector_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context
    from kubectl_netpol.lint.meant import Meant
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.selectors import Requirement


def selects_nothing(context: Context, policy: Policy) -> Iterator[Finding]:
    """A NetworkPolicy that selects no pod of its namespace."""
    if context.selected(policy) or context.snapshot.gap("pods", policy.namespace):
        return
    there = context.classes_in(policy.namespace)
    if not context.can_tell(policy.pod_selector, (policy.namespace,)):
        return
    code, path = Code.POLICY_SELECTS_NOTHING, "spec.podSelector"
    if not there:
        message = f"{policy.name} selects no pod ({selector_text(policy.pod_selector) or 'the namespace has no pods'})"
        proof = (f"{'there are' if context.complete else 'the files have'} no pods in namespace {policy.namespace}",)
        yield found(code, Severity.INFO, policy, path, message, proof=proof, fix="check the namespace")
        return
    nearly = context.nearly_matched(policy.namespace, policy.pod_selector)
    right = meant(policy.pod_selector, [one.pod.labels for one in nearly])
    hint = right.text if right else unseen_text(context)
    message = f"{policy.name} selects no pod ({selector_text(policy.pod_selector)}){hint}"
    severity = Severity.ERROR if context.complete or right else Severity.INFO
    repair = _repair(policy, right) if right else None
    fix = f"write {selector_text(LabelSelector((right.right,)))}" if right else "compare it with the pods' labels"
    yield found(code, severity, policy, path, message, proof=(pods_text(there),), fix=fix, repair=repair)


def unseen_text(context: Context) -> str:
    """What may make the pods that are missed, or ""."""
    return f"; the pods that {names_text(context.unseen)} makes are not seen" if context.unseen else ""


def _repair(policy: Policy, right: Meant) -> Repair:
    edits = label_edits(right, "spec.podSelector")
    return Repair(edits, policy._replace(pod_selector=right.applied(policy.pod_selector)))


def label_edits(right: Meant, path: str) -> tuple[Edit, ...]:
    """The edit of the selector at this path that changes one entry of its matchLabels."""
    at = f"{path}.matchLabels[{right.wrong.key}]"
    if right.wrong.key != right.right.key:
        return (Edit("rename", at, right.right.key),)
    return (Edit("replace", at, right.right.values[0]),)


def misses_by_a_slip(context: Context, policy: Policy) -> Iterator[Finding]:
    """Pods that the policy misses by one label, spelt nearly alike, beside those that it selects."""
    selected = context.numbers(policy)
    for one in context.nearly_matched(policy.namespace, policy.pod_selector):
        if one.number in selected or not (right := meant(policy.pod_selector, [one.pod.labels])):
            continue
        wrong, has = requirement_text(right.wrong), requirement_text(right.right)
        message = f"{policy.name} selects {wrong} and misses {one.pod.key}, which has {has}"
        fix = "correct the label of one of the two, if they belong together"
        yield found(Code.POLICY_MISSES_POD, Severity.INFO, policy, "spec.podSelector", message, fix=fix)


def controller_labels(context: Context, policy: Policy) -> Iterator[Finding]:
    """Selectors by labels that only a controller sets, of the policy and of its peers."""
    own = policy.namespace or None
    selectors = [("spec.podSelector" if policy.tier is None else "spec.subject", policy.pod_selector, own)]
    for rule in policy.rules:
        for index, peer in enumerate(rule.peers):
            if peer.pod_selector is not None:
                there = own if peer.namespace_selector is None else None
                selectors.append((f"spec.{where_text(rule, index)}", peer.pod_selector, there))
    for path, selector, namespace in selectors:
        for requirement in selector.requirements:
            if wrong := _controller_label(context, requirement, namespace):
                severity, text, fix = wrong
                yield found(Code.CONTROLLER_LABEL, severity, policy, path, f"{policy.title} {text}", fix=fix)


def _controller_label(
    context: Context, requirement: Requirement, namespace: str | None
) -> tuple[Severity, str, str] | None:
    """Why a label that a controller sets is no good to select by, and what to do; nothing for one's own label."""
    key = requirement.key
    if requirement.operator is not Operator.IN:
        return None
    if key in GENERATION_LABELS:
        fix = "select by the labels of the workload's template"
        return Severity.WARNING, f"selects by {key}, which is another one after the next rollout", fix
    if key in JOB_NAME_LABELS:
        return _job_name(context, requirement, namespace)
    if key in REPLICA_LABELS:
        text = f"selects single pods by {key}: others of their workload, now or later, are not"
        return Severity.INFO, text, "to select all of them, leave the label out"
    return None


def _job_name(context: Context, requirement: Requirement, namespace: str | None) -> tuple[Severity, str, str] | None:
    """What is wrong with the names of Jobs in a namespace, or (None) in any; nothing if each is there by itself."""
    there = [one for one in context.snapshot.workloads if namespace in (None, one.namespace)]
    jobs = {job.name: job.template.owner for job in there if job.kind == "Job"}
    if all(name in jobs and jobs[name] in (None, Owner("Job", name)) for name in requirement.values):
        return None
    fix = "select by the labels of the Job's template"
    makers = [one.name for one in there if one.kind == "CronJob" and one.name not in jobs]
    wrong = [name for name in requirement.values if name in makers]
    if len(wrong) == len(requirement.values):
        name = wrong[0]
        text = f"matches no pod by {requirement_text(requirement)}: CronJob {name} names its Jobs {name}-NUMBER"
        return Severity.WARNING, text, fix
    text = f"selects the pods of single Jobs by {requirement.key}: those of other Jobs, now or later, are not"
    return Severity.INFO, text, fix


def on_host_network(context: Context, policy: Policy) -> Iterator[Finding]:
    """A NetworkPolicy that selects pods on the host network: advice for one that selects every pod."""
    hosts = [one for one in context.selected(policy) if one.pod.host_network]
    if not hosts or context.snapshot.plugin:
        return
    names = names_text([one.pod.name for one in hosts])
    verb = "uses" if len(hosts) == 1 else "use"
    message = f"{names} {verb} the host network: the API leaves open whether {policy.name} applies"
    fix = "don't rely on it: most plugins take such pods for their node"
    severity = Severity.WARNING if policy.pod_selector.requirements else Severity.INFO
    yield found(Code.HOST_NETWORK, severity, policy, "spec.podSelector", message, fix=fix)
