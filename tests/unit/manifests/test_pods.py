"""Pods, and workloads with the pods of their templates."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.manifests.pods import read_pod, workload_reader
from kubectl_netpol.model.objects import Container, ContainerPort, Owner, Pod, Workload
from kubectl_netpol.model.selectors import LabelSelector


def pod_of(item: dict[str, Any]) -> Pod:
    return read_pod(item, item.get("metadata", {}), "shop", "web")


def workload_of(kind: str, item: dict[str, Any]) -> Workload:
    return workload_reader(kind)(item, item.get("metadata", {}), "shop", "w")


POD: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "web"},
        "annotations": {"note": "x"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"time": "2026-03-01T00:00:00Z"}, {"time": "2026-02-01T00:00:00Z"}, {}],
        "ownerReferences": [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "r", "controller": True}],
    },
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}, {"name": "d"}],
        "serviceAccountName": "robot",
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
        "ephemeralContainerStatuses": [{"name": "debug", "state": {"running": {}}}],
    },
}


def test_a_pod_with_everything() -> None:
    assert pod_of(POD) == Pod(
        namespace="shop",
        name="web",
        labels={"app": "web"},
        annotations={"note": "x"},
        ips=("10.0.0.1", "fd00::1"),
        ports=(ContainerPort("http", 80), ContainerPort(None, 53, "UDP", 5)),
        node="n1",
        host_ips=("192.0.2.1",),
        phase="Running",
        ready=True,
        planned=False,
        owner=Owner("ReplicaSet", "r"),
        containers=(
            Container("c", "i", running=True),
            Container("d", "", running=False),
            Container("side", "", running=None),
            Container("debug", "tools", running=True, ephemeral=True),
        ),
        dns_policy="None",
        nameservers=("10.96.0.10",),
        changed="2026-03-01T00:00:00Z",
        service_account="robot",
        init_ports=(ContainerPort(None, 1),),
    )


def test_a_pod_with_nothing() -> None:
    assert pod_of({}) == Pod("shop", "web", phase=None, planned=True)


READY = [{"type": "Ready", "status": "True"}]


@pytest.mark.parametrize(
    ("metadata", "status", "phase", "ready", "planned"),
    [
        pytest.param({}, None, None, True, True, id="without status it is planned, and as good as ready"),
        pytest.param({}, {"podIP": "10.0.0.1"}, "Pending", False, False, id="without phase it is pending"),
        pytest.param({}, {"phase": "Running", "conditions": READY}, "Running", True, False, id="ready"),
        pytest.param(
            {}, {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}, "Running", False, False,
            id="not ready",
        ),
        pytest.param(
            {"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"phase": "Running", "conditions": READY}, "Running", False,
            False, id="a terminating pod is not ready",
        ),
    ],
)  # fmt: skip
def test_the_state_of_a_pod(
    metadata: dict[str, Any], status: dict[str, Any] | None, phase: str | None, *, ready: bool, planned: bool
) -> None:
    pod = pod_of({"metadata": metadata, "status": status})
    assert (pod.phase, pod.ready, pod.planned) == (phase, ready, planned)


@pytest.mark.parametrize(
    ("status", "ips"),
    [
        pytest.param({"podIP": "10.0.0.1"}, ("10.0.0.1",), id="podIP from an older API server"),
        pytest.param({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}, ("10.0.0.1",), id="podIP and podIPs"),
        pytest.param({"podIPs": [{"ip": ""}, {}, None, {"ip": "fd00::1"}]}, ("fd00::1",), id="entries without address"),
        pytest.param({"podIP": ""}, (), id="no address yet"),
    ],
)
def test_the_addresses_of_a_pod(status: dict[str, Any], ips: tuple[str, ...]) -> None:
    assert pod_of({"status": status}).ips == ips


def test_host_network_is_on_only_for_true() -> None:
    assert pod_of({"spec": {"hostNetwork": True}}).host_network
    assert not pod_of({"spec": {"hostNetwork": None}}).host_network


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param(
            {"status": {"conditions": [{}, None, "x"]}},
            'status.conditions[2]: expected an object, got "x"',
            id="a text for a condition",
        ),
        pytest.param(
            {"status": {"podIPs": [{"ip": "10.0.0.1"}, {"ip": 7}]}},
            "status.podIPs[1].ip: expected an IP address, got 7",
            id="a number for an address",
        ),
        pytest.param(
            {"status": {"hostIP": "node-1"}},
            'status.hostIP: expected an IP address, got "node-1"',
            id="a name for an address",
        ),
        pytest.param(
            {"spec": {"containers": ["x"]}}, 'spec.containers[0]: expected an object, got "x"', id="a container's name"
        ),
        pytest.param(
            {"spec": {"initContainers": [{"restartPolicy": "Always", "ports": [{"containerPort": "x"}]}]}},
            'spec.initContainers[0].ports[0].containerPort: expected an integer, got "x"',
            id="a name for the port of a sidecar",
        ),
        pytest.param(
            {"spec": {"containers": [{}, {"ports": [{"containerPort": 80, "protocol": "tcp"}]}]}},
            'spec.containers[1].ports[0].protocol: must be one of TCP, UDP, SCTP, got "tcp"',
            id="a protocol in lower case",
        ),
        pytest.param(
            {"metadata": {"ownerReferences": [{"controller": True, "kind": "Job"}]}},
            "metadata.ownerReferences[0].name: is missing",
            id="an owner without name",
        ),
        pytest.param(
            {"metadata": {"labels": {"v": 1}}}, "metadata.labels.v: expected a string, got 1", id="a number for a label"
        ),
    ],
)
def test_a_pod_that_can_t_be_read(item: dict[str, Any], message: str) -> None:
    with pytest.raises(BadField) as caught:
        pod_of(item)
    assert str(caught.value) == message


TEMPLATE = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "c"}], "hostNetwork": True}}
SELECTOR = {"matchLabels": {"app": "w"}}
SELECTED = LabelSelector.of({"app": "w"})
JOB_LABELS = {"job-name": "w", "batch.kubernetes.io/job-name": "w"}


@pytest.mark.parametrize(
    ("kind", "spec", "selector", "labels"),
    [
        *(
            pytest.param(kind, {"selector": SELECTOR, "template": TEMPLATE}, SELECTED, {"app": "w"}, id=kind)
            for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
        ),
        pytest.param(
            "ReplicationController",
            {"selector": {"app": "w"}, "template": TEMPLATE},
            SELECTED,
            {"app": "w"},
            id="a ReplicationController's selector is a map",
        ),
        pytest.param(
            "Job",
            {"selector": SELECTOR, "template": TEMPLATE},
            SELECTED,
            {"app": "w", **JOB_LABELS},
            id="a Job's pods have its name as a label",
        ),
        pytest.param(
            "CronJob",
            {"jobTemplate": {"spec": {"template": TEMPLATE}}},
            None,
            {"app": "w"},
            id="a CronJob's template is in its jobTemplate",
        ),
    ],
)
def test_a_workload_has_the_pod_of_its_template(
    kind: str, spec: dict[str, Any], selector: LabelSelector | None, labels: dict[str, str]
) -> None:
    template = Pod(
        "shop", "w", labels, phase=None, planned=True, owner=Owner(kind, "w"), host_network=True,
        containers=(Container("c", ""),),
    )  # fmt: skip
    single = kind not in ("DaemonSet", "CronJob")
    assert workload_of(kind, {"spec": spec}) == Workload(kind, "shop", "w", selector, template, single=single)


@pytest.mark.parametrize(
    ("kind", "spec", "single"),
    [
        pytest.param("Deployment", {}, True, id="a Deployment that doesn't say"),
        pytest.param("StatefulSet", {"replicas": None}, True, id="a StatefulSet that says null"),
        pytest.param("ReplicaSet", {"replicas": 1}, True, id="one replica"),
        pytest.param("ReplicationController", {"replicas": 2}, False, id="two replicas"),
        pytest.param("Job", {"replicas": 2}, True, id="a Job has no replicas"),
        pytest.param("Job", {"parallelism": 2}, False, id="a Job of two pods at a time"),
        pytest.param("DaemonSet", {"replicas": 1}, False, id="a DaemonSet has one on each node"),
        pytest.param("CronJob", {}, False, id="a CronJob's Jobs may overlap"),
    ],
)
def test_whether_a_workload_has_one_pod_at_a_time(kind: str, spec: dict[str, Any], single: bool) -> None:  # noqa: FBT001 - a row
    assert workload_of(kind, {"spec": spec}).single is single


def test_a_template_has_the_owner_of_its_workload_not_one_of_its_own() -> None:
    owners = [{"kind": "Deployment", "name": "d", "controller": True}]
    template = {"metadata": {"ownerReferences": [{"kind": "Other", "name": "o", "controller": True}]}}
    item = {"metadata": {"ownerReferences": owners}, "spec": {"template": template}}
    assert workload_of("ReplicaSet", item).template.owner == Owner("Deployment", "d")


@pytest.mark.parametrize(
    ("spec", "selector"),
    [
        pytest.param({"template": {"metadata": {"labels": {"a": "b"}}}}, LabelSelector.of({"a": "b"}), id="its labels"),
        pytest.param({"template": {}}, None, id="none without labels"),
        pytest.param({}, None, id="none without a template"),
    ],
)
def test_a_replication_controller_without_selector_selects_its_templates_labels(
    spec: dict[str, Any], selector: LabelSelector | None
) -> None:
    assert workload_of("ReplicationController", {"spec": spec}).selector == selector


def test_a_deployment_without_spec_has_no_selector() -> None:
    assert workload_of("Deployment", {}).selector is None


@pytest.mark.parametrize(
    ("replicas", "scaled_down"), [(0, True), (1, False), (None, False)], ids=["zero", "one", "left out means one"]
)
def test_a_workload_is_scaled_down_with_zero_replicas(replicas: int | None, scaled_down: bool) -> None:  # noqa: FBT001 - a column
    assert workload_of("Deployment", {"spec": {"replicas": replicas}}).scaled_down is scaled_down


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        pytest.param(
            "CronJob",
            {"jobTemplate": {"spec": {"template": {"spec": {"containers": 1}}}}},
            "spec.jobTemplate.spec.template.spec.containers: expected a list, got 1",
            id="a number for a CronJob's containers",
        ),
        pytest.param(
            "Deployment",
            {"template": {"spec": {"containers": [3]}}},
            "spec.template.spec.containers[0]: expected an object, got 3",
            id="a number for a container",
        ),
        pytest.param(
            "Deployment",
            {"selector": {"app": "w"}},
            'spec.selector: unknown field "app"',
            id="a map for a selector",
        ),
    ],
)
def test_a_workload_that_can_t_be_read(kind: str, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(BadField) as caught:
        workload_of(kind, {"spec": spec})
    assert str(caught.value) == message
