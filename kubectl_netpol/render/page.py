"""A matrix as one HTML page that loads nothing: a picture of all workloads that can be searched."""

from __future__ import annotations

import html
import json
import pkgutil
import re
import shlex
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from kubectl_netpol.console import json_safe
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.matrix.patterns import Patterns
from kubectl_netpol.matrix.summary import MIXED, Cell, Summary
from kubectl_netpol.render.matrix import asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.matrix.grid import Grid
    from kubectl_netpol.render.matrix import Explainer

MOST_EXAMPLES = 5_000
Places = tuple[int, int]


class PageView(NamedTuple):
    """What the page shows at one time.

    `grids`: those that are summarized, one per port that destinations declare, or a single one. `examples`: of cells
    whose pods differ. `differences`: sentences on how the network differs, by cell.
    """

    title: str
    grids: Sequence[tuple[Grid, int]]
    summary: Summary
    examples: Mapping[Places, Mapping[str, Cell]]
    differences: Mapping[Places, Sequence[str]]


def matrix_page(views: Sequence[PageView], where: str, explainer: Explainer, *, one_namespace: bool) -> str:
    """The page. `where` is a phrase such as "namespace shop"."""
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
                "name": group.title,
                "pods": [explainer.reference(position) for position in range(group.first, group.last)],
                "port": _first_port(views[0], group.first),
            }
            for group in groups
        ],
        "views": [_view(view) for view in views],
    }
    text = json_safe(json.dumps(data, ensure_ascii=False, separators=(",", ":"))).replace("<", "\\u003c")
    return _resource("page.html").format(
        title=html.escape(title),
        about=html.escape(about),
        style=_resource("page.css"),
        script=_resource("page.js"),
        data=text,
    )


def _resource(name: str) -> str:
    # importlib.resources does the same, and takes 15 ms to import.
    return cast("bytes", pkgutil.get_data("kubectl_netpol.render", name)).decode()


def _first_port(view: PageView, position: int) -> tuple[str, int | str]:
    """(protocol, port) of the first grid that counts for the pod at this position."""
    for grid, counted in view.grids:
        if counted >> (len(grid.pods) - 1 - position) & 1:
            return grid.protocol, grid.port
    grid = view.grids[0][0]
    return grid.protocol, grid.port


def _view(view: PageView) -> dict[str, Any]:
    summary = view.summary
    letters = summary.letters()
    columns = set(asked(Patterns(summary).letters, len(letters)))
    return {
        "title": view.title,
        "port": [view.grids[0][0].protocol, view.grids[0][0].port] if len(view.grids) == 1 else None,
        "rows": letters,
        "asked": "".join("1" if place in columns else "0" for place in range(len(letters))),
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
    """The cells that need examples because their pods differ, at most MOST_EXAMPLES."""
    rows = enumerate(summary.letters())
    found = ((source, match.start()) for source, row in rows for match in re.finditer(MIXED, row))
    return list(islice(found, MOST_EXAMPLES))
