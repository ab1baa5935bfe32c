"""Warnings about ports: a port name that no pod has, and a Service's port in place of the pod's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import position_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.ports import NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model.objects import Pod, Service, ServicePort
    from kubectl_netpol.model.policies import Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


def mistaken_ports(snapshot: Snapshot, policy: Policy, rule: Rule, targets: tuple[Pod, ...]) -> Iterator[Note]:
    """The rule's ports that none of the targets, the destination pods, has."""
    where = f"{policy.name} {position_text(rule.direction, rule.position)}"
    for item in rule.ports if targets else ():
        if isinstance(item, NamedPort):
            if not any(pod.port_named(item.name, item.protocol) for pod in targets):
                names = sorted({port.name for pod in targets for port in pod.ports if port.name})
                known = f"named ports: {', '.join(names)}" if names else "no named ports"
                yield Note(
                    Code.UNKNOWN_NAMED_PORT,
                    f'{where}: no pod has a {item.protocol} port named "{item.name}" ({known}); '
                    "some plugins then open every port",
                )
        elif fix := _service_port_fix(snapshot, item, targets):
            yield Note(Code.SERVICE_PORT_IN_RULE, f"{where}: {fix}")


def _service_port_fix(snapshot: Snapshot, item: PortRange, targets: tuple[Pod, ...]) -> str | None:
    if item.first != item.last or any(item.first == port.number for pod in targets for port in pod.ports):
        return None
    wanted = set(map(id, targets))
    for service, port in _services_by_port(snapshot).get((item.first, item.protocol), ()):
        for pod in snapshot.selected_by_service(service):
            number = port.number_on(pod)
            if id(pod) in wanted and number not in (None, item.first):
                listens = f"its pods listen on {number}: use {number}"
                return f"{item.first} is the port of Service {service.name}, but {listens}"
    return None


def _services_by_port(snapshot: Snapshot) -> dict[tuple[int, str], list[tuple[Service, ServicePort]]]:
    found: dict[tuple[int, str], list[tuple[Service, ServicePort]]] | None = snapshot.memo.get("services by port")
    if found is None:
        found = snapshot.memo["services by port"] = {}
        for service in snapshot.services:
            for port in service.ports if not service.headless else ():
                found.setdefault((port.number, port.protocol), []).append((service, port))
    return found
