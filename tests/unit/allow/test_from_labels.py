"""Label options: the policies that they become, and everything that is refused rather than guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.allow.from_labels import (
    EndOptions,
    LabelRequest,
    bare_keys,
    cidr_of,
    isolates_text,
    policies_from_labels,
)
from kubectl_netpol.errors import UsageError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.writer import policy_object, to_json, to_yaml
from kubectl_netpol.model.policies import Direction, IPBlock, Peer
from kubectl_netpol.model.ports import parse_ports
from tests.support.running import DNS, TCP80, allow, egress, ingress, labels, named


@pytest.mark.parametrize(
    ("line", "specs"),
    [
        pytest.param("--from run=a --to run=web --port 80", [ingress(labels(run="a"))], id="one peer and one port"),
        pytest.param(
            "--from run=a --from run=b --to run=web --port 80",
            [ingress(labels(run="a"), labels(run="b"))],
            id="a repeated --from is a list of peers",
        ),
        pytest.param(
            "--from 'app in (x, y),!debug,tier!=db,canary' --to run=web --port 80",
            [
                ingress(
                    {
                        "podSelector": {
                            "matchExpressions": [
                                {"key": "app", "operator": "In", "values": ["x", "y"]},
                                {"key": "debug", "operator": "DoesNotExist"},
                                {"key": "tier", "operator": "NotIn", "values": ["db"]},
                                {"key": "canary", "operator": "Exists"},
                            ]
                        }
                    }
                )
            ],
            id="a selector has the whole grammar of kubectl",
        ),
        pytest.param(
            "--from run=a --from-namespace ops --to run=web --port 80",
            [ingress({**named("ops"), **labels(run="a")})],
            id="a namespace by name and a selector are one peer",
        ),
        pytest.param(
            "--from-namespace team=x --to run=web --port 80",
            [ingress({"namespaceSelector": {"matchLabels": {"team": "x"}}})],
            id="namespaces by label, all their pods",
        ),
        pytest.param(
            "--from-namespace a --from-namespace b --to run=web --port 80",
            [ingress(named("a"), named("b"))],
            id="two whole namespaces are two peers",
        ),
        pytest.param(
            "--from run=a --from-namespace shop --to run=web --port 80 -n shop",
            [ingress(labels(run="a"))],
            id="the policy's own namespace needs no namespaceSelector",
        ),
        pytest.param(
            "--from-namespace shop --to run=web --port 80 -n shop",
            [ingress({"podSelector": {}})],
            id="the policy's own namespace as a whole",
        ),
        pytest.param(
            "--from run=a --to run=web --to-namespace shop -n ops --port 80",
            [ingress({**named("ops"), **labels(run="a")})],
            id="-n is the namespace of the side that has no other",
        ),
        pytest.param("--from-any --to run=web --port 80", [ingress()], id="--from-any is a rule without peers"),
        pytest.param(
            "--from-all-pods --to-all-pods",
            [ingress({"podSelector": {}}, ports=None, podSelector={})],
            id="all pods of the namespace among themselves",
        ),
        pytest.param(
            "--from-cidr 192.0.2.0/24 --from-cidr 2001:DB8::/32 --from-cidr 198.51.100.7 --to run=web --port 80",
            [
                ingress(
                    {"ipBlock": {"cidr": "192.0.2.0/24"}},
                    {"ipBlock": {"cidr": "2001:db8::/32"}},
                    {"ipBlock": {"cidr": "198.51.100.7/32"}},
                )
            ],
            id="blocks, and an address as a block",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --from-cidr 10.1.0.0/16 --from-cidr ::/0 --except 10.1.2.0/24 --except fd00::/8 "
            "--to run=web --port 80",
            [
                ingress(
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.2.0/24"]}},
                    {"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}},
                    {"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}},
                )
            ],
            id="an except is in every block that contains it",
        ),
        pytest.param(
            "--egress --from run=web --to run=db --to run=mq --port 80",
            [egress({"to": [labels(run="db"), labels(run="mq")], "ports": TCP80})],
            id="--egress is a policy for the source",
        ),
        pytest.param("--egress --from run=web --to-any", [egress({})], id="--to-any is an egress rule without peers"),
        pytest.param(
            "--egress --dns --from run=web --to-cidr 0.0.0.0/0 --port 80",
            [egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": TCP80}, DNS)],
            id="--egress --dns adds the DNS rule",
        ),
        pytest.param(
            "--egress --dns --from run=web", [egress(DNS)], id="--dns without a destination is the DNS rule alone"
        ),
        pytest.param(
            "--egress --from run=web --from run=api --to run=db",
            [
                egress({"to": [labels(run="db")]}),
                egress({"to": [labels(run="db")]}, **labels(run="api")),
            ],
            id="a repeated --from with --egress is a policy for each",
        ),
        pytest.param(
            "--both --from run=web --to run=db --port 80",
            [
                egress({"to": [labels(run="db")], "ports": TCP80}, DNS),
                ingress(labels(run="web"), **labels(run="db")),
            ],
            id="--both is a policy for each side, with the DNS rule",
        ),
        pytest.param(
            "--both --no-dns --from run=web --from-namespace a --to run=db --to-namespace b --port 80",
            [
                egress({"to": [{**named("b"), **labels(run="db")}], "ports": TCP80}),
                ingress({**named("a"), **labels(run="web")}, **labels(run="db")),
            ],
            id="--both --no-dns has each side in its namespace",
        ),
    ],
)
def test_labels_become_exactly_the_needed_fields(line: str, specs: list[Any]) -> None:
    ran = allow(line)
    assert (ran.status, ran.specs) == (0, specs), ran.err


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        # Nothing, or an empty text, where everything would be allowed.
        pytest.param("--port 80", "no source or destination given", "for example --from", id="no end at all"),
        pytest.param(
            "--from '' --to run=web", "--from is empty: an empty selector", "--from-all-pods", id="an empty source"
        ),
        pytest.param(
            "--from ' ' --to run=web", "--from is empty: an empty selector", "--from-all-pods", id="a blank source"
        ),
        pytest.param(
            "--from run=a --to ''", "--to is empty: an empty selector", "--to-all-pods", id="an empty destination"
        ),
        pytest.param(
            "--from-namespace '' --to run=web",
            "--from-namespace is empty",
            "for every namespace",
            id="an empty namespace",
        ),
        pytest.param(
            "--to run=web --port 80",
            "--from is missing: it names the peers that the ingress rule",
            "--from-any",
            id="ingress without a peer",
        ),
        pytest.param(
            "--egress --from run=a",
            "--to is missing: it names the peers that the egress rule",
            "--to-any",
            id="egress without a peer",
        ),
        pytest.param(
            "--from run=a --port 80",
            "--to is missing: it names the pods that the ingress policy",
            "--to-all-pods",
            id="ingress without a subject",
        ),
        pytest.param(
            "--from run=a --to-namespace shop",
            "--to is missing: it names the pods that the ingress policy",
            "--to-all-pods",
            id="a whole namespace as the subject of ingress",
        ),
        pytest.param(
            "--egress --from-namespace a --to run=b",
            "--from is missing: it names the pods that the egress policy",
            "--from-all-pods",
            id="a whole namespace as the subject of egress",
        ),
        # What a policy can't select.
        pytest.param(
            "--from run=a --to-cidr 10.0.0.0/8",
            "--to-cidr can't be the pods that a policy selects",
            "write --egress",
            id="a block as the subject of ingress",
        ),
        pytest.param(
            "--both --from-cidr 10.0.0.0/8 --to run=a",
            "--from-cidr can't be the pods that a policy selects",
            "drop --egress or --both",
            id="a block as the subject of egress",
        ),
        pytest.param(
            "--egress --from-any --to run=a",
            "--from-any can't be the pods that a policy selects",
            "--from-all-pods",
            id="anyone as the subject",
        ),
        # Options that contradict each other, or belong to something else.
        pytest.param(
            "--from-any --from run=a --to run=b",
            "--from-any can't be combined with other --from options",
            "everyone",
            id="anyone and someone",
        ),
        pytest.param(
            "--from-all-pods --from run=a --to run=b",
            "--from-all-pods and --from can't be combined",
            "drop",
            id="all pods and some pods",
        ),
        pytest.param(
            "--from run=a --to run=b --dns", "--dns needs an egress policy", "--egress or --both", id="DNS for ingress"
        ),
        pytest.param(
            "--egress --dns --from run=a --port 80",
            "--port needs a destination",
            "add --to, or drop --port",
            id="a port for the DNS rule",
        ),
        pytest.param(
            "--from run=a --to run=b --to run=c --name x",
            "--name is one name, and there are 2 policies",
            "omit --name",
            id="one name for two policies",
        ),
        # Namespaces.
        pytest.param("--from run=a --to run=b -n Shop", 'invalid namespace "Shop"', "a-z 0-9 -", id="an invalid -n"),
        pytest.param(
            "--from-namespace Ops --to run=web",
            'invalid namespace name or selector "Ops"',
            "a name is",
            id="an invalid namespace name",
        ),
        pytest.param(
            "--from run=a --to run=web --to-namespace shop",
            "the namespace of --from is unknown",
            "--from-namespace or -n",
            id="only the other end's namespace",
        ),
        pytest.param(
            "--from run=a --to run=b --to-namespace team=x",
            "--to-namespace must be one name here",
            "one policy for each",
            id="a policy in several namespaces",
        ),
        pytest.param(
            "--from run=a --from run=b --from-namespace x --from-namespace y --to run=c",
            "several --from with several --from-namespace are ambiguous",
            "one policy for each",
            id="which selector belongs to which namespace",
        ),
        # Addresses and hosts.
        pytest.param(
            "--from run=a --to api.example.com",
            '"api.example.com" looks like a host name',
            "write an address",
            id="a host as a label",
        ),
        pytest.param(
            "--egress --from run=a --to-cidr api.example.com",
            '"api.example.com" looks like a host name',
            "write an address",
            id="a host as a block",
        ),
        pytest.param(
            "--egress --from run=a --to-cidr localhost",
            '"localhost" looks like a host name',
            "write an address",
            id="a host without dots",
        ),
        pytest.param(
            "--egress --from run=a --to 10.0.0.1",
            '--to takes labels, got the address "10.0.0.1"',
            "write --to-cidr 10.0.0.1",
            id="an address as a label",
        ),
        pytest.param(
            "--from run=a --to run=b --except 10.0.0.0/8",
            "--except needs --from-cidr or --to-cidr",
            "--from-cidr 0.0.0.0/0",
            id="an except without a block",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except 11.0.0.0/8",
            "--except 11.0.0.0/8 is outside of 10.0.0.0/8",
            "add --from-cidr 0.0.0.0/0",
            id="an except outside of the block",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except fd00::/8",
            "--except fd00::/8 has another address family than 10.0.0.0/8",
            "add --from-cidr ::/0",
            id="an except of the other family",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except 10.0.0.0/8",
            "--except 10.0.0.0/8 covers all of 10.0.0.0/8",
            "narrow the except",
            id="an except of the whole block",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except 0.0.0.0/0",
            "--except 0.0.0.0/0 covers all of 10.0.0.0/8",
            "narrow the except",
            id="an except wider than the block",
        ),
    ],
)
def test_what_is_refused(line: str, message: str, hint: str) -> None:
    ran = allow(line)
    assert (ran.status, ran.out) == (2, "")
    assert f"error: {message}" in ran.err
    assert hint in ran.err.partition("hint: ")[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10.0.0.0/8", "10.0.0.0/8", id="a block stays as it is"),
        pytest.param(" 10.0.0.0/8 ", "10.0.0.0/8", id="blanks around it are dropped"),
        pytest.param("198.51.100.7", "198.51.100.7/32", id="an IPv4 address is a block of one"),
        pytest.param("2001:DB8:0::7", "2001:db8::7/128", id="an IPv6 address is a block of one, in its shortest form"),
        pytest.param("0.0.0.0/0", "0.0.0.0/0", id="all of IPv4"),
        pytest.param("::/0", "::/0", id="all of IPv6"),
    ],
)
def test_a_cidr_in_the_form_of_the_api(text: str, expected: str) -> None:
    assert cidr_of(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("10.0.0.0/33", 'invalid CIDR "10.0.0.0/33"', "such as 10.0.0.0/8", id="a prefix length of 33"),
        pytest.param("10.0.0.0/255.0.0.0", 'invalid CIDR "10.0.0.0/255.0.0.0"', "such as", id="a netmask"),
        pytest.param("10.0.0.0/08", 'invalid CIDR "10.0.0.0/08"', "such as", id="a prefix length with a leading zero"),
        pytest.param("10.0.0.0/", 'invalid CIDR "10.0.0.0/"', "such as", id="no prefix length after the slash"),
        pytest.param(
            "10.0.0.1/8",
            'invalid CIDR "10.0.0.1/8": host bits are set',
            "write 10.0.0.0/8 for the block, 10.0.0.1/32",
            id="host bits",
        ),
        pytest.param("::ffff:10.0.0.1/128", "IPv4-mapped IPv6 address", "write 10.0.0.1", id="an IPv4-mapped address"),
        pytest.param("fe80::1%eth0/64", 'invalid CIDR "fe80::1%eth0/64"', "such as", id="an address with a zone"),
        pytest.param("", 'invalid CIDR ""', "such as", id="an empty text"),
        pytest.param("db_1", '"db_1" looks like a host name', "write an address", id="a name"),
    ],
)
def test_an_invalid_cidr(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        cidr_of(text)
    assert message in raised.value.message
    assert hint in (raised.value.hint or "")


SAN, WEB, ALL = EndOptions("from", ("run=san",)), EndOptions("to", ("run=web",)), EndOptions("from", all_pods=True)


def outgoing(
    source: EndOptions, destination: EndOptions, namespace: str | None = None, *, dns: bool | None = None
) -> LabelRequest:
    return LabelRequest(source, destination, namespace=namespace, ingress=False, egress=True, dns=dns)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        pytest.param(
            LabelRequest(SAN, WEB), "isolates run=web for ingress: all other ingress is cut off", id="ingress"
        ),
        pytest.param(
            LabelRequest(SAN, WEB, namespace="shop"),
            "isolates run=web in shop for ingress: all other ingress is cut off",
            id="in a namespace",
        ),
        pytest.param(
            outgoing(SAN, WEB),
            "isolates run=san for egress: all other egress is cut off, DNS included",
            id="egress without the DNS rule",
        ),
        pytest.param(
            outgoing(SAN, WEB, dns=True),
            "isolates run=san for egress: all other egress is cut off",
            id="egress with the DNS rule",
        ),
        pytest.param(
            outgoing(SAN, EndOptions("to", anyone=True)),
            "isolates run=san for egress: all other egress is cut off",
            id="egress to anyone has DNS in it",
        ),
        pytest.param(
            outgoing(SAN, EndOptions("to", cidrs=("0.0.0.0/0",))),
            "isolates run=san for egress: all other egress is cut off",
            id="egress to a block may have DNS in it",
        ),
        pytest.param(
            outgoing(ALL, WEB, dns=True),
            "isolates every pod of the namespace for egress: all other egress is cut off",
            id="every pod of a namespace that is not named",
        ),
        pytest.param(
            outgoing(ALL, WEB, dns=True, namespace="shop"),
            "isolates every pod in shop for egress: all other egress is cut off",
            id="every pod of a namespace",
        ),
    ],
)
def test_what_a_policy_isolates_by_itself(asked: LabelRequest, text: str) -> None:
    (policy,) = policies_from_labels(asked)
    assert isolates_text(policy, with_dns=asked.with_dns) == text


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        pytest.param(("san",), ["san"], id="a bare word is a key"),
        pytest.param(("run=san",), [], id="a key with a value"),
        pytest.param(("!san",), [], id="a key that must be absent"),
        pytest.param(("san,run=web",), [], id="a key among others"),
        pytest.param(("example.com/san",), [], id="a key with a prefix"),
        pytest.param(("san", "run=a", "sam"), ["san", "sam"], id="each of several"),
    ],
)
def test_a_bare_key_is_probably_a_pods_name(source: tuple[str, ...], keys: list[str]) -> None:
    assert bare_keys(LabelRequest(EndOptions("from", source), WEB)) == keys
    assert bare_keys(LabelRequest(SAN, EndOptions("to", source))) == keys


def test_a_known_dns_rule_replaces_the_conventional_one() -> None:
    rule = dns_rule([Peer(ip_block=IPBlock("169.254.20.10/32"))])
    (policy,) = policies_from_labels(outgoing(SAN, WEB, dns=True), rule)
    assert [(one.position, one.peers) for one in policy.rules[1:]] == [(1, rule.peers)]


KEY = st.sampled_from(["app", "example.com/app", "n", "1e3", "a.b"])
WORD = st.sampled_from(["web", "y", "1e3", "08", "", "a-b", "null"])
REQUIREMENT = st.one_of(
    st.tuples(KEY, WORD).map("=".join),
    st.tuples(KEY, WORD).map("!=".join),
    st.tuples(KEY, st.sampled_from(["in", "notin"]), WORD, WORD).map(lambda t: f"{t[0]} {t[1]} ({t[2]},{t[3]})"),
    KEY.map("!{}".format),
)
SELECTOR = st.lists(REQUIREMENT, min_size=1, max_size=3).map(",".join)
PORT = st.sampled_from(["80", "53/UDP", "8000-8080", "http", "9/sctp"])
PEERS = st.one_of(
    st.lists(SELECTOR, min_size=1, max_size=2).map(lambda found: EndOptions("from", tuple(found))),
    st.tuples(SELECTOR, st.sampled_from(["ops", "shop", "team=y", "!old"])).map(
        lambda pair: EndOptions("from", (pair[0],), (pair[1],))
    ),
    st.sampled_from(
        [
            EndOptions("from", cidrs=("10.0.0.0/8", "::/0"), excepts=("10.1.0.0/16", "fd00::/8")),
            EndOptions("from", anyone=True),
            EndOptions("from", all_pods=True),
            EndOptions("from", namespaces=("ops", "team in (a,y)")),
        ]
    ),
)


@settings(deadline=None)
@given(PEERS, SELECTOR, st.lists(PORT, max_size=3), st.sampled_from(Direction))
def test_what_is_printed_is_read_back_as_the_same_policies(
    peers: EndOptions, subject: str, ports: list[str], direction: Direction
) -> None:
    source, destination = peers, EndOptions("to", (subject,))
    out = direction is Direction.EGRESS
    if out:
        source, destination = destination._replace(side="from"), peers._replace(side="to")
    items = tuple(dict.fromkeys(item for port in ports for item in parse_ports(port)))
    asked = LabelRequest(source, destination, items, "shop", ingress=not out, egress=out, dns=out)
    found = policies_from_labels(asked)
    for text in (to_yaml(map(policy_object, found)), to_json(map(policy_object, found))):
        reader = Reader()
        reader.add_text(text, "printed")
        assert reader.snapshot().policies == found
