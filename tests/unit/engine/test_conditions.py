"""What a condition sees, and that those of Cilium's rules are conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.conditions import Held, Seen
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.engine.conditions import Condition


def test_rules_of_cilium_have_conditions() -> None:
    from kubectl_netpol.engine.cilium import Cilium  # noqa: PLC0415 - imported where it runs

    snapshot = snapshot_of({"cilium": {"a/p": {"ingress": [{"fromEntities": ["all"]}]}}})
    ((_, rule),) = Cilium(snapshot).rules
    condition: Condition = rule.condition
    seen = Seen(Direction.INGRESS, Pod("a", "web"), Pod("a", "src"), None, None, "TCP", 80)
    assert condition.holds(snapshot, seen) is True
    assert not condition.by_address


def test_what_holds_may_say_by_which_peer_and_port() -> None:
    assert Held(1) == (1, None)
