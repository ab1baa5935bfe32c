"""A matrix as one HTML page that needs nothing else: a picture of workloads to look at and to search."""

from __future__ import annotations

import html
import json
import shlex
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.engine.phrases import count
from kubectl_netpol.matrix.summary import MIXED, Cell, Summary
from kubectl_netpol.render.page_script import SCRIPT
from kubectl_netpol.render.page_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.matrix.grid import Grid
    from kubectl_netpol.render.matrix import Explainer

_ASKED = {"a", "b", "u", MIXED}


MOST_EXAMPLES = 5_000


Places = tuple[int, int]


class PageView(NamedTuple):
    """What the page shows at a time. `grids`: those summarized; one, or that of each port that destinations declare.

    `examples`: of cells whose pods differ. `differences`: sentences about the network, by cell.
    """

    title: str
    grids: Sequence[tuple[Grid, int]]
    summary: Summary
    examples: Mapping[Places, Mapping[str, Cell]]
    differences: Mapping[Places, Sequence[str]]


def matrix_page(views: Sequence[PageView], where: str, explainer: Explainer, *, one_namespace: bool) -> str:
    """The page. `where` as in "namespace shop"."""
    groups = views[0].summary.groups
    pods = groups[-1].last
    title = f"Who reaches whom: {where}"
    about = f"{count(len(groups), 'workload')}, {count(pods, 'pod')}; what the NetworkPolicies say"
    differences = len({place for view in views for place in view.differences})
    data = {
        "options": "".join(f" {shlex.quote(word)}" for word in explainer.tail("TCP")),
        "oneNamespace": one_namespace,
        "differences": differences,
        "groups": [
            {
                "ns": group.namespace,
                "kind": group.kind,
                "name": group.name,
                "pods": [explainer.reference(position) for position in range(group.first, group.last)],
                "port": _first_port(views[0], group.first),
            }
            for group in groups
        ],
        "views": [_view(view) for view in views],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.format(title=html.escape(title), about=html.escape(about), style=STYLE, script=SCRIPT, data=text)


def _first_port(view: PageView, position: int) -> tuple[str, int | str]:
    """(protocol, port) of the first grid that counts for this destination."""
    for grid, counted in view.grids:
        if counted >> (len(grid.pods) - 1 - position) & 1:
            return grid.protocol, grid.port
    grid = view.grids[0][0]
    return grid.protocol, grid.port


def _view(view: PageView) -> dict[str, Any]:
    summary = view.summary
    letters = summary.letters()
    return {
        "title": view.title,
        "port": [view.grids[0][0].protocol, view.grids[0][0].port] if len(view.grids) == 1 else None,
        "rows": letters,
        "asked": "".join(
            "1" if set(column) & _ASKED or len(column) == 1 else "0" for column in zip(*letters, strict=True)
        ),
        "examples": {
            f"{source},{destination}": {
                letter: (
                    cell.source - summary.groups[source].first,
                    cell.destination - summary.groups[destination].first,
                    cell.protocol,
                    cell.port,
                )
                for letter, cell in found.items()
                if letter != "-"
            }
            for (source, destination), found in view.examples.items()
        },
        "differs": {f"{source},{destination}": texts for (source, destination), texts in view.differences.items()},
    }


def mixed_cells(summary: Summary) -> list[Places]:
    """The cells whose pods differ, which need examples: as many as a page should hold."""
    rows = enumerate(summary.letters())
    found = ((source, there) for source, row in rows for there, letter in enumerate(row) if letter == MIXED)
    return list(islice(found, MOST_EXAMPLES))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="quiet">{about}. Choose a cell to see the command that explains it; arrow keys move, / searches.</p>
<ul class="legend" id="legend"></ul>
<div class="tools">
<label>Port <select id="port"></select></label>
<label>From <input id="from" type="search" placeholder="any source" autocomplete="off" spellcheck="false"></label>
<label>To <input id="to" type="search" placeholder="any destination" autocomplete="off" spellcheck="false"></label>
<label>Only with cells that are <select id="only"><option value="">anything</option><option value="a">allowed</option>
<option value="b">blocked</option><option value="~">mixed</option>
<option value="u">undefined</option></select></label>
<button type="button" id="fold">Fold to namespaces</button>
</div>
</header>
<main id="grid" tabindex="-1"><noscript><p>The picture is drawn by a script in this page.</p></noscript></main>
<aside><section id="detail" aria-live="polite"><p class="quiet">No cell chosen.</p></section>
<section id="summary"></section></aside>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""
