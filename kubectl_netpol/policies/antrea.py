"""Reads Antrea's policies: which pods they may select, and in which directions. Their rules are not evaluated."""

from __future__ import annotations

from typing import Any

from kubectl_netpol.fields import mapping, objects
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.policies.meta import NO_POD, selector_or_any


def read_antrea(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy:
    """All tiers but the one named baseline come before NetworkPolicy. `appliedTo` is in the spec, or in each rule."""
    spec = mapping(item.get("spec"), "spec")
    directions = tuple(direction for direction in Direction if spec.get(direction.field))
    applied = objects(spec.get("appliedTo"), "spec.appliedTo")
    for direction in directions:
        path = f"spec.{direction.field}"
        for index, rule in enumerate(objects(spec[direction.field], path)):
            applied = [*applied, *objects(rule.get("appliedTo"), f"{path}[{index}].appliedTo")]
    to_pods = [entry for entry in applied if "nodeSelector" not in entry]
    return UnevaluatedPolicy(
        kind,
        namespace,
        name,
        directions,
        _common(to_pods, "namespaceSelector"),
        _common(to_pods, "podSelector") if to_pods or not applied else NO_POD,
        after=str(spec.get("tier")).lower() == "baseline",
        nodes=to_pods != applied,
    )


def _common(applied: list[dict[str, Any]], field: str) -> Any:
    """The selector that all entries share; None (may select anything) where they differ, or name a group instead."""
    values = [entry.get(field) if entry.keys() <= {"namespaceSelector", "podSelector"} else None for entry in applied]
    if not values or values[0] is None or any(value != values[0] for value in values):
        return None
    return selector_or_any(values[0])
