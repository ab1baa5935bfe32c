"""Whom a policy selects: no pod, a label that a controller sets, the host network, a slip beside the others."""

from __future__ import annotations

import pytest
import yaml

from tests.support.linting import SHOP, lines, linted, with_policies

AT = "spec.podSelector"


@pytest.mark.parametrize(
    ("key", "selector", "wanted"),
    [
        pytest.param(
            "shop/p",
            "{matchLabels: {app: wbe}}",
            f"NP001 error {AT}: p selects no pod (app=wbe); did you mean app=web?",
            id="a similar label",
        ),
        pytest.param(
            "shop/p", "{matchLabels: {zone: north}}", f"NP001 error {AT}: p selects no pod (zone=north)", id="none near"
        ),
        pytest.param(
            "shop/p",
            "{matchLabels: {app: clii}}",
            f"NP001 error {AT}: p selects no pod (app=clii)",
            id="a similar label in another namespace",
        ),
        pytest.param(
            "shop/p",
            "{matchExpressions: [{key: zone, operator: Exists}]}",
            f"NP001 error {AT}: p selects no pod (zone)",
            id="an expression",
        ),
        pytest.param(
            "empty/p",
            "{}",
            f"NP001 info {AT}: p selects no pod (the namespace has no pods)",
            id="an empty selector in a namespace without pods",
        ),
        pytest.param(
            "empty/p",
            "{matchLabels: {app: web}}",
            f"NP001 info {AT}: p selects no pod (app=web)",
            id="a label in a namespace without pods",
        ),
        pytest.param("shop/p", "{}", None, id="an empty selector is every pod"),
        pytest.param("shop/p", "{matchLabels: {app: web}}", None, id="one pod"),
    ],
)
def test_a_policy_that_selects_no_pod(key: str, selector: str, wanted: str | None) -> None:
    found = linted(with_policies(SHOP, f"{{{key}: {{podSelector: {selector}}}}}"))
    assert lines(found, "NP001") == ([wanted] if wanted else [])
    for one in found:
        assert (one.repair is not None) == ("did you mean" in one.message)


@pytest.mark.parametrize(
    ("labels", "edits"),
    [
        pytest.param("{app: wbe}", [("replace", "spec.podSelector.matchLabels[app]", "web")], id="the value"),
        pytest.param("{ap: web}", [("rename", "spec.podSelector.matchLabels[ap]", "app")], id="the key"),
    ],
)
def test_the_repair_of_a_slip(labels: str, edits: list[tuple[str, str, str]]) -> None:
    found = linted(with_policies(SHOP, f"{{shop/p: {{podSelector: {{matchLabels: {labels}}}}}}}"))
    repairs = [one.repair for one in found if one.number == "NP001"]
    assert [[tuple(edit) for edit in repair.edits] for repair in repairs if repair] == [edits]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        pytest.param("{kafka: x}", "info", id="the pods of a Kafka are not seen: advice"),
        pytest.param("{app: wbe}", "error", id="a slip is one all the same"),
    ],
)
def test_pods_that_a_skipped_kind_makes(selector: str, wanted: str) -> None:
    cluster = with_policies(SHOP, f"{{shop/p: {{podSelector: {{matchLabels: {selector}}}}}}}")
    (found,) = (one for one in linted(cluster, complete=False, unseen=("Kafka",)) if one.number == "NP001")
    assert found.severity.value == wanted
    assert ("; the pods that Kafka makes are not seen" in found.message) is (wanted == "info")


def test_manifests_may_be_a_part_of_what_runs() -> None:
    """Operators make pods, and label them, at run time."""
    policies = "{shop/p: {podSelector: {matchLabels: {zone: north}}}, shop/q: {podSelector: {matchLabels: {app: wbe}}}}"
    found = linted(with_policies(SHOP, policies), complete=False)
    assert [one.severity.value for one in found if one.number == "NP001"] == ["info", "error"]


def test_the_proof_says_what_is_there() -> None:
    policies = "{shop/p: {podSelector: {matchLabels: {a: b}}}, empty/p: {podSelector: {}}}"
    found = [one for one in linted(with_policies(SHOP, policies)) if one.number == "NP001"]
    assert [one.proof for one in found] == [
        ("shop/web (app=web,tier=front), shop/api (app=api,tier=back)",),
        ("there are no pods in namespace empty",),
    ]
    (of_files,) = (one for one in linted(with_policies(SHOP, policies), complete=False) if "empty" in str(one.proof))
    assert of_files.proof == ("the files have no pods in namespace empty",)


def test_nothing_is_said_where_the_pods_are_unread() -> None:
    gap = {"resource": "pods", "namespace": "shop", "message": "you may not list pods"}
    spec = "{shop/p: {podSelector: {matchLabels: {a: b, pod-template-hash: x}}}}"
    cluster = {**with_policies(SHOP, spec), "live": True, "gaps": [gap]}
    assert [one.number for one in linted(cluster) if one.subject.name == "p"] == ["NP017"]


HASH = "is another one after the next rollout"


@pytest.mark.parametrize(
    ("selector", "severity"),
    [
        pytest.param("{matchLabels: {app: web, pod-template-hash: 5d4f}}", "warning", id="of a ReplicaSet"),
        pytest.param("{matchLabels: {controller-revision-hash: x}}", "warning", id="of a StatefulSet's revision"),
        pytest.param("{matchLabels: {apps.kubernetes.io/pod-index: '0'}}", "info", id="of one replica"),
        pytest.param("{matchLabels: {batch.kubernetes.io/job-name: x}}", "info", id="of one Job"),
        pytest.param("{matchExpressions: [{key: pod-template-hash, operator: Exists}]}", None, id="that it is there"),
        pytest.param("{matchExpressions: [{key: job-name, operator: DoesNotExist}]}", None, id="that it is not there"),
        pytest.param("{matchLabels: {app: web}}", None, id="of one's own"),
    ],
)
def test_labels_that_a_controller_sets(selector: str, severity: str | None) -> None:
    for spec, path in (
        (f"podSelector: {selector}", "spec.podSelector"),
        (f"podSelector: {{}}, ingress: [{{from: [{{podSelector: {selector}}}]}}]", "spec.ingress[0].from[0]"),
    ):
        found = [one for one in linted(with_policies(SHOP, f"{{shop/p: {{{spec}}}}}")) if one.number == "NP017"]
        assert [(one.severity.value, one.path) for one in found] == ([(severity, path)] if severity else [])


def job(kind: str, namespace: str, name: str, owner: str = "") -> dict[str, object]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c"}]}}
    spec: dict[str, object] = {"template": template}
    metadata: dict[str, object] = {"namespace": namespace, "name": name}
    if owner:
        metadata["ownerReferences"] = [{"kind": "CronJob", "name": owner, "controller": True}]
    return {
        "apiVersion": "batch/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec,
    }


JOBS = [job("Job", "shop", "load"), job("CronJob", "shop", "nightly"), job("Job", "shop", "nightly-1", "nightly")]
ONE_JOB = "selects the pods of single Jobs by job-name: those of other Jobs, now or later, are not"
OF_CRON = "CronJob nightly names its Jobs nightly-NUMBER"


@pytest.mark.parametrize(
    ("peer", "wanted"),
    [
        pytest.param(
            "{podSelector: {matchLabels: {job-name: load}}}", None, id="a Job's name, which all its pods have"
        ),
        pytest.param(
            "{namespaceSelector: {}, podSelector: {matchLabels: {job-name: load}}}",
            None,
            id="a Job's, of any namespace",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {job-name: nightly}}}",
            f"NP017 warning spec.ingress[0].from[0]: p matches no pod by job-name=nightly: {OF_CRON}",
            id="a CronJob's name, which none of its pods has",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {job-name: nightly-1}}}",
            f"NP017 info spec.ingress[0].from[0]: p {ONE_JOB}",
            id="one run of a CronJob",
        ),
        pytest.param(
            "{podSelector: {matchLabels: {job-name: other}}}",
            f"NP017 info spec.ingress[0].from[0]: p {ONE_JOB}",
            id="a Job that was not read",
        ),
        pytest.param(
            "{podSelector: {matchExpressions: [{key: job-name, operator: In, values: [load, nightly]}]}}",
            f"NP017 info spec.ingress[0].from[0]: p {ONE_JOB}",
            id="a Job's name and a CronJob's",
        ),
    ],
)
def test_pods_by_the_name_of_their_job(peer: str, wanted: str | None) -> None:
    policies = f"{{shop/p: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}"
    found = lines(linted({**with_policies(SHOP, policies), "objects": JOBS}), "NP017")
    assert found == ([wanted] if wanted else [])


def test_a_job_of_another_namespace_is_another_one() -> None:
    policies = "{lab/p: {podSelector: {matchLabels: {job-name: load}}}}"
    found = lines(linted({**with_policies(SHOP, policies), "objects": JOBS}), "NP017")
    assert found == [f"NP017 info spec.podSelector: p {ONE_JOB}"]


def test_labels_that_a_controller_sets_in_a_tier() -> None:
    pods = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"pod-template-hash": "x"}}}
    spec = {"tier": "Admin", "priority": 1, "subject": {"pods": pods}}
    rule = {"action": "Deny", "from": [{"namespaces": {}}]}
    found = [one for one in linted({**SHOP, "tiers": {"cnp/p": {**spec, "ingress": [rule]}}}) if one.number == "NP017"]
    assert [(one.path, one.subject.kind) for one in found] == [("spec.subject", "ClusterNetworkPolicy")]


@pytest.mark.parametrize(
    ("plugin", "hosts", "wanted"),
    [
        pytest.param(None, "web", ["web uses the host network: the API leaves open whether p applies"], id="one pod"),
        pytest.param(
            None, "web api", ["web, api use the host network: the API leaves open whether p applies"], id="two"
        ),
        pytest.param(None, "", [], id="none"),
        pytest.param("Cilium", "web", [], id="a plugin that decides is known"),
    ],
)
def test_pods_on_the_host_network(plugin: str | None, hosts: str, wanted: list[str]) -> None:
    cluster = with_policies(SHOP, "{shop/p: {podSelector: {}}}", "{pods: {}}")
    pods = {
        key: {**pod, "host_network": key.removeprefix("shop/") in hosts.split()} for key, pod in cluster["pods"].items()
    }
    found = linted({**cluster, "pods": pods, "plugin": plugin})
    assert [one.message for one in found if one.number == "NP024"] == wanted


@pytest.mark.parametrize(
    ("selector", "severity"),
    [
        pytest.param("{matchLabels: {app: web}}", "warning", id="by a label: it was meant for them"),
        pytest.param("{}", "info", id="with all the others"),
    ],
)
def test_a_policy_for_pods_on_the_host_network(selector: str, severity: str) -> None:
    more = "{pods: {shop/web: {labels: {app: web}, ip: 192.0.2.1, host_network: true}}}"
    found = linted(with_policies(SHOP, f"{{shop/p: {{podSelector: {selector}}}}}", more))
    assert [one.severity.value for one in found if one.number == "NP024"] == [severity]


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        pytest.param("wbe", ["p selects app=web and misses shop/odd, which has app=wbe"], id="a slip"),
        pytest.param("api", [], id="another name"),
    ],
)
def test_a_pod_beside_those_that_are_selected(label: str, wanted: list[str]) -> None:
    more = f"{{pods: {{shop/odd: {{labels: {{app: {label}}}, ip: 10.0.0.9}}}}}}"
    found = linted(with_policies(SHOP, "{shop/p: {podSelector: {matchLabels: {app: web}}}}", more))
    assert [one.message for one in found if one.number == "NP025"] == wanted


def test_labels_of_a_template_are_not_all_that_its_pods_will_have() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c"}]}}
    workload = yaml.safe_load("{apiVersion: apps/v1, kind: Deployment, metadata: {name: db, namespace: data}}")
    workload["spec"] = {"selector": {"matchLabels": {"app": "db"}}, "template": template}
    policies = "{data/p: {podSelector: {matchLabels: {app: db, pod-template-hash: x}}}}"
    cluster = {**with_policies(SHOP, policies), "objects": [workload]}
    assert [one.number for one in linted(cluster) if one.subject.name == "p"] == ["NP017"]


def test_of_pods_that_a_controller_will_label_nothing_is_said() -> None:
    hashed = "{matchLabels: {pod-template-hash: abc}}"
    peer = f"ingress: [{{from: [{{podSelector: {hashed}}}]}}]"
    for spec in (f"podSelector: {hashed}", f"podSelector: {{}}, {peer}"):
        cluster = {"pods": {"a/web": {"planned": True}}, "policies": {"a/p": yaml.safe_load(f"{{{spec}}}")}}
        assert lines(linted(cluster, complete=False), "NP001", "NP002") == []
        there = {**cluster, "pods": {"a/web": {"ip": "10.0.0.1"}}}
        assert lines(linted(there), "NP001", "NP002") != []
