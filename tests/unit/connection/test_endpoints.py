"""Which endpoints a Service has, and the words where it has none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.connection.endpoints import endpoints_of
from tests.support.tables import snapshot_of

CLUSTER = yaml.safe_load("""
pods:
  a/src: {ip: 10.0.0.1}
  a/four: {labels: {app: web}, ip: 10.0.0.2, ports: http=80}
  a/both: {labels: {app: web}, ip: "10.0.0.3 fd00::3", ports: http=8080}
  a/late: {labels: {app: late}, ip: 10.0.0.4, ready: false}
""")
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "addressType": "IPv4",
    "metadata": {"namespace": "a", "name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
    "ports": [{"name": "y", "port": 8080}],
}
READY = {"addresses": ["192.0.2.1"]}
LATE = {"addresses": ["192.0.2.2"], "conditions": {"ready": False}}
WEB: dict[str, Any] = {"clusterIP": "10.96.0.1", "selector": {"app": "web"}, "ports": [{"port": 80}]}
OUTSIDE: dict[str, Any] = {"clusterIP": "10.96.0.1", "ports": [{"name": "y", "port": 80}]}


@pytest.mark.parametrize(
    ("service", "slices", "address", "found"),
    [
        pytest.param(WEB, [], "10.96.0.1", ["10.0.0.2:80", "10.0.0.3:80"], id="the pods that its selector matches"),
        pytest.param(WEB, [], "fd96::1", ["fd00::3:80"], id="by IPv6 those that have such an address"),
        pytest.param(
            {**WEB, "ports": [{"port": 80, "targetPort": "http"}]},
            [],
            "10.96.0.1",
            ["10.0.0.2:80", "10.0.0.3:8080"],
            id="each by the number of its own port of that name",
        ),
        pytest.param(
            {**WEB, "externalIPs": ["2001:db8::1"]},
            [],
            "2001:db8::1",
            ["fd00::3:80", "10.0.0.2:80"],
            id="at another address something may translate",
        ),
        pytest.param(OUTSIDE, [[READY, LATE]], "10.96.0.1", ["192.0.2.1:8080"], id="ready ones of a slice"),
        pytest.param(OUTSIDE, [[READY], [READY]], "10.96.0.1", ["192.0.2.1:8080"], id="of two slices, each once"),
        pytest.param(
            OUTSIDE, [], "10.96.0.1", "it has no selector and no ready EndpointSlice", id="no selector and no slice"
        ),
        pytest.param(
            OUTSIDE, [[LATE]], "10.96.0.1", "it has no selector and no ready EndpointSlice", id="nothing in it is ready"
        ),
        pytest.param(
            {**OUTSIDE, "ports": [{"name": "x", "port": 80}]},
            [[READY]],
            "10.96.0.1",
            "no EndpointSlice of it has its port x 80/TCP",
            id="a slice with a port of another name",
        ),
        pytest.param(
            {**OUTSIDE, "ports": [{"port": 80}]},
            [[READY]],
            "10.96.0.1",
            "no EndpointSlice of it has its port 80/TCP",
            id="a slice with a port of another name, the Service's without one",
        ),
        pytest.param(
            OUTSIDE, [[READY]], "fd96::1", "no EndpointSlice of it has IPv6 addresses", id="slices of the other family"
        ),
        pytest.param(
            {**WEB, "selector": {"app": "late"}},
            [],
            "10.96.0.1",
            "the pod it selects is not ready",
            id="a pod not ready",
        ),
        pytest.param(
            {**WEB, "selector": {"app": "late"}},
            [],
            "fd96::1",
            "the pod it selects is not ready",
            id="nor of that family",
        ),
    ],
)
def test_the_endpoints(
    service: dict[str, Any], slices: list[list[dict[str, Any]]], address: str, found: list[str] | str
) -> None:
    objects = [{**SLICE, "endpoints": endpoints} for endpoints in slices]
    for number, one in enumerate(objects):
        one["metadata"] = {**SLICE["metadata"], "name": f"s-{number}"}  # type: ignore[dict-item] # it is a dict
    snapshot = snapshot_of({**CLUSTER, "services": {"a/s": service}, "objects": objects})
    (own,) = snapshot.services
    ends, problem = endpoints_of(snapshot, own, own.ports[0], address=address, source=snapshot.pod("a", "src"))
    if isinstance(found, str):
        assert problem
        assert (ends, problem.message) == ((), f"Service a/s has no ready endpoints: {found}")
    else:
        assert problem is None
        assert sorted(f"{end.address}:{number}" for end, number in ends) == sorted(found)
