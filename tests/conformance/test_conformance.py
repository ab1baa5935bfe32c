"""Every verdict of the shared conformance set, straight through the engine."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.verdict import Connection, End, Verdict
from kubectl_netpol.manifests.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubectl_netpol.model.snapshot import Snapshot

LETTER = {Verdict.ALLOWED: "a", Verdict.BLOCKED: "b", Verdict.UNDEFINED: "u"}


def steps(shared: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(shared / "conformance" / "steps.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def objects(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, labels in step["namespaces"].items():
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    for pod in step["pods"]:
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {key: pod[key] for key in ("name", "namespace", "labels")},
            "spec": {"containers": [{"name": "c", "ports": [port_object(port) for port in pod["ports"]]}]},
            "status": {"phase": "Running", "podIP": pod["ip"], "podIPs": [{"ip": pod["ip"]}]},
        }
    yield from step["policies"]


def port_object(port: dict[str, Any]) -> dict[str, Any]:
    number = port.get("containerPort", port.get("port"))
    return {"containerPort": number, "name": port.get("name"), "protocol": port.get("protocol", "TCP")}


def snapshot_of(step: dict[str, Any]) -> Snapshot:
    reader = Reader()
    reader.add_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects(step))}), "step")
    return reader.snapshot()


def test_every_verdict_of_the_conformance_set_is_right(shared: Path) -> None:
    checked = 0
    wrong = []
    for number, step in enumerate(steps(shared)):
        snapshot = snapshot_of(step)
        pods = [snapshot.pod(pod["namespace"], pod["name"]) for pod in step["pods"]]
        for row in step["rows"]:
            namespace, name = row["to"].split("/")
            destination = snapshot.pod(namespace, name)
            assert destination is not None
            for source, egress, ingress in zip(pods, row["egress"], row["ingress"], strict=True):
                assert source is not None
                checked += 1
                if source is destination or egress == "-":
                    continue
                verdict = evaluate(
                    snapshot,
                    Connection(
                        End(pod=source, address=source.ips[0]),
                        End(pod=destination, address=destination.ips[0]),
                        row["protocol"],
                        row["port"],
                    ),
                )
                got = LETTER[verdict.egress.verdict], LETTER[verdict.ingress.verdict]
                if got != (egress, ingress):
                    wrong.append((number, source.key, row["to"], row["port"], row["protocol"], got, (egress, ingress)))
    assert not wrong, wrong[:5]
    assert checked == 123_669
