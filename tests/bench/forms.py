"""What each form of each answer costs, beside `matrix -o json`: `python tests/bench/forms.py [--before OLD] [--write]`.

OLD is the built file of another version, measured in the same run on the sizes that it can cope with. --write puts the
table into docs/performance.md, which `matrix.py --write` keeps. On a busy machine processor time is what to look at.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.clusters import Size
from tests.bench.matrix import FORMS_BEGIN, PORT, PROJECT, ZIPAPP, Run, run, with_forms

SIZES = (Size(100, 50), Size(1_000, 300), Size(3_000, 600), Size(10_000, 1_000))
LARGEST = Size(50_000, 2_000)
UNIT = "matrix -o json"
DIFF = "diff of one policy"
ONE = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "new", "namespace": "ns-001"},
    "spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]},
}
FORMS = {
    UNIT: f"matrix -A --port {PORT} -o json",
    "matrix": f"matrix -A --port {PORT}",
    "matrix -o wide": f"matrix -A --port {PORT} -o wide",
    "matrix -o html": f"matrix -A --port {PORT} -o html",
    "matrix, declared ports": "matrix -A",
    "explain -A": "explain -A",
    "explain -A -o json": "explain -A -o json",
    "explain POD": "explain ns-001/web-0-0000a-00000",
    "lint -A": "lint -A",
    DIFF: "diff --on cluster.json -f one.json",
}
AT_LARGEST = (UNIT, "matrix", "explain -A")
MOST_BEFORE = 10_000


class Cost(NamedTuple):
    """One form at one size, and of the other version."""

    now: Run
    before: Run | None


def measure(program: str, form: str, folder: Path, rounds: int) -> Run | None:
    """The least of the rounds."""
    words = FORMS[form] if form == DIFF else f"{FORMS[form]} -f cluster.json"
    command = [sys.executable, program, *(str(folder / word) if ".json" in word else word for word in words.split())]
    found = [run(command, folder / "answer") for _ in range(rounds)]
    (folder / "answer").unlink()
    return min((one for one in found if one), key=lambda one: one.processor, default=None)


def exponent(small: Run, large: Run, sizes: tuple[Size, Size]) -> float:
    return math.log(large.processor / small.processor) / math.log(sizes[1].pods / sizes[0].pods)


def table(found: dict[tuple[str, Size], Cost]) -> str:
    """One row for each form at each size."""
    lines = [
        "| Form | Pods | Before | Now | Now, beside `matrix -o json` | Grows with the power |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for (form, size), cost in found.items():
        unit = found[UNIT, size].now
        time, memory = cost.now.processor / unit.processor, cost.now.megabytes / unit.megabytes
        beside = f"{time:.1f} of the time, {memory:.1f} of the memory"
        smaller = [one for name, one in found if name == form and one.pods < size.pods]
        grows = f"{exponent(found[form, smaller[-1]].now, cost.now, (smaller[-1], size)):.1f}" if smaller else ""
        lines.append(f"| `{form}` | {size.pods:,} | {_text(cost.before)} | {_text(cost.now)} | {beside} | {grows} |")
    return "\n".join(lines)


def _text(run_: Run | None) -> str:
    return f"{run_.processor:.2f} s, {run_.megabytes:.0f} MB" if run_ else ""


DOCUMENT = """
{begin}

Made by `tests/bench/forms.py --write`, on the same clusters: seconds of processor and the most memory, of the built
zipapp{before}.
The last column is the exponent between this size and the one before; of a matrix by pod, and of the pods that peers
match, the output itself grows with the pairs.

{table}

`explain -n NS` of odd namespaces: 500 pods and 100 Services; 1,000 pods and 300 policies that each name all pods; and
700 pods with labels of their own, each with a policy of its own:

{odd}
"""


def odd(before: str | None, folder: Path) -> str:
    """A namespace of many Services, one of many policies, and one where each pod has its own."""
    pods: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": "shop", "labels": {"app": f"a{number % 100}"}},
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
            "status": {"phase": "Running", "podIP": f"10.0.{number // 256}.{number % 256}"},
        }
        for number in range(1_000)
    ]
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"s{number}", "namespace": "shop"},
            "spec": {"selector": {"app": f"a{number}"}, "ports": [{"port": 80}]},
        }
        for number in range(100)
    ]

    def policy(number: int, spec: dict[str, object]) -> dict[str, object]:
        metadata = {"name": f"np{number}", "namespace": "shop"}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}

    def peer(number: int) -> dict[str, object]:
        return {"podSelector": {"matchLabels": {"app": f"a{number}"}}}

    policies = [
        policy(
            number,
            {
                **peer(number % 100),
                "ingress": [{"from": [peer((number + 1) % 100)]}],
                "egress": [{"to": [{"podSelector": {}}]}],
            },
        )
        for number in range(300)
    ]
    alone = [{**pod, "metadata": {**pod["metadata"], "labels": {"app": f"a{n}"}}} for n, pod in enumerate(pods[:700])]
    each = [policy(n, {**peer(n), "ingress": [{"from": [peer((n + 1) % 700)]}]}) for n in range(700)]
    lines = ["| Namespace | Form | Before | Now |", "|---|---|---:|---:|"]
    for title, items in (
        ("500 pods, 100 Services", [*pods[:500], *services, policy(0, {"podSelector": {}})]),
        ("1,000 pods, 300 policies", [*pods, *policies]),
        ("700 pods, each with a policy", [*alone, *each]),
    ):
        manifest = folder / "odd.json"
        manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        for output in ("", " -o json"):
            words = ["explain", "-n", "shop", "-f", str(manifest), *output.split()]
            then = run([sys.executable, before, *words], folder / "answer") if before else None
            now = run([sys.executable, ZIPAPP, *words], folder / "answer")
            lines.append(f"| {title} | `explain -n NS{output}` | {_text(then)} | {_text(now)} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the section, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="OLD")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--most", type=int, default=LARGEST.pods, metavar="PODS", help="no larger clusters")
    parser.add_argument("--most-before", type=int, default=MOST_BEFORE, metavar="PODS", help="no larger ones for OLD")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    found: dict[tuple[str, Size], Cost] = {}
    with tempfile.TemporaryDirectory() as name:
        odd_table = odd(arguments.before, Path(name))
        for size in (size for size in (*SIZES, LARGEST) if size.pods <= arguments.most):
            folder = Path(name) / str(size.pods)
            folder.mkdir()
            with (folder / "cluster.json").open("w") as file:  # in a process of its own, whose memory is not ours
                subprocess.run(
                    [sys.executable, PROJECT / "tests/bench/clusters.py", *map(str, size)], stdout=file, check=True
                )
            (folder / "one.json").write_text(json.dumps(ONE))
            for form in FORMS if size in SIZES else AT_LARGEST:
                before = None
                if arguments.before and size.pods <= arguments.most_before and not form.startswith("lint"):
                    before = measure(arguments.before, form, folder, arguments.rounds)
                now = measure(ZIPAPP, form, folder, arguments.rounds)
                if now is None:
                    raise SystemExit(f"error: {form} takes too long with {size.pods} pods")
                found[form, size] = Cost(now, before)
                print(f"{size.pods} pods, {form}: {_text(now)}; before: {_text(before)}", file=sys.stderr)
    by_form = {key: found[key] for form in FORMS for key in found if key[0] == form}
    other = ", and of the version before it" if arguments.before else ""
    content = DOCUMENT.format(begin=FORMS_BEGIN, before=other, table=table(by_form), odd=odd_table)
    if not arguments.write:
        print(content)
        return
    path = PROJECT / "docs" / "performance.md"
    path.write_text(with_forms(path.read_text(encoding="utf-8"), content), encoding="utf-8")


if __name__ == "__main__":
    if not Path(ZIPAPP).exists():
        raise SystemExit(f"error: {ZIPAPP} is not built")
    main()
