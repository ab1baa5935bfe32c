"""A policy as typed: netpol/NAME, NAMESPACE/netpol/NAME, or another kind before the name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import NetpolError, UsageError, nearest
from kubectl_netpol.model.kinds import KINDS, policy_kinds_typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.policies import Policy, UnevaluatedPolicy
    from kubectl_netpol.model.snapshot import Snapshot

_MOST_NAMES = 5


class PolicyReference(NamedTuple):
    """`kinds`: those that the word before the name may mean, as KINDS has them."""

    typed: str
    namespace: str
    name: str
    kinds: tuple[str, ...]


def parse_policy_reference(typed: str, namespace: str) -> PolicyReference | None:
    """None if it names no kind of policy."""
    *front, name = typed.split("/")
    kinds = policy_kinds_typed(front[-1]) if 0 < len(front) <= 2 and name else ()  # noqa: PLR2004 - NAMESPACE/KIND/NAME
    return PolicyReference(typed, front[0] if len(front) > 1 else namespace, name, kinds) if kinds else None


def find_policy(snapshot: Snapshot, policies: Iterable[Policy], reference: PolicyReference) -> Policy:
    """NetpolError if there is none of this name, or if its rules are not evaluated; UsageError if there are several."""
    among = [policy for policy in policies if policy.kind in reference.kinds and _is_there(policy.namespace, reference)]
    found = [policy for policy in among if policy.name == reference.name]
    if len(found) > 1:
        listed = ", ".join(policy.title for policy in found)
        raise UsageError(f'"{reference.typed}" is ambiguous: {listed}', "write the kind with its group")
    if found:
        return found[0]
    # A policy of a tier is no candidate where the plugin does not say what it makes of its kind.
    others: tuple[Policy | UnevaluatedPolicy, ...] = (*snapshot.unevaluated, *snapshot.tiered)
    same = (one for one in others if one.kind in reference.kinds and one.name == reference.name)
    if other := next((one for one in same if _is_there(one.namespace, reference)), None):
        raise NetpolError(f"the rules of {other.title} are not evaluated", "explain POD names it where it may decide")
    kind = KINDS[reference.kinds[0]]
    if gap := snapshot.gap(kind.resource, reference.namespace):
        raise NetpolError(f'can\'t look up {kind.api} "{reference.name}": {gap.message}')
    where = f" in namespace {reference.namespace}" if kind.namespaced else ""
    names = sorted(policy.name for policy in among)
    near = nearest(reference.name, names, 0.6)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    hint = f"did you mean {near}?" if near else f"found: {', '.join(names[:_MOST_NAMES])}{more}" if names else None
    raise NetpolError(f'no {kind.api} "{reference.name}"{where}', hint or "kubectl get netpol -A lists NetworkPolicies")


def _is_there(namespace: str | None, reference: PolicyReference) -> bool:
    """Whether a policy is in the namespace asked about, or in none."""
    return not namespace or namespace == reference.namespace
