"""Reads Calico's policies: which pods they may select, and in which directions. Their rules are not evaluated."""

from __future__ import annotations

import re
from typing import Any

from kubectl_netpol.fields import mapping, sequence
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement
from kubectl_netpol.policies.meta import directions_named


def read_calico(kind: str, item: dict[str, Any], name: str, namespace: str | None) -> UnevaluatedPolicy | None:
    """None for its copy of a NetworkPolicy (knp.default.*)."""
    if name.startswith("knp.default."):
        return None
    spec = mapping(item.get("spec"), "spec")
    types = sequence(spec.get("types"), "spec.types") or [d.value for d in Direction if spec.get(d.field)]
    forwarded = spec.get("applyOnForward") or spec.get("preDNAT") or spec.get("doNotTrack")
    return UnevaluatedPolicy(
        kind,
        namespace,
        name,
        directions_named(types or ["Ingress"]),
        # With these, it applies to traffic that a node forwards, so also to pods that it does not select.
        None if forwarded else calico_selector(spec.get("namespaceSelector")),
        None if forwarded else calico_selector(spec.get("selector")),
        nodes=namespace is None,
    )


_TERMS = (
    (r"""([\w./-]+)\s*==\s*(?:"([^"]*)"|'([^']*)')""", Operator.IN),
    (r"""([\w./-]+)\s*!=\s*(?:"([^"]*)"|'([^']*)')""", Operator.NOT_IN),
    (r"has\(\s*([\w./-]+)\s*\)", Operator.EXISTS),
    (r"!\s*has\(\s*([\w./-]+)\s*\)", Operator.DOES_NOT_EXIST),
)


def calico_selector(text: Any) -> LabelSelector | None:
    """A Calico selector that is a plain conjunction; None (may select anything) for the rest of the grammar."""
    if not isinstance(text, str) or not text.strip() or text.strip() == "all()":
        return None
    requirements = []
    for term in text.split("&&"):
        for pattern, operator in _TERMS:
            if match := re.fullmatch(pattern, term.strip()):
                values = tuple(group for group in match.groups()[1:] if group is not None)
                requirements.append(Requirement(match[1], operator, values))
                break
        else:
            return None
    # Calico matches these labels although no object has them.
    return (
        None
        if any(r.key.startswith(("projectcalico.org/", "pcns.", "pcsa.")) for r in requirements)
        else LabelSelector(tuple(requirements))
    )
