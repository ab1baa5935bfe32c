"""Antrea's policies: which pods they may select, in which directions, before or after NetworkPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.policies.antrea import read_antrea
from kubectl_netpol.policies.meta import NO_POD

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
WIDE, IN_SHOP = ("AntreaClusterNetworkPolicy", None, "p"), ("AntreaNetworkPolicy", "shop", "p")
APP, TEAM = {"matchLabels": {"app": "web"}}, {"matchLabels": {"team": "x"}}
WEB, TEAM_X = parse_selector("app=web"), parse_selector("team=x")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param(
            {"appliedTo": [{"podSelector": APP}], "ingress": [{}]},
            UnevaluatedPolicy(*IN_SHOP, (INGRESS,), None, WEB),
            id="one for pods of its namespace",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": APP, "namespaceSelector": TEAM}], "ingress": [{}], "egress": [{}]},
            UnevaluatedPolicy(*WIDE, (INGRESS, EGRESS), TEAM_X, WEB),
            id="a cluster-wide one for pods of some namespaces",
        ),
        pytest.param(
            {"appliedTo": [{"namespaceSelector": TEAM}], "egress": [{}], "ingress": []},
            UnevaluatedPolicy(*WIDE, (EGRESS,), TEAM_X),
            id="all pods of some namespaces; an empty list of rules is no direction",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": {}}], "egress": [{}], "tier": "securityops"},
            UnevaluatedPolicy(*WIDE, (EGRESS,), None, LabelSelector()),
            id="a tier before NetworkPolicy",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": APP}], "egress": [{}], "tier": "Baseline"},
            UnevaluatedPolicy(*WIDE, (EGRESS,), None, WEB, after=True),
            id="the baseline tier is after NetworkPolicy",
        ),
        pytest.param(
            {"egress": [{"appliedTo": [{"podSelector": APP}]}], "ingress": [{"appliedTo": [{"podSelector": APP}]}]},
            UnevaluatedPolicy(*WIDE, (INGRESS, EGRESS), None, WEB),
            id="each rule says to what it applies",
        ),
        pytest.param(
            {
                "appliedTo": [
                    {"podSelector": APP, "namespaceSelector": TEAM},
                    {"podSelector": {}, "namespaceSelector": TEAM},
                ],
                "egress": [{}],
            },
            UnevaluatedPolicy(*WIDE, (EGRESS,), TEAM_X),
            id="of several, what they have in common",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": APP}, {"namespaceSelector": TEAM}], "egress": [{}]},
            UnevaluatedPolicy(*WIDE, (EGRESS,)),
            id="of several that have nothing in common, anything",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": APP}, {"group": "g"}], "egress": [{}]},
            UnevaluatedPolicy(*WIDE, (EGRESS,)),
            id="a group may be anything",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": APP, "serviceAccount": {}}], "egress": [{}]},
            UnevaluatedPolicy(*WIDE, (EGRESS,)),
            id="so may an entry with a field that is not known",
        ),
        pytest.param(
            {"appliedTo": [{"podSelector": {"matchLabels": {"a b": "c"}}}], "egress": [{}]},
            UnevaluatedPolicy(*WIDE, (EGRESS,)),
            id="and a selector that can't be read",
        ),
        pytest.param(
            {"appliedTo": [{"nodeSelector": {}}], "ingress": [{}]},
            UnevaluatedPolicy(*WIDE, (INGRESS,), None, NO_POD, nodes=True),
            id="nodes, and no pods",
        ),
        pytest.param(
            {"appliedTo": [{"nodeSelector": {}}, {"podSelector": APP}], "ingress": [{}]},
            UnevaluatedPolicy(*WIDE, (INGRESS,), None, WEB, nodes=True),
            id="nodes and pods",
        ),
        pytest.param({"ingress": [{}]}, UnevaluatedPolicy(*WIDE, (INGRESS,)), id="nothing is said: anything"),
    ],
)
def test_what_a_policy_may_select_and_in_which_directions(spec: dict[str, Any], found: UnevaluatedPolicy) -> None:
    assert read_antrea(found.kind, {"spec": spec}, "p", found.namespace) == found


def test_a_rule_that_is_not_an_object_is_an_error() -> None:
    with pytest.raises(BadField) as caught:
        read_antrea("AntreaNetworkPolicy", {"spec": {"ingress": [3]}}, "p", "shop")
    assert str(caught.value) == "spec.ingress[0]: expected an object, got 3"
