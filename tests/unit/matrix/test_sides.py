"""One direction of one pod towards all pods: allowed, undefined, and blocked where neither."""

from __future__ import annotations

import pytest

from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.sides import Sides
from kubectl_netpol.model.objects import ContainerPort, Namespace, Node, Pod
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Peer, Policy, Rule, Tier, UnevaluatedPolicy
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import METADATA_NAME, LabelSelector, in_namespace
from kubectl_netpol.model.snapshot import Gap, Snapshot

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
HTTP80, HTTP8080 = (ContainerPort("http", 80),), (ContainerPort("http", 8080),)
PODS = (
    Pod("x", "web", {"app": "web"}, ("10.0.0.1",), HTTP80, node="n1"),
    Pod("x", "db", {"app": "db"}, ("10.0.0.2",), HTTP8080, node="n1"),
    Pod("y", "api", {"app": "api"}, ("10.0.1.1",), node="n2"),
    Pod("y", "host", {"app": "host"}, ("192.0.2.2",), HTTP80, host_network=True, node="n2"),
    Pod("y", "planned", {"app": "planned"}, planned=True),
)
NAMESPACES = [Namespace(name, {METADATA_NAME: name}) for name in "xy"]
DB, API, HOST = (Peer(LabelSelector(), LabelSelector.of({"app": app})) for app in ("db", "api", "host"))
WEB = LabelSelector.of({"app": "web"})


def policy(direction: Direction, *rules: Rule, subject: LabelSelector = WEB, namespace: str = "x") -> Policy:
    return Policy(namespace, "p", subject, (direction,), rules)


def ingress(*peers: Peer, port: PortRange | NamedPort | None = None) -> Policy:
    return policy(INGRESS, Rule(INGRESS, 0, peers, (port,) if port else ()))


def egress(*peers: Peer, port: PortRange | NamedPort | None = None) -> Policy:
    return policy(EGRESS, Rule(EGRESS, 0, peers, (port,) if port else ()))


def sides_of(
    *policies: Policy, port: int | str = 80, unevaluated: tuple[UnevaluatedPolicy, ...] = (), gap: Gap | None = None
) -> Sides:
    snapshot = Snapshot(
        namespaces=NAMESPACES, pods=PODS, policies=policies, unevaluated=unevaluated, gaps=[gap] if gap else []
    )
    return Sides(PodSets(snapshot, PODS), "TCP", port)


def names(pods: int) -> str:
    return " ".join(pod.name for place, pod in enumerate(PODS) if pods >> (len(PODS) - 1 - place) & 1)


ALL = "web db api host planned"


@pytest.mark.parametrize(
    ("policies", "direction", "allowed", "undefined"),
    [
        pytest.param((), INGRESS, ALL, "", id="a pod that no policy isolates allows all"),
        pytest.param((egress(),), INGRESS, ALL, "", id="isolation for egress is none for ingress"),
        pytest.param((policy(INGRESS),), INGRESS, "", "", id="a policy without rules blocks all"),
        pytest.param((policy(EGRESS),), EGRESS, "", "", id="also for egress"),
        pytest.param((ingress(),), INGRESS, ALL, "", id="a rule without peers allows all"),
        pytest.param((ingress(DB),), INGRESS, "db", "", id="a rule for a pod"),
        pytest.param((ingress(DB), ingress(API)), INGRESS, "db api", "", id="the rules of two policies"),
        pytest.param((ingress(DB, API),), INGRESS, "db api", "", id="two peers of a rule"),
        pytest.param((ingress(DB, port=PortRange("TCP", 81, 90)),), INGRESS, "", "", id="a rule for other ports"),
        pytest.param((ingress(DB, port=PortRange("UDP")),), INGRESS, "", "", id="a rule for another protocol"),
        pytest.param((ingress(DB, port=PortRange("TCP", 80, 90)),), INGRESS, "db", "", id="a range with the port"),
        pytest.param((ingress(DB, port=NamedPort("TCP", "http")),), INGRESS, "db", "", id="a port name of the subject"),
        pytest.param((ingress(DB, port=NamedPort("TCP", "sql")),), INGRESS, "", "", id="a port name it does not have"),
        pytest.param(
            (egress(port=NamedPort("TCP", "http")),), EGRESS, "web", "host", id="a port name by its number on each peer"
        ),
        pytest.param(
            (ingress(Peer(ip_block=IPBlock("10.0.0.0/24"))),),
            INGRESS,
            "web db",
            "planned",
            id="a block, and an unknown address",
        ),
        pytest.param(
            (ingress(Peer(in_namespace("y"))),),
            INGRESS,
            "api planned",
            "host",
            id="a host-network pod may not be seen as a pod",
        ),
    ],
)
def test_the_verdict_on_every_peer(
    policies: tuple[Policy, ...], direction: Direction, allowed: str, undefined: str
) -> None:
    verdicts = sides_of(*policies).peer_verdicts(0, direction)
    assert (names(verdicts.allowed), names(verdicts.undefined)) == (allowed, undefined)


def test_where_policies_could_not_be_read_all_is_undefined() -> None:
    sides = sides_of(gap=Gap("networkpolicies", "x", "forbidden"))
    assert names(sides.peer_verdicts(0, INGRESS).undefined) == ALL
    assert names(sides.peer_verdicts(2, INGRESS).allowed) == ALL, "namespace y was read"


def test_a_policy_of_another_kind_makes_all_undefined_for_the_pods_it_may_select() -> None:
    sides = sides_of(unevaluated=(UnevaluatedPolicy("ClusterNetworkPolicy", None, "o", pod_selector=WEB),))
    assert names(sides.peer_verdicts(0, EGRESS).undefined) == ALL
    assert names(sides.peer_verdicts(1, EGRESS).allowed) == ALL


def test_pods_that_only_a_policy_of_another_kind_distinguishes_have_their_own_verdict() -> None:
    pods = [Pod("x", grade, {"grade": grade}, ("10.0.0.1",)) for grade in "abc"]
    other = UnevaluatedPolicy("ClusterNetworkPolicy", None, "o", pod_selector=LabelSelector.of({"grade": "b"}))
    sides = Sides(PodSets(Snapshot(pods=pods, unevaluated=[other]), pods), "TCP", 80)
    assert [sides.peer_verdicts(place, INGRESS).undefined for place in range(3)] == [0, 0b111, 0]


def test_an_isolated_host_network_pod_blocks_nothing_for_sure() -> None:
    verdicts = sides_of(policy(INGRESS, subject=LabelSelector(), namespace="y")).peer_verdicts(3, INGRESS)
    assert (names(verdicts.allowed), names(verdicts.undefined)) == ("", ALL)


def test_a_host_network_pod_of_the_own_node_may_always_come_in() -> None:
    sides = sides_of(policy(INGRESS, subject=LabelSelector(), namespace="y"))
    assert names(sides.peer_verdicts(2, INGRESS).undefined) == "host"
    assert sides_of(policy(INGRESS)).peer_verdicts(0, INGRESS) == (0, 0), "web is on another node"


@pytest.mark.parametrize("own_first", [True, False])
def test_only_the_own_node_may_always_come_in(own_first: bool) -> None:  # noqa: FBT001 - a column
    hosts = [
        Pod("y", node, {}, (ip,), host_network=True, node=node)
        for node, ip in (("n1", "192.0.2.1"), ("n2", "192.0.2.2"))
    ]
    pods = (PODS[0], *(hosts if own_first else hosts[::-1]))
    sides = Sides(PodSets(Snapshot(pods=pods, policies=[policy(INGRESS)]), pods), "TCP", 80)
    own = 0b010 if own_first else 0b001
    assert sides.peer_verdicts(0, INGRESS) == (0, own)


@pytest.mark.parametrize(
    ("port", "numbers"),
    [
        pytest.param(443, [443, 443, 443], id="a number is the same on every pod"),
        pytest.param("http", [80, 8080, None], id="a name is looked up on each pod"),
        pytest.param("sql", [None, None, None], id="a name that no pod has"),
    ],
)
def test_the_number_of_the_port_on_a_destination(port: int | str, numbers: list[int | None]) -> None:
    sides = sides_of(port=port)
    assert [sides.number(pod) for pod in PODS[:3]] == numbers


def test_a_rule_by_number_and_a_port_asked_for_by_name() -> None:
    verdicts = sides_of(egress(port=PortRange("TCP", 8080, 8080)), port="http").peer_verdicts(0, EGRESS)
    assert names(verdicts.allowed) == "db"


SERVED = (
    Pod("x", "web", {"app": "web"}, ("10.0.0.1",), HTTP80, node="n1"),
    Pod("x", "db", {"app": "db"}, ("10.0.0.2",), HTTP8080, node="n1"),
    Pod("y", "api", {"app": "api"}, ("10.0.1.1",), node="n2"),
    Pod("y", "host", {"app": "web"}, ("192.0.2.2",), HTTP80, host_network=True, node="n2"),
    Pod("y", "near", {"app": "web"}, ("192.0.2.1",), HTTP80, host_network=True, node="n1"),
    Pod("z", "dark", {"app": "dark"}, ("10.0.2.1",), HTTP80, node="n2"),
)
EVERY_POD = Peer(LabelSelector())
Y, TEAM = Peer(in_namespace("y")), Peer(LabelSelector.of({"team": "red"}))
HTTP = NamedPort(None, "http")
NETWORKS = Peer(networks=(IPBlock("10.0.1.0/24"), IPBlock("192.0.2.2/32")))


def in_tier(
    *rules: tuple[Action, Peer | None, PortRange | NamedPort | None],
    direction: Direction = INGRESS,
    priority: int = 1,
    tier: Tier = Tier.ADMIN,
    subject: LabelSelector = WEB,
    unreadable: str | None = None,
) -> Policy:
    return Policy(
        "",
        f"{tier.value}-{priority}",
        subject,
        (direction,),
        tuple(
            Rule(direction, number, (peer,) if peer else (), (port,) if port else (), action)
            for number, (action, peer, port) in enumerate(rules)
        ),
        kind="ClusterNetworkPolicy",
        tier=tier,
        priority=priority,
        unreadable=unreadable,
    )


def tiers_of(*policies: Policy, pods: tuple[Pod, ...] = SERVED, port: int | str = 80) -> Sides:
    snapshot = Snapshot(
        namespaces=NAMESPACES,
        pods=pods,
        nodes=[Node("n1", ("192.0.2.1",), {"zone": "a"}), Node("n2", ("192.0.2.2",))],
        policies=[policy for policy in policies if not policy.tier],
        tiered=[policy for policy in policies if policy.tier],
    )
    return Sides(PodSets(snapshot, pods), "TCP", port)


def served(pods: int) -> str:
    return " ".join(pod.name for place, pod in enumerate(SERVED) if pods >> (len(SERVED) - 1 - place) & 1)


ALLOW, DENY, PASS = Action.ALLOW, Action.DENY, Action.PASS
SHUT, SHUT_OUT = policy(INGRESS), policy(EGRESS)
EVERYONE = "web db api host near dark"


@pytest.mark.parametrize(
    ("policies", "direction", "allowed", "undefined"),
    [
        pytest.param(
            (in_tier((DENY, EVERY_POD, None)),), INGRESS, "host near", "", id="every pod, but not the host network"
        ),
        pytest.param(
            (in_tier((DENY, EVERY_POD, None), direction=EGRESS),), EGRESS, "host near", "", id="the same for egress"
        ),
        pytest.param((in_tier((DENY, Y, None)),), EGRESS, EVERYONE, "", id="rules of the other direction"),
        pytest.param(
            (in_tier((ALLOW, Y, None), (DENY, EVERY_POD, None)),),
            INGRESS,
            "api host near",
            "",
            id="the first rule that matches counts",
        ),
        pytest.param(
            (in_tier((PASS, Y, None), (DENY, EVERY_POD, None)), SHUT),
            INGRESS,
            "",
            "near",
            id="a Pass leaves it to the NetworkPolicy, where the own node's host network may come in",
        ),
        pytest.param(
            (in_tier((PASS, Y, None)), in_tier((DENY, EVERY_POD, None), tier=Tier.BASELINE)),
            INGRESS,
            "host near",
            "",
            id="and without one to Baseline",
        ),
        pytest.param(
            (in_tier((ALLOW, EVERY_POD, None)), SHUT),
            INGRESS,
            "web db api dark",
            "near",
            id="an Accept lets in what a NetworkPolicy shuts out",
        ),
        pytest.param(
            (in_tier((ALLOW, EVERY_POD, None), tier=Tier.BASELINE), SHUT),
            INGRESS,
            "",
            "near",
            id="one of Baseline does not",
        ),
        pytest.param(
            (in_tier((DENY, Y, None), priority=2), in_tier((ALLOW, Y, None), (DENY, EVERY_POD, None), priority=1)),
            INGRESS,
            "api host near",
            "",
            id="the lowest number is asked first",
        ),
        pytest.param(
            (in_tier((DENY, Y, None)), in_tier((ALLOW, EVERY_POD, None))),
            INGRESS,
            "web db host near dark",
            "api",
            id="equal numbers that disagree on some",
        ),
        pytest.param(
            (in_tier((DENY, TEAM, None)),), INGRESS, "web db api host near", "dark", id="labels that are not known"
        ),
        pytest.param(
            (in_tier((DENY, Y, None), unreadable="bad"),),
            INGRESS,
            "web db host near dark",
            "api",
            id="a subject that can't be evaluated",
        ),
        pytest.param(
            (in_tier((DENY, NETWORKS, None), direction=EGRESS),),
            EGRESS,
            "web db near dark",
            "",
            id="networks are pods and the host network",
        ),
        pytest.param(
            (in_tier((DENY, Peer(node_selector=LabelSelector.of({"zone": "a"})), None), direction=EGRESS),),
            EGRESS,
            "web db api host dark",
            "",
            id="a node is the pods on its network alone",
        ),
        pytest.param(
            (in_tier((DENY, EVERY_POD, HTTP)),), INGRESS, "host near", "", id="a port name is looked up on the subject"
        ),
        pytest.param(
            (in_tier((DENY, EVERY_POD, HTTP), direction=EGRESS),),
            EGRESS,
            "db api host near",
            "",
            id="and at egress on each peer, but on none on the host network",
        ),
        pytest.param(
            (in_tier((DENY, None, HTTP), direction=EGRESS),),
            EGRESS,
            "db api host near",
            "",
            id="a pod on the host network has no port names, whatever the peers",
        ),
        pytest.param(
            (in_tier((DENY, Peer(networks=(IPBlock("0.0.0.0/0"),)), PortRange("TCP", 80, 80)), direction=EGRESS),),
            EGRESS,
            "",
            "",
            id="a port by number is everybody's",
        ),
        pytest.param(
            (
                in_tier(
                    (DENY, EVERY_POD, PortRange("UDP")),
                ),
            ),
            INGRESS,
            EVERYONE,
            "",
            id="another protocol",
        ),
    ],
)
def test_the_verdict_of_the_tiers_on_every_peer(
    policies: tuple[Policy, ...], direction: Direction, allowed: str, undefined: str
) -> None:
    verdicts = tiers_of(*policies).peer_verdicts(0, direction)
    assert (served(verdicts.allowed), served(verdicts.undefined)) == (allowed, undefined)


def test_the_tiers_do_not_apply_to_pods_on_the_host_network() -> None:
    sides = tiers_of(in_tier((DENY, EVERY_POD, None), subject=LabelSelector()))
    assert served(sides.peer_verdicts(3, INGRESS).allowed) == EVERYONE
    assert served(sides.peer_verdicts(2, INGRESS).allowed) == "host near"


def test_pods_that_only_a_policy_of_a_tier_distinguishes_have_their_own_verdict() -> None:
    pods = tuple(Pod("x", grade, {"grade": grade}, ("10.0.0.1",)) for grade in "abc")
    sides = tiers_of(in_tier((DENY, EVERY_POD, None), subject=LabelSelector.of({"grade": "b"})), pods=pods)
    assert [sides.peer_verdicts(place, INGRESS).allowed for place in range(3)] == [0b111, 0, 0b111]


def test_the_same_labels_are_those_of_each_subjects_namespace() -> None:
    namespaces = [Namespace(name, {"team": team}) for name, team in (("x", "red"), ("y", "blue"), ("z", "red"))]
    pods = tuple(Pod(name, name, {}, (f"10.0.0.{number}",)) for number, name in enumerate("xyz", 1))
    rule = in_tier((DENY, Peer(same_labels=("team",)), None), subject=LabelSelector())
    snapshot = Snapshot(namespaces=namespaces, pods=pods, tiered=[rule])
    sides = Sides(PodSets(snapshot, pods), "TCP", 80)
    assert [sides.peer_verdicts(place, INGRESS).allowed for place in range(3)] == [0b010, 0b101, 0b010]


def test_a_port_by_name_and_a_rule_of_a_tier_by_name() -> None:
    sides = tiers_of(in_tier((DENY, EVERY_POD, HTTP), direction=EGRESS), port="http")
    assert served(sides.peer_verdicts(0, EGRESS).allowed) == "api host near"
