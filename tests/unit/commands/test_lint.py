"""`lint` as typed: what is looked at, what is printed, and the exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.commands.common.inputs import Inputs
from kubectl_netpol.errors import ForbiddenError
from tests.support.api import FakeApi, lists
from tests.support.linting import SHOP
from tests.support.running import Ran, run
from tests.support.tables import objects

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.console import Console

WRONG = {"podSelector": {"matchLabels": {"app": "wbe"}}}
CLOSED = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
CLUSTER = {**SHOP, "policies": {"shop/web": WRONG, "lab/all": CLOSED}}
OUTSIDE = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["198.51.100.0/24"]}}]}


def lint(line: str, cluster: dict[str, Any] | None = None, annotations: dict[str, str] | None = None) -> Ran:
    items = [dict(item) for item in objects(CLUSTER if cluster is None else cluster)]
    for item in items:
        if name := (annotations or {}).get(item["metadata"]["name"]):
            item["metadata"]["annotations"] = {"netpol/ignore": name}
    return run("lint", f"{line} -f -", stdin=yaml.safe_dump_all(items, sort_keys=False))


def numbers(ran: Ran) -> list[str]:
    return sorted(one["number"] for one in json.loads(ran.out)["findings"])


@pytest.mark.parametrize(
    ("line", "status", "found"),
    [
        pytest.param("", 1, ["NP001", "NP013"], id="everything that is in the files"),
        pytest.param("-n shop", 1, ["NP001", "NP013"], id="a namespace"),
        pytest.param("-n lab", 0, [], id="another one"),
        pytest.param("-n lab -A", 1, ["NP001", "NP013"], id="all of them"),
        pytest.param("--select NP013", 0, ["NP013"], id="advice alone"),
        pytest.param("--select no-default-deny --fail-on info", 1, ["NP013"], id="by its code, and it counts"),
        pytest.param("--ignore NP001", 0, ["NP013"], id="without one"),
        pytest.param("--ignore NP001,np013", 0, [], id="without two"),
        pytest.param("--ignore NP001 --ignore NP013", 0, [], id="the same as two options"),
        pytest.param("--select NP001,NP013 --ignore NP001", 0, ["NP013"], id="what is ignored is not selected"),
        pytest.param("--ignore NP001 --fail-on warning", 0, ["NP013"], id="advice is less than a warning"),
    ],
)
def test_what_is_found_and_the_status(line: str, status: int, found: list[str]) -> None:
    ran = lint(f"{line} -o json")
    assert (numbers(ran), ran.status) == (found, status)


@pytest.mark.parametrize(
    ("annotations", "found", "ignored", "err"),
    [
        pytest.param({"web": "NP001 a demo"}, ["NP013"], ["a demo"], "", id="of the policy"),
        pytest.param({"shop": "NP001, NP013 later"}, [], ["later", "later"], "", id="of the namespace"),
        pytest.param(
            {"web": "NP999 x"},
            ["NP001", "NP013"],
            [],
            'warning: shop/web: annotation netpol/ignore: no number "NP999"\n',
            id="a number that there is not",
        ),
    ],
)
def test_an_annotation_ignores_for_good(
    annotations: dict[str, str], found: list[str], ignored: list[str], err: str
) -> None:
    ran = lint("-n shop -o json", annotations=annotations)
    assert (numbers(ran), [one["reason"] for one in json.loads(ran.out)["ignored"]], ran.err) == (found, ignored, err)


@pytest.mark.parametrize(
    ("spec", "number", "path"),
    [
        pytest.param({"podSelector": {}, "policyTypes": ["in"]}, "NP018", "spec.policyTypes[0]", id="a value"),
        pytest.param(
            {"podSelector": {}, "policyTypes": ["Egress"], "egress": [OUTSIDE]},
            "NP019",
            "spec.egress[0].to[0].ipBlock.except[0]",
            id="an except outside its block",
        ),
    ],
)
def test_what_the_server_would_refuse_is_a_finding_and_the_rest_is_looked_at(
    spec: dict[str, Any], number: str, path: str
) -> None:
    ran = lint("-o json", {**CLUSTER, "policies": {**CLUSTER["policies"], "shop/bad": spec}})
    first = next(one for one in json.loads(ran.out)["findings"] if one["object"]["name"] == "bad")
    assert (first["number"], first["path"], first["severity"], ran.status) == (number, path, "error", 1)
    assert "NP001" in numbers(ran)


def test_a_finding_has_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(
        "# us\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"
        "  podSelector:\n    matchLabels: {a: b}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
        encoding="utf-8",
    )
    ran = run("lint", f"-f {tmp_path} -o json")
    assert [(one["file"], one["line"]) for one in json.loads(ran.out)["findings"]] == [
        (str(tmp_path / "web.yaml"), 6),
        (None, None),
    ]
    text = " ".join(run("lint", f"-f {tmp_path}").out.split())
    assert text.startswith(f"info: NP001 policy-selects-nothing at {tmp_path}/web.yaml:6 default/p spec.podSelector ")


@pytest.mark.parametrize(
    ("output", "start"),
    [
        pytest.param("text", "error: NP001 policy-selects-nothing at ", id="text"),
        pytest.param("json", '{\n  "apiVersion": "netpol/v1",\n  "kind": "Lint"', id="JSON"),
        pytest.param("yaml", "apiVersion: netpol/v1\nkind: Lint\n", id="YAML"),
        pytest.param("sarif", '{\n  "$schema": ', id="SARIF"),
        pytest.param("junit", '<?xml version="1.0"', id="JUnit"),
        pytest.param("github", "::error file=stdin,line=", id="GitHub"),
        pytest.param("markdown", "`kubectl netpol lint` looked at 2 policies: 1 error.\n", id="Markdown"),
    ],
)
def test_each_format(output: str, start: str) -> None:
    assert lint(f"-o {output} --select NP001").out.startswith(start)


def test_github_has_nothing_to_print_without_findings() -> None:
    assert lint("-n lab -o github") == (0, "", "")


@pytest.mark.parametrize("word", ["NP004", "np004", "split-peer"])
def test_explain_prints_an_entry(word: str) -> None:
    ran = run("lint", f"--explain {word}")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("NP004 split-peer (warning)\n\nA peer has a `namespaceSelector` alone")
    assert ran.out.count("```yaml\n") == 2


@pytest.mark.parametrize(
    ("line", "err"),
    [
        pytest.param(
            "--explain NP999",
            'error: --explain: no finding "NP999"\nhint: NP001 to NP030, or a code such as split-peer\n',
            id="a number that there is not",
        ),
        pytest.param(
            "-f - --select typo",
            'error: --select: no finding "typo"\nhint: NP001 to NP030, or a code such as split-peer\n',
            id="a code that there is not",
        ),
        pytest.param(
            "-f - --fix -o json", "error: --fix prints a diff, so -o can't be combined with it\n", id="--fix and -o"
        ),
        pytest.param(
            "--no-cluster",
            "error: no manifests given\nhint: say where they are: -f FOLDER (of a hook: args: [-f, FOLDER])\n",
            id="a hook without its folder",
        ),
        pytest.param("-f -", "error: stdin, document 1: apiVersion or kind is missing\n", id="what is no manifest"),
    ],
)
def test_a_usage_error(line: str, err: str) -> None:
    assert run("lint", line, stdin="a: b") == (2, "", err)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    found = FakeApi(lists(objects(CLUSTER)))

    def opened(_cluster: object, _filenames: object, console: Console) -> Inputs:
        return Inputs("shop", found.api, None, console)

    monkeypatch.setattr("kubectl_netpol.commands.common.linting.open_inputs", opened)
    return found


@pytest.mark.parametrize(
    ("line", "policies"),
    [
        pytest.param("", ["web"], id="the namespace of the kubeconfig"),
        pytest.param("-A", ["web"], id="all: lab has nothing to find"),
    ],
)
def test_on_a_cluster(line: str, policies: list[str], server: FakeApi) -> None:
    ran = run("lint", f"{line} -o json --select NP001")
    found = json.loads(ran.out)["findings"]
    assert ([one["object"]["name"] for one in found], ran.status, ran.err) == (policies, 1, "")
    assert [(one["file"], one["line"]) for one in found] == [(None, None)] * len(found)
    wide = "/apis/networking.k8s.io/v1/networkpolicies" in server.asked
    assert wide is (line == "-A")


@pytest.mark.parametrize(
    ("select", "status"),
    [
        pytest.param("NP004", 2, id="nothing is found in what was read: can't tell"),
        pytest.param("NP001", 1, id="what is found is found"),
    ],
)
def test_what_could_not_be_read(select: str, status: int, server: FakeApi) -> None:
    server.found["/api/v1/pods"] = ForbiddenError("no", verb="list", resource="pods", namespace=None)
    ran = run("lint", f"-o json --select {select}")
    assert ran.status == status
    assert ran.err == "warning: incomplete: you may not list pods in the whole cluster\n"
    assert json.loads(ran.out)["unread"] == ["you may not list pods in the whole cluster"]


def test_a_policy_that_could_not_be_read(server: FakeApi) -> None:
    odd = {"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"podSelector": {}, "tier": "x"}}
    path = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
    server.found[path] = [*server.found[path], odd]
    ran = run("lint", "-o json --select NP004")
    assert ran.status == 2
    (unread,) = json.loads(ran.out)["unread"]
    assert unread == 'shop/networkpolicy.networking.k8s.io/odd can\'t be read: spec: unknown field "tier"'


def test_a_policy_that_cilium_refuses_is_a_finding_with_its_line_and_may_be_ignored() -> None:
    wrong = {"endpointSelector": {}, "ingress": [{"fromEndpoints": [{}], "fromCIDR": ["10.0.0.0/8"]}]}
    cluster = {**SHOP, "plugin": "Cilium", "cilium": {"shop/both": wrong}}
    ran = lint("--select NP018", cluster)
    assert ran.status == 1
    assert ran.out.startswith("error: NP018 refused-by-server at stdin:")
    assert "CiliumNetworkPolicy shop/both spec.ingress[0] shop/cilium" in " ".join(ran.out.split())
    assert ran.out.endswith("1 policy: 1 error\n")
    ran = lint("--select NP018 -o json", cluster, {"both": "NP018 a demo"})
    assert (ran.status, numbers(ran), [one["reason"] for one in json.loads(ran.out)["ignored"]]) == (0, [], ["a demo"])
