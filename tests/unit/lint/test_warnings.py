"""Which warnings a pod, a policy, a namespace and a connection get."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import (
    all_findings,
    connection_warnings,
    namespace_warnings,
    pod_warnings,
    policy_findings,
)
from tests.support.tables import ask, snapshot_of

PODS = yaml.safe_load("""
namespaces: {shop: {team: x}, lab: {}}
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080}
  shop/api: {labels: {app: api}, ip: 10.0.0.2}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
""")
WEB = "{matchLabels: {app: web}}"
API = "{matchLabels: {app: api}}"


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        pytest.param("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", [], id="nothing to warn about"),
        pytest.param(
            "{podSelector: {matchLabels: {app: wbe}}, ingress: [{ports: [{port: htp}]}]}",
            ["policy-selects-nothing"],
            id="a policy that selects nothing has no other warning",
        ),
        pytest.param(
            f"{{podSelector: {WEB}, ingress: [{{from: [{{podSelector: {{}}}}]}}, {{ports: [{{port: htp}}]}}]}}",
            ["split-rule", "unknown-named-port"],
            id="rules",
        ),
        pytest.param(
            f"{{podSelector: {WEB}, ingress: [{{from: [{{namespaceSelector: {{}}}}, "
            "{podSelector: {matchLabels: {app: none}}}], ports: [{port: 80}]}]}",
            ["split-peer", "peer-matches-nothing", "service-port-in-rule"],
            id="peers and ports",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {n: lab}}}]}]}",
            ["namespace-name-label"],
            id="egress",
        ),
        pytest.param(
            f"{{podSelector: {API}, policyTypes: [Ingress, Egress], ingress: [{{ports: [{{port: http}}]}}], "
            f"egress: [{{to: [{{podSelector: {WEB}}}], ports: [{{port: http}}]}}]}}",
            ["unknown-named-port"],
            id="a port name belongs to the selected pods for ingress, to the peers for egress",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
            [],
            id="a port name for egress to everyone",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Egress], ingress: [{ports: [{port: htp}]}]}",
            ["types-contradict-rules"],
            id="rules that policyTypes leaves out are looked at no further",
        ),
    ],
)
def test_the_warnings_about_one_policy(spec: str, codes: list[str]) -> None:
    snapshot = snapshot_of({**PODS, "policies": {"shop/p": yaml.safe_load(spec)}})
    assert [note.code.value for note in policy_findings(Context(snapshot), snapshot.policies[0])] == codes


def test_a_namespace_has_the_warnings_of_its_policies_in_order() -> None:
    wrong = {"podSelector": {"matchLabels": {"app": "wbe"}}}
    policies = {"shop/a": wrong, "lab/b": wrong, "shop/c": {"podSelector": {}}, "shop/d": wrong}
    snapshot = snapshot_of({**PODS, "policies": policies})
    assert [note.message.split()[0] for note in namespace_warnings(Context(snapshot), "shop")] == ["a", "d"]


def test_policies_of_unread_pods_have_no_warnings() -> None:
    gap = {"resource": "pods", "namespace": "shop", "message": "you may not list pods"}
    snapshot = snapshot_of({"live": True, "policies": {"shop/p": {"podSelector": {}}}, "gaps": [gap]})
    assert namespace_warnings(Context(snapshot), "shop") == []


def test_peers_in_other_namespaces_are_skipped_where_only_one_was_read() -> None:
    spec = yaml.safe_load(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: nope}}}, "
        "{podSelector: {matchLabels: {app: none}}}]}, {}]}"
    )
    snapshot = snapshot_of({**PODS, "policies": {"shop/p": spec}})
    everywhere = [one.number for one in namespace_warnings(Context(snapshot), "shop")]
    assert everywhere == ["NP002", "NP002", "NP011", "NP009"]
    assert [one.message for one in namespace_warnings(Context(snapshot, partial=True), "shop")] == [
        "p ingress[0].from[1] matches no pod: pods app=none",
        "p ingress[0] has no effect: p ingress[1] allows everything",
    ]


def test_one_namespace_or_all_and_policies_of_tiers_with_all_alone() -> None:
    wrong = {"podSelector": {"matchLabels": {"app": "wbe"}}}
    rule = {"action": "Deny", "from": [{"namespaces": {}}]}
    tier = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {"matchLabels": {"a": "b"}}}, "ingress": [rule]}
    cluster = {**PODS, "policies": {"shop/a": wrong, "lab/b": wrong}, "tiers": {"cnp/c": tier}}
    context = Context(snapshot_of(cluster))
    everything = [one.subject.name for one in all_findings(context) if one.number == "NP001"]
    assert everything == ["a", "b", "c"]
    assert [one.subject.name for one in all_findings(context, "lab")] == ["b", "lab"]


def pod_codes(cluster: dict[str, object], key: str) -> list[str]:
    snapshot = snapshot_of(cluster)
    pod = snapshot.pod(*key.split("/"))
    assert pod
    return [note.code.value for note in pod_warnings(snapshot, explain_pod(snapshot, pod))]


UNEVALUATED = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumClusterwideNetworkPolicy",
    "metadata": {"name": "wide"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}


@pytest.mark.parametrize(
    ("pod", "more", "codes"),
    [
        pytest.param({"ip": "10.0.0.1"}, {}, [], id="no policy"),
        pytest.param(
            {"ip": "10.0.0.1"},
            {"objects": [UNEVALUATED]},
            [],
            id="a policy that is not evaluated is no warning: a reason",
        ),
        pytest.param(
            {"ip": "192.0.2.1", "host_network": True},
            {"policies": {"a/p": {"podSelector": {}}}},
            ["host-network"],
            id="a pod in the host network that a policy selects",
        ),
        pytest.param(
            {"ip": "192.0.2.1", "host_network": True}, {}, [], id="a pod in the host network without policies"
        ),
        pytest.param(
            {"ip": "10.0.0.1"},
            {"policies": {"a/p": {"podSelector": {}, "ingress": [{}, {}], "egress": [{}, {}]}}},
            ["redundant-rule", "redundant-rule"],
            id="redundant rules in both directions",
        ),
        pytest.param(
            {"ip": "10.0.0.1"},
            {"policies": {"a/p": {"podSelector": {}}, "a/q": {"podSelector": {"matchLabels": {"app": "none"}}}}},
            [],
            id="a policy that does not select the pod",
        ),
        pytest.param(
            {"ip": "10.0.0.1"},
            {"policies": {"a/p": {"podSelector": {}, "ingress": [{"ports": [{"port": "htp"}]}]}}},
            ["unknown-named-port"],
            id="the warnings about the policies that select the pod",
        ),
    ],
)
def test_the_warnings_about_one_pod(pod: dict[str, object], more: dict[str, object], codes: list[str]) -> None:
    assert pod_codes({"pods": {"a/web": pod}, **more}, "a/web") == codes


DNS = yaml.safe_load("""
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1}
  kube-system/coredns: {labels: {k8s-app: kube-dns}, ip: 10.0.9.1, ports: dns=53/UDP}
services:
  kube-system/kube-dns:
    clusterIP: 10.96.0.10
    selector: {k8s-app: kube-dns}
    ports: [{port: 53, protocol: UDP, targetPort: dns}]
""")


def test_the_fix_for_dns_is_the_command_that_opens_it() -> None:
    snapshot = snapshot_of({**DNS, "policies": {"a/p": {"podSelector": {}, "policyTypes": ["Egress"]}}})
    (note,) = pod_warnings(snapshot, explain_pod(snapshot, snapshot.pods[0]))
    assert note.message == (
        "web can't resolve names: its egress isolation blocks Service kube-system/kube-dns port 53/UDP; "
        "allow it: kubectl netpol allow web kube-system/kube-dns 53 --protocol udp -n a"
    )


@pytest.mark.parametrize(
    ("destination", "messages"),
    [
        pytest.param(
            "shop/pod/web", ["p ingress[0].from[0] matches no pod: pods app=ap; did you mean app=api?"], id="blocked"
        ),
        pytest.param("shop/pod/api", [], id="allowed"),
    ],
)
def test_a_connection_that_is_not_allowed_has_the_warnings_of_its_policies(
    destination: str, messages: list[str]
) -> None:
    elsewhere = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "none"}}}
    spec = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "ap"}}}, elsewhere]}]}
    policies = {"shop/p": spec, "shop/q": {"podSelector": {"matchLabels": {"app": "api"}}, "ingress": [{}]}}
    snapshot = snapshot_of({**PODS, "policies": policies})
    notes = connection_warnings(snapshot, ask(snapshot, "lab/cli", destination, 80, "TCP"))
    assert [note.message for note in notes] == messages
