"""Findings about what policies leave pods: no way to DNS, and namespaces where some are isolated by none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.analysis.coverage import coverage
from kubectl_netpol.connection.dns import blocked_resolver, resolvers_blocked, resolvers_guarded
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import isolating_policies, tiered_policies
from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.lint.finding import BY_CODE, Finding, Severity, Subject, subject_of
from kubectl_netpol.model.policies import Direction, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.lint.context import Context, PodClass
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


def without_dns(context: Context, namespace: str) -> Iterator[Finding]:
    """One finding for pods that the same policies isolate, and one for those that are kept out at the resolver.

    Where is the first of these policies.
    """
    groups: dict[object, list[PodClass]] = {}
    snapshot = context.snapshot
    plugin = plugin_of(snapshot)
    for one in context.classes_in(namespace):
        pod = one.pod
        key = tuple(map(id, _of_egress(snapshot, pod))), pod.dns_policy, pod.nameservers, pod.host_network
        groups.setdefault((key, plugin.class_of(pod) if plugin else None), []).append(one)
    kept_out: list[PodClass] = []
    for members in groups.values():
        pod = members[0].pod
        blocked = blocked_resolver(snapshot, pod) if _of_egress(snapshot, pod) else None
        if blocked and blocked.by_egress:
            yield from _of_classes(snapshot, members)
        elif resolvers_guarded(snapshot, pod):
            kept_out += [one for one in members if resolvers_blocked(snapshot, one.pod)]
    yield from _of_classes(snapshot, kept_out)


def _of_classes(snapshot: Snapshot, classes: Sequence[PodClass]) -> Iterator[Finding]:
    if classes:
        yield from pod_without_dns(snapshot, classes[0].pod, sum(one.size for one in classes) - 1)


def _of_egress(snapshot: Snapshot, pod: Pod) -> tuple[Policy, ...]:
    egress = Direction.EGRESS
    return (*isolating_policies(snapshot, pod, egress), *tiered_policies(snapshot, pod, egress))


def pod_without_dns(snapshot: Snapshot, pod: Pod, more: int = 0) -> Iterator[Finding]:
    """`more`: how many others are in the same way. No fix where no NetworkPolicy would open it."""
    blocked = blocked_resolver(snapshot, pod)
    if not blocked:
        return
    resolver, prediction = blocked
    side = prediction.egress if blocked.by_egress else prediction.ingress
    denying = tuple(match.policy for match in side.denied_by)
    what, verb = ("policies", "block") if denying else ("isolation", "blocks")
    if blocked.by_egress:
        what, deciding = f"its egress {what}", denying or _of_egress(snapshot, pod)
    else:
        end = prediction.routes[0].connection.destination
        what, deciding = f"the ingress {what} of {end.title}", denying or side.isolated_by or side.tiered_by
    message = f"{pod.name} can't resolve names: {what} {verb} {resolver.port_title}"
    subject = subject_of(deciding[0]) if deciding else Subject("Namespace", "", pod.namespace)
    proof: tuple[str, ...] = (f"isolated for egress by {names_text([policy.title for policy in deciding])}",)
    if side.reason and (denying or not blocked.by_egress):
        proof = (side.reason.message,)
    if more:
        proof = (*proof, f"so {'is' if more == 1 else 'are'} {count(more, 'more pod')}")
    fix = ""
    if predict(_with_all_open(snapshot), prediction.request).verdict is not Verdict.BLOCKED:
        fix = f"kubectl netpol allow {' '.join(resolver.allow_arguments(pod.name))} -n {pod.namespace}"
        message = f"{message}; allow it: {fix}"
    yield Finding(BY_CODE[Code.NO_WAY_TO_DNS], Severity.WARNING, subject, "", message, proof, fix)


def _with_all_open(snapshot: Snapshot) -> Snapshot:
    """With a NetworkPolicy in each namespace that allows everything: what is blocked then, none can open."""
    found: Snapshot | None = snapshot.memo.get("all open")
    if found is None:
        rules = tuple(Rule(direction, 0) for direction in Direction)
        opening = (
            Policy(name, "all-open", LabelSelector(), tuple(Direction), rules) for name in snapshot.pod_namespaces
        )
        found = snapshot.memo["all open"] = snapshot.with_policies([*snapshot.evaluated, *opening])
    return found


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
