"""API objects and YAML or JSON text to the model: the only place where absent, null and [] are told apart.

Pure: text and objects in, values out. What can't be read is a ManifestError that names file, document and path.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import BadField, integer, mapping, optional_text, sequence, text
from kubectl_netpol.model import (
    METADATA_NAME,
    Container,
    ContainerPort,
    EndpointSlice,
    Gap,
    LabelSelector,
    Namespace,
    Node,
    Owner,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Snapshot,
    Workload,
    is_ip,
)
from kubectl_netpol.overriding import KINDS as OVERRIDING_KINDS
from kubectl_netpol.overriding import kind_of, read_overriding
from kubectl_netpol.policy_manifest import last_change, read_labels, read_policy, read_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Object = dict[str, Any]
TEMPLATED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
_API_GROUPS = {
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


class Reader:
    """Collects objects and makes one Snapshot of them. An object given twice counts once, the last one, as applied."""

    def __init__(self, *, default_namespace: str = "default", live: bool = False) -> None:
        """`default_namespace` for objects without one; `live`: from an API server, where workloads have their pods."""
        self.default_namespace = default_namespace
        self.live = live
        self.skipped: Counter[str] = Counter()
        self._found: dict[str, dict[tuple[str, str], Any]] = {}

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
            made = {(pod.namespace, pod.owner) for pod in pods}
            pods += [
                workload.template
                for workload in workloads
                if workload.template.owner == Owner(workload.kind, workload.name)
                and (workload.namespace, workload.template.owner) not in made
                and not any(
                    workload.selector and pod.namespace == workload.namespace and workload.selector.matches(pod.labels)
                    for pod in pods
                    if not pod.planned
                )
            ]
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
        if not isinstance(kind, str) or not isinstance(document.get("apiVersion"), str):
            raise ManifestError(f"{where}: apiVersion or kind is missing")
        if isinstance(items := document.get("items"), list):
            for index, item in enumerate(items):
                inner = item if not isinstance(item, dict) or "kind" in item else {**_typed(document), **item}
                self._add_document(inner, f"{where}, items[{index}]")
            return
        if kind == "NetworkPolicy" and document["apiVersion"] == "extensions/v1beta1":
            raise ManifestError(f"{where}: apiVersion extensions/v1beta1 is no longer served", "networking.k8s.io/v1")
        overriding = kind_of(kind, document["apiVersion"])
        if overriding or _API_GROUPS.get(kind) == document["apiVersion"]:
            self._add(overriding or kind, document, where)
        else:
            self.skipped[kind] += 1

    def _add(self, kind: str, item: Object, where: str) -> None:
        name = "?"
        try:
            metadata = mapping(item.get("metadata"), "metadata")
            name = text(metadata.get("name") or metadata.get("generateName"), "metadata.name")
            namespace = "" if kind in _CLUSTER_WIDE else metadata.get("namespace") or self.default_namespace
            namespace = text(namespace, "metadata.namespace") if namespace else ""
            found = _READERS[kind](item, metadata, namespace, name) if kind in _READERS else None
            if found is None:
                found = read_overriding(kind, item, name, metadata.get("namespace"))
        except BadField as error:
            raise ManifestError(f"{where} ({kind} {name}): {error.path}: {error.message}", error.hint) from None
        if found is not None:
            self._found.setdefault(kind, {})[namespace, name] = found


def load_json_or_yaml(content: str, source: str) -> list[Any]:
    """The documents of a text, as kubectl reads them."""
    return list(_documents(content, source))


def _documents(content: str, source: str) -> Iterator[Any]:
    content = content.removeprefix("\ufeff")
    if content.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(content)
        except ValueError:  # flow-style YAML, or several JSON documents
            pass
        else:
            return
    from kubectl_netpol.yaml_text import load_all  # noqa: PLC0415 - PyYAML costs 15 ms and JSON does without

    yield from load_all(content, source)


def _typed(lists: Object) -> Object:
    """What the items of a typed list (PodList) leave out."""
    return {"apiVersion": lists["apiVersion"], "kind": lists["kind"].removesuffix("List")}


# One reader a kind: (object, its metadata, namespace, name) -> the value.


def _namespace(_: Object, metadata: Object, __: str, name: str) -> Namespace:
    return Namespace(name, {METADATA_NAME: name, **read_labels(metadata.get("labels"), "metadata.labels")})


def _node(item: Object, _: Object, __: str, name: str) -> Node:
    addresses = sequence(mapping(item.get("status"), "status").get("addresses"), "status.addresses")
    return Node(name, tuple(entry["address"] for entry in addresses if is_ip(str(entry.get("address")))))


def _pod(item: Object, metadata: Object, namespace: str, name: str) -> Pod:
    spec = mapping(item.get("spec"), "spec")
    status = mapping(item.get("status"), "status")
    pod = _pod_of(spec, metadata, namespace, name, path="spec")
    phase = optional_text(status.get("phase"), "status.phase")
    running = {
        entry.get("name"): "running" in (entry.get("state") or {})
        for field in ("containerStatuses", "ephemeralContainerStatuses")
        for entry in status.get(field) or ()
    }
    ephemeral = [
        Container(entry["name"], entry.get("image", ""), ephemeral=True)
        for entry in spec.get("ephemeralContainers") or ()
    ]
    ready = not metadata.get("deletionTimestamp") and (
        not status
        or any(
            entry.get("type") == "Ready" and entry.get("status") == "True" for entry in status.get("conditions") or ()
        )
    )
    return pod._replace(
        ips=_addresses(status),
        node=optional_text(spec.get("nodeName"), "spec.nodeName"),
        host_ips=_texts(status.get("hostIPs"), "ip") or tuple(filter(None, [status.get("hostIP")])),
        phase=phase or (None if not status else "Pending"),
        planned=not status,
        ready=ready,
        containers=tuple(entry._replace(running=running.get(entry.name)) for entry in (*pod.containers, *ephemeral)),
        changed=last_change(metadata),
    )


def _pod_of(spec: Object, metadata: Object, namespace: str, name: str, *, path: str) -> Pod:
    """A pod by its spec alone, for a Pod and for a workload's template."""
    containers = sequence(spec.get("containers"), f"{path}.containers")
    sidecars = [entry for entry in spec.get("initContainers") or () if entry.get("restartPolicy") == "Always"]
    ports = [
        ContainerPort(port.get("name") or None, port["containerPort"], port.get("protocol") or "TCP")
        for index, entry in enumerate([*containers, *sidecars])
        for port in sequence(
            mapping(entry, f"{path}.containers[{index}]").get("ports"), f"{path}.containers[{index}].ports"
        )
        if isinstance(port, dict) and isinstance(port.get("containerPort"), int)
    ]
    owner = next((ref for ref in metadata.get("ownerReferences") or () if ref.get("controller")), None)
    return Pod(
        namespace=namespace,
        name=name,
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
        ports=tuple(ports),
        host_network=spec.get("hostNetwork") is True,
        phase=None,
        planned=True,
        owner=Owner(owner["kind"], owner["name"]) if owner else None,
        containers=tuple(
            Container(entry.get("name", ""), entry.get("image", "")) for entry in (*containers, *sidecars)
        ),
        annotations=mapping(metadata.get("annotations"), "metadata.annotations"),
        dns_policy=spec.get("dnsPolicy") or "ClusterFirst",
        nameservers=tuple((spec.get("dnsConfig") or {}).get("nameservers") or ()),
    )


def _workload(kind: str) -> Callable[[Object, Object, str, str], Workload]:
    def read(item: Object, metadata: Object, namespace: str, name: str) -> Workload:
        spec, path = mapping(item.get("spec"), "spec"), "spec"
        selector = None
        if kind == "ReplicationController":
            selector = LabelSelector.of(read_labels(spec.get("selector"), "spec.selector"))
        elif spec.get("selector") is not None:
            selector = read_selector(spec["selector"], "spec.selector")
        if kind == "CronJob":
            spec, path = (
                mapping(mapping(spec.get("jobTemplate"), "spec.jobTemplate").get("spec"), path),
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
        owner = next((ref for ref in metadata.get("ownerReferences") or () if ref.get("controller")), None)
        return Workload(
            kind,
            namespace,
            name,
            selector,
            pod._replace(owner=Owner(owner["kind"], owner["name"]) if owner else Owner(kind, name)),
        )

    return read


def _service(item: Object, metadata: Object, namespace: str, name: str) -> Service:
    spec = mapping(item.get("spec"), "spec")
    kind = spec.get("type") or "ClusterIP"
    selector = read_labels(spec.get("selector"), "spec.selector")
    ports = []
    for index, entry in enumerate(sequence(spec.get("ports"), "spec.ports")):
        path = f"spec.ports[{index}]"
        number = integer(mapping(entry, path).get("port"), f"{path}.port")
        target = entry.get("targetPort") or number
        protocol = entry.get("protocol") or "TCP"
        if isinstance(target, str) and target.isdecimal():
            target = int(target)
        ports.append(ServicePort(entry.get("name"), number, target, protocol, entry.get("nodePort")))
    cluster_ips = tuple(ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip)
    balancer = mapping(mapping(item.get("status"), "status").get("loadBalancer"), "status.loadBalancer")
    return Service(
        namespace=namespace,
        name=name,
        selector=LabelSelector.of(selector) if selector and kind != "ExternalName" else None,
        ports=tuple(ports),
        type=kind,
        cluster_ips=tuple(ip for ip in cluster_ips if ip != "None"),
        headless="None" in cluster_ips,
        external_name=spec.get("externalName") if kind == "ExternalName" else None,
        addresses=(*_texts(balancer.get("ingress"), "ip"), *(spec.get("externalIPs") or ())),
        publish_not_ready=spec.get("publishNotReadyAddresses") is True,
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
    )


def _endpoint_slice(item: Object, metadata: Object, namespace: str, _: str) -> EndpointSlice:
    endpoints = []
    for entry in sequence(item.get("endpoints"), "endpoints"):
        target = entry.get("targetRef") or {}
        endpoints.append(
            SliceEndpoint(
                tuple(entry.get("addresses") or ()),
                (entry.get("conditions") or {}).get("ready") is not False,
                target.get("name") if target.get("kind") == "Pod" else None,
            )
        )
    ports = tuple(
        (entry.get("name") or "", entry["port"], entry.get("protocol") or "TCP")
        for entry in sequence(item.get("ports"), "ports")
        if isinstance(entry.get("port"), int)
    )
    service = read_labels(metadata.get("labels"), "metadata.labels").get("kubernetes.io/service-name", "")
    return EndpointSlice(namespace, service, tuple(endpoints), ports)


def _addresses(status: Object) -> tuple[str, ...]:
    return _texts(status.get("podIPs"), "ip") or tuple(filter(None, [status.get("podIP")]))


def _texts(items: Any, key: str) -> tuple[str, ...]:
    return tuple(entry[key] for entry in items or () if isinstance(entry, dict) and entry.get(key))


_READERS: dict[str, Callable[[Object, Object, str, str], Any]] = {
    "Namespace": _namespace,
    "Node": _node,
    "Pod": _pod,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "NetworkPolicy": read_policy,
    **{kind: _workload(kind) for kind in TEMPLATED},
}
