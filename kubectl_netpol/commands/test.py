"""Is it open? Probe from the source pod, by exec and with a timeout, and compare with the NetworkPolicies.

SOURCE is a pod or a workload; DESTINATION a Service, pod, workload, address or host name; PORT a number, a port
name, or several (80,443, 8000-8003, 53/UDP); none: all that the destination declares. Exit status: 0 open, 1 refused,
timed out or unreachable, 2 can't tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from kubectl_netpol.commands.common.questions import ask, ask_selected, refuse_too_many
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, predicted
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.render.json_objects import kind, result_object, serialize
from kubectl_netpol.render.probe_result import result_text, results_table
from kubectl_netpol.render.text import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol test san nginx 80                    is nginx open to san?
  kubectl netpol test san nginx                       every port that nginx declares
  kubectl netpol test deploy/web db 5432,9187 -n shop  two ports of Service db
  kubectl netpol test san kube-system/kube-dns 53/UDP
  kubectl netpol test --from-selector app=web --to-selector app=db 5432
  kubectl netpol test san nginx 80 --expect blocked   exit 0 where it is blocked
  kubectl netpol test san nginx 80 -f manifests/      only what the policies say
  kubectl netpol test --enforcement                   does this cluster enforce anything?"""
_UNKNOWN = 2
_ENDS = 2
_EXPECTED = {"open": True, "blocked": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="SOURCE DESTINATION PORT",
        help="NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address",
    )
    parser.add_argument(
        "--protocol", default="TCP", metavar="NAME", help="TCP (default), UDP or SCTP (SCTP is only predicted)"
    )
    parser.add_argument("-c", "--container", metavar="NAME", help="the container to probe from")
    parser.add_argument(
        "--http", action="store_true", help="send an HTTP request, by curl or wget, instead of a bare connect"
    )
    parser.add_argument(
        "--debug-image",
        metavar="IMAGE",
        help="add an ephemeral container of this image to the source pod, and probe from it (it stays on the pod)",
    )
    parser.add_argument(
        "--from-selector", metavar="SELECTOR", help="use every running pod of the namespace that it selects as a source"
    )
    parser.add_argument(
        "--to-selector",
        metavar="SELECTOR",
        help="use every running pod of the namespace that it selects as a destination",
    )
    add_probe_options(parser)
    parser.add_argument(
        "--expect",
        choices=tuple(_EXPECTED),
        metavar="open|blocked",
        help="exit 0 if it is so, 1 if not, 2 if unknown",
    )
    parser.add_argument(
        "--enforcement",
        action="store_true",
        help="whether this cluster enforces policies at all, and how to try it: exit 0 yes, 1 no, 2 can't tell",
    )
    add_filename_option(parser)
    add_output_option(parser)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Probe and compare; the exit status is the worst of all pairs."""
    if arguments.enforcement:
        if arguments.names or arguments.filenames:
            hint = "kubectl netpol test --enforcement"
            raise UsageError("--enforcement is about a cluster, without names and -f", hint)
        return _enforcement(cluster_options(arguments), arguments.output, console)
    selectors = arguments.from_selector, arguments.to_selector
    names, ports = _typed(arguments.names, selectors, parse_protocol(arguments.protocol))
    probe = probe_options(arguments)._replace(
        container=arguments.container, http=arguments.http, debug_image=arguments.debug_image
    )
    cluster = cluster_options(arguments)
    inputs = open_inputs(cluster, arguments.filenames, console)
    if inputs.api:
        inputs.api.prepare()
    snapshot, predictions = _ask(inputs, names, selectors, ports)
    refuse_too_many(len(predictions), probe.most_pairs)
    results = _results(inputs, snapshot, predictions, cluster=cluster, probe=probe)
    _print(results, Names(inputs.namespace), console, output=arguments.output, verbose=arguments.verbose)
    return _status(results, arguments.expect)


def _enforcement(cluster: ClusterOptions, output: str | None, console: Console) -> int:
    """0 the cluster enforces NetworkPolicies, 1 it does not, 2 can't tell."""
    from kubectl_netpol.commands.common.enforcement import read_enforcement  # noqa: PLC0415 - only for this
    from kubectl_netpol.render.enforcement import enforcement_object, enforcement_text  # noqa: PLC0415 - the same

    inputs = open_inputs(cluster, (), console)
    assert inputs.api is not None  # noqa: S101 - without files it is a cluster
    with console.progress("reading the cluster"):
        found = read_enforcement(inputs.api)
    if output:
        console.data(serialize(enforcement_object(found), output))
    else:
        console.data(enforcement_text(found, console))
    return _UNKNOWN if found.enforced is None else int(not found.enforced)


def _typed(
    typed: Sequence[str], selectors: tuple[str | None, str | None], protocol: str
) -> tuple[Sequence[str], Sequence[SinglePort]]:
    """The names typed, as many as the selectors leave open, and the ports; none where only two names were typed."""
    if len(typed) == _ENDS and selectors == (None, None):
        return typed, ()
    wanted = [name for name, selector in zip(("SOURCE", "DESTINATION"), selectors, strict=True) if selector is None]
    wanted.append("PORT")
    if len(typed) != len(wanted):
        raise UsageError(
            f"expected {' '.join(wanted)}, got {count(len(typed), 'argument')}", "kubectl netpol test san nginx 80"
        )
    *names, port = typed
    return names, single_ports(parse_ports(port, protocol))


def _ask(
    inputs: Inputs,
    names: Sequence[str],
    selectors: tuple[str | None, str | None],
    ports: Sequence[SinglePort],
) -> tuple[Snapshot, list[Prediction]]:
    if selectors == (None, None):
        source, destination = names
        return ask(inputs, source, destination, ports)
    remaining = iter(names)
    ends = tuple(next(remaining) if selector is None else None for selector in selectors)
    return ask_selected(inputs, (ends[0], ends[1]), selectors, ports)


def _results(
    inputs: Inputs,
    snapshot: Snapshot,
    predictions: Sequence[Prediction],
    *,
    cluster: ClusterOptions,
    probe: ProbeOptions,
) -> list[ConnectionResult]:
    if inputs.api is None:
        inputs.console.note("nothing was probed: this is what the policies in the manifests say")
        return [ConnectionResult(prediction, predicted(prediction)) for prediction in predictions]
    from kubectl_netpol.commands.common.prober import Prober  # noqa: PLC0415 - not for manifests

    prober = Prober(inputs.api, snapshot, namespace=inputs.namespace, cluster=cluster, options=probe)
    with inputs.console.progress(f"probing {count(len(predictions), 'connection')}"):
        return prober.results(predictions)


def _print(
    results: list[ConnectionResult], names: Names, console: Console, *, output: str | None, verbose: bool
) -> None:
    if output:
        items = [result_object(result) for result in results]
        content = items[0] if len(items) == 1 else kind("TestResultList", {"items": items})
        console.data(serialize(content, output))
    elif len(results) == 1:
        console.data(result_text(results[0], names, console, verbose=verbose))
    else:
        console.data(results_table(results, names, console))
    for message in dict.fromkeys(message for result in results for message in result.warnings):
        console.warning(message)


def _status(results: list[ConnectionResult], expected: str | None) -> int:
    """0 open, 1 not, 2 can't tell, of several the worst; with --expect 0 met, 1 not met, 2 can't tell."""
    statuses = []
    for result in results:
        reachable = result.finding.reachable
        if result.finding.code is Code.PREDICTED:
            reachable = {Verdict.ALLOWED: True, Verdict.BLOCKED: False}.get(result.prediction.verdict)
        wanted = _EXPECTED[expected] if expected else True
        statuses.append(_UNKNOWN if reachable is None else int(reachable is not wanted))
    return max(statuses)
