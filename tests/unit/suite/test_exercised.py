"""Which rules of which policies a suite leaves untried."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.suite.exercised import Unexercised, unexercised
from tests.support.tables import ask, snapshot_of

PODS: dict[str, Any] = {
    "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "shop/web": {"ip": "10.0.0.2", "labels": {"run": "web"}},
    "team/cat": {"ip": "10.0.1.1", "labels": {"run": "cat"}},
}
WEB = {"podSelector": {"matchLabels": {"run": "web"}}}
SAN = {"podSelector": {"matchLabels": {"run": "san"}}}
SHOP: dict[str, Any] = {
    "live": True,
    "pods": PODS,
    "services": {"shop/web": {"selector": {"run": "web"}, "ports": [{"port": 80}]}},
    "policies": {
        "shop/web-in": {
            **WEB,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [SAN], "ports": [{"port": 80}]}, {"ports": [{"port": 9187}]}],
        },
        "team/deny": {"podSelector": {}, "policyTypes": ["Ingress"]},
    },
}


def titles(found: list[Unexercised]) -> list[str]:
    return [
        " ".join(
            [
                one.policy.name,
                *([one.direction.field] if one.direction else []),
                *([str(one.rule.position)] if one.rule else []),
            ]
        )
        for one in found
    ]


def left(cluster: dict[str, Any], *lines: str, namespaces: frozenset[str] | None = None) -> list[str]:
    snapshot = snapshot_of(cluster)
    predictions = [ask(snapshot, source, to, int(port), "TCP") for source, to, port in map(str.split, lines)]
    return titles(unexercised(snapshot, predictions, namespaces))


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        pytest.param(
            [], ["web-in ingress 0", "web-in ingress 1", "web-in egress", "deny ingress"], id="no check: every rule"
        ),
        pytest.param(
            ["shop/san shop/web 80"],
            ["web-in ingress 1", "web-in egress", "deny ingress"],
            id="a rule that allows a connection is exercised",
        ),
        pytest.param(
            ["shop/san shop/pod/web 81"],
            ["web-in ingress 0", "web-in ingress 1", "web-in egress", "deny ingress"],
            id="one that does not match is not",
        ),
        pytest.param(
            ["shop/web shop/san 80"],
            ["web-in ingress 0", "web-in ingress 1", "deny ingress"],
            id="an isolation without rules is, where it blocks",
        ),
        pytest.param(
            ["shop/san shop/web 80", "shop/san shop/pod/web 9187", "shop/web shop/san 1", "shop/san team/cat 1"],
            [],
            id="all of them",
        ),
        pytest.param(
            ["shop/san shop/svc/web 81"],
            ["web-in ingress 0", "web-in ingress 1", "web-in egress", "deny ingress"],
            id="a Service without such a port arrives nowhere",
        ),
    ],
)
def test_what_no_check_exercises(lines: list[str], rules: list[str]) -> None:
    assert left(SHOP, *lines) == rules


def test_an_isolation_is_not_exercised_where_another_policy_opens_what_it_blocks() -> None:
    policies = {
        "shop/deny": {"podSelector": {}, "policyTypes": ["Ingress"]},
        "shop/all": {"podSelector": {}, "ingress": [{}]},
    }
    assert left({"pods": PODS, "policies": policies}, "shop/san shop/web 80") == ["deny ingress"]


def test_of_some_namespaces_alone() -> None:
    assert left(SHOP, namespaces=frozenset({"team"})) == ["deny ingress"]


TIERS: dict[str, Any] = {
    **SHOP,
    "policies": {},
    "tiers": {
        "cnp/guard": {
            "tier": "Admin",
            "priority": 1,
            "subject": {"namespaces": {}},
            "ingress": [
                {"action": "Pass", "from": [{"pods": {"namespaceSelector": {}, **SAN}}]},
                {"action": "Deny", "from": [{"namespaces": {}}]},
            ],
        }
    },
}


def test_rules_of_a_tier_are_exercised_where_they_deny_or_pass_on() -> None:
    assert left(TIERS, namespaces=frozenset({"shop"})) == ["guard ingress 0", "guard ingress 1"]
    assert left(TIERS, "shop/san shop/web 80") == ["guard ingress 1"]
    assert left(TIERS, "team/cat shop/web 80") == ["guard ingress 0"]


OWN = {
    "Cilium": {
        "plugin": "Cilium",
        "cilium": {
            "shop/web-in": {
                "endpointSelector": {"matchLabels": {"run": "web"}},
                "ingress": [{"fromEndpoints": [{"matchLabels": {"run": "san"}}]}],
            },
            "team/other": {"ingress": [{"fromEndpoints": [{"matchLabels": {"run": "none"}}]}]},
        },
    },
    "Calico": {
        "plugin": "Calico",
        "calico": {
            "np/shop/web-in": {
                "selector": "run == 'web'",
                "ingress": [{"action": "Allow", "source": {"selector": "run == 'san'"}}],
            },
            "np/team/other": {
                "selector": "run == 'cat'",
                "ingress": [{"action": "Allow", "source": {"selector": "run == 'none'"}}],
            },
        },
    },
}


@pytest.mark.parametrize("plugin", sorted(OWN))
def test_policies_of_a_plugin_are_exercised_as_a_whole(plugin: str) -> None:
    cluster: dict[str, Any] = {"live": True, "pods": PODS, **OWN[plugin]}
    assert left(cluster) == ["web-in", "other"]
    assert left(cluster, "shop/san shop/web 80") == ["other"]
    assert left(cluster, namespaces=frozenset({"shop"})) == ["web-in"]
