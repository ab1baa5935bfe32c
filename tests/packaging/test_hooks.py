"""The hook for pre-commit, and the steps of the GitHub action, run as they are written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SLIP = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p}
spec:
  podSelector:
    matchLabels: {app: wbe}
"""


def test_the_hook_without_a_folder_is_an_error_that_says_so() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["language"], hook["pass_filenames"], "args" in hook) == ("python", False, False)
    program, *words = shlex.split(hook["entry"])
    assert program == "kubectl-netpol"
    ran = subprocess.run(
        [sys.executable, "-m", "kubectl_netpol", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "args: [-f, FOLDER]" in ran.stderr


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs a step of the action in a folder, with these inputs; the first step has run."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    install, lint = action["runs"]["steps"]
    temporary = tmp_path_factory.mktemp("runner")

    def step(which: dict[str, Any], folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        assert which["shell"] == "bash"
        given = {name: str(found.get("default", "")) for name, found in action["inputs"].items()} | inputs
        contexts = {"github.action_path": str(ROOT), **{f"inputs.{name}": value for name, value in given.items()}}
        env = {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: contexts[match[1]], value)
            for name, value in which["env"].items()
        }
        assert "${{" not in which["run"], "what a user gives is never part of a script"
        script = folder / "step.sh"
        script.write_text(which["run"], encoding="utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=folder,
            env={**os.environ, "RUNNER_TEMP": str(temporary), "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    installed = step(install, temporary)
    assert installed.returncode == 0, installed.stderr
    return lambda folder, **inputs: step(lint, folder, **inputs)


@pytest.mark.parametrize(
    ("inputs", "status", "first"),
    [
        pytest.param({}, 1, "::error file=a b/web.yaml,line=9,title=NP001 policy-selects-nothing::", id="an error"),
        pytest.param({"ignore": "NP001"}, 0, "::notice title=NP013 no-default-deny::", id="what is ignored"),
        pytest.param(
            {"ignore": "NP001", "fail-on": "info"}, 1, "::notice title=NP013 no-default-deny::", id="advice counts"
        ),
        pytest.param({"files": "\n"}, 2, "", id="no files"),
    ],
)
def test_the_action_annotates_and_summarizes(
    inputs: dict[str, str], status: int, first: str, runner: Any, tmp_path: Path
) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "web.yaml").write_text(SLIP, encoding="utf-8")
    ran = runner(tmp_path, **{"files": "a b\n", **inputs})
    assert ran.returncode == status, ran.stderr
    assert ran.stdout.startswith(first)
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("`kubectl netpol lint` looked at 1 policy: ") is (status != 2)
