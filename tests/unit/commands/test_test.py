"""`test` as typed: names, ports, selectors and --expect, of manifests, and --enforcement."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.commands import test
from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi
from tests.support.network import CLUSTER, pods
from tests.support.ports import DECLARED, INVALID_PORTS, TYPED_PORTS, numbers, options
from tests.support.running import Ran, run
from tests.support.tables import objects

NOT_PROBED = "note: nothing was probed: this is what the policies in the manifests say\n"


def predict(line: str, cluster: dict[str, Any] | None = None) -> Ran:
    items = list(objects(CLUSTER if cluster is None else cluster))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return run("test", f"{line} -n shop -f -", stdin=text)


@pytest.mark.parametrize(
    ("line", "status", "first"),
    [
        pytest.param("san nginx 80", 0, "allowed: san → nginx, TCP 80", id="names"),
        pytest.param("cart nginx 80", 1, "blocked: cart → nginx, TCP 80", id="another pod"),
        pytest.param("shop/san shop/nginx 80", 0, "allowed: san → nginx, TCP 80", id="namespaces and names"),
        pytest.param("pod/san svc/nginx 80", 0, "allowed: san → nginx, TCP 80", id="kinds and names"),
        pytest.param("shop/po/san shop/services/nginx 80", 0, "allowed: san → nginx, TCP 80", id="all three"),
        pytest.param("Pod/san Service/nginx 80", 0, "allowed: san → nginx, TCP 80", id="kinds as the API writes them"),
        pytest.param("deploy/x nginx 80", 1, "blocked: deployment/x → nginx, TCP 80", id="deploy/x is a kind"),
        pytest.param("pod/deploy/x nginx 80", 2, "", id="a namespace can't follow a kind"),
        pytest.param("deploy/pod/x nginx 80", 1, "blocked: deploy/x → nginx, TCP 80", id="the namespace deploy"),
        pytest.param("back nginx 80", 1, "blocked: deployment/back → nginx, TCP 80", id="a workload by its name"),
        pytest.param(
            "deployments.apps/back nginx 80", 1, "blocked: deployment/back → nginx, TCP 80", id="with a group"
        ),
        pytest.param("10.0.0.2 nginx 80", 1, "blocked: cart → nginx, TCP 80", id="a pod's address"),
        pytest.param("203.0.113.9 pod/nginx 80", 1, "blocked: 203.0.113.9 → nginx, TCP 80", id="an address outside"),
        pytest.param("203.0.113.9 nginx 80", 2, "undefined: 203.0.113.9 → nginx, TCP 80", id="whose address changes"),
        pytest.param("san 203.0.113.9 443", 0, "allowed: san → 203.0.113.9, TCP 443", id="to an address outside"),
        pytest.param("san 2001:db8::1 443", 0, "allowed: san → 2001:db8::1, TCP 443", id="an address of IPv6"),
        pytest.param("san db/postgres 5432", 0, "allowed: san → db/postgres, TCP 5432", id="another namespace"),
        pytest.param("san postgres.db 5432", 0, "allowed: san → db/postgres, TCP 5432", id="NAME.NS is that Service"),
        pytest.param("san postgres.db.svc 5432", 0, "allowed: san → db/postgres, TCP 5432", id="NAME.NS.svc"),
        pytest.param("san postgres.db.svc.cluster.local 5432", 0, "allowed: san → db/postgres, TCP 5432", id="in full"),
        pytest.param("san postgres.db.svc.cluster.local. 5432", 0, "allowed: san → db/postgres, TCP 5432", id="rooted"),
        pytest.param("san 10.96.0.9 5432", 0, "allowed: san → 10.96.0.9, TCP 5432", id="a Service's address"),
        pytest.param("san example.com 443", 0, "allowed: san → example.com, TCP 443", id="a host outside"),
        pytest.param("san nginx http", 0, "allowed: san → nginx, TCP 80", id="a Service's port by name"),
        pytest.param("san pod/nginx http", 0, "allowed: san → nginx, TCP 80", id="a pod's port by name"),
        pytest.param("san pod/nginx dns --protocol udp", 1, "blocked: san → nginx, UDP 53", id="UDP"),
        pytest.param("san pod/nginx 53 --protocol uDp", 1, "blocked: san → nginx, UDP 53", id="UDP in any case"),
        pytest.param("san nginx 80 --protocol sctp", 2, "undefined: san → nginx, SCTP 80", id="no such port by SCTP"),
        pytest.param("san nginx 80 --expect open", 0, "allowed: san → nginx, TCP 80", id="expected open, and is"),
        pytest.param(
            "san nginx 80 --expect blocked", 1, "allowed: san → nginx, TCP 80", id="expected blocked, is open"
        ),
        pytest.param(
            "cart nginx 80 --expect blocked", 0, "blocked: cart → nginx, TCP 80", id="expected blocked, and is"
        ),
        pytest.param("cart nginx 80 --expect open", 1, "blocked: cart → nginx, TCP 80", id="expected open, is blocked"),
        pytest.param("san nginx 81 --expect open", 2, "undefined: san → nginx, TCP 81", id="expected open, can't tell"),
        pytest.param("san nginx 81 --expect blocked", 2, "undefined: san → nginx, TCP 81", id="nor blocked"),
    ],
)
def test_the_first_line_and_the_status(line: str, status: int, first: str) -> None:
    ran = predict(line)
    assert (ran.status, (ran.out.splitlines() or [""])[0]) == (status, first), ran.err
    assert ran.err == NOT_PROBED or not first


@pytest.mark.parametrize(
    ("line", "status", "rows"),
    [
        pytest.param(
            "san nginx 80,http",
            0,
            ["san      nginx         80/TCP   not probed   allowed    predicted"] * 2
            + ["2 allowed, 0 blocked, 0 undefined"],
            id="a number and a name",
        ),
        pytest.param(
            "san pod/nginx 79-81",
            1,
            [
                "san      nginx         79/TCP   not probed   blocked    predicted",
                "san      nginx         80/TCP   not probed   allowed    predicted",
                "san      nginx         81/TCP   not probed   blocked    predicted",
                "1 allowed, 2 blocked, 0 undefined",
            ],
            id="a range: the worst is the status",
        ),
        pytest.param(
            "san nginx 80,81",
            2,
            [
                "san      nginx         80/TCP   not probed   allowed     predicted",
                "san      nginx         81/TCP   not probed   undefined   predicted",
                "1 allowed, 0 blocked, 1 undefined",
            ],
            id="what is unknown is worst",
        ),
        pytest.param(
            "--from-selector 'run in (san,cart)' nginx 80",
            1,
            [
                "cart     nginx         80/TCP   not probed   blocked    predicted",
                "san      nginx         80/TCP   not probed   allowed    predicted",
                "1 allowed, 1 blocked, 0 undefined",
            ],
            id="sources by their labels",
        ),
        pytest.param(
            "--from-selector run=san --to-selector '' 80",
            0,
            [
                "san      cart          80/TCP   not probed   allowed    predicted",
                "san      nginx         80/TCP   not probed   allowed    predicted",
                "2 allowed, 0 blocked, 0 undefined",
            ],
            id="destinations by their labels: not the source itself",
        ),
        pytest.param(
            "--to-selector run!=cart cart 80",
            1,
            [
                "cart     nginx         80/TCP   not probed   blocked    predicted",
                "cart     san           80/TCP   not probed   allowed    predicted",
                "1 allowed, 1 blocked, 0 undefined",
            ],
            id="one source, destinations by their labels",
        ),
    ],
)
def test_several_connections_are_a_table(line: str, status: int, rows: list[str]) -> None:
    cluster = {**CLUSTER, "objects": []}
    ran = predict(line, cluster)
    assert (ran.status, ran.out.splitlines()[1:], ran.err) == (status, rows, NOT_PROBED)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        pytest.param(
            "web nginx 80", '"web" is ambiguous: deploy/web, sts/web', "write the kind before the name", id="ambiguous"
        ),
        pytest.param(
            "san web 80", '"web" is ambiguous: deploy/web, sts/web', "write the kind before the name", id="there too"
        ),
        pytest.param("sna nginx 80", 'no pod or workload "sna" in namespace shop', "did you mean san?", id="a typo"),
        pytest.param(
            "san ngnix 80",
            'no Service, pod or workload "ngnix" in namespace shop',
            "did you mean nginx?",
            id="a typo in the destination",
        ),
        pytest.param("san svc/zzz 80", 'no Service "zzz" in namespace shop', "found: nginx", id="what there is"),
        pytest.param(
            "san postgers.db.svc 5432",
            'no Service "postgers" in namespace db',
            "did you mean postgres?",
            id="a typo in a DNS name",
        ),
        pytest.param("san node/noe 80", 'no Node "noe"', "did you mean one?", id="a typo in a node's name"),
        pytest.param(
            "none/san nginx 80",
            'no pod or workload "san" in namespace none',
            "namespace none has none: check the namespace",
            id="an empty namespace",
        ),
        pytest.param(
            "shop/dploy/web nginx 80",
            'unknown kind "dploy" in "shop/dploy/web"',
            "must be one of pod, svc, deploy, sts, ds, rs, rc, job, cj, no",
            id="an unknown kind",
        ),
        pytest.param(
            "a/b/c/d nginx 80",
            'invalid name "a/b/c/d"',
            "write NAME, NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME",
            id="an invalid name",
        ),
        pytest.param(
            "Shop/san nginx 80",
            '"Shop" in "Shop/san" is neither a kind nor a valid namespace name',
            None,
            id="neither kind nor namespace",
        ),
        pytest.param(
            "san '*.example.com' 80",
            '"*.example.com" is neither an address nor a host name',
            None,
            id="a wildcard is no host",
        ),
        pytest.param(
            "san 'äö.example' 80", '"äö.example" is neither an address nor a host name', None, id="nor other letters"
        ),
        pytest.param(
            "san 'a.$(id).b' 80", '"a.$(id).b" is neither an address nor a host name', None, id="nor text for a shell"
        ),
        pytest.param(
            "san '10.0.0.256' 80",
            '"10.0.0.256" is neither an address nor a host name',
            None,
            id="an address with a number too large",
        ),
        pytest.param(
            "san 'example.com:443' 80",
            '"example.com:443" is neither an address nor a host name',
            "write the port as a separate argument",
            id="a port behind a host name",
        ),
        pytest.param(
            "san nginx -1",
            'invalid port "-1"',
            "write a number, a range or a name: 80, 80/UDP, 8000-8080, http",
            id="port -1",
        ),
        pytest.param(
            "san nginx 80 --protocol icmp",
            'invalid protocol "icmp"',
            "must be one of TCP, UDP, SCTP",
            id="ICMP",
        ),
        pytest.param(
            "san nginx 80 --timeout 0",
            "invalid --timeout 0: must be more than 0 and at most 1h",
            "write 3s or 500ms",
            id="a timeout of 0",
        ),
        pytest.param(
            "san nginx 80 --timeout 2h",
            "invalid --timeout 2h: must be more than 0 and at most 1h",
            "write 3s or 500ms",
            id="too long",
        ),
        pytest.param(
            "san nginx 80 --timeout x", 'invalid duration "x"', "write 3s, 500ms or 1m", id="an invalid duration"
        ),
        pytest.param(
            "san nginx 1-200", "200 pairs to probe, more than --max 100", "add --max 200 to probe them all", id="many"
        ),
        pytest.param(
            "san nginx 80 --max 0", "1 pair to probe, more than --max 0", "add --max 1 to probe them all", id="--max 0"
        ),
        pytest.param(
            "--from-selector run=san --to-selector run=san 80",
            "shop/san is the only pod at both ends",
            "name it twice to try that",
            id="labels that one pod has, at both ends",
        ),
        pytest.param(
            "--from-selector run=none nginx 80",
            'no running pod in namespace shop matches "run=none"',
            "kubectl get pods --show-labels",
            id="labels that no pod has",
        ),
        pytest.param(
            "--from-selector 'n>1' nginx 80",
            'invalid label selector "n>1": a NetworkPolicy can\'t compare numbers',
            "list the values: k in (1,2)",
            id="a selector that compares",
        ),
    ],
)
def test_what_is_refused(line: str, message: str, hint: str | None) -> None:
    assert predict(line) == (2, "", f"error: {message}\n" + (f"hint: {hint}\n" if hint else ""))


PORTS: dict[str, Any] = {"pods": {"shop/san": {"ip": "10.0.0.1"}, "shop/web": {"ip": "10.0.0.2", "ports": DECLARED}}}


@pytest.mark.parametrize(("typed", "protocol", "ports"), TYPED_PORTS)
def test_ports_have_the_grammar_of_every_command(
    typed: str, protocol: str | None, ports: list[tuple[str, int | str]]
) -> None:
    ran = predict(f"san pod/web '{typed}' {options(protocol)} -o json", PORTS)
    found = json.loads(ran.out)
    assert [(item["protocol"], item["port"]) for item in found.get("items", [found])] == numbers(ports)


@pytest.mark.parametrize(("typed", "err"), INVALID_PORTS)
def test_invalid_ports_are_the_errors_of_every_command(typed: str, err: str) -> None:
    assert predict(f"san pod/web '{typed}'", PORTS) == (2, "", err)


def test_more_pairs_are_asked_for_with_max() -> None:
    assert predict("san pod/nginx 1-200 --max 200").out.splitlines()[-1] == "1 allowed, 199 blocked, 0 undefined"


@pytest.mark.parametrize("output", ["json", "yaml"])
@pytest.mark.parametrize(
    ("ports", "kind", "status"), [("80", "TestResult", 0), ("80,81", "TestResultList", 2)], ids=["one", "several"]
)
def test_objects_for_scripts(output: str, ports: str, kind: str, status: int) -> None:
    ran = predict(f"san nginx {ports} -o {output}")
    (found,) = ran.objects
    assert (ran.status, ran.err, found["apiVersion"], found["kind"]) == (status, NOT_PROBED, "netpol/v1", kind)
    first = found if kind == "TestResult" else found["items"][0]
    assert (first["reachable"], first["outcome"], first["agrees"]) == (None, None, None)
    assert (first["finding"]["code"], first["prediction"]["verdict"]) == ("predicted", "allowed")


def test_verbose_shows_the_source_and_the_caveats() -> None:
    policies = {"shop/p": {**pods(run="nginx"), "ingress": [{"ports": [{"port": 79, "endPort": 90}]}]}}
    assert predict("san nginx 80 -v", {**CLUSTER, "policies": policies}).out.splitlines() == [
        "allowed: san → nginx, TCP 80",
        "  not probed",
        "  egress:  no policy isolates san, so everything is allowed",
        "  ingress: allowed by p ingress[0]; nginx is isolated by p",
        "  source:  san (run=san)",
        "  note:    only an endPort range covers this port: a plugin without endPort",
        "    blocks it",
    ]


def test_a_reason_is_printed_once() -> None:
    assert predict("203.0.113.9 nginx 80").out.splitlines() == [
        "undefined: 203.0.113.9 → nginx, TCP 80",
        "  shop/nginx may see a node's address instead of 203.0.113.9: the API leaves it",
        "    open; externalTrafficPolicy is Cluster, and with externalTrafficPolicy:",
        "    Local most networks keep 203.0.113.9",
        "  ingress: undefined; nginx is isolated by nginx-in",
    ]


SUITES = "a suite has its checks in its files"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        pytest.param(
            "-F s.yaml san nginx 80",
            "SOURCE DESTINATION PORT and -F can't be combined",
            SUITES,
            id="names beside a suite",
        ),
        pytest.param("-F s.yaml --protocol udp", "--protocol and -F can't be combined", SUITES, id="a protocol"),
        pytest.param("-F s.yaml --from-selector a", "--from-selector and -F can't be combined", SUITES, id="sources"),
        pytest.param("-F s.yaml --to-selector a", "--to-selector and -F can't be combined", SUITES, id="destinations"),
        pytest.param("-F s.yaml --expect open", "--expect and -F can't be combined", SUITES, id="an expectation"),
        pytest.param(
            "san nginx 80 --unexercised", "--unexercised is for suites", "add -F FILE", id="unexercised alone"
        ),
        pytest.param("san nginx 80 -o junit", "-o junit is for suites", "add -F FILE", id="JUnit without a suite"),
        pytest.param("san nginx 80 -o tap", "-o tap is for suites", "add -F FILE", id="TAP without a suite"),
        pytest.param(
            "san nginx 80 --watch -o json",
            "--watch and -o can't be combined",
            "-o prints one result",
            id="watch and -o",
        ),
        pytest.param(
            "-F s.yaml --watch -f x.yaml",
            "--watch and -f can't be combined",
            "-f reads manifests, which don't change",
            id="watch and -f",
        ),
        pytest.param(
            "san nginx 80 --watch=0s", "invalid --watch=0s: must be more than 0", "write --watch=2s", id="at once"
        ),
        pytest.param(
            "san nginx 80 --watch=soon", 'invalid duration "soon"', "write 3s, 500ms or 1m", id="no time to wait"
        ),
        pytest.param(
            "--watch=5s nginx",
            "expected SOURCE DESTINATION PORT, got 1 argument",
            "kubectl netpol test san nginx 80",
            id="watch takes no argument without its sign",
        ),
        pytest.param(
            "san nginx -- --watch",
            'invalid port "--watch"',
            "write a number, a range or a name: 80, 80/UDP, 8000-8080, http",
            id="what is behind two dashes is no option",
        ),
        pytest.param("-F - -f -", "-F - and -f - both read stdin", "write one of them to a file", id="stdin twice"),
        pytest.param("-F none.yaml", "none.yaml: no such file or folder", None, id="a suite that is not there"),
    ],
)
def test_options_that_do_not_go_together(line: str, message: str, hint: str | None) -> None:
    assert run("test", line) == (2, "", f"error: {message}\n" + (f"hint: {hint}\n" if hint else ""))


@pytest.mark.parametrize(
    ("line", "ports"),
    [
        pytest.param("san nginx", [80], id="those of the Service"),
        pytest.param("san pod/nginx", [80, 53], id="those that the pod declares, UDP among them"),
        pytest.param("san db/svc/postgres", [5432], id="in another namespace"),
        pytest.param("san 10.0.0.3", [80, 53], id="of the pod with that address"),
    ],
)
def test_without_a_port_all_declared_ones_are_tried(line: str, ports: list[int]) -> None:
    found = json.loads(predict(f"{line} -o json").out)
    assert [item["port"] for item in found.get("items", [found])] == ports


@pytest.mark.parametrize(
    ("line", "error"),
    [
        pytest.param("nginx san", "shop/san declares no ports", id="a pod that declares none"),
        pytest.param("san 10.1.0.1", "10.1.0.1 is no Service and no pod", id="a node"),
        pytest.param("san example.com", "example.com is no Service and no pod", id="a host name"),
    ],
)
def test_without_a_port_and_a_declared_one_it_is_asked_for(line: str, error: str) -> None:
    ran = predict(line)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {error}")
    assert ran.err.endswith("hint: write the port: kubectl netpol test san nginx 80\n")


def test_pods_that_nothing_connects_are_named_though_policies_allow_it() -> None:
    ran = predict("four six 80", {"pods": {"shop/four": {"ip": "10.0.0.1"}, "shop/six": {"ip": "fd00::1"}}})
    assert (ran.status, ran.out.splitlines()[-2:]) == (
        0,
        [
            "  note:    shop/four and shop/six have no addresses of the same family, so",
            "    nothing connects them",
        ],
    )


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        pytest.param(
            "db/postgres postgres 5432",
            'no Service, pod or workload "postgres" in namespace shop',
            "it is in namespace db: write db/postgres",
            id="it is only in the source's namespace",
        ),
        pytest.param(
            "db/postgres svc/postgres 5432",
            'no Service "postgres" in namespace shop',
            "it is in namespace db: write db/svc/postgres",
            id="with its kind",
        ),
        pytest.param(
            "db/postgres web/postgres 5432",
            'no Service, pod or workload "postgres" in namespace web',
            "it is in namespace db: write db/postgres",
            id="with another namespace",
        ),
        pytest.param(
            "db/postgres nowhere 5432",
            'no Service, pod or workload "nowhere" in namespace shop',
            "found: back, cart, nginx, san, web and 1 more",
            id="it is in neither",
        ),
    ],
)
def test_a_destination_in_the_namespace_typed_for_the_source(line: str, error: str, hint: str) -> None:
    ran = predict(line)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"error: {error}\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("names", "status", "first"),
    [
        pytest.param(["kube-router"], 0, "enforced: NetworkPolicies; kube-router does", id="enforced"),
        pytest.param(
            ["kube-flannel-ds"], 1, "not enforced: NetworkPolicies; flannel enforces no policies", id="not enforced"
        ),
        pytest.param(
            [], 2, "can't tell: NetworkPolicies; no DaemonSet of a network plugin that is known", id="can't tell"
        ),
    ],
)
def test_whether_a_cluster_enforces_anything(
    names: list[str], status: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeApi({"/apis/apps/v1/daemonsets": [{"metadata": {"name": name}} for name in names]})
    monkeypatch.setattr(test, "open_inputs", lambda *given: Inputs("shop", fake.api, None, given[2]))
    ran = run("test", "--enforcement")
    assert (ran.status, ran.out.splitlines()[0], ran.err) == (status, first, "")
    assert json.loads(run("test", "--enforcement -o json").out)["enforced"] is {0: True, 1: False, 2: None}[status]


@pytest.mark.parametrize("line", ["--enforcement san nginx 80", "--enforcement -f examples"])
def test_enforcement_is_about_a_cluster(line: str) -> None:
    ran = run("test", line)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: --enforcement is about a cluster")
