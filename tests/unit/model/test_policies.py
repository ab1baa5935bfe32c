"""Policies as values: what blocks contain, which pods policies apply to, which rules apply in a direction."""

from __future__ import annotations

import pytest

from kubectl_netpol.model.objects import Namespace, Pod
from kubectl_netpol.model.policies import Direction, IPBlock, Peer, Policy, Rule, Tier, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, parse_selector

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        pytest.param(
            IPBlock("10.0.0.0/8"),
            ("10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"),
            ("11.0.0.0", "9.255.255.255", "::a"),
            id="from the first address to the last",
        ),
        pytest.param(
            IPBlock("10.0.0.0/8", ("10.1.0.0/16", "10.2.0.0/16")),
            ("10.3.0.1",),
            ("10.1.0.1", "10.2.255.255"),
            id="without its excepts",
        ),
        pytest.param(IPBlock("10.0.0.5/8"), ("10.9.9.9",), ("11.0.0.5",), id="host bits do not matter"),
        pytest.param(IPBlock("10.0.0.5/32"), ("10.0.0.5",), ("10.0.0.4",), id="a single address"),
        pytest.param(
            IPBlock("0.0.0.0/0"), ("255.255.255.255", "0.0.0.0"), ("::", "2001:db8::1"), id="all of IPv4, without IPv6"
        ),
        pytest.param(
            IPBlock("::/0"), ("::", "2001:db8::1"), ("10.0.0.1", "::ffff:10.0.0.1"), id="all of IPv6, without IPv4"
        ),
        pytest.param(
            IPBlock("fd00::/8", ("fd00:1::/32",)),
            ("fd00::1", "FD00:0::2"),
            ("fd00:1::1", "fe80::1"),
            id="IPv6 in any spelling",
        ),
        pytest.param(
            IPBlock("10.0.0.0/8", (*(f"10.{n}.0.0/16" for n in range(20)), "10.99.0.0/24")),
            ("10.20.0.1", "10.99.1.1"),
            ("10.0.0.1", "10.19.255.255", "10.99.0.77", "11.0.0.1", "fd00::1"),
            id="many excepts",
        ),
        pytest.param(IPBlock("::ffff:10.0.0.0/104"), ("10.255.0.1",), ("11.0.0.1", "::a"), id="IPv4-mapped is IPv4"),
    ],
)
def test_what_a_block_contains(block: IPBlock, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    assert [address for address in inside if not block.contains(address)] == []
    assert [address for address in outside if block.contains(address)] == []


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        pytest.param("kubernetes.io/metadata.name=shop", "shop", id="by the label that the API server sets"),
        pytest.param(None, None, id="none without a namespaceSelector"),
        pytest.param("", None, id="none for all namespaces"),
        pytest.param("team=shop", None, id="none by another label"),
        pytest.param("kubernetes.io/metadata.name in (shop,lab)", None, id="none for two namespaces"),
        pytest.param("kubernetes.io/metadata.name!=shop", None, id="none for all namespaces but one"),
        pytest.param("kubernetes.io/metadata.name=shop,team=x", None, id="none under a second requirement"),
    ],
)
def test_the_one_namespace_that_a_peer_names(selector: str | None, name: str | None) -> None:
    assert Peer(None if selector is None else parse_selector(selector)).one_namespace == name


def test_a_direction_has_the_names_that_the_api_gives_its_fields() -> None:
    assert [(d.field, d.peers_field, d.opposite) for d in Direction] == [
        ("ingress", "from", EGRESS),
        ("egress", "to", INGRESS),
    ]


WEB = Pod("shop", "web", {"app": "web"})
POLICY = Policy("shop", "p", LabelSelector.of({"app": "web"}), (INGRESS,), (Rule(INGRESS, 0), Rule(EGRESS, 0)))


@pytest.mark.parametrize(
    ("pod", "selected"),
    [
        pytest.param(WEB, True, id="a pod with its labels"),
        pytest.param(WEB._replace(labels={"app": "api"}), False, id="no pod with other labels"),
        pytest.param(WEB._replace(namespace="lab"), False, id="no pod of another namespace"),
        pytest.param(WEB._replace(phase="Failed"), False, id="no pod that has finished"),
    ],
)
def test_the_pods_that_a_policy_applies_to(pod: Pod, selected: bool) -> None:  # noqa: FBT001 - a column
    assert POLICY.selects(pod) is selected
    assert POLICY.isolates(pod, INGRESS) is selected
    assert not POLICY.isolates(pod, EGRESS)


def test_rules_of_a_direction_that_policy_types_leaves_out_do_not_apply() -> None:
    assert POLICY.rules_of(INGRESS) == (Rule(INGRESS, 0),)
    assert POLICY.rules_of(EGRESS) == ()
    assert POLICY._replace(directions=(INGRESS, EGRESS)).rules_of(EGRESS) == (Rule(EGRESS, 0),)


ANY = UnevaluatedPolicy("GlobalNetworkPolicy", None, "g")
SHOP = Namespace("shop", {"team": "x"})
UNREAD = Namespace("shop", {"kubernetes.io/metadata.name": "shop"}, complete=False)
HOST = WEB._replace(host_network=True)


@pytest.mark.parametrize(
    ("policy", "pod", "namespace", "may"),
    [
        pytest.param(ANY, WEB, SHOP, True, id="without selectors it may select any pod"),
        pytest.param(ANY._replace(namespace="shop"), WEB, SHOP, True, id="a pod of its namespace"),
        pytest.param(ANY._replace(namespace="lab"), WEB, SHOP, False, id="no pod of another namespace"),
        pytest.param(ANY._replace(pod_selector=parse_selector("app=web")), WEB, SHOP, True, id="a pod with the labels"),
        pytest.param(ANY._replace(pod_selector=parse_selector("app=api")), WEB, SHOP, False, id="no pod with others"),
        pytest.param(
            ANY._replace(namespace_selector=parse_selector("team=x")), WEB, SHOP, True, id="a namespace with the labels"
        ),
        pytest.param(
            ANY._replace(namespace_selector=parse_selector("team=y")), WEB, SHOP, False, id="no namespace with others"
        ),
        pytest.param(
            ANY._replace(namespace_selector=parse_selector("team=y")), WEB, UNREAD, True, id="labels that were not read"
        ),
        pytest.param(ANY, HOST, SHOP, False, id="no host-network pod"),
        pytest.param(ANY._replace(nodes=True), HOST, SHOP, True, id="a host-network pod if it can select nodes"),
    ],
)
def test_the_pods_that_an_overriding_policy_may_select(
    policy: UnevaluatedPolicy,
    pod: Pod,
    namespace: Namespace,
    may: bool,  # noqa: FBT001 - a column
) -> None:
    assert policy.may_select(pod, namespace) is may


def test_an_overriding_policy_is_named_with_its_kind_and_a_namespaced_one_with_its_namespace() -> None:
    assert UnevaluatedPolicy("GlobalNetworkPolicy", None, "g").title == "globalnetworkpolicy.projectcalico.org/g"
    assert UnevaluatedPolicy("CiliumNetworkPolicy", "a", "g").title == "a/ciliumnetworkpolicy.cilium.io/g"


TIERED = Policy(
    "",
    "p",
    LabelSelector.of({"app": "web"}),
    (INGRESS,),
    (Rule(INGRESS, 0),),
    kind="AdminNetworkPolicy",
    namespace_selector=parse_selector("team=x"),
    tier=Tier.ADMIN,
)


@pytest.mark.parametrize(
    ("policy", "pod", "namespace", "selected"),
    [
        pytest.param(TIERED, WEB, SHOP, True, id="a pod of a namespace that both match"),
        pytest.param(TIERED, WEB._replace(labels={}), SHOP, False, id="no pod with other labels"),
        pytest.param(TIERED, WEB, Namespace("shop", {}), False, id="no pod of a namespace with other labels"),
        pytest.param(TIERED, WEB, UNREAD, None, id="labels that were not read"),
        pytest.param(TIERED, WEB._replace(labels={}), UNREAD, False, id="they don't matter for other pods"),
        pytest.param(TIERED, HOST, SHOP, False, id="no pod on the host network"),
        pytest.param(TIERED, WEB._replace(phase="Failed"), SHOP, False, id="no pod that has finished"),
        pytest.param(TIERED._replace(namespace_selector=None), WEB, UNREAD, True, id="every namespace"),
        pytest.param(TIERED._replace(unreadable="bad"), WEB, SHOP, None, id="a selector that can't be evaluated"),
        pytest.param(
            TIERED._replace(unreadable="bad"),
            WEB,
            Namespace("shop", {}),
            False,
            id="the other half of it leaves the pod out",
        ),
    ],
)
def test_the_pods_that_a_policy_of_a_tier_applies_to(
    policy: Policy,
    pod: Pod,
    namespace: Namespace,
    selected: bool | None,  # noqa: FBT001 - a column
) -> None:
    assert policy.selects_in(namespace, pod) is selected


def test_a_policy_of_a_tier_is_named_as_kubectl_prints_it() -> None:
    assert (TIERED.key, TIERED.title) == ("adminnetworkpolicy.policy.networking.k8s.io/p",) * 2
    assert TIERED._replace(kind="AmazonClusterNetworkPolicy").key == "clusternetworkpolicy.networking.k8s.aws/p"
    assert (POLICY.key, POLICY.title) == ("shop/p", "p")


@pytest.mark.parametrize(
    ("peer", "blocks", "pods", "own"),
    [
        pytest.param(Peer(None, LabelSelector()), 0, True, False, id="pods by their labels"),
        pytest.param(Peer(LabelSelector()), 0, True, False, id="pods by their namespaces"),
        pytest.param(Peer(same_labels=("a",)), 0, True, True, id="by the labels of the subject's namespace"),
        pytest.param(Peer(other_labels=()), 0, True, True, id="by other ones"),
        pytest.param(Peer(ip_block=IPBlock("10.0.0.0/8")), 1, False, False, id="an ipBlock"),
        pytest.param(
            Peer(networks=(IPBlock("10.0.0.0/8"), IPBlock("::/0"))), 2, False, False, id="addresses of several networks"
        ),
        pytest.param(Peer(node_selector=LabelSelector()), 0, False, False, id="nodes"),
        pytest.param(Peer(domain_names=("a.b",)), 0, False, False, id="domain names"),
        pytest.param(Peer(unreadable="who knows"), 0, False, False, id="what is not known"),
    ],
)
def test_what_a_peer_selects_by(peer: Peer, blocks: int, pods: bool, own: bool) -> None:  # noqa: FBT001 - columns
    assert (len(peer.blocks), peer.selects_pods, peer.selects_by_own_namespace) == (blocks, pods, own)
