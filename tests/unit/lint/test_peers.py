"""Extra dashes that split a rule or a peer, and peers that match no pod."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies
from tests.support.tables import snapshot_of

CLUSTER = yaml.safe_load("""
namespaces: {shop: {team: x}, lab: {}}
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1}
  shop/api: {labels: {app: api}, ip: 10.0.0.2}
  lab/cli: {labels: {app: cli}, ip: 10.0.1.1}
  lab/done: {labels: {app: done}, ip: 10.0.1.2, phase: Succeeded}
""")
SPLIT_RULE = (
    "NP005 warning spec.ingress[1]: p: ingress[0] allows its peers on every port, and ingress[1] its ports for "
    "everyone: probably meant as one rule (remove the dash before ports)"
)


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        pytest.param("[{from: [{podSelector: {}}]}, {ports: [{port: 8080}]}]", [SPLIT_RULE], id="peers, then ports"),
        pytest.param("[{ports: [{port: 1}]}, {from: [{podSelector: {}}]}]", [], id="ports only, then peers only"),
        pytest.param(
            "[{from: [{podSelector: {}}]}, {from: [{podSelector: {}}], ports: [{port: 1}]}]",
            [],
            id="peers only, then a complete rule",
        ),
        pytest.param(
            "[{from: [{podSelector: {}}], ports: [{port: 1}]}, {ports: [{port: 1}]}]",
            [],
            id="a complete rule, then ports only",
        ),
        pytest.param("[{}, {ports: [{port: 1}]}]", [], id="a rule for everything, then ports only"),
        pytest.param("[{from: [{podSelector: {}}]}, {}]", [], id="peers only, then a rule for everything"),
        pytest.param("[{from: [{podSelector: {}}]}]", [], id="one rule"),
        pytest.param(
            "[{from: [{podSelector: {}}]}, {ports: [{port: 53, protocol: UDP}]}]",
            [SPLIT_RULE],
            id="port 53 is no exception for ingress",
        ),
    ],
)
def test_a_dash_before_ports_splits_a_rule(rules: str, wanted: list[str]) -> None:
    found = linted(with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: {rules}}}}}"))
    assert lines(found, "NP005") == wanted


@pytest.mark.parametrize(
    ("ports", "count"),
    [
        pytest.param("[{port: 53, protocol: UDP}]", 0, id="DNS"),
        pytest.param("[{port: 53, protocol: UDP}, {port: 53}]", 0, id="DNS over both protocols"),
        pytest.param("[{port: 53}, {port: 443}]", 1, id="DNS and another port"),
        pytest.param("[{port: dns}]", 1, id="a name"),
    ],
)
def test_dns_is_let_out_to_everyone_on_purpose(ports: str, count: int) -> None:
    egress = f"[{{to: [{{podSelector: {{}}}}]}}, {{ports: {ports}}}]"
    spec = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: {egress}}}}}"
    assert len(lines(linted(with_policies(CLUSTER, spec)), "NP005")) == count


X, API = "{namespaceSelector: {matchLabels: {team: x}}}", "{podSelector: {matchLabels: {app: api}}}"


@pytest.mark.parametrize(
    ("peers", "wanted"),
    [
        pytest.param(
            f"[{{ipBlock: {{cidr: 192.0.2.0/24}}}}, {X}, {API}]",
            [
                (
                    "NP004 warning spec.egress[0].to[2]: p: egress[0].to[1] matches all pods in namespaces team=x, and "
                    "egress[0].to[2] pods app=api: either is enough; to require both, "
                    "remove the dash before podSelector"
                )
            ],
            id="a namespaceSelector, then a podSelector",
        ),
        pytest.param(f"[{API}, {X}]", [], id="a podSelector, then a namespaceSelector"),
        pytest.param(f"[{X}, {{podSelector: {{}}}}]", [], id="another namespace and the policy's own: meant"),
        pytest.param(f"[{{namespaceSelector: {{}}, podSelector: {{}}}}, {API}]", [], id="both, then a podSelector"),
        pytest.param(f"[{X}, {{namespaceSelector: {{}}, podSelector: {{}}}}]", [], id="a namespaceSelector, then both"),
        pytest.param(f"[{X}, {{ipBlock: {{cidr: 192.0.2.0/24}}}}]", [], id="a namespaceSelector, then an ipBlock"),
        pytest.param(f"[{{ipBlock: {{cidr: 192.0.2.0/24}}}}, {API}]", [], id="an ipBlock, then a podSelector"),
    ],
)
def test_a_dash_before_pod_selector_splits_a_peer(peers: str, wanted: list[str]) -> None:
    spec = f"{{shop/p: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: {peers}}}]}}}}"
    assert lines(linted(with_policies(CLUSTER, spec)), "NP004") == wanted


def test_a_split_peer_is_proved_by_the_pods_that_each_half_lets_in() -> None:
    spec = f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{X}, {API}]}}]}}}}"
    (found,) = (one for one in linted(with_policies(CLUSTER, spec)) if one.number == "NP004")
    assert found.proof == ("both: shop/api (app=api)", "by the namespaceSelector alone: shop/web (app=web)")
    lonely = f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{X.replace('x', 'none')}, {API}]}}]}}}}"
    (found,) = (one for one in linted(with_policies(CLUSTER, lonely)) if one.number == "NP004")
    assert found.proof == ("no pod has both",)


NOTHING = "NP002 error spec.ingress[0].from[0]: p ingress[0].from[0] matches no pod: "


@pytest.mark.parametrize(
    ("peer", "wanted"),
    [
        pytest.param("{podSelector: {}}", None, id="some pod matches"),
        pytest.param("{ipBlock: {cidr: 192.0.2.0/24}}", None, id="an ipBlock need not match a pod"),
        pytest.param(
            "{podSelector: {matchLabels: {app: ap}}}",
            f"{NOTHING}pods app=ap; did you mean app=api?",
            id="a pod of the namespace has a similar label",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: client}}}",
            f"{NOTHING}pods app=client",
            id="similar labels in other namespaces don't count without a namespaceSelector",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: cli}}}",
            f"{NOTHING}pods app=cli; such pods are in lab: add a namespaceSelector to the same peer",
            id="the pods are in another namespace",
        ),
        pytest.param(
            "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web, api]}]}}",
            f"{NOTHING}pods app notin (web,api); such pods are in lab: add a namespaceSelector to the same peer",
            id="the pods are in another namespace, by an expression",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {app: done}}}",
            f"{NOTHING}pods app=done",
            id="finished pods in another namespace don't count",
        ),
        pytest.param(
            "{namespaceSelector: {}, podSelector: {matchLabels: {app: clii}}}",
            f"{NOTHING}pods app=clii in all namespaces; did you mean app=cli?",
            id="a pod of any namespace has a similar label",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: cli}}}",
            f"{NOTHING}pods app=cli in namespaces team=x",
            id="the pods are in another namespace than the namespaceSelector's",
        ),
        pytest.param(
            "{namespaceSelector: {matchExpressions: [{key: name, operator: NotIn, values: [lab]}]}, "
            "podSelector: {matchLabels: {zone: north}}}",
            f"{NOTHING}pods zone=north in namespaces name!=lab",
            id="a namespace that an expression excludes",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {name: lab}}}",
            "NP006 error spec.ingress[0].from[0]: p ingress[0].from[0]: no namespace has the label name=lab; "
            "to select namespace lab, use kubernetes.io/metadata.name: lab",
            id="a namespace by a label that no namespace has",
        ),
        pytest.param(
            "{namespaceSelector: {matchExpressions: [{key: name, operator: In, values: [lab, none]}]}}",
            "NP006 error spec.ingress[0].from[0]: p ingress[0].from[0]: no namespace has the label name in (lab,none); "
            "to select namespace lab, use kubernetes.io/metadata.name: lab",
            id="one of two namespaces by such a label",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {name: nowhere}}}",
            f"{NOTHING}all pods in namespaces name=nowhere",
            id="a label that no namespace has, and its value is not a namespace",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: lab}}}",
            f"{NOTHING}all pods in namespaces team=lab",
            id="a label that some namespace has, with another namespace as its value",
        ),
        pytest.param(
            "{namespaceSelector: {matchExpressions: [{key: team, operator: Exists}, "
            "{key: kubernetes.io/metadata.name, operator: In, values: [lab]}]}}",
            f"{NOTHING}all pods in namespaces team,kubernetes.io/metadata.name=lab",
            id="kubernetes.io/metadata.name is never the mistake",
        ),
    ],
)
def test_a_peer_that_matches_no_pod(peer: str, wanted: str | None) -> None:
    cluster = with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}")
    found = linted(cluster)
    assert lines(found, "NP002", "NP006", "NP011") == ([wanted] if wanted else [])
    for one in found:
        if one.repair and one.number in ("NP002", "NP006"):
            assert peer not in str(one.repair)


@pytest.mark.parametrize(
    ("label", "line"),
    [
        pytest.param("clientt", f"{NOTHING.replace('error', 'info')}pods app=clientt", id="nothing near: advice"),
        pytest.param("ap", f"{NOTHING}pods app=ap; did you mean app=api?", id="a slip is an error all the same"),
    ],
)
def test_manifests_may_be_a_part_of_what_runs(label: str, line: str) -> None:
    policies = (
        f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {label}}}}}}}]}}]}}}}"
    )
    assert lines(linted(with_policies(CLUSTER, policies), complete=False), "NP002") == [line]


def test_pods_that_a_skipped_kind_makes_are_not_seen() -> None:
    policies = "{shop/p: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {kafka: x}}}]}]}}"
    found = linted(with_policies(CLUSTER, policies), complete=False, unseen=("Kafka",))
    assert lines(found, "NP002") == [
        f"{NOTHING.replace('error', 'info')}pods kafka=x; the pods that Kafka makes are not seen"
    ]


def test_a_rule_with_nothing_but_such_peers() -> None:
    one, two = ("{podSelector: {matchLabels: {app: one}}}", "{podSelector: {matchLabels: {app: two}}}")
    rules = (
        f"[{{from: [{one}, {two}]}}, {{from: [{one}, {API}]}}, {{from: [{one}, {{ipBlock: {{cidr: 192.0.2.0/24}}}}]}}]"
    )
    found = linted(with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: {rules}}}}}"))
    assert lines(found, "NP011") == ["NP011 error spec.ingress[0]: p ingress[0]: not one of its 2 peers matches a pod"]
    assert len(lines(found, "NP002")) == 4


def test_pods_on_the_host_network_alone() -> None:
    more = "{pods: {lab/node: {labels: {app: node}, ip: 192.0.2.1, host_network: true}}}"
    peer = "{namespaceSelector: {}, podSelector: {matchLabels: {app: node}}}"
    found = linted(with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}", more))
    assert lines(found, "NP002") == [
        (
            "NP002 warning spec.ingress[0].from[0]: p ingress[0].from[0] matches pods on the host network alone: "
            "pods app=node in all namespaces"
        )
    ]


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        pytest.param(
            "{namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}", {}, id="pods that could not be read"
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: z}}}", {"unread": ["lab"]}, id="labels of a namespace are unknown"
        ),
    ],
)
def test_nothing_is_said_of_what_is_unread(peer: str, why: dict[str, list[str]]) -> None:
    gap = {"resource": "pods", "namespace": "lab", "message": "you may not list pods"}
    cluster = with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}")
    unread = {**cluster, "live": True, "gaps": [gap]} if not why else {**cluster, **why, "namespaces": {"shop": {}}}
    assert lines(linted(unread), "NP002") == []


BY_NAME = "{namespaceSelector: {matchLabels: {name: lab}}}"
LACKS = "the label name=lab; to select namespace lab, use kubernetes.io/metadata.name: lab"


@pytest.mark.parametrize(
    ("peers", "unread", "wanted"),
    [
        pytest.param(
            f"[{BY_NAME}]",
            ["ops"],
            [f"warning spec.ingress[0].from[0]: p ingress[0].from[0]: namespace lab does not have {LACKS}"],
            id="the namespace of that name is there without the label",
        ),
        pytest.param(f"[{BY_NAME}]", ["lab"], [], id="the namespace of that name may have the label"),
        pytest.param(
            "[{namespaceSelector: {matchLabels: {name: lab}}, podSelector: {matchLabels: {app: job}}}, "
            + BY_NAME
            + "]",
            ["ops"],
            [
                f"warning spec.{at}: p {at}: namespace lab does not have {LACKS}"
                for at in ("ingress[0].from[0]", "ingress[0].from[1]")
            ],
            id="several peers: that none matches is not known",
        ),
        pytest.param(
            "[{namespaceSelector: {matchLabels: {name: nowhere}}}]",
            ["ops"],
            [],
            id="no namespace of that name was read",
        ),
        pytest.param("[{namespaceSelector: {matchLabels: {team: lab}}}]", ["ops"], [], id="another namespace has it"),
    ],
)
def test_a_namespace_by_its_name_where_labels_of_another_are_unknown(
    peers: str, unread: list[str], wanted: list[str]
) -> None:
    more = "{pods: {ops/job: {labels: {app: job}, ip: 10.0.2.1}}}"
    cluster = with_policies(CLUSTER, f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: {peers}}}]}}}}", more)
    named = {name: labels for name, labels in CLUSTER["namespaces"].items() if name not in unread}
    found = linted({**cluster, "unread": unread, "namespaces": named})
    assert lines(found, "NP002", "NP006", "NP011") == [f"NP006 {line}" for line in wanted]
    assert all(one.repair for one in found if one.number == "NP006")


def test_labels_of_replicas_are_on_no_template() -> None:
    job = """
      apiVersion: apps/v1
      kind: StatefulSet
      metadata: {name: db, namespace: shop}
      spec:
        selector: {matchLabels: {app: db}}
        template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}
    """
    peer = "{podSelector: {matchLabels: {apps.kubernetes.io/pod-index: '0'}}}"
    policies = f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}"
    cluster = {**with_policies(CLUSTER, policies), "objects": [yaml.safe_load(job)]}
    assert lines(linted(cluster), "NP002") == []
    assert snapshot_of(cluster).pods[-1].planned


def test_a_tier_often_speaks_of_what_is_to_come() -> None:
    rule = {"action": "Deny", "from": [{"namespaces": {"matchLabels": {"team": "z"}}}]}
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "ingress": [rule]}
    assert [one.severity.value for one in linted({**SHOP, "tiers": {"cnp/p": spec}}) if one.number == "NP002"] == [
        "info"
    ]
    named = {"action": "Deny", "from": [{"namespaces": {"matchLabels": {"name": "lab"}}}]}
    found = linted({**SHOP, "tiers": {"cnp/p": {**spec, "ingress": [named]}}})
    assert [(one.severity.value, one.repair) for one in found if one.number == "NP006"] == [("info", None)]
    unread = {**SHOP, "pods": {**SHOP["pods"], "ops/job": {}}, "unread": ["ops"]}
    found = linted({**unread, "tiers": {"cnp/p": {**spec, "ingress": [named]}}})
    assert [(one.severity.value, one.repair) for one in found if one.number == "NP006"] == [("info", None)]
