"""Rules and policies without effect, for all pods that they are about."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies

FIRST = "p ingress[0] has no effect: p ingress[1] "
SECOND = "p ingress[1] has no effect: p ingress[0] "
EVERYTHING, ALREADY = "allows everything", "already allows it"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param("[{}, {from: [{podSelector: {}}]}]", SECOND + EVERYTHING, id="peers after a rule for everything"),
        pytest.param("[{from: [{podSelector: {}}]}, {}]", FIRST + EVERYTHING, id="peers before a rule for everything"),
        pytest.param("[{ports: [{port: 8080}]}, {}]", FIRST + EVERYTHING, id="ports before a rule for everything"),
        pytest.param("[{}, {}]", SECOND + EVERYTHING, id="of two rules for everything, the second"),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: http}]}]", SECOND + ALREADY, id="the same port name"),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: 8080}]}]", None, id="a port name and a number"),
        pytest.param("[{ports: [{}]}, {ports: [{port: http}]}]", SECOND + ALREADY, id="every port and a name"),
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
            "[{from: [{podSelector: {}}]}, {from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", None, id="different peers"
        ),
    ],
)
def test_a_rule_that_another_of_its_policy_covers(rules: str, message: str | None) -> None:
    cluster = with_policies(SHOP, f"{{shop/p: {{podSelector: {{}}, ingress: {rules}}}}}")
    found = [one for one in linted(cluster) if one.number in ("NP009", "NP010")]
    assert [(one.severity.value, one.message) for one in found] == ([("warning", message)] if message else [])
    for one in found:
        assert one.repair
        assert len(one.repair.policy.rules) == len(yaml.safe_load(rules)) - 1
        assert [rule.position for rule in one.repair.policy.rules] == list(range(len(one.repair.policy.rules)))


FROM = "from: [{podSelector: {}}]"


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param(
            f"{{shop/p: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}, "
            f"shop/web: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}, "
            f"shop/wide: {{podSelector: {{}}, ingress: [{{}}]}}}}",
            [
                "NP010 warning : p has no effect: wide allows the same for every pod that it selects",
                "NP010 warning : web has no effect: wide allows the same for every pod that it selects",
            ],
            id="one for all pods is named before one for some of them",
        ),
        pytest.param(
            f"{{shop/narrow: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{{FROM}}}]}}, "
            f"shop/wide: {{podSelector: {{}}, ingress: [{{}}]}}}}",
            ["NP010 warning : narrow has no effect: wide allows the same for every pod that it selects"],
            id="a policy that one for all pods covers",
        ),
        pytest.param(
            f"{{shop/all: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}, "
            f"shop/web: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}}}",
            [],
            id="a rule that is covered for one of its pods alone stays, since others need it",
        ),
        pytest.param(
            f"{{shop/all: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}, "
            f"shop/web: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}, "
            f"shop/api: {{podSelector: {{matchLabels: {{app: api}}}}, ingress: [{{}}]}}}}",
            ["NP010 info : all has no effect: web, api allow the same for every pod that it selects"],
            id="one that several cover together, for the pods of now: advice",
        ),
        pytest.param(
            f"{{shop/all: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}, "
            f"shop/web: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}, "
            f"shop/same: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}, "
            f"shop/api: {{podSelector: {{matchLabels: {{app: api}}}}, ingress: [{{}}]}}}}",
            [
                "NP010 info : all has no effect: web, api allow the same for every pod that it selects",
                "NP010 warning : same has no effect: web allows the same for every pod that it selects",
            ],
            id="one for pods that others already cover is not named with them",
        ),
        pytest.param(
            f"{{shop/narrow: {{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Ingress, Egress], "
            f"ingress: [{{{FROM}}}]}}, shop/wide: {{podSelector: {{}}, ingress: [{{}}]}}}}",
            ["NP009 warning spec.ingress[0]: narrow ingress[0] has no effect: wide ingress[0] allows everything"],
            id="a policy that alone isolates for egress is needed for that",
        ),
        pytest.param(
            f"{{shop/a: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}, "
            f"shop/b: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}}}",
            ["NP010 warning : b has no effect: a allows the same for every pod that it selects"],
            id="of two equal policies the later one",
        ),
        pytest.param(
            f"{{shop/a: {{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: [{{{FROM}}}]}}, "
            f"shop/b: {{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: [{{{FROM}}}]}}, "
            f"shop/c: {{podSelector: {{}}, ingress: [{{}}]}}}}",
            [
                "NP010 warning : a has no effect: c allows the same for every pod that it selects",
                "NP009 warning spec.ingress[0]: b ingress[0] has no effect: c ingress[0] allows everything",
            ],
            id="what isolates for egress is left once",
        ),
        pytest.param(
            f"{{shop/web: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{{FROM}}}]}}, "
            f"shop/all: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}}}",
            ["NP010 warning : web has no effect: all allows the same for every pod that it selects"],
            id="of two equal rules the one for more pods stays",
        ),
        pytest.param(
            f"{{shop/p: {{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: [{{{FROM}}}]}}, "
            "shop/w: {podSelector: {}, ingress: [{}]}, "
            "shop/e: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}}",
            ["NP009 warning spec.ingress[0]: p ingress[0] has no effect: w ingress[0] allows everything"],
            id="a policy that alone isolates one of its pods for egress stays",
        ),
        pytest.param("{shop/a: {podSelector: {}}, shop/b: {podSelector: {}}}", [], id="policies that only isolate"),
        pytest.param(
            f"{{shop/a: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{}}]}}, "
            f"shop/b: {{podSelector: {{}}, ingress: [{{{FROM}}}]}}}}",
            [],
            id="rules of another direction cover nothing",
        ),
        pytest.param(
            f"{{shop/a: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{}}]}}, "
            f"shop/b: {{podSelector: {{matchLabels: {{app: api}}}}, ingress: [{{{FROM}}}]}}}}",
            [],
            id="rules of policies for other pods cover nothing",
        ),
    ],
)
def test_policies_beside_each_other(policies: str, wanted: list[str]) -> None:
    assert lines(linted(with_policies(SHOP, policies)), "NP009", "NP010") == wanted


def test_where_calico_runs_its_policies_may_stand_between_two_networkpolicies() -> None:
    policies = "{shop/a: {podSelector: {}, ingress: [{}, {}]}}"
    cluster = {**with_policies(SHOP, policies), "plugin": "Calico"}
    assert len(lines(linted(cluster), "NP009")) == 1
    between = {**cluster, "calico": {"gnp/g": {"selector": "all()", "types": ["Ingress"], "order": 1000}}}
    assert lines(linted(between), "NP009") == []


RING = """
pods:
  ring/one: {labels: {x: "1", z: "1"}, ip: 10.0.3.1}
  ring/two: {labels: {x: "1", y: "1"}, ip: 10.0.3.2}
  ring/three: {labels: {y: "1", z: "1"}, ip: 10.0.3.3}
"""


def test_of_three_policies_that_cover_each_other_in_a_ring_one_goes() -> None:
    policies = ", ".join(
        f'ring/{label}: {{podSelector: {{matchLabels: {{{label}: "1"}}}}, ingress: [{{{FROM}}}]}}' for label in "xyz"
    )
    assert lines(linted(with_policies(SHOP, f"{{{policies}}}", RING)), "NP009", "NP010") == [
        "NP010 info : x has no effect: y, z allow the same for every pod that it selects"
    ]
