"""What was typed resolves to an object, or to an error with the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.connection.resolve import (
    Reference,
    Resolved,
    declared_ports,
    namespaces_of,
    parse_reference,
    representative,
    resolve_destination,
    resolve_source,
    resolve_subject,
)
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.objects import ContainerPort, Node, Pod, Service, ServicePort
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_netpol.model.snapshot import Snapshot


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        pytest.param("web", ("shop", "web", None, None), id="a name"),
        pytest.param("lab/web", ("lab", "web", None, None), id="a namespace and a name"),
        pytest.param("svc/web", ("shop", "web", "Service", None), id="a kind and a name"),
        pytest.param("lab/deploy/web", ("lab", "web", "Deployment", None), id="a namespace, a kind and a name"),
        pytest.param("Deployments.apps/web", ("shop", "web", "Deployment", None), id="a kind with its API group"),
        pytest.param("lab/pod/svc", ("lab", "svc", "Pod", None), id="a name that is a kind's alias"),
        pytest.param("node/n1", ("shop", "n1", "Node", None), id="a node"),
        pytest.param("netpol/web", ("netpol", "web", None, None), id="a kind that can't be an end of a connection"),
        pytest.param("10.0.0.1", ("shop", "10.0.0.1", None, "10.0.0.1"), id="an IPv4 address"),
        pytest.param("fd00::1", ("shop", "fd00::1", None, "fd00::1"), id="an IPv6 address"),
        pytest.param("web.lab.svc", ("shop", "web.lab.svc", None, None), id="a name with dots"),
        pytest.param("10-0-0-1.lab.pod", ("shop", "10-0-0-1.lab.pod", None, "10.0.0.1"), id="a pod's record in DNS"),
    ],
)
def test_a_reference_as_typed(typed: str, reference: tuple[Any, ...]) -> None:
    assert parse_reference(typed, "shop") == Reference(typed, *reference)


FORMS = "write NAME, NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME"


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        pytest.param("", 'invalid name ""', FORMS, id="nothing"),
        pytest.param("a//b", 'invalid name "a//b"', FORMS, id="an empty part"),
        pytest.param("..", 'invalid name ".."', FORMS, id="only dots"),
        pytest.param("a/b/c/d", 'invalid name "a/b/c/d"', FORMS, id="four parts"),
        pytest.param(
            "lab/thing/web",
            'unknown kind "thing" in "lab/thing/web"',
            "must be one of pod, svc, deploy, sts, ds, rs, rc, job, cj, no",
            id="an unknown kind",
        ),
        pytest.param(
            "lab/netpol/web",
            'unknown kind "netpol" in "lab/netpol/web"',
            "must be one of pod, svc, deploy, sts, ds, rs, rc, job, cj, no",
            id="a kind that can't be an end of a connection",
        ),
        pytest.param(
            "Lab/web",
            '"Lab" in "Lab/web" is neither a kind nor a valid namespace name',
            None,
            id="neither a kind nor a namespace",
        ),
    ],
)
def test_an_invalid_reference_is_an_error(typed: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(typed, "shop")
    assert (caught.value.message, caught.value.hint) == (message, hint)


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
  shop/all: {clusterIP: None, selector: {app: late}, ports: [{port: 80}]}
  shop/db: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
objects:
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: {namespace: shop, name: db}
    spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
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
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: {namespace: shop, name: "off"}
    spec: {replicas: 0, selector: {matchLabels: {app: "off"}}}
"""


def cluster() -> Snapshot:
    return snapshot_of(yaml.safe_load(CLUSTER))


def title(resolved: Resolved) -> str:
    if resolved.service:
        return f"Service {resolved.service.key}"
    return f"host {resolved.host}" if resolved.host else resolved.end.title


@pytest.mark.parametrize(
    ("resolve", "typed", "found"),
    [
        pytest.param(resolve_source, "web", "shop/web", id="a source: a pod before a Service"),
        pytest.param(resolve_destination, "web", "Service shop/web", id="a destination: a Service before a pod"),
        pytest.param(resolve_subject, "web", "shop/web", id="a subject: a pod before a Service"),
        pytest.param(resolve_subject, "empty", "Service shop/empty", id="a subject: a Service if no pod has the name"),
        pytest.param(resolve_destination, "pod/web", "shop/web", id="a pod by its kind"),
        pytest.param(resolve_destination, "api", "shop/api", id="a destination: a pod if no Service has the name"),
        pytest.param(resolve_source, "svc/web", "shop/late-2", id="a source: a ready pod of a Service"),
        pytest.param(resolve_source, "late", "shop/late", id="a pod before a workload"),
        pytest.param(resolve_source, "deploy/late", "shop/late-2", id="a ready pod of a workload"),
        pytest.param(resolve_source, "job/twice", "shop/twice", id="a workload by its kind"),
        pytest.param(resolve_source, "node/n1", "node n1", id="a node"),
        pytest.param(resolve_source, "192.0.2.1", "node n1", id="a node by its address"),
        pytest.param(resolve_source, "10.0.0.1", "shop/web", id="a pod by its address"),
        pytest.param(resolve_source, "203.0.113.1", "203.0.113.1", id="an address of neither"),
        pytest.param(resolve_destination, "far.lab", "Service lab/far", id="a Service with its namespace"),
        pytest.param(resolve_destination, "far.lab.svc", "Service lab/far", id="a Service with svc"),
        pytest.param(
            resolve_destination, "far.lab.svc.cluster.local.", "Service lab/far", id="a Service by its full name"
        ),
        pytest.param(resolve_destination, "far.lab.example", "host far.lab.example", id="a host"),
        pytest.param(resolve_destination, "late-2.all", "shop/late-2", id="a pod of a headless Service"),
        pytest.param(resolve_destination, "late-2.all.", "host late-2.all.", id="a host: no pod is complete like that"),
        pytest.param(resolve_destination, "db-0.db.shop", "shop/db", id="a pod to come of a StatefulSet"),
        pytest.param(resolve_destination, "a.svc.cluster.local", "host a.svc.cluster.local", id="no namespace"),
        pytest.param(resolve_destination, "far.lab.", "host far.lab.", id="a host: a dot ends a complete name"),
        pytest.param(resolve_destination, "web.", "host web.", id="a host of one label"),
        pytest.param(
            resolve_destination, "api.example.com", "host api.example.com", id="a host that begins like a pod"
        ),
    ],
)
def test_what_was_typed_resolves_to(resolve: Callable[..., Resolved], typed: str, found: str) -> None:
    resolved = resolve(cluster(), parse_reference(typed, "shop"))
    assert (title(resolved), resolved.typed) == (found, typed)


@pytest.mark.parametrize(
    ("resolve", "typed", "message", "hint"),
    [
        pytest.param(
            resolve_source,
            "wbe",
            'no pod or workload "wbe" in namespace shop',
            "did you mean web?",
            id="a misspelt source",
        ),
        pytest.param(
            resolve_destination,
            "zzz",
            'no Service, pod or workload "zzz" in namespace shop',
            "found: all, api, db, done, empty and 5 more",
            id="an unknown destination",
        ),
        pytest.param(
            resolve_subject,
            "zzz",
            'no Service, pod or workload "zzz" in namespace shop',
            "found: all, api, db, done, empty and 5 more",
            id="an unknown subject",
        ),
        pytest.param(resolve_source, "node/zz", 'no Node "zz"', "found: n1", id="an unknown node"),
        pytest.param(
            resolve_source,
            "other/web",
            'no pod or workload "web" in namespace other',
            "namespace other has none: check the namespace",
            id="a namespace without pods",
        ),
        pytest.param(
            resolve_source,
            "twice",
            '"twice" is ambiguous: job/twice, cj/twice',
            "write the kind before the name",
            id="two workloads of one name",
        ),
        pytest.param(
            resolve_source,
            "sts/off",
            "StatefulSet shop/off has no pods now",
            "scale it up, or name a pod",
            id="a workload without pods",
        ),
        pytest.param(
            resolve_source,
            "svc/empty",
            "Service shop/empty has no pods that could be a source",
            "name a pod",
            id="a Service without pods as a source",
        ),
        pytest.param(
            resolve_destination,
            "fra.lab.svc",
            'no Service "fra" in namespace lab',
            "did you mean far?",
            id="a misspelt Service with its namespace",
        ),
        pytest.param(
            resolve_destination,
            "far.labb.svc",
            'no Service "far" in namespace labb',
            "namespace labb has none: check the namespace",
            id="a misspelt namespace of a Service",
        ),
        pytest.param(
            resolve_destination,
            "late-3.all.shop.svc",
            'no pod "late-3" of Service all in namespace shop',
            "did you mean late-2?",
            id="a pod that a headless Service does not have",
        ),
        pytest.param(
            resolve_destination,
            "late-2.web.shop.svc.cluster.local",
            "Service shop/web is not headless, so its pods have no names in DNS",
            "ask for it by its name: shop/pod/late-2",
            id="a pod of a Service that is not headless",
        ),
        pytest.param(
            resolve_destination,
            "zz.db.shop",
            'no pod "zz" of Service db in namespace shop',
            "found: db",
            id="what is no pod's name of a StatefulSet",
        ),
        pytest.param(
            resolve_destination,
            "dc-0.db.shop",
            'no pod "dc-0" of Service db in namespace shop',
            "found: db",
            id="a pod of no StatefulSet",
        ),
        pytest.param(
            resolve_destination,
            "late-2.al.shop.svc",
            'no Service "al" in namespace shop',
            "did you mean all?",
            id="a pod of a misspelt Service",
        ),
        pytest.param(
            resolve_destination,
            "weeb.shop",
            'no Service "weeb" in namespace shop',
            "for a host outside the cluster add a dot: weeb.shop.",
            id="a misspelt Service of a namespace that is there",
        ),
        pytest.param(
            resolve_destination,
            "kubernetes.default",
            'no Service "kubernetes" in namespace default',
            "for a host outside the cluster add a dot: kubernetes.default.",
            id="a Service of the namespace that each cluster has",
        ),
        pytest.param(
            resolve_destination,
            "svc/a.b",
            'no Service "a.b" in namespace shop',
            "found: all, db, empty, web",
            id="a name with dots after a kind is not a host",
        ),
        pytest.param(
            resolve_destination,
            "lab/a.b",
            'no Service, pod or workload "a.b" in namespace lab',
            "found: far",
            id="a name with dots after a namespace is not a host",
        ),
        pytest.param(
            resolve_destination,
            "web.com:80",
            '"web.com:80" is neither an address nor a host name',
            "write the port as a separate argument",
            id="a host with its port",
        ),
        pytest.param(
            resolve_destination,
            "10.0.0.256",
            '"10.0.0.256" is neither an address nor a host name',
            None,
            id="an invalid address",
        ),
    ],
)
def test_a_name_that_resolves_to_nothing_is_an_error(
    resolve: Callable[..., Resolved], typed: str, message: str, hint: str | None
) -> None:
    with pytest.raises(NetpolError) as caught:
        resolve(cluster(), parse_reference(typed, "shop"))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_without_nodes_an_unknown_node_has_no_suggestion() -> None:
    with pytest.raises(NetpolError) as caught:
        resolve_source(snapshot_of({}), parse_reference("node/zz", "shop"))
    assert (caught.value.message, caught.value.hint) == ('no Node "zz"', "found no nodes")


@pytest.mark.parametrize(
    ("gap", "resolve", "typed", "message"),
    [
        pytest.param("pods", resolve_source, "zz", 'can\'t look up Pod "zz": not pods', id="a source"),
        pytest.param("pods", resolve_destination, "zz", 'can\'t look up Pod "zz": not pods', id="a destination"),
        pytest.param(
            "services", resolve_destination, "svc/zz", 'can\'t look up Service "zz": not services', id="a Service"
        ),
        pytest.param(
            "pods", resolve_destination, "zz.lab", 'can\'t look up Pod "zz.lab": not pods', id="a name with dots"
        ),
        pytest.param(
            "pods",
            resolve_source,
            "svc/web",
            "can't look up the pods of Service shop/web: not pods",
            id="the pods of a Service",
        ),
        pytest.param(
            "services",
            resolve_destination,
            "zz",
            'no Service, pod or workload "zz" in namespace shop',
            id="a name that may be a Service's is looked up as a pod's",
        ),
    ],
)
def test_what_can_t_be_looked_up(gap: str, resolve: Callable[..., Resolved], typed: str, message: str) -> None:
    spec = yaml.safe_load(CLUSTER)
    snapshot = snapshot_of({**spec, "gaps": [{"resource": gap, "namespace": "shop", "message": f"not {gap}"}]})
    with pytest.raises(NetpolError) as caught:
        resolve(snapshot, parse_reference(typed, "shop"))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        pytest.param("late-2", "write pod/late-2", id="a pod"),
        pytest.param("shop/late-2", "write shop/pod/late-2", id="a pod with its namespace"),
        pytest.param("front", "write deploy/front", id="a workload"),
    ],
)
def test_where_services_may_not_be_listed_a_name_alone_is_no_pod(typed: str, hint: str) -> None:
    spec = yaml.safe_load(CLUSTER)
    front = {"namespace": "shop", "name": "front"}
    selector = {"selector": {"matchLabels": {"app": "api"}}}
    spec["objects"].append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": front, "spec": selector})
    snapshot = snapshot_of({**spec, "gaps": [{"resource": "services", "namespace": "shop", "message": "not services"}]})
    with pytest.raises(NetpolError) as caught:
        resolve_destination(snapshot, parse_reference(typed, "shop"))
    assert caught.value.message == f'can\'t tell whether "{typed}" is a Service: not services'
    assert caught.value.hint == hint
    assert resolve_destination(snapshot, parse_reference("pod/late-2", "shop")).pod


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param("odd", "can't look up Service \"odd\": shop/svc/odd can't be read", id="of that name"),
        pytest.param("zz", 'no Service, pod or workload "zz" in namespace shop', id="of another name"),
        pytest.param("svc/zz", 'no Service "zz" in namespace shop', id="a Service of another name"),
    ],
)
def test_a_service_that_can_not_be_read_is_not_taken_for_a_pod_of_its_name(typed: str, message: str) -> None:
    spec = yaml.safe_load(CLUSTER)
    gap = {"resource": "services", "namespace": "shop", "message": "shop/svc/odd can't be read", "name": "odd"}
    with pytest.raises(NetpolError) as caught:
        resolve_destination(snapshot_of({**spec, "gaps": [gap]}), parse_reference(typed, "shop"))
    assert caught.value.message == message


def test_only_a_gap_of_its_own_namespace_hides_the_pods_of_a_service() -> None:
    spec = yaml.safe_load(CLUSTER)
    snapshot = snapshot_of({**spec, "gaps": [{"resource": "pods", "namespace": "lab", "message": "not pods"}]})
    assert resolve_source(snapshot, parse_reference("svc/web", "shop")).end.title == "shop/late-2"


HIDDEN = 'can\'t look up Service "web" in namespace hidden: not services'
LAB = 'can\'t look up Service "web" in namespace lab: not services'


@pytest.mark.parametrize(
    ("typed", "namespaces_read", "message"),
    [
        pytest.param("web.hidden", False, HIDDEN, id="hidden may be a namespace that was not read"),
        pytest.param("web.hidden.svc", False, HIDDEN, id="hidden may be a namespace that was not read, with svc"),
        pytest.param("web.lab", True, LAB, id="lab is a namespace"),
        pytest.param("web.hidden", True, None, id="hidden is not a namespace, so it is a host"),
        pytest.param("web.hidden.", False, None, id="a dot at the end makes it a host"),
        pytest.param("web.hidden.com", False, None, id="com can't be part of a Service's name"),
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


def test_a_namespace_that_may_be_read_and_is_not_there_makes_a_name_with_dots_a_host() -> None:
    gaps = [
        {"resource": "services", "namespace": None, "message": "not services"},
        {"resource": "namespaces", "namespace": None, "message": "not namespaces", "readable": ["open"]},
    ]
    snapshot = snapshot_of({"live": True, "gaps": gaps})
    assert title(resolve_destination(snapshot, parse_reference("web.open", "shop"))) == "host web.open"
    with pytest.raises(NetpolError, match="in namespace hidden: not services"):
        resolve_destination(snapshot, parse_reference("web.hidden", "shop"))


@pytest.mark.parametrize(
    ("name", "namespaces"),
    [
        ("web", ()),
        ("web.lab", ("lab",)),
        ("web.lab.svc.", ("lab",)),
        ("web.LAB", ()),
        ("pg-0.pg.db", ("pg", "db")),
        ("pg-0.pg.db.svc.cluster.local", ("pg", "db")),
        ("web.lab.svc.cluster.local", ("lab",)),
        ("a.b.c.d", ("b",)),
    ],
)
def test_the_namespaces_that_have_to_be_read_for_a_name_with_dots(name: str, namespaces: tuple[str, ...]) -> None:
    assert namespaces_of(name) == namespaces


@pytest.mark.parametrize(
    ("resolved", "reference"),
    [
        pytest.param(Resolved(pod=Pod("shop", "web"), typed="web"), "web", id="what was typed"),
        pytest.param(Resolved(pod=Pod("shop", "web")), "shop/pod/web", id="a pod"),
        pytest.param(Resolved(service=Service("shop", "web", None)), "shop/svc/web", id="a Service"),
        pytest.param(Resolved(node=Node("n1")), "node/n1", id="a node"),
        pytest.param(Resolved(host="example.com"), "example.com", id="a host"),
        pytest.param(Resolved(address="10.0.0.1"), "10.0.0.1", id="an address"),
    ],
)
def test_what_to_type_for_an_end(resolved: Resolved, reference: str) -> None:
    assert resolved.reference == reference


@pytest.mark.parametrize(
    ("pods", "name"),
    [
        pytest.param((Pod("a", "b", ips=("10.0.0.1",)), Pod("a", "a", ips=("10.0.0.2",))), "a", id="first by name"),
        pytest.param((Pod("a", "a", ready=False, ips=("10.0.0.1",)), Pod("a", "b")), "b", id="a ready one first"),
        pytest.param((Pod("a", "a"), Pod("a", "b", ips=("10.0.0.2",))), "b", id="then one with an address"),
        pytest.param((), None, id="none of none"),
    ],
)
def test_the_pod_that_represents_several(pods: tuple[Pod, ...], name: str | None) -> None:
    found = representative(pods)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("destination", "ports"),
    [
        pytest.param(
            Resolved(service=Service("a", "s", None, (ServicePort("x", 80, "http"),))), [("TCP", 80)], id="Service"
        ),
        pytest.param(
            Resolved(pod=Pod("a", "p", {}, ports=(ContainerPort("x", 53, "UDP"), ContainerPort(None, 53, "UDP")))),
            [("UDP", 53)],
            id="a pod's, each once",
        ),
    ],
)
def test_the_ports_that_a_destination_declares(destination: Resolved, ports: list[tuple[str, int]]) -> None:
    assert [tuple(port) for port in declared_ports(destination)] == ports


@pytest.mark.parametrize(
    "destination",
    [
        pytest.param(Resolved(service=Service("a", "s", None)), id="a Service without ports"),
        pytest.param(Resolved(pod=Pod("a", "p", {})), id="a pod that declares none"),
        pytest.param(Resolved(host="example.com"), id="a host name"),
    ],
)
def test_where_none_are_declared_that_is_an_error(destination: Resolved) -> None:
    with pytest.raises(UsageError):
        declared_ports(destination)
