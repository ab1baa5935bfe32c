"""Which label on an end would make a policy that is there already let a blocked connection through."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.engine.verdict import Connection, RuleMatch
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


class HelpfulLabels(NamedTuple):
    """Labels that the pod does not have, with which the NetworkPolicy of `match` selects it, and its rule allows.

    For this direction: the other one may need more.
    """

    pod: Pod
    direction: Direction
    labels: tuple[tuple[str, str], ...]
    match: RuleMatch


def helpful_labels(snapshot: Snapshot, prediction: Prediction) -> tuple[HelpfulLabels, ...]:
    """Of a connection that is blocked by isolation, the fewest labels first; none where a plugin's reading decides."""
    if prediction.verdict is not Verdict.BLOCKED or snapshot.plugin or not prediction.routes:
        return ()
    connection = prediction.routes[0].connection
    found: list[HelpfulLabels] = []
    for side, pod in ((prediction.egress, connection.source.pod), (prediction.ingress, connection.destination.pod)):
        if pod and side.verdict is Verdict.BLOCKED and not side.denied_by:
            found += _of_side(snapshot, connection, pod, side.direction)
    return tuple(sorted(found, key=lambda one: len(one.labels)))


def _of_side(snapshot: Snapshot, connection: Connection, pod: Pod, direction: Direction) -> Iterator[HelpfulLabels]:
    for policy in snapshot.policies_in(pod.namespace):
        if direction not in policy.directions or not policy.rules_of(direction):
            continue
        labels = _missing(policy, pod)
        if labels:
            labelled = pod._replace(labels={**pod.labels, **labels})
            if match := _lets_through(snapshot, connection, direction, labelled, policy):
                yield HelpfulLabels(pod, direction, tuple(labels.items()), match)


def _missing(policy: Policy, pod: Pod) -> dict[str, str]:
    """The labels that the policy's podSelector wants and the pod lacks; {} if other values than its own are wanted."""
    found = {}
    for requirement in policy.pod_selector.requirements:
        if requirement.matches(pod.labels):
            continue
        if requirement.key in pod.labels or requirement.operator not in (Operator.IN, Operator.EXISTS):
            return {}
        found[requirement.key] = requirement.values[0] if requirement.values else "true"
    return found


def _lets_through(
    snapshot: Snapshot, connection: Connection, direction: Direction, pod: Pod, policy: Policy
) -> RuleMatch | None:
    """The rule of this policy that allows it, the pod being as it is here."""
    if direction is Direction.EGRESS:
        side = evaluate(snapshot, connection._replace(source=connection.source._replace(pod=pod))).egress
    else:
        side = evaluate(snapshot, connection._replace(destination=connection.destination._replace(pod=pod))).ingress
    if side.verdict is not Verdict.ALLOWED:
        return None
    return next((match for match in side.allowed_by if match.policy is policy), None)
