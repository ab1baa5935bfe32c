"""Names of generated policies: the default one, made from the spec, and the one given by --name.

Default names are public: the same spec gets the same name in every version, and different specs get different names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.policies import Direction, Peer, Policy
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator, in_namespace
from kubectl_netpol.model.validation import is_object_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.model.ports import RulePorts

NAME_LENGTH = 63
HASH_LENGTH = 8
_SIMPLE_KEY = re.compile(r"[a-z0-9]+")
_SIMPLE_VALUE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_JOINTS = frozenset(("to", "in", "and", "except"))
_ENDINGS = frozenset(("tcp", "udp", "sctp", "egress", "dns"))
_WHOLES = frozenset(("all", "anyone", "pods", "none"))


def renamed(policies: Sequence[Policy], name: str | None) -> tuple[Policy, ...]:
    """The policies renamed: to `name`, to NAME-ingress and NAME-egress where there are two, or not at all (None).

    UsageError where these names would not be unique or valid.
    """
    if name is None:
        return tuple(policies)
    if len(policies) == 1:
        return (policies[0]._replace(name=name),)
    named = tuple(policy._replace(name=f"{name}-{policy.directions[0].field}") for policy in policies)
    if len({policy.key for policy in named}) < len(named):
        raise UsageError(
            f"--name is one name, and there are {len(named)} policies", "omit --name, or run allow once for each policy"
        )
    if invalid := next((policy.name for policy in named if not is_object_name(policy.name)), None):
        raise UsageError(f'invalid policy name "{invalid}": must be at most 253 characters')
    return named


def default_name(policy: Policy) -> str:
    """The name from both ends and the ports, followed by a hash of the spec where they don't say all of it."""
    subject = _selector_slug(policy.pod_selector, "all-pods")
    if not policy.rules or len(policy.directions) > 1:
        return _deny_name(policy, subject)
    (direction,) = policy.directions
    first, rest = policy.rules[0], policy.rules[1:]
    peers, ports = _peers_slug(first.peers), _ports_slug(first.ports)
    with_dns = [rule._replace(position=0) for rule in rest] == [dns_rule()]
    dns_only = first._replace(position=0) == dns_rule()
    ends = (peers, subject) if direction is Direction.INGRESS else (subject, peers)
    if dns_only and not rest:
        return _fitted(f"allow-{subject.text}-to-cluster-dns", policy, exact=subject.exact)
    last = ends[1].text.rsplit("-", 1)[-1]
    exact = (
        all(slug.exact for slug in (*ends, ports))
        and (not rest or with_dns)
        and re.search("[a-z]", last) is not None
        and last not in _ENDINGS
    )
    parts = ["allow", ends[0].text, "to", ends[1].text, ports.text]
    if direction is Direction.EGRESS:
        parts.append("egress")
    if with_dns:
        parts.append("dns")
    return _fitted("-".join(part for part in parts if part), policy, exact=exact)


def _deny_name(policy: Policy, subject: _Slug) -> str:
    """Such as "default-deny-ingress", "deny-all-run-web-but-dns"; "all" is both directions."""
    which = policy.directions[0].field if len(policy.directions) == 1 else "all"
    name = f"deny-{which}-{subject.text}" if policy.pod_selector.requirements else f"default-deny-{which}"
    dns = [rule._replace(position=0) for rule in policy.rules]
    name += "-but-dns" if dns else ""
    return _fitted(name, policy, exact=subject.exact and dns in ([], [dns_rule()]))


def _fitted(name: str, policy: Policy, *, exact: bool) -> str:
    """The name, or as much of it as fits in front of the hash."""
    if exact and len(name) <= NAME_LENGTH:
        return name
    return f"{name[: NAME_LENGTH - HASH_LENGTH - 1].rstrip('-')}-{_spec_hash(policy)}"


class _Slug(NamedTuple):
    """A part of a name; `exact` where no other spec has the same text."""

    text: str
    exact: bool = True


def _selector_slug(selector: LabelSelector, whole: str) -> _Slug:
    if not selector.requirements:
        return _Slug(whole)
    texts = []
    for key, operator, values in selector.requirements:
        negation = "not-" if operator in (Operator.NOT_IN, Operator.DOES_NOT_EXIST) else ""
        texts.append(_slugified(f"{negation}{key.rpartition('/')[2]}-{'-'.join(values)}"))
    key, operator, values = selector.requirements[0]
    exact = (
        len(selector.requirements) == 1
        and operator is Operator.IN
        and len(values) == 1
        and _SIMPLE_KEY.fullmatch(key) is not None
        and _SIMPLE_VALUE.fullmatch(values[0]) is not None
        and key not in _WHOLES | _JOINTS | {"cluster", "not"}
        and _JOINTS.isdisjoint(values[0].split("-"))
    )
    return _Slug("-".join(filter(None, texts)) or "x", exact=exact)


def _peers_slug(peers: tuple[Peer, ...]) -> _Slug:
    if not peers:
        return _Slug("anyone")
    first = _peer_slug(peers[0])
    if len(peers) == 1:
        return first
    return _Slug(f"{first.text}-and-{len(peers) - 1}-more", exact=False)


def _peer_slug(peer: Peer) -> _Slug:
    if peer.ip_block:
        return _Slug(_slugified(peer.ip_block.cidr), exact=False)
    pods = _Slug("all-pods") if peer.pod_selector is None else _selector_slug(peer.pod_selector, "all-pods")
    if peer.namespace_selector is None:
        return pods
    exact = pods.exact and peer.pod_selector is not None and peer.pod_selector.requirements != ()
    (requirement,) = peer.namespace_selector.requirements[:1] or (None,)
    by_name = requirement is not None and peer.namespace_selector == in_namespace("".join(requirement.values))
    if requirement is not None and by_name:
        where = requirement.values[0]
        exact = (exact or peer.pod_selector is None) and _JOINTS.isdisjoint(where.split("-"))
        return _Slug(f"{pods.text}-in-{where}", exact=exact)
    where = _selector_slug(peer.namespace_selector, "all").text
    return _Slug(f"{pods.text}-in-{where}", exact=False)


def _ports_slug(ports: RulePorts) -> _Slug:
    if not ports:
        return _Slug("")
    (first, *others) = ports
    protocol = "" if first.protocol == "TCP" else f"-{first.protocol}".lower()
    if isinstance(first, NamedPort):
        text = f"{first.name}{protocol}"
    else:
        text = f"{first.first}{protocol}" if first.first == first.last else f"{first.first}-{first.last}{protocol}"
    if others:
        text += f"-and-{len(others)}-more"
    return _Slug(text, exact=not others and isinstance(first, PortRange))


def _slugified(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def _spec_hash(policy: Policy) -> str:
    import hashlib  # noqa: PLC0415 - most names need no hash

    from kubectl_netpol.manifests.writer import spec_object, to_yaml  # noqa: PLC0415 - only for the hash

    return hashlib.sha256(to_yaml([spec_object(policy)]).encode()).hexdigest()[:HASH_LENGTH]
