"""A small cluster, and a network in place of its own, for what `test` does with both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Finding
from kubectl_netpol.engine.codes import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot


def pods(**found: Any) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": found}}


def workload(kind: str, name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    }


CLUSTER: dict[str, Any] = {
    "pods": {
        "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "shop/cart": {"ip": "10.0.0.2", "labels": {"run": "cart"}},
        "shop/nginx": {"ip": "10.0.0.3", "labels": {"run": "nginx"}, "ports": "http=80 dns=53/UDP"},
        "db/postgres": {"ip": "10.0.1.1", "labels": {"run": "db"}, "ports": "sql=5432"},
        "deploy/x": {"ip": "10.0.2.1"},
    },
    "nodes": {"one": ["10.1.0.1"]},
    "services": {
        "shop/nginx": {"selector": {"run": "nginx"}, "ports": [{"name": "http", "port": 80}]},
        "db/postgres": {"selector": {"run": "db"}, "clusterIP": "10.96.0.9", "ports": [{"port": 5432}]},
    },
    "policies": {
        "shop/nginx-in": {
            **pods(run="nginx"),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [pods(run="san")], "ports": [{"port": 80}]}],
        },
    },
    "objects": [
        workload("Deployment", "web", run="web"),
        workload("StatefulSet", "web", run="web-0"),
        workload("Deployment", "x", run="x"),
        workload("Deployment", "back", run="back"),
    ],
}


class Network:
    """In place of Prober: what was asked of it, and for each port whether it is reachable."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.times = 1
        self.given: dict[str, Any] = {}
        self.reachable: dict[int | None, bool | None] = {}

    def __call__(self, _api: object, _snapshot: Snapshot, **given: Any) -> Network:
        self.given = given
        return self

    def again(self, _snapshot: Snapshot, _namespace: str) -> Network:
        self.times += 1
        return self

    def results(self, predictions: Sequence[Prediction]) -> list[ConnectionResult]:
        self.asked = [(p.request.source.reference, f"{p.request.port}/{p.request.protocol}") for p in predictions]
        return [self._result(prediction) for prediction in predictions]

    def _result(self, prediction: Prediction) -> ConnectionResult:
        reachable = self.reachable.get(prediction.request.port)
        code, word = {
            True: (Code.OPEN, "open"),
            False: (Code.BLOCKED_BY_POLICY, "blocked"),
            None: (Code.NO_TOOL, "can't tell"),
        }[reachable]
        finding = Finding(code, word, "in the test", reachable=reachable, agrees=reachable)
        return ConnectionResult(prediction, finding, warnings=("odd", f"odd {prediction.request.port}"))
