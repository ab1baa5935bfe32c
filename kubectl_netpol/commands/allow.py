"""Print the minimal NetworkPolicy that opens a connection, and note on stderr what it cuts off.

From labels it needs no cluster; from names (SOURCE DESTINATION PORT, as in test) it looks at what runs and proves the
policy before it prints it. Nothing is applied: pipe it into kubectl apply -f -.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_netpol.allow.from_labels import (
    ASSUMED_DNS,
    EndOptions,
    LabelRequest,
    bare_keys,
    isolates_text,
    policies_from_labels,
)
from kubectl_netpol.allow.pairs import Pair, cross_product, opened_by_pairs, parse_pair
from kubectl_netpol.commands.common.options import (
    add_as_pod_option,
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    cluster_options,
)
from kubectl_netpol.errors import UsageError
from kubectl_netpol.manifests.writer import policy_object, to_json, to_yaml
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.model.validation import is_object_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.allow_by_names import NamesRequest
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.ports import SinglePort

EXAMPLES = """examples:
  from labels, without a cluster:
  kubectl netpol allow --from run=san --to run=nginx --port 80 | kubectl apply -f -
  kubectl netpol allow --from 'app in (web,admin)' --to app=db --port 5432 --port 9187 -n shop
  kubectl netpol allow --from app=prometheus --from-namespace monitoring --to app=api --port metrics -n shop
  kubectl netpol allow --from app=web --to app=db1:1111 --to app=db2:2222 --egress -n shop
  kubectl netpol allow --from-any --to app=web --port 80 --port 443 -n shop
  kubectl netpol allow --both --from app=web --to app=db --port 5432 -n shop
  kubectl netpol allow --egress --from app=web --to-cidr 0.0.0.0/0 --except 10.0.0.0/8 --port 443 --dns -n shop
  kubectl netpol allow --egress --from-all-pods --dns -n shop
  kubectl netpol allow --from-none --to-all-pods --both -n shop
  proved on manifests:
  kubectl netpol allow --from run=san --to run=nginx --port 80 -n shop -f examples/shop.yaml
  from what runs, with exactly what is missing:
  kubectl netpol allow san nginx 80 -n shop
  kubectl netpol allow --as-pod app=web,tier=front nginx 80 -n shop
  kubectl netpol allow deploy/web db/svc/postgres 5432 -n shop --strict
  kubectl netpol allow san nginx 80 -n shop | kubectl netpol diff -f -"""


_CONNECTION = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="SOURCE DESTINATION PORT",
        help="names as in test, instead of labels: what runs in the cluster, or is in -f",
    )
    for side, end in (("from", "source"), ("to", "destination")):
        group = parser.add_argument_group(f"{end} by labels", "the first three may be repeated")
        group.add_argument(
            f"--{side}",
            dest=f"{side}_selectors",
            action="append",
            default=[],
            metavar="SELECTOR" if side == "from" else "SELECTOR[:PORT]",
            help="pods: k=v, k in (a,b), !k, joined by commas" + ("" if side == "from" else "; and their ports"),
        )
        group.add_argument(
            f"--{side}-namespace",
            dest=f"{side}_namespaces",
            action="append",
            default=[],
            metavar="NAME|SELECTOR",
            help=f"of those pods; without --{side}, all its pods",
        )
        group.add_argument(
            f"--{side}-cidr",
            dest=f"{side}_cidrs",
            action="append",
            default=[],
            metavar="CIDR",
            help="addresses outside the cluster",
        )
        group.add_argument(f"--{side}-all-pods", action="store_true", help="every pod of the namespace")
        group.add_argument(f"--{side}-any", action="store_true", help="everyone, in the cluster and outside")
        way = "nobody: default deny" if side == "from" else "nobody: default deny (--egress, --both)"
        group.add_argument(f"--{side}-none", action="store_true", help=way)
    group = parser.add_argument_group("which policy")
    group.add_argument(
        "--except",
        dest="excepts",
        action="append",
        default=[],
        metavar="CIDR",
        help="leave these out of a CIDR; may be repeated",
    )
    group.add_argument(
        "--port",
        dest="ports",
        action="append",
        default=[],
        metavar="PORT",
        help="80, 80/UDP, 80,443, 8000-8080 or a name; may be repeated; none: every port",
    )
    group.add_argument("--protocol", default="TCP", metavar="NAME", help="TCP, UDP or SCTP (default TCP)")
    side_group = group.add_mutually_exclusive_group()
    side_group.add_argument(
        "--egress",
        action="store_true",
        help="for the source: with labels instead of the destination, with names in addition",
    )
    side_group.add_argument("--both", action="store_true", help="a policy for each side, and a rule for DNS")
    dns_group = group.add_mutually_exclusive_group()
    dns_group.add_argument("--dns", action="store_true", default=None, help="with --egress: a rule for DNS too")
    dns_group.add_argument("--no-dns", dest="dns", action="store_false", help="with --both: without the rule for DNS")
    add_as_pod_option(parser)
    group.add_argument("--name", metavar="NAME", help="the policy's name (default: of what it says)")
    group.add_argument("--named-port", action="store_true", help="with names: the port by its name")
    group.add_argument("--always", action="store_true", help="with names: even if it is already allowed")
    group.add_argument("--strict", action="store_true", help="exit 2 if anything else is cut off or opened")
    add_filename_option(parser)
    add_output_option(parser, ("yaml", "json"))
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    protocol = parse_protocol(arguments.protocol)
    source, destination = (_end_options(arguments, side, protocol) for side in ("from", "to"))
    by_labels = not (source.empty and destination.empty) or arguments.ports or arguments.excepts
    names = arguments.names
    if arguments.as_pod is not None:
        from kubectl_netpol.commands.common.as_pod import NAME  # noqa: PLC0415 - labels do without

        names = [NAME, *names]
    if names and by_labels:
        raise UsageError("names and labels can't be combined", "SOURCE DESTINATION PORT, or --from, --to and --port")
    if arguments.name is not None and not is_object_name(arguments.name):
        raise UsageError(f'invalid policy name "{arguments.name}"', "at most 253 of a-z 0-9 . -, such as allow-web")
    if names:
        from kubectl_netpol.commands.common.allow_by_names import allow_by_names  # noqa: PLC0415 - labels do without
        from kubectl_netpol.commands.common.as_pod import with_pod  # noqa: PLC0415 - the same
        from kubectl_netpol.commands.common.inputs import open_inputs  # noqa: PLC0415 - the same

        asked = _names_options(arguments, names, protocol)
        inputs = with_pod(open_inputs(cluster_options(arguments), arguments.filenames, console), arguments.as_pod)
        write(allow_by_names(asked, inputs, verbose=arguments.verbose), arguments.output, console)
        return 0
    for option, given in (("--named-port", arguments.named_port), ("--always", arguments.always)):
        if given:
            raise UsageError(f"{option} needs names, not labels", "kubectl netpol allow SOURCE DESTINATION PORT")
    source, destination = _with_excepts(source, destination, tuple(arguments.excepts))
    wanted = LabelRequest(
        source,
        destination,
        tuple(dict.fromkeys(port for text in arguments.ports for port in parse_ports(text, protocol))),
        namespace=arguments.namespace,
        ingress=not arguments.egress,
        egress=arguments.egress or arguments.both,
        dns=arguments.dns,
        name=arguments.name,
    )
    if arguments.strict and not arguments.filenames:
        raise UsageError("--strict needs manifests or a cluster", "add -f FILE, or write names instead of labels")
    found = _from_labels(
        wanted,
        arguments.filenames,
        console,
        strict=arguments.strict,
        verbose=arguments.verbose,
        options=cluster_options(arguments),
    )
    write(found, arguments.output, console)
    return 0


def _names_options(arguments: argparse.Namespace, names: Sequence[str], protocol: str) -> NamesRequest:
    from kubectl_netpol.commands.common.allow_by_names import NamesRequest  # noqa: PLC0415 - labels do without

    source, destination, ports = _checked_names(names, protocol)
    return NamesRequest(
        source,
        destination,
        ports,
        egress=arguments.egress,
        both=arguments.both,
        dns=arguments.dns,
        name=arguments.name,
        named_port=arguments.named_port,
        always=arguments.always,
        strict=arguments.strict,
    )


def _checked_names(names: Sequence[str], protocol: str) -> tuple[str, str, tuple[SinglePort, ...]]:
    if len(names) != _CONNECTION:
        raise UsageError(
            f"expected SOURCE DESTINATION PORT, got {len(names)} argument{'' if len(names) == 1 else 's'}",
            "or write labels: --from, --to and --port",
        )
    source, destination, port = names
    if "=" in source or "=" in destination:
        words = shlex.join(["--from", source, "--to", destination, "--port", port])
        raise UsageError("these are labels, not names", f"kubectl netpol allow {words}")
    return source, destination, single_ports(parse_ports(port, protocol))


def _from_labels(
    asked: LabelRequest,
    filenames: Sequence[str],
    console: Console,
    *,
    strict: bool,
    verbose: bool,
    options: ClusterOptions,
) -> tuple[Policy, ...]:
    if filenames:
        from kubectl_netpol.commands.common.allow_trial import prove_labels  # noqa: PLC0415 - only for manifests
        from kubectl_netpol.commands.common.files import read_manifests  # noqa: PLC0415 - the same

        policies_from_labels(asked)  # errors in the options come before errors in the files
        namespace = asked.namespace or "default"
        snapshot = read_manifests(filenames, namespace, console, options)
        found = prove_labels(asked, snapshot, namespace, console, strict=strict, verbose=verbose)
    else:
        found = policies_from_labels(asked)
        for policy in found:
            console.note(isolates_text(policy, with_dns=asked.with_dns))
        if asked.with_dns:
            console.note(f"{ASSUMED_DNS}; -f reads the real ones")
    if warning := cross_product(asked.destination.pairs, asked.ports):
        console.warning(warning)
    for text in opened_by_pairs(asked.destination.pairs, asked.ports):
        console.note(f"opens {text}")
    for key in bare_keys(asked):
        console.note(f'"{key}" means pods that have a label "{key}"; a label with its value is {key}=VALUE')
    return found


def write(found: Sequence[Policy], output: str | None, console: Console) -> None:
    """The policies on stdout, as YAML unless `output` is json."""
    objects = [policy_object(policy) for policy in found]
    if objects:
        console.data(to_json(objects) if output == "json" else to_yaml(objects))


def _end_options(arguments: argparse.Namespace, side: str, protocol: str) -> EndOptions:
    """`protocol`: that of ports typed behind a destination's selector."""
    given = vars(arguments)
    typed = given[f"{side}_selectors"]
    pairs = [parse_pair(text, protocol) if side == "to" else Pair(text) for text in typed]
    return EndOptions(
        side,
        tuple(pair.selector for pair in pairs),
        tuple(given[f"{side}_namespaces"]),
        tuple(given[f"{side}_cidrs"]),
        all_pods=given[f"{side}_all_pods"],
        anyone=given[f"{side}_any"],
        none=given[f"{side}_none"],
        ports=tuple(pair.ports for pair in pairs),
    )


def _with_excepts(
    source: EndOptions, destination: EndOptions, excepts: tuple[str, ...]
) -> tuple[EndOptions, EndOptions]:
    """--except belongs to the end that has blocks."""
    if not excepts:
        return source, destination
    if source.cidrs and destination.cidrs:
        raise UsageError("--from-cidr and --to-cidr in one policy", "one end has to be pods")
    if destination.cidrs:
        return source, destination._replace(excepts=excepts)
    return source._replace(excepts=excepts), destination
