"""How long one answer takes from a big YAML file of the make-up of public all-in-one manifests: CRDs above all.

.venv/bin/python tests/bench/big_yaml.py [kubectl-netpol]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SIZES_MB = (0.5, 2, 9)


def crd(number: int) -> str:
    """About 45 kB, deep, with long descriptions."""
    field = {"type": "object", "description": "what the field is for, in a sentence of some length. " * 3}
    fields = {f"field{n}": {**field, "properties": {f"inner{m}": field for m in range(6)}} for n in range(32)}
    spec = {"group": "example.com", "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": fields}}}]}
    metadata = {"name": f"things{number}.example.com"}
    return yaml.safe_dump({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec,
    })  # fmt: skip


def others(number: int) -> list[str]:
    """What else such a file has for each of its components."""
    labels = {"app.kubernetes.io/name": f"part{number}"}
    metadata = {"name": f"part{number}", "namespace": "cd", "labels": labels}
    containers = [{"name": "c", "image": "i", "env": [{"name": f"E{n}", "value": "x"} for n in range(20)]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    kinds: list[tuple[str, str, dict[str, object]]] = [
        ("apps/v1", "Deployment", {"spec": {"selector": {"matchLabels": labels}, "template": template}}),
        ("v1", "Service", {"spec": {"selector": labels, "ports": [{"port": 80}]}}),
        ("v1", "ConfigMap", {"data": {f"k{n}": "v" * 50 for n in range(20)}}),
        ("rbac.authorization.k8s.io/v1", "Role", {"rules": [{"apiGroups": ["*"], "verbs": ["get"]}]}),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {"matchLabels": labels}}}),
    ]
    return [yaml.safe_dump({"apiVersion": v, "kind": k, "metadata": metadata, **rest}) for v, k, rest in kinds]


def manifest(megabytes: float) -> str:
    documents: list[str] = []
    size, number = 0, 0
    one = crd(0)
    while size < megabytes * 1e6:
        documents.append(one.replace("things0", f"things{number}"))
        documents += others(number) if number % 6 == 0 else []
        size = sum(map(len, documents)) if number % 20 == 0 else size + len(one)
        number += 1
    return "---\n".join(documents)


def main() -> None:
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "dist" / "kubectl-netpol")
    print(f"{'MB':>5}  {'s of processor, the least of five':>34}")
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in SIZES_MB:
            path = Path(folder) / "all.yaml"
            path.write_text(manifest(megabytes), encoding="utf-8")
            times = []
            for _ in range(5):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([program, "explain", "-n", "cd", "-f", path], capture_output=True, check=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            print(f"{path.stat().st_size / 1e6:5.1f}  {min(times):34.2f}")


if __name__ == "__main__":
    main()
