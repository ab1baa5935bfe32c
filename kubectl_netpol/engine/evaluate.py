"""Whether the policies allow one connection, and by which rule: the only place that decides a verdict.

Semantics of networking.k8s.io/v1 NetworkPolicy as its API reference and concept page have them. Where they leave open
what a plugin sees (host network, the pod's own node, rewritten addresses), each reading is evaluated, and the verdict
is UNDEFINED where the readings disagree. The reason comes out of the same walk over the rules as the verdict.
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
    source, destination = connection.source, connection.destination
    egress = _evaluate_direction(snapshot, connection, Direction.EGRESS)
    ingress = _evaluate_direction(snapshot, connection, Direction.INGRESS)
    caveats = [*egress.caveats, *ingress.caveats]
    verdict, reason = _combine(egress, ingress)
    if source.pod and destination.pod and source.pod.identity == destination.pod.identity:
        if connection.dialled is None and snapshot.is_template(source.pod):
            if verdict is Verdict.BLOCKED:
                message = f"a pod of {source.pod.key} always reaches its own address, but not that of its replicas"
                verdict, reason = Verdict.UNDEFINED, Note(Code.OWN_ADDRESS, message)
        elif connection.dialled is None:
            message = f"{source.pod.key} reaches its own address: no policy applies to that"
            egress, ingress = (DirectionVerdict(d, Verdict.ALLOWED) for d in (Direction.EGRESS, Direction.INGRESS))
            verdict, reason, caveats = Verdict.ALLOWED, None, [Note(Code.OWN_ADDRESS, message)]
        elif egress.isolated_by or ingress.isolated_by:
            message = f"{source.pod.key} reaches itself through its own Service: plugins differ on that"
            verdict, reason = Verdict.UNDEFINED, Note(Code.OWN_SERVICE, message)
    if problem := pod_problem(source.pod, "source") or pod_problem(destination.pod, "destination"):
        verdict, reason = Verdict.UNDEFINED, problem
    return ConnectionVerdict(connection, verdict, egress, ingress, reason, tuple(dict.fromkeys(caveats)))


def _combine(egress: DirectionVerdict, ingress: DirectionVerdict) -> tuple[Verdict, Note | None]:
    """Both directions: blocked where either blocks, else undefined where either is undefined."""
    for verdict in (Verdict.BLOCKED, Verdict.UNDEFINED):
        for side in (egress, ingress):
            if side.verdict is verdict:
                return verdict, side.reason
    return Verdict.ALLOWED, None


def pod_problem(pod: Pod | None, role: str) -> Note | None:
    """Why the pod can't connect at all, whatever the policies say; `role`: "source" or "destination"."""
    if pod is None:
        return None
    if pod.finished:
        return Note(Code.POD_NOT_RUNNING, f"the {role} pod {pod.key} has finished ({pod.phase})")
    if not pod.ips and not pod.planned:
        return Note(Code.POD_HAS_NO_IP, f"the {role} pod {pod.key} has no address yet ({pod.phase})")
    return None


def _evaluate_direction(snapshot: Snapshot, connection: Connection, direction: Direction) -> DirectionVerdict:
    subject, peer = connection.source, connection.destination
    if direction is Direction.INGRESS:
        subject, peer = peer, subject
    pod = subject.pod
    if pod is None:
        return _evaluate_without_pod(snapshot, subject, direction)
    if pod.finished:
        return DirectionVerdict(direction, Verdict.ALLOWED)
    if gap := snapshot.gap("networkpolicies", pod.namespace):
        reason = Note(Code.PERMISSION_MISSING, gap.message)
        return overridden(snapshot, pod, DirectionVerdict(direction, Verdict.UNDEFINED, reason=reason))
    isolating = isolating_policies(snapshot, pod, direction)
    if not isolating:
        return overridden(snapshot, pod, DirectionVerdict(direction, Verdict.ALLOWED))
    readings = list(readings_of(snapshot, connection, direction, subject, peer))
    by_reading = [_evaluate_reading(snapshot, direction, pod, isolating, reading) for reading in readings]
    side = by_reading[0]
    for reading, other in zip(readings, by_reading, strict=True):
        if other.verdict is not side.verdict and reading.code:
            reason = Note(reading.code, reading_message(reading.code, direction, pod, peer, connection))
            side = side._replace(verdict=Verdict.UNDEFINED, allowed_by=(), reason=reason, caveats=())
            break
    return overridden(snapshot, pod, _unless_peer_unread(snapshot, peer, side))


def _unless_peer_unread(snapshot: Snapshot, peer: End, side: DirectionVerdict) -> DirectionVerdict:
    """UNDEFINED where a selector could match the peer if it were a pod, which is unknown."""
    gap = _unread_pods(snapshot, peer) if side.verdict is Verdict.BLOCKED else None
    if gap is None:
        return side
    rules = [rule for policy in side.isolated_by for rule in policy.rules_of(side.direction)]
    if all(item.ip_block for rule in rules for item in rule.peers):
        return side
    reason = Note(Code.PERMISSION_MISSING, f"{peer.title} may be a pod's address, and {gap.message}")
    return side._replace(verdict=Verdict.UNDEFINED, reason=reason)


def _unread_pods(snapshot: Snapshot, end: End) -> Gap | None:
    """The gap because of which this address may be that of an unread pod, or None where it can't be.

    No pod is expected to have a public IPv4 address.
    """
    if end.pod or end.node or end.address is None or is_outside(end.address):
        return None
    return snapshot.gap("pods", None)


def _evaluate_without_pod(snapshot: Snapshot, subject: End, direction: Direction) -> DirectionVerdict:
    """The side of a node or an outside address, which no NetworkPolicy selects."""
    side = DirectionVerdict(direction, Verdict.ALLOWED)
    if gap := _unread_pods(snapshot, subject):
        reason = Note(Code.PERMISSION_MISSING, f"{subject.title} may be a pod's address, and {gap.message}")
        return side._replace(verdict=Verdict.UNDEFINED, reason=reason)
    if subject.node is None:
        return side
    for policy in snapshot.overriding:
        if policy.nodes and direction in policy.directions:
            message = f"{policy.title} may select {subject.title}; its rules are not evaluated"
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.resource.startswith(_FOR_NODES):
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return side


def isolating_policies(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
    """The policies that isolate the pod in that direction, in the order they were read."""
    return tuple(policy for policy in snapshot.policies_in(pod.namespace) if policy.isolates(pod, direction))


def overridden(snapshot: Snapshot, pod: Pod, side: DirectionVerdict) -> DirectionVerdict:
    """The same, or UNDEFINED where an object of another kind may decide instead of NetworkPolicy."""
    if pod.finished:
        return side
    namespace = snapshot.namespace(pod.namespace)
    for policy in snapshot.overriding:
        if side.direction not in policy.directions or (policy.after and side.isolated_by):
            continue
        if policy.may_select(pod, namespace):
            message = f"{policy.title} may override NetworkPolicy for {pod.key}; its rules are not evaluated"
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.hides(pod.namespace):
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return side


def _evaluate_reading(
    snapshot: Snapshot, direction: Direction, pod: Pod, isolating: tuple[Policy, ...], reading: Reading
) -> DirectionVerdict:
    """One reading: what any rule of any isolating policy allows."""
    side = DirectionVerdict(direction, Verdict.ALLOWED, isolating)
    if reading.always:
        return side
    matches: list[RuleMatch] = []
    unknown: Note | None = None
    for policy in isolating:
        for rule in policy.rules_of(direction):
            match = match_rule(snapshot, policy, rule, reading)
            if isinstance(match, RuleMatch):
                matches.append(match)
            else:
                unknown = unknown or match
    if matches:
        return side._replace(allowed_by=tuple(matches), caveats=_caveats(matches, reading))
    near = tuple(near_misses(snapshot, isolating, direction, reading))
    if unknown:
        return side._replace(verdict=Verdict.UNDEFINED, near_misses=near, reason=unknown)
    names = ", ".join(policy.name for policy in isolating)
    verb = "isolates" if len(isolating) == 1 else "isolate"
    lets = "lets it in" if direction is Direction.INGRESS else "lets it out"
    message = f"{names} {verb} {pod.key} for {direction.field}, and no rule {lets}"
    return side._replace(verdict=Verdict.BLOCKED, near_misses=near, reason=Note(Code.NO_RULE_ALLOWS, message))


def _caveats(matches: list[RuleMatch], reading: Reading) -> tuple[Note, ...]:
    """Where plugins are known to differ from a verdict that rests on these rules alone."""
    caveats = []
    if reading.pod and all(match.peer is not None and match.rule.peers[match.peer].ip_block for match in matches):
        message = f"only an ipBlock allows {reading.pod.key}: some plugins don't apply ipBlock to pods"
        caveats.append(Note(Code.IP_BLOCK_ON_POD, message))
    ports = [match.rule.ports[match.port] for match in matches if match.port is not None]
    if len(ports) == len(matches) and all(_needs_end_port(item, reading.port) for item in ports):
        message = "only an endPort range covers this port: a plugin without endPort blocks it"
        caveats.append(Note(Code.END_PORT, message))
    if reading.protocol == "SCTP":
        caveats.append(Note(Code.SCTP, "not every plugin filters SCTP"))
    return tuple(caveats)


def _needs_end_port(item: PortRange | NamedPort, port: int) -> bool:
    return isinstance(item, PortRange) and (item.first, item.last) != (1, LAST_PORT) and item.first != port
