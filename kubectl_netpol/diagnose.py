"""What the network did, beside what the policies say: the finding, its evidence and the next step. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.codes import Code
from kubectl_netpol.faults import enforcer_fault
from kubectl_netpol.probe.outcome import NameCheck, Observation, Outcome
from kubectl_netpol.verdict import Answer

if TYPE_CHECKING:
    from kubectl_netpol.judge import Verdict
    from kubectl_netpol.model import Snapshot


class Facts(NamedTuple):
    """What was found out besides; each is None where nobody asked, or nobody could tell.

    `listening`: whether the destination pod accepts the port from inside (`listening_words`: how that is known).
    `enforcer`: the network plugin that kube-system shows. `proxy`: what intercepts the source's connections.
    `changed_lately`: a policy or pod that matters changed within the last 30 seconds.
    `name`: whether the Service's name resolves in the pod. `dns_blocked`: the resolver that the policies keep it from.
    """

    listening: bool | None = None
    listening_words: str = ""
    enforcer: str | None = None
    proxy: str | None = None
    changed_lately: bool = False
    name: NameCheck | None = None
    dns_blocked: str | None = None


class Finding(NamedTuple):
    """The conclusion. `reachable` None: can't be told. `agrees`: do network and policies agree; None where the cause
    is no policy, or one of both is not known. `evidence` one sentence each, `next` what to do or type.
    """  # noqa: D205 - one sentence

    code: Code
    message: str
    reachable: bool | None
    agrees: bool | None
    evidence: tuple[str, ...] = ()
    next: str | None = None


class Commands(NamedTuple):
    """The commands that a finding may tell people to type."""

    allow: str
    explain: str
    probe: str


class Result(NamedTuple):
    """One tested connection: prediction, observation (None: not probed) and conclusion."""

    verdict: Verdict
    finding: Finding
    observation: Observation | None = None
    source_container: str | None = None
    command: str | None = None
    warnings: tuple[str, ...] = ()


_FAILED = {
    Outcome.REFUSED: "refused",
    Outcome.TIMED_OUT: "timed out",
    Outcome.UNREACHABLE: "unreachable",
}
_CHECKED_BY_FORWARD = "port-forward, which policies don't filter"


def diagnose(
    snapshot: Snapshot, prediction: Verdict, observation: Observation, facts: Facts, commands: Commands
) -> Finding:
    """The finding for a connection that was probed."""
    outcome = observation.outcome
    if outcome is Outcome.OPEN:
        return _open(snapshot, prediction, facts, commands)
    if outcome in _FAILED:
        return _failed(prediction, observation, facts, commands)
    return _undecided(prediction, observation, facts, commands)


def _open(snapshot: Snapshot, prediction: Verdict, facts: Facts, commands: Commands) -> Finding:
    if facts.proxy:
        message = f"inconclusive: {facts.proxy} accepts every connection of this pod itself, whatever is behind it"
        step = f"probe with a request: {commands.probe} --http"
        return Finding(Code.PROXY_INTERCEPTS, message, reachable=None, agrees=None, next=step)
    if prediction.answer is Answer.ALLOWED:
        return Finding(Code.OPEN, "open, and the policies allow it", reachable=True, agrees=True)
    if prediction.answer is Answer.UNDEFINED:
        why = prediction.reason.message if prediction.reason else "no reason known"
        return Finding(
            Code.OPEN_UNPREDICTED, "open; the policies leave it open", reachable=True, agrees=None, evidence=(why,)
        )
    if fault := enforcer_fault(snapshot, prediction):
        message = f"open, though the policies block it: {fault.message}"
        return Finding(fault.code, message, reachable=True, agrees=False, next=fault.fix)
    plugin = f" ({facts.enforcer} runs here)" if facts.enforcer else ""
    message = f"open, though the policies block it: this cluster does not enforce them, or not yet{plugin}"
    step = "a plugin that enforces NetworkPolicy is needed (minikube start --cni=calico)"
    if facts.changed_lately:
        step = f"a policy or pod changed just now, so once more: {commands.probe}"
    return Finding(Code.NOT_ENFORCED, message, reachable=True, agrees=False, next=step)


def _failed(prediction: Verdict, observation: Observation, facts: Facts, commands: Commands) -> Finding:
    word = _FAILED[observation.outcome]
    refused = observation.outcome is Outcome.REFUSED
    if prediction.request.problem:
        return _no_question_of_policy(prediction, word)
    if prediction.answer is Answer.BLOCKED:
        return _blocked(word, facts, commands, refused=refused)
    if refused and facts.listening is False:
        port = sorted({str(route.port) for route in prediction.request.routes})
        message = f"refused: nothing listens on port {', '.join(port)} there"
        step = "compare the port with what the application listens on"
        return Finding(
            Code.NOTHING_LISTENS, message, reachable=False, agrees=None, evidence=(facts.listening_words,), next=step
        )
    if prediction.answer is Answer.UNDEFINED:
        why = prediction.reason.message if prediction.reason else "no reason known"
        code = {Outcome.REFUSED: Code.REFUSED, Outcome.TIMED_OUT: Code.TIMED_OUT}.get(
            observation.outcome, Code.UNREACHABLE
        )
        return Finding(
            code,
            f"{word}; what the policies say is undefined",
            reachable=False,
            agrees=None,
            evidence=(why,),
            next=commands.explain,
        )
    if facts.changed_lately:
        message = f"{word}, though the policies allow it: a policy or pod changed just now, and the plugin may be late"
        return Finding(
            Code.POLICY_LATE, message, reachable=False, agrees=False, next=f"again in a moment: {commands.probe}"
        )
    if refused:
        return _refused_though_allowed(facts, commands)
    causes = "a node's firewall, a service mesh, policies of another kind, or a plugin that is late"
    code = Code.TIMED_OUT_THOUGH_ALLOWED if observation.outcome is Outcome.TIMED_OUT else Code.UNREACHABLE
    evidence = (facts.listening_words,) if facts.listening_words else ()
    return Finding(
        code,
        f"{word}, though the policies allow it",
        reachable=False,
        agrees=False,
        evidence=evidence,
        next=f"look for {causes}",
    )


def _refused_though_allowed(facts: Facts, commands: Commands) -> Finding:
    if facts.listening:
        message = "refused, though it listens and the policies allow it"
        step = "perhaps it listens on localhost only (bind 0.0.0.0), or another firewall rejects"
        return Finding(
            Code.REFUSED_THOUGH_LISTENING,
            message,
            reachable=False,
            agrees=False,
            evidence=(facts.listening_words,),
            next=step,
        )
    message = "refused, and the policies allow it: probably nothing listens there"
    evidence = (facts.listening_words,) if facts.listening_words else ()
    return Finding(Code.REFUSED, message, reachable=False, agrees=None, evidence=evidence, next=commands.explain)


def _no_question_of_policy(prediction: Verdict, word: str) -> Finding:
    """A Service without endpoints or without that port: whatever the policies, nothing would answer."""
    problem = prediction.request.problem
    assert problem is not None  # noqa: S101 - asked for by the caller
    code = {
        Code.SERVICE_HAS_NO_ENDPOINTS: Code.NO_READY_ENDPOINTS,
        Code.SERVICE_HAS_NO_SUCH_PORT: Code.WRONG_SERVICE_PORT,
    }.get(problem.code, Code.UNREACHABLE)
    step = {
        Code.NO_READY_ENDPOINTS: "compare the Service's selector with the pods' labels, and look at their readiness",
        Code.WRONG_SERVICE_PORT: "dial a port that the Service has",
    }.get(code)
    return Finding(code, f"{word}: {problem.message}", reachable=False, agrees=None, next=step)


def _blocked(word: str, facts: Facts, commands: Commands, *, refused: bool) -> Finding:
    step = f"to open it: {commands.allow}"
    evidence = (facts.listening_words,) if facts.listening_words else ()
    if facts.listening is False:
        message = f"blocked ({word}): nothing listens there, and the policies block it as well"
        return Finding(
            Code.NOTHING_LISTENS_AND_BLOCKED, message, reachable=False, agrees=None, evidence=evidence, next=step
        )
    if refused and facts.listening:
        message = "blocked (refused, though the port listens): a policy rejects it"
        return Finding(Code.REJECTED_BY_POLICY, message, reachable=False, agrees=True, evidence=evidence, next=step)
    return Finding(
        Code.BLOCKED_BY_POLICY,
        f"blocked ({word}), as the policies say",
        reachable=False,
        agrees=True,
        evidence=evidence,
        next=step,
    )


def _undecided(prediction: Verdict, observation: Observation, facts: Facts, commands: Commands) -> Finding:
    """Outcomes that say nothing about the port."""
    policies = f"the policies say {prediction.answer.value}"
    if observation.outcome is Outcome.NO_ANSWER:
        message = f"no answer, which over UDP may mean open or blocked; {policies}"
        return Finding(Code.NO_ANSWER, message, reachable=None, agrees=None, next=commands.explain)
    if observation.outcome is Outcome.UNRESOLVED:
        if facts.dns_blocked:
            message = f"the name does not resolve: the policies keep the pod from {facts.dns_blocked}"
            return Finding(
                Code.DNS_BLOCKED,
                message,
                reachable=None,
                agrees=None,
                next="allow it: kubectl netpol allow --egress --dns",
            )
        message = "the name does not resolve in the source pod"
        return Finding(Code.NAME_UNRESOLVED, message, reachable=None, agrees=None, evidence=_words(observation))
    if observation.outcome is Outcome.NO_TOOL:
        message = f"inconclusive: nothing in the container can open a connection; {policies}"
        return Finding(
            Code.NO_TOOL,
            message,
            reachable=None,
            agrees=None,
            next=f"bring a tool: {commands.probe} --debug-image busybox",
        )
    if observation.outcome is Outcome.EXEC_FAILED:
        message = f"inconclusive: the probe did not run to its end; {policies}"
        return Finding(Code.EXEC_FAILED, message, reachable=None, agrees=None, evidence=_words(observation))
    message = f"inconclusive: {observation.tool or 'the tool'} said nothing that decides; {policies}"
    return Finding(Code.EXEC_FAILED, message, reachable=None, agrees=None, evidence=_words(observation))


def _words(observation: Observation) -> tuple[str, ...]:
    return (observation.words.replace("\n", " "),) if observation.words else ()


def predicted(prediction: Verdict) -> Finding:
    """The finding where nothing can be probed: manifests."""
    reachable_words = {
        Answer.ALLOWED: "allowed by the policies (not probed)",
        Answer.BLOCKED: "blocked by the policies (not probed)",
        Answer.UNDEFINED: "undefined (not probed)",
    }
    return Finding(Code.PREDICTED, reachable_words[prediction.answer], reachable=None, agrees=None)


def not_probed(prediction: Verdict, why: str, code: Code, step: str | None = None) -> Finding:
    """The finding where a probe is impossible: SCTP, a source that does not run, a forbidden exec."""
    message = f"inconclusive: {why}; the policies say {prediction.answer.value}"
    return Finding(code, message, reachable=None, agrees=None, next=step)


def listening_words(listening: bool | None, pod: str, port: int) -> str:  # noqa: FBT001 - a fact, not a switch
    """How it is known whether something listens."""
    if listening is None:
        return ""
    found = "listens" if listening else "does not listen"
    return f"{pod} {found} on {port} (seen by {_CHECKED_BY_FORWARD})"
