"""Which rules of the policies no connection of a suite met."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.calico import CalicoPolicy
from kubectl_netpol.model.cilium import CiliumPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.engine.verdict import DirectionVerdict
    from kubectl_netpol.model.policies import Direction, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


class Unexercised(NamedTuple):
    """A rule of a policy; a direction that the policy isolates without a rule; or a plugin's own policy as a whole."""

    policy: Policy | CalicoPolicy | CiliumPolicy
    rule: Rule | None = None
    direction: Direction | None = None


def unexercised(
    snapshot: Snapshot, predictions: Iterable[Prediction], namespaces: frozenset[str] | None = None
) -> list[Unexercised]:
    """In the order of the policies. `namespaces`: of these alone, and of no namespace; None: of all.

    A rule is met where it matches, and an isolation without a rule where it blocks.
    """
    met: set[tuple[str, object]] = set()
    for side in _sides(predictions):
        for match in (*side.allowed_by, *side.denied_by, *side.passed_by):
            met |= {(match.policy.key, _identity(match.rule)), (match.policy.title, None)}
        if side.verdict is Verdict.BLOCKED:
            met |= {(policy.key, side.direction) for policy in side.isolated_by}
            met |= {(policy.title, None) for policy in side.isolated_by}
    found: list[Unexercised] = []
    for policy in snapshot.evaluated:
        if namespaces is None or not policy.namespace or policy.namespace in namespaces:
            rules = [rule for rule in _rules(policy) if (policy.key, _identity(rule)) not in met]
            found += [Unexercised(policy, rule, rule.direction) for rule in rules]
            found += [Unexercised(policy, None, d) for d in _only_isolated(policy) if (policy.key, d) not in met]
    for own in snapshot.plugin_objects:
        asked = isinstance(own, CiliumPolicy) or (isinstance(own, CalicoPolicy) and own.staged is None)
        here = asked and (namespaces is None or not own.namespace or own.namespace in namespaces)
        if here and (own.title, None) not in met:
            found.append(Unexercised(own))
    return found


def _sides(predictions: Iterable[Prediction]) -> Iterator[DirectionVerdict]:
    for prediction in predictions:
        for route in prediction.routes:
            yield route.egress
            yield route.ingress


def _identity(rule: Rule) -> object:
    return rule.direction, rule.position, rule.path


def _rules(policy: Policy) -> list[Rule]:
    return [rule for direction in policy.directions for rule in policy.rules_of(direction)]


def _only_isolated(policy: Policy) -> list[Direction]:
    """The directions in which a NetworkPolicy isolates and has no rule."""
    return [d for d in policy.directions if policy.kind == "NetworkPolicy" and not policy.rules_of(d)]
