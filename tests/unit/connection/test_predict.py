"""A request's routes put together, and what a request is for each kind of destination."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.connection.predict import pod_connection, predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import Request, request
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import UsageError
from tests.support.tables import ask, snapshot_of

CLUSTER = yaml.safe_load("""
nodes: {n1: [192.0.2.1, "2001:db8::1"]}
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1, node: n1, host_ip: 192.0.2.1}
  a/six: {labels: {app: src}, ip: "fd00::1"}
  a/one: {labels: {app: web, v: "1"}, ip: "10.0.0.2 fd00::2", ports: http=80 dns=53/UDP}
  a/two: {labels: {app: web, v: "2"}, ip: "fd00::3 10.0.0.3", ports: http=80}
  a/bare: {ip: 10.0.0.4}
services:
  a/web: {clusterIPs: [10.96.0.1, "fd96::1"], selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
  a/node:
    type: NodePort
    clusterIP: 10.96.0.2
    selector: {app: web}
    ports: [{port: 8000, targetPort: 80, nodePort: 30000}]
  a/heads: {clusterIP: None, selector: {app: web}, ports: [{name: w, port: 8000, targetPort: http}]}
policies:
  a/one: {podSelector: {matchLabels: {v: "1"}}, ingress: [{from: [{podSelector: {}}]}]}
  a/two: {podSelector: {matchLabels: {v: "2"}}, policyTypes: [Ingress, Egress]}
""")


def asked(source: str, destination: str, port: int | str, protocol: str = "TCP") -> Request:
    snapshot = snapshot_of(CLUSTER)
    here = resolve_source(snapshot, parse_reference(source, "a"))
    there = resolve_destination(snapshot, parse_reference(destination, "a"))
    return request(snapshot, here, there, port, protocol)


@pytest.mark.parametrize(
    ("source", "destination", "port", "wanted"),
    [
        pytest.param("src", "pod/one", 81, (81, "10.0.0.2", None, ["10.0.0.2"]), id="a pod"),
        pytest.param("src", "pod/one", "http", (80, "10.0.0.2", None, ["10.0.0.2"]), id="a pod's port by name"),
        pytest.param("src", "pod/two", 80, (80, "10.0.0.3", None, ["10.0.0.3"]), id="a pod's address of my family"),
        pytest.param(
            "six", "pod/one", 80, (80, "fd00::2", None, ["fd00::2"]), id="a pod's address of the other family"
        ),
        pytest.param("six", "bare", 80, (80, "10.0.0.4", None, ["10.0.0.4"]), id="a pod that shares no family"),
        pytest.param("src", "10.0.0.2", 80, (80, "10.0.0.2", None, ["10.0.0.2"]), id="an address is its pod"),
        pytest.param("src", "svc/web", 8000, (8000, "10.96.0.1", "a/web", ["10.0.0.2", "10.0.0.3"]), id="a Service"),
        pytest.param("six", "svc/web", "w", (8000, "fd96::1", "a/web", ["fd00::2", "fd00::3"]), id="its IPv6 address"),
        pytest.param(
            "203.0.113.1", "svc/web", 8000, (8000, "10.96.0.1", "a/web", ["10.0.0.2", "10.0.0.3"]), id="outside"
        ),
        pytest.param(
            "src", "fd96::1", 8000, (8000, "fd96::1", "a/web", ["fd00::2", "fd00::3"]), id="its address typed"
        ),
        pytest.param("src", "heads", 80, (80, "10.0.0.2", "a/heads", ["10.0.0.2", "10.0.0.3"]), id="headless"),
        pytest.param("src", "heads", "w", (80, "10.0.0.2", "a/heads", ["10.0.0.2", "10.0.0.3"]), id="headless by name"),
        pytest.param(
            "src", "node/n1", 30000, (30000, "192.0.2.1", "a/node", ["10.0.0.2", "10.0.0.3"]), id="a node port"
        ),
        pytest.param("six", "node/n1", 30000, (30000, "2001:db8::1", "a/node", ["fd00::2", "fd00::3"]), id="by IPv6"),
        pytest.param("src", "192.0.2.1", 22, (22, "192.0.2.1", None, ["192.0.2.1"]), id="a node"),
        pytest.param("six", "node/n1", 22, (22, "2001:db8::1", None, ["2001:db8::1"]), id="a node by IPv6"),
        pytest.param("src", "203.0.113.1", 22, (22, "203.0.113.1", None, ["203.0.113.1"]), id="an address outside"),
        pytest.param("src", "example.com", 22, (22, None, None, [None]), id="a host name"),
        pytest.param("src", "svc/web", 1, (1, None, "a/web", []), id="a port the Service does not have"),
    ],
)
def test_what_is_asked_and_where_it_arrives(
    source: str, destination: str, port: int | str, wanted: tuple[object, ...]
) -> None:
    found = asked(source, destination, port)
    addresses = [route.destination.address for route in found.routes]
    assert (found.port, found.address, found.service and found.service.key, addresses) == wanted


@pytest.mark.parametrize(
    ("destination", "port", "message", "hint"),
    [
        ("pod/one", "htp", 'a/one has no TCP port named "htp"', "it has http"),
        ("bare", "http", 'a/bare has no TCP port named "http"', "write the number"),
        ("203.0.113.1", "http", '"http" is a port name, and 203.0.113.1 is no pod', "write the number"),
        ("node/n1", "http", '"http" is a port name, and node n1 is no pod', "write the number"),
        ("example.com", "http", '"http" is a port name, and example.com is outside the cluster', "write the number"),
    ],
)
def test_a_port_name_that_is_not_there(destination: str, port: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked("src", destination, port)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_routes_that_differ_leave_a_verdict_each() -> None:
    verdict = ask(snapshot_of(CLUSTER), "a/src", "a/svc/web", 8000, "TCP")
    assert verdict.verdict is Verdict.UNDEFINED
    assert [(route.connection.destination.title, route.verdict.value) for route in verdict.routes] == [
        ("a/one", "allowed"),
        ("a/two", "blocked"),
    ]
    assert verdict.reason
    assert verdict.reason.message == "it depends on the endpoint: of 2, 1 allowed, 1 blocked"
    assert verdict.egress.verdict is Verdict.ALLOWED
    assert verdict.ingress.verdict is Verdict.UNDEFINED
    assert [policy.name for policy in verdict.ingress.isolated_by] == ["one", "two"]
    assert [allow.policy.name for allow in verdict.ingress.allowed_by] == ["one"]
    assert verdict.blocked_at == ()


def test_a_request_without_routes_has_its_reason_on_both_sides() -> None:
    snapshot = snapshot_of(CLUSTER)
    verdict = predict(snapshot, asked("src", "svc/web", 1))
    assert verdict.reason
    assert verdict.reason.message == "Service a/web has no port 1/TCP; it has w 8000/TCP"
    assert verdict.egress.reason is verdict.ingress.reason is verdict.reason
    assert verdict.routes == ()


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"clusterIP": "10.96.0.9", "ports": [{"port": 80}]}, "it has no selector and no ready EndpointSlice"),
        ({"selector": {"app": "none"}, "ports": [{"port": 80}]}, "its selector selects no pod"),
        (
            {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "zz"}]},
            'no pod it selects has a port named "zz"',
        ),
        ({"selector": {"app": "new"}, "ports": [{"port": 80}]}, "none of the 1 pods it selects is ready"),
        (
            {"selector": {"app": "new"}, "ports": [{"port": 80, "targetPort": "zz"}]},
            "none of the 1 pods it selects is ready",
        ),
        ({"ports": []}, None),
    ],
)
def test_why_a_service_has_no_endpoints(service: dict[str, object], why: str | None) -> None:
    pods = {**CLUSTER["pods"], "a/new": {"labels": {"app": "new"}, "ip": "10.0.0.9", "ready": False}}
    snapshot = snapshot_of({**CLUSTER, "pods": pods, "services": {"a/s": service}})
    verdict = ask(snapshot, "a/src", "a/svc/s", 80, "TCP")
    assert verdict.reason
    if why is None:
        assert verdict.reason.message == "Service a/s has no port 80/TCP; it has none"
    else:
        assert verdict.reason.message == f"Service a/s has no ready endpoints: {why}"


def test_the_connection_of_two_pods_is_that_of_a_request_by_name() -> None:
    snapshot = snapshot_of(CLUSTER)
    for source in snapshot.pods:
        for destination in snapshot.pods:
            found = asked(f"pod/{source.name}", f"pod/{destination.name}", 80)
            verdict = predict(snapshot, found)
            assert verdict.routes[0].connection == pod_connection(source, destination, "TCP", 80)
