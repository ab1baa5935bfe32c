"""The verdict on a connection as people read it: the verdict, each direction in a sentence, the closest rules."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.console import Console
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import arrow, verdict_text
from tests.support.results import DENY, NAMES, NEAR, PODS, Terminal, console, console_of, words_of
from tests.support.running import run
from tests.support.tables import ask, example, snapshot_of

SERVICE = {"default/front": {"selector": {"run": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}
FROM_SAN = {"from": [{"podSelector": {"matchLabels": {"run": "san"}}}]}
UNEVALUATED = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumClusterwideNetworkPolicy",
    "metadata": {"name": "wide"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}
NO_EGRESS = "  egress:  no policy isolates san, so everything is allowed"


def lines_of(cluster: dict[str, Any], ends: str = "san web 80", *, verbose: bool = False) -> list[str]:
    snapshot = snapshot_of({"live": True, "pods": PODS, **cluster})
    source, destination, port = ends.split()
    prediction = ask(snapshot, source, destination, int(port) if port.isdecimal() else port, "TCP")
    return verdict_text(prediction, NAMES, console_of(200), verbose=verbose).splitlines()


@pytest.mark.parametrize(
    ("cluster", "ends", "lines"),
    [
        pytest.param(
            {},
            "san web 80",
            ["allowed: san → web, TCP 80", NO_EGRESS, "  ingress: no policy isolates web, so everything is allowed"],
            id="no policy isolates either end",
        ),
        pytest.param(
            {"policies": DENY},
            "san web 80",
            ["blocked: san → web, TCP 80", NO_EGRESS, "  ingress: deny isolates web, and no rule lets san in"],
            id="isolated, and no rule allows it",
        ),
        pytest.param(
            {"policies": {**DENY, "default/also": {"podSelector": {}}}},
            "team/cat web 80",
            [
                "blocked: team/cat → web, TCP 80",
                "  egress:  no policy isolates team/cat, so everything is allowed",
                "  ingress: deny, also isolate web, and no rule lets team/cat in",
            ],
            id="isolated by two policies, from another namespace",
        ),
        pytest.param(
            {"policies": {**DENY, "default/in": {"podSelector": {}, "ingress": [FROM_SAN]}}},
            "san web 80",
            [
                "allowed: san → web, TCP 80",
                NO_EGRESS,
                "  ingress: allowed by in ingress[0].from[0]; web is isolated by deny, in",
            ],
            id="a rule allows it",
        ),
        pytest.param(
            {"policies": {"default/in": {"podSelector": {}, "ingress": [FROM_SAN, {}]}}},
            "san web 80",
            [
                "allowed: san → web, TCP 80",
                NO_EGRESS,
                "  ingress: allowed by in ingress[0].from[0] and 1 more; web is isolated by in",
            ],
            id="several rules allow it",
        ),
        pytest.param(
            {
                "pods": {**PODS, "default/web": {**PODS["default/web"], "node": "n1"}},
                "nodes": {"n1": ["192.0.2.1"]},
                "policies": DENY,
            },
            "node/n1 web 80",
            [
                "allowed: node n1 → web, TCP 80",
                "  egress:  no pod at this end, so no policy applies",
                "  ingress: a pod's own node is always let in; web is isolated by deny",
            ],
            id="the pod's own node",
        ),
        pytest.param(
            {
                "pods": {**PODS, "default/san": {**PODS["default/san"], "phase": "Succeeded"}},
                "policies": {"default/deny": {"podSelector": {}, "ingress": [FROM_SAN, {"ports": [{"port": 81}]}]}},
            },
            "san web 80",
            [
                "undefined: san → web, TCP 80",
                "  the source pod default/san has finished (Succeeded)",
                NO_EGRESS,
                "  ingress: deny isolates web, and no rule lets san in",
                "             deny ingress[1]: requires port 81, not 80",
            ],
            id="a finished pod misses nothing of a rule about its labels",
        ),
        pytest.param(
            {"policies": NEAR},
            "san web 80",
            [
                "blocked: san → web, TCP 80",
                "  egress:  near isolates san, and no rule lets san reach web",
                "             near egress[0]: requires port 81, not 80",
                "  ingress: near isolates web, and no rule lets san in",
                "             near ingress[0].from[0]: requires label run=sam, pod has run=san",
            ],
            id="the closest rule of each direction",
        ),
        pytest.param(
            {
                "policies": {
                    "default/many": {
                        "podSelector": {},
                        "ingress": [{"ports": [{"port": port}]} for port in range(90, 95)],
                    }
                }
            },
            "san web 80",
            [
                "blocked: san → web, TCP 80",
                NO_EGRESS,
                "  ingress: many isolates web, and no rule lets san in",
                *(f"             many ingress[{number}]: requires port {90 + number}, not 80" for number in range(3)),
                "             and 2 more rules (-v)",
            ],
            id="rules after the third are counted",
        ),
        pytest.param(
            {"services": SERVICE},
            "san front 80",
            [
                "allowed: san → front, TCP 80 (pod port 8080)",
                NO_EGRESS,
                "  ingress: no policy isolates web, so everything is allowed",
            ],
            id="a Service with another port on the pod",
        ),
        pytest.param(
            {},
            "198.51.100.1 web 80",
            [
                "allowed: 198.51.100.1 → web, TCP 80",
                "  egress:  no pod at this end, so no policy applies",
                "  ingress: no policy isolates web, so everything is allowed",
            ],
            id="an address outside the cluster",
        ),
        pytest.param(
            {"objects": [UNEVALUATED]},
            "san web 80",
            [
                "undefined: san → web, TCP 80",
                (
                    "  ciliumclusterwidenetworkpolicy.cilium.io/wide may decide for default/web: "
                    "its rules are not evaluated"
                ),
                NO_EGRESS,
                "  ingress: undefined",
            ],
            id="an undefined direction does not repeat the reason",
        ),
        pytest.param(
            {"policies": {"default/in": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}},
            "san pod/san 80",
            [
                "allowed: san → san, TCP 80",
                "  egress:  no policy applies to a pod's connections to itself",
                "  ingress: no policy applies to a pod's connections to itself",
            ],
            id="a pod reaches itself although it is isolated",
        ),
    ],
)
def test_a_verdict(cluster: dict[str, Any], ends: str, lines: list[str]) -> None:
    assert [line for line in lines_of(cluster, ends) if not line.startswith("  note: ")] == lines


def test_a_caveat_is_a_note() -> None:
    lines = lines_of({"policies": {"default/in": {"podSelector": {}, "policyTypes": ["Ingress"]}}}, "san pod/san 80")
    assert lines[-1].startswith("  note: default/san reaches its own address")


def test_endpoints_that_differ_are_listed_and_all_of_them_if_verbose() -> None:
    pods = {**PODS, "default/web2": {"ip": "10.0.0.3", "labels": {"run": "web", "odd": "y"}}}
    policies = {"default/odd": {"podSelector": {"matchLabels": {"odd": "y"}}}}
    cluster = {"pods": pods, "services": SERVICE, "policies": policies}
    assert lines_of(cluster, "san front 80")[-2:] == ["  web port 8080: allowed", "  web2 port 8080: blocked"]
    same = {**cluster, "policies": {}}
    assert not [line for line in lines_of(same, "san front 80") if "port 8080: " in line]
    assert lines_of(same, "san front 80", verbose=True)[-2:] == [
        "  web port 8080: allowed",
        "  web2 port 8080: allowed",
    ]


def test_verbose_counts_nothing() -> None:
    rules = [{"ports": [{"port": port}]} for port in range(90, 99)]
    policies = {f"default/p{number}": {"podSelector": {}, "ingress": rules} for number in range(5)}
    lines = lines_of({"policies": policies}, verbose=True)
    assert len([line for line in lines if "requires port" in line]) == 45
    assert not [line for line in lines if "more" in line]


@pytest.mark.parametrize(
    ("cluster", "ends", "text"),
    [
        pytest.param({}, "san web 80", "san → web, TCP 80", id="two pods"),
        pytest.param({}, "team/cat web 80", "cat → default/web, TCP 80", id="names without the namespace of -n"),
        pytest.param(
            {"services": SERVICE},
            "san front 80",
            "default/san → default/front, TCP 80 (pod port 8080)",
            id="a mapped port",
        ),
        pytest.param({"services": SERVICE}, "san front 81", "default/san → default/front, TCP 81", id="no such port"),
        pytest.param(
            {"services": SERVICE}, "san front http", "default/san → default/front, TCP ?", id="no port of that name"
        ),
    ],
)
def test_the_connection_in_one_line(cluster: dict[str, Any], ends: str, text: str) -> None:
    snapshot = snapshot_of({"live": True, "pods": PODS, **cluster})
    source, destination, port = ends.split()
    prediction = ask(snapshot, source, destination, int(port) if port.isdecimal() else port, "TCP")
    assert arrow(prediction.request, Names("default" if ends == "san web 80" else "team")) == text


@pytest.mark.parametrize(
    ("cluster", "first"),
    [
        pytest.param({}, "\033[32mallowed\033[0m: san → web, TCP 80", id="allowed is green"),
        pytest.param({"policies": DENY}, "\033[31mblocked\033[0m: san → web, TCP 80", id="blocked is red"),
        pytest.param(
            {"objects": [UNEVALUATED]}, "\033[33mundefined\033[0m: san → web, TCP 80", id="undefined is yellow"
        ),
    ],
)
def test_the_colour_of_a_verdict(cluster: dict[str, Any], first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    prediction = ask(snapshot_of({"live": True, "pods": PODS, **cluster}), "san", "web", 80, "TCP")
    assert verdict_text(prediction, NAMES, Console(Terminal(), Terminal())).splitlines()[0] == first
    assert verdict_text(prediction, NAMES, console()).splitlines()[0].split(":")[0] in first


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_word_is_lost_at_any_width(width: int, verbose: bool) -> None:  # noqa: FBT001 - a column
    prediction = ask(snapshot_of({"live": True, "pods": PODS, "policies": NEAR}), "san", "web", 80, "TCP")
    narrow, wide = (verdict_text(prediction, NAMES, console_of(at), verbose=verbose) for at in (width, 10_000))
    assert words_of(narrow) == words_of(wide)


@pytest.mark.parametrize(
    ("calico", "ingress"),
    [
        pytest.param(
            {"gnp/first": {"order": 1, "tier": "one", "selector": "all()", "ingress": [{"action": "Pass"}]}},
            "{} passes it on; no later policy applies to web, so it is allowed",
            id="a tier passes it on to none",
        ),
    ],
)
def test_a_tier_of_calicos(calico: dict[str, Any], ingress: str) -> None:
    cluster = {"plugin": "Calico", "calico": {"tier/one": {"order": 1}, **calico}}
    rule = "globalnetworkpolicy.projectcalico.org/first ingress[0] (tier one, order 1)"
    assert lines_of(cluster)[2] == f"  ingress: {ingress.format(rule)}"


GUARD = "clusternetworkpolicy.policy.networking.k8s.io/guard-rails"
DENY_ALL = "clusternetworkpolicy.policy.networking.k8s.io/default-deny"
OWN_TEAM = f'{GUARD} ingress[1].from[0] "own-team" (Admin, priority 10) passes it on'


@pytest.mark.parametrize(
    ("ends", "ingress"),
    [
        pytest.param(
            "monitoring/prom shop/db 5432",
            f'allowed by {GUARD} ingress[0].from[0] "scrape" (Admin, priority 10)',
            id="the Admin tier allows it",
        ),
        pytest.param(
            "shop/san shop/nginx 80",
            f"{OWN_TEAM}; allowed by nginx ingress[0].from[0]; nginx is isolated by nginx",
            id="it passes on what a NetworkPolicy allows",
        ),
        pytest.param(
            "shop/db shop/nginx 80",
            f"{OWN_TEAM}; nginx isolates nginx, and no rule lets db in",
            id="it passes on what no NetworkPolicy allows",
        ),
        pytest.param(
            "shop/san shop/db 5432",
            f'{OWN_TEAM}; denied by {DENY_ALL} ingress[0].from[0] "nobody-else" (Baseline, priority 0)',
            id="it passes on what Baseline denies",
        ),
        pytest.param(
            "203.0.113.9 monitoring/prom 80",
            f"no rule of {DENY_ALL} (Baseline, priority 0) matches, and no policy isolates monitoring/prom, so it is "
            "allowed",
            id="no rule matches",
        ),
    ],
)
def test_a_side_with_tiers(ends: str, ingress: str) -> None:
    source, destination, port = ends.split()
    prediction = ask(example("tiers"), source, destination, int(port), "TCP")
    lines = verdict_text(prediction, Names("shop"), console_of(400)).splitlines()
    assert lines[2] == f"  ingress: {ingress}"


def test_a_pass_in_vain_and_rules_of_equal_priority() -> None:
    rules = [{"action": "Pass", "from": [{"namespaces": {}}]}]
    tied = [
        {
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            "metadata": {"name": name},
            "spec": {"tier": "Admin", "priority": 7, "subject": {"namespaces": {}}, "ingress": ingress},
        }
        for name, ingress in (("one", rules), ("two", [{"action": "Deny", "from": [{"namespaces": {}}]}]))
    ]
    one, two = (f"clusternetworkpolicy.policy.networking.k8s.io/{name}" for name in ("one", "two"))
    passes = f"  ingress: {one} ingress[0].from[0] (Admin, priority 7) passes it on; "
    alone = lines_of({"objects": tied[:1]})
    assert alone[2] == f"{passes}no policy isolates web, so it is allowed"
    both = lines_of({"objects": tied})
    assert both[0].startswith("undefined: ")
    assert " ".join(both[1:3]).replace("    ", "") == (
        f"  which of these applies is not defined: {two} ingress[0].from[0] would deny, {one} ingress[0].from[0] "
        "would pass"
    )


CILIUM = {
    "plugin": "Cilium",
    "policies": {"default/plain": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
    "cilium": {
        "default/web": {
            "endpointSelector": {"matchLabels": {"run": "web"}},
            "ingress": [{"fromEndpoints": [{"matchLabels": {"run": "db"}}], "toPorts": [{"ports": [{"port": "81"}]}]}],
            "ingressDeny": [{"fromEntities": ["remote-node"]}],
        },
    },
    "nodes": {"n1": ["192.0.2.1"], "n2": ["192.0.2.2"]},
}


@pytest.mark.parametrize(
    ("ends", "lines"),
    [
        pytest.param(
            "san web 80",
            [
                "blocked: san → web, TCP 80",
                "  egress:  no policy isolates san, so everything is allowed",
                "  ingress: plain, default/ciliumnetworkpolicy.cilium.io/web isolate web, and no rule lets san in",
                (
                    "             plain ingress[0]: requires 10.0.0.0/8 outside the cluster, not default/san: "
                    "a CIDR never matches a pod"
                ),
                (
                    "             default/ciliumnetworkpolicy.cilium.io/web ingress[0]: requires port ANY 81, not 80; "
                    "requires label run=db, pod has run=san"
                ),
                "  note: by the NetworkPolicy API: allowed; on Cilium an ipBlock never matches a pod",
            ],
            id="near misses in its grammar, and what the API says",
        ),
        pytest.param(
            "10.9.9.9 web 80",
            [
                "allowed: 10.9.9.9 → web, TCP 80",
                "  egress:  no pod at this end, so no policy applies",
                (
                    "  ingress: allowed by plain ingress[0].from[0]; web is isolated by plain, "
                    "default/ciliumnetworkpolicy.cilium.io/web"
                ),
            ],
            id="a NetworkPolicy among them allows it",
        ),
    ],
)
def test_a_verdict_where_cilium_runs(ends: str, lines: list[str]) -> None:
    pods = {key: {**pod, "node": "n1"} for key, pod in PODS.items()}
    assert lines_of({**CILIUM, "pods": pods}, ends) == lines


def test_a_deny_of_cilium_is_named_by_its_path() -> None:
    pods = {key: {**pod, "node": "n1"} for key, pod in PODS.items()}
    assert lines_of({**CILIUM, "pods": pods}, "node/n2 web 80")[2] == (
        "  ingress: denied by default/ciliumnetworkpolicy.cilium.io/web ingressDeny[0]"
    )


def test_what_a_tier_of_calico_blocks_at_its_end_says_so() -> None:
    line = "san nginx 81 -n shop -f - --plugin calico"
    deny = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}"
    pods = [f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{}}}}" for name in ("san", "nginx")]
    said = "ingress: what no rule decides is denied at the end of tier default, since deny applies to shop/nginx for"
    for command in ("explain", "test -v"):
        name, *options = command.split()
        ran = run(name, " ".join([line, *options]), stdin="\n---\n".join([deny, *pods]))
        assert said in " ".join(ran.out.split()), command
        assert "undefined" not in ran.out
