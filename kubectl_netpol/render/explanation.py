"""The policies of a pod as text, and the overview of a namespace's pods."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import (
    count,
    names_text,
    peer_text,
    policy_text,
    rule_name_text,
    rule_ports_text,
    where_text,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.render.text import FEW, UNLIMITED, Names, fits, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.analysis.isolation import Explanation, Isolation, Sides
    from kubectl_netpol.analysis.peers import PeerPods, RulePeers
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy

_MOST_POLICIES, _MOST_RULES = 5, 10  # without -v


def explanation_text(explanation: Explanation, names: Names, console: Console, *, verbose: bool = False) -> str:
    pod = explanation.pod
    labels = ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
    policies = [policy.title for policy in explanation.selected_by]
    limit = UNLIMITED if verbose else _MOST_POLICIES
    lines = [
        f"{console.paint(pod.key, 'bold')} ({labels})",
        f"selected by {names_text(policies, limit)}" if policies else "selected by no policy",
    ]
    for side in (explanation.ingress, explanation.egress):
        if pod.finished:
            lines.append(f"{console.paint(f'{side.direction.field}:', 'bold')} nothing: the pod has finished")
        else:
            lines += _isolation_lines(side, pod, names, console, verbose=verbose)
    for mapping in explanation.services:
        target = f"pod port {mapping.pod_port}" if mapping.pod_port else "no port of that name on this pod"
        port = f"{mapping.name} {mapping.number}" if mapping.name else str(mapping.number)
        lines.append(f"Service {mapping.service.name}: {mapping.protocol} {port} → {target}")
    if explanation.mentioned_by:
        found = [
            f"{_policy_name(policy, names)} {where_text(rule, peer)}" for policy, rule, peer in explanation.mentioned_by
        ]
        lines.append(f"named as a peer by {names_text(found, limit)}")
    return wrapped(lines, console)


def _isolation_lines(side: Isolation, pod: Pod, names: Names, console: Console, *, verbose: bool) -> list[str]:
    label = console.paint(f"{side.direction.field}:", "bold")
    if side.unaffected:
        return [f"{label} not affected by any policy: everything is allowed"]
    lines = [f"{label} not known: {side.unknown.message}"] if side.unknown else []
    if side.at_end:
        lines += _tier_lines(
            f"{label} then:", side.admin, pod, names, console, verbose=verbose, first=f"{label} first:"
        )
        return [*lines, *(f"{label} {text}" for text in side.at_end)]
    lines += _tier_lines(f"{label} asked first:", side.admin, pod, names, console, verbose=verbose)
    if side.isolated_by:
        policies = [policy.title for policy in side.isolated_by]
        isolated = f"isolated by {names_text(policies, UNLIMITED if verbose else _MOST_POLICIES)}"
        allowed = "; only this is allowed:" if side.rules else ": nothing is allowed"
        lines.append(f"{label} {'then ' if side.admin else ''}{isolated}{allowed}")
        lines += rule_lines(side.rules, pod, names, console, verbose=verbose)
    lines += _tier_lines(f"{label} asked last:", side.baseline, pod, names, console, verbose=verbose)
    if not (side.isolated_by or side.unknown):
        lines.append(f"{label} everything else is allowed")
    return lines


def _tier_lines(
    head: str, rules: Sequence[RulePeers], pod: Pod, names: Names, console: Console, *, verbose: bool, first: str = ""
) -> list[str]:
    """Each policy of a tier, in the order in which they are asked, with its rules."""
    lines: list[str] = []
    for policy, own in groupby(rules, key=lambda entry: entry.policy):
        lines.append(f"{head if lines or not first else first} {policy_text(policy)}:")
        lines += rule_lines(tuple(own), pod, names, console, verbose=verbose, tiered=True)
    return lines


def rule_lines(
    rules: Sequence[RulePeers], pod: Pod | None, names: Names, console: Console, *, verbose: bool, tiered: bool = False
) -> list[str]:
    """One row per peer, indented; `tiered`: with the action of each rule. `pod`: the one whose port names are meant."""
    rows = [row for entry in rules for row in _rule_rows(entry, pod, names, verbose=verbose, tiered=tiered)]
    if not rows:
        return []
    direction = rules[0].rule.direction
    end = "from" if direction is Direction.INGRESS else "to"
    shown = rows if verbose else rows[:_MOST_RULES]
    header = (
        ("ACTION", end.upper(), "PORTS", "RULE", "PODS NOW")
        if tiered
        else (end.upper(), "PORTS", "ALLOWED BY", "PODS NOW")
    )
    columns = table((header, *shown), indent="  ")
    if fits(columns, console):
        lines = columns
    else:
        lines = []
        for *action, peer, ports, where, pods in shown:
            lines += [f"  {' '.join((*action, end, peer))}: {ports}", f"    by {where}; pods now: {pods}"]
    if more := len(rows) - len(shown):
        lines.append(f"  and {more} more (-v)")
    return lines


def _rule_rows(
    entry: RulePeers, pod: Pod | None, names: Names, *, verbose: bool, tiered: bool
) -> Iterator[tuple[str, ...]]:
    """The cells of each peer; the action first, and the rule without its policy, for a policy of a tier."""
    direction = entry.rule.direction
    ports = entry.ports or rule_ports_text(entry.rule, pod if direction is Direction.INGRESS else None)
    for match in entry.peers:
        where = where_text(entry.rule, match.position if len(entry.peers) > 1 else None)
        cells = match.text or peer_text(match.peer, entry.policy, direction), ports
        pods = "none" if entry.closed else _pods_now(match, names, verbose=verbose)
        if tiered:
            named = f"{where}{rule_name_text(entry.rule)}"
            yield (entry.rule.action.value, *cells, named, pods)
        else:
            yield (*cells, f"{entry.policy.title} {where}", pods)


def _pods_now(match: PeerPods, names: Names, *, verbose: bool) -> str:
    if match.peer is None and not match.text:
        return "any"
    if match.unknown:
        return f"not known: {match.unknown.message}"
    if not match.pods:
        return "none"
    listed = names.pods(match.pods, UNLIMITED if verbose else FEW)
    return listed if len(match.pods) <= FEW else f"{len(match.pods)}: {listed}"


def overview_text(explanations: Iterable[Explanation | Sides], *, namespaced: bool = False) -> str:
    """One line per pod, `namespaced` with its namespace."""
    rows: list[tuple[str, ...]] = [("POD", "INGRESS", "EGRESS", "POLICIES")]
    for explanation in explanations:
        sides = [_summary(side) for side in (explanation.ingress, explanation.egress)]
        name = explanation.pod.key if namespaced else explanation.pod.name
        rows.append((name, *sides, str(len(explanation.selected_by))))
    return "\n".join(table(rows))


def unknown_texts(explanations: Iterable[Explanation | Sides]) -> list[str]:
    """Why it is not known what decides: the first reasons, and how many more there are."""
    sides = (side for explanation in explanations for side in (explanation.ingress, explanation.egress))
    texts = list(dict.fromkeys(f"not known: {side.unknown.message}" for side in sides if side.unknown))
    more = len(texts) - FEW
    return texts if more <= 0 else [*texts[:FEW], f"not known for {count(more, 'more reason')}: explain POD says which"]


def _summary(side: Isolation) -> str:
    if side.unknown:
        return "?"
    if side.isolated_by:
        return "isolated"
    return "limited" if side.denies else "open"


def _policy_name(policy: Policy, names: Names) -> str:
    return names.short(policy.namespace, policy.name) if policy.kind == "NetworkPolicy" else policy.title
