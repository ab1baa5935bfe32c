"""Reads Pods, and workloads with the pods of their templates; BadField for a field that can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import boolean, each, integer, mapping, objects, optional_text, text, texts
from kubectl_netpol.manifests.objects import read_addresses
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.model.objects import Container, ContainerPort, Owner, Pod, Workload
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.policies.meta import last_change, read_labels, read_port_protocol, read_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_netpol.policies.meta import Object

# Where a workload says how many pods it has at a time; one where it does not.
_COUNTED = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"), "replicas"),
    "Job": "parallelism",
}
_NONE_RUNS: Mapping[str, bool] = {}
_NO_ANNOTATIONS: Mapping[str, str] = {}
_JOB_NAMES = ("job-name", "batch.kubernetes.io/job-name")


def read_pod(item: Object, metadata: Object, namespace: str, name: str) -> Pod:
    """Without a status the pod is planned. A terminating pod is not ready."""
    spec = mapping(item.get("spec"), "spec")
    status = mapping(item.get("status"), "status")
    phase = optional_text(status.get("phase"), "status.phase")
    running = dict(each(status.get("containerStatuses"), "status.containerStatuses", _running))
    running.update(each(status.get("ephemeralContainerStatuses"), "status.ephemeralContainerStatuses", _running))
    ephemeral = each(spec.get("ephemeralContainers"), "spec.ephemeralContainers", _container)
    conditions = objects(status.get("conditions"), "status.conditions")
    ready = not status or any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)
    terminating = bool(metadata.get("deletionTimestamp"))
    return _pod_of(
        spec,
        metadata,
        namespace,
        name,
        path="spec",
        running=running,
        ephemeral=tuple(Container(one.name, one.image, running.get(one.name), ephemeral=True) for one in ephemeral),
        ips=read_addresses(status, "podIP"),
        node=optional_text(spec.get("nodeName"), "spec.nodeName"),
        host_ips=read_addresses(status, "hostIP"),
        phase=phase or (None if not status else "Pending"),
        planned=not status,
        ready=ready and not terminating,
        serving=ready and terminating,
        changed=last_change(metadata),
    )


def _pod_of(
    spec: Object,
    metadata: Object,
    namespace: str,
    name: str,
    *,
    path: str,
    running: Mapping[str, bool] = _NONE_RUNS,
    ephemeral: tuple[Container, ...] = (),
    **status: Any,
) -> Pod:
    """The pod of a PodSpec, that of a Pod or of a workload's template. `status`: what a Pod's says, as Pod has it."""
    containers = each(spec.get("containers"), f"{path}.containers", _with_ports)
    init = each(spec.get("initContainers"), f"{path}.initContainers", _init_container)
    containers += [(container, ports) for container, ports, sidecar in init if sidecar]
    dns = mapping(spec.get("dnsConfig"), f"{path}.dnsConfig")
    return Pod(
        namespace=namespace,
        name=name,
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
        ports=tuple(port for _, ports in containers for port in ports),
        host_network=boolean(spec.get("hostNetwork"), f"{path}.hostNetwork"),
        owner=_owner(metadata),
        containers=(*(Container(one.name, one.image, running.get(one.name)) for one, _ in containers), *ephemeral),
        annotations=_annotations(metadata.get("annotations")),
        dns_policy=optional_text(spec.get("dnsPolicy"), f"{path}.dnsPolicy") or "ClusterFirst",
        nameservers=texts(dns.get("nameservers"), f"{path}.dnsConfig.nameservers"),
        service_account=optional_text(spec.get("serviceAccountName"), f"{path}.serviceAccountName"),
        init_ports=tuple(port for _, ports, sidecar in init if not sidecar for port in ports),
        **status,
    )


def _annotations(value: Any) -> Mapping[str, str]:
    """Those that are text: of one that is not, nothing is asked. (Of a file it is an error before that.)"""
    if not isinstance(value, dict):
        return _NO_ANNOTATIONS
    return {key: entry for key, entry in value.items() if isinstance(entry, str)}


def _running(entry: Object) -> tuple[str, bool]:
    return text(entry.get("name"), "name"), "running" in mapping(entry.get("state"), "state")


def _container(entry: Object) -> Container:
    return Container(
        optional_text(entry.get("name"), "name") or "",
        optional_text(entry.get("image"), "image") or "",
    )


def _with_ports(entry: Object) -> tuple[Container, list[ContainerPort]]:
    return _container(entry), each(entry.get("ports"), "ports", _container_port)


def _init_container(entry: Object) -> tuple[Container, list[ContainerPort], bool]:
    """And whether it is a sidecar; if not, its ports are closed by the time the pod is ready."""
    return *_with_ports(entry), entry.get("restartPolicy") == "Always"


def _container_port(entry: Object) -> ContainerPort:
    host_port, host_ip = entry.get("hostPort"), optional_text(entry.get("hostIP"), "hostIP") or ""
    return ContainerPort(
        optional_text(entry.get("name"), "name"),
        integer(entry.get("containerPort"), "containerPort"),
        read_port_protocol(entry),
        None if host_port in (None, 0) else integer(host_port, "hostPort"),
        host_ip if is_ip(host_ip) else "",  # the API server takes any text
    )


def _owner(metadata: Object) -> Owner | None:
    """The owner reference with controller: true, or None."""
    owners = each(metadata.get("ownerReferences"), "metadata.ownerReferences", _controller)
    return next(filter(None, owners), None)


def _controller(entry: Object) -> Owner | None:
    if not entry.get("controller"):
        return None
    return Owner(text(entry.get("kind"), "kind"), text(entry.get("name"), "name"))


def workload_reader(kind: str) -> Callable[[Object, Object, str, str], Workload]:
    """A reader of workloads of this kind, with the API's defaults for a missing selector."""

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
            phase=None,
            planned=True,
        )
        if kind == "Job":  # the Job controller adds these labels
            pod = pod._replace(labels={**pod.labels, **dict.fromkeys(_JOB_NAMES, name)})
        if kind == "ReplicationController" and selector is None and pod.labels:
            selector = LabelSelector.of(pod.labels)
        planned = pod._replace(owner=_owner(metadata) or Owner(kind, name))
        scaled_down = item_spec.get("replicas") == 0
        single = kind in _COUNTED and item_spec.get(_COUNTED[kind], 1) in (None, 1)
        return Workload(kind, namespace, name, selector, planned, scaled_down, single=single)

    return read
