"""What the network did, beside what the policies say: the finding, its evidence and the next step. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.diagnosis.faults import FAULTY, enforcer_fault
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.probe.outcome import NameCheck, Observation, Outcome

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot


class Facts(NamedTuple):
    """What was found out besides; each is None where nobody asked, or nobody could tell.

    `listening`: whether the destination pod accepts the port from inside (`listening_evidence`: how that is known).
    `enforcer`: the network plugin that kube-system shows. `proxy`: what intercepts the source's connections.
    `changed_recently`: a policy or pod that matters changed within the last 30 seconds.
    `name`: whether the Service's name resolves in the pod. `dns_blocked`: the resolver that the policies keep it from.
    """

    listening: bool | None = None
    listening_evidence: str = ""
    enforcer: str | None = None
    proxy: str | None = None
    changed_recently: bool = False
    name: NameCheck | None = None
    dns_blocked: str | None = None


class Finding(NamedTuple):
    """The conclusion: a word ("open", "blocked", "refused", "can't tell", …) and a sentence.

    `reachable` None: can't be told. `agrees`: whether network and policies do; None where the cause is no policy, or
    one of both is not known. `evidence`: one sentence each. `next`: what to type or to do.
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
        """Word and sentence in one."""
        return f"{self.word}: {self.detail}" if self.detail else self.word


class SuggestedCommands(NamedTuple):
    """The commands that a finding may tell people to type; `allow_dns` where the policies keep the source from DNS."""

    allow: str
    explain: str
    probe: str
    allow_dns: str | None = None


class ConnectionResult(NamedTuple):
    """One tested connection: prediction, observation (None: not probed) and conclusion."""

    prediction: Prediction
    finding: Finding
    observation: Observation | None = None
    command: str | None = None
    warnings: tuple[str, ...] = ()


_FAILED = {Outcome.REFUSED: "refused", Outcome.TIMED_OUT: "timed out", Outcome.UNREACHABLE: "unreachable"}
_UNKNOWN = "can't tell"
_LATE = "a policy or pod changed just now, and the plugin may be late"


def diagnose(
    snapshot: Snapshot, prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands
) -> Finding:
    """The finding for a connection that was probed."""
    if observation.outcome is Outcome.OPEN:
        return _open(snapshot, prediction, facts, commands)
    if observation.outcome in _FAILED:
        return _failed(prediction, observation, facts, commands)
    return _undecided(prediction, observation, facts, commands)


def _open(snapshot: Snapshot, prediction: Prediction, facts: Facts, commands: SuggestedCommands) -> Finding:
    def finding(code: Code, detail: str, step: str | None = None) -> Finding:
        agrees = {Verdict.ALLOWED: True, Verdict.BLOCKED: False}.get(prediction.verdict)
        return Finding(code, "open", detail, reachable=True, agrees=agrees, next=step)

    if facts.proxy:
        detail = f"{facts.proxy} accepts every connection of this pod itself, whatever is behind it"
        step = f"{commands.probe} --http"
        return Finding(Code.PROXY_INTERCEPTS, _UNKNOWN, detail, reachable=None, agrees=None, next=step)
    if prediction.verdict is Verdict.ALLOWED:
        return finding(Code.OPEN, "as the policies say")
    if prediction.verdict is Verdict.UNDEFINED:
        return finding(Code.OPEN_UNPREDICTED, f"what the policies say is undefined ({_why(prediction)})")
    may_be_it = facts.enforcer is None or FAULTY in facts.enforcer
    if may_be_it and (fault := enforcer_fault(snapshot, prediction)):
        unless = "" if facts.enforcer else "; or nothing enforces the policies here"
        return finding(fault.code, f"though the policies block it: {fault.message}{unless}", fault.fix)
    plugin = f" ({facts.enforcer} runs here)" if facts.enforcer else ""
    detail = f"though the policies block it: this cluster does not enforce them, or not yet{plugin}"
    step = "if it stays so, use a plugin that does (minikube start --cni=calico)"
    return finding(Code.NOT_ENFORCED, detail, step)


def _failed(prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands) -> Finding:
    word = _FAILED[observation.outcome]

    def finding(code: Code, detail: str, step: str | None, *, agrees: bool | None) -> Finding:
        evidence = (facts.listening_evidence,) if facts.listening_evidence else ()
        return Finding(code, word, detail, reachable=False, agrees=agrees, evidence=evidence, next=step)

    refused = observation.outcome is Outcome.REFUSED
    if prediction.request.problem:
        return _no_question_of_policy(prediction, word)
    if prediction.verdict is Verdict.BLOCKED:
        return _blocked(word, facts, commands, refused=refused)
    if refused and facts.listening is False:
        step = "compare the port with what the application listens on"
        return finding(Code.NOTHING_LISTENS, "nothing listens on that port of the pod", step, agrees=None)
    if prediction.verdict is Verdict.UNDEFINED:
        codes = {Outcome.REFUSED: Code.REFUSED, Outcome.TIMED_OUT: Code.TIMED_OUT}
        code = codes.get(observation.outcome, Code.UNREACHABLE)
        detail = f"what the policies say is undefined ({_why(prediction)})"
        return finding(code, detail, commands.explain, agrees=None)
    if facts.changed_recently:
        return finding(Code.CHANGED_RECENTLY, f"though the policies allow it: {_LATE}", commands.probe, agrees=False)
    if refused and facts.listening:
        detail = "though it listens and the policies allow it"
        step = "perhaps it listens on localhost only (bind 0.0.0.0), or another firewall rejects"
        return finding(Code.REFUSED_THOUGH_LISTENING, detail, step, agrees=False)
    if refused:
        detail = "the policies allow it, so probably nothing listens there"
        return finding(Code.REFUSED, detail, commands.explain, agrees=None)
    code = Code.TIMED_OUT_THOUGH_ALLOWED if observation.outcome is Outcome.TIMED_OUT else Code.UNREACHABLE
    step = "look for a node's firewall, a service mesh, policies of another kind, or a plugin that is late"
    return finding(code, "though the policies allow it", step, agrees=False)


def _no_question_of_policy(prediction: Prediction, word: str) -> Finding:
    """A Service without endpoints, say: whatever the policies, nothing would answer."""
    code, step = Code.UNREACHABLE, None
    if prediction.reason and prediction.reason.code is Code.SERVICE_HAS_NO_ENDPOINTS:
        code = Code.NO_READY_ENDPOINTS
        step = "compare the Service's selector with the pods' labels, and look at their readiness"
    return Finding(code, word, _why(prediction), reachable=False, agrees=None, next=step)


def _blocked(word: str, facts: Facts, commands: SuggestedCommands, *, refused: bool) -> Finding:
    def finding(code: Code, detail: str, *, agrees: bool | None) -> Finding:
        evidence = (facts.listening_evidence,) if facts.listening_evidence else ()
        step = commands.allow
        return Finding(code, "blocked", detail, reachable=False, agrees=agrees, evidence=evidence, next=step)

    if facts.listening is False:
        detail = f"{word}; the policies block it, and nothing listens there either"
        return finding(Code.NOTHING_LISTENS_AND_BLOCKED, detail, agrees=None)
    if refused and facts.listening:
        return finding(Code.REJECTED_BY_POLICY, "refused, though the port listens: a policy rejects it", agrees=True)
    return finding(Code.BLOCKED_BY_POLICY, f"{word}, as the policies say", agrees=True)


def _undecided(prediction: Prediction, observation: Observation, facts: Facts, commands: SuggestedCommands) -> Finding:
    """Outcomes that say nothing about the port."""
    policies = f"the policies say {prediction.verdict.value}"

    def finding(code: Code, detail: str, step: str | None = None, word: str = _UNKNOWN) -> Finding:
        words = observation.output.replace("\n", " ")
        evidence = (words,) if words and code in (Code.EXEC_FAILED, Code.NAME_UNRESOLVED) else ()
        return Finding(code, word, detail, reachable=None, agrees=None, evidence=evidence, next=step)

    if observation.outcome is Outcome.NO_ANSWER:
        detail = f"over UDP that may mean open or blocked; {policies}"
        return finding(Code.NO_ANSWER, detail, commands.explain, "no answer")
    if observation.outcome is Outcome.UNRESOLVED and facts.dns_blocked:
        detail = f"the name does not resolve: the policies keep the pod from {facts.dns_blocked}"
        return finding(Code.DNS_BLOCKED, detail, commands.allow_dns)
    if observation.outcome is Outcome.UNRESOLVED:
        return finding(Code.NAME_UNRESOLVED, "the name does not resolve in the source pod")
    if observation.outcome is Outcome.NO_TOOL:
        detail = f"nothing in the container can open a connection; {policies}"
        return finding(Code.NO_TOOL, detail, f"{commands.probe} --debug-image busybox")
    if observation.outcome is Outcome.EXEC_FAILED:
        return finding(Code.EXEC_FAILED, f"the probe did not run to its end; {policies}")
    return finding(Code.EXEC_FAILED, f"{observation.tool or 'the tool'} said nothing that decides; {policies}")


def _why(prediction: Prediction) -> str:
    return prediction.reason.message if prediction.reason else "no reason known"


def predicted(prediction: Prediction) -> Finding:
    """The finding where nothing can be probed: manifests."""
    detail = _why(prediction) if prediction.verdict is Verdict.UNDEFINED else "not probed"
    return Finding(Code.PREDICTED, prediction.verdict.value, detail, reachable=None, agrees=None)


def not_probed(prediction: Prediction, why: str, code: Code, step: str | None = None) -> Finding:
    """The finding where a probe is impossible: SCTP, a source that does not run, a forbidden exec."""
    policies = "" if prediction.verdict is Verdict.UNDEFINED else f"; the policies say {prediction.verdict.value}"
    return Finding(code, _UNKNOWN, why + policies, reachable=None, agrees=None, next=step)


def listening_evidence(listening: bool | None, pod: str, port: int) -> str:  # noqa: FBT001 - a fact, not a switch
    """How it is known whether something listens; policies don't filter port-forward."""
    if listening is None:
        return ""
    return f"{pod} {'listens' if listening else 'does not listen'} on {port}, says port-forward"
