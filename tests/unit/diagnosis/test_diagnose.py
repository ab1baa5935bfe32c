"""The finding for each outcome of the probe, verdict of the policies and what else is known."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.diagnosis.diagnose import (
    Facts,
    SuggestedCommands,
    diagnose,
    listening_evidence,
    not_probed,
    predicted,
)
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.probe.outcome import NameCheck, Observation, Outcome
from tests.support.tables import ask, snapshot_of

COMMANDS = SuggestedCommands(
    "kubectl netpol allow …",
    "kubectl netpol explain …",
    "kubectl netpol test …",
    "kubectl netpol allow san kube-system/kube-dns …",
)
PODS = {
    "default/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "default/web": {"ip": "10.0.0.2", "labels": {"run": "web"}},
}
DENY = {"default/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}}
NAMED = {
    "default/named": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "metrics"}]}],
    }
}
BOTH_ENDS = {
    "default/both": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{}],
    }
}


def tier_policy(name: str, action: str) -> dict[str, Any]:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "priority": 1,
            "subject": {"namespaces": {}},
            "ingress": [{"action": action, "from": [{"namespaces": {}}]}],
        },
    }


ADMIN, ACCEPT = tier_policy("admin", "Deny"), tier_policy("accept", "Allow")
KIND = "adminnetworkpolicy.policy.networking.k8s.io"
UNEVALUATED = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumClusterwideNetworkPolicy",
    "metadata": {"name": "wide"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}
OVERRIDES = "ciliumclusterwidenetworkpolicy.cilium.io/wide may decide for default/web: its rules are not evaluated"
ALLOWED: dict[str, Any] = {"live": True, "pods": PODS}
BLOCKED = {**ALLOWED, "policies": DENY}
UNDEFINED = {**ALLOWED, "objects": [UNEVALUATED]}
NO_ENDPOINTS = {**ALLOWED, "services": {"default/db": {"selector": {"run": "db"}, "ports": [{"port": 80}]}}}
LISTENS = Facts(listening=True, listening_evidence="default/web listens on 80, says port-forward")
SILENT = Facts(listening=False, listening_evidence="default/web does not listen on 80, says port-forward")


def seen(outcome: Outcome, output: str = "", tool: str | None = "nc") -> Observation:
    return Observation(outcome, tool, ("nc", "10.0.0.2", "80"), None, output, 0.1)


FIREWALL = "check node firewalls, a service mesh, policies of other kinds, or a plugin that lags behind"
ENFORCE = "if it persists, use a plugin that does (minikube start --cni=calico)"


@pytest.mark.parametrize(
    ("cluster", "to", "outcome", "facts", "code", "message", "reachable", "agrees", "step"),
    [
        pytest.param(
            ALLOWED, "web 80", Outcome.OPEN, Facts(),
            Code.OPEN, "open: as the policies say", True, True, None,
            id="open and allowed",
        ),
        pytest.param(
            UNDEFINED, "web 80", Outcome.OPEN, Facts(),
            Code.OPEN_UNPREDICTED,
            f"open: the policies' verdict is undefined ({OVERRIDES})",
            True, None, None,
            id="open, and another kind of policy may decide",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.OPEN, Facts(),
            Code.NOT_ENFORCED,
            "open: though the policies block it: this cluster does not enforce them, or not yet",
            True, False, ENFORCE,
            id="open though blocked, with an unknown plugin",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.OPEN, Facts(enforcer="flannel"),
            Code.NOT_ENFORCED,
            "open: though the policies block it: this cluster does not enforce them, or not yet (flannel runs here)",
            True, False, ENFORCE,
            id="open though blocked, with a known plugin",
        ),
        pytest.param(
            {**ALLOWED, "policies": NAMED}, "web 80", Outcome.OPEN, Facts(enforcer="kube-router"),
            Code.ENFORCER_NAMED_PORT_FAULT,
            "open: though the policies block it: named allows port metrics, which no destination pod has, "
            "and some plugins (kube-router) then open every port",
            True, False, "use the port number in the policy",
            id="open though blocked, by a port name that no pod has",
        ),
        pytest.param(
            {**ALLOWED, "policies": BOTH_ENDS}, "web 80", Outcome.OPEN, Facts(),
            Code.ENFORCER_BOTH_ENDS_FAULT,
            "open: though the policies block it: both selects both ends, and some plugins (kube-router) apply its "
            "ingress rule to egress too; or nothing enforces policies here",
            True, False, "split the policy by direction",
            id="open though blocked, by one policy of both ends, with an unknown plugin",
        ),
        pytest.param(
            {**ALLOWED, "policies": BOTH_ENDS}, "web 80", Outcome.OPEN, Facts(enforcer="flannel"),
            Code.NOT_ENFORCED,
            "open: though the policies block it: this cluster does not enforce them, or not yet (flannel runs here)",
            True, False, ENFORCE,
            id="open though blocked, by one policy of both ends, with a plugin without that fault",
        ),
        pytest.param(
            {**ALLOWED, "objects": [ADMIN]}, "web 80", Outcome.OPEN, Facts(enforcer="kube-router"),
            Code.KIND_NOT_ENFORCED,
            f"open: though the policies block it: kube-router does not enforce {KIND}, and {KIND}/admin "
            "ingress[0].from[0] decides",
            True, False, "say it with NetworkPolicies, or use a plugin that enforces this kind",
            id="open though an AdminNetworkPolicy denies it, with a plugin that ignores that kind",
        ),
        pytest.param(
            {**ALLOWED, "objects": [ADMIN]}, "web 80", Outcome.OPEN, Facts(enforcer="Calico and kube-router"),
            Code.NOT_ENFORCED,
            "open: though the policies block it: this cluster does not enforce them, or not yet "
            "(Calico and kube-router runs here)",
            True, False, ENFORCE,
            id="open though an AdminNetworkPolicy denies it, where one of two plugins may enforce it",
        ),
        pytest.param(
            {**ALLOWED, "objects": [ADMIN]}, "web 80", Outcome.TIMED_OUT, Facts(),
            Code.BLOCKED_BY_POLICY,
            "blocked: timed out, as the policies say",
            False, True, f"change {KIND}/admin: no NetworkPolicy can open what it denies",
            id="timed out, and an AdminNetworkPolicy denies it: no NetworkPolicy helps",
        ),
        pytest.param(
            {**BLOCKED, "objects": [ACCEPT]}, "web 80", Outcome.TIMED_OUT, Facts(enforcer="flannel"),
            Code.KIND_NOT_ENFORCED,
            f"timed out: though the policies allow it: flannel does not enforce {KIND}, and {KIND}/accept "
            "ingress[0].from[0] decides",
            False, False, "kubectl netpol explain …",
            id="timed out though an AdminNetworkPolicy allows it, with a plugin that ignores that kind",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.OPEN, Facts(proxy="istio"),
            Code.PROXY_INTERCEPTS,
            "can't tell: istio accepts every connection of this pod itself, even where nothing is behind it",
            None, None, "kubectl netpol test … --http",
            id="open to a proxy that accepts every connection",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.REFUSED, LISTENS,
            Code.REJECTED_BY_POLICY, "blocked: refused, though the port listens: a policy rejects it",
            False, True, "kubectl netpol allow …",
            id="refused, it listens, the policies block",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.REFUSED, SILENT,
            Code.NOTHING_LISTENS_AND_BLOCKED,
            "blocked: refused; the policies block it, and nothing listens there either",
            False, None, "kubectl netpol allow …",
            id="refused, nothing listens, the policies block",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.REFUSED, Facts(),
            Code.BLOCKED_BY_POLICY, "blocked: refused, as the policies say", False, True, "kubectl netpol allow …",
            id="refused, the policies block, unknown whether it listens",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.TIMED_OUT, LISTENS,
            Code.BLOCKED_BY_POLICY, "blocked: timed out, as the policies say", False, True, "kubectl netpol allow …",
            id="timed out, it listens, the policies block",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.TIMED_OUT, SILENT,
            Code.NOTHING_LISTENS_AND_BLOCKED,
            "blocked: timed out; the policies block it, and nothing listens there either",
            False, None, "kubectl netpol allow …",
            id="timed out, nothing listens, the policies block",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.UNREACHABLE, Facts(),
            Code.BLOCKED_BY_POLICY, "blocked: unreachable, as the policies say", False, True, "kubectl netpol allow …",
            id="unreachable, the policies block",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.REFUSED, SILENT,
            Code.NOTHING_LISTENS, "refused: nothing listens on that port of the pod",
            False, None, "check which port the application listens on",
            id="refused, nothing listens, the policies allow",
        ),
        pytest.param(
            UNDEFINED, "web 80", Outcome.REFUSED, SILENT,
            Code.NOTHING_LISTENS, "refused: nothing listens on that port of the pod",
            False, None, "check which port the application listens on",
            id="refused, nothing listens, another kind of policy may decide",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.REFUSED, LISTENS,
            Code.REFUSED_THOUGH_LISTENING, "refused: though the port listens and the policies allow it",
            False, False, "it may listen on localhost only (bind 0.0.0.0), or another firewall rejects it",
            id="refused, it listens, the policies allow",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.REFUSED, Facts(),
            Code.REFUSED, "refused: the policies allow it, so probably nothing listens there",
            False, None, "kubectl netpol explain …",
            id="refused, the policies allow, unknown whether it listens",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.REFUSED, Facts(changed_recently=True),
            Code.CHANGED_RECENTLY,
            "refused: though the policies allow it: a policy or pod just changed, and the plugin may lag behind",
            False, False, "kubectl netpol test …",
            id="refused though allowed, right after a change",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.TIMED_OUT, LISTENS._replace(changed_recently=True),
            Code.CHANGED_RECENTLY,
            "timed out: though the policies allow it: a policy or pod just changed, and the plugin may lag behind",
            False, False, "kubectl netpol test …",
            id="timed out though allowed, right after a change",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.TIMED_OUT, Facts(),
            Code.TIMED_OUT_THOUGH_ALLOWED, "timed out: though the policies allow it", False, False, FIREWALL,
            id="timed out though allowed",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.TIMED_OUT, LISTENS,
            Code.TIMED_OUT_THOUGH_ALLOWED, "timed out: though the policies allow it", False, False, FIREWALL,
            id="timed out though allowed, it listens",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.TIMED_OUT, SILENT,
            Code.TIMED_OUT_THOUGH_ALLOWED, "timed out: though the policies allow it", False, False, FIREWALL,
            id="timed out though allowed, nothing listens",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.UNREACHABLE, Facts(),
            Code.UNREACHABLE, "unreachable: though the policies allow it", False, False, FIREWALL,
            id="unreachable though allowed",
        ),
        pytest.param(
            UNDEFINED, "web 80", Outcome.REFUSED, LISTENS,
            Code.REFUSED,
            f"refused: the policies' verdict is undefined ({OVERRIDES})",
            False, None, "kubectl netpol explain …",
            id="refused, it listens, and another kind of policy may decide",
        ),
        pytest.param(
            UNDEFINED, "web 80", Outcome.TIMED_OUT, Facts(),
            Code.TIMED_OUT,
            f"timed out: the policies' verdict is undefined ({OVERRIDES})",
            False, None, "kubectl netpol explain …",
            id="timed out, and another kind of policy may decide",
        ),
        pytest.param(
            UNDEFINED, "web 80", Outcome.UNREACHABLE, Facts(),
            Code.UNREACHABLE,
            f"unreachable: the policies' verdict is undefined ({OVERRIDES})",
            False, None, "kubectl netpol explain …",
            id="unreachable, and another kind of policy may decide",
        ),
        pytest.param(
            NO_ENDPOINTS, "db 80", Outcome.TIMED_OUT, Facts(),
            Code.NO_READY_ENDPOINTS,
            "timed out: Service default/db has no ready endpoints: its selector selects no pod",
            False, None, "check the Service's selector against the pods' labels, and their readiness",
            id="timed out at a Service without endpoints",
        ),
        pytest.param(
            NO_ENDPOINTS, "db 81", Outcome.REFUSED, Facts(),
            Code.UNREACHABLE, "refused: Service default/db has no port 81/TCP; it has 80/TCP", False, None, None,
            id="refused at a Service port that does not exist",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.NO_ANSWER, Facts(),
            Code.NO_ANSWER, "no answer: over UDP this may mean open or blocked; the policies say blocked",
            None, None, "kubectl netpol explain …",
            id="no answer over UDP",
        ),
        pytest.param(
            BLOCKED, "web 53/UDP", Outcome.NO_ANSWER, Facts(),
            Code.BLOCKED_BY_POLICY, "blocked: no answer to a DNS query, as the policies say",
            False, True, "kubectl netpol allow …",
            id="no answer to a DNS query that the policies block",
        ),
        pytest.param(
            ALLOWED, "web 53/UDP", Outcome.NO_ANSWER, Facts(),
            Code.NO_ANSWER, "no answer: over UDP this may mean open or blocked; the policies say allowed",
            None, None, "kubectl netpol explain …",
            id="no answer to a DNS query that they allow",
        ),
        pytest.param(
            BLOCKED, "web 53", Outcome.TIMED_OUT, Facts(),
            Code.BLOCKED_BY_POLICY, "blocked: timed out, as the policies say",
            False, True, "kubectl netpol allow …",
            id="the same port over TCP is as any other",
        ),
        pytest.param(
            ALLOWED, "example.com 80", Outcome.UNRESOLVED, Facts(),
            Code.NAME_UNRESOLVED, "can't tell: the name does not resolve in the source pod", None, None, None,
            id="a host name that does not resolve",
        ),
        pytest.param(
            ALLOWED, "example.com 80", Outcome.UNRESOLVED, Facts(dns_blocked="kube-system/kube-dns"),
            Code.DNS_BLOCKED,
            "can't tell: the name does not resolve: the policies block kube-system/kube-dns",
            None, None, "kubectl netpol allow san kube-system/kube-dns …",
            id="a host name that does not resolve because the policies block DNS",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.NO_TOOL, Facts(),
            Code.NO_TOOL, "can't tell: no tool in the container can open a connection; the policies say allowed",
            None, None, "kubectl netpol test … --debug-image busybox",
            id="an image without a tool",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.NO_TOOL, Facts(dns_blocked="kube-system/kube-dns"),
            Code.NO_TOOL, "can't tell: no tool in the container can open a connection; the policies say allowed",
            None, None, "kubectl netpol test … --debug-image busybox",
            id="an image without a tool, where the policies block DNS",
        ),
        pytest.param(
            BLOCKED, "web 80", Outcome.EXEC_FAILED, Facts(),
            Code.EXEC_FAILED, "can't tell: the probe did not finish; the policies say blocked",
            None, None, None,
            id="an exec that failed",
        ),
        pytest.param(
            ALLOWED, "web 80", Outcome.INCONCLUSIVE, Facts(),
            Code.EXEC_FAILED, "can't tell: the output of nc is inconclusive; the policies say allowed",
            None, None, None,
            id="inconclusive output of a tool",
        ),
    ],
)  # fmt: skip
def test_the_finding(
    *,
    cluster: dict[str, Any],
    to: str,
    outcome: Outcome,
    facts: Facts,
    code: Code,
    message: str,
    reachable: bool | None,
    agrees: bool | None,
    step: str | None,
) -> None:
    snapshot = snapshot_of(cluster)
    destination, typed = to.split()
    port, _, protocol = typed.partition("/")
    prediction = ask(snapshot, "san", destination, int(port), protocol or "TCP")
    finding = diagnose(snapshot, prediction, seen(outcome), facts, COMMANDS)
    assert (finding.code, finding.message, finding.reachable, finding.agrees, finding.next) == (
        code,
        message,
        reachable,
        agrees,
        step,
    )
    failed = outcome in (Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.UNREACHABLE)
    assert finding.evidence == ((facts.listening_evidence,) if failed and facts.listening_evidence else ())


@pytest.mark.parametrize(
    ("outcome", "output", "evidence"),
    [
        pytest.param(Outcome.EXEC_FAILED, "broken\npipe", ("broken pipe",), id="why an exec failed, in one line"),
        pytest.param(Outcome.UNRESOLVED, "bad address", ("bad address",), id="what the resolver said"),
        pytest.param(Outcome.INCONCLUSIVE, "hm", ("hm",), id="inconclusive output"),
        pytest.param(Outcome.NO_TOOL, "sh: not found", (), id="output of a shell without tools is not evidence"),
        pytest.param(Outcome.NO_ANSWER, "x", (), id="silence is not evidence"),
    ],
)
def test_the_output_of_the_tool_is_evidence_where_it_is_inconclusive(
    outcome: Outcome, output: str, evidence: tuple[str, ...]
) -> None:
    snapshot = snapshot_of(ALLOWED)
    found = diagnose(snapshot, ask(snapshot, "san", "web", 80, "TCP"), seen(outcome, output), Facts(), COMMANDS)
    assert found.evidence == evidence


def test_an_unknown_tool_is_the_tool() -> None:
    snapshot = snapshot_of(ALLOWED)
    asked = ask(snapshot, "san", "web", 80, "TCP")
    found = diagnose(snapshot, asked, seen(Outcome.INCONCLUSIVE, tool=None), Facts(), COMMANDS)
    assert found.detail == "the output of the tool is inconclusive; the policies say allowed"


def test_an_undefined_verdict_without_a_reason() -> None:
    asked = ask(snapshot_of(UNDEFINED), "san", "web", 80, "TCP")._replace(reason=None)
    assert predicted(asked).detail == "no reason known"


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        pytest.param(ALLOWED, "allowed: not probed", id="allowed"),
        pytest.param(BLOCKED, "blocked: not probed", id="blocked"),
        pytest.param(UNDEFINED, f"undefined: {OVERRIDES}", id="undefined, with the reason"),
    ],
)
def test_the_finding_from_manifests_is_the_prediction(cluster: dict[str, Any], message: str) -> None:
    found = predicted(ask(snapshot_of(cluster), "san", "web", 80, "TCP"))
    assert (found.code, found.message, found.reachable, found.agrees) == (Code.PREDICTED, message, None, None)


@pytest.mark.parametrize(
    ("code", "cluster", "message"),
    [
        pytest.param(
            Code.NOT_PROBED, BLOCKED, "can't tell: SCTP can't be probed; the policies say blocked", id="a protocol"
        ),
        pytest.param(Code.NOT_PROBED, UNDEFINED, "can't tell: SCTP can't be probed", id="undefined too"),
        *(
            pytest.param(code, ALLOWED, "can't tell: SCTP can't be probed; the policies say allowed", id=str(code))
            for code in (
                Code.EXEC_FORBIDDEN,
                Code.SOURCE_NOT_RUNNING,
                Code.DESTINATION_NOT_RUNNING,
                Code.WRONG_SERVICE_PORT,
                Code.NO_READY_ENDPOINTS,
            )
        ),
    ],
)
def test_a_connection_that_is_not_probed_is_neither_open_nor_closed(
    code: Code, cluster: dict[str, Any], message: str
) -> None:
    found = not_probed(ask(snapshot_of(cluster), "san", "web", 80, "TCP"), "SCTP can't be probed", code, "a step")
    assert found == (code, "can't tell", message.removeprefix("can't tell: "), None, None, (), "a step")


def test_a_finding_without_detail_is_its_word() -> None:
    found = predicted(ask(snapshot_of(ALLOWED), "san", "web", 80, "TCP"))
    assert found._replace(detail="").message == "allowed"


@pytest.mark.parametrize(
    ("listening", "evidence"),
    [
        pytest.param(True, "shop/web listens on 80, says port-forward", id="it listens"),
        pytest.param(False, "shop/web does not listen on 80, says port-forward", id="it does not"),
        pytest.param(None, "", id="unknown"),
    ],
)
def test_how_it_is_known_whether_something_listens(listening: bool | None, evidence: str) -> None:  # noqa: FBT001 - a fact
    assert listening_evidence(listening, "shop/web", 80) == evidence


def test_a_name_that_does_not_resolve_does_not_change_the_finding_on_the_port() -> None:
    snapshot = snapshot_of(ALLOWED)
    facts = Facts(name=NameCheck("web.default.svc", resolves=False, output=""))
    found = diagnose(snapshot, ask(snapshot, "san", "web", 80, "TCP"), seen(Outcome.OPEN), facts, COMMANDS)
    assert (found.code, found.reachable) == (Code.OPEN, True)


def test_every_finding_is_in_the_tables_above() -> None:
    codes = list(Code)
    findings = set(codes[codes.index(Code.OPEN) : codes.index(Code.NOT_PROBED) + 1])
    tables = (
        test_the_finding,
        test_a_connection_that_is_not_probed_is_neither_open_nor_closed,
        test_the_finding_from_manifests_is_the_prediction,
    )
    shown = {
        value
        for table in tables
        for mark in getattr(table, "pytestmark")  # noqa: B009 - pytest adds it
        for row in mark.args[1]
        for value in row.values
        if isinstance(value, Code)
    }
    assert findings - shown == {Code.PREDICTED}  # its table has the messages alone
