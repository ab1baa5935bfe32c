"""Policies added to a snapshot: which they would overwrite, and what they change that was not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.engine.layers import tiered_policies
from kubectl_netpol.engine.phrases import peer_text, policy_text, position_text, rule_ports_text
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Action, Direction, Tier
from kubectl_netpol.model.workloads import controllers, pod_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.allow.minimal import MinimalPolicies
    from kubectl_netpol.analysis.change import Changes, ConnectionChange
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.policies import Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


class Trial(NamedTuple):
    """The snapshot with the policies, what that changes, and the keys of the policies that exist with the same spec."""

    after: Snapshot
    changes: Changes
    existing: tuple[str, ...]


def add_policies(snapshot: Snapshot, policies: Sequence[Policy]) -> Trial:
    """NetpolError where a policy of the same name and another spec exists: it would be overwritten."""
    known = {policy.key: policy._replace(changed=None) for policy in snapshot.evaluated}
    existing = []
    for policy in policies:
        old = known.get(policy.key)
        if old is not None and old != policy:
            raise NetpolError(
                f"policy {policy.key} exists with another spec: applying this one would replace it",
                "choose another --name",
            )
        if old is not None:
            existing.append(policy.key)
    before = snapshot.with_policies(known.values())
    after = snapshot.with_policies({**known, **{policy.key: policy for policy in policies}}.values())
    return Trial(after, changes_between(before, after), tuple(existing))


def wider_rules(snapshot: Snapshot, policies: Sequence[Policy]) -> list[str]:
    """What the Admin tier lets through at the pods of these policies, whatever NetworkPolicies say."""
    found: dict[str, None] = {}
    for policy in policies:
        pods = [pod for pod in snapshot.pods_in(policy.namespace) if policy.selects(pod)] if snapshot.tiered else []
        for direction in policy.directions:
            for tiered in {tiered: None for pod in pods for tiered in tiered_policies(snapshot, pod, direction)}:
                for rule in tiered.rules_of(direction):
                    if tiered.tier is Tier.ADMIN and rule.action is Action.ALLOW:
                        found[f"{_opens(tiered, rule)}, whatever NetworkPolicies say"] = None
    return list(found)


def _opens(policy: Policy, rule: Rule) -> str:
    peers = ", ".join(peer_text(peer, policy) for peer in rule.peers or (None,))
    way = "from" if rule.direction is Direction.INGRESS else "to"
    where = position_text(rule.direction, rule.position)
    return f"{policy_text(policy)} {where} already allows {rule_ports_text(rule)} {way} {peers}"


def unasked_changes(
    snapshot: Snapshot, predictions: Sequence[Prediction], changes: Changes, minimal: MinimalPolicies
) -> list[ConnectionChange]:
    """The connections that open between other ends than those asked about; the DNS rule counts as asked for."""
    owners = controllers(snapshot)
    ends = [
        {pod_title(end.pod, owners) if end.pod else end.address for end in column}
        for column in zip(
            *(
                (route.connection.source, route.connection.destination)
                for prediction in predictions
                for route in prediction.routes
            ),
            strict=True,
        )
    ]
    found = []
    for change in changes.opens:
        causes = [(cause.policy, cause.direction, cause.position) for cause in change.because]
        if minimal.dns and all(cause == minimal.dns for cause in causes):
            continue
        sources = tuple(member for member in change.sources if member.title not in ends[0])
        destinations = tuple(member for member in change.destinations if member.title not in ends[1])
        if sources or destinations:
            found.append(
                change._replace(sources=sources or change.sources, destinations=destinations or change.destinations)
            )
    return found
