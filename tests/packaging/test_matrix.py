"""Every verdict of the shared conformance set, by `matrix -o json` of the zipapp."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def clusters(shared: Path) -> list[dict[str, Any]]:
    with gzip.open(shared / "conformance" / "steps.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def objects(cluster: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, labels in cluster["namespaces"].items():
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    for pod in cluster["pods"]:
        ports = [{**port, "containerPort": port.get("containerPort", port.get("port"))} for port in pod["ports"]]
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {key: pod[key] for key in ("name", "namespace", "labels")},
            "spec": {"containers": [{"name": "c", "ports": ports}]},
            "status": {"phase": "Running", "podIP": pod["ip"], "podIPs": [{"ip": pod["ip"]}]},
        }
    yield from cluster["policies"]


def matrices(zipapp: Path, cluster: dict[str, Any]) -> dict[tuple[str, int | str], dict[str, Any]]:
    """The matrix of each (protocol, port) in the cluster's rows, where a port is a number or a name."""
    found = {}
    for protocol in {row["protocol"] for row in cluster["rows"]}:
        asked = {row[key] for row in cluster["rows"] for key in ("port", "portName") if row["protocol"] == protocol}
        ports = ",".join(str(port) for port in asked if port)
        done = subprocess.run(
            [sys.executable, zipapp, "matrix", "-A", "-f", "-", "-o", "json", "--protocol", protocol, "--port", ports],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects(cluster))}),
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(done.stdout)
        for matrix in answer["items"] if answer["kind"] == "MatrixList" else [answer]:
            found[protocol, matrix["port"]] = matrix
    return found


def wrong_letters(zipapp: Path, cluster: dict[str, Any]) -> tuple[int, list[tuple[Any, ...]]]:
    """The number of letters that were compared, and the wrong ones."""
    checked, wrong = 0, []
    answers = matrices(zipapp, cluster)
    names = [f"{pod['namespace']}/{pod['name']}" for pod in cluster["pods"]]
    for row in cluster["rows"]:
        for port in {row["port"], row["portName"]} - {None, ""}:
            matrix = answers[row["protocol"], port]
            column = matrix["destinations"].index(row["to"])
            for source, egress, ingress in zip(names, row["egress"], row["ingress"], strict=True):
                expected = "a" if egress == ingress == "a" else "b"
                if egress == "-":
                    if port == row["port"]:
                        continue  # a number is never "-"
                    expected = "-"
                if source == row["to"]:
                    continue
                checked += 1
                got = matrix["verdicts"][matrix["sources"].index(source)][column]
                if got != expected:
                    wrong.append((source, row["to"], row["protocol"], port, got, expected))
    return checked, wrong


def test_every_letter_of_the_conformance_set_is_right(zipapp: Path, shared: Path) -> None:
    with ThreadPoolExecutor(max_workers=2) as executor:
        results = list(executor.map(lambda cluster: wrong_letters(zipapp, cluster), clusters(shared)))
    assert len(results) == 256
    assert [wrong for _, found in results for wrong in found] == []
    assert sum(checked for checked, _ in results) > 123_669
