"""Ports of a rule that destination pods don't have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies

CLUSTER = yaml.safe_load("""
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080 dns=53/UDP}
  shop/api: {labels: {app: api}, ip: 10.0.0.2, ports: "9090"}
  shop/both: {labels: {app: both}, ip: 10.0.0.3, ports: 80 8080}
  shop/bare: {labels: {app: bare}, ip: 10.0.0.4}
  shop/late: {labels: {app: late}, ip: 10.0.0.5, ports: "80", init: "8443"}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
  shop/both: {clusterIP: 10.96.0.5, selector: {app: both}, ports: [{port: 80, targetPort: 8080}]}
  shop/heads: {clusterIP: None, selector: {app: web}, ports: [{port: 81, targetPort: http}]}
  shop/gone:
    clusterIP: 10.96.0.2
    selector: {app: web}
    ports: [{name: x, port: 82, targetPort: gone}, {name: y, port: 85}]
  shop/same: {clusterIP: 10.96.0.4, selector: {app: web}, ports: [{port: 84, targetPort: 84}]}
  shop/api: {clusterIP: 10.96.0.3, selector: {app: api}, ports: [{port: 83, targetPort: 8083}]}
  shop/own: {clusterIP: 10.96.0.6, ports: [{port: 86, targetPort: 8086}]}
""")
AT = "spec.ingress[0].ports[0]"
OF_WEB = f"NP003 warning {AT}.port: p ingress[0]: 80 is the port of Service web, but its pods listen on 8080: use 8080"
OF_API = f"NP003 warning {AT}.port: p ingress[0]: 83 is the port of Service api, but its pods listen on 8083: use 8083"
SOME = "and on them it opens nothing"


def unknown(port: str, known: str, at: str = AT) -> str:
    return f"NP008 error {at}.port: p ingress[0]: no pod has a {port} ({known}); some plugins then open every port"


def undeclared(port: str, known: str) -> str:
    return f"NP014 info {AT}: p ingress[0]: no pod declares {port} (they declare {known})"


@pytest.mark.parametrize(
    ("ports", "pods", "wanted"),
    [
        pytest.param("[{port: http}, {port: dns, protocol: UDP}]", "web", [], id="names that the pods have"),
        pytest.param(
            "[{port: htp}]",
            "web",
            [unknown('TCP port named "htp"', "named ports: dns, http")],
            id="a name that no pod has",
        ),
        pytest.param(
            "[{port: http, protocol: UDP}]",
            "web",
            [unknown('UDP port named "http"', "it is TCP")],
            id="a name that the pods have for another protocol",
        ),
        pytest.param(
            "[{port: http}]",
            "api",
            [unknown('TCP port named "http"', "no named ports")],
            id="a name, and pods without named ports",
        ),
        pytest.param(
            "[{port: http}]",
            "api, web",
            [f'NP008 warning {AT}.port: p ingress[0]: some pods have no TCP port named "http", {SOME}'],
            id="a name that one of the pods has, and one lacks",
        ),
        pytest.param("[{port: 80}]", "web", [OF_WEB], id="the port of a Service with a named target"),
        pytest.param("[{port: 83}]", "api", [OF_API], id="the port of a Service with a numeric target"),
        pytest.param("[{port: 80}]", "api", [undeclared("TCP 80", "9090/TCP")], id="the port of another pod's Service"),
        pytest.param(
            "[{port: 80, protocol: UDP}]",
            "web",
            [undeclared("UDP 80", "53/UDP, 8080/TCP")],
            id="a Service's port with another protocol",
        ),
        pytest.param(
            "[{port: 81}]", "web", [undeclared("TCP 81", "53/UDP, 8080/TCP")], id="a headless Service maps no port"
        ),
        pytest.param(
            "[{port: 82}]",
            "web",
            [undeclared("TCP 82", "53/UDP, 8080/TCP")],
            id="a Service whose target the pod does not have",
        ),
        pytest.param(
            "[{port: 84}]",
            "web",
            [undeclared("TCP 84", "53/UDP, 8080/TCP")],
            id="a Service with the same port as its pods, which they don't declare",
        ),
        pytest.param(
            "[{port: 86}]",
            "web",
            [undeclared("TCP 86", "53/UDP, 8080/TCP")],
            id="a Service that selects nothing by itself",
        ),
        pytest.param("[{port: 80}]", "both", [], id="the port of a Service that its pods declare too"),
        pytest.param(
            "[{port: 90, endPort: 99}]",
            "web",
            [undeclared("TCP 90-99", "53/UDP, 8080/TCP")],
            id="a range of which the pods declare nothing",
        ),
        pytest.param("[{port: 8000, endPort: 9000}]", "web", [], id="a range with a port that is declared"),
        pytest.param("[{port: 443}]", "bare", [], id="a pod that declares no port may listen on any"),
        pytest.param("[{port: 443}]", "bare, web", [], id="so may one of two"),
        pytest.param("[{port: 8443}]", "late", [], id="the port of an init container"),
        pytest.param(
            "[{port: htp}, {port: 80}]",
            "web",
            [
                unknown('TCP port named "htp"', "named ports: dns, http"),
                OF_WEB.replace("ports[0]", "ports[1]"),
            ],
            id="two mistakes",
        ),
    ],
)
def test_ports_that_no_destination_pod_has(ports: str, pods: str, wanted: list[str]) -> None:
    selector = f"{{matchExpressions: [{{key: app, operator: In, values: [{pods}]}}]}}"
    cluster = with_policies(CLUSTER, f"{{shop/p: {{podSelector: {selector}, ingress: [{{ports: {ports}}}]}}}}")
    found = linted(cluster)
    assert lines(found, "NP003", "NP008", "NP014") == wanted


ONE_AND_TWO = yaml.safe_load("""
pods:
  shop/one: {labels: {app: one}, ip: 10.0.0.1, ports: "8080"}
  shop/two: {labels: {app: two}, ip: 10.0.0.2}
services:
  shop/one: {clusterIP: 10.96.0.1, selector: {app: one}, ports: [{port: 80, targetPort: 8080}]}
""")
OF_ONE = f"NP003 warning {AT}.port: p ingress[0]: 80 is the port of Service one, but its pods listen on 8080"


@pytest.mark.parametrize(
    ("selector", "service", "wanted", "repaired"),
    [
        pytest.param("{}", "selector: {app: two}, ports: [{port: 80}]", [], False, id="the target of another Service"),
        pytest.param(
            "{}", "selector: {app: two}, ports: [{port: 1, targetPort: 80}]", [], False, id="its target by another port"
        ),
        pytest.param(
            "{}", "selector: {app: two}, clusterIP: None, ports: [{port: 80}]", [], False, id="its target, headless"
        ),
        pytest.param(
            "{matchLabels: {app: one}}",
            "selector: {app: two}, ports: [{port: 80}]",
            [f"{OF_ONE}: use 8080"],
            True,
            id="the target of a Service whose pods the policy leaves out",
        ),
        pytest.param(
            "{}",
            "selector: {app: two}, ports: [{port: 80, targetPort: 81}]",
            [f"{OF_ONE}: add 8080"],
            False,
            id="the target of none, and a pod that declares no port may have it",
        ),
        pytest.param(
            "{}",
            "selector: {app: two}, ports: [{port: 80, protocol: UDP}]",
            [f"{OF_ONE}: add 8080"],
            False,
            id="a target of another protocol",
        ),
        pytest.param("{}", "ports: [{port: 80}]", [f"{OF_ONE}: add 8080"], False, id="a Service without a selector"),
    ],
)
def test_a_services_port_that_is_a_pods_port_too(selector: str, service: str, wanted: list[str], repaired: Any) -> None:
    spec = f"{{shop/p: {{podSelector: {selector}, ingress: [{{ports: [{{port: 80}}]}}]}}}}"
    more = f"{{services: {{shop/two: {{{service}}}}}}}"
    found = [one for one in linted(with_policies(ONE_AND_TWO, spec, more)) if one.number == "NP003"]
    assert (lines(found), any(one.repair for one in found)) == (wanted, repaired)


@pytest.mark.parametrize(
    ("to", "complete", "wanted"),
    [
        pytest.param("[{podSelector: {matchLabels: {app: web}}}]", True, ["error"], id="the peers' pods"),
        pytest.param("[{podSelector: {matchLabels: {app: web}}}]", False, ["warning"], id="of which more may come"),
        pytest.param("[{podSelector: {}}]", True, ["error"], id="all of them"),
        pytest.param(
            "[{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 192.0.2.0/24}}]",
            True,
            ["warning"],
            id="addresses besides",
        ),
        pytest.param("[{ipBlock: {cidr: 192.0.2.0/24}}]", True, [], id="addresses alone"),
        pytest.param("[]", True, [], id="everyone"),
    ],
)
def test_for_egress_a_name_is_that_of_the_peers(to: str, complete: bool, wanted: list[str]) -> None:  # noqa: FBT001 - a column
    spec = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: {to}, ports: [{{port: htp}}]}}]}}}}"
    found = linted(with_policies(CLUSTER, spec), complete=complete)
    assert [one.severity.value for one in found if one.number == "NP008"] == wanted


def test_a_number_is_not_undeclared_where_addresses_are_let_out_too() -> None:
    peers = "[{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 192.0.2.0/24}}]"
    spec = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: {peers}, ports: [{{port: 1}}]}}]}}}}"
    assert lines(linted(with_policies(CLUSTER, spec)), "NP014") == []


def test_a_name_is_no_error_where_a_skipped_kind_makes_pods() -> None:
    cluster = with_policies(SHOP, "{shop/p: {podSelector: {}, ingress: [{ports: [{port: none}]}]}}")
    for unseen, severity in (((), "error"), (("Kafka",), "warning")):
        found = linted(cluster, complete=False, unseen=unseen)
        assert [one.severity.value for one in found if one.number == "NP008"] == [severity]


@pytest.mark.parametrize(
    ("kind", "ports", "problem"),
    [
        pytest.param("anp", "[{namedPort: ''}]", 'no port can have the name ""', id="an empty name"),
        pytest.param("anp", "[{namedPort: 'a b'}]", 'no port can have the name "a b"', id="a name with a space"),
        pytest.param(
            "anp", "[{portNumber: {protocol: tcp, port: 80}}]", 'no connection has the protocol "tcp"', id="a protocol"
        ),
        pytest.param(
            "anp", "[{portRange: {protocol: TCP, start: 90, end: 80}}]", "no port is in 90-80", id="a range of nothing"
        ),
        pytest.param("anp", "[{portRange: {protocol: TCP, start: 80, end: 9090}}]", "", id="a range"),
        pytest.param("anp", "[{portNumber: {protocol: TCP, port: 8080}}]", "", id="a port"),
        pytest.param("anp", "[{namedPort: http}]", "", id="a name that pods have"),
        pytest.param(
            "cnp", "[{destinationNamedPort: ''}]", 'no port can have the name ""', id="of ClusterNetworkPolicy"
        ),
    ],
)
def test_ports_that_no_connection_can_have(kind: str, ports: str, problem: str) -> None:
    peers: list[dict[str, object]] = [{"namespaces": {}}]
    field = "protocols" if kind == "cnp" else "ports"
    rule = {"action": "Accept" if kind == "cnp" else "Allow", "from": peers, field: yaml.safe_load(ports)}
    spec = {
        "priority": 1,
        "subject": {"namespaces": {}},
        "ingress": [rule],
        **({"tier": "Admin"} if kind == "cnp" else {}),
    }
    found = [one for one in linted({**SHOP, "tiers": {f"{kind}/p": spec}}) if one.number == "NP023"]
    assert [one.message.partition(" ingress[0]: ")[2] for one in found] == ([problem] if problem else [])
    assert all(one.path == f"spec.ingress[0].{field}[0]" for one in found)
    assert all(one.severity.value == "error" for one in found)


def test_a_range_that_ends_before_it_begins_is_no_number_that_pods_could_declare() -> None:
    rule = "{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {start: 82, end: 80}}]}"
    subject = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}"
    tiers = yaml.safe_load(f"anp/p: {{priority: 1, subject: {subject}, ingress: [{rule}]}}")
    found = {one.number for one in linted({**SHOP, "tiers": tiers})}
    assert found & {"NP014", "NP023"} == {"NP023"}


def test_a_port_of_a_tier_has_no_repair_by_an_edit() -> None:
    port = {"portNumber": {"protocol": "TCP", "port": 80}}
    rule = {"action": "Allow", "from": [{"namespaces": {}}], "ports": [port]}
    spec = {
        "priority": 1,
        "subject": {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}},
    }
    found = linted({**SHOP, "tiers": {"anp/p": {**spec, "ingress": [rule]}}})
    assert [(one.number, one.repair) for one in found if one.number == "NP003"] == [("NP003", None)]
