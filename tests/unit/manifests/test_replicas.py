"""Which pods stand for a workload where policies select by labels that its controller adds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.replicas import Named, replicas_of
from kubectl_netpol.model.objects import Pod

INDEX, NAME = "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"
COMPLETION = "batch.kubernetes.io/job-completion-index"


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        pytest.param({"matchLabels": {INDEX: "0", "app": "x"}}, {INDEX: {"0"}}, id="a map of labels"),
        pytest.param({"matchLabels": {INDEX: None}}, {INDEX: set()}, id="a value that is null"),
        pytest.param(
            [{"key": "job-name", "operator": "In", "values": ["a", "b"]}], {"job-name": {"a", "b"}}, id="an expression"
        ),
        pytest.param({"key": "job-name", "operator": "Exists"}, {"job-name": set()}, id="an expression without values"),
        pytest.param({"matchLabels": {f"k8s:{INDEX}": "1"}}, {INDEX: {"1"}}, id="a label of Cilium with its source"),
        pytest.param(
            {"selector": f"has(app) && {NAME} in {{'db-0', \"db-1\"}}"},
            {NAME: {"db-0", "db-1"}},
            id="a text of Calico",
        ),
        pytest.param({"matchLabels": {"app": "0"}, 5: 6}, {}, id="other labels"),
    ],
)
def test_the_labels_that_a_policy_names(policy: Any, named: dict[str, set[str]]) -> None:
    found = Named()
    found.add(policy)
    assert found == named


@pytest.mark.parametrize(
    ("kind", "spec", "named", "pods"),
    [
        pytest.param("StatefulSet", {"replicas": 3}, {"job-name": {"x"}}, {}, id="a label that the kind does not have"),
        pytest.param("ReplicationController", {}, {INDEX: {"0"}}, {}, id="a kind that adds none"),
        pytest.param(
            "StatefulSet", {"replicas": 100_000_000}, {INDEX: {"7", "07", "-1", "x"}},
            {"w-0": {INDEX: "0"}, "w-7": {INDEX: "7"}}, id="the one that is named, and one for all others",
        ),
        pytest.param("StatefulSet", {"replicas": 2}, {INDEX: {"0", "1", "2"}},
            {"w-0": {INDEX: "0"}, "w-1": {INDEX: "1"}}, id="all of them"),
        pytest.param("StatefulSet", {"replicas": 2}, {INDEX: {"0"}, NAME: {"w-1", "v-0"}},
            {"w-0": {INDEX: "0", NAME: "w-0"}, "w-1": {INDEX: "1", NAME: "w-1"}}, id="both labels of one number"),
        pytest.param("StatefulSet", {"replicas": 0}, {INDEX: {"0"}}, {}, id="no replica"),
        pytest.param("StatefulSet", {"replicas": "x"}, {INDEX: {"4"}}, {"w-0": {INDEX: "0"}}, id="no number"),
        pytest.param("StatefulSet", {"ordinals": []}, {INDEX: {"4"}}, {"w-0": {INDEX: "0"}}, id="ordinals of no shape"),
        pytest.param("Job", {"completionMode": "Indexed", "completions": 2}, {COMPLETION: {"1"}},
            {"w-0": {COMPLETION: "0"}, "w-1": {COMPLETION: "1"}}, id="an indexed Job"),
        pytest.param("Job", {"completions": 2}, {COMPLETION: {"1"}}, {}, id="a Job that is not indexed"),
        pytest.param("CronJob", {"jobTemplate": {"spec": {"completionMode": "Indexed"}}}, {COMPLETION: set()},
            {"w-0": {COMPLETION: "0"}}, id="an indexed CronJob of one"),
        pytest.param("CronJob", {}, {"job-name": {"w-12", "w-x", "v-12"}},
            {"w": {"job-name": "?"}, "w-w-12": {"job-name": "w-12"}}, id="the names of a CronJob's Jobs"),
        pytest.param("Job", {}, {"controller-uid": {"u"}, "batch.kubernetes.io/controller-uid": {"u"}},
            {"w": {"controller-uid": "?", "batch.kubernetes.io/controller-uid": "?"},
             "w-u": {"controller-uid": "u", "batch.kubernetes.io/controller-uid": "u"}}, id="two labels of one value"),
        pytest.param("DaemonSet", {}, {"controller-revision-hash": {"h"}, "pod-template-generation": set()},
            {"w": {"controller-revision-hash": "?", "pod-template-generation": "?"},
             "w-h": {"controller-revision-hash": "h", "pod-template-generation": "?"}}, id="two that are independent"),
        pytest.param("StatefulSet", {}, {"controller-revision-hash": {"w-5f", "5f"}},
            {"w": {"controller-revision-hash": "?"}, "w-w-5f": {"controller-revision-hash": "w-5f"}},
            id="a revision with the name before it"),
    ],
)  # fmt: skip
def test_the_pods_that_are_told_apart(
    kind: str, spec: dict[str, Any], named: dict[str, set[str]], pods: dict[str, dict[str, str]]
) -> None:
    template = Pod("shop", "w", {"app": "w"}, planned=True)
    found = replicas_of(kind, {"spec": spec}, template, Named(named))
    assert {pod.name: pod.labels for pod in found} == {name: {"app": "w", **labels} for name, labels in pods.items()}
    assert all(pod.namespace == "shop" and pod.planned for pod in found)


STATEFUL_SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "labels": {INDEX: "0"}},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}},
}


def policy(labels: dict[str, str]) -> dict[str, Any]:
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": {"name": "p"}, "spec": {"podSelector": {"matchLabels": labels}}}


@pytest.mark.parametrize(
    ("objects", "named", "pods"),
    [
        pytest.param([STATEFUL_SET, policy({INDEX: "0"})], None, ["db-0", "db-1"], id="a policy after the workload"),
        pytest.param([policy({INDEX: "0"}), STATEFUL_SET], None, ["db-0", "db-1"], id="a policy before it"),
        pytest.param([STATEFUL_SET, policy({"a": "b"})], None, ["db"], id="a policy that names none of its labels"),
        pytest.param([STATEFUL_SET], {INDEX: {"1"}}, ["db-0", "db-1"], id="a policy that was read elsewhere"),
    ],
)
def test_policies_of_files_tell_the_pods_of_workloads_apart(
    objects: list[dict[str, Any]], named: dict[str, set[str]] | None, pods: list[str]
) -> None:
    reader = Reader(named=Named(named) if named else None)
    reader.add_text("\n".join(map(json.dumps, objects)), "it.json")
    snapshot = reader.snapshot()
    assert [pod.name for pod in snapshot.pods] == pods
    assert all(map(snapshot.is_template, snapshot.pods))
