"""The grid of one port: a row per source, a letter per destination."""

from __future__ import annotations

import pytest

from kubectl_netpol.matrix.grid import BLOCKED, CANT_CONNECT, LETTERS, NO_PORT, UNDEFINED, Grid, declared_ports
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.model.objects import ContainerPort, Owner, Pod
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
HTTP = (ContainerPort("http", 80), ContainerPort("dns", 53, "UDP"))
SAN = Pod("x", "san", {"app": "san"}, ("10.0.0.1",))
WEB = Pod("x", "web", {"app": "web"}, ("10.0.0.2",), HTTP)
DB = Pod("x", "db", {"app": "db"}, ("10.0.0.3",), (ContainerPort("http", 8080), ContainerPort(None, 80)))
DONE = Pod("x", "done", {"app": "done"}, (), HTTP, phase="Succeeded")
WAITING = Pod("x", "waiting", {"app": "waiting"}, (), phase="Pending")
PLANNED = Pod("x", "planned", {"app": "planned"}, planned=True)


def policy(app: str, *directions: Direction, peer: Peer | None = None) -> Policy:
    rules = (Rule(directions[0], 0, (peer,)),) if peer else ()
    return Policy("x", app, LabelSelector.of({"app": app}), directions, rules)


FROM_SAN = Peer(pod_selector=LabelSelector.of({"app": "san"}))
FROM_BLOCK = Peer(ip_block=IPBlock("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("pods", "policies", "port", "rows"),
    [
        pytest.param((SAN, WEB), (), 80, ["aa", "aa"], id="without policies all is allowed"),
        pytest.param(
            (SAN, WEB, DB), (policy("web", INGRESS),), 80, ["aba", "aaa", "aba"], id="a destination that blocks"
        ),
        pytest.param((SAN, WEB, DB), (policy("web", EGRESS),), 80, ["aaa", "bab", "aaa"], id="a source that blocks"),
        pytest.param(
            (SAN, WEB, DB),
            (policy("web", INGRESS, peer=FROM_SAN),),
            80,
            ["aaa", "aaa", "aba"],
            id="a rule for one source",
        ),
        pytest.param(
            (SAN, WEB),
            (policy("web", INGRESS, EGRESS),),
            80,
            ["ab", "ba"],
            id="a pod reaches itself although it is isolated",
        ),
        pytest.param(
            (PLANNED, WEB),
            (policy("web", INGRESS, peer=FROM_BLOCK),),
            80,
            ["au", "aa"],
            id="an unknown address is undefined",
        ),
        pytest.param(
            (SAN, WEB, PLANNED),
            (policy("web", INGRESS, peer=FROM_BLOCK), policy("planned", EGRESS)),
            80,
            ["aaa", "aaa", "bba"],
            id="blocked at the source wins over undefined at the destination",
        ),
        pytest.param((SAN, WEB, DB), (), "http", ["-aa", "-aa", "-aa"], id="no such port on a destination"),
        pytest.param((SAN, DONE, WAITING), (), 80, ["auu", "uuu", "uuu"], id="a pod that can't connect is undefined"),
        pytest.param((SAN, DONE), (), "http", ["-u", "-u"], id="no such port wins over a pod that can't connect"),
        pytest.param((), (), 80, [], id="no pods"),
    ],
)
def test_rows(pods: tuple[Pod, ...], policies: tuple[Policy, ...], port: int | str, rows: list[str]) -> None:
    assert list(Grid(PodSets(Snapshot(pods=pods, policies=policies), pods), "TCP", port).rows()) == rows


def test_codes_tell_what_one_pod_says_to_another_just_like_it() -> None:
    pods = (SAN, WEB)
    grid = Grid(PodSets(Snapshot(pods=pods, policies=[policy("web", INGRESS, EGRESS)]), pods), "TCP", 80)
    assert [list(row) for row in grid.codes()] == [[0, BLOCKED], [BLOCKED, BLOCKED]]


def test_more_sources_than_are_computed_at_once() -> None:
    pods = tuple(Pod("x", f"p{number:03}", {"app": "web" if number == 300 else "x"}) for number in range(301))
    pods = tuple(pod._replace(ips=("10.0.0.1",)) for pod in pods)
    grid = Grid(PodSets(Snapshot(pods=pods, policies=[policy("web", INGRESS)]), pods), "TCP", 80)
    assert set(list(grid.rows())[:300]) == {"a" * 300 + "b"}
    assert list(grid.rows())[300] == "a" * 301


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        pytest.param(0, "a", id="nothing is allowed"),
        pytest.param(UNDEFINED, "u", id="undefined"),
        pytest.param(BLOCKED | UNDEFINED, "b", id="blocked wins over undefined"),
        pytest.param(CANT_CONNECT | BLOCKED, "u", id="a pod that can't connect wins over blocked"),
        pytest.param(NO_PORT | CANT_CONNECT | BLOCKED | UNDEFINED, "-", id="no such port wins over all"),
    ],
)
def test_the_highest_bit_decides_the_letter(code: int, letter: str) -> None:
    assert chr(LETTERS[code]) == letter


def test_templates_of_one_name_are_pods_of_their_own() -> None:
    templates = tuple(PLANNED._replace(owner=Owner(kind, "planned")) for kind in ("Deployment", "StatefulSet"))
    pods = (SAN, *templates)
    grid = Grid(PodSets(Snapshot(pods=pods, policies=[policy("planned", INGRESS)]), pods), "TCP", 80)
    assert grid.own_positions(0) == [0]
    assert grid.own_positions(1) == [1]
    assert list(grid.rows()) == ["abb", "aab", "aba"]


def test_the_number_of_a_port_name() -> None:
    grid = Grid(PodSets(Snapshot(pods=[DB]), (DB,)), "TCP", "http")
    assert (grid.number(DB), grid.number(SAN)) == (8080, None)


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        pytest.param(None, [("TCP", 80), ("TCP", 8080), ("UDP", 53)], id="each once, sorted"),
        pytest.param("UDP", [("UDP", 53)], id="of one protocol"),
        pytest.param("SCTP", [], id="of a protocol that no pod declares"),
    ],
)
def test_declared_ports(protocol: str | None, expected: list[tuple[str, int]]) -> None:
    assert declared_ports((DB, WEB, SAN), protocol) == expected


def test_pods_that_differ_in_their_node_only_have_their_own_verdicts_on_a_host_network_pod() -> None:
    agent = Pod("y", "agent", {}, ("192.0.2.1",), host_network=True, node="n1")
    here, there = (SAN._replace(name=node, node=node) for node in ("n1", "n2"))
    pods = (agent, here, there)
    rows = list(Grid(PodSets(Snapshot(pods=pods, policies=[policy("san", INGRESS, EGRESS)]), pods), "TCP", 80).rows())
    assert rows == ["aub", "uab", "bba"]
