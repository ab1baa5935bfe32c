"""Destinations with ports of their own."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.pairs import Pair, check_pairs, cross_product, opened_by_pairs, parse_pair
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.ports import NamedPort, PortRange, RulePorts

ONE, TWO = (PortRange("TCP", 1, 1),), (PortRange("TCP", 1, 1), NamedPort("TCP", "http"))


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        pytest.param("app=db", Pair("app=db"), id="a selector alone"),
        pytest.param("app=db:1", Pair("app=db", ONE), id="with a port"),
        pytest.param("app in (a,b):1,http", Pair("app in (a,b)", TWO), id="with several"),
        pytest.param(
            "app=db:53/udp,1", Pair("app=db", (PortRange("UDP", 53, 53), *ONE)), id="with a protocol of its own"
        ),
    ],
)
def test_a_pair_as_typed(text: str, pair: Pair) -> None:
    assert parse_pair(text, "TCP") == pair


@pytest.mark.parametrize(
    ("pairs", "ports", "refused"),
    [
        pytest.param([], (), False, id="none"),
        pytest.param([Pair("a"), Pair("b")], (), False, id="no ports at all"),
        pytest.param([Pair("a", ONE), Pair("b")], ONE, False, id="the others have those of --port"),
        pytest.param([Pair("a", ONE), Pair("b")], (), True, id="or none"),
        pytest.param([Pair("a", ONE)], ONE, True, id="ports that nobody gets"),
    ],
)
def test_it_is_plain_who_gets_which_port(pairs: list[Pair], ports: RulePorts, refused: bool) -> None:  # noqa: FBT001
    if refused:
        with pytest.raises(UsageError):
            check_pairs(pairs, ports)
    else:
        check_pairs(pairs, ports)


@pytest.mark.parametrize(
    ("pairs", "ports", "texts", "warned"),
    [
        pytest.param([Pair("a")], TWO, [], False, id="one destination"),
        pytest.param([Pair("a"), Pair("b")], ONE, [], False, id="one port"),
        pytest.param([Pair("a"), Pair("b")], (), [], False, id="every port"),
        pytest.param([Pair("a"), Pair("b")], TWO, ["a: TCP 1,http", "b: TCP 1,http"], True, id="every pair"),
        pytest.param([Pair("a", ONE), Pair("b", ONE)], (), ["a: TCP 1", "b: TCP 1"], False, id="pairs"),
        pytest.param([Pair("a", ONE), Pair("b")], TWO, ["a: TCP 1", "b: TCP 1,http"], False, id="one has the others"),
    ],
)
def test_what_several_open_together(pairs: list[Pair], ports: RulePorts, texts: list[str], warned: bool) -> None:  # noqa: FBT001
    assert list(opened_by_pairs(pairs, ports)) == texts
    assert bool(cross_product(pairs, ports)) is warned
