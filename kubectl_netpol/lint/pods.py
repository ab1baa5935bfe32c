"""Findings about what policies leave pods: no way to DNS, and namespaces where some are isolated by none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.analysis.coverage import coverage
from kubectl_netpol.connection.dns import resolvers_blocked
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import isolating_policies, tiered_policies
from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.lint.finding import BY_CODE, Finding, Severity, Subject, subject_of
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.lint.context import Context
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


def without_dns(context: Context, namespace: str) -> Iterator[Finding]:
    """One finding for pods that the same policies isolate; where is the first of these."""
    groups: dict[object, list[Pod]] = {}
    plugin = plugin_of(context.snapshot)
    for one in context.classes_in(namespace):
        isolating = _deciding(context.snapshot, one.pod)
        if isolating:
            pod = one.pod
            key = tuple(map(id, isolating)), pod.dns_policy, pod.nameservers, pod.host_network
            groups.setdefault((key, plugin.class_of(pod) if plugin else None), []).extend([pod] * one.size)
    for pods in groups.values():
        yield from pod_without_dns(context.snapshot, pods[0], len(pods) - 1)


def _deciding(snapshot: Snapshot, pod: Pod) -> tuple[Policy, ...]:
    egress = Direction.EGRESS
    return (*isolating_policies(snapshot, pod, egress), *tiered_policies(snapshot, pod, egress))


def pod_without_dns(snapshot: Snapshot, pod: Pod, more: int = 0) -> Iterator[Finding]:
    """`more`: how many others are isolated in the same way."""
    blocked = resolvers_blocked(snapshot, pod)
    if not blocked:
        return
    message = f"{pod.name} can't resolve names: its egress isolation blocks {blocked.port_title}"
    allow = f"kubectl netpol allow {' '.join(blocked.allow_arguments(pod.name))} -n {pod.namespace}"
    deciding = _deciding(snapshot, pod)
    subject = subject_of(deciding[0]) if deciding else Subject("Namespace", "", pod.namespace)
    proof: tuple[str, ...] = (f"isolated for egress by {names_text([policy.title for policy in deciding])}",)
    if more:
        proof = (*proof, f"so {'is' if more == 1 else 'are'} {count(more, 'more pod')}")
    check = BY_CODE[Code.NO_WAY_TO_DNS]
    yield Finding(check, Severity.WARNING, subject, "", f"{message}; allow it: {allow}", proof, allow)


def without_default_deny(context: Context, namespaces: Iterable[str]) -> Iterator[Finding]:
    """Namespaces with policies or pods, where some pod is isolated by none in a direction."""
    listed = [name for name in namespaces if not context.snapshot.gap("pods", name)]
    for one in coverage(context.snapshot, listed):
        open_in = [
            (direction, share, pod)
            for direction, share, pod in zip(Direction, (one.ingress, one.egress), one.examples, strict=True)
            if share.open and pod
        ]
        if not open_in:
            continue
        parts = [f"{share.open} of {count(share.pods, 'pod')} for {direction.field}" for direction, share, _ in open_in]
        message = f"no policy isolates {' and '.join(parts)} in namespace {one.namespace}"
        proof = tuple(f"{direction.field}: everything is allowed for {pod.key}" for direction, _, pod in open_in)
        fix = f"a NetworkPolicy in {one.namespace} with podSelector: {{}}, both policyTypes and no rules"
        subject = Subject("Namespace", "", one.namespace)
        yield Finding(BY_CODE[Code.NO_DEFAULT_DENY], Severity.INFO, subject, "", message, proof, fix)
