"""The prober with the network replaced: what it runs where, what it asks after a failure, and what it concludes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kubectl_netpol.cluster import debug_container
from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.cluster.streams import CompletedExec, Listening
from kubectl_netpol.commands.common import prober as module
from kubectl_netpol.commands.common.options import ProbeOptions
from kubectl_netpol.commands.common.prober import Prober
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.model.objects import Container, ContainerPort, Namespace, Node, Pod, Service, ServicePort
from kubectl_netpol.model.policies import Action, Direction, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import parse_ports, single_ports
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Snapshot
from kubectl_netpol.probe.outcome import Outcome
from kubectl_netpol.probe.script import PYTHON_UDP
from tests.support.api import FakeApi
from tests.support.tables import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.model.snapshot import Scope

TODAY, NOW = "2026-01-01T00:00:00Z", 1767225600.0
NO_SHELL = CompletedExec(None, b"", b"", 'exec: "sh": executable file not found in $PATH', 0.0)
OPEN, REFUSED, TIMED_OUT = "nc (it) open", "nc: Connection refused", "nc: timed out"
ANSWERED, SILENT = "netpol: answered", "netpol: silent"


class Exec(NamedTuple):
    """One exec: "shop/san", its container, the protocol, targets such as "10.0.0.3:80" and names to look up."""

    pod: str
    container: str
    protocol: str
    targets: tuple[str, ...]
    names: tuple[str, ...] = ()


class Network:
    """What every exec and port-forward finds, and what was asked.

    `output`: what a tool prints per target, the last of several again and again; else it is open.
    """

    def __init__(self) -> None:
        self.execs: list[Exec] = []
        self.argv: list[Sequence[str]] = []
        self.forwards: list[tuple[str, int]] = []
        self.output: dict[str, list[str]] = {}
        self.tool, self.form = "nc", "nc"
        self.threads: list[threading.Thread] = []
        self.unresolved: set[str] = set()
        self.without_tools: set[str] = set()
        self.errors: dict[str, ClusterError] = {}
        self.listening: dict[tuple[str, int], bool | ClusterError | None] = {}
        self.plugin: str | None = None
        self.plugins_asked = 0
        self.scopes: list[Scope] = []
        self.reread = Snapshot()
        self._lock = threading.Lock()

    def execute(
        self, _api: object, namespace: str, pod: str, container: str, argv: Sequence[str], *, deadline: float
    ) -> CompletedExec:
        assert deadline > 0
        if container in self.errors:
            raise self.errors[container]
        if container in self.without_tools:
            return NO_SHELL
        targets, names = targets_and_names(list(argv))
        protocol = "UDP" if PYTHON_UDP in argv else "TCP"
        with self._lock:
            self.execs.append(Exec(f"{namespace}/{pod}", container, protocol, targets, names))
            self.argv.append(argv)
            self.threads.append(threading.current_thread())
            lines = []
            for index, name in enumerate((*names, *(t.rpartition(":")[0] for t in targets if "com" in t))):
                lines.append(f"R n{index} getent getent {2 if name in self.unresolved else 0} 0 1")
            for index, target in enumerate(targets):
                printed = self.output.get(target, [ANSWERED if protocol == "UDP" else OPEN])
                form = "bash" if protocol == "UDP" else self.form
                status = 0 if printed[0] == OPEN else 1
                lines += [f"R t{index} {form} {self.tool} {status} 0 1", f"W t{index} {printed[0]}"]
                if len(printed) > 1:
                    printed.pop(0)
        return CompletedExec(0, "\n".join([*lines, "Z", ""]).encode(), b"", None, 0.1)

    def listens(self, _api: object, namespace: str, pod: str, port: int, *, deadline: float) -> Listening:
        assert deadline > 0
        self.forwards.append((f"{namespace}/{pod}", port))
        answer = self.listening.get((f"{namespace}/{pod}", port), True)
        if isinstance(answer, ClusterError):
            raise answer
        return Listening(answer, "")

    def network_plugin(self, _api: object) -> str | None:
        time.sleep(0.05)  # as long as it takes another thread to ask too
        self.plugins_asked += 1
        return self.plugin

    def read_snapshot(self, _api: object, scope: Scope) -> Snapshot:
        self.scopes.append(scope)
        return self.reread


def targets_and_names(argv: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The end of a probe's arguments: the number of names, the names, then address and port in turn."""
    targets: list[str] = []
    while argv[-1].isdecimal() and argv[-1] != "0" and "." in argv[-2]:
        port = argv.pop()
        targets.insert(0, f"{argv.pop()}:{port}")
    names: list[str] = []
    while not argv[-1].isdecimal():
        names.insert(0, argv.pop())
    assert argv[-1] == str(len(names))
    return tuple(targets), tuple(names)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    found = Network()
    for name in ("execute", "listens", "network_plugin", "read_snapshot"):
        monkeypatch.setattr(module, name, getattr(found, name))
    return found


class Clock:
    """In place of the module's `time`: only sleeping takes time."""

    strptime = staticmethod(time.strptime)

    def __init__(self, sleep: Callable[[], None] = lambda: None) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._sleep = sleep

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        self._sleep()


def pod(name: str, address: str | None, namespace: str = "shop", **fields: Any) -> Pod:
    """A running pod with the label run=NAME and one container, c."""
    found = Pod(namespace, name, {"run": name}, (address,) if address else (), containers=(Container("c", "busybox"),))
    return found._replace(**fields)


def labelled(**labels: str) -> LabelSelector:
    return LabelSelector.of(labels)


PORTS = (ContainerPort("http", 8080), ContainerPort("dns", 53, "UDP"))
SAN, CART = pod("san", "10.0.0.1"), pod("cart", "10.0.0.2")
WEB, DB = pod("web", "10.0.0.3", ports=PORTS), pod("db", "10.0.0.4")
WEB_SERVICE = Service("shop", "web", labelled(run="web"), (ServicePort("www", 80, "http"),), cluster_ips=("10.96.0.1",))
DB_IN = Policy(
    "shop",
    "db-in",
    labelled(run="db"),
    (Direction.INGRESS,),
    (Rule(Direction.INGRESS, 0, (Peer(pod_selector=labelled(run="san")),)),),
)
SNAPSHOT = Snapshot(
    namespaces=[Namespace("shop", {})],
    pods=[SAN, CART, WEB, DB],
    services=[WEB_SERVICE],
    policies=[DB_IN],
    nodes=[Node("one", ("10.1.0.1",))],
)


def snapshot_with(*pods: Pod, services: Sequence[Service] = (), policies: Sequence[Policy] = (DB_IN,)) -> Snapshot:
    """The pods in place of those of the same name, the Services besides."""
    kept = [one for one in SNAPSHOT.pods if one.name not in {other.name for other in pods}]
    return Snapshot(
        namespaces=SNAPSHOT.namespaces.values(),
        pods=[*kept, *pods],
        services=[WEB_SERVICE, *services],
        policies=policies,
        nodes=SNAPSHOT.nodes,
    )


def results(
    *lines: str,
    snapshot: Snapshot = SNAPSHOT,
    cluster: ClusterOptions = ClusterOptions(),  # noqa: B008 - an immutable tuple
    now: float | None = NOW,
    again: bool = False,
    **options: Any,
) -> list[ConnectionResult]:
    """The results for lines such as "shop/san shop/web 80,53/UDP"."""
    predictions = [
        ask(snapshot, source, destination, port.port, port.protocol)
        for source, destination, ports in map(str.split, lines)
        for port in single_ports(parse_ports(ports))
    ]
    one = Prober(FakeApi(now=now).api, snapshot, namespace="shop", cluster=cluster, options=ProbeOptions(**options))
    found = one.results(predictions)
    return one.results(predictions) if again else found


def result(line: str, **more: Any) -> ConnectionResult:
    (found,) = results(line, **more)
    return found


def code(line: str, **more: Any) -> Code:
    return result(line, **more).finding.code


# Which execs.


@pytest.mark.parametrize(
    ("lines", "execs"),
    [
        pytest.param(
            ["shop/san shop/pod/web 80"], [Exec("shop/san", "c", "TCP", ("10.0.0.3:80",))], id="one connection"
        ),
        pytest.param(
            ["shop/san shop/pod/web 80,8000-8001", "shop/san shop/db 5432"],
            [Exec("shop/san", "c", "TCP", ("10.0.0.3:80", "10.0.0.3:8000", "10.0.0.3:8001", "10.0.0.4:5432"))],
            id="several ports and destinations of one source are one exec",
        ),
        pytest.param(
            ["shop/san shop/pod/web 80,53/UDP"],
            [Exec("shop/san", "c", "TCP", ("10.0.0.3:80",)), Exec("shop/san", "c", "UDP", ("10.0.0.3:53",))],
            id="two protocols of one source are two execs",
        ),
        pytest.param(
            ["shop/san shop/pod/web 80", "shop/cart shop/pod/web 80"],
            [Exec("shop/cart", "c", "TCP", ("10.0.0.3:80",)), Exec("shop/san", "c", "TCP", ("10.0.0.3:80",))],
            id="two sources are two execs",
        ),
        pytest.param(
            ["shop/san shop/svc/web www"],
            [Exec("shop/san", "c", "TCP", ("10.96.0.1:80",), ("web.shop.svc",))],
            id="a Service is dialled at its address, and its name is looked up in the same exec",
        ),
        pytest.param(
            ["shop/san example.com 443"],
            [Exec("shop/san", "c", "TCP", ("example.com:443",), ("example.com",))],
            id="a host is dialled by its name",
        ),
        pytest.param(["shop/san shop/pod/web 80/SCTP"], [], id="SCTP is not probed"),
        pytest.param(["10.9.9.9 shop/pod/web 80", "node/one shop/pod/web 80"], [], id="nothing runs where no pod is"),
    ],
)
def test_one_exec_per_source_and_protocol(lines: list[str], execs: list[Exec], network: Network) -> None:
    results(*lines)
    assert sorted(network.execs) == execs


def test_results_are_in_the_order_of_the_questions(network: Network) -> None:
    network.output = {"10.0.0.3:81": [REFUSED], "10.0.0.4:53": [SILENT]}
    lines = ["shop/san shop/pod/web 80,81", "shop/cart shop/pod/web 81,80", "shop/san shop/db 53/UDP,1"]
    found = results(*lines)
    assert [(r.prediction.request.source.end.title, r.prediction.request.port) for r in found] == [
        ("shop/san", 80),
        ("shop/san", 81),
        ("shop/cart", 81),
        ("shop/cart", 80),
        ("shop/san", 53),
        ("shop/san", 1),
    ]
    assert [r.observation.outcome for r in found if r.observation] == [
        Outcome.OPEN,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.OPEN,
        Outcome.NO_ANSWER,
        Outcome.OPEN,
    ]


def test_one_source_is_probed_in_the_main_thread_so_that_an_interrupt_ends_it(network: Network) -> None:
    results("shop/san shop/pod/web 80,81")
    assert network.threads == [threading.main_thread()]


def test_timeout_and_http_reach_the_container(network: Network) -> None:
    results("shop/san shop/pod/web 80", timeout=1.5, http=True)
    results("shop/san shop/pod/web 80")
    (first, second) = network.argv
    assert (first[5:8], second[5:8]) == (["150", "2", "1"], ["300", "3", "0"])


# What can't be probed.


@pytest.mark.parametrize(
    ("line", "found", "detail", "step"),
    [
        pytest.param(
            "shop/san shop/pod/web 80/SCTP",
            Code.NOT_PROBED,
            "SCTP can't be probed; the policies say allowed",
            None,
            id="SCTP",
        ),
        pytest.param(
            "10.9.9.9 shop/pod/web 80",
            Code.NOT_PROBED,
            "10.9.9.9 is not a pod, so nothing can be run there; the policies say allowed",
            "kubectl netpol explain 10.9.9.9 shop/pod/web 80 -n shop",
            id="a source that is an address",
        ),
        pytest.param(
            "node/one shop/pod/web 80",
            Code.NOT_PROBED,
            "node one is not a pod, so nothing can be run there; the policies say allowed",
            "kubectl netpol explain node/one shop/pod/web 80 -n shop",
            id="a source that is a node",
        ),
        pytest.param(
            "10.9.9.9 shop/svc/web ftp",
            Code.NOT_PROBED,
            "10.9.9.9 is not a pod, so nothing can be run there",
            "kubectl netpol explain 10.9.9.9 shop/svc/web PORT -n shop",
            id="a port without a number, in the command",
        ),
        pytest.param(
            "shop/san shop/svc/web 81",
            Code.WRONG_SERVICE_PORT,
            "Service shop/web has no port 81/TCP; it has www 80/TCP",
            None,
            id="a port that the Service does not have",
        ),
        pytest.param(
            "shop/san shop/svc/ext https",
            Code.NOT_PROBED,
            "Service shop/ext is an alias of example.com (type ExternalName)",
            None,
            id="a port name of an ExternalName, which has no ports",
        ),
        pytest.param(
            "shop/san shop/svc/idle 80",
            Code.NO_READY_ENDPOINTS,
            "Service shop/idle has no ready endpoints: its selector selects no pod",
            None,
            id="a headless Service without endpoints",
        ),
        pytest.param(
            "shop/san shop/done 80",
            Code.DESTINATION_NOT_RUNNING,
            "the destination pod shop/done has finished (Succeeded)",
            "kubectl netpol explain shop/san shop/done 80 -n shop",
            id="a destination that has finished",
        ),
        pytest.param(
            "shop/san shop/new 80",
            Code.DESTINATION_NOT_RUNNING,
            "the destination pod shop/new has no address yet (Pending)",
            "kubectl netpol explain shop/san shop/new 80 -n shop",
            id="a destination without an address",
        ),
    ],
)
def test_what_is_not_probed(line: str, found: Code, detail: str, step: str | None, network: Network) -> None:
    idle = Service("shop", "idle", labelled(run="idle"), (ServicePort(None, 80, 80),), headless=True)
    external = Service("shop", "ext", None, (), "ExternalName", external_name="example.com")
    done, new = pod("done", "10.0.0.8", phase="Succeeded"), pod("new", None, phase="Pending", ready=False)
    snapshot = snapshot_with(done, new, services=[idle, external])
    got = result(line, snapshot=snapshot)
    assert (got.finding.code, got.finding.word, got.finding.next) == (found, "can't tell", step)
    assert got.finding.detail.startswith(detail)
    assert (got.observation, got.command, network.execs) == (None, None, [])


@pytest.mark.parametrize(
    ("source", "others", "detail", "step"),
    [
        pytest.param(
            pod("job", None, phase="Pending"),
            [],
            "the source pod shop/job is not running (Pending)",
            "kubectl get pod job -n shop",
            id="pending",
        ),
        pytest.param(
            pod("job", "10.0.0.7", phase="Succeeded"),
            [],
            "the source pod shop/job is not running (Succeeded)",
            "kubectl get pod job -n shop",
            id="finished, though its last address is known",
        ),
        pytest.param(
            pod("job", None), [], "the source pod shop/job is not running (Running)", "kubectl get pod job -n shop",
            id="without an address",
        ),
        pytest.param(
            pod("job", None, phase=None),
            [],
            "the source pod shop/job is not running (no status)",
            "kubectl get pod job -n shop",
            id="without a status",
        ),
        pytest.param(
            pod("job", None, phase="Pending"),
            [
                pod("job-3", "10.0.0.8", "db", labels={"run": "job"}),
                pod("job-4", None, labels={"run": "job"}),
                pod("job-2", "10.0.0.7", labels={"run": "job"}),
            ],
            "the source pod shop/job is not running (Pending)",
            "job-2 has the same labels and is running",
            id="a running pod with the same labels in the same namespace is named",
        ),
        pytest.param(
            pod("job", None, phase="Pending", labels={}),
            [pod("job-2", "10.0.0.7", labels={})],
            "the source pod shop/job is not running (Pending)",
            "kubectl get pod job -n shop",
            id="pods without labels have nothing in common",
        ),
    ],
)  # fmt: skip
def test_a_source_that_is_not_running(source: Pod, others: list[Pod], detail: str, step: str, network: Network) -> None:
    got = result("shop/job shop/pod/web 80", snapshot=snapshot_with(source, *others))
    assert (got.finding.code, got.finding.next) == (Code.SOURCE_NOT_RUNNING, step)
    assert got.finding.detail.startswith(detail)
    assert network.execs == []


def test_a_forbidden_exec_says_so_of_what_it_would_have_probed(network: Network) -> None:
    network.errors["c"] = ForbiddenError("no exec for you", verb="create", resource="pods/exec", namespace="shop")
    first, second = results("shop/san shop/db 80", "shop/san shop/svc/web 81")
    assert first.finding.code is Code.EXEC_FORBIDDEN
    assert first.finding.detail == "no exec for you; the policies say allowed"
    assert first.finding.next == "ask for permission to create pods/exec in namespace shop"
    assert second.finding.code is Code.WRONG_SERVICE_PORT


@pytest.mark.parametrize(
    "error", [ClusterError("the kubelet is gone"), NotFoundError("the kubelet is gone")], ids=["refused", "not found"]
)
def test_an_exec_that_fails_is_evidence_not_an_error(error: ClusterError, network: Network) -> None:
    network.errors["c"] = error
    found = results("shop/san shop/db 80,81")
    assert [(r.finding.code, r.finding.evidence) for r in found] == [(Code.EXEC_FAILED, ("the kubelet is gone",))] * 2


# Containers.

TWO = pod("san", "10.0.0.1", containers=(Container("a", "distroless"), Container("b", "busybox")))


@pytest.mark.parametrize(
    ("source", "without", "options", "container"),
    [
        pytest.param(TWO, {}, {}, "a", id="the first"),
        pytest.param(TWO, {"a"}, {}, "b", id="the next where the first has no tools"),
        pytest.param(
            TWO._replace(annotations={"kubectl.kubernetes.io/default-container": "b"}),
            {},
            {},
            "b",
            id="the default one",
        ),
        pytest.param(TWO, {}, {"container": "b"}, "b", id="the one asked for"),
    ],
)
def test_the_container_to_probe_from(
    source: Pod, without: set[str], options: dict[str, Any], container: str, network: Network
) -> None:
    network.without_tools |= set(without)
    got = result("shop/san shop/db 80", snapshot=snapshot_with(source), **options)
    assert [done.container for done in network.execs] == [container]
    assert got.finding.code is Code.OPEN
    assert got.command is not None
    assert got.command.startswith(f"kubectl exec san -n shop -c {container} -- nc ")


@pytest.mark.parametrize(
    ("source", "options"),
    [
        pytest.param(TWO, {}, id="none has one"),
        pytest.param(TWO, {"container": "a"}, id="the one asked for has none"),
        pytest.param(TWO._replace(containers=()), {}, id="no containers are known"),
    ],
)
def test_without_a_tool_the_step_is_a_debug_container(source: Pod, options: dict[str, Any], network: Network) -> None:
    network.without_tools |= {"a", "b"} if not options else {"a"}
    got = result("shop/san shop/db 80", snapshot=snapshot_with(source), **options)
    assert (got.finding.code, got.command) == (Code.NO_TOOL, None)
    assert got.finding.next == "kubectl netpol test shop/san shop/db 80 -n shop --debug-image busybox"


def test_a_tool_that_is_of_no_use_is_shown_with_its_container(network: Network) -> None:
    network.output["10.0.0.4:80"] = ["nc: invalid option -- z"]
    got = result("shop/san shop/db 80", snapshot=snapshot_with(TWO))
    assert [done.container for done in network.execs] == ["a", "b"]
    assert got.finding.code is Code.NO_TOOL
    assert got.command == "kubectl exec san -n shop -c b -- nc -nzvv -w 3 10.0.0.4 80"


class Debug:
    """In place of add_debug_container: numbers the containers, or raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: ClusterError | None = None) -> None:
        self.added: list[tuple[str, str]] = []
        self._error = error
        monkeypatch.setattr(debug_container, "add_debug_container", self.add)

    def add(self, _api: object, namespace: str, name: str, image: str) -> str:
        time.sleep(0.05)  # as long as it takes another thread to ask too
        if self._error:
            raise self._error
        self.added.append((f"{namespace}/{name}", image))
        return f"netpol-{len(self.added)}"


def test_a_debug_image_is_one_container_per_source_whatever_is_asked(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Debug(monkeypatch)
    results("shop/san shop/pod/web 80,53/UDP", again=True, debug_image="netshoot")
    assert added.added == [("shop/san", "netshoot")]
    assert [done.container for done in network.execs] == ["netpol-1"] * 4


def test_the_same_prober_of_a_later_snapshot_adds_none_and_asks_for_the_plugin_again(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Debug(monkeypatch)
    network.plugin = "kube-router"
    options = ProbeOptions(debug_image="netshoot")
    one = Prober(FakeApi(now=NOW).api, SNAPSHOT, namespace="shop", cluster=ClusterOptions(), options=options)
    for snapshot in (SNAPSHOT, snapshot_with(policies=[])):
        one = one.again(snapshot, "shop")
        found = one.results([ask(snapshot, "shop/cart", "shop/db", 80, "TCP")])
    assert added.added == [("shop/cart", "netshoot")]
    assert [done.container for done in network.execs] == ["netpol-1", "netpol-1"]
    assert found[0].finding.code is Code.OPEN, "by the later snapshot"
    network.output = {"10.0.0.4:80": [TIMED_OUT]}
    (found[0],) = one.again(SNAPSHOT, "team").results([ask(SNAPSHOT, "shop/cart", "shop/db", 80, "TCP")])
    assert (found[0].finding.next or "").startswith("kubectl netpol allow shop/cart shop/db 80 -n team "), (
        "its namespace"
    )
    assert network.plugins_asked == 1


@pytest.mark.parametrize(
    ("answer", "listening"), [(True, True), (False, False), (None, None), (ClusterError("no"), None)]
)
def test_whether_it_listens_is_part_of_a_result(
    answer: bool | ClusterError | None,  # noqa: FBT001 - a column
    listening: bool | None,  # noqa: FBT001 - a column
    network: Network,
) -> None:
    network.output = {"10.0.0.4:80": [TIMED_OUT]}
    network.listening = {("shop/db", 80): answer}
    assert result("shop/cart shop/db 80").listening is listening
    assert result("shop/cart shop/pod/web 80").listening is None, "it is open, so nobody asked"


def test_each_source_has_a_debug_container_of_its_own(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Debug(monkeypatch)
    results("shop/san shop/pod/web 80", "shop/cart shop/pod/web 80", debug_image="netshoot")
    assert sorted(added.added) == [("shop/cart", "netshoot"), ("shop/san", "netshoot")]
    assert sorted(done.container for done in network.execs) == ["netpol-1", "netpol-2"]


def test_a_debug_container_that_is_forbidden_or_does_not_start(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = ForbiddenError("no", verb="patch", resource="pods/ephemeralcontainers", namespace="shop")
    Debug(monkeypatch, no)
    got = result("shop/san shop/db 80", debug_image="busybox")
    assert (got.finding.code, got.finding.next) == (Code.EXEC_FORBIDDEN, no.hint)
    Debug(monkeypatch, ClusterError("the debug container does not start"))
    with pytest.raises(ClusterError, match="does not start"):
        result("shop/san shop/db 80", debug_image="busybox")
    assert network.execs == []


# After a failure.


@pytest.mark.parametrize(
    ("line", "output", "listening", "found", "evidence"),
    [
        pytest.param(
            "shop/san shop/pod/web 80",
            REFUSED,
            False,
            Code.NOTHING_LISTENS,
            "shop/web does not listen on 80, says port-forward",
            id="refused, and nothing listens",
        ),
        pytest.param(
            "shop/san shop/pod/web 80",
            REFUSED,
            True,
            Code.REFUSED_THOUGH_LISTENING,
            "shop/web listens on 80, says port-forward",
            id="refused, though it listens",
        ),
        pytest.param("shop/san shop/pod/web 80", REFUSED, None, Code.REFUSED, None, id="refused, and it is unknown"),
        pytest.param(
            "shop/san shop/pod/web 80",
            REFUSED,
            ForbiddenError("no", verb="create", resource="pods/portforward", namespace="shop"),
            Code.REFUSED,
            None,
            id="refused, and port-forward is forbidden",
        ),
        pytest.param(
            "shop/san shop/pod/web 80",
            TIMED_OUT,
            True,
            Code.TIMED_OUT_THOUGH_ALLOWED,
            "shop/web listens on 80, says port-forward",
            id="timed out, though it is allowed",
        ),
        pytest.param(
            "shop/cart shop/db 80",
            TIMED_OUT,
            True,
            Code.BLOCKED_BY_POLICY,
            "shop/db listens on 80, says port-forward",
            id="timed out, and it is blocked",
        ),
        pytest.param(
            "shop/cart shop/db 80",
            REFUSED,
            True,
            Code.REJECTED_BY_POLICY,
            "shop/db listens on 80, says port-forward",
            id="refused, and it is blocked",
        ),
        pytest.param(
            "shop/cart shop/db 80",
            TIMED_OUT,
            False,
            Code.NOTHING_LISTENS_AND_BLOCKED,
            "shop/db does not listen on 80, says port-forward",
            id="blocked, and nothing listens",
        ),
        pytest.param(
            "shop/san shop/svc/web 80",
            REFUSED,
            False,
            Code.NOTHING_LISTENS,
            "shop/web does not listen on 8080, says port-forward",
            id="a Service: the pod behind it, on its own port",
        ),
    ],
)
def test_a_failure_asks_port_forward_whether_something_listens(  # noqa: PLR0917 - columns of the table
    line: str, output: str, listening: Any, found: Code, evidence: str | None, network: Network
) -> None:
    port = 8080 if "svc" in line else 80
    destination = "shop/db" if "db" in line else "shop/web"
    network.output = {target: [output] for target in ("10.0.0.3:80", "10.0.0.4:80", "10.96.0.1:80")}
    network.listening[destination, port] = listening
    got = result(line)
    assert (got.finding.code, got.finding.evidence) == (found, (evidence,) if evidence else ())
    assert network.forwards == [(destination, port)]


@pytest.mark.parametrize(
    ("line", "target", "output"),
    [
        pytest.param("shop/san shop/pod/web 80", "10.0.0.3:80", OPEN, id="it is open"),
        pytest.param("shop/san shop/pod/web 53/UDP", "10.0.0.3:53", REFUSED, id="UDP, which port-forward lacks"),
        pytest.param("shop/san 203.0.113.9 80", "203.0.113.9:80", TIMED_OUT, id="the destination is no pod"),
        pytest.param("shop/san example.com 80", "example.com:80", REFUSED, id="the destination is a host"),
        pytest.param("shop/san shop/pod/web 80", "10.0.0.3:80", "nc: what?", id="the output decides nothing"),
    ],
)
def test_port_forward_is_not_asked_where(line: str, target: str, output: str, network: Network) -> None:
    network.output[target] = [output]
    result(line)
    assert network.forwards == []


def test_each_port_is_asked_about_once(network: Network) -> None:
    network.output["10.0.0.3:80"] = [REFUSED]
    results("shop/san shop/pod/web 80,81", "shop/san shop/pod/web 80")
    assert network.forwards == [("shop/web", 80)]


# Changes that the plugin may not have applied yet.


def fresh(when: str | None, **fields: Any) -> Snapshot:
    return snapshot_with(pod("db", "10.0.0.4", **fields), policies=[DB_IN._replace(changed=when)])


@pytest.mark.parametrize(
    ("snapshot", "line", "now"),
    [
        pytest.param(fresh(TODAY), "shop/san shop/db 80", NOW + 30, id="a policy that isolates, 30 seconds ago"),
        pytest.param(fresh(None, changed=TODAY), "shop/san shop/db 80", NOW, id="a pod that a policy isolates"),
        pytest.param(fresh(TODAY), "shop/cart shop/db 80", NOW + 1, id="open, though a new policy blocks it"),
    ],
)
def test_what_contradicts_a_fresh_change_is_tried_again(
    snapshot: Snapshot, line: str, now: float, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = "cart" in line
    network.output["10.0.0.4:80"] = [OPEN, OPEN, TIMED_OUT] if blocked else [TIMED_OUT, TIMED_OUT, OPEN]
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    got = result(line, snapshot=snapshot, now=now)
    assert got.finding.code is (Code.BLOCKED_BY_POLICY if blocked else Code.OPEN)
    assert clock.slept == [0.5, 0.5]
    assert len(network.execs) == 3


def test_it_is_given_up_after_five_seconds(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    network.output["10.0.0.4:80"] = [TIMED_OUT]
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    got = result("shop/san shop/db 80", snapshot=fresh(TODAY))
    assert got.finding.code is Code.CHANGED_RECENTLY
    assert got.finding.next == "kubectl netpol test shop/san shop/db 80 -n shop"
    assert 5 <= clock.seconds <= 6


@pytest.mark.parametrize(
    ("snapshot", "line", "now"),
    [
        pytest.param(fresh(TODAY), "shop/san shop/db 80", NOW + 31, id="the change is older"),
        pytest.param(fresh(TODAY), "shop/san shop/db 80", None, id="the server's clock is unknown"),
        pytest.param(
            snapshot_with(pod("web", "10.0.0.3", changed=TODAY)),
            "shop/san shop/pod/web 80",
            NOW,
            id="no policy isolates the two ends",
        ),
        pytest.param(fresh(TODAY), "shop/san shop/db 81", NOW, id="nothing listens, whatever the policies say"),
        pytest.param(fresh(None), "shop/san shop/db 80", NOW, id="the time of the change is unknown"),
        pytest.param(fresh(TODAY), "shop/cart shop/db 80", NOW, id="it is as the policies say"),
    ],
)
def test_nothing_is_tried_again_where(
    snapshot: Snapshot, line: str, now: float | None, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.output = {target: [TIMED_OUT] for target in ("10.0.0.3:80", "10.0.0.4:80")}
    network.output["10.0.0.4:81"], network.listening["shop/db", 81] = [REFUSED], False
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    assert code(line, snapshot=snapshot, now=now) is not Code.CHANGED_RECENTLY
    assert clock.slept == []


# Open, though the policies block it.


def test_the_plugin_is_asked_for_once_and_only_then(network: Network) -> None:
    network.plugin = "kindnet"
    assert code("shop/san shop/db 80") is Code.OPEN
    assert network.plugins_asked == 0
    found = results("shop/cart shop/db 80,81", "shop/web shop/db 80", "shop/cart shop/db 82")
    assert network.plugins_asked == 1
    detail = "though the policies block it: this cluster does not enforce them, or not yet (kindnet runs here)"
    assert [(r.finding.code, r.finding.detail) for r in found] == [(Code.NOT_ENFORCED, detail)] * 4
    warning = "the policies say blocked, but nothing enforces them here, or not yet"
    assert {r.warnings for r in found} == {(warning,)}


def test_a_proxy_that_accepts_everything_proves_nothing_but_a_request_does(network: Network) -> None:
    meshed = snapshot_with(pod("san", "10.0.0.1", annotations={"linkerd.io/proxy-version": "2"}))
    got = result("shop/san shop/db 80", snapshot=meshed)
    assert got.finding.code is Code.PROXY_INTERCEPTS
    assert got.finding.next == "kubectl netpol test shop/san shop/db 80 -n shop --http"
    assert code("shop/san shop/db 80", snapshot=meshed, http=True) is Code.PROXY_INTERCEPTS, "nc sends no request"
    network.tool, network.form = "curl", "curl"
    network.output["10.0.0.4:80"] = ["* Connected to 10.0.0.4"]
    assert code("shop/san shop/db 80", snapshot=meshed) is Code.PROXY_INTERCEPTS, "nor does curl without --http"
    network.form = "http"
    network.output["10.0.0.4:80"] = ["< HTTP/1.1 404 Not Found"]
    assert code("shop/san shop/db 80", snapshot=meshed, http=True) is Code.OPEN


# Names.

DNS = Service("kube-system", "kube-dns", labelled(app="dns"), (ServicePort(None, 53, 53, "UDP"),))
RESOLVER = pod("dns", "10.0.1.1", "kube-system", labels={"app": "dns"})
NO_EGRESS = Policy("shop", "no-egress", LabelSelector(), (Direction.EGRESS,))
ALLOW_DNS = (
    "kubectl netpol allow shop/san kube-system/kube-dns 53 --protocol udp -n shop --context lab "
    "| kubectl apply --context lab -f -"
)
LAB = ClusterOptions(context="lab")


def test_a_service_whose_name_does_not_resolve_is_probed_at_its_address(network: Network) -> None:
    network.unresolved = {"web.shop.svc"}
    network.reread = Snapshot(pods=[SAN, RESOLVER], services=[DNS])
    got = result("shop/san shop/svc/web 80")
    assert got.finding.code is Code.OPEN
    assert got.warnings == ("web.shop.svc does not resolve in san: the probe used its address",)
    assert [scope.namespaces for scope in network.scopes] == [frozenset({"shop", "kube-system", "openshift-dns"})]


def test_where_the_policies_block_the_resolver_the_warning_says_so_with_the_command(network: Network) -> None:
    network.unresolved = {"web.shop.svc"}
    network.reread = Snapshot(pods=[SAN, RESOLVER], services=[DNS], policies=[NO_EGRESS])
    got = result("shop/san shop/svc/web 80", cluster=LAB)
    (warning,) = got.warnings
    assert warning == (
        "web.shop.svc does not resolve in san: the probe used its address (the policies block Service "
        f"kube-system/kube-dns port 53/UDP: {ALLOW_DNS})"
    )


@pytest.mark.parametrize(
    ("policies", "found", "step"),
    [
        pytest.param([], Code.NAME_UNRESOLVED, None, id="the name itself"),
        pytest.param([NO_EGRESS], Code.DNS_BLOCKED, ALLOW_DNS, id="the policies block the resolver"),
    ],
)
def test_a_host_that_does_not_resolve(policies: list[Policy], found: Code, step: str | None, network: Network) -> None:
    network.unresolved = {"example.com"}
    network.output["example.com:443"] = ["curl: (6) Could not resolve host"]
    network.reread = Snapshot(pods=[SAN, RESOLVER], services=[DNS], policies=policies)
    got = result("shop/san example.com 443", cluster=LAB)
    assert (got.finding.code, got.finding.next) == (found, step)


def test_nothing_is_read_again_where_names_resolve(network: Network) -> None:
    results("shop/san shop/svc/web 80", "shop/san example.com 443")
    assert network.scopes == []


@pytest.mark.parametrize(
    ("service", "target", "name", "found"),
    [
        pytest.param(
            Service("shop", "ext", None, (), "ExternalName", external_name="example.com"),
            "example.com:80",
            "example.com",
            Code.OPEN_UNPREDICTED,
            id="an ExternalName is dialled by the name it means",
        ),
        pytest.param(
            Service("shop", "idle", labelled(run="idle"), (ServicePort(None, 80, 80),), cluster_ips=("10.96.0.9",)),
            "10.96.0.9:80",
            "idle.shop.svc",
            Code.NO_READY_ENDPOINTS,
            id="a Service without endpoints is dialled all the same",
        ),
    ],
)
def test_services_that_lead_to_no_pod(service: Service, target: str, name: str, found: Code, network: Network) -> None:
    network.output["10.96.0.9:80"] = [REFUSED]
    assert code(f"shop/san shop/svc/{service.name} 80", snapshot=snapshot_with(services=[service])) is found
    assert network.execs == [Exec("shop/san", "c", "TCP", (target,), (name,))]
    assert network.forwards == []


# The commands to type.


@pytest.mark.parametrize(
    ("line", "cluster", "output", "step"),
    [
        pytest.param(
            "shop/cart shop/db 80",
            ClusterOptions(),
            TIMED_OUT,
            "kubectl netpol allow shop/cart shop/db 80 -n shop | kubectl apply -f -",
            id="blocked: the policy that opens it",
        ),
        pytest.param(
            "shop/cart shop/db 80",
            ClusterOptions(kubeconfig="my file", context="lab", as_user="joe", as_groups=("a", "b")),
            TIMED_OUT,
            "kubectl netpol allow shop/cart shop/db 80 -n shop --kubeconfig 'my file' --context lab --as joe "
            "--as-group a --as-group b | kubectl apply --kubeconfig 'my file' --context lab --as joe --as-group a "
            "--as-group b -f -",
            id="blocked: on the same cluster, as the same user",
        ),
        pytest.param(
            "shop/san shop/pod/web 53/UDP",
            LAB,
            SILENT,
            "kubectl netpol explain shop/san shop/pod/web 53 -n shop --context lab --protocol udp",
            id="no answer over UDP",
        ),
        pytest.param(
            "shop/san shop/svc/web www",
            LAB,
            "nc: No route to host",
            "check node firewalls, a service mesh, policies of other kinds, or a plugin that lags behind",
            id="advice that is no command",
        ),
    ],
)
def test_the_next_step(line: str, cluster: ClusterOptions, output: str, step: str, network: Network) -> None:
    network.output = {target: [output] for target in ("10.0.0.3:53", "10.0.0.4:80", "10.96.0.1:80")}
    assert result(line, cluster=cluster).finding.next == step


def test_the_exec_that_repeats_the_probe(network: Network) -> None:
    got = result("shop/san shop/db 80", timeout=2.0)
    assert got.command == "kubectl exec san -n shop -c c -- nc -nzvv -w 2 10.0.0.4 80"
    assert got.prediction.verdict is Verdict.ALLOWED
    assert len(network.execs) == 1


ADMIN = Policy(
    "",
    "admin",
    LabelSelector(),
    (Direction.INGRESS,),
    (Rule(Direction.INGRESS, 0, (Peer(LabelSelector()),), action=Action.DENY),),
    kind="AdminNetworkPolicy",
    namespace_selector=LabelSelector(),
    tier=Tier.ADMIN,
)


@pytest.mark.parametrize(
    ("plugin", "found", "caveats"),
    [
        pytest.param("kube-router", Code.KIND_NOT_ENFORCED, [Code.KIND_NOT_ENFORCED], id="that ignores the kind"),
        pytest.param("Antrea", Code.NOT_ENFORCED, [], id="that may enforce it"),
    ],
)
def test_a_plugin(plugin: str, found: Code, caveats: list[Code], network: Network) -> None:
    """The plugin is asked for where a policy of a tier is asked, and the prediction says what it ignores."""
    network.plugin = plugin
    snapshot = snapshot_with(policies=())
    concluded = result("shop/san shop/db 80", snapshot=snapshot.with_policies([ADMIN]))
    assert concluded.finding.code is found
    assert [note.code for note in concluded.prediction.caveats] == caveats
    assert network.plugins_asked == 1
