"""How `matrix` grows, JSON in and out, beside a public peer: `python tests/bench/matrix.py [--peer PROGRAM] [--write]`.

PROGRAM is k8snetpolicy of github.com/np-guard/netpol-analyzer (`go build ./cmd/netpolicy` in a copy of its source).
Run it on an idle machine; --write makes docs/performance.md and its plot. A sample of cells of each answer is compared
with the engine, so a fast wrong answer ends the run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from kubectl_netpol.connection.predict import pod_connection
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.manifests.reader import Reader
from tests.bench.clusters import SIZES, Size, as_list

PROJECT = Path(__file__).parents[2]
ZIPAPP = os.environ.get("NETPOL_ZIPAPP", str(PROJECT / "dist" / "kubectl-netpol"))
CURVE = sorted({*SIZES, Size(300, 120), Size(3_000, 600)})
PORT = 8080
SAMPLE = 500
MOST_FOR_THE_PEER = 1_000
PATIENCE = 900
FORMS_BEGIN = "## Every form of every answer"
MET = {True: "met", False: "missed"}
GOALS = {1_000: (1.0, 150), 10_000: (10.0, 1_000)}


class Run(NamedTuple):
    """Seconds on the clock, seconds of processor, and the most memory in MB."""

    seconds: float
    processor: float
    megabytes: float


class Line(NamedTuple):
    """One size of cluster: bytes in and out, ours, and the peer's where it ran."""

    size: Size
    bytes_in: int
    bytes_out: int
    ours: Run
    peer: Run | None


def run(command: list[str], output: Path) -> Run | None:
    """Runs a command with its output in a file; None where it took longer than PATIENCE."""
    errors = output.with_suffix(".errors")
    with output.open("wb") as out, errors.open("wb") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        pid = status = 0
        while not pid:
            time.sleep(0.002)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            took = time.perf_counter() - begin
            if not pid and took > PATIENCE:
                process.kill()
                process.wait()
                return None
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1 is an answer of lint and of diff
        raise SystemExit(f"error: {' '.join(command)} ended with {process.returncode}: {errors.read_text()}")
    return Run(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def check(manifest: str, answer: Path) -> None:
    """Compares some cells with the engine."""
    reader = Reader()
    reader.add_text(manifest, "the cluster")
    snapshot = reader.snapshot()
    matrix = json.loads(answer.read_text())
    pods = [snapshot.pod(*name.split("/")) for name in matrix["sources"]]
    random_ = random.Random(1)
    for _ in range(SAMPLE):
        here, there = random_.randrange(len(pods)), random_.randrange(len(pods))
        source, destination = pods[here], pods[there]
        assert source
        assert destination
        expected = evaluate(snapshot, pod_connection(source, destination, "TCP", PORT)).verdict.value[0]
        got = matrix["verdicts"][here][there]
        if got != expected:
            raise SystemExit(f"error: {source.key} to {destination.key} is {got}, and the engine says {expected}")


def measure(size: Size, rounds: int, peer: str | None, folder: Path) -> Line:
    """One size: the least of the rounds."""
    content = as_list(size)
    manifests = folder / str(size.pods)
    manifests.mkdir()
    manifest = manifests / "cluster.json"
    manifest.write_text(content)
    answer = folder / "answer.json"
    command = [sys.executable, ZIPAPP, "matrix", "-f", str(manifest), "-A", "--port", str(PORT), "-o", "json"]
    runs = [found for _ in range(rounds) if (found := run(command, answer))]
    check(content, answer)
    bytes_out = answer.stat().st_size
    theirs = None
    if peer and size.pods <= MOST_FOR_THE_PEER:
        theirs = run([peer, "list", "--dirpath", str(manifests), "-q"], folder / "peer.txt")
    answer.unlink()
    return Line(size, len(content), bytes_out, min(runs), theirs)


def text(run_: Run | None) -> str:
    return f"{run_.seconds:.2f} s, {run_.processor:.2f} s, {run_.megabytes:.0f} MB" if run_ else ""


DOCUMENT = """\
# How fast `matrix` is

Made by `tests/bench/matrix.py --write`; don't edit.

`kubectl netpol matrix -f FILE -A --port {port} -o json` by the built zipapp, on the clusters of
`tests/bench/clusters.py`: 50 pods a namespace, 5 replicas a workload on different nodes, policies by workload,
namespace, label across namespaces and block. Seconds on the clock (the least of {rounds} rounds), seconds of
processor, and the most memory. {sample} cells of each answer were compared with the engine in the same run.

{table}

![Seconds and memory by pods, both axes logarithmic](matrix-growth.svg)

From {small:,} to {large:,} pods the time grows with the power {slope:.1f} of their number, and the pairs with 2.

{goals}{peer}
How: pods are never compared in pairs. What a selector, a block or a range of ports means is asked of the engine's
predicates once for each value, namespace or interval of addresses that can make a difference, and kept as a set of
pods, the bits of one integer. What a pod's policies let in and out are unions and intersections of those sets, and the
rows are cut from the columns by slices. A law in `tests/laws/test_matrix_law.py` compares every cell with the engine's
own walk on generated clusters.

Measured with {python} on {system}, {processors} processors.
"""
PEER = """
The peer lists which workloads may connect on which ports, for all ports and address ranges at once, from the same
file in the same run: more than one port's matrix, and less than its pods. It was not run beyond {most:,} pods.
"""


def document(lines: list[Line], rounds: int, *, with_peer: bool) -> str:
    """docs/performance.md."""
    table = [
        "| Pods | Policies | Pairs | JSON in | JSON out | `kubectl netpol matrix` |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for line in lines:
        bytes_in, bytes_out = f"{line.bytes_in / 1e6:.1f} MB", f"{line.bytes_out / 1e6:.1f} MB"
        sizes = f"| {line.size.pods:,} | {line.size.policies:,} | {line.size.pods**2:,} | {bytes_in} | {bytes_out}"
        table.append(f"{sizes} | {text(line.ours)} |")
    if with_peer:
        more = [" netpol-analyzer 1.4.4 `list` |", "---:|", *(f" {text(line.peer)} |" for line in lines)]
        table = [row + cell for row, cell in zip(table, more, strict=True)]
    goals = [
        f"- Aim at {line.size.pods:,} pods: under {seconds:g} s and {megabytes:,} MB: {MET[met(line)]}.\n"
        for line in lines
        if line.size.pods in GOALS
        for seconds, megabytes in (GOALS[line.size.pods],)
    ]
    return DOCUMENT.format(
        port=PORT,
        rounds=rounds,
        sample=SAMPLE,
        table="\n".join(table),
        small=lines[-2].size.pods,
        large=lines[-1].size.pods,
        slope=growth(lines),
        goals="".join(goals),
        peer=PEER.format(most=MOST_FOR_THE_PEER) if with_peer else "",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        processors=os.cpu_count(),
    )


def with_forms(document_: str, forms: str) -> str:
    """The document with this section, made by `forms.py`, as its last."""
    return document_.partition(FORMS_BEGIN)[0].rstrip() + "\n" + forms


def met(line: Line) -> bool:
    seconds, megabytes = GOALS[line.size.pods]
    return line.ours.seconds < seconds and line.ours.megabytes < megabytes


def growth(lines: list[Line]) -> float:
    """The exponent between the two largest sizes."""
    small, large = lines[-2:]
    return math.log(large.ours.seconds / small.ours.seconds) / math.log(large.size.pods / small.size.pods)


def plot(lines: list[Line]) -> str:
    """Seconds of ours and of the peer, and our memory, by pods; SVG."""
    left, top, width, height = 60, 20, 520, 300
    low, high = math.log10(lines[0].size.pods), math.log10(lines[-1].size.pods)

    def point(pods: int, seconds: float) -> tuple[float, float]:
        x = left + width * (math.log10(pods) - low) / (high - low)
        return x, top + height * (2 - math.log10(seconds)) / 3.5

    def series(found: list[tuple[int, float]], colour: str, dash: str, title: str) -> str:
        points = [point(*pair) for pair in found]
        marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[-1]
        label = f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{title}</text>'
        line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        return line + marks + label

    grid = ""
    for exponent in (-1, 0, 1, 2):
        _, y = point(lines[0].size.pods, 10.0**exponent)
        unit = f"{10.0**exponent:g} s"
        grid += f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#bbb"/>'
        grid += f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{unit}</text>'
    for line in lines:
        x, _ = point(line.size.pods, 1)
        grid += f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{line.size.pods:,}</text>'
    drawn = [series([(line.size.pods, line.ours.seconds) for line in lines], "#0072b2", "", "netpol matrix")]
    if theirs := [(line.size.pods, line.peer.seconds) for line in lines if line.peer]:
        drawn.append(series(theirs, "#d55e00", "6 4", "netpol-analyzer"))
    memory = [(line.size.pods, line.ours.megabytes / 100) for line in lines]
    drawn.append(series(memory, "#6b7178", "2 4", "memory, 1 s = 100 MB"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 170} {top + height + 50}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#555">'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f"{grid}{''.join(drawn)}"
        f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">pods</text></svg>\n'
    )


def main() -> None:
    """Prints the document, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for size in CURVE:
            lines.append(measure(size, arguments.rounds, arguments.peer, Path(folder)))
            print(
                f"{size.pods} pods: {text(lines[-1].ours)}; peer: {text(lines[-1].peer) or 'not run'}", file=sys.stderr
            )
    content = document(lines, arguments.rounds, with_peer=arguments.peer is not None)
    if not arguments.write:
        print(content)
        return
    path = PROJECT / "docs" / "performance.md"
    _, begin, forms = path.read_text(encoding="utf-8").partition(FORMS_BEGIN)
    path.write_text(with_forms(content, f"\n{begin}{forms}") if begin else content, encoding="utf-8")
    (PROJECT / "docs" / "matrix-growth.svg").write_text(plot(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
