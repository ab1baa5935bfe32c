"""What the verdict rests on where Calico runs, beside policies: tiers, host endpoints, and what some rule speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.cluster.discovery import PolicyKind
from kubectl_netpol.cluster.reader import Call, make_calls
from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.errors import ForbiddenError, NotFoundError
from kubectl_netpol.model.calico import CalicoPolicy, CalicoTier, kinds_asked_for
from kubectl_netpol.model.kinds import CALICO, KINDS, PLUGINS
from kubectl_netpol.model.snapshot import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.discovery import Discovered
    from kubectl_netpol.manifests.reader import Reader
    from kubectl_netpol.model.snapshot import Scope

_SERVED = CALICO[0]  # by CRDs, or by Calico's API server, which leaves out tiers that the caller may not get


def read_calico(api: Api, discovered: Discovered, scope: Scope, reader: Reader, gaps: list[Gap]) -> None:
    """Into the reader, which has the policies. Sets, accounts and endpoints only if a rule needs them."""
    served = next(kind for kind in discovered.kinds if kind.name in PLUGINS["Calico"])
    policies = [found for found in reader.found("CalicoNetworkPolicy", "GlobalNetworkPolicy") if _is_policy(found)]
    wanted = kinds_asked_for(policies)
    kinds = [kind for kind in ("Tier", "HostEndpoint", "NetworkSet", "GlobalNetworkSet") if kind in wanted]
    calls = [Call(kind, None, _of(served, kind)) for kind in kinds]
    known = {"EndpointSlice"} if "endpointslices" in scope.everywhere else set()
    calls += [Call(kind, None) for kind in ("ServiceAccount", "EndpointSlice") if kind in wanted - known]
    make_calls(api, calls, scope, reader, gaps)
    if served.group == _SERVED:
        gaps += _hidden(api, served, [tier.name for tier in reader.found("Tier") if isinstance(tier, CalicoTier)])


def _is_policy(found: object) -> bool:
    return isinstance(found, CalicoPolicy)


def _of(served: PolicyKind, kind: str) -> PolicyKind:
    """A kind of the same group and version."""
    return PolicyKind(kind, served.group, served.version, KINDS[kind].resource, KINDS[kind].namespaced)


def _hidden(api: Api, served: PolicyKind, tiers: Iterable[str]) -> list[Gap]:
    """A gap for each tier that may not be got: then its policies are left out of what is listed."""
    path = _of(served, "Tier").path(None)

    def may_get(name: str) -> bool:
        try:
            api.get(f"{path}/{name}")
        except ForbiddenError:
            return False
        except NotFoundError:
            return True
        return True

    names = list(tiers)
    found = zip(names, map_concurrently(may_get, names), strict=True)
    return [
        Gap(
            f"tiers.{_SERVED}",
            None,
            f"you may not get tier {name}, so its policies are not listed",
            policy_kind="GlobalNetworkPolicy",
        )
        for name, seen in found
        if not seen
    ]
