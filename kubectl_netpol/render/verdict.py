"""Results as text: the answer first, then why, aligned and cut to what a tired person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count, names_text, near_miss_text, position_text
from kubectl_netpol.engine.verdict import DirectionVerdict, NearMiss, Note, Verdict
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.render.text import FEW, MANY, Names, wrapped

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod

STYLE = {Verdict.ALLOWED: "green", Verdict.BLOCKED: "red", Verdict.UNDEFINED: "yellow"}
ITSELF = "no policy applies to what a pod sends to itself"
_WAY = {Direction.INGRESS: "in", Direction.EGRESS: "out"}


def arrow(request: Request, names: Names) -> str:
    """The connection: "san → nginx, TCP 80 (pod port 8080)"."""
    port = request.port if request.port is not None else "?"
    text = f"{names.end(request.source)} → {names.end(request.destination)}, {request.protocol} {port}"
    pod_ports = sorted({route.port for route in request.routes})
    if request.service and pod_ports and pod_ports != [request.port]:
        text += f" (pod port {', '.join(map(str, pod_ports))})"
    return text


def verdict_text(prediction: Prediction, names: Names, console: Console, *, verbose: bool = False) -> str:
    """The verdict in the first line, then each side."""
    word = console.paint(prediction.verdict.value, STYLE[prediction.verdict])
    lines = [f"{word}: {arrow(prediction.request, names)}"]
    if prediction.reason and prediction.verdict is Verdict.UNDEFINED:
        lines.append(f"  {prediction.reason.message}")
    if prediction.routes:
        lines += side_lines(prediction, names, verbose=verbose)
    if verbose or len({route.verdict for route in prediction.routes}) > 1:
        for route in prediction.routes if len(prediction.routes) > 1 else ():
            target = route.connection.destination
            title = names.short(target.pod.namespace, target.pod.name) if target.pod else target.title
            lines.append(f"  {title} port {route.connection.port}: {route.verdict.value}")
    lines += [f"  note: {note.message}" for note in prediction.caveats]
    return wrapped(lines, console)


def side_lines(prediction: Prediction, names: Names, *, verbose: bool = False) -> list[str]:
    """Two indented lines, one a direction, and the nearest misses of a direction that blocks."""
    lines = []
    route = prediction.routes[0]
    source, destination = (names.end(end) for end in (prediction.request.source, prediction.request.destination))
    for side, named_pod, other in (
        (prediction.egress, route.connection.source.pod, destination),
        (prediction.ingress, route.connection.destination.pod, source),
    ):
        label = f"{side.direction.field + ':':8}"
        text = side_text(side, named_pod, names, other, told=prediction.reason, verbose=verbose)
        lines.append(f"  {label} {ITSELF if to_itself(prediction) else text}")
        if side.verdict is not Verdict.ALLOWED:
            shown = side.near_misses[: MANY if verbose else FEW]
            lines += [f"  {'':8}   {near_text(near, prediction)}" for near in shown]
            if more := len(side.near_misses) - len(shown):
                lines.append(f"  {'':8}   and {count(more, 'rule')} more (-v)")
    return lines


def to_itself(prediction: Prediction) -> bool:
    """Whether a pod dials its own address, so that whoever isolates it does not matter."""
    return any(note.code is Code.OWN_ADDRESS for note in prediction.caveats)


def side_text(
    side: DirectionVerdict,
    pod: Pod | None,
    names: Names,
    other: str = "it",
    *,
    told: Note | None = None,
    verbose: bool = False,
) -> str:
    """One direction in a sentence; `other` is the end that wants to come in, or be reached.

    A reason that was `told` already is not told again.
    """
    if pod is None:
        return "no pod at this end, so no policy applies"
    title = names.short(pod.namespace, pod.name)
    way = _WAY[side.direction]
    reason = "undefined" if side.reason == told else side.reason.message if side.reason else ""
    if not side.isolated_by:
        if side.reason:
            return reason
        return f"no policy isolates {title}, so everything may {'come' if way == 'in' else 'go'} {way}"
    policies = names_text([policy.name for policy in side.isolated_by], MANY if verbose else FEW)
    if side.verdict is Verdict.ALLOWED and side.allowed_by:
        allows = [
            f"{allow.policy.name} {position_text(side.direction, allow.rule.position, allow.peer)}"
            for allow in side.allowed_by
        ]
        return f"allowed by {names_text(allows, MANY if verbose else 1)}; {title} is isolated by {policies}"
    if side.verdict is Verdict.UNDEFINED and side.reason:
        return f"{reason}; {title} is isolated by {policies}"
    if side.verdict is Verdict.ALLOWED:
        return f"allowed whatever the rules say; {title} is isolated by {policies}"
    verb = "isolates" if len(side.isolated_by) == 1 else "isolate"
    lets = f"lets {other} in" if way == "in" else f"lets {title} reach {'that' if other == 'it' else other}"
    return f"{policies} {verb} {title}, and no rule {lets}"


def near_text(near: NearMiss, prediction: Prediction) -> str:
    """A near miss: where, and what keeps it from matching."""
    dialled = prediction.routes[0].connection.dialled if prediction.routes else None
    where = position_text(near.rule.direction, near.rule.position, near.peer)
    return f"{near.policy.name} {where}: {near_miss_text(near, dialled)}"
