"""Words typed (`san`, `svc/nginx`, `shop/deploy/web`, `10.0.0.5`) to what they name in a snapshot. Pure."""

from __future__ import annotations

KIND_WORDS = {
    "Pod": ("pod", "pods", "po"),
    "Service": ("service", "services", "svc"),
    "Deployment": ("deployment", "deployments", "deploy"),
    "StatefulSet": ("statefulset", "statefulsets", "sts"),
    "DaemonSet": ("daemonset", "daemonsets", "ds"),
    "ReplicaSet": ("replicaset", "replicasets", "rs"),
    "ReplicationController": ("replicationcontroller", "replicationcontrollers", "rc"),
    "Job": ("jobs", "job"),
    "CronJob": ("cronjob", "cronjobs", "cj"),
    "Node": ("node", "nodes", "no"),
}


KINDS = {word: kind for kind, words in KIND_WORDS.items() for word in words}


SHORT = {kind: words[-1] for kind, words in KIND_WORDS.items()}


WORKLOADS = tuple(kind for kind in KIND_WORDS if kind not in ("Pod", "Service", "Node"))


RESOURCES = {"Pod": "pods", "Service": "services", "Node": "nodes"}
