"""How many pods are isolated, as a line and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.analysis.coverage import total
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.analysis.coverage import Coverage, Share


def coverage_line(covered: Sequence[Coverage]) -> str:
    """The total: "isolated: 3 of 5 pods for ingress, 1 of 5 for egress"; "" without pods."""
    ingress, egress = (total(covered, direction) for direction in Direction)
    if not ingress.pods:
        return ""
    first = f"{ingress.isolated} of {count(ingress.pods, 'pod')} for ingress{_besides(ingress)}"
    return f"isolated: {first}, {egress.isolated} of {egress.pods} for egress{_besides(egress)}"


def _besides(share: Share) -> str:
    parts = [f"{share.limited} more limited by a tier"] if share.limited else []
    parts += [f"{share.unknown} not known"] if share.unknown else []
    return f" ({', '.join(parts)})" if parts else ""


def coverage_rows(covered: Sequence[Coverage]) -> Iterator[tuple[str, ...]]:
    """Namespace, pods, and the share isolated in each direction."""
    for one in covered:
        yield one.namespace, str(one.ingress.pods), _percent(one.ingress), _percent(one.egress)


def _percent(share: Share) -> str:
    return f"{share.isolated * 100 // share.pods} %{_besides(share)}"


def coverage_objects(covered: Sequence[Coverage]) -> list[dict[str, object]]:
    return [
        {
            "namespace": one.namespace,
            "pods": one.ingress.pods,
            **{
                direction.field: {
                    "isolated": one.of(direction).isolated,
                    "limited": one.of(direction).limited,
                    "unknown": one.of(direction).unknown,
                }
                for direction in Direction
            },
        }
        for one in covered
    ]
