"""`allow SOURCE DESTINATION PORT`: the minimal policies, proved on a cluster or manifests before they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.minimal import AllowOptions, minimal_policies
from kubectl_netpol.allow.trial import unasked_changes
from kubectl_netpol.commands.common.allow_trial import refuse_side_effects, report, try_policies
from kubectl_netpol.commands.common.questions import scope_of
from kubectl_netpol.connection.dns import resolvers_blocked
from kubectl_netpol.connection.predict import Prediction, predict
from kubectl_netpol.connection.resolve import Resolved, parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import where_text
from kubectl_netpol.engine.verdict import DirectionVerdict, Note, Verdict
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.model.workloads import pods_of
from kubectl_netpol.render.changes import change_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot

# The API leaves open what a plugin sees, and no policy changes that.
_READINGS = (Code.HOST_NETWORK, Code.OWN_NODE, Code.SOURCE_REWRITTEN, Code.DESTINATION_REWRITTEN)


class NamesRequest(NamedTuple):
    """The arguments of `allow` with names. None: neither --dns nor --no-dns, no --name."""

    source: str
    destination: str
    ports: tuple[SinglePort, ...]
    egress: bool = False
    both: bool = False
    dns: bool | None = None
    name: str | None = None
    named_port: bool = False
    always: bool = False
    strict: bool = False


def allow_by_names(asked: NamesRequest, inputs: Inputs, *, verbose: bool) -> tuple[Policy, ...]:
    """The policies to print: none if the connection is already allowed."""
    console = inputs.console
    snapshot, predictions = _predictions(asked, inputs)
    minimal = minimal_policies(snapshot, predictions, _allow_options(asked, predictions))
    if not minimal.policies:
        _check_verdicts(predictions, asked, console)
        _note_allowed(predictions, console)
        for note in minimal.notes:
            console.note(note)
        return ()
    trial = try_policies(snapshot, minimal.policies, console)
    afterwards = [predict(trial.after, prediction.request) for prediction in predictions]
    _check_verdicts(afterwards, asked, console)
    for note in minimal.notes:
        console.note(note)
    for prediction in afterwards:
        for caveat in prediction.caveats:
            console.warning(caveat.message)
    source = predictions[0].request.source.pod
    if source and asked.dns is not False and (blocked := resolvers_blocked(trial.after, source)):
        console.warning(f"{source.key} can't resolve names: {blocked.port_title} is blocked")
    unasked = unasked_changes(snapshot, predictions, trial.changes, minimal)
    if asked.strict:
        refuse_side_effects(trial, unasked)
    report(trial, minimal.policies, console, verbose=verbose)
    for what, *_ in change_entries(unasked, verbose=verbose):
        console.warning(f"this also opens what was not asked for: {what.strip()}")
    return minimal.policies


def _predictions(asked: NamesRequest, inputs: Inputs) -> tuple[Snapshot, list[Prediction]]:
    here, there = (parse_reference(typed, inputs.namespace) for typed in (asked.source, asked.destination))
    snapshot = inputs.read(scope_of(here, there, everywhere=True, workloads=True))
    destination = resolve_destination(snapshot, there, here.namespace)
    source = _another_replica(snapshot, resolve_source(snapshot, here), destination)
    return snapshot, [
        predict(snapshot, request(snapshot, source, destination, port.port, port.protocol)) for port in asked.ports
    ]


def _another_replica(snapshot: Snapshot, source: Resolved, destination: Resolved) -> Resolved:
    """A workload that reaches itself does so from one replica to another: a planned one where there is only one."""
    pod = source.pod
    if pod is None or destination.pod is not pod or not (source.workload or destination.workload):
        return source
    workload = source.workload or destination.workload
    others = [other for other in pods_of(snapshot, workload) if other is not pod] if workload else []
    return source._replace(pod=others[0] if others else pod._replace(name=f"{pod.name}-next", ips=(), planned=True))


def _allow_options(asked: NamesRequest, predictions: Sequence[Prediction]) -> AllowOptions:
    forced: tuple[Direction, ...] = ()
    if asked.both:
        forced = (Direction.EGRESS, Direction.INGRESS)
    elif asked.egress:
        forced = (Direction.EGRESS,)
    elif asked.always and all(prediction.verdict is not Verdict.BLOCKED for prediction in predictions):
        forced = (_default_direction(predictions),)
    return AllowOptions(asked.named_port, forced, asked.dns, asked.name)


def _default_direction(predictions: Sequence[Prediction]) -> Direction:
    """Where a policy is written though none is missing: at the destination if a policy can select it."""
    ends = [route.connection.destination.pod for prediction in predictions for route in prediction.routes]
    return Direction.INGRESS if any(pod and not pod.host_network for pod in ends) else Direction.EGRESS


def _check_verdicts(predictions: Sequence[Prediction], asked: NamesRequest, console: Console) -> None:
    """NetpolError where the connection is not allowed; a warning where that depends on the plugin."""
    for prediction in predictions:
        if prediction.verdict is Verdict.ALLOWED:
            continue
        why = prediction.reason or Note(Code.ENDPOINTS_DIFFER, "its endpoints differ")
        tolerated = why.code in _READINGS and not asked.strict
        if prediction.verdict is Verdict.BLOCKED or not (asked.always or tolerated):
            hint = "kubectl netpol explain SOURCE DESTINATION PORT shows more"
            if prediction.verdict is Verdict.UNDEFINED:
                option = "without --strict" if why.code in _READINGS else "with --always"
                hint = f"{option} a policy is printed anyway"
            raise NetpolError(f"no NetworkPolicy can be shown to open this: {why.message}", hint)
        console.warning(why.message)


def _note_allowed(predictions: Sequence[Prediction], console: Console) -> None:
    allowed = [prediction for prediction in predictions if prediction.verdict is Verdict.ALLOWED]
    own = {note.message for prediction in allowed for note in prediction.caveats if note.code is Code.OWN_ADDRESS}
    for prediction in allowed:
        why = own or filter(None, (_side_text(prediction, side) for side in (prediction.egress, prediction.ingress)))
        request = prediction.request
        console.note(f"already allowed on port {request.port}/{request.protocol}: {'; '.join(why)}")
    direction = _default_direction(allowed)
    sides = [side for one in allowed for side in (one.egress, one.ingress) if not own and side.direction is direction]
    if sides and not any(side.isolated_by for side in sides):
        lost = "everyone else who uses it" if direction is Direction.INGRESS else "everything else it uses"
        console.note(f"a policy would cut off {lost}; --always prints one anyway")


def _side_text(prediction: Prediction, side: DirectionVerdict) -> str:
    ingress = side.direction is Direction.INGRESS
    ends = [route.connection.destination if ingress else route.connection.source for route in prediction.routes]
    pod = next((end.pod for end in ends if end.pod), None)
    if pod is None:
        return ""
    if not side.isolated_by and not side.allowed_by:
        return f"nothing isolates {pod.key} for {side.direction.field}"
    if not side.allowed_by:
        return f"{pod.key} always accepts traffic from its own node"
    rules = [f"{allow.policy.key} {where_text(allow.rule)}" for allow in side.allowed_by]
    way = "in" if ingress else "out"
    return f"{' and '.join(rules)} let{'s' if len(rules) == 1 else ''} it {way}"
