"""Who reaches whom: the verdict of the NetworkPolicies for every pair in a namespace or a cluster.

Text is by workload, -o wide by pod, -o json every pair of pods, -o html one page to look at and to search. Without
--port each destination is asked about on the ports that it declares. --probe compares them with the network, and the
exit status is 1 where any differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.commands.common.inputs import Inputs, open_inputs
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    cluster_words,
)
from kubectl_netpol.engine.phrases import count, some
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.matrix.grid import Grid, declared_ports
from kubectl_netpol.matrix.sets import PodSets
from kubectl_netpol.matrix.summary import WorkloadSpan, each_pod, examples, in_order, summarize
from kubectl_netpol.model.ports import parse_ports, parse_protocol
from kubectl_netpol.render.matrix import Explainer, Heading, cells_text, difference_text, matrix_text, network_text
from kubectl_netpol.render.matrix_json import matrix_json, network_fields
from kubectl_netpol.render.text import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol matrix                          the namespace, on the ports that its pods declare
  kubectl netpol matrix -A --port 80 -o json     every pair of pods of the cluster
  kubectl netpol matrix --port http -o wide      by pod
  kubectl netpol matrix -A -o html >matrix.html  a page to look at
  kubectl netpol matrix -f manifests/ -A         without a cluster
  kubectl netpol matrix --probe                  does the network do what the policies say?"""


MOST_PAIRS = 100


class Asked(NamedTuple):
    """What the matrix is about. A grid counts for the destinations in its set (all where --port was given)."""

    snapshot: Snapshot
    sets: PodSets
    groups: tuple[WorkloadSpan, ...]
    grids: tuple[tuple[Grid, int], ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="every namespace")
    parser.add_argument(
        "--port", metavar="PORT", help="a number, a port name, or several (default: what the destinations declare)"
    )
    parser.add_argument("--protocol", metavar="NAME", help="TCP (default with --port), UDP or SCTP")
    parser.add_argument("--probe", action="store_true", help="also try every pair, by exec in the source pods")
    parser.add_argument(
        "--max", type=int, default=MOST_PAIRS, metavar="NUMBER", help=f"the most pairs to probe (default {MOST_PAIRS})"
    )
    parser.add_argument(
        "--timeout", default="3s", metavar="TIME", help="the longest wait for each connect of a probe (default 3s)"
    )
    parser.set_defaults(container=None, http=False, debug_image=None)
    add_filename_option(parser)
    add_output_option(parser, ("json", "wide", "html"))
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the matrix; returns 0, with --probe 1 where the network differs from the policies."""
    protocol = parse_protocol(arguments.protocol) if arguments.protocol else None
    ports = parse_ports(arguments.port) if arguments.port else ()
    if arguments.all_namespaces and arguments.namespace:
        raise UsageError("-A and -n are both given", "-A is every namespace")
    world = open_inputs(arguments, console)
    asked = _ask(arguments, world, ports, protocol, console)
    explainer = Explainer(asked.sets.pods, asked.groups, _where(arguments))
    compared: list[Compared] = []
    if arguments.probe:
        from kubectl_netpol.commands.common.matrix_probe import probe_matrix  # noqa: PLC0415 - only for a cluster

        compared = probe_matrix(arguments, world, asked.sets, asked.grids, explainer)
        for message in dict.fromkeys(message for pair in compared for message in pair.result.warnings):
            console.warning(message)
    if arguments.output == "json":
        grids = [grid for grid, _ in asked.grids]
        extra = (lambda grid: network_fields(grid, compared)) if arguments.probe else (lambda _: ())
        for piece in matrix_json(grids, as_list=len(ports) != 1, extra=extra):
            console.piece(piece)
    elif arguments.output == "html":
        console.data(_page(arguments, world, asked, explainer, compared))
    else:
        _print_text(arguments, world, asked, console, explainer=explainer, compared=compared)
    return _status(compared, probed=arguments.probe)


def _status(compared: Sequence[Compared], *, probed: bool) -> int:
    """1 where network and policies differ, 2 where nothing could be compared, else 0."""
    if any(pair.differs for pair in compared):
        return 1
    return 0 if not probed or any(pair.result.finding.agrees for pair in compared) else 2


def _ask(
    arguments: argparse.Namespace,
    world: Inputs,
    ports: Sequence[int | str],
    protocol: str | None,
    console: Console,
) -> Asked:
    snapshot = _read(world, everywhere=arguments.all_namespaces)
    namespace = None if arguments.all_namespaces else world.namespace
    if gap := snapshot.gap("pods", namespace):
        raise NetpolError(gap.message, f"kubectl auth can-i list pods {f'-n {namespace}' if namespace else '-A'}")
    found = snapshot.pods if namespace is None else snapshot.pods_in(namespace)
    finished = sum(pod.finished for pod in found)
    pods, groups = in_order(snapshot, (pod for pod in found if not pod.finished))
    if finished:
        console.note(f"{count(finished, 'finished pod')} left out")
    if not pods:
        where = "the cluster" if namespace is None else f"namespace {namespace}"
        elsewhere = sorted({pod.namespace for pod in snapshot.pods})
        raise NetpolError(f"no pods in {where}", f"there are some in {some(elsewhere)} (-n, -A)" if elsewhere else None)
    sets = PodSets(snapshot, pods)
    if ports:
        grids = tuple((Grid(sets, protocol or "TCP", port), sets.all) for port in ports)
    else:
        declared = declared_ports(pods, protocol)
        if not declared:
            raise NetpolError("no pod declares a port", "say which: --port 80")
        grids = tuple((Grid(sets, *pair), _declaring(sets, pair)) for pair in declared)
    return Asked(snapshot, sets, groups, grids)


def _declaring(sets: PodSets, pair: tuple[str, int]) -> int:
    """The pods that declare this (protocol, number)."""
    return sets.of(
        place for place, pod in enumerate(sets.pods) if any((port.protocol, port.number) == pair for port in pod.ports)
    )


def _read(world: Inputs, *, everywhere: bool) -> Snapshot:
    from kubectl_netpol.cluster.reader import Scope  # noqa: PLC0415 - only for a cluster

    wide = frozenset({"pods", "networkpolicies"}) if everywhere else frozenset()
    return world.read(Scope(frozenset({world.namespace}), wide, endpoints=False))


def _print_text(
    arguments: argparse.Namespace,
    world: Inputs,
    asked: Asked,
    console: Console,
    *,
    explainer: Explainer,
    compared: Sequence[Compared],
) -> None:
    wide = arguments.output == "wide"
    groups = each_pod(asked.sets.pods) if wide else asked.groups
    names = Names("" if arguments.all_namespaces else world.namespace)
    where = _place(arguments, world)
    parts = [((grid, counted),) for grid, counted in asked.grids] if arguments.port else [asked.grids]
    for number, part in enumerate(parts):
        if number:
            console.data("")
        grid = part[0][0]
        ports = f"{grid.protocol} {grid.port}" if arguments.port else "each destination on the ports it declares"
        summary = summarize(part, groups)
        heading = Heading(ports, where, "pod" if wide else "workload")
        marked = set(_by_cell(part, groups, compared))
        console.data(matrix_text(summary, heading, names, console, marked=marked, verbose=arguments.verbose))
        if arguments.verbose:
            everything = [(here, there) for here in range(len(groups)) for there in range(len(groups))]
            console.data("\n" + cells_text(summary, examples(part, summary, everything), explainer))
    if arguments.probe:
        console.data(network_text(compared, names, console))
    elif not arguments.verbose:
        console.data("why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command a cell)")


def _by_cell(
    part: Sequence[tuple[Grid, int]], groups: Sequence[WorkloadSpan], compared: Sequence[Compared]
) -> dict[tuple[int, int], list[Compared]]:
    """The pairs that differ from the network, by the cell of their groups."""
    place_of = [place for place, group in enumerate(groups) for _ in range(group.size)]
    ports = {(grid.protocol, grid.port) for grid, _ in part}
    found: dict[tuple[int, int], list[Compared]] = {}
    for pair in compared:
        if pair.differs and (pair.cell.protocol, pair.cell.port) in ports:
            found.setdefault((place_of[pair.cell.source], place_of[pair.cell.destination]), []).append(pair)
    return found


def _page(
    arguments: argparse.Namespace, world: Inputs, asked: Asked, explainer: Explainer, compared: Sequence[Compared]
) -> str:
    from kubectl_netpol.render.page import PageView, matrix_page, mixed_cells  # noqa: PLC0415 - the page's parts are large

    parts = [("each on the ports it declares", asked.grids)] if not arguments.port and len(asked.grids) > 1 else []
    parts += [(f"{grid.protocol} {grid.port}", ((grid, asked.sets.all),)) for grid, _ in asked.grids]
    names = Names("" if arguments.all_namespaces else world.namespace)
    views = []
    for title, part in parts:
        summary = summarize(part, asked.groups)
        differences = {
            place: [difference_text(pair, names) for pair in pairs]
            for place, pairs in _by_cell(part, asked.groups, compared).items()
        }
        views.append(PageView(title, part, summary, examples(part, summary, mixed_cells(summary)), differences))
    return matrix_page(views, _place(arguments, world), explainer, one_namespace=not arguments.all_namespaces)


def _place(arguments: argparse.Namespace, world: Inputs) -> str:
    return "all namespaces" if arguments.all_namespaces else f"namespace {world.namespace}"


def _where(arguments: argparse.Namespace) -> list[str]:
    """The options that `explain` needs to look at the same."""
    files = [word for filename in arguments.filenames for word in ("-f", filename)]
    return files + cluster_words(arguments)
