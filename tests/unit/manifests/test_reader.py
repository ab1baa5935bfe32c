"""Texts and API lists to one snapshot: which documents are read, and where an error is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.kinds import KINDS, WORKLOADS
from kubectl_netpol.model.objects import Owner
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Gap, Snapshot


def read(*texts: str, live: bool = False) -> Snapshot:
    reader = Reader(default_namespace="shop", live=live)
    for text in texts:
        reader.add_text(text, "it.yaml")
    return reader.snapshot()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "a: [", "it.yaml, document 1, line 2: did not find expected node content", None, id="text that is not YAML"
        ),
        pytest.param("[" * 100_000, "it.yaml, document 1: nested too deeply", None, id="100,000 brackets"),
        pytest.param(
            "---\n---\na: b\n---\nkind: Pod\n",
            "it.yaml, document 2: apiVersion or kind is missing",
            None,
            id="the number of the document, with the empty ones",
        ),
        pytest.param(
            "- a",
            "it.yaml, document 1: expected an object with apiVersion and kind, got a list",
            None,
            id="a list for a document",
        ),
        pytest.param(
            "a text of any length",
            "it.yaml, document 1: expected an object with apiVersion and kind, got text",
            None,
            id="a text for a document is not printed",
        ),
        pytest.param(
            "apiVersion: 1\nkind: Pod",
            "it.yaml, document 1: apiVersion or kind is missing",
            None,
            id="a number for apiVersion",
        ),
        pytest.param(
            'apiVersion: v1\nkind: ""', "it.yaml, document 1: apiVersion or kind is missing", None, id="an empty kind"
        ),
        pytest.param(
            "a: 1\nb: 2\na: 3", 'it.yaml, document 1, line 3: duplicate key "a"', None, id="a duplicate key in YAML"
        ),
        pytest.param(
            '{"a": 1, "b": 2, "a": 3}',
            'it.yaml, document 1, line 1: duplicate key "a"',
            None,
            id="a duplicate key in JSON",
        ),
        pytest.param(
            "{apiVersion: netpol/v1, kind: TestSuite, checks: []}",
            "it.yaml, document 1: a TestSuite is not a manifest",
            "kubectl netpol test -F FILE",
            id="a suite",
        ),
        pytest.param(
            "{apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind NetworkPolicy in apiVersion extensions/v1beta1",
            "write networking.k8s.io/v1",
            id="a former apiVersion",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Deployment, metadata: {name: a}}",
            "it.yaml, document 1: no kind Deployment in apiVersion v1",
            "write apps/v1",
            id="an apiVersion that is another kind's",
        ),
        pytest.param(
            "{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: a}}",
            "it.yaml, document 1: no kind EndpointSlice in apiVersion discovery.k8s.io/v1beta1",
            "write discovery.k8s.io/v1",
            id="a beta version",
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: Networkpolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind Networkpolicy in apiVersion networking.k8s.io/v1",
            "did you mean kind: NetworkPolicy?",
            id="a kind in another case",
        ),
        pytest.param(
            "{apiVersion: policy.networking.k8s.io/v1beta1, kind: ClusterNetworkPolcy, metadata: {name: a}}",
            "it.yaml, document 1: no kind ClusterNetworkPolcy in apiVersion policy.networking.k8s.io/v1beta1",
            "did you mean kind: ClusterNetworkPolicy?",
            id="a misspelt kind",
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: ClusterNetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind ClusterNetworkPolicy in apiVersion networking.k8s.io/v1",
            "did you mean ClusterNetworkPolicy of policy.networking.k8s.io?",
            id="a kind of another group",
        ),
        pytest.param(
            "{apiVersion: policy.networking.k8s.io/v1beta1, kind: AdminNetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind AdminNetworkPolicy in apiVersion policy.networking.k8s.io/v1beta1",
            "write policy.networking.k8s.io/v1alpha1",
            id="a version that does not have the kind",
        ),
        pytest.param(
            "{apiVersion: cilium.io/v2alpha1, kind: CiliumNetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind CiliumNetworkPolicy in apiVersion cilium.io/v2alpha1",
            "write cilium.io/v2",
            id="a version that does not have a plugin's kind",
        ),
        pytest.param(
            "{apiVersion: projectcalico.org/v1, kind: NetworkPolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind NetworkPolicy in apiVersion projectcalico.org/v1",
            "write projectcalico.org/v3",
            id="a version of Calico that does not have the kind",
        ),
        pytest.param(
            "{apiVersion: cilium.io/v2, kind: CiliumNetworkpolicy, metadata: {name: a}}",
            "it.yaml, document 1: no kind CiliumNetworkpolicy in apiVersion cilium.io/v2",
            "did you mean kind: CiliumNetworkPolicy?",
            id="a misspelt kind of a plugin",
        ),
        pytest.param(
            "{apiVersion: example.com/v1, kind: TeamNetworkPolicy, metadata: {name: a, namespace: 3}}",
            "it.yaml, document 1 (TeamNetworkPolicy.example.com a): metadata.namespace: expected a string, got 3",
            "quote it",
            id="a number for the namespace of a kind that is not known",
        ),
        pytest.param(
            "apiVersion: v1\nkind: Pod\nmetadata: {}",
            "it.yaml, document 1 (Pod ?): metadata.name: is missing",
            None,
            id="an object without name",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: 08}}",
            "it.yaml, document 1 (Pod ?): metadata.name: expected a string, got 8.0",
            "quote it",
            id="a number for a name",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 5}}",
            "it.yaml, document 1 (Pod a): metadata.namespace: expected a string, got 5",
            "quote it",
            id="a number for a namespace",
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {ingres: []}}",
            'it.yaml, document 1 (NetworkPolicy p): spec: unknown field "ingres"',
            "did you mean ingress?",
            id="a field of a policy",
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, Spec: {}}",
            'it.yaml, document 1 (NetworkPolicy p): unknown field "Spec"',
            "did you mean spec?",
            id="a field of the object itself",
        ),
        pytest.param(
            "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: e}, spec: []}",
            "it.yaml, document 1 (CiliumNetworkPolicy e): spec: expected an object, got a list",
            None,
            id="a policy of a network plugin",
        ),
        pytest.param(
            "{apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy, metadata: {name: e}, spec: []}",
            "it.yaml, document 1 (AntreaNetworkPolicy e): spec: expected an object, got a list",
            None,
            id="a policy of a kind that is not evaluated",
        ),
        pytest.param(
            (
                "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: a}}, "
                "{apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [x]}}]}"
            ),
            'it.yaml, document 1, items[1] (Pod b): spec.containers[0]: expected an object, got "x"',
            None,
            id="the number of the item in a list",
        ),
        pytest.param(
            "{apiVersion: v1, kind: PodList, items: {a: b}}",
            "it.yaml, document 1: items: expected a list, got an object",
            "start each item with a dash",
            id="an object for the items of a list",
        ),
        pytest.param(
            "{apiVersion: v1, kind: PodList, items: [3]}",
            "it.yaml, document 1, items[0]: expected an object with apiVersion and kind, got 3",
            None,
            id="a number for an item",
        ),
        pytest.param(
            "{apiVersion: v1, kind: List, items: [" * 9 + "]}" * 9,
            f"it.yaml, document 1{', items[0]' * 8}: lists are nested too deeply",
            None,
            id="nine lists in one another",
        ),
    ],
)
def test_an_error_has_source_document_object_and_field(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_an_error_in_a_list_of_the_api_server_says_so() -> None:
    with pytest.raises(ManifestError) as caught:
        Reader().add_items("Pod", [{}])
    assert caught.value.message == "the API server's response (Pod ?): metadata.name: is missing"


def test_other_kinds_are_skipped_and_counted() -> None:
    reader = Reader()
    reader.add_text(
        "{apiVersion: v1, kind: ConfigMap}\n---\n{apiVersion: v1, kind: ConfigMap}\n---\n"
        "{apiVersion: serving.knative.dev/v1, kind: Service}\n---\n"
        "{apiVersion: controlplane.antrea.io/v1beta2, kind: NetworkPolicy}\n---\n"
        "{apiVersion: v1, kind: List, items: []}\n---\n"
        "{apiVersion: v1, kind: List, items: null}",
        "it",
    )
    assert reader.skipped == {"ConfigMap": 2, "Service": 1, "NetworkPolicy": 1}


def test_every_kind_of_the_table_is_read_and_none_is_skipped() -> None:
    reader = Reader(live=True, plugin="Calico")
    for kind in KINDS.values():
        versions = {"cilium.io": "v2", "projectcalico.org": "v3"}
        version = f"{kind.groups[0]}/{kind.version or versions.get(kind.groups[0], 'v1')}".removeprefix("/")
        item = {"apiVersion": version, "kind": kind.api, "metadata": {"name": "a"}}
        reader.add_text(json.dumps(item), "it")
    snapshot = reader.snapshot()
    assert reader.skipped == {}
    assert {workload.kind for workload in snapshot.workloads} == set(WORKLOADS)
    others = (snapshot.namespaces, snapshot.pods, snapshot.policies, snapshot.services, snapshot.nodes)
    assert [len(found) for found in (*others, snapshot.endpoint_slices)] == [1] * 6


def test_policies_of_other_kinds_are_in_the_order_of_the_table_and_unknown_kinds_last() -> None:
    texts = [
        "{apiVersion: example.com/v1, kind: TeamNetworkPolicy, metadata: {name: t, namespace: lab}}",
        "{apiVersion: example.com/v1, kind: TeamNetworkPolicy, metadata: {name: w}}",
        "{apiVersion: policy.linkerd.io/v1beta3, kind: Server, metadata: {name: s}}",
        "{apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy, metadata: {name: c}}",
    ]
    found = read(*texts).unevaluated
    assert [policy.title for policy in found] == [
        "shop/networkpolicy.crd.antrea.io/c",
        "shop/server.policy.linkerd.io/s",
        "lab/teamnetworkpolicy.example.com/t",
        "teamnetworkpolicy.example.com/w",
    ]


def test_on_a_cluster_a_policy_that_can_t_be_read_may_select_anything_in_its_scope() -> None:
    reader = Reader(live=True)
    reader.add_items("AntreaNetworkPolicy", [{"metadata": {"name": "a", "namespace": "lab"}, "spec": 3}])
    reader.add_items("EgressFirewall", [{"metadata": {"name": "e", "namespace": "lab"}, "spec": {"egress": 3}}])
    found = reader.snapshot().unevaluated
    assert found == (
        UnevaluatedPolicy("AntreaNetworkPolicy", "lab", "a", nodes=True),
        UnevaluatedPolicy("EgressFirewall", "lab", "e", nodes=True),
    )


CILIUM = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "c", "namespace": "a"}}
CILIUM_SPEC: dict[str, Any] = {"endpointSelector": {}, "ingress": [{}]}


@pytest.mark.parametrize(
    ("live", "plugin", "found"),
    [
        pytest.param(False, None, ("Cilium", 1, 0), id="manifests say which by its kinds"),
        pytest.param(False, "Cilium", ("Cilium", 1, 0), id="manifests, and it is said"),
        pytest.param(False, "Calico", ("Calico", 0, 1), id="manifests, and it is another one"),
        pytest.param(False, "", (None, 0, 1), id="manifests, and none runs"),
        pytest.param(True, None, (None, 0, 1), id="a cluster where it does not run"),
        pytest.param(True, "Cilium", ("Cilium", 1, 0), id="a cluster where it runs"),
    ],
)
def test_policies_of_a_plugin_are_read_where_it_runs(live: bool, plugin: str | None, found: object) -> None:  # noqa: FBT001 - a row
    reader = Reader(live=live, plugin=plugin)
    reader.add_text(json.dumps({**CILIUM, "spec": CILIUM_SPEC}), "it.yaml")
    snapshot = reader.snapshot()
    assert (snapshot.plugin, len(snapshot.plugin_objects), len(snapshot.unevaluated)) == found


NAMED_PORT = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: c}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}]}]
"""
TIER = "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}}"


def test_a_port_name_beside_networks_is_for_calico_alone() -> None:
    for texts in ((NAMED_PORT, TIER), (TIER, NAMED_PORT)):
        assert [policy.name for policy in read(*texts).tiered] == ["c"], "whichever comes first"
    with pytest.raises(ManifestError, match="a port name can't be combined with networks"):
        read(NAMED_PORT)


def test_where_the_plugin_runs_a_policy_of_its_that_can_t_be_read_may_decide() -> None:
    reader = Reader(live=True, plugin="Cilium")
    reader.add_text(json.dumps({**CILIUM, "spec": {**CILIUM_SPEC, "later": 1}}), "it.yaml")
    snapshot = reader.snapshot()
    assert snapshot.plugin_objects == ()
    assert [policy.because for policy in snapshot.unevaluated] == ['spec: unknown field "later"']


def test_of_an_object_given_twice_the_last_one_counts() -> None:
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


def test_json_documents_may_follow_each_other() -> None:
    one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    two = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}}
    text = f"{json.dumps(one)}\n{json.dumps(two, indent=1)}{json.dumps(one)}\n\n"
    assert [pod.name for pod in read(text).pods] == ["a", "b"]
    with pytest.raises(ManifestError, match=r"^it.yaml, document 2: apiVersion or kind is missing$"):
        read(json.dumps(one) + "{}")
    with pytest.raises(ManifestError, match=r"^it.yaml, document 2, line 1: "):
        read(f'{json.dumps(one)} {{"a": NaN}} {{')


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        pytest.param("{apiVersion: v1, kind: Pod, metadata: {name: a}}", "shop", id="the default one"),
        pytest.param("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: lab}}", "lab", id="its own"),
        pytest.param("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ''}}", "shop", id="an empty one"),
    ],
)
def test_the_namespace_of_an_object(text: str, namespace: str) -> None:
    assert read(text).pods[0].namespace == namespace


def test_a_generated_name_counts_as_the_name() -> None:
    assert read("{apiVersion: v1, kind: Pod, metadata: {generateName: web-}}").pods[0].name == "web-"


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "w"},
    "spec": {"selector": {"matchLabels": {"app": "w"}}, "template": {"metadata": {"labels": {"app": "w"}}}},
}


def test_a_workload_of_a_manifest_has_a_planned_pod() -> None:
    snapshot = read(json.dumps(DEPLOYMENT))
    (pod,) = snapshot.pods
    assert (pod.key, pod.labels, pod.planned, pod.owner) == ("shop/w", {"app": "w"}, True, Owner("Deployment", "w"))
    assert snapshot.is_template(pod)


def test_a_workload_of_a_cluster_has_none() -> None:
    snapshot = read(json.dumps(DEPLOYMENT), live=True)
    assert (snapshot.pods, len(snapshot.workloads)) == ((), 1)


def test_a_workload_that_is_scaled_down_has_none() -> None:
    assert read(json.dumps({**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 0}})).pods == ()


@pytest.mark.parametrize(
    ("owner", "pods"),
    [
        pytest.param("w", [Owner("Deployment", "w")], id="none if another workload controls it"),
        pytest.param(
            "gone",
            [Owner("Deployment", "w"), Owner("ReplicaSet", "w-1")],
            id="one of its own name if that was not read",
        ),
    ],
)
def test_the_planned_pod_of_a_workload_that_another_controls(owner: str, pods: list[Owner]) -> None:
    owners = [{"kind": "Deployment", "name": owner, "controller": True}]
    replica_set = {**DEPLOYMENT, "kind": "ReplicaSet", "metadata": {"name": "w-1", "ownerReferences": owners}}
    snapshot = read(json.dumps(DEPLOYMENT), json.dumps(replica_set))
    assert [pod.owner for pod in snapshot.pods] == pods


@pytest.mark.parametrize(
    ("pod", "count"),
    [
        pytest.param({"metadata": {"name": "w-1", "labels": {"app": "w"}}}, 2, id="beside a planned pod of its labels"),
        pytest.param(
            {"metadata": {"name": "w-1", "labels": {"app": "w"}}, "status": {"phase": "Running"}},
            1,
            id="not beside a running pod that it selects",
        ),
        pytest.param(
            {"metadata": {"name": "w-1"}, "status": {"phase": "Running"}}, 2, id="beside a pod of other labels"
        ),
        pytest.param(
            {"metadata": {"name": "w-1", "ownerReferences": [{"kind": "Deployment", "name": "w", "controller": True}]}},
            1,
            id="not beside a pod that it owns",
        ),
        pytest.param(
            {"metadata": {"name": "w-1", "namespace": "lab", "labels": {"app": "w"}}, "status": {"phase": "Running"}},
            2,
            id="beside a pod of another namespace",
        ),
        pytest.param(
            {"metadata": {"name": "w-1", "labels": {"app": "w"}}, "status": {"phase": "Succeeded"}},
            2,
            id="beside a finished pod of its labels",
        ),
        pytest.param(
            {
                "metadata": {
                    "name": "w-1",
                    "labels": {"app": "w"},
                    "ownerReferences": [{"kind": "Job", "name": "migrate", "controller": True}],
                },
                "status": {"phase": "Running"},
            },
            2,
            id="beside a pod of its labels that another controller has",
        ),
        pytest.param(
            {
                "metadata": {
                    "name": "w-1",
                    "labels": {"app": "w"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "w-5d9", "controller": True}],
                },
                "status": {"phase": "Running"},
            },
            1,
            id="not beside a pod of its ReplicaSet",
        ),
    ],
)
def test_a_template_is_planned_only_without_pods_of_its_own(pod: dict[str, Any], count: int) -> None:
    snapshot = read(json.dumps(DEPLOYMENT), json.dumps({"apiVersion": "v1", "kind": "Pod", **pod}))
    assert len(snapshot.pods) == count


def test_objects_with_the_same_generate_name_are_several() -> None:
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    both = [
        {**head, "metadata": {"generateName": "np-"}, "spec": {"policyTypes": [one]}} for one in ("Ingress", "Egress")
    ]
    named = {**head, "metadata": {"name": "np-1"}, "spec": {}}
    snapshot = read(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*both, named, named]}))
    assert [(policy.key, policy.directions) for policy in snapshot.policies] == [
        ("shop/np-", (Direction.INGRESS,)),
        ("shop/np-#2", (Direction.EGRESS,)),
        ("shop/np-1", (Direction.INGRESS,)),
    ]


def test_gaps_and_overriding_policies_are_in_the_snapshot() -> None:
    reader = Reader(live=True)
    reader.add_items(
        "CiliumNetworkPolicy", [{"metadata": {"name": "c", "namespace": "a"}, "spec": {"endpointSelector": {}}}]
    )
    reader.add_items("CalicoNetworkPolicy", [{"metadata": {"name": "knp.default.p", "namespace": "a"}}])
    gap = Gap("pods", None, "you may not")
    snapshot = reader.snapshot([gap])
    assert snapshot.gaps == (gap,)
    assert snapshot.unevaluated == (UnevaluatedPolicy("CiliumNetworkPolicy", "a", "c", (), None, LabelSelector(())),)


def test_a_namespaced_overriding_policy_without_namespace_is_in_the_default_one() -> None:
    (found,) = read(
        "{apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy, metadata: {name: c}, spec: {}}"
    ).unevaluated
    assert found.namespace == "shop"


def test_a_manifest_in_a_folder_that_is_no_yaml_is_an_error() -> None:
    with pytest.raises(ManifestError, match=r"^x\.yaml"):
        Reader().add_found("apiVersion: v1\nkind: Pod\nmetadata: [\n", "x.yaml")


def test_a_list_is_one_of_its_group_alone() -> None:
    reader = Reader()
    reader.add_text("{apiVersion: foo.io/v1, kind: NodeList, metadata: {name: x}, spec: {}}", "it.yaml")
    assert dict(reader.skipped) == {"NodeList": 1}
