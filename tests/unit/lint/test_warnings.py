"""Warnings: what is probably not what a policy's author meant, each with its fix."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.lint.warnings import connection_warnings, namespace_warnings, pod_warnings, policy_warnings
from tests.support.tables import ask, snapshot_of

PODS = """
namespaces: {shop: {team: x}, lab: {}}
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1, ports: http=8080}
  shop/api: {labels: {app: api}, ip: 10.0.0.2}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1, ports: metrics=9100}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
  shop/heads: {clusterIP: None, selector: {app: web}, ports: [{port: 81, targetPort: http}]}
  shop/gone: {clusterIP: 10.96.0.2, selector: {app: web}, ports: [{port: 82, targetPort: gone}]}
  shop/api: {clusterIP: 10.96.0.3, selector: {app: api}, ports: [{port: 83, targetPort: 8083}]}
"""


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        pytest.param("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", [], id="nothing to say"),
        pytest.param(
            "{podSelector: {matchLabels: {app: wbe}}}",
            ["policy-selects-nothing: p selects no pod (app=wbe); did it mean app=web?"],
            id="selects nothing, with the label that would",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {zone: north}}}",
            ["policy-selects-nothing: p selects no pod (zone=north)"],
            id="selects nothing, and nothing is near",
        ),
        pytest.param(
            "{podSelector: {matchExpressions: [{key: zone, operator: Exists}]}}",
            ["policy-selects-nothing: p selects no pod (zone)"],
            id="selects nothing, by an expression",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: ap}}}]}]}",
            ["peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=ap; did it mean app=api?"],
            id="a peer that matches nothing, with the label that would",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]}",
            [
                (
                    "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=cli; "
                    "such pods are in lab: add a namespaceSelector to the same item"
                )
            ],
            id="a peer whose pods are in another namespace",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: clii}}}]}]}",
            [
                (
                    "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app=clii in all namespaces; "
                    "did it mean app=cli?"
                )
            ],
            id="a peer of all namespaces that matches nothing",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: lab}}}]}]}",
            [
                (
                    "namespace-name-label: p ingress[0].from[0]: no namespace has the label name=lab; "
                    "for namespace lab write kubernetes.io/metadata.name: lab"
                )
            ],
            id="a name label that namespaces don't have",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: lab}}}]}]}",
            ["peer-matches-nothing: p ingress[0].from[0] matches no pod: all pods in namespaces team=lab"],
            id="a label that some namespace has, with the name of another as its value",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: "
            "[{key: team, operator: Exists}, {key: kubernetes.io/metadata.name, operator: In, values: [lab]}]}}]}]}",
            [
                (
                    "peer-matches-nothing: p ingress[0].from[0] matches no pod: "
                    "all pods in namespaces team,kubernetes.io/metadata.name=lab"
                )
            ],
            id="the true name label is no mistake",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, "
            "values: [web, api]}]}}]}]}",
            [
                (
                    "peer-matches-nothing: p ingress[0].from[0] matches no pod: pods app notin (web,api); "
                    "such pods are in lab: add a namespaceSelector to the same item"
                )
            ],
            id="a peer by an expression whose pods are in another namespace",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}", [], id="a block matches no pod"
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {ports: [{port: 8080}]}]}",
            [
                (
                    "split-rule: p: ingress[0] has peers on every port, and ingress[1] its ports for everyone: "
                    "two rules, probably meant as one (no dash before ports)"
                )
            ],
            id="a dash before ports",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {from: [{podSelector: {}}], "
            "ports: [{port: 1}]}]}",
            [],
            id="two whole rules",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}, "
            "{podSelector: {matchLabels: {app: api}}}]}]}",
            [
                (
                    "split-peer: p: ingress[0].from[0] is all pods in namespaces team=x, and apart from it "
                    "pods app=api: either matches; for pods in those namespaces drop the second dash"
                )
            ],
            id="a dash between namespaceSelector and podSelector",
        ),
        pytest.param(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {}}, {podSelector: {}}]}]}",
            [],
            id="a whole peer before another",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: htp}]}]}",
            [
                (
                    'unknown-named-port: p ingress[0]: no pod has a TCP port named "htp" (they have http); '
                    "some enforcers then open every port"
                )
            ],
            id="a port name that no pod has",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: http}]}]}",
            [
                (
                    'unknown-named-port: p ingress[0]: no pod has a TCP port named "http" (they name no port); '
                    "some enforcers then open every port"
                )
            ],
            id="a port name, and pods without any",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}]}",
            [],
            id="a port name on egress is the peer's",
        ),
        pytest.param(
            "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
            [],
            id="a port name on egress to everyone",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], "
            "egress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
            ["service-port-in-rule: p egress[0]: 80 is the port of Service web; the pods listen on 8080: write that"],
            id="the Service's port where the pod's belongs, behind a name",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 83}]}]}",
            ["service-port-in-rule: p ingress[0]: 83 is the port of Service api; the pods listen on 8083: write that"],
            id="the Service's port where the pod's belongs, behind a number",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80, protocol: UDP}, {port: 81}, "
            "{port: 82}, {port: 83}, {port: 8080}, {port: 70, endPort: 90}]}]}",
            [],
            id="other protocol, headless, nameless, another's, declared, a range",
        ),
    ],
)
def test_warnings_about_one_policy(spec: str, wanted: list[str]) -> None:
    snapshot = snapshot_of({**yaml.safe_load(PODS), "policies": {"shop/p": yaml.safe_load(spec)}})
    assert [f"{note.code}: {note.message}" for note in policy_warnings(snapshot, snapshot.policies[0])] == wanted
    assert namespace_warnings(snapshot, "shop") == policy_warnings(snapshot, snapshot.policies[0])


def test_a_policy_of_a_namespace_without_pods_selects_nothing() -> None:
    snapshot = snapshot_of({"policies": {"empty/p": {"podSelector": {}}}})
    assert [note.message for note in namespace_warnings(snapshot, "empty")] == [
        "p selects no pod (namespace without pods)"
    ]


def test_nothing_is_said_of_pods_that_were_not_read() -> None:
    gap = {"resource": "pods", "namespace": "shop", "message": "you may not"}
    snapshot = snapshot_of({"live": True, "policies": {"shop/p": {"podSelector": {}}}, "gaps": [gap]})
    assert namespace_warnings(snapshot, "shop") == []


def test_peers_elsewhere_are_passed_over_where_only_a_part_was_read() -> None:
    spec = yaml.safe_load(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: nope}}}, "
        "{podSelector: {matchLabels: {app: none}}}]}]}"
    )
    snapshot = snapshot_of({**yaml.safe_load(PODS), "policies": {"shop/p": spec}})
    assert len(namespace_warnings(snapshot, "shop")) == 2
    assert [note.message for note in namespace_warnings(snapshot, "shop", partial=True)] == [
        "p ingress[0].from[1] matches no pod: pods app=none"
    ]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        pytest.param("[{}, {from: [{podSelector: {}}]}]", "ingress[1] has no effect: p ingress[0] allows everything"),
        pytest.param("[{from: [{podSelector: {}}]}, {}]", "ingress[0] has no effect: p ingress[1] allows everything"),
        pytest.param("[{}, {}]", "ingress[1] has no effect: p ingress[0] allows everything"),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 80}]}]",
            "ingress[1] has no effect: p ingress[0] allows it already",
        ),
        pytest.param(
            "[{from: [{podSelector: {}}, {namespaceSelector: {}}]}, {from: [{podSelector: {}}], ports: [{port: 80}]}]",
            "ingress[1] has no effect: p ingress[0] allows it already",
        ),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: http}]}]", "ingress[1] has no effect"),
        pytest.param("[{ports: [{port: http}]}, {ports: [{port: 8080}]}]", None, id="a name and a number"),
        pytest.param("[{ports: [{port: 80, protocol: UDP}]}, {ports: [{port: 80}]}]", None, id="two protocols"),
        pytest.param("[{ports: [{port: 80}]}, {}]", "ingress[0] has no effect", id="ports beside everything"),
        pytest.param("[{ports: [{port: 80}]}, {from: [{podSelector: {}}]}]", None, id="ports beside peers"),
        pytest.param("[{from: [{podSelector: {}}]}, {from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", None, id="two peers"),
    ],
)
def test_a_rule_that_another_makes_moot(rules: str, wanted: str | None) -> None:
    spec = {"podSelector": {}, "ingress": yaml.safe_load(rules)}
    snapshot = snapshot_of({**yaml.safe_load(PODS), "policies": {"shop/p": spec}})
    pod = snapshot.pod("shop", "web")
    assert pod
    found = [
        note.message for note in pod_warnings(snapshot, explain_pod(snapshot, pod)) if note.code == "redundant-rule"
    ]
    assert len(found) == (wanted is not None)
    assert wanted is None or wanted in found[0]


DNS = """
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1}
  kube-system/coredns: {labels: {k8s-app: kube-dns}, ip: 10.0.9.1, ports: dns=53/UDP}
services:
  kube-system/kube-dns:
    clusterIP: 10.96.0.10
    selector: {k8s-app: kube-dns}
    ports: [{port: 53, protocol: UDP, targetPort: dns}]
"""


@pytest.mark.parametrize(
    ("egress", "warned"),
    [
        pytest.param("[]", True, id="nothing is let out"),
        pytest.param("[{to: [{podSelector: {}}]}]", True, id="only the own namespace"),
        pytest.param("[{ports: [{port: 53, protocol: UDP}]}]", False, id="port 53 is let out"),
        pytest.param("[{ports: [{port: 53}]}]", True, id="port 53 of TCP only"),
        pytest.param("[{to: [{ipBlock: {cidr: 10.96.0.10/32}}]}]", False, id="it depends on the plugin"),
    ],
)
def test_egress_isolation_without_a_way_to_dns(egress: str, warned: bool) -> None:  # noqa: FBT001 - a column
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": yaml.safe_load(egress)}
    snapshot = snapshot_of({**yaml.safe_load(DNS), "policies": {"a/p": spec}})
    pod = snapshot.pod("a", "web")
    assert pod
    found = [note for note in pod_warnings(snapshot, explain_pod(snapshot, pod)) if note.code == "no-way-to-dns"]
    assert bool(found) is warned
    if warned:
        assert "web can't resolve names: its egress isolation blocks Service kube-system/kube-dns" in found[0].message
        assert found[0].message.endswith(
            "allow it: kubectl netpol allow web kube-system/kube-dns 53 --protocol udp -n a"
        ), "the least that opens it, and nothing that isolates others"


def test_what_may_override_is_named_for_a_pod() -> None:
    admin = {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "admin"},
        "spec": {"subject": {"namespaces": {}}, "ingress": [{}]},
    }
    snapshot = snapshot_of({"pods": {"a/web": {"ip": "10.0.0.1"}}, "objects": [admin]})
    pod = snapshot.pod("a", "web")
    assert pod
    assert [str(note.code) for note in pod_warnings(snapshot, explain_pod(snapshot, pod))] == ["overriding-policy"]


def test_nothing_overrides_what_a_finished_pod_has_not() -> None:
    cluster = yaml.safe_load("""
    pods: {a/done: {ip: 10.0.0.1, phase: Succeeded}}
    objects:
      - apiVersion: policy.networking.k8s.io/v1alpha1
        kind: AdminNetworkPolicy
        metadata: {name: admin}
        spec: {subject: {namespaces: {}}, ingress: [{}]}
    """)
    snapshot = snapshot_of(cluster)
    pod = snapshot.pod("a", "done")
    assert pod
    assert pod_warnings(snapshot, explain_pod(snapshot, pod)) == []


def test_a_host_network_pod_that_a_policy_selects() -> None:
    pods = {"a/web": {"ip": "192.0.2.1", "host_network": True}}
    snapshot = snapshot_of({"pods": pods, "policies": {"a/p": {"podSelector": {}}}})
    pod = snapshot.pod("a", "web")
    assert pod
    assert [str(note.code) for note in pod_warnings(snapshot, explain_pod(snapshot, pod))] == ["host-network"]


def test_a_connection_has_warnings_only_where_it_is_not_allowed() -> None:
    spec = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "ap"}}}]}]}
    allow = {"podSelector": {"matchLabels": {"app": "api"}}, "ingress": [{}]}
    snapshot = snapshot_of({**yaml.safe_load(PODS), "policies": {"shop/p": spec, "shop/q": allow}})
    blocked = connection_warnings(snapshot, ask(snapshot, "lab/cli", "shop/pod/web", 80, "TCP"))
    assert [note.message for note in blocked] == [
        "p ingress[0].from[0] matches no pod: pods app=ap; did it mean app=api?"
    ]
    assert connection_warnings(snapshot, ask(snapshot, "lab/cli", "shop/pod/api", 80, "TCP")) == []
