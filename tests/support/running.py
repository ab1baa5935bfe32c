"""Running `allow` in this process, and the pieces of specs that its tests are written in."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kubectl_netpol.cli import main
from kubectl_netpol.model.selectors import METADATA_NAME

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = ["-n", "shop", "-f", str(EXAMPLES / "shop.yaml")]


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[Any]:
        return list(yaml.safe_load_all(self.out))

    @property
    def specs(self) -> list[Any]:
        return [found["spec"] for found in self.objects]


def run(command: str, line: str, *more: str, stdin: str = "") -> Ran:
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([command, *shlex.split(line), *more])
    finally:
        sys.stdin = before
    return Ran(status, out.getvalue(), err.getvalue())


def allow(line: str, *more: str) -> Ran:
    return run("allow", line, *more)


def labels(**found: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": found}}


def named(namespace: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {METADATA_NAME: namespace}}}


TCP80 = [{"protocol": "TCP", "port": 80}]
DNS = {
    "to": [{**named("kube-system"), **labels(**{"k8s-app": "kube-dns"})}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
WEB = {"podSelector": {"matchLabels": {"run": "web"}}}


def ingress(*peers: Any, ports: Any = TCP80, **subject: Any) -> dict[str, Any]:
    return {
        **(subject or WEB),
        "policyTypes": ["Ingress"],
        "ingress": [{**({"from": list(peers)} if peers else {}), **({"ports": ports} if ports else {})}],
    }


def egress(*rules: Any, **subject: Any) -> dict[str, Any]:
    return {**(subject or WEB), "policyTypes": ["Egress"], "egress": list(rules)}
