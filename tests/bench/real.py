"""explain and test on a real cluster, beside kubectl, in one run.

Run as `python -m tests.bench.real [ROUNDS] [PODS:POLICIES …]`.
Run it on an idle machine with root, Linux and Go. The least of all rounds is what the machine can do when nothing
disturbs it, the median shows how much did. Memory is the largest resident set.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.clusters import Size, cluster
from tests.cluster.lab import Cluster, pod, up

ROOT = Path(__file__).parents[2]
PORTS = [str(8000 + number) for number in range(50)]


class Measured(NamedTuple):
    seconds: list[float]
    kilobytes: list[int]


def measure(world: Cluster, commands: dict[str, list[str]], rounds: int) -> dict[str, Measured]:
    """Runs the commands round-robin on the node; the first round warms caches and does not count."""
    found = {name: Measured([], []) for name in commands}
    # The interpreter itself comes first: a version manager's shim in its place would cost more than all the rest.
    folders = [world.plugins, world.state / "bin", Path(sys.executable).parent]
    environment = {**os.environ, "PATH": ":".join([*map(str, folders), os.environ["PATH"]])}
    environment |= {"KUBECONFIG": str(world.kubeconfig)}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            words = world.inside(*command)
            began = time.perf_counter()
            child = os.fork()
            if not child:
                null = os.open(os.devnull, os.O_RDWR)
                for stream in range(3):
                    os.dup2(null, stream)
                os.execvpe(words[0], [str(word) for word in words], environment)
            _, _, usage = os.wait4(child, 0)
            if turn:
                found[name].seconds.append(time.perf_counter() - began)
                found[name].kilobytes.append(usage.ru_maxrss)
    return found


def report(title: str, found: dict[str, Measured]) -> None:
    """A table; every ratio is to the first command."""
    print(f"\n{title}")
    print(f"  {'':58} {'least':>8} {'median':>8} {'ratio':>6} {'MB':>6} {'ratio':>6}")
    first = next(iter(found.values()))
    for name, measured in found.items():
        least, megabytes = min(measured.seconds), max(measured.kilobytes) / 1024
        print(
            f"  {name:58} {least:7.3f}s {statistics.median(measured.seconds):7.3f}s {least / min(first.seconds):6.2f}"
            f" {megabytes:6.0f} {megabytes * 1024 / max(first.kilobytes):6.2f}"
        )


def bench_explain(world: Cluster, size: Size, rounds: int) -> None:
    pods = [item["metadata"] for item in cluster(size) if item["kind"] == "Pod"]
    source, destination = (f"{meta['namespace']}/pod/{meta['name']}" for meta in (pods[0], pods[-1]))
    namespace = pods[-1]["namespace"]
    loading = world.run(
        sys.executable, "-m", "tests.bench.load", world.kubeconfig, str(size.pods), str(size.policies),
        env={"PYTHONPATH": str(ROOT)}, timeout=1200,
    )  # fmt: skip
    assert loading.returncode == 0, loading.stderr
    everything = ["kubectl", "get", "pods,networkpolicies", "-A", "-o", "json"]
    commands = {
        "kubectl get pods,networkpolicies -A -o json": everything,
        "kubectl describe networkpolicy -n NAMESPACE": ["kubectl", "describe", "networkpolicy", "-n", namespace],
        "kubectl netpol explain SOURCE DESTINATION PORT": ["kubectl", "netpol", "explain", source, destination, "80"],
        "kubectl netpol explain POD": ["kubectl", "netpol", "explain", destination],
    }
    report(f"{size.pods} pods, {size.policies} policies", measure(world, commands, rounds))


def bench_test(world: Cluster, rounds: int) -> None:
    with world.namespace() as namespace:
        world.create_pods(namespace, pod("san"), pod("web", "distroless", command=["/server", *PORTS]))
        address = world.pod_ip(namespace, "web")
        commands = {
            "kubectl exec san -- nc -zvv -w 3 ADDRESS 8000": [
                "kubectl", "exec", "-n", namespace, "san", "--", "nc", "-zvv", "-w", "3", address, "8000",
            ],
            "kubectl netpol test san web 8000": ["kubectl", "netpol", "test", "-n", namespace, "san", "web", "8000"],
            "kubectl netpol test san web 8000-8049 (fifty at once)": [
                "kubectl", "netpol", "test", "-n", namespace, "san", "web", "8000-8049",
            ],
        }  # fmt: skip
        report("an open port, prediction included", measure(world, commands, rounds))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    sizes = [Size(*map(int, word.split(":"))) for word in sys.argv[2:]] or [Size(100, 50), Size(10_000, 1_000)]
    with up("bench", enforcer=True) as world:
        bench_test(world, rounds)
    for size in sizes:
        with up("bench", enforcer=False) as world:
            bench_explain(world, size, max(3, rounds if size.pods <= 1_000 else rounds // 3))


if __name__ == "__main__":
    main()
