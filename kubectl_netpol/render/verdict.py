"""The verdict on a connection as text: the verdict first, then each direction and its closest rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count, match_text, names_text, near_miss_text, policy_text, where_text
from kubectl_netpol.engine.verdict import DirectionVerdict, NearMiss, Note, Verdict
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.render.text import FEW, UNLIMITED, Names, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.connection.labels import HelpfulLabels
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.console import Console
    from kubectl_netpol.engine.verdict import RuleMatch
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy

VERDICT_STYLES = {Verdict.ALLOWED: "green", Verdict.BLOCKED: "red", Verdict.UNDEFINED: "yellow"}
TO_ITSELF = "no policy applies to a pod's connections to itself"


def arrow(request: Request, names: Names) -> str:
    """Such as "san → nginx, TCP 80 (pod port 8080)"."""
    port = request.port if request.port is not None else "?"
    text = f"{names.end(request.source)} → {names.end(request.destination)}, {request.protocol} {port}"
    pod_ports = sorted({route.port for route in request.routes})
    if request.service and pod_ports and pod_ports != [request.port]:
        what = "pod" if request.routes[0].destination.pod else "endpoint"
        text += f" ({what} port {', '.join(map(str, pod_ports))})"
    return text


def verdict_text(
    prediction: Prediction,
    names: Names,
    console: Console,
    *,
    verbose: bool = False,
    helpful: Sequence[HelpfulLabels] = (),
) -> str:
    """`helpful`: labels that would open it without another policy."""
    word = console.paint(prediction.verdict.value, VERDICT_STYLES[prediction.verdict])
    lines = [f"{word}: {arrow(prediction.request, names)}"]
    if prediction.reason and prediction.verdict is Verdict.UNDEFINED:
        lines.append(f"  {prediction.reason.message}")
    if prediction.routes:
        lines += side_lines(prediction, names, verbose=verbose)
    lines += [f"  label:   {_label_text(one, names)}" for one in helpful[: UNLIMITED if verbose else FEW]]
    if verbose or len({route.verdict for route in prediction.routes}) > 1:
        for route in prediction.routes if len(prediction.routes) > 1 else ():
            target = route.connection.destination
            title = names.short(target.pod.namespace, target.pod.name) if target.pod else target.title
            lines.append(f"  {title} port {route.connection.port}: {route.verdict.value}")
    lines += [f"  note: {note.message}" for note in prediction.caveats]
    return wrapped(lines, console)


def _label_text(found: HelpfulLabels, names: Names) -> str:
    """Such as "with open=true on reader, open selects it, and its egress[0] lets it out"."""
    labels = ",".join(f"{key}={value}" for key, value in found.labels)
    way = "lets it in" if found.direction is Direction.INGRESS else "lets it out"
    pod, other = names.short(found.pod.namespace, found.pod.name), found.match.policy.title
    return f"with {labels} on {pod}, {other} selects it, and {where_text(found.match.rule)} {way}"


def side_lines(prediction: Prediction, names: Names, *, verbose: bool = False) -> list[str]:
    """One line per direction, followed by the near misses where it does not allow. All are indented."""
    lines = []
    route = prediction.routes[0]
    stated = prediction.reason if prediction.verdict is Verdict.UNDEFINED else None
    source, destination = (names.end(end) for end in (prediction.request.source, prediction.request.destination))
    for side, pod, other in (
        (prediction.egress, route.connection.source.pod, destination),
        (prediction.ingress, route.connection.destination.pod, source),
    ):
        label = f"{side.direction.field + ':':8}"
        text = side_text(side, pod, names, other, stated=stated, from_node=from_node(prediction), verbose=verbose)
        lines.append(f"  {label} {TO_ITSELF if reaches_itself(prediction) else text}")
        if side.verdict is not Verdict.ALLOWED:
            nearest = with_misses(side.near_misses)
            shown = nearest[: UNLIMITED if verbose else FEW]
            for near in shown:
                rows = with_misses((near, *near.peers)) if verbose else [near]
                lines += [f"  {'':8}   {near_text(one, prediction)}" for one in rows]
            if more := len(nearest) - len(shown):
                lines.append(f"  {'':8}   and {count(more, 'more rule')} (-v)")
    return lines


def reaches_itself(prediction: Prediction) -> bool:
    """Whether a pod connects to its own address, so that isolation does not matter."""
    return any(note.code is Code.OWN_ADDRESS for note in prediction.caveats)


def side_text(
    side: DirectionVerdict,
    pod: Pod | None,
    names: Names,
    other: str = "it",
    *,
    stated: Note | None = None,
    from_node: bool = False,
    verbose: bool = False,
) -> str:
    """One direction in a sentence. `other` names the other end; a reason that was `stated` is not repeated.

    `from_node`: the source is a node.
    """
    if pod is None:
        return "no pod at this end, so no policy applies"
    title = names.short(pod.namespace, pod.name)
    passed = "".join(f"{_tier_rule(match)} passes it on; " for match in side.passed_by)
    reason = ""
    if side.reason:
        repeated = side.verdict is Verdict.UNDEFINED and side.reason == stated
        reason = "undefined" if repeated else side.reason.message
    by_itself = "" if side.reason or side.allowed_by else _regardless_text(side, title, from_node=from_node)
    text = _tiers_text(side, title) or by_itself or _isolation_text(side, title, other, reason, verbose=verbose)
    return passed + text


def _regardless_text(side: DirectionVerdict, title: str, *, from_node: bool) -> str:
    """Why it is allowed by no rule though policies apply: a tier left it to later ones, or it is the pod's own node."""
    if side.verdict is not Verdict.ALLOWED or not side.isolated_by:
        return ""
    if any(match.policy.place for match in side.passed_by):
        return f"no later policy applies to {title}, so it is allowed"
    if from_node and side.direction is Direction.INGRESS:
        policies = names_text([policy.title for policy in side.isolated_by], FEW)
        return f"a pod's own node is always let in; {title} is isolated by {policies}"
    return ""


def from_node(prediction: Prediction) -> bool:
    return any(route.connection.source.node for route in prediction.routes)


def with_misses(near_misses: Iterable[NearMiss]) -> list[NearMiss]:
    """Those of which it is known what they miss: a rule does not match a finished pod, whatever it requires."""
    return [near for near in near_misses if near.misses]


def _tiers_text(side: DirectionVerdict, title: str) -> str:
    """What a rule of a tier decides, or that none does and nothing else either; "" where NetworkPolicies decide."""
    if side.verdict is Verdict.BLOCKED and side.denied_by:
        return f"denied by {_tier_rules(side.denied_by)}"
    if side.verdict is Verdict.ALLOWED and side.allowed_by and _ordered(side.allowed_by[0].policy):
        return f"allowed by {_tier_rules(side.allowed_by)}"
    if side.verdict is Verdict.ALLOWED and side.tiered_by and not side.isolated_by:
        asked = [policy_text(policy) for policy in side.tiered_by]
        unmatched = "" if side.passed_by else f"no rule of {names_text(asked, FEW)} matches, and "
        return f"{unmatched}no policy isolates {title}, so it is allowed"
    return ""


def _ordered(policy: Policy) -> bool:
    """Whether it is one of a tier, so that what orders it is said."""
    return policy.tier is not None or policy.place is not None


def _isolation_text(side: DirectionVerdict, title: str, other: str, reason: str, *, verbose: bool) -> str:
    """What the NetworkPolicies decide."""
    if not side.isolated_by:
        return reason or f"no policy isolates {title}, so everything is allowed"
    policies = names_text([policy.title for policy in side.isolated_by], UNLIMITED if verbose else FEW)
    if side.verdict is Verdict.ALLOWED and side.allowed_by:
        allows = [match_text(match) for match in side.allowed_by]
        return f"allowed by {names_text(allows, UNLIMITED if verbose else 1)}; {title} is isolated by {policies}"
    if side.verdict is Verdict.UNDEFINED and side.reason:
        return f"{reason}; {title} is isolated by {policies}"
    if reason and any(policy.place for policy in side.isolated_by):
        return reason
    if side.verdict is Verdict.ALLOWED:
        return f"allowed regardless of the rules; {title} is isolated by {policies}"
    verb = "isolates" if len(side.isolated_by) == 1 else "isolate"
    ingress = side.direction is Direction.INGRESS
    lets = f"lets {other} in" if ingress else f"lets {title} reach {'that' if other == 'it' else other}"
    return f"{policies} {verb} {title}, and no rule {lets}"


def _tier_rules(matches: Sequence[RuleMatch]) -> str:
    return " and ".join(map(_tier_rule, matches))


def _tier_rule(match: RuleMatch) -> str:
    """The rule with the tier and priority of its policy."""
    tier = policy_text(match.policy).removeprefix(match.policy.title)
    return f"{match_text(match)}{tier}"


def near_text(near: NearMiss, prediction: Prediction) -> str:
    """The rule by policy and position, and why it does not match."""
    connection = prediction.routes[0].connection if prediction.routes else None
    where = where_text(near.rule, near.peer)
    return f"{near.policy.title} {where}: {near_miss_text(near, connection)}"
