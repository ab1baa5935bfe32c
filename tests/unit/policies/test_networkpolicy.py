"""NetworkPolicies: what each field means, and what the API server would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.manifests.yaml_text import load_all
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.policies.networkpolicy import read_policy

if TYPE_CHECKING:
    from kubectl_netpol.model.policies import Policy

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
ALL = LabelSelector()


def read(spec: str) -> Policy:
    """The policy with this spec, which is read from YAML as kubectl reads it: `12:30` is a text, `08` is 8.0."""
    (item,) = load_all(f"spec: {spec}", "policy.yaml")
    return read_policy(item, {"creationTimestamp": "2026-01-01T00:00:00Z"}, "shop", "p")


def test_a_policy_with_everything() -> None:
    policy = read(
        "{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: NotIn, values: [d]}]}, "
        "policyTypes: [Egress, Ingress], ingress: [{ports: [{port: 1, endPort: 2}]}], egress: [{}]}"
    )
    assert (policy.key, policy.changed) == ("shop/p", "2026-01-01T00:00:00Z")
    assert policy.pod_selector == parse_selector("a=b,c!=d")
    assert policy.directions == (INGRESS, EGRESS)
    assert policy.rules == (Rule(INGRESS, 0, (), (PortRange("TCP", 1, 2),)), Rule(EGRESS, 0))


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        pytest.param("{podSelector: {}}", (INGRESS,), id="Ingress by default"),
        pytest.param("null", (INGRESS,), id="Ingress without a spec"),
        pytest.param("{policyTypes: null, egress: []}", (INGRESS,), id="Ingress without egress rules"),
        pytest.param("{policyTypes: [], egress: [{}]}", (INGRESS, EGRESS), id="and Egress with egress rules"),
        pytest.param("{policyTypes: [Egress]}", (EGRESS,), id="Egress alone if that is all that is given"),
        pytest.param(
            "{policyTypes: [Ingress], egress: [{}]}", (INGRESS,), id="egress rules without Egress do not count"
        ),
    ],
)
def test_the_directions_of_a_policy(spec: str, directions: tuple[Direction, ...]) -> None:
    assert read(spec).directions == directions


@pytest.mark.parametrize(
    ("ingress", "rules"),
    [
        pytest.param("null", (), id="null has no rules"),
        pytest.param("[]", (), id="an empty list has no rules"),
        pytest.param("[{}]", (Rule(INGRESS, 0),), id="an empty rule allows everything"),
        pytest.param("[null]", (Rule(INGRESS, 0),), id="null for a rule is the empty one"),
        pytest.param("[{from: null, ports: []}]", (Rule(INGRESS, 0),), id="empty lists of a rule limit nothing"),
        pytest.param("[{}, {}]", (Rule(INGRESS, 0), Rule(INGRESS, 1)), id="rules are numbered from 0"),
    ],
)
def test_the_rules_of_a_direction(ingress: str, rules: tuple[Rule, ...]) -> None:
    assert read(f"{{ingress: {ingress}}}").rules == rules


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        pytest.param("{podSelector: {}}", Peer(None, ALL), id="all pods of the policy's namespace"),
        pytest.param("{namespaceSelector: {}}", Peer(ALL), id="all pods of all namespaces"),
        pytest.param("{namespaceSelector: {}, podSelector: {}}", Peer(ALL, ALL), id="both selectors"),
        pytest.param("{podSelector: {}, namespaceSelector: null}", Peer(None, ALL), id="null is an absent selector"),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: web}}}",
            Peer(parse_selector("team=x"), parse_selector("app=web")),
            id="selectors with labels",
        ),
        pytest.param(
            "{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.0/16, 10.2.0.0/16]}}",
            Peer(ip_block=IPBlock("10.0.0.1/8", ("10.1.0.0/16", "10.2.0.0/16"))),
            id="a block with excepts, as written",
        ),
        pytest.param('{ipBlock: {cidr: "::/0"}}', Peer(ip_block=IPBlock("::/0")), id="an IPv6 block"),
    ],
)
def test_a_peer(peer: str, found: Peer) -> None:
    assert read(f"{{ingress: [{{from: [{peer}]}}]}}").rules[0].peers == (found,)


@pytest.mark.parametrize(
    ("port", "found"),
    [
        pytest.param("{port: 80}", PortRange("TCP", 80, 80), id="a number, TCP by default"),
        pytest.param("{port: 53, protocol: UDP}", PortRange("UDP", 53, 53), id="a protocol"),
        pytest.param("{port: 8000, endPort: 8080}", PortRange("TCP", 8000, 8080), id="a range"),
        pytest.param("{port: 80, endPort: 80}", PortRange("TCP", 80, 80), id="a range of one"),
        pytest.param("{port: http}", NamedPort("TCP", "http"), id="a name"),
        pytest.param("{protocol: SCTP}", PortRange("SCTP"), id="any port of a protocol"),
        pytest.param(
            "{port: 08}", PortRange("TCP", 8, 8), id="a number with a zero before it, a float without fraction"
        ),
        pytest.param("{port: 1e3}", PortRange("TCP", 1000, 1000), id="an exponent, a float without fraction"),
        pytest.param("{}", PortRange("TCP"), id="any TCP port"),
        pytest.param("null", PortRange("TCP"), id="any TCP port for null"),
    ],
)
def test_a_port(port: str, found: PortRange | NamedPort) -> None:
    assert read(f"{{ingress: [{{ports: [{port}]}}]}}").rules[0].ports == (found,)


ALL_PODS = "for all pods of the policy's namespace write podSelector: {}"
CIDR = "write an address range such as 10.0.0.0/8"
SUBSET = "list each except under the CIDR that contains it"
PORT_NAME = "a port name is 1-15 of a-z 0-9 -"


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        pytest.param("[]", "spec: expected an object, got a list", None, id="a list for a spec"),
        pytest.param(
            "{podSelector: {}, ingres: []}",
            'spec: unknown field "ingres"',
            "did you mean ingress?",
            id="a misspelt field",
        ),
        pytest.param(
            "{podSelector: {}, xyz: 1}",
            'spec: unknown field "xyz"',
            "known fields: podSelector, policyTypes, ingress, egress",
            id="an unknown field",
        ),
        pytest.param(
            "{podSelector: x}", 'spec.podSelector: expected an object, got "x"', None, id="an invalid podSelector"
        ),
        pytest.param(
            "{policyTypes: [ingress]}",
            'spec.policyTypes[0]: must be Ingress or Egress, got "ingress"',
            None,
            id="a policy type in lower case",
        ),
        pytest.param(
            "{policyTypes: Ingress}",
            'spec.policyTypes: expected a list, got "Ingress"',
            "start each item with a dash",
            id="one policy type without a list",
        ),
        pytest.param(
            "{ingress: {}}",
            "spec.ingress: expected a list, got an object",
            "start each item with a dash",
            id="one rule without a list",
        ),
        pytest.param(
            "{policyTypes: [Egress, Ingress, Egress]}",
            "spec.policyTypes: at most 2 are allowed, got 3",
            None,
            id="three policyTypes",
        ),
        pytest.param(
            "{ingress: [{port: 80}]}",
            'spec.ingress[0]: unknown field "port"',
            "did you mean ports?",
            id="port for ports",
        ),
        pytest.param(
            "{egress: [{from: []}]}",
            'spec.egress[0]: unknown field "from"',
            "known fields: to, ports",
            id="from in an egress rule",
        ),
        pytest.param("{ingress: [{from: [{}]}]}", "spec.ingress[0].from[0]: the peer is empty", ALL_PODS, id="no peer"),
        pytest.param(
            "{ingress: [{from: [null]}]}", "spec.ingress[0].from[0]: the peer is empty", ALL_PODS, id="a null peer"
        ),
        pytest.param(
            "{ingress: [{from: [{namespaceSelector: {matchLabels: {a: 1}}}]}]}",
            "spec.ingress[0].from[0].namespaceSelector.matchLabels.a: expected a string, got 1",
            "quote it",
            id="an invalid namespaceSelector of a peer",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
            "spec.ingress[0].from[0]: ipBlock can't be combined with podSelector or namespaceSelector",
            "write ipBlock and the selectors as separate peers",
            id="a block with a podSelector",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}]}]}",
            "spec.ingress[0].from[0]: ipBlock can't be combined with podSelector or namespaceSelector",
            "write ipBlock and the selectors as separate peers",
            id="a block with a namespaceSelector",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {}}]}]}",
            "spec.ingress[0].from[0].ipBlock.cidr: is missing",
            None,
            id="a block without CIDR",
        ),
        pytest.param(
            '{ingress: [{from: [{ipBlock: {cidr: ""}}]}]}',
            "spec.ingress[0].from[0].ipBlock.cidr: is empty",
            None,
            id="an empty CIDR",
        ),
        pytest.param(
            "{ingress: [{}, {from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.1}}]}]}",
            'spec.ingress[1].from[1].ipBlock.cidr: invalid CIDR "10.0.0.1"',
            CIDR,
            id="an address for a CIDR, in the second peer of the second rule",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/255.0.0.0}}]}]}",
            'spec.ingress[0].from[0].ipBlock.cidr: invalid CIDR "10.0.0.0/255.0.0.0"',
            CIDR,
            id="a netmask",
        ),
        pytest.param(
            "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
            'spec.ingress[0].from[0].ipBlock.cidr: invalid CIDR "10.0.0.0/33"',
            CIDR,
            id="a prefix length above 32",
        ),
        pytest.param(
            "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
            "spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 is not a strict subset of 10.0.0.0/8",
            SUBSET,
            id="an except that is the whole block",
        ),
        pytest.param(
            "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
            "spec.egress[0].to[0].ipBlock.except[0]: 11.0.0.0/16 is not a strict subset of 10.0.0.0/8",
            SUBSET,
            id="an except outside the block",
        ),
        pytest.param(
            '{egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, "fd00::/8"]}}]}]}',
            "spec.egress[0].to[0].ipBlock.except[1]: fd00::/8 is not a strict subset of 0.0.0.0/0",
            SUBSET,
            id="an except of the other family",
        ),
        pytest.param(
            "{ingress: [{ports: [{protocol: tcp}]}]}",
            'spec.ingress[0].ports[0].protocol: must be one of TCP, UDP, SCTP, got "tcp"',
            None,
            id="a protocol in lower case",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 12:30}]}]}",
            'spec.ingress[0].ports[0].port: invalid port name "12:30"',
            PORT_NAME,
            id="two numbers with a colon",
        ),
        pytest.param(
            '{ingress: [{ports: [{port: "80"}]}]}',
            'spec.ingress[0].ports[0].port: invalid port name "80"',
            "write 80 without quotes",
            id="a number in quotes",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 80.5}]}]}",
            "spec.ingress[0].ports[0].port: expected an integer, got 80.5",
            None,
            id="a fraction",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: true}]}]}",
            "spec.ingress[0].ports[0].port: expected an integer, got true",
            None,
            id="a boolean for a port",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 0}]}]}",
            "spec.ingress[0].ports[0].port: invalid port 0: must be 1-65535",
            None,
            id="port 0",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 65536}]}]}",
            "spec.ingress[0].ports[0].port: invalid port 65536: must be 1-65535",
            None,
            id="port 65536",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 80, endPort: 65536}]}]}",
            "spec.ingress[0].ports[0].endPort: invalid port 65536: must be 1-65535",
            None,
            id="endPort 65536",
        ),
        pytest.param(
            "{ingress: [{ports: [{endPort: 80}]}]}",
            "spec.ingress[0].ports[0].endPort: requires a port",
            None,
            id="endPort without port",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: http, endPort: 80}]}]}",
            "spec.ingress[0].ports[0].endPort: requires a port by number",
            None,
            id="endPort with a port by name",
        ),
        pytest.param(
            "{ingress: [{ports: [{port: 80, endPort: 79}]}]}",
            "spec.ingress[0].ports[0].endPort: 79 is less than port 80",
            None,
            id="endPort before port",
        ),
    ],
)
def test_a_policy_that_the_api_server_would_refuse(spec: str, message: str, hint: str | None) -> None:
    with pytest.raises(BadField) as caught:
        read(spec)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_an_unknown_field_beside_the_spec_is_refused() -> None:
    with pytest.raises(BadField) as caught:
        read_policy({"Spec": {}}, {}, "shop", "p")
    assert str(caught.value) == 'unknown field "Spec"'
    assert caught.value.hint == "did you mean spec?"


def test_of_a_policy_of_a_cluster_what_can_t_be_read_may_be_anyone() -> None:
    ingress = [{"from": [{"later": 1}, {"podSelector": {}}]}, {"later": 1}]
    spec = {"ingress": ingress, "egress": [{"ports": [{"port": 0}]}]}
    found = read_policy({"spec": spec}, {}, "shop", "p", lenient=True)
    assert [rule.peers for rule in found.rules] == [
        (Peer(unreadable='spec.ingress[0].from[0]: unknown field "later"'), Peer(None, ALL)),
        (Peer(unreadable='spec.ingress[1]: unknown field "later"'),),
        (Peer(unreadable="spec.egress[0].ports[0].port: invalid port 0: must be 1-65535"),),
    ]
    rule = {"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "QUIC"}]}
    (odd,) = read_policy({"spec": {"ingress": [rule]}}, {}, "shop", "p", lenient=True).rules
    why = 'spec.ingress[0].ports[0].protocol: must be one of TCP, UDP, SCTP, got "QUIC"'
    assert odd.peers == (Peer(None, ALL, unreadable=why), Peer(ip_block=IPBlock("10.0.0.0/8"), unreadable=why))
    with pytest.raises(BadField):
        read_policy({"spec": {"later": 1}}, {}, "shop", "p", lenient=True)
