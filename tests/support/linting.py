"""What lint finds in the small clusters of the tables, in short form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import all_findings
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.lint.finding import Finding

SHOP = yaml.safe_load("""
namespaces: {shop: {team: x}, lab: {team: y}}
pods:
  shop/web: {labels: {app: web, tier: front}, ip: 10.0.0.1, ports: http=8080}
  shop/api: {labels: {app: api, tier: back}, ip: 10.0.0.2, ports: http=8080 metrics=9090}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
""")


def context_of(cluster: dict[str, Any], *, complete: bool = True, unseen: tuple[str, ...] = ()) -> Context:
    return Context(snapshot_of(cluster), complete=complete, unseen=unseen)


def with_policies(base: dict[str, Any], policies: str, more: str = "{}") -> dict[str, Any]:
    """A cluster with these policies, as YAML, and what is in `more` besides."""
    added = yaml.safe_load(more)
    merged = {key: {**base.get(key, {}), **value} if isinstance(value, dict) else value for key, value in added.items()}
    return {**base, **merged, "policies": yaml.safe_load(policies)}


def linted(cluster: dict[str, Any], *, complete: bool = True, unseen: tuple[str, ...] = ()) -> list[Finding]:
    return all_findings(context_of(cluster, complete=complete, unseen=unseen))


def lines(findings: list[Finding], *numbers: str) -> list[str]:
    """ "NP001 error PATH: MESSAGE" of the findings of these numbers."""
    return [
        f"{one.number} {one.severity.value} {one.path}: {one.message}"
        for one in findings
        if not numbers or one.number in numbers
    ]
