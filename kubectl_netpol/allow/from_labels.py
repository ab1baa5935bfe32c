"""Policies from `allow`'s label options, without a cluster.

Options that are ambiguous, would allow more than they say or would be rejected by the API server are refused.
"""

from __future__ import annotations

import ipaddress
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.allow.default_deny import check_none, default_deny
from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.allow.pairs import Pair, check_pairs
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.allow.policy_names import renamed
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.addresses import is_ip, parse_network
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.selectors import LabelSelector, Operator, in_namespace, parse_selector, requirement_text
from kubectl_netpol.model.validation import is_namespace_name

if TYPE_CHECKING:
    from kubectl_netpol.model.ports import RulePorts

_HOST_NAME = r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(/\d+)?"
_DOTTED = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}"
ASSUMED_DNS = "DNS is assumed to be pods k8s-app=kube-dns in kube-system, port 53"
_NO_HOSTS_HINT = "write an address such as 203.0.113.7/32; some network plugins have their own policies for hosts"


class EndOptions(NamedTuple):
    """The options of one end as typed. `side` is "from" or "to". `ports`: of each selector its own, or None."""

    side: str
    selectors: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    all_pods: bool = False
    anyone: bool = False
    none: bool = False
    ports: tuple[RulePorts | None, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(Pair(*pair) for pair in zip_longest(self.selectors, self.ports))

    @property
    def empty(self) -> bool:
        return not (self.selectors or self.namespaces or self.cidrs or self.all_pods or self.anyone or self.none)


class LabelRequest(NamedTuple):
    """The label options of `allow`. None: no -n, neither --dns nor --no-dns, no --name."""

    source: EndOptions
    destination: EndOptions
    ports: RulePorts = ()
    namespace: str | None = None
    ingress: bool = True
    egress: bool = False
    dns: bool | None = None
    name: str | None = None

    @property
    def with_dns(self) -> bool:
        """Whether egress gets a DNS rule: --both has one unless --no-dns is given, all others only with --dns."""
        if self.dns is None:
            return self.egress and self.ingress and not (self.source.none or self.destination.none)
        return self.egress and self.dns


class _End(NamedTuple):
    """One end, parsed. `home`: the namespace its pods are in, None where unknown; `own`: by --SIDE-namespace."""

    options: EndOptions
    selectors: tuple[LabelSelector, ...]
    namespaces: tuple[LabelSelector, ...]
    blocks: tuple[IPBlock, ...]
    home: str | None
    own: bool


def policies_from_labels(asked: LabelRequest, dns: Rule | None = None) -> tuple[Policy, ...]:
    """The policies, the source's side first. `dns` replaces the conventional DNS rule.

    UsageError for options that are refused.
    """
    _check_request(asked)
    source, destination = _parsed_end(asked.source, asked), _parsed_end(asked.destination, asked)
    found: list[Policy] = []
    extra = (dns or dns_rule(),) if asked.with_dns else ()
    if subject := check_none(asked):
        end = source if subject is asked.source else destination
        direction = Direction.EGRESS if end is source else Direction.INGRESS
        return renamed(default_deny(asked, _home(end), _subject_selectors(end, direction), extra), asked.name)
    if asked.egress:
        found += _side_policies(asked, Direction.EGRESS, source, destination, extra)
    if asked.ingress:
        for part, ports in _by_ports(destination, asked.ports):
            found += _side_policies(asked._replace(ports=ports), Direction.INGRESS, part, source, ())
    return renamed(found, asked.name)


def _check_request(asked: LabelRequest) -> None:
    if asked.source.empty and asked.destination.empty:
        raise UsageError("no source or destination given", "for example --from run=san --to run=nginx --port 80")
    if asked.dns and not asked.egress:
        raise UsageError("--dns needs an egress policy", "add --egress or --both")
    if asked.namespace is not None and not is_namespace_name(asked.namespace):
        raise UsageError(f'invalid namespace "{asked.namespace}"', "a-z 0-9 -, at most 63, such as kube-system")
    if asked.egress and not asked.ingress and asked.dns and asked.destination.empty and asked.ports:
        raise UsageError("--port needs a destination", "add --to, or drop --port: the DNS rule has its own ports")
    check_pairs(asked.destination.pairs, asked.ports)
    if any(asked.destination.ports) and asked.destination.cidrs:
        raise UsageError("--to SELECTOR:PORT and --to-cidr can't be combined", "make one policy for each")


def _parsed_end(options: EndOptions, asked: LabelRequest) -> _End:
    side = options.side
    selectors = tuple(dict.fromkeys(_selector(text, side) for text in options.selectors))
    if options.anyone and not options._replace(anyone=False).empty:
        raise UsageError(f"--{side}-any can't be combined with other --{side} options", "it already includes everyone")
    if options.all_pods and selectors:
        raise UsageError(f"--{side}-all-pods and --{side} can't be combined", f"drop --{side}-all-pods or --{side}")
    if options.excepts and not options.cidrs:
        raise UsageError("--except needs --from-cidr or --to-cidr", f"for example --{side}-cidr 0.0.0.0/0")
    if len(selectors) > 1 and len(options.namespaces) > 1:
        raise UsageError(
            f"several --{side} with several --{side}-namespace are ambiguous", "make one policy for each namespace"
        )
    names = [text for text in options.namespaces if is_namespace_name(text)]
    home = names[0] if len(options.namespaces) == 1 == len(names) else None
    return _End(
        options,
        selectors,
        tuple(_namespace_selector(text, side) for text in options.namespaces),
        _blocks(options),
        home if options.namespaces else asked.namespace,
        bool(options.namespaces),
    )


def _side_policies(
    asked: LabelRequest, direction: Direction, subject: _End, peer: _End, extra: tuple[Rule, ...]
) -> list[Policy]:
    """The policies of one end, one for each of its selectors."""
    selectors = _subject_selectors(subject, direction)
    namespace = _home(subject)
    rules = list(extra)
    if not (peer.options.empty and extra and not asked.ingress):
        parts = _by_ports(peer, asked.ports)
        rules[:0] = [Rule(direction, 0, _peers(part, subject, direction), ports) for part, ports in parts]
    return [make_policy(namespace, direction, selector, rules) for selector in selectors]


def _by_ports(end: _End, ports: RulePorts) -> list[tuple[_End, RulePorts]]:
    """The end in parts, each with the selectors that have these ports."""
    parts: dict[RulePorts, dict[LabelSelector, None]] = {}
    for pair in end.options.pairs:
        parts.setdefault(pair.ports or ports, {})[_selector(pair.selector, end.options.side)] = None
    return [(end._replace(selectors=tuple(found)), own) for own, found in parts.items()] or [(end, ports)]


def _home(subject: _End) -> str:
    """The namespace of the policies; "" where none was given."""
    if subject.own and subject.home is None:
        raise UsageError(
            f"--{subject.options.side}-namespace must be one name here: a policy belongs to one namespace",
            "make one policy for each namespace",
        )
    return subject.home or ""


def _subject_selectors(end: _End, direction: Direction) -> tuple[LabelSelector, ...]:
    """The podSelectors of the policies of this end."""
    options, side = end.options, end.options.side
    if options.cidrs:
        hint = "write --egress" if side == "to" else "drop --egress or --both: ingress is the default"
        raise UsageError(f"--{side}-cidr can't be the pods that a policy selects", hint)
    if options.anyone:
        raise UsageError(
            f"--{side}-any can't be the pods that a policy selects",
            f"--{side}-all-pods selects every pod of the namespace",
        )
    if options.all_pods:
        return (LabelSelector(),)
    if not end.selectors:
        raise UsageError(
            f"--{side} is missing: it names the pods that the {direction.field} policy selects",
            f"--{side} run=NAME, or --{side}-all-pods for every pod of the namespace",
        )
    return end.selectors


def _peers(peer: _End, subject: _End, direction: Direction) -> tuple[Peer, ...]:
    """The peers of the rule; no peers, which means everyone, only for --from-any and --to-any."""
    options, side = peer.options, peer.options.side
    if options.empty:
        hint = f"--{side}-any allows everyone, --{side}-all-pods every pod of the namespace"
        raise UsageError(f"--{side} is missing: it names the peers that the {direction.field} rule allows", hint)
    found: list[Peer] = []
    if peer.selectors or peer.namespaces or options.all_pods:
        whole = options.all_pods or not peer.selectors
        pods: tuple[LabelSelector | None, ...] = (None,) if whole else peer.selectors
        for namespace in _namespace_selectors(peer, subject):
            for selector in pods:
                bare = namespace is None and selector is None
                found.append(Peer(namespace, LabelSelector() if bare else selector))
    found += [Peer(ip_block=block) for block in peer.blocks]
    return tuple(found)


def _namespace_selectors(peer: _End, subject: _End) -> tuple[LabelSelector | None, ...]:
    """The namespaceSelectors of the peers; None for the policy's own namespace."""
    if peer.own:
        own = None if subject.home is None else in_namespace(subject.home)
        return tuple(dict.fromkeys(None if selector == own else selector for selector in peer.namespaces))
    if peer.home == subject.home:
        return (None,)
    if peer.home is None:
        side = peer.options.side
        raise UsageError(f"the namespace of --{side} is unknown", f"add --{side}-namespace or -n")
    return (in_namespace(peer.home),)


def _selector(text: str, side: str) -> LabelSelector:
    text = text.strip()
    if not text:
        raise UsageError(
            f"--{side} is empty: an empty selector selects every pod", f"write --{side}-all-pods if you mean that"
        )
    if is_ip(text.partition("/")[0]):
        raise UsageError(f'--{side} takes labels, got the address "{text}"', f"write --{side}-cidr {text}")
    if side == "from" and re.search(r":[\w,/-]*$", text):
        raise UsageError(f"--from {text} has a port, and ports are the destination's", "--to SELECTOR:PORT, or --port")
    if re.fullmatch(_DOTTED, text):
        raise UsageError(f'"{text}" looks like a host name: a NetworkPolicy can\'t match hosts', _NO_HOSTS_HINT)
    return parse_selector(text)


def isolates_text(policy: Policy, *, with_dns: bool) -> str:
    """The note on a policy that was not compared with a cluster: it cuts off everything that it does not allow."""
    fields = " and ".join(direction.field for direction in policy.directions)
    selector = ",".join(map(requirement_text, policy.pod_selector.requirements))
    where = f" in {policy.namespace}" if policy.namespace else "" if selector else " of the namespace"
    dns = ""
    if Direction.EGRESS in policy.directions and not with_dns:
        wide = any(not rule.peers or any(peer.ip_block for peer in rule.peers) for rule in policy.rules)
        dns = "" if wide else ", DNS included"
    return (
        f"isolates {selector or 'every pod'}{where} for {fields}: all {'other ' if policy.rules else ''}{fields} is "
        f"cut off{dns}"
    )


def bare_keys(asked: LabelRequest) -> list[str]:
    """The selectors that are a label key only, such as `san`: probably a pod's name was meant."""
    found = []
    for text in (*asked.source.selectors, *asked.destination.selectors):
        (requirement, *others) = parse_selector(text).requirements
        if not others and requirement.operator is Operator.EXISTS and "/" not in requirement.key:
            found.append(requirement.key)
    return found


def _namespace_selector(text: str, side: str) -> LabelSelector:
    text = text.strip()
    if not text:
        hint = f"for every namespace write --{side}-namespace kubernetes.io/metadata.name"
        raise UsageError(f"--{side}-namespace is empty", hint)
    if is_namespace_name(text):
        return in_namespace(text)
    selector = parse_selector(text) if re.search(r"[=!/(]", text) else None
    if selector is None:
        hint = "a name is a-z 0-9 -; a selector is k=v, k in (a,b), !k"
        raise UsageError(f'invalid namespace name or selector "{text}"', hint)
    return selector


def _blocks(options: EndOptions) -> tuple[IPBlock, ...]:
    """The blocks, each with the excepts inside it."""
    cidrs = list(dict.fromkeys(cidr_of(text) for text in options.cidrs))
    excepts: dict[str, list[str]] = {cidr: [] for cidr in cidrs}
    for inner in dict.fromkeys(cidr_of(text) for text in options.excepts):
        for outer in cidrs:
            one, other = parse_network(inner), parse_network(outer)
            if one.version != other.version or not one.overlaps(other):
                continue
            if one.prefixlen <= other.prefixlen:
                raise UsageError(f"--except {inner} covers all of {outer}", "drop that block, or narrow the except")
            excepts[outer].append(inner)
        if not any(inner in inside for inside in excepts.values()):
            version = parse_network(inner).version
            same_family = version in {parse_network(cidr).version for cidr in cidrs}
            why = "is outside of" if same_family else "has another address family than"
            block = "::/0" if version != 4 else "0.0.0.0/0"  # noqa: PLR2004 - IPv4
            raise UsageError(f"--except {inner} {why} {', '.join(cidrs)}", f"add --{options.side}-cidr {block}")
    return tuple(IPBlock(cidr, tuple(inside)) for cidr, inside in excepts.items())


def cidr_of(text: str) -> str:
    """The block in the API's form; a bare address becomes the block of that one address."""
    text = text.strip()
    address, slash, length = text.partition("/")
    if is_ip(address) and "%" not in address:
        ip = ipaddress.ip_address(address)
        if ip.version != 4 and ip.ipv4_mapped:  # noqa: PLR2004 - IPv4
            raise UsageError(f'invalid CIDR "{text}": IPv4-mapped IPv6 address', f"write {ip.ipv4_mapped}")
        if not slash:
            return f"{ip}/{ip.max_prefixlen}"
        if re.fullmatch(r"0|[1-9]\d{0,2}", length, re.ASCII) and int(length) <= ip.max_prefixlen:
            network = parse_network(text)
            if network.network_address != ip:
                raise UsageError(
                    f'invalid CIDR "{text}": host bits are set',
                    f"write {network} for the block, {ip}/{ip.max_prefixlen} for the address",
                )
            return str(network)
    elif re.fullmatch(_HOST_NAME, text):
        raise UsageError(f'"{text}" looks like a host name: a NetworkPolicy can\'t match hosts', _NO_HOSTS_HINT)
    raise UsageError(f'invalid CIDR "{text}"', "write an address block such as 10.0.0.0/8")
