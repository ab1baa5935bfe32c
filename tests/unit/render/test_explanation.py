"""A pod's policies as people read them, and the overview of a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.render.explanation import explanation_text, overview_text, unknown_texts
from kubectl_netpol.render.text import Names
from tests.support.results import DENY, NAMES, NEAR, PODS, console, console_of, words_of
from tests.support.tables import example, snapshot_of

FROM_SAM = {"from": [{"podSelector": {"matchLabels": {"run": "sam"}}}]}
TWO_PEERS = {"from": [{"podSelector": {"matchLabels": {"run": "san"}}}, {"ipBlock": {"cidr": "203.0.113.0/24"}}]}


def lines_of(cluster: dict[str, Any], pod: str = "default/web", *, verbose: bool = False) -> list[str]:
    snapshot = snapshot_of({"live": True, "pods": PODS, **cluster})
    found = snapshot.pod(*pod.split("/"))
    assert found
    return explanation_text(explain_pod(snapshot, found), NAMES, console(), verbose=verbose).splitlines()


@pytest.mark.parametrize(
    ("cluster", "lines"),
    [
        pytest.param(
            {},
            [
                "default/web (run=web)",
                "selected by no policy",
                "ingress: not affected by any policy: everything is allowed",
                "egress: not affected by any policy: everything is allowed",
            ],
            id="no policy",
        ),
        pytest.param(
            {"pods": {"default/web": {"phase": "Succeeded"}}, "policies": DENY},
            [
                "default/web (no labels)",
                "selected by no policy",
                "ingress: nothing: the pod has finished",
                "egress: nothing: the pod has finished",
            ],
            id="a pod that has finished",
        ),
        pytest.param(
            {"policies": DENY},
            [
                "default/web (run=web)",
                "selected by deny",
                "ingress: isolated by deny: nothing is allowed",
                "egress: not affected by any policy: everything is allowed",
            ],
            id="isolated without a rule",
        ),
        pytest.param(
            {"policies": NEAR},
            [
                "default/web (run=web)",
                "selected by near",
                "ingress: isolated by near; only this is allowed:",
                "  FROM           PORTS       ALLOWED BY        PODS NOW",
                "  pods run=sam   all ports   near ingress[0]   none",
                "egress: isolated by near; only this is allowed:",
                "  TO         PORTS    ALLOWED BY       PODS NOW",
                "  anywhere   TCP 81   near egress[0]   any",
            ],
            id="rules in a table, with the pods they match now",
        ),
        pytest.param(
            {
                "pods": {**PODS, "default/web": {"ip": "10.0.0.2", "labels": {"run": "web"}, "ports": "http=8080"}},
                "policies": {
                    "default/two": {
                        "podSelector": {},
                        "policyTypes": ["Ingress", "Egress"],
                        "ingress": [{**TWO_PEERS, "ports": [{"port": "http"}]}],
                        "egress": [{"ports": [{"port": "http"}]}],
                    }
                },
            },
            [
                "default/web (run=web)",
                "selected by two",
                "ingress: isolated by two; only this is allowed:",
                "  FROM             PORTS             ALLOWED BY               PODS NOW",
                "  pods run=san     TCP http (8080)   two ingress[0].from[0]   san",
                "  203.0.113.0/24   TCP http (8080)   two ingress[0].from[1]   none",
                "egress: isolated by two; only this is allowed:",
                "  TO         PORTS      ALLOWED BY      PODS NOW",
                "  anywhere   TCP http   two egress[0]   any",
            ],
            id="each of several peers, and port names resolved on the pod for ingress only",
        ),
        pytest.param(
            {"policies": {"team/in": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}}},
            [
                "default/web (run=web)",
                "selected by no policy",
                "ingress: not affected by any policy: everything is allowed",
                "egress: not affected by any policy: everything is allowed",
                "named as a peer by team/in ingress[0].from[0]",
            ],
            id="named as a peer by a policy of another namespace",
        ),
        pytest.param(
            {
                "services": {
                    "default/front": {
                        "selector": {"run": "web"},
                        "ports": [{"port": 80, "targetPort": 8080}, {"name": "m", "port": 90, "targetPort": "metrics"}],
                    }
                }
            },
            [
                "default/web (run=web)",
                "selected by no policy",
                "ingress: not affected by any policy: everything is allowed",
                "egress: not affected by any policy: everything is allowed",
                "Service front: TCP 80 → pod port 8080",
                "Service front: TCP m 90 → no port of that name on this pod",
            ],
            id="the ports of its Services",
        ),
    ],
)
def test_a_pod(cluster: dict[str, Any], lines: list[str]) -> None:
    assert lines_of(cluster) == lines


def test_rules_after_the_tenth_are_counted_unless_verbose() -> None:
    policies = {"default/many": {"podSelector": {}, "ingress": [FROM_SAM] * 12}}
    assert lines_of({"policies": policies})[-2:] == [
        "  and 2 more (-v)",
        "egress: not affected by any policy: everything is allowed",
    ]
    assert not [line for line in lines_of({"policies": policies}, verbose=True) if "more" in line]


def test_policies_after_the_fifth_are_counted_unless_verbose() -> None:
    policies: dict[str, Any] = {f"default/p{number}": {"podSelector": {}} for number in range(7)}
    assert lines_of({"policies": policies})[1] == "selected by p0, p1, p2, p3, p4 and 2 more"
    verbose = lines_of({"policies": policies}, verbose=True)
    assert verbose[1] == "selected by p0, p1, p2, p3, p4, p5, p6"
    assert verbose[2] == "ingress: isolated by p0, p1, p2, p3, p4, p5, p6: nothing is allowed"


def test_pods_after_the_third_are_counted_unless_verbose() -> None:
    pods = {
        **PODS,
        **{f"default/p{number}": {"ip": f"10.0.2.{number}", "labels": {"run": "sam"}} for number in range(5)},
    }
    policies = {"default/near": {"podSelector": {}, "ingress": [FROM_SAM]}}
    assert lines_of({"pods": pods, "policies": policies})[4].endswith("5: p0, p1, p2 and 2 more")
    assert lines_of({"pods": pods, "policies": policies}, verbose=True)[4].endswith("5: p0, p1, p2, p3, p4")


def test_rules_too_wide_for_a_table_are_two_lines_each() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"team": "operations"}}, "podSelector": {"matchLabels": {"run": "x"}}}
    policies = {"default/a-policy-with-a-name-of-some-length": {"podSelector": {}, "ingress": [{"from": [peer]}]}}
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    assert explanation_text(explain_pod(snapshot, snapshot.pods[0]), NAMES, console()).splitlines()[2:6] == [
        "ingress: isolated by a-policy-with-a-name-of-some-length; only this is allowed:",
        "  from pods run=x in namespaces team=operations: all ports",
        "    by a-policy-with-a-name-of-some-length ingress[0]; pods now: none",
        "egress: not affected by any policy: everything is allowed",
    ]


def test_policies_that_could_not_be_read_are_not_shown_as_open() -> None:
    gap = Gap("networkpolicies", "default", "you may not list networkpolicies in namespace default")
    whole = snapshot_of({"live": True, "pods": PODS})
    snapshot = Snapshot(pods=whole.pods, gaps=[gap])
    found = [explain_pod(snapshot, pod) for pod in snapshot.pods_in("default")]
    assert overview_text(found).splitlines()[1:] == ["san   ?         ?        0", "web   ?         ?        0"]
    assert explanation_text(found[0], NAMES, console()).splitlines()[2:4] == [
        "ingress: not known: you may not list networkpolicies in namespace default",
        "egress: not known: you may not list networkpolicies in namespace default",
    ]


def test_pods_that_could_not_be_read_are_not_shown_as_none() -> None:
    policies: dict[str, Any] = {
        "default/p": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]},
    }
    whole = snapshot_of({"live": True, "pods": PODS, "policies": policies})
    gap = Gap("pods", None, "you may not list pods in the whole cluster", frozenset({"default"}))
    snapshot = Snapshot(namespaces=whole.namespaces.values(), pods=whole.pods, policies=whole.policies, gaps=[gap])
    text = explanation_text(explain_pod(snapshot, whole.pods_in("default")[0]), NAMES, console())
    assert "  from all pods in all namespaces: all ports\n" in text
    assert "    by p ingress[0]; pods now: not known: you may not list pods" in text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_word_is_lost_at_any_width(width: int, verbose: bool) -> None:  # noqa: FBT001 - a column
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": NEAR})
    explanation = explain_pod(snapshot, snapshot.pods[0])
    narrow, wide = (explanation_text(explanation, NAMES, console_of(at), verbose=verbose) for at in (width, 10_000))
    assert words_of(narrow) == words_of(wide)


def test_an_overview_has_one_line_per_pod() -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, "policies": DENY})
    explanations = [explain_pod(snapshot, pod) for pod in snapshot.pods]
    assert overview_text(explanations[:2]).splitlines() == [
        "POD   INGRESS    EGRESS   POLICIES",
        "san   isolated   open     1",
        "web   isolated   open     1",
    ]
    assert overview_text(explanations[2:], namespaced=True).splitlines()[1:] == ["team/cat   open      open     0"]


GUARD = "clusternetworkpolicy.policy.networking.k8s.io/guard-rails"
DENY_ALL = "clusternetworkpolicy.policy.networking.k8s.io/default-deny"


def test_the_tiers_are_listed_by_policy_in_the_order_in_which_they_are_asked() -> None:
    snapshot = example("tiers")
    found = snapshot.pod("shop", "db")
    assert found
    lines = explanation_text(explain_pod(snapshot, found), Names("shop"), console_of(140)).splitlines()
    assert lines == [
        "shop/db (run=db)",
        f"selected by {GUARD}, {DENY_ALL}",
        f"ingress: asked first: {GUARD} (Admin, priority 10):",
        "  ACTION   FROM                                        PORTS       RULE                    PODS NOW",
        '  allow    pods run=prom in namespaces team=platform   all ports   ingress[0] "scrape"     monitoring/prom',
        '  pass     all pods in namespaces team=shop            all ports   ingress[1] "own-team"   san, nginx, db',
        (
            "  deny     all pods in all namespaces                  all ports   "
            'ingress[2] "others"     4: san, nginx, db and 1 more'
        ),
        f"ingress: asked last: {DENY_ALL} (Baseline, priority 0):",
        "  ACTION   FROM                         PORTS       RULE                       PODS NOW",
        '  deny     all pods in all namespaces   all ports   ingress[0] "nobody-else"   4: san, nginx, db and 1 more',
        "ingress: everything else is allowed",
        "egress: not affected by any policy: everything is allowed",
        f"named as a peer by {GUARD} ingress[1].from[0],",
        f"  {GUARD} ingress[2].from[0], {DENY_ALL}",
        "  ingress[0].from[0]",
    ]


def test_what_isolates_comes_after_the_admin_tier() -> None:
    snapshot = example("tiers")
    found = snapshot.pod("shop", "nginx")
    assert found
    lines = explanation_text(explain_pod(snapshot, found), Names("shop"), console()).splitlines()
    assert "  deny from all pods in all namespaces: all ports" in lines
    assert "ingress: then isolated by nginx; only this is allowed:" in lines
    assert not [line for line in lines if "asked last" in line or "everything else" in line]


UNEVALUATED = {
    "apiVersion": "crd.antrea.io/v1beta1",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "wide"},
    "spec": {"appliedTo": [{"podSelector": {}}], "ingress": [{}]},
}


def test_what_may_decide_and_is_not_evaluated_comes_before_what_isolates() -> None:
    lines = lines_of({"policies": DENY, "objects": [UNEVALUATED]})
    assert "ingress: isolated by deny: nothing is allowed" in lines
    assert lines[2:4] == [
        "ingress: not known: clusternetworkpolicy.crd.antrea.io/wide may decide for",
        "  default/web: its rules are not evaluated",
    ]
    assert not [line for line in lines if "ingress: not affected" in line]


def test_the_overview_says_where_a_tier_denies_something_and_what_is_not_known() -> None:
    snapshot = example("tiers")
    table = overview_text([explain_pod(snapshot, pod) for pod in snapshot.pods])
    assert [" ".join(line.split()) for line in table.splitlines()] == [
        "POD INGRESS EGRESS POLICIES",
        "san limited open 2",
        "nginx isolated open 3",
        "db limited open 2",
        "prom limited open 1",
    ]


def test_the_reasons_of_what_is_not_known_are_cut_with_a_count() -> None:
    pods = {f"a/p{number}": {"ip": f"10.0.0.{number}"} for number in range(1, 7)}
    snapshot = snapshot_of({"pods": pods, "objects": [UNEVALUATED]})
    texts = unknown_texts([explain_pod(snapshot, pod) for pod in snapshot.pods])
    assert texts[0].startswith("not known: clusternetworkpolicy.crd.antrea.io/wide may decide for a/p1:")
    assert texts[3:] == ["not known for 3 more reasons: explain POD says which"]
    assert unknown_texts([explain_pod(snapshot, pod) for pod in snapshot.pods[:3]]) == texts[:3]


CILIUM = {
    "plugin": "Cilium",
    "policies": DENY,
    "cilium": {
        "default/web": {
            "endpointSelector": {"matchLabels": {"run": "web"}},
            "ingress": [{"fromEndpoints": [{"matchLabels": {"run": "san"}}], "toPorts": [{"ports": [{"port": "80"}]}]}],
            "ingressDeny": [{"fromEntities": ["world"]}],
            "enableDefaultDeny": {"egress": False},
            "egress": [{"toCIDR": ["10.0.0.0/8"]}],
        },
    },
}


def test_policies_of_cilium_with_their_kind_and_the_path_of_each_rule() -> None:
    lines = [" ".join(line.split()) for line in lines_of(CILIUM)]
    assert lines[1:] == [
        "selected by deny, default/ciliumnetworkpolicy.cilium.io/web",
        "ingress: asked first: default/ciliumnetworkpolicy.cilium.io/web:",
        "ACTION FROM PORTS RULE PODS NOW",
        "deny entity world all ports ingressDeny[0] none",
        "ingress: then isolated by deny, default/ciliumnetworkpolicy.cilium.io/web; only",
        "this is allowed:",
        "from pods run=san in default: ANY 80",
        "by default/ciliumnetworkpolicy.cilium.io/web ingress[0]; pods now: san",
        "egress: asked last: default/ciliumnetworkpolicy.cilium.io/web:",
        "ACTION TO PORTS RULE PODS NOW",
        "allow 10.0.0.0/8 outside the cluster all ports egress[0] none",
        "egress: everything else is allowed",
    ]


def test_a_rule_of_cilium_that_names_the_pod() -> None:
    text = " ".join(line.strip() for line in lines_of(CILIUM, "default/san"))
    assert text.endswith("named as a peer by default/ciliumnetworkpolicy.cilium.io/web ingress[0]")
