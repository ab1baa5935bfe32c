"""Suites on a real cluster: a check of every kind is as expected, and each planted fault turns exactly its checks "
"red."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from junitparser import Error, Failure, JUnitXml
from tap.parser import Parser

from tests.cluster.lab import OUTSIDE, Cluster, Result, pod

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ON = 8080  # of the host outside
DB_IN = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "db-in"},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "udp"]}]},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}],
    },
}
MUTE_OUT = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "mute-out"},
    "spec": {"podSelector": {"matchLabels": {"app": "mute"}}, "policyTypes": ["Egress"]},
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "db"},
    "spec": {"selector": {"app": "db"}, "ports": [{"port": 5432, "targetPort": 80}]},
}
# The nginx in db can be stopped without an end of its container.
STOPPABLE = ["sh", "-c", "nginx & sleep inf"]
SUITE = f"""
apiVersion: netpol/v1
kind: TestSuite
defaults: {{protocol: TCP, expect: blocked, from: cat}}
checks:
- {{name: web reaches the Service, from: web, to: db, port: 5432, expect: open}}
- {{name: web reaches a port by its name, from: web, to: pod/db, port: http, expect: open}}
- {{name: cat does not reach the Service, to: db, port: 5432}}
- {{name: nor do all others, fromSelector: "app in (cat,mute)", to: pod/db, port: 80}}
- {{name: web is answered by UDP, from: web, toSelector: app=udp, port: 80/UDP, expect: open}}
- {{name: cat is not, to: udp, port: 80, protocol: UDP}}
- {{name: nor by SCTP, to: pod/db, port: 80/SCTP, control: none}}
- {{name: web reaches the outside, from: web, to: {OUTSIDE}, port: {ON}, expect: open}}
- {{name: mute does not, from: mute, to: {OUTSIDE}, port: {ON}}}
- {{name: nor where nobody is, from: mute, to: 192.0.2.77, port: 80, control: none}}
- {{name: undefined and open, from: host, to: pod/db, port: 80, expect: open}}
- {{name: several ports and sources, fromSelector: "app in (web,cat)", to: host, port: "{ON},{ON + 1}", expect: open}}
"""
CONNECTIONS = 8  # at most, of the pool; a round that left one behind would be a hundred
INTO_DB = {"cat does not reach the Service", "nor do all others"}


class Shop(NamedTuple):
    cluster: Cluster
    namespace: str
    suite: Path

    def test(self, *more: str) -> Result:
        return self.cluster.netpol("test", "-F", str(self.suite), "-n", self.namespace, *more, timeout=120)

    def results(self) -> dict[str, str]:
        """The names of the checks that are not as expected, with their results."""
        found = self.test("-o", "json")
        checks = json.loads(found.stdout or "{}").get("checks")
        assert checks, found
        return {check["name"]: check["result"] for check in checks if check["result"] != "as-expected"}

    def becomes(self, red: dict[str, str]) -> None:
        found: dict[str, str] = {}

        def same() -> bool:
            nonlocal found
            found = self.results()
            return found == red

        with contextlib.suppress(AssertionError):
            self.cluster.wait_until(same, timeout=45)
        assert found == red, self.test("-v").stdout


@contextlib.contextmanager
def shop(cluster: Cluster, folder: Path) -> Iterator[Shop]:
    suite = folder / "suite.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    with contextlib.ExitStack() as stack:
        namespace = stack.enter_context(cluster.namespace())
        for where in ("outside", None):
            inside = ["nsenter", f"--net={cluster.named_netns(where)}"] if where else []
            server = cluster.start(*inside, cluster.bin / "server", str(ON), str(ON + 1))
            stack.callback(server.wait, 30)
            stack.callback(server.kill)
            for stream in (server.stdin, server.stdout, server.stderr):
                stack.callback(stream.close if stream else lambda: None)
        cluster.apply(SERVICE, namespace=namespace)
        cluster.create_pods(
            namespace,
            *(pod(name, labels={"app": name}) for name in ("web", "cat", "mute")),
            pod("host", labels={"app": "host"}, hostNetwork=True),
            pod("db", "nginx", labels={"app": "db"}, ports={"http": 80}, command=STOPPABLE),
            pod("udp", "distroless", labels={"app": "udp"}),
        )
        cluster.apply(DB_IN, MUTE_OUT, namespace=namespace)
        yield Shop(cluster, namespace, suite)


@pytest.fixture(scope="module")
def own(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(cluster, tmp_path_factory.mktemp("suite")) as found:
        yield found


def test_a_check_of_every_kind_is_as_expected(own: Shop) -> None:
    own.becomes({})
    ran = own.test()
    assert (ran.returncode, ran.stdout) == (0, "12 checks: 12 as expected, 0 not as expected, 0 can't tell\n")
    assert "note: the policies' verdict on 1 connection is undefined: the network decided" in ran.stderr
    assert own.test("--unexercised").stdout.splitlines()[1:] == ["every rule of the policies is exercised"]


def test_a_policy_removed_turns_what_it_blocks_red(own: Shop) -> None:
    own.becomes({})
    own.cluster.kubectl("delete", "networkpolicy", "db-in", "-n", own.namespace)
    try:
        own.becomes(dict.fromkeys((*INTO_DB, "cat is not", "nor by SCTP"), "not-as-expected"))
        ran = own.test()
        assert ran.returncode == 1
        found = next(line for line in ran.stdout.splitlines() if "the Service" in line)
        assert found.endswith("(expected blocked): cat → db, TCP 5432 (pod port 80): open: as the policies say")
    finally:
        own.cluster.apply(DB_IN, namespace=own.namespace)


def test_a_label_changed_turns_red_who_has_it(own: Shop) -> None:
    own.becomes({})
    own.cluster.kubectl("label", "pod", "cat", "app=web", "--overwrite", "-n", own.namespace)
    try:
        own.becomes(dict.fromkeys(("cat does not reach the Service", "cat is not", "nor by SCTP"), "not-as-expected"))
    finally:
        own.cluster.kubectl("label", "pod", "cat", "app=cat", "--overwrite", "-n", own.namespace)


def test_a_listener_stopped_turns_red_who_should_reach_it_and_what_is_blocked_cant_be_told(own: Shop) -> None:
    own.becomes({})
    inside = ("exec", "db", "-n", own.namespace, "--", "sh", "-c")
    own.cluster.kubectl(*inside, "read -r number </run/nginx.pid; kill $number")
    try:
        own.becomes(
            {
                "web reaches the Service": "not-as-expected",
                "web reaches a port by its name": "not-as-expected",
                **dict.fromkeys(INTO_DB, "cant-tell"),
                "undefined and open": "not-as-expected",
            }
        )
        ran = own.test("-o", "junit")
        assert ran.returncode == 2
        kinds = {
            case.name: type(case.result[0])
            for suite in JUnitXml.fromstring(ran.stdout.encode())
            for case in suite
            if case.result
        }
        assert {name for name, kind in kinds.items() if kind is Error} == INTO_DB
        assert {kind for name, kind in kinds.items() if name not in INTO_DB} == {Failure}
        tap = [line for line in Parser().parse_text(own.test("-o", "tap").stdout) if line.category == "test"]
        assert {line.description.removeprefix("- ") for line in tap if not line.ok} == set(kinds)
        assert len(tap) == 12
    finally:
        own.cluster.kubectl(*inside, "nginx >/dev/null 2>&1 </dev/null &")


def test_where_nothing_enforces_what_is_blocked_is_red(cluster_without_enforcer: Cluster, tmp_path: Path) -> None:
    with shop(cluster_without_enforcer, tmp_path) as found:
        found.becomes(dict.fromkeys((*INTO_DB, "cat is not", "mute does not"), "not-as-expected"))
        ran = found.test()
        assert ran.returncode == 1
        assert "though the policies block it: this cluster does not enforce them" in ran.stdout


def test_the_suite_of_today_is_as_expected_today(own: Shop, tmp_path: Path) -> None:
    own.becomes({})
    with own.cluster.namespace() as namespace:
        deployment: dict[str, Any] = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "db"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "db"}}},
        }
        template = pod("x", "nginx", labels={"app": "db"}, ports={"http": 80})
        deployment["spec"]["template"] = {"metadata": {"labels": {"app": "db"}}, "spec": template["spec"]}
        own.cluster.apply(deployment, DB_IN, namespace=namespace)
        own.cluster.create_pods(namespace, *(pod(name, labels={"app": name}) for name in ("web", "cat")))
        own.cluster.kubectl("rollout", "status", "deploy/db", "-n", namespace, "--timeout=60s", timeout=90)
        made = own.cluster.netpol("matrix", "-n", namespace, "-o", "suite")
        assert 'name: "pod/web reaches deploy/db"' in made.stdout, made
        assert 'name: "pod/cat does not reach deploy/db"' in made.stdout
        suite = tmp_path / "suite.yaml"
        suite.write_text(made.stdout, encoding="utf-8")
        tested = Shop(own.cluster, namespace, suite)
        tested.becomes({})
        own.cluster.kubectl("rollout", "restart", "deploy/db", "-n", namespace)
        own.cluster.kubectl("rollout", "status", "deploy/db", "-n", namespace, "--timeout=60s", timeout=90)
        assert own.cluster.netpol("matrix", "-n", namespace, "-o", "suite").stdout == made.stdout, (
            "other pods, same suite"
        )
        tested.becomes({})


DENY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny-all-ingress"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}


@contextlib.contextmanager
def watching(cluster: Cluster, *arguments: str) -> Iterator[Any]:
    process = cluster.start("kubectl", "netpol", "test", *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_watching_a_connection_while_a_policy_comes_and_goes(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, pod("san"), pod("nginx", "nginx", ports={"http": 80}))
    with watching(cluster, "san", "nginx", "80", "-n", namespace, "--watch=200ms") as process:
        opened = "open: san → nginx, TCP 80: as the policies say\n"
        lines = [process.stdout.readline()]
        cluster.apply(DENY, namespace=namespace)
        lines.append(process.stdout.readline())
        cluster.kubectl("delete", "networkpolicy", "deny-all-ingress", "-n", namespace)
        while lines[-1][9:] != opened:  # for a moment the policies allow what the network still blocks
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert lines[0][9:] == opened
    assert lines[1][9:].startswith("blocked: san → nginx, TCP 80: ")
    assert len(set(lines)) == len(lines) <= 4
    assert (out, process.returncode) == ("", 130)
    assert re.fullmatch(rf"note: \d+ rounds in \d+ s, {len(lines) - 1} lines about changes\n", err)


def test_watching_a_suite(own: Shop) -> None:
    own.becomes({})
    with watching(own.cluster, "-F", str(own.suite), "-n", own.namespace, "--watch=200ms") as process:
        first = process.stdout.readline()
        assert first[9:] == "12 checks: 12 as expected, 0 not as expected, 0 can't tell\n"
        own.cluster.kubectl("label", "pod", "cat", "app=web", "--overwrite", "-n", own.namespace)
        seen = ""
        while "3 not as expected" not in seen:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            seen += line[9:]
        own.cluster.kubectl("label", "pod", "cat", "app=cat", "--overwrite", "-n", own.namespace)
        assert "not as expected: cat is not (expected blocked): " in seen
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


ROUNDS = """
import gc, os, resource, sys, threading
from kubectl_netpol import __main__
from kubectl_netpol.commands.common import watch
rounds = 0
def measured():
    resident = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
    return len(os.listdir("/proc/self/fd")), threading.active_count(), resident
def sleep(_):
    global rounds
    rounds += 1
    if rounds in (20, 120):
        print(*measured(), file=sys.stderr)
    if rounds == 120:
        raise KeyboardInterrupt
watch.time.sleep = sleep
sys.exit(__main__.main())
"""


@pytest.mark.parametrize("what", ["a connection", "a suite"])
def test_a_hundred_rounds_leave_nothing_behind(own: Shop, what: str) -> None:
    own.becomes({})
    asked = ["web", "db", "5432"] if what == "a connection" else ["-F", str(own.suite), "--timeout=300ms"]
    ran = own.cluster.run(
        sys.executable, "-c", ROUNDS, "test", *asked, "-n", own.namespace, "--watch",
        env={"PYTHONPATH": str(ROOT)}, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 130, ran
    first, last, summary = ran.stderr.splitlines()
    assert summary.startswith("note: 120 rounds in ")
    before, after = ([int(word) for word in line.split()] for line in (first, last))
    # How many of the pool's connections to the API server are open depends on how many calls happened to overlap.
    assert abs(after[0] - before[0]) < CONNECTIONS, "file descriptors"
    assert after[1] == before[1], "threads"
    assert after[2] - before[2] < 1_000_000, "bytes"
    processes = own.cluster.kubectl("exec", "web", "-n", own.namespace, "--", "ps", "-o", "args").stdout
    assert "netpol" not in processes, processes
