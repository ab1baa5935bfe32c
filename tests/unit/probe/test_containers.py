from __future__ import annotations

import pytest

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import Container, Pod
from kubectl_netpol.probe.containers import containers_to_try, intercepting_proxy

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
        pytest.param(pod(APP, LOGS), "logs", ("logs",), id="only the wanted one"),
        pytest.param(pod(APP, LOGS, **{DEFAULT: "logs"}), None, ("logs", "app"), id="the default first"),
        pytest.param(pod(APP, LOGS, **{DEFAULT: "gone"}), None, ("app", "logs"), id="a default that does not exist"),
        pytest.param(pod(ENDED, LOGS), None, ("logs", "app"), id="one that does not run comes last"),
        pytest.param(pod(DEBUG, APP), None, ("app", "debugger-x"), id="ephemeral ones last"),
        pytest.param(pod(PROXY, APP), None, ("app",), id="the proxy of a mesh is left out"),
        pytest.param(pod(PROXY), None, ("istio-proxy",), id="unless there is no other"),
        pytest.param(pod(APP, PROXY), "istio-proxy", ("istio-proxy",), id="or it is the wanted one"),
        pytest.param(pod(), None, (), id="unknown containers"),
        pytest.param(pod(), "app", ("app",), id="unknown containers, and a wanted one"),
    ],
)
def test_containers_to_probe_from(source: Pod, wanted: str | None, names: tuple[str, ...]) -> None:
    assert containers_to_try(source, wanted) == names


def test_a_wanted_container_that_does_not_exist_is_an_error_that_lists_the_containers() -> None:
    with pytest.raises(UsageError) as caught:
        containers_to_try(pod(APP, LOGS), "ap")
    assert caught.value.message == "pod shop/web has no container ap"
    assert caught.value.hint == "its containers: app, logs"


@pytest.mark.parametrize(
    ("source", "proxy"),
    [
        pytest.param(pod(APP), None, id="no mesh"),
        pytest.param(pod(APP, PROXY), "istio-proxy", id="a sidecar"),
        pytest.param(pod(Container("linkerd-init", "i"), APP), "linkerd-proxy", id="an init container that redirects"),
        pytest.param(pod(APP, **{"sidecar.istio.io/status": "{}"}), "istio-proxy", id="the injector's annotation"),
        pytest.param(pod(APP, **{"kuma.io/sidecar-injected": "true"}), "kuma-sidecar", id="kuma's annotation"),
        pytest.param(pod(APP, **{"kuma.io/sidecar-injected": "false"}), None, id="kuma's annotation of no proxy"),
        pytest.param(pod(APP, **{"ambient.istio.io/redirection": "enabled"}), "ztunnel", id="istio without sidecars"),
        pytest.param(
            pod(APP, **{"ambient.istio.io/redirection": "disabled"}), None, id="istio without sidecars, switched off"
        ),
    ],
)
def test_proxies_that_intercept_connections(source: Pod, proxy: str | None) -> None:
    assert intercepting_proxy(source) == proxy
