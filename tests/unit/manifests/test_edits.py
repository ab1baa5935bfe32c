"""Edits of a policy's text that leave the rest as it is written, and the diff."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.manifests.edits import edited, unified_diff

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\nspec:\n"
KEY = ("NetworkPolicy", "a", "p")


@pytest.mark.parametrize(
    ("spec", "edits", "after"),
    [
        pytest.param(
            "  podSelector:\n    matchLabels:\n      app: wbe  # us\n",
            [("replace", "spec.podSelector.matchLabels[app]", "web")],
            "  podSelector:\n    matchLabels:\n      app: web  # us\n",
            id="a value, with its comment",
        ),
        pytest.param(
            '  podSelector: {matchLabels: {"app": "wbe"}}\n',
            [("replace", "spec.podSelector.matchLabels[app]", "web")],
            '  podSelector: {matchLabels: {"app": "web"}}\n',
            id="in double quotes",
        ),
        pytest.param(
            "  podSelector: {matchLabels: {app: 'wbe'}}\n",
            [("replace", "spec.podSelector.matchLabels[app]", "web")],
            "  podSelector: {matchLabels: {app: 'web'}}\n",
            id="in single quotes",
        ),
        pytest.param(
            "  podSelector: {matchLabels: {app: wbe}}\n",
            [("replace", "spec.podSelector.matchLabels[app]", "1.0")],
            '  podSelector: {matchLabels: {app: "1.0"}}\n',
            id="a value that needs quotes",
        ),
        pytest.param(
            "  ingress:\n  - ports:\n    - port: 80\n",
            [("replace", "spec.ingress[0].ports[0].port", "8080")],
            "  ingress:\n  - ports:\n    - port: 8080\n",
            id="a number",
        ),
        pytest.param(
            "  podSelector: {matchLabels: {name: shop}}\n",
            [("rename", "spec.podSelector.matchLabels[name]", "kubernetes.io/metadata.name")],
            "  podSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n",
            id="a key",
        ),
        pytest.param(
            "  ingress:\n  - from:\n    - namespaceSelector: {}\n    # both\n    - podSelector: {}\n",
            [("join", "spec.ingress[0].from[1]", "")],
            "  ingress:\n  - from:\n    - namespaceSelector: {}\n    # both\n      podSelector: {}\n",
            id="an item that joins the one before it",
        ),
        pytest.param(
            "  ingress: [{from: [{namespaceSelector: {}}, {podSelector: {}}]}]\n",
            [("join", "spec.ingress[0].from[1]", "")],
            None,
            id="a list in brackets is joined by nobody",
        ),
        pytest.param(
            "  ingress:\n  -\n    from: []\n  -\n    ports: []\n",
            [("join", "spec.ingress[1]", "")],
            None,
            id="nor an item below its dash",
        ),
        pytest.param(
            "  ingress:\n  # one\n  - from:\n    - podSelector: {}\n  # two\n"
            "  - ports:\n    - port: 80\n\n  egress: []\n",
            [("remove", "spec.ingress[0]", "")],
            "  ingress:\n  # one\n  # two\n  - ports:\n    - port: 80\n\n  egress: []\n",
            id="an item goes, comments stay",
        ),
        pytest.param(
            "  ingress:\n  - from:\n    - podSelector: {}\n  - ports:\n    - port: 80 # web\n  # end\n",
            [("remove", "spec.ingress[1]", "")],
            "  ingress:\n  - from:\n    - podSelector: {}\n  # end\n",
            id="the last item",
        ),
        pytest.param(
            "  ingress:  \n\n  # all\n  - {}\n  podSelector: {}\n",
            [("remove", "spec.ingress[0]", "")],
            "  ingress: []  \n\n  # all\n  podSelector: {}\n",
            id="the only item leaves an empty list",
        ),
        pytest.param(
            "  ingress: # all\n  - {}\n", [("remove", "spec.ingress[0]", "")], None, id="a key with a comment is left"
        ),
        pytest.param(
            "  ingress:\n  - &a {}\n  - *a\n",
            [("remove", "spec.ingress[1]", "")],
            "  ingress:\n  - *a\n",
            id="an alias is where its anchor is",
        ),
        pytest.param("  ingress: [{}, {}]\n", [("remove", "spec.ingress[0]", "")], None, id="a list in brackets"),
        pytest.param(
            "  ingress:\n  -\n    {}\n  - {}\n", [("remove", "spec.ingress[0]", "")], None, id="an item below its dash"
        ),
        pytest.param(
            "  policyTypes: [Ingress]\n",
            [("append", "spec.policyTypes", "Egress")],
            "  policyTypes: [Ingress, Egress]\n",
            id="one more in brackets",
        ),
        pytest.param(
            "  policyTypes:\n  - Ingress # in\n  podSelector: {}\n",
            [("append", "spec.policyTypes", "Egress")],
            "  policyTypes:\n  - Ingress # in\n  - Egress\n  podSelector: {}\n",
            id="one more with a dash",
        ),
        pytest.param(
            "  policyTypes:\n  - Ingress",
            [("append", "spec.policyTypes", "Egress")],
            "  policyTypes:\n  - Ingress\n  - Egress",
            id="at the end of a file without a line break",
        ),
        pytest.param("  policyTypes: []\n", [("append", "spec.policyTypes", "Egress")], None, id="an empty list"),
        pytest.param("  policyTypes: x\n", [("append", "spec.policyTypes", "Egress")], None, id="no list"),
        pytest.param(
            "  policyTypes:\n  -\n    Ingress\n",
            [("append", "spec.policyTypes", "Egress")],
            None,
            id="dashes of their own",
        ),
        pytest.param("  podSelector: {}\n", [("replace", "spec.podSelector", "x")], None, id="no scalar"),
        pytest.param("  podSelector: |\n    x\n", [("replace", "spec.podSelector", "y")], None, id="a block of text"),
        pytest.param("  ingress: [{}]\n", [("rename", "spec.ingress[0]", "x")], None, id="an item has no key"),
        pytest.param("  podSelector: {}\n", [("join", "spec.podSelector", "")], None, id="no item of a list"),
        pytest.param("  podSelector: {}\n", [("replace", "spec.none", "x")], None, id="a field that is not there"),
        pytest.param(
            "  ingress:\n  - ports:\n    - port: 80\n    - port: 81\n",
            [
                ("replace", "spec.ingress[0].ports[0].port", "8080"),
                ("replace", "spec.ingress[0].ports[1].port", "8081"),
            ],
            "  ingress:\n  - ports:\n    - port: 8080\n    - port: 8081\n",
            id="two edits",
        ),
    ],
)
def test_an_edit(spec: str, edits: list[tuple[str, str, str]], after: str | None) -> None:
    other = HEAD.replace("name: p", "name: other") + spec
    before = f"{other.rstrip()}\n---\n{HEAD}{spec}"
    wanted = None if after is None else f"{other.rstrip()}\n---\n{HEAD}{after}"
    assert edited(before, "default", KEY, tuple(edits)) == wanted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a\nb\nc\n", "a\nB\nc\n", id="a line"),
        pytest.param("a\nb", "a\nB", id="without a line break at the end"),
        pytest.param("a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n", id="line breaks of Windows"),
        pytest.param("a\n\x0cb\u2028c\nd\n", "a\n\x0cb\u2028c\nD\n", id="other separators are part of a line"),
        pytest.param("a\nb\n", "a\n", id="a line less"),
    ],
)
def test_git_takes_the_diff(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(before.encode())
    diff = unified_diff("f.yaml", before, after)
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=diff.encode(), check=True, timeout=60
    )
    assert (tmp_path / "f.yaml").read_bytes().decode() == after
    assert unified_diff("f.yaml", before, before) == ""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a b.yaml", id="a space"),
        pytest.param("ü.yaml", id="not ASCII"),
        pytest.param('a"b\\c.yaml', id="a quote and a backslash"),
        pytest.param("x\n--- a+victim.yaml\n+++ b", id="line breaks"),
        pytest.param("\udcff.yaml", id="not UTF-8"),
    ],
)
def test_git_takes_the_diff_of_a_file_of_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("a: 1\n", encoding="utf-8")
    diff = unified_diff(name, "a: 1\n", "a: 2\n").encode()
    assert sum(line.startswith((b"---", b"+++")) for line in diff.splitlines()) == 2
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff, check=True, timeout=60)
    assert (tmp_path / name).read_text(encoding="utf-8") == "a: 2\n"
