"""Writes the help of every command into README.md; with --check, only compares."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- options -->", "<!-- options end -->"


def options() -> str:
    os.environ["COLUMNS"] = "100"
    sys.path.insert(0, str(ROOT))
    from kubectl_netpol.cli import COMMANDS, build_parser  # noqa: PLC0415 - of this checkout

    parts = []
    for name, summary in COMMANDS.items():
        text = build_parser(name).format_help().rstrip()
        parts.append(f"### {name}: {summary}\n\n```text\n{text}\n```")
    return "\n\n".join(parts)


def refreshed(readme: str) -> str:
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n\n{options()}\n\n{END}", readme, flags=re.DOTALL)


def main() -> int:
    before = README.read_text(encoding="utf-8")
    after = refreshed(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
