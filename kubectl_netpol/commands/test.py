"""Is it open? Probe from the source pod, by exec and with a timeout, and compare with the NetworkPolicies.

SOURCE is a pod or a workload; DESTINATION a Service, pod, workload, address or host name; PORT a number, a port
name, or several (80,443, 8000-8003, 53/UDP); none: all that the destination declares. Exit status: 0 open, 1 refused,
timed out or unreachable, 2 can't tell.

-F: the checks of suite files, what must be open and what must stay blocked. Network and policies must both be as each
check expects; what is blocked must have a control, something that shows that it would be open otherwise. Exit status:
0 all as expected, 1 not, 2 can't tell.
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
    parse_duration,
    probe_options,
)
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.commands.common.shell_ahead import ShellAhead
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.ports import SinglePort

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
        choices=("open", "blocked"),
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
    ahead = _shell_ahead(inputs, names, selectors, probe) if inputs.api else None
    # From here on, what is not yet needed is imported while the server answers.
    from kubectl_netpol.commands.common.connection_run import ConnectionRun  # noqa: PLC0415

    asked = ConnectionRun(inputs, names, selectors, ports, cluster=cluster, probe=probe, ahead=ahead)
    if every:
        asked.watch(every)
    return asked.report(arguments.output, expected=arguments.expect, verbose=arguments.verbose)


def _shell_ahead(
    inputs: Inputs, names: Sequence[str], selectors: tuple[str | None, str | None], probe: ProbeOptions
) -> ShellAhead | None:
    """Where the source is a pod by its name, its shell is started while the cluster is read, which begins here too."""
    from kubectl_netpol.commands.common.shell_ahead import ShellAhead, pod_typed  # noqa: PLC0415 - not for manifests

    assert inputs.api is not None  # noqa: S101 - it is a cluster
    inputs.api.prepare()
    source = pod_typed(names[0], inputs.namespace) if selectors[0] is None and not probe.debug_image else None
    if source and not set(".:") & set("".join(names[1:])):  # for an address those of all namespaces are read
        inputs.api.read_ahead(KINDS[kind].path(source[0]) for kind in ("Pod", "Service", "NetworkPolicy"))
    return ShellAhead(inputs.api, *source, probe.container) if source else None


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
    from kubectl_netpol.render.json_objects import serialize  # noqa: PLC0415 - the same

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
        from kubectl_netpol.engine.phrases import count  # noqa: PLC0415 - only for a mistake

        given = count(len(typed), "argument")
        raise UsageError(f"expected {' '.join(wanted)}, got {given}", "kubectl netpol test san nginx 80")
    *names, port = typed
    return names, single_ports(parse_ports(port, protocol))
