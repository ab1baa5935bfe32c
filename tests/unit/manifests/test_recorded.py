"""What is kept of each policy: where it stands, its annotations, and what the API server would refuse."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.positions import Positions
from kubectl_netpol.manifests.recorded import RecordingReader


def read(*objects: dict[str, Any], default: str = "default") -> RecordingReader:
    reader = RecordingReader(default_namespace=default)
    for number, item in enumerate(objects):
        reader.add_text(yaml.safe_dump(item), f"{number}.yaml")
    return reader


def policy(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", **metadata},
        "spec": spec,
    }


def test_policies_and_namespaces_are_kept_with_their_source_and_annotations() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    admin = {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "x", "annotations": {"netpol/ignore": "NP001"}},
        "spec": {"priority": 1, "subject": {"namespaces": {}}},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}
    reader = read(
        policy({"podSelector": {}}, namespace="a"), namespace, admin, pod, policy({"podSelector": {}}), default="b"
    )
    assert {key: (one.source, one.annotations) for key, one in reader.recorded.items()} == {
        ("NetworkPolicy", "a", "p"): ("0.yaml", {}),
        ("Namespace", "", "a"): ("1.yaml", {}),
        ("AdminNetworkPolicy", "", "x"): ("2.yaml", {"netpol/ignore": "NP001"}),
        ("NetworkPolicy", "b", "p"): ("4.yaml", {}),
    }
    assert list(reader.texts) == ["0.yaml", "1.yaml", "2.yaml", "3.yaml", "4.yaml"]
    assert len(reader.snapshot().policies) == 2


@pytest.mark.parametrize(
    ("spec", "path", "problem"),
    [
        pytest.param(
            {"podSelector": {}, "policyTypes": ["in"]},
            "spec.policyTypes[0]",
            'must be Ingress or Egress, got "in"',
            id="a value",
        ),
        pytest.param({"podSelector": {}, "odd": 1}, "spec", 'unknown field "odd"', id="a field"),
        pytest.param(
            {"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["10.0.0.0/8"]}}]}]},
            "spec.egress[0].to[0].ipBlock.except[0]",
            "10.0.0.0/8 is not a strict subset of 192.0.2.0/24",
            id="an except",
        ),
    ],
)
def test_what_the_api_server_refuses_is_kept_and_the_rest_is_read(
    spec: dict[str, Any], path: str, problem: str
) -> None:
    reader = read(policy(spec), policy({"podSelector": {}}, name="good"))
    (refused,) = reader.refused
    assert (refused.kind, refused.namespace, refused.name, refused.path) == ("NetworkPolicy", "default", "p", path)
    assert refused.problem == problem
    assert [one.name for one in reader.snapshot().policies] == ["good"]
    assert ("NetworkPolicy", "default", "p") in reader.recorded


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "p"},
                "spec": {"odd": 1},
            },
            id="a policy of Cilium's that the API server refuses",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": 1}}, id="a namespace"
        ),
        pytest.param({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": 1}}, id="a pod"),
        pytest.param({**policy({}), "metadata": {}}, id="a policy without a name"),
        pytest.param({**policy({}), "metadata": 1}, id="a policy whose metadata is a number"),
        pytest.param({**policy({}), "metadata": {"name": 1}}, id="a policy whose name is a number"),
    ],
)
def test_everything_else_is_an_error_as_ever(item: dict[str, Any]) -> None:
    with pytest.raises(ManifestError):
        read(item)


def test_annotations_that_are_no_map_are_none() -> None:
    reader = RecordingReader(live=True)
    reader.add_items("NetworkPolicy", [{"metadata": {"name": "p", "annotations": "odd"}, "spec": {}}])
    (recorded,) = reader.recorded.values()
    assert (recorded.source, recorded.annotations) == ("", {})


def test_kinds_that_may_make_pods() -> None:
    kinds = ("ConfigMap", "Kafka", "ServiceMonitor", "Prometheus")
    reader = read(*({"apiVersion": "a.example/v1", "kind": kind, "metadata": {"name": "x"}} for kind in kinds))
    assert reader.unseen == ("Kafka", "Prometheus")


def test_objects_with_one_generate_name_each_have_their_own_place() -> None:
    def policy(port: int) -> str:
        head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {generateName: p-}\n"
        return f"{head}spec: {{podSelector: {{}}, ingress: [{{ports: [{{port: {port}}}]}}]}}\n"

    reader = RecordingReader()
    reader.add_text("---\n".join(map(policy, (80, 0, 81))), "a.yaml")
    reader.add_text(policy(82), "b.yaml")
    assert [refused.name for refused in reader.refused] == ["p-#2"]
    places = {key[2]: (found.source, found.key[2]) for key, found in reader.recorded.items()}
    assert places == {
        "p-": ("a.yaml", "p-#1"),
        "p-#2": ("a.yaml", "p-#2"),
        "p-#3": ("a.yaml", "p-#3"),
        "p-#4": ("b.yaml", "p-#1"),
    }
    texts = {name: Positions(content) for name, content in reader.texts.items()}
    lines = [texts[found.source].line(found.key, "spec") for found in reader.recorded.values()]
    assert lines == [4, 9, 14, 4]
    assert texts["b.yaml"].line(("NetworkPolicy", "default", "p-#2"), "spec") is None


def test_a_policy_of_cilium_is_kept_with_its_source() -> None:
    spec: dict[str, Any] = {"endpointSelector": {}, "ingress": [{}]}
    item = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "p"}, "spec": spec}
    assert read(item).recorded["CiliumNetworkPolicy", "default", "p"].source == "0.yaml"
