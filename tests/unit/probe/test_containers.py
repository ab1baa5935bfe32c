from __future__ import annotations

import pytest

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import Container, Pod
from kubectl_netpol.probe.containers import intercepted, pick_container

APP, LOGS = Container("app", "app:1", running=True), Container("logs", "logs:1", running=True)
ENDED = Container("app", "app:1", running=False)
DEBUG = Container("debugger-x", "busybox", running=True, ephemeral=True)
PROXY = Container("istio-proxy", "proxy:1", running=True)
DEFAULT = "kubectl.kubernetes.io/default-container"


def pod(*containers: Container, **annotations: str) -> Pod:
    return Pod("shop", "web", containers=containers, annotations=annotations)


@pytest.mark.parametrize(
    ("source", "wanted", "names"),
    [
        pytest.param(pod(APP, LOGS), None, ("app", "logs"), id="the first, then the others"),
        pytest.param(pod(APP, LOGS), "logs", ("logs",), id="the wanted one alone"),
        pytest.param(pod(APP, LOGS, **{DEFAULT: "logs"}), None, ("logs", "app"), id="the default first"),
        pytest.param(pod(APP, LOGS, **{DEFAULT: "gone"}), None, ("app", "logs"), id="a default that is not there"),
        pytest.param(pod(ENDED, LOGS), None, ("logs", "app"), id="one that does not run comes last"),
        pytest.param(pod(DEBUG, APP), None, ("app", "debugger-x"), id="ephemeral ones after the others"),
        pytest.param(pod(PROXY, APP), None, ("app",), id="the proxy of a mesh is left out"),
        pytest.param(pod(PROXY), None, ("istio-proxy",), id="unless there is nothing else"),
        pytest.param(pod(APP, PROXY), "istio-proxy", ("istio-proxy",), id="or it is wanted"),
        pytest.param(pod(), None, (), id="containers not known"),
        pytest.param(pod(), "app", ("app",), id="not known, but wanted"),
    ],
)
def test_containers_to_probe_from(source: Pod, wanted: str | None, names: tuple[str, ...]) -> None:
    assert pick_container(source, wanted) == names


def test_a_wanted_container_that_is_not_there_is_an_error_with_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        pick_container(pod(APP, LOGS), "ap")
    assert caught.value.message == "pod shop/web has no container ap"
    assert caught.value.hint == "its containers: app, logs"


@pytest.mark.parametrize(
    ("source", "proxy"),
    [
        pytest.param(pod(APP), None, id="no mesh"),
        pytest.param(pod(APP, PROXY), "istio-proxy", id="a sidecar"),
        pytest.param(pod(Container("linkerd-init", "i"), APP), "linkerd-proxy", id="an init container that redirects"),
        pytest.param(pod(APP, **{"sidecar.istio.io/status": "{}"}), "istio-proxy", id="the injector's mark"),
        pytest.param(pod(APP, **{"kuma.io/sidecar-injected": "true"}), "kuma-sidecar", id="kuma's mark"),
        pytest.param(pod(APP, **{"kuma.io/sidecar-injected": "false"}), None, id="kuma's mark of none"),
        pytest.param(pod(APP, **{"ambient.istio.io/redirection": "enabled"}), "ztunnel", id="istio without sidecars"),
        pytest.param(pod(APP, **{"ambient.istio.io/redirection": "disabled"}), None, id="and switched off"),
    ],
)
def test_proxies_that_answer_in_the_destinations_place(source: Pod, proxy: str | None) -> None:
    assert intercepted(source) == proxy
