"""Known faults of plugins, recognised by exactly the policies that trigger them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.diagnosis.faults import enforcer_fault
from tests.support.tables import ask, snapshot_of

PODS = """
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1, ports: http=9999}
  a/dst: {labels: {app: dst}, ip: 10.0.0.2, ports: web=80}
  a/other: {labels: {app: other}, ip: 10.0.0.3}
  b/named: {labels: {app: named}, ip: 10.0.1.1, ports: http=80}
"""


@pytest.mark.parametrize(
    ("policy", "port", "code"),
    [
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{from: [{podSelector: {matchLabels: {app: src}}}], "
            "ports: [{port: http}]}]}",
            80,
            "enforcer-named-port-fault",
            id="a port name that the destination does not have",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], "
            "ports: [{port: http}]}]}",
            80,
            None,
            id="a port name in a rule with an ipBlock",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{from: [{podSelector: {}}], ports: [{port: web}]}]}",
            81,
            None,
            id="a port name that the destination has",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{from: [{podSelector: {}}], "
            "ports: [{port: http}, {port: 443}]}]}",
            80,
            None,
            id="a number beside the name",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{from: [{podSelector: {matchLabels: {app: none}}}], "
            "ports: [{port: http}]}]}",
            80,
            None,
            id="a peer that does not match",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, ingress: [{ports: [{port: http}]}]}",
            80,
            None,
            id="a rule without pod peers",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: src}}, policyTypes: [Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: dst}}}], ports: [{port: http}]}]}",
            80,
            "enforcer-named-port-fault",
            id="for egress, a port name that the peers don't have",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: src}}, policyTypes: [Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: dst}}}, {namespaceSelector: {}}], "
            "ports: [{port: http}]}]}",
            80,
            None,
            id="for egress, a port name that another peer has",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], "
            "ingress: [{from: [{podSelector: {matchLabels: {app: src}}}]}]}",
            80,
            "enforcer-both-ends-fault",
            id="a policy that selects both ends, and its ingress rule for the source",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], "
            "ingress: [{from: [{podSelector: {matchLabels: {app: dst}}}]}]}",
            80,
            None,
            id="a policy that selects both ends, and an ingress rule for another pod",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: dst}}}]}]}",
            80,
            "enforcer-both-ends-fault",
            id="a policy that selects both ends, and its egress rule for the destination",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: src}}}]}]}",
            80,
            None,
            id="a policy that selects both ends, and an egress rule for another pod",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}",
            80,
            None,
            id="a policy that selects both ends and allows the connection",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 443}]}]}",
            80,
            None,
            id="a policy that selects both ends, and a rule for another port",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: dst}}, policyTypes: [Ingress, Egress], egress: [{}]}",
            80,
            None,
            id="a policy that selects the destination alone",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: src}}, policyTypes: [Ingress, Egress], ingress: [{}]}",
            80,
            None,
            id="a policy that selects the source alone",
        ),
        pytest.param("{podSelector: {}, ingress: [{}]}", 80, None, id="nothing is blocked"),
    ],
)
def test_the_fault_that_explains_an_open_connection(policy: str, port: int, code: str | None) -> None:
    cluster: dict[str, Any] = {**yaml.safe_load(PODS), "policies": {"a/p": yaml.safe_load(policy)}}
    snapshot = snapshot_of(cluster)
    fault = enforcer_fault(snapshot, ask(snapshot, "a/src", "a/pod/dst", port, "TCP"))
    assert (fault and fault.code.value) == code
    if fault:
        assert fault.message.startswith("p ")
        assert fault.fix


@pytest.mark.parametrize(
    ("direction", "source", "destination"),
    [("Egress", "a/src", "203.0.113.1"), ("Ingress", "203.0.113.1", "a/pod/dst")],
    ids=["to an address", "from an address"],
)
def test_both_ends_must_be_pods(direction: str, source: str, destination: str) -> None:
    cluster = {**yaml.safe_load(PODS), "policies": {"a/p": {"podSelector": {}, "policyTypes": [direction]}}}
    snapshot = snapshot_of(cluster)
    assert enforcer_fault(snapshot, ask(snapshot, source, destination, 80, "TCP")) is None
