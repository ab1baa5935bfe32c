"""Synthetic clusters for benchmarks: 50 pods a namespace, 5 replicas a workload, and policies of four sorts.

A policy selects a workload, a tier or a whole namespace. Its one to three rules let in (of every second policy, also
out) one or two of these: a workload of its namespace, another namespace, a label across namespaces, a block of
addresses with an exception. Same numbers, same cluster.
"""

from __future__ import annotations

import json
import random
import sys
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]
PODS_A_NAMESPACE = 50
REPLICAS = 5
PODS_A_NODE = 110
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
        yield _pod(number, namespaces[number // PODS_A_NAMESPACE], size.pods)
    for number in range(size.policies):
        yield _policy(number, random_, namespaces, size.pods)


def as_list(size: Size, seed: int = 1) -> str:
    """The cluster as the JSON of one List, as `kubectl get -o json` prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(cluster(size, seed))})


def workload(number: int) -> tuple[str, str]:
    """The name and the tier of a namespace's workload."""
    tier = TIERS[number % len(TIERS)]
    return f"{tier}-{number}", tier


def place(number: int, pods: int) -> tuple[int, str]:
    """The node of the pod of that number, and its address there: up to 110 a node, replicas on different ones."""
    host, node = divmod(number, -(-pods // PODS_A_NODE))
    return node, f"10.{16 + node // 256}.{node % 256}.{host + 2}"


def _pod(number: int, namespace: str, pods: int) -> Object:
    name, tier = workload(number % PODS_A_NAMESPACE // REPLICAS)
    node, address = place(number, pods)
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
            "podIP": address,
            "podIPs": [{"ip": address}],
        },
    }


def _policy(number: int, random_: random.Random, namespaces: list[str], pods: int) -> Object:
    namespace = random_.choice(namespaces)
    name, tier = workload(random_.randrange(PODS_A_NAMESPACE // REPLICAS))
    subject = random_.choice(({"app": name}, {"app": name}, {"tier": tier}, {}))

    def rules(word: str) -> list[Object]:
        found = []
        for _ in range(random_.randint(1, 3)):
            rule: Object = {word: [_peer(random_, namespaces, pods) for _ in range(random_.randint(1, 2))]}
            if random_.random() < 0.7:
                # The peer of the benchmark takes no port names in rules for blocks outside the cluster.
                port = random_.choice((8080, 9090, 5432, "http", "metrics") if word == "from" else (8080, 9090, 5432))
                rule["ports"] = [{"protocol": "TCP", "port": port}]
            found.append(rule)
        return found

    spec: Object = {"podSelector": {"matchLabels": subject}, "policyTypes": ["Ingress"], "ingress": rules("from")}
    if number % 2:
        spec |= {"policyTypes": ["Ingress", "Egress"], "egress": rules("to")}
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
    within = ip_network(f"{place(random_.randrange(pods), pods)[1]}/{random_.randint(20, 28)}", strict=False)
    excepted = random_.choice(list(within.subnets(prefixlen_diff=3)))
    one = {"cidr": str(within), "except": [str(excepted)]}
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
