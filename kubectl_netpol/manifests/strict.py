"""What an object of a file must have, whatever its kind; BadField for what the API server would refuse.

Objects from an API server are not checked: some server took them, perhaps one of another version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import BadField, integer, known_fields, mapping, objects, sequence, shown, slip, text
from kubectl_netpol.model.kinds import WORKLOADS
from kubectl_netpol.model.ports import LAST_PORT
from kubectl_netpol.model.validation import is_namespace_name, is_port_name, key_fault, name_fault
from kubectl_netpol.policies.meta import label_fault, read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_netpol.model.objects import ContainerPort, Pod, Workload
    from kubectl_netpol.policies.meta import Object

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_ALWAYS = ("apiVersion", "kind", "metadata")
# Of built-in kinds; NetworkPolicy's reader knows all of its fields.
_FIELDS = {
    **dict.fromkeys(("Namespace", "Node", "Pod", "Service", *WORKLOADS), (*_ALWAYS, "spec", "status")),
    "EndpointSlice": (*_ALWAYS, "addressType", "endpoints", "ports"),
    "Endpoints": (*_ALWAYS, "subsets"),
    "ServiceAccount": (*_ALWAYS, "secrets", "imagePullSecrets", "automountServiceAccountToken"),
}


def check_object(kind: str, item: Object) -> None:
    """Fields, names and labels of the object, and of the pod template in it. `kind`: as `model.kinds` names it."""
    if kind in _FIELDS:
        known_fields(item, "", _FIELDS[kind])
    metadata = mapping(item.get("metadata"), "metadata")
    _check_metadata(metadata, "metadata")
    name = metadata.get("name")
    given = "name" if name else "generateName"
    # What the server adds to a prefix makes its last character one inside the name.
    whole = name or f"{metadata.get('generateName')}x"
    if fault := name_fault(kind, whole):
        raise BadField(f"metadata.{given}", fault.replace(f'"{whole}"', f'"{metadata.get(given)}"'))
    namespace = metadata.get("namespace")
    if namespace and not is_namespace_name(namespace):
        raise BadField("metadata.namespace", name_fault("Namespace", namespace) or "")
    if kind in WORKLOADS:
        _check_template(kind, item)


# Where a slip would change what is selected, or which pods there are, and say nothing.
_POD_SPEC = (
    "containers",
    "initContainers",
    "hostNetwork",
    "nodeName",
    "serviceAccountName",
    "serviceAccount",
    "restartPolicy",
)
_CONTAINER = ("name", "image", "ports", "command", "args", "env", "resources")
_PORT = ("name", "containerPort", "protocol", "hostPort", "hostIP")
_WORKLOAD = ("replicas", "selector", "template", "parallelism", "completions", "jobTemplate", "schedule")
_SERVICE = ("selector", "ports", "type", "clusterIP", "clusterIPs", "externalName", "externalIPs")


def _check_slips(spec: Object, path: str) -> None:
    """Of the spec of a pod whose fields have been read."""
    if error := slip(spec, _POD_SPEC):
        raise error.within(path)
    for at, container in _containers(spec, path):
        if error := slip(container, _CONTAINER):
            raise error.within(at)
        for number, port in enumerate(container.get("ports") or ()):
            if error := slip(port or {}, _PORT):
                raise error.within(f"{at}.ports[{number}]")


def _containers(spec: Object, path: str) -> Iterator[tuple[str, Object]]:
    """With their paths."""
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield f"{path}.{field}[{index}]", container or {}


def _check_spec(item: Object, names: tuple[str, ...]) -> None:
    if error := slip(mapping(item.get("spec"), "spec"), names):
        raise error.within("spec")


def _check_template(kind: str, item: Object) -> None:
    path, found = "", item
    for step in template_path(kind):
        path = f"{path}.{step}" if path else step
        found = mapping(found.get(step), path)
    known_fields(found, path, ("metadata", "spec"))
    _check_metadata(mapping(found.get("metadata"), f"{path}.metadata"), f"{path}.metadata")


def template_path(kind: str) -> tuple[str, ...]:
    """Where a workload of this kind has the template of its pods."""
    return ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")


def _check_service(item: Object) -> None:
    """The ports and the type of a Service that has been read."""
    spec = mapping(item.get("spec"), "spec")
    _check_spec(item, _SERVICE)
    _labels(spec.get("selector"), "spec.selector")
    kind = spec.get("type") or "ClusterIP"
    if kind not in _SERVICE_TYPES:
        raise BadField("spec.type", f"must be one of {', '.join(_SERVICE_TYPES)}, got {shown(kind)}")
    if kind == "ExternalName" and not spec.get("externalName"):
        raise BadField("spec.externalName", "is missing")
    ports = spec.get("ports") or ()
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        raise BadField("spec.ports", "is missing")
    seen: set[Any] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        _check_service_port(port, path, named=len(ports) > 1)
        number = port["port"], port.get("protocol") or "TCP"
        if number in seen or (port.get("name") or number) in seen:
            raise BadField(path, "is there twice")
        seen |= {number, port.get("name") or number}


def _check_service_port(port: Object, path: str, *, named: bool) -> None:
    name, target = port.get("name"), port.get("targetPort")
    _check_number(port, path, "port")
    _check_number(port, path, "nodePort", none=0)
    if not isinstance(target, str):
        _check_number(port, path, "targetPort", none=0)
    elif target and not is_port_name(target):
        hint = f"write {target} without quotes" if target.isdecimal() else None
        raise BadField(f"{path}.targetPort", f'invalid port name "{target}"', hint)
    if name and not is_namespace_name(name):  # a DNS label, like those
        raise BadField(f"{path}.name", f'invalid port name "{name}"')
    if not name and named:
        raise BadField(f"{path}.name", "is missing: a Service with several ports needs their names")


def _check_pod(kind: str, item: Object, found: Pod) -> None:
    """The pod of a Pod or a workload that has been read as `found`: its fields, and the ports of its containers."""
    steps = ("spec",) if kind == "Pod" else (*template_path(kind), "spec")
    spec, path = item, ".".join(steps)
    for step in steps:
        spec = spec.get(step) or {}
    _check_slips(spec, path)
    if not all(map(_is_port, found.ports)) or not all(map(_is_port, found.init_ports)):
        _refuse_port(spec, path)


def _refuse_port(spec: Object, path: str) -> None:
    ports = [
        (f"{at}.ports[{number}]", port)
        for at, container in _containers(spec, path)
        for number, port in enumerate(container.get("ports") or ())
    ]
    for at, port in ports:  # pragma: no branch - one of them is the reason for the call
        _check_number(port, at, "containerPort")
        _check_number(port, at, "hostPort", none=0)
        if (name := port.get("name")) and not is_port_name(name):
            raise BadField(f"{at}.name", f'invalid port name "{name}"', "a port name is 1-15 of a-z 0-9 -")


@lru_cache(maxsize=4096)  # most pods have the ports of many others
def _is_port(port: ContainerPort) -> bool:
    numbers = (port.number, 1 if port.host_port is None else port.host_port)
    return all(1 <= number <= LAST_PORT for number in numbers) and (port.name is None or is_port_name(port.name))


def _check_number(port: Object, path: str, field: str, none: int | None = None) -> None:
    """A port number; one that is absent, or `none`, is not given."""
    number = port.get(field)
    if number is not None and number != none and not 1 <= integer(number, f"{path}.{field}") <= LAST_PORT:
        raise BadField(f"{path}.{field}", f"invalid port {number}: must be 1-{LAST_PORT}")


def check_read(kind: str, item: Object, found: Any) -> None:
    """What there is to check of an object whose fields have been read as `found`."""
    if kind == "Service":
        _check_service(item)
    elif kind == "Pod":
        _check_pod(kind, item, found)
    elif kind in WORKLOADS:
        _check_spec(item, _WORKLOAD)
        _check_pod(kind, item, found.template)
        _check_selector(found, item)


def _check_selector(workload: Workload, item: Object) -> None:
    """That the selector of a workload matches the pods of its template, where it has both.

    Jobs get theirs from the server.
    """
    selector, labels = workload.selector, workload.template.labels
    if (replicas := mapping(item.get("spec"), "spec").get("replicas")) and integer(replicas, "spec.replicas") < 0:
        raise BadField("spec.replicas", "must not be less than 0")
    if selector is None or workload.kind in ("Job", "CronJob") or item["spec"].get("template") is None:
        return
    if not selector.requirements:
        raise BadField("spec.selector", "is empty")
    if not selector.matches(labels):
        raise BadField("spec.template.metadata.labels", "spec.selector does not match them")


def _check_metadata(metadata: Object, path: str) -> None:
    for field, value in metadata.items():
        check = _CHECKS.get(field)
        if check is None:
            known_fields(metadata, path, _CHECKS)
        elif value is not None and (check is not _text or type(value) is not str):
            check(value, f"{path}.{field}")


def _text(value: Any, path: str) -> None:
    text(value, path, empty=True)


def check_times(metadata: dict[str, Any]) -> None:
    """BadField where an object was made, or is deleted, at a time that no API server writes."""
    for field in ("creationTimestamp", "deletionTimestamp"):
        if metadata.get(field) is not None:
            _time(metadata[field], f"metadata.{field}")


def _time(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise BadField(path, f"expected a time such as 2006-01-02T15:04:05Z, got {shown(value)}")


def _labels(value: Any, path: str) -> None:
    for key, label in read_labels(value, path).items():
        if fault := label_fault(key, label):
            raise BadField(path, fault)


def _annotations(value: Any, path: str) -> None:
    for key in read_labels(value, path):
        if key_fault(key.lower()):
            raise BadField(path, f'invalid annotation key "{key}": the same rules hold as for label keys')


def _finalizers(value: Any, path: str) -> None:
    for index, entry in enumerate(sequence(value, path)):
        _text(entry, f"{path}[{index}]")


def _objects(value: Any, path: str) -> None:
    objects(value, path)


_CHECKS: dict[str, Callable[[Any, str], object]] = {
    **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), _text),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _time),
    **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), integer),
    "labels": _labels,
    "annotations": _annotations,
    "finalizers": _finalizers,
    **dict.fromkeys(("ownerReferences", "managedFields"), _objects),
}
