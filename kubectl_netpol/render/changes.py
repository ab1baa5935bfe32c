"""What policies change, as sentences for `allow`, as a listing and as JSON for `diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.groups import OUTSIDE_TITLE
from kubectl_netpol.engine.phrases import names_text, position_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.render.objects import note_object
from kubectl_netpol.render.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.analysis.changes import Cause, Changes, ConnectionChange, IsolatedMember
    from kubectl_netpol.analysis.port_classes import PortClass
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot

Object = dict[str, Any]
MANY = 5
MANY_ENTRIES = 20
_UNLIMITED = 1_000_000


def isolation_texts(changes: Changes, *, verbose: bool = False) -> list[tuple[bool, str]]:
    """For each workload that a changed policy isolates: (whether anything loses access, the sentence)."""
    found = []
    for isolated in dict.fromkeys(changes.isolated):
        text = _loss_text(changes, isolated, _UNLIMITED if verbose else MANY)
        head = f"isolates {isolated.member.title} for {isolated.direction.field}"
        if text:
            found.append((True, f"{head}: {text}"))
        elif isolated.newly:
            found.append((False, f"{head}: nothing else had access that it loses"))
        else:
            found.append((False, f"{head}, as other policies do already: nothing is cut off"))
    return _cut(sorted(found, key=lambda entry: not entry[0]), MANY, verbose=verbose)


def _cut(found: list[tuple[bool, str]], limit: int, *, verbose: bool) -> list[tuple[bool, str]]:
    if verbose or len(found) <= limit:
        return found
    rest = found[limit:]
    return [*found[:limit], (any(cuts for cuts, _ in rest), f"the same for {len(rest)} more; -v lists them")]


def _loss_text(changes: Changes, isolated: IsolatedMember, limit: int) -> str:
    """Who loses access, or what can't be reached any more; "" where nothing."""
    ingress = isolated.direction is Direction.INGRESS
    rows = [
        change
        for change in changes.closes
        if isolated.member in (change.destinations if ingress else change.sources)
        and any(cause.direction is isolated.direction for cause in change.because)
    ]
    others = {
        member.title: None
        for change in rows
        if not change.other_ports_open
        for member in (change.sources if ingress else change.destinations)
    }
    outside = others.pop(OUTSIDE_TITLE, 0) is None
    some_ports = [change.ports for change in rows if change.other_ports_open and not change.ports.undeclared]
    names = sorted(others)
    pieces = [*names[:limit], *([f"{len(names) - limit} more"] if len(names) > limit else [])]
    pieces += [ports_text(some_ports)] if some_ports else []
    verb = "lose access" if ingress else "can't be reached any more"
    if len(pieces) == 1 and ingress and len(some_ports) <= 1:
        verb = "loses access"
    maybe = "" if all(change.after is Verdict.BLOCKED for change in rows) else " (some of it depends on the plugin)"
    if pieces and outside:
        return f"{_joined(pieces)} {verb}, and so does everything {OUTSIDE_TITLE}{maybe}".replace(
            "any more, and so does", "any more, nor can"
        )
    if outside:
        return f"everything {OUTSIDE_TITLE} {'loses access' if ingress else verb}{maybe}"
    return f"{_joined(pieces)} {verb}{maybe}" if pieces else ""


def ports_text(ports: Iterable[PortClass]) -> str:
    """Ports in words: "port 80", "ports 80, 53/UDP", "every other port"."""
    named, rest = [], []
    for item in sorted(set(ports), key=lambda item: (item.other, item.protocol != "TCP", item.protocol, item.first)):
        suffix = "" if item.protocol == "TCP" else f"/{item.protocol}"
        if item.other:
            words = ("every", "" if item.first < item.last else "other", "" if not suffix else item.protocol, "port")
            rest.append(" ".join(filter(None, words)))
        else:
            named.append(f"{item.first}{'' if item.first == item.last else f'-{item.last}'}{suffix}")
    head = [f"port{'s' if len(named) > 1 else ''} {', '.join(named)}"] if named else []
    return _joined([*head, *rest])


def _joined(pieces: Sequence[str]) -> str:
    """As people list things: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(pieces[:-1]), *pieces[-1:]]))


def unread_texts(snapshot: Snapshot, changes: Changes, *, verbose: bool = False) -> list[str]:
    """Why some connections can't be told: what is undecided, and the pods and policies that could not be read."""
    gaps = [gap.message for gap in snapshot.gaps if gap.resource in ("pods", "networkpolicies")]
    found = list(dict.fromkeys([*gaps, *(note.message for note in changes.undetermined)]))
    if verbose or len(found) <= MANY:
        return found
    return [*found[:MANY], f"{len(found) - MANY} more reasons; -v lists them"]


def changes_text(changes: Changes, console: Console, *, verbose: bool = False) -> str:
    """What opens and what closes, by destination, each with the policy and rule responsible."""
    lines: list[str] = []
    for title, found, style in (("opens", changes.opens, "green"), ("closes", changes.closes, "red")):
        listed = entries([change for change in found if verbose or not change.ports.undeclared], verbose=verbose)
        shown = listed if verbose else listed[:MANY_ENTRIES]
        if shown:
            lines.append(console.paint(title, style))
            lines += [line for entry in shown for line in entry]
        if len(shown) < len(listed):
            lines.append(f"  and {len(listed) - len(shown)} more; -v lists them")
    return wrapped(lines, console)


def entries(changes: Sequence[ConnectionChange], *, verbose: bool) -> list[list[str]]:
    """An entry for everything that happens to the same two ends for the same reasons."""
    limit = _UNLIMITED if verbose else MANY
    merged: dict[tuple[Any, ...], list[ConnectionChange]] = {}
    for change in changes:
        sure = Verdict.UNDEFINED not in (change.before, change.after)
        key = (change.destinations, change.sources, change.because, sure, change.other_ports_open)
        merged.setdefault(key, []).append(change)
    entries = []
    for (destinations, sources, because, sure, _), rows in merged.items():
        ports = ports_text(row.ports for row in rows)
        maybe = "" if sure else "  (perhaps: it depends on the plugin)"
        here, there = (names_text([member.title for member in members], limit) for members in (sources, destinations))
        entries.append([f"  {here} -> {there}: {ports}{maybe}", *(f"      {cause_text(cause)}" for cause in because)])
    return sorted(entries)


def cause_text(cause: Cause) -> str:
    """Why: "shop/deny isolates the destination for ingress", "shop/allow ingress[0] no longer allows it"."""
    if cause.position is None:
        verb = "no longer isolates" if cause.gone else "isolates"
        end = "the destination" if cause.direction is Direction.INGRESS else "the source"
        return f"{cause.policy} {verb} {end} for {cause.direction.field}"
    verb = "no longer allows it" if cause.gone else "allows it"
    return f"{cause.policy} {position_text(cause.direction, cause.position)} {verb}"


def changes_object(changes: Changes) -> Object:
    """opens, closes, isolates and undetermined, for kind: Diff. Ports that nobody names are other: true."""
    return {
        "opens": [_effect_object(change) for change in changes.opens],
        "closes": [_effect_object(change) for change in changes.closes],
        "isolates": [
            {"name": one.member.title, "direction": one.direction.field, "newly": one.newly}
            for one in dict.fromkeys(changes.isolated)
        ],
        "undetermined": [note_object(note) for note in changes.undetermined],
    }


def _effect_object(change: ConnectionChange) -> Object:
    ports = change.ports
    span = (
        {"other": True} if ports.other and ports.first == ports.last else {"port": ports.first, "endPort": ports.last}
    )
    return {
        "sources": [member.title for member in change.sources],
        "destinations": [member.title for member in change.destinations],
        "protocol": ports.protocol,
        **span,
        "before": change.before.value,
        "after": change.after.value,
        "because": [_cause_object(cause) for cause in change.because],
    }


def _cause_object(cause: Cause) -> Object:
    namespace, name = cause.policy.split("/", 1)
    verb = "isolates" if cause.position is None else "allows"
    return {
        "namespace": namespace,
        "name": name,
        "direction": cause.direction.field,
        "rule": cause.position,
        "effect": f"no-longer-{verb}" if cause.gone else verb,
    }


def policy_change_object(policy: Policy, change: str) -> Object:
    """{namespace, name, change}; change is added, changed, deleted or unchanged."""
    return {"namespace": policy.namespace, "name": policy.name, "change": change}
