"""The entry of each of lint's numbers: what it is, why it bites, a bad and a good manifest."""

from __future__ import annotations

import pkgutil
import re
from functools import lru_cache
from typing import NamedTuple, cast


class Page(NamedTuple):
    """`text`: the whole entry as Markdown, without its heading. `summary`: its first sentence. `bad`, `good`: YAML."""

    summary: str
    text: str
    bad: str
    good: str


def page_of(number: str) -> Page:
    return _pages()[number]


@lru_cache(maxsize=1)
def _pages() -> dict[str, Page]:
    # importlib.resources does the same, and takes 15 ms to import.
    text = cast("bytes", pkgutil.get_data("kubectl_netpol.render", "lint.md")).decode()
    entries = re.split(r"^## (NP\d{3}) .*\n", text, flags=re.MULTILINE)[1:]
    return {number: _page(entry) for number, entry in zip(entries[::2], entries[1::2], strict=True)}


def _page(entry: str) -> Page:
    bad, good = re.findall(r"```yaml\n(.*?)```", entry, re.DOTALL)
    return Page(entry.strip().partition("\n\n")[0].replace("\n", " "), entry.strip() + "\n", bad, good)
