"""The policies of a pod as text, and the overview of a namespace's pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import names_text, peer_text, position_text, rule_ports_text
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.render.text import FEW, UNLIMITED, Names, fits, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.analysis.isolation import Explanation, Isolation, PeerPods
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.objects import Pod

_MOST_POLICIES, _MOST_RULES = 5, 10  # without -v


def explanation_text(explanation: Explanation, names: Names, console: Console, *, verbose: bool = False) -> str:
    pod = explanation.pod
    labels = ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
    policies = [policy.name for policy in explanation.selected_by]
    limit = UNLIMITED if verbose else _MOST_POLICIES
    lines = [
        f"{console.paint(pod.key, 'bold')} ({labels})",
        f"selected by {names_text(policies, limit)}" if policies else "selected by no policy",
        *_isolation_lines(explanation.ingress, pod, names, console, verbose=verbose),
        *_isolation_lines(explanation.egress, pod, names, console, verbose=verbose),
    ]
    for mapping in explanation.services:
        target = f"pod port {mapping.pod_port}" if mapping.pod_port else "no port of that name on this pod"
        port = f"{mapping.name} {mapping.number}" if mapping.name else str(mapping.number)
        lines.append(f"Service {mapping.service.name}: {mapping.protocol} {port} → {target}")
    if explanation.mentioned_by:
        found = [
            f"{names.short(policy.namespace, policy.name)} {position_text(rule.direction, rule.position, peer)}"
            for policy, rule, peer in explanation.mentioned_by
        ]
        lines.append(f"named as a peer by {names_text(found, limit)}")
    return wrapped(lines, console)


def _isolation_lines(side: Isolation, pod: Pod, names: Names, console: Console, *, verbose: bool) -> list[str]:
    label = console.paint(f"{side.direction.field}:", "bold")
    if side.unknown:
        return [f"{label} not known: {side.unknown.message}"]
    if not side.isolated_by:
        return [f"{label} not affected by any policy: everything is allowed"]
    policies = [policy.name for policy in side.isolated_by]
    isolated = f"isolated by {names_text(policies, UNLIMITED if verbose else _MOST_POLICIES)}"
    if not side.rules:
        return [f"{label} {isolated}: nothing is allowed"]
    rows = []
    for entry in side.rules:
        for match in entry.peers:
            item = match.position if len(entry.peers) > 1 else None
            where = f"{entry.policy.name} {position_text(side.direction, entry.rule.position, item)}"
            ports = rule_ports_text(entry.rule, pod if side.direction is Direction.INGRESS else None)
            rows.append((peer_text(match.peer, entry.policy), ports, where, _pods_now(match, names, verbose=verbose)))
    shown = rows if verbose else rows[:_MOST_RULES]
    lines = [f"{label} {isolated}; only this is allowed:"]
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


def _pods_now(match: PeerPods, names: Names, *, verbose: bool) -> str:
    if match.peer is None:
        return "any"
    if match.unknown:
        return f"not known: {match.unknown.message}"
    if not match.pods:
        return "none"
    listed = names.pods(match.pods, UNLIMITED if verbose else FEW)
    return listed if len(match.pods) <= FEW else f"{len(match.pods)}: {listed}"


def overview_text(explanations: Sequence[Explanation], *, namespaced: bool = False) -> str:
    """One line per pod, `namespaced` with its namespace."""
    rows: list[tuple[str, ...]] = [("POD", "INGRESS", "EGRESS", "POLICIES")]
    for explanation in explanations:
        sides = [
            "?" if side.unknown else ("isolated" if side.isolated_by else "open")
            for side in (explanation.ingress, explanation.egress)
        ]
        name = explanation.pod.key if namespaced else explanation.pod.name
        rows.append((name, *sides, str(len(explanation.selected_by))))
    return "\n".join(table(rows))
