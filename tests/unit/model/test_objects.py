"""Objects by themselves: what a selector matches of a namespace, ports by name, and what identifies a pod."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.objects import ContainerPort, Namespace, Owner, Pod, Service, ServicePort
from kubectl_netpol.model.selectors import parse_selector

COMPLETE = Namespace("shop", {"team": "x"})
INCOMPLETE = Namespace("shop", {"kubernetes.io/metadata.name": "shop"}, complete=False)


@pytest.mark.parametrize(
    ("namespace", "selector", "selected"),
    [
        pytest.param(COMPLETE, "team=x", True, id="its label"),
        pytest.param(COMPLETE, "team=y", False, id="another value"),
        pytest.param(COMPLETE, "owner", False, id="a label that it does not have"),
        pytest.param(INCOMPLETE, "", True, id="everything is selected, labels known or not"),
        pytest.param(INCOMPLETE, "kubernetes.io/metadata.name=shop", True, id="the one label that is known"),
        pytest.param(INCOMPLETE, "team=x", None, id="undetermined without its labels"),
        pytest.param(INCOMPLETE, "!team", None, id="undetermined whether a label is absent"),
        pytest.param(
            INCOMPLETE, "team=x,kubernetes.io/metadata.name=lab", False, id="certainly not where a known label differs"
        ),
    ],
)
def test_whether_a_selector_selects_a_namespace(namespace: Namespace, selector: str, selected: bool | None) -> None:  # noqa: FBT001 - a column
    assert namespace.selected_by(parse_selector(selector)) is selected


WEB = Pod("shop", "web", ports=(ContainerPort("dns", 53, "UDP"), ContainerPort("http", 8080), ContainerPort(None, 9)))


@pytest.mark.parametrize(
    ("name", "protocol", "number"),
    [
        pytest.param("http", "TCP", 8080, id="its number"),
        pytest.param("http", "UDP", None, id="none for another protocol"),
        pytest.param("https", "TCP", None, id="none for a name that it does not have"),
    ],
)
def test_a_port_of_a_pod_by_name(name: str, protocol: str, number: int | None) -> None:
    assert WEB.port_named(name, protocol) == number


@pytest.mark.parametrize(
    ("port", "number"),
    [
        pytest.param(ServicePort(None, 80, 8080), 8080, id="a target by number"),
        pytest.param(ServicePort(None, 80, 1), 1, id="a target by number that the pod does not list"),
        pytest.param(ServicePort(None, 80, "http"), 8080, id="a target by name"),
        pytest.param(ServicePort(None, 53, "dns", "UDP"), 53, id="a target by name and protocol"),
        pytest.param(ServicePort(None, 53, "dns"), None, id="a target by name that the pod has for another protocol"),
    ],
)
def test_the_port_on_the_pod_that_a_service_port_sends_to(port: ServicePort, number: int | None) -> None:
    assert port.number_on(WEB) == number


@pytest.mark.parametrize(
    ("phase", "finished"),
    [("Succeeded", True), ("Failed", True), ("Running", False), ("Pending", False), (None, False)],
)
def test_a_pod_has_finished_when_its_containers_have_ended_for_good(phase: str | None, finished: bool) -> None:  # noqa: FBT001 - a column
    assert WEB._replace(phase=phase).finished is finished


def test_templates_of_two_workloads_and_a_pod_share_a_name_and_not_an_identity() -> None:
    pods = [WEB, WEB._replace(owner=Owner("Deployment", "web")), WEB._replace(owner=Owner("StatefulSet", "web"))]
    assert {pod.key for pod in pods} == {"shop/web"}
    assert len({pod.identity for pod in pods}) == 3


def test_a_service_is_named_with_its_namespace() -> None:
    assert Service("shop", "web", None).key == "shop/web"
