"""Policies that were probably meant for a pod and miss it."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.lint.nearby import policies_that_miss, policies_that_would_open
from tests.support.tables import ask, snapshot_of

CLUSTER = yaml.safe_load("""
pods:
  shop/web: {labels: {app: web, tier: front}, ip: 10.0.0.1, ports: http=8080}
  shop/api: {labels: {app: api}, ip: 10.0.0.2}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1}
""")
DENY = "shop/deny: {podSelector: {}}"
OPEN = "ingress: [{}]"
MISSES = "does not select shop/web, and its ingress[0] would let this connection in: it requires label"
ELSEWHERE = "does not select shop/web, and its ingress[0] would let this connection in: it is in namespace"


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            f"shop/p: {{podSelector: {{matchLabels: {{zone: x}}}}, {OPEN}}}",
            [f"p {MISSES} zone=x, the pod has no label zone; it selects no pod (zone=x)"],
            id="one label that the pod lacks, and no pod has",
        ),
        pytest.param(
            f"shop/p: {{podSelector: {{matchLabels: {{app: webb, tier: front}}}}, {OPEN}}}",
            [f"p {MISSES} app=webb, the pod has app=web; it selects no pod (app=webb,tier=front)"],
            id="one label with a slip in it",
        ),
        pytest.param(
            f"shop/p: {{podSelector: {{matchLabels: {{app: webb}}}}, {OPEN}}}, "
            "shop/q: {podSelector: {matchLabels: {app: webb}}}",
            [f"p {MISSES} app=webb, the pod has app=web; it selects no pod (app=webb)"],
            id="a policy without such a rule is not named",
        ),
        pytest.param(
            f"shop/p: {{podSelector: {{matchLabels: {{app: api}}}}, {OPEN}}}",
            [],
            id="a policy for another pod, which it selects",
        ),
        pytest.param(
            f"lab/p: {{podSelector: {{}}, {OPEN}}}, shop/p: {{podSelector: {{matchLabels: {{app: api}}}}, {OPEN}}}",
            [],
            id="policies that have pods of their own",
        ),
        pytest.param(
            f"shop/p: {{podSelector: {{matchLabels: {{zone: x, color: y}}}}, {OPEN}}}",
            [],
            id="two labels that it lacks",
        ),
        pytest.param(
            f"none/p: {{podSelector: {{matchLabels: {{app: web}}}}, {OPEN}}}",
            [f"none/p {ELSEWHERE} none, the pod in shop; it selects no pod (app=web)"],
            id="in a namespace without such a pod",
        ),
        pytest.param(
            f"none/p: {{podSelector: {{}}, {OPEN}}}",
            [f"none/p {ELSEWHERE} none, the pod in shop; it selects no pod (any)"],
            id="in a namespace without pods",
        ),
        pytest.param(f"lab/p: {{podSelector: {{}}, {OPEN}}}", [], id="in a namespace whose pods it selects"),
        pytest.param(
            f"lab/p: {{podSelector: {{matchLabels: {{app: none}}}}, {OPEN}}}", [], id="elsewhere, with another label"
        ),
        pytest.param(
            "shop/p: {podSelector: {matchLabels: {zone: x}}, ingress: [{ports: [{port: 1}]}]}", [], id="another port"
        ),
        pytest.param(
            "shop/p: {podSelector: {matchLabels: {zone: x}}, policyTypes: [Egress], egress: [{}]}",
            [],
            id="the other direction",
        ),
    ],
)
def test_a_blocked_connection_names_the_policy_that_would_let_it_in(policies: str, wanted: list[str]) -> None:
    snapshot = snapshot_of({**CLUSTER, "policies": yaml.safe_load(f"{{{DENY}, {policies}}}")})
    found = policies_that_would_open(snapshot, ask(snapshot, "lab/cli", "shop/pod/web", 8080, "TCP"))
    assert [one.message for one in found] == wanted


def test_a_policy_that_selects_others_and_misses_the_pod_by_a_slip() -> None:
    policies = f"{{{DENY}, shop/p: {{podSelector: {{matchLabels: {{app: api}}}}, {OPEN}}}}}"
    cluster = {**CLUSTER, "pods": {**CLUSTER["pods"], "shop/odd": {"labels": {"app": "apii"}, "ip": "10.0.0.9"}}}
    snapshot = snapshot_of({**cluster, "policies": yaml.safe_load(policies)})
    (found,) = policies_that_would_open(snapshot, ask(snapshot, "lab/cli", "shop/pod/odd", 80, "TCP"))
    assert (found.code.value, found.message) == (
        "policy-misses-pod",
        (
            "p does not select shop/odd, and its ingress[0] would let this connection in: "
            "it requires label app=api, the pod has app=apii"
        ),
    )


def test_egress_is_let_out() -> None:
    to_all = "policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]"
    policies = f"""
      lab/deny: {{podSelector: {{}}, policyTypes: [Egress]}}
      lab/p: {{podSelector: {{matchLabels: {{app: clii}}}}, {to_all}}}
    """
    snapshot = snapshot_of({**CLUSTER, "policies": yaml.safe_load(policies)})
    (found,) = policies_that_would_open(snapshot, ask(snapshot, "lab/cli", "shop/pod/web", 8080, "TCP"))
    assert "its egress[0].to[0] would let this connection out" in found.message


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param({}, id="a connection that is allowed"),
        pytest.param(
            {
                "live": True,
                "policies": yaml.safe_load(f"{{{DENY}, none/p: {{podSelector: {{}}, {OPEN}}}}}"),
                "gaps": [{"resource": "pods", "namespace": "none", "message": "no"}],
            },
            id="a policy whose pods could not be read",
        ),
        pytest.param(
            {
                "policies": yaml.safe_load(f"{{{DENY}, none/p: {{podSelector: {{}}, {OPEN}}}}}"),
                "tiers": {
                    "cnp/t": yaml.safe_load(
                        "{tier: Admin, priority: 1, subject: {namespaces: {}}, "
                        "ingress: [{action: Deny, from: [{namespaces: {}}]}]}"
                    )
                },
            },
            id="a tier denies it all the same",
        ),
    ],
)
def test_nothing_is_named(cluster: dict[str, object]) -> None:
    snapshot = snapshot_of({**CLUSTER, **cluster})
    assert policies_that_would_open(snapshot, ask(snapshot, "lab/cli", "shop/pod/web", 8080, "TCP")) == []


def test_an_address_is_no_pod_that_a_policy_could_miss() -> None:
    snapshot = snapshot_of(
        {**CLUSTER, "policies": yaml.safe_load("{lab/deny: {podSelector: {}, policyTypes: [Egress]}}")}
    )
    assert policies_that_would_open(snapshot, ask(snapshot, "lab/cli", "192.0.2.1", 80, "TCP")) == []


def test_a_rule_of_another_policy_lets_it_in_now() -> None:
    """What is tried is the policy alone: where the connection is open by another one, it is not named."""
    policies = f"{{{DENY}, shop/p: {{podSelector: {{matchLabels: {{zone: x}}}}}}}}"
    snapshot = snapshot_of({**CLUSTER, "policies": yaml.safe_load(policies)})
    pod = snapshot.pod("shop", "web")
    assert pod
    assert [one.message for one in policies_that_miss(snapshot, pod)] == [
        "p does not select shop/web: it requires label zone=x, the pod has no label zone; it selects no pod (zone=x)"
    ]
