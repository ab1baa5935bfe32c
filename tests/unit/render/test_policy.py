"""One policy as text and JSON."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kubectl_netpol.analysis.policy import PolicyExplanation, all_policies, explain_policy
from kubectl_netpol.console import Console
from kubectl_netpol.render.policy import policy_explanation_object, policy_explanation_text
from kubectl_netpol.render.text import Names
from tests.support.tables import example, snapshot_of

PODS = {f"shop/p{number}": {"ip": f"10.0.0.{number + 1}", "labels": {"n": str(number)}} for number in range(6)}
FIVE: dict[str, Any] = {
    "pods": PODS,
    "policies": {"shop/one": {"podSelector": {"matchLabels": {"n": "0"}}, "ingress": [{}]}},
}


def of_example(name: str, policy: str) -> PolicyExplanation:
    snapshot = example(name)
    (found,) = [one for one in all_policies(snapshot) if one.name == policy]
    return explain_policy(snapshot, found)


def text(found: PolicyExplanation, *, verbose: bool = False) -> list[str]:
    console = Console(io.StringIO(), io.StringIO())
    return policy_explanation_text(found, Names("shop"), console, verbose=verbose).splitlines()


def test_a_default_deny() -> None:
    assert text(of_example("shop", "deny-all-ingress"))[:5] == [
        "NetworkPolicy shop/deny-all-ingress",
        "selects 3 pods: san, cart, nginx",
        "ingress: it allows nothing",
        "without it:",
        "opens",
    ]


def test_a_policy_of_a_tier() -> None:
    lines = text(of_example("tiers", "guard-rails"))
    assert lines[0] == "clusternetworkpolicy.policy.networking.k8s.io/guard-rails (Admin, priority 10)"
    assert lines[2] == "ingress: its rules, in order:"
    assert lines[-2:] == ["not selected, and what is amiss:", "  monitoring/prom: not team=shop"]


DENY, PASS, ALLOW = ({"action": action} for action in ("Deny", "Pass", "Allow"))


@pytest.mark.parametrize(
    ("cluster", "line", "actions"),
    [
        pytest.param(
            {"cilium": {"a/p": {"ingressDeny": [{"fromEntities": ["world"]}], "ingress": [{}]}}},
            "ingress: its rules, in order; what no rule decides is blocked:",
            ["deny", "allow"],
            id="denies, and what it lets through",
        ),
        pytest.param(
            {"cilium": {"a/p": {"ingress": [{"fromEntities": ["world"]}], "enableDefaultDeny": {"ingress": False}}}},
            "ingress: its rules, in order; it does not isolate:",
            ["allow"],
            id="no default deny",
        ),
        pytest.param(
            {"cilium": {"p": {"nodeSelector": {}, "ingress": [{"fromEntities": ["world"]}]}}},
            "ingress: its rules, in order; whether it isolates is not known:",
            ["allow"],
            id="of nodes",
        ),
        pytest.param(
            {"calico": {"gnp/p": {"types": ["Ingress"], "ingress": [DENY, PASS, ALLOW]}}},
            "ingress: its rules, in order; what no rule decides is blocked:",
            ["deny", "pass", "allow"],
            id="every action of Calico's",
        ),
        pytest.param(
            {
                "calico": {
                    "tier/sec": {"order": 1, "defaultAction": "Pass"},
                    "gnp/p": {"tier": "sec", "types": ["Ingress"]},
                }
            },
            "ingress: it has no rule; it does not isolate",
            [],
            id="no rule in a tier that passes",
        ),
    ],
)
def test_a_rule_of_a_plugins_policy_has_its_action(cluster: dict[str, Any], line: str, actions: list[str]) -> None:
    snapshot = snapshot_of({"pods": {"a/web": {"ip": "10.0.0.1"}}, **cluster})
    lines = text(explain_policy(snapshot, all_policies(snapshot)[0]))
    assert lines[2] == line
    rows = [row.split()[0] for row in lines[4:] if row.startswith("  ")]
    assert rows[: len(actions)] == actions


@pytest.mark.parametrize(("verbose", "last"), [(False, "  and 2 more (-v)"), (True, "  p5: not n=0")])
def test_many_that_are_missed_are_cut(verbose: bool, last: str) -> None:  # noqa: FBT001 - a column
    snapshot = snapshot_of(FIVE)
    found = explain_policy(snapshot, snapshot.policies[0])
    lines = text(found, verbose=verbose)
    assert lines[2] == "ingress: of what it selects, only this is allowed by it:"
    assert lines[3].split("   ")[0] == "  FROM"
    assert "without it: no connection opens or closes" in lines
    assert lines[-1] == last


def test_one_that_selects_nobody() -> None:
    snapshot = snapshot_of({**FIVE, "policies": {"shop/none": {"podSelector": {"matchLabels": {"n": "9"}}}}})
    assert text(explain_policy(snapshot, snapshot.policies[0]))[1] == "selects no pod now"


def test_json() -> None:
    found = policy_explanation_object(of_example("tiers", "guard-rails"))
    assert found["kind"] == "PolicyExplanation"
    assert found["policy"]["name"] == "guard-rails"
    assert found["selects"] == ["shop/san", "shop/nginx", "shop/db"]
    assert [rule["ruleName"] for rule in found["ingress"]["rules"]] == ["scrape", "own-team", "others"]
    assert (found["ingress"]["isolates"], found["egress"]["rules"]) == (False, [])
    assert found["missed"] == [{"pod": "monitoring/prom", "lacks": ["team=shop"]}]
    assert found["without"]["closes"]


def test_json_says_null_where_it_is_not_known_whether_it_isolates() -> None:
    snapshot = snapshot_of({"cilium": {"p": {"nodeSelector": {}, "ingress": [{}]}}})
    found = policy_explanation_object(explain_policy(snapshot, all_policies(snapshot)[0]))
    assert (found["ingress"]["isolates"], found["egress"]["isolates"]) == (None, False)


def test_a_policy_that_is_not_in_force_does_nothing_and_says_why() -> None:
    found = of_example("shop", "deny-all-ingress")._replace(refused="Cilium refuses it: spec has no rule")
    assert text(found) == [
        "NetworkPolicy shop/deny-all-ingress",
        "not in force, since Cilium refuses it: spec has no rule",
    ]
    assert policy_explanation_object(found)["refused"] == "Cilium refuses it: spec has no rule"
    assert policy_explanation_object(of_example("shop", "deny-all-ingress"))["refused"] is None
