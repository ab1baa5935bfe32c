"""`explain` as typed: what it prints of small clusters, its warnings and its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.commands import explain as module
from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi, forbidden, lists
from tests.support.ports import DECLARED, INVALID_PORTS, TYPED_PORTS, numbers, options
from tests.support.running import Ran, run
from tests.support.tables import objects

if TYPE_CHECKING:
    from kubectl_netpol.console import Console


def pods(**found: Any) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": found}}


PODS: dict[str, Any] = {
    "default/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "default/web": {"ip": "10.0.0.2", "labels": {"run": "web"}, "ports": "http=8080"},
    "default/web-2": {"ip": "10.0.0.3", "labels": {"run": "web"}, "ports": "http=9090"},
    "default/lone": {"ip": "10.0.0.4"},
    "default/done": {"phase": "Succeeded", "ip": "10.0.0.9"},
    "team/cat": {"ip": "10.0.1.1", "labels": {"run": "cat"}},
}
TEAM = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team"}}}
POLICIES = {
    "default/web-in": {
        **pods(run="web"),
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [pods(run="san")], "ports": [{"port": 8080}]},
            {"from": [{**TEAM, **pods(run="cat")}], "ports": [{"port": "http"}, {"protocol": "UDP", "port": 53}]},
            {"from": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.9/32"]}}]},
        ],
    },
    "default/san-out": {
        **pods(run="san"),
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [pods(run="web")], "ports": [{"port": 8000, "endPort": 8090}]},
            {"ports": [{"protocol": "UDP", "port": 53}]},
        ],
    },
}
SERVICES = {"default/web": {"selector": {"run": "web"}, "ports": [{"name": "www", "port": 80, "targetPort": "http"}]}}
CLUSTER = {"pods": PODS, "policies": POLICIES, "services": SERVICES, "namespaces": {"default": {}, "team": {}}}


def explain(line: str, cluster: dict[str, Any] | None = None) -> Ran:
    items = list(objects(CLUSTER if cluster is None else cluster))
    return run("explain", f"{line} -f -", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


@pytest.mark.parametrize(
    ("line", "status", "lines"),
    [
        pytest.param(
            "san pod/web 8080",
            0,
            [
                "allowed: san → web, TCP 8080",
                "  egress:  allowed by san-out egress[0].to[0]; san is isolated by san-out",
                "  ingress: allowed by web-in ingress[0].from[0]; web is isolated by web-in",
                "  note: only an endPort range covers this port: a plugin without endPort blocks",
                "    it",
            ],
            id="allowed: the rule and the peer of each side",
        ),
        pytest.param(
            "san pod/san 443",
            0,
            [
                "allowed: san → san, TCP 443",
                "  egress:  no policy applies to a pod's connections to itself",
                "  ingress: no policy applies to a pod's connections to itself",
                "  note: default/san reaches its own address: no policy applies to that",
            ],
            id="allowed: to itself, though it is isolated",
        ),
        pytest.param(
            "lone 203.0.113.7 443",
            0,
            [
                "allowed: lone → 203.0.113.7, TCP 443",
                "  egress:  no policy isolates lone, so everything is allowed",
                "  ingress: no pod at this end, so no policy applies",
            ],
            id="allowed: nobody isolated, nobody there",
        ),
        pytest.param(
            "lone pod/web 8080",
            1,
            [
                "blocked: lone → web, TCP 8080",
                "  egress:  no policy isolates lone, so everything is allowed",
                "  ingress: web-in isolates web, and no rule lets lone in",
                "             web-in ingress[0].from[0]: requires label run=san, pod has no label",
                "               run",
                "             web-in ingress[1].from[0]: requires namespace label",
                "               kubernetes.io/metadata.name=team, namespace has",
                "               kubernetes.io/metadata.name=default; requires label run=cat, pod",
                "               has no label run",
                "             web-in ingress[2].from[0]: requires 192.0.2.0/24, not 10.0.0.4",
            ],
            id="blocked: what keeps each rule from matching, the nearest first",
        ),
        pytest.param(
            "san pod/web-2 9090",
            1,
            [
                "blocked: san → web-2, TCP 9090",
                "  egress:  san-out isolates san, and no rule lets san reach web-2",
                "             san-out egress[0].to[0]: requires port 8000-8090, not 9090",
                "             san-out egress[1]: requires UDP, not TCP",
                "  ingress: web-in isolates web-2, and no rule lets san in",
                "             web-in ingress[0].from[0]: requires port 8080, not 9090",
                "             web-in ingress[1].from[0]: requires namespace label",
                "               kubernetes.io/metadata.name=team, namespace has",
                "               kubernetes.io/metadata.name=default; requires label run=cat, pod",
                "               has run=san",
                "             web-in ingress[2].from[0]: requires 192.0.2.0/24, not 10.0.0.1",
            ],
            id="blocked on both sides",
        ),
        pytest.param(
            "192.0.2.9 pod/web 8080",
            1,
            [
                "blocked: 192.0.2.9 → web, TCP 8080",
                "  egress:  no pod at this end, so no policy applies",
                "  ingress: web-in isolates web, and no rule lets 192.0.2.9 in",
                "             web-in ingress[2].from[0]: requires 192.0.2.0/24 except",
                "               192.0.2.9/32, not 192.0.2.9",
                "             web-in ingress[0].from[0]: requires a pod, not 192.0.2.9",
                "             web-in ingress[1].from[0]: requires a pod, not 192.0.2.9",
            ],
            id="blocked from an address that is excepted",
        ),
        pytest.param(
            "san web www",
            2,
            [
                "undefined: san → web, TCP 80 (pod port 8080, 9090)",
                "  it depends on the endpoint: of 2, 1 allowed, 1 blocked",
                "  egress:  the endpoints differ for egress; san is isolated by san-out",
                "             san-out egress[0].to[0]: requires port 8000-8090, not 9090 (the",
                "               Service's 80 is the pod's 9090)",
                "             san-out egress[1]: requires UDP, not TCP",
                "  ingress: the endpoints differ for ingress; web is isolated by web-in",
                "             web-in ingress[0].from[0]: requires port 8080, not 9090 (the",
                "               Service's 80 is the pod's 9090)",
                "             web-in ingress[1].from[0]: requires namespace label",
                "               kubernetes.io/metadata.name=team, namespace has",
                "               kubernetes.io/metadata.name=default; requires label run=cat, pod",
                "               has run=san",
                "             web-in ingress[2].from[0]: requires 192.0.2.0/24, not 10.0.0.1",
                "  web port 8080: allowed",
                "  web-2 port 9090: blocked",
                "  note: only an endPort range covers this port: a plugin without endPort blocks",
                "    it",
            ],
            id="a Service whose endpoints differ: a verdict each",
        ),
        pytest.param(
            "san web 81",
            2,
            ["undefined: san → web, TCP 81", "  Service default/web has no port 81/TCP; it has www 80/TCP"],
            id="a port that the Service does not have",
        ),
        pytest.param(
            "team/cat pod/web http",
            0,
            [
                "allowed: team/cat → web, TCP 8080",
                "  egress:  no policy isolates team/cat, so everything is allowed",
                "  ingress: allowed by web-in ingress[1].from[0]; web is isolated by web-in",
            ],
            id="another namespace is named, and a port by its name",
        ),
        pytest.param(
            "pod/web",
            0,
            [
                "default/web (run=web)",
                "selected by web-in",
                "ingress: isolated by web-in; only this is allowed:",
                "  from pods run=san: TCP 8080",
                "    by web-in ingress[0]; pods now: san",
                "  from pods run=cat in team: TCP http (8080), UDP 53",
                "    by web-in ingress[1]; pods now: team/cat",
                "  from 192.0.2.0/24 except 192.0.2.9/32: all ports",
                "    by web-in ingress[2]; pods now: none",
                "egress: not affected by any policy: everything is allowed",
                "Service web: TCP www 80 → pod port 8080",
                "named as a peer by san-out egress[0].to[0]",
            ],
            id="a pod: what is allowed, by which rule, and which pods that is now",
        ),
        pytest.param(
            "san",
            0,
            [
                "default/san (run=san)",
                "selected by san-out",
                "ingress: not affected by any policy: everything is allowed",
                "egress: isolated by san-out; only this is allowed:",
                "  TO             PORTS           ALLOWED BY          PODS NOW",
                "  pods run=web   TCP 8000-8090   san-out egress[0]   web, web-2",
                "  anywhere       UDP 53          san-out egress[1]   any",
                "named as a peer by web-in ingress[0].from[0]",
            ],
            id="a pod: whom it may reach",
        ),
        pytest.param(
            "lone",
            0,
            [
                "default/lone (no labels)",
                "selected by no policy",
                "ingress: not affected by any policy: everything is allowed",
                "egress: not affected by any policy: everything is allowed",
            ],
            id="a pod that no policy touches",
        ),
        pytest.param(
            "",
            0,
            [
                "POD     INGRESS    EGRESS     POLICIES",
                "lone    open       open       0",
                "san     open       isolated   1",
                "web     isolated   open       1",
                "web-2   isolated   open       1",
                "isolated: 2 of 4 pods for ingress, 1 of 4 for egress",
            ],
            id="nothing named: a line for each pod that has not finished",
        ),
        pytest.param(
            "-n team",
            0,
            [
                "POD   INGRESS   EGRESS   POLICIES",
                "cat   open      open     0",
                "isolated: 0 of 1 pod for ingress, 0 of 1 for egress",
            ],
            id="another namespace",
        ),
    ],
)
def test_what_is_printed(line: str, status: int, lines: list[str]) -> None:
    ran = explain(line)
    assert (ran.status, ran.out.splitlines(), ran.err) == (status, lines, "")


@pytest.mark.parametrize(
    ("line", "err"),
    [
        pytest.param("svc/front", "note: showing web, a pod of svc/front\n", id="a Service"),
        pytest.param("front", "note: showing web, a pod of front\n", id="a Service, after pods and workloads"),
        pytest.param("pod/web", "", id="a pod by its kind"),
        pytest.param("default/pods/web", "", id="a pod by namespace and kind"),
    ],
)
def test_which_pod_is_meant_is_said(line: str, err: str) -> None:
    services = {"default/front": SERVICES["default/web"]}
    ran = explain(line, {**CLUSTER, "services": services})
    assert (ran.status, ran.out.splitlines()[0], ran.err) == (0, "default/web (run=web)", err)


MANY = {
    "pods": {f"default/p{number}": {"ip": f"10.0.0.{number}", "labels": {"app": "p"}} for number in range(1, 10)},
    "policies": {
        f"default/policy-{number:02}": {
            **pods(app="p"),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [pods(app="p")], "ports": [{"port": number}]}],
        }
        for number in range(1, 13)
    },
}


@pytest.mark.parametrize(
    ("line", "wanted", "unwanted"),
    [
        pytest.param(
            "p1",
            [
                "selected by policy-01, policy-02, policy-03, policy-04, policy-05 and 7 more",
                "  and 2 more (-v)",
                "9: p1, p2, p3 and 6 more",
            ],
            ["policy-11 ingress[0]"],
            id="short: the first few, and how many more",
        ),
        pytest.param(
            "p1 -v",
            ["policy-12", "9: p1, p2, p3, p4, p5, p6, p7, p8, p9"],
            ["more"],
            id="verbose: all of it",
        ),
        pytest.param("p1 p2 99", ["and 9 more rules (-v)"], ["policy-04 ingress"], id="near misses: three"),
        pytest.param("p1 p2 99 -v", ["policy-12 ingress[0].from[0]: requires port 12, not 99"], ["more"], id="or all"),
    ],
)
def test_long_lists_are_cut_with_a_count(line: str, wanted: list[str], unwanted: list[str]) -> None:
    out = explain(line, MANY).out
    assert [text for text in wanted if text not in out] == []
    assert [text for text in unwanted if text in out] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        pytest.param("san pod/web 8080", "Verdict", id="one connection"),
        pytest.param("san pod/web 8080,8081", "VerdictList", id="several connections"),
        pytest.param("pod/web", "Explanation", id="one pod"),
        pytest.param("", "ExplanationList", id="a namespace"),
    ],
)
@pytest.mark.parametrize("output", ["json", "yaml"])
def test_objects_say_what_they_are(line: str, kind: str, output: str) -> None:
    ran = explain(f"{line} -o {output}")
    (found,) = ran.objects  # JSON is YAML too
    assert (found["apiVersion"], found["kind"], ran.err) == ("netpol/v1", kind, "")
    assert json.loads(explain(f"{line} -o json").out) == found


PORTS: dict[str, Any] = {
    "pods": {"default/san": {"ip": "10.0.0.1"}, "default/web": {"ip": "10.0.0.2", "ports": DECLARED}}
}


@pytest.mark.parametrize(("typed", "protocol", "ports"), TYPED_PORTS)
def test_ports_have_the_grammar_of_every_command(
    typed: str, protocol: str | None, ports: list[tuple[str, int | str]]
) -> None:
    ran = explain(f"san pod/web '{typed}' {options(protocol)} -o json", PORTS)
    found = json.loads(ran.out)
    connections = [item["connection"] for item in found.get("items", [found])]
    assert [(item["protocol"], item["port"]) for item in connections] == numbers(ports)


@pytest.mark.parametrize(("typed", "err"), INVALID_PORTS)
def test_invalid_ports_are_the_errors_of_every_command(typed: str, err: str) -> None:
    assert explain(f"san pod/web '{typed}'", PORTS) == (2, "", err)
    assert run("explain", f"san pod/web '{typed}' -f nowhere").err == err, "before anything is read"


@pytest.mark.parametrize(
    ("ports", "status"),
    [
        pytest.param("8080", 0, id="all allowed"),
        pytest.param("8080,8081", 1, id="one of them blocked"),
        pytest.param("8081-8083", 1, id="all blocked"),
    ],
)
def test_several_ports_give_the_worst_status(ports: str, status: int) -> None:
    assert explain(f"san pod/web {ports}").status == status


@pytest.mark.parametrize(
    ("protocol", "status"),
    [("udp", 0), ("Udp", 0), ("UDP", 0), ("tcp", 1), ("sCtP", 1)],
)
def test_protocols_are_typed_in_any_case(protocol: str, status: int) -> None:
    assert explain(f"san 203.0.113.7 53 --protocol {protocol}").status == status


WARNED = {
    **CLUSTER,
    "policies": {"default/odd": {**pods(run="web"), "ingress": [{"from": [pods(run="sam")]}]}},
}


@pytest.mark.parametrize("line", ["pod/web", "", "san pod/web 8080"])
def test_warnings_are_on_stderr_and_in_json(line: str) -> None:
    text = "odd ingress[0].from[0] matches no pod: pods run=sam; did you mean run=san?"
    ran = explain(line, WARNED)
    assert (ran.err, text in ran.out) == (f"warning: {text}\n", False)
    ran = explain(f"{line} -o json", WARNED)
    assert json.loads(ran.out)["warnings"] == [{"code": "peer-matches-nothing", "number": "NP002", "message": text}]
    assert ran.err == ""


def test_a_warning_about_several_ports_is_there_once() -> None:
    ran = explain("san pod/web 8080-8082", WARNED)
    assert ran.out.count("blocked: ") == 3
    assert ran.err.count("warning: ") == 1


@pytest.mark.parametrize(
    ("line", "err"),
    [
        pytest.param(
            "wbe",
            'error: no Service, pod or workload "wbe" in namespace default\nhint: did you mean web?\n',
            id="a pod misspelt",
        ),
        pytest.param(
            "10.0.0.2",
            "error: 10.0.0.2 is not a pod\nhint: explain SOURCE DESTINATION PORT takes addresses and nodes\n",
            id="an address where a pod is explained",
        ),
        pytest.param(
            "node/one",
            "error: node/one is not a pod\nhint: explain SOURCE DESTINATION PORT takes addresses and nodes\n",
            id="a node where a pod is explained",
        ),
        *(
            pytest.param(
                typed,
                "error: default/web-in is a NetworkPolicy\nhint: kubectl netpol explain default/netpol/web-in\n",
                id=f"a policy where a pod is explained: {typed}",
            )
            for typed in ("web-in", "default/web-in")
        ),
        pytest.param(
            "pod/web --protocol icmp",
            'error: invalid protocol "icmp"\nhint: must be one of TCP, UDP, SCTP\n',
            id="an unknown protocol, also where it is of no use",
        ),
        pytest.param(
            "san pod/web grpc",
            'error: default/web has no TCP port named "grpc"\nhint: found: http\n',
            id="a port name that the pod does not have",
        ),
    ],
)
def test_what_is_refused(line: str, err: str) -> None:
    assert explain(line) == (2, "", err)


def test_a_service_without_a_selector_is_no_subject() -> None:
    cluster = {**CLUSTER, "services": {"default/db": {"ports": [{"port": 1}]}}}
    assert explain("svc/db", cluster) == (
        2,
        "",
        (
            "error: Service default/db has no selector, so it is about no pods\n"
            "hint: kubectl get endpointslices -n default -l kubernetes.io/service-name=db\n"
        ),
    )


def test_a_service_without_pods_is_no_subject() -> None:
    cluster = {**CLUSTER, "services": {"default/db": {"selector": {"run": "db"}, "ports": [{"port": 1}]}}}
    assert explain("svc/db", cluster) == (
        2,
        "",
        "error: Service default/db selects no pod\nhint: compare its selector with the pods' labels\n",
    )


@pytest.mark.parametrize(
    "typed", ["netpol/web-in", "default/netpol/web-in", "networkpolicies.networking.k8s.io/web-in"]
)
def test_a_policy_is_explained(typed: str) -> None:
    ran = explain(typed)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("NetworkPolicy default/web-in\nselects 2 pods: web, web-2\n")


def test_a_policy_that_is_not_there() -> None:
    ran = explain("netpol/web-inn")
    assert ran == (2, "", 'error: no NetworkPolicy "web-inn" in namespace default\nhint: did you mean web-in?\n')


def test_manifests_are_all_there_is_so_an_unmatched_peer_elsewhere_is_a_warning() -> None:
    dog = {"from": [{**TEAM, **pods(run="dog")}]}
    ran = explain("", {**CLUSTER, "policies": {"default/odd": {**pods(run="web"), "ingress": [dog]}}})
    assert ran.err == ("warning: odd ingress[0].from[0] matches no pod: pods run=dog in team\n")


def test_an_empty_namespace_is_no_error() -> None:
    assert explain("-n nowhere") == (0, "", "note: no pods in namespace nowhere\n")


def test_every_namespace_is_listed_with_a() -> None:
    ran = explain("-A")
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "POD",
        "default/lone",
        "default/san",
        "default/web",
        "default/web-2",
        "team/cat",
        "isolated:",
    ]


def test_a_name_and_all_namespaces_exclude_each_other() -> None:
    assert explain("web -A") == (
        2,
        "",
        "error: -A can't be combined with a name\nhint: write NAMESPACE/NAME for a pod elsewhere\n",
    )


# On a cluster.


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    found = FakeApi(lists(objects(CLUSTER)))

    def opened(_cluster: object, _filenames: object, console: Console) -> Inputs:
        return Inputs("default", found.api, None, console)

    monkeypatch.setattr(module, "open_inputs", opened)
    return found


PODS_PATH, PODS_HERE = "/api/v1/pods", "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        pytest.param("", {PODS_HERE}, id="an overview needs its own namespace"),
        pytest.param("-o json", {PODS_PATH}, id="its JSON names the pods that peers match, which may be anywhere"),
        pytest.param("-A", {PODS_PATH}, id="-A is every namespace"),
        pytest.param("pod/web", {PODS_HERE, PODS_PATH}, id="a pod may be reached from anywhere"),
        pytest.param("san pod/web 8080", {PODS_HERE}, id="a connection needs the namespaces of its two ends"),
    ],
)
def test_how_much_of_the_cluster_is_read(line: str, read: set[str], server: FakeApi) -> None:
    assert run("explain", line).status == 0
    assert {PODS_PATH, PODS_HERE} & set(server.asked) == read


def test_peers_elsewhere_are_not_called_unmatched_where_elsewhere_was_not_read(server: FakeApi) -> None:
    """web-in names a pod of another namespace, which an overview does not read."""
    assert run("explain", "").err == ""
    assert PODS_PATH not in server.asked


@pytest.mark.parametrize(
    ("line", "path", "err"),
    [
        pytest.param(
            "",
            PODS_HERE,
            "error: you may not list pods in namespace default\nhint: kubectl auth can-i list pods -n default\n",
            id="pods of the namespace",
        ),
        pytest.param(
            "-A",
            PODS_PATH,
            "error: you may not list pods in the whole cluster\nhint: kubectl auth can-i list pods -A\n",
            id="pods of the cluster",
        ),
    ],
)
def test_pods_that_may_not_be_listed_are_an_error_not_an_empty_list(
    line: str, path: str, err: str, server: FakeApi
) -> None:
    server.found[path] = forbidden(path)
    assert run("explain", line) == (2, "", err)


@pytest.mark.parametrize(
    ("line", "status", "first"),
    [
        pytest.param("--as-pod run=web", 0, "default/new-pod (run=web)", id="its policies"),
        pytest.param("--as-pod run=san pod/web 8080", 0, "allowed: new-pod → web, TCP 8080", id="whom it will reach"),
        pytest.param("--as-pod run=san lone 80", 1, "blocked: new-pod → lone, TCP 80", id="whom it will not"),
    ],
)
def test_a_pod_that_is_still_to_come(line: str, status: int, first: str) -> None:
    ran = explain(line)
    assert (ran.status, ran.out.splitlines()[0]) == (status, first)


def test_a_pod_that_is_still_to_come_is_the_source() -> None:
    ran = explain("--as-pod run=san san web 80")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: expected POD or SOURCE DESTINATION PORT, got 4 arguments")


def test_a_label_with_which_a_policy_that_is_there_lets_it_through() -> None:
    deny = {"podSelector": {}, "policyTypes": ["Egress"]}
    out = {**pods(open="yes"), "policyTypes": ["Egress"], "egress": [{}]}
    opened = {"ip": "10.0.0.8", "labels": {"open": "yes"}}
    cluster = {"pods": {**PODS, "default/opened": opened}, "policies": {"default/deny": deny, "default/open": out}}
    ran = explain("san lone 80", cluster)
    assert "  label:   with open=yes on san, open selects it, and egress[0] lets it out" in ran.out.splitlines()
    found = json.loads(explain("san lone 80 -o json", cluster).out)["helpfulLabels"]
    assert found == [
        {
            "pod": "default/san",
            "direction": "egress",
            "labels": {"open": "yes"},
            "namespace": "default",
            "name": "open",
            "rule": 0,
        }
    ]


def test_every_peer_of_a_rule_that_just_misses_is_there_with_v_and_in_json() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/24"]}}
    peers = {"ingress": [{"from": [pods(run="cat"), {**TEAM, **pods(run="dog")}, block]}]}
    cluster = {
        "pods": PODS,
        "namespaces": {"default": {}, "team": {}},
        "policies": {"default/in": {**pods(run="web"), **peers}},
    }
    lines = explain("san web-2 80 -v", cluster).out.splitlines()
    first = next(number for number, line in enumerate(lines) if "in ingress[0]" in line)
    text = " ".join(" ".join(lines[first:]).split())
    assert "ingress[0].from[0]: requires label run=cat" in text
    assert "ingress[0].from[1]: requires namespace" in text
    assert "ingress[0].from[2]: requires 10.0.0.0/8 except 10.0.0.0/24" in text
    assert len([line for line in explain("san web-2 80", cluster).out.splitlines() if "ingress[0].from" in line]) == 1
    (near,) = json.loads(explain("san web-2 80 -o json", cluster).out)["ingress"]["nearMisses"]
    assert (near["peer"], [one["peer"] for one in near["otherPeers"]]) == (0, [1, 2])


@pytest.mark.parametrize("line", ["", "-A", "-o json"])
def test_a_pod_that_can_not_be_read_is_named(line: str, server: FakeApi) -> None:
    odd = {"metadata": {"name": "odd", "namespace": "default"}, "status": {"podIPs": 3}}
    for path in (PODS_HERE, PODS_PATH):
        server.found[path] = [*server.found.get(path, []), odd]
    ran = run("explain", line)
    assert ran.status == 0
    assert "warning: left out: default/pod/odd can't be read: status.podIPs: expected a list, got 3\n" in ran.err


REFUSED = """
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a}, spec: {containers: [{name: c}]}}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: none, namespace: a}
spec: {endpointSelector: {}}
"""
NOT_IN_FORCE = (
    "warning: a/ciliumnetworkpolicy.cilium.io/none is not in force, since Cilium refuses it: spec has no rule\n"
)


@pytest.mark.parametrize("line", ["web -n a", "-n a", "-A", "web 192.0.2.1 80 -n a"])
def test_a_policy_that_cilium_refuses_is_named_beside_the_answer(line: str) -> None:
    assert NOT_IN_FORCE in run("explain", f"{line} -f -", stdin=REFUSED).err


def test_a_policy_that_cilium_refuses_is_not_in_force() -> None:
    ran = run("explain", "a/cnp/none -f -", stdin=REFUSED)
    assert ran.status == 0
    assert ran.out.endswith("not in force, since Cilium refuses it: spec has no rule\n")


def test_a_policy_that_cilium_refuses_is_named_by_test_too() -> None:
    assert NOT_IN_FORCE in run("test", "web 192.0.2.1 80 -n a -f -", stdin=REFUSED).err
    found = json.loads(run("test", "web 192.0.2.1 80 -n a -o json -f -", stdin=REFUSED).out)
    assert [f"warning: {one}\n" for one in found["warnings"]] == [NOT_IN_FORCE]


def test_a_pod_that_has_finished_is_a_warning() -> None:
    found = json.loads(explain("pod/done -o json").out)["warnings"]
    assert found == [{"code": "pod-not-running", "number": None, "message": "default/done has finished (Succeeded)"}]
