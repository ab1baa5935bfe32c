"""How many pods of a namespace the policies isolate, or a tier limits."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.analysis.coverage import Share, coverage, total
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

PODS = yaml.safe_load("""
a/web-1: {labels: {app: web}, ip: 10.0.0.1}
a/web-2: {labels: {app: web}, ip: 10.0.0.2}
a/api: {labels: {app: api}, ip: 10.0.0.3}
a/done: {labels: {app: web}, ip: 10.0.0.4, phase: Succeeded}
b/cli: {labels: {app: cli}, ip: 10.0.1.1}
c/done: {phase: Failed}
""")
TIER = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
DENY = {**TIER, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
ALLOW = {**TIER, "ingress": [{"action": "Accept", "from": [{"namespaces": {}}]}]}
CILIUM = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "p", "namespace": "a"},
    "spec": {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]},
}


@pytest.mark.parametrize(
    ("cluster", "ingress", "egress"),
    [
        pytest.param({}, Share(3), Share(3), id="no policy"),
        pytest.param({"policies": {"a/p": {"podSelector": {}}}}, Share(3, 3), Share(3), id="all pods for ingress"),
        pytest.param(
            {"policies": {"a/p": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]}}},
            Share(3),
            Share(3, 2),
            id="two replicas for egress",
        ),
        pytest.param({"tiers": {"cnp/p": DENY}}, Share(3, 0, 3), Share(3), id="a tier denies something"),
        pytest.param({"tiers": {"cnp/p": ALLOW}}, Share(3), Share(3), id="a tier allows something"),
        pytest.param(
            {"tiers": {"cnp/p": DENY}, "policies": {"a/p": {"podSelector": {}}}},
            Share(3, 3),
            Share(3),
            id="isolated counts before limited",
        ),
        pytest.param(
            {"live": True, "gaps": [{"resource": "networkpolicies", "namespace": "a", "message": "no"}]},
            Share(3, 0, 0, 3),
            Share(3, 0, 0, 3),
            id="policies that could not be read",
        ),
        pytest.param({"objects": [CILIUM]}, Share(3, 2), Share(3), id="where Cilium runs, its own kinds count"),
        pytest.param({"live": True, "objects": [CILIUM]}, Share(3, 0, 0, 2), Share(3), id="where it does not, unknown"),
    ],
)
def test_the_share_that_is_isolated(cluster: dict[str, Any], ingress: Share, egress: Share) -> None:
    snapshot = snapshot_of({"pods": PODS, **cluster})
    found = coverage(snapshot, ["a", "b", "c"])
    assert [one.namespace for one in found] == ["a", "b"], "a namespace without pods has no share"
    assert (found[0].ingress, found[0].egress) == (ingress, egress)
    assert (found[0].of(Direction.INGRESS), found[0].of(Direction.EGRESS)) == (ingress, egress)
    for share, example in zip((ingress, egress), found[0].examples, strict=True):
        assert (example is not None) is (share.open > 0)


def test_the_total() -> None:
    snapshot = snapshot_of({"pods": PODS, "policies": {"a/p": {"podSelector": {}}}})
    assert total(coverage(snapshot, ["a", "b"]), Direction.INGRESS) == Share(4, 3)
    assert total([], Direction.INGRESS) == Share()
