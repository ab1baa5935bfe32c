"""The shared conformance sets of clusters with several kinds of policies, all in one form."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Object = dict[str, Any]
SETS = {"tiers": 83_195, "cnp": 349, "admin-tiers": 1_090}
"""The sets, and how many checks are in each."""
LETTERS = {"allowed": "a", "blocked": "b", "undefined": "u"}


class Check(NamedTuple):
    """An end is NAMESPACE/POD or an address; `letter` a allowed, b blocked, u undefined."""

    source: str
    destination: str
    protocol: str
    port: int
    letter: str

    @property
    def between_pods(self) -> bool:
        return "/" in self.source and "/" in self.destination


class Cluster(NamedTuple):
    name: str
    objects: list[Object]
    checks: list[Check]

    @property
    def manifest(self) -> str:
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects})


def clusters(shared: Path, name: str) -> Iterator[Cluster]:
    with gzip.open(shared / "conformance" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if name == "admin-tiers":
                yield Cluster(item["name"], list(_objects(item)), list(_checks(item)))
            else:
                # What follows the letter says why.
                yield Cluster(item["name"], item["objects"], [Check(*check[:5]) for check in item["checks"]])


def typed(end: str) -> str:
    """An end as it is typed: a pod with its kind, since a name may also be that of a workload."""
    return end.replace("/", "/pod/")


def _checks(item: Object) -> Iterator[Check]:
    """A pod always reaches itself, which the results leave out of account."""
    for row in item["results"]:
        if row["From"] != row["To"]:
            letter = "a" if row["Combined"] else "b"
            yield Check(row["From"], row["To"], row["Protocol"], row["Port"], letter)


def _objects(item: Object) -> Iterator[Object]:
    for name, labels in item["resources"]["Namespaces"].items():
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    for pod in item["resources"]["Pods"]:
        containers = [
            {
                "name": container["Name"],
                "ports": [
                    {
                        "name": container["PortName"],
                        "containerPort": container["Port"],
                        "protocol": container["Protocol"],
                    }
                ],
            }
            for container in pod["Containers"]
        ]
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod["Name"], "namespace": pod["Namespace"], "labels": pod["Labels"]},
            "spec": {"containers": containers},
            "status": {"phase": "Running", "podIP": pod["IP"], "podIPs": [{"ip": pod["IP"]}]},
        }
    for policy in item["networkPolicies"] or ():
        yield {**policy, "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    for number, policy in enumerate(item["adminNetworkPolicies"] or ()):
        yield _policy("AdminNetworkPolicy", f"a{number}", policy)
    if baseline := item["baselineAdminNetworkPolicy"]:
        yield _policy("BaselineAdminNetworkPolicy", "default", baseline)


def _policy(kind: str, name: str, policy: Object) -> Object:
    head = {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {"name": name}}
    return {**policy, **head}
