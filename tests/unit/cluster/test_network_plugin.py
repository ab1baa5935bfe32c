"""Which network plugin a cluster runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.network_plugin import network_plugin
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, api_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., FakeServer]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["calico-node", "kube-proxy"], "Calico", id="one"),
        pytest.param(["kube-flannel-ds"], "flannel, which enforces no policies by itself", id="by a prefix"),
        pytest.param(
            ["kube-network-policies", "kindnet"],
            "kindnet, which enforces no policies before kind 0.24 and kube-network-policies",
            id="two",
        ),
        pytest.param(["my-cilium", "kube-proxy"], None, id="none that is known"),
        pytest.param([], None, id="no DaemonSets"),
    ],
)
def test_a_plugin_is_known_by_its_daemonset(serve: Serve, pki: Pki, names: list[str], expected: str | None) -> None:
    server = serve(lambda *_: Answer(body={"items": [{"metadata": {"name": name}} for name in names]}))
    assert network_plugin(api_for(server, pki)) == expected
    assert [request.target for request in server.requests] == ["/apis/apps/v1/daemonsets"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_plugin_is_unknown_if_daemonsets_can_t_be_listed(serve: Serve, pki: Pki, status: int) -> None:
    assert network_plugin(api_for(serve(lambda *_: Answer(status, {"message": "no"})), pki)) is None
