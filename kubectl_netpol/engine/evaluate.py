"""Does NetworkPolicy allow this connection, and which rule says so? The only place that decides a verdict.

Pure: a Snapshot and a Connection in, a Verdict out, by walking the rules of the policies that select each end; so
the reason is the computation, with its positions. Semantics of networking.k8s.io/v1 NetworkPolicy as its API
reference and concept page have them. Where they leave it open what a plugin sees (host network, the pod's own node,
rewritten addresses), each *reading* is evaluated, and the verdict is UNDEFINED where the readings disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.readings import Reading, reading_message, readings_of
from kubectl_netpol.engine.rules import match_rule, near_misses
from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, DirectionVerdict, End, Note, RuleMatch, Verdict
from kubectl_netpol.model.addresses import is_outside
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Gap, Snapshot

_FOR_NODES = ("ciliumclusterwidenetworkpolicies", "globalnetworkpolicies")


def evaluate(snapshot: Snapshot, connection: Connection) -> ConnectionVerdict:
    """What the policies in the snapshot say of the connection, per direction and together."""
    source, destination = connection.source, connection.destination
    egress = _direction(snapshot, connection, Direction.EGRESS)
    ingress = _direction(snapshot, connection, Direction.INGRESS)
    caveats = [*egress.caveats, *ingress.caveats]
    answer, reason = combine(egress, ingress)
    if source.pod and destination.pod and source.pod.identity == destination.pod.identity:
        if connection.dialled is None and snapshot.is_template(source.pod):
            if answer is Verdict.BLOCKED:
                message = f"a pod of {source.pod.key} always reaches its own address, but not that of its replicas"
                answer, reason = Verdict.UNDEFINED, Note(Code.OWN_ADDRESS, message)
        elif connection.dialled is None:
            message = f"{source.pod.key} reaches its own address: no policy applies to that"
            egress, ingress = (DirectionVerdict(d, Verdict.ALLOWED) for d in (Direction.EGRESS, Direction.INGRESS))
            answer, reason, caveats = Verdict.ALLOWED, None, [Note(Code.OWN_ADDRESS, message)]
        elif egress.isolated_by or ingress.isolated_by:
            message = f"{source.pod.key} reaches itself through its own Service: plugins differ on that"
            answer, reason = Verdict.UNDEFINED, Note(Code.OWN_SERVICE, message)
    if problem := pod_problem(source.pod, "source") or pod_problem(destination.pod, "destination"):
        answer, reason = Verdict.UNDEFINED, problem
    return ConnectionVerdict(connection, answer, egress, ingress, reason, tuple(dict.fromkeys(caveats)))


def combine(egress: DirectionVerdict, ingress: DirectionVerdict) -> tuple[Verdict, Note | None]:
    """Both directions together: blocked where either blocks for sure, else undefined where either is."""
    for wanted in (Verdict.BLOCKED, Verdict.UNDEFINED):
        for verdict in (egress, ingress):
            if verdict.verdict is wanted:
                return wanted, verdict.reason
    return Verdict.ALLOWED, None


def pod_problem(pod: Pod | None, which: str) -> Note | None:
    """What keeps a pod from talking at all, which is no question of policy."""
    if pod is None:
        return None
    if pod.finished:
        return Note(Code.POD_NOT_RUNNING, f"the {which} pod {pod.key} has finished ({pod.phase})")
    if not pod.ips and not pod.planned:
        return Note(Code.POD_HAS_NO_IP, f"the {which} pod {pod.key} has no address yet ({pod.phase})")
    return None


def _direction(snapshot: Snapshot, connection: Connection, direction: Direction) -> DirectionVerdict:
    subject, peer = connection.source, connection.destination
    if direction is Direction.INGRESS:
        subject, peer = peer, subject
    pod = subject.pod
    if pod is None:
        return _no_pod(snapshot, subject, direction)
    if pod.finished:
        return DirectionVerdict(direction, Verdict.ALLOWED)
    if gap := snapshot.gap("networkpolicies", pod.namespace):
        reason = Note(Code.PERMISSION_MISSING, gap.message)
        return overridden(snapshot, pod, DirectionVerdict(direction, Verdict.UNDEFINED, reason=reason))
    isolating = isolating_policies(snapshot, pod, direction)
    if not isolating:
        return overridden(snapshot, pod, DirectionVerdict(direction, Verdict.ALLOWED))
    readings = list(readings_of(snapshot, connection, direction, subject, peer))
    verdicts = [_walk(snapshot, direction, pod, isolating, view) for view in readings]
    verdict = verdicts[0]
    for view, other in zip(readings, verdicts, strict=True):
        if other.verdict is not verdict.verdict and view.code:
            message = reading_message(view.code, direction, pod, peer, connection)
            verdict = verdict._replace(
                verdict=Verdict.UNDEFINED, allowed_by=(), reason=Note(view.code, message), caveats=()
            )
            break
    return overridden(snapshot, pod, _unless_hidden(snapshot, peer, verdict))


def _unless_hidden(snapshot: Snapshot, peer: End, verdict: DirectionVerdict) -> DirectionVerdict:
    """UNDEFINED where a rule would let the peer through if it were a pod, which can't be known."""
    gap = hidden_pods(snapshot, peer) if verdict.verdict is Verdict.BLOCKED else None
    if gap is None:
        return verdict
    rules = [rule for policy in verdict.isolated_by for rule in policy.rules_of(verdict.direction)]
    if all(other.ip_block for rule in rules for other in rule.peers):
        return verdict
    reason = Note(Code.PERMISSION_MISSING, f"{peer.title} may be a pod's address, and {gap.message}")
    return verdict._replace(verdict=Verdict.UNDEFINED, reason=reason)


def hidden_pods(snapshot: Snapshot, end: End) -> Gap | None:
    """Why an address that is no known pod's or node's may be a pod's all the same, or None where it can't be.

    Public IPv4 addresses are taken to be nobody's pod.
    """
    if end.pod or end.node or end.address is None or is_outside(end.address):
        return None
    return snapshot.gap("pods", None)


def _no_pod(snapshot: Snapshot, subject: End, direction: Direction) -> DirectionVerdict:
    """A node or an address outside: no NetworkPolicy selects it."""
    verdict = DirectionVerdict(direction, Verdict.ALLOWED)
    if gap := hidden_pods(snapshot, subject):
        reason = Note(Code.PERMISSION_MISSING, f"{subject.title} may be a pod's address, and {gap.message}")
        return verdict._replace(verdict=Verdict.UNDEFINED, reason=reason)
    if subject.node is None:
        return verdict
    for policy in snapshot.overriding:
        if policy.nodes and direction in policy.directions:
            message = f"{policy.title} may select {subject.title}; its rules are not evaluated"
            return verdict._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.resource.startswith(_FOR_NODES):
            return verdict._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return verdict


def isolating_policies(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
    """The policies that isolate the pod in that direction, in the order they were read."""
    return tuple(policy for policy in snapshot.policies_in(pod.namespace) if policy.isolates(pod, direction))


def overridden(snapshot: Snapshot, pod: Pod, verdict: DirectionVerdict) -> DirectionVerdict:
    """UNDEFINED where an object of another kind may decide instead of NetworkPolicy."""
    if pod.finished:
        return verdict
    namespace = snapshot.namespace(pod.namespace)
    for policy in snapshot.overriding:
        if verdict.direction not in policy.directions or (policy.after and verdict.isolated_by):
            continue
        if policy.may_select(pod, namespace):
            message = f"{policy.title} may override NetworkPolicy for {pod.key}; its rules are not evaluated"
            return verdict._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.hides(pod.namespace):
            return verdict._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return verdict


def _walk(
    snapshot: Snapshot, direction: Direction, pod: Pod, isolating: tuple[Policy, ...], view: Reading
) -> DirectionVerdict:
    """One reading: the union of the rules of all isolating policies."""
    verdict = DirectionVerdict(direction, Verdict.ALLOWED, isolating)
    if view.always:
        return verdict
    allows: list[RuleMatch] = []
    unknown: Note | None = None
    for policy in isolating:
        for rule in policy.rules_of(direction):
            step = match_rule(snapshot, policy, rule, view)
            if isinstance(step, RuleMatch):
                allows.append(step)
            elif step is not None:
                unknown = unknown or step
    if allows:
        return verdict._replace(allowed_by=tuple(allows), caveats=_caveats(allows, view))
    near = tuple(near_misses(snapshot, isolating, direction, view))
    if unknown:
        return verdict._replace(verdict=Verdict.UNDEFINED, near_misses=near, reason=unknown)
    names = ", ".join(policy.name for policy in isolating)
    verb = "isolates" if len(isolating) == 1 else "isolate"
    word = "lets it in" if direction is Direction.INGRESS else "lets it out"
    message = f"{names} {verb} {pod.key} for {direction.field}, and no rule {word}"
    return verdict._replace(verdict=Verdict.BLOCKED, near_misses=near, reason=Note(Code.NO_RULE_ALLOWS, message))


def _caveats(allows: list[RuleMatch], view: Reading) -> tuple[Note, ...]:
    """Where plugins are known to differ from a verdict that rests on these rules alone."""
    caveats = []
    if view.pod and all(allow.peer is not None and allow.rule.peers[allow.peer].ip_block for allow in allows):
        message = f"only an ipBlock lets {view.pod.key} through: some plugins don't compare blocks with pod addresses"
        caveats.append(Note(Code.IP_BLOCK_ON_POD, message))
    ranges = [allow.rule.ports[allow.port] for allow in allows if allow.port is not None]
    if len(ranges) == len(allows) and all(_needs_end_port(item, view.port) for item in ranges):
        caveats.append(
            Note(Code.END_PORT, "only an endPort range covers this port: a plugin without endPort blocks it")
        )
    if view.protocol == "SCTP":
        caveats.append(Note(Code.SCTP, "not every plugin filters SCTP"))
    return tuple(caveats)


def _needs_end_port(item: PortRange | NamedPort, port: int) -> bool:
    return isinstance(item, PortRange) and (item.first, item.last) != (1, LAST_PORT) and item.first != port
