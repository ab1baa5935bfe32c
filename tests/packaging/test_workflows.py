"""The workflows for GitHub: actionlint accepts them, and they do nothing that the scripts don't."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

ACTIONLINT = "v1.7.12"
COMMANDS = {
    "ci.yml": ["sudo --preserve-env=CI,PATH bash .ci/run"],
    "release.yml": [
        './build.sh release "$GITHUB_REF_NAME" "$HOMEPAGE/releases/download/$GITHUB_REF_NAME" "$HOMEPAGE"',
        (
            'gh release create "$GITHUB_REF_NAME" --verify-tag --title "$GITHUB_REF_NAME" '
            "dist/release/*.* dist/release/pypi/*"
        ),
    ],
}


@pytest.fixture(scope="module")
def actionlint(project: Path, *, required: bool) -> Path:
    if not shutil.which("go") and not required:
        pytest.skip("actionlint is built by Go, which is not installed")
    folder = project / "build" / f"actionlint-{ACTIONLINT}"
    if not (folder / "actionlint").exists():
        subprocess.run(
            ["go", "install", "-p", "1", f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}"],
            env=os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"},
            check=True,
        )
    return folder / "actionlint"


def test_actionlint_accepts_them(actionlint: Path, project: Path) -> None:
    done = subprocess.run([actionlint, "-no-color"], cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_would_say_what_is_wrong(actionlint: Path, project: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (project / ".github" / "workflows" / "ci.yml").read_text()
    (folder / "ci.yml").write_text(text.replace("timeout-minutes", "time-out"))
    done = subprocess.run([actionlint, "-no-color", folder / "ci.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "time-out" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_they_run_these_commands_and_no_other(project: Path, name: str) -> None:
    workflow = yaml.safe_load((project / ".github" / "workflows" / name).read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == COMMANDS[name]


def test_there_is_no_other_workflow(project: Path) -> None:
    assert {path.name for path in (project / ".github" / "workflows").iterdir()} == set(COMMANDS)


def test_publishing_needs_no_secret(project: Path) -> None:
    text = (project / ".github" / "workflows" / "release.yml").read_text()
    assert "secrets." not in text
    assert yaml.safe_load(text)["jobs"]["publish"]["permissions"] == {"id-token": "write"}
