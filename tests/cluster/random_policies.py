"""Small random policies that use every part of the API, for pods that serve TCP and UDP 80 and 81."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.cluster.lab import OUTSIDE

Labels = dict[str, tuple[str, ...]]

LABELS: Labels = {"app": ("web", "db", "api"), "tier": ("front", "back", "")}
NAMESPACE_LABELS: Labels = {"team": ("red", "blue"), "stage": ("test", "")}
PORT_NAMES = ("http", "admin", "left", "right", "nowhere")
POD_NETWORK = "10.244.0.0/24"


class Dice:
    """One policy set: the same for the same seed, namespaces and pod addresses."""

    def __init__(self, seed: int, namespaces: list[str], addresses: list[str]) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.namespaces = namespaces
        self.addresses = addresses

    def policies(self) -> list[dict[str, Any]]:
        return [self.policy(number) for number in range(self.random.randint(2, 5))]

    def policy(self, number: int) -> dict[str, Any]:
        spec: dict[str, Any] = {"podSelector": self.selector(LABELS, empty=0.5)}
        types = self.random.choice((None, ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Ingress", "Egress"]))
        if types:
            spec["policyTypes"] = types
        for field, peers in (("ingress", "from"), ("egress", "to")):
            if self.random.random() < 0.75:
                spec[field] = [self.rule(peers) for _ in range(self.random.choice((0, 1, 1, 1, 2, 2)))]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            # kube-router keeps IP sets by a policy's name: a name used again could meet a set of another type.
            "metadata": {"name": f"seed-{self.seed}-{number}", "namespace": self.random.choice(self.namespaces)},
            "spec": spec,
        }

    def rule(self, peers: str) -> dict[str, Any]:
        rule: dict[str, Any] = {}
        if self.random.random() < 0.8:
            rule[peers] = self.peers()
        if self.random.random() < 0.7:
            rule["ports"] = [self.port() for _ in range(self.random.choice((1, 1, 2)))]
        return rule

    def peers(self) -> list[dict[str, Any]]:
        """At most one ipBlock a rule: kube-router merges several into one set, in which an except holds for all."""
        kinds = self.random.choices(
            ("pod", "namespace", "both", "block", "block"), k=self.random.choice((1, 1, 1, 2, 3))
        )
        if kinds.count("block") > 1:
            kinds = ["block", *(kind for kind in kinds if kind != "block")]
        return [self.peer(kind) for kind in kinds]

    def peer(self, kind: str) -> dict[str, Any]:
        if kind == "block":
            return {"ipBlock": self.block()}
        peer = {}
        if kind != "namespace":
            peer["podSelector"] = self.selector(LABELS, empty=0.2)
        if kind != "pod":
            names = {"kubernetes.io/metadata.name": tuple(self.namespaces)}
            peer["namespaceSelector"] = self.selector({**NAMESPACE_LABELS, **names}, empty=0.2)
        return peer

    def block(self) -> dict[str, Any]:
        hosts = [f"{address}/32" for address in (*self.addresses, OUTSIDE)]
        cidr = self.random.choice(("0.0.0.0/0", POD_NETWORK, "192.0.2.0/24", *self.random.sample(hosts, 2)))
        inside = {
            "0.0.0.0/0": [*hosts, POD_NETWORK, "10.0.0.0/8", "192.0.2.0/24"],
            POD_NETWORK: hosts[:-1],
            "192.0.2.0/24": hosts[-1:],
        }.get(cidr)
        if inside and self.random.random() < 0.8:
            return {"cidr": cidr, "except": self.random.sample(inside, min(len(inside), self.random.randint(1, 2)))}
        return {"cidr": cidr}

    def port(self) -> dict[str, Any]:
        kind = self.random.choice(("number", "number", "range", "range", "name", "name", "udp", "all"))
        if kind == "number":
            return {"port": self.random.choice((80, 81))}
        if kind == "range":
            first, last = self.random.choice(((79, 80), (79, 80), (80, 81), (81, 90), (1, 65535), (82, 90)))
            return {"protocol": "TCP", "port": first, "endPort": last}
        if kind == "name":
            return {
                "protocol": self.random.choice(("TCP", "TCP", "TCP", "UDP")),
                "port": self.random.choice(PORT_NAMES),
            }
        if kind == "udp":
            return {"protocol": "UDP", "port": 80}
        return {"protocol": self.random.choice(("TCP", "UDP"))} if self.random.random() < 0.5 else {}

    def selector(self, labels: Labels, *, empty: float) -> dict[str, Any]:
        if self.random.random() < empty:
            return {}
        selector: dict[str, Any] = {}
        for _ in range(self.random.choice((1, 1, 2))):
            key = self.random.choice((*labels, *labels, "nothing-has-it"))
            values = labels.get(key, ("a", "b"))
            operator = self.random.choice(("label", "label", "In", "NotIn", "NotIn", "Exists", "DoesNotExist"))
            if operator == "label":
                selector.setdefault("matchLabels", {})[key] = self.random.choice(values)
                continue
            requirement: dict[str, Any] = {"key": key, "operator": operator}
            if operator in ("In", "NotIn"):
                requirement["values"] = self.random.sample(values, self.random.randint(1, 2))
            selector.setdefault("matchExpressions", []).append(requirement)
        return selector
