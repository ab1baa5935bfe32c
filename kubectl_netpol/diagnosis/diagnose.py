"""The finding for one connection: the probe compared with the policies, its evidence and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.diagnosis.faults import FAULTY, enforcer_fault, ignored_kind
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.model.policies import Tier
from kubectl_netpol.probe.outcome import NameCheck, Observation, Outcome
from kubectl_netpol.probe.script import DNS_PORT

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot


class Facts(NamedTuple):
    """What else is known; None where it was not asked for or is unknown.

    `listening`: whether something in the destination pod listens on the port (`listening_evidence`: how that is known).
    `enforcer`: the network plugin found in kube-system. `proxy`: what intercepts the source's connections.
    `changed_recently`: an isolating policy, or a pod at either end, changed within the last 30 seconds.
    `name`: whether the Service's name resolves in the source pod. `dns_blocked`: the resolver that the policies block.
    """

    listening: bool | None = None
    listening_evidence: str = ""
    enforcer: str | None = None
    proxy: str | None = None
    changed_recently: bool = False
    name: NameCheck | None = None
    dns_blocked: str | None = None


class Finding(NamedTuple):
    """A word ("open", "blocked", "refused", "can't tell", …) and a sentence.

    `reachable` None: unknown. `agrees`: whether the network does what the policies say; None where one of them is
    unknown, or the cause is not a policy. `evidence`: one sentence each. `next`: a command or a step.
    """

    code: Code
    word: str
    detail: str
    reachable: bool | None
    agrees: bool | None
    evidence: tuple[str, ...] = ()
    next: str | None = None

    @property
    def message(self) -> str:
        return f"{self.word}: {self.detail}" if self.detail else self.word


class SuggestedCommands(NamedTuple):
    """Commands that a finding may suggest; `allow_dns` where the policies block the source's resolver."""

    allow: str
    explain: str
    probe: str
    allow_dns: str | None = None


class ConnectionResult(NamedTuple):
    """`observation` None: not probed. `command`: the exec that repeats the probe by hand. `listening`: as in Facts."""

    prediction: Prediction
    finding: Finding
    observation: Observation | None = None
    command: str | None = None
    warnings: tuple[str, ...] = ()
    listening: bool | None = None


_FAILED = {Outcome.REFUSED: "refused", Outcome.TIMED_OUT: "timed out", Outcome.UNREACHABLE: "unreachable"}
_UNKNOWN = "can't tell"
_LATE = "a policy or pod just changed, and the plugin may lag behind"


def diagnose(
    snapshot: Snapshot, prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands
) -> Finding:
    if observation.outcome is Outcome.OPEN:
        return _open(snapshot, prediction, facts, commands)
    if observation.outcome in _FAILED:
        return _failed(prediction, observation, facts, commands)
    if observation.outcome is Outcome.NO_ANSWER and prediction.verdict is Verdict.BLOCKED and _asks_dns(prediction):
        return _blocked(prediction, "no answer to a DNS query", facts, commands, refused=False)
    return _undecided(prediction, observation, facts, commands)


def _asks_dns(prediction: Prediction) -> bool:
    """Whether the probe is a query that a DNS server answers, so that silence shows something."""
    return (prediction.request.port, prediction.request.protocol) == (DNS_PORT, "UDP")


def _open(snapshot: Snapshot, prediction: Prediction, facts: Facts, commands: SuggestedCommands) -> Finding:
    def finding(code: Code, detail: str, step: str | None = None) -> Finding:
        agrees = {Verdict.ALLOWED: True, Verdict.BLOCKED: False}.get(prediction.verdict)
        return Finding(code, "open", detail, reachable=True, agrees=agrees, next=step)

    if facts.proxy:
        detail = f"{facts.proxy} accepts every connection of this pod itself, even where nothing is behind it"
        step = f"{commands.probe} --http"
        return Finding(Code.PROXY_INTERCEPTS, _UNKNOWN, detail, reachable=None, agrees=None, next=step)
    if prediction.verdict is Verdict.ALLOWED:
        return finding(Code.OPEN, "as the policies say")
    if prediction.verdict is Verdict.UNDEFINED:
        return finding(Code.OPEN_UNPREDICTED, _undefined(prediction))
    if ignored := ignored_kind(prediction, facts.enforcer):
        detail = f"though the policies block it: {ignored}"
        return finding(
            Code.KIND_NOT_ENFORCED, detail, "say it with NetworkPolicies, or use a plugin that enforces this kind"
        )
    may_be_it = facts.enforcer is None or FAULTY in facts.enforcer
    if may_be_it and (fault := enforcer_fault(snapshot, prediction)):
        unless = "" if facts.enforcer else "; or nothing enforces policies here"
        return finding(fault.code, f"though the policies block it: {fault.message}{unless}", fault.fix)
    plugin = f" ({facts.enforcer} runs here)" if facts.enforcer else ""
    detail = f"though the policies block it: this cluster does not enforce them, or not yet{plugin}"
    step = "if it persists, use a plugin that does (minikube start --cni=calico)"
    return finding(Code.NOT_ENFORCED, detail, step)


def _failed(prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands) -> Finding:
    word = _FAILED[observation.outcome]

    def finding(code: Code, detail: str, step: str | None, *, agrees: bool | None) -> Finding:
        evidence = (facts.listening_evidence,) if facts.listening_evidence else ()
        return Finding(code, word, detail, reachable=False, agrees=agrees, evidence=evidence, next=step)

    refused = observation.outcome is Outcome.REFUSED
    if prediction.request.problem:
        return _leads_nowhere(prediction, word)
    if prediction.verdict is Verdict.BLOCKED:
        return _blocked(prediction, word, facts, commands, refused=refused)
    if refused and facts.listening is False:
        step = "check which port the application listens on"
        return finding(Code.NOTHING_LISTENS, "nothing listens on that port of the pod", step, agrees=None)
    if prediction.verdict is Verdict.UNDEFINED:
        codes = {Outcome.REFUSED: Code.REFUSED, Outcome.TIMED_OUT: Code.TIMED_OUT}
        code = codes.get(observation.outcome, Code.UNREACHABLE)
        return finding(code, _undefined(prediction), commands.explain, agrees=None)
    if facts.changed_recently:
        return finding(Code.CHANGED_RECENTLY, f"though the policies allow it: {_LATE}", commands.probe, agrees=False)
    if ignored := ignored_kind(prediction, facts.enforcer):
        detail = f"though the policies allow it: {ignored}"
        return finding(Code.KIND_NOT_ENFORCED, detail, commands.explain, agrees=False)
    if refused and facts.listening:
        detail = "though the port listens and the policies allow it"
        step = "it may listen on localhost only (bind 0.0.0.0), or another firewall rejects it"
        return finding(Code.REFUSED_THOUGH_LISTENING, detail, step, agrees=False)
    if refused:
        detail = "the policies allow it, so probably nothing listens there"
        return finding(Code.REFUSED, detail, commands.explain, agrees=None)
    code = Code.TIMED_OUT_THOUGH_ALLOWED if observation.outcome is Outcome.TIMED_OUT else Code.UNREACHABLE
    step = "check node firewalls, a service mesh, policies of other kinds, or a plugin that lags behind"
    return finding(code, "though the policies allow it", step, agrees=False)


def _leads_nowhere(prediction: Prediction, word: str) -> Finding:
    """The Service leads nowhere, so policies decide nothing."""
    code, step = Code.UNREACHABLE, None
    if prediction.reason and prediction.reason.code is Code.SERVICE_HAS_NO_ENDPOINTS:
        code = Code.NO_READY_ENDPOINTS
        step = "check the Service's selector against the pods' labels, and their readiness"
    return Finding(code, word, _why(prediction), reachable=False, agrees=None, next=step)


def _blocked(prediction: Prediction, word: str, facts: Facts, commands: SuggestedCommands, *, refused: bool) -> Finding:
    denied = [m for side in (prediction.egress, prediction.ingress) for m in side.denied_by]
    admin = next((match.policy for match in denied if match.policy.tier is Tier.ADMIN), None)
    # A NetworkPolicy opens what other NetworkPolicies and Baseline block, but nothing that comes before it.
    step = f"change {admin.title}: no NetworkPolicy can open what it denies" if admin else commands.allow

    def finding(code: Code, detail: str, *, agrees: bool | None) -> Finding:
        evidence = (facts.listening_evidence,) if facts.listening_evidence else ()
        return Finding(code, "blocked", detail, reachable=False, agrees=agrees, evidence=evidence, next=step)

    if facts.listening is False:
        detail = f"{word}; the policies block it, and nothing listens there either"
        return finding(Code.NOTHING_LISTENS_AND_BLOCKED, detail, agrees=None)
    if refused and facts.listening:
        return finding(Code.REJECTED_BY_POLICY, "refused, though the port listens: a policy rejects it", agrees=True)
    return finding(Code.BLOCKED_BY_POLICY, f"{word}, as the policies say", agrees=True)


def _undecided(prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands) -> Finding:
    """Outcomes that show nothing about the port."""
    policies = f"the policies say {prediction.verdict.value}"

    def finding(code: Code, detail: str, step: str | None = None, word: str = _UNKNOWN) -> Finding:
        output = observation.output.replace("\n", " ")
        evidence = (output,) if output and code in (Code.EXEC_FAILED, Code.NAME_UNRESOLVED) else ()
        return Finding(code, word, detail, reachable=None, agrees=None, evidence=evidence, next=step)

    if observation.outcome is Outcome.NO_ANSWER:
        detail = f"over UDP this may mean open or blocked; {policies}"
        return finding(Code.NO_ANSWER, detail, commands.explain, "no answer")
    if observation.outcome is Outcome.UNRESOLVED and facts.dns_blocked:
        detail = f"the name does not resolve: the policies block {facts.dns_blocked}"
        return finding(Code.DNS_BLOCKED, detail, commands.allow_dns)
    if observation.outcome is Outcome.UNRESOLVED:
        return finding(Code.NAME_UNRESOLVED, "the name does not resolve in the source pod")
    if observation.outcome is Outcome.NO_TOOL:
        detail = f"no tool in the container can open a connection; {policies}"
        return finding(Code.NO_TOOL, detail, f"{commands.probe} --debug-image busybox")
    if observation.outcome is Outcome.EXEC_FAILED:
        return finding(Code.EXEC_FAILED, f"the probe did not finish; {policies}")
    return finding(Code.EXEC_FAILED, f"the output of {observation.tool or 'the tool'} is inconclusive; {policies}")


def _why(prediction: Prediction) -> str:
    return prediction.reason.message if prediction.reason else "no reason known"


def _undefined(prediction: Prediction) -> str:
    return f"the policies' verdict is undefined ({_why(prediction)})"


def predicted(prediction: Prediction) -> Finding:
    """The finding without a probe, from manifests."""
    detail = _why(prediction) if prediction.verdict is Verdict.UNDEFINED else "not probed"
    return Finding(Code.PREDICTED, prediction.verdict.value, detail, reachable=None, agrees=None)


def not_probed(prediction: Prediction, why: str, code: Code, step: str | None = None) -> Finding:
    """The finding where `why` a probe is impossible: SCTP, a source that does not run, a forbidden exec."""
    policies = "" if prediction.verdict is Verdict.UNDEFINED else f"; the policies say {prediction.verdict.value}"
    return Finding(code, _UNKNOWN, why + policies, reachable=None, agrees=None, next=step)


def listening_evidence(listening: bool | None, pod: str, port: int) -> str:  # noqa: FBT001 - a fact, not a switch
    """How it is known whether something listens, "" for None. Policies don't filter port-forward."""
    if listening is None:
        return ""
    return f"{pod} {'listens' if listening else 'does not listen'} on {port}, says port-forward"
