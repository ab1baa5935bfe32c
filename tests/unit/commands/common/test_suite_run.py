"""A suite asked of manifests, and of a cluster whose network is replaced: what is read, probed and printed."""

from __future__ import annotations

import contextlib
import gc
import json
import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.commands.common import prober, suite_run
from kubectl_netpol.commands.common.inputs import Inputs
from kubectl_netpol.commands.common.options import ProbeOptions
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Facts, diagnose
from kubectl_netpol.probe.outcome import Observation, Outcome
from tests.support.api import FakeApi, lists
from tests.support.results import COMMANDS
from tests.support.running import SHOP, run
from tests.support.tables import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot

ON_SHOP = shlex.join(SHOP)
NOT_PROBED = "note: nothing was probed: this is what the policies in the manifests say\n"
HEAD = "apiVersion: netpol/v1\nkind: TestSuite\n"
NOBODY = "{name: nobody, fromSelector: run!=nginx, to: nginx, port: 80, expect: blocked}"
OUT = "{name: out, from: nginx, to: 192.0.2.1, port: 80, expect: open}"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, *checks: str, name: str = "s.yaml", defaults: str = "{}") -> None:
    lines = "".join(f"- {check}\n" for check in checks)
    (folder / name).write_text(f"{HEAD}defaults: {defaults}\nchecks:\n{lines}", encoding="utf-8")


# Manifests.


@pytest.mark.parametrize(
    ("checks", "status", "out"),
    [
        pytest.param([NOBODY, OUT], 0, "2 checks: 2 as expected, 0 not as expected, 0 can't tell\n", id="all"),
        pytest.param(
            ["{name: san may, from: san, to: nginx, port: 80, expect: open}", OUT],
            1,
            "not as expected: san may (expected open): san → nginx, TCP 80: blocked: not probed (deny-all-ingress "
            "isolates shop/nginx for ingress, and no rule lets it in)\n"
            "2 checks: 1 as expected, 1 not as expected, 0 can't tell\n",
            id="one not",
        ),
        pytest.param(
            ["{name: x, from: san, to: nginx, port: 81, expect: blocked}", NOBODY],
            2,
            "can't tell: x (expected blocked): san → nginx, TCP 81: undefined: Service shop/nginx has no port 81/TCP; "
            "it has 80/TCP\n"
            "2 checks: 1 as expected, 0 not as expected, 1 can't tell\n",
            id="one undefined",
        ),
        pytest.param(
            ["{name: x, from: sam, to: nginx, port: 80, expect: open}", NOBODY],
            2,
            'can\'t tell: x (expected open): no pod or workload "sam" in namespace shop (did you mean san?)\n'
            "2 checks: 1 as expected, 0 not as expected, 1 can't tell\n",
            id="a name that is not there stops no other check",
        ),
        pytest.param(
            ["{name: x, from: san, to: pod/nginx, port: 1-101, expect: blocked}", NOBODY],
            2,
            "can't tell: x (expected blocked): 101 pairs to probe, more than --max 100 (add --max 101 to probe them "
            "all)\n2 checks: 1 as expected, 0 not as expected, 1 can't tell\n",
            id="--max is for each check",
        ),
        pytest.param(
            ["{name: x, from: san, to: pod/nginx, port: http, expect: blocked}", NOBODY],
            2,
            'can\'t tell: x (expected blocked): shop/nginx has no TCP port named "http" (write the port number)\n'
            "2 checks: 1 as expected, 0 not as expected, 1 can't tell\n",
            id="a port's name that the pod does not have",
        ),
    ],
)
def test_manifests(files: Path, checks: list[str], status: int, out: str) -> None:
    write(files, *checks)
    assert run("test", f"-F s.yaml {ON_SHOP}") == (status, out, NOT_PROBED)


def test_folders_stdin_and_several_files_are_one_run(files: Path) -> None:
    folder = files / "suites"
    folder.mkdir()
    write(folder, OUT, name="a.yaml")
    write(folder, NOBODY, name="b.yml")
    (folder / "notes.txt").write_text("no suite", encoding="utf-8")
    write(files, OUT, name="c.yaml")
    stdin = f"{HEAD}checks: [{OUT}]"
    ran = run("test", f"-F suites -F c.yaml -F - {ON_SHOP} -o json", stdin=stdin)
    assert [check["file"] for check in json.loads(ran.out)["checks"]] == [
        "suites/a.yaml",
        "suites/b.yml",
        "c.yaml",
        "stdin",
    ]


def test_a_checks_namespace_is_its_own_then_that_of_n(files: Path) -> None:
    write(files, "{name: x, from: san, to: nginx, port: 80, expect: blocked}", defaults="{namespace: shop}")
    assert run("test", f"-F s.yaml -f {SHOP[-1]} -n other").status == 0
    write(files, "{name: x, from: san, to: nginx, port: 80, expect: blocked}")
    assert run("test", f"-F s.yaml -f {SHOP[-1]} -n other").status == 2
    assert run("test", f"-F s.yaml -f {SHOP[-1]} -n shop").status == 0


def test_verbose_and_unexercised(files: Path) -> None:
    write(files, OUT)
    assert run("test", f"-F s.yaml {ON_SHOP} -v --unexercised").out.splitlines() == [
        "as expected: out (expected open)",
        "1 check: 1 as expected, 0 not as expected, 0 can't tell",
        "not exercised by any check:",
        "  deny-all-ingress ingress: no check is blocked by it",
    ]
    write(files, OUT, NOBODY)
    assert run("test", f"-F s.yaml {ON_SHOP} --unexercised").out.splitlines()[1:] == [
        "every rule of the policies is exercised"
    ]


@pytest.mark.parametrize(
    ("output", "first", "mention"),
    [
        ("junit", '<?xml version="1.0" encoding="UTF-8"?>', "not exercised by any check:"),
        ("tap", "TAP version 13", "# not exercised by any check: "),
        ("json", "{", '"unexercised": ['),
        ("yaml", "apiVersion: netpol/v1", "unexercised:"),
    ],
)
def test_reports(files: Path, output: str, first: str, mention: str) -> None:
    write(files, OUT)
    ran = run("test", f"-F s.yaml {ON_SHOP} -o {output}")
    assert (ran.status, ran.out.splitlines()[0], ran.err) == (0, first, NOT_PROBED)
    assert mention not in ran.out
    assert mention in run("test", f"-F s.yaml {ON_SHOP} -o {output} --unexercised").out


# On a cluster, with the network replaced.

CLUSTER: dict[str, Any] = {
    "pods": {
        "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "shop/cart": {"ip": "10.0.0.2", "labels": {"run": "cart"}},
        "shop/nginx": {"ip": "10.0.0.3", "labels": {"run": "nginx"}, "ports": "80"},
        "team/cat": {"ip": "10.0.1.1", "labels": {"run": "cat"}},
    },
    "policies": {
        "shop/nginx-in": {
            "podSelector": {"matchLabels": {"run": "nginx"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"run": "san"}}}]}],
        },
        "team/own": {"podSelector": {}, "policyTypes": ["Ingress"]},
        "other/own": {"podSelector": {}, "policyTypes": ["Ingress"]},
    },
}
SAN = "{name: san, from: san, to: nginx, port: 80, expect: open}"
CART = "{name: cart, from: cart, to: nginx, port: 80, expect: blocked}"


class Network:
    """In place of Prober: enforces what the policies say, but where `outcomes` has another word for a source."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.made = 0
        self.namespaces: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}
        self.given: dict[str, Any] = {}
        self.busy = self.most_busy = 0
        self.together: threading.Barrier | None = None
        self._lock = threading.Lock()
        self._snapshot: Any = None

    def __call__(self, _api: object, snapshot: Snapshot, **given: Any) -> Network:
        self.made += 1
        self._snapshot, self.given = snapshot, given
        return self

    def again(self, snapshot: Snapshot, namespace: str) -> Network:
        self._snapshot = snapshot
        self.namespaces.add(namespace)
        return self

    def results(self, predictions: Sequence[Prediction]) -> list[ConnectionResult]:
        with self._lock:
            self.groups.append([f"{p.request.source.end.title} {p.request.port}" for p in predictions])
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
        if self.together:
            self.together.wait()
        with self._lock:
            self.busy -= 1
        return [self._result(prediction) for prediction in predictions]

    def _result(self, prediction: Prediction) -> ConnectionResult:
        said = Outcome.TIMED_OUT if prediction.verdict.value == "blocked" else Outcome.OPEN
        outcome = self.outcomes.get(prediction.request.source.end.title, said)
        observation = Observation(outcome, "nc", (), 1, "", 0.1)
        finding = diagnose(self._snapshot, prediction, observation, Facts(), COMMANDS)
        return ConnectionResult(prediction, finding, observation, warnings=("odd",))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    found = Network()
    fake = FakeApi(lists(objects(CLUSTER)))
    found.given["api"] = fake

    def opened(_cluster: ClusterOptions, filenames: Sequence[str], console: Console) -> Inputs:
        assert filenames == []
        return Inputs("shop", fake.api, None, console)

    monkeypatch.setattr(suite_run, "open_inputs", opened)
    monkeypatch.setattr(prober, "Prober", found)
    return found


def test_policies_and_network_as_expected(files: Path, network: Network) -> None:
    write(files, SAN, CART)
    assert run("test", "-F s.yaml") == (
        0,
        "2 checks: 2 as expected, 0 not as expected, 0 can't tell\n",
        "warning: odd\n",
    )
    assert network.groups in ([["shop/san 80"], ["shop/cart 80"]], [["shop/cart 80"], ["shop/san 80"]])


def test_the_same_finding_as_test(files: Path, network: Network) -> None:
    write(files, SAN, CART)
    network.outcomes = {"shop/cart": Outcome.OPEN}
    ran = run("test", "-F s.yaml")
    assert (ran.status, ran.out.splitlines()[0]) == (
        1,
        (
            "not as expected: cart (expected blocked): cart → nginx, TCP 80: open: though the policies block it: this "
            "cluster does not enforce them, or not yet (nginx-in isolates shop/nginx for ingress, and no rule lets it "
            "in)"
        ),
    )


def test_without_the_control_it_cant_be_told(files: Path, network: Network) -> None:
    write(files, CART)
    ran = run("test", "-F s.yaml")
    assert (ran.status, ran.out.splitlines()[0]) == (
        2,
        (
            "can't tell: cart (expected blocked): cart → nginx, TCP 80: blocked: timed out, as the policies say; "
            "nothing shows that it would be open without the policies (a check that expects open, or control: none)"
        ),
    )
    assert network.made == 1


def test_an_undefined_verdict_is_shown_and_does_not_decide(files: Path, network: Network) -> None:
    write(files, "{name: host, from: san, to: example.com, port: 80, expect: open}")
    network.outcomes = {"shop/san": Outcome.OPEN}
    cluster = {
        **CLUSTER,
        "policies": {
            "shop/out": {
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}],
            }
        },
    }
    network.given["api"].found.update(lists(objects(cluster)))
    ran = run("test", "-F s.yaml")
    assert (ran.status, ran.err.splitlines()[-1]) == (
        0,
        "note: the policies' verdict on 1 connection is undefined: the network decided",
    )


def test_the_cluster_is_read_once_for_all_checks(files: Path, network: Network) -> None:
    api = network.given["api"]
    write(files, SAN, CART, "{name: other, namespace: team, from: cat, to: shop/nginx, port: 80, expect: blocked}")
    assert run("test", "-F s.yaml").status == 0
    assert len(api.asked) == len(set(api.asked))
    assert network.namespaces == {"shop", "team"}, "of the names in the commands that are suggested"
    assert {"/api/v1/namespaces/shop/pods", "/api/v1/namespaces/team/pods"} <= set(api.asked)


def test_one_exec_has_the_connections_of_one_source_and_protocol_and_not_too_many(
    files: Path, network: Network
) -> None:
    write(files, "{name: x, from: san, to: nginx, port: '1-40,1/UDP', expect: open}", CART)
    run("test", "-F s.yaml")
    assert sorted(map(len, network.groups)) == [1, 1, 8, 16, 16]
    assert all(len({line.split()[0] for line in group}) == 1 for group in network.groups)


def test_ten_run_at_once(files: Path, network: Network) -> None:
    write(
        files,
        *(f"{{name: c{n}, from: san, to: nginx, port: {16 * n + 1}-{16 * n + 16}, expect: open}}" for n in range(20)),
    )
    network.together = threading.Barrier(10, timeout=20)
    assert run("test", "-F s.yaml").status == 0
    assert network.most_busy == 10


def test_a_bar_shows_how_far_it_is(files: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    @contextlib.contextmanager
    def progress(_console: Console, text: str) -> Iterator[Callable[[str], None]]:
        shown.append(text)
        yield shown.append

    monkeypatch.setattr("kubectl_netpol.console.Console.progress", progress)
    write(files, "{name: x, from: san, to: nginx, port: 1-32, expect: open}")
    assert run("test", "-F s.yaml").status == 0
    assert shown[1:] == [
        f"[{'.' * 30}] 0 of 32 connections",
        f"[{'#' * 15}{'.' * 15}] 16 of 32 connections",
        f"[{'#' * 30}] 32 of 32 connections",
    ]
    assert sum(map(len, network.groups)) == 32


def test_options_of_the_probe_are_passed_on(files: Path, network: Network) -> None:
    write(files, SAN)
    run("test", "-F s.yaml --http --timeout 2s -c side --context lab")
    assert network.given == {
        "namespace": "shop",
        "cluster": ClusterOptions(context="lab"),
        "options": ProbeOptions(timeout=2.0, container="side", http=True),
    }


def test_unexercised_is_about_the_namespaces_of_the_checks(files: Path, network: Network) -> None:
    write(files, SAN, "{name: x, from: san, to: 10.0.1.1, port: 80, expect: blocked}")
    out = run("test", "-F s.yaml --unexercised").out
    assert network.made == 1
    assert "every rule of the policies is exercised" in out
    write(files, SAN)
    assert "every rule of the policies is exercised" in run("test", "-F s.yaml --unexercised").out
    write(files, CART)
    assert run("test", "-F s.yaml --unexercised").out.splitlines()[-2:] == [
        "not exercised by any check:",
        "  nginx-in ingress[0], all ports",
    ]


def test_watch_prints_what_fails_and_then_only_what_changes(
    files: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(files, SAN, CART)
    rounds: list[float] = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 2:
            network.outcomes = {"shop/cart": Outcome.OPEN}
        elif len(rounds) == 4:
            network.outcomes = {}
        elif len(rounds) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netpol.commands.common.watch.time.sleep", sleep)
    ran = run("test", "-F s.yaml --watch=3s")
    good, bad = (f"2 checks: {n} as expected, {2 - n} not as expected, 0 can't tell" for n in (2, 1))
    assert (ran.status, [line[9:] for line in ran.out.splitlines()]) == (
        130,
        [
            good,
            (
                "not as expected: cart (expected blocked): cart → nginx, TCP 80: open: though the policies block it: "
                "this cluster does not enforce them, or not yet (nginx-in isolates shop/nginx for ingress, and no rule "
                "lets it in)"
            ),
            bad,
            "as expected: cart (expected blocked)",
            good,
        ],
    )
    assert ran.err.startswith("note: 6 rounds in ")
    assert (set(rounds), network.made) == ({3.0}, 1)


def test_a_hundred_rounds_of_a_suite_leave_nothing_behind(
    files: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(files, SAN, CART, "{name: gone, from: sam, to: nginx, port: 80, expect: open}")
    measured: list[tuple[int, int, int]] = []
    api, rounds = network.given["api"], 0

    def sleep(_: float) -> None:
        nonlocal rounds
        rounds += 1
        network.groups.clear()
        api.asked.clear()
        network.outcomes = {"shop/cart": Outcome.OPEN} if rounds % 2 else {}
        if rounds in (20, 120):
            descriptors = len(list(Path("/proc/self/fd").iterdir()))
            gc.collect()
            measured.append((descriptors, threading.active_count(), len(gc.get_objects())))
        if rounds == 120:
            raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netpol.commands.common.watch.time.sleep", sleep)
    gc.disable()  # as in the process
    try:
        assert run("test", "-F s.yaml --watch").status == 130
    finally:
        gc.enable()
    before, after = measured
    assert after[:2] == before[:2], "file descriptors and threads"
    # A snapshot kept in each round is 4,300; coverage itself keeps 1,200 about the threads.
    assert after[2] - before[2] < 3000, "objects"
