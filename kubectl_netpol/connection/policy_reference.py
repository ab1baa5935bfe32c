"""A policy as typed: netpol/NAME, NAMESPACE/netpol/NAME, or another kind before the name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.errors import NetpolError, UsageError, nearest
from kubectl_netpol.model.calico import CalicoPolicy
from kubectl_netpol.model.kinds import KINDS, PLUGINS, policy_kinds_typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.model.kinds import Kind
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
    for own in snapshot.plugin_objects:
        if not (isinstance(own, CalicoPolicy) and own.hosts_only and own.name == reference.name):
            continue
        if own.kind in reference.kinds and _is_there(own.namespace, reference):
            message = f"{own.title} is for host endpoints alone (doNotTrack or preDNAT): it never applies to a pod"
            raise NetpolError(message, f"kubectl get {_resource(KINDS['HostEndpoint'])} lists them")
    raise _not_found(snapshot, reference, sorted(policy.name for policy in among))


def _not_found(snapshot: Snapshot, reference: PolicyReference, names: Sequence[str]) -> NetpolError:
    """Of the kinds that are meant, the one that the plugin has. `names`: those that there are."""
    of_plugin = PLUGINS.get(snapshot.plugin or "", ())
    kind = KINDS[next((name for name in reference.kinds if name in of_plugin), reference.kinds[0])]
    if gap := snapshot.gap(kind.resource, reference.namespace):
        return NetpolError(f'can\'t look up {kind.api} "{reference.name}": {gap.message}')
    where = f" in namespace {reference.namespace}" if kind.namespaced else ""
    near = nearest(reference.name, names, 0.6)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    hint = f"did you mean {near}?" if near else f"found: {', '.join(names[:_MOST_NAMES])}{more}" if names else None
    listed = f"kubectl get {_resource(kind)}{' -A' if kind.namespaced else ''} lists all"
    return NetpolError(f'no {kind.api} "{reference.name}"{where}', hint or listed)


def _resource(kind: Kind) -> str:
    """As kubectl takes it, with the group where others have the same resource."""
    return kind.short if kind.aliases else f"{kind.resource}.{kind.groups[0]}"


def _is_there(namespace: str | None, reference: PolicyReference) -> bool:
    """Whether a policy is in the namespace asked about, or in none."""
    return not namespace or namespace == reference.namespace
