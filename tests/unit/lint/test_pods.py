"""What policies leave pods: no way to DNS, and namespaces where some are isolated by none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.linting import SHOP, linted, with_policies

DNS = yaml.safe_load("""
pods:
  a/web: {labels: {app: web}, ip: 10.0.0.1}
  a/web-2: {labels: {app: web}, ip: 10.0.0.2}
  a/api: {labels: {app: api}, ip: 10.0.0.3}
  kube-system/coredns: {labels: {k8s-app: kube-dns}, ip: 10.0.9.1, ports: dns=53/UDP}
services:
  kube-system/kube-dns:
    clusterIP: 10.96.0.10
    selector: {k8s-app: kube-dns}
    ports: [{port: 53, protocol: UDP, targetPort: dns}]
""")
ALLOW = "kubectl netpol allow web kube-system/kube-dns 53 --protocol udp -n a"


@pytest.mark.parametrize(
    ("egress", "wanted"),
    [
        pytest.param("[]", ["web"], id="no egress: one finding for all pods of the policy"),
        pytest.param("[{to: [{podSelector: {}}]}]", ["web"], id="egress to the pod's namespace"),
        pytest.param("[{ports: [{port: 53, protocol: UDP}]}]", [], id="egress on port 53/UDP"),
        pytest.param("[{ports: [{port: 53}]}]", ["web"], id="egress on port 53/TCP"),
        pytest.param("[{to: [{ipBlock: {cidr: 10.96.0.10/32}}]}]", [], id="egress to the Service's address: undefined"),
    ],
)
@pytest.mark.parametrize("plugin", [None, "Cilium"])
def test_egress_isolation_without_access_to_dns(egress: str, wanted: list[str], plugin: str | None) -> None:
    if plugin and "ipBlock" in egress:
        return
    spec = f"{{a/p: {{podSelector: {{}}, policyTypes: [Egress], egress: {egress}}}}}"
    found = [one for one in linted({**with_policies(DNS, spec), "plugin": plugin}) if one.number == "NP007"]
    names = [one.message.partition(" ")[0] for one in found]
    assert names == wanted
    assert all(one.subject.name == "p" for one in found)


def test_the_fix_for_dns_is_the_command_that_opens_it_and_the_proof_who_else_is_concerned() -> None:
    spec = "{a/p: {podSelector: {}, policyTypes: [Egress]}}"
    (found,) = (one for one in linted(with_policies(DNS, spec)) if one.number == "NP007")
    assert found.fix == ALLOW
    assert found.proof == ("isolated for egress by p", "so are 2 more pods")
    alone = "{a/p: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}}"
    (found,) = (one for one in linted(with_policies(DNS, alone)) if one.number == "NP007")
    assert found.proof == ("isolated for egress by p", "so is 1 more pod")


def test_pods_of_other_policies_are_another_finding() -> None:
    web, api = ("{podSelector: {matchLabels: {app: " + app + "}}, policyTypes: [Egress]}" for app in ("web", "api"))
    found = [one for one in linted(with_policies(DNS, f"{{a/p: {web}, a/q: {api}}}")) if one.number == "NP007"]
    assert [(one.subject.name, one.proof[1:]) for one in found] == [("p", ("so is 1 more pod",)), ("q", ())]


def test_a_tier_that_shuts_dns() -> None:
    rule = {"action": "Deny", "to": [{"namespaces": {}}]}
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "egress": [rule]}
    found = [one for one in linted({**DNS, "tiers": {"cnp/p": spec}}) if one.number == "NP007"]
    assert {one.subject.kind for one in found} == {"ClusterNetworkPolicy"}


KUBE_DNS = "Service kube-system/kube-dns port 53/UDP"
SHUT = "the ingress isolation of kube-system/coredns blocks"
SHUT_BY = "shut isolates kube-system/coredns for ingress, and no rule lets it in"
OPEN_EGRESS = "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"
NO_EGRESS = "{podSelector: {}, policyTypes: [Egress]}"
LETS_API = "[{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}]}]"


@pytest.mark.parametrize(
    ("policies", "found"),
    [
        pytest.param(
            "{kube-system/shut: {podSelector: {}}}",
            [("shut", f"web can't resolve names: {SHUT}", (SHUT_BY, "so are 2 more pods"))],
            id="a resolver that lets no one in, and clients that nothing isolates",
        ),
        pytest.param(
            f"{{kube-system/shut: {{podSelector: {{}}}}, a/out: {OPEN_EGRESS}}}",
            [("shut", f"web can't resolve names: {SHUT}", (SHUT_BY, "so are 2 more pods"))],
            id="a resolver that lets no one in, and clients that may go out",
        ),
        pytest.param(
            f"{{kube-system/shut: {{podSelector: {{}}, ingress: {LETS_API}}}, a/out: {OPEN_EGRESS}}}",
            [("shut", f"web can't resolve names: {SHUT}", (SHUT_BY, "so is 1 more pod"))],
            id="a resolver that lets one of its clients in: the others are counted",
        ),
        pytest.param("{kube-system/shut: {podSelector: {}, ingress: [{}]}}", [], id="a resolver that lets everyone in"),
        pytest.param(
            f"{{kube-system/shut: {{podSelector: {{}}}}, a/out: {NO_EGRESS}}}",
            [
                (
                    "out",
                    "web can't resolve names: its egress isolation blocks",
                    ("isolated for egress by out", "so are 2 more pods"),
                )
            ],
            id="both ends: the pod's own is named",
        ),
    ],
)
def test_the_end_that_blocks_dns_is_named(policies: str, found: list[tuple[str, str, tuple[str, ...]]]) -> None:
    notes = [one for one in linted(with_policies(DNS, policies)) if one.number == "NP007"]
    assert [(one.subject.name, one.message, one.proof) for one in notes] == [
        (name, f"{message} {KUBE_DNS}; allow it: {ALLOW}", proof) for name, message, proof in found
    ]


DENY = {"action": "Deny", "name": "d"}
EVERYONE: list[Any] = [{"namespaces": {}}]


@pytest.mark.parametrize(
    ("tier", "rules", "message", "proof", "fix"),
    [
        pytest.param(
            "anp/t",
            {"ingress": [{**DENY, "from": EVERYONE}]},
            f"web can't resolve names: the ingress policies of kube-system/coredns block {KUBE_DNS}",
            'adminnetworkpolicy.policy.networking.k8s.io/t ingress[0].from[0] "d" denies it',
            "",
            id="an Admin rule at the resolver, that no NetworkPolicy can open",
        ),
        pytest.param(
            "anp/t",
            {"egress": [{**DENY, "to": EVERYONE}]},
            f"web can't resolve names: its egress policies block {KUBE_DNS}",
            'adminnetworkpolicy.policy.networking.k8s.io/t egress[0].to[0] "d" denies it',
            "",
            id="an Admin rule at the pod, that no NetworkPolicy can open",
        ),
        pytest.param(
            "banp/default",
            {"ingress": [{**DENY, "from": EVERYONE}]},
            f"web can't resolve names: the ingress policies of kube-system/coredns block {KUBE_DNS}; allow it: {ALLOW}",
            'baselineadminnetworkpolicy.policy.networking.k8s.io/default ingress[0].from[0] "d" denies it',
            ALLOW,
            id="a Baseline rule at the resolver, that a NetworkPolicy comes before",
        ),
    ],
)
def test_a_fix_for_dns_is_one_that_works(tier: str, rules: Any, message: str, proof: str, fix: str) -> None:
    spec = {**({"priority": 1} if tier == "anp/t" else {}), "subject": {"namespaces": {}}, **rules}
    found = next(one for one in linted({**DNS, "tiers": {tier: spec}}) if one.number == "NP007")
    assert (found.subject.name, found.message, found.proof[0], found.fix) == (tier.split("/")[1], message, proof, fix)


@pytest.mark.parametrize(
    ("policies", "messages"),
    [
        pytest.param(
            "{shop/p: {podSelector: {}}}",
            [
                "no policy isolates 2 of 2 pods for egress in namespace shop",
                "no policy isolates 1 of 1 pod for ingress and 1 of 1 pod for egress in namespace lab",
            ],
            id="ingress of one namespace alone",
        ),
        pytest.param(
            "{shop/p: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}}",
            [
                "no policy isolates 1 of 2 pods for ingress and 1 of 2 pods for egress in namespace shop",
                "no policy isolates 1 of 1 pod for ingress and 1 of 1 pod for egress in namespace lab",
            ],
            id="one pod of two",
        ),
        pytest.param(
            "{shop/p: {podSelector: {}, policyTypes: [Ingress, Egress]}, "
            "lab/p: {podSelector: {}, policyTypes: [Ingress, Egress]}}",
            [],
            id="all of them",
        ),
    ],
)
def test_a_namespace_without_default_deny(policies: str, messages: list[str]) -> None:
    found = [one for one in linted(with_policies(SHOP, policies)) if one.number == "NP013"]
    assert [one.message for one in found] == messages
    assert all((one.severity.value, one.subject.kind) == ("info", "Namespace") for one in found)


def test_pods_that_could_not_be_read_are_not_open() -> None:
    gap = {"resource": "pods", "namespace": "shop", "message": "you may not list pods"}
    found = linted({**SHOP, "live": True, "gaps": [gap]})
    assert [one.subject.name for one in found if one.number == "NP013"] == ["lab"]
