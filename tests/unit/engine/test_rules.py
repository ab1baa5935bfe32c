"""One rule against one reading: whether it matches, at which positions, and what it misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.engine.phrases import near_miss_text
from kubectl_netpol.engine.readings import Reading
from kubectl_netpol.engine.rules import match_rule, matching_port, near_misses, peer_matches
from kubectl_netpol.engine.verdict import Note, RuleMatch
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.snapshot import Gap, Snapshot
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy, Rule

CLUSTER = yaml.safe_load("""
namespaces: {shop: {team: x}, lab: {team: y}}
unread: [dark]
live: true
pods:
  shop/san: {labels: {run: san}, ip: 10.0.0.1}
  shop/web: {labels: {run: web}, ip: 10.0.0.2, ports: http=8080 dns=53/UDP}
  shop/done: {labels: {run: san}, ip: 10.0.0.3, phase: Succeeded}
  shop/new: {labels: {run: new}, planned: true}
  lab/cat: {labels: {run: san}, ip: 10.0.1.1}
  dark/far: {labels: {run: far}, ip: 10.0.2.1}
gaps:
  - {resource: namespaces, namespace: hidden, message: you may not read namespace hidden}
""")
SAN, BLOCK = "{podSelector: {matchLabels: {run: san}}}", "{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.1.0/24]}}"
TEAM_X, ALL = "{namespaceSelector: {matchLabels: {team: x}}}", "{namespaceSelector: {}}"


TEAM_X_SAN, SAN_ELSEWHERE = (
    f"{{namespaceSelector: {{matchLabels: {{team: {team}}}}}, podSelector: {{matchLabels: {{run: san}}}}}}"
    for team in "xy"
)


def with_rules(rules: str) -> Snapshot:
    spec = {"podSelector": {}, "ingress": yaml.safe_load(rules)}
    return snapshot_of({**CLUSTER, "policies": {"shop/p": spec}})


def rules_of(snapshot: Snapshot) -> list[tuple[Policy, Rule]]:
    return [(policy, rule) for policy in snapshot.policies for rule in policy.rules_of(Direction.INGRESS)]


def pod(snapshot: Snapshot, key: str) -> Pod | None:
    """The pod "shop/san"; None for an address or a host name."""
    return snapshot.pod(*key.split("/")) if "/" in key else None


def reading(snapshot: Snapshot, peer: str, port: str, *, block_port: int | None = None) -> Reading:
    """The peer is a pod, an address or "host"; the destination is shop/web."""
    found = pod(snapshot, peer)
    address = next(iter(found.ips), None) if found else peer if peer != "host" else None
    number, _, protocol = port.partition("/")
    web = snapshot.pod("shop", "web")
    return Reading(found, address, protocol or "TCP", int(number), block_port or int(number), web)


@pytest.mark.parametrize(
    ("rule", "peer", "port", "wanted"),
    [
        pytest.param("{}", "shop/san", "80", (None, None), id="a rule for everything lists no peer and no port"),
        pytest.param(f"{{from: [{SAN}]}}", "shop/san", "80", (0, None), id="a peer, on every port"),
        pytest.param("{ports: [{port: 80}]}", "shop/san", "80", (None, 0), id="a port, for everyone"),
        pytest.param(
            f"{{from: [{TEAM_X}, {SAN}, {ALL}], ports: [{{port: 81}}, {{port: 80}}, {{}}]}}",
            "shop/san",
            "80",
            (0, 1),
            id="the first of several peers and of several ports that match",
        ),
        pytest.param(f"{{from: [{TEAM_X}, {ALL}]}}", "lab/cat", "80", (1, None), id="the second peer"),
        pytest.param(f"{{from: [{SAN}]}}", "lab/cat", "80", None, id="no peer matches"),
        pytest.param(f"{{from: [{SAN}], ports: [{{port: 81}}]}}", "shop/san", "80", None, id="no port matches"),
        pytest.param(
            f"{{from: [{BLOCK}]}}", "shop/new", "80", "pod-address-unknown", id="unknown, with an unknown address"
        ),
        pytest.param(
            f"{{from: [{BLOCK}, {ALL}]}}",
            "shop/new",
            "80",
            (1, None),
            id="a peer that matches wins over an unknown one",
        ),
        pytest.param(
            f"{{from: [{BLOCK}, {SAN}]}}", "shop/new", "80", "pod-address-unknown", id="an unknown one over no match"
        ),
        pytest.param(
            f"{{from: [{BLOCK}], ports: [{{port: 81}}]}}", "shop/new", "80", None, id="not unknown on another port"
        ),
    ],
)
def test_the_positions_at_which_a_rule_matches(
    rule: str, peer: str, port: str, wanted: tuple[int | None, int | None] | str | None
) -> None:
    snapshot = with_rules(f"[{rule}]")
    policy = snapshot.policies[0]
    match = match_rule(snapshot, policy, policy.rules[0], reading(snapshot, peer, port))
    if isinstance(match, RuleMatch):
        assert (match.policy, match.rule) == (policy, policy.rules[0])
        assert (match.peer, match.port) == wanted
    else:
        assert (match and match.code.value) == wanted


@pytest.mark.parametrize(
    ("peers", "wanted"),
    [
        pytest.param(f"[{BLOCK}]", (0, 1), id="an ipBlock sees the port that was dialled"),
        pytest.param(f"[{SAN}]", (0, 0), id="a podSelector sees the port of the pod"),
        pytest.param("[]", (None, 0), id="a rule for everyone sees the port of the pod"),
    ],
)
def test_which_port_a_peer_sees_behind_a_service(peers: str, wanted: tuple[int | None, int]) -> None:
    snapshot = with_rules(f"[{{from: {peers}, ports: [{{port: 8080}}, {{port: 80}}]}}]")
    policy = snapshot.policies[0]
    behind = reading(snapshot, "shop/san", "8080", block_port=80)
    match = match_rule(snapshot, policy, policy.rules[0], behind)
    assert isinstance(match, RuleMatch)
    assert (match.peer, match.port) == wanted


def test_an_ip_block_does_not_see_the_port_behind_a_service() -> None:
    snapshot = with_rules(f"[{{from: [{BLOCK}], ports: [{{port: 8080}}]}}]")
    policy = snapshot.policies[0]
    assert match_rule(snapshot, policy, policy.rules[0], reading(snapshot, "shop/san", "8080", block_port=80)) is None


@pytest.mark.parametrize(
    ("peer", "end", "wanted"),
    [
        pytest.param(SAN, "shop/san", True, id="a podSelector selects a pod of the policy's namespace"),
        pytest.param(SAN, "lab/cat", False, id="a podSelector selects no pod of another namespace"),
        pytest.param(SAN, "shop/web", False, id="a podSelector selects no pod with other labels"),
        pytest.param("{podSelector: {}}", "shop/web", True, id="an empty podSelector selects every pod"),
        pytest.param("{podSelector: {}}", "shop/done", False, id="a finished pod matches no selector"),
        pytest.param("{podSelector: {}}", "192.0.2.1", False, id="an address matches no selector"),
        pytest.param("{podSelector: {}}", "host", False, id="a host name matches no selector"),
        pytest.param(ALL, "lab/cat", True, id="an empty namespaceSelector selects every namespace"),
        pytest.param(TEAM_X, "shop/web", True, id="a namespace by its label"),
        pytest.param(TEAM_X, "lab/cat", False, id="a namespace with another label"),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: y}}, podSelector: {matchLabels: {run: web}}}",
            "lab/cat",
            False,
            id="both selectors must match",
        ),
        pytest.param(TEAM_X, "dark/far", "namespace-labels-unknown", id="a namespace whose labels are unknown"),
        pytest.param(
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dark}}}",
            "dark/far",
            True,
            id="the name of a namespace is known without its labels",
        ),
        pytest.param(
            "{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {run: none}}}",
            "dark/far",
            False,
            id="unknown labels don't matter where the podSelector does not match",
        ),
        pytest.param(BLOCK, "10.0.200.1", True, id="an address in the ipBlock"),
        pytest.param(BLOCK, "10.0.1.200", False, id="an address in an except"),
        pytest.param(BLOCK, "192.0.2.1", False, id="an address outside the ipBlock"),
        pytest.param(BLOCK, "shop/san", True, id="a pod's address in the ipBlock"),
        pytest.param(BLOCK, "lab/cat", False, id="a pod's address in an except"),
        pytest.param(BLOCK, "shop/new", "pod-address-unknown", id="a pod without an address"),
        pytest.param(BLOCK, "host", "host-name", id="a host name has no known address"),
    ],
)
def test_whether_a_peer_matches_an_end(peer: str, end: str, wanted: bool | str) -> None:  # noqa: FBT001 - a column
    snapshot = with_rules(f"[{{from: [{peer}]}}]")
    policy = snapshot.policies[0]
    seen = reading(snapshot, end, "80")
    matched = peer_matches(snapshot, policy, policy.rules[0].peers[0], seen.pod, seen.address)
    assert (matched.code.value if isinstance(matched, Note) else matched) == wanted


def test_a_namespace_that_may_not_be_read_is_a_missing_permission() -> None:
    cluster = {**CLUSTER, "unread": ["hidden"], "pods": {"hidden/x": {"ip": "10.0.3.1"}}}
    spec = {"podSelector": {}, "ingress": [{"from": [yaml.safe_load(TEAM_X)]}]}
    snapshot = snapshot_of({**cluster, "policies": {"shop/p": spec}})
    policy = snapshot.policies[0]
    matched = peer_matches(snapshot, policy, policy.rules[0].peers[0], snapshot.pods[0], None)
    assert isinstance(matched, Note)
    assert (matched.code.value, matched.message) == ("permission-missing", "you may not read namespace hidden")


@pytest.mark.parametrize(
    ("ports", "port", "wanted"),
    [
        pytest.param("[]", "80/SCTP", 0, id="no ports are all ports"),
        pytest.param("[{port: 80}]", "80", 0, id="the number"),
        pytest.param("[{port: 80}]", "81", None, id="another number"),
        pytest.param("[{port: 80}]", "80/UDP", None, id="another protocol"),
        pytest.param("[{protocol: UDP}]", "9/UDP", 0, id="every port of a protocol"),
        pytest.param("[{port: 80, endPort: 90}]", "80", 0, id="the first of a range"),
        pytest.param("[{port: 80, endPort: 90}]", "90", 0, id="the last of a range"),
        pytest.param("[{port: 80, endPort: 90}]", "79", None, id="below a range"),
        pytest.param("[{port: 80, endPort: 90}]", "91", None, id="above a range"),
        pytest.param("[{port: http}]", "8080", 0, id="the number behind a name"),
        pytest.param("[{port: http}]", "80", None, id="a number that is not behind the name"),
        pytest.param("[{port: dns}]", "53", None, id="a name of another protocol"),
        pytest.param("[{port: dns, protocol: UDP}]", "53/UDP", 0, id="a name of the protocol"),
        pytest.param("[{port: 80}, {port: http}, {port: 8080}]", "8080", 1, id="the first that covers it"),
    ],
)
def test_which_port_of_a_rule_covers_a_port(ports: str, port: str, wanted: int | None) -> None:
    snapshot = with_rules(f"[{{ports: {ports}}}]")
    seen = reading(snapshot, "shop/san", port)
    assert matching_port(snapshot.policies[0].rules[0], seen.port, seen.protocol, seen.destination) == wanted


def test_a_port_name_covers_nothing_where_the_destination_is_not_a_pod() -> None:
    snapshot = with_rules("[{ports: [{port: http}]}]")
    assert matching_port(snapshot.policies[0].rules[0], 8080, "TCP", None) is None


NAMED = "kubernetes.io/metadata.name"


@pytest.mark.parametrize(
    ("rules", "peer", "port", "misses"),
    [
        pytest.param(
            f"[{{from: [{SAN}]}}]",
            "shop/web",
            "80",
            ["ingress[0].0.None: requires label run=san, pod has run=web"],
            id="a label",
        ),
        pytest.param(
            f"[{{from: [{SAN}]}}]",
            "lab/cat",
            "80",
            ["ingress[0].0.None: requires a pod in namespace shop, this one is in lab"],
            id="the policy's namespace",
        ),
        pytest.param(
            "[{from: [{namespaceSelector: {matchLabels: {team: x, zone: n}}}]}]",
            "lab/cat",
            "80",
            [
                (
                    "ingress[0].0.None: requires namespace label team=x, namespace has team=y; "
                    "requires namespace label zone=n, namespace has no label zone"
                )
            ],
            id="every requirement on the namespace",
        ),
        pytest.param(
            "[{from: [{namespaceSelector: {matchLabels: {team: y, zone: n}}, "
            "podSelector: {matchLabels: {run: san, a: b}}}]}]",
            "lab/cat",
            "80",
            [
                (
                    "ingress[0].0.None: requires namespace label zone=n, namespace has no label zone; "
                    "requires label a=b, pod has no label a"
                )
            ],
            id="only the requirements that are not met",
        ),
        pytest.param(
            f"[{{from: [{{namespaceSelector: {{matchLabels: {{team: x, {NAMED}: lab}}}}}}]}}]",
            "dark/far",
            "80",
            [f"ingress[0].0.None: requires namespace label {NAMED}=lab, namespace has {NAMED}=dark"],
            id="not the namespace labels that are unknown",
        ),
        pytest.param(
            f"[{{from: [{BLOCK}]}}]",
            "192.0.2.1",
            "80",
            ["ingress[0].0.None: requires 10.0.0.0/16, not 192.0.2.1"],
            id="an ipBlock",
        ),
        pytest.param(
            f"[{{from: [{BLOCK}]}}]",
            "lab/cat",
            "80",
            ["ingress[0].0.None: requires 10.0.0.0/16 except 10.0.1.0/24, not 10.0.1.1"],
            id="an except",
        ),
        pytest.param(
            f"[{{from: [{BLOCK}], ports: [{{port: 81}}]}}]",
            "shop/new",
            "80",
            ["ingress[0].0.None: requires 10.0.0.0/16, not an unknown address; requires port 81, not 80"],
            id="an ipBlock, and an unknown address",
        ),
        pytest.param(
            f"[{{from: [{SAN}]}}]", "192.0.2.1", "80", ["ingress[0].0.None: requires a pod, not 192.0.2.1"], id="a pod"
        ),
        pytest.param(
            f"[{{from: [{SAN}]}}]",
            "host",
            "80",
            ["ingress[0].0.None: requires a pod, not a host name"],
            id="a pod, and a host name",
        ),
        pytest.param(
            f"[{{from: [{SAN}], ports: [{{port: 81}}, {{port: 82, endPort: 90}}, {{protocol: UDP}}]}}]",
            "shop/san",
            "80",
            ["ingress[0].0.None: requires port 81, 82-90, not 80"],
            id="the ports of the protocol, where the peer matches",
        ),
        pytest.param(
            f"[{{from: [{BLOCK}], ports: [{{port: 81}}]}}]",
            "10.0.200.1",
            "80",
            ["ingress[0].0.None: requires port 81, not 80"],
            id="the ports alone, where the ipBlock matches",
        ),
        pytest.param(
            "[{ports: [{port: 80, protocol: UDP}, {port: 80, protocol: SCTP}, {port: 81, protocol: UDP}]}]",
            "shop/san",
            "80",
            ["ingress[0].None.None: requires UDP or SCTP, not TCP"],
            id="the protocols, each once",
        ),
        pytest.param(
            "[{ports: [{port: metrics}, {port: admin}]}]",
            "shop/san",
            "80",
            ["ingress[0].None.None: requires port metrics, admin, shop/web has no port of that name"],
            id="port names that the pod does not have",
        ),
        pytest.param(
            "[{ports: [{port: metrics}, {port: http}]}]",
            "shop/san",
            "80",
            ["ingress[0].None.None: requires port metrics (no such port), http (8080), not 80"],
            id="port names of which the pod has one",
        ),
        pytest.param(
            f"[{{from: [{TEAM_X}], ports: [{{port: 81}}, {{port: 80}}]}}]",
            "lab/cat",
            "80",
            ["ingress[0].0.1: requires namespace label team=x, namespace has team=y"],
            id="the port that matches is named where the peer does not",
        ),
        pytest.param(
            f"[{{from: [{BLOCK}, {TEAM_X}, {{podSelector: {{matchLabels: {{run: cat}}}}}}]}}]",
            "lab/cat",
            "80",
            ["ingress[0].1.None: requires namespace label team=x, namespace has team=y"],
            id="the closest peer of a rule",
        ),
        pytest.param(
            f"[{{from: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}]}}, {{from: [{TEAM_X}]}}, {{ports: [{{port: 81}}]}}, "
            "{ports: [{port: 82}]}]",
            "lab/cat",
            "80",
            [
                "ingress[2].None.None: requires port 81, not 80",
                "ingress[3].None.None: requires port 82, not 80",
                "ingress[1].0.None: requires namespace label team=x, namespace has team=y",
                "ingress[0].0.None: requires 192.0.2.0/24, not 10.0.1.1",
            ],
            id="the closest rule first: port, namespace, address; in the policy's order where they are as close",
        ),
        pytest.param(
            "[{from: [{podSelector: {matchLabels: {run: web}}}]}, {from: [{podSelector: {}}]}, "
            f"{{from: [{ALL}], ports: [{{port: 81}}]}}, {{from: [{SAN}]}}, {{from: [{TEAM_X_SAN}]}}, "
            "{from: [{podSelector: {matchExpressions: [{key: run, operator: NotIn, values: [x]}]}}]}]",
            "lab/cat",
            "80",
            [
                "ingress[3].0.None: requires a pod in namespace shop, this one is in lab",
                "ingress[4].0.None: requires namespace label team=x, namespace has team=y",
                "ingress[2].0.None: requires port 81, not 80",
                "ingress[1].0.None: requires a pod in namespace shop, this one is in lab",
                "ingress[5].0.None: requires a pod in namespace shop, this one is in lab",
                (
                    "ingress[0].0.None: requires a pod in namespace shop, this one is in lab; "
                    "requires label run=web, pod has run=san"
                ),
            ],
            id="a rule that names the pod by its labels, and misses its namespace, before those that don't name it",
        ),
        pytest.param(
            f"[{{from: [{SAN_ELSEWHERE}]}}, {{from: [{SAN}], ports: [{{port: 81}}]}}]",
            "shop/san",
            "80",
            [
                "ingress[1].0.None: requires port 81, not 80",
                "ingress[0].0.None: requires namespace label team=y, namespace has team=x",
            ],
            id="of two that name the pod, the one that misses a port before the one that misses a namespace",
        ),
        pytest.param(
            f"[{{from: [{SAN}]}}, {{from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}]}}]",
            "192.0.2.1",
            "80",
            [
                "ingress[1].0.None: requires 203.0.113.0/24, not 192.0.2.1",
                "ingress[0].0.None: requires a pod, not 192.0.2.1",
            ],
            id="for an address, an ipBlock is closer than a pod",
        ),
        pytest.param("[]", "shop/san", "80", [], id="a policy without rules"),
    ],
)
def test_what_every_rule_misses(rules: str, peer: str, port: str, misses: list[str]) -> None:
    snapshot = with_rules(rules)
    found = near_misses(snapshot, rules_of(snapshot), reading(snapshot, peer, port))
    assert [
        f"ingress[{near.rule.position}].{near.peer}.{near.port}: {near_miss_text(near)}" for near in found
    ] == misses


def test_rules_that_miss_as_much_are_in_the_order_in_which_they_were_read() -> None:
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": 81}]}]}
    snapshot = snapshot_of({**CLUSTER, "policies": {"shop/z": spec, "shop/a": spec}})
    found = near_misses(snapshot, rules_of(snapshot), reading(snapshot, "shop/san", "80"))
    assert [near.policy.name for near in found] == ["z", "a"]


def test_a_port_name_of_another_protocol_is_missed_as_a_name() -> None:
    snapshot = with_rules("[{ports: [{port: http, protocol: UDP}]}]")
    (near,) = near_misses(snapshot, rules_of(snapshot), reading(snapshot, "shop/san", "8080/UDP"))
    assert near_miss_text(near).startswith("requires port http, ")


def test_a_port_name_is_missed_where_the_destination_is_not_a_pod() -> None:
    snapshot = with_rules("[{ports: [{port: http}]}]")
    seen = reading(snapshot, "shop/san", "8080")._replace(destination=None)
    (near,) = near_misses(snapshot, rules_of(snapshot), seen)
    assert near_miss_text(near) == "requires port http, the destination has no port of that name"


TIER_CLUSTER = yaml.safe_load("""
namespaces: {shop: {team: x, env: prod}, lab: {team: y, env: prod}, bare: {}}
unread: [dark]
live: true
nodes: {n1: [192.0.2.1, 198.51.100.1], n2: [192.0.2.2]}
node_labels: {n1: {zone: a}}
pods:
  shop/web: {labels: {run: web}, ip: 10.0.0.2, ports: http=8080 dns=53/UDP}
  shop/host: {labels: {run: web}, ip: 192.0.2.1, node: n1, host_network: true, ports: http=8080}
  shop/new: {labels: {run: new}, planned: true}
  shop/new-host: {labels: {run: new}, planned: true, host_network: true}
  lab/cat: {labels: {run: san}, ip: 10.0.1.1}
  bare/cat: {labels: {run: san}, ip: 10.0.3.1}
  dark/far: {labels: {run: far}, ip: 10.0.2.1}
""")
V1ALPHA1 = "policy.networking.k8s.io/v1alpha1"
BAD = "{matchExpressions: [{key: a, operator: In}]}"


def with_tier(rule: str, direction: str = "egress", **more: Any) -> Snapshot:
    """A policy of the Admin tier for all pods, in the version that has every kind of peer."""
    head = {"apiVersion": V1ALPHA1, "kind": "AdminNetworkPolicy", "metadata": {"name": "p"}}
    spec = {"priority": 1, "subject": {"namespaces": {}}, direction: [yaml.safe_load(rule)]}
    return snapshot_of({**TIER_CLUSTER, "objects": [{**head, "spec": spec}], **more})


@pytest.mark.parametrize(
    ("peer", "end", "wanted"),
    [
        pytest.param("{namespaces: {}}", "lab/cat", True, id="every pod"),
        pytest.param("{namespaces: {}}", "192.0.2.1", False, id="namespaces match no address"),
        pytest.param("{namespaces: {}}", "host", False, id="namespaces match no host name"),
        pytest.param(
            "{namespaces: {matchLabels: {team: x}}}", "dark/far", "namespace-labels-unknown", id="labels unread"
        ),
        pytest.param("{networks: [10.0.0.0/16, 10.8.0.0/16]}", "lab/cat", True, id="a network with a pod in it"),
        pytest.param("{networks: [10.8.0.0/16, 10.9.0.0/16]}", "lab/cat", False, id="networks without the pod"),
        pytest.param("{networks: [10.8.0.0/16, 10.9.0.0/16]}", "10.9.0.1", True, id="an address in the second network"),
        pytest.param("{networks: [10.8.0.0/16]}", "shop/new", "pod-address-unknown", id="a pod without an address"),
        pytest.param("{networks: [10.8.0.0/16]}", "host", "host-name", id="a host name"),
        pytest.param("{nodes: {}}", "192.0.2.2", True, id="a node's address"),
        pytest.param("{nodes: {matchLabels: {zone: a}}}", "198.51.100.1", True, id="its second address"),
        pytest.param("{nodes: {matchLabels: {zone: a}}}", "192.0.2.2", False, id="a node without the label"),
        pytest.param("{nodes: {}}", "203.0.113.1", False, id="an address outside is no node's"),
        pytest.param("{nodes: {}}", "lab/cat", False, id="a pod is no node"),
        pytest.param("{nodes: {}}", "shop/new", False, id="not even one without an address"),
        pytest.param(
            "{nodes: {matchLabels: {zone: a}}}", "shop/host", True, id="a pod on the host network is its node"
        ),
        pytest.param("{nodes: {}}", "shop/new-host", "pod-address-unknown", id="one without an address may be any"),
        pytest.param("{domainNames: [example.com]}", "203.0.113.1", "domain-name", id="an address may be a name's"),
        pytest.param("{domainNames: [example.com]}", "host", "domain-name", id="a host name may be the name"),
        pytest.param("{domainNames: [example.com]}", "shop/host", "domain-name", id="a node may have the name"),
        pytest.param("{domainNames: [example.com]}", "lab/cat", False, id="a pod has no name outside"),
        pytest.param(
            "{domainNames: [example.com, web.shop.svc.cluster.local]}", "lab/cat", "domain-name", id="a name inside"
        ),
        pytest.param("{namespaces: {sameLabels: [team, env]}}", "shop/web", True, id="the same labels"),
        pytest.param("{namespaces: {sameLabels: [team, env]}}", "lab/cat", False, id="one of them differs"),
        pytest.param("{namespaces: {notSameLabels: [team, env]}}", "lab/cat", True, id="which is enough for others"),
        pytest.param("{namespaces: {notSameLabels: [env]}}", "lab/cat", False, id="none differs"),
        pytest.param("{namespaces: {notSameLabels: [env]}}", "bare/cat", False, id="no such label"),
        pytest.param("{namespaces: {sameLabels: []}}", "shop/web", False, id="no label is named"),
        pytest.param("{namespaces: {sameLabels: [team]}}", "dark/far", "namespace-labels-unknown", id="labels unknown"),
        pytest.param(
            "{namespaces: {sameLabels: [kubernetes.io/metadata.name]}}", "dark/far", False, id="the name is known"
        ),
        pytest.param(
            "{pods: {namespaces: {sameLabels: [env]}, podSelector: {matchLabels: {run: web}}}}",
            "lab/cat",
            False,
            id="the podSelector beside them counts",
        ),
        pytest.param(
            f"{{namespaces: {BAD}}}", "lab/cat", "selector-not-evaluated", id="a selector that is no selector"
        ),
        pytest.param(f"{{namespaces: {BAD}}}", "203.0.113.1", False, id="it selects no address"),
        pytest.param(
            f"{{pods: {{namespaceSelector: {BAD}, podSelector: {{matchLabels: {{run: web}}}}}}}}",
            "lab/cat",
            False,
            id="the podSelector beside it counts",
        ),
        pytest.param(f"{{nodes: {BAD}}}", "192.0.2.2", "selector-not-evaluated", id="nodes that can't be selected"),
        pytest.param(f"{{nodes: {BAD}}}", "lab/cat", False, id="no pod is one of them"),
    ],
)
def test_whether_a_peer_of_a_tier_matches_an_end(peer: str, end: str, wanted: bool | str) -> None:  # noqa: FBT001
    snapshot = with_tier(f"{{action: Deny, to: [{peer}]}}")
    (policy,) = snapshot.tiered
    seen = reading(snapshot, end, "80")
    matched = peer_matches(
        snapshot, policy, policy.rules[0].peers[0], seen.pod, seen.address, subject=pod(snapshot, "shop/web")
    )
    assert (matched.code.value if isinstance(matched, Note) else matched) == wanted


@pytest.mark.parametrize(
    ("peer", "gaps", "message"),
    [
        pytest.param(
            "{domainNames: [example.com, '*.example.org']}",
            [],
            "a rule about example.com, *.example.org decides, and which addresses that is, is unknown",
            id="names",
        ),
        pytest.param(
            "{nodes: {}}", [Gap("nodes", None, "you may not list nodes")], "you may not list nodes", id="unread nodes"
        ),
    ],
)
def test_why_it_is_not_known_whether_an_address_matches(peer: str, gaps: list[Gap], message: str) -> None:
    read = with_tier(f"{{action: Deny, to: [{peer}]}}")
    (policy,) = read.tiered
    snapshot = Snapshot(pods=read.pods, tiered=read.tiered, gaps=gaps)
    matched = peer_matches(snapshot, policy, policy.rules[0].peers[0], None, "203.0.113.1")
    assert isinstance(matched, Note)
    assert matched.message == message


@pytest.mark.parametrize("end", ["lab/cat", "203.0.113.1", "host"])
def test_a_peer_of_a_kind_that_is_not_known_may_be_anything(end: str) -> None:
    snapshot = with_tier("{action: Deny, to: [{services: {}}], ports: [{portNumber: {port: 1}}]}")
    (policy,) = snapshot.tiered
    seen = reading(snapshot, end, "80")
    match = match_rule(snapshot, policy, policy.rules[1], seen)
    assert isinstance(match, Note)
    assert match.message == (
        "adminnetworkpolicy.policy.networking.k8s.io/p has a peer that can't be evaluated: its kind is not known"
    )


def test_without_the_subject_its_labels_are_not_known() -> None:
    snapshot = with_tier("{action: Deny, to: [{namespaces: {sameLabels: [team]}}]}")
    (policy,) = snapshot.tiered
    matched = peer_matches(snapshot, policy, policy.rules[0].peers[0], pod(snapshot, "lab/cat"), None)
    assert isinstance(matched, Note)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        pytest.param({"nodes": {}}, "nodes-unknown", id="manifests without nodes"),
        pytest.param(
            {"gaps": [{"resource": "nodes", "namespace": None, "message": "no"}]},
            "permission-missing",
            id="no permission",
        ),
        pytest.param({}, None, id="nodes were read"),
    ],
)
def test_whether_an_address_is_a_nodes(more: dict[str, Any], wanted: str | None) -> None:
    snapshot = with_tier("{action: Deny, to: [{nodes: {}}]}", **more)
    (policy,) = snapshot.tiered
    match = match_rule(snapshot, policy, policy.rules[0], reading(snapshot, "203.0.113.1", "80"))
    assert (match.code.value if isinstance(match, Note) else match) == wanted


@pytest.mark.parametrize(
    ("ports", "port", "wanted"),
    [
        pytest.param("[{namedPort: http}]", "8080", 0, id="a name has its protocol"),
        pytest.param("[{namedPort: http}]", "8080/UDP", None, id="and no other"),
        pytest.param("[{namedPort: http}, {namedPort: dns}]", "53/UDP", 1, id="another name, another protocol"),
        pytest.param("[{namedPort: dns}]", "53", None, id="a name of UDP is none of TCP"),
        pytest.param("[{namedPort: ''}]", "8080", None, id="no port has an empty name"),
        pytest.param("[{portRange: {start: 90, end: 80}}]", "85", None, id="a range of nothing"),
        pytest.param("[{portNumber: {protocol: tcp, port: 80}}]", "80", None, id="no protocol is in lower case"),
    ],
)
def test_which_port_of_a_tiers_rule_covers_a_port(ports: str, port: str, wanted: int | None) -> None:
    snapshot = with_tier(f"{{action: Deny, from: [{{namespaces: {{}}}}], ports: {ports}}}", "ingress")
    seen = reading(snapshot, "lab/cat", port)
    assert matching_port(snapshot.tiered[0].rules[0], seen.port, seen.protocol, seen.destination) == wanted


@pytest.mark.parametrize(
    ("rule", "end", "miss"),
    [
        pytest.param("to: [{namespaces: {}}]", "203.0.113.1", "requires a pod, not 203.0.113.1", id="a pod"),
        pytest.param("to: [{namespaces: {}}]", "shop/host", "requires a pod, not 192.0.2.1", id="not the host network"),
        pytest.param(
            "to: [{namespaces: {matchLabels: {team: x}}}]",
            "lab/cat",
            "requires namespace label team=x, namespace has team=y",
            id="a label of the namespace",
        ),
        pytest.param(
            "to: [{networks: [10.8.0.0/16, 10.9.0.0/16]}]",
            "lab/cat",
            "requires 10.8.0.0/16, 10.9.0.0/16, not 10.0.1.1",
            id="networks",
        ),
        pytest.param("to: [{nodes: {}}]", "lab/cat", "requires the address of a node, not 10.0.1.1", id="nodes"),
        pytest.param(
            "to: [{nodes: {matchLabels: {zone: a}}}]",
            "192.0.2.2",
            "requires the address of a node zone=a, not 192.0.2.2",
            id="nodes by label",
        ),
        pytest.param(
            "to: [{domainNames: [example.com, example.org]}]",
            "203.0.113.1",
            "requires an address of example.com, example.org, not 203.0.113.1",
            id="domain names",
        ),
        pytest.param(
            "to: [{namespaces: {sameLabels: [team, env]}}]",
            "lab/cat",
            "requires namespace label team=x,env=prod, namespace has team=y,env=prod",
            id="the same labels",
        ),
        pytest.param(
            "to: [{namespaces: {notSameLabels: [team]}}]",
            "shop/web",
            "requires namespace label team!=x, namespace has team=x",
            id="other labels",
        ),
        pytest.param(
            "to: [{namespaces: {notSameLabels: [team]}}]",
            "bare/cat",
            "requires namespace label team!=x, namespace has no label team",
            id="other labels than none",
        ),
        pytest.param(
            "to: [{namespaces: {sameLabels: []}}]",
            "lab/cat",
            "requires namespace label of an empty list, namespace has no such label",
            id="no label at all",
        ),
        pytest.param(
            "to: [{namespaces: {sameLabels: [env]}}], ports: [{portNumber: {port: 81}}]",
            "lab/cat",
            "requires port 81, not 80",
            id="the port alone where the labels are the same",
        ),
        pytest.param(
            "to: [{namespaces: {}}], ports: [{portNumber: {protocol: tcp, port: 80}}]",
            "lab/cat",
            "requires tcp, not TCP",
            id="the protocol",
        ),
        pytest.param(
            "to: [{namespaces: {}}], ports: [{namedPort: http}]",
            "lab/cat",
            "requires port http (8080), not 80",
            id="a port name",
        ),
    ],
)
def test_what_a_rule_of_a_tier_misses(rule: str, end: str, miss: str) -> None:
    snapshot = with_tier(f"{{action: Allow, {rule}}}")
    (policy,) = snapshot.tiered
    seen = reading(snapshot, end, "80")._replace(subject=pod(snapshot, "shop/web"))
    (near,) = near_misses(snapshot, [(policy, policy.rules[0])], seen)
    assert near_miss_text(near) == miss
