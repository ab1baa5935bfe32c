"""What is read for a question, how often, and the predictions that come of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_netpol.commands.common.questions import Question, answers, ask, read_for, read_for_all, scope_of
from kubectl_netpol.connection.resolve import Role, parse_reference
from kubectl_netpol.console import Console
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.ports import SinglePort, parse_ports, single_ports
from kubectl_netpol.model.snapshot import Gap, Scope, Snapshot
from tests.support.tables import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.connection.predict import Prediction

ALL = frozenset({"pods", "services", "networkpolicies", "endpointslices"})
DNS = frozenset({"kube-system"})
RUN_WEB = {"podSelector": {"matchLabels": {"run": "web"}}}


def deployment(name: str) -> dict[str, Any]:
    """One whose pod is san."""
    template = {"metadata": {"labels": {"run": "san"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"selector": {"matchLabels": {"run": "san"}}, "template": template},
    }


CLUSTER: dict[str, Any] = {
    "pods": {
        "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "shop/web-2": {"ip": "10.0.0.3", "labels": {"run": "web"}},
        "shop/web-1": {"ip": "10.0.0.2", "labels": {"run": "web"}},
        "shop/web-0": {"phase": "Succeeded", "labels": {"run": "web"}},
        "db/web-9": {"ip": "10.0.1.9", "labels": {"run": "web"}},
        "db/sql": {"ip": "10.0.1.1", "labels": {"run": "db"}, "ports": "sql=5432"},
    },
    "services": {
        "shop/web": {"selector": {"run": "web"}, "ports": [{"name": "www", "port": 80}]},
        "shop/back": {"selector": {"run": "san"}, "ports": [{"port": 80}]},
    },
    "policies": {"shop/web-in": {**RUN_WEB, "ingress": [{"ports": [{"port": 80}]}]}},
    "objects": [deployment("back"), deployment("batch")],
}


def ask_selected(
    world: CountedInputs,
    names: tuple[str | None, str | None],
    selectors: tuple[str | None, str | None],
    ports: Sequence[SinglePort],
) -> list[Prediction]:
    question = Question("shop", names, selectors, ports)
    return answers(read_for_all(world.inputs, [question]), question)


class CountedInputs:
    """In place of Inputs: a cluster of which workloads are seen only where the scope has them, or manifests."""

    namespace = "shop"

    def __init__(self, *, live: bool = True, gaps: Iterable[Gap] = ()) -> None:
        self.live = live
        self.scopes: list[Scope] = []
        self.console = Console(io.StringIO(), io.StringIO())
        self._gaps = list(gaps)

    @property
    def inputs(self) -> Inputs:
        return cast("Inputs", self)

    def read(self, scope: Scope) -> Snapshot:
        self.scopes.append(scope)
        reader = Reader(live=self.live)
        for item in objects(CLUSTER):
            if scope.workloads or not self.live or item["kind"] != "Deployment":
                reader.add_items(item["kind"], [item])
        return reader.snapshot(self._gaps)


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        pytest.param(["san"], Scope(frozenset({"shop"})), id="a name"),
        pytest.param(["san", "svc/web"], Scope(frozenset({"shop"})), id="two names of one namespace"),
        pytest.param(["san", "db/sql"], Scope(frozenset({"shop", "db"})), id="two names of two namespaces"),
        pytest.param(["deploy/back"], Scope(frozenset({"shop"}), workloads=True), id="a workload by its kind"),
        pytest.param(["san", "db/sts/sql"], Scope(frozenset({"shop", "db"}), workloads=True), id="one at either end"),
        pytest.param(["sql.db"], Scope(frozenset({"shop", "db"})), id="a name with a dot may be a Service elsewhere"),
        pytest.param(["sql.db.svc"], Scope(frozenset({"shop", "db"})), id="so may one in full"),
        pytest.param(["example.com"], Scope(frozenset({"shop", "com"})), id="so may a host"),
        pytest.param(["pod/sql.db"], Scope(frozenset({"shop"})), id="but not behind a kind"),
        pytest.param(["a.B"], Scope(frozenset({"shop"})), id="nor with what is no namespace's name"),
        pytest.param(["10.0.0.1"], Scope(frozenset({"shop"}), ALL, nodes=True), id="an address may be anything's"),
        pytest.param(["fd00::1"], Scope(frozenset({"shop"}), ALL, nodes=True), id="so may one of IPv6"),
        pytest.param(["san", "node/one"], Scope(frozenset({"shop"}), ALL, nodes=True), id="a node's ports as well"),
    ],
)
def test_what_must_be_read_for_a_name(typed: list[str], scope: Scope) -> None:
    references = [parse_reference(name, "shop") for name in typed]
    scope = scope._replace(services_in=DNS)
    assert scope_of(*references, everywhere=False) == scope
    wide = scope._replace(everywhere=scope.everywhere | {"pods", "networkpolicies"})
    assert scope_of(*references, everywhere=True) == wide
    assert scope_of(*references, everywhere=False, workloads=True) == scope._replace(workloads=True)


@pytest.mark.parametrize(
    ("asked", "reads"),
    [
        pytest.param([("san", Role.SOURCE), ("web", Role.DESTINATION)], [False], id="a pod and a Service"),
        pytest.param([("san", Role.SOURCE), ("web-1", Role.DESTINATION)], [False], id="two pods"),
        pytest.param([("batch", Role.SOURCE), ("web", Role.DESTINATION)], [False, True], id="neither, at the source"),
        pytest.param([("san", Role.SOURCE), ("batch", Role.DESTINATION)], [False, True], id="at the destination"),
        pytest.param([("batch", Role.SOURCE), ("db/sql", Role.DESTINATION)], [False, True], id="in two namespaces"),
        pytest.param([("back", Role.DESTINATION)], [False], id="a Service with a Deployment's name, as destination"),
        pytest.param([("deploy/back", Role.SUBJECT)], [True], id="a workload by its kind is read at once"),
        pytest.param(
            [("web", Role.SOURCE)], [False, True], id="a Service is no source without its kind, a Deployment is"
        ),
        pytest.param([("web", Role.SUBJECT)], [False], id="a Service is a subject"),
        pytest.param([("nothing", Role.SUBJECT)], [False, True], id="what is not there at all"),
        pytest.param([("10.9.9.9", Role.SOURCE), ("a.example", Role.DESTINATION)], [False], id="addresses and hosts"),
    ],
)
def test_workloads_are_read_only_where_nothing_else_has_the_name(
    asked: list[tuple[str, Role]], reads: list[bool]
) -> None:
    world = CountedInputs()
    references = [(parse_reference(typed, "shop"), role) for typed, role in asked]
    snapshot = read_for(world.inputs, *references, everywhere=False)
    assert [scope.workloads for scope in world.scopes] == reads
    assert bool(snapshot.workloads) is reads[-1]
    assert len({scope._replace(workloads=False) for scope in world.scopes}) == 1, "the second read is no narrower"


def test_manifests_are_read_once() -> None:
    world = CountedInputs(live=False)
    read_for(world.inputs, (parse_reference("nothing", "shop"), Role.SOURCE), everywhere=True)
    (scope,) = world.scopes
    assert scope.everywhere == {"pods", "networkpolicies"}


# SOURCE DESTINATION PORT.


def rows(predictions: list[Prediction]) -> list[tuple[str, str, str, int | None, Verdict]]:
    return [
        (
            one.request.source.reference,
            one.request.destination.reference,
            one.request.protocol,
            one.request.port,
            one.verdict,
        )
        for one in predictions
    ]


def test_a_prediction_for_each_port_in_the_order_typed() -> None:
    world = CountedInputs()
    _, predictions = ask(world.inputs, "san", "pod/web-1", single_ports(parse_ports("443,80,80/udp,90-91")))
    assert rows(predictions) == [
        ("san", "pod/web-1", "TCP", 443, Verdict.BLOCKED),
        ("san", "pod/web-1", "TCP", 80, Verdict.ALLOWED),
        ("san", "pod/web-1", "UDP", 80, Verdict.BLOCKED),
        ("san", "pod/web-1", "TCP", 90, Verdict.BLOCKED),
        ("san", "pod/web-1", "TCP", 91, Verdict.BLOCKED),
    ]
    assert len(world.scopes) == 1


@pytest.mark.parametrize(
    ("source", "destination", "port", "row"),
    [
        pytest.param(
            "san", "web", SinglePort("TCP", "www"), ("san", "web", "TCP", 80, Verdict.ALLOWED), id="a port by its name"
        ),
        pytest.param(
            "back",
            "db/sql",
            SinglePort("TCP", "sql"),
            ("back", "db/sql", "TCP", 5432, Verdict.ALLOWED),
            id="a workload that has a Service's name, and a pod elsewhere",
        ),
    ],
)
def test_the_ends_are_shown_as_they_were_typed(source: str, destination: str, port: SinglePort, row: object) -> None:
    _, predictions = ask(CountedInputs().inputs, source, destination, [port])
    assert rows(predictions) == [row]


def test_the_snapshot_is_the_one_that_was_asked() -> None:
    snapshot, _ = ask(CountedInputs().inputs, "back", "web", [SinglePort("TCP", 80)])
    assert [workload.name for workload in snapshot.workloads] == ["back", "batch"]


def test_a_service_as_destination_needs_no_workloads() -> None:
    world = CountedInputs()
    ask(world.inputs, "san", "web", [SinglePort("TCP", 80)])
    assert [scope.workloads for scope in world.scopes] == [False]


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        pytest.param("a/b/c/d", "web", 'invalid name "a/b/c/d"', id="a name that can't be one: nothing is read"),
        pytest.param("san", "wbe", 'no Service, pod or workload "wbe" in namespace shop', id="a name of nothing"),
    ],
)
def test_names_that_lead_nowhere(source: str, destination: str, message: str) -> None:
    world = CountedInputs()
    with pytest.raises(NetpolError) as caught:
        ask(world.inputs, source, destination, [SinglePort("TCP", 80)])
    assert caught.value.message == message
    assert len(world.scopes) == (0 if isinstance(caught.value, UsageError) else 2)


# Ends by their labels.

WEB_80 = [SinglePort("TCP", 80)]


@pytest.mark.parametrize(
    ("names", "selectors", "pairs"),
    [
        pytest.param(
            (None, None),
            ("run=web", "run=web"),
            [("pod/web-1", "pod/web-2"), ("pod/web-2", "pod/web-1")],
            id="both ends: each running pod of the namespace with each other one",
        ),
        pytest.param(
            ("san", None),
            (None, "run=web"),
            [("san", "pod/web-1"), ("san", "pod/web-2")],
            id="a source by name",
        ),
        pytest.param(
            (None, "web"),
            ("run in (san,web)", None),
            [("pod/san", "web"), ("pod/web-1", "web"), ("pod/web-2", "web")],
            id="a destination by name: a Service, also for the pods behind it",
        ),
        pytest.param(
            ("10.9.9.9", None),
            (None, "run=web"),
            [("10.9.9.9", "pod/web-1"), ("10.9.9.9", "pod/web-2")],
            id="an address is no pod, and so never the same one",
        ),
        pytest.param(
            (None, "batch"), ("run=web", None), [("pod/web-1", "batch"), ("pod/web-2", "batch")], id="a workload"
        ),
        pytest.param(
            ("san", None),
            (None, ""),
            [("san", "pod/web-1"), ("san", "pod/web-2")],
            id="an empty selector is every pod but the source",
        ),
    ],
)
def test_every_pair_of_what_is_selected(
    names: tuple[str | None, str | None], selectors: tuple[str | None, str | None], pairs: list[tuple[str, str]]
) -> None:
    world = CountedInputs()
    predictions = ask_selected(world, names, selectors, WEB_80)
    assert [row[:2] for row in rows(predictions)] == pairs
    (scope,) = world.scopes
    assert (scope.workloads, "shop" in scope.namespaces) == (True, True)


def test_several_questions_are_one_read() -> None:
    world = CountedInputs()
    asked = [
        ("shop", ("san", None), (None, "run=web")),
        ("db", (None, "shop/back"), ("run=db", None)),
        ("db", ("sql", "10.0.0.1"), (None, None)),
    ]
    questions = [Question(*one, WEB_80) for one in asked]
    snapshot = read_for_all(world.inputs, questions)
    assert [len(answers(snapshot, question)) for question in questions] == [2, 1, 1]
    assert world.scopes == [Scope(frozenset({"shop", "db"}), ALL, nodes=True, workloads=True, services_in=DNS)]


def test_every_port_of_a_pair_before_the_next_pair() -> None:
    ports = single_ports(parse_ports("80,53/UDP"))
    predictions = ask_selected(CountedInputs(), ("san", None), (None, "run=web"), ports)
    assert [row[1:4] for row in rows(predictions)] == [
        ("pod/web-1", "TCP", 80),
        ("pod/web-1", "UDP", 53),
        ("pod/web-2", "TCP", 80),
        ("pod/web-2", "UDP", 53),
    ]


def test_the_name_at_the_other_end_is_read_too() -> None:
    world = CountedInputs()
    ask_selected(world, (None, "db/sql"), ("run=web", None), WEB_80)
    assert [scope.namespaces for scope in world.scopes] == [frozenset({"shop", "db"})]


@pytest.mark.parametrize(
    ("selectors", "gaps", "message"),
    [
        pytest.param(
            ("run=none", "run=web"), [], 'no running pod in namespace shop matches "run=none"', id="nothing is selected"
        ),
        pytest.param(
            ("run=san", "run=san"), [], "shop/san is the only pod at both ends", id="the same pod at both ends"
        ),
        pytest.param(
            ("run=san", "run=web"),
            [Gap("pods", "shop", "you may not list pods")],
            "you may not list pods",
            id="pods that can't be listed are not taken for none",
        ),
        pytest.param(
            ("n>1", "run=web"),
            [],
            'invalid label selector "n>1": a NetworkPolicy can\'t compare numbers',
            id="no selector",
        ),
    ],
)
def test_selections_that_are_refused(selectors: tuple[str, str], gaps: list[Gap], message: str) -> None:
    with pytest.raises(NetpolError) as caught:
        ask_selected(CountedInputs(gaps=gaps), (None, None), selectors, WEB_80)
    assert caught.value.message == message
