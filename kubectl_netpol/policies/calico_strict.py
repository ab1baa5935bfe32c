"""What Calico refuses of a policy that is written for projectcalico.org/v3, beside what none of its forms can have.

Not asked of what is stored: the definitions of crd.projectcalico.org/v1 take all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.fields import BadField, shown
from kubectl_netpol.model.addresses import family
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.policies.meta import Object

_PROTOCOLS = ("TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "UDPLite")
_TCP = ("TCP", "6")
_ICMP = {"ICMP": 4, "1": 4, "ICMPv6": 6, "58": 6}


def check_policy(spec: Object) -> None:
    """BadField for what is refused in a spec whose fields have been read."""
    if "global(" in (spec.get("namespaceSelector") or ""):
        raise BadField("spec.namespaceSelector", "global() is for the namespaceSelector of a rule only")
    _check_types(spec)
    _check_host_flags(spec)
    for direction in Direction:
        for index, rule in enumerate(spec.get(direction.field) or ()):
            _check_rule(rule, f"spec.{direction.field}[{index}]", direction)


def check_case(value: str | None, path: str, names: tuple[str, ...]) -> None:
    """BadField for one of these names in another case."""
    right = next((name for name in names if value and name != value and name.lower() == value.lower()), None)
    if right:
        raise BadField(path, f"must be one of {', '.join(names)}, got {shown(value)}", f"write {right}: case matters")


def _check_types(spec: Object) -> None:
    types = spec.get("types") or ()
    for index, name in enumerate(types):
        check_case(name, f"spec.types[{index}]", ("Ingress", "Egress"))
        if name in types[:index]:
            raise BadField(f"spec.types[{index}]", f"{name} is there twice")


def _check_host_flags(spec: Object) -> None:
    flags = [field for field in ("preDNAT", "doNotTrack") if spec.get(field) is True]
    if len(flags) > 1:
        raise BadField("spec.preDNAT", "can't be combined with doNotTrack")
    if flags and spec.get("applyOnForward") is not True:
        raise BadField(f"spec.{flags[0]}", "needs applyOnForward", "write applyOnForward: true")
    if flags == ["preDNAT"] and (spec.get("egress") or "Egress" in (spec.get("types") or ())):
        field = "egress" if spec.get("egress") else "types"
        raise BadField(f"spec.{field}", "a policy with preDNAT is for ingress only")


def _check_rule(rule: Object, path: str, direction: Direction) -> None:
    check_case(rule["action"], f"{path}.action", ("Allow", "Deny", "Log", "Pass"))
    protocols = [rule.get("protocol"), rule.get("notProtocol")]
    for field, value in zip(("protocol", "notProtocol"), protocols, strict=True):
        check_case(value if isinstance(value, str) else None, f"{path}.{field}", _PROTOCOLS)
    protocol = str(protocols[0])
    if rule.get("icmp") is not None and protocol not in _ICMP:
        raise BadField(f"{path}.icmp", "needs protocol ICMP or ICMPv6")
    _check_http(rule, path, direction)
    versions = [(_ICMP[name], f"protocol {name}") for name in map(str, protocols) if name in _ICMP]
    _check_versions(rule, path, versions)


def _check_http(rule: Object, path: str, direction: Direction) -> None:
    if rule.get("http") is None:
        return
    if direction is Direction.EGRESS:
        raise BadField(f"{path}.http", "is for ingress rules only")
    if rule["action"] != "Allow":
        raise BadField(f"{path}.http", f"needs action Allow, got {rule['action']}")
    if rule.get("protocol") is not None and str(rule["protocol"]) not in _TCP:
        raise BadField(f"{path}.http", f"needs protocol TCP, or none, got {rule['protocol']}")


def _check_versions(rule: Object, path: str, versions: list[tuple[int, str]]) -> None:
    """One rule is about one version of IP. `versions`: those that its protocols have, and what says so."""
    asked = rule.get("ipVersion")
    nets = list(_nets(rule, path))
    for version, what in (*versions, *((found, net) for found, net, _ in nets)):
        if asked not in (None, version):
            hint = f"write ipVersion: {version}, or leave it out"
            raise BadField(f"{path}.ipVersion", f"is {asked}, but {what} is IPv{version}", hint)
    for version, net, at in nets:
        if version != nets[0][0]:
            first = nets[0][1]
            message = f"{net} is IPv{version}, and {first} in the same rule IPv{nets[0][0]}"
            raise BadField(at, message, "write one rule for each IP version")


def _nets(rule: Object, path: str) -> Iterator[tuple[int, str, str]]:
    """The version, the text and the path of each block of addresses."""
    for end in ("source", "destination"):
        entity: dict[str, Any] = rule.get(end) or {}
        for field in ("nets", "notNets"):
            for index, net in enumerate(entity.get(field) or ()):
                yield family(net.partition("/")[0]), net, f"{path}.{end}.{field}[{index}]"
