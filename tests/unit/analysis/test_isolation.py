"""What the policies mean for one pod: who selects it, what they allow, whom that is now, who names it elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from kubectl_netpol.analysis.isolation import Explanation, Isolation, explain_pod
from kubectl_netpol.engine.phrases import peer_text, rule_ports_text
from kubectl_netpol.lint.warnings import pod_warnings
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot


def explained(cluster: str, pod: str) -> tuple[Snapshot, Explanation]:
    snapshot = snapshot_of(yaml.safe_load(cluster))
    found = snapshot.pod(*pod.split("/"))
    assert found
    return snapshot, explain_pod(snapshot, found)


def lines(side: Isolation) -> list[str]:
    """ "policy: from whom (which pods now) on what" of every rule's every peer."""
    return [
        f"{entry.policy.key}: {peer_text(peer.peer, entry.policy)} ({' '.join(pod.key for pod in peer.pods)}) "
        f"{rule_ports_text(entry.rule)}"
        for entry in side.rules
        for peer in entry.peers
    ]


SAME_NAMESPACE = """
pods:
  team/a: {labels: {app: a}, ip: 10.43.0.1}
  team/nolabels: {ip: 10.43.0.2}
  else/c: {labels: {app: c}, ip: 10.43.1.1}
policies:
  team/isolate: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
"""


def test_an_empty_pod_selector_selects_every_pod_of_its_namespace() -> None:
    _, found = explained(SAME_NAMESPACE, "team/nolabels")
    assert [policy.key for policy in found.selected_by] == ["team/isolate"]
    assert [policy.key for policy in found.ingress.isolated_by] == ["team/isolate"]
    assert found.egress.isolated_by == ()
    assert lines(found.ingress) == ["team/isolate: all pods in team (team/a team/nolabels) all ports"]


def test_an_empty_pod_selector_selects_none_of_another_namespace() -> None:
    _, found = explained(SAME_NAMESPACE, "else/c")
    assert (found.selected_by, found.ingress.isolated_by, found.egress.isolated_by) == ((), (), ())


def test_a_rule_that_allows_everything_makes_the_narrower_one_moot() -> None:
    snapshot, found = explained(
        """
        pods:
          kube-system/dns: {labels: {k8s-app: kube-dns}, ip: 10.45.0.1, ports: dns=53/UDP}
          any/p: {labels: {app: p}, ip: 10.45.1.1}
        policies:
          kube-system/host-networking: {podSelector: {}, ingress: [{}], policyTypes: [Ingress]}
          kube-system/same-ns: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}], policyTypes: [Ingress]}
        """,
        "kube-system/dns",
    )
    assert [policy.key for policy in found.selected_by] == ["kube-system/host-networking", "kube-system/same-ns"]
    assert len(found.ingress.isolated_by) == 2
    assert found.egress.isolated_by == ()
    assert lines(found.ingress) == [
        "kube-system/host-networking: everyone () all ports",
        "kube-system/same-ns: all pods in kube-system (kube-system/dns) all ports",
    ]
    assert [note.message for note in pod_warnings(snapshot, found)] == [
        "same-ns ingress[0] has no effect: host-networking ingress[0] allows everything"
    ]


CLUSTER = """
unread: [dark]
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080}
  a/two: {labels: {app: two}, ip: 10.0.0.2 fd00::2}
  a/done: {labels: {app: two}, ip: 10.0.0.3, phase: Failed}
  a/host: {labels: {app: two}, ip: 192.0.2.1, host_network: true}
  a/later: {labels: {app: two}, planned: true}
  b/far: {labels: {app: two}, ip: 10.0.1.1}
  dark/far: {labels: {app: two}, ip: 10.0.2.1}
services:
  a/web:
    clusterIP: 10.96.0.1
    selector: {app: web}
    ports: [{name: w, port: 80, targetPort: http}, {port: 81, targetPort: gone}]
  a/heads: {clusterIP: None, selector: {app: web}, ports: [{port: 82, targetPort: http}]}
  a/other: {clusterIP: 10.96.0.2, selector: {app: two}, ports: [{port: 80}]}
  b/web: {clusterIP: 10.96.0.3, selector: {app: web}, ports: [{port: 80}]}
policies:
  a/web:
    podSelector: {matchLabels: {app: web}}
    policyTypes: [Ingress, Egress]
    ingress:
      - {from: [{podSelector: {matchLabels: {app: two}}}, {ipBlock: {cidr: "fd00::/8"}}], ports: [{port: http}]}
    egress: [{to: [{namespaceSelector: {matchLabels: {team: x}}}, {namespaceSelector: {}, podSelector: {}}]}]
  b/far:
    podSelector: {}
    ingress:
      - from:
          - podSelector: {}
          - {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}
          - namespaceSelector: {}
"""


def test_whom_each_peer_matches_now() -> None:
    _, found = explained(CLUSTER, "a/web")
    peers = found.ingress.rules[0].peers
    assert [[pod.key for pod in peer.pods] for peer in peers] == [["a/two", "a/later"], ["a/two"]]
    assert [peer.position for peer in peers] == [0, 1]
    assert [peer.unknown and peer.unknown.code.value for peer in peers] == [None, "pod-address-unknown"]
    by_team, everybody = found.egress.rules[0].peers
    assert by_team.pods == ()
    assert by_team.unknown
    assert by_team.unknown.message == "the labels of namespace dark are not known"
    assert [pod.key for pod in everybody.pods] == ["a/web", "a/two", "a/later", "b/far", "dark/far"]


@pytest.mark.parametrize(
    ("pod", "unknown"),
    [
        pytest.param("phase: Failed", None, id="a finished pod without an address is in no block"),
        pytest.param("phase: Pending", None, id="a pod that waits for its address is in no block yet"),
        pytest.param("planned: true", "pod-address-unknown", id="where a planned pod will be is not known"),
    ],
)
def test_pods_without_an_address_and_blocks(pod: str, unknown: str | None) -> None:
    policy = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    _, found = explained(
        f"{{pods: {{a/web: {{ip: 10.0.0.1}}, b/other: {{{pod}}}}}, policies: {{a/p: {policy}}}}}", "a/web"
    )
    (peer,) = found.ingress.rules[0].peers
    assert [matched.key for matched in peer.pods] == ["a/web"]
    assert (peer.unknown and peer.unknown.code.value) == unknown


def test_the_services_in_front_with_port_and_pod_port() -> None:
    _, found = explained(CLUSTER, "a/web")
    assert [(front.service.key, front.name, front.number, front.pod_port) for front in found.services] == [
        ("a/web", "w", 80, 8080),
        ("a/web", None, 81, None),
        ("a/heads", None, 82, 82),
    ]


def test_the_rules_elsewhere_that_name_the_pod_each_once() -> None:
    _, found = explained(CLUSTER, "a/web")
    assert [(m.policy.key, m.rule.direction.field, m.rule.position, m.peer) for m in found.mentioned_by] == [
        ("a/web", "egress", 0, 1),
        ("b/far", "ingress", 0, 1),
    ]


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        ("{resource: networkpolicies, namespace: a, message: you may not}", "you may not"),
        ("{resource: networkpolicies, namespace: null, message: nowhere}", "nowhere"),
    ],
)
def test_policies_that_were_not_read_are_said(gap: str, message: str) -> None:
    _, found = explained(f"{SAME_NAMESPACE.replace('team', 'a')}\ngaps: [{gap}]\n", "a/a")
    assert found.ingress.unknown
    assert found.ingress.unknown.message == message
    assert found.ingress.isolated_by == ()


@pytest.mark.parametrize(
    ("namespace", "unknown"),
    [
        pytest.param("team", [True, True], id="the policy's own namespace"),
        pytest.param("far", [False, True], id="some other namespace"),
    ],
)
def test_pods_that_were_not_read_are_said_where_the_peer_reaches_them(namespace: str, unknown: list[bool]) -> None:
    cluster = f"""
    live: true
    pods: {{team/a: {{ip: 10.0.0.1}}}}
    policies:
      team/p: {{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{}}}}, {{namespaceSelector: {{}}}}]}}]}}
    gaps: [{{resource: pods, namespace: {namespace}, message: you may not list pods}}]
    """
    _, found = explained(cluster, "team/a")
    assert [peer.unknown is not None for peer in found.ingress.rules[0].peers] == unknown
