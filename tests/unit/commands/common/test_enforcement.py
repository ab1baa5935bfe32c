"""What a cluster shows of its plugin and its kinds of policy, and what is asked for it."""

from __future__ import annotations

import pytest

from kubectl_netpol.commands.common.enforcement import read_enforcement
from kubectl_netpol.errors import ClusterError
from tests.support.api import FakeApi, forbidden, groups

DAEMONSETS = "/apis/apps/v1/daemonsets"


def test_the_plugin_and_the_kinds_that_are_served() -> None:
    fake = FakeApi({"/apis": groups(cilium_io="v2"), DAEMONSETS: [{"metadata": {"name": "cilium"}}]})
    found = read_enforcement(fake.api)
    assert (found.plugin, found.enforced) == ("Cilium", True)
    assert [one.kind for one in found.kinds] == [
        "NetworkPolicy.networking.k8s.io",
        "CiliumNetworkPolicy.cilium.io",
        "CiliumClusterwideNetworkPolicy.cilium.io",
    ]
    assert fake.asked == ["/apis", DAEMONSETS]


def test_where_daemonsets_may_not_be_listed_that_is_the_reason() -> None:
    found = read_enforcement(FakeApi({DAEMONSETS: forbidden("daemonsets")}).api)
    assert found.enforced is None
    assert found.kinds[0].why == "you may not list daemonsets in the whole cluster"


def test_a_server_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ClusterError):
        read_enforcement(FakeApi({DAEMONSETS: ClusterError("no answer")}).api)
