"""The engine beside the real network: random policies, every pair of pods and a host outside, TCP and UDP 80 and 81.

The network must do exactly what the engine says, except where a known fault of the enforcer (`enforcer.py`) predicts
otherwise; then it must do exactly that.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.manifests.reader import Reader
from tests.cluster.connects import Target, connect_all, own_address, within
from tests.cluster.enforcer import ALL, Fault, passes
from tests.cluster.lab import OUTSIDE, Cluster, pod, summary
from tests.cluster.random_policies import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubectl_netpol.model.snapshot import Snapshot

PROTOCOLS = ("TCP", "UDP")
PORTS = (80, 81)
SERVER = ["/server", *map(str, PORTS)]
NAMESPACES: dict[str, dict[str, str]] = {
    "enf-x": {"team": "red", "stage": "test"},
    "enf-y": {"team": "blue", "stage": ""},
    "enf-z": {},
}
# No two pods share a port name and number while one has a second name: see `enforcer.py` for why.
PODS: dict[str, list[tuple[str, dict[str, str], dict[str, int]]]] = {
    "enf-x": [
        ("a", {"app": "web", "tier": "front"}, {"http": 80}),
        ("b", {"app": "web", "tier": "back"}, {"http": 81}),
        ("c", {"app": "db"}, {}),
    ],
    "enf-y": [
        ("a", {"app": "web", "tier": ""}, {"http": 80}),
        ("b", {"app": "api", "tier": "front"}, {"left": 80, "right": 81}),
        ("c", {}, {"admin": 81}),
    ],
    "enf-z": [
        ("a", {"app": "api", "tier": "back"}, {"http": 81}),
        ("b", {"app": "db", "tier": "front"}, {"admin": 80}),
    ],
}
CONTROL = "enf-control"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("first_seed", default=0)
        count = metafunc.config.getoption("seeds", default=60)
        metafunc.parametrize("seed", range(first, first + count))


class Probe(NamedTuple):
    """One connection: the names of both ends ("enf-x/a", or the host outside by its address) and the port."""

    source: str
    destination: str
    protocol: str
    port: int


class Arena:
    """The pods, where they are in the network, and a control connection that tells when the enforcer has caught up."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.objects = cluster.kubectl("get", "namespaces,nodes,pods", "-A", "-o", "json").stdout
        pods = self.snapshot().pods
        self.addresses = {pod.key: pod.ips[0] for pod in pods if pod.namespace in NAMESPACES}
        self.addresses[OUTSIDE] = OUTSIDE
        self.control = next(Target("TCP", pod.ips[0], 80) for pod in pods if pod.namespace == CONTROL)
        self.control_open = True
        self.tally: Counter[str] = Counter()
        of_address = {within(netns, lambda: own_address(OUTSIDE)): netns for netns in cluster.pod_netns()}
        self.netns: dict[str, Path] = {name: of_address[ip] for name, ip in self.addresses.items() if ip != OUTSIDE}
        self.netns[OUTSIDE] = cluster.named_netns("outside")

    def snapshot(self) -> Snapshot:
        """What the API server has now."""
        reader = Reader(live=True)
        reader.add_text(self.objects, "objects")
        policies = self.cluster.kubectl("get", "networkpolicies", "-A", "-o", "json").stdout
        reader.add_text(policies, "policies")
        return reader.snapshot()

    def end(self, snapshot: Snapshot, name: str) -> End:
        namespace, _, pod_name = name.rpartition("/")
        found = snapshot.pod(namespace, pod_name) if namespace else None
        return End(pod=found, address=self.addresses[name])

    def enforce(self, policies: list[dict[str, Any]]) -> None:
        """Replaces the policies and returns when the enforcer has programmed them.

        It programmes all that it has seen at once, and policies reach it in the order they were written: when a change
        of the control connection's policy, written last, has its effect, so have the others.
        """
        self.cluster.kubectl("delete", "networkpolicies", "-A", "-l", "arena=yes")
        for policy in policies:
            policy["metadata"]["labels"] = {"arena": "yes"}
        self.control_open = not self.control_open
        control = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "control", "namespace": CONTROL},
            "spec": {"podSelector": {}, "ingress": [{}] if self.control_open else []},
        }
        self.cluster.apply(*policies, control)
        self.cluster.wait_until(self.control_as_wanted, interval=0.02, what="the control connection's change")

    def control_as_wanted(self) -> bool:
        opened = within(self.netns[OUTSIDE], lambda: connect_all([self.control], timeout=0.3))
        return bool(opened) is self.control_open

    def probe(self) -> dict[Probe, bool]:
        """Whether each connection gets through."""
        result = {}
        each = itertools.product(PROTOCOLS, self.addresses, PORTS)
        targets = {Target(protocol, self.addresses[name], port): name for protocol, name, port in each}
        for source, netns in self.netns.items():
            reached = within(netns, lambda: connect_all(targets))
            for target, name in targets.items():
                result[Probe(source, name, target.protocol, target.port)] = target in reached
        return result


@pytest.fixture(scope="module")
def arena(cluster: Cluster, pytestconfig: pytest.Config) -> Iterator[Arena]:
    with ExitStack() as stack:
        for namespace, labels in {**NAMESPACES, CONTROL: {}}.items():
            stack.enter_context(cluster.namespace(namespace, labels))
        for namespace, pods in PODS.items():
            manifests = [
                pod(name, "distroless", labels=labels, ports=ports, command=SERVER) for name, labels, ports in pods
            ]
            cluster.apply(*manifests, namespace=namespace)
        cluster.create_pods(CONTROL, pod("control", "distroless"))
        for namespace, pods in PODS.items():
            cluster.wait_ready(namespace, *(name for name, _, _ in pods))
        outside = cluster.named_netns("outside")
        server = stack.enter_context(
            cluster.start("nsenter", f"--net={outside}", cluster.bin / "server", *map(str, PORTS))
        )
        stack.callback(server.terminate)
        # The kernel answers one host with six ICMP errors and then with one a second: the rest would seem dropped.
        # And what goes on over UDP counts as established, so let through, for half a minute after its last packet.
        conntrack = ("net.netfilter.nf_conntrack_udp_timeout=1", "net.netfilter.nf_conntrack_udp_timeout_stream=1")
        result = cluster.run("sysctl", "-qw", "net.ipv4.icmp_ratemask=0", *conntrack)
        assert result.returncode == 0, result
        made = Arena(cluster)
        yield made
        summary(pytestconfig).append(f"The engine met the real network: {dict(made.tally)}")


def compare(arena: Arena, policies: list[dict[str, Any]]) -> Counter[Fault]:
    """Enforces the policies and probes: fails where the network is not as predicted; what each fault explains."""
    arena.enforce(policies)
    snapshot = arena.snapshot()
    ends = {name: arena.end(snapshot, name) for name in arena.addresses}
    engine: dict[Probe, bool] = {}
    predicted: dict[Probe, bool] = {}
    explained: Counter[Fault] = Counter()
    for key in itertools.starmap(Probe, itertools.product(ends, ends, PROTOCOLS, PORTS)):
        connection = Connection(ends[key.source], ends[key.destination], key.protocol, key.port)
        answer = evaluate(snapshot, connection).verdict
        assert answer is not Verdict.UNDEFINED, key
        engine[key] = predicted[key] = answer is Verdict.ALLOWED
        if key.source == key.destination:  # what a pod sends to itself never meets the enforcer
            continue
        assert engine[key] is passes(snapshot, connection, ()), f"{key}: the two evaluators differ"
        predicted[key] = passes(snapshot, connection, ALL)
        if predicted[key] is not engine[key]:
            explained.update(fault for fault in Fault if passes(snapshot, connection, {fault}) is not engine[key])
    network = arena.probe()
    for _ in range(3):
        if network == predicted:
            arena.tally.update(
                connections=len(predicted), policies=len(policies), blocked=[*network.values()].count(False)
            )
            arena.tally.update(differences=sum(predicted[key] is not engine[key] for key in predicted))
            arena.tally.update({fault.name: count for fault, count in explained.items()})
            return explained
        network = arena.probe()
    words = {True: "open", False: "blocked"}
    lines = [
        f"{key.source} -> {key.destination} {key.protocol} {key.port}: policies {words[engine[key]]}, "
        f"predicted {words[predicted[key]]}, network {words[network[key]]}"
        for key in predicted
        if predicted[key] is not network[key]
    ]
    raise AssertionError("\n".join(["the network differs", *lines, *map(json.dumps, policies)]))


def test_random_policies_do_in_the_network_what_the_engine_says(arena: Arena, seed: int) -> None:
    addresses = [address for name, address in arena.addresses.items() if name != OUTSIDE]
    compare(arena, Dice(seed, list(NAMESPACES), addresses).policies())


def policy(namespace: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": f"fault-{uuid.uuid4().hex[:8]}", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


FAULTS: dict[Fault, dict[str, Any]] = {
    Fault.UNKNOWN_NAMED_PORT: policy(
        "enf-x",
        podSelector={},
        policyTypes=["Ingress"],
        ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"port": "nowhere"}]}],
    ),
    Fault.BOTH_ENDS: policy(
        "enf-x", podSelector={}, policyTypes=["Ingress", "Egress"], ingress=[{"from": [{"podSelector": {}}]}]
    ),
    Fault.NAMED_PORT_TO_ANYONE: policy(
        "enf-x", podSelector={}, policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}]
    ),
    Fault.NAMED_PORT_TO_BLOCK: policy(
        "enf-x",
        podSelector={},
        policyTypes=["Egress"],
        egress=[{"to": [{"ipBlock": {"cidr": "10.244.0.0/16"}}], "ports": [{"port": "http"}]}],
    ),
}


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower().replace("_", "-"))
def test_the_enforcer_has_this_fault(arena: Arena, fault: Fault) -> None:
    assert compare(arena, [FAULTS[fault]])[fault] > 0
