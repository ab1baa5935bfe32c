"""Whether two versions print the same: `outputs.py OLD --write FILE`, then `outputs.py . --compare FILE`.

OLD is a folder with the package's source, such as one of `git archive`. Asked is every form of every answer about
generated clusters, each as it is and as if Cilium or Calico ran, and about the lists of objects in --more. The
commands whose outputs differ are printed, and end it with status 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.clusters import Size, as_list
from tests.support.clusters import clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS = (
    "explain -n a",
    "explain -A",
    "explain -n a -o json",
    "explain -A -o json",
    "explain -A -o yaml",
    "matrix -n a",
    "matrix -A",
    "matrix -A -v",
    "matrix -A -o wide",
    "matrix -A -o html",
    "matrix -A -o json",
    "matrix -n a -o wide -v",
    "matrix -A --port 80,http",
    "matrix -A --port 80-81 -o wide",
    "matrix -A --port 8080/TCP,dns/UDP -o html",
    "matrix -A --port http -o json",
)
LARGE = 100_000
LARGE_FORMS = [
    form for form in FORMS if "yaml" not in form and "-v" not in form and "-" not in form.partition("--port")[2]
]
OF_A_POD = ("explain {pod}", "explain {pod} -v", "explain {pod} -o json", "explain {pod} {other} 80,http")
OF_CHANGES = ("diff -n a {changed}", "diff {changed} -o json", "diff --delete -n a {changed}")
# Runs each line of a file with the package in a folder; prints for each line status, stdout and stderr.
RUNNER = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
from kubectl_netpol.cli import main
assert main.__code__.co_filename.startswith(sys.argv[1]), main.__code__.co_filename
for line in open(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


def generated(number: int, folder: Path) -> Iterator[Path]:
    """Files of clusters, the same each time."""
    found: list[list[dict[str, Any]]] = []
    sizes = st.sampled_from(((2, 4), (5, 9), (12, 24), (40, 45)))

    @settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(sizes.flatmap(lambda pods: clusters(pods=pods, policies=8)))
    def collect(items: list[dict[str, Any]]) -> None:
        found.append(items)

    collect()
    for place, items in enumerate(found):
        path = folder / f"generated-{place:03}.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        yield path
    for size in (Size(100, 50), Size(300, 120)):
        path = folder / f"bench-{size.pods}.json"
        path.write_text(as_list(size).replace('"ns-000"', '"a"'))
        yield path


def commands(path: Path, plugin: str) -> Iterator[list[str]]:
    """The commands about one file, as arguments; further files that they read are written beside it."""
    read_by = ["--plugin", plugin] if plugin else []
    where = ["-f", path.name, *read_by]
    large = path.stat().st_size > LARGE
    for form in LARGE_FORMS if large else FORMS:
        yield [*form.split(), *where]
    items = json.loads(path.read_text())["items"]
    pods = [f"{i['metadata'].get('namespace', 'default')}/{i['metadata']['name']}" for i in items if i["kind"] == "Pod"]
    for form in OF_A_POD if pods else ():
        yield [*form.format(pod=pods[0], other=pods[-1]).split(), *where]
    policies = [item for item in items if item["kind"] == "NetworkPolicy"]
    changed, on = (path.with_name(f"{word}-{path.name}") for word in ("changed", "on"))
    for target, kept in ((changed, policies[::3]), (on, [item for item in items if item not in policies[::3]])):
        target.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": kept}))
    for form in () if large else OF_CHANGES:
        on_file = path if "--delete" in form else on
        yield [*form.format(changed=f"-f {changed.name}").split(), "--on", on_file.name, *read_by]


def outputs(source: Path, lines: list[list[str]], folder: Path) -> Iterator[Any]:
    """Status, stdout and stderr of each command."""
    asked = folder / "commands"
    asked.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-c", RUNNER, str(source.resolve()), str(asked)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as run:
        for line in run.stdout or ():
            yield json.loads(line)


def main() -> None:
    """Writes the outputs, or prints the commands whose outputs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--compare", type=Path, metavar="FILE")
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--more", type=Path, nargs="*", default=(), metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            line
            for path in generated(arguments.clusters, folder)
            for plugin in ("", "cilium", "calico")
            for line in commands(path, plugin)
        ]
        for path in arguments.more:
            lines += commands(Path(shutil.copy(path, folder)), "")
        found = outputs(arguments.source, lines, folder)
        if arguments.write:
            with arguments.write.open("w") as file:
                file.writelines(json.dumps([line, one]) + "\n" for line, one in zip(lines, found, strict=True))
            return
        differing = 0
        with arguments.compare.open() as file:
            for line, one, text in zip(lines, found, file, strict=True):
                known, old = json.loads(text)
                if known != line:
                    raise SystemExit(f"error: {arguments.compare} has other commands: {' '.join(known)}")
                if old != one:
                    differing += 1
                    sys.stdout.write(f"differs: {' '.join(line)}\n")
    sys.stdout.write(f"{len(lines)} commands, {differing} differ\n")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
