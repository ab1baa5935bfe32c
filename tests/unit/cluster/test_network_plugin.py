"""Which network plugin a cluster runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.network_plugin import deciding_plugin, network_plugin
from tests.support.api import FakeApi, forbidden
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
    assert [request.target for request in server.requests] == ["/apis/apps/v1/daemonsets?limit=500"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_plugin_is_unknown_if_daemonsets_can_t_be_listed(serve: Serve, pki: Pki, status: int) -> None:
    assert network_plugin(api_for(serve(lambda *_: Answer(status, {"message": "no"})), pki)) is None


DAEMONSETS = "/apis/apps/v1/daemonsets"
BOTH = ["GlobalNetworkPolicy", "CiliumNetworkPolicy"]


@pytest.mark.parametrize(
    ("kinds", "names", "plugin"),
    [
        pytest.param(["GlobalNetworkPolicy"], ["calico-node"], "Calico", id="Calico"),
        pytest.param(["CiliumClusterwideNetworkPolicy"], ["cilium", "calico-node"], "Cilium", id="Cilium"),
        pytest.param(["GlobalNetworkPolicy"], ["cilium"], None, id="the DaemonSet of another"),
        pytest.param(["GlobalNetworkPolicy"], ["calico-node-2"], None, id="one of another name"),
        pytest.param(BOTH, ["calico-node"], "Calico", id="kinds of both, one of which runs"),
        pytest.param(BOTH, ["calico-node", "cilium"], None, id="both: neither decides"),
        pytest.param(["GlobalNetworkPolicy"], None, "Calico", id="DaemonSets may not be listed"),
        pytest.param(BOTH, None, None, id="they may not, and there are kinds of both"),
    ],
)
def test_the_plugin_that_decides(kinds: list[str], names: list[str] | None, plugin: str | None) -> None:
    listed = forbidden(DAEMONSETS) if names is None else [{"metadata": {"name": name}} for name in names]
    fake = FakeApi({DAEMONSETS: listed})
    found, gap = deciding_plugin(fake.api, kinds)
    assert found == plugin
    assert (gap is not None) == (names is None and plugin is not None)


def test_no_plugin_is_looked_for_where_none_has_kinds() -> None:
    fake = FakeApi()
    assert deciding_plugin(fake.api, ["AdminNetworkPolicy", "AntreaNetworkPolicy"]) == (None, None)
    assert fake.asked == []
