"""Policies added to a snapshot: which they would overwrite, and what they change that was not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.workloads import controllers, pod_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.allow.minimal import MinimalPolicies
    from kubectl_netpol.analysis.changes import Changes, ConnectionChange
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


class Trial(NamedTuple):
    """The snapshot with the policies, what that changes, and the keys of the policies that exist with the same spec."""

    after: Snapshot
    changes: Changes
    existing: tuple[str, ...]


def add_policies(snapshot: Snapshot, policies: Sequence[Policy]) -> Trial:
    """NetpolError where a policy of the same name and another spec exists: it would be overwritten."""
    known = {policy.key: policy._replace(changed=None) for policy in snapshot.policies}
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
