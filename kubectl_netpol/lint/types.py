"""Findings about policyTypes that contradict the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.lint.finding import Edit, Finding, Repair, Severity, found
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model.policies import Policy


def contradicting_types(policy: Policy, plugin: str | None = None) -> Iterator[Finding]:
    """Rules of a direction that policyTypes leaves out: only Cilium asks them."""
    asked = plugin == "Cilium"
    because = "on Cilium they are in force all the same, and isolate" if asked else "they are not in force"
    for direction in Direction:
        rules = [rule for rule in policy.rules if rule.direction is direction]
        if not rules or direction in policy.directions or policy.tier is not None:
            continue
        number = count(len(rules), f"{direction.field} rule")
        message = f"{policy.name} has {number}, and policyTypes leaves {direction.value} out"
        types = ", ".join(one.value for one in policy.directions)
        directions = tuple(one for one in Direction if one is direction or one in policy.directions)
        repair = Repair((Edit("append", "spec.policyTypes", direction.value),), policy._replace(directions=directions))
        fix = f"add {direction.value} to policyTypes, or remove the rules"
        yield found(
            Code.TYPES_CONTRADICT_RULES,
            Severity.WARNING if asked else Severity.ERROR,
            policy,
            "spec.policyTypes",
            f"{message}: {because}",
            proof=(f"policyTypes: [{types}]",),
            fix=fix,
            repair=repair,
        )
