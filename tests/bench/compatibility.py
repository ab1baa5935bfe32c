"""What it was tried on: `compatibility.py [--kubernetes 1.30.14 ...] [--kubectl 0.34.9 ...] [--write]`, as root.

Runs the tests of the built file on every Python that the machine and Debian have, the tests of kubectl_netpol/cluster
with both Kubernetes clients, the scenario of the README on a cluster of each Kubernetes, which the kit builds from its
Go modules, and the built file as a plugin of each kubectl. It takes most of an hour, and is no part of the tests.
--write puts the table into docs/compatibility.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

PROJECT = Path(__file__).parents[2]
ZIPAPP = PROJECT / "dist" / "kubectl-netpol"
PAGE = PROJECT / "docs" / "compatibility.md"
SCENARIO = ["tests/cluster/test_scenario.py", "tests/cluster/test_kinds.py"]
KUBECTL = """package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() { os.Exit(cli.Run(cmd.NewDefaultKubectlCommand())) }
"""
SMOKE = """apiVersion: v1
kind: Pod
metadata: {name: nginx, namespace: shop, labels: {run: nginx}}
spec: {containers: [{name: nginx, image: nginx}]}
"""


class Row(NamedTuple):
    what: str
    version: str
    how: str
    passed: bool
    tests: int


def run_tests(words: list[str], project: Path = PROJECT, python: Path | None = None) -> list[tuple[str, bool]]:
    """The tests that ran, by name, and whether each passed."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run(
            [python or Path(sys.executable), "-m", "pytest", "-q", f"--junitxml={report.name}", *words],
            cwd=project,
            env=os.environ | {"NETPOL_ZIPAPP": str(ZIPAPP), "NETPOL_REQUIRE_CLUSTER": "1"},
            stdout=sys.stderr,
            check=False,
        )
        cases = ET.parse(report.name).getroot().iter("testcase")
        return [
            (case.get("name", ""), all(found.tag not in ("failure", "error") for found in case))
            for case in cases
            if case.find("skipped") is None
        ]


def together(what: str, version: str, how: str, found: list[tuple[str, bool]]) -> Row:
    return Row(what, version, how, bool(found) and all(passed for _, passed in found), len(found))


def pythons() -> list[Row]:
    """The commands of tests/packaging/conftest.py on each; older ones than 3.10 must be refused in one line."""
    rows = []
    for name, passed in run_tests(["tests/packaging/test_pythons.py"]):
        version = name.partition("[")[2].rstrip("]")
        suite, _, rest = version.partition("-")
        debian = not version[0].isdigit()
        number = rest.rpartition("-")[2] if debian else version
        how = f"Debian {suite}" if debian else "this machine"
        major, minor = map(int, number.split(".")[:2])
        rows.append(
            Row("Python" if (major, minor) >= (3, 10) else "Python, refused in one line", number, how, passed, 1)
        )
    return rows


def clients() -> list[Row]:
    found = {}
    for python in (Path(sys.executable), PROJECT / "build" / "kubernetes-36" / "bin" / "python"):
        if python.exists():
            script = "from importlib.metadata import version; print(version('kubernetes'))"
            version = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
            found[version] = run_tests(["tests/unit/cluster"], python=python)
    return [together("Kubernetes client", version, "`tests/unit/cluster`", tests) for version, tests in found.items()]


def kit_of(version: str, kit: Path) -> None:
    """Makes the kit build another Kubernetes."""
    build, module = kit / "build.sh", kit / "kube" / "go.mod"
    ours = re.findall(r"^kubernetes=(\S+)$", build.read_text(), re.MULTILINE)[0]
    build.write_text(build.read_text().replace(f"kubernetes={ours}", f"kubernetes={version}"))
    if version == ours:
        return
    staging, others = version.replace("1.", "0.", 1), ours.replace("1.", "0.", 1)
    text = re.sub(r"^require \(\n(?:.*// indirect\n)+\)\n", "", module.read_text(), flags=re.MULTILINE)
    text = text.replace(f"v{ours}", f"v{version}").replace(f"v{others}", f"v{staging}")
    text = re.sub(r"go\.etcd\.io/etcd/server/v3 \S+", "go.etcd.io/etcd/server/v3 v3.5.10", text)
    if int(version.split(".")[1]) < 31:
        providers = "k8s.io/legacy-cloud-providers"
        text = text.replace("\tk8s.io/metrics =>", f"\t{providers} => {providers} v{staging}\n\tk8s.io/metrics =>")
    module.write_text(text)
    (kit / "kube" / "go.sum").unlink()
    subprocess.run(["go", "mod", "tidy"], cwd=kit / "kube", check=True)


def servers(versions: list[str]) -> list[Row]:
    rows = []
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "project"
            shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "build", "__pycache__"))
            kit_of(version, copy / "tests" / "cluster" / "kit")
            found = run_tests(SCENARIO, copy)
        rows.append(together("Kubernetes", version, " and ".join(f"`{name}`" for name in SCENARIO), found))
    return rows


def kubectls(versions: list[str]) -> list[Row]:
    rows = []
    for version in versions:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "main.go").write_text(KUBECTL)
            (folder / "nginx.yaml").write_text(SMOKE)
            (folder / "kubectl-netpol").symlink_to(ZIPAPP)
            requires = "".join(f"require k8s.io/{one} v{version}\n" for one in ("kubectl", "component-base"))
            (folder / "go.mod").write_text(f"module compatibility/kubectl\n\ngo 1.24\n\n{requires}")
            subprocess.run(["go", "mod", "tidy"], cwd=folder, check=True)
            subprocess.run(["go", "build", "-o", "kubectl", "."], cwd=folder, check=True)
            path = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
            words = ["explain", "nginx", "-n", "shop", "-f", "nginx.yaml"]
            done = [
                subprocess.run(
                    ["./kubectl", "netpol", *command],
                    cwd=folder,
                    env=os.environ | path,
                    capture_output=True,
                    check=False,
                ).returncode
                for command in (["version"], words)
            ]
        rows.append(Row("kubectl", f"1.{version.split('.', 1)[1]}", "as its plugin", done == [0, 0], len(done)))
    return rows


HEAD = """# What it was tried on

Made by `tests/bench/compatibility.py --write` on {date}, on {system}; don't edit.

| what | version | how | |
| --- | --- | --- | --- |
"""
TAIL = """
Version 36 of the Kubernetes client runs `tests/unit/cluster` in each run of CI. Not tried: macOS, Windows, arm64; PyPy.
The zipapp is pure Python, so the manifest for krew offers it for Linux and macOS on any processor.
"""


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubernetes", nargs="*", default=[], metavar="VERSION")
    parser.add_argument("--kubectl", nargs="*", default=[], metavar="VERSION", help="of its Go module, such as 0.34.2")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows = [*kubectls(arguments.kubectl), *clients(), *pythons(), *servers(arguments.kubernetes)]
    lines = [
        f"| {row.what} | {row.version} | {row.how} | {'works' if row.passed else '**fails**'} ({row.tests}) |"
        for row in sorted(rows, key=lambda row: (row.what, [int(part) for part in re.findall(r"\d+", row.version)]))
    ]
    date = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    head = HEAD.format(date=date, system=f"{platform.system()} {platform.machine()}")
    page = f"{head}" + "\n".join(lines) + f"\n{TAIL}"
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    if not ZIPAPP.exists():
        raise SystemExit(f"error: {ZIPAPP} is not built")
    main()
