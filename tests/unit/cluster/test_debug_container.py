"""The debug container: what is added to the pod, and why it may not start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster import debug_container
from kubectl_netpol.cluster.debug_container import add_debug_container
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, Request, api_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., FakeServer]

PATH = "/api/v1/namespaces/shop/pods/web"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug_container, "_POLL_SECONDS", 0.01)


def kubelet(*states: dict[str, Any] | None) -> Callable[[Request, Any], Answer]:
    """A pod whose new container has these states, one per request and the last one forever; None: no status yet."""
    left = list(states)
    added: list[str] = []

    def answer(request: Request, _: Any) -> Answer:
        if request.method == "PATCH":
            added.append(json.loads(request.body)["spec"]["ephemeralContainers"][0]["name"])
            return Answer(body={})
        state = left.pop(0) if len(left) > 1 else left[0]
        statuses = [{"name": "another", "state": {"running": {}}}]
        if state is not None:
            statuses.append({"name": added[0], "state": state})
        return Answer(body={"status": {"ephemeralContainerStatuses": statuses}})

    return answer


def test_a_container_that_sleeps_is_added_and_named_once_it_runs(serve: Serve, pki: Pki) -> None:
    server = serve(kubelet(None, {"waiting": {"reason": "ContainerCreating"}}, {"running": {}}))
    name = add_debug_container(api_for(server, pki), "shop", "web", "busybox:1.37")
    patch, *gets = server.requests
    assert (patch.method, patch.target) == ("PATCH", f"{PATH}/ephemeralcontainers")
    assert patch.values("content-type") == ["application/strategic-merge-patch+json"]
    (container,) = json.loads(patch.body)["spec"]["ephemeralContainers"]
    assert container["name"] == name
    assert name.startswith("netpol-")
    assert container["image"] == "busybox:1.37"
    assert container["command"] == ["sh", "-c", "sleep 600"]
    assert [(get.method, get.target) for get in gets] == [("GET", PATH)] * 3


def test_the_container_meets_the_restricted_pod_security_standard(serve: Serve, pki: Pki) -> None:
    server = serve(kubelet({"running": {}}))
    add_debug_container(api_for(server, pki), "shop", "web", "busybox")
    (container,) = json.loads(server.requests[0].body)["spec"]["ephemeralContainers"]
    context = container["securityContext"]
    assert context.pop("runAsUser") > 0
    assert context == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize(
    ("state", "message"),
    [
        pytest.param(
            {"waiting": {"reason": "ErrImagePull", "message": "not found"}},
            "the debug container can't start (ErrImagePull: not found)",
            id="no such image",
        ),
        pytest.param(
            {"waiting": {"reason": "CreateContainerConfigError"}},
            "the debug container can't start (CreateContainerConfigError)",
            id="without a message",
        ),
        pytest.param(
            {"terminated": {"reason": "Error", "exitCode": 127}},
            "the debug container can't start (Error)",
            id="no sleep in the image",
        ),
    ],
)
def test_a_container_that_can_t_start_is_an_error_at_once(
    serve: Serve, pki: Pki, state: dict[str, Any], message: str
) -> None:
    server = serve(kubelet({"waiting": {"reason": "ContainerCreating"}}, state))
    with pytest.raises(ClusterError) as caught:
        add_debug_container(api_for(server, pki), "shop", "web", "busybox")
    assert caught.value.message == message
    assert caught.value.hint == "use an image with sh, sleep and nc that the node can pull, such as busybox"
    assert len(server.requests) == 3


def test_a_container_that_waits_too_long(serve: Serve, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug_container, "_WAIT_SECONDS", 0.3)
    server = serve(kubelet({"waiting": {"reason": "ContainerCreating"}}))
    with pytest.raises(ClusterError, match=r"^the debug container did not start within 0 s$") as caught:
        add_debug_container(api_for(server, pki), "shop", "web", "busybox")
    assert caught.value.hint == "kubectl describe pod web -n shop"


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (403, ForbiddenError, "the server's message"),
        (404, ClusterError, "the debug container was refused: the server's message"),
        (422, ClusterError, "the debug container was refused: the server's message"),
    ],
)
def test_a_refused_container(serve: Serve, pki: Pki, status: int, error: type[ClusterError], message: str) -> None:
    server = serve(lambda *_: Answer(status, {"message": "the server's message"}))
    with pytest.raises(error) as caught:
        add_debug_container(api_for(server, pki), "shop", "web", "busybox")
    assert type(caught.value) is error
    assert caught.value.message == message
    assert not isinstance(caught.value, NotFoundError)
    if isinstance(caught.value, ForbiddenError):
        assert (caught.value.verb, caught.value.resource) == ("patch", "pods/ephemeralcontainers")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"status": 3}, "status: expected an object, got 3", id="a status that is a number"),
        pytest.param(
            {"status": {"ephemeralContainerStatuses": {"a": 1}}},
            "status.ephemeralContainerStatuses: expected a list, got an object",
            id="statuses that are an object",
        ),
        pytest.param(
            {"status": {"ephemeralContainerStatuses": [7]}},
            r"status.ephemeralContainerStatuses\[0\]: expected an object, got 7",
            id="a status of another form",
        ),
        pytest.param([], "expected an object, got a list", id="a list instead of a pod"),
    ],
)
def test_a_pod_of_another_form_is_an_error(serve: Serve, pki: Pki, body: Any, field: str) -> None:
    server = serve(lambda request, _: Answer(body={} if request.method == "PATCH" else body))
    with pytest.raises(ClusterError, match=f"invalid response to {PATH}: {field}"):
        add_debug_container(api_for(server, pki), "shop", "web", "busybox")


@pytest.mark.parametrize("state", [3, "running", {"waiting": 3}, {"terminated": []}], ids=str)
def test_a_state_of_another_form_is_an_error(serve: Serve, pki: Pki, state: Any) -> None:
    with pytest.raises(ClusterError, match=f"invalid response to {PATH}: "):
        add_debug_container(api_for(serve(kubelet(state)), pki), "shop", "web", "busybox")
