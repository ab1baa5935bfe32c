"""Reads Namespaces, Nodes, Services and EndpointSlices; BadField for a field that can't be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import BadField, boolean, each, integer, mapping, objects, optional_text, shown, texts
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.model.objects import (
    SERVICE_NAME,
    EndpointSlice,
    Namespace,
    Node,
    Service,
    ServiceAccount,
    ServicePort,
    SliceEndpoint,
)
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector
from kubectl_netpol.policies.meta import read_labels, read_port_protocol

if TYPE_CHECKING:
    from kubectl_netpol.policies.meta import Object

_FAMILIES = {"IPv4": 4, "IPv6": 6}
_PORT_DIGITS = re.compile(r"[0-9]{1,5}")


def read_namespace(_: Object, metadata: Object, __: str, name: str) -> Namespace:
    """With the label kubernetes.io/metadata.name, which the API server always sets."""
    return Namespace(name, {**read_labels(metadata.get("labels"), "metadata.labels"), METADATA_NAME: name})


def read_service_account(_: Object, metadata: Object, namespace: str, name: str) -> ServiceAccount:
    return ServiceAccount(namespace, name, read_labels(metadata.get("labels"), "metadata.labels"))


def read_node(item: Object, metadata: Object, _: str, name: str) -> Node:
    found = objects(mapping(item.get("status"), "status").get("addresses"), "status.addresses")
    addresses = tuple(entry["address"] for entry in found if _is_address(entry.get("address")))
    return Node(name, addresses, read_labels(metadata.get("labels"), "metadata.labels"))


def read_service(item: Object, metadata: Object, namespace: str, name: str) -> Service:
    spec = mapping(item.get("spec"), "spec")
    kind = optional_text(spec.get("type"), "spec.type") or "ClusterIP"
    selector = read_labels(spec.get("selector"), "spec.selector")
    cluster_ips = texts(spec.get("clusterIPs"), "spec.clusterIPs")
    if not cluster_ips and (cluster_ip := optional_text(spec.get("clusterIP"), "spec.clusterIP")):
        cluster_ips = (cluster_ip,)
    headless = "None" in cluster_ips
    families = texts(spec.get("ipFamilies"), "spec.ipFamilies")
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
        publish_not_ready=boolean(spec.get("publishNotReadyAddresses"), "spec.publishNotReadyAddresses"),
        labels=read_labels(metadata.get("labels"), "metadata.labels"),
        local=spec.get("externalTrafficPolicy") == "Local",
        local_inside=spec.get("internalTrafficPolicy") == "Local",
        families=tuple(_FAMILIES[name] for name in families if name in _FAMILIES),
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
        read_port_protocol(entry),
        integer(node_port, "nodePort") if node_port else None,
    )


def read_endpoint_slice(item: Object, metadata: Object, namespace: str, _: str) -> EndpointSlice:
    """Without endpoints if its addressType is FQDN: those are names, not addresses."""
    endpoints = [] if item.get("addressType") == "FQDN" else each(item.get("endpoints"), "endpoints", _slice_endpoint)
    ports = each(item.get("ports"), "ports", _slice_port)
    service = read_labels(metadata.get("labels"), "metadata.labels").get(SERVICE_NAME, "")
    return EndpointSlice(namespace, service, tuple(endpoints), tuple(filter(None, ports)))


def read_endpoints(item: Object, _: Object, namespace: str, name: str) -> tuple[EndpointSlice, ...]:
    """A core Endpoints object as the slices of its Service, one per subset."""
    return tuple(each(item.get("subsets"), "subsets", lambda subset: _subset(subset, namespace, name)))


def _subset(subset: Object, namespace: str, name: str) -> EndpointSlice:
    endpoints = [
        endpoint._replace(ready=ready)
        for field, ready in (("addresses", True), ("notReadyAddresses", False))
        for endpoint in each(subset.get(field), field, _subset_address)
    ]
    ports = each(subset.get("ports"), "ports", _slice_port)
    return EndpointSlice(namespace, name, tuple(endpoints), tuple(filter(None, ports)))


def _subset_address(entry: Object) -> SliceEndpoint:
    target = mapping(entry.get("targetRef"), "targetRef")
    pod = optional_text(target.get("name"), "targetRef.name") if target.get("kind") == "Pod" else None
    return SliceEndpoint((_address(entry.get("ip"), "ip"),), pod=pod)


def _slice_endpoint(entry: Object) -> SliceEndpoint:
    target = mapping(entry.get("targetRef"), "targetRef")
    conditions = mapping(entry.get("conditions"), "conditions")
    return SliceEndpoint(
        tuple(_address(address, "addresses") for address in texts(entry.get("addresses"), "addresses")),
        conditions.get("ready") is not False,
        optional_text(target.get("name"), "targetRef.name") if target.get("kind") == "Pod" else None,
        conditions.get("serving") is True and conditions.get("terminating") is True,
    )


def _slice_port(entry: Object) -> tuple[str, int, str] | None:
    """None without a number: that means all ports, which no port of a Service leads to."""
    if entry.get("port") is None:
        return None
    name = optional_text(entry.get("name"), "name") or ""
    return name, integer(entry["port"], "port"), read_port_protocol(entry)


def read_addresses(status: Object, field: str) -> tuple[str, ...]:
    """The addresses of `{field}s` (podIPs, hostIPs), or the single one of `field` from older API servers."""
    given = status.get(f"{field}s")
    found = _ips(given, f"status.{field}s") if given is not None else ()
    if not found and (one := optional_text(status.get(field), f"status.{field}")):
        found = (_address(one, f"status.{field}"),)
    return found


def _ips(items: Any, path: str) -> tuple[str, ...]:
    return tuple(filter(None, each(items, path, _ip)))


def _ip(entry: Object) -> str | None:
    ip = entry.get("ip")
    return _address(ip, "ip") if ip else None


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and is_ip(value)


def _address(value: Any, path: str) -> str:
    if not isinstance(value, str) or not is_ip(value):
        raise BadField(path, f"expected an IP address, got {shown(value)}")
    return value
