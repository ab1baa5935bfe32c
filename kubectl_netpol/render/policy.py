"""What one policy does, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import count, names_text, policy_text
from kubectl_netpol.model.policies import Action, Direction
from kubectl_netpol.model.selectors import requirement_text
from kubectl_netpol.render.changes import changes_object, changes_text
from kubectl_netpol.render.explanation import rule_lines
from kubectl_netpol.render.json_objects import Object, kind, policy_object, rule_object
from kubectl_netpol.render.text import FEW, UNLIMITED, wrapped

if TYPE_CHECKING:
    from kubectl_netpol.analysis.peers import RulePeers
    from kubectl_netpol.analysis.policy import PolicyExplanation
    from kubectl_netpol.console import Console
    from kubectl_netpol.render.text import Names


def policy_explanation_text(found: PolicyExplanation, names: Names, console: Console, *, verbose: bool) -> str:
    policy = found.policy
    limit = UNLIMITED if verbose else FEW
    kind_of = "NetworkPolicy " if policy.kind == "NetworkPolicy" else ""
    title = policy.key if policy.kind == "NetworkPolicy" else policy_text(policy)
    heading = f"{kind_of}{console.paint(title, 'bold')}"
    if found.refused:
        return wrapped([heading, f"not in force, since {found.refused}"], console)
    selects = f"selects {count(len(found.selects), 'pod')}"
    lines = [
        heading,
        f"{selects}: {names.pods(found.selects, limit)}" if found.selects else "selects no pod now",
    ]
    for direction in policy.directions:
        rules = [entry for entry in found.rules if entry.rule.direction is direction]
        label = console.paint(f"{direction.field}:", "bold")
        allowed = direction in found.isolates and all(entry.rule.action is Action.ALLOW for entry in rules)
        lines.append(f"{label} {_what_it_does(found, direction, rules, allowed=allowed)}")
        subject = found.selects[0] if found.selects and direction is Direction.INGRESS else None
        lines += rule_lines(rules, subject, names, console, verbose=verbose, tiered=not allowed)
    text = wrapped(lines, console)
    changes = changes_text(found.without, console, verbose=verbose)
    text += f"\nwithout it:\n{changes}" if changes else "\nwithout it: no connection opens or closes"
    missed = [
        f"  {names.short(one.pod.namespace, one.pod.name)}: {_lacks(one.lacks)}" for one in found.missed if one.lacks
    ]
    if missed:
        shown = missed if verbose else missed[:FEW]
        more = [f"  and {len(missed) - len(shown)} more (-v)"] if len(shown) < len(missed) else []
        text += "\n" + wrapped(["not selected, and what is amiss:", *shown, *more], console)
    return text


def _what_it_does(found: PolicyExplanation, direction: Direction, rules: list[RulePeers], *, allowed: bool) -> str:
    """The line before its rules. `allowed`: they are all that it lets through."""
    if allowed:
        return "of what it selects, only this is allowed by it:" if rules else "it allows nothing"
    what = "its rules, in order" if rules else "it has no rule"
    if direction in found.isolates:
        return f"{what}; what no rule decides is blocked:"
    if direction in found.may_isolate:
        what = f"{what}; whether it isolates is not known"
    elif found.policy.tier is None:
        what = f"{what}; it does not isolate"
    return f"{what}:" if rules else what


def _lacks(requirements: tuple[object, ...]) -> str:
    return names_text([f"not {requirement_text(one)}" for one in requirements], UNLIMITED)  # type: ignore[arg-type]


def policy_explanation_object(found: PolicyExplanation) -> Object:
    sides = {
        direction.field: {
            "isolates": None if direction in found.may_isolate else direction in found.isolates,
            "rules": [rule_object(entry) for entry in found.rules if entry.rule.direction is direction],
        }
        for direction in (Direction.EGRESS, Direction.INGRESS)
    }
    return kind(
        "PolicyExplanation",
        {
            "policy": policy_object(found.policy),
            "refused": found.refused or None,
            "selects": [pod.key for pod in found.selects],
            **sides,
            "without": changes_object(found.without),
            "missed": [
                {"pod": one.pod.key, "lacks": [requirement_text(item) for item in one.lacks]} for one in found.missed
            ],
        },
    )
