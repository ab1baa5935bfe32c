"""Namespaces, Nodes, Services and EndpointSlices."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.manifests.objects import (
    read_addresses,
    read_endpoint_slice,
    read_endpoints,
    read_namespace,
    read_node,
    read_service,
)
from kubectl_netpol.model.objects import EndpointSlice, Namespace, Service, ServicePort, SliceEndpoint
from kubectl_netpol.model.selectors import LabelSelector


def service(spec: Any, **fields: Any) -> Service:
    return read_service({"spec": spec, **fields}, fields.get("metadata", {}), "shop", "s")


def endpoint_slice(item: dict[str, Any], service_name: str | None = "s") -> EndpointSlice:
    metadata = {"labels": {"kubernetes.io/service-name": service_name} if service_name else None}
    return read_endpoint_slice(item, metadata, "shop", "s-1")


def test_a_namespace_has_its_name_as_a_label_also_against_its_manifest() -> None:
    metadata = {"labels": {"kubernetes.io/metadata.name": "x", "team": "y"}}
    labels = {"kubernetes.io/metadata.name": "shop", "team": "y"}
    assert read_namespace({}, metadata, "", "shop") == Namespace("shop", labels)


def test_a_node_has_its_addresses_and_not_its_names() -> None:
    addresses = [{"address": "192.0.2.1"}, {"address": "n1"}, {"address": None}, {}, {"address": "2001:db8::1"}]
    assert read_node({"status": {"addresses": addresses}}, {}, "", "n").addresses == ("192.0.2.1", "2001:db8::1")


def test_a_node_without_status_has_no_address() -> None:
    assert read_node({}, {}, "", "n").addresses == ()


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param(None, Service("shop", "s", None), id="nothing"),
        pytest.param(
            {"selector": {"app": "web"}, "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd96::1"]},
            Service("shop", "s", LabelSelector.of({"app": "web"}), cluster_ips=("10.96.0.1", "fd96::1")),
            id="two cluster addresses",
        ),
        pytest.param(
            {"selector": {}, "clusterIP": "10.96.0.1"},
            Service("shop", "s", None, cluster_ips=("10.96.0.1",)),
            id="an empty selector counts as none; clusterIP from an older API server",
        ),
        pytest.param(
            {"clusterIP": "None", "publishNotReadyAddresses": True},
            Service("shop", "s", None, headless=True, publish_not_ready=True),
            id="headless, with pods that are not ready",
        ),
        pytest.param(
            {"type": "ExternalName", "externalName": "example.com", "selector": {"app": "web"}},
            Service("shop", "s", None, type="ExternalName", external_name="example.com"),
            id="an ExternalName has no selector",
        ),
        pytest.param(
            {"externalName": "example.com"},
            Service("shop", "s", None),
            id="another type has no externalName",
        ),
        pytest.param(
            {"type": "LoadBalancer", "externalIPs": ["203.0.113.9"]},
            Service("shop", "s", None, type="LoadBalancer", addresses=("203.0.113.9",)),
            id="externalIPs",
        ),
    ],
)
def test_a_service(spec: Any, found: Service) -> None:
    assert service(spec) == found


def test_a_service_has_the_addresses_of_its_load_balancer_before_its_external_ones() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}, {"hostname": "lb.example.com"}]}}
    found = service({"externalIPs": ["203.0.113.9"]}, status=status, metadata={"labels": {"a": "b"}})
    assert (found.addresses, found.labels) == (("203.0.113.1", "203.0.113.9"), {"a": "b"})


@pytest.mark.parametrize(
    ("port", "found"),
    [
        pytest.param({"port": 80}, ServicePort(None, 80, 80), id="without targetPort the target is the port"),
        pytest.param({"port": 80, "targetPort": 0}, ServicePort(None, 80, 80), id="targetPort 0 is left out"),
        pytest.param({"port": 80, "targetPort": 8080}, ServicePort(None, 80, 8080), id="a targetPort by number"),
        pytest.param({"port": 80, "targetPort": "8080"}, ServicePort(None, 80, 8080), id="a number in quotes"),
        pytest.param({"port": 80, "targetPort": "http"}, ServicePort(None, 80, "http"), id="a targetPort by name"),
        pytest.param(
            {"port": 53, "name": "dns", "protocol": "UDP", "nodePort": 30053},
            ServicePort("dns", 53, 53, "UDP", 30053),
            id="a node port",
        ),
        pytest.param({"port": 80, "nodePort": 0}, ServicePort(None, 80, 80), id="nodePort 0 is none"),
    ],
)
def test_a_port_of_a_service(port: dict[str, Any], found: ServicePort) -> None:
    assert service({"ports": [port]}).ports == (found,)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param({"ports": [{}]}, "spec.ports[0].port: is missing", id="a port without number"),
        pytest.param(
            {"ports": [{"port": 80, "targetPort": [1]}]},
            "spec.ports[0].targetPort: expected an integer, got a list",
            id="a list for a targetPort",
        ),
        pytest.param(
            {"ports": [{"port": 80}, {"port": 81, "protocol": "tcp"}]},
            'spec.ports[1].protocol: must be one of TCP, UDP, SCTP, got "tcp"',
            id="a protocol in lower case",
        ),
        pytest.param(
            {"clusterIP": "web"}, 'spec.clusterIPs: expected an IP address, got "web"', id="a name for an address"
        ),
        pytest.param(
            {"externalIPs": ["10.0.0.256"]},
            'spec.externalIPs: expected an IP address, got "10.0.0.256"',
            id="an invalid address",
        ),
        pytest.param(
            {"selector": {"matchLabels": {"app": "web"}}},
            "spec.selector.matchLabels: expected a string, got an object",
            id="matchLabels, which a Service does not have",
        ),
    ],
)
def test_a_service_that_can_t_be_read(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(BadField) as caught:
        service(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        pytest.param({"addresses": ["10.0.0.1"]}, SliceEndpoint(("10.0.0.1",)), id="ready without conditions"),
        pytest.param(
            {"addresses": ["10.0.0.1"], "conditions": {"ready": None}},
            SliceEndpoint(("10.0.0.1",)),
            id="ready for null",
        ),
        pytest.param(
            {"addresses": ["10.0.0.1"], "conditions": {"ready": False}},
            SliceEndpoint(("10.0.0.1",), ready=False),
            id="not ready",
        ),
        pytest.param(
            {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "web"}},
            SliceEndpoint(("10.0.0.1",), pod="web"),
            id="a pod",
        ),
        pytest.param(
            {"addresses": ["10.0.0.1"], "targetRef": {"kind": "VM", "name": "web"}},
            SliceEndpoint(("10.0.0.1",)),
            id="an object of another kind",
        ),
    ],
)
def test_an_endpoint_of_a_slice(endpoint: dict[str, Any], found: SliceEndpoint) -> None:
    assert endpoint_slice({"endpoints": [endpoint]}) == EndpointSlice("shop", "s", (found,))


def test_the_ports_of_a_slice_without_those_that_have_no_number() -> None:
    ports = [{"port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "all"}, {"port": None}]
    assert endpoint_slice({"ports": ports}).ports == (("", 80, "TCP"), ("dns", 53, "UDP"))


def test_a_slice_of_names_has_no_endpoints() -> None:
    assert endpoint_slice({"addressType": "FQDN", "endpoints": [{"addresses": ["web.example.com"]}]}).endpoints == ()


def test_a_slice_of_no_service() -> None:
    assert endpoint_slice({}, None) == EndpointSlice("shop", "")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param(
            {"endpoints": [{"addresses": ["web.example.com"]}]},
            'endpoints[0].addresses: expected an IP address, got "web.example.com"',
            id="a name for an address",
        ),
        pytest.param(
            {"ports": [{"port": "http"}]}, 'ports[0].port: expected an integer, got "http"', id="a port by name"
        ),
    ],
)
def test_a_slice_that_can_t_be_read(item: dict[str, Any], message: str) -> None:
    with pytest.raises(BadField) as caught:
        endpoint_slice(item)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("status", "found"),
    [
        pytest.param(
            {"hostIPs": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]}, ("192.0.2.1", "2001:db8::1"), id="a list"
        ),
        pytest.param({"hostIP": "192.0.2.1"}, ("192.0.2.1",), id="a single one from an older API server"),
        pytest.param({"hostIP": "192.0.2.1", "hostIPs": []}, ("192.0.2.1",), id="a single one beside an empty list"),
        pytest.param({}, (), id="none"),
    ],
)
def test_addresses_of_a_status(status: dict[str, Any], found: tuple[str, ...]) -> None:
    assert read_addresses(status, "hostIP") == found


def test_endpoints_are_a_slice_for_each_subset() -> None:
    subsets = [
        {
            "addresses": [{"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "name": "a"}}, {"ip": "10.0.0.2"}],
            "notReadyAddresses": [{"ip": "10.0.0.3", "targetRef": {"kind": "Node", "name": "n"}}],
            "ports": [{"name": "http", "port": 80}, {"port": 53, "protocol": "UDP"}],
        },
        None,
    ]
    assert read_endpoints({"subsets": subsets}, {}, "shop", "web") == (
        EndpointSlice(
            "shop",
            "web",
            (
                SliceEndpoint(("10.0.0.1",), pod="a"),
                SliceEndpoint(("10.0.0.2",)),
                SliceEndpoint(("10.0.0.3",), ready=False),
            ),
            (("http", 80, "TCP"), ("", 53, "UDP")),
        ),
        EndpointSlice("shop", "web"),
    )
    with pytest.raises(BadField, match=re.escape("subsets[0].addresses[0].ip: expected an IP address, got null")):
        read_endpoints({"subsets": [{"addresses": [{}]}]}, {}, "shop", "web")
