"""One policy: whom it selects and lets through, what would change without it, and who is missed by which labels."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.analysis.policy import PolicyExplanation, all_policies, explain_policy
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import requirement_text
from tests.support.tables import snapshot_of

WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
CLUSTER: dict[str, Any] = {
    "namespaces": {"a": {"team": "x"}, "b": {}},
    "pods": {
        "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.1", "ports": "http=80"},
        "a/old": {"labels": {"app": "web", "gone": "yes"}, "ip": "10.0.0.1", "phase": "Succeeded"},
        "a/api": {"labels": {"app": "api"}, "ip": "10.0.0.2"},
        "a/db": {"labels": {"app": "db", "tier": "x"}, "ip": "10.0.0.3"},
        "b/far": {"labels": {"app": "web"}, "ip": "10.0.1.1"},
        "b/host": {"ip": "192.0.2.1", "host_network": True},
    },
    "policies": {
        "a/deny": {"podSelector": {}, "policyTypes": ["Ingress"]},
        "a/web": {
            **WEB,
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": 80}]}],
        },
        "a/two": {
            "podSelector": {"matchLabels": {"app": "web", "tier": "x"}},
            "egress": [{}],
            "policyTypes": ["Egress"],
        },
    },
    "tiers": {
        "cnp/guard": {
            "tier": "Admin",
            "priority": 1,
            "subject": {
                "pods": {
                    "namespaceSelector": {"matchLabels": {"team": "x"}},
                    "podSelector": {"matchLabels": {"app": "db"}},
                }
            },
            "ingress": [{"action": "Deny", "from": [{"namespaces": {"matchLabels": {"team": "y"}}}]}],
        }
    },
}
CILIUM = {
    **CLUSTER,
    "tiers": {},
    "plugin": "Cilium",
    "cilium": {
        "a/own": {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingressDeny": [{"fromEntities": ["all"]}]}
    },
}


def explained(name: str, cluster: dict[str, Any] | None = None) -> PolicyExplanation:
    snapshot = snapshot_of(cluster or CLUSTER)
    (policy,) = [policy for policy in all_policies(snapshot) if policy.name == name]
    return explain_policy(snapshot, policy)


@pytest.mark.parametrize(
    ("name", "selects", "isolates"),
    [
        pytest.param("deny", ["a/web", "a/api", "a/db"], [Direction.INGRESS], id="every pod of its namespace"),
        pytest.param("web", ["a/web"], [Direction.INGRESS], id="by labels, none that has finished"),
        pytest.param("two", [], [Direction.EGRESS], id="none"),
        pytest.param("guard", ["a/db"], [], id="a policy of a tier does not isolate"),
    ],
)
def test_whom_it_selects(name: str, selects: list[str], isolates: list[Direction]) -> None:
    found = explained(name)
    assert ([pod.key for pod in found.selects], list(found.isolates)) == (selects, isolates)


TIERS = {"tier/open": {"order": 5, "defaultAction": "Pass"}, "tier/shut": {"order": 6}}
ALLOW = {"ingress": [{"action": "Allow"}]}


@pytest.mark.parametrize(
    ("cluster", "name", "isolates", "may_isolate"),
    [
        pytest.param({"cilium": {"a/p": {"ingressDeny": [{}]}}}, "p", "ingress", "", id="Cilium: denies alone do"),
        pytest.param(
            {"cilium": {"a/p": {"ingress": [{}], "egress": [{}], "enableDefaultDeny": {"ingress": False}}}},
            "p",
            "egress",
            "",
            id="Cilium: not where enableDefaultDeny is false",
        ),
        pytest.param(
            {"cilium": {"a/p": [{"ingress": [{}], "enableDefaultDeny": {"ingress": False}}, {"ingress": [{}]}]}},
            "p",
            "ingress",
            "",
            id="Cilium: one of several specs does",
        ),
        pytest.param(
            {"cilium": {"p": {"nodeSelector": {}, "ingress": [{}]}}},
            "p",
            "",
            "ingress",
            id="Cilium: of nodes it hangs on the host firewall",
        ),
        pytest.param(
            {"cilium": {"a/p": {"ingress": [{"fromNodes": [{}]}]}}},
            "p",
            "",
            "ingress",
            id="Cilium: with fromNodes it hangs on a setting",
        ),
        pytest.param(
            {"plugin": "Cilium", "policies": {"a/p": {"podSelector": {}, "policyTypes": ["Egress"]}}},
            "p",
            "egress",
            "",
            id="Cilium: a NetworkPolicy by its types",
        ),
        pytest.param(
            {
                "plugin": "Cilium",
                "policies": {"a/p": {"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{}, {}]}},
            },
            "p",
            "egress ingress",
            "",
            id="Cilium: a NetworkPolicy by its rules too",
        ),
        pytest.param(
            {"calico": {**TIERS, "gnp/shut.p": {"tier": "shut", **ALLOW}}},
            "shut.p",
            "ingress",
            "",
            id="Calico: at the end of a tier",
        ),
        pytest.param(
            {"calico": {**TIERS, "gnp/open.p": {"tier": "open", **ALLOW}}},
            "open.p",
            "",
            "",
            id="Calico: not in a tier that passes",
        ),
        pytest.param(
            {"calico": {**TIERS, "gnp/none.p": {"tier": "none", **ALLOW}}},
            "none.p",
            "",
            "ingress",
            id="Calico: in a tier that is not there that is unknown",
        ),
        pytest.param(
            {"calico": TIERS, "policies": {"a/p": {"podSelector": {}}}},
            "p",
            "ingress",
            "",
            id="Calico: a NetworkPolicy",
        ),
        pytest.param(
            {"calico": TIERS, "tiers": {"cnp/p": CLUSTER["tiers"]["cnp/guard"]}},
            "p",
            "",
            "",
            id="Calico: not a ClusterNetworkPolicy",
        ),
    ],
)
def test_where_a_plugin_runs_it_isolates_by_its_reading(
    cluster: dict[str, Any], name: str, isolates: str, may_isolate: str
) -> None:
    found = explained(name, cluster)
    sides = found.isolates, found.may_isolate
    assert [" ".join(direction.field for direction in side) for side in sides] == [isolates, may_isolate]


def test_on_cilium_the_denies_of_all_specs_come_first() -> None:
    found = explained("p", {"cilium": {"a/p": [{"ingress": [{}]}, {"ingressDeny": [{}]}]}})
    assert [entry.rule.path for entry in found.rules] == ["specs[1].ingressDeny[0]", "specs[0].ingress[0]"]


def test_on_cilium_nothing_is_said_of_the_rules_of_a_tier() -> None:
    names = [policy.name for policy in all_policies(snapshot_of({**CLUSTER, "plugin": "Cilium"}))]
    assert names == ["deny", "web", "two"]


SRC = {"pods": {"a/src": {"labels": {"app": "src"}, "ip": "10.0.0.1"}}}


@pytest.mark.parametrize(
    ("cluster", "text"),
    [
        pytest.param(
            {
                "cilium": {
                    "a/p": {
                        "endpointSelector": {"matchLabels": {"app": "none"}},
                        "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "src"}}]}],
                    }
                }
            },
            "pods app=src in a",
            id="Cilium",
        ),
        pytest.param(
            {
                "calico": {
                    "np/a/p": {
                        "selector": "app == 'none'",
                        "ingress": [{"action": "Allow", "source": {"selector": "app == 'src'"}}],
                    }
                }
            },
            "selector app == 'src'",
            id="Calico",
        ),
        pytest.param(
            {
                "plugin": "Cilium",
                "policies": {
                    "a/p": {
                        "podSelector": {"matchLabels": {"app": "none"}},
                        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "src"}}}]}],
                    }
                },
            },
            "pods app=src in a",
            id="a NetworkPolicy on Cilium",
        ),
    ],
)
def test_peers_of_a_policy_that_selects_no_pod_are_not_everyone(cluster: dict[str, Any], text: str) -> None:
    found = explained("p", {**SRC, **cluster})
    assert found.selects == ()
    ((peer,),) = [entry.peers for entry in found.rules]
    assert (peer.text, [pod.key for pod in peer.pods]) == (text, ["a/src"])


def test_whom_its_rules_let_through() -> None:
    (entry,) = explained("web").rules
    assert [[pod.key for pod in peer.pods] for peer in entry.peers] == [["a/api"]]


@pytest.mark.parametrize(
    ("name", "opens", "closes"),
    [
        pytest.param("web", [], [("a/api", "a/web", 80)], id="what it alone allows closes"),
        pytest.param("two", [], [], id="one that selects nobody changes nothing"),
    ],
)
def test_what_would_change_without_it(
    name: str, opens: list[tuple[str, str, int]], closes: list[tuple[str, str, int]]
) -> None:
    found = explained(name).without
    rows = [
        [
            (source.title, destination.title, change.ports.first)
            for change in changes
            for source in change.sources
            for destination in change.destinations
        ]
        for changes in (found.opens, found.closes)
    ]
    assert rows == [opens, closes]


@pytest.mark.parametrize(
    ("name", "missed"),
    [
        pytest.param("web", [("a/api", ["app=web"]), ("a/db", ["app=web"])], id="by a label"),
        pytest.param(
            "two",
            [("a/db", ["app=web"]), ("a/web", ["tier=x"]), ("a/api", ["app=web", "tier=x"])],
            id="the fewest labels amiss first",
        ),
        pytest.param("deny", [], id="it selects all"),
        pytest.param(
            "guard",
            [("a/api", ["app=db"]), ("a/web", ["app=db"]), ("b/far", ["team=x", "app=db"])],
            id="of a tier, in every namespace, by the namespace's labels too",
        ),
    ],
)
def test_who_is_missed_by_which_labels(name: str, missed: list[tuple[str, list[str]]]) -> None:
    found = explained(name).missed
    assert [(one.pod.key, [requirement_text(item) for item in one.lacks]) for one in found] == missed


def test_a_policy_of_a_plugin() -> None:
    found = explained("own", CILIUM)
    assert [pod.key for pod in found.selects] == ["a/web"]
    assert [entry.rule.path for entry in found.rules] == ["ingressDeny[0]"]
    assert {change.destinations[0].title for change in found.without.opens} == {"a/web"}
    assert found.missed == ()


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        pytest.param({"ingress": [{}]}, "", id="one that Cilium takes"),
        pytest.param({}, "Cilium refuses it: spec has no rule", id="one that it refuses"),
    ],
)
def test_a_policy_that_the_plugin_takes_nothing_of(spec: dict[str, Any], refused: str) -> None:
    cilium = {"a/own": {"endpointSelector": {}, **spec}, "a/other": {"endpointSelector": {}}}
    assert explained("own", {**CILIUM, "cilium": cilium}).refused == refused
    assert explained("deny", {**CILIUM, "cilium": cilium}).refused == ""
