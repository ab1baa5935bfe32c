"""The policies that let nobody in, or out: default deny, from the options --from-none and --to-none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.allow.from_labels import EndOptions, LabelRequest
    from kubectl_netpol.model.policies import Policy, Rule
    from kubectl_netpol.model.selectors import LabelSelector


def check_none(asked: LabelRequest) -> EndOptions | None:
    """The end whose pods the policies select, where the other one is none; None where neither is.

    UsageError for options that say more than that.
    """
    source, destination = asked.source, asked.destination
    none, subject = (source, destination) if source.none else (destination, source)
    if not none.none:
        return None
    if subject.none:
        raise UsageError(
            "--from-none and --to-none leave no pods that a policy could select",
            "kubectl netpol allow --from-none --to-all-pods --both",
        )
    if not none._replace(none=False).empty:
        raise UsageError(f"--{none.side}-none can't be combined with other --{none.side} options", "it is nobody")
    if asked.ports:
        raise UsageError(f"--{none.side}-none has no ports", "drop --port")
    if none.side == "from" and not asked.ingress:
        raise UsageError("--from-none is about ingress", "write --to-none with --egress, or --both")
    if none.side == "to" and not asked.egress:
        raise UsageError("--to-none is about egress", "add --egress, or --both")
    return subject


def default_deny(
    asked: LabelRequest, namespace: str, selectors: Iterable[LabelSelector], rules: Iterable[Rule]
) -> list[Policy]:
    """One policy for each selector, with --both for both directions. `rules`: what is let out all the same."""
    direction = Direction.EGRESS if asked.egress else Direction.INGRESS
    both = asked.egress and asked.ingress
    return [make_policy(namespace, direction, selector, rules, both=both) for selector in selectors]
