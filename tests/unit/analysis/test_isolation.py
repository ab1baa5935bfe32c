"""What the policies mean for one pod: which select it, what they allow, which pods that is, and where it is a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.analysis.isolation import Explanation, Isolation, explain_pod, explain_pods, sides_of
from kubectl_netpol.engine.phrases import peer_text, rule_ports_text
from kubectl_netpol.render.json_objects import explanation_object
from tests.support.tables import checks, example, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.analysis.peers import RulePeers


def explained(cluster: str, pod: str) -> Explanation:
    snapshot = snapshot_of(yaml.safe_load(cluster))
    found = snapshot.pod(*pod.split("/"))
    assert found
    return explain_pod(snapshot, found)


def lines(side: Isolation) -> list[str]:
    """ "policy: peer (its pods now) ports" for every peer of every rule."""
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
    found = explained(SAME_NAMESPACE, "team/nolabels")
    assert [policy.key for policy in found.selected_by] == ["team/isolate"]
    assert [policy.key for policy in found.ingress.isolated_by] == ["team/isolate"]
    assert found.egress.isolated_by == ()
    assert lines(found.ingress) == ["team/isolate: all pods in team (team/a team/nolabels) all ports"]


def test_an_empty_pod_selector_selects_none_of_another_namespace() -> None:
    found = explained(SAME_NAMESPACE, "else/c")
    assert (found.selected_by, found.ingress.isolated_by, found.egress.isolated_by) == ((), (), ())


def test_the_rules_of_all_policies_that_select_the_pod_apply() -> None:
    found = explained(
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


CLUSTER = """
unread: [dark]
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080}
  a/two: {labels: {app: two}, ip: 10.0.0.2 fd00::2}
  a/done: {labels: {app: two}, ip: "10.0.0.3 fd00::3", phase: Failed}
  a/host: {labels: {app: two}, ip: 192.0.2.1, host_network: true}
  a/later: {labels: {app: two}, planned: true}
  b/far: {labels: {app: two}, ip: 10.0.1.1}
  dark/far: {labels: {app: two}, ip: 10.0.2.1}
services:
  a/web:
    clusterIP: 10.96.0.1
    selector: {app: web}
    ports: [{name: w, port: 80, targetPort: http}, {name: g, port: 81, targetPort: gone}]
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
  a/other: {podSelector: {matchLabels: {app: two}}, policyTypes: [Ingress]}
  b/far:
    podSelector: {}
    ingress:
      - from:
          - podSelector: {}
          - {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}
          - namespaceSelector: {}
"""


def test_the_pods_that_each_peer_matches_now() -> None:
    found = explained(CLUSTER, "a/web")
    assert [policy.key for policy in found.selected_by] == ["a/web"]
    peers = found.ingress.rules[0].peers
    assert [[pod.key for pod in peer.pods] for peer in peers] == [["a/two", "a/later"], ["a/two"]]
    assert [peer.position for peer in peers] == [0, 1]
    assert [peer.unknown and peer.unknown.code.value for peer in peers] == [None, "pod-address-unknown"]
    by_team, all_pods = found.egress.rules[0].peers
    assert by_team.pods == ()
    assert by_team.unknown
    assert by_team.unknown.message == "the labels of namespace dark are unknown"
    assert [pod.key for pod in all_pods.pods] == ["a/web", "a/two", "a/later", "b/far", "dark/far"]


@pytest.mark.parametrize(
    ("pod", "unknown"),
    [
        pytest.param("phase: Failed", None, id="a finished pod is in no block"),
        pytest.param("phase: Pending", None, id="a pending pod has no address yet, so it is in no block"),
        pytest.param("planned: true", "pod-address-unknown", id="the address of a pod from a manifest is unknown"),
    ],
)
def test_a_pod_without_an_address_and_an_ip_block(pod: str, unknown: str | None) -> None:
    policy = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    found = explained(
        f"{{pods: {{a/web: {{ip: 10.0.0.1}}, b/other: {{{pod}}}}}, policies: {{a/p: {policy}}}}}", "a/web"
    )
    (peer,) = found.ingress.rules[0].peers
    assert [matched.key for matched in peer.pods] == ["a/web"]
    assert (peer.unknown and peer.unknown.code.value) == unknown


def test_the_services_that_select_the_pod_with_its_port_behind_each_of_theirs() -> None:
    found = explained(CLUSTER, "a/web")
    assert [(mapping.service.key, mapping.name, mapping.number, mapping.pod_port) for mapping in found.services] == [
        ("a/web", "w", 80, 8080),
        ("a/web", "g", 81, None),
        ("a/heads", None, 82, 82),
    ]


def test_the_rules_with_a_peer_that_matches_the_pod_each_once() -> None:
    found = explained(CLUSTER, "a/web")
    assert [(m.policy.key, m.rule.direction.field, m.rule.position, m.peer) for m in found.mentioned_by] == [
        ("a/web", "egress", 0, 1),
        ("b/far", "ingress", 0, 1),
    ]


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        pytest.param("{namespace: a, message: not in a}", "not in a", id="of its namespace"),
        pytest.param("{namespace: null, message: nowhere}", "nowhere", id="of every namespace"),
        pytest.param("{namespace: else, message: not in else}", None, id="of another namespace"),
    ],
)
def test_unread_policies_leave_the_isolation_unknown(gap: str, message: str | None) -> None:
    gaps = f"gaps: [{gap.replace('{', '{resource: networkpolicies, ')}]"
    found = explained(f"{SAME_NAMESPACE.replace('team', 'a')}\n{gaps}\n", "a/a")
    for side in (found.ingress, found.egress):
        assert (side.unknown and side.unknown.message) == message
    assert not found.ingress.unaffected


@pytest.mark.parametrize(
    ("namespace", "unknown"),
    [
        pytest.param("team", [True, True, False], id="of the policy's namespace: both selectors"),
        pytest.param("far", [False, True, False], id="of another namespace: the namespaceSelector"),
    ],
)
def test_unread_pods_leave_a_peer_unknown_where_it_may_match_them(namespace: str, unknown: list[bool]) -> None:
    block = "{ipBlock: {cidr: 192.0.2.0/24}}"
    cluster = f"""
    live: true
    pods: {{team/a: {{ip: 10.0.0.1}}}}
    policies:
      team/p: {{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{}}}}, {{namespaceSelector: {{}}}}, {block}]}}]}}
    gaps: [{{resource: pods, namespace: {namespace}, message: you may not list pods}}]
    """
    found = explained(cluster, "team/a")
    assert [peer.unknown is not None for peer in found.ingress.rules[0].peers] == unknown


def tier_lines(rules: tuple[RulePeers, ...]) -> list[str]:
    """ "action policy[rule]: peer (its pods now)" for every rule of a tier."""
    return [
        f"{entry.rule.action.value} {entry.policy.name}[{entry.rule.position}]: "
        f"{peer_text(peer.peer, entry.policy)} ({' '.join(pod.key for pod in peer.pods)})"
        for entry in rules
        for peer in entry.peers
    ]


ADMIN_RULES = [
    "allow guard-rails[0]: pods run=prom in namespaces team=platform (monitoring/prom)",
    "pass guard-rails[1]: all pods in namespaces team=shop (shop/san shop/nginx shop/db)",
    "deny guard-rails[2]: all pods in all namespaces (shop/san shop/nginx shop/db monitoring/prom)",
]
BASELINE_RULES = ["deny default-deny[0]: all pods in all namespaces (shop/san shop/nginx shop/db monitoring/prom)"]


@pytest.mark.parametrize(
    ("pod", "admin", "baseline", "denies"),
    [
        pytest.param("shop/nginx", ADMIN_RULES, [], True, id="isolated: Baseline is not asked"),
        pytest.param("shop/db", ADMIN_RULES, BASELINE_RULES, True, id="not isolated: Baseline is asked last"),
        pytest.param("monitoring/prom", [], BASELINE_RULES, True, id="no subject of the Admin tier"),
    ],
)
def test_the_rules_of_the_tiers(pod: str, admin: list[str], baseline: list[str], denies: bool) -> None:  # noqa: FBT001
    snapshot = example("tiers")
    found = snapshot.pod(*pod.split("/"))
    assert found
    side = explain_pod(snapshot, found).ingress
    assert (tier_lines(side.admin), tier_lines(side.baseline), side.denies) == (admin, baseline, denies)
    assert not side.unaffected
    assert explain_pod(snapshot, found).egress.unaffected


def test_the_policies_of_tiers_that_select_a_pod_or_name_it_as_a_peer_are_listed() -> None:
    snapshot = example("tiers")
    found = snapshot.pod("monitoring", "prom")
    assert found
    explanation = explain_pod(snapshot, found)
    assert [policy.name for policy in explanation.selected_by] == ["default-deny"]
    assert [(policy.name, rule.position, peer) for policy, rule, peer in explanation.mentioned_by] == [
        ("guard-rails", 0, 0),
        ("guard-rails", 2, 0),
        ("default-deny", 0, 0),
    ]


def test_a_policy_that_is_not_evaluated_leaves_unknown_what_decides() -> None:
    found = explained(
        """
        pods: {a/a: {ip: 10.0.0.1}}
        objects:
        - {apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy, metadata: {namespace: a, name: c},
           spec: {appliedTo: [{podSelector: {}}], ingress: [{}]}}
        """,
        "a/a",
    )
    assert found.ingress.unknown
    assert found.ingress.unknown.message.startswith("a/networkpolicy.crd.antrea.io/c may decide for a/a")
    assert not found.ingress.unaffected
    assert found.egress.unaffected


def test_the_pods_with_the_labels_of_the_subjects_own_namespace() -> None:
    found = explained(
        """
        namespaces: {a: {team: x}, b: {team: x}, c: {team: y}}
        pods: {a/a: {ip: 10.0.0.1}, b/b: {ip: 10.0.1.1}, c/c: {ip: 10.0.2.1}}
        objects:
        - apiVersion: policy.networking.k8s.io/v1alpha1
          kind: AdminNetworkPolicy
          metadata: {name: old}
          spec:
            priority: 1
            subject: {namespaces: {}}
            ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [team]}}]}]
        """,
        "a/a",
    )
    assert tier_lines(found.ingress.admin) == ["deny old[0]: all pods in namespaces with another team (c/c)"]


CILIUM = """
nodes: {n1: [192.0.2.1]}
namespaces: {a: {team: x}}
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1, node: n1}
  a/src: {labels: {app: src}, ip: 10.0.0.2, node: n1}
  a/auth: {labels: {app: auth}, ip: 10.0.0.3, node: n1}
  a/host: {labels: {app: src}, ip: 192.0.2.1, node: n1, host_network: true}
  a/done: {labels: {app: src}, phase: Succeeded}
policies:
  a/plain:
    podSelector: {matchLabels: {app: web}}
    ingress: [{from: [{podSelector: {matchLabels: {app: x}}}, {ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}]
cilium:
  a/web:
    endpointSelector: {matchLabels: {app: web}}
    ingressDeny: [{fromEntities: [world]}]
    ingress:
      - {fromEndpoints: [{matchLabels: {app: src}}, {matchLabels: {app: auth}}], toPorts: [{ports: [{port: "80"}]}]}
      - {}
      - {fromEndpoints: [{matchLabels: {app: auth}}], authentication: {mode: required}}
      - {toPorts: [{ports: [{port: "81"}]}]}
    enableDefaultDeny: {egress: false}
    egress: [{toFQDNs: [{matchName: a.example}]}, {icmps: [{fields: []}]}]
"""


def rows(rules: tuple[RulePeers, ...]) -> list[str]:
    return [
        f"{entry.rule.action.value} {entry.rule.path or entry.rule.position} {peer.text or peer.peer} "
        f"({' '.join(pod.key for pod in peer.pods)}) {entry.ports}"
        for entry in rules
        for peer in entry.peers
    ]


def test_rules_for_the_node_of_a_pod_are_listed_and_whether_they_hold_is_not_known() -> None:
    node = "\n  fw: {nodeSelector: {}, ingress: [{fromEntities: [world], toPorts: [{ports: [{port: '22'}]}]}]}\n"
    found = explained(CILIUM.rstrip() + node, "a/host")
    assert found.ingress.isolated_by == ()
    assert found.ingress.unknown
    assert "host firewall" in found.ingress.unknown.message
    assert rows(found.ingress.rules) == ["allow ingress[0] entity world () ANY 22"]


def test_where_cilium_runs_denies_are_first_and_every_allow_is_listed() -> None:
    found = explained(CILIUM, "a/web")
    assert [policy.name for policy in found.selected_by] == ["plain", "web"]
    assert [policy.name for policy in found.ingress.isolated_by] == ["plain", "web"]
    assert rows(found.ingress.admin) == [
        "deny ingressDeny[0] entity world () all ports",
        "allow ingress[2] pods app=auth in a (a/auth) all ports (with authentication)",
    ]
    assert rows(found.ingress.rules) == [
        "allow 0 pods app=x in a () TCP 80",
        "allow 0 10.0.0.0/8 outside the cluster () TCP 80",
        "allow ingress[0] pods app=src in a (a/src) ANY 80",
        "allow ingress[0] pods app=auth in a (a/auth) ANY 80",
        "allow ingress[1] nobody () all ports",
        "allow ingress[3] None () ANY 81",
    ]
    assert (found.ingress.baseline, found.ingress.unknown, found.ingress.unaffected) == ((), None, False)


def test_where_nothing_asks_for_default_deny_the_allows_are_last() -> None:
    found = explained(CILIUM, "a/web").egress
    assert (found.isolated_by, found.rules, found.admin) == ((), (), ())
    assert rows(found.baseline) == ["allow egress[0] a.example () all ports", "allow egress[1] None () ICMP"]


def test_the_rules_of_cilium_that_name_a_pod() -> None:
    found = explained(CILIUM, "a/auth")
    assert [(one.policy.name, one.rule.path, one.peer) for one in found.mentioned_by] == [
        ("web", "ingress[2]", 0),
        ("web", "ingress[0]", 1),
    ]
    assert found.ingress.unaffected
    assert explained(CILIUM, "a/host").mentioned_by == ()


def test_what_hangs_on_the_version_is_shown_as_in_the_later_one() -> None:
    cluster = """
    pods: {a/web: {labels: {app: web}, ip: 10.0.0.1}}
    cilium:
      a/web:
        ingress:
        - fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [a]}]}]
    """
    assert rows(explained(cluster, "a/web").ingress.rules) == [
        "allow ingress[0] pods io.kubernetes.pod.namespace!=a () all ports"
    ]


def test_where_cilium_runs_unread_pods_and_labels_are_said() -> None:
    cluster = yaml.safe_load(CILIUM)
    cluster["unread"] = ["b"]
    cluster["pods"]["b/x"] = {"labels": {"app": "x"}, "ip": "10.0.1.1"}
    cluster["cilium"] = {
        "a/p": {"ingress": [{"fromEndpoints": [{"matchLabels": {"io.cilium.k8s.namespace.labels.team": "x"}}]}]}
    }
    (entry,) = explained(yaml.safe_dump(cluster), "a/src").ingress.rules
    assert [peer.unknown and peer.unknown.code.value for peer in entry.peers] == ["namespace-labels-unknown"]
    cluster["live"], cluster["plugin"] = True, "Cilium"
    cluster["gaps"] = [{"resource": "pods", "namespace": "c", "message": "you may not list pods in c"}]
    (entry,) = explained(yaml.safe_dump(cluster), "a/src").ingress.rules
    assert [peer.unknown and peer.unknown.code.value for peer in entry.peers] == ["permission-missing"]


def test_in_every_table_all_pods_at_once_are_explained_as_each_by_itself() -> None:
    clusters = {id(check.cluster): check.cluster for check in checks()}
    for cluster in clusters.values():
        together, alone = snapshot_of(cluster), snapshot_of(cluster)
        found = list(explain_pods(together, together.pods))
        expected = [explain_pod(alone, pod) for pod in alone.pods]
        assert [words(explanation) for explanation in found] == [words(explanation) for explanation in expected]
        for sides, explanation in zip(sides_of(together, together.pods, peers=False), found, strict=True):
            assert sides.selected_by == explanation.selected_by
            assert (sides.ingress.unknown, sides.egress.at_end) == (
                explanation.ingress.unknown,
                explanation.egress.at_end,
            )
            assert [entry.rule for entry in sides.ingress.rules] == [entry.rule for entry in explanation.ingress.rules]
            assert not any(entry.peers for entry in sides.ingress.rules)


def words(explanation: Explanation) -> object:
    """All of it that can be compared between two snapshots."""
    return explanation_object(explanation, ())


def test_pods_that_no_policy_tells_apart_share_a_side_unless_its_words_name_the_pod() -> None:
    pods = {f"a/p{number}": {"ip": f"10.0.0.{number}"} for number in (1, 2)}
    snapshot = snapshot_of({"pods": pods, "policies": {"a/deny": {"podSelector": {}}}})
    first, second = explain_pods(snapshot, snapshot.pods)
    assert first.ingress is second.ingress
    unevaluated = {"apiVersion": "crd.antrea.io/v1beta1", "kind": "ClusterNetworkPolicy", "metadata": {"name": "x"}}
    snapshot = snapshot_of(
        {"pods": pods, "objects": [{**unevaluated, "spec": {"appliedTo": [{"podSelector": {}}], "ingress": [{}]}}]}
    )
    messages = [
        found.ingress.unknown and found.ingress.unknown.message for found in explain_pods(snapshot, snapshot.pods)
    ]
    assert [str(message).partition(":")[0].rpartition(" ")[2] for message in messages] == ["a/p1", "a/p2"]


SERVICES = {
    "a/web": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    "a/empty": {"selector": {}, "ports": [{"port": 81}]},
    "a/none": {"ports": [{"port": 82}]},
    "b/web": {"selector": {"app": "web"}, "ports": [{"port": 83}]},
    "a/both": {
        "selector": {"app": "web", "tier": "x"},
        "ports": [{"name": "a", "port": 84}, {"name": "b", "port": 85}],
    },
}


@pytest.mark.parametrize(
    ("pod", "ports"),
    [
        pytest.param({"labels": {"app": "web"}}, [80], id="by one label"),
        pytest.param({"labels": {"tier": "x", "app": "web"}}, [80, 84, 85], id="by two labels, in the order read"),
        pytest.param({"labels": {"tier": "x"}}, [], id="by the second label alone"),
        pytest.param({"labels": {"app": "web"}, "phase": "Succeeded"}, [], id="a finished pod by none"),
    ],
)
def test_the_services_of_all_pods_at_once(pod: dict[str, Any], ports: list[int]) -> None:
    snapshot = snapshot_of({"pods": {"a/p": pod}, "services": SERVICES})
    (found,) = explain_pods(snapshot, snapshot.pods)
    assert [mapping.number for mapping in found.services] == ports
    assert found.services == explain_pod(snapshot, snapshot.pods[0]).services


@pytest.mark.parametrize(
    ("ports", "closed"),
    [
        pytest.param([{"port": "gone"}], True, id="a name that the pod lacks"),
        pytest.param([{"port": "http", "protocol": "UDP"}], True, id="a name of another protocol"),
        pytest.param([{"port": "gone"}, {"port": "http"}], False, id="one of two names"),
        pytest.param([{"port": "gone"}, {"port": 9}], False, id="a number beside it"),
        pytest.param([], False, id="all ports"),
    ],
)
def test_a_rule_for_port_names_that_the_pod_lacks_is_closed(ports: list[dict[str, object]], closed: bool) -> None:  # noqa: FBT001 - a row
    rules = [{"ports": ports}]
    policies = {"a/p": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": rules, "egress": rules}}
    snapshot = snapshot_of({"pods": {"a/web": {"ip": "10.0.0.1", "ports": "http=80"}}, "policies": policies})
    found = explain_pod(snapshot, snapshot.pods[0])
    assert [side.rules[0].closed for side in (found.ingress, found.egress)] == [closed, False]
