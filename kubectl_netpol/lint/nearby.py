"""Policies that were probably meant for a pod and miss it: by one label, or since they are in another namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.peers import index_of
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.phrases import position_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.lint.finding import Finding, Severity, found
from kubectl_netpol.lint.meant import near_miss
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import LabelSelector, requirement_text, selector_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.engine.verdict import Connection
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot

_MOST_TRIED = 50


class _Missing(NamedTuple):
    """`why`: what the pod lacks. `nothing`: the policy selects no pod at all."""

    policy: Policy
    why: str
    nothing: bool


def policies_that_miss(snapshot: Snapshot, pod: Pod) -> list[Finding]:
    """Those that select no pod at all, or miss this one by a slip in a label."""
    return [_finding(missing, pod, "") for missing in _missing(snapshot, pod)]


def policies_that_would_open(snapshot: Snapshot, prediction: Prediction) -> list[Finding]:
    """Of these, those one of whose rules would let a blocked connection through; none if it is not blocked."""
    findings: dict[Finding, None] = {}
    for route in prediction.routes:
        sides = (
            (route.egress, route.connection.source.pod, Direction.EGRESS),
            (route.ingress, route.connection.destination.pod, Direction.INGRESS),
        )
        for side, pod, direction in sides:
            if side.verdict is not Verdict.BLOCKED or pod is None:
                continue
            listed = [one for one in _missing(snapshot, pod) if direction in one.policy.directions]
            for missing in listed[:_MOST_TRIED]:
                if where := _lets_through(snapshot, missing.policy, pod, route.connection, direction):
                    lets = "in" if direction is Direction.INGRESS else "out"
                    findings[_finding(missing, pod, f", and its {where} would let this connection {lets}")] = None
    return list(findings)


def _missing(snapshot: Snapshot, pod: Pod) -> Iterator[_Missing]:
    for policy in snapshot.policies:
        if policy.namespace == pod.namespace:
            missed = [one for one in policy.pod_selector.requirements if not one.matches(pod.labels)]
            if len(missed) != 1:
                continue
            (requirement,) = missed
            value = pod.labels.get(requirement.key)
            has = f"no label {requirement.key}" if value is None else f"{requirement.key}={value}"
            why = f"requires label {requirement_text(requirement)}, the pod has {has}"
            slip = near_miss(requirement, pod.labels) is not None
        elif policy.pod_selector.matches(pod.labels):
            why, slip = f"is in namespace {policy.namespace}, the pod in {pod.namespace}", False
        else:
            continue
        if snapshot.gap("pods", policy.namespace):
            continue
        nothing = not index_of(snapshot).selected(policy)
        if nothing or slip:
            yield _Missing(policy, why, nothing)


def _finding(missing: _Missing, pod: Pod, opens: str) -> Finding:
    policy = missing.policy
    name = policy.name if policy.namespace == pod.namespace else policy.key
    nothing = f"; it selects no pod ({selector_text(policy.pod_selector) or 'any'})" if missing.nothing else ""
    message = f"{name} does not select {pod.key}{opens}: it {missing.why}{nothing}"
    code = Code.POLICY_SELECTS_NOTHING if missing.nothing else Code.POLICY_MISSES_POD
    return found(code, Severity.WARNING, policy, "spec.podSelector", message, fix="compare the labels")


def _lets_through(
    snapshot: Snapshot, policy: Policy, pod: Pod, connection: Connection, direction: Direction
) -> str | None:
    """The rule of the policy that would allow the connection if it selected the pod, by the engine."""
    moved = policy._replace(namespace=pod.namespace, pod_selector=LabelSelector.of(pod.labels))
    rest = [one for one in snapshot.evaluated if one is not policy]
    verdict = evaluate(snapshot.with_policies([*rest, moved]), connection, near=False)
    side = verdict.egress if direction is Direction.EGRESS else verdict.ingress
    if side.verdict is not Verdict.ALLOWED:
        return None
    by = (match for match in side.allowed_by if match.policy == moved)
    return next((position_text(direction, match.rule.position, match.peer) for match in by), None)
