"""A suite of many checks on a real cluster, half of them blocked.

Run as `python -m tests.bench.suite [CHECKS] [ROUNDS]`, on an idle machine with root, Linux and Go, after ./build.sh.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.lab import pod, up

SOURCES, PORTS = 10, 20
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-in}
spec: {podSelector: {matchLabels: {run: web}}, ingress: [{from: [{podSelector: {matchLabels: {half: allowed}}}]}]}
"""


def suite(checks: int) -> str:
    lines = ["apiVersion: netpol/v1", "kind: TestSuite", "checks:"]
    for number in range(checks):
        source, port = number % SOURCES, 8000 + number // SOURCES % PORTS
        expect = "blocked" if source % 2 else "open"
        lines.append(f"- {{name: c{number}, from: s{source}, to: web, port: {port}, expect: {expect}}}")
    return "\n".join(lines)


def main() -> None:
    checks, rounds = (int(word) for word in (*sys.argv[1:], *("200", "3")[len(sys.argv) - 1 :]))
    with up("bench", enforcer=True) as world, world.namespace() as namespace, tempfile.TemporaryDirectory() as folder:
        sources = [pod(f"s{n}", labels={"half": "other" if n % 2 else "allowed"}) for n in range(SOURCES)]
        ports = [str(8000 + number) for number in range(PORTS)]
        world.create_pods(namespace, *sources, pod("web", "distroless", command=["/server", *ports]))
        world.apply(POLICY, namespace=namespace)
        path = Path(folder) / "suite.yaml"
        path.write_text(suite(checks), encoding="utf-8")
        for turn in range(rounds + 1):
            began = time.perf_counter()
            ran = world.netpol("test", "-F", str(path), "-n", namespace, timeout=600)
            kind = "warms up" if not turn else "round"
            print(
                f"{kind}: {time.perf_counter() - began:.1f} s, status {ran.returncode}: {ran.stdout.splitlines()[-1]}"
            )


if __name__ == "__main__":
    main()
