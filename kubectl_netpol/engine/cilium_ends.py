"""Who is who to Cilium: each end of a connection as the labels that its selectors match, never by a pod's address."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.addresses import family, parse_ip
from kubectl_netpol.model.cilium import CLUSTER, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT
from kubectl_netpol.model.selectors import Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.selectors import LabelSelector, Requirement
    from kubectl_netpol.model.snapshot import Snapshot


class View(NamedTuple):
    """What the objects do not tell. `old`: as version 1.18, not 1.20. `api_server`: the other end is the API server,
    if it is no pod. `node_selectors`: fromNodes and toNodes count.
    """

    old: bool = False
    api_server: bool = False
    node_selectors: bool = False


class Labels:
    """The labels of one end, by SOURCE:NAME. `complete`: all labels of its namespace are known."""

    __slots__ = ("complete", "found", "is_pod")

    def __init__(self, found: Mapping[str, str], *, is_pod: bool = False, complete: bool = True) -> None:
        self.found = found
        self.is_pod = is_pod
        self.complete = complete

    def get(self, key: str) -> str | None:
        """The value of a label; the source `any` is each one."""
        source, _, name = key.partition(":")
        if source != "any":
            return self.found.get(key)
        return next((self.found[f"{one}:{name}"] for one in _SOURCES if f"{one}:{name}" in self.found), None)


def selected(selector: LabelSelector, labels: Labels) -> bool | None:
    """Whether the selector matches; None if that hangs on labels that are not known."""
    unknown = False
    for requirement in selector.requirements:
        matched = _matches(requirement, labels)
        if matched is False:
            return False
        unknown = unknown or matched is None
    return None if unknown else True


def _matches(requirement: Requirement, labels: Labels) -> bool | None:
    name = requirement.key.partition(":")[2]
    if name == CLUSTER and labels.is_pod and requirement.operator in (Operator.IN, Operator.NOT_IN):
        return None  # its name is a setting
    if not labels.complete and name.startswith(NAMESPACE_LABELS) and labels.get(requirement.key) is None:
        return None
    return requirement.matches(labels)  # type: ignore[arg-type] # it asks for `get` only


class Cluster:
    """What the ends of a snapshot are to Cilium."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._pods: dict[tuple[int, bool], tuple[Pod, Labels]] = {}

    @cached_property
    def dual_stack(self) -> bool:
        return any(len(set(map(family, pod.ips))) > 1 for pod in self.snapshot.pods)

    @cached_property
    def has_host_network(self) -> bool:
        return any(pod.host_network for pod in self.snapshot.pods)

    @cached_property
    def api_servers(self) -> frozenset[object]:
        """The addresses of EndpointSlice default/kubernetes; none if it was not read."""
        slices = (s for s in self.snapshot.endpoint_slices if (s.namespace, s.service) == ("default", "kubernetes"))
        addresses = (address for found in slices for endpoint in found.endpoints for address in endpoint.addresses)
        return frozenset(map(parse_ip, addresses))

    def of_pod(self, pod: Pod, *, old: bool) -> Labels:
        key = id(pod), old
        known = self._pods.get(key)
        if known is None or known[0] is not pod:
            known = self._pods[key] = pod, self._of_pod(pod, old=old)
        return known[1]

    def _of_pod(self, pod: Pod, *, old: bool) -> Labels:
        namespace = self.snapshot.namespace(pod.namespace)
        found = {f"k8s:{key}": value for key, value in pod.labels.items() if counts(key, old=old)}
        for key, value in namespace.labels.items():
            if _BETA not in key:
                found[f"k8s:{NAMESPACE_LABELS}{key}"] = value
        found[f"k8s:{NAMESPACE}"] = pod.namespace
        found[f"k8s:{SERVICE_ACCOUNT}"] = pod.service_account or "default"
        found[f"k8s:{CLUSTER}"] = "default"
        return Labels(found, is_pod=True, complete=namespace.complete)

    def of_host(self, node: Node) -> Labels:
        """A node as its own policies see it: with its labels."""
        return Labels({**{f"k8s:{key}": value for key, value in node.labels.items()}, "reserved:host": ""})

    def of_node(self, *, local: bool, api_server: bool) -> Labels:
        found = {"reserved:host" if local else "reserved:remote-node": ""}
        return Labels({**found, **_API_SERVER} if api_server else found)

    def of_outside(self, address: str | None, *, api_server: bool) -> Labels:
        version = family(address) if address else 4
        found = {f"reserved:world-ipv{version}" if self.dual_stack else "reserved:world": ""}
        return Labels({**found, **_API_SERVER} if api_server else found)

    def is_api_server(self, node: Node | None, pod: Pod | None, address: str | None) -> bool:
        """Whether a node, a pod on its network or an address outside is known to be the API server."""
        addresses = [address] if address else []
        if pod:
            addresses += [*pod.ips, *pod.host_ips]
            node = self.snapshot.node(pod.node) if pod.node else None
        addresses += node.addresses if node else ()
        return any(parse_ip(own) in self.api_servers for own in addresses)

    @cached_property
    def old_names(self) -> dict[tuple[str, str], set[int]]:
        """(protocol, port name) -> the numbers that pods have for it."""
        found: dict[tuple[str, str], set[int]] = {}
        for pod in self.snapshot.pods:
            if not (pod.host_network or pod.finished):
                for port in pod.ports:
                    found.setdefault((port.protocol, (port.name or "").lower()), set()).add(port.number)
        return found

    @cached_property
    def new_names(self) -> dict[tuple[frozenset[tuple[str, str]], str, str], set[int]]:
        """The same, by the labels of the pods."""
        found: dict[tuple[frozenset[tuple[str, str]], str, str], set[int]] = {}
        for pod in self.snapshot.pods:
            if not (pod.host_network or pod.finished):
                labels = frozenset(self.of_pod(pod, old=False).found.items())
                for port in pod.ports:
                    found.setdefault((labels, port.protocol, (port.name or "").lower()), set()).add(port.number)
        return found


def counts(key: str, *, old: bool) -> bool:
    """Whether a label of a pod makes a difference to Cilium, by the settings that it is installed with."""
    if key.startswith("topology.kubernetes.io/"):
        return old
    return not key.startswith(_LEFT_OUT) and _BETA not in key


_BETA = "beta.kubernetes.io"
_LEFT_OUT = (
    *("io.kubernetes", "kubernetes.io", "k8s.io", "io.cilium.k8s", "annotation", "etcd_node"),
    *("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"),
    *("batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid"),
    *("pod-template-hash", "pod-template-generation", "controller-revision-hash", "controller-uid"),
)
_SOURCES = ("k8s", "reserved")
_API_SERVER = {"reserved:kube-apiserver": ""}


def node_of(snapshot: Snapshot, pod: Pod) -> Node | None:
    return snapshot.node(pod.node) if pod.node else None


def is_own_node(subject: Pod, pod: Pod | None, node: Node | None) -> bool | None:
    """Whether the other end is the subject's own node, or uses its network; None where that is unknown."""
    if node is None and (pod is None or not pod.host_network):
        return False
    name = node.name if node else pod.node if pod else None
    return None if subject.node is None or name is None else subject.node == name
