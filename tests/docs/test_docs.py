"""The documents say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kubectl_netpol.cli import COMMANDS, top_help
from kubectl_netpol.engine.codes import Code

ROOT = Path(__file__).parents[2]


def test_the_options_in_the_readme_are_those_of_the_parsers() -> None:
    # argparse words its help a little differently from version to version, so one interpreter writes and compares.
    if sys.version_info[:2] == (3, 11):
        checked = subprocess.run([sys.executable, ROOT / "packaging" / "docs.py", "--check"], check=False)
        assert checked.returncode == 0, "run packaging/docs.py"


def test_every_code_is_documented_and_nothing_else() -> None:
    text = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z-]+)`(?:, `([a-z-]+)`)?", text, re.MULTILINE))
    lists = {word for line in re.findall(r"^`.*$", text, re.MULTILINE) for word in re.findall(r"`([a-z-]+)`", line)}
    documented = {word for row in rows for word in row if word} | lists
    assert documented == {code.value for code in Code}


def test_the_top_help_names_every_command() -> None:
    assert all(name in top_help() for name in COMMANDS)
    assert all(len(line) <= 80 for line in top_help().splitlines())
