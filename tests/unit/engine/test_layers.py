"""Which policies are asked about a pod, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.engine.layers import (
    AtOnce,
    InOrder,
    RuleList,
    applies,
    beside,
    isolating_policies,
    labels_unknown,
    layers_of,
    tiered_policies,
)
from kubectl_netpol.model.policies import Direction
from tests.support.tables import snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.engine.layers import Layer, Step
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
RULES = "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
CLUSTER: dict[str, Any] = {
    "live": True,
    "namespaces": {"a": {"team": "x"}},
    "unread": ["dark"],
    "pods": {
        "a/web": {"labels": {"app": "web"}, "ip": "10.0.0.1"},
        "a/host": {"labels": {"app": "web"}, "ip": "192.0.2.1", "host_network": True},
        "a/done": {"labels": {"app": "web"}, "ip": "10.0.0.2", "phase": "Succeeded"},
        "a/db": {"labels": {"app": "db"}, "ip": "10.0.0.3"},
        "dark/web": {"labels": {"app": "web"}, "ip": "10.0.1.1"},
    },
}
NP = "podSelector: {matchLabels: {app: web}}"
NP_OUT = f"{NP}, policyTypes: [Egress]"


def cluster(more: str) -> Snapshot:
    return snapshot_of({**CLUSTER, **yaml.safe_load(f"{{{more}}}")})


def admin(priority: int, more: str = RULES, subject: str = "namespaces: {}") -> str:
    return f"{{tier: Admin, priority: {priority}, subject: {{{subject}}}, {more}}}"


def base(priority: int) -> str:
    return f"{{tier: Baseline, priority: {priority}, subject: {{namespaces: {{}}}}, {RULES}}}"


def old(priority: int) -> str:
    return f"{{priority: {priority}, subject: {{namespaces: {{}}}}, {RULES}}}"


OLD_BASE = f"{{subject: {{namespaces: {{}}}}, {RULES}}}"


def found(snapshot: Snapshot, key: str) -> Pod:
    pod = snapshot.pod(*key.split("/"))
    assert pod
    return pod


def text(step: Step) -> str:
    """`a > b` one after the other, `a | b` at once, `a?` where it may not apply."""
    if isinstance(step, RuleList):
        return step.policy.name + ("?" if step.unknown else "")
    joint = " > " if isinstance(step, InOrder) else " | "
    return f"({joint.join(map(text, step.steps))})"


def shown(layer: Layer) -> str:
    return f"?{layer.unknown.code}" if layer.unknown else text(layer.step) + ("!" if layer.isolates else "")


def layers(snapshot: Snapshot, key: str, direction: Direction = INGRESS) -> str:
    """A layer that isolates ends in `!`, one that is unknown is `?` and why."""
    return ", ".join(map(shown, layers_of(snapshot, found(snapshot, key), direction)))


@pytest.mark.parametrize(
    ("policies", "key", "wanted"),
    [
        pytest.param("", "a/web", "", id="no policy, no layer"),
        pytest.param(f"policies: {{a/p: {{{NP}}}}}", "a/web", "(p)!", id="one NetworkPolicy isolates"),
        pytest.param(f"policies: {{a/p: {{{NP}}}}}", "a/db", "", id="one that does not select the pod is not asked"),
        pytest.param(
            f"policies: {{a/p: {{{NP_OUT}}}, a/q: {{{NP}}}, a/r: {{{NP}}}}}",
            "a/web",
            "(q | r)!",
            id="NetworkPolicies are asked at once, those of the direction",
        ),
        pytest.param(
            f"policies: {{a/p: {{{NP}}}}}, tiers: {{cnp/base: {base(1)}, cnp/admin: {admin(2)}}}",
            "a/web",
            "admin, (p)!",
            id="Admin is asked first, and Baseline not at all where one isolates",
        ),
        pytest.param(
            f"policies: {{a/p: {{{NP_OUT}}}}}, tiers: {{cnp/base: {base(1)}, cnp/admin: {admin(2)}}}",
            "a/web",
            "admin, base",
            id="Baseline is asked last where one isolates for the other direction alone",
        ),
        pytest.param(
            f"tiers: {{cnp/c: {admin(1000)}, cnp/a: {admin(7)}, cnp/b: {admin(0)}}}",
            "a/web",
            "(b > a > c)",
            id="in a tier the lowest number comes first",
        ),
        pytest.param(
            f"tiers: {{cnp/b: {admin(7)}, cnp/a: {admin(7)}, cnp/first: {admin(1)}, cnp/last: {admin(8)}}}",
            "a/web",
            "(first > (b | a) > last)",
            id="equal numbers are asked at once",
        ),
        pytest.param(f"tiers: {{cnp/b: {admin(7)}, cnp/a: {admin(7)}}}", "a/web", "(b | a)", id="equal numbers alone"),
        pytest.param(
            f"tiers: {{cnp/admin: {admin(7)}, cnp/base: {base(7)}}}",
            "a/web",
            "admin, base",
            id="equal numbers in two tiers are no tie",
        ),
        pytest.param(
            f"tiers: {{anp/old: {old(1)}, cnp/late: {admin(9)}, cnp/early: {admin(2)}}}",
            "a/web",
            "(old | (early > late))",
            id="two generations are asked at once, each in its own order",
        ),
        pytest.param(
            f"tiers: {{banp/default: {OLD_BASE}, anp/old: {old(1)}}}",
            "a/web",
            "old, default",
            id="the two kinds of v1alpha1 are one generation",
        ),
        pytest.param(
            f"tiers: {{banp/default: {OLD_BASE}, cnp/base: {base(1)}}}",
            "a/web",
            "(default | base)",
            id="two generations in Baseline",
        ),
        pytest.param(
            f"tiers: {{amazon/one: {admin(1)}, cnp/two: {admin(2)}}}",
            "a/web",
            "(one | two)",
            id="Amazon's kind and the one of the same name are asked at once",
        ),
        pytest.param(f"tiers: {{cnp/none: {admin(1, 'egress: []')}}}", "a/web", "", id="a policy without rules"),
        pytest.param(
            f"tiers: {{cnp/out: {admin(1, 'egress: [{action: Deny, to: [{namespaces: {}}]}]')}}}",
            "a/web",
            "",
            id="a policy with rules for the other direction",
        ),
        pytest.param(f"tiers: {{cnp/p: {admin(1)}}}", "a/host", "", id="a pod on the host network is no subject"),
        pytest.param(
            f"policies: {{a/p: {{{NP}}}}}, tiers: {{cnp/p: {admin(1)}}}",
            "a/done",
            "",
            id="a finished pod is asked nothing",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1, subject='pods: {podSelector: {matchLabels: {app: db}}}')}}}",
            "a/web",
            "",
            id="the podSelector of the subject counts",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1, subject='namespaces: {matchLabels: {team: y}}')}}}",
            "a/web",
            "",
            id="the namespaces of the subject count",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1, subject='namespaces: {matchLabels: {team: x}}')}, cnp/q: {admin(2)}}}",
            "dark/web",
            "(p? > q)",
            id="a namespace whose labels are not known may be selected",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1, subject='namespaces: {matchExpressions: [{key: a, operator: In}]}')}}}",
            "a/web",
            "p?",
            id="a selector that can't be evaluated may select",
        ),
        pytest.param(
            f"tiers: {{cnp/bad: {{tier: Admin}}, cnp/p: {admin(1)}}}",
            "a/web",
            "?overriding-policy, p",
            id="a policy that could not be read, of the Admin tier",
        ),
        pytest.param(
            f"tiers: {{cnp/bad: {{tier: Baseline}}, cnp/p: {base(1)}}}",
            "a/web",
            "?overriding-policy, p",
            id="a policy that could not be read, of the Baseline tier",
        ),
        pytest.param(
            f"policies: {{a/p: {{{NP}}}}}, tiers: {{cnp/bad: {{tier: Baseline}}}}",
            "a/web",
            "(p)!",
            id="it does not matter where a NetworkPolicy isolates",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1)}, cnp/q: {base(1)}}}, "
            "gaps: [{resource: networkpolicies, namespace: a, message: forbidden}]",
            "a/web",
            "p, ?permission-missing, q",
            id="NetworkPolicies that may not be listed, between the tiers",
        ),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1)}}}, gaps: [{{resource: networkpolicies, namespace: b, message: forbidden}}]",
            "a/web",
            "p",
            id="those of another namespace don't matter",
        ),
        pytest.param(
            f"tiers: {{anp/p: {old(1)}}}, gaps: [{{resource: b, namespace: null, message: forbidden, "
            "policy_kind: BaselineAdminNetworkPolicy, after: true}]",
            "a/web",
            "p, ?permission-missing",
            id="a kind that may not be listed, and is asked last",
        ),
        pytest.param(
            f"tiers: {{banp/default: {OLD_BASE}}}, "
            "gaps: [{resource: a, namespace: null, message: forbidden, policy_kind: AdminNetworkPolicy}]",
            "a/web",
            "?permission-missing, default",
            id="a kind that may not be listed, and is asked first",
        ),
    ],
)
def test_the_layers_of_a_pod(policies: str, key: str, wanted: str) -> None:
    assert layers(cluster(policies), key) == wanted


def test_the_layers_of_egress() -> None:
    rules = "egress: [{action: Deny, to: [{namespaces: {}}]}]"
    snapshot = cluster(f"policies: {{a/p: {{{NP}, egress: [{{}}]}}}}, tiers: {{cnp/q: {admin(1, rules)}}}")
    assert layers(snapshot, "a/web", EGRESS) == "q, (p)!"
    (tier, middle) = layers_of(snapshot, found(snapshot, "a/web"), EGRESS)
    assert isinstance(tier.step, RuleList)
    assert isinstance(middle.step, AtOnce)
    assert tier.step.ordered, "the first rule that matches ends the tier"
    assert not any(isinstance(step, RuleList) and step.ordered for step in middle.step.steps), "all rules count"
    assert all(rule.direction is EGRESS for rule in tier.step.rules)


@pytest.mark.parametrize(
    ("subject", "key", "message"),
    [
        pytest.param(
            "namespaces: {matchLabels: {team: x}}",
            "dark/web",
            "the labels of namespace dark are unknown",
            id="labels that are not known",
        ),
        pytest.param(
            "namespaces: {matchExpressions: [{key: a, operator: In}]}",
            "dark/web",
            "it is not known whether clusternetworkpolicy.policy.networking.k8s.io/p selects dark/web",
            id="a selector that can't be evaluated",
        ),
    ],
)
def test_why_a_policy_may_not_apply(subject: str, key: str, message: str) -> None:
    snapshot = cluster(f"tiers: {{cnp/p: {admin(1, subject=subject)}}}")
    (layer,) = layers_of(snapshot, found(snapshot, key), INGRESS)
    assert isinstance(layer.step, RuleList)
    assert layer.step.unknown
    assert layer.step.unknown.message == message


def test_why_labels_are_not_known() -> None:
    gap = "gaps: [{resource: namespaces, namespace: null, message: you may not list namespaces, readable: [a]}]"
    assert labels_unknown(cluster(gap), "dark").message == "you may not list namespaces"
    assert labels_unknown(cluster(gap), "a").code == "namespace-labels-unknown"


def test_the_policies_that_are_asked() -> None:
    snapshot = cluster(
        f"policies: {{a/p: {{podSelector: {{matchLabels: {{app: db}}}}}}}}, "
        f"tiers: {{cnp/last: {admin(9)}, cnp/first: {admin(1)}, cnp/base: {base(0)}}}"
    )

    def names(key: str) -> tuple[list[str], list[str]]:
        pod = found(snapshot, key)
        asked = isolating_policies(snapshot, pod, INGRESS), tiered_policies(snapshot, pod, INGRESS)
        return [policy.name for policy in asked[0]], [policy.name for policy in asked[1]]

    assert names("a/web") == ([], ["first", "last", "base"])
    assert names("a/db") == (["p"], ["first", "last"])
    assert names("a/host") == ([], [])
    assert tiered_policies(cluster(""), found(snapshot, "a/web"), INGRESS) == ()


@pytest.mark.parametrize(
    ("policies", "key", "wanted"),
    [
        pytest.param(f"policies: {{a/p: {{{NP}}}}}", "a/web", True, id="a NetworkPolicy"),
        pytest.param(f"policies: {{a/p: {{{NP}}}}}", "a/db", False, id="a NetworkPolicy with other labels"),
        pytest.param(f"tiers: {{cnp/p: {admin(1)}}}", "a/db", True, id="a policy of a tier"),
        pytest.param(f"tiers: {{cnp/p: {admin(1)}}}", "a/host", False, id="which selects nobody on the host network"),
        pytest.param(
            f"tiers: {{cnp/p: {admin(1, subject='namespaces: {matchLabels: {team: x}}')}}}",
            "dark/web",
            None,
            id="labels that are not known",
        ),
    ],
)
def test_whether_a_policy_applies(policies: str, key: str, wanted: bool | None) -> None:  # noqa: FBT001 - a column
    snapshot = cluster(policies)
    (policy,) = (*snapshot.policies, *snapshot.tiered)
    assert applies(snapshot, policy, found(snapshot, key)) is wanted


AUTHORIZATION = (
    "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p, namespace: a}, "
    "spec: {rules: [{}]}}"
)
SERVER = (
    "{apiVersion: policy.linkerd.io/v1beta3, kind: Server, metadata: {name: s, namespace: a}, "
    "spec: {podSelector: {matchLabels: {app: db}}, accessPolicy: audit}}"
)
HIDDEN = "{resource: x, namespace: a, message: hidden, unknown_kind: true}"
BOTH_TITLES = "a/authorizationpolicy.security.istio.io/p, a/server.policy.linkerd.io/s"
PROXY = "proxy-decides: a proxy may refuse requests that the network lets through, by "


@pytest.mark.parametrize(
    ("more", "keys", "direction", "wanted"),
    [
        pytest.param("", ["a/web"], INGRESS, [], id="nothing"),
        pytest.param(f"objects: [{AUTHORIZATION}]", ["dark/web"], INGRESS, [], id="a policy of another namespace"),
        pytest.param(
            f"objects: [{AUTHORIZATION}]",
            ["a/web"],
            INGRESS,
            [f"{PROXY}a/authorizationpolicy.security.istio.io/p"],
            id="one",
        ),
        pytest.param(f"objects: [{AUTHORIZATION}]", ["a/web"], EGRESS, [], id="in the other direction it is not asked"),
        pytest.param(
            f"objects: [{AUTHORIZATION}]", ["a/host"], INGRESS, [], id="a pod on the host network has no proxy"
        ),
        pytest.param(f"objects: [{SERVER}]", ["a/web"], INGRESS, [], id="a policy that does not select the pod"),
        pytest.param(
            f"objects: [{AUTHORIZATION}, {SERVER}]",
            ["a/web", "a/db"],
            INGRESS,
            [PROXY + BOTH_TITLES],
            id="two policies, one note",
        ),
        pytest.param(
            f"gaps: [{HIDDEN}]", ["a/web"], EGRESS, ["unknown-kind: hidden"], id="a kind that could not be read"
        ),
        pytest.param(f"gaps: [{HIDDEN}, {HIDDEN}]", ["dark/web", "a/web"], EGRESS, ["unknown-kind: hidden"], id="once"),
        pytest.param(f"gaps: [{HIDDEN}]", ["dark/web"], EGRESS, [], id="in another namespace"),
        pytest.param(
            "gaps: [{resource: x, namespace: a, message: no, policy_kind: EgressFirewall}]",
            ["a/web"],
            EGRESS,
            [],
            id="a known kind is a reason instead",
        ),
    ],
)
def test_what_may_refuse_although_no_layer_has_it(
    more: str, keys: list[str], direction: Direction, wanted: list[str]
) -> None:
    snapshot = cluster(more)
    notes = beside(snapshot, [found(snapshot, key) for key in keys], direction)
    assert [f"{note.code}: {note.message}" for note in notes] == wanted
    if more.startswith("objects") or "unknown_kind" in more:
        assert layers(snapshot, keys[0], direction) == "", "it is no layer"
