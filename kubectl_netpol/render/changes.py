"""Changes of access as notes for `allow`, and as text and JSON for `diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.groups import OUTSIDE_TITLE
from kubectl_netpol.engine.phrases import names_text, policy_text, position_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.policies import Action, Direction, Policy
from kubectl_netpol.model.ports import PROTOCOLS
from kubectl_netpol.render.json_objects import note_object, policy_object
from kubectl_netpol.render.text import UNLIMITED, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.analysis.change import Cause, Changes, ConnectionChange, IsolatedMember
    from kubectl_netpol.analysis.port_classes import PortClass
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot
    from kubectl_netpol.render.json_objects import Object

MOST_LISTED = 5
_MOST_ENTRIES = 20


def isolation_texts(changes: Changes, *, verbose: bool = False) -> list[tuple[bool, str]]:
    """(whether access is lost, sentence) per workload that a changed policy isolates, losses first."""
    found = []
    for isolated in dict.fromkeys(changes.isolated):
        text = _loss_text(changes, isolated, UNLIMITED if verbose else MOST_LISTED)
        head = f"isolates {isolated.member.title} for {isolated.direction.field}"
        if text:
            found.append((True, f"{head}: {text}"))
        elif isolated.newly:
            found.append((False, f"{head}: no existing access is lost"))
        else:
            found.append((False, f"{head}, as other policies already do: nothing is cut off"))
    return _limited(sorted(found, key=lambda entry: not entry[0]), verbose=verbose)


def _limited(found: list[tuple[bool, str]], *, verbose: bool) -> list[tuple[bool, str]]:
    if verbose or len(found) <= MOST_LISTED:
        return found
    rest = found[MOST_LISTED:]
    return [*found[:MOST_LISTED], (any(cuts for cuts, _ in rest), f"the same for {len(rest)} more; -v lists them")]


def _loss_text(changes: Changes, isolated: IsolatedMember, limit: int) -> str:
    """Who loses access, or what becomes unreachable; "" where nothing does."""
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
    ports = [change.ports for change in rows if change.other_ports_open and not change.ports.undeclared]
    names = sorted(others)
    listed = [*names[:limit], *([f"{len(names) - limit} more"] if len(names) > limit else [])]
    listed += [f"everything {OUTSIDE_TITLE}"] if outside else []
    maybe = "" if all(change.after is Verdict.BLOCKED for change in rows) else " (some of it depends on the plugin)"
    if ingress:
        losers = [f"{_joined(listed)} {'loses' if len(listed) == 1 else 'lose'} access"] if listed else []
        losers += [f"{'others' if listed else 'some'} lose access to {port_classes_text(ports)}"] if ports else []
        return f"{', '.join(losers)}{maybe}" if losers else ""
    targets = [_joined(listed)] if listed else []
    targets += [f"{port_classes_text(ports)}{' of others' if listed else ''}"] if ports else []
    return f"it loses access to {', and to '.join(targets)}{maybe}" if targets else ""


def port_classes_text(ports: Iterable[PortClass]) -> str:
    """Such as "port 80", "ports 80, 53/UDP", "port 80 and every other port"."""
    found = sorted(set(ports), key=lambda item: (PROTOCOLS.index(item.protocol), item.first))
    named = []
    for item in found:
        if not item.other:
            suffix = "" if item.protocol == "TCP" else f"/{item.protocol}"
            named.append(f"{item.first}{'' if item.first == item.last else f'-{item.last}'}{suffix}")
    rest = {item.protocol: item.first < item.last for item in found if item.other}  # and whether it is every one
    if len(rest) == len(PROTOCOLS):
        texts = ["every port" if all(rest.values()) else "every other port"]
    else:
        texts = [f"every {'' if whole else 'other '}{protocol} port" for protocol, whole in rest.items()]
    head = [f"port{'s' if len(named) > 1 else ''} {', '.join(named)}"] if named else []
    return _joined([*head, *texts])


def _joined(pieces: Sequence[str]) -> str:
    """Such as "a, b and c"."""
    return " and ".join(filter(None, [", ".join(pieces[:-1]), *pieces[-1:]]))


def unread_texts(snapshot: Snapshot, changes: Changes, *, verbose: bool = False) -> list[str]:
    """Why the changes may be incomplete: undetermined verdicts, and pods and policies that could not be read."""
    gaps = [gap.message for gap in snapshot.gaps if gap.resource in ("pods", "networkpolicies")]
    found = list(dict.fromkeys([*gaps, *(note.message for note in changes.undetermined)]))
    if verbose or len(found) <= MOST_LISTED:
        return found
    return [*found[:MOST_LISTED], f"{len(found) - MOST_LISTED} more reasons; -v lists them"]


def changes_text(changes: Changes, console: Console, *, verbose: bool = False) -> str:
    """What opens and what closes, sorted, each entry with the policies and rules responsible."""
    lines: list[str] = []
    for title, found, style in (("opens", changes.opens, "green"), ("closes", changes.closes, "red")):
        listed = change_entries([change for change in found if verbose or not change.ports.undeclared], verbose=verbose)
        shown = listed if verbose else listed[:_MOST_ENTRIES]
        if shown:
            lines.append(console.paint(title, style))
            lines += [line for entry in shown for line in entry]
        if len(shown) < len(listed):
            lines.append(f"  and {len(listed) - len(shown)} more; -v lists them")
    return wrapped(lines, console)


def change_entries(changes: Sequence[ConnectionChange], *, verbose: bool) -> list[list[str]]:
    """One entry per pair of ends, reason and certainty: the line on the connections, then one line per cause."""
    limit = UNLIMITED if verbose else MOST_LISTED
    merged: dict[tuple[Any, ...], list[ConnectionChange]] = {}
    for change in changes:
        sure = Verdict.UNDEFINED not in (change.before, change.after)
        key = (change.destinations, change.sources, change.because, sure, change.other_ports_open)
        merged.setdefault(key, []).append(change)
    found = []
    for (destinations, sources, because, sure, _), rows in merged.items():
        ports = port_classes_text(row.ports for row in rows)
        maybe = "" if sure else "  (depends on the plugin)"
        here, there = (names_text([member.title for member in members], limit) for members in (sources, destinations))
        found.append([f"  {here} -> {there}: {ports}{maybe}", *(f"      {cause_text(cause)}" for cause in because)])
    return sorted(found)


_VERBS = {Action.ALLOW: "allows", Action.DENY: "denies", Action.PASS: "passes"}


def cause_text(cause: Cause) -> str:
    """Such as "shop/deny isolates the destination for ingress", "shop/allow ingress[0] no longer allows it"."""
    if cause.position is None:
        verb = "no longer isolates" if cause.gone else "isolates"
        end = "the destination" if cause.direction is Direction.INGRESS else "the source"
        return f"{cause.policy} {verb} {end} for {cause.direction.field}"
    verb = f"no longer {_VERBS[cause.action]}" if cause.gone else _VERBS[cause.action]
    policy = policy_text(cause.tiered) if cause.tiered else cause.policy
    passed_on = " on" if cause.action is Action.PASS else ""
    return f"{policy} {cause.path or position_text(cause.direction, cause.position)} {verb} it{passed_on}"


def changes_object(changes: Changes) -> Object:
    """The keys of kind Diff but for `policies`."""
    return {
        "opens": [_change_object(change) for change in changes.opens],
        "closes": [_change_object(change) for change in changes.closes],
        "isolates": [
            {"name": one.member.title, "direction": one.direction.field, "newly": one.newly}
            for one in dict.fromkeys(changes.isolated)
        ],
        "undetermined": [note_object(note) for note in changes.undetermined],
    }


def _change_object(change: ConnectionChange) -> Object:
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
    verb = "isolates" if cause.position is None else _VERBS[cause.action]
    if cause.tiered:
        policy = policy_object(cause.tiered)
    else:
        namespace, name = cause.policy.split("/", 1)
        policy = {"namespace": namespace, "name": name}
    return {
        **policy,
        "direction": cause.direction.field,
        "rule": cause.position,
        **({"path": cause.path} if cause.path else {}),
        "effect": f"no-longer-{verb}" if cause.gone else verb,
    }


def policy_change_object(policy: Policy, change: str) -> Object:
    """`change` is added, changed, deleted or unchanged."""
    return {**policy_object(policy), "change": change}
