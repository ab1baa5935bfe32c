"""Calico's selectors on labels that are known, absent or not known, and what rules ask for."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.calico import (
    AllOf,
    AnyOf,
    CalicoPolicy,
    CalicoRule,
    Compare,
    Entity,
    Labels,
    Not,
    Ports,
    Selector,
    ServiceMatch,
    Term,
    keys_of,
    kinds_asked_for,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PortRange

YES, NO = Term("app", Compare.EQUAL, ("web",)), Term("app", Compare.EQUAL, ("api",))
UNKNOWN = Term("pcns.env", Compare.EQUAL, ("prod",))
LABELS = Labels({"app": "web", "pcns.team": "a"}, ("pcns.",))


@pytest.mark.parametrize(
    ("selector", "held"),
    [
        pytest.param(YES, True, id="yes"),
        pytest.param(NO, False, id="no"),
        pytest.param(UNKNOWN, None, id="a label that is not known"),
        pytest.param(Term("pcns.team", Compare.HAS), True, id="one that is known of a namespace that is not read"),
        pytest.param(Term("pcsa.env", Compare.HAS), False, id="an absent one of what was read"),
        pytest.param(Not(YES), False, id="not yes"),
        pytest.param(Not(NO), True, id="not no"),
        pytest.param(Not(UNKNOWN), None, id="not unknown"),
        pytest.param(AllOf(), True, id="all of nothing"),
        pytest.param(AllOf((YES, UNKNOWN)), None, id="yes and unknown"),
        pytest.param(AllOf((UNKNOWN, NO)), False, id="unknown and no"),
        pytest.param(AllOf((YES, YES)), True, id="yes and yes"),
        pytest.param(AnyOf((NO, UNKNOWN)), None, id="no or unknown"),
        pytest.param(AnyOf((UNKNOWN, YES)), True, id="unknown or yes"),
        pytest.param(AnyOf((NO, NO)), False, id="no or no"),
    ],
)
def test_what_holds(selector: Selector, held: object) -> None:
    assert selector.holds(LABELS) is held


def test_the_keys_of_a_selector() -> None:
    assert keys_of(AnyOf((YES, Not(AllOf((UNKNOWN, Term("x", Compare.HAS))))))) == {"app", "pcns.env", "x"}
    assert keys_of(AllOf()) == frozenset()


def test_ports() -> None:
    ports = Ports((PortRange("", 80, 82),), ("http",))
    assert [ports.covers(number) for number in (79, 80, 82, 83)] == [False, True, True, False]
    assert (bool(ports), bool(Ports(names=("a",))), bool(Ports())) == (True, True, False)


@pytest.mark.parametrize(
    ("entity", "selector", "found"),
    [
        pytest.param(Entity(), AllOf(), set(), id="nothing"),
        pytest.param(Entity(nets=("10.0.0.0/8",)), AllOf(), set(), id="nets"),
        pytest.param(Entity(YES), AllOf(), {"NetworkSet", "GlobalNetworkSet"}, id="a selector"),
        pytest.param(Entity(None, YES), AllOf(), {"NetworkSet", "GlobalNetworkSet"}, id="notSelector"),
        pytest.param(
            Entity(Term("pcsa.a", Compare.HAS)),
            AllOf(),
            {"NetworkSet", "GlobalNetworkSet", "ServiceAccount"},
            id="a label of a service account",
        ),
        pytest.param(Entity(), Term("pcsa.a", Compare.HAS), {"ServiceAccount"}, id="in the policy's own selector"),
        pytest.param(Entity(service=ServiceMatch("a", "b")), AllOf(), {"EndpointSlice"}, id="services"),
    ],
)
def test_the_kinds_that_policies_ask_for(entity: Entity, selector: Selector, found: set[str]) -> None:
    for rule in (
        CalicoRule(Direction.INGRESS, 0, "Allow", entity),
        CalicoRule(Direction.EGRESS, 0, "Allow", destination=entity),
    ):
        policy = CalicoPolicy("GlobalNetworkPolicy", "", "x", "default", None, selector, (), (rule,))
        assert kinds_asked_for([policy]) == {"Tier", "HostEndpoint", *found}
    assert kinds_asked_for([]) == {"Tier", "HostEndpoint"}
