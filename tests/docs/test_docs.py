"""The documents say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubectl_netpol import __version__
from kubectl_netpol.cli import COMMANDS, top_help
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.model.kinds import BESIDE, KINDS, POLICY_GROUPS, STAGED, TIERED, UNEVALUATED
from tests.support.running import run

ROOT = Path(__file__).parents[2]
PAGES = [
    page for folder in (".", "docs", "examples", "packaging", "tests/cluster") for page in (ROOT / folder).glob("*.md")
]


def test_the_help_in_commands_md_is_that_of_the_parsers() -> None:
    # argparse words its help a little differently from version to version, so one interpreter writes and compares.
    if sys.version_info[:2] == (3, 11):
        checked = subprocess.run([sys.executable, ROOT / "packaging" / "docs.py", "--check"], check=False)
        assert checked.returncode == 0, "run packaging/docs.py --write"


def test_the_readme_is_short_and_has_a_line_for_each_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert re.findall(r"\[`\w+`\]\(docs/commands\.md#(\w+)\)", text) == list(COMMANDS)
    assert f"kubectl-netpol-v{__version__}.tar.gz" in text


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_what_a_page_refers_to_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path, anchor in re.findall(r"\]\((?!https:)([^)#]*)#?([^)]*)\)", text):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for path in re.findall(r"`((?:docs|examples|kubectl_netpol|packaging|tests)/[\w./-]+)", text):
        if "foo" not in path and not path.endswith("-"):
            assert (ROOT / path).exists(), path
    for name, path in re.findall(r"`(\w+)`\s+(?:in|of)\s+`([\w/]+\.(?:py|sh))`", text):
        file = next(folder / path for folder in (ROOT, ROOT / "kubectl_netpol") if (folder / path).exists())
        assert re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")), f"{name} of {path}"


COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
TYPED = [
    example
    for block in re.findall(r"```console\n(.*?)```", COMMANDS_PAGE, re.DOTALL)
    for example in re.findall(r"^\$ kubectl netpol (\w+) (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("command", "line", "out"), TYPED, ids=[f"{command} {line}" for command, line, _ in TYPED])
def test_an_example_of_the_page_of_commands_is_real(
    command: str, line: str, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert re.sub(r'(<testsuites .* time=)"[\d.]+"', r'\1"…"', run(command, line).out) == out


def test_the_page_of_commands_has_examples() -> None:
    assert len(TYPED) == COMMANDS_PAGE.count("$ kubectl netpol ") - 1, "all but the one that watches"


def test_every_code_is_documented_and_nothing_else() -> None:
    text = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z-]+)`(?:, `([a-z-]+)`)?", text, re.MULTILINE))
    lists = {word for line in re.findall(r"^`.*$", text, re.MULTILINE) for word in re.findall(r"`([a-z-]+)`", line)}
    documented = {word for row in rows for word in row if word} | lists
    assert documented == {code.value for code in Code}


def test_the_top_help_names_every_command() -> None:
    assert all(name in top_help() for name in COMMANDS)
    assert all(len(line) <= 80 for line in top_help().splitlines())


@pytest.mark.parametrize(
    ("example", "scopes"),
    [
        pytest.param("rbac-cluster.yaml", {True, False}, id="the ClusterRole, all of them"),
        pytest.param("rbac-namespace.yaml", {True}, id="the Role, those that are in a namespace"),
    ],
)
def test_the_examples_of_roles_may_list_the_kinds_of_policy_that_are_known(example: str, scopes: set[bool]) -> None:
    role = yaml.safe_load((ROOT / "examples" / example).read_text(encoding="utf-8"))
    rule, *beside = (rule for rule in role["rules"] if POLICY_GROUPS & set(rule["apiGroups"]))
    kinds = [KINDS[name] for name in (*TIERED, *UNEVALUATED) if KINDS[name].namespaced in scopes]
    assert set(rule["apiGroups"]) == {group for kind in kinds for group in kind.groups}
    assert set(rule["resources"]) == {kind.resource for kind in kinds}
    assert rule["verbs"] == ["list"]
    wanted = {KINDS[name].resource for name in set(BESIDE) - set(STAGED)} if False in scopes else set()
    assert {resource for one in beside for resource in one["resources"]} == wanted
