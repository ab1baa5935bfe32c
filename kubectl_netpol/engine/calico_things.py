"""What Calico's selectors select: pods, network sets and host endpoints, with the labels that it gives them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.addresses import blocks_by_bits
from kubectl_netpol.model.calico import (
    ACCOUNT,
    NAME,
    NAMESPACE,
    OF_ACCOUNT,
    OF_NAMESPACE,
    ORCHESTRATOR,
    HostEndpoint,
    Labels,
    NetworkSet,
)
from kubectl_netpol.model.objects import ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

_RELEASED = "cni.projectcalico.org/podIP"


class Where(NamedTuple):
    """One end of a connection. `pod`: one that is an endpoint, so not on the host network.

    `rewritten`: the address is not known, and is not that of a pod.
    """

    address: str | None
    pod: Pod | None = None
    rewritten: bool = False


class _Set(NamedTuple):
    labels: Labels
    nets: tuple[str, ...]

    def contains(self, address: str) -> bool:
        return bool(blocks_by_bits(self.nets).holding(address))


def is_endpoint(pod: Pod) -> bool:
    """Whether Calico has an endpoint for the pod: an address of its own that it has not given back."""
    if pod.host_network or pod.finished or pod.annotations.get(_RELEASED) == "":
        return False
    return pod.planned or bool(pod.ips)


class Things:
    """What has labels and addresses: pods, network sets and host endpoints."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        own = snapshot.plugin_objects
        self._accounts = {(found.namespace, found.name): found for found in own if isinstance(found, ServiceAccount)}
        self._pods: dict[int, tuple[Pod, Labels]] = {}
        self._sets = [_Set(self._of_set(found), found.nets) for found in own if isinstance(found, NetworkSet)]
        self._sets += [
            _Set(Labels(found.labels), tuple(map(_as_net, found.addresses)))
            for found in own
            if isinstance(found, HostEndpoint)
        ]
        self._covering: dict[str, tuple[Labels, ...]] = {}

    def of_pod(self, pod: Pod) -> Labels:
        found = self._pods.get(id(pod))
        if found is None:
            name = pod.service_account or "default"
            account = self._accounts.get((pod.namespace, name))
            known, unknown = self._of_namespace(pod.namespace)
            if account is None:
                unknown = (*unknown, OF_ACCOUNT)
            known.update(_prefixed(OF_ACCOUNT, account.labels if account else {}, name))
            known.update(pod.labels)
            known.update({NAMESPACE: pod.namespace, ORCHESTRATOR: "k8s", ACCOUNT: name})
            found = self._pods[id(pod)] = pod, Labels(known, unknown)
        return found[1]

    def of_host_endpoint(self, found: HostEndpoint) -> Labels:
        return Labels(found.labels)

    def sets_at(self, address: str) -> tuple[Labels, ...]:
        """The labels of the sets and host endpoints that have the address."""
        found = self._covering.get(address)
        if found is None:
            found = self._covering[address] = tuple(one.labels for one in self._sets if one.contains(address))
        return found

    @cached_property
    def cover_pods(self) -> bool:
        """Whether a set has the address of a pod."""
        return bool(self._sets) and any(
            pod.planned or any(map(self.sets_at, pod.ips)) for pod in self.snapshot.pods if not pod.host_network
        )

    @property
    def nets(self) -> set[str]:
        """Those of all sets and host endpoints."""
        return {net for one in self._sets for net in one.nets}

    @property
    def sets(self) -> Iterator[Labels]:
        return (one.labels for one in self._sets)

    def _of_namespace(self, name: str) -> tuple[dict[str, str], tuple[str, ...]]:
        namespace = self.snapshot.namespace(name)
        return _prefixed(OF_NAMESPACE, namespace.labels, name), () if namespace.complete else (OF_NAMESPACE,)

    def _of_set(self, found: NetworkSet) -> Labels:
        if not found.namespace:
            return Labels(found.labels)
        known, unknown = self._of_namespace(found.namespace)
        return Labels({**known, **found.labels, NAMESPACE: found.namespace}, unknown)


def _prefixed(prefix: str, labels: Mapping[str, str], name: str) -> dict[str, str]:
    return {**{prefix + key: value for key, value in labels.items()}, prefix + NAME: name}


def _as_net(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"
