"""Which candidates fit, in which order, and what counts as opened beside."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.allow.choice import Candidate, candidate, ranked
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from tests.support.tables import snapshot_of

CLUSTER: dict[str, Any] = {
    "pods": {
        "a/san": {"labels": {"run": "san"}, "ip": "10.0.0.1"},
        "a/cart": {"labels": {"run": "cart"}, "ip": "10.0.0.2"},
        "a/web": {"labels": {"run": "web"}, "ip": "10.0.0.3", "ports": "http=80"},
        "a/host": {"ip": "192.0.2.1", "host_network": True},
    },
    "policies": {"a/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}},
}


def web(*rules: Any) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"run": "web"}}, "ingress": list(rules)}


def pods(**labels: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels}}


PORT = [{"port": 80}]
SAN = web({"from": [pods(run="san")], "ports": PORT})
ALL = web({"from": [{"podSelector": {}}], "ports": PORT})
CART = web({"from": [pods(run="cart")], "ports": PORT})
EVERY_PORT = web({"from": [pods(run="san")]})
SHUT = {"podSelector": {}, "policyTypes": ["Egress"]}


def tried(name: str, **policies: Any) -> Candidate:
    before = snapshot_of(CLUSTER)
    more = snapshot_of({"pods": {}, "policies": {f"a/{key}": spec for key, spec in policies.items()}})
    ends = [parse_reference(word, "a") for word in ("san", "web")]
    need = request(before, resolve_source(before, ends[0]), resolve_destination(before, ends[1]), 80, "TCP")
    return candidate(name, before, before.with_policies([*before.evaluated, *more.evaluated]), [need])


@pytest.mark.parametrize(
    ("policies", "fits", "beside", "closes"),
    [
        pytest.param({"p": SAN}, True, 0, 0, id="just what is needed"),
        pytest.param({"p": EVERY_PORT}, True, 1, 0, id="the other ports besides"),
        pytest.param({"p": CART}, False, 1, 0, id="another pod"),
        pytest.param({}, False, 0, 0, id="nothing"),
        pytest.param({"p": SAN, "q": CART}, True, 1, 0, id="two policies"),
    ],
)
def test_what_a_candidate_does(policies: dict[str, Any], fits: bool, beside: int, closes: int) -> None:  # noqa: FBT001
    found = tried("x", **policies)
    assert (found.fits, found.beside, found.closes) == (fits, beside, closes)


def test_what_closes_counts_too() -> None:
    found = tried("x", p=SAN, q=SHUT)
    assert found.fits is False
    assert found.closes > 0


def test_the_least_first_then_the_others() -> None:
    found = [
        tried("cart", p=CART),
        tried("all", p=ALL),
        tried("every port", p=EVERY_PORT),
        tried("san", p=SAN),
        tried("same", p=SAN),
    ]
    assert [one.name for one in ranked(found)] == ["san", "same", "all", "every port", "cart"]
