"""Synthetic clusters for benchmarks: 50 pods a namespace, 5 replicas a workload, and policies of four sorts.

A policy selects a workload, a tier or a whole namespace, and lets in (every second one also out) a workload of its
namespace, another namespace, a label across namespaces, or a block of addresses. Same numbers, same cluster.
"""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]
PODS_A_NAMESPACE = 50
REPLICAS = 5
TIERS = ("web", "api", "db")
PORTS = {"web": {"http": 8080}, "api": {"http": 8080, "metrics": 9090}, "db": {"sql": 5432, "metrics": 9090}}
TEAMS = 7


class Size(NamedTuple):
    """How many of what."""

    pods: int
    policies: int


SIZES = (Size(100, 50), Size(1_000, 300), Size(10_000, 1_000))


def cluster(size: Size, seed: int = 1) -> Iterator[Object]:
    """Namespaces, pods as a running cluster has them, and NetworkPolicies."""
    random_ = random.Random(seed)
    namespaces = [f"ns-{number:03}" for number in range(-(-size.pods // PODS_A_NAMESPACE))]
    for number, name in enumerate(namespaces):
        labels = {"kubernetes.io/metadata.name": name, "team": f"team-{number % TEAMS}"}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    for number in range(size.pods):
        yield _pod(number, namespaces[number // PODS_A_NAMESPACE])
    for number in range(size.policies):
        yield _policy(number, random_, namespaces, size.pods)


def as_list(size: Size, seed: int = 1) -> str:
    """The cluster as the JSON of one List, as `kubectl get -o json` prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(cluster(size, seed))})


def workload(number: int) -> tuple[str, str]:
    """The name and the tier of a namespace's workload."""
    tier = TIERS[number % len(TIERS)]
    return f"{tier}-{number}", tier


def address(number: int) -> str:
    """The address of the pod of that number: 110 to a node, as a node's range holds them."""
    node, host = divmod(number, 110)
    return f"10.{16 + node // 256}.{node % 256}.{host + 2}"


def _pod(number: int, namespace: str) -> Object:
    name, tier = workload(number % PODS_A_NAMESPACE // REPLICAS)
    node = number // 110
    pod_hash = f"{number // REPLICAS:05x}"
    ports = [{"name": port, "containerPort": value, "protocol": "TCP"} for port, value in PORTS[tier].items()]
    resources = {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}
    container = {"name": tier, "image": f"registry.example/{tier}:1.4.2", "ports": ports, "resources": resources}
    started = "2026-01-05T10:00:00Z"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{pod_hash}-{number % REPLICAS:05}",
            "namespace": namespace,
            "uid": f"00000000-0000-4000-8000-{number:012}",
            "creationTimestamp": started,
            "labels": {"app": name, "tier": tier, "pod-template-hash": pod_hash},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-{pod_hash}", "controller": True}
            ],
        },
        "spec": {"nodeName": f"node-{node:03}", "containers": [container], "serviceAccountName": "default"},
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": started}
                for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "containerStatuses": [
                {"name": tier, "ready": True, "restartCount": 0, "state": {"running": {"startedAt": started}}}
            ],
            "hostIP": f"192.168.{node // 250}.{node % 250 + 1}",
            "podIP": address(number),
            "podIPs": [{"ip": address(number)}],
        },
    }


def _policy(number: int, random_: random.Random, namespaces: list[str], pods: int) -> Object:
    namespace = random_.choice(namespaces)
    name, tier = workload(random_.randrange(PODS_A_NAMESPACE // REPLICAS))
    subject = random_.choice(({"app": name}, {"app": name}, {"tier": tier}, {}))
    ports = [{"protocol": "TCP", "port": random_.choice((8080, 9090, 5432, "http", "metrics"))}]
    ingress = {"from": [_peer(random_, namespaces, pods)], "ports": random_.choice((ports, []))}
    spec: Object = {"podSelector": {"matchLabels": subject}, "policyTypes": ["Ingress"], "ingress": [ingress]}
    if number % 2:
        everywhere = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": random_.choice(TIERS)}}}
        spec["policyTypes"].append("Egress")
        spec["egress"] = [{"to": [_peer(random_, namespaces, pods)]}, {"to": [everywhere], "ports": ports}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{number:04}", "namespace": namespace},
        "spec": spec,
    }


def _peer(random_: random.Random, namespaces: list[str], pods: int) -> Object:
    name, tier = workload(random_.randrange(PODS_A_NAMESPACE // REPLICAS))
    team = {"matchLabels": {"team": f"team-{random_.randrange(TEAMS)}"}}
    other = {"matchLabels": {"kubernetes.io/metadata.name": random_.choice(namespaces)}}
    within = address(random_.randrange(pods)).rpartition(".")[0]
    one = {"cidr": f"{within}.0/{random_.choice((24, 25, 26))}", "except": [f"{within}.{random_.randrange(4) * 4}/30"]}
    return random_.choice(
        (
            {"podSelector": {"matchLabels": {"app": name}}},
            {"namespaceSelector": other},
            {"namespaceSelector": team, "podSelector": {"matchLabels": {"tier": tier}}},
            {"ipBlock": one},
        )
    )


if __name__ == "__main__":
    sys.stdout.write(as_list(Size(*map(int, sys.argv[1:3]))))
