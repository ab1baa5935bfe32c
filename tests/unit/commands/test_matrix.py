"""`matrix` as typed: what it prints, what it leaves out, and that every cell can be explained."""

from __future__ import annotations

import io
import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cli import main
from kubectl_netpol.commands import matrix
from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi, forbidden
from tests.support.ports import INVALID_PORTS, TYPED_PORTS

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.console import Console

SHOP = """
{kind: Pod, apiVersion: v1, metadata: {name: san, namespace: shop, labels: {run: san}},
 spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.1}}
---
{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, labels: {run: web}},
 spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}, status: {phase: Running, podIP: 10.0.0.2}}
---
{kind: Deployment, apiVersion: apps/v1, metadata: {name: db, namespace: shop},
 spec: {replicas: 2, selector: {matchLabels: {run: db}}, template: {metadata: {labels: {run: db}},
  spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}, {containerPort: 53, protocol: UDP}]}]}}}}
---
{kind: Pod, apiVersion: v1, metadata: {name: done, namespace: shop}, spec: {containers: [{name: c}]},
 status: {phase: Succeeded}}
---
{kind: Pod, apiVersion: v1, metadata: {name: spy, namespace: other}, spec: {hostNetwork: true, containers: [{name: c}]},
 status: {phase: Running, podIP: 192.168.0.9, hostIP: 192.168.0.9}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: web, namespace: shop},
 spec: {podSelector: {matchLabels: {run: web}}, ingress: [{from: [{podSelector: {matchLabels: {run: san}}}]}]}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: db, namespace: shop},
 spec: {podSelector: {matchLabels: {run: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: sql}]}]}}
"""

WAYS = [
    pytest.param(
        ["-n", "shop"],
        """\
namespace shop, each destination on the ports it declares: 3 workloads
from  to 1 3
1 db     . b
2 san    ~ a
3 web    ~ .
a allowed   b blocked   ~ mixed   . itself

4 pairs of workloads: 1 allowed, 1 blocked, 2 mixed
no such port, left out as destinations: san
why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)
""",
        id="a namespace on the ports that its pods declare",
    ),
    pytest.param(
        ["-n", "shop", "--port", "5432"],
        """\
namespace shop, TCP 5432: 3 workloads
from  to 1 2 3
1 db     . a b
2 san    a . a
3 web    a a .
a allowed   b blocked   . itself

6 pairs of workloads: 5 allowed, 1 blocked
reachable from all: db, san
why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)
""",
        id="a number, whether declared or not",
    ),
    pytest.param(
        ["-n", "shop", "--port", "sql,http"],
        """\
namespace shop, TCP sql: 3 workloads
from  to 1
1 db     .
2 san    a
3 web    a
a allowed   . itself

2 pairs of workloads: 2 allowed
reachable from all: db
no such port, left out as destinations: san, web

namespace shop, TCP http: 3 workloads
from  to 3
1 db     b
2 san    a
3 web    .
a allowed   b blocked   . itself

2 pairs of workloads: 1 allowed, 1 blocked
no such port, left out as destinations: db, san
why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)
""",
        id="two port names, one after the other",
    ),
    pytest.param(
        ["-A", "--port", "80", "-o", "wide"],
        """\
all namespaces, TCP 80: 4 pods
from        to 1 2 3 4
1 other/spy    . u a u
2 shop/db      a . a b
3 shop/san     a b . a
4 shop/web     a b a .
a allowed   b blocked   u undefined   . itself

12 pairs of pods: 7 allowed, 3 blocked, 2 undefined
reachable from all: other/spy, shop/san
why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)
""",
        id="every namespace, by pod, with one on the host network",
    ),
    pytest.param(
        ["-n", "shop", "--port", "metrics"],
        """\
namespace shop, TCP metrics: 3 workloads
no destination has such a port
why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)
""",
        id="a port name that no pod has",
    ),
]

MISTAKES = [
    pytest.param(["-n", "nowhere"], "no pods in namespace nowhere", "other, shop (-n, -A)", id="an empty namespace"),
    pytest.param(["-n", "other"], "no pod declares a port", "--port 80", id="no port declared"),
    pytest.param(
        ["-n", "shop", "--protocol", "sctp"], "no pod declares a port", "--port", id="no port of the protocol declared"
    ),
    pytest.param(["-n", "shop", "-A"], "-A and -n can't be combined", "every namespace", id="both -A and -n"),
    pytest.param(["-n", "shop", "--port", "70000"], "must be 1-65535", "", id="an invalid port"),
    pytest.param(
        ["-n", "shop", "--probe", "-o", "suite"],
        "--probe and -o suite can't be combined",
        "kubectl netpol test -F",
        id="a probe for a suite",
    ),
    pytest.param(
        ["-n", "other", "-o", "suite", "--port", "80"],
        "nothing to check",
        "kubectl netpol matrix",
        id="a suite of one pod",
    ),
    pytest.param(["-n", "shop", "--probe"], "--probe needs a cluster", "drop -f or --probe", id="a probe of manifests"),
]


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *typed: str, stdin: str = "") -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main(["matrix", *typed])
    return (status, *capsys.readouterr())


@pytest.mark.parametrize(("typed", "expected"), WAYS)
def test_text(shop: str, capsys: pytest.CaptureFixture[str], typed: list[str], expected: str) -> None:
    assert run(capsys, "-f", shop, *typed) == (0, expected, "note: 1 finished pod left out\n")


@pytest.mark.parametrize(("typed", "message", "hint"), MISTAKES)
def test_mistakes(shop: str, capsys: pytest.CaptureFixture[str], typed: list[str], message: str, hint: str) -> None:
    status, out, err = run(capsys, "-f", shop, *typed)
    assert (status, out) == (2, "")
    assert message in err
    assert hint in err.partition("hint:")[2]


@pytest.mark.parametrize(("typed", "protocol", "ports"), TYPED_PORTS)
def test_ports_have_the_grammar_of_every_command(
    typed: str, protocol: str | None, ports: list[tuple[str, int | str]], shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name stays a name: each pod has a number of its own for it."""
    option = ["--protocol", protocol] if protocol else []
    status, out, _ = run(capsys, "-f", shop, "-n", "shop", "--port", typed, *option, "-o", "json")
    found = json.loads(out)
    assert status == 0
    assert [(item["protocol"], item["port"]) for item in found.get("items", [found])] == ports


@pytest.mark.parametrize(("typed", "err"), INVALID_PORTS)
def test_invalid_ports_are_the_errors_of_every_command(
    typed: str, err: str, shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "-f", shop, "-n", "shop", "--port", typed) == (2, "", err)


def test_json_of_one_port(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-f", shop, "-n", "shop", "--port", "http", "-o", "json")
    names = ["shop/db", "shop/san", "shop/web"]
    assert json.loads(out) == {
        "apiVersion": "netpol/v1",
        "kind": "Matrix",
        "protocol": "TCP",
        "port": "http",
        "sources": names,
        "destinations": names,
        "verdicts": ["--b", "--a", "--a"],
    }


def test_json_of_the_declared_ports_is_a_list(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-f", shop, "-n", "shop", "-o", "json")
    answer = json.loads(out)
    assert (answer["apiVersion"], answer["kind"]) == ("netpol/v1", "MatrixList")
    found = {(item["protocol"], item["port"]): item["verdicts"] for item in answer["items"]}
    assert found == {
        ("TCP", 80): ["uab", "baa", "baa"],
        ("TCP", 5432): ["aab", "aaa", "aaa"],
        ("UDP", 53): ["uab", "baa", "baa"],
    }


def test_json_of_one_protocol_is_a_list_of_its_ports(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-f", shop, "-n", "shop", "--protocol", "udp", "-o", "json")
    answer = json.loads(out)
    assert answer["kind"] == "MatrixList"
    assert [(item["protocol"], item["port"]) for item in answer["items"]] == [("UDP", 53)]


def test_verbose_gives_a_command_for_each_verdict_that_says_the_same(
    shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "-f", shop, "-A", "-v")
    lines = [line.split("   ") for line in out.splitlines() if "kubectl netpol explain" in line]
    shown = [([cell.strip() for cell in line if cell.strip()]) for line in lines]
    statuses = {"allowed": 0, "blocked": 1, "undefined": 2}
    assert {verdict for _, _, verdict, _ in shown} == set(statuses)
    assert len(shown) == 8  # of web from three, of db from the same by spy, and both ways by san and web
    for _, _, verdict, command in shown:
        assert main(shlex.split(command)[2:]) == statuses[verdict], command


def test_a_namespace_like_the_others_needs_no_prefix(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-f", shop, "-n", "shop", "-v", "--port", "80")
    assert "shop/pod/san shop/pod/web 80 -f" in out
    assert "shop/deploy/db" in out


def test_the_exit_status_says_whether_the_network_differs() -> None:
    assert matrix._status([], probed=False) == 0  # noqa: SLF001 - the statuses of --probe need a cluster otherwise
    assert matrix._status([], probed=True) == 2  # noqa: SLF001 - the same


def test_the_page_of_several_ports_begins_with_all_of_them(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-f", shop, "-n", "shop", "-o", "html")
    titles = [out.find(title) for title in ("each on the ports it declares", "TCP 80", "TCP 5432", "UDP 53")]
    assert -1 not in titles
    assert titles == sorted(titles)
    for more in (["--port", "80"], ["--port", "80,81"], ["--protocol", "udp"]):
        _, one, _ = run(capsys, "-f", shop, "-n", "shop", "-o", "html", *more)
        assert "each on the ports it declares" not in one, more


SUITE = """\
apiVersion: netpol/v1
kind: TestSuite
defaults:
  namespace: shop
checks:
- name: "deploy/db does not reach pod/web"
  from: deploy/db
  to: pod/web
  port: 80
  expect: blocked
- name: "pod/san reaches deploy/db"
  from: pod/san
  to: deploy/db
  port: 5432
  expect: open
- name: "pod/san does not reach deploy/db by UDP"
  from: pod/san
  to: deploy/db
  port: 53
  protocol: UDP
  expect: blocked
  control: none
- name: "pod/san reaches pod/web"
  from: pod/san
  to: pod/web
  port: 80
  expect: open
- name: "pod/web reaches deploy/db"
  from: pod/web
  to: deploy/db
  port: 5432
  expect: open
- name: "pod/web does not reach deploy/db by UDP"
  from: pod/web
  to: deploy/db
  port: 53
  protocol: UDP
  expect: blocked
  control: none
"""


def test_a_suite_of_today(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "-f", shop, "-n", "shop", "-o", "suite") == (0, SUITE, "note: 1 finished pod left out\n")


def test_the_policies_of_today_pass_the_suite_of_today(
    shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in (["-n", "shop"], ["-A"], ["-A", "--port", "1-3,sql,53/UDP"]):
        _, out, _ = run(capsys, "-f", shop, *options, "-o", "suite")
        (tmp_path / "suite.yaml").write_text(out)
        assert main(["test", "-F", str(tmp_path / "suite.yaml"), "-f", shop]) == 0, capsys.readouterr()
        assert " 0 not as expected, 0 can't tell" in capsys.readouterr().out


def test_a_suite_leaves_out_what_it_cant_say_and_says_so(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "-f", shop, "-A", "-o", "suite")
    assert "from: other/pod/spy" not in out
    assert err.splitlines()[-1] == "note: 3 cells left out: the verdict is undefined"
    replicas = "\n---\n".join(
        f"{{kind: Pod, apiVersion: v1, metadata: {{name: {name}, namespace: shop, labels: {{run: {label}}}, "
        "ownerReferences: [{kind: Job, name: j, controller: true}]}, spec: {containers: [{name: c}]}, "
        f"status: {{phase: Running, podIP: 10.0.9.{number}}}}}"
        for name, label, number in (("j-1", "san", 1), ("j-2", "none", 2))
    )
    _, _, err = run(capsys, "-f", shop, "-f", "-", "-n", "shop", "-o", "suite", stdin=replicas)
    assert "note: 1 cell left out: their pods differ (kubectl netpol matrix -o wide)" in err


# On a cluster.


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    found = FakeApi()

    def opened(_cluster: object, _filenames: object, console: Console) -> Inputs:
        return Inputs("shop", found.api, None, console)

    monkeypatch.setattr(matrix, "open_inputs", opened)
    return found


HERE = "/api/v1/namespaces/shop/pods"


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "status": {"phase": "Running", "podIP": "10.0.0.1"}}


@pytest.mark.parametrize(
    ("typed", "path"),
    [pytest.param([], HERE, id="a namespace"), pytest.param(["-A"], "/api/v1/pods", id="the cluster")],
)
def test_what_is_read(typed: list[str], path: str, server: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    server.found[path] = [pod("a"), pod("b")]
    status, out, _ = run(capsys, *typed, "--port", "80")
    assert (status, "2 pairs of workloads: 2 allowed" in out) == (0, True)
    policies = path.replace("/api/v1/", "/apis/networking.k8s.io/v1/").replace("pods", "networkpolicies")
    assert policies in server.asked
    assert not any("endpointslices" in asked or "deployments" in asked for asked in server.asked)


@pytest.mark.parametrize(
    ("typed", "path"), [([], "/apis/apps/v1/namespaces/shop/deployments"), (["-A"], "/apis/apps/v1/deployments")]
)
def test_a_suite_names_workloads_so_these_are_read(
    typed: list[str], path: str, server: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    server.found[HERE] = server.found["/api/v1/pods"] = [pod("a"), pod("b")]
    assert run(capsys, *typed, "--port", "80", "-o", "suite")[0] == 0
    assert path in server.asked


def test_the_commands_of_verbose_lead_to_the_same_cluster(server: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    server.found[HERE] = [pod("a"), pod("b")]
    _, out, _ = run(capsys, "--port", "80", "-v", "--context", "lab", "--as", "joe")
    assert "kubectl netpol explain shop/pod/a shop/pod/b 80 --context lab --as joe" in " ".join(out.split())


@pytest.mark.parametrize(
    ("typed", "path", "err"),
    [
        pytest.param(
            [],
            HERE,
            "error: you may not list pods in namespace shop\nhint: kubectl auth can-i list pods -n shop\n",
            id="of the namespace",
        ),
        pytest.param(
            ["-A"],
            "/api/v1/pods",
            "error: you may not list pods in the whole cluster\nhint: kubectl auth can-i list pods -A\n",
            id="of the cluster",
        ),
    ],
)
def test_pods_that_may_not_be_listed_are_an_error(
    typed: list[str], path: str, err: str, server: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    server.found[path] = forbidden(path)
    assert run(capsys, *typed) == (2, "", err)


def test_a_pod_that_can_not_be_read_is_named(server: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    odd = {**pod("odd"), "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1, "protocol": "QUIC"}]}]}}
    server.found[HERE] = [pod("a"), pod("b"), odd]
    for output in ("wide", "json", "html"):
        status, _, err = run(capsys, "--port", "80", "-o", output)
        assert status == 0
        assert err.startswith("warning: left out: shop/pod/odd can't be read: spec.containers[0].ports[0].protocol: ")
