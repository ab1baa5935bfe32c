"""Rules of Kubernetes' kinds as Calico makes them its own. What they match is in tests/cases/calico.yaml."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.engine.calico_kubernetes import rules_of_kubernetes, rules_of_tiered, subject_of
from kubectl_netpol.engine.calico_things import Things
from kubectl_netpol.engine.conditions import Held, Seen
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.calico import Labels
from kubectl_netpol.model.objects import ContainerPort, Namespace, Pod
from kubectl_netpol.model.policies import Action, Direction
from kubectl_netpol.model.snapshot import Snapshot
from kubectl_netpol.policies.networkpolicy import read_policy
from kubectl_netpol.policies.tiers import read_tiered

WEB = Pod("shop", "web", {"app": "web"}, ("10.0.0.1",), (ContainerPort("http", 80),))
API = Pod("shop", "api", {"app": "api"}, ("10.0.0.2",))
SNAPSHOT = Snapshot(namespaces=[Namespace("shop", {"env": "x"})], pods=[WEB, API], plugin="Calico")
SEEN = Seen(Direction.INGRESS, WEB, API, None, "10.0.0.2", "TCP", 80)


def kubernetes(*rules: Any) -> Any:
    policy = read_policy({"spec": {"podSelector": {}, "ingress": list(rules)}}, {}, "shop", "p")
    return rules_of_kubernetes(Things(SNAPSHOT), policy)


APP = {"podSelector": {"matchLabels": {"app": "api"}}}


@pytest.mark.parametrize(
    ("rule", "held"),
    [
        pytest.param({}, Held(), id="a rule for everyone"),
        pytest.param({"from": [{"podSelector": {"matchLabels": {"app": "x"}}}, APP]}, Held(1), id="its second peer"),
        pytest.param({"ports": [{"port": 81}, {"port": "http"}]}, Held(None, 1), id="its second port"),
        pytest.param({"from": [APP], "ports": [{"port": 80}]}, Held(0, 0), id="both"),
        pytest.param({"from": [APP], "ports": [{"port": 81}]}, False, id="another port"),
    ],
)
def test_which_peer_and_port_match(rule: Any, held: object) -> None:
    (found,) = kubernetes(rule)
    assert found.condition.holds(SNAPSHOT, SEEN) == held
    assert found.condition.text() == "", "its peers and ports say it"


def test_what_is_not_known_gives_way_to_what_matches() -> None:
    unread = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
    other = API._replace(namespace="lab")
    (found,) = kubernetes({"from": [unread, {"ipBlock": {"cidr": "10.0.0.2/32"}}]})
    assert found.condition.holds(SNAPSHOT, SEEN._replace(pod=other)) == Held(1)
    (found,) = kubernetes({"from": [unread]})
    assert isinstance(found.condition.holds(SNAPSHOT, SEEN._replace(pod=other)), Note)


def tiered(*rules: Any) -> Any:
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "egress": list(rules)}
    return rules_of_tiered(Things(SNAPSHOT), read_tiered("ClusterNetworkPolicy", {"spec": spec}, {}, "p"))


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param({"domainNames": ["example.com"]}, id="domain names"),
        pytest.param({"nodes": {}}, id="nodes"),
    ],
)
def test_a_peer_that_calico_can_t_read(peer: Any) -> None:
    found = tiered(
        {"action": "Accept", "to": [peer, {"namespaces": {}}]},
        {"action": "Pass", "to": [peer]},
        {"action": "Deny", "to": [{"networks": ["10.0.0.0/8"]}]},
    )
    assert [(rule.position, rule.action) for rule in found] == [(1, Action.DENY), (2, Action.DENY)]
    assert found[0].condition.text() == "everything"


def test_whom_a_policy_selects() -> None:
    policy = read_policy({"spec": {"podSelector": {"matchLabels": {"app": "web"}}}}, {}, "shop", "p")
    labels = {"app": "web", "projectcalico.org/orchestrator": "k8s", "projectcalico.org/namespace": "shop"}
    assert subject_of(policy).holds(Labels(labels)) is True
    assert subject_of(policy).holds(Labels({**labels, "projectcalico.org/namespace": "lab"})) is False
    assert subject_of(policy).holds(Labels({"app": "web", "projectcalico.org/namespace": "shop"})) is False, "a set"


def test_what_tells_pods_apart() -> None:
    (found,) = kubernetes({"from": [APP, {"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": "http"}]})
    assert {"app"} <= found.condition.keys
    assert (found.condition.names_ports, found.condition.by_address, found.condition.subject_by_address) == (
        True,
        True,
        False,
    )
    assert [peer.by_labels for peer in found.condition.peers()] == [True, False]
