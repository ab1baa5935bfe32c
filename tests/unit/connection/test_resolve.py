"""Words typed to what they name, and the errors that say what would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.connection.resolve import (
    Reference,
    parse_reference,
    resolve_destination,
    resolve_source,
    resolve_subject,
    service_namespace,
)
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.workloads import own_selector, pods_of
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.model.snapshot import Snapshot


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("web", ("shop", "web", None, None)),
        ("lab/web", ("lab", "web", None, None)),
        ("svc/web", ("shop", "web", "Service", None)),
        ("lab/deploy/web", ("lab", "web", "Deployment", None)),
        ("Deployments.apps/web", ("shop", "web", "Deployment", None)),
        ("lab/pod/svc", ("lab", "svc", "Pod", None)),
        ("node/n1", ("shop", "n1", "Node", None)),
        ("10.0.0.1", ("shop", "10.0.0.1", None, "10.0.0.1")),
        ("fd00::1", ("shop", "fd00::1", None, "fd00::1")),
        ("web.lab.svc", ("shop", "web.lab.svc", None, None)),
    ],
)
def test_a_word_taken_apart(typed: str, reference: tuple[Any, ...]) -> None:
    assert parse_reference(typed, "shop") == Reference(typed, *reference)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", '"" is no name'),
        ("a//b", '"a//b" is no name'),
        ("..", '".." is no name'),
        ("a/b/c/d", '"a/b/c/d" is no name'),
        ("lab/thing/web", '"thing" in "lab/thing/web" is no kind'),
        ("Lab/web", '"Lab" in "Lab/web" is neither a kind nor a namespace\'s name'),
    ],
)
def test_what_is_no_word_for_anything(typed: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(typed, "shop")
    assert caught.value.message == message


CLUSTER = """
nodes: {n1: [192.0.2.1]}
pods:
  shop/web: {labels: {app: web}, ip: 10.0.0.1}
  shop/late: {labels: {app: late}, ip: 10.0.0.2, ready: false}
  shop/late-2: {labels: {app: late}, ip: 10.0.0.3}
  shop/done: {labels: {app: done}, ip: 10.0.0.4, phase: Succeeded}
  shop/api: {labels: {app: api}, ip: 10.0.0.5}
services:
  shop/web: {clusterIP: 10.96.0.1, selector: {app: late}, ports: [{port: 80}]}
  shop/empty: {clusterIP: 10.96.0.2, selector: {app: none}, ports: [{port: 80}]}
  lab/far: {clusterIP: 10.96.0.3, selector: {app: none}, ports: [{port: 80}]}
objects:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {namespace: shop, name: late}
    spec: {selector: {matchLabels: {app: late}}}
  - {apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: twice}, spec: {}}
  - {apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: twice}, spec: {}}
  - apiVersion: apps/v1
    kind: DaemonSet
    metadata: {namespace: shop, name: done}
    spec: {selector: {matchLabels: {app: done}}}
"""


def cluster() -> Snapshot:
    return snapshot_of(yaml.safe_load(CLUSTER))


def title(named: Resolved) -> str:
    if named.service:
        return f"Service {named.service.key}"
    return f"host {named.host}" if named.host else named.end.title


@pytest.mark.parametrize(
    ("resolve", "typed", "found"),
    [
        (resolve_source, "web", "shop/web"),
        (resolve_destination, "web", "Service shop/web"),
        (resolve_subject, "web", "shop/web"),
        (resolve_subject, "empty", "Service shop/empty"),
        (resolve_destination, "pod/web", "shop/web"),
        (resolve_destination, "api", "shop/api"),
        (resolve_source, "svc/web", "shop/late-2"),
        (resolve_source, "late", "shop/late"),
        (resolve_source, "deploy/late", "shop/late-2"),
        (resolve_source, "job/twice", "shop/twice"),
        (resolve_source, "node/n1", "node n1"),
        (resolve_source, "192.0.2.1", "node n1"),
        (resolve_source, "10.0.0.1", "shop/web"),
        (resolve_source, "203.0.113.1", "203.0.113.1"),
        (resolve_destination, "far.lab", "Service lab/far"),
        (resolve_destination, "far.lab.svc", "Service lab/far"),
        (resolve_destination, "far.lab.svc.cluster.local.", "Service lab/far"),
        (resolve_destination, "far.lab.example", "host far.lab.example"),
        (resolve_destination, "far.lab.", "host far.lab."),
        (resolve_destination, "web.", "host web."),
        (resolve_destination, "api.example.com", "host api.example.com"),
    ],
)
def test_what_a_word_names(resolve: Callable[..., Resolved], typed: str, found: str) -> None:
    assert title(resolve(cluster(), parse_reference(typed, "shop"))) == found


@pytest.mark.parametrize(
    ("resolve", "typed", "message", "hint"),
    [
        (
            resolve_source,
            "wbe",
            'there is no pod or workload "wbe" in namespace shop',
            "did you mean web?",
        ),
        (
            resolve_destination,
            "zzz",
            'there is no Service, pod or workload "zzz" in namespace shop',
            "there are api, done, empty, late, late-2 and 2 more",
        ),
        (resolve_source, "node/zz", 'there is no Node "zz"', "there are n1"),
        (
            resolve_source,
            "other/web",
            'there is no pod or workload "web" in namespace other',
            "nothing of that kind is there: is the namespace right (-n)?",
        ),
        (resolve_source, "twice", '"twice" could be any of job/twice, cj/twice', "write the kind before the name"),
        (resolve_source, "ds/done", "DaemonSet shop/done has no pods now", "scale it up, or name a pod"),
        (resolve_source, "svc/empty", "Service shop/empty has no pods that could send", "name a pod"),
        (resolve_destination, "fra.lab.svc", 'there is no Service "fra" in namespace lab', "did you mean far?"),
        (resolve_destination, "svc/a.b", 'there is no Service "a.b" in namespace shop', "there are empty, web"),
        (
            resolve_destination,
            "lab/a.b",
            'there is no Service, pod or workload "a.b" in namespace lab',
            "there are far",
        ),
    ],
)
def test_what_is_not_there(resolve: Callable[..., Resolved], typed: str, message: str, hint: str) -> None:
    with pytest.raises(NetpolError) as caught:
        resolve(cluster(), parse_reference(typed, "shop"))
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("gap", "resolve", "typed", "message"),
    [
        ("pods", resolve_source, "zz", 'can\'t look for Pod "zz": not pods'),
        ("pods", resolve_destination, "zz", 'can\'t look for Pod "zz": not pods'),
        ("services", resolve_destination, "svc/zz", 'can\'t look for Service "zz": not services'),
        ("pods", resolve_destination, "zz.lab", 'can\'t look for Pod "zz.lab": not pods'),
        ("pods", resolve_source, "svc/web", "can't look for the pods of Service shop/web: not pods"),
        ("services", resolve_destination, "zz", 'there is no Service, pod or workload "zz" in namespace shop'),
    ],
)
def test_what_may_not_be_looked_for(gap: str, resolve: Callable[..., Resolved], typed: str, message: str) -> None:
    spec = yaml.safe_load(CLUSTER)
    snapshot = snapshot_of({**spec, "gaps": [{"resource": gap, "namespace": "shop", "message": f"not {gap}"}]})
    with pytest.raises(NetpolError) as caught:
        resolve(snapshot, parse_reference(typed, "shop"))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("typed", "namespaces_read", "message"),
    [
        ("web.hidden", False, 'can\'t look for Service "web" in namespace hidden: not services'),
        ("web.hidden.svc", False, 'can\'t look for Service "web" in namespace hidden: not services'),
        ("web.lab", True, 'can\'t look for Service "web" in namespace lab: not services'),
        ("web.hidden", True, None),
        ("web.hidden.", False, None),
        ("web.hidden.com", False, None),
    ],
)
def test_a_name_with_dots_that_may_be_a_services(typed: str, namespaces_read: bool, message: str | None) -> None:  # noqa: FBT001 - a column
    gaps = [{"resource": "services", "namespace": None, "message": "not services"}]
    if not namespaces_read:
        gaps.append({"resource": "namespaces", "namespace": None, "message": "not namespaces"})
    snapshot = snapshot_of({"live": True, "namespaces": {"lab": {}}, "gaps": gaps})
    if message is None:
        assert title(resolve_destination(snapshot, parse_reference(typed, "shop"))) == f"host {typed}"
        return
    with pytest.raises(NetpolError) as caught:
        resolve_destination(snapshot, parse_reference(typed, "shop"))
    assert caught.value.message == message
    assert caught.value.hint == f"for a host outside the cluster add a dot: {typed}."


def test_the_namespace_that_a_name_with_dots_may_mean() -> None:
    assert [service_namespace(name) for name in ("web", "web.lab", "web.lab.svc.", "web.LAB", "a.b.c")] == [
        None,
        "lab",
        "lab",
        None,
        "b",
    ]


OWNED = """
live: true
pods: {}
objects:
  - {apiVersion: batch/v1, kind: CronJob, metadata: {namespace: a, name: c}, spec: {}}
  - apiVersion: batch/v1
    kind: Job
    metadata: {namespace: a, name: c-1, ownerReferences: [{kind: CronJob, name: c, controller: true}]}
    spec: {selector: {matchLabels: {job: c-1}}}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {namespace: a, name: d}
    spec: {selector: {matchLabels: {app: d}}}
  - apiVersion: apps/v1
    kind: ReplicaSet
    metadata: {namespace: a, name: d-1, ownerReferences: [{kind: Deployment, name: d, controller: true}]}
    spec: {selector: {matchLabels: {app: d, hash: h}}}
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: {namespace: a, name: s}
    spec: {selector: {matchLabels: {app: s}}}
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: {namespace: a, name: all}
    spec: {selector: {}}
  - apiVersion: v1
    kind: Pod
    metadata: {namespace: a, name: c-1-x, ownerReferences: [{kind: Job, name: c-1, controller: true}]}
    status: {podIP: 10.0.0.1}
  - apiVersion: v1
    kind: Pod
    metadata:
      namespace: a
      name: d-1-x
      labels: {app: d, hash: h}
      ownerReferences: [{kind: ReplicaSet, name: d-1, controller: true}]
    status: {podIP: 10.0.0.2}
  - apiVersion: v1
    kind: Pod
    metadata:
      namespace: a
      name: s-0
      labels: {app: s}
      ownerReferences: [{kind: StatefulSet, name: s, controller: true}]
    status: {podIP: 10.0.0.3}
  - {apiVersion: v1, kind: Pod, metadata: {namespace: a, name: bare}, status: {podIP: 10.0.0.4}}
"""


@pytest.mark.parametrize(
    ("name", "pods"),
    [("c", ["c-1-x"]), ("c-1", ["c-1-x"]), ("d", ["d-1-x"]), ("d-1", ["d-1-x"]), ("s", ["s-0"]), ("all", [])],
)
def test_the_pods_of_a_workload(name: str, pods: list[str]) -> None:
    snapshot = snapshot_of(yaml.safe_load(OWNED))
    workload = next(found for found in snapshot.workloads if found.name == name)
    assert [pod.name for pod in pods_of(snapshot, workload)] == pods


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        pytest.param("c-1-x", None, id="a Job's pod has none that outlives it"),
        pytest.param("d-1-x", {"app": "d"}, id="a ReplicaSet's pod has its Deployment's"),
        pytest.param("s-0", {"app": "s"}, id="a StatefulSet's pod"),
        pytest.param("bare", None, id="a pod on its own"),
    ],
)
def test_the_selector_that_keeps_a_pod(name: str, selector: dict[str, str] | None) -> None:
    snapshot = snapshot_of(yaml.safe_load(OWNED))
    pod = snapshot.pod("a", name)
    assert pod
    assert own_selector(snapshot, pod, None) == (LabelSelector.of(selector) if selector else None)


def test_the_selector_of_a_workload_that_was_named() -> None:
    snapshot = snapshot_of(yaml.safe_load(OWNED))
    pod = snapshot.pod("a", "d-1-x")
    workload = next(found for found in snapshot.workloads if found.name == "d-1")
    assert pod
    assert own_selector(snapshot, pod, workload) == LabelSelector.of({"app": "d"})
    assert own_selector(snapshot_of({}), pod, None) is None
