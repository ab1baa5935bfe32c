"""Is it open? Probe from the source pod, by exec and with a timeout, and compare with the NetworkPolicies.

SOURCE is a pod or a workload; DESTINATION a Service, pod, workload, address or host name; PORT a number, a port
name, or several (80,443, 8000-8003, 53/UDP); none: all that the destination declares. Exit status: 0 open, 1 refused,
timed out or unreachable, 2 can't tell.

-F: the checks of suite files, what must be open and what must stay blocked. Network and policies must both be as each
check expects; what is blocked must have a control, something that shows that it would be open otherwise. Exit status:
0 all as expected, 1 not, 2 can't tell.
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
    parse_duration,
    probe_options,
)
from kubectl_netpol.commands.common.questions import Question, answers, ask, read_for_all, refuse_too_many
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, predicted
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import UsageError
from kubectl_netpol.lint.nearby import policies_that_would_open
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.render.json_objects import kind, result_object, serialize
from kubectl_netpol.render.probe_result import result_line, result_text, results_table
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import arrow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.commands.common.prober import Prober
    from kubectl_netpol.commands.common.watch import Seen
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.lint.finding import Finding
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
  kubectl netpol test san nginx 80 --watch            a line whenever it changes
  kubectl netpol test -F suite.yaml                   every check of a file
  kubectl netpol test -F suite.yaml -o junit >report.xml
  kubectl netpol test -F suites/ -f manifests/ --unexercised
  kubectl netpol test --enforcement                   does this cluster enforce anything?"""
_UNKNOWN = 2
_ENDS = 2
_OUTPUTS = ("json", "yaml", "junit", "tap")
_EXPECTED = {"open": True, "blocked": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="SOURCE DESTINATION PORT",
        help="NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address",
    )
    parser.add_argument("--protocol", metavar="NAME", help="TCP (default), UDP or SCTP (SCTP is only predicted)")
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
        "-F",
        "--suite",
        dest="suites",
        action="append",
        default=[],
        metavar="FILE",
        help="the checks of a suite (a file, a folder, - for stdin; may be repeated)",
    )
    parser.add_argument(
        "--unexercised", action="store_true", help="with -F: also the rules of the policies that no check exercises"
    )
    parser.add_argument(
        "--watch", nargs="?", metavar="TIME", help="again and again, every 2s or --watch=TIME: a line for each change"
    )
    parser.add_argument(
        "--enforcement",
        action="store_true",
        help="whether this cluster enforces policies at all, and how to try it: exit 0 yes, 1 no, 2 can't tell",
    )
    add_filename_option(parser)
    add_output_option(parser, _OUTPUTS)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Probe and compare; the exit status is the worst of all pairs, or of all checks."""
    selectors = arguments.from_selector, arguments.to_selector
    probe = probe_options(arguments)._replace(
        container=arguments.container, http=arguments.http, debug_image=arguments.debug_image
    )
    cluster = cluster_options(arguments)
    every = _every(arguments.watch, arguments.output, arguments.filenames)
    if arguments.suites:
        if own := _not_of_suites_options(arguments):
            raise UsageError(f"{own[0]} and -F can't be combined", "a suite has its checks in its files")
        from kubectl_netpol.commands.common.suite_run import SuiteRun  # noqa: PLC0415 - most runs have no suite

        suite = SuiteRun(arguments.suites, cluster, arguments.filenames, console, probe)
        if every:
            suite.watch(every)
        return suite.report(arguments.output, verbose=arguments.verbose, with_unexercised=arguments.unexercised)
    if arguments.unexercised or arguments.output in ("junit", "tap"):
        option = "--unexercised" if arguments.unexercised else f"-o {arguments.output}"
        raise UsageError(f"{option} is for suites", "add -F FILE")
    if arguments.enforcement:
        beside = bool(arguments.names or arguments.filenames or every)
        return _enforcement(cluster, arguments.output, console, beside=beside)
    names, ports = _typed(arguments.names, selectors, parse_protocol(arguments.protocol or "TCP"))
    inputs = open_inputs(cluster, arguments.filenames, console)
    if inputs.api:
        inputs.api.prepare()
    asked = _Asked(inputs, _question(inputs.namespace, names, selectors, ports), cluster, probe)
    if every:
        from kubectl_netpol.commands.common.watch import watch  # noqa: PLC0415 - most runs end

        watch(asked.seen, every, console)
    results = asked.results()
    nearby = asked.nearby(results)
    if arguments.output:
        results = [
            result._replace(warnings=(*result.warnings, *messages(found)))
            for result, found in zip(results, nearby, strict=True)
        ]
        nearby = []
    _print(results, Names(inputs.namespace), console, output=arguments.output, verbose=arguments.verbose)
    warn((), chain(*nearby), console, verbose=arguments.verbose)
    return _status(results, arguments.expect)


def _not_of_suites_options(arguments: argparse.Namespace) -> list[str]:
    """Those given that a suite has in its files."""
    taken = {
        "SOURCE DESTINATION PORT": arguments.names,
        "--protocol": arguments.protocol,
        "--from-selector": arguments.from_selector,
        "--to-selector": arguments.to_selector,
        "--expect": arguments.expect,
        "--enforcement": arguments.enforcement,
    }
    return [option for option, value in taken.items() if value]


def _every(watch: str | None, output: str | None, filenames: Sequence[str]) -> float:
    """The seconds of --watch, 0 without."""
    if watch is None:
        return 0
    if output or filenames:
        option, what = ("-o", "prints one result") if output else ("-f", "reads manifests, which don't change")
        raise UsageError(f"--watch and {option} can't be combined", f"{option} {what}")
    seconds = parse_duration(watch or "2s")
    if not seconds:
        raise UsageError(f"invalid --watch={watch}: must be more than 0", "write --watch=2s")
    return seconds


def _enforcement(cluster: ClusterOptions, output: str | None, console: Console, *, beside: bool) -> int:
    """0 the cluster enforces NetworkPolicies, 1 it does not, 2 can't tell. `beside`: names, -f or --watch are given."""
    if beside:
        hint = "kubectl netpol test --enforcement"
        raise UsageError("--enforcement is about a cluster, without names, -f and --watch", hint)
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


def _question(
    namespace: str,
    names: Sequence[str],
    selectors: tuple[str | None, str | None],
    ports: Sequence[SinglePort],
) -> Question:
    remaining = iter(names)
    ends = tuple(next(remaining) if selector is None else None for selector in selectors)
    return Question(namespace, (ends[0], ends[1]), selectors, ports)


class _Asked:
    """The connections asked about, as they are now. With a cluster they may be asked again."""

    def __init__(self, inputs: Inputs, question: Question, cluster: ClusterOptions, probe: ProbeOptions) -> None:
        self._inputs = inputs
        self._question = question
        self._cluster = cluster
        self._probe = probe
        self._prober: Prober | None = None
        self._snapshot: Snapshot | None = None

    def nearby(self, results: Sequence[ConnectionResult]) -> list[list[Finding]]:
        """For each result, policies that were probably meant for one of its ends."""
        assert self._snapshot is not None  # noqa: S101 - the results are about it
        return [policies_that_would_open(self._snapshot, result.prediction) for result in results]

    def results(self) -> list[ConnectionResult]:
        inputs = self._inputs
        snapshot, predictions = self._predicted()
        self._snapshot = snapshot
        refuse_too_many(len(predictions), self._probe.most_pairs)
        if inputs.api is None:
            inputs.console.note("nothing was probed: this is what the policies in the manifests say")
            return [ConnectionResult(prediction, predicted(prediction)) for prediction in predictions]
        from kubectl_netpol.commands.common.prober import Prober  # noqa: PLC0415 - not for manifests

        prober = self._prober.again(snapshot, inputs.namespace) if self._prober else None
        self._prober = prober = prober or Prober(
            inputs.api, snapshot, namespace=inputs.namespace, cluster=self._cluster, options=self._probe
        )
        with inputs.console.progress(f"probing {count(len(predictions), 'connection')}"):
            return prober.results(predictions)

    def _predicted(self) -> tuple[Snapshot, list[Prediction]]:
        source, destination = self._question.names
        if source is not None and destination is not None:
            return ask(self._inputs, source, destination, self._question.ports)
        snapshot = read_for_all(self._inputs, [self._question])
        return snapshot, answers(snapshot, self._question)

    def seen(self) -> Mapping[str, Seen]:
        """For --watch: a line for each connection."""
        from kubectl_netpol.commands.common.watch import Seen, state_of  # noqa: PLC0415 - most runs end

        names = Names(self._inputs.namespace)
        return {
            arrow(result.prediction.request, names): Seen(
                result_line(result, names, self._inputs.console), state_of(result)
            )
            for result in self.results()
        }


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
