"""Whether a rule matches a connection where Calico runs: its own, and those of Kubernetes' kinds as it reads them.

Felix turns selectors into sets of addresses: a rule matches what has an address of a pod, a network set or a host
endpoint that the selector takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.calico_things import Things, Where, is_endpoint
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import labels_unknown
from kubectl_netpol.engine.verdict import Miss, Note, RulePart
from kubectl_netpol.model.addresses import blocks_by_bits, family, parse_ip, parse_network
from kubectl_netpol.model.calico import (
    NAMESPACE,
    OF_NAMESPACE,
    AllOf,
    CalicoRule,
    Entity,
    Not,
    Ports,
    Selector,
    keys_of,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import LAST_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.engine.conditions import Seen
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class RuleCondition:
    """A rule of Calico's own, or one that it makes of a rule of Kubernetes' kinds."""

    def __init__(self, things: Things, rule: CalicoRule) -> None:
        self._things = things
        self._rule = rule
        self.same = rule._replace(position=0, action="", text="", ends=("", ""), ports_text="")
        self._source = _End(things, rule.source, rule.protocol)
        self._destination = _End(things, rule.destination, rule.protocol)

    @property
    def by_address(self) -> bool:
        ingress = self._rule.direction is Direction.INGRESS
        return self._rule.ip_version is not None or (self._source if ingress else self._destination).by_address

    @property
    def subject_by_address(self) -> bool:
        ingress = self._rule.direction is Direction.INGRESS
        return (self._destination if ingress else self._source).by_address

    @property
    def keys(self) -> frozenset[str]:
        """The label keys that it asks for."""
        return self._source.keys | self._destination.keys

    @property
    def names_ports(self) -> bool:
        entities = self._rule.source, self._rule.destination
        return any(entity.ports.names or entity.not_ports.names for entity in entities)

    def about(self, direction: Direction, subject: Pod, protocol: str, port: int) -> object:
        """What the subject's own end has to say, by each of its addresses."""
        ends: list[tuple[Where, int | None]] = [(Where(ip, subject), family(ip)) for ip in subject.ips]
        ends = ends or [(Where(None, subject), None)]
        if direction is Direction.INGRESS:
            found = [self._destination.matches(*end, protocol, port, with_ports=True) for end in ends]
        else:
            found = [
                all_of((self._source.matches(*end, protocol, port), self._source.takes_client_port(end[0], protocol)))
                for end in ends
            ]
        return tuple(zip((version for _, version in ends), found, strict=True))

    def text(self) -> str:
        return self._rule.text

    def peers(self) -> tuple[OtherEnd, ...]:
        """The other end, if anything is required of it beside ports."""
        ingress = self._rule.direction is Direction.INGRESS
        end = self._source if ingress else self._destination
        return (OtherEnd(end, self._rule.other_text),) if end.is_some else ()

    def ports_text(self) -> str:
        return self._rule.ports_text

    def misses(self, _: Snapshot, seen: Seen) -> tuple[Miss, ...]:
        """The protocol, an end or a port that is another."""
        rule = self._rule
        if rule.protocol not in (None, seen.protocol) or rule.not_protocol == seen.protocol:
            return (Miss(RulePart.CONDITION, f"its protocol is {rule.ports_text}, not {seen.protocol}", ""),)
        subject, other, version = _ends(seen)
        ingress = seen.direction is Direction.INGRESS
        source, destination = (other, subject) if ingress else (subject, other)
        ends = (
            ("source", self._source.matches(source, version, seen.protocol, seen.port)),
            ("destination", self._destination.matches(destination, version, seen.protocol, seen.port)),
        )
        found = [
            Miss(RulePart.CONDITION, f"its {name} is {rule.end_text(name)}", "")
            for name, held in ends
            if held is not True
        ]
        if self._destination.matches(destination, version, seen.protocol, seen.port, with_ports=True) is False and (
            ends[1][1] is not False
        ):
            found.append(Miss(RulePart.PORT, rule.ports_text, str(seen.port)))
        return tuple(found) or (Miss(RulePart.CONDITION, f"it is about {rule.text}", ""),)

    def names(self, _: Seen) -> bool:
        """Its misses are about whole ends."""
        return False

    def holds(self, _: Snapshot, seen: Seen) -> bool | Note:
        rule = self._rule
        if rule.protocol not in (None, seen.protocol) or rule.not_protocol == seen.protocol:
            return False
        subject, other, version = _ends(seen)
        if rule.ip_version is not None:
            if version is None:
                return _address_unknown(other, "an ipVersion")
            if rule.ip_version != version:
                return False
        ingress = seen.direction is Direction.INGRESS
        source, destination = (other, subject) if ingress else (subject, other)
        answers = [
            self._destination.matches(destination, version, seen.protocol, seen.port, with_ports=True),
            self._from(source, version, seen, elsewhere=ingress and _from_another_node(seen)),
        ]
        answers.append(self._source.takes_client_port(source, seen.protocol))
        if rule.http:
            answers.append(Note(Code.CONTENT_DECIDES, "a rule about requests (http) decides, and only Envoy reads it"))
        return all_of(answers)

    def _from(self, source: Where, version: int | None, seen: Seen, *, elsewhere: bool) -> bool | Note:
        found = self._source.matches(source, version, seen.protocol, seen.port)
        if not elsewhere:
            return found
        rewritten = Where(None, None, rewritten=True)
        if self._source.matches(rewritten, version, seen.protocol, seen.port) is found:
            return found
        name = seen.node.name if seen.node else seen.pod.node if seen.pod else ""
        message = f"{seen.subject.key} may see another address of node {name}, such as that of a tunnel"
        return Note(Code.SOURCE_REWRITTEN, message)


class OtherEnd:
    """What a rule requires of the other end, ports apart."""

    def __init__(self, end: _End, text: str) -> None:
        self._end = end
        self._text = text
        self.by_labels = end.by_labels

    def text(self) -> str:
        return self._text

    def holds(self, _: Snapshot, seen: Seen) -> bool | Note:
        """By any of the pod's addresses."""
        pod = seen.pod if seen.pod and is_endpoint(seen.pod) else None
        answers = [
            self._end.matches(Where(ip, pod), family(ip) if ip else None, seen.protocol, seen.port)
            for ip in ((seen.pod.ips if seen.pod else ()) or (seen.address,))
        ]
        return negated(all_of(negated(answer) for answer in answers))


def all_of(answers: Iterable[bool | Note]) -> bool | Note:
    """False where one is, else the first that is not known."""
    unknown: bool | Note = True
    for answer in answers:
        if answer is False:
            return False
        if unknown is True:
            unknown = answer
    return unknown


def _ends(seen: Seen) -> tuple[Where, Where, int | None]:
    """The subject, the other end, and the version of their addresses, None if unknown."""
    pod = seen.pod if seen.pod and is_endpoint(seen.pod) else None
    version = family(seen.address) if seen.address else None
    mine = next((ip for ip in seen.subject.ips if version in (None, family(ip))), None)
    if version is None and mine and len(set(map(family, seen.subject.ips))) == 1:
        version = family(mine)
    return Where(mine, seen.subject), Where(seen.address, pod), version


def own_node(seen: Seen) -> bool | None:
    """Whether the other end is the subject's own node, or uses its network; None where that is unknown."""
    if seen.pod:
        if not seen.pod.host_network:
            return False
        node = seen.pod.node
    elif seen.node:
        node = seen.node.name
    else:
        return seen.address is not None and seen.address in seen.subject.host_ips
    return None if node is None or seen.subject.node is None else node == seen.subject.node


def _from_another_node(seen: Seen) -> bool:
    return seen.node is not None or (seen.pod is not None and seen.pod.host_network)


class _End:
    """A rule's source or destination."""

    def __init__(self, things: Things, entity: Entity, protocol: str | None) -> None:
        self._things = things
        self._entity = entity
        self._protocol = protocol
        parts: list[Selector] = [entity.selects] if entity.selects is not None else []
        if parts and entity.selects_not is not None:
            parts.append(Not(entity.selects_not))
        self._selects = AllOf(tuple(parts)) if parts else None
        self._versions = {
            version: tuple(tuple(net for net in nets if parse_network(net).version == version) for nets in both)
            for version in (4, 6)
            for both in [(entity.nets, entity.not_nets)]
        }

    @property
    def by_labels(self) -> bool:
        return self._entity.selects is not None

    @property
    def is_some(self) -> bool:
        """Whether it requires anything beside ports."""
        return self._entity._replace(ports=Ports(), not_ports=Ports()) != Entity()

    @property
    def keys(self) -> frozenset[str]:
        selectors = (self._entity.selects, self._entity.selects_not)
        return frozenset().union(*(keys_of(selector) for selector in selectors if selector is not None))

    @property
    def by_address(self) -> bool:
        """Whether it may tell apart pods with the same labels."""
        by_labels = self._entity.selects is not None or self._entity.selects_not is not None
        return self._entity.by_address or (by_labels and self._things.cover_pods)

    def matches(
        self, end: Where, version: int | None, protocol: str, port: int, *, with_ports: bool = False
    ) -> bool | Note:
        entity = self._entity
        answers = []
        if entity.nets or entity.not_nets:
            answers.append(self._by_nets(end, version))
        if self._selects is not None:
            answers.append(self._selected(self._selects, end))
        elif entity.selects_not is not None:
            answers.append(negated(self._selected(entity.selects_not, end)))
        if entity.service:
            answers.append(self._by_service(end, protocol, port, with_port=with_ports))
        if with_ports and entity.ports:
            answers.append(entity.ports.covers(port) or self._named(entity.ports, end, protocol, port))
        if with_ports and entity.not_ports:
            answers.append(
                not entity.not_ports.covers(port) and negated(self._named(entity.not_ports, end, protocol, port))
            )
        return all_of(answers)

    def _by_nets(self, end: Where, version: int | None) -> bool | Note:
        """A rule with nets of the other version only does not exist for this one."""
        if version is None:
            return _address_unknown(end, "an address")
        nets, not_nets = self._versions[version]
        if (self._entity.nets and not nets) or (self._entity.not_nets and not not_nets):
            return False
        if end.address is None:
            anything = ("0.0.0.0/0", "::/0")
            if any(net in anything for net in not_nets):
                return False
            if not not_nets and any(net in anything for net in nets):
                return True
            return _address_unknown(end, "an address")
        if nets and not blocks_by_bits(nets).holding(end.address):
            return False
        return not blocks_by_bits(not_nets).holding(end.address)

    def _selected(self, selector: Selector, end: Where) -> bool | Note:
        """Whether some thing with the address has it."""
        unknown: Note | None = None
        if end.pod:
            held = selector.holds(self._things.of_pod(end.pod))
            if held:
                return True
            if held is None:
                unknown = self._labels_unknown(end.pod)
        if end.address is None:
            if any(selector.holds(labels) is not False for labels in self._things.sets):
                unknown = unknown or _address_unknown(end, "a network set")
        else:
            for labels in self._things.sets_at(end.address):
                held = selector.holds(labels)
                if held:
                    return True
                if held is None:
                    unknown = labels_unknown(self._things.snapshot, labels.known[NAMESPACE])
        return unknown or False

    def _labels_unknown(self, pod: Pod) -> Note:
        if OF_NAMESPACE in self._things.of_pod(pod).unknown:
            return labels_unknown(self._things.snapshot, pod.namespace)
        name = pod.service_account or "default"
        if gap := self._things.snapshot.gap("serviceaccounts", pod.namespace):
            return Note(Code.PERMISSION_MISSING, gap.message)
        message = f"the labels of service account {pod.namespace}/{name} are unknown"
        return Note(Code.ACCOUNT_LABELS_UNKNOWN, message)

    def _named(self, ports: Ports, end: Where, protocol: str, port: int) -> bool:
        """Whether the pod has one of these names for this port. Nothing else has names."""
        if not ports.names or end.pod is None:
            return False
        if self._selects is not None and self._selects.holds(self._things.of_pod(end.pod)) is False:
            return False
        return any(
            entry.number == port and entry.protocol == protocol and entry.name in ports.names
            for entry in (*end.pod.ports, *end.pod.init_ports)
        )

    def _by_service(self, end: Where, protocol: str, port: int, *, with_port: bool) -> bool | Note:
        service = self._entity.service
        assert service is not None  # noqa: S101 - for the type checker
        snapshot = self._things.snapshot
        if not service.namespace:
            message = (
                f"services {service.name} without a namespace: documented as the policy's own, but Felix finds none"
            )
            return Note(Code.ENDPOINTS_UNKNOWN, message)
        if gap := snapshot.gap("endpointslices", service.namespace):
            return Note(Code.PERMISSION_MISSING, gap.message)
        slices = [s for s in snapshot.endpoint_slices if (s.namespace, s.service) == tuple(service)]
        if not slices:
            message = f"the EndpointSlices of Service {service.namespace}/{service.name} are unknown"
            return Note(Code.ENDPOINTS_UNKNOWN, message)
        if end.address is None:
            return _address_unknown(end, "an endpoint of a Service")
        ip = parse_ip(end.address)
        return any(
            parse_ip(address) == ip
            for entry in slices
            if not with_port or any((number, proto) == (port, protocol) for _, number, proto in entry.ports)
            for endpoint in entry.endpoints
            for address in endpoint.addresses
        )

    def takes_client_port(self, end: Where, protocol: str) -> bool | Note:
        """Of a source: the client chooses its port when it dials, so unknown unless all or none will do."""
        ports, not_ports = self._entity.ports, self._entity.not_ports
        if not ports and not not_ports:
            return True
        some = _numbers(ports, end.pod, protocol) if ports else _ALL
        some = some - _numbers(not_ports, end.pod, protocol)
        if not some:
            return False
        if len(some) == LAST_PORT:
            return True
        return Note(
            Code.SOURCE_PORT, "a rule about the source port decides, and a client chooses its port when it dials"
        )


_ALL = frozenset(range(1, LAST_PORT + 1))


def _numbers(ports: Ports, pod: Pod | None, protocol: str) -> frozenset[int]:
    found: set[int] = set()
    for item in ports.ranges:
        found.update(range(max(item.first, 1), item.last + 1))
    for entry in (*pod.ports, *pod.init_ports) if pod else ():
        if entry.protocol == protocol and entry.name in ports.names:
            found.add(entry.number)
    return frozenset(found)


def negated(answer: bool | Note) -> bool | Note:  # noqa: FBT001 - an answer, not a switch
    return answer if isinstance(answer, Note) else not answer


def _address_unknown(end: Where, what: str) -> Note:
    if end.rewritten:
        return Note(Code.SOURCE_REWRITTEN, f"{what} decides, and the address that the packet carries is unknown")
    if end.pod is None:
        return Note(Code.HOST_NAME, f"{what} decides, and the address of the host name is unknown")
    return Note(Code.POD_ADDRESS_UNKNOWN, f"{what} decides, and the address of {end.pod.key} is unknown")
