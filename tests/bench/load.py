"""Loads a synthetic cluster into a real API server: `load.py KUBECONFIG PODS POLICIES`.

The pods have a scheduler that does not exist, and no owners, which the garbage collector would miss. Their status is
written as a kubelet would.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.kubeconfig import load
from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.errors import ClusterError
from tests.bench.clusters import Size, cluster

WHERE = {"Namespace": "/api/v1", "Pod": "/api/v1", "NetworkPolicy": "/apis/networking.k8s.io/v1"}
PLURAL = {"Namespace": "namespaces", "Pod": "pods", "NetworkPolicy": "networkpolicies"}


def path(item: dict[str, Any]) -> str:
    kind, namespace = item["kind"], item["metadata"].get("namespace")
    return f"{WHERE[kind]}/{f'namespaces/{namespace}/' if namespace else ''}{PLURAL[kind]}"


def post(api: Api, path: str, body: dict[str, Any]) -> None:
    api._request("POST", path, body=body)  # noqa: SLF001 # only this benchmark creates objects


def create(api: Api, item: dict[str, Any]) -> None:
    status = item.pop("status", None)
    if item["kind"] == "Pod":
        item["spec"] = {**item["spec"], "schedulerName": "nobody", "automountServiceAccountToken": False}
        item["spec"].pop("nodeName", None)
        item["metadata"].pop("ownerReferences", None)
    until = time.monotonic() + 60
    while True:
        try:
            post(api, path(item), item)
            break
        except ClusterError:  # the namespace's default service account takes a moment
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
    if item["kind"] == "Pod":
        api.patch(f"{path(item)}/{item['metadata']['name']}/status", {"status": status}, "application/merge-patch+json")


def main() -> None:
    kubeconfig, pods, policies = sys.argv[1:]
    api = Api(load(ClusterOptions(kubeconfig=kubeconfig)))
    items = list(cluster(Size(int(pods), int(policies))))
    for kind in PLURAL:
        map_concurrently(lambda item: create(api, item), [item for item in items if item["kind"] == kind])


if __name__ == "__main__":
    main()
