"""What Felix does beside the policies, condition by condition; tests/cases/calico.yaml has it in whole clusters."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.engine.calico_felix import INTERNAL, NO_TUNNEL, TO_OWN_NODE, Crosses
from kubectl_netpol.engine.conditions import Seen
from kubectl_netpol.engine.layers import Layer, RuleList
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.calico import HostEndpoint
from kubectl_netpol.model.objects import Node, Pod
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.snapshot import Snapshot

EMPTY = Snapshot()
WEB = Pod("a", "web", {}, ("10.0.0.1",), node="n1", host_ips=("192.0.2.1",))
DB = Pod("a", "db", {}, ("10.0.0.2",), node="n2")
LOST = Pod("a", "lost", {}, ("10.0.0.3",))


def seen(subject: Pod = WEB, pod: Pod | None = None, node: Node | None = None, **more: Any) -> Seen:
    found = Seen(Direction.EGRESS, subject, pod, node, more.get("address"), "TCP", 80)
    return found._replace(**{key: value for key, value in more.items() if key != "address"})


def condition_of(layer: Layer) -> Any:
    assert isinstance(layer.step, RuleList)
    assert layer.step.policy is INTERNAL
    return layer.step.rules[0].condition


@pytest.mark.parametrize(
    ("protocol", "port", "dropped"),
    [("UDP", 4789, True), ("TCP", 4789, False), ("UDP", 4790, False)],
)
def test_only_vxlan_is_dropped(protocol: str, port: int, dropped: bool) -> None:  # noqa: FBT001 - a column
    condition = condition_of(NO_TUNNEL)
    assert condition.holds(EMPTY, seen(protocol=protocol, port=port)) is not dropped
    assert condition.about(Direction.EGRESS, WEB, protocol, port) == protocol


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        pytest.param(seen(node=Node("n1")), False, id="its own node"),
        pytest.param(seen(node=Node("n2")), True, id="another node"),
        pytest.param(seen(pod=DB), True, id="a pod"),
        pytest.param(seen(subject=LOST, node=Node("n1")), False, id="where its own node is not known"),
    ],
)
def test_what_a_pod_sends_to_its_own_node_hangs_on_a_setting(asked: Seen, known: bool) -> None:  # noqa: FBT001
    condition = condition_of(TO_OWN_NODE)
    assert isinstance(condition.holds(EMPTY, asked), Note) is not known
    assert condition.about(Direction.EGRESS, WEB, "TCP", 80) == ("n1", ("192.0.2.1",))


@pytest.mark.parametrize(
    ("subject", "asked", "node", "crosses"),
    [
        pytest.param(WEB, seen(pod=DB), "n1", True, id="it leaves the node of the host endpoint"),
        pytest.param(WEB, seen(pod=DB), "n2", True, id="it comes to it"),
        pytest.param(WEB, seen(pod=DB), "n3", False, id="it passes neither"),
        pytest.param(WEB, seen(pod=WEB), "n1", False, id="it stays on the node"),
        pytest.param(WEB, seen(node=Node("n2")), "n2", True, id="to a node"),
        pytest.param(WEB, seen(address="203.0.113.9"), "n1", True, id="to the outside"),
        pytest.param(WEB, seen(pod=DB), None, True, id="the host endpoint's node is not known"),
        pytest.param(LOST, seen(subject=LOST, pod=DB), "n3", True, id="the pod's node is not known"),
    ],
)
def test_whether_a_connection_may_cross_a_host_endpoint(
    subject: Pod,
    asked: Seen,
    node: str | None,
    crosses: bool,  # noqa: FBT001 - a column
) -> None:
    endpoint = HostEndpoint("h", node or "", {})
    found = Crosses(subject, endpoint, "forward").holds(EMPTY, asked)
    assert isinstance(found, Note) is crosses
    if isinstance(found, Note):
        assert (
            found.message == "globalnetworkpolicy.projectcalico.org/forward may apply where it crosses host endpoint h"
        )
