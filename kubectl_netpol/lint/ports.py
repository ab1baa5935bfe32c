"""Findings about ports: names that pods lack, numbers that they don't declare, a Service's port, impossible ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import where_text
from kubectl_netpol.lint.context import pods_text
from kubectl_netpol.lint.finding import Edit, Finding, Repair, Severity, found
from kubectl_netpol.lint.meant import alike
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import PROTOCOLS, NamedPort, PortRange
from kubectl_netpol.model.validation import is_port_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.lint.context import Context, PodClass
    from kubectl_netpol.model.objects import Service
    from kubectl_netpol.model.policies import Policy, Rule


def mistaken_ports(context: Context, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """The rule's ports that the destination pods, or some of them, don't have."""
    targets, all_of_them = _targets(context, policy, rule)
    for index, item in enumerate(rule.ports if targets else ()):
        if isinstance(item, NamedPort):
            yield from _name(context, policy, rule, index, targets, all_of_them=all_of_them)
        elif wrong := _service_port(context, item, targets):
            yield from _service_port_finding(context, policy, rule, index, targets, wrong=wrong)
        elif all_of_them:
            yield from _number(policy, rule, index, item, targets)


def _targets(context: Context, policy: Policy, rule: Rule) -> tuple[tuple[PodClass, ...], bool]:
    """The pods to which the rule's ports belong, and whether there can be no others."""
    if rule.direction is Direction.INGRESS:
        return context.selected(policy), not context.snapshot.gap("pods", policy.namespace or None)
    targets: dict[int, PodClass] = {}
    whole = bool(rule.peers)
    for peer in rule.peers:
        if not peer.selects_pods:
            whole = False
            continue
        matched = context.matched(policy, peer)
        targets.update((one.number, one) for one in matched.classes)
        whole = whole and not (matched.unknown or matched.hosts)
        whole = whole and not (context.partial and peer.namespace_selector is not None)
    return tuple(targets.values()), whole


def _name(
    context: Context,
    policy: Policy,
    rule: Rule,
    index: int,
    targets: tuple[PodClass, ...],
    *,
    all_of_them: bool,
) -> Iterator[Finding]:
    item = rule.ports[index]
    if not isinstance(item, NamedPort) or not is_port_name(item.name):
        return
    lacking = [one for one in targets if one.pod.port_named(item.name, item.protocol) is None]
    if not lacking:
        return
    where, path = where_text(rule), f"spec.{where_text(rule)}.ports[{index}].port"
    port = f'{item.protocol} port named "{item.name}"' if item.protocol else f'port named "{item.name}"'
    names = sorted({port.name for one in targets for port in one.pod.ports if port.name})
    known = f"named ports: {', '.join(names)}" if names else "no named ports"
    others = {port.protocol for one in targets for port in one.pod.ports if port.name == item.name}
    known = f"it is {' and '.join(sorted(others))}" if others else known
    if len(lacking) == len(targets):
        near = [name for name in names if alike(item.name, name)]
        message = f"{policy.title} {where}: no pod has a {port} ({known}); some plugins then open every port"
        read = context.complete or (rule.direction is Direction.INGRESS and not context.unseen)
        severity = Severity.ERROR if all_of_them and read else Severity.WARNING
        repair = _repair(policy, rule, index, item._replace(name=near[0]), near[0]) if len(near) == 1 else None
        fix = f"did you mean {near[0]}?" if len(near) == 1 else "use a name that they have, or the number"
    else:
        message = f"{policy.title} {where}: some pods have no {port}, and on them it opens nothing"
        severity, repair, fix = Severity.WARNING, None, "give all pods a port of that name, or use the number"
    proof = (pods_text(lacking),)
    yield found(Code.UNKNOWN_NAMED_PORT, severity, policy, path, message, proof=proof, fix=fix, repair=repair)


def _repair(policy: Policy, rule: Rule, index: int, item: PortRange | NamedPort, text: str) -> Repair | None:
    """That port, and nothing else. None for a policy of a tier, whose ports have another form."""
    if policy.tier is not None:
        return None
    ports = (*rule.ports[:index], item, *rule.ports[index + 1 :])
    rules = tuple(one._replace(ports=ports) if one is rule else one for one in policy.rules)
    edit = Edit("replace", f"spec.{where_text(rule)}.ports[{index}].port", text)
    return Repair((edit,), policy._replace(rules=rules))


def _service_port(context: Context, item: PortRange, targets: tuple[PodClass, ...]) -> tuple[Service, int] | None:
    """The Service whose port this is, and the port on which its pods listen instead."""
    if item.first != item.last or any(item.first == port.number for one in targets for port in one.pod.ports):
        return None
    for service in _services(context).get((item.first, item.protocol), ()):
        if service.selector is None:
            continue
        for one in targets:
            if one.pod.namespace != service.namespace or not service.selector.matches(one.pod.labels):
                continue
            for port in service.ports:
                if (port.number, port.protocol) == (item.first, item.protocol):
                    number = port.number_on(one.pod)
                    if number not in (None, item.first):
                        return service, number
    return None


def _services(context: Context) -> dict[tuple[int, str], list[Service]]:
    """Those that map ports, by port and protocol."""
    listed: dict[tuple[int, str], list[Service]] | None = context.services_by_port
    if listed is None:
        listed = context.services_by_port = {}
        for service in context.snapshot.services:
            for port in () if service.headless else service.ports:
                listed.setdefault((port.number, port.protocol), []).append(service)
    return listed


def _service_port_finding(
    context: Context,
    policy: Policy,
    rule: Rule,
    index: int,
    targets: tuple[PodClass, ...],
    *,
    wrong: tuple[Service, int],
) -> Iterator[Finding]:
    """Not where the port is the target of a Service too; no repair where pods without declared ports may have it."""
    item = rule.ports[index]
    if not isinstance(item, PortRange) or _is_target(context, item, targets):
        return
    service, number = wrong
    selector = service.selector
    others = [one for one in targets if not (one.pod.ports or (selector and selector.matches(one.pod.labels)))]
    where = where_text(rule)
    listens = f"its pods listen on {number}: {'add' if others else 'use'} {number}"
    message = f"{policy.title} {where}: {item.first} is the port of Service {service.name}, but {listens}"
    path, fix = f"spec.{where}.ports[{index}].port", f"write {number}"
    proof: tuple[str, ...] = ()
    repair: Repair | None = None
    if others:
        fix = f"add {number}, and keep {item.first} only if other pods listen on it"
        proof = (f"no port is declared by {pods_text(others)}",)
    else:
        repair = _repair(policy, rule, index, item._replace(first=number, last=number), str(number))
    yield found(Code.SERVICE_PORT_IN_RULE, Severity.WARNING, policy, path, message, proof=proof, fix=fix, repair=repair)


def _is_target(context: Context, item: PortRange, targets: tuple[PodClass, ...]) -> bool:
    """Whether a Service sends to this port of one of the pods."""
    for service in context.snapshot.services:
        if service.selector is None:
            continue
        ports = [port for port in service.ports if port.protocol == item.protocol]
        for one in targets if ports else ():
            behind = one.pod.namespace == service.namespace and service.selector.matches(one.pod.labels)
            if behind and any(port.number_on(one.pod) == item.first for port in ports):
                return True
    return False


def _number(
    policy: Policy, rule: Rule, index: int, item: PortRange, targets: tuple[PodClass, ...]
) -> Iterator[Finding]:
    """A number, or a range, that no pod declares though each declares some."""
    if item.first > item.last or item.protocol not in PROTOCOLS or not all(one.pod.ports for one in targets):
        return
    for one in targets:
        for port in (*one.pod.ports, *one.pod.init_ports):
            if item.first <= port.number <= item.last and port.protocol == item.protocol:
                return
    where = where_text(rule)
    number = str(item.first) if item.first == item.last else f"{item.first}-{item.last}"
    declared = sorted({(port.number, port.protocol) for one in targets for port in one.pod.ports})
    listed = ", ".join(f"{port}/{protocol}" for port, protocol in declared[:5])
    message = f"{policy.title} {where}: no pod declares {item.protocol} {number} (they declare {listed})"
    path, fix = f"spec.{where}.ports[{index}]", "check which port the application listens on"
    yield found(Code.UNDECLARED_PORT, Severity.INFO, policy, path, message, proof=(pods_text(targets),), fix=fix)


def impossible_ports(policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Port names, protocols and ranges that the API server takes in a tier's rule, and that nothing has."""
    where = where_text(rule)
    for index, item in enumerate(rule.ports):
        if isinstance(item, NamedPort):
            problem = "" if is_port_name(item.name) else f'no port can have the name "{item.name}"'
        elif item.protocol not in PROTOCOLS:
            problem = f'no connection has the protocol "{item.protocol}"'
        else:
            problem = f"no port is in {item.first}-{item.last}" if item.first > item.last else ""
        if problem:
            field = "protocols" if policy.kind == "ClusterNetworkPolicy" else "ports"
            path, message = f"spec.{where}.{field}[{index}]", f"{policy.title} {where}: {problem}"
            fix = "write a name of 1-15 of a-z 0-9 -, TCP, UDP or SCTP, and the smaller number first"
            yield found(Code.IMPOSSIBLE_PORT, Severity.ERROR, policy, path, message, fix=fix)
