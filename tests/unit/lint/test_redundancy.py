"""Rules that have no effect because another rule allows the same and more."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.analysis.isolation import isolation
from kubectl_netpol.lint.redundancy import redundant_rules
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

FIRST = "p ingress[0] has no effect: p ingress[1] "
SECOND = "p ingress[1] has no effect: p ingress[0] "
EVERYTHING, ALREADY = "allows everything", "already allows it"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param("[{}, {from: [{podSelector: {}}]}]", SECOND + EVERYTHING, id="peers after a rule for everything"),
        pytest.param("[{from: [{podSelector: {}}]}, {}]", FIRST + EVERYTHING, id="peers before a rule for everything"),
        pytest.param("[{ports: [{port: 80}]}, {}]", FIRST + EVERYTHING, id="ports before a rule for everything"),
        pytest.param("[{}, {}]", SECOND + EVERYTHING, id="of two rules for everything, the second"),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: http}]}]", SECOND + ALREADY, id="the same port name"),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: 8080}]}]", None, id="a port name and a number"),
        pytest.param("[{ports: [{port: 80, protocol: UDP}]}, {ports: [{port: 80}]}]", None, id="two protocols"),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 80}]}]", SECOND + ALREADY, id="a port in a range"
        ),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 70, endPort: 91}]}]",
            FIRST + ALREADY,
            id="a range in a wider one",
        ),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 80, endPort: 90}]}]",
            SECOND + ALREADY,
            id="a range up to the end of a wider one",
        ),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 69, endPort: 80}]}]", None, id="ranges that overlap"
        ),
        pytest.param(
            "[{ports: [{port: 80}, {port: 81}]}, {ports: [{port: 81}, {port: 82}]}]", None, id="one port of two"
        ),
        pytest.param("[{ports: [{port: 80}]}, {from: [{podSelector: {}}]}]", None, id="ports, and peers"),
        pytest.param("[{from: [{podSelector: {}}]}, {ports: [{port: 80}]}]", None, id="peers, and ports for everyone"),
        pytest.param(
            "[{from: [{podSelector: {}}, {namespaceSelector: {}}]}, {from: [{podSelector: {}}], ports: [{port: 80}]}]",
            SECOND + ALREADY,
            id="one of the peers, on one port",
        ),
        pytest.param(
            "[{from: [{podSelector: {}}], ports: [{port: 80}]}, {from: [{podSelector: {}}]}]",
            FIRST + ALREADY,
            id="the same peers, on one port",
        ),
        pytest.param(
            "[{from: [{podSelector: {}}]}, {from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", None, id="different peers"
        ),
    ],
)
def test_a_rule_that_another_covers(rules: str, message: str | None) -> None:
    spec = {"podSelector": {}, "ingress": yaml.safe_load(rules)}
    snapshot = snapshot_of({"pods": {"shop/web": {"ip": "10.0.0.1"}}, "policies": {"shop/p": spec}})
    notes = redundant_rules(isolation(snapshot, snapshot.pods[0], Direction.INGRESS).rules)
    assert [(note.code.value, note.message) for note in notes] == ([("redundant-rule", message)] if message else [])


def test_a_rule_of_another_policy_covers_it_too() -> None:
    policies = yaml.safe_load("""
      shop/narrow: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}
      shop/wide: {podSelector: {}, ingress: [{ports: [{port: 1}]}, {}]}
    """)
    snapshot = snapshot_of({"pods": {"shop/web": {"ip": "10.0.0.1", "labels": {"app": "web"}}}, "policies": policies})
    notes = redundant_rules(isolation(snapshot, snapshot.pods[0], Direction.INGRESS).rules)
    assert [note.message for note in notes] == [
        "narrow ingress[0] has no effect: wide ingress[1] allows everything",
        "wide ingress[0] has no effect: wide ingress[1] allows everything",
    ]
