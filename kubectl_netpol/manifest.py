"""API objects and YAML or JSON text to the model: the only place where absent, null and [] are told apart.

Pure: text and objects in, values out. What can't be read is a ManifestError that names file, document and path.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from kubectl_netpol.addresses import is_ip
from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import BadField, each, integer, mapping, objects, optional_text, sequence, shown, text, texts
from kubectl_netpol.model import (
    METADATA_NAME,
    Container,
    ContainerPort,
    EndpointSlice,
    LabelSelector,
    Namespace,
    Node,
    Owner,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Workload,
)
from kubectl_netpol.overriding import KINDS as OVERRIDING_KINDS
from kubectl_netpol.overriding import kind_of, read_overriding
from kubectl_netpol.policy_manifest import last_change, read_labels, read_policy, read_protocol, read_selector
from kubectl_netpol.snapshot import Gap, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Object = dict[str, Any]
TEMPLATED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
_API_VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Pod": "v1",
    "Service": "v1",
    "Namespace": "v1",
    "Node": "v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}
_CLUSTER_WIDE = ("Namespace", "Node")
_JOB_NAMES = ("job-name", "batch.kubernetes.io/job-name")
_PORT_DIGITS = re.compile(r"[0-9]{1,5}")
_DEEPEST = 8


class Reader:
    """Collects objects and makes one Snapshot of them. An object given twice counts once, the last one, as applied."""

    def __init__(self, *, default_namespace: str = "default", live: bool = False) -> None:
        """`default_namespace` for objects without one; `live`: from an API server, where workloads have their pods."""
        self.default_namespace = default_namespace
        self.live = live
        self.skipped: Counter[str] = Counter()
        self._found: dict[str, dict[tuple[str, str], Any]] = {}
        self._depth = 0

    def add_text(self, content: str, source: str) -> None:
        """Every object of a YAML stream or JSON text; `source` names it in errors."""
        for number, document in enumerate(_documents(content, source), 1):
            if document is not None:
                self._add_document(document, f"{source}, document {number}")

    def add_items(self, kind: str, items: Iterable[Object]) -> None:
        """Objects of one kind as the API server lists them (items carry no kind)."""
        for item in items:
            self._add(kind, item, "the API server's answer")

    def snapshot(self, gaps: Iterable[Gap] = ()) -> Snapshot:
        """Everything collected, as one value."""
        found: Callable[[str], Iterator[Any]] = lambda kind: iter(self._found.get(kind, {}).values())  # noqa: E731 - a local word
        workloads = [workload for kind in TEMPLATED for workload in found(kind)]
        pods = list(found("Pod"))
        if not self.live:
            pods += _templates(workloads, pods)
        return Snapshot(
            namespaces=found("Namespace"),
            pods=pods,
            policies=found("NetworkPolicy"),
            services=found("Service"),
            endpoint_slices=found("EndpointSlice"),
            nodes=found("Node"),
            workloads=workloads,
            overriding=[policy for kind in OVERRIDING_KINDS for policy in found(kind)],
            gaps=gaps,
        )

    def _add_document(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise ManifestError(f"{where}: an object is wanted, with apiVersion and kind")
        kind = document.get("kind")
        version = document.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(version, str) or not kind or not version:
            raise ManifestError(f"{where}: apiVersion or kind is missing")
        if kind.endswith("List") and "items" in document:
            self._add_list(document, where)
            return
        wanted = _API_VERSIONS.get(kind)
        overriding = kind_of(kind, version)
        if overriding or wanted == version:
            self._add(overriding or kind, document, where)
        elif wanted and _is_built_in(version):
            raise ManifestError(f"{where}: no server has {kind} in apiVersion {version}", f"write {wanted}")
        else:
            self.skipped[kind] += 1

    def _add_list(self, document: Object, where: str) -> None:
        if self._depth == _DEEPEST:
            raise ManifestError(f"{where}: lists in lists, nested too deeply")
        try:
            items = sequence(document["items"], "items")
        except BadField as error:
            raise ManifestError(f"{where}: {error.path}: {error.message}", error.hint) from None
        self._depth += 1
        for index, item in enumerate(items):
            inner = item if not isinstance(item, dict) or "kind" in item else {**_typed(document), **item}
            self._add_document(inner, f"{where}, items[{index}]")
        self._depth -= 1

    def _add(self, kind: str, item: Object, where: str) -> None:
        name = "?"
        try:
            metadata = mapping(item.get("metadata"), "metadata")
            given = metadata.get("name")
            name = text(metadata.get("generateName") if given in (None, "") else given, "metadata.name")
            namespace = "" if kind in _CLUSTER_WIDE else metadata.get("namespace") or self.default_namespace
            namespace = text(namespace, "metadata.namespace") if namespace else ""
            found = _READERS[kind](item, metadata, namespace, name) if kind in _READERS else None
            if found is None:
                found = read_overriding(kind, item, name, namespace)
        except BadField as error:
            raise ManifestError(f"{where} ({kind} {name}): {error.path}: {error.message}", error.hint) from None
        if found is not None:
            self._found.setdefault(kind, {})[namespace, name] = found


def _templates(workloads: list[Workload], pods: list[Pod]) -> list[Pod]:
    """The pods that the workloads will make: of those that no other one made, and whose pods are not there."""
    keepers = {(workload.namespace, Owner(workload.kind, workload.name)) for workload in workloads}
    made = {(pod.namespace, pod.owner) for pod in pods}
    found = []
    for workload in workloads:
        own = (workload.namespace, Owner(workload.kind, workload.name))
        owner = (workload.namespace, workload.template.owner)
        if workload.scaled_down or own in made or (owner != own and owner in keepers):
            continue
        running = (pod for pod in pods if not pod.planned and pod.namespace == workload.namespace)
        if not workload.selector or not any(workload.selector.matches(pod.labels) for pod in running):
            found.append(workload.template)
    return found


def _documents(content: str, source: str) -> Iterator[Any]:
    content = content.removeprefix("\ufeff")
    if content.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(content, object_pairs_hook=_object)
        except ValueError:  # flow-style YAML, several JSON documents, or a key twice: YAML's error names it
            pass
        except RecursionError:
            raise ManifestError(f"{source}, document 1: nested too deeply") from None
        else:
            return
    from kubectl_netpol.yaml_text import load_all  # noqa: PLC0415 - PyYAML costs 15 ms and JSON does without

    yield from load_all(content, source)


def _object(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _typed(lists: Object) -> Object:
    """What the items of a typed list (PodList) leave out."""
    return {"apiVersion": lists["apiVersion"], "kind": lists["kind"].removesuffix("List")}


def _is_built_in(version: str) -> bool:
    """Whether the API group is one of Kubernetes' own, where a kind has just one meaning."""
    group = version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


# One reader a kind: (object, its metadata, namespace, name) -> the value.


def _namespace(_: Object, metadata: Object, __: str, name: str) -> Namespace:
    """The API server sets kubernetes.io/metadata.name whatever the manifest says."""
    return Namespace(name, {**read_labels(metadata.get("labels"), "metadata.labels"), METADATA_NAME: name})


def _node(item: Object, _: Object, __: str, name: str) -> Node:
    found = objects(mapping(item.get("status"), "status").get("addresses"), "status.addresses")
    return Node(name, tuple(entry["address"] for entry in found if _is_address(entry.get("address"))))


def _pod(item: Object, metadata: Object, namespace: str, name: str) -> Pod:
    spec = mapping(item.get("spec"), "spec")
    status = mapping(item.get("status"), "status")
    pod = _pod_of(spec, metadata, namespace, name, path="spec")
    phase = optional_text(status.get("phase"), "status.phase")
    running = dict(each(status.get("containerStatuses"), "status.containerStatuses", _runs))
    running.update(each(status.get("ephemeralContainerStatuses"), "status.ephemeralContainerStatuses", _runs))
    ephemeral = each(spec.get("ephemeralContainers"), "spec.ephemeralContainers", _container)
    conditions = objects(status.get("conditions"), "status.conditions")
    ready = not metadata.get("deletionTimestamp") and (
        not status or any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)
    )
    return pod._replace(
        ips=_addresses(status, "podIP"),
        node=optional_text(spec.get("nodeName"), "spec.nodeName"),
        host_ips=_addresses(status, "hostIP"),
        phase=phase or (None if not status else "Pending"),
        planned=not status,
        ready=ready,
        containers=(
            *(entry._replace(running=running.get(entry.name)) for entry in pod.containers),
            *(entry._replace(running=running.get(entry.name), ephemeral=True) for entry in ephemeral),
        ),
        changed=last_change(metadata),
    )


def _pod_of(spec: Object, metadata: Object, namespace: str, name: str, *, path: str) -> Pod:
    """A pod by its spec alone, for a Pod and for a workload's template."""
    containers = each(spec.get("containers"), f"{path}.containers", _with_ports)
    containers += [pair for pair in each(spec.get("initContainers"), f"{path}.initContainers", _sidecar) if pair]
    dns = mapping(spec.get("dnsConfig"), f"{path}.dnsConfig")
    return Pod(
        namespace=namespace,
        name=name,
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
        ports=tuple(port for _, ports in containers for port in ports),
        host_network=spec.get("hostNetwork") is True,
        phase=None,
        planned=True,
        owner=_owner(metadata),
        containers=tuple(container for container, _ in containers),
        annotations=read_labels(metadata.get("annotations"), "metadata.annotations"),
        dns_policy=optional_text(spec.get("dnsPolicy"), f"{path}.dnsPolicy") or "ClusterFirst",
        nameservers=texts(dns.get("nameservers"), f"{path}.dnsConfig.nameservers"),
    )


def _runs(entry: Object) -> tuple[str, bool]:
    return text(entry.get("name"), "name"), "running" in mapping(entry.get("state"), "state")


def _container(entry: Object) -> Container:
    return Container(
        optional_text(entry.get("name"), "name") or "",
        optional_text(entry.get("image"), "image") or "",
    )


def _with_ports(entry: Object) -> tuple[Container, list[ContainerPort]]:
    return _container(entry), each(entry.get("ports"), "ports", _container_port)


def _sidecar(entry: Object) -> tuple[Container, list[ContainerPort]] | None:
    """Of the init containers only those that stay count."""
    return _with_ports(entry) if entry.get("restartPolicy") == "Always" else None


def _container_port(entry: Object) -> ContainerPort:
    host_port = entry.get("hostPort") or None
    return ContainerPort(
        optional_text(entry.get("name"), "name"),
        integer(entry.get("containerPort"), "containerPort"),
        read_protocol(entry, "protocol"),
        integer(host_port, "hostPort") if host_port else None,
    )


def _owner(metadata: Object) -> Owner | None:
    """The owner that controls the object."""
    owners = each(metadata.get("ownerReferences"), "metadata.ownerReferences", _controller)
    return next(filter(None, owners), None)


def _controller(entry: Object) -> Owner | None:
    if not entry.get("controller"):
        return None
    return Owner(text(entry.get("kind"), "kind"), text(entry.get("name"), "name"))


def _workload(kind: str) -> Callable[[Object, Object, str, str], Workload]:
    def read(item: Object, metadata: Object, namespace: str, name: str) -> Workload:
        item_spec = mapping(item.get("spec"), "spec")
        spec, path = item_spec, "spec"
        selector = None
        if kind == "ReplicationController":
            if labels := read_labels(spec.get("selector"), "spec.selector"):
                selector = LabelSelector.of(labels)
        elif spec.get("selector") is not None:
            selector = read_selector(spec["selector"], "spec.selector")
        if kind == "CronJob":
            spec, path = (
                mapping(mapping(spec.get("jobTemplate"), "spec.jobTemplate").get("spec"), "spec.jobTemplate.spec"),
                f"{path}.jobTemplate.spec",
            )
        template = mapping(spec.get("template"), f"{path}.template")
        pod = _pod_of(
            mapping(template.get("spec"), f"{path}.template.spec"),
            {**mapping(template.get("metadata"), f"{path}.template.metadata"), "ownerReferences": None},
            namespace,
            name,
            path=f"{path}.template.spec",
        )
        if kind == "Job":  # its controller adds these
            pod = pod._replace(labels={**pod.labels, **dict.fromkeys(_JOB_NAMES, name)})
        if kind == "ReplicationController" and selector is None and pod.labels:
            selector = LabelSelector.of(pod.labels)
        made = pod._replace(owner=_owner(metadata) or Owner(kind, name))
        return Workload(kind, namespace, name, selector, made, item_spec.get("replicas") == 0)

    return read


def _service(item: Object, metadata: Object, namespace: str, name: str) -> Service:
    spec = mapping(item.get("spec"), "spec")
    kind = optional_text(spec.get("type"), "spec.type") or "ClusterIP"
    selector = read_labels(spec.get("selector"), "spec.selector")
    cluster_ips = texts(spec.get("clusterIPs"), "spec.clusterIPs")
    if not cluster_ips and (cluster_ip := optional_text(spec.get("clusterIP"), "spec.clusterIP")):
        cluster_ips = (cluster_ip,)
    headless = "None" in cluster_ips
    balancer = mapping(mapping(item.get("status"), "status").get("loadBalancer"), "status.loadBalancer")
    return Service(
        namespace=namespace,
        name=name,
        selector=LabelSelector.of(selector) if selector and kind != "ExternalName" else None,
        ports=tuple(each(spec.get("ports"), "spec.ports", _service_port)),
        type=kind,
        cluster_ips=() if headless else tuple(_address(ip, "spec.clusterIPs") for ip in cluster_ips),
        headless=headless,
        external_name=optional_text(spec.get("externalName"), "spec.externalName") if kind == "ExternalName" else None,
        addresses=(
            *_ips(balancer.get("ingress"), "status.loadBalancer.ingress"),
            *(_address(ip, "spec.externalIPs") for ip in texts(spec.get("externalIPs"), "spec.externalIPs")),
        ),
        publish_not_ready=spec.get("publishNotReadyAddresses") is True,
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
    )


def _service_port(entry: Object) -> ServicePort:
    number = integer(entry.get("port"), "port")
    target = entry.get("targetPort") or number
    if isinstance(target, str):
        target = int(target) if _PORT_DIGITS.fullmatch(target) else target
    else:
        target = integer(target, "targetPort")
    node_port = entry.get("nodePort") or None
    return ServicePort(
        optional_text(entry.get("name"), "name"),
        number,
        target,
        read_protocol(entry, "protocol"),
        integer(node_port, "nodePort") if node_port else None,
    )


def _endpoint_slice(item: Object, metadata: Object, namespace: str, _: str) -> EndpointSlice:
    """Names instead of addresses (addressType FQDN) are no endpoints."""
    endpoints = [] if item.get("addressType") == "FQDN" else each(item.get("endpoints"), "endpoints", _slice_endpoint)
    ports = each(item.get("ports"), "ports", _slice_port)
    service = read_labels(metadata.get("labels"), "metadata.labels").get("kubernetes.io/service-name", "")
    return EndpointSlice(namespace, service, tuple(endpoints), tuple(filter(None, ports)))


def _slice_endpoint(entry: Object) -> SliceEndpoint:
    target = mapping(entry.get("targetRef"), "targetRef")
    return SliceEndpoint(
        tuple(_address(address, "addresses") for address in texts(entry.get("addresses"), "addresses")),
        mapping(entry.get("conditions"), "conditions").get("ready") is not False,
        optional_text(target.get("name"), "targetRef.name") if target.get("kind") == "Pod" else None,
    )


def _slice_port(entry: Object) -> tuple[str, int, str] | None:
    """A port that is left out is every port: nothing that a Service's port could lead to."""
    if entry.get("port") is None:
        return None
    name = optional_text(entry.get("name"), "name") or ""
    return name, integer(entry["port"], "port"), read_protocol(entry, "protocol")


def _addresses(status: Object, field: str) -> tuple[str, ...]:
    """The list of addresses (podIPs, hostIPs), or the one address that older API servers give."""
    found = _ips(status.get(f"{field}s"), f"status.{field}s")
    if not found and (one := optional_text(status.get(field), f"status.{field}")):
        found = (_address(one, f"status.{field}"),)
    return found


def _ips(items: Any, path: str) -> tuple[str, ...]:
    return tuple(filter(None, each(items, path, _ip)))


def _ip(entry: Object) -> str | None:
    return _address(entry["ip"], "ip") if entry.get("ip") else None


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and is_ip(value)


def _address(value: Any, path: str) -> str:
    if not _is_address(value):
        raise BadField(path, f"{shown(value)} is no IP address")
    return str(value)


_READERS: dict[str, Callable[[Object, Object, str, str], Any]] = {
    "Namespace": _namespace,
    "Node": _node,
    "Pod": _pod,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "NetworkPolicy": read_policy,
    **{kind: _workload(kind) for kind in TEMPLATED},
}
