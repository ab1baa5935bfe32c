"""Results as text: the answer first, then why, aligned and cut to what a tired person reads."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from kubectl_netpol.codes import Code
from kubectl_netpol.model import Direction
from kubectl_netpol.verdict import Answer, DirectionVerdict
from kubectl_netpol.words import count, near_miss_text, peer_text, ports_text, position_text, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.isolation import Explanation, Isolation, PeerMatches
    from kubectl_netpol.judge import Verdict
    from kubectl_netpol.model import Pod
    from kubectl_netpol.resolve import Named
    from kubectl_netpol.routes import Request
    from kubectl_netpol.verdict import NearMiss, Note

STYLE = {Answer.ALLOWED: "green", Answer.BLOCKED: "red", Answer.UNDEFINED: "yellow"}
ITSELF = "no policy applies to what a pod sends to itself"
_COLOURED = re.compile(r"(\033\[\d+m)(\S+)(\033\[0m)")
_FEW = 3
_NARROWEST = 40
_MANY = 10_000
_WAY = {Direction.INGRESS: "in", Direction.EGRESS: "out"}


class Names:
    """Names of pods and policies as short as they can be: without the namespace that -n says."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def short(self, namespace: str, name: str) -> str:
        """`name`, or `namespace/name` elsewhere."""
        return name if namespace == self.namespace else f"{namespace}/{name}"

    def end(self, named: Named) -> str:
        """One end as it was meant."""
        if named.workload:
            return self.short(named.workload.namespace, f"{named.workload.kind.lower()}/{named.workload.name}")
        if named.pod:
            return self.short(named.pod.namespace, named.pod.name)
        if named.service:
            return self.short(named.service.namespace, named.service.name)
        return named.host or named.end.title

    def pods(self, pods: Iterable[Pod], limit: int) -> str:
        """Some of the pods' names."""
        return some([self.short(pod.namespace, pod.name) for pod in pods], limit)


def arrow(request: Request, names: Names) -> str:
    """The connection: "san → nginx, TCP 80 (pod port 8080)"."""
    port = request.port if request.port is not None else "?"
    text = f"{names.end(request.source)} → {names.end(request.destination)}, {request.protocol} {port}"
    pod_ports = sorted({route.port for route in request.routes})
    if request.service and pod_ports and pod_ports != [request.port]:
        text += f" (pod port {', '.join(map(str, pod_ports))})"
    return text


def verdict_text(verdict: Verdict, names: Names, console: Console, *, verbose: bool = False) -> str:
    """The verdict in the first line, then each side."""
    word = console.paint(verdict.answer.value, STYLE[verdict.answer])
    lines = [f"{word}: {arrow(verdict.request, names)}"]
    if verdict.reason and verdict.answer is Answer.UNDEFINED:
        lines.append(f"  {verdict.reason.message}")
    if verdict.routes:
        lines += side_lines(verdict, names, verbose=verbose)
    if verbose or len({route.answer for route in verdict.routes}) > 1:
        for route in verdict.routes if len(verdict.routes) > 1 else ():
            target = route.connection.destination
            title = names.short(target.pod.namespace, target.pod.name) if target.pod else target.title
            lines.append(f"  {title} port {route.connection.port}: {route.answer.value}")
    lines += [f"  note: {note.message}" for note in verdict.caveats]
    return wrapped(lines, console)


def side_lines(verdict: Verdict, names: Names, *, verbose: bool = False) -> list[str]:
    """Two indented lines, one a direction, and the nearest misses of a direction that blocks."""
    lines = []
    route = verdict.routes[0]
    source, destination = (names.end(end) for end in (verdict.request.source, verdict.request.destination))
    for side, named_pod, other in (
        (verdict.egress, route.connection.source.pod, destination),
        (verdict.ingress, route.connection.destination.pod, source),
    ):
        label = f"{side.direction.field + ':':8}"
        text = side_text(side, named_pod, names, other, told=verdict.reason, verbose=verbose)
        lines.append(f"  {label} {ITSELF if to_itself(verdict) else text}")
        if side.answer is not Answer.ALLOWED:
            shown = side.near_misses[: _MANY if verbose else _FEW]
            lines += [f"  {'':8}   {near_text(near, verdict)}" for near in shown]
            if more := len(side.near_misses) - len(shown):
                lines.append(f"  {'':8}   and {count(more, 'rule')} more (-v)")
    return lines


def to_itself(verdict: Verdict) -> bool:
    """Whether a pod dials its own address, so that whoever isolates it does not matter."""
    return any(note.code is Code.OWN_ADDRESS for note in verdict.caveats)


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
    policies = some([policy.name for policy in side.isolated_by], _MANY if verbose else _FEW)
    if side.answer is Answer.ALLOWED and side.allowed_by:
        allows = [
            f"{allow.policy.name} {position_text(side.direction, allow.rule.position, allow.peer)}"
            for allow in side.allowed_by
        ]
        return f"allowed by {some(allows, _MANY if verbose else 1)}; {title} is isolated by {policies}"
    if side.answer is Answer.UNDEFINED and side.reason:
        return f"{reason}; {title} is isolated by {policies}"
    if side.answer is Answer.ALLOWED:
        return f"allowed whatever the rules say; {title} is isolated by {policies}"
    verb = "isolates" if len(side.isolated_by) == 1 else "isolate"
    lets = f"lets {other} in" if way == "in" else f"lets {title} reach {'that' if other == 'it' else other}"
    return f"{policies} {verb} {title}, and no rule {lets}"


def near_text(near: NearMiss, verdict: Verdict) -> str:
    """A near miss: where, and what keeps it from matching."""
    dialled = verdict.routes[0].connection.dialled if verdict.routes else None
    where = position_text(near.rule.direction, near.rule.position, near.peer)
    return f"{near.policy.name} {where}: {near_miss_text(near, dialled)}"


def explanation_text(explanation: Explanation, names: Names, console: Console, *, verbose: bool = False) -> str:
    """A pod's policies: who selects it, what may come in and go out, and what stands around it."""
    pod = explanation.pod
    labels = ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
    policies = [policy.name for policy in explanation.selected_by]
    limit = _MANY if verbose else 5
    lines = [
        f"{console.paint(pod.key, 'bold')} ({labels})",
        f"selected by {some(policies, limit)}" if policies else "selected by no policy",
        *_isolation_lines(explanation.ingress, pod, names, console, verbose=verbose),
        *_isolation_lines(explanation.egress, pod, names, console, verbose=verbose),
    ]
    for front in explanation.services:
        target = f"pod port {front.pod_port}" if front.pod_port else "no port of that name on this pod"
        port = f"{front.name} {front.number}" if front.name else str(front.number)
        lines.append(f"Service {front.service.name}: {front.protocol} {port} → {target}")
    if explanation.mentioned_by:
        found = [
            f"{names.short(policy.namespace, policy.name)} {position_text(rule.direction, rule.position, peer)}"
            for policy, rule, peer in explanation.mentioned_by
        ]
        lines.append(f"named as a peer by {some(found, limit)}")
    return wrapped(lines, console)


def _isolation_lines(side: Isolation, pod: Pod, names: Names, console: Console, *, verbose: bool) -> list[str]:
    label = console.paint(f"{side.direction.field}:", "bold")
    come = "come in" if side.direction is Direction.INGRESS else "go out"
    if side.unknown:
        return [f"{label} not known: {side.unknown.message}"]
    if not side.isolated_by:
        return [f"{label} not affected by any policy: everything may {come}"]
    isolated = f"isolated by {some([policy.name for policy in side.isolated_by], _MANY if verbose else 5)}"
    if not side.rules:
        return [f"{label} {isolated}: nothing may {come}"]
    rows = []
    for entry in side.rules:
        for match in entry.peers:
            item = match.position if len(entry.peers) > 1 else None
            where = f"{entry.policy.name} {position_text(side.direction, entry.rule.position, item)}"
            ports = ports_text(entry.rule, pod if side.direction is Direction.INGRESS else None)
            rows.append((peer_text(match.peer, entry.policy), ports, where, _pods_now(match, names, verbose=verbose)))
    shown = rows if verbose else rows[:10]
    lines = [f"{label} {isolated}; only this may {come}:"]
    end = "from" if side.direction is Direction.INGRESS else "to"
    columns = table(((end.upper(), "PORTS", "ALLOWED BY", "PODS NOW"), *shown), indent="  ")
    if fits(columns, console):
        lines += columns
    else:
        for peer, ports, where, pods in shown:
            lines += [f"  {end} {peer}: {ports}", f"    by {where}; pods now: {pods}"]
    if more := len(rows) - len(shown):
        lines.append(f"  and {more} more (-v)")
    return lines


def _pods_now(match: PeerMatches, names: Names, *, verbose: bool) -> str:
    if match.peer is None:
        return "any"
    if match.unknown:
        return f"not known: {match.unknown.message}"
    if not match.pods:
        return "none"
    listed = names.pods(match.pods, _MANY if verbose else _FEW)
    return listed if len(match.pods) <= _FEW else f"{len(match.pods)}: {listed}"


def overview_text(explanations: Sequence[Explanation], *, namespaced: bool = False) -> str:
    """One line a pod; `namespaced`: with its namespace."""
    rows: list[tuple[str, ...]] = [("POD", "INGRESS", "EGRESS", "POLICIES")]
    for explanation in explanations:
        sides = [
            "?" if side.unknown else ("isolated" if side.isolated_by else "open")
            for side in (explanation.ingress, explanation.egress)
        ]
        name = explanation.pod.key if namespaced else explanation.pod.name
        rows.append((name, *sides, str(len(explanation.selected_by))))
    return "\n".join(table(rows))


def table(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Columns aligned with three spaces between, as kubectl prints them; the last is not padded."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent + "   ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in rows
    ]


def fits(lines: Iterable[str], console: Console) -> bool:
    """Whether none of the lines is wider than the terminal."""
    return all(len(line) <= console.width for line in lines)


def wrapped(lines: Iterable[str], console: Console) -> str:
    """The lines, each folded at the width with its own indentation and two more; tables are left as they are.

    A colour may only be on a line's first word.
    """
    folded: list[str] = []
    width = max(console.width, _NARROWEST)
    for line in lines:
        coloured = _COLOURED.match(line)
        plain = coloured[2] + line[coloured.end() :] if coloured else line
        if len(plain) <= width or "   " in plain.strip(" ")[8:]:
            folded.append(line)
            continue
        indent = " " * (len(plain) - len(plain.lstrip()) + 2)
        pieces = textwrap.wrap(plain, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if coloured:
            pieces[0] = coloured[0] + pieces[0].removeprefix(coloured[2])
        folded += pieces
    return "\n".join(folded)
