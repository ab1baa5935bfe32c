"""Which policies select a pod, and what they let in and out; or why a connection is allowed or blocked.

With no arguments: one line per pod of the namespace. With POD (also a workload or a Service): its policies. With
netpol/NAME (or another kind of policy): whom it selects, who gets through by it, and what would change without it.
With SOURCE DESTINATION PORT: the verdict, and what decides it. Nothing is probed and nothing is changed.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.coverage import coverage
from kubectl_netpol.analysis.isolation import explain_pod, explain_pods, sides_of
from kubectl_netpol.commands.common.as_pod import NAME, with_pod
from kubectl_netpol.commands.common.findings import refused_beside, refused_findings, warn
from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.commands.common.options import (
    add_as_pod_option,
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    cluster_options,
)
from kubectl_netpol.commands.common.questions import ask, read_for, scope_of
from kubectl_netpol.connection.labels import helpful_labels
from kubectl_netpol.connection.policy_reference import find_policy, parse_policy_reference
from kubectl_netpol.connection.resolve import Role, look_up, parse_reference, representative, resolve_subject
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.nearby import policies_that_miss, policies_that_would_open
from kubectl_netpol.lint.warnings import connection_warnings, namespace_warnings, pod_warnings
from kubectl_netpol.model.objects import SERVICE_NAME
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.model.snapshot import Scope
from kubectl_netpol.render.changes import unread_texts
from kubectl_netpol.render.coverage import coverage_line
from kubectl_netpol.render.explanation import explanation_text, overview_text, unknown_texts
from kubectl_netpol.render.explanation_json import explanations_json
from kubectl_netpol.render.json_objects import explanation_object, kind, serialize, verdict_object, warning_object
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import verdict_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.connection.policy_reference import PolicyReference
    from kubectl_netpol.connection.resolve import Reference
    from kubectl_netpol.console import Console
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol explain                      every pod of the namespace
  kubectl netpol explain nginx                what may reach nginx, and what it may reach
  kubectl netpol explain netpol/deny-all-ingress   what a policy does, and what would change without it
  kubectl netpol explain san nginx 80         why san may, or may not, reach nginx on port 80
  kubectl netpol explain --as-pod app=web db 5432 -n shop   why a pod that is still to come may, or may not
  kubectl netpol explain 10.0.0.7 shop/svc/nginx http -o json
  kubectl netpol explain nginx -f manifests/  without a cluster"""
STATUS = {Verdict.ALLOWED: 0, Verdict.BLOCKED: 1, Verdict.UNDEFINED: 2}
_CONNECTION = 3


class _Printer(NamedTuple):
    """Where and how an answer is printed; `output` None is text."""

    console: Console
    names: Names
    output: str | None
    verbose: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="POD | KIND/POLICY | SOURCE DESTINATION PORT",
        help="NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address",
    )
    parser.add_argument(
        "-A", "--all-namespaces", action="store_true", help="without arguments: the pods of every namespace"
    )
    parser.add_argument("--protocol", default="TCP", metavar="NAME", help="TCP (default), UDP or SCTP")
    add_as_pod_option(parser)
    add_filename_option(parser)
    add_output_option(parser)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0; for a connection 0 allowed, 1 blocked, 2 undefined."""
    names = arguments.names
    if arguments.as_pod is not None:
        names = [NAME, *names]
    if len(names) not in (0, 1, _CONNECTION):
        raise UsageError(
            f"expected POD or SOURCE DESTINATION PORT, got {count(len(names), 'argument')}",
            "kubectl netpol explain san nginx 80",
        )
    if names and arguments.all_namespaces:
        raise UsageError("-A can't be combined with a name", "write NAMESPACE/NAME for a pod elsewhere")
    protocol = parse_protocol(arguments.protocol)
    ports = single_ports(parse_ports(names[-1], protocol)) if len(names) == _CONNECTION else ()
    inputs = with_pod(open_inputs(cluster_options(arguments), arguments.filenames, console), arguments.as_pod)
    printer = _Printer(console, Names(inputs.namespace), arguments.output, arguments.verbose)
    if ports:
        return _connection(inputs, names[0], names[1], ports, printer)
    if names and (policy := parse_policy_reference(names[0], inputs.namespace)):
        return _policy(inputs, policy, printer)
    if names:
        return _pod(inputs, parse_reference(names[0], inputs.namespace), printer)
    return _namespace(inputs, printer, all_namespaces=arguments.all_namespaces)


def _connection(inputs: Inputs, source: str, destination: str, ports: Sequence[SinglePort], printer: _Printer) -> int:
    snapshot, predictions = ask(inputs, source, destination, ports)
    console = printer.console
    warnings = [
        [*connection_warnings(snapshot, prediction), *refused_beside(snapshot, prediction)]
        for prediction in predictions
    ]
    nearby = [policies_that_would_open(snapshot, prediction) for prediction in predictions]
    helpful = [
        [one for one in helpful_labels(snapshot, prediction) if one.match.policy.name not in _named(found)]
        for prediction, found in zip(predictions, nearby, strict=True)
    ]
    if printer.output:
        both = [[*one, *other] for one, other in zip(warnings, nearby, strict=True)]
        items = list(map(verdict_object, predictions, both, helpful))
        content = items[0] if len(items) == 1 else kind("VerdictList", {"items": items})
        console.data(serialize(content, printer.output))
    else:
        for prediction, found in zip(predictions, helpful, strict=True):
            text = verdict_text(prediction, printer.names, console, verbose=printer.verbose, helpful=found)
            console.data(text)
        warn(chain(*warnings), chain(*nearby), console, verbose=printer.verbose)
    return max(STATUS[prediction.verdict] for prediction in predictions)


def _named(findings: Iterable[Finding]) -> set[str]:
    """The policies that the findings are about."""
    return {found.subject.name for found in findings}


def _policy(inputs: Inputs, reference: PolicyReference, printer: _Printer) -> int:
    from kubectl_netpol.analysis.policy import all_policies, explain_policy  # noqa: PLC0415 - only for a policy
    from kubectl_netpol.render.policy import policy_explanation_object, policy_explanation_text  # noqa: PLC0415

    everywhere = frozenset({"pods", "networkpolicies"})
    snapshot = inputs.read(Scope(frozenset({reference.namespace}), everywhere, endpoints=False))
    found = explain_policy(snapshot, find_policy(snapshot, all_policies(snapshot), reference))
    if printer.output:
        printer.console.data(serialize(policy_explanation_object(found), printer.output))
    else:
        text = policy_explanation_text(found, printer.names, printer.console, verbose=printer.verbose)
        printer.console.data(text)
    for reason in unread_texts(snapshot, found.without, verbose=printer.verbose):
        printer.console.warning(f"incomplete: {reason}")
    return 0


def _pod(inputs: Inputs, reference: Reference, printer: _Printer) -> int:
    if reference.address or reference.kind == "Node":
        raise UsageError(f"{reference.typed} is not a pod", "explain SOURCE DESTINATION PORT takes addresses and nodes")
    console = printer.console
    snapshot = read_for(inputs, (reference, Role.SUBJECT), everywhere=True)
    pod = _subject(snapshot, reference)
    if reference.typed.rsplit("/", maxsplit=1)[-1] != pod.name:
        console.note(f"showing {pod.name}, a pod of {reference.typed}")
    explanation = explain_pod(snapshot, pod)
    finished = [Note(Code.POD_NOT_RUNNING, f"{pod.key} has finished ({pod.phase})")] if pod.finished else []
    warnings: list[Finding | Note] = [
        *finished,
        *pod_warnings(snapshot, explanation),
        *refused_findings(snapshot, {pod.namespace}),
    ]
    nearby = policies_that_miss(snapshot, pod)
    if printer.output:
        console.data(serialize(explanation_object(explanation, [*warnings, *nearby]), printer.output))
        return 0
    console.data(explanation_text(explanation, printer.names, console, verbose=printer.verbose))
    warn(warnings, nearby, console, verbose=printer.verbose)
    return 0


def _subject(snapshot: Snapshot, reference: Reference) -> Pod:
    """The pod to explain: a workload's or a Service's best one. NetpolError where it is a policy's name."""
    if look_up(snapshot, reference, Role.SUBJECT) is None:
        policies = snapshot.policies_in(reference.namespace)
        policy = next((policy for policy in policies if policy.name == reference.name), None)
        if policy:
            hint = f"kubectl netpol explain {policy.namespace}/netpol/{policy.name}"
            raise NetpolError(f"{policy.key} is a NetworkPolicy", hint)
    resolved = resolve_subject(snapshot, reference)
    pod = resolved.pod
    if resolved.service:
        service = resolved.service
        pod = representative(snapshot.selected_by_service(service))
        if pod is None and service.selector is None:
            hint = f"kubectl get endpointslices -n {service.namespace} -l {SERVICE_NAME}={service.name}"
            raise NetpolError(f"Service {service.key} has no selector, so it is about no pods", hint)
        if pod is None:
            raise NetpolError(f"Service {service.key} selects no pod", "compare its selector with the pods' labels")
    assert pod is not None  # noqa: S101 - a subject is a pod, or has one
    return pod


def _namespace(inputs: Inputs, printer: _Printer, *, all_namespaces: bool) -> int:
    console = printer.console
    # JSON has the pods that peers match, which may be anywhere; the overview needs the namespace only.
    everywhere = all_namespaces or bool(printer.output)
    snapshot = inputs.read(scope_of(parse_reference("pod/any", inputs.namespace), everywhere=everywhere))
    where = None if all_namespaces else inputs.namespace
    if (gap := snapshot.gap("pods", where)) and not gap.name:
        raise NetpolError(gap.message, "kubectl auth can-i list pods" + (f" -n {where}" if where else " -A"))
    pods = sorted(
        (pod for pod in snapshot.pods if not pod.finished and where in (None, pod.namespace)), key=lambda pod: pod.key
    )
    console.warnings([f"left out: {message}" for message in snapshot.unread("pods", where)], verbose=printer.verbose)
    namespaces = sorted({pod.namespace for pod in snapshot.pods}) if where is None else [where]
    partial = not everywhere and inputs.live
    context = Context(snapshot, partial=partial)
    warnings = [found for name in namespaces for found in namespace_warnings(context, name)]
    warnings += refused_findings(snapshot, namespaces)
    if printer.output == "json":
        each = ((one, pod_warnings(snapshot, one, context)) for one in explain_pods(snapshot, pods))
        for piece in explanations_json(each, warnings):
            console.piece(piece)
        return 0
    if printer.output:
        items = [explanation_object(one, pod_warnings(snapshot, one, context)) for one in explain_pods(snapshot, pods)]
        content = kind("ExplanationList", {"items": items, "warnings": [warning_object(found) for found in warnings]})
        console.data(serialize(content, printer.output))
        return 0
    if not pods:
        console.note(f"no pods in namespace {where}" if where else "no pods")
        return 0
    overview = list(sides_of(snapshot, pods, peers=False))
    console.data(overview_text(overview, namespaced=where is None))
    console.data(coverage_line(coverage(snapshot, namespaces)))
    console.warnings(unknown_texts(overview), verbose=printer.verbose)
    warn(warnings, (), console, verbose=printer.verbose)
    return 0
