"""`allow` from labels: the texts of its options to policies, without any cluster; refuses rather than guesses. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.allow.names import under_names
from kubectl_netpol.allow.policy import policy
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.addresses import is_ip, parse_network
from kubectl_netpol.model.names import is_namespace_name
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector, Operator, in_namespace, parse_selector, requirement_text

if TYPE_CHECKING:
    from kubectl_netpol.model.ports import NamedPort, PortRange

    pass

_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(/\d+)?")
_DOTTED = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}")
ASSUMED_DNS = "DNS is assumed to be pods k8s-app=kube-dns in kube-system, port 53"
NO_HOSTS_HINT = (
    "an ipBlock needs addresses: 203.0.113.7/32; for names some network plugins have policy kinds of their own"
)


class EndOptions(NamedTuple):
    """One end as typed. `side` is "from" or "to", as in the options' names."""

    side: str
    selectors: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    all_pods: bool = False
    anyone: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing says who this end is."""
        return not (self.selectors or self.namespaces or self.cidrs or self.all_pods or self.anyone)


class LabelRequest(NamedTuple):
    """What `allow` with labels was asked for. `namespace` is -n's, None where not given; `dns` None: not said."""

    source: EndOptions
    destination: EndOptions
    ports: tuple[PortRange | NamedPort, ...] = ()
    namespace: str | None = None
    ingress: bool = True
    egress: bool = False
    dns: bool | None = None
    name: str | None = None

    @property
    def with_dns(self) -> bool:
        """Whether the rule for DNS is wanted: where asked for, and as a part of both sides."""
        return self.egress and (self.ingress if self.dns is None else self.dns)


class _End(NamedTuple):
    """One end, understood. `home`: the one namespace its pods are in, None where not said; `own`: by its own option."""

    words: EndOptions
    selectors: tuple[LabelSelector, ...]
    namespaces: tuple[LabelSelector, ...]
    blocks: tuple[IPBlock, ...]
    home: str | None
    own: bool


def policies_from_labels(asked: LabelRequest, dns: Rule | None = None) -> tuple[Policy, ...]:
    """The policies that let it through: the source's side first. `dns` stands for the conventional DNS rule.

    UsageError for whatever would be refused by the API server, would allow more than was said, or is ambiguous.
    """
    _check_whole(asked)
    source, destination = _understood(asked.source, asked), _understood(asked.destination, asked)
    found: list[Policy] = []
    if asked.egress:
        extra = (dns or dns_rule(),) if asked.with_dns else ()
        found += _of_side(asked, Direction.EGRESS, source, destination, extra)
    if asked.ingress:
        found += _of_side(asked, Direction.INGRESS, destination, source, ())
    return under_names(found, asked.name)


def _check_whole(asked: LabelRequest) -> None:
    if asked.source.empty and asked.destination.empty:
        raise UsageError("both ends are empty", "say who may reach whom: --from run=san --to run=nginx --port 80")
    if asked.dns and not asked.egress:
        raise UsageError("--dns is a rule for outgoing connections", "add --egress or --both")
    if asked.namespace is not None and not is_namespace_name(asked.namespace):
        raise UsageError(f'"{asked.namespace}" is no namespace name')
    if asked.egress and not asked.ingress and asked.dns and asked.destination.empty and asked.ports:
        raise UsageError("--port without a destination", "name it with --to, or leave --port out: --dns has its own")


def _understood(words: EndOptions, asked: LabelRequest) -> _End:
    side = words.side
    selectors = tuple(dict.fromkeys(_selector(text, side) for text in words.selectors))
    if words.anyone and not words._replace(anyone=False).empty:
        raise UsageError(f"--{side}-any is everyone already", f"drop --{side}-any, or the other --{side} options")
    if words.all_pods and selectors:
        raise UsageError(f"--{side}-all-pods is every pod already", f"drop --{side}-all-pods or --{side}")
    if words.excepts and not words.cidrs:
        raise UsageError("--except takes addresses out of a block", f"add --{side}-cidr, such as 0.0.0.0/0")
    if len(selectors) > 1 and len(words.namespaces) > 1:
        raise UsageError(
            f"several --{side} and several --{side}-namespace: which belongs to which?", "make a policy for each"
        )
    names = [text for text in words.namespaces if is_namespace_name(text)]
    home = names[0] if len(words.namespaces) == 1 == len(names) else None
    return _End(
        words,
        selectors,
        tuple(_namespace(text, side) for text in words.namespaces),
        _blocks(words),
        home if words.namespaces else asked.namespace,
        bool(words.namespaces),
    )


def _of_side(
    asked: LabelRequest, direction: Direction, subject: _End, peer: _End, extra: tuple[Rule, ...]
) -> list[Policy]:
    """The policies at one end, one for each of its selectors."""
    chosen = _subjects(subject, direction)
    if subject.own and subject.home is None:
        raise UsageError(
            f"--{subject.words.side}-namespace has to be one name here: a policy lies in one namespace",
            "make a policy for each namespace",
        )
    rules = list(extra)
    if not (peer.words.empty and extra and not asked.ingress):
        rules.insert(0, Rule(direction, 0, _peers(peer, subject, direction), asked.ports))
    return [policy(subject.home or "", direction, selector, rules) for selector in chosen]


def _subjects(end: _End, direction: Direction) -> tuple[LabelSelector, ...]:
    """The podSelectors of the policies at this end."""
    words, side = end.words, end.words.side
    if words.cidrs:
        other = "--egress" if side == "to" else "ingress, which is the default"
        raise UsageError(f"--{side}-cidr names addresses, and a policy at that end needs pods", f"use {other}")
    if words.anyone:
        raise UsageError(
            f"--{side}-any can't be the pods that a policy selects", f"--{side}-all-pods selects all of a namespace"
        )
    if words.all_pods:
        return (LabelSelector(),)
    if not end.selectors:
        raise UsageError(
            f"which pods does the policy select? For {direction.field} that is --{side}",
            f"--{side} run=NAME, or --{side}-all-pods for all of the namespace",
        )
    return end.selectors


def _peers(peer: _End, subject: _End, direction: Direction) -> tuple[Peer, ...]:
    """The peers of the rule; none at all only where --from-any or --to-any said so."""
    words, side = peer.words, peer.words.side
    if words.empty:
        hint = f"--{side}-any allows everyone, --{side}-all-pods every pod of the namespace"
        raise UsageError(f"{direction.peers_field} whom? The rule for {direction.field} needs --{side}", hint)
    found: list[Peer] = []
    if peer.selectors or peer.namespaces or words.all_pods:
        wanted = _namespace_selectors(peer, subject)
        whole = words.all_pods or not peer.selectors
        pods: tuple[LabelSelector | None, ...] = (None,) if whole else peer.selectors
        for namespace in wanted:
            for selector in pods:
                bare = namespace is None and selector is None
                found.append(Peer(namespace, LabelSelector() if bare else selector))
    found += [Peer(ip_block=block) for block in peer.blocks]
    return tuple(found)


def _namespace_selectors(peer: _End, subject: _End) -> tuple[LabelSelector | None, ...]:
    """The namespaceSelectors of the peers; None means the policy's own namespace."""
    if peer.own:
        own = None if subject.home is None else in_namespace(subject.home)
        return tuple(dict.fromkeys(None if selector == own else selector for selector in peer.namespaces))
    if peer.home == subject.home:
        return (None,)
    if peer.home is None:
        side = peer.words.side
        raise UsageError(f"which namespace is --{side} in?", f"say it with --{side}-namespace, or with -n")
    return (in_namespace(peer.home),)


def _selector(text: str, side: str) -> LabelSelector:
    text = text.strip()
    if not text:
        raise UsageError(
            f"--{side} is empty, and an empty selector is every pod", f"--{side}-all-pods says it on purpose"
        )
    if is_ip(text.partition("/")[0]):
        raise UsageError(f'"{text}" is an address, and --{side} takes labels', f"--{side}-cidr {text}")
    if _DOTTED.fullmatch(text):
        raise UsageError(f'"{text}" looks like a host name, and a NetworkPolicy can\'t name hosts', NO_HOSTS_HINT)
    return parse_selector(text)


def isolates_text(policy: Policy, *, with_dns: bool) -> str:
    """What a policy cuts off where nobody looked: whatever it does not name."""
    (direction,) = policy.directions
    who = ",".join(map(requirement_text, policy.pod_selector.requirements))
    used, dns = ("used it" if who else "used them"), ""
    if direction is Direction.EGRESS:
        used = "it used" if who else "they used"
        wide = any(not rule.peers or any(peer.ip_block for peer in rule.peers) for rule in policy.rules)
        dns = "" if with_dns or wide else ", DNS included"
    where = f" in {policy.namespace}" if policy.namespace else "" if who else " of the namespace"
    return f"isolates {who or 'every pod'}{where} for {direction.field}: whatever else {used} is cut off{dns}"


def bare_words(asked: LabelRequest) -> list[str]:
    """The selectors that only ask for a label's presence: probably a pod's name was meant."""
    found = []
    for text in (*asked.source.selectors, *asked.destination.selectors):
        (requirement, *others) = parse_selector(text).requirements
        if not others and requirement.operator is Operator.EXISTS and "/" not in requirement.key:
            found.append(requirement.key)
    return found


def _namespace(text: str, side: str) -> LabelSelector:
    text = text.strip()
    if not text:
        hint = f"every namespace: --{side}-namespace kubernetes.io/metadata.name"
        raise UsageError(f"--{side}-namespace is empty", hint)
    if is_namespace_name(text):
        return in_namespace(text)
    selector = parse_selector(text) if re.search(r"[=!/(]", text) else None
    if selector is None:
        hint = "a name is a-z 0-9 -; a selector is k=v, k in (a,b), !k"
        raise UsageError(f'"{text}" is neither a namespace\'s name nor a selector of namespaces', hint)
    return selector


def _blocks(words: EndOptions) -> tuple[IPBlock, ...]:
    """The blocks, each with those excepts that lie inside it."""
    cidrs = list(dict.fromkeys(cidr_of(text) for text in words.cidrs))
    excepts = list(dict.fromkeys(cidr_of(text) for text in words.excepts))
    held: dict[str, list[str]] = {cidr: [] for cidr in cidrs}
    for inner in excepts:
        for outer in cidrs:
            one, other = parse_network(inner), parse_network(outer)
            if one.version != other.version or not one.overlaps(other):
                continue
            if one.prefixlen <= other.prefixlen:
                raise UsageError(f"--except {inner} takes all of {outer} away", "drop that block, or narrow the except")
            held[outer].append(inner)
        if not any(inner in inside for inside in held.values()):
            family = {parse_network(cidr).version for cidr in cidrs}
            other_family = parse_network(inner).version not in family
            why = "is of the other address family" if other_family else "lies in none of the blocks"
            block = "::/0" if parse_network(inner).version != 4 else "0.0.0.0/0"  # noqa: PLR2004 - IPv4
            raise UsageError(f"--except {inner} {why}: {', '.join(cidrs)}", f"add --{words.side}-cidr {block}")
    return tuple(IPBlock(cidr, tuple(inside)) for cidr, inside in held.items())


def cidr_of(text: str) -> str:
    """The block as the API writes it; an address alone is the block of that one address."""
    text = text.strip()
    address, slash, length = text.partition("/")
    if is_ip(address) and "%" not in address:
        ip = ipaddress.ip_address(address)
        if ip.version != 4 and ip.ipv4_mapped:  # noqa: PLR2004 - IPv4
            raise UsageError(f"{text} is an IPv4 address written as IPv6", f"write {ip.ipv4_mapped}")
        if not slash:
            return f"{ip}/{ip.max_prefixlen}"
        if re.fullmatch(r"0|[1-9]\d{0,2}", length, re.ASCII) and int(length) <= ip.max_prefixlen:
            network = parse_network(text)
            if network.network_address != ip:
                raise UsageError(
                    f"{text} has bits set behind its prefix length",
                    f"the block is {network}, the address alone is {ip}/{ip.max_prefixlen}",
                )
            return str(network)
    elif _HOST_NAME.fullmatch(text):
        raise UsageError(f'a NetworkPolicy can\'t name hosts, and "{text}" is no address', NO_HOSTS_HINT)
    raise UsageError(f'"{text}" is no CIDR', "write an address block such as 10.0.0.0/8")
