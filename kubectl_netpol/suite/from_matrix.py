"""A matrix as a suite: what the policies allow and block today, by workload, to be committed and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.manifests.reader import SUITE
from kubectl_netpol.matrix.summary import MIXED, summarize
from kubectl_netpol.suite.checks import Expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.matrix.grid import Grid
    from kubectl_netpol.matrix.summary import WorkloadSpan

_EXPECT = {"a": Expect.OPEN, "b": Expect.BLOCKED}
_WORDS = {Expect.OPEN: "reaches", Expect.BLOCKED: "does not reach"}


class Suite(NamedTuple):
    """The suite as an object, and the number of cells left out: `mixed`, whose pods differ, and `undefined`."""

    content: dict[str, Any]
    mixed: int = 0
    undefined: int = 0


def suite_of(grids: Sequence[tuple[Grid, int]], groups: tuple[WorkloadSpan, ...], namespace: str) -> Suite:
    """One check for each two workloads, protocol and verdict, in the order of the workloads.

    A workload that was not read, and so can't be looked up by its name, is written as its first pod.

    `namespace`: the one that all are in, "" for several. What is blocked over another protocol than TCP has no
    control.
    """
    ports: dict[tuple[int, int, str, Expect], list[int | str]] = {}
    left_out = {MIXED: 0, "u": 0}
    for grid, counted in grids:
        for source, letters in enumerate(summarize(((grid, counted),), groups).letters()):
            for destination, letter in enumerate(letters):
                if source == destination:
                    continue
                if expect := _EXPECT.get(letter):
                    ports.setdefault((source, destination, grid.protocol, expect), []).append(grid.port)
                elif letter in left_out:
                    left_out[letter] += 1
    sets = grids[0][0].sets
    known = {(workload.namespace, workload.kind, workload.name) for workload in sets.snapshot.workloads}
    titles = []
    for group in groups:
        typed = group.typed if group[:3] in known else f"pod/{sets.pods[group.first].name}"
        titles.append(typed if namespace else f"{group.namespace}/{typed}")
    checks = []
    for source, destination, protocol, expect in sorted(ports):
        by = "" if protocol == "TCP" else f" by {protocol}"
        found = ports[source, destination, protocol, expect]
        check = {
            "name": f"{titles[source]} {_WORDS[expect]} {titles[destination]}{by}",
            "from": titles[source],
            "to": titles[destination],
            "port": found[0] if len(found) == 1 else ",".join(map(str, found)),
            **({"protocol": protocol} if by else {}),
            "expect": expect.value,
        }
        checks.append({**check, "control": "none"} if by and expect is Expect.BLOCKED else check)
    defaults = {"defaults": {"namespace": namespace}} if namespace else {}
    content = {"apiVersion": SUITE[0], "kind": SUITE[1], **defaults, "checks": checks}
    return Suite(content, left_out[MIXED], left_out["u"])
