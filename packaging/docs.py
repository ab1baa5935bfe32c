"""Writes docs/commands.md and docs/lint.md from the program (--write), or fails if one is out of date (--check)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "commands.md"
BEGIN, END = "<!-- help: made by packaging/docs.py --write -->", "<!-- help end -->"
LINT_PAGE, ENTRIES = ROOT / "docs" / "lint.md", ROOT / "kubectl_netpol" / "render" / "lint.md"
ENTRIES_BEGIN = "<!-- entries: kubectl_netpol/render/lint.md, by packaging/docs.py --write -->"
CLUSTER_OPTIONS = "cluster options, as in kubectl:"


def help_of_all() -> str:
    """A section for each command; the options that all share stand once, at the end."""
    os.environ["COLUMNS"] = "100"
    sys.path.insert(0, str(ROOT))
    from kubectl_netpol.cli import COMMANDS, build_parser  # noqa: PLC0415 - of this checkout

    sections, shared = [], {}
    for name, summary in COMMANDS.items():
        before, heading, rest = build_parser(name).format_help().rstrip().partition(f"\n{CLUSTER_OPTIONS}\n")
        if heading:
            options, examples, rest = rest.partition("\n\nexamples:")
            shared[name] = options
            heading = f"\n{CLUSTER_OPTIONS} at the end of this page{examples}"
        sections.append(_section(name, summary, before + heading + rest))
    (options,) = set(shared.values())
    sections.append(_section("Cluster options", f"of {', '.join(shared)}", f"{CLUSTER_OPTIONS}\n{options}"))
    return "\n\n".join(sections)


def _section(title: str, summary: str, text: str) -> str:
    return f"## {title}\n\n{summary[:1].upper()}{summary[1:]}.\n\n```text\n{text}\n```"


def main(words: list[str]) -> int:
    if words not in (["--write"], ["--check"]):
        sys.stderr.write("usage: packaging/docs.py --write | --check\n")
        return 2
    before = [page.read_text(encoding="utf-8") for page in (PAGE, LINT_PAGE)]
    help_text = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{help_of_all()}\n\n{END}", before[0], flags=re.DOTALL)
    head = before[1].partition(ENTRIES_BEGIN)[0]
    after = [help_text, f"{head}{ENTRIES_BEGIN}\n\n{ENTRIES.read_text(encoding='utf-8')}"]
    if words == ["--check"]:
        return int(before != after)
    for page, text in zip((PAGE, LINT_PAGE), after, strict=True):
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
