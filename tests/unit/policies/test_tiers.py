"""Policies of the Admin and Baseline tiers: what each field means, and what the API server would refuse."""

from __future__ import annotations

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.manifests.yaml_text import load_all
from kubectl_netpol.model.policies import Action, Direction, IPBlock, Peer, Policy, Rule, Tier
from kubectl_netpol.model.ports import NamedPort, PortRange
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from kubectl_netpol.policies.tiers import read_tiered

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
ALL = LabelSelector()
CNP, ANP, BANP = "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"
AMAZON = "AmazonClusterNetworkPolicy"
HEAD = {
    CNP: "tier: Admin, priority: 1",
    ANP: "priority: 1",
    BANP: "",
    AMAZON: "tier: Admin, priority: 1",
}
ACTION = {CNP: "Accept", ANP: "Allow", BANP: "Allow", AMAZON: "Accept"}


def read(kind: str, spec: str, *, name: str = "default", lenient: bool = False) -> Policy:
    (item,) = load_all(f"spec: {spec}", "policy.yaml")
    return read_tiered(kind, item, {"creationTimestamp": "2026-01-01T00:00:00Z"}, name, lenient=lenient)


def with_rules(kind: str, rules: str, subject: str = "{namespaces: {}}", *, lenient: bool = False) -> Policy:
    head = ", ".join(filter(None, (HEAD[kind], f"subject: {subject}", rules)))
    return read(kind, f"{{{head}}}", lenient=lenient)


def to_peer(kind: str, peer: str, *, lenient: bool = False) -> tuple[Peer, ...]:
    rules = with_rules(kind, f"egress: [{{action: {ACTION[kind]}, to: [{peer}]}}]", lenient=lenient).rules
    return rules[0].peers


def on_port(kind: str, port: str) -> PortRange | NamedPort:
    field = "protocols" if kind == CNP else "ports"
    rule = f"{{action: {ACTION[kind]}, from: [{{namespaces: {{}}}}], {field}: [{port}]}}"
    (found,) = with_rules(kind, f"ingress: [{rule}]").rules[0].ports
    return found


def test_a_policy_with_everything() -> None:
    policy = read(
        CNP,
        "{tier: Baseline, priority: 7, subject: {pods: {namespaceSelector: {matchLabels: {team: x}}, "
        "podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [db]}]}}}, "
        "ingress: [{name: in, action: Pass, from: [{namespaces: {matchLabels: {team: b}}}], protocols: [{tcp: "
        "{destinationPort: {number: 80}}}]}, {action: Accept, from: [{namespaces: {}}]}], "
        "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}, {nodes: {}}, {domainNames: [example.com]}]}]}",
        name="p",
    )
    everyone = Peer(ALL)
    assert policy == Policy(
        namespace="",
        name="p",
        pod_selector=parse_selector("app!=db"),
        directions=(INGRESS, EGRESS),
        rules=(
            Rule(INGRESS, 0, (Peer(parse_selector("team=b")),), (PortRange("TCP", 80, 80),), Action.PASS, "in"),
            Rule(INGRESS, 1, (everyone,), (), Action.ALLOW),
            Rule(
                EGRESS,
                0,
                (
                    Peer(networks=(IPBlock("10.0.0.0/8"),)),
                    Peer(node_selector=ALL),
                    Peer(domain_names=("example.com",)),
                ),
                (),
                Action.DENY,
            ),
        ),
        changed="2026-01-01T00:00:00Z",
        kind=CNP,
        namespace_selector=parse_selector("team=x"),
        tier=Tier.BASELINE,
        priority=7,
    )
    assert policy.title == "clusternetworkpolicy.policy.networking.k8s.io/p"


@pytest.mark.parametrize(
    ("kind", "spec", "tier", "priority"),
    [
        pytest.param(CNP, "{tier: Admin, priority: 0}", Tier.ADMIN, 0, id="the lowest number in the Admin tier"),
        pytest.param(CNP, "{tier: Baseline, priority: 1000}", Tier.BASELINE, 1000, id="the highest one in Baseline"),
        pytest.param(AMAZON, "{tier: Baseline, priority: 5}", Tier.BASELINE, 5, id="Amazon's kind names its tier too"),
        pytest.param(ANP, "{priority: 5}", Tier.ADMIN, 5, id="an AdminNetworkPolicy is of the Admin tier"),
        pytest.param(BANP, "{}", Tier.BASELINE, 0, id="a BaselineAdminNetworkPolicy of Baseline, without a number"),
    ],
)
def test_tier_and_priority(kind: str, spec: str, tier: Tier, priority: int) -> None:
    policy = read(kind, f"{spec[:-1]}{', ' if spec != '{}' else ''}subject: {{namespaces: {{}}}}}}")
    assert (policy.tier, policy.priority) == (tier, priority)


@pytest.mark.parametrize(
    ("rules", "directions"),
    [
        pytest.param("", (), id="a policy without any rule"),
        pytest.param("ingress: [], egress: null", (), id="empty lists are no rules"),
        pytest.param("ingress: [{action: Deny, from: [{namespaces: {}}]}]", (INGRESS,), id="rules for ingress"),
        pytest.param("egress: [{action: Deny, to: [{namespaces: {}}]}]", (EGRESS,), id="rules for egress"),
    ],
)
def test_a_policy_touches_the_directions_that_it_has_rules_for(rules: str, directions: tuple[Direction, ...]) -> None:
    assert with_rules(CNP, rules).directions == directions


@pytest.mark.parametrize(
    ("kind", "subject", "namespaces", "pods"),
    [
        pytest.param(CNP, "{namespaces: {}}", ALL, ALL, id="every pod"),
        pytest.param(
            ANP, "{namespaces: {matchLabels: {team: x}}}", parse_selector("team=x"), ALL, id="pods of some namespaces"
        ),
        pytest.param(
            ANP,
            "{pods: {namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: web}}}}",
            parse_selector("team=x"),
            parse_selector("app=web"),
            id="some pods of some namespaces",
        ),
        pytest.param(
            CNP,
            "{pods: {podSelector: {matchLabels: {app: web}}}}",
            ALL,
            parse_selector("app=web"),
            id="without namespaceSelector, pods of all namespaces",
        ),
        pytest.param(
            CNP, "{pods: {namespaceSelector: null, podSelector: {}}}", ALL, ALL, id="null is an absent selector"
        ),
        pytest.param(CNP, "{namespaces: {}, pods: null}", ALL, ALL, id="a null field is an absent one"),
    ],
)
def test_a_subject(kind: str, subject: str, namespaces: LabelSelector, pods: LabelSelector) -> None:
    policy = with_rules(kind, "", subject)
    assert (policy.namespace_selector, policy.pod_selector, policy.unreadable) == (namespaces, pods, None)


@pytest.mark.parametrize(
    ("kind", "peer", "found"),
    [
        pytest.param(CNP, "{namespaces: {}}", Peer(ALL), id="every pod"),
        pytest.param(CNP, "{pods: {podSelector: {}}}", Peer(ALL, ALL), id="pods without namespaceSelector"),
        pytest.param(
            ANP,
            "{pods: {namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: web}}}}",
            Peer(parse_selector("team=x"), parse_selector("app=web")),
            id="pods of namespaces",
        ),
        pytest.param(
            CNP,
            '{networks: [10.0.0.0/8, "fd00::/8", "::ffff:10.0.0.0/104"]}',
            Peer(networks=(IPBlock("10.0.0.0/8"), IPBlock("fd00::/8"), IPBlock("::ffff:10.0.0.0/104"))),
            id="networks of both families, as written",
        ),
        pytest.param(
            ANP, "{networks: [10.0.0.9/8]}", Peer(networks=(IPBlock("10.0.0.9/8"),)), id="v1alpha1 takes host bits"
        ),
        pytest.param(
            BANP, "{nodes: {matchLabels: {a: b}}}", Peer(node_selector=parse_selector("a=b")), id="nodes by label"
        ),
        pytest.param(
            AMAZON,
            '{domainNames: ["*.example.com", a.b.]}',
            Peer(domain_names=("*.example.com", "a.b.")),
            id="domain names, with a star and with a dot at the end",
        ),
        pytest.param(
            ANP,
            "{namespaces: {namespaceSelector: {matchLabels: {team: a}}}}",
            Peer(parse_selector("team=a")),
            id="before 0.1.3: namespaces in an object of their own",
        ),
        pytest.param(
            BANP,
            "{namespaces: {namespaceSelector: {}}}",
            Peer(ALL),
            id="before 0.1.3: all namespaces",
        ),
        pytest.param(
            ANP,
            "{pods: {namespaces: {namespaceSelector: {matchLabels: {team: a}}}, podSelector: {matchLabels: {app: b}}}}",
            Peer(parse_selector("team=a"), parse_selector("app=b")),
            id="before 0.1.3: pods of such namespaces",
        ),
        pytest.param(
            ANP, "{namespaces: {sameLabels: [team, env]}}", Peer(same_labels=("team", "env")), id="the same labels"
        ),
        pytest.param(
            ANP,
            "{pods: {namespaces: {notSameLabels: [team]}, podSelector: {matchLabels: {app: b}}}}",
            Peer(None, parse_selector("app=b"), other_labels=("team",)),
            id="pods of namespaces with other labels",
        ),
        pytest.param(ANP, "{namespaces: {sameLabels: []}}", Peer(same_labels=()), id="no label at all"),
    ],
)
def test_a_peer(kind: str, peer: str, found: Peer) -> None:
    assert to_peer(kind, peer) == (found,)


@pytest.mark.parametrize(
    ("kind", "port", "found"),
    [
        pytest.param(CNP, "{tcp: {destinationPort: {number: 80}}}", PortRange("TCP", 80, 80), id="TCP by number"),
        pytest.param(CNP, "{udp: {destinationPort: {number: 53}}}", PortRange("UDP", 53, 53), id="UDP by number"),
        pytest.param(
            CNP,
            "{sctp: {destinationPort: {range: {start: 1, end: 65535}}}}",
            PortRange("SCTP", 1, 65535),
            id="SCTP in a range",
        ),
        pytest.param(CNP, "{destinationNamedPort: http}", NamedPort(None, "http"), id="a name, which has a protocol"),
        pytest.param(CNP, '{destinationNamedPort: ""}', NamedPort(None, ""), id="an empty name is taken"),
        pytest.param(ANP, "{portNumber: {protocol: UDP, port: 53}}", PortRange("UDP", 53, 53), id="v1alpha1: a number"),
        pytest.param(BANP, "{portNumber: {port: 80}}", PortRange("TCP", 80, 80), id="v1alpha1: TCP by default"),
        pytest.param(
            ANP, '{portNumber: {protocol: "", port: 80}}', PortRange("TCP", 80, 80), id="v1alpha1: TCP for an empty one"
        ),
        pytest.param(
            AMAZON, "{portRange: {start: 80, end: 90}}", PortRange("TCP", 80, 90), id="v1alpha1: a range, TCP"
        ),
        pytest.param(
            ANP,
            "{portRange: {protocol: SCTP, start: 90, end: 80}}",
            PortRange("SCTP", 90, 80),
            id="v1alpha1: a range of nothing is taken",
        ),
        pytest.param(
            ANP, "{portNumber: {protocol: tcp, port: 80}}", PortRange("tcp", 80, 80), id="v1alpha1: any protocol"
        ),
        pytest.param(BANP, "{namedPort: http}", NamedPort(None, "http"), id="v1alpha1: a name"),
    ],
)
def test_a_port(kind: str, port: str, found: PortRange | NamedPort) -> None:
    assert on_port(kind, port) == found


def test_null_protocols_are_every_protocol() -> None:
    rules = with_rules(CNP, "ingress: [{action: Deny, from: [{namespaces: {}}], protocols: null}]").rules
    assert rules[0].ports == ()


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param("{key: a, operator: notIn, values: [b]}", 'DoesNotExist, got "notIn"', id="operator"),
        pytest.param("{key: a, operator: In}", "values: In requires at least one value", id="In without values"),
        pytest.param("{key: a, operator: Exists, values: [b]}", "Exists takes no values", id="Exists with values"),
        pytest.param("{key: a b, operator: Exists}", 'invalid label key "a b"', id="a key that no label can have"),
    ],
)
def test_a_selector_that_nobody_can_evaluate_is_taken_and_the_rest_of_it_counts(expression: str, reason: str) -> None:
    bad = f"{{matchExpressions: [{expression}]}}"
    good = "{matchLabels: {team: x}}"
    subject = with_rules(CNP, "", f"{{pods: {{namespaceSelector: {good}, podSelector: {bad}}}}}")
    assert (subject.namespace_selector, subject.pod_selector) == (parse_selector("team=x"), ALL)
    assert subject.unreadable
    assert reason in subject.unreadable
    for kind, peer, path, selectors in (
        (CNP, f"{{namespaces: {bad}}}", "namespaces", Peer(ALL)),
        (ANP, f"{{namespaces: {{namespaceSelector: {bad}}}}}", "namespaces.namespaceSelector", Peer(ALL)),
        (
            CNP,
            f"{{pods: {{namespaceSelector: {good}, podSelector: {bad}}}}}",
            "pods.podSelector",
            Peer(parse_selector("team=x"), ALL),
        ),
        (
            CNP,
            f"{{pods: {{namespaceSelector: {bad}, podSelector: {good}}}}}",
            "pods.namespaceSelector",
            Peer(ALL, parse_selector("team=x")),
        ),
        (
            ANP,
            f"{{pods: {{namespaces: {{sameLabels: [a]}}, podSelector: {bad}}}}}",
            "pods.podSelector",
            Peer(None, ALL, same_labels=("a",)),
        ),
        (BANP, f"{{nodes: {bad}}}", "nodes", Peer(node_selector=ALL)),
    ):
        (found,) = to_peer(kind, peer)
        assert found._replace(unreadable=None) == selectors
        assert found.unreadable
        assert found.unreadable.startswith(f"spec.egress[0].to[0].{path}.matchExpressions[0]")
        assert reason in found.unreadable


def test_why_a_subject_can_t_be_evaluated() -> None:
    policy = with_rules(CNP, "", "{namespaces: {matchLabels: {a: b c}}}")
    assert policy.unreadable
    assert policy.unreadable.startswith('spec.subject.namespaces.matchLabels: invalid label value "b c": must be')


@pytest.mark.parametrize(
    ("kind", "action", "ports", "found"),
    [
        pytest.param(CNP, "Accept", "", (), id="an Accept matches nothing"),
        pytest.param(CNP, "Deny", "", (Rule(EGRESS, 0, action=Action.DENY),), id="a Deny denies everything"),
        pytest.param(CNP, "Pass", "", (Rule(EGRESS, 0, action=Action.DENY),), id="so does a Pass"),
        pytest.param(
            CNP,
            "Deny",
            ", protocols: [{destinationNamedPort: http}]",
            (
                Rule(EGRESS, 0, (), (NamedPort(None, "http"),), Action.DENY),
                Rule(EGRESS, 0, (Peer(unreadable="its kind is not known"),), (), Action.DENY),
            ),
            id="on other ports than its own that is open",
        ),
        pytest.param(
            ANP,
            "Pass",
            ", ports: [{portNumber: {port: 80}}]",
            (
                Rule(EGRESS, 0, (), (PortRange("TCP", 80, 80),), Action.DENY),
                Rule(EGRESS, 0, (Peer(unreadable="its kind is not known"),), (), Action.DENY),
            ),
            id="in v1alpha1 too",
        ),
    ],
)
@pytest.mark.parametrize("peer", [pytest.param("{}", id="dropped"), pytest.param("{services: {}}", id="not known")])
def test_a_rule_with_a_peer_of_a_kind_that_is_not_known(
    peer: str, kind: str, action: str, ports: str, found: tuple[Rule, ...]
) -> None:
    rule = f"{{action: {action}, to: [{{namespaces: {{}}}}, {peer}]{ports}}}"
    assert with_rules(kind, f"egress: [{rule}]", lenient=True).rules == found
    if peer == "{}":
        assert with_rules(kind, f"egress: [{rule}]").rules == found, "in a file too"


EVERY = "{namespaces: {}}"
LONG = ", ".join([EVERY] * 26)


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        pytest.param(CNP, "{priority: 1, subject: {namespaces: {}}}", "spec.tier: is missing", id="no tier"),
        pytest.param(
            CNP,
            "{tier: admin, priority: 1, subject: {namespaces: {}}}",
            'spec.tier: must be Admin or Baseline, got "admin"',
            id="another tier",
        ),
        pytest.param(
            CNP,
            "{tier: [Admin], priority: 1, subject: {namespaces: {}}}",
            "spec.tier: must be Admin or Baseline, got a list",
            id="a list of tiers",
        ),
        pytest.param(
            ANP, "{tier: Admin, priority: 1}", 'spec: unknown field "tier"', id="a tier in an AdminNetworkPolicy"
        ),
        pytest.param(ANP, "{subject: {namespaces: {}}}", "spec.priority: is missing", id="no priority"),
        pytest.param(
            ANP,
            "{priority: 1001, subject: {namespaces: {}}}",
            "spec.priority: must be 0-1000, got 1001",
            id="a priority above 1000",
        ),
        pytest.param(
            ANP,
            "{priority: -1, subject: {namespaces: {}}}",
            "spec.priority: must be 0-1000, got -1",
            id="a negative priority",
        ),
        pytest.param(BANP, "{priority: 1}", 'spec: unknown field "priority"', id="a priority in Baseline of v1alpha1"),
        pytest.param(CNP, "{tier: Admin, priority: 1}", "spec.subject: is missing", id="no subject"),
        pytest.param(
            BANP,
            "{subject: {}}",
            "spec.subject: must have exactly one of namespaces, pods, got none",
            id="an empty subject",
        ),
        pytest.param(
            BANP,
            "{subject: {namespaces: {}, pods: {namespaceSelector: {}, podSelector: {}}}}",
            "spec.subject: must have exactly one of namespaces, pods, got namespaces and pods",
            id="a subject of both kinds",
        ),
        pytest.param(
            CNP,
            "{tier: Admin, priority: 1, subject: {pods: {namespaceSelector: {}}}}",
            "spec.subject.pods.podSelector: is missing",
            id="a subject without podSelector",
        ),
        pytest.param(
            BANP,
            "{subject: {pods: {podSelector: {}}}}",
            "spec.subject.pods.namespaceSelector: is missing",
            id="v1alpha1: a subject without namespaceSelector",
        ),
        pytest.param(
            BANP,
            "{subject: {namespaces: {namespaceSelector: {}}}}",
            'spec.subject.namespaces: unknown field "namespaceSelector"',
            id="a subject was never in an object of its own",
        ),
        pytest.param(
            CNP,
            "{tier: Admin, priority: 1, subject: {namespaces: {matchExpressions: [{key: a}]}}}",
            "spec.subject.namespaces.matchExpressions[0].operator: must be one of In, NotIn, Exists, DoesNotExist, "
            "got null",
            id="an expression without operator",
        ),
        pytest.param(
            BANP, "{policyTypes: [Ingress]}", 'spec: unknown field "policyTypes"', id="fields of NetworkPolicy"
        ),
        pytest.param(BANP, "[]", "spec: expected an object, got a list", id="a list as spec"),
    ],
)
def test_a_spec_that_the_api_server_would_refuse(kind: str, spec: str, message: str) -> None:
    with pytest.raises(BadField) as error:
        read(kind, spec)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("kind", "rule", "message"),
    [
        pytest.param(CNP, f"to: [{EVERY}]", "egress[0].action: is missing", id="no action"),
        pytest.param(
            CNP,
            f"action: Allow, to: [{EVERY}]",
            'egress[0].action: must be one of Accept, Deny, Pass, got "Allow"',
            id="Allow in a ClusterNetworkPolicy",
        ),
        pytest.param(
            ANP,
            f"action: Accept, to: [{EVERY}]",
            'egress[0].action: must be one of Allow, Deny, Pass, got "Accept"',
            id="Accept in an AdminNetworkPolicy",
        ),
        pytest.param(
            BANP,
            f"action: Pass, to: [{EVERY}]",
            'egress[0].action: must be one of Allow, Deny, got "Pass"',
            id="Pass in a BaselineAdminNetworkPolicy",
        ),
        pytest.param(CNP, "action: Deny", "egress[0].to: is missing", id="no peers"),
        pytest.param(CNP, "action: Deny, to: []", "egress[0].to: is empty", id="an empty list of peers"),
        pytest.param(
            CNP, "action: Deny, from: [{namespaces: {}}]", 'egress[0]: unknown field "from"', id="from at egress"
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [null]",
            "egress[0].to[0]: must have exactly one of namespaces, pods, networks, nodes, domainNames, got none",
            id="a peer that is null",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{namespaces: null}]",
            "egress[0].to[0]: must have exactly one of namespaces, pods, networks, nodes, domainNames, got none",
            id="a null selector",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{namespaces: {}, nodes: {}}]",
            "egress[0].to[0]: must have exactly one of namespaces, pods, networks, nodes, domainNames, "
            "got namespaces and nodes",
            id="a peer of two kinds",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{namespace: {}}]",
            'egress[0].to[0]: unknown field "namespace"',
            id="a misspelt kind of peer",
        ),
        pytest.param(
            BANP,
            "action: Deny, to: [{domainNames: [a.b]}]",
            'egress[0].to[0]: unknown field "domainNames"',
            id="domain names in a BaselineAdminNetworkPolicy",
        ),
        pytest.param(
            AMAZON,
            "action: Deny, to: [{nodes: {}}]",
            'egress[0].to[0]: unknown field "nodes"',
            id="nodes in Amazon's kind",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{namespaces: {namespaceSelector: {}}}]",
            'egress[0].to[0].namespaces: unknown field "namespaceSelector"',
            id="the form before 0.1.3 in a ClusterNetworkPolicy",
        ),
        pytest.param(
            AMAZON,
            "action: Deny, to: [{pods: {namespaces: {namespaceSelector: {}}, podSelector: {}}}]",
            'egress[0].to[0].pods: unknown field "namespaces"',
            id="and in Amazon's kind",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{namespaces: {namespaceSelector: {}, sameLabels: [a]}}]",
            "egress[0].to[0].namespaces: must have exactly one of namespaceSelector, sameLabels, notSameLabels, "
            "got namespaceSelector and sameLabels",
            id="before 0.1.3: two of a kind",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{pods: {namespaces: {}, podSelector: {}}}]",
            "egress[0].to[0].pods.namespaces: must have exactly one of namespaceSelector, sameLabels, notSameLabels, "
            "got none",
            id="before 0.1.3: none",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{pods: {namespaces: {sameLabels: [a]}}}]",
            "egress[0].to[0].pods.podSelector: is missing",
            id="before 0.1.3: no podSelector",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{pods: {podSelector: {}}}]",
            "egress[0].to[0].pods.namespaceSelector: is missing",
            id="v1alpha1: pods without namespaceSelector",
        ),
        pytest.param(CNP, "action: Deny, to: [{networks: []}]", "egress[0].to[0].networks: is empty", id="no network"),
        pytest.param(
            CNP,
            "action: Deny, to: [{networks: [10.0.0.1]}]",
            'egress[0].to[0].networks[0]: invalid CIDR "10.0.0.1"',
            id="a bare address",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{networks: [10.0.0.0/8, 10.0.0.0/33]}]",
            'egress[0].to[0].networks[1]: invalid CIDR "10.0.0.0/33"',
            id="an invalid CIDR",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{networks: [10.0.0.9/8]}]",
            'egress[0].to[0].networks[0]: invalid CIDR "10.0.0.9/8": it has host bits',
            id="host bits",
        ),
        pytest.param(
            CNP,
            'action: Deny, to: [{networks: ["fd00::1/8"]}]',
            'egress[0].to[0].networks[0]: invalid CIDR "fd00::1/8": it has host bits',
            id="host bits of IPv6",
        ),
        pytest.param(
            ANP,
            "action: Deny, to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]",
            "egress[0].to[0].networks: lists one twice",
            id="a network listed twice",
        ),
        pytest.param(
            CNP,
            f"action: Deny, to: [{{networks: [{', '.join(f'10.{n}.0.0/16' for n in range(26))}]}}]",
            "egress[0].to[0].networks: has 26 items, at most 25 are allowed",
            id="more than 25 networks",
        ),
        pytest.param(
            CNP,
            "action: Accept, to: [{domainNames: [com]}]",
            'egress[0].to[0].domainNames[0]: invalid domain name "com"',
            id="a domain name of one label",
        ),
        pytest.param(
            CNP,
            'action: Accept, to: [{domainNames: ["*.com"]}]',
            'egress[0].to[0].domainNames[0]: invalid domain name "*.com"',
            id="one label after the star",
        ),
        pytest.param(
            CNP,
            "action: Accept, to: [{domainNames: [a..b]}]",
            'egress[0].to[0].domainNames[0]: invalid domain name "a..b"',
            id="an empty label",
        ),
        pytest.param(
            CNP,
            f"action: Deny, to: [{EVERY}], protocols: []",
            "egress[0].protocols: is empty",
            id="an empty list of protocols",
        ),
        pytest.param(
            CNP,
            f"action: Deny, to: [{EVERY}], ports: [{{portNumber: {{port: 80}}}}]",
            'egress[0]: unknown field "ports"',
            id="ports in a ClusterNetworkPolicy",
        ),
        pytest.param(
            CNP,
            "action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}]",
            "egress[0].protocols: a port name can't be combined with networks, nodes or domainNames",
            id="a port name beside networks",
        ),
        pytest.param(
            ANP,
            f"action: Deny, to: [{EVERY}, {{nodes: {{}}}}], ports: [{{namedPort: http}}]",
            "egress[0].ports: a port name can't be combined with networks, nodes or domainNames",
            id="a port name beside nodes",
        ),
        pytest.param(
            CNP,
            f"action: Deny, to: [{LONG}]",
            "egress[0].to: has 26 items, at most 25 are allowed",
            id="more than 25 peers",
        ),
        pytest.param(
            CNP,
            f"action: Deny, to: [{EVERY}], name: 8",
            "egress[0].name: expected a string, got 8",
            id="a number as name",
        ),
    ],
)
def test_a_rule_that_the_api_server_would_refuse(kind: str, rule: str, message: str) -> None:
    with pytest.raises(BadField) as error:
        with_rules(kind, f"egress: [{{{rule}}}]")
    assert str(error.value) == f"spec.{message}"


def test_a_rule_must_be_an_object() -> None:
    with pytest.raises(BadField, match=r'spec\.egress\[0\]: expected an object, got "x"'):
        with_rules(CNP, "egress: [x]")


@pytest.mark.parametrize("peer", ["networks: [10.0.0.0/8]", "nodes: {}", "domainNames: [a.b]"])
def test_addresses_at_ingress_are_refused(peer: str) -> None:
    with pytest.raises(BadField, match=r"spec\.ingress\[0\]\.from\[0\]: unknown field"):
        with_rules(CNP, f"ingress: [{{action: Deny, from: [{{{peer}}}]}}]")


@pytest.mark.parametrize(
    ("kind", "port", "message"),
    [
        pytest.param(
            CNP,
            "{}",
            ": must have exactly one of tcp, udp, sctp, destinationNamedPort, got none",
            id="an empty item",
        ),
        pytest.param(
            CNP,
            "{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}",
            ": must have exactly one of tcp, udp, sctp, destinationNamedPort, got tcp and udp",
            id="two protocols in one item",
        ),
        pytest.param(
            CNP,
            "{tcp: {}}",
            ".tcp.destinationPort: must have exactly one of number, range, got none",
            id="a protocol without port",
        ),
        pytest.param(
            CNP,
            "{tcp: {destinationPort: {}}}",
            ".tcp.destinationPort: must have exactly one of number, range, got none",
            id="an empty port",
        ),
        pytest.param(
            CNP,
            "{tcp: {destinationPort: {number: 80, range: {start: 1, end: 2}}}}",
            ".tcp.destinationPort: must have exactly one of number, range, got number and range",
            id="a number and a range",
        ),
        pytest.param(
            CNP,
            "{tcp: {destinationPort: {number: 0}}}",
            ".tcp.destinationPort.number: invalid port 0: must be 1-65535",
            id="port 0",
        ),
        pytest.param(
            CNP,
            "{udp: {destinationPort: {range: {start: 80, end: 80}}}}",
            ".udp.destinationPort.range: start 80 must be less than end 80",
            id="a range of one",
        ),
        pytest.param(
            CNP,
            "{udp: {destinationPort: {range: {start: 80}}}}",
            ".udp.destinationPort.range.end: is missing",
            id="a range without end",
        ),
        pytest.param(CNP, "{tcp: {port: 80}}", '.tcp: unknown field "port"', id="another field for the port"),
        pytest.param(
            ANP,
            "{portNumber: {port: 80}, namedPort: a}",
            ": must have exactly one of portNumber, portRange, namedPort, got portNumber and namedPort",
            id="v1alpha1: two in one item",
        ),
        pytest.param(
            ANP, "{portNumber: {port: 65536}}", ".portNumber.port: invalid port 65536: must be 1-65535", id="v1alpha1"
        ),
        pytest.param(BANP, "{portRange: {end: 80}}", ".portRange.start: is missing", id="v1alpha1: no start"),
        pytest.param(
            BANP, "{portNumber: {port: 80, end: 90}}", '.portNumber: unknown field "end"', id="v1alpha1: number and end"
        ),
        pytest.param(
            BANP, "{namedPort: 80}", ".namedPort: expected a string, got 80", id="v1alpha1: a number as a name"
        ),
    ],
)
def test_a_port_that_the_api_server_would_refuse(kind: str, port: str, message: str) -> None:
    with pytest.raises(BadField) as error:
        on_port(kind, port)
    assert str(error.value) == f"spec.ingress[0].{'protocols' if kind == CNP else 'ports'}[0]{message}"


@pytest.mark.parametrize(
    ("kind", "most"), [pytest.param(CNP, 25, id="ClusterNetworkPolicy"), pytest.param(ANP, 100, id="v1alpha1")]
)
def test_how_many_rules_peers_and_ports_there_may_be(kind: str, most: int) -> None:
    field, port = ("protocols", "{destinationNamedPort: a}") if kind == CNP else ("ports", "{namedPort: a}")

    def policy(rules: int, peers: int, ports: int) -> Policy:
        lists = f"from: [{', '.join([EVERY] * peers)}], {field}: [{', '.join([port] * ports)}]"
        rule = f"{{action: Deny, {lists}}}"
        return with_rules(kind, f"ingress: [{', '.join([rule] * rules)}]")

    assert len(policy(most, 1, 1).rules) == most
    assert len(policy(1, most, most).rules[0].ports) == most
    for wrong, counts in (("", (most + 1, 1, 1)), ("[0].from", (1, most + 1, 1)), (f"[0].{field}", (1, 1, most + 1))):
        with pytest.raises(BadField) as error:
            policy(*counts)
        assert str(error.value) == f"spec.ingress{wrong}: has {most + 1} items, at most {most} are allowed"


def test_a_baseline_admin_network_policy_must_be_named_default() -> None:
    with pytest.raises(BadField, match=r'metadata\.name: must be "default", got "other"'):
        read(BANP, "{subject: {namespaces: {}}}", name="other")


def test_an_unknown_field_of_the_object_is_refused() -> None:
    with pytest.raises(BadField, match='unknown field "sepc"'):
        read_tiered(CNP, {"sepc": {}}, {}, "p")


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        pytest.param("action: Deny, to: []", "for every pod write namespaces: {}", id="peers"),
        pytest.param(f"action: Deny, to: [{EVERY}], protocols: []", "for every port leave it out", id="protocols"),
        pytest.param("action: Deny, to: [{networks: [10.0.0.9/8]}]", "write 10.0.0.0/8", id="host bits"),
        pytest.param(
            "action: Deny, to: [{networks: [x]}]", "write an address range such as 10.0.0.0/8", id="no address range"
        ),
        pytest.param(
            "action: Deny, to: [{domainNames: [com]}]",
            "write a name of two labels or more, such as example.com or *.example.com",
            id="a domain name",
        ),
        pytest.param("action: Deny, to: [{namespace: {}}]", "did you mean namespaces?", id="a misspelt peer"),
        pytest.param("action: Deny, to: [{pods: {}}]", "for all pods write podSelector: {}", id="no podSelector"),
    ],
)
def test_the_error_says_what_to_write(rule: str, hint: str) -> None:
    with pytest.raises(BadField) as error:
        with_rules(CNP, f"egress: [{{{rule}}}]")
    assert error.value.hint == hint


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        pytest.param("{priority: 1}", "for all pods write namespaces: {}", id="no subject"),
        pytest.param(
            "{priority: 1, subject: {pods: {podSelector: {}}}}",
            "for all namespaces write namespaceSelector: {}",
            id="no namespaceSelector",
        ),
    ],
)
def test_the_error_about_a_subject_says_what_to_write(spec: str, hint: str) -> None:
    with pytest.raises(BadField) as error:
        read(ANP, spec)
    assert error.value.hint == hint
