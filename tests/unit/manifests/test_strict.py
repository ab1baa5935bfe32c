"""What the API server refuses, or stores in another form, is refused or read alike: tests/cases/spellings.yaml."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import BadField
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.strict import check_times
from kubectl_netpol.manifests.yaml_text import load_all
from tests.support.spellings import REFUSED, Spelling, replaced, spellings


def read(text: str, *, live: bool = False) -> Any:
    """All that was read of a manifest."""
    reader = Reader(live=live)
    reader.add_text(text, "it.yaml")
    kinds = ("NetworkPolicy", "Pod", "Namespace", "Service", "Deployment", "CronJob")
    return reader.found(*kinds)


@pytest.mark.parametrize("spelling", [pytest.param(row, id=row.name) for row in spellings()])
def test_a_spelling_is_read_as_the_api_server_stores_it(spelling: Spelling) -> None:
    if (spelling.server == REFUSED) is not bool(spelling.differs):
        with pytest.raises(ManifestError):
            read(spelling.manifest)
        return
    found = read(spelling.manifest)
    if spelling.differs is None:
        (item,) = load_all(spelling.manifest, "it.yaml")
        assert found == read(json.dumps(replaced(item, spelling.stored, spelling.server)))


def test_the_table_has_no_difference_without_a_reason_and_few_with_one() -> None:
    rows = list(spellings())
    assert len(rows) > 350
    assert len({row.name for row in rows}) == len(rows)
    assert sum(row.differs is not None for row in rows) < 10


def policy(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize(
    ("plugin", "spec", "titles", "unevaluated"),
    [
        pytest.param(None, {"ingress": [{"from": [{"later": 1}]}]}, ["shop/p"], [], id="a peer"),
        pytest.param(None, {"later": 1}, [], ['spec: unknown field "later"'], id="a field of the spec"),
        pytest.param(None, [], [], ["spec: expected an object, got a list"], id="no spec at all"),
        pytest.param(
            "Cilium",
            {"ingress": [{"from": [{"later": 1}]}]},
            [],
            ['spec.ingress[0].from[0]: unknown field "later"'],
            id="a peer, where Cilium runs",
        ),
    ],
)
def test_a_policy_of_a_cluster_that_can_t_be_read_stops_nothing(
    plugin: str | None, spec: Any, titles: list[str], unevaluated: list[str]
) -> None:
    reader = Reader(live=True)
    reader.add_items("NetworkPolicy", [policy(spec)])
    reader.plugin = plugin  # as on a cluster, where it is known later
    snapshot = reader.snapshot()
    assert [found.key for found in snapshot.policies] == titles
    assert [found.because for found in snapshot.unevaluated] == unevaluated
    assert all(found.title == "shop/networkpolicy.networking.k8s.io/p" for found in snapshot.unevaluated)


ODD = {"name": "Odd_Name", "labels": {"bad key!": "not valid!"}, "later": 1}


def test_odd_metadata_of_a_cluster_is_taken() -> None:
    reader = Reader(live=True)
    reader.add_items("Pod", [{"metadata": {**ODD, "namespace": "shop"}, "later": 1}])
    assert [pod.labels for pod in reader.snapshot().pods] == [ODD["labels"]]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namspace: shop}}",
            'it.yaml, document 1 (Pod p): metadata: unknown field "namspace"',
            "did you mean namespace?",
            id="a misspelt field",
        ),
        pytest.param(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, sepc: {}}",
            'it.yaml, document 1 (Deployment d): unknown field "sepc"',
            "did you mean spec?",
            id="a misspelt spec",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {generateName: A-}}",
            'it.yaml, document 1 (Pod A-): metadata.generateName: invalid name "A-": '
            "must be 1-253 of a-z 0-9 - ., with a letter or digit at both ends and beside each dot",
            None,
            id="a prefix of names",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a.b}}",
            'it.yaml, document 1 (Pod p): metadata.namespace: invalid name "a.b": '
            "must be 1-63 of a-z 0-9 -, with a letter or digit at both ends",
            None,
            id="a namespace with a dot",
        ),
        pytest.param(
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, "
            "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}}}}",
            "it.yaml, document 1 (StatefulSet s): spec.template.metadata.labels: spec.selector does not match them",
            None,
            id="a selector that misses its template",
        ),
        pytest.param(
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, "
            "spec: {jobTemplate: {spec: {template: {spec: {initContainers: [null, {ports: [{containerPort: 0}]}]}}}}}}",
            "it.yaml, document 1 (CronJob c): spec.jobTemplate.spec.template.spec.initContainers[1].ports[0]"
            ".containerPort: invalid port 0: must be 1-65535",
            None,
            id="a port of a template's container",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, ports: "
            "[{name: web, containerPort: 80, hostPort: 0}, {name: '81', containerPort: 81}]}]}}",
            'it.yaml, document 1 (Pod p): spec.containers[0].ports[1].name: invalid port name "81"',
            "a port name is 1-15 of a-z 0-9 -",
            id="a port's name, after a port that is right",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80, targetPort: '81'}]}}",
            'it.yaml, document 1 (Service s): spec.ports[0].targetPort: invalid port name "81"',
            "write 81 without quotes",
            id="a number in quotes",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}, {port: 81}]}}",
            "it.yaml, document 1 (Service s): spec.ports[0].name: "
            "is missing: a Service with several ports needs their names",
            None,
            id="two ports without names",
        ),
        pytest.param(
            "{apiVersion: v1, kind: List, itmes: []}",
            'it.yaml, document 1: unknown field "itmes"',
            "did you mean items?",
            id="a List with a slip",
        ),
        pytest.param(
            "{apiVersion: v1, kind: PodList}", "it.yaml, document 1: items: is missing", None, id="a list of nothing"
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: 'true'}}",
            'it.yaml, document 1 (Pod p): spec.hostNetwork: expected true or false, got "true"',
            None,
            id="true in quotes",
        ),
        pytest.param(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, "
            "tempalte: {metadata: {labels: {a: b}}}}}",
            'it.yaml, document 1 (Deployment d): spec: unknown field "tempalte"',
            "did you mean template?",
            id="a slip in a workload",
        ),
        pytest.param(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: '0'}}",
            'it.yaml, document 1 (Deployment d): spec.replicas: expected an integer, got "0"',
            None,
            id="replicas in quotes",
        ),
        pytest.param(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: -1}}",
            "it.yaml, document 1 (Deployment d): spec.replicas: must not be less than 0",
            None,
            id="fewer than none",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selecter: {a: b}, ports: [{port: 80}]}}",
            'it.yaml, document 1 (Service s): spec: unknown field "selecter"',
            "did you mean selector?",
            id="a slip in a Service",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b/c}, ports: [{port: 80}]}}",
            'it.yaml, document 1 (Service s): spec.selector: invalid label value "b/c": must be at most 63 of '
            "A-Z a-z 0-9 . _ -, with a letter or digit at both ends",
            None,
            id="a selector of a Service",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{}, {ports: [{containerprot: 1}]}]}}",
            "it.yaml, document 1 (Pod p): spec.containers[1].ports[0].containerPort: is missing",
            None,
            id="a port without its number",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, "
            "spec: {containers: [{}, {ports: [{containerPort: 1, protcol: UDP}]}]}}",
            'it.yaml, document 1 (Pod p): spec.containers[1].ports[0]: unknown field "protcol"',
            "did you mean protocol?",
            id="a slip in a port",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{prots: []}]}}",
            'it.yaml, document 1 (Pod p): spec.containers[0]: unknown field "prots"',
            "did you mean ports?",
            id="a slip in a container",
        ),
        pytest.param(
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containrs: []}}",
            'it.yaml, document 1 (Pod p): spec: unknown field "containrs"',
            "did you mean containers?",
            id="a slip in a pod",
        ),
    ],
)
def test_an_object_that_the_api_server_would_refuse(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_prefix_of_names_may_end_with_a_dash() -> None:
    (found,) = read("{apiVersion: v1, kind: Pod, metadata: {generateName: web-}}")
    assert found.name == "web-"


def test_a_field_of_a_later_version_is_no_slip() -> None:
    spec = "spec: {laterField: 1, containers: [{laterField: 1, name: c, ports: [{containerPort: 80, later: 1}]}]}"
    assert read(f"{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, {spec}}}")
    assert read("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {serviceAccount: a, ephemeralContainers: []}}")
    job = "spec: {completionMode: Indexed, template: {spec: {}}}"
    assert read(f"{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: c}}, spec: {{jobTemplate: {{{job}}}}}}}")


@pytest.mark.parametrize("field", ["creationTimestamp", "deletionTimestamp"])
def test_times_of_what_is_stored(field: str) -> None:
    check_times({})
    check_times({field: None})
    check_times({field: "2026-01-01T00:00:00Z"})
    for odd in ("yesterday", 7):
        with pytest.raises(BadField, match=f"^metadata.{field}: expected a time such as 2006-01-02T15:04:05Z, got "):
            check_times({field: odd})
