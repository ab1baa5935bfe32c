"""Default names: readable, valid, the same in every run and version, and never shared by two specs; and --name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpol.allow.dns_rule import CONVENTIONAL_DNS, dns_rule
from kubectl_netpol.allow.policy import make_policy
from kubectl_netpol.allow.policy_names import NAME_LENGTH, default_name, renamed
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, in_namespace
from kubectl_netpol.model.validation import is_object_name

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
TCP80 = (PortRange("TCP", 80, 80),)


def pods(**labels: str) -> Peer:
    return Peer(pod_selector=LabelSelector.of(labels))


def made(
    direction: Direction, subject: LabelSelector, *peers: Peer, ports: tuple[PortRange | NamedPort, ...] = TCP80
) -> Policy:
    return make_policy("", direction, subject, [Rule(direction, 0, peers, ports)])


NGINX = LabelSelector.of({"run": "nginx"})
HASH = r"-[0-9a-f]{8}"


@pytest.mark.parametrize(
    ("found", "pattern"),
    [
        pytest.param(
            made(INGRESS, NGINX, pods(run="san")),
            "allow-run-san-to-run-nginx-80",
            id="a name has both ends and the port",
        ),
        pytest.param(
            made(EGRESS, NGINX, pods(run="db")), "allow-run-nginx-to-run-db-80-egress", id="an egress policy says so"
        ),
        pytest.param(made(INGRESS, NGINX), "allow-anyone-to-run-nginx-80", id="a rule without peers is from anyone"),
        pytest.param(
            made(INGRESS, LabelSelector(), pods(run="a"), ports=()),
            "allow-run-a-to-all-pods",
            id="an empty selector is all pods",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(run="a"), ports=(PortRange("UDP", 53, 53),)),
            "allow-run-a-to-run-nginx-53-udp",
            id="a protocol other than TCP is named",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(run="a"), ports=(PortRange("TCP", 8000, 8080),)),
            "allow-run-a-to-run-nginx-8000-8080",
            id="a port range has both numbers",
        ),
        pytest.param(
            made(INGRESS, NGINX, Peer(in_namespace("ops"), LabelSelector.of({"app": "prom"}))),
            "allow-app-prom-in-ops-to-run-nginx-80",
            id="a peer of another namespace has its name",
        ),
        pytest.param(
            made(INGRESS, NGINX, Peer(in_namespace("ops"))),
            "allow-all-pods-in-ops-to-run-nginx-80",
            id="all pods of another namespace",
        ),
        pytest.param(
            make_policy("", EGRESS, LabelSelector(), [dns_rule()]),
            "allow-all-pods-to-cluster-dns",
            id="a policy for DNS alone",
        ),
        pytest.param(
            make_policy("", EGRESS, NGINX, [Rule(EGRESS, 0, (pods(run="db"),), TCP80), dns_rule()]),
            "allow-run-nginx-to-run-db-80-egress-dns",
            id="a policy with the DNS rule says so",
        ),
        pytest.param(
            make_policy("", EGRESS, NGINX, [dns_rule([CONVENTIONAL_DNS], TCP80)]),
            f"allow-run-nginx-to-k8s-app-kube-dns-in-kube-system-80{HASH}",
            id="DNS on other ports needs a hash",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(run="a"), ports=(NamedPort("TCP", "http"),)),
            f"allow-run-a-to-run-nginx-http{HASH}",
            id="a port name could be a part of the label, so it needs a hash",
        ),
        pytest.param(
            made(INGRESS, LabelSelector.of({"run": "db-80"}), pods(run="a"), ports=()),
            f"allow-run-a-to-run-db-80{HASH}",
            id="a label that ends like a port needs a hash",
        ),
        *(
            pytest.param(
                made(INGRESS, LabelSelector.of({"run": f"db-{ending}"}), pods(run="a"), ports=()),
                f"allow-run-a-to-run-db-{ending}{HASH}",
                id=f"a label that ends like a name with {ending} needs a hash",
            )
            for ending in ("egress", "dns", "tcp", "udp", "sctp")
        ),
        *(
            pytest.param(
                made(INGRESS, NGINX, pods(**{key: "b"})),
                f"allow-{key}-b-to-run-nginx-80{HASH}",
                id=f"the key {key}, a word of names, needs a hash",
            )
            for key in ("to", "and", "all", "cluster", "not")
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(**{"app.kubernetes.io/name": "web"})),
            f"allow-name-web-to-run-nginx-80{HASH}",
            id="a key loses its prefix, so it needs a hash",
        ),
        pytest.param(
            made(INGRESS, NGINX, Peer(ip_block=IPBlock("2001:db8::/32"))),
            f"allow-2001-db8-32-to-run-nginx-80{HASH}",
            id="an address block needs a hash",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(run="a"), pods(run="b")),
            f"allow-run-a-and-1-more-to-run-nginx-80{HASH}",
            id="several peers are counted",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(app="w" * 63)),
            f"allow-app-w{{44}}{HASH}",
            id="a long name is cut in front of its hash",
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(app="w" * 37)), "allow-app-w{37}-to-run-nginx-80", id="63 characters fit"
        ),
        pytest.param(
            made(INGRESS, NGINX, pods(app="w" * 38)), f"allow-app-w{{38}}-to-ru{HASH}", id="64 characters are cut"
        ),
        pytest.param(
            made(INGRESS, NGINX, Peer(pod_selector=LabelSelector((Requirement("x", Operator.DOES_NOT_EXIST),)))),
            f"allow-not-x-to-run-nginx-80{HASH}",
            id="pods without a label need a hash",
        ),
        pytest.param(
            made(INGRESS, NGINX, Peer(LabelSelector.of({"team": "a"}))),
            f"allow-all-pods-in-team-a-to-run-nginx-80{HASH}",
            id="namespaces by label need a hash",
        ),
    ],
)
def test_the_default_name(found: Policy, pattern: str) -> None:
    assert re.fullmatch(pattern, found.name), found.name


def test_a_name_with_a_hash_is_the_same_in_every_run() -> None:
    assert made(INGRESS, NGINX, pods(run="a"), pods(run="b")).name == "allow-run-a-and-1-more-to-run-nginx-80-c30fc09e"


WORDS = st.sampled_from(
    ["a", "b", "to", "in", "80", "a-80", "a-to-run-b", "egress", "udp", "x.y", "A", "all", "pods", ""]
)
KEYS = st.sampled_from(["run", "app", "all", "to", "not", "x/run", "cluster", "run-a"])
REQUIREMENTS = st.one_of(
    st.builds(lambda key, value: Requirement(key, Operator.IN, (value,)), KEYS, WORDS),
    st.builds(
        lambda key, values: Requirement(key, Operator.NOT_IN, tuple(values)),
        KEYS,
        st.lists(WORDS, min_size=1, max_size=2),
    ),
    st.builds(lambda key: Requirement(key, Operator.EXISTS), KEYS),
)
SELECTORS = st.builds(lambda found: LabelSelector(tuple(found)), st.lists(REQUIREMENTS, max_size=2))
NAMES = st.sampled_from(["a", "b-80", "to-run-b", "in"]).map(in_namespace)
PEERS = st.one_of(
    st.tuples(st.none(), SELECTORS).map(lambda pair: Peer(*pair)),
    st.tuples(NAMES | SELECTORS, SELECTORS).map(lambda pair: Peer(*pair)),
    NAMES.map(Peer),
    st.sampled_from(["10.0.0.0/8", "10.0.0.0/9", "::/0"]).map(lambda cidr: Peer(ip_block=IPBlock(cidr))),
)
PORTS: st.SearchStrategy[PortRange | NamedPort] = st.sampled_from(
    [
        PortRange("TCP", 80, 80),
        PortRange("UDP", 80, 80),
        PortRange("TCP", 80, 81),
        NamedPort("TCP", "a"),
        PortRange("TCP", 81, 81),
    ]
)


@st.composite
def found_policies(draw: st.DrawFn) -> Policy:
    direction = draw(st.sampled_from(list(Direction)))
    rules = [
        Rule(
            direction,
            0,
            tuple(draw(st.lists(PEERS, max_size=2))),
            tuple(draw(st.lists(PORTS, max_size=2, unique=True))),
        )
    ]
    if direction is EGRESS:
        rules = draw(st.sampled_from([rules, [*rules, dns_rule()], [dns_rule()]]))
    return make_policy("", direction, draw(SELECTORS), rules)


@settings(max_examples=400, deadline=None)
@given(st.lists(found_policies(), min_size=2, max_size=12))
def test_different_specs_have_different_valid_names(found: list[Policy]) -> None:
    for one in found:
        assert is_object_name(one.name)
        assert len(one.name) <= NAME_LENGTH
        assert default_name(one) == one.name
    specs = {one._replace(name="") for one in found}
    assert len({one.name for one in found}) == len(specs)


def test_a_given_name_gets_the_direction_where_there_are_two_policies() -> None:
    both = [made(EGRESS, NGINX), made(INGRESS, NGINX)]
    assert [one.name for one in renamed(both, "web")] == ["web-egress", "web-ingress"]
    assert [one.name for one in renamed(both[:1], "web")] == ["web"]
    assert renamed(both, None) == tuple(both)


@pytest.mark.parametrize(
    ("found", "name", "message"),
    [
        pytest.param(
            [made(EGRESS, NGINX), made(EGRESS, LabelSelector())],
            "web",
            "--name is one name, and there are 2 policies",
            id="two policies of one direction",
        ),
        pytest.param(
            [made(EGRESS, NGINX), made(INGRESS, NGINX)],
            "w" * 250,
            "must be at most 253 characters",
            id="a name that the direction makes too long",
        ),
    ],
)
def test_a_given_name_that_can_not_be_used(found: list[Policy], name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        renamed(found, name)
