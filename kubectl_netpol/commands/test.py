"""Is it open? A probe from the source pod by exec, with a timeout, beside what the NetworkPolicies say.

SOURCE is a pod or a workload; DESTINATION a Service, pod, workload, address or host name; PORT a number, a port
name, or several (80,443,8000-8003). Exit status: 0 open, 1 refused, timed out or unreachable, 2 can't tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.inputs import Inputs, open_inputs
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    parse_duration,
)
from kubectl_netpol.commands.common.questions import ask, ask_selected
from kubectl_netpol.diagnosis.diagnose import Result, not_probed, predicted
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.ports import parse_ports, parse_protocol
from kubectl_netpol.render.objects import kind, result_object, serialize
from kubectl_netpol.render.result import result_text, results_table
from kubectl_netpol.render.text import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol test san nginx 80                    is nginx open to san?
  kubectl netpol test deploy/web db 5432,9187 -n shop  two ports of Service db
  kubectl netpol test san kube-system/kube-dns 53 --protocol udp
  kubectl netpol test --from-selector app=web --to-selector app=db 5432
  kubectl netpol test san nginx 80 --expect blocked   exit 0 where it is blocked
  kubectl netpol test san nginx 80 -f manifests/      only what the policies say"""


MOST_PAIRS = 100


_HOUR = 3600


_UNKNOWN = 2


_EXPECTED = {"open": True, "blocked": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words and options."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SOURCE DESTINATION PORT",
        help="NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address",
    )
    parser.add_argument(
        "--protocol", default="TCP", metavar="NAME", help="TCP (default), UDP or SCTP (SCTP is only predicted)"
    )
    parser.add_argument(
        "--timeout", default="3s", metavar="TIME", help="the longest wait for each connect (default 3s)"
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
        "--from-selector", metavar="SELECTOR", help="every running pod of the namespace that it selects is a source"
    )
    parser.add_argument(
        "--to-selector", metavar="SELECTOR", help="every running pod of the namespace that it selects is a destination"
    )
    parser.add_argument(
        "--max", type=int, default=MOST_PAIRS, metavar="NUMBER", help=f"the most pairs to probe (default {MOST_PAIRS})"
    )
    parser.add_argument(
        "--expect",
        choices=tuple(_EXPECTED),
        metavar="open|blocked",
        help="exit 0 where it is so, 1 where not, 2 where it can't be told",
    )
    add_filename_option(parser)
    add_output_option(parser)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Probe and compare; the exit status is the worst of all pairs."""
    words = _words(arguments)
    protocol = parse_protocol(arguments.protocol)
    timeout = parse_duration(arguments.timeout)
    if not 0 < timeout <= _HOUR:
        raise UsageError(f"--timeout {arguments.timeout} is too short or too long", "write 3s or 500ms")
    ports = parse_ports(words.pop())
    world = open_inputs(arguments, console)
    snapshot, verdicts = _ask(arguments, world, words, ports, protocol)
    if len(verdicts) > arguments.max:
        raise UsageError(
            f"{count(len(verdicts), 'pair')} to probe, more than --max {arguments.max}",
            f"add --max {len(verdicts)} to probe them all",
        )
    if world.api is None:
        results = [Result(verdict, predicted(verdict)) for verdict in verdicts]
        console.note("nothing was probed: this is what the policies in the manifests say")
    elif protocol == "SCTP":
        results = [Result(v, not_probed(v, "SCTP can't be probed", Code.NOT_PROBED)) for v in verdicts]
    else:
        from kubectl_netpol.commands.common.prober import Prober  # noqa: PLC0415 - not for manifests

        prober = Prober(world.api, snapshot, arguments, world.namespace, timeout)
        with console.progress(f"probing {count(len(verdicts), 'connection')}"):
            results = prober.results(verdicts)
    _print(arguments, results, Names(world.namespace), console)
    return _status(results, arguments.expect)


def _words(arguments: argparse.Namespace) -> list[str]:
    """The words typed, as many as the selectors leave open."""
    wanted = [
        name
        for name, selector in (
            ("SOURCE", arguments.from_selector),
            ("DESTINATION", arguments.to_selector),
            ("PORT", None),
        )
        if selector is None
    ]
    if len(arguments.words) != len(wanted):
        number = count(len(arguments.words), "word")
        raise UsageError(f"{number} given, {' '.join(wanted)} wanted", "kubectl netpol test san nginx 80")
    return list(arguments.words)


def _ask(
    arguments: argparse.Namespace, world: Inputs, words: list[str], ports: Sequence[int | str], protocol: str
) -> tuple[Snapshot, list[Prediction]]:
    if arguments.from_selector is None and arguments.to_selector is None:
        return ask(world, words[0], words[1], ports, protocol)
    source = None if arguments.from_selector is not None else words.pop(0)
    destination = None if arguments.to_selector is not None else words.pop(0)
    selectors = (arguments.from_selector, arguments.to_selector)
    return ask_selected(world, (source, destination), selectors, ports, protocol)


def _print(arguments: argparse.Namespace, results: list[Result], names: Names, console: Console) -> None:
    if arguments.output:
        items = [result_object(result) for result in results]
        content = items[0] if len(items) == 1 else kind("TestResultList", {"items": items})
        console.data(serialize(content, arguments.output))
    elif len(results) == 1:
        console.data(result_text(results[0], names, console, verbose=arguments.verbose))
    else:
        console.data(results_table(results, names, console))
    for message in dict.fromkeys(message for result in results for message in result.warnings):
        console.warning(message)


def _status(results: list[Result], expected: str | None) -> int:
    """0 open, 1 not, 2 can't tell, of several the worst; with --expect 0 met, 1 not met, 2 can't tell."""
    statuses = []
    for result in results:
        reachable = result.finding.reachable
        if result.finding.code is Code.PREDICTED:
            reachable = {Verdict.ALLOWED: True, Verdict.BLOCKED: False}.get(result.verdict.verdict)
        wanted = _EXPECTED[expected] if expected else True
        statuses.append(_UNKNOWN if reachable is None else int(reachable is not wanted))
    return max(statuses)
