"""Requests: what is dialled for each kind of destination, where it arrives, and why it arrives nowhere."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.connection.resolve import Resolved, parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import Request, address_for, request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import Pod, Service, ServicePort
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Gap, Snapshot
from tests.support.tables import snapshot_of

CLUSTER = yaml.safe_load("""
nodes: {n1: [192.0.2.1, "2001:db8::1"], n2: [192.0.2.2]}
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1, node: n1, host_ip: 192.0.2.1}
  a/six: {labels: {app: src}, ip: "fd00::1"}
  a/one: {labels: {app: web}, ip: "10.0.0.2 fd00::2", ports: http=80 dns=53/UDP}
  a/two: {labels: {app: web}, ip: "fd00::3 10.0.0.3", ports: http=80}
  a/bare: {labels: {app: mixed}, ip: 10.0.0.4}
  a/named: {labels: {app: mixed}, ip: 10.0.0.5, ports: http=8080 http=53/UDP}
  a/late: {labels: {app: late}, ip: 10.0.0.6, ready: false}
  a/host-port: {ip: 10.0.0.7, node: n2, ports: 80/TCP@8081}
  a/host-network: {ip: 192.0.2.2, node: n2, host_network: true, ports: "9100"}
  a/ended: {ip: 10.0.0.8, node: n2, phase: Succeeded, ports: 80/TCP@8082}
services:
  a/web: {clusterIPs: [10.96.0.1, "fd96::1"], selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
  a/node:
    type: NodePort
    clusterIP: 10.96.0.2
    selector: {app: web}
    ports: [{port: 8000, targetPort: 80, nodePort: 30000}]
  a/balanced:
    type: LoadBalancer
    clusterIP: 10.96.0.3
    balancer: [203.0.113.80]
    selector: {app: web}
    ports: [{port: 443, targetPort: 80}]
  a/heads: {clusterIP: None, selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
  a/mixed: {clusterIP: 10.96.0.4, selector: {app: mixed}, ports: [{port: 80, targetPort: http}]}
  a/late: {clusterIP: 10.96.0.5, selector: {app: late}, ports: [{port: 80}]}
  a/early: {clusterIP: 10.96.0.6, selector: {app: late}, ports: [{port: 80}], publishNotReadyAddresses: true}
  a/shared-80: {clusterIP: 10.96.0.7, externalIPs: [203.0.113.81], selector: {app: web}, ports: [{port: 80}]}
  a/shared-81: {clusterIP: 10.96.0.8, externalIPs: [203.0.113.81], selector: {app: web}, ports: [{port: 81}]}
  a/on-node: {clusterIP: 10.96.0.9, externalIPs: [192.0.2.1], selector: {app: web}, ports: [{port: 7000}]}
  a/slices: {clusterIP: 10.96.0.10, ports: [{name: w, port: 80}]}
  a/slice-heads: {clusterIP: None, ports: [{name: w, port: 80}]}
  a/alias: {type: ExternalName, externalName: example.com}
objects:
  - apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {namespace: a, name: slices-1, labels: {kubernetes.io/service-name: slices}}
    ports: [{name: w, port: 8080}, {name: other, port: 1}]
    endpoints:
      - {addresses: [10.0.0.2, 10.0.0.99], targetRef: {kind: Pod, name: one}}
      - {addresses: [10.0.0.3]}
      - {addresses: [192.0.2.1]}
      - {addresses: [198.51.100.7]}
      - {addresses: [198.51.100.7]}
      - {addresses: [198.51.100.8], conditions: {ready: false}}
  - apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {namespace: a, name: slices-2, labels: {kubernetes.io/service-name: slices}}
    addressType: IPv6
    ports: [{name: w, port: 8080}]
    endpoints: [{addresses: ["fd00::2"]}]
  - apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {namespace: a, name: slice-heads-1, labels: {kubernetes.io/service-name: slice-heads}}
    ports: [{name: w, port: 8080}]
    endpoints: [{addresses: [10.0.0.2]}, {addresses: [10.0.0.2]}, {addresses: [198.51.100.7]}]
""")


def cluster(**changes: Any) -> Snapshot:
    return snapshot_of({**CLUSTER, **changes})


def asked(
    source: str, destination: str, port: int | str, protocol: str = "TCP", *, snapshot: Snapshot | None = None
) -> Request:
    snapshot = snapshot or cluster()
    here = resolve_source(snapshot, parse_reference(source, "a"))
    there = resolve_destination(snapshot, parse_reference(destination, "a"))
    return request(snapshot, here, there, port, protocol)


def arrivals(found: Request) -> list[str]:
    """Each route as "a/one 10.0.0.2:80"."""
    return [f"{route.destination.title} {route.destination.address}:{route.port}" for route in found.routes]


ONE, TWO = "a/one 10.0.0.2", "a/two 10.0.0.3"
ONE_6, TWO_6 = "a/one fd00::2", "a/two fd00::3"


@pytest.mark.parametrize(
    ("source", "destination", "port", "dialled", "routes"),
    [
        pytest.param("src", "pod/one", 81, "10.0.0.2:81", [f"{ONE}:81"], id="a pod, on any port"),
        pytest.param("src", "pod/one", "http", "10.0.0.2:80", [f"{ONE}:80"], id="a pod's port by name"),
        pytest.param("src", "pod/two", 80, "10.0.0.3:80", [f"{TWO}:80"], id="a pod's address of the source's family"),
        pytest.param("six", "pod/one", 80, "fd00::2:80", [f"{ONE_6}:80"], id="a pod's IPv6 address from an IPv6 pod"),
        pytest.param("six", "bare", 80, "10.0.0.4:80", ["a/bare 10.0.0.4:80"], id="a pod that shares no family"),
        pytest.param("src", "10.0.0.2", 80, "10.0.0.2:80", [f"{ONE}:80"], id="a pod by its address"),
        pytest.param("src", "fd00::2", 80, "fd00::2:80", [f"{ONE_6}:80"], id="a pod by the address typed"),
        pytest.param(
            "src", "192.0.2.1", 22, "192.0.2.1:22", ["node n1 192.0.2.1:22"], id="a node's own port, by its address"
        ),
        pytest.param(
            "six", "node/n1", 22, "2001:db8::1:22", ["node n1 2001:db8::1:22"], id="a node by the source's family"
        ),
        pytest.param(
            "src", "203.0.113.1", 22, "203.0.113.1:22", ["203.0.113.1 203.0.113.1:22"], id="an address outside"
        ),
        pytest.param("src", "example.com", 22, "None:22", ["? None:22"], id="a host name, whose address is not known"),
    ],
)
def test_a_connection_without_a_service_arrives_where_it_is_dialled(
    source: str, destination: str, port: int | str, dialled: str, routes: list[str]
) -> None:
    found = asked(source, destination, port)
    assert (f"{found.address}:{found.port}", arrivals(found)) == (dialled, routes)
    assert [route.dialled for route in found.routes] == [None]
    assert (found.service, found.service_port, found.problem) == (None, None, None)


@pytest.mark.parametrize(
    ("source", "destination", "port", "dialled", "routes"),
    [
        pytest.param("src", "svc/web", 8000, "web 10.96.0.1:8000", [f"{ONE}:80", f"{TWO}:80"], id="by its cluster IP"),
        pytest.param("src", "svc/web", "w", "web 10.96.0.1:8000", [f"{ONE}:80", f"{TWO}:80"], id="by its port's name"),
        pytest.param(
            "six", "svc/web", 8000, "web fd96::1:8000", [f"{ONE_6}:80", f"{TWO_6}:80"], id="by its IPv6 cluster IP"
        ),
        pytest.param(
            "src", "fd96::1", 8000, "web fd96::1:8000", [f"{ONE_6}:80", f"{TWO_6}:80"], id="by the address typed"
        ),
        pytest.param(
            "203.0.113.1", "svc/web", 8000, "web 10.96.0.1:8000", [f"{ONE}:80", f"{TWO}:80"], id="from outside"
        ),
        pytest.param(
            "src",
            "203.0.113.80",
            443,
            "balanced 203.0.113.80:443",
            [f"{ONE}:80", f"{TWO}:80"],
            id="by its load balancer's address",
        ),
        pytest.param(
            "src",
            "203.0.113.81",
            81,
            "shared-81 203.0.113.81:81",
            [f"{ONE}:81", f"{TWO}:81"],
            id="by an external IP that two share: the one with the port",
        ),
        pytest.param(
            "src",
            "192.0.2.1",
            7000,
            "on-node 192.0.2.1:7000",
            [f"{ONE}:7000", f"{TWO}:7000"],
            id="by an external IP that is a node's address",
        ),
        pytest.param(
            "src", "node/n1", 30000, "node 192.0.2.1:30000", [f"{ONE}:80", f"{TWO}:80"], id="by its node port"
        ),
        pytest.param(
            "six",
            "node/n1",
            30000,
            "node 2001:db8::1:30000",
            [f"{ONE_6}:80", f"{TWO_6}:80"],
            id="by its node port on the node's IPv6 address",
        ),
        pytest.param(
            "src",
            "svc/mixed",
            80,
            "mixed 10.96.0.4:80",
            ["a/named 10.0.0.5:8080"],
            id="without the pods that lack the name of its target port",
        ),
        pytest.param(
            "src",
            "svc/early",
            80,
            "early 10.96.0.6:80",
            ["a/late 10.0.0.6:80"],
            id="with pods that are not ready, if it publishes them",
        ),
        pytest.param(
            "src",
            "svc/heads",
            80,
            "heads 10.0.0.2:80",
            [f"{ONE}:80", f"{TWO}:80"],
            id="headless, on a port of its pods",
        ),
        pytest.param(
            "src",
            "svc/heads",
            "w",
            "heads 10.0.0.2:80",
            [f"{ONE}:80", f"{TWO}:80"],
            id="headless, by its port's name",
        ),
        pytest.param(
            "src",
            "svc/heads",
            8000,
            "heads 10.0.0.2:8000",
            [f"{ONE}:8000", f"{TWO}:8000"],
            id="headless, on its own port, which is not mapped",
        ),
        pytest.param(
            "src",
            "svc/slices",
            80,
            "slices 10.96.0.10:80",
            [f"{ONE}:8080", f"{TWO}:8080", "node n1 192.0.2.1:8080", "198.51.100.7 198.51.100.7:8080"],
            id="without selector: the first address of each ready endpoint, of its family, once",
        ),
        pytest.param(
            "src",
            "svc/slice-heads",
            81,
            "slice-heads 10.0.0.2:81",
            [f"{ONE}:81", "198.51.100.7 198.51.100.7:81"],
            id="headless without selector",
        ),
    ],
)
def test_a_connection_to_a_service_arrives_at_its_endpoints(
    source: str, destination: str, port: int | str, dialled: str, routes: list[str]
) -> None:
    found = asked(source, destination, port)
    assert found.service
    assert (f"{found.service.name} {found.address}:{found.port}", arrivals(found)) == (dialled, routes)
    assert found.problem is None
    # Of a headless Service, any port of its pods can be dialled.
    headless = found.service.headless and port not in (found.service.ports[0].number, found.service.ports[0].name)
    assert found.service_port == (None if headless else found.service.ports[0])


@pytest.mark.parametrize(
    ("source", "destination", "port", "dialled", "rewritten"),
    [
        pytest.param("src", "svc/web", 8000, "10.96.0.1:8000", False, id="a pod's connection to a cluster IP is not"),
        pytest.param("node/n2", "svc/web", 8000, "10.96.0.1:8000", False, id="a node's connection is not"),
        pytest.param("203.0.113.1", "svc/web", 8000, "10.96.0.1:8000", True, id="one from outside is"),
        pytest.param("src", "203.0.113.80", 443, "203.0.113.80:443", True, id="one to a load balancer's address is"),
        pytest.param("src", "203.0.113.81", 80, "203.0.113.81:80", True, id="one to an external IP is"),
        pytest.param("src", "node/n1", 30000, "192.0.2.1:30000", True, id="one to a node port is"),
        pytest.param("src", "node/n2", 8081, "192.0.2.2:8081", True, id="one to a hostPort is"),
        pytest.param("src", "svc/slices", 80, "10.96.0.10:80", False, id="one to a Service without selector is not"),
        pytest.param("src", "svc/heads", 80, None, False, id="a headless Service is not between the two"),
        pytest.param("src", "node/n2", 9100, None, False, id="nothing is between a pod and a host-network pod"),
    ],
)
def test_whether_the_source_address_may_be_rewritten_on_the_way(
    source: str,
    destination: str,
    port: int,
    dialled: str | None,
    rewritten: bool,  # noqa: FBT001 - a column
) -> None:
    found = asked(source, destination, port)
    assert found.routes
    for route in found.routes:
        if dialled is None:
            assert route.dialled is None
        else:
            assert route.dialled
            assert f"{route.dialled.address}:{route.dialled.port}" == dialled
            assert route.dialled.source_rewritten is rewritten


@pytest.mark.parametrize(
    ("port", "routes"),
    [
        pytest.param(8081, ["a/host-port 10.0.0.7:80"], id="a pod's hostPort leads to the port of its container"),
        pytest.param(9100, ["a/host-network 192.0.2.2:9100"], id="a port of a host-network pod is that pod's"),
        pytest.param(80, ["node n2 192.0.2.2:80"], id="the container's port is not open on the node"),
        pytest.param(8082, ["node n2 192.0.2.2:8082"], id="the hostPort of a finished pod is closed"),
        pytest.param(30001, ["node n2 192.0.2.2:30001"], id="any other port is the node's own"),
    ],
)
def test_a_port_of_a_node(port: int, routes: list[str]) -> None:
    assert arrivals(asked("src", "node/n2", port)) == routes


@pytest.mark.parametrize(
    ("destination", "port", "routes"),
    [
        pytest.param("node/n1", 30000, ["node n1 192.0.2.1:30000"], id="a node port of another protocol"),
        pytest.param("node/n2", 8081, ["node n2 192.0.2.2:8081"], id="a hostPort of another protocol"),
        pytest.param("pod/named", "http", ["a/named 10.0.0.5:53"], id="a name that is another number for UDP"),
    ],
)
def test_a_port_is_of_one_protocol(destination: str, port: int | str, routes: list[str]) -> None:
    assert arrivals(asked("src", destination, port, "UDP")) == routes


def test_without_nodes_any_address_may_be_a_node_with_the_node_port() -> None:
    pods = {key: value for key, value in CLUSTER["pods"].items() if "host_ip" not in value}
    snapshot = cluster(nodes={}, pods={**pods, "a/src": {"ip": "10.0.0.1"}}, objects=())
    assert arrivals(asked("src", "198.51.100.1", 30000, snapshot=snapshot)) == [f"{ONE}:80", f"{TWO}:80"]
    assert arrivals(asked("src", "198.51.100.1", 30001, snapshot=snapshot)) == ["198.51.100.1 198.51.100.1:30001"]


@pytest.mark.parametrize(
    ("destination", "port", "message", "hint"),
    [
        pytest.param("pod/one", "htp", 'a/one has no TCP port named "htp"', "found: http", id="a pod's other ports"),
        pytest.param(
            "bare", "http", 'a/bare has no TCP port named "http"', "write the port number", id="a pod without names"
        ),
        pytest.param(
            "203.0.113.1",
            "http",
            'can\'t look up port name "http": 203.0.113.1 is not a pod',
            "write the port number",
            id="an address",
        ),
        pytest.param(
            "node/n1",
            "http",
            'can\'t look up port name "http": node n1 is not a pod',
            "write the port number",
            id="a node",
        ),
        pytest.param(
            "example.com",
            "http",
            'can\'t look up port name "http": example.com is outside the cluster',
            "write the port number",
            id="a host",
        ),
    ],
)
def test_a_port_name_that_the_destination_does_not_have(destination: str, port: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked("src", destination, port)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("service", "code", "message"),
    [
        pytest.param(
            {"clusterIP": "10.96.0.99", "ports": [{"port": 80}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: it has no selector and no ready EndpointSlice",
            id="neither selector nor slices",
        ),
        pytest.param(
            {"selector": {"app": "none"}, "ports": [{"port": 80}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: its selector selects no pod",
            id="a selector that selects no pod",
        ),
        pytest.param(
            {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "zz"}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            'Service a/s has no ready endpoints: no pod it selects has a port named "zz"',
            id="ready pods without the name of its target port",
        ),
        pytest.param(
            {"selector": {"app": "late"}, "ports": [{"port": 80}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: the pod it selects is not ready",
            id="a pod that is not ready",
        ),
        pytest.param(
            {"selector": {"app": "late"}, "ports": [{"port": 80, "targetPort": "zz"}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: the pod it selects is not ready",
            id="a pod that is not ready and has no such name: ready comes first",
        ),
        pytest.param(
            {"clusterIP": "fd96::9", "selector": {"app": "mixed"}, "ports": [{"port": 80, "targetPort": "zz"}]},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: no pod it selects has an IPv6 address",
            id="pods without an address of its family: that comes before the port",
        ),
        pytest.param(
            {"selector": {"app": "web"}, "ports": [{"port": 81, "nodePort": 80}]},
            Code.SERVICE_HAS_NO_SUCH_PORT,
            "Service a/s has no port 80/TCP; it has 81/TCP; 80 is the nodePort of 81, on the address of a node",
            id="its nodePort",
        ),
        pytest.param(
            {
                "selector": {"app": "web"},
                "ports": [{"name": "u", "port": 80, "protocol": "UDP"}, {"name": "x", "port": 81}],
            },
            Code.SERVICE_HAS_NO_SUCH_PORT,
            "Service a/s has no port 80/TCP; it has u 80/UDP, x 81/TCP",
            id="other ports",
        ),
        pytest.param(
            {"clusterIP": "None", "selector": {"app": "late"}, "ports": []},
            Code.SERVICE_HAS_NO_ENDPOINTS,
            "Service a/s has no ready endpoints: the pod it selects is not ready",
            id="headless, with a pod that is not ready",
        ),
        pytest.param(
            {"type": "ExternalName", "externalName": "example.com"},
            Code.EXTERNAL_NAME,
            "Service a/s is an alias of example.com (type ExternalName)",
            id="an ExternalName",
        ),
    ],
)
def test_why_a_connection_to_a_service_arrives_nowhere(service: dict[str, Any], code: Code, message: str) -> None:
    found = asked("src", "svc/s", 80, snapshot=cluster(services={"a/s": service}))
    assert found.problem
    assert (found.routes, found.problem.code, found.problem.message) == ((), code, message)


def test_several_pods_that_are_not_ready_are_counted() -> None:
    pods = {f"a/{name}": {"labels": {"app": "late"}, "ip": "10.0.0.6", "ready": False} for name in ("late", "later")}
    found = asked("src", "svc/late", 80, snapshot=cluster(pods={**CLUSTER["pods"], **pods}))
    assert found.problem
    assert found.problem.message == "Service a/late has no ready endpoints: none of the 2 pods it selects is ready"


def test_a_service_without_an_address_arrives_at_endpoints_of_both_families() -> None:
    snapshot = cluster(services={"a/slices": {"ports": [{"name": "w", "port": 80}]}})
    assert f"{ONE_6}:8080" in arrivals(asked("src", "svc/slices", 80, snapshot=snapshot))


def test_an_address_of_services_without_the_port_is_the_first_ones() -> None:
    found = asked("src", "203.0.113.81", 82)
    assert found.problem
    assert found.problem.message == "Service a/shared-80 has no port 82/TCP; it has 80/TCP"


@pytest.mark.parametrize(
    ("gap", "destination", "port", "message"),
    [
        pytest.param("pods", "svc/web", 8000, "no pods", id="the pods of a Service"),
        pytest.param("pods", "svc/heads", 80, "no pods", id="the pods of a headless Service"),
        pytest.param("endpointslices", "svc/slices", 80, "no endpointslices", id="the slices of a Service"),
        pytest.param(
            "services",
            "10.96.9.9",
            80,
            "port 80 of 10.96.9.9 may belong to a Service, and no services",
            id="the Service of a private address",
        ),
        pytest.param(
            "services",
            "node/n1",
            31000,
            "port 31000 of node n1 may belong to a Service, and no services",
            id="the Service of a node port",
        ),
        pytest.param(
            "services",
            "node/n1",
            "http",
            "port http of node n1 may belong to a Service, and no services",
            id="the Service of a node's port by name",
        ),
        pytest.param(
            "pods",
            "node/n1",
            31000,
            "port 31000 of node n1 may be a pod's hostPort, and no pods",
            id="the pod of a hostPort",
        ),
        pytest.param("services", "8.8.8.8", 53, None, id="no Service has a public address"),
        pytest.param("pods", "10.96.9.9", 80, None, id="an address of no node has no hostPort"),
        pytest.param("services", "pod/one", 80, None, id="a pod is not a Service"),
    ],
)
def test_what_was_not_read_leaves_the_destination_open(
    gap: str, destination: str, port: int | str, message: str | None
) -> None:
    snapshot = cluster(gaps=[{"resource": gap, "namespace": None, "message": f"no {gap}"}])
    found = asked("10.0.0.1", destination, port, snapshot=snapshot)
    if message is None:
        assert (found.problem, len(found.routes)) == (None, 1)
        return
    assert found.problem
    assert (found.routes, found.problem.code, found.problem.message) == ((), Code.PERMISSION_MISSING, message)


@pytest.mark.parametrize(
    ("source", "address"),
    [
        pytest.param(Pod("a", "s", ips=("fd00::9",)), "fd00::1", id="of the source's family"),
        pytest.param(Pod("a", "s"), "10.0.0.1", id="the first for a source without address"),
        pytest.param(None, "10.0.0.1", id="the first for a source that is not a pod"),
    ],
)
def test_the_address_of_a_pod_for_a_source(source: Pod | None, address: str) -> None:
    assert address_for(Pod("a", "d", ips=("10.0.0.1", "fd00::1")), source) == address


LOCAL = """
nodes: {n1: [192.0.2.1], n2: [192.0.2.2]}
pods:
  a/one: {labels: {app: web}, ip: 10.0.0.2, node: n1}
  a/two: {labels: {app: web}, ip: 10.0.0.4, node: n3}
  a/lost: {labels: {app: lost}, ip: 10.0.0.5}
services:
  a/web: {type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
  a/any: {type: NodePort, clusterIP: 10.96.0.2, selector: {app: web}, ports: [{port: 80, nodePort: 30081}]}
  a/lost: {type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.3, selector: {app: lost}, ports: [{port: 80, nodePort: 30082}]}
  a/none: {type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.4, selector: {app: none}, ports: [{port: 80, nodePort: 30083}]}
"""  # noqa: E501 - a Service a line


@pytest.mark.parametrize(
    ("source", "node", "port", "pods"),
    [
        pytest.param("203.0.113.7", "n1", 30080, ["a/one"], id="Local: the pods of the node"),
        pytest.param("203.0.113.7", "n2", 30080, [], id="Local: no pod of the node"),
        pytest.param("203.0.113.7", "n2", 30081, ["a/one", "a/two"], id="Cluster: every pod"),
        pytest.param("203.0.113.7", "n1", 30082, ["a/lost"], id="Local: a pod whose node is not known"),
        pytest.param("203.0.113.7", "n1", 30083, [], id="Local: no pod at all"),
        pytest.param("a/lost", "n2", 30080, ["a/one", "a/two"], id="from a pod: every pod"),
    ],
)
def test_where_a_node_port_leads(source: str, node: str, port: int, pods: list[str]) -> None:
    snapshot = snapshot_of(yaml.safe_load(LOCAL))
    found = asked(source if "." in source else "lost", f"node/{node}", port, snapshot=snapshot)
    assert [route.destination.title for route in found.routes] == pods
    assert (found.problem is None) is bool(pods)


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        pytest.param({"app": "other"}, True, id="of other labels"),
        pytest.param({"app": "web"}, False, id="of its labels"),
        pytest.param(None, False, id="of labels that can't be read"),
    ],
)
def test_a_pod_that_can_not_be_read_matters_to_a_service_that_may_select_it(
    labels: dict[str, str] | None,
    known: bool,  # noqa: FBT001 - a column
) -> None:
    gap = Gap("pods", "shop", "shop/pod/odd can't be read", name="odd", labels=labels)
    pods = [Pod("shop", "web", {"app": "web"}, ("10.0.0.1",)), Pod("shop", "san", {}, ("10.0.0.2",))]
    service = Service("shop", "web", LabelSelector.of({"app": "web"}), (ServicePort(None, 80, 80),))
    snapshot = Snapshot(pods=pods, services=[service], gaps=[gap])
    found = request(snapshot, Resolved(pod=pods[1], typed="san"), Resolved(service=service, typed="web"), 80, "TCP")
    assert (found.problem is None) is known
