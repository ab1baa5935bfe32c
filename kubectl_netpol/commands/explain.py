"""Which policies select a pod, and what they let in and out; or why a connection is allowed or blocked.

With nothing named: one line a pod of the namespace. With POD (a workload or Service also): its policies.
With SOURCE DESTINATION PORT: the verdict, and what decides it. Nothing is probed and nothing is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.commands.common.inputs import Inputs, open_inputs
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
)
from kubectl_netpol.commands.common.questions import ask, read_and_resolve, scope_of
from kubectl_netpol.connection.resolve import (
    Reference,
    Resolved,
    best,
    parse_reference,
    resolve_subject,
)
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.lint.warnings import connection_warnings, namespace_warnings, pod_warnings
from kubectl_netpol.model.ports import parse_ports, parse_protocol
from kubectl_netpol.render.explanation import explanation_text, overview_text
from kubectl_netpol.render.objects import explanation_object, kind, note_object, serialize, verdict_object
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import verdict_text

if TYPE_CHECKING:
    import argparse

    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

EXAMPLES = """examples:
  kubectl netpol explain                      every pod of the namespace
  kubectl netpol explain nginx                who may reach nginx, and whom it may reach
  kubectl netpol explain san nginx 80         why san may, or may not, reach nginx on port 80
  kubectl netpol explain 10.0.0.7 shop/svc/nginx http -o json
  kubectl netpol explain nginx -f manifests/  without a cluster"""


STATUS = {Verdict.ALLOWED: 0, Verdict.BLOCKED: 1, Verdict.UNDEFINED: 2}


_CONNECTION = 3


_POLICY_KINDS = ("netpol", "networkpolicy", "networkpolicies")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words and options."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="POD | SOURCE DESTINATION PORT",
        help="NAME, NS/NAME, KIND/NAME, NS/KIND/NAME or an address",
    )
    parser.add_argument(
        "-A", "--all-namespaces", action="store_true", help="with nothing named: the pods of every namespace"
    )
    parser.add_argument("--protocol", default="TCP", metavar="NAME", help="TCP (default), UDP or SCTP")
    add_filename_option(parser)
    add_output_option(parser)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Explain; returns 0, or for a connection 0 allowed, 1 blocked, 2 undefined."""
    words = arguments.words
    if len(words) not in (0, 1, _CONNECTION):
        raise UsageError(f"{count(len(words), 'word')} given", "write nothing, POD, or SOURCE DESTINATION PORT")
    if words and arguments.all_namespaces:
        raise UsageError("-A goes with nothing named", "write NAMESPACE/NAME for a pod elsewhere")
    world = open_inputs(arguments, console)
    if len(words) == _CONNECTION:
        return _connection(arguments, world, console)
    return _pod(arguments, world, console) if words else _namespace(arguments, world, console)


def _connection(arguments: argparse.Namespace, world: Inputs, console: Console) -> int:
    source, destination, port = arguments.words
    ports = parse_ports(port)
    protocol = parse_protocol(arguments.protocol)
    snapshot, verdicts = ask(world, source, destination, ports, protocol)
    names = Names(world.namespace)
    objects = []
    for verdict in verdicts:
        warnings = connection_warnings(snapshot, verdict)
        objects.append(verdict_object(verdict, warnings))
        if not arguments.output:
            console.data(verdict_text(verdict, names, console, verbose=arguments.verbose))
            for note in warnings:
                console.warning(note.message)
    if arguments.output:
        content = objects[0] if len(objects) == 1 else kind("VerdictList", {"items": objects})
        console.data(serialize(content, arguments.output))
    statuses = [STATUS[verdict.verdict] for verdict in verdicts]
    return max(statuses)


def _pod(arguments: argparse.Namespace, world: Inputs, console: Console) -> int:
    reference = parse_reference(arguments.words[0], world.namespace)
    if reference.address or reference.kind == "Node":
        raise UsageError(f"{reference.typed} is no pod", "explain SOURCE DESTINATION PORT takes addresses and nodes")
    snapshot, named = read_and_resolve(
        world, (reference,), lambda snapshot: _subject(snapshot, reference, world.namespace), everywhere=True
    )
    pod = named.pod
    if named.service:
        pods = snapshot.selected_by_service(named.service)
        pod = best(pods)
        if pod is None:
            raise NetpolError(
                f"Service {named.service.key} selects no pod", "compare its selector with the pods' labels"
            )
    assert pod is not None  # noqa: S101 - a subject is a pod, or stands for one
    _say_which(reference.typed, pod, console)
    explanation = explain_pod(snapshot, pod)
    warnings = pod_warnings(snapshot, explanation)
    if arguments.output:
        console.data(serialize(explanation_object(explanation, warnings), arguments.output))
        return 0
    console.data(explanation_text(explanation, Names(world.namespace), console, verbose=arguments.verbose))
    for note in warnings:
        console.warning(note.message)
    return 0


def _subject(snapshot: Snapshot, reference: Reference, namespace: str) -> Resolved:
    """What is explained; a policy's name is answered with a pod that it selects."""
    try:
        return resolve_subject(snapshot, reference)
    except NetpolError:
        where = namespace if reference.namespace in _POLICY_KINDS else reference.namespace
        policy = next((policy for policy in snapshot.policies_in(where) if policy.name == reference.name), None)
        if policy is None:
            raise
        pod = best([pod for pod in snapshot.pods_in(where) if policy.selects(pod) and not pod.finished])
        hint = f"it selects {pod.key}: kubectl netpol explain {pod.key}" if pod else "it selects no pod"
        raise NetpolError(f"{policy.key} is a NetworkPolicy, and explain is about pods", hint) from None


def _say_which(typed: str, pod: Pod, console: Console) -> None:
    if typed.rsplit("/", maxsplit=1)[-1] != pod.name:
        console.note(f"{typed} stands for its pod {pod.name}")


def _namespace(arguments: argparse.Namespace, world: Inputs, console: Console) -> int:
    # The pods that peers match stand in the JSON; for the overview the namespace itself is enough.
    everywhere = arguments.all_namespaces or bool(arguments.output)
    snapshot = world.read(scope_of(parse_reference("pod/any", world.namespace), everywhere=everywhere))
    where = None if arguments.all_namespaces else world.namespace
    if gap := snapshot.gap("pods", where):
        raise NetpolError(gap.message, "kubectl auth can-i list pods" + (f" -n {where}" if where else " -A"))
    pods = sorted(
        (pod for pod in snapshot.pods if not pod.finished and where in (None, pod.namespace)), key=lambda pod: pod.key
    )
    explanations = [explain_pod(snapshot, pod) for pod in pods]
    namespaces = sorted({pod.namespace for pod in snapshot.pods}) if where is None else [where]
    partial = not everywhere and world.api is not None
    warnings = [note for name in namespaces for note in namespace_warnings(snapshot, name, partial=partial)]
    if arguments.output:
        items = [explanation_object(explanation, pod_warnings(snapshot, explanation)) for explanation in explanations]
        content = kind("ExplanationList", {"items": items, "warnings": [note_object(note) for note in warnings]})
        console.data(serialize(content, arguments.output))
        return 0
    if not pods:
        console.note(f"no pods in namespace {where}" if where else "no pods")
        return 0
    console.data(overview_text(explanations, namespaced=where is None))
    for note in warnings:
        console.warning(note.message)
    return 0
