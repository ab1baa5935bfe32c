"""Texts and API objects to values: what is read how, and what is refused with file, document and path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.objects import Container, ContainerPort, Owner, Workload
from kubectl_netpol.model.policies import Direction, OverridingPolicy
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, Operator, Requirement
from kubectl_netpol.model.snapshot import Gap, Snapshot


def read(*texts: str, live: bool = False) -> Snapshot:
    reader = Reader(default_namespace="shop", live=live)
    for text in texts:
        reader.add_text(text, "it.yaml")
    return reader.snapshot()


def refused(text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        read(text)
    return caught.value


POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: "


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("[]", "spec: expected an object, got a list", None),
        ("{podSelector: {}, ingres: []}", 'spec: unknown field "ingres"', "did you mean ingress?"),
        (
            "{podSelector: {}, xyz: 1}",
            'spec: unknown field "xyz"',
            "known fields: podSelector, policyTypes, ingress, egress",
        ),
        ("{podSelector: x}", 'spec.podSelector: expected an object, got "x"', None),
        (
            "{podSelector: {matchLabel: {}}}",
            'spec.podSelector: unknown field "matchLabel"',
            "did you mean matchLabels?",
        ),
        (
            "{podSelector: {matchLabels: {a: true}}}",
            "spec.podSelector.matchLabels.a: a label is a string, this is true",
            'quote it: "true"',
        ),
        (
            "{podSelector: {matchLabels: {version: 1.10}}}",
            "spec.podSelector.matchLabels.version: a label is a string, this is 1.1",
            'quote it: "1.1"',
        ),
        (
            "{podSelector: {matchLabels: {a: null}}}",
            "spec.podSelector.matchLabels.a: a label is a string, this is null",
            None,
        ),
        (
            "{podSelector: {matchLabels: {a: {b: c}}}}",
            "spec.podSelector.matchLabels.a: a label is a string, this is an object",
            None,
        ),
        (
            '{podSelector: {matchLabels: {"a b": c}}}',
            (
                'spec.podSelector.matchLabels: "a b" is no label key: 1 to 63 of A-Z a-z 0-9 . _ -, '
                "a letter or digit at both ends"
            ),
            None,
        ),
        (
            "{podSelector: {matchLabels: {a: b c}}}",
            (
                'spec.podSelector.matchLabels: "b c" is no label value: at most 63 of A-Z a-z 0-9 . _ -, '
                "a letter or digit at both ends"
            ),
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{operator: Exists}]}}",
            "spec.podSelector.matchExpressions[0].key: is missing",
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: 'a/b/c', operator: Exists}]}}",
            (
                'spec.podSelector.matchExpressions[0].key: "a/b/c" is no label key: what stands before the slash must '
                "be a DNS name in lower case"
            ),
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: a, operator: in, values: [x]}]}}",
            'spec.podSelector.matchExpressions[0].operator: "in" is none of In, NotIn, Exists, DoesNotExist',
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: a, operator: [In]}]}}",
            "spec.podSelector.matchExpressions[0].operator: a list is none of In, NotIn, Exists, DoesNotExist",
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
            "spec.podSelector.matchExpressions[0].values: In takes at least one value",
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}}",
            "spec.podSelector.matchExpressions[0].values: Exists takes no values",
            None,
        ),
        (
            "{podSelector: {matchExpressions: [{key: a, operator: In, values: [1]}]}}",
            "spec.podSelector.matchExpressions[0].values: expected a string, got 1",
            'quote it: "1"',
        ),
        ("{policyTypes: [ingress]}", 'spec.policyTypes[0]: "ingress" is neither Ingress nor Egress', None),
        ("{policyTypes: Ingress}", 'spec.policyTypes: expected a list, got "Ingress"', "start each item with a dash"),
        ("{ingress: {}}", "spec.ingress: expected a list, got an object", "start each item with a dash"),
        (
            "{ingress: [null]}",
            "spec.ingress[0]: the rule is null",
            "write {} for a rule that allows everything",
        ),
        ("{egress: [{from: []}]}", 'spec.egress[0]: unknown field "from"', "known fields: to, ports"),
        (
            "{ingress: [{from: [{}]}]}",
            "spec.ingress[0].from[0]: the peer names nothing",
            "podSelector: {} means all pods of the policy's namespace",
        ),
        (
            "{ingress: [{from: [null]}]}",
            "spec.ingress[0].from[0]: the peer names nothing",
            "podSelector: {} means all pods of the policy's namespace",
        ),
        (
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
            "spec.ingress[0].from[0]: ipBlock stands alone in its item",
            "put the selector into an item of its own",
        ),
        ("{ingress: [{from: [{ipBlock: {}}]}]}", "spec.ingress[0].from[0].ipBlock.cidr: is missing", None),
        ('{ingress: [{from: [{ipBlock: {cidr: ""}}]}]}', "spec.ingress[0].from[0].ipBlock.cidr: is empty", None),
        (
            "{ingress: [{}, {from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.1}}]}]}",
            'spec.ingress[1].from[1].ipBlock.cidr: "10.0.0.1" is no CIDR',
            "write an address block such as 10.0.0.0/8",
        ),
        (
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/255.0.0.0}}]}]}",
            'spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0/255.0.0.0" is no CIDR',
            "write an address block such as 10.0.0.0/8",
        ),
        (
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
            'spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0/33" is no CIDR',
            "write an address block such as 10.0.0.0/8",
        ),
        (
            "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
            "spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 does not lie inside 10.0.0.0/8",
            "each except belongs into the block that holds it",
        ),
        (
            '{egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, "fd00::/8"]}}]}]}',
            "spec.egress[0].to[0].ipBlock.except[1]: fd00::/8 does not lie inside 0.0.0.0/0",
            "each except belongs into the block that holds it",
        ),
        (
            "{ingress: [{ports: [{protocol: tcp}]}]}",
            'spec.ingress[0].ports[0].protocol: "tcp" is none of TCP, UDP, SCTP',
            None,
        ),
        (
            '{ingress: [{ports: [{protocol: ""}]}]}',
            'spec.ingress[0].ports[0].protocol: "" is none of TCP, UDP, SCTP',
            None,
        ),
        (
            "{ingress: [{ports: [{port: 12:30}]}]}",
            'spec.ingress[0].ports[0].port: "12:30" is no port name',
            None,
        ),
        (
            '{ingress: [{ports: [{port: "80"}]}]}',
            'spec.ingress[0].ports[0].port: "80" is no port name',
            "write 80 without quotes",
        ),
        (
            "{ingress: [{ports: [{port: 08}]}]}",
            "spec.ingress[0].ports[0].port: expected an integer, got 8.0",
            None,
        ),
        (
            "{ingress: [{ports: [{port: 1e3}]}]}",
            "spec.ingress[0].ports[0].port: expected an integer, got 1000.0",
            None,
        ),
        (
            "{ingress: [{ports: [{port: true}]}]}",
            "spec.ingress[0].ports[0].port: expected an integer, got true",
            None,
        ),
        ("{ingress: [{ports: [{port: 0}]}]}", "spec.ingress[0].ports[0].port: 0 is no port: 1 to 65535", None),
        ("{ingress: [{ports: [{port: 65536}]}]}", "spec.ingress[0].ports[0].port: 65536 is no port: 1 to 65535", None),
        (
            "{ingress: [{ports: [{endPort: 80}]}]}",
            "spec.ingress[0].ports[0].endPort: endPort needs a port",
            None,
        ),
        (
            "{ingress: [{ports: [{port: http, endPort: 80}]}]}",
            "spec.ingress[0].ports[0].endPort: endPort needs a port by number",
            None,
        ),
        (
            "{ingress: [{ports: [{port: 80, endPort: 79}]}]}",
            "spec.ingress[0].ports[0].endPort: 79 is less than port 80",
            None,
        ),
        ("{ingress: [{port: 80}]}", 'spec.ingress[0]: unknown field "port"', "did you mean ports?"),
    ],
)
def test_a_policy_that_the_api_server_would_refuse(spec: str, message: str, hint: str | None) -> None:
    error = refused(POLICY + spec)
    assert error.message == f"it.yaml, document 1 (NetworkPolicy p): {message}"
    assert error.hint == hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "it.yaml, document 1, line 2: did not find expected node content"),
        ("---\n---\na: b\n---\nkind: Pod\n", "it.yaml, document 2: apiVersion or kind is missing"),
        ("- a", "it.yaml, document 1: an object is wanted, with apiVersion and kind"),
        ("apiVersion: 1\nkind: Pod", "it.yaml, document 1: apiVersion or kind is missing"),
        ('apiVersion: v1\nkind: ""', "it.yaml, document 1: apiVersion or kind is missing"),
        ("a: 1\nb: 2\na: 3", 'it.yaml, document 1, line 3: duplicate key "a"'),
        ('{"a": 1, "b": 2, "a": 3}', 'it.yaml, document 1, line 1: duplicate key "a"'),
        ("2026-01-01: x\n1: y", "it.yaml, document 1, line 2: expected a string as key, got 1: quote it"),
        ("true: x", "it.yaml, document 1, line 1: expected a string as key, got true: quote it"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}", "it.yaml, document 1 (Pod ?): metadata.name: is missing"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: 08}}",
            "it.yaml, document 1 (Pod ?): metadata.name: expected a string, got 8.0",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {conditions: [{}, null, x]}}",
            'it.yaml, document 1 (Pod a): status.conditions[2]: expected an object, got "x"',
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: off}}",
            "it.yaml, document 1 (Pod ?): metadata.name: expected a string, got false",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 5}}",
            "it.yaml, document 1 (Pod a): metadata.namespace: expected a string, got 5",
        ),
        (
            (
                "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: a}}, "
                "{apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [x]}}]}"
            ),
            'it.yaml, document 1, items[1] (Pod b): spec.containers[0]: expected an object, got "x"',
        ),
        (
            "{apiVersion: v1, kind: PodList, items: {a: b}}",
            "it.yaml, document 1: items: expected a list, got an object",
        ),
        (
            "{apiVersion: v1, kind: List, items: [" * 9 + "]}" * 9,
            f"it.yaml, document 1{', items[0]' * 8}: lists in lists, nested too deeply",
        ),
        (
            "&l {apiVersion: v1, kind: List, items: [*l]}",
            "it.yaml, document 1, line 1: found unconstructable recursive node",
        ),
        ("[" * 100_000, "it.yaml, document 1: nested too deeply"),
        (
            "{apiVersion: v1, kind: PodList, items: [3]}",
            "it.yaml, document 1, items[0]: an object is wanted, with apiVersion and kind",
        ),
        (
            "{apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no server has NetworkPolicy in apiVersion extensions/v1beta1",
        ),
        (
            "{apiVersion: v1, kind: Deployment, metadata: {name: a}}",
            "it.yaml, document 1: no server has Deployment in apiVersion v1",
        ),
        (
            "{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: a}}",
            "it.yaml, document 1: no server has EndpointSlice in apiVersion discovery.k8s.io/v1beta1",
        ),
        (
            POLICY.replace("spec: ", "Spec: ") + "{}",
            'it.yaml, document 1 (NetworkPolicy p): the object: unknown field "Spec"',
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{}]}}",
            "it.yaml, document 1 (Service s): spec.ports[0].port: is missing",
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80, targetPort: [1]}]}}",
            "it.yaml, document 1 (Service s): spec.ports[0].targetPort: expected an integer, got a list",
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: web}}",
            'it.yaml, document 1 (Service s): spec.clusterIPs: "web" is no IP address',
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {externalIPs: [10.0.0.256]}}",
            'it.yaml, document 1 (Service s): spec.externalIPs: "10.0.0.256" is no IP address',
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {podIPs: [{ip: 10.0.0.1}, {ip: 7}]}}",
            "it.yaml, document 1 (Pod a): status.podIPs[1].ip: 7 is no IP address",
        ),
        (
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {initContainers: [{restartPolicy: Always, "
                "ports: [{containerPort: x}]}]}}"
            ),
            (
                "it.yaml, document 1 (Pod a): spec.initContainers[0].ports[0].containerPort: "
                'expected an integer, got "x"'
            ),
        ),
        (
            (
                "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: "
                "{spec: {containers: 1}}}}}}"
            ),
            "it.yaml, document 1 (CronJob c): spec.jobTemplate.spec.template.spec.containers: expected a list, got 1",
        ),
        (
            (
                "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e}, endpoints: "
                "[{addresses: [web.example.com]}]}"
            ),
            'it.yaml, document 1 (EndpointSlice e): endpoints[0].addresses: "web.example.com" is no IP address',
        ),
        (
            "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: e}, spec: []}",
            "it.yaml, document 1 (CiliumNetworkPolicy e): spec: expected an object, got a list",
        ),
    ],
)
def test_a_document_that_can_t_be_read(text: str, message: str) -> None:
    assert refused(text).message == message


def test_a_wrong_api_version_names_the_right_one() -> None:
    error = refused("{apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: {name: a}}")
    assert error.hint == "write networking.k8s.io/v1"


def test_an_object_of_the_api_server_is_named_too() -> None:
    with pytest.raises(ManifestError, match=r"the API server's answer \(Pod \?\): metadata.name: is missing"):
        Reader().add_items("Pod", [{}])


def test_other_kinds_are_skipped_and_counted() -> None:
    reader = Reader()
    reader.add_text(
        "{apiVersion: v1, kind: ConfigMap}\n---\n{apiVersion: v1, kind: ConfigMap}\n---\n"
        "{apiVersion: serving.knative.dev/v1, kind: Service}\n---\n"
        "{apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy}\n---\n{apiVersion: v1, kind: List, items: []}\n---\n"
        "{apiVersion: v1, kind: List, items: null}",
        "it",
    )
    assert reader.skipped == {"ConfigMap": 2, "Service": 1, "NetworkPolicy": 1}


def test_an_object_given_twice_counts_once_the_last_one_as_applied() -> None:
    one = "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {v: one}}}"
    snapshot = read(one, one.replace("one", "two"), one.replace("name: a", "name: a, namespace: other"))
    assert [(pod.key, pod.labels["v"]) for pod in snapshot.pods] == [("shop/a", "two"), ("other/a", "one")]


def test_json_yaml_typed_lists_and_a_byte_order_mark_are_read_alike() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"k": "v"}}}
    bare = {"metadata": pod["metadata"]}
    texts = [
        json.dumps(pod),
        "\ufeff" + json.dumps(pod),
        "\n{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {k: v}}}",
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}),
        json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [bare]}),
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {<<: {k: v}}\n",
        json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": [pod]}]}
        ),
    ]
    found = [read(text).pods for text in texts]
    assert all(pods == found[0] for pods in found)
    assert found[0][0].labels == {"k": "v"}


POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"time": "2026-03-01T00:00:00Z"}, {"time": "2026-02-01T00:00:00Z"}, {}],
        "ownerReferences": [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "r", "controller": True}],
    },
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}, {"name": "d"}],
        "initContainers": [
            {"name": "once", "ports": [{"containerPort": 1}]},
            {
                "name": "side",
                "restartPolicy": "Always",
                "ports": [{"containerPort": 53, "protocol": "UDP", "hostPort": 5}],
            },
        ],
        "ephemeralContainers": [{"name": "debug", "image": "tools"}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.96.0.10"]},
    },
    "status": {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
        "hostIP": "192.0.2.1",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "c", "state": {"running": {}}}, {"name": "d", "state": {"waiting": {}}}],
    },
}


def test_a_pod_with_everything() -> None:
    pod = read(json.dumps(POD)).pods[0]
    assert pod.key == "shop/web"
    assert pod.ips == ("10.0.0.1", "fd00::1")
    assert (pod.node, pod.host_ips, pod.phase, pod.ready, pod.planned) == ("n1", ("192.0.2.1",), "Running", True, False)
    assert pod.ports == (ContainerPort("http", 80), ContainerPort(None, 53, "UDP", 5))
    assert pod.owner == Owner("ReplicaSet", "r")
    assert pod.containers == (
        Container("c", "i", running=True),
        Container("d", "", running=False),
        Container("side", "", running=None),
        Container("debug", "tools", running=None, ephemeral=True),
    )
    assert (pod.dns_policy, pod.nameservers, pod.changed) == ("None", ("10.96.0.10",), "2026-03-01T00:00:00Z")


@pytest.mark.parametrize(
    ("metadata", "status", "wanted"),
    [
        pytest.param({}, None, (None, True, True, ()), id="no status: planned, and as good as ready"),
        pytest.param({}, {"podIP": "10.0.0.1"}, ("Pending", False, False, ("10.0.0.1",)), id="an old server's podIP"),
        pytest.param(
            {"deletionTimestamp": "2026-01-01T00:00:00Z"},
            {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            ("Running", False, False, ()),
            id="terminating is not ready",
        ),
        pytest.param(
            {},
            {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]},
            ("Running", False, False, ()),
            id="not ready",
        ),
    ],
)
def test_the_state_of_a_pod(metadata: Any, status: Any, wanted: tuple[Any, ...]) -> None:
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", **metadata}, "status": status}
    pod = read(json.dumps(item)).pods[0]
    assert (pod.phase, pod.ready, pod.planned, pod.ips) == wanted


def workload(kind: str, version: str = "apps/v1", owner: Any = None) -> str:
    spec: dict[str, Any] = {
        "selector": {"app": "w"} if kind == "ReplicationController" else {"matchLabels": {"app": "w"}},
        "template": {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "c"}]}},
    }
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": {"template": spec["template"]}}}
    metadata = {"name": "w", "ownerReferences": [owner] if owner else None}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("Deployment", "apps/v1"),
        ("StatefulSet", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("ReplicaSet", "apps/v1"),
        ("ReplicationController", "v1"),
        ("Job", "batch/v1"),
        ("CronJob", "batch/v1"),
    ],
)
def test_a_workload_is_the_pod_of_its_template(kind: str, version: str) -> None:
    snapshot = read(workload(kind, version))
    (pod,) = snapshot.pods
    (found,) = snapshot.workloads
    added = {"job-name": "w", "batch.kubernetes.io/job-name": "w"} if kind == "Job" else {}
    assert (pod.key, pod.labels, pod.planned, pod.owner) == ("shop/w", {"app": "w", **added}, True, Owner(kind, "w"))
    assert found == Workload(kind, "shop", "w", None if kind == "CronJob" else LabelSelector.of({"app": "w"}), pod)
    assert snapshot.is_template(pod)
    assert read(workload(kind, version), live=True).pods == ()


def test_a_workload_that_another_made_has_no_pod_of_its_own() -> None:
    owner = {"kind": "Deployment", "name": "w", "controller": True}
    snapshot = read(workload("Deployment"), workload("ReplicaSet", owner=owner))
    assert [pod.owner for pod in snapshot.pods] == [Owner("Deployment", "w")]


@pytest.mark.parametrize(
    ("pod", "kept"),
    [
        pytest.param({"metadata": {"name": "w-1", "labels": {"app": "w"}}}, 2, id="a planned pod with such labels"),
        pytest.param(
            {"metadata": {"name": "w-1", "labels": {"app": "w"}}, "status": {"phase": "Running"}}, 1, id="its pod"
        ),
        pytest.param({"metadata": {"name": "w-1"}, "status": {"phase": "Running"}}, 2, id="another pod"),
        pytest.param(
            {"metadata": {"name": "w-1", "ownerReferences": [{"kind": "Deployment", "name": "w", "controller": True}]}},
            1,
            id="a pod that says whose it is",
        ),
        pytest.param(
            {"metadata": {"name": "w-1", "namespace": "lab", "labels": {"app": "w"}}, "status": {"phase": "Running"}},
            2,
            id="a pod of another namespace",
        ),
    ],
)
def test_a_template_counts_only_where_its_pods_are_not_there(pod: dict[str, Any], kept: int) -> None:
    snapshot = read(workload("Deployment"), json.dumps({"apiVersion": "v1", "kind": "Pod", **pod}))
    assert len(snapshot.pods) == kept


@pytest.mark.parametrize(
    ("spec", "selector"),
    [
        ({"template": {"metadata": {"labels": {"a": "b"}}}}, LabelSelector.of({"a": "b"})),
        ({"template": {}}, None),
        ({}, None),
    ],
)
def test_a_replication_controller_takes_its_templates_labels(spec: Any, selector: LabelSelector | None) -> None:
    item = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "r"}, "spec": spec}
    assert read(json.dumps(item)).workloads[0].selector == selector


def test_a_deployment_without_selector() -> None:
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generateName": "d-"}}
    (found,) = read(json.dumps(item)).workloads
    assert (found.name, found.selector) == ("d-", None)


def test_a_node_has_its_addresses_and_not_its_names() -> None:
    addresses = [{"address": "192.0.2.1"}, {"address": "n1"}, {"address": None}, {}]
    node = read(
        json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"addresses": addresses}})
    )
    assert node.nodes[0].addresses == ("192.0.2.1",)


def test_a_namespace_has_its_name_as_a_label() -> None:
    snapshot = read("{apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {kubernetes.io/metadata.name: x}}}")
    assert snapshot.namespaces["n"].labels == {METADATA_NAME: "n"}


def test_a_policy_with_everything() -> None:
    (policy,) = read(
        POLICY + "{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: NotIn, values: [d]}]}, "
        "policyTypes: [Egress, Ingress, Egress], ingress: [{ports: [{port: 1, endPort: 2}]}], egress: [{}]}"
    ).policies
    assert policy.directions == (Direction.INGRESS, Direction.EGRESS)
    assert policy.pod_selector.requirements == (
        Requirement("a", Operator.IN, ("b",)),
        Requirement("c", Operator.NOT_IN, ("d",)),
    )
    assert policy.rules_of(Direction.INGRESS)[0].ports == (PortRange("TCP", 1, 2),)
    assert policy.rules_of(Direction.EGRESS)[0] == policy.rules[1]


def test_rules_of_a_direction_that_policy_types_leaves_out_are_not_in_force() -> None:
    (policy,) = read(POLICY + "{podSelector: {}, policyTypes: [Ingress], egress: [{}]}").policies
    assert len(policy.rules) == 1
    assert policy.rules_of(Direction.EGRESS) == ()


def test_gaps_and_overriding_objects_are_in_the_snapshot() -> None:
    reader = Reader(live=True)
    reader.add_items(
        "CiliumNetworkPolicy", [{"metadata": {"name": "c", "namespace": "a"}, "spec": {"endpointSelector": {}}}]
    )
    reader.add_items("CalicoNetworkPolicy", [{"metadata": {"name": "knp.default.p", "namespace": "a"}}])
    gap = Gap("pods", None, "you may not")
    snapshot = reader.snapshot([gap])
    assert snapshot.gaps == (gap,)
    assert snapshot.overriding == (OverridingPolicy("CiliumNetworkPolicy", "a", "c", (), None, LabelSelector(())),)


def test_a_namespaced_overriding_object_without_namespace_is_of_the_current_one() -> None:
    (found,) = read(
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c}, spec: {endpointSelector: {}}}"
    ).overriding
    assert found.namespace == "shop"
