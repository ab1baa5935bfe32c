"""Which container of the source pod to probe from, and which proxy intercepts its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.errors import UsageError

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

# Containers that take over all outgoing connections of their pod.
PROXIES = ("istio-proxy", "linkerd-proxy", "consul-dataplane", "kuma-sidecar", "osm-envoy", "aws-appmesh-envoy")
# Init containers that redirect the pod's traffic to such a proxy, and annotations that its injector sets.
SETUP = {"istio-init": "istio-proxy", "istio-validation": "istio-proxy", "linkerd-init": "linkerd-proxy"}
ANNOTATIONS = {
    "sidecar.istio.io/status": "istio-proxy",
    "linkerd.io/proxy-version": "linkerd-proxy",
    "consul.hashicorp.com/connect-inject-status": "consul-dataplane",
    "kuma.io/sidecar-injected": "kuma-sidecar",
}
NOT_INJECTED = ("", "false", "disabled")
AMBIENT = "ambient.istio.io/redirection"


def containers_to_try(pod: Pod, wanted: str | None) -> tuple[str, ...]:
    """The wanted container alone; otherwise the default one, then the others of the pod, which share its network.

    Those that are known not to run come last, and proxies of a mesh are left out. () if the pod's containers are not
    known. UsageError if the pod has no such container.
    """
    names = [container.name for container in pod.containers]
    if wanted is not None:
        if names and wanted not in names:
            raise UsageError(f"pod {pod.key} has no container {wanted}", f"its containers: {', '.join(names)}")
        return (wanted,)
    default = pod.annotations.get(DEFAULT_CONTAINER)
    candidates = [c for c in pod.containers if c.name not in PROXIES or c.name == default]
    candidates.sort(key=lambda container: (container.name != default, container.running is False, container.ephemeral))
    return tuple(container.name for container in candidates) or tuple(names)


def intercepting_proxy(pod: Pod) -> str | None:
    """The proxy that accepts the pod's outgoing connections itself, so that a connect proves nothing, or None."""
    for container in pod.containers:
        if container.name in PROXIES:
            return container.name
        if container.name in SETUP:
            return SETUP[container.name]
    for annotation, proxy in ANNOTATIONS.items():
        if pod.annotations.get(annotation, "").lower() not in NOT_INJECTED:
            return proxy
    return "ztunnel" if pod.annotations.get(AMBIENT) == "enabled" else None
