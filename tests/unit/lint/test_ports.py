"""Ports of a rule that no destination pod has."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.lint.ports import mistaken_ports
from tests.support.tables import snapshot_of

CLUSTER = yaml.safe_load("""
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080 dns=53/UDP}
  shop/api: {labels: {app: api}, ip: 10.0.0.2, ports: "9090"}
  shop/both: {labels: {app: both}, ip: 10.0.0.3, ports: 80 8080}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
  shop/both: {clusterIP: 10.96.0.5, selector: {app: both}, ports: [{port: 80, targetPort: 8080}]}
  shop/heads: {clusterIP: None, selector: {app: web}, ports: [{port: 81, targetPort: http}]}
  shop/gone: {clusterIP: 10.96.0.2, selector: {app: web}, ports: [{port: 82, targetPort: gone}]}
  shop/same: {clusterIP: 10.96.0.4, selector: {app: web}, ports: [{port: 84, targetPort: 84}]}
  shop/api: {clusterIP: 10.96.0.3, selector: {app: api}, ports: [{port: 83, targetPort: 8083}]}
""")


OF_WEB = "service-port-in-rule: p ingress[0]: 80 is the port of Service web, but its pods listen on 8080: use 8080"
OF_API = "service-port-in-rule: p ingress[0]: 83 is the port of Service api, but its pods listen on 8083: use 8083"


def unknown(port: str, known: str) -> str:
    return f"unknown-named-port: p ingress[0]: no pod has a {port} ({known}); some plugins then open every port"


@pytest.mark.parametrize(
    ("ports", "pods", "wanted"),
    [
        pytest.param("[{port: http}, {port: dns, protocol: UDP}]", "web", [], id="names that the pods have"),
        pytest.param(
            "[{port: htp}]",
            "web",
            [unknown('TCP port named "htp"', "named ports: dns, http")],
            id="a name that no pod has",
        ),
        pytest.param(
            "[{port: http, protocol: UDP}]",
            "web",
            [unknown('UDP port named "http"', "named ports: dns, http")],
            id="a name that the pods have for another protocol",
        ),
        pytest.param(
            "[{port: http}]",
            "api",
            [unknown('TCP port named "http"', "no named ports")],
            id="a name, and pods without named ports",
        ),
        pytest.param("[{port: http}]", "api web", [], id="a name that one of the pods has"),
        pytest.param("[{port: http}, {port: 80}]", "", [], id="no destination pods"),
        pytest.param("[{port: 80}]", "web", [OF_WEB], id="the port of a Service with a named target"),
        pytest.param("[{port: 83}]", "api", [OF_API], id="the port of a Service with a numeric target"),
        pytest.param("[{port: 80}]", "api", [], id="the port of another pod's Service"),
        pytest.param("[{port: 80, protocol: UDP}]", "web", [], id="a Service port of another protocol"),
        pytest.param("[{port: 81}]", "web", [], id="a headless Service maps no port"),
        pytest.param("[{port: 82}]", "web", [], id="a Service whose target the pod does not have"),
        pytest.param("[{port: 84}]", "web", [], id="a Service with the same port as its pods"),
        pytest.param("[{port: 80}]", "both", [], id="the port of a Service that its pods declare too"),
        pytest.param("[{port: 80, endPort: 90}]", "web", [], id="a range"),
        pytest.param(
            "[{port: 80}, {port: htp}]",
            "web",
            [OF_WEB, unknown('TCP port named "htp"', "named ports: dns, http")],
            id="two mistakes",
        ),
    ],
)
def test_ports_that_no_destination_pod_has(ports: str, pods: str, wanted: list[str]) -> None:
    spec = {"podSelector": {}, "ingress": [{"ports": yaml.safe_load(ports)}]}
    snapshot = snapshot_of({**CLUSTER, "policies": {"shop/p": spec}})
    targets = tuple(pod for name in pods.split() if (pod := snapshot.pod("shop", name)))
    policy = snapshot.policies[0]
    notes = mistaken_ports(snapshot, policy, policy.rules[0], targets)
    assert [f"{note.code}: {note.message}" for note in notes] == wanted
