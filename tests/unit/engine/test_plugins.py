"""Which plugin decides, and that both answer what a plugin is asked, over the same cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.engine.calico import Calico
from kubectl_netpol.engine.cilium import Cilium
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.policies import Direction
from tests.support.tables import ask, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BASE: dict[str, Any] = {
    "nodes": {"n1": ["192.0.2.1"]},
    "pods": {
        "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.1", "node": "n1"},
        "a/db": {"labels": {"app": "db"}, "ip": "10.0.0.2", "node": "n1", "ports": "http=80"},
        "a/db2": {"labels": {"app": "db", "more": "x"}, "ip": "10.0.0.3", "node": "n1", "ports": "http=80"},
    },
    "policies": {"a/plain": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
}
CILIUM = {
    **BASE,
    "cilium": {
        "a/deny": {
            "endpointSelector": {"matchLabels": {"app": "db"}},
            "ingressDeny": [{"fromCIDR": ["192.0.2.0/24"]}],
            "enableDefaultDeny": {"ingress": False},
        }
    },
}
CALICO = {
    **BASE,
    "calico": {
        "tier/sec": {"order": 1, "defaultAction": "Pass"},
        "gnp/deny": {
            "tier": "sec",
            "selector": "app == 'db'",
            "types": ["Ingress"],
            "ingress": [{"action": "Deny", "source": {"nets": ["192.0.2.0/24"]}}],
        },
        "hep/h": {"node": "n1", "interfaceName": "eth0"},
    },
}
BOTH = [pytest.param(CILIUM, id="Cilium"), pytest.param(CALICO, id="Calico")]


def pod(snapshot: Snapshot, name: str) -> Pod:
    found = snapshot.pod("a", name)
    assert found
    return found


def test_where_no_plugin_decides_there_is_none() -> None:
    assert plugin_of(snapshot_of(BASE)) is None


@pytest.mark.parametrize(("cluster", "kind"), [(CILIUM, Cilium), (CALICO, Calico)])
def test_a_plugin_is_made_once_for_a_cluster(cluster: dict[str, Any], kind: type) -> None:
    snapshot = snapshot_of(cluster)
    found = plugin_of(snapshot)
    assert isinstance(found, kind)
    assert plugin_of(snapshot) is found


@pytest.mark.parametrize("cluster", BOTH)
def test_its_policies_rules_and_blocks(cluster: dict[str, Any]) -> None:
    plugin = plugin_of(snapshot_of(cluster))
    assert plugin
    assert sorted(policy.name for policy in plugin.policies) == ["deny", "plain"]
    assert sorted((policy.name, rule.position) for policy, rule in plugin.rules) == [("deny", 0), ("plain", 0)]
    assert plugin.blocks == {"10.0.0.0/8", "192.0.2.0/24"}


@pytest.mark.parametrize("cluster", BOTH)
@pytest.mark.parametrize(
    ("name", "direction", "asked", "isolating"),
    [
        pytest.param("db", INGRESS, {"deny", "plain"}, ["plain"], id="one that denies does not isolate here"),
        pytest.param("web", INGRESS, {"plain"}, ["plain"], id="one that selects other pods has no say"),
        pytest.param("db", EGRESS, set(), [], id="nor has one of the other direction"),
    ],
)
def test_who_has_a_say(
    cluster: dict[str, Any], name: str, direction: Direction, asked: set[str], isolating: list[str]
) -> None:
    snapshot = snapshot_of(cluster)
    plugin = plugin_of(snapshot)
    assert plugin
    assert {policy.name for policy in plugin.asked(pod(snapshot, name), direction)} == asked
    assert [policy.name for policy in plugin.isolating(pod(snapshot, name), direction)] == isolating


@pytest.mark.parametrize("cluster", BOTH)
def test_pods_are_alike_unless_a_selector_names_what_differs(cluster: dict[str, Any]) -> None:
    snapshot = snapshot_of(cluster)
    plugin = plugin_of(snapshot)
    assert plugin
    web, db, other = (plugin.class_of(pod(snapshot, name)) for name in ("web", "db", "db2"))
    assert db == other != web


NAMES = {"endpointSelector": {}, "egress": [{"toPorts": [{"ports": [{"port": "http"}]}]}]}
HOST = {"labels": {"app": "host"}, "ip": "192.0.2.1", "node": "n1", "host_network": True}


@pytest.mark.parametrize(
    ("more", "pods"),
    [
        pytest.param({"cilium": {"a/names": NAMES}}, ("db", "db2"), id="all labels, where a port has a name"),
        pytest.param({"pods": {"a/host": HOST}}, ("db", "far"), id="the node, where there are pods on its network"),
        pytest.param({}, ("db", "robot"), id="the service account"),
        pytest.param({}, ("db", "over"), id="whether it has finished"),
        pytest.param({"pods": {"a/host": HOST, "a/two": {**HOST, "ip": "192.0.2.9"}}}, ("host", "two"), id="addresses"),
    ],
)
def test_what_tells_pods_apart_on_cilium(more: dict[str, Any], pods: tuple[str, str]) -> None:
    own = {
        "a/far": {**BASE["pods"]["a/db"], "ip": "10.0.0.4", "node": "n2"},
        "a/robot": {**BASE["pods"]["a/db"], "ip": "10.0.0.5", "account": "robot"},
        "a/over": {**BASE["pods"]["a/db"], "ip": "10.0.0.6", "phase": "Succeeded"},
    }
    snapshot = snapshot_of({**CILIUM, **more, "pods": {**CILIUM["pods"], **own, **more.get("pods", {})}})
    plugin = plugin_of(snapshot)
    assert plugin
    one, other = (plugin.class_of(pod(snapshot, name)) for name in pods)
    assert one != other


def test_what_policies_a_node_has() -> None:
    cilium, calico = snapshot_of(CILIUM), snapshot_of(CALICO)
    for snapshot, kind in ((cilium, Pod), (calico, Note)):
        plugin = plugin_of(snapshot)
        assert plugin
        assert isinstance(plugin.of_node(snapshot.nodes[0]), kind)
    without = snapshot_of({**CALICO, "calico": {"gnp/deny": CALICO["calico"]["gnp/deny"] | {"tier": "default"}}})
    plugin = plugin_of(without)
    assert plugin
    assert plugin.of_node(without.nodes[0]) is None


def test_what_differs_from_the_api() -> None:
    for cluster, words in ((CILIUM, "an ipBlock never matches a pod"), (CALICO, "")):
        snapshot = snapshot_of(cluster)
        plugin = plugin_of(snapshot)
        assert plugin
        assert plugin.difference(ask(snapshot, "a/web", "a/db", 80, "TCP").routes[0].connection) == words
