"""Replies that were taken for connections, as a log of denied packets suggests."""

# ruff: noqa: E501 - a policy a line

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.lint.replies import probable_reply
from tests.support.tables import ask, snapshot_of

CLUSTER = """
nodes: {n1: [192.0.2.1]}
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080 dns=53/UDP}
  a/cli: {labels: {app: cli}, ip: 10.0.0.2}
  a/shut: {labels: {app: shut}, ip: 10.0.0.3, ports: high=40000}
services:
  a/cli: {clusterIP: 10.96.0.1, selector: {app: cli}, ports: [{port: 50000}]}
policies:
  a/cli: {podSelector: {matchLabels: {app: cli}}, policyTypes: [Ingress, Egress], egress: [{ports: [{port: 8080}, {port: 443}]}]}
  a/shut: {podSelector: {matchLabels: {app: shut}}, policyTypes: [Ingress, Egress]}
"""


@pytest.mark.parametrize(
    ("source", "destination", "port", "protocol", "back"),
    [
        pytest.param("a/web", "a/pod/cli", 51234, "TCP", "a/pod/cli to a/web, on port 8080", id="by a declared port"),
        pytest.param("203.0.113.7", "a/pod/cli", 32768, "TCP", "a/pod/cli to 203.0.113.7, on port 443", id="by a usual one"),
        pytest.param("a/web", "10.0.0.2", 51234, "TCP", "10.0.0.2 to a/web, on port 8080", id="by an address"),
        pytest.param("a/web", "a/pod/cli", 51234, "UDP", None, id="the way back is shut for the protocol"),
        pytest.param("a/web", "a/pod/cli", 8080, "TCP", None, id="a port that no client gets"),
        pytest.param("a/web", "a/pod/cli", 61000, "TCP", None, id="a port above those"),
        pytest.param("a/cli", "a/pod/web", 51234, "TCP", None, id="the way back is shut"),
        pytest.param("a/web", "a/pod/shut", 40000, "TCP", None, id="a port that the pod declares"),
        pytest.param("a/web", "a/svc/cli", 50000, "TCP", None, id="a port of a Service"),
        pytest.param("a/cli", "example.com.", 51234, "TCP", None, id="a host name"),
        pytest.param("a/web", "203.0.113.7", 51234, "TCP", None, id="an open connection"),
    ],
)  # fmt: skip
def test_a_reply_is_told_where_the_way_back_is_open(
    source: str, destination: str, port: int, protocol: str, back: str | None
) -> None:
    snapshot = snapshot_of(yaml.safe_load(CLUSTER))
    found = list(probable_reply(snapshot, ask(snapshot, source, destination, port, protocol)))
    message = (
        f"{port} is a port that clients get: from a log, this is a reply to a connection from {back} say, "
        "which is allowed; replies need no rule"
    )
    assert [note.message for note in found] == ([message] if back else [])
