"""`allow SOURCE DESTINATION PORT`: exactly what is missing in a cluster or in manifests, proved before it is shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_netpol.allow.minimal import AllowOptions, MinimalPolicies, minimal_policies
from kubectl_netpol.commands.common.allow_proof import refuse_side_effects, say, tried
from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.commands.common.questions import scope_of
from kubectl_netpol.connection.dns import resolvers_blocked
from kubectl_netpol.connection.predict import Prediction, predict
from kubectl_netpol.connection.resolve import Resolved, parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import position_text
from kubectl_netpol.engine.verdict import DirectionVerdict, Note, Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.names import is_object_name
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.model.ports import parse_ports, parse_protocol
from kubectl_netpol.model.workloads import controllers, pod_title, pods_of
from kubectl_netpol.render.changes import entries

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.analysis.changes import Change, Changes
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot

_WORDS = 3


# What plugins are free to see in one way or the other, whatever the policies say.
_READINGS = (Code.HOST_NETWORK, Code.OWN_NODE, Code.SOURCE_REWRITTEN, Code.DESTINATION_REWRITTEN)


def allow_names(arguments: argparse.Namespace, console: Console) -> tuple[Policy, ...]:
    """The policies to print: none where the connection is allowed already."""
    snapshot, verdicts = _asked(arguments, console)
    wish = _wish(arguments, verdicts)
    plan = minimal_policies(snapshot, verdicts, wish)
    if not plan.policies:
        _say_allowed(verdicts, console)
        _check_answers(verdicts, arguments, console)
        for note in plan.notes:
            console.note(note)
        return ()
    after, comparison = tried(snapshot, plan.policies, console)
    afterwards = [predict(after, verdict.request) for verdict in verdicts]
    _check_answers(afterwards, arguments, console)
    for note in plan.notes:
        console.note(note)
    for verdict in afterwards:
        for caveat in verdict.caveats:
            console.warning(caveat.message)
    source = verdicts[0].request.source.pod
    if source and wish.dns is not False and (blocked := resolvers_blocked(after, source)):
        console.warning(f"{source.key} can't resolve names: {blocked.port_title} is blocked")
    besides = _besides(snapshot, verdicts, comparison, plan)
    if arguments.strict:
        refuse_side_effects(after, comparison, besides)
    say(after, comparison, console, verbose=arguments.verbose)
    for what, *_ in entries(besides, verbose=arguments.verbose):
        console.warning(f"that includes what was not asked for: {what.strip()}")
    return plan.policies


def _asked(arguments: argparse.Namespace, console: Console) -> tuple[Snapshot, list[Prediction]]:
    if len(arguments.words) != _WORDS:
        raise UsageError(
            f"{len(arguments.words)} words given", "write SOURCE DESTINATION PORT, or labels: --from, --to and --port"
        )
    source, destination, port = arguments.words
    if "=" in source or "=" in destination:
        words = shlex.join(["--from", source, "--to", destination, "--port", port])
        raise UsageError("these are labels, not names", f"kubectl netpol allow {words}")
    if arguments.name is not None and not is_object_name(arguments.name):
        raise UsageError(f'"{arguments.name}" is no name for a policy', "at most 253 of a-z 0-9 . -, such as allow-web")
    ports, protocol = parse_ports(port), parse_protocol(arguments.protocol)
    world = open_inputs(arguments, console)
    here, there = (parse_reference(typed, world.namespace) for typed in (source, destination))
    snapshot = world.read(scope_of(here, there, everywhere=True, workloads=True))
    named = resolve_destination(snapshot, there)
    sender = _another_replica(snapshot, resolve_source(snapshot, here), named)
    return snapshot, [predict(snapshot, request(snapshot, sender, named, number, protocol)) for number in ports]


def _another_replica(snapshot: Snapshot, source: Resolved, destination: Resolved) -> Resolved:
    """A workload that reaches itself does so from one replica to another: from one to come where there is one only."""
    pod = source.pod
    if pod is None or destination.pod is not pod or not (source.workload or destination.workload):
        return source
    workload = source.workload or destination.workload
    others = [other for other in pods_of(snapshot, workload) if other is not pod] if workload else []
    return source._replace(pod=others[0] if others else pod._replace(name=f"{pod.name}-next", ips=(), planned=True))


def _wish(arguments: argparse.Namespace, verdicts: Sequence[Prediction]) -> AllowOptions:
    forced: tuple[Direction, ...] = ()
    if arguments.both:
        forced = (Direction.EGRESS, Direction.INGRESS)
    elif arguments.egress:
        forced = (Direction.EGRESS,)
    elif arguments.always and all(verdict.verdict is not Verdict.BLOCKED for verdict in verdicts):
        at_pod = any(route.connection.destination.pod for verdict in verdicts for route in verdict.routes)
        forced = (Direction.INGRESS if at_pod else Direction.EGRESS,)
    return AllowOptions(arguments.named_port, forced, arguments.dns, arguments.name)


def _check_answers(verdicts: Sequence[Prediction], arguments: argparse.Namespace, console: Console) -> None:
    """NetpolError where the connection is not allowed; a warning where that depends on the plugin."""
    for verdict in verdicts:
        if verdict.verdict is Verdict.ALLOWED:
            continue
        why = verdict.reason or Note(Code.ENDPOINTS_DIFFER, "its endpoints differ")
        tolerated = why.code in _READINGS and not arguments.strict
        if verdict.verdict is Verdict.BLOCKED or not (arguments.always or tolerated):
            hint = "kubectl netpol explain SOURCE DESTINATION PORT tells more"
            if verdict.verdict is Verdict.UNDEFINED:
                option = "without --strict" if why.code in _READINGS else "with --always"
                hint = f"{option} a policy is printed all the same"
            raise NetpolError(f"no NetworkPolicy can be shown to open this: {why.message}", hint)
        console.warning(why.message)


def _say_allowed(verdicts: Sequence[Prediction], console: Console) -> None:
    for verdict in verdicts:
        if verdict.verdict is not Verdict.ALLOWED:
            continue
        request = verdict.request
        sides = [_side_text(verdict, side) for side in (verdict.egress, verdict.ingress)]
        port = f"port {request.port}/{request.protocol}"
        console.note(f"allowed already on {port}: {'; '.join(filter(None, sides))}")
    ingress = [route.ingress for verdict in verdicts for route in verdict.routes]
    if ingress and not any(side.isolated_by for side in ingress):
        console.note("a policy would cut off whoever else uses it; --always prints one all the same")


def _side_text(verdict: Prediction, side: DirectionVerdict) -> str:
    ingress = side.direction is Direction.INGRESS
    ends = [route.connection.destination if ingress else route.connection.source for route in verdict.routes]
    pod = next((end.pod for end in ends if end.pod), None)
    if pod is None:
        return ""
    if not side.isolated_by:
        return f"nothing isolates {pod.key} for {side.direction.field}"
    rules = [f"{allow.policy.key} {position_text(side.direction, allow.rule.position)}" for allow in side.allowed_by]
    way = "in" if ingress else "out"
    return f"{' and '.join(rules) or 'no rule'} let{'s' if len(rules) == 1 else ''} it {way}"


def _besides(
    snapshot: Snapshot, verdicts: Sequence[Prediction], comparison: Changes, plan: MinimalPolicies
) -> list[Change]:
    """What opens for others than the two ends asked about; the way to DNS is a part of what was asked."""
    owners = controllers(snapshot)
    ends = [
        {pod_title(end.pod, owners) if end.pod else end.address for end in found}
        for found in zip(
            *(
                (route.connection.source, route.connection.destination)
                for verdict in verdicts
                for route in verdict.routes
            ),
            strict=True,
        )
    ]
    found = []
    for effect in comparison.opens:
        if plan.dns and all((cause.policy, cause.direction, cause.position) == plan.dns for cause in effect.because):
            continue
        sources = tuple(party for party in effect.sources if party.title not in ends[0])
        destinations = tuple(party for party in effect.destinations if party.title not in ends[1])
        if sources or destinations:
            found.append(
                effect._replace(sources=sources or effect.sources, destinations=destinations or effect.destinations)
            )
    return found
