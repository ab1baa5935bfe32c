"""The checks of the shared sets as `matrix` and `explain` print them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.support.shared_sets import LETTERS, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.shared_sets import Check, Cluster


def wrong_in_print(
    program: Callable[..., Any], cluster: Cluster, folder: Path, *options: str, explain_all: bool = False
) -> list[Any]:
    """The cluster, the check, and what was printed, of every check that is printed wrong.

    Connections between two pods are read from `matrix -o json`, the others from `explain -o json`; with `explain_all`
    those between two pods from both.
    """
    manifest = folder / "cluster.json"
    manifest.write_text(cluster.manifest, encoding="utf-8")
    arguments = ["-o", "json", "-f", str(manifest), *options]
    between = [check for check in cluster.checks if check.between_pods]
    explained = cluster.checks if explain_all else [check for check in cluster.checks if not check.between_pods]
    found = [*_by_matrix(program, between, arguments), *_by_explain(program, explained, arguments)]
    assert len(found) == len(between) + len(explained), cluster.name
    return [(cluster.name, check, letter, reason) for check, letter, reason in found if letter != check.letter]


def _by_matrix(
    program: Callable[..., Any], checks: list[Check], arguments: list[str]
) -> Iterator[tuple[Check, str, str]]:
    if not checks:
        return
    ports = ",".join(dict.fromkeys(f"{check.port}/{check.protocol}" for check in checks))
    letters = {}
    for grid in _printed(program, "matrix", "-A", "--port", ports, *arguments):
        for source, row in zip(grid["sources"], grid["verdicts"], strict=True):
            for destination, letter in zip(grid["destinations"], row, strict=True):
                letters[source, destination, grid["protocol"], grid["port"]] = letter
    for check in checks:
        yield check, letters[check[:4]], "matrix"


def _by_explain(
    program: Callable[..., Any], checks: list[Check], arguments: list[str]
) -> Iterator[tuple[Check, str, str]]:
    by_ends: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in checks:
        by_ends[check.source, check.destination].append(check)
    for ends, asked in by_ends.items():
        ports = ",".join(f"{check.port}/{check.protocol}" for check in asked)
        verdicts = _printed(program, "explain", *map(typed, ends), ports, *arguments)
        for check, verdict in zip(asked, verdicts, strict=True):
            yield check, LETTERS[verdict["verdict"]], verdict["reason"]


def _printed(program: Callable[..., Any], *arguments: str) -> list[Any]:
    ran = program(*arguments)
    assert ran.out, (arguments, ran.err)
    found = json.loads(ran.out)
    return list(found["items"]) if found["kind"].endswith("List") else [found]
