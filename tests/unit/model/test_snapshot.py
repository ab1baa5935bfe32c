"""The snapshot: what is looked up in it, and what its gaps leave out."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.objects import Namespace, Node, Owner, Pod, Service, Workload
from kubectl_netpol.model.policies import Policy, Tier
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.model.snapshot import Gap, Snapshot


@pytest.mark.parametrize(
    ("gap", "missing", "complete"),
    [
        pytest.param(Gap("pods", None, "m"), ("a", "b", None), (), id="of every namespace"),
        pytest.param(
            Gap("pods", None, "m", frozenset({"a"})), ("b", None), ("a",), id="of every namespace but the readable ones"
        ),
        pytest.param(Gap("pods", "a", "m"), ("a", None), ("b",), id="of one namespace"),
    ],
)
def test_the_namespaces_whose_objects_a_gap_leaves_out(
    gap: Gap, missing: tuple[str | None, ...], complete: tuple[str | None, ...]
) -> None:
    snapshot = Snapshot(gaps=[gap])
    assert [namespace for namespace in missing if snapshot.gap("pods", namespace) is not gap] == []
    assert [namespace for namespace in complete if snapshot.gap("pods", namespace)] == []
    assert snapshot.gap("services", None) is None


POD = Pod("a", "web", {"app": "web"}, ips=("10.0.0.1", "fd00::1"), node="n1", host_ips=("192.0.2.1",))
HOST = Pod("a", "host", ips=("192.0.2.2",), host_network=True, node="n2", host_ips=("192.0.2.2",))
FINISHED = Pod("a", "old", {"app": "web"}, ips=("10.0.0.1",), phase="Failed")
OTHER = Pod("b", "web", {"app": "web"})
POLICY = Policy("a", "p", LabelSelector(), ())
SNAPSHOT = Snapshot(
    namespaces=[Namespace("a", {"team": "x"})],
    pods=[FINISHED, POD, HOST, OTHER],
    policies=[POLICY],
    nodes=[Node("n9", ("192.0.2.9", "2001:db8::9"))],
    services=[Service("a", "web", None)],
)


def test_objects_are_looked_up_by_namespace_and_name() -> None:
    assert SNAPSHOT.pod("a", "web") is POD
    assert SNAPSHOT.pod("c", "web") is None
    assert SNAPSHOT.service("a", "web") is SNAPSHOT.services[0]
    assert SNAPSHOT.service("b", "web") is None
    assert SNAPSHOT.node("n9") is SNAPSHOT.nodes[0]
    assert SNAPSHOT.node("n1") is None


def test_objects_of_one_namespace_are_in_the_order_they_were_read() -> None:
    assert SNAPSHOT.pod_namespaces == ("a", "b")
    assert SNAPSHOT.pods_in("a") == (FINISHED, POD, HOST)
    assert SNAPSHOT.pods_in("c") == ()
    assert SNAPSHOT.policies_in("a") == (POLICY,)
    assert SNAPSHOT.policies_in("b") == ()


def test_of_a_namespace_that_was_not_read_only_the_label_of_its_name_is_known() -> None:
    assert SNAPSHOT.namespace("a") == Namespace("a", {"team": "x"})
    assert SNAPSHOT.namespace("b") == Namespace("b", {"kubernetes.io/metadata.name": "b"}, complete=False)


@pytest.mark.parametrize(
    ("address", "pod", "node"),
    [
        pytest.param("10.0.0.1", "a/web", None, id="a pod, not the finished one that had it before"),
        pytest.param("fd00::1", "a/web", None, id="a pod by its second address"),
        pytest.param("fd00:0::1", "a/web", None, id="a pod by another spelling"),
        pytest.param("::ffff:10.0.0.1", "a/web", None, id="a pod by an IPv4-mapped address"),
        pytest.param("192.0.2.9", None, "n9", id="a node"),
        pytest.param("2001:db8::9", None, "n9", id="a node by its second address"),
        pytest.param("192.0.2.1", None, "n1", id="a node by the hostIPs of a pod"),
        pytest.param("192.0.2.2", None, "n2", id="a node, not its host-network pod"),
        pytest.param("10.9.9.9", None, None, id="nothing"),
    ],
)
def test_what_has_an_address(address: str, pod: str | None, node: str | None) -> None:
    found, host = SNAPSHOT.pod_at(address), SNAPSHOT.node_at(address)
    assert (found and found.key) == pod
    assert (host and host.name) == node


@pytest.mark.parametrize(
    ("selector", "pods"),
    [
        pytest.param("app=web", (POD,), id="pods of its namespace that have not finished"),
        pytest.param("app=api", (), id="none with other labels"),
        pytest.param(None, (), id="none without a selector"),
    ],
)
def test_the_pods_that_a_service_selects(selector: str | None, pods: tuple[Pod, ...]) -> None:
    service = Service("a", "s", None if selector is None else parse_selector(selector))
    assert SNAPSHOT.selected_by_service(service) == pods


def test_a_pod_is_found_before_a_template_of_its_name() -> None:
    template = Pod("a", "web", owner=Owner("Deployment", "web"), planned=True)
    snapshot = Snapshot(pods=[POD, template], workloads=[Workload("Deployment", "a", "web", None, template)])
    assert snapshot.pod("a", "web") is POD
    assert snapshot.is_template(template)
    assert not snapshot.is_template(POD)


def test_a_planned_pod_of_no_workload_is_not_a_template() -> None:
    assert not SNAPSHOT.is_template(POD._replace(planned=True))


def test_with_other_policies_everything_else_stays() -> None:
    changed = SNAPSHOT.with_policies([POLICY._replace(namespace="b")])
    assert changed.policies_in("a") == ()
    assert len(changed.policies_in("b")) == 1
    assert changed.pods == SNAPSHOT.pods
    assert changed.namespaces == SNAPSHOT.namespaces
    assert (changed.nodes, changed.services) == (SNAPSHOT.nodes, SNAPSHOT.services)
    assert SNAPSHOT.policies_in("a") == (POLICY,)


def test_the_policies_of_every_evaluated_kind_are_kept_by_kind() -> None:
    tiered = POLICY._replace(namespace="", kind="AdminNetworkPolicy", tier=Tier.ADMIN)
    changed = SNAPSHOT.with_policies([tiered, POLICY])
    assert (changed.policies, changed.tiered, changed.evaluated) == ((POLICY,), (tiered,), (POLICY, tiered))
