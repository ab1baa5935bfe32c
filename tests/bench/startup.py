"""How fast the zipapp starts, beside others, in one run and round-robin: `python tests/bench/startup.py [ROUNDS]`.

Run it with a Python that has the `kubernetes` package (.venv/bin/python), on an idle machine. The least of all rounds
is what the machine can do when nothing disturbs it, the median shows how much did; processor time is all threads'.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MANIFEST = PROJECT / "examples" / "shop.yaml"

CONFIG = """\
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: none}}]
"""


def commands(zipapp: str, folder: Path) -> dict[str, list[str]]:
    """What is measured; the first is what all others are compared with."""
    start = [sys.executable, zipapp]
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    allow = ["allow", "--from", "run=san", "--to", "run=nginx", "--port", "80"]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import argparse, json'": [sys.executable, "-c", "import argparse, json"],
        "python -c 'import kubernetes'": [sys.executable, "-c", "import kubernetes"],
        "kubectl version --client": ["kubectl", "version", "--client"],
        "netpol --help": [*start, "--help"],
        "netpol allow": [*start, *allow],
        "netpol explain -f": [*start, "explain", "nginx", "-n", "shop", "-f", str(MANIFEST)],
        "netpol explain, no cluster there": [*start, "explain", "nginx", "--kubeconfig", str(config)],
        "netpol --help, first run": [*start, "--help"],
    }


def main(rounds: int) -> None:
    """Prints a table of milliseconds and ratios."""
    zipapp = os.environ.get("NETPOL_ZIPAPP", str(PROJECT / "dist" / "kubectl-netpol"))
    with tempfile.TemporaryDirectory() as folder:
        measured = commands(zipapp, Path(folder))
        wall: dict[str, list[float]] = {name: [] for name in measured}
        processor: dict[str, list[float]] = {name: [] for name in measured}
        for turn in range(rounds + 1):
            for name, command in measured.items():
                cache = Path(folder, f"cache-{turn}" if "first run" in name else "cache")
                environment = os.environ | {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(cache)}
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                begin = time.perf_counter()
                done = subprocess.run(command, env=environment, capture_output=True, check=False)
                took = time.perf_counter() - begin
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                if done.returncode not in (0, 2) or (done.returncode == 2 and "no cluster" not in name):
                    raise SystemExit(f"error: {name} ended with {done.returncode}: {done.stderr.decode()}")
                if turn:  # the first turn fills the caches
                    wall[name].append(took)
                    processor[name].append(busy)
    bare, bare_busy = (min(next(iter(times.values()))) for times in (wall, processor))
    print(f"{f'least of {rounds} rounds, ms':34} {'wall':>7} {'ratio':>6} {'median':>7} {'cpu':>7} {'ratio':>6}")
    for name, times in wall.items():
        least, busy = min(times), min(processor[name])
        print(
            f"{name:34} {least * 1000:7.1f} {least / bare:5.1f}x {statistics.median(times) * 1000:7.1f}"
            f" {busy * 1000:7.1f} {busy / bare_busy:5.1f}x"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
