"""--fix: the diff that mends findings, proved before it is printed."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi, lists
from tests.support.running import Ran, run
from tests.support.tables import objects

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.console import Console

PODS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: x}}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab, labels: {team: x}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: lab, labels: {app: cli}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
"""
HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p # ours\n  namespace: shop\nspec:\n"
OF_WEB = "  podSelector:\n    matchLabels:\n      app: web\n"


def fix(folder: Path, spec: str, more: str = "") -> tuple[Ran, str]:
    """What is printed, and the file with it applied by git."""
    file = folder / "all.yaml"
    file.write_text(PODS + HEAD + spec, encoding="utf-8")
    ran = run("lint", f"-f all.yaml --fix {more}")
    if ran.out:
        subprocess.run(["git", "apply", "-"], cwd=folder, input=ran.out.encode(), check=True, timeout=60)
    return ran, file.read_text(encoding="utf-8").removeprefix(PODS + HEAD)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


ROWS = [
    pytest.param(
        "  podSelector:\n    matchLabels:\n      app: wbe # the shop\n",
        "  podSelector:\n    matchLabels:\n      app: web # the shop\n",
        "NP001 shop/p spec.podSelector: closes 2 connections",
        id="NP001: a slip in the policy's label",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - from:\n    - podSelector:\n        matchLabels: {{app: 'ap'}} # us\n",
        f"{OF_WEB}  ingress:\n  - from:\n    - podSelector:\n        matchLabels: {{app: 'api'}} # us\n",
        "NP002 shop/p spec.ingress[0].from[0]: opens 2 connections",
        id="NP002: a slip in a peer's label",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - ports:\n    # the shop\n    - port: 80\n",
        f"{OF_WEB}  ingress:\n  - ports:\n    # the shop\n    - port: 8080\n",
        "NP003 shop/p spec.ingress[0].ports[0].port: opens 1 connection, closes 1 connection",
        id="NP003: the Service's port",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - from:\n    - namespaceSelector: {{matchLabels: {{team: x}}}}\n    # of api\n"
        "    - podSelector: {matchLabels: {app: api}}\n",
        f"{OF_WEB}  ingress:\n  - from:\n    - namespaceSelector: {{matchLabels: {{team: x}}}}\n    # of api\n"
        "      podSelector: {matchLabels: {app: api}}\n",
        "NP004 shop/p spec.ingress[0].from[1]: closes 2 connections",
        id="NP004: a dash between the two halves of a peer",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - from:\n    - podSelector: {{matchLabels: {{app: api}}}}\n  # one port\n"
        "  - ports:\n    - port: http\n",
        f"{OF_WEB}  ingress:\n  - from:\n    - podSelector: {{matchLabels: {{app: api}}}}\n  # one port\n"
        "    ports:\n    - port: http\n",
        "NP005 shop/p spec.ingress[1]: closes 2 connections",
        id="NP005: a dash before ports",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n"
        "          name: lab # clients\n",
        f"{OF_WEB}  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n"
        "          kubernetes.io/metadata.name: lab # clients\n",
        "NP006 shop/p spec.ingress[0].from[0]: opens 2 connections",
        id="NP006: a namespace's name",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  - ports:\n    - port: htp\n",
        f"{OF_WEB}  ingress:\n  - ports:\n    - port: http\n",
        "NP008 shop/p spec.ingress[0].ports[0].port: opens 1 connection",
        id="NP008: a slip in a port's name",
    ),
    pytest.param(
        f"{OF_WEB}  ingress:\n  # one\n  - from:\n    - podSelector: {{}}\n  # two\n  - from:\n"
        "    - podSelector: {matchLabels: {app: api}}\n  # three\n",
        f"{OF_WEB}  ingress:\n  # one\n  - from:\n    - podSelector: {{}}\n  # two\n  # three\n",
        "NP009 shop/p spec.ingress[1]: opens and closes nothing",
        id="NP009: a rule that another covers",
    ),
    pytest.param(
        f"{OF_WEB}  policyTypes:\n  - Ingress # in\n  egress:\n  - to:\n    - podSelector: {{}}\n",
        f"{OF_WEB}  policyTypes:\n  - Ingress # in\n  - Egress\n  egress:\n  - to:\n    - podSelector: {{}}\n",
        "NP022 shop/p spec.policyTypes: closes 1 connection",
        id="NP022: policyTypes without the direction of rules",
    ),
]


@pytest.mark.parametrize(("before", "after", "note"), ROWS)
def test_the_diff_mends_it_and_git_takes_it(before: str, after: str, note: str, folder: Path) -> None:
    number = note.partition(" ")[0]
    ran, mended = fix(folder, before)
    assert mended == after
    assert note in [line.removeprefix("note: ") for line in ran.err.splitlines()]
    left = json.loads(run("lint", "-f all.yaml -o json").out)["findings"]
    assert number not in [one["number"] for one in left]


@pytest.mark.parametrize(("before", "after", "note"), ROWS)
def test_what_a_repair_says_is_what_diff_says(before: str, after: str, note: str, folder: Path) -> None:
    for name, spec in (("then.yaml", before), ("now.yaml", after)):
        (folder / name).write_text(PODS + HEAD + spec, encoding="utf-8")
    found = json.loads(run("diff", "-f now.yaml --on then.yaml -n shop -o json").out)
    says = {
        word: sum(int(part.split()[1]) for part in note.partition(": ")[2].split(", ") if part.startswith(word))
        for word in ("opens", "closes")
        if "nothing" not in note
    }
    # The other ports of all protocols between two ends are one.
    ends = {
        word: {
            (*row["sources"], *row["destinations"], "other" if row.get("other") or row["port"] == 1 else row["port"])
            for row in found[word]
        }
        for word in says
    }
    assert {word: len(ends[word]) for word in says} == says
    assert bool(found["opens"] or found["closes"]) is ("nothing" not in note)


def test_several_repairs_of_one_policy_and_of_several(folder: Path) -> None:
    slips = f"{OF_WEB}  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: ap\n"
    slips += "  - ports:\n    - port: htp\n"
    second = f"---\n{HEAD.replace('name: p', 'name: q')}{OF_WEB.replace('web', 'wbe')}"
    ran, mended = fix(folder, slips + second)
    assert mended == (
        f"{OF_WEB}  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: api\n    ports:\n"
        f"    - port: http\n---\n{HEAD.replace('name: p', 'name: q')}{OF_WEB}"
    )
    assert ran.err.count("note: ") == 4


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        pytest.param(
            f"{OF_WEB}  ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{team: x}}}}}}, "
            "{podSelector: {matchLabels: {app: api}}}]}]\n",
            "NP004 shop/p spec.ingress[0].from[1]: no edit; remove the dash before podSelector if both were meant",
            id="a list in brackets",
        ),
        pytest.param(
            "  podSelector:\n    matchExpressions:\n    - {key: app, operator: In, values: [wbe]}\n",
            "NP001 shop/p spec.podSelector: no edit; write app=web",
            id="an expression",
        ),
    ],
)
def test_what_can_not_be_edited_is_said(spec: str, note: str, folder: Path) -> None:
    ran, mended = fix(folder, spec)
    assert (ran.out, mended) == ("", spec)
    assert f"note: {note}" in ran.err.splitlines()
    assert ran.err.endswith("note: nothing that could be mended by an edit: each finding has its fix in words\n")


def test_an_alias_that_another_object_shares_is_left(folder: Path) -> None:
    shared = "apiVersion: v1\nkind: List\nitems:\n"
    one = "- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: "
    two = one.replace("name: p", "name: q")
    text = f"{shared}{one}&s {{podSelector: {{matchLabels: {{app: wbe}}}}}}}}\n{two}*s}}\n"
    (folder / "all.yaml").write_text(f"{PODS}{text}", encoding="utf-8")
    ran = run("lint", "-f all.yaml --fix")
    assert ran.out == ""
    assert ran.err.count(": no edit; write app=web") == 2


def test_what_is_not_asked_for_or_ignored_is_not_mended(folder: Path) -> None:
    spec = f"{OF_WEB.replace('web', 'wbe')}"
    assert fix(folder, spec, "--ignore NP001")[0].out == ""
    (folder / "all.yaml").write_text(
        PODS + HEAD.replace("namespace: shop", "namespace: shop\n  annotations: {netpol/ignore: NP001 why}") + spec,
        encoding="utf-8",
    )
    assert run("lint", "-f all.yaml --fix").out == ""


def test_nothing_is_written(folder: Path) -> None:
    spec = OF_WEB.replace("web", "wbe")
    (folder / "all.yaml").write_text(PODS + HEAD + spec, encoding="utf-8")
    assert run("lint", "-f all.yaml --fix").status == 1
    assert (folder / "all.yaml").read_text(encoding="utf-8") == PODS + HEAD + spec


def test_of_a_cluster_the_changed_policies_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"podSelector": {"matchLabels": {"app": "wbe"}}, "policyTypes": ["Ingress"]}
    cluster: dict[str, Any] = {
        "pods": {"shop/web": {"labels": {"app": "web"}, "ip": "10.0.0.1"}},
        "policies": {"shop/p": wrong, "shop/q": wrong, "shop/good": {"podSelector": {}}},
    }
    items = [dict(item) for item in objects(cluster)]
    for item in items:
        if item["kind"] == "NetworkPolicy":
            item["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": [], "labels": {"a": "b"}}
            item["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
            item["metadata"]["annotations"] |= {"team": "x"} if item["metadata"]["name"] == "q" else {}
    api = FakeApi(lists(items))

    def opened(_cluster: object, _filenames: object, console: Console) -> Inputs:
        return Inputs("shop", api.api, None, console)

    monkeypatch.setattr("kubectl_netpol.commands.common.linting.open_inputs", opened)
    ran = run("lint", "--fix")
    right = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
    metadata = {"namespace": "shop", "labels": {"a": "b"}}
    assert list(yaml.safe_load_all(ran.out)) == [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, **metadata, **more},
            "spec": right,
        }
        for name, more in (("p", {}), ("q", {"annotations": {"team": "x"}}))
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("\n", "\r\n", id="line breaks of another system"),
        pytest.param("name: p # ours", "name: p # ou\u200brs", id="a character that is not shown"),
    ],
)
def test_git_takes_the_diff_of_a_file_with_odd_characters(before: str, after: str, folder: Path) -> None:
    content = (PODS + HEAD + "  podSelector: {matchLabels: {app: wbe}}\n").replace(before, after)
    (folder / "f.yaml").write_text(content, encoding="utf-8", newline="")
    ran = run("lint", "-f f.yaml --fix")
    subprocess.run(["git", "apply", "-"], cwd=folder, input=ran.out.encode(), check=True, timeout=60)
    assert (folder / "f.yaml").read_bytes().decode() == content.replace("wbe", "web")
