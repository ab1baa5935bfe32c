"""Print the verdict of the NetworkPolicies for every pair of pods in a namespace or a cluster.

Text is by workload, -o wide by pod, -o json every pair of pods, -o html one page to look at and to search, -o suite
the checks for `test -F` that today's policies pass. Without --port each destination is checked on the ports that it
declares. --probe compares them with the network, and the exit status is 1 where any differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_probe_options,
    add_verbose_option,
    cluster_options,
    probe_options,
)
from kubectl_netpol.engine.layers import beside
from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.manifests.writer import to_yaml
from kubectl_netpol.matrix.grid import Grid, declared_ports
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import examples, group_by_pod, group_by_workload, summarize
from kubectl_netpol.model.kinds import KINDS, WORKLOADS
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.model.snapshot import Scope
from kubectl_netpol.render.matrix import (
    Explainer,
    Heading,
    cells_text,
    difference_text,
    matrix_text,
    network_text,
)
from kubectl_netpol.render.matrix_json import matrix_json, network_fields
from kubectl_netpol.render.text import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.console import Console
    from kubectl_netpol.matrix.compared import Compared
    from kubectl_netpol.matrix.summary import WorkloadSpan
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol matrix                          the namespace, on the ports that its pods declare
  kubectl netpol matrix -A --port 80 -o json     every pair of pods of the cluster
  kubectl netpol matrix --port http -o wide      by pod
  kubectl netpol matrix -A -o html >matrix.html  a page to look at
  kubectl netpol matrix -o suite >suite.yaml     today's state, for kubectl netpol test -F suite.yaml
  kubectl netpol matrix -f manifests/ -A         without a cluster
  kubectl netpol matrix --probe                  does the network do what the policies say?"""


class _Matrix(NamedTuple):
    """What the matrix is about. A grid counts for the destinations in its set (all where --port was given).

    `place` as in "namespace shop"; `namespace` is the one whose names are shown short, "" for none; `by_port`: --port.
    """

    sets: PodSets
    groups: tuple[WorkloadSpan, ...]
    grids: tuple[tuple[Grid, int], ...]
    place: str
    namespace: str
    by_port: bool
    explainer: Explainer
    compared: tuple[Compared, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="every namespace")
    parser.add_argument(
        "--port",
        metavar="PORT",
        help="80, 80/UDP, 80,443, 8000-8080 or a name (default: the ports that each destination declares)",
    )
    parser.add_argument("--protocol", metavar="NAME", help="TCP (default with --port), UDP or SCTP")
    parser.add_argument("--probe", action="store_true", help="also try every pair, by exec in the source pods")
    add_probe_options(parser)
    add_filename_option(parser)
    add_output_option(parser, ("json", "wide", "html", "suite"))
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0; with --probe 1 if the network differs from the policies, 2 if nothing could be compared."""
    protocol = None if arguments.protocol is None else parse_protocol(arguments.protocol)
    ports = () if arguments.port is None else single_ports(parse_ports(arguments.port, protocol or "TCP"))
    if arguments.all_namespaces and arguments.namespace:
        raise UsageError("-A and -n can't be combined", "-A is every namespace")
    if arguments.probe and arguments.output == "suite":
        raise UsageError("--probe and -o suite can't be combined", "kubectl netpol test -F probes what the suite says")
    cluster, probe = cluster_options(arguments), probe_options(arguments)
    inputs = open_inputs(cluster, arguments.filenames, console)
    # What `explain` needs to look at the same.
    where = [option for filename in arguments.filenames for option in ("-f", filename)] + cluster.arguments()
    snapshot = _read(inputs, everywhere=arguments.all_namespaces, workloads=arguments.output == "suite")
    matrix = _matrix(inputs, snapshot, ports, protocol, where, all_namespaces=arguments.all_namespaces)
    unread = snapshot.unread("pods", None if arguments.all_namespaces else inputs.namespace)
    console.warnings([f"left out: {message}" for message in unread], verbose=arguments.verbose)
    if arguments.probe:
        from kubectl_netpol.commands.common.matrix_probe import probe_matrix  # noqa: PLC0415 - only for a cluster

        compared = probe_matrix(inputs, matrix.sets, matrix.grids, matrix.explainer, cluster=cluster, options=probe)
        matrix = matrix._replace(compared=tuple(compared))
        messages = dict.fromkeys(message for pair in compared for message in pair.result.warnings)
        console.warnings(messages, verbose=arguments.verbose)
    _print(matrix, console, output=arguments.output, probed=arguments.probe, verbose=arguments.verbose)
    return _status(matrix.compared, probed=arguments.probe)


def _print(matrix: _Matrix, console: Console, *, output: str | None, probed: bool, verbose: bool) -> None:
    if output == "json":
        grids = [grid for grid, _ in matrix.grids]
        extra = (lambda grid: network_fields(grid, matrix.compared)) if probed else (lambda _: ())
        for piece in matrix_json(grids, as_list=not matrix.by_port or len(grids) != 1, extra=extra):
            console.piece(piece)
    elif output == "html":
        console.data(_page(matrix))
    elif output == "suite":
        console.data(_suite(matrix, console))
    else:
        _print_text(matrix, console, wide=output == "wide", verbose=verbose)
        if probed:
            console.data(network_text(matrix.compared, Names(matrix.namespace), console))
        elif not verbose:
            console.data("why: kubectl netpol explain SOURCE DESTINATION PORT (-v: a command per cell)")


def _status(compared: Sequence[Compared], *, probed: bool) -> int:
    """1 where network and policies differ, 2 where nothing could be compared, else 0."""
    if any(pair.differs for pair in compared):
        return 1
    return 0 if not probed or any(pair.result.finding.agrees for pair in compared) else 2


def _matrix(
    inputs: Inputs,
    snapshot: Snapshot,
    ports: Sequence[SinglePort],
    protocol: str | None,
    where: Sequence[str],
    *,
    all_namespaces: bool,
) -> _Matrix:
    namespace = None if all_namespaces else inputs.namespace
    if (gap := snapshot.gap("pods", namespace)) and not gap.name:
        raise NetpolError(gap.message, f"kubectl auth can-i list pods {f'-n {namespace}' if namespace else '-A'}")
    found = snapshot.pods if namespace is None else snapshot.pods_in(namespace)
    finished = sum(pod.finished for pod in found)
    pods, groups = group_by_workload(snapshot, (pod for pod in found if not pod.finished))
    if finished:
        inputs.console.note(f"{count(finished, 'finished pod')} left out")
    if not pods:
        place = "the cluster" if namespace is None else f"namespace {namespace}"
        elsewhere = sorted({pod.namespace for pod in snapshot.pods})
        raise NetpolError(
            f"no pods in {place}", f"there are pods in {names_text(elsewhere)} (-n, -A)" if elsewhere else None
        )
    for note in beside(snapshot, pods, Direction.INGRESS):
        inputs.console.note(note.message)
    sets = PodSets(snapshot, pods)
    return _Matrix(
        sets,
        groups,
        _grids(sets, ports, protocol),
        place="all namespaces" if namespace is None else f"namespace {namespace}",
        namespace=namespace or "",
        by_port=bool(ports),
        explainer=Explainer(sets.pods, groups, where),
    )


def _grids(sets: PodSets, ports: Sequence[SinglePort], protocol: str | None) -> tuple[tuple[Grid, int], ...]:
    if ports:
        return tuple((Grid(sets, port.protocol, port.port), sets.all) for port in ports)
    declared = declared_ports(sets.pods, protocol)
    if not declared:
        raise NetpolError("no pod declares a port", "add --port 80")
    declaring: dict[tuple[str, int], list[int]] = {}
    for place, pod in enumerate(sets.pods):
        for pair in dict.fromkeys((port.protocol, port.number) for port in pod.ports):
            declaring.setdefault(pair, []).append(place)
    return tuple((Grid(sets, *pair), sets.of(declaring[pair])) for pair in declared)


def _read(inputs: Inputs, *, everywhere: bool, workloads: bool) -> Snapshot:
    wide = frozenset({"pods", "networkpolicies"}) if everywhere else frozenset()
    if everywhere and workloads:
        wide |= {KINDS[kind].resource for kind in WORKLOADS}
    return inputs.read(Scope(frozenset({inputs.namespace}), wide, workloads=workloads, endpoints=False))


def _suite(matrix: _Matrix, console: Console) -> str:
    """The suite that the policies of today pass. What a check can't say is left out, with a note."""
    from kubectl_netpol.suite.from_matrix import suite_of  # noqa: PLC0415 - only for -o suite

    found = suite_of(matrix.grids, matrix.groups, matrix.namespace)
    if found.mixed:
        console.note(f"{count(found.mixed, 'cell')} left out: their pods differ (kubectl netpol matrix -o wide)")
    if found.undefined:
        console.note(f"{count(found.undefined, 'cell')} left out: the verdict is undefined")
    if not found.content["checks"]:
        raise NetpolError("nothing to check: there are no two workloads with a verdict", "kubectl netpol matrix")
    return to_yaml([found.content])


def _print_text(matrix: _Matrix, console: Console, *, wide: bool, verbose: bool) -> None:
    groups = group_by_pod(matrix.sets.pods) if wide else matrix.groups
    parts = [((grid, counted),) for grid, counted in matrix.grids] if matrix.by_port else [matrix.grids]
    for number, part in enumerate(parts):
        if number:
            console.data("")
        grid = part[0][0]
        ports = f"{grid.protocol} {grid.port}" if matrix.by_port else "each destination on the ports it declares"
        summary = summarize(part, groups)
        heading = Heading(ports, matrix.place, "pod" if wide else "workload")
        marked = set(_by_cell(part, groups, matrix.compared))
        names = Names(matrix.namespace)
        console.data(matrix_text(summary, heading, names, console, marked=marked, verbose=verbose))
        if verbose:
            everything = [(here, there) for here in range(len(groups)) for there in range(len(groups))]
            console.data("\n" + cells_text(summary, examples(part, summary, everything), matrix.explainer))


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


def _page(matrix: _Matrix) -> str:
    from kubectl_netpol.render.page import PageView, matrix_page, mixed_cells  # noqa: PLC0415 - its parts are large

    parts = []
    if not matrix.by_port and len(matrix.grids) > 1:
        parts.append(("each on the ports it declares", matrix.grids))
    parts += [(f"{grid.protocol} {grid.port}", ((grid, matrix.sets.all),)) for grid, _ in matrix.grids]
    views = []
    for title, part in parts:
        summary = summarize(part, matrix.groups)
        differences = {
            place: [difference_text(pair, Names(matrix.namespace)) for pair in pairs]
            for place, pairs in _by_cell(part, matrix.groups, matrix.compared).items()
        }
        views.append(PageView(title, part, summary, examples(part, summary, mixed_cells(summary)), differences))
    return matrix_page(views, matrix.place, matrix.explainer, one_namespace=bool(matrix.namespace))
