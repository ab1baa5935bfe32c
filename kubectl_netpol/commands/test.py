"""Is it open? Probe from the source pod, by exec and with a timeout, and compare with the NetworkPolicies.

SOURCE is a pod or a workload; DESTINATION a Service, pod, workload, address or host name; PORT a number, a port
name, or several (80,443, 8000-8003, 53/UDP). Exit status: 0 open, 1 refused, timed out or unreachable, 2 can't tell.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.findings import messages, warn
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
from kubectl_netpol.lint.nearby import policies_that_would_open
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
  kubectl netpol test deploy/web db 5432,9187 -n shop  two ports of Service db
  kubectl netpol test san kube-system/kube-dns 53/UDP
  kubectl netpol test --from-selector app=web --to-selector app=db 5432
  kubectl netpol test san nginx 80 --expect blocked   exit 0 where it is blocked
  kubectl netpol test san nginx 80 -f manifests/      only what the policies say"""
_UNKNOWN = 2
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
    add_filename_option(parser)
    add_output_option(parser)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Probe and compare; the exit status is the worst of all pairs."""
    selectors = arguments.from_selector, arguments.to_selector
    *names, port = _names(arguments.names, selectors)
    ports = single_ports(parse_ports(port, parse_protocol(arguments.protocol)))
    probe = probe_options(arguments)._replace(
        container=arguments.container, http=arguments.http, debug_image=arguments.debug_image
    )
    cluster = cluster_options(arguments)
    inputs = open_inputs(cluster, arguments.filenames, console)
    snapshot, predictions = _ask(inputs, names, selectors, ports)
    refuse_too_many(len(predictions), probe.most_pairs)
    results = _results(inputs, snapshot, predictions, cluster=cluster, probe=probe)
    nearby = [policies_that_would_open(snapshot, result.prediction) for result in results]
    if arguments.output:
        results = [
            result._replace(warnings=(*result.warnings, *messages(found)))
            for result, found in zip(results, nearby, strict=True)
        ]
    _print(results, Names(inputs.namespace), console, output=arguments.output, verbose=arguments.verbose)
    if not arguments.output:
        warn((), chain(*nearby), console, verbose=arguments.verbose)
    return _status(results, arguments.expect)


def _names(typed: Sequence[str], selectors: tuple[str | None, str | None]) -> Sequence[str]:
    """The names typed, as many as the selectors leave open, and the port."""
    wanted = [name for name, selector in zip(("SOURCE", "DESTINATION"), selectors, strict=True) if selector is None]
    wanted.append("PORT")
    if len(typed) != len(wanted):
        raise UsageError(
            f"expected {' '.join(wanted)}, got {count(len(typed), 'argument')}", "kubectl netpol test san nginx 80"
        )
    return typed


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
