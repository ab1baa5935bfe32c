"""What is read of a cluster for a question is enough: the verdict is that of the whole cluster, or undefined.

Undefined only where RBAC forbids a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.commands.common.inputs import Inputs
from kubectl_netpol.commands.common.questions import ask
from kubectl_netpol.console import Console
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import ClusterError, ForbiddenError, NetpolError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import KINDS, WORKLOADS, kind_of
from kubectl_netpol.model.ports import SinglePort
from tests.support.api import groups
from tests.support.clusters import NAMESPACES, clusters
from tests.support.lawful import lawful

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot
    from tests.support.clusters import Feature

Object = dict[str, Any]
Objects: TypeAlias = list[Object]
GROUPS = groups(
    cilium_io="v2",
    policy_networking_k8s_io="v1beta1 v1alpha2 v1alpha1",
    networking_k8s_aws="v1alpha1",
    projectcalico_org="v3",
)
READ: dict[Feature, str] = {
    "unread namespaces": "a server knows every namespace; what may be read of them is the question here",
    "pods without a status": "only files have them",
}


class FakeApi:
    """An API server of these objects. `forbidden`: (resource, namespace), None for the cluster-wide list."""

    def __init__(self, objects: Objects, forbidden: frozenset[tuple[str, str | None]] = frozenset()) -> None:
        self.objects = objects
        self.forbidden = forbidden

    def get(self, path: str, **_: str) -> Any:
        if path == "/apis":
            return GROUPS
        name = path.rsplit("/", maxsplit=1)[1]
        if ("namespaces", name) in self.forbidden:
            raise ForbiddenError("no", verb="get", resource="namespaces", namespace=name)
        return next(o for o in self.objects if o["kind"] == "Namespace" and o["metadata"]["name"] == name)

    def list(self, _: str) -> Objects:
        """No DaemonSet: no plugin runs whose reading is another one."""
        return []

    def gather(self, paths: Mapping[Any, str], read: Callable[[Any, Any], Any] | None = None) -> dict[Any, Any]:
        def one(key: Any, found: Objects | ClusterError) -> Any:
            return found if isinstance(found, ClusterError) or not read else [read(key, item) for item in found]

        return {key: one(key, self._list(path)) for key, path in paths.items()}

    def _list(self, path: str) -> Objects | ClusterError:
        *front, resource = path.split("/")
        namespace = front[-1] if front[-2:-1] == ["namespaces"] else None
        group = front[2] if front[1] == "apis" else ""
        (kind,) = (kind for kind in KINDS.values() if kind.resource == resource and group in kind.groups)
        if (resource, namespace) in self.forbidden:
            return ForbiddenError("no", verb="list", resource=resource, namespace=namespace)
        return [
            {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
            for item in self.objects
            if kind_of(item["kind"], item["apiVersion"]) is kind
            and namespace in (None, item["metadata"].get("namespace"))
        ]


def ends(objects: list[Object]) -> st.SearchStrategy[str]:
    """Words for what is there: names in every form, and addresses."""
    words = [
        "10.96.0.1",
        "10.96.0.9",
        "192.168.0.1",
        "192.168.0.2",
        "192.168.1.2",
        "10.200.0.1",
        "8.8.8.8",
        "node/n1",
        "node/n2",
    ]
    for item in objects:
        metadata = item["metadata"]
        if item["kind"] == "Pod":
            words += [f"{metadata['namespace']}/pod/{metadata['name']}"] * 3
            words += [entry["ip"] for entry in item.get("status", {}).get("podIPs", ())]
        if item["kind"] in WORKLOADS:
            words.append(f"{metadata['namespace']}/{item['kind'].lower()}/{metadata['name']}")
        if item["kind"] == "Service":
            words += [f"{metadata['namespace']}/svc/{metadata['name']}", f"{metadata['name']}.{metadata['namespace']}"]
    return st.sampled_from(words)


def asked(world: Inputs, words: tuple[str, str], port: int, protocol: str) -> Prediction | str:
    try:
        _, verdicts = ask(world, *words, [SinglePort(protocol, port)])
    except NetpolError as error:
        return error.message
    return verdicts[0]


def whole(objects: list[Object]) -> Snapshot:
    reader = Reader(live=True)
    for item in objects:
        kind = kind_of(item["kind"], item["apiVersion"])
        assert kind
        reader.add_items(kind.name, [item])
    return reader.snapshot()


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Object], tuple[str, str], int, str]:
    objects = draw(clusters(without=READ))
    sources = ends(objects).filter(lambda word: "svc" not in word and "bare" not in word)
    words = draw(sources), draw(ends(objects))
    return (
        objects,
        words,
        draw(st.sampled_from((80, 80, 80, 8080, 53, 30080, 30081))),
        draw(st.sampled_from(("TCP", "TCP", "UDP"))),
    )


def summary(found: Prediction | str) -> object:
    """Everything of a verdict that a user sees, or the error."""
    if isinstance(found, str):
        return found
    sides = [
        (
            side.verdict,
            [p.key for p in side.isolated_by],
            [(a.policy.key, a.rule.position, a.peer) for a in side.allowed_by],
        )
        for side in (found.egress, found.ingress)
    ]
    routes = [(r.connection.destination.title, r.connection.port, r.verdict) for r in found.routes]
    return found.verdict, found.reason, sides, routes, found.caveats


@lawful(200)
@given(questions(), st.sampled_from(NAMESPACES))
def test_a_part_of_the_cluster_says_what_the_whole_says(
    question: tuple[list[Object], tuple[str, str], int, str], current: str
) -> None:
    objects, words, port, protocol = question
    api: Api = FakeApi(objects)  # type: ignore[assignment] # it has what is asked of an Api here
    by_part = asked(Inputs(current, api, None, Console()), words, port, protocol)
    assert summary(by_part) == summary(asked(Inputs(current, None, whole(objects), Console()), words, port, protocol))


forbidden = st.frozensets(
    st.tuples(
        st.sampled_from(("pods", "services", "networkpolicies", "namespaces", "nodes", "endpointslices",
                         "ciliumnetworkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies",
                         "clusternetworkpolicies")),
        st.sampled_from((None, *NAMESPACES)),
    ),
    max_size=4,
)  # fmt: skip


@lawful(200)
@given(questions(), st.sampled_from(NAMESPACES), forbidden)
def test_what_rbac_forbids_makes_a_verdict_undefined_never_wrong(
    question: tuple[list[Object], tuple[str, str], int, str], current: str, closed: frozenset[tuple[str, str | None]]
) -> None:
    """A role that may not list one namespace may not list them all."""
    objects, words, port, protocol = question
    closed |= {(resource, None) for resource, _ in closed}
    api: Api = FakeApi(objects, closed)  # type: ignore[assignment] # it has what is asked of an Api here
    found = asked(Inputs(current, api, None, Console()), words, port, protocol)
    wanted = asked(Inputs(current, None, whole(objects), Console()), words, port, protocol)
    if isinstance(found, str):
        return
    assert not isinstance(wanted, str)
    assert found.verdict in (wanted.verdict, Verdict.UNDEFINED)
    for mine, true in ((found.egress, wanted.egress), (found.ingress, wanted.ingress)):
        assert mine.verdict in (true.verdict, Verdict.UNDEFINED)


def test_the_fake_server_refuses_what_it_should() -> None:
    api = FakeApi([], frozenset({("pods", "a"), ("pods", None)}))
    found = api.gather({1: "/api/v1/namespaces/a/pods", 2: "/api/v1/pods", 3: "/api/v1/namespaces/b/pods"})
    assert [isinstance(result, ForbiddenError) for result in found.values()] == [True, True, False]
    with pytest.raises(StopIteration):
        api.get("/api/v1/namespaces/a")
