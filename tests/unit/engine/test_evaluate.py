"""What a verdict consists of: both directions, the rules that allow or nearly do, the reason and the caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.engine.evaluate import evaluate, pod_problem
from kubectl_netpol.engine.layers import isolating_policies, layers_of
from kubectl_netpol.engine.verdict import Connection, Dialled, End, Note, Verdict
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.engine.verdict import ConnectionVerdict
    from kubectl_netpol.model.snapshot import Snapshot

CLUSTER = yaml.safe_load("""
nodes: {n1: [192.0.2.1], n2: [192.0.2.2]}
pods:
  a/src: {labels: {app: src}, ip: 10.0.0.1, node: n2}
  a/dst: {labels: {app: dst}, ip: 10.0.0.2, node: n2, ports: http=80}
  a/new: {labels: {app: new}, planned: true}
  a/host: {labels: {app: host}, ip: 192.0.2.9, host_network: true, node: n3}
  a/done: {labels: {app: dst}, ip: 10.0.0.4, phase: Failed}
  a/waiting: {labels: {app: dst}, phase: Pending}
""")
SRC, NEW, ANY = (
    "{podSelector: {matchLabels: {app: src}}}",
    "{podSelector: {matchLabels: {app: new}}}",
    "{podSelector: {}}",
)
UNEVALUATED = yaml.safe_load("""
  apiVersion: cilium.io/v2
  kind: CiliumClusterwideNetworkPolicy
  metadata: {name: wide}
  spec: {endpointSelector: {matchLabels: {app: dst}}, ingress: [{}]}
""")


def cluster(**policies: str) -> dict[str, Any]:
    """Policies by name, each the rest of a spec that selects app=dst."""
    select = "podSelector: {matchLabels: {app: dst}}"
    return {
        **CLUSTER,
        "policies": {f"a/{name}": yaml.safe_load(f"{{{select}, {rest}}}") for name, rest in policies.items()},
    }


def end(snapshot: Snapshot, name: str) -> End:
    if pod := snapshot.pod("a", name):
        return End(pod=pod, address=next(iter(pod.ips), None))
    if node := snapshot.node(name):
        return End(node=node, address=node.addresses[0])
    return End() if name == "host-name" else End(address=name)


def verdict_on(snapshot: Snapshot, ends: str, port: str = "80", dialled: Dialled | None = None) -> ConnectionVerdict:
    source, destination = (end(snapshot, name) for name in ends.split())
    number, _, protocol = port.partition("/")
    return evaluate(snapshot, Connection(source, destination, protocol or "TCP", int(number), dialled))


def sentence(note: Note | None) -> str | None:
    return note and f"{note.code}: {note.message}"


def sides(snapshot: Snapshot, ends: str) -> list[str]:
    """ "verdict, by the policies that isolate; the rules that match; the rules that don't" of egress and ingress."""
    found = verdict_on(snapshot, ends)
    return [
        f"{side.verdict.value}, {' '.join(policy.name for policy in side.isolated_by) or '-'}; "
        f"{' '.join(f'{m.policy.name}[{m.rule.position}] {m.peer} {m.port}' for m in side.allowed_by) or '-'}; "
        f"{' '.join(f'{n.policy.name}[{n.rule.position}]' for n in side.near_misses) or '-'}"
        for side in (found.egress, found.ingress)
    ]


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        pytest.param({}, "allowed, -; -; -", id="not isolated: allowed by no rule"),
        pytest.param({"p": "policyTypes: [Egress]"}, "allowed, -; -; -", id="isolated for egress only"),
        pytest.param({"p": "ingress: []"}, "blocked, p; -; -", id="isolated without rules: blocked"),
        pytest.param(
            {"p": f"ingress: [{{from: [{NEW}]}}, {{ports: [{{port: 81}}]}}]"},
            "blocked, p; -; p[0] p[1]",
            id="no rule matches: blocked, and every rule is a near miss",
        ),
        pytest.param(
            {"p": f"ingress: [{{from: [{NEW}]}}, {{from: [{NEW}, {SRC}], ports: [{{port: 1}}, {{port: 80}}]}}, {{}}]"},
            "allowed, p; p[1] 1 1 p[2] None None; -",
            id="every rule that matches is listed, and no near miss",
        ),
        pytest.param(
            {"q": "ingress: []", "p": f"ingress: [{{from: [{SRC}]}}]", "r": "ingress: [{}]"},
            "allowed, q p r; p[0] 0 None r[0] None None; -",
            id="the rules of all isolating policies, in the order they were read",
        ),
        pytest.param(
            {"p": "policyTypes: [Egress], ingress: [{}]"}, "allowed, -; -; -", id="rules that policyTypes leaves out"
        ),
    ],
)
def test_the_side_of_the_destination(policies: dict[str, str], wanted: str) -> None:
    assert sides(snapshot_of(cluster(**policies)), "src dst") == ["allowed, -; -; -", wanted]


def test_each_side_is_decided_by_the_policies_of_its_own_end() -> None:
    snapshot = snapshot_of(cluster(p="policyTypes: [Ingress, Egress], ingress: [{}], egress: []"))
    assert sides(snapshot, "src dst") == ["allowed, -; -; -", "allowed, p; p[0] None None; -"]
    assert sides(snapshot, "dst src") == ["blocked, p; -; -", "allowed, -; -; -"]


@pytest.mark.parametrize(
    ("policies", "ends", "reason"),
    [
        pytest.param({}, "src dst", None, id="allowed: none"),
        pytest.param(
            {"p": ""}, "src dst", "no-rule-allows: p isolates a/dst for ingress, and no rule lets it in", id="ingress"
        ),
        pytest.param(
            {"p": "", "q": "ingress: []"},
            "src dst",
            "no-rule-allows: p, q isolate a/dst for ingress, and no rule lets it in",
            id="several policies",
        ),
        pytest.param(
            {"p": "policyTypes: [Egress]"},
            "dst src",
            "no-rule-allows: p isolates a/dst for egress, and no rule lets it out",
            id="egress",
        ),
        pytest.param(
            {"p": "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}, {from: [{ipBlock: {cidr: 10.0.0.0/9}}]}]"},
            "new dst",
            "pod-address-unknown: an ipBlock decides, and the address of a/new is unknown",
            id="a rule that may match",
        ),
        pytest.param(
            {"p": ""}, "src done", "pod-not-running: the destination pod a/done has finished (Failed)", id="finished"
        ),
        pytest.param(
            {"p": "policyTypes: [Egress]"},
            "waiting src",
            "pod-has-no-ip: the source pod a/waiting has no address yet (Pending)",
            id="a pod without an address, even where the policies block it",
        ),
        pytest.param(
            {"p": ""},
            "done waiting",
            "pod-not-running: the source pod a/done has finished (Failed)",
            id="the source's problem before the destination's",
        ),
    ],
)
def test_the_reason(policies: dict[str, str], ends: str, reason: str | None) -> None:
    assert sentence(verdict_on(snapshot_of(cluster(**policies)), ends).reason) == reason


DENY_DST, DENY_SRC = (
    "{podSelector: {matchLabels: {app: dst}}}",
    ("{podSelector: {matchLabels: {app: src}}, policyTypes: [Egress]}"),
)
MAYBE_OUT = (
    "{podSelector: {matchLabels: {app: src}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
)


@pytest.mark.parametrize(
    ("egress", "ingress", "wanted", "code"),
    [
        pytest.param(None, None, Verdict.ALLOWED, None, id="allowed where both are"),
        pytest.param(DENY_SRC, None, Verdict.BLOCKED, "no-rule-allows", id="blocked where egress is"),
        pytest.param(None, DENY_DST, Verdict.BLOCKED, "no-rule-allows", id="blocked where ingress is"),
        pytest.param(MAYBE_OUT, None, Verdict.UNDEFINED, "pod-address-unknown", id="undefined where one is"),
        pytest.param(MAYBE_OUT, DENY_DST, Verdict.BLOCKED, "no-rule-allows", id="blocked wins over undefined"),
    ],
)
def test_both_sides_together(egress: str | None, ingress: str | None, wanted: Verdict, code: str | None) -> None:
    specs = {"a/out": egress, "a/in": ingress}
    policies = {key: yaml.safe_load(spec) for key, spec in specs.items() if spec}
    pods = {"a/src": CLUSTER["pods"]["a/src"], "a/dst": {"labels": {"app": "dst"}, "planned": True}}
    found = verdict_on(snapshot_of({"pods": pods, "policies": policies}), "src dst")
    assert (found.verdict, found.reason and found.reason.code.value) == (wanted, code)
    if found.reason:
        assert found.reason in (found.egress.reason, found.ingress.reason)


def test_readings_that_disagree_leave_an_undefined_side_without_rules_or_caveats() -> None:
    spec = "ingress: [{from: [{podSelector: {matchLabels: {app: host}}}], ports: [{protocol: SCTP}]}]"
    snapshot = snapshot_of(cluster(p=spec))
    found = verdict_on(snapshot, "host dst", "80/SCTP").ingress
    assert (found.verdict, found.allowed_by, found.caveats) == (Verdict.UNDEFINED, (), ())
    assert [policy.name for policy in found.isolated_by] == ["p"]
    assert sentence(found.reason) == (
        "host-network: a/host uses the host network: the API leaves open whether policies see it as a pod"
    )


@pytest.mark.parametrize("action", ["Pass", "Deny"])
def test_readings_that_disagree_leave_no_rule_of_a_tier_either(action: str) -> None:
    """A pod on the host network of another node is seen as its node, which no rule of a tier at ingress can name."""
    networks = f"{{action: {action}, to: [{{networks: [192.0.2.0/24]}}]}}"
    spec = yaml.safe_load(f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{networks}]}}")
    shut = {
        "podSelector": {"matchLabels": {"app": "src"}},
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"podSelector": {}}]}],
    }
    found = verdict_on(snapshot_of({**CLUSTER, "tiers": {"cnp/t": spec}, "policies": {"a/p": shut}}), "src host").egress
    wanted = Verdict.UNDEFINED if action == "Pass" else Verdict.BLOCKED
    assert (found.verdict, found.passed_by) == (wanted, ())
    assert bool(found.denied_by) is (action == "Deny")


def test_a_pods_own_node_is_let_in_whatever_the_rules_say() -> None:
    snapshot = snapshot_of(cluster(p="ingress: []"))
    assert sides(snapshot, "n2 dst") == ["allowed, -; -; -", "allowed, p; -; -"]
    assert sides(snapshot, "n1 dst") == ["allowed, -; -; -", "blocked, p; -; -"]


def test_the_first_rule_that_may_match_is_the_reason_and_every_rule_a_near_miss() -> None:
    block = "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}"
    team = "{from: [{namespaceSelector: {matchLabels: {team: x}}}]}"
    pods = {"dark/far": {"planned": True}, "a/dst": {"labels": {"app": "dst"}, "ip": "10.0.0.2"}}
    for rules, code in (
        (f"[{{ports: [{{port: 81}}]}}, {block}, {team}]", "pod-address-unknown"),
        (f"[{team}, {block}, {{ports: [{{port: 81}}]}}]", "namespace-labels-unknown"),
    ):
        policies = {"a/p": yaml.safe_load(f"{{podSelector: {{}}, ingress: {rules}}}")}
        snapshot = snapshot_of({"unread": ["dark"], "pods": pods, "policies": policies})
        source, destination = snapshot.pods
        side = evaluate(snapshot, Connection(End(pod=source), End(pod=destination), "TCP", 80)).ingress
        assert side.reason
        assert (side.verdict, side.reason.code.value, len(side.near_misses)) == (Verdict.UNDEFINED, code, 3)


def test_readings_that_agree_leave_the_plain_one() -> None:
    found = verdict_on(snapshot_of(cluster(p="ingress: [{}]")), "host dst").ingress
    assert (found.verdict, found.reason, len(found.allowed_by)) == (Verdict.ALLOWED, None, 1)


IP_BLOCK = "ip-block-on-pod: only an ipBlock allows a/src: some plugins don't apply ipBlock to pods"
END_PORT = "end-port: only an endPort range covers this port: a plugin without endPort blocks it"
SCTP = "sctp: not every plugin filters SCTP"
BLOCK = "{ipBlock: {cidr: 10.0.0.0/8}}"


@pytest.mark.parametrize(
    ("ingress", "source", "port", "caveats"),
    [
        pytest.param("[{}]", "src", "80", [], id="a rule for everything"),
        pytest.param(f"[{{from: [{BLOCK}]}}]", "src", "80", [IP_BLOCK], id="only an ipBlock allows a pod"),
        pytest.param(f"[{{from: [{BLOCK}]}}]", "10.0.9.9", "80", [], id="an ipBlock allows an address"),
        pytest.param(f"[{{from: [{BLOCK}]}}, {{from: [{SRC}]}}]", "src", "80", [], id="a selector allows the pod too"),
        pytest.param(f"[{{from: [{BLOCK}]}}, {{}}]", "src", "80", [], id="a rule for everyone allows the pod too"),
        pytest.param(f"[{{from: [{SRC}, {BLOCK}]}}]", "src", "80", [], id="a selector comes before the ipBlock"),
        pytest.param("[{ports: [{port: 70, endPort: 90}]}]", "src", "80", [END_PORT], id="inside an endPort range"),
        pytest.param("[{ports: [{port: 80, endPort: 90}]}]", "src", "80", [], id="the first port of an endPort range"),
        pytest.param("[{ports: [{port: 70, endPort: 90}]}, {}]", "src", "80", [], id="a rule for every port too"),
        pytest.param(
            "[{ports: [{port: 70, endPort: 90}]}, {ports: [{port: 80}]}]", "src", "80", [], id="a single port too"
        ),
        pytest.param("[{ports: [{port: http}]}]", "src", "80", [], id="a named port"),
        pytest.param("[{ports: [{protocol: TCP}]}]", "src", "80", [], id="every port of the protocol is not a range"),
        pytest.param("[{}]", "src", "80/SCTP", [SCTP], id="SCTP"),
        pytest.param(
            f"[{{from: [{BLOCK}], ports: [{{port: 70, endPort: 90, protocol: SCTP}}]}}]",
            "src",
            "80/SCTP",
            [IP_BLOCK, END_PORT, SCTP],
            id="all three",
        ),
        pytest.param("[]", "src", "80/SCTP", [], id="blocked: none"),
    ],
)
def test_the_caveats(ingress: str, source: str, port: str, caveats: list[str]) -> None:
    snapshot = snapshot_of(cluster(p=f"ingress: {ingress}"))
    assert [sentence(note) for note in verdict_on(snapshot, f"{source} dst", port).caveats] == caveats


def test_a_caveat_of_both_sides_is_said_once() -> None:
    spec = yaml.safe_load("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}")
    found = verdict_on(snapshot_of({**CLUSTER, "policies": {"a/p": spec}}), "src dst", "80/SCTP")
    assert [sentence(note) for note in found.caveats] == [SCTP]


@pytest.mark.parametrize(
    ("policies", "dialled", "wanted", "reason", "caveats"),
    [
        pytest.param(
            {"p": "policyTypes: [Ingress, Egress]"}, None, Verdict.ALLOWED, None,
            ["own-address: a/dst reaches its own address: no policy applies to that"],
            id="its own address is never blocked",
        ),
        pytest.param(
            {"p": "policyTypes: [Egress]"}, Dialled("10.96.0.1", 80), Verdict.UNDEFINED,
            "own-service: a/dst reaches itself through its own Service: plugins differ on that", [],
            id="through its own Service it is undefined",
        ),
        pytest.param(
            {"p": "ingress: []"}, Dialled("10.96.0.1", 80), Verdict.UNDEFINED,
            "own-service: a/dst reaches itself through its own Service: plugins differ on that", [],
            id="through its own Service, isolated for ingress",
        ),
        pytest.param({}, Dialled("10.96.0.1", 80), Verdict.ALLOWED, None, [], id="unless nothing isolates it"),
    ],
)  # fmt: skip
def test_a_pod_and_itself(
    policies: dict[str, str], dialled: Dialled | None, wanted: Verdict, reason: str | None, caveats: list[str]
) -> None:
    found = verdict_on(snapshot_of(cluster(**policies)), "dst dst", "80", dialled)
    assert (found.verdict, sentence(found.reason)) == (wanted, reason)
    assert [sentence(note) for note in found.caveats] == caveats
    if dialled is None:
        assert found.egress.isolated_by == found.ingress.isolated_by == ()


@pytest.mark.parametrize(
    ("ingress", "dialled", "wanted", "reason"),
    [
        pytest.param(
            "[]",
            None,
            Verdict.UNDEFINED,
            "own-address: a pod of a/web always reaches its own address, but not that of its replicas",
            id="blocked for replicas",
        ),
        pytest.param("[{}]", None, Verdict.ALLOWED, None, id="allowed for replicas too"),
        pytest.param(
            "[]",
            Dialled(None, 80),
            Verdict.UNDEFINED,
            "own-service: a/web reaches itself through its own Service: plugins differ on that",
            id="through its own Service",
        ),
    ],
)
def test_a_workload_without_pods_and_itself(
    ingress: str, dialled: Dialled | None, wanted: Verdict, reason: str | None
) -> None:
    template = {"metadata": {"labels": {"app": "dst"}}, "spec": {"containers": [{"name": "c"}]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "a", "name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "dst"}}, "template": template},
    }
    policies = {"a/p": yaml.safe_load(f"{{podSelector: {{}}, ingress: {ingress}}}")}
    found = verdict_on(snapshot_of({"objects": [deployment], "policies": policies}), "web web", "80", dialled)
    assert (found.verdict, sentence(found.reason), found.caveats) == (wanted, reason, ())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param("src", None, id="a running pod"),
        pytest.param("new", None, id="a pod from a manifest has no address yet"),
        pytest.param("done", "pod-not-running: the source pod a/done has finished (Failed)", id="a finished pod"),
        pytest.param(
            "waiting", "pod-has-no-ip: the source pod a/waiting has no address yet (Pending)", id="a pending pod"
        ),
        pytest.param("192.0.2.7", None, id="an address"),
    ],
)
def test_what_keeps_a_pod_from_connecting(name: str, wanted: str | None) -> None:
    assert sentence(pod_problem(snapshot_of(CLUSTER).pod("a", name), "source")) == wanted


@pytest.mark.parametrize(
    ("direction", "name", "wanted"),
    [
        pytest.param(Direction.INGRESS, "dst", ["q", "p"], id="those that select it for the direction, as read"),
        pytest.param(Direction.EGRESS, "dst", ["p"], id="the other direction"),
        pytest.param(Direction.INGRESS, "src", [], id="a pod that they don't select"),
        pytest.param(Direction.INGRESS, "done", [], id="a finished pod"),
    ],
)
def test_the_policies_that_isolate_a_pod(direction: Direction, name: str, wanted: list[str]) -> None:
    snapshot = snapshot_of(cluster(q="ingress: [{}]", p="policyTypes: [Ingress, Egress]"))
    pod = snapshot.pod("a", name)
    assert pod
    assert [policy.name for policy in isolating_policies(snapshot, pod, direction)] == wanted


OVERRIDES = (
    "overriding-policy: ciliumclusterwidenetworkpolicy.cilium.io/wide may decide for a/dst: its rules are not evaluated"
)


@pytest.mark.parametrize(
    ("name", "direction", "more", "reason"),
    [
        pytest.param("dst", Direction.INGRESS, {}, OVERRIDES, id="it selects the pod"),
        pytest.param("dst", Direction.EGRESS, {}, None, id="it has no rules for the direction"),
        pytest.param("src", Direction.INGRESS, {}, None, id="it does not select the pod"),
        pytest.param("done", Direction.INGRESS, {}, None, id="the pod has finished"),
        pytest.param(
            "src",
            Direction.INGRESS,
            {
                "gaps": [
                    {
                        "resource": "admins",
                        "namespace": "a",
                        "message": "you may not list admins",
                        "policy_kind": "AdminNetworkPolicy",
                    }
                ]
            },
            "permission-missing: you may not list admins",
            id="others in the namespace are unread",
        ),
        pytest.param(
            "src",
            Direction.INGRESS,
            {
                "gaps": [
                    {
                        "resource": "admins",
                        "namespace": "b",
                        "message": "you may not list admins",
                        "policy_kind": "AdminNetworkPolicy",
                    }
                ]
            },
            None,
            id="others in another namespace are unread",
        ),
        pytest.param(
            "src",
            Direction.INGRESS,
            {"gaps": [{"resource": "services", "namespace": "a", "message": "you may not list services"}]},
            None,
            id="what is unread can't override",
        ),
    ],
)
def test_a_policy_whose_rules_are_not_evaluated_is_an_unknown_layer(
    name: str, direction: Direction, more: dict[str, Any], reason: str | None
) -> None:
    snapshot = snapshot_of({**CLUSTER, "live": True, "objects": [UNEVALUATED], **more})
    pod = snapshot.pod("a", name)
    assert pod
    assert [sentence(layer.unknown) for layer in layers_of(snapshot, pod, direction)] == ([reason] if reason else [])


UNREAD_PODS = {"resource": "pods", "namespace": None, "message": "you may not list pods", "readable": ["a"]}
UNREAD_POLICIES = {"resource": "networkpolicies", "namespace": "a", "message": "you may not list networkpolicies"}
MAY_BE = "permission-missing: 10.9.9.9 may be a pod's address, and you may not list pods"


@pytest.mark.parametrize(
    ("gap", "ingress", "ends", "egress_reason", "ingress_reason"),
    [
        pytest.param(
            UNREAD_POLICIES, "[{}]", "src dst",
            "permission-missing: you may not list networkpolicies",
            "permission-missing: you may not list networkpolicies",
            id="unread policies: undefined",
        ),
        pytest.param(UNREAD_POLICIES, "[]", "src done", "permission-missing: you may not list networkpolicies", None,
                     id="unread policies don't matter for a finished pod"),
        pytest.param(UNREAD_PODS, "[{from: [{podSelector: {}}]}]", "10.9.9.9 dst", MAY_BE, MAY_BE,
                     id="an address that a selector could match if it were a pod's"),
        pytest.param(UNREAD_PODS, "[{from: [{podSelector: {}}]}]", "8.8.8.8 dst", None,
                     "no-rule-allows: p isolates a/dst for ingress, and no rule lets it in",
                     id="a public address is not a pod's"),
        pytest.param(UNREAD_PODS, "[{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", "10.9.9.9 dst", MAY_BE,
                     "no-rule-allows: p isolates a/dst for ingress, and no rule lets it in",
                     id="an ipBlock decides by the address alone"),
        pytest.param(UNREAD_PODS, "[{from: [{podSelector: {}}]}, {}]", "10.9.9.9 dst", MAY_BE, None,
                     id="a rule for everyone decides"),
        pytest.param(UNREAD_PODS, "[{}]", "src host-name", None, None, id="a host name has no address"),
        pytest.param(UNREAD_PODS, "[{from: [{podSelector: {}}]}]", "n1 dst", None,
                     "no-rule-allows: p isolates a/dst for ingress, and no rule lets it in",
                     id="a node is not a pod"),
        pytest.param(UNREAD_PODS, "[{from: [{podSelector: {matchLabels: {app: new}}}]}]", "src dst", None,
                     "no-rule-allows: p isolates a/dst for ingress, and no rule lets it in",
                     id="a pod that was read is that pod"),
    ],
)  # fmt: skip
def test_what_was_not_read(
    gap: dict[str, Any], ingress: str, ends: str, egress_reason: str | None, ingress_reason: str | None
) -> None:
    found = verdict_on(snapshot_of({**cluster(p=f"ingress: {ingress}"), "live": True, "gaps": [gap]}), ends)
    assert (sentence(found.egress.reason), sentence(found.ingress.reason)) == (egress_reason, ingress_reason)
    for side in (found.egress, found.ingress):
        undefined = side.reason is not None and side.reason.code.value == "permission-missing"
        assert (side.verdict is Verdict.UNDEFINED) == undefined


HOST_POLICY = yaml.safe_load("""
  apiVersion: cilium.io/v2
  kind: CiliumClusterwideNetworkPolicy
  metadata: {name: host}
  spec: {nodeSelector: {}, ingress: [{}]}
""")

NODES = {"resource": "nodes", "namespace": None, "message": "no nodes"}


@pytest.mark.parametrize(
    ("more", "ends", "reasons"),
    [
        pytest.param({}, "src n1", [None, None], id="no policy selects a node"),
        pytest.param(
            {"objects": [HOST_POLICY]},
            "src n1",
            [
                None,
                (
                    "overriding-policy: ciliumclusterwidenetworkpolicy.cilium.io/host may select node n1; "
                    "its rules are not evaluated"
                ),
            ],
            id="a policy of another kind may",
        ),
        pytest.param({"objects": [HOST_POLICY]}, "n1 src", [None, None], id="it has no rules for the direction"),
        pytest.param({"objects": [HOST_POLICY]}, "src 203.0.113.9", [None, None], id="it can't select an address"),
        pytest.param(
            {"objects": [HOST_POLICY], "gaps": [NODES]},
            "src 10.9.9.9",
            [None, "permission-missing: 10.9.9.9 may be a node's address, and no nodes"],
            id="an address may be of a node that could not be read, which a policy may select",
        ),
        pytest.param(
            {"objects": [HOST_POLICY], "gaps": [NODES]}, "10.9.9.9 src", [None, None], id="the other direction may not"
        ),
        pytest.param({"gaps": [NODES]}, "src 10.9.9.9", [None, None], id="no policy selects a node that was not read"),
        pytest.param(
            {"objects": [HOST_POLICY], "gaps": [NODES]}, "src 8.8.8.8", [None, None], id="a public address is no node's"
        ),
        pytest.param(
            {"objects": [HOST_POLICY], "gaps": [NODES], "plugin": "Cilium"},
            "src 10.9.9.9",
            [None, "permission-missing: 10.9.9.9 may be a node's address, and no nodes"],
            id="Cilium's policies may select a node that could not be read",
        ),
        pytest.param(
            {"objects": [HOST_POLICY], "gaps": [NODES, {**NODES, "resource": "pods", "message": "no pods"}]},
            "src 10.9.9.9",
            [None, "permission-missing: 10.9.9.9 may be a pod's address, and no pods"],
            id="a pod that could not be read comes before the node",
        ),
        pytest.param(
            {"objects": [UNEVALUATED]}, "src n1", [None, None], id="a policy that selects pods can't select a node"
        ),
        pytest.param(
            {
                "gaps": [
                    {
                        "resource": "globalnetworkpolicies.x",
                        "namespace": None,
                        "message": "no",
                        "readable": ["a"],
                        "policy_kind": "GlobalNetworkPolicy",
                    }
                ]
            },
            "src n1",
            [None, "permission-missing: no"],
            id="policies that can select nodes are unread",
        ),
        pytest.param(
            {
                "gaps": [
                    {
                        "resource": "ciliumnetworkpolicies.x",
                        "namespace": None,
                        "message": "no",
                        "readable": ["a"],
                        "policy_kind": "CiliumNetworkPolicy",
                    }
                ]
            },
            "src n1",
            [None, None],
            id="policies that can't are unread",
        ),
    ],
)
def test_an_end_that_is_not_a_pod(more: dict[str, Any], ends: str, reasons: list[str | None]) -> None:
    found = verdict_on(snapshot_of({**CLUSTER, "live": True, **more}), ends)
    assert [sentence(side.reason) for side in (found.egress, found.ingress)] == reasons
    assert [side.isolated_by for side in (found.egress, found.ingress)] == [(), ()]


TIERS = "policy.networking.k8s.io"
CNP = f"clusternetworkpolicy.{TIERS}"
FROM_ALL = "from: [{namespaces: {}}]"


def tiered(policies: str = "", **tiers: str) -> Snapshot:
    """ClusterNetworkPolicies by name, each "TIER PRIORITY RULES", for the pods with app=dst."""
    found = {}
    for name, words in tiers.items():
        tier, priority, rules = words.split(maxsplit=2)
        subject = "pods: {podSelector: {matchLabels: {app: dst}}}"
        found[f"cnp/{name}"] = yaml.safe_load(
            f"{{tier: {tier}, priority: {priority}, subject: {{{subject}}}, ingress: [{rules}]}}"
        )
    spec = yaml.safe_load(f"{{podSelector: {{matchLabels: {{app: dst}}}}, {policies}}}")
    return snapshot_of({**CLUSTER, "policies": {"a/np": spec} if policies else {}, "tiers": found})


def accept(more: str = "") -> str:
    return f"{{action: Accept, {FROM_ALL}{more}}}"


def deny(more: str = "") -> str:
    return f"{{action: Deny, {FROM_ALL}{more}}}"


def skip(more: str = "") -> str:
    return f"{{action: Pass, {FROM_ALL}{more}}}"


PORT = ", protocols: [{tcp: {destinationPort: {number: %d}}}]"


@pytest.mark.parametrize(
    ("snapshot", "wanted"),
    [
        pytest.param(
            tiered(p=f"Admin 1 {accept()}"),
            "allowed; asked p; isolated by -; allowed by p[0]; denied by -; passed by -; missed -",
            id="an Accept",
        ),
        pytest.param(
            tiered(p=f"Admin 1 {accept(PORT % 81)}, {deny()}", q=f"Baseline 1 {accept()}"),
            "blocked; asked p q; isolated by -; allowed by -; denied by p[1]; passed by -; missed p[0]",
            id="a Deny, and the Accept before it that nearly matched",
        ),
        pytest.param(
            tiered("ingress: [{ports: [{port: 81}]}]", p=f"Admin 1 {skip()}", q=f"Baseline 1 {accept()}"),
            "blocked; asked p; isolated by np; allowed by -; denied by -; passed by p[0]; missed np[0]",
            id="a Pass to the NetworkPolicy that isolates",
        ),
        pytest.param(
            tiered("ingress: [{}]", p=f"Admin 1 {deny(PORT % 81)}"),
            "allowed; asked p; isolated by np; allowed by np[0]; denied by -; passed by -; missed -",
            id="what Admin does not match, a NetworkPolicy lets in",
        ),
        pytest.param(
            tiered(p=f"Admin 1 {skip()}", q=f"Baseline 1 {skip(PORT % 80)}, {deny()}"),
            "allowed; asked p q; isolated by -; allowed by -; denied by -; passed by p[0] q[0]; missed -",
            id="two Passes, and nothing is left",
        ),
        pytest.param(
            tiered(p=f"Admin 1 {accept()}", q=f"Admin 1 {deny()}", r=f"Admin 1 {accept(PORT % 81)}"),
            "undefined; asked p q r; isolated by -; allowed by p[0]; denied by q[0]; passed by -; missed r[0]",
            id="equal numbers that disagree",
        ),
    ],
)
def test_what_a_side_says_of_the_tiers(snapshot: Snapshot, wanted: str) -> None:
    side = verdict_on(snapshot, "src dst").ingress

    def names(matches: Any) -> str:
        return " ".join(f"{match.policy.name}[{match.rule.position}]" for match in matches) or "-"

    got = (
        side.verdict.value,
        f"asked {' '.join(policy.name for policy in side.tiered_by)}",
        f"isolated by {' '.join(policy.name for policy in side.isolated_by) or '-'}",
        f"allowed by {names(side.allowed_by)}",
        f"denied by {names(side.denied_by)}",
        f"passed by {names(side.passed_by)}",
        f"missed {names(side.near_misses)}",
    )
    assert "; ".join(got) == wanted


@pytest.mark.parametrize(
    ("snapshot", "ends", "reason"),
    [
        pytest.param(
            tiered(p=f"Admin 1 {deny(', name: no way')}"),
            "src dst",
            f'denied-by-rule: {CNP}/p ingress[0].from[0] "no way" denies it',
            id="a Deny, by position and name",
        ),
        pytest.param(
            tiered(p=f"Admin 1 {deny()}", q=f"Admin 1 {deny()}"),
            "src dst",
            f"denied-by-rule: {CNP}/p ingress[0].from[0], {CNP}/q ingress[0].from[0] deny it",
            id="two that say the same",
        ),
        pytest.param(
            tiered(p=f"Baseline 1 {accept()}", q=f"Baseline 1 {deny()}"),
            "src dst",
            f"equal-priorities: which of these applies is not defined: {CNP}/q ingress[0].from[0] would deny, "
            f"{CNP}/p ingress[0].from[0] would allow",
            id="equal numbers that disagree",
        ),
        pytest.param(
            tiered("policyTypes: [Ingress]", p=f"Admin 1 {accept()}", q=f"Admin 1 {skip()}"),
            "src dst",
            f"equal-priorities: which of these applies is not defined: {CNP}/p ingress[0].from[0] would allow, "
            f"{CNP}/q ingress[0].from[0] would pass",
            id="equal numbers, one of which leaves it to a NetworkPolicy",
        ),
        pytest.param(
            tiered("policyTypes: [Ingress]", p=f"Admin 1 {skip()}"),
            "src dst",
            "no-rule-allows: np isolates a/dst for ingress, and no rule lets it in",
            id="a Pass to a NetworkPolicy that blocks",
        ),
        pytest.param(
            tiered(p="Admin 1 {action: Deny, from: [{namespaces: {matchExpressions: [{key: a, operator: In}]}}]}"),
            "src dst",
            f"selector-not-evaluated: {CNP}/p has a peer that can't be evaluated: "
            "spec.ingress[0].from[0].namespaces.matchExpressions[0].values: In requires at least one value",
            id="a peer that can't be evaluated",
        ),
        pytest.param(
            tiered(p=f"Admin 1 {deny()}"),
            "host dst",
            None,
            id="a pod on the host network is no peer, so no reading differs",
        ),
        pytest.param(tiered(p=f"Admin 1 {deny()}"), "n2 dst", None, id="nor is the pod's own node"),
    ],
)
def test_why_the_tiers_do_not_allow_it(snapshot: Snapshot, ends: str, reason: str | None) -> None:
    assert sentence(verdict_on(snapshot, ends).reason) == reason


OTHERS = (
    "baseline-by-direction: kube-network-policies up to 1.1.1 would allow it, since np selects a/dst for egress; "
    "all others decide by direction"
)


@pytest.mark.parametrize(
    ("snapshot", "port", "caveats"),
    [
        pytest.param(
            tiered("policyTypes: [Egress], egress: [{}]", p=f"Baseline 1 {deny()}"),
            "80",
            [OTHERS],
            id="for egress alone",
        ),
        pytest.param(tiered(p=f"Baseline 1 {deny()}"), "80", [], id="for neither direction"),
        pytest.param(
            tiered("policyTypes: [Egress], egress: [{}]", p=f"Admin 1 {deny()}"), "80", [], id="Admin is asked anyway"
        ),
        pytest.param(
            tiered("policyTypes: [Egress], egress: [{}]", p=f"Baseline 1 {accept()}"), "80", [], id="nothing is denied"
        ),
        pytest.param(tiered(p=f"Admin 1 {deny()}"), "80/SCTP", ["sctp: not every plugin filters SCTP"], id="SCTP"),
        pytest.param(
            tiered(p="Admin 1 " + deny(", protocols: [{tcp: {destinationPort: {range: {start: 79, end: 80}}}}]")),
            "80",
            [],
            id="every plugin with tiers knows their ranges",
        ),
    ],
)
def test_where_plugins_differ_on_the_tiers(snapshot: Snapshot, port: str, caveats: list[str]) -> None:
    assert [sentence(note) for note in verdict_on(snapshot, "src dst", port).caveats] == caveats


@pytest.mark.parametrize(
    ("action", "verb"), [pytest.param("Accept", "allow", id="accepted"), pytest.param("Deny", "deny", id="denied")]
)
def test_networks_that_alone_cover_a_pod(action: str, verb: str) -> None:
    spec = {
        "tier": "Admin",
        "priority": 1,
        "subject": {"namespaces": {}},
        "egress": [{"action": action, "to": [{"networks": ["10.0.0.0/8"]}]}],
    }
    snapshot = snapshot_of({**CLUSTER, "tiers": {"cnp/p": spec}})
    (caveat,) = verdict_on(snapshot, "src dst").caveats
    assert caveat.message == f"only networks {verb} a/dst: some plugins don't apply networks to pods"
    assert verdict_on(snapshot, "src 10.9.9.9").caveats == ()


MESH = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"namespace": "a", "name": "p"},
    "spec": {"rules": [{}]},
}
MESH_NOTE = (
    "proxy-decides: a proxy may refuse requests that the network lets through, "
    "by a/authorizationpolicy.security.istio.io/p"
)
DENY_ALL = {
    "tier": "Admin",
    "priority": 1,
    "subject": {"namespaces": {}},
    "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
}
UNREAD = [{"resource": "x", "namespace": None, "message": "unread", "unknown_kind": True}]


@pytest.mark.parametrize(
    ("more", "words", "caveats"),
    [
        pytest.param({"objects": [MESH]}, "src dst", [MESH_NOTE], id="a proxy of the destination"),
        pytest.param({"objects": [MESH]}, "src 192.0.2.9", [], id="no proxy outside the cluster"),
        pytest.param(
            {"objects": [MESH]}, "src src", ["own-address: a/src reaches its own address: no policy applies to that"],
            id="no proxy on the way to itself",
        ),
        pytest.param({"gaps": UNREAD}, "src dst", ["unknown-kind: unread"], id="one note for both ends"),
        pytest.param({"gaps": UNREAD}, "src 192.0.2.9", ["unknown-kind: unread"], id="a note for one end"),
        pytest.param(
            {"objects": [MESH], "gaps": UNREAD}, "src dst", ["unknown-kind: unread", MESH_NOTE], id="one note a code"
        ),
        pytest.param({"gaps": UNREAD, "tiers": {"cnp/p": DENY_ALL}}, "src dst", [], id="none where it is blocked"),
        pytest.param(
            {"gaps": [*UNREAD, {**UNREAD[0], "unknown_kind": False, "policy_kind": "EgressFirewall"}]},
            "src dst",
            [],
            id="none where it is undefined",
        ),
    ],
)  # fmt: skip
def test_what_may_refuse_beside_the_layers(more: dict[str, Any], words: str, caveats: list[str]) -> None:
    assert [sentence(note) for note in verdict_on(snapshot_of({**CLUSTER, **more}), words).caveats] == caveats


@pytest.mark.parametrize(
    ("destination", "direction", "caveats"),
    [
        pytest.param("169.254.169.254", "egress", ["metadata-address"], id="to the metadata address"),
        pytest.param("203.0.113.7", "egress", [], id="to another"),
        pytest.param("169.254.169.254", "ingress", [], id="from it"),
    ],
)
def test_what_is_blocked_may_be_answered_by_the_node(destination: str, direction: str, caveats: list[str]) -> None:
    policies = {"a/p": {"podSelector": {}, "policyTypes": [direction.capitalize()]}}
    snapshot = snapshot_of({"pods": {"a/src": {"ip": "10.0.0.1"}}, "policies": policies})
    pod, other = End(pod=snapshot.pods[0], address="10.0.0.1"), End(address=destination)
    source, target = (pod, other) if direction == "egress" else (other, pod)
    found = evaluate(snapshot, Connection(source, target, "TCP", 80))
    assert (found.verdict, [note.code.value for note in found.caveats]) == (Verdict.BLOCKED, caveats)
