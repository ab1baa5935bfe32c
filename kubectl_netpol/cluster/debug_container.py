"""The ephemeral container of --debug-image: the only object that is ever added to a cluster."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from kubectl_netpol.cluster.decode import shapes
from kubectl_netpol.errors import ClusterError, ForbiddenError
from kubectl_netpol.fields import mapping, objects

if TYPE_CHECKING:
    from kubectl_netpol.cluster.api import Api

_WAIT_SECONDS = 60.0
_LIFETIME_SECONDS = 600
_POLL_SECONDS = 0.3
_NOBODY = 65534
_FATAL_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)


def add_debug_container(api: Api, namespace: str, pod: str, image: str) -> str:
    """Add a container that sleeps for ten minutes, and return its name once it runs.

    It meets the restricted Pod Security standard. Raises ClusterError as soon as the kubelet reports that the image
    can't be pulled or the container can't start, and ForbiddenError if patching pods/ephemeralcontainers is forbidden.
    """
    name = f"netpol-{secrets.token_hex(3)}"
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"sleep {_LIFETIME_SECONDS}"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
    body = {"spec": {"ephemeralContainers": [container]}}
    try:
        api.patch(f"{path}/ephemeralcontainers", body, "application/strategic-merge-patch+json")
    except ForbiddenError:
        raise
    except ClusterError as error:
        raise ClusterError(f"the debug container was refused: {error.message}", error.hint) from None
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        with shapes(f"response to {path}"):
            state = _container_state(api.get(path), name)
        if "running" in state:
            return name
        with shapes(f"response to {path}"):
            waiting, ended = (mapping(state.get(key), key) for key in ("waiting", "terminated"))
        if waiting.get("reason") in _FATAL_REASONS or ended:
            reason = waiting or ended
            message = f"{reason.get('reason')}: {reason.get('message', '')}".rstrip(": ")
            hint = "use an image with sh, sleep and nc that the node can pull, such as busybox"
            raise ClusterError(f"the debug container can't start ({message})", hint)
        time.sleep(_POLL_SECONDS)
    raise ClusterError(
        f"the debug container did not start within {_WAIT_SECONDS:.0f} s", f"kubectl describe pod {pod} -n {namespace}"
    )


def _container_state(pod: Any, name: str) -> dict[str, Any]:
    statuses = mapping(pod.get("status"), "status").get("ephemeralContainerStatuses")
    for status in objects(statuses, "status.ephemeralContainerStatuses"):
        if status.get("name") == name:
            return mapping(status.get("state"), "status.ephemeralContainerStatuses.state")
    return {}
