"""Whether the policies allow one connection, and by which rule: the only place that decides a verdict.

Semantics of networking.k8s.io/v1 NetworkPolicy and of the tiers of policy.networking.k8s.io as their API references and
concept pages have them. Where they leave open what a plugin sees (host network, the pod's own node, rewritten
addresses), each reading is evaluated, and the verdict is UNDEFINED where the readings disagree. The reason comes out of
the same walk over the rules as the verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.layers import (
    beside,
    isolating_policies,
    layers_of,
    policies_of,
    tiered_policies,
)
from kubectl_netpol.engine.phrases import match_text, names_text
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.readings import Reading, reading_message, readings_of, unread_node, unread_pods
from kubectl_netpol.engine.rules import match_rule, near_misses
from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, DirectionVerdict, End, Note, RuleMatch, Verdict
from kubectl_netpol.engine.walk import Matched, Outcome, Trail, walk
from kubectl_netpol.model.addresses import is_loopback, is_metadata
from kubectl_netpol.model.objects import Node, Pod
from kubectl_netpol.model.policies import Action, Direction, Tier
from kubectl_netpol.model.ports import LAST_PORT, NamedPort, PortRange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.engine.layers import Layer
    from kubectl_netpol.model.policies import Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot

_FOR_NODES = ("CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AntreaClusterNetworkPolicy")


def evaluate(
    snapshot: Snapshot,
    connection: Connection,
    *,
    near: bool = True,
    egress: DirectionVerdict | None = None,
    ingress: DirectionVerdict | None = None,
) -> ConnectionVerdict:
    """`near`: with the rules that nearly would have allowed it, which take as long as the verdict itself.

    `egress`, `ingress`: what it would find anew for that side, from a connection that the policies there see alike.
    """
    source, destination = connection.source, connection.destination
    egress = egress or _evaluate_direction(snapshot, connection, Direction.EGRESS, near=near)
    ingress = ingress or _evaluate_direction(snapshot, connection, Direction.INGRESS, near=near)
    caveats = [*egress.caveats, *ingress.caveats]
    verdict, reason = _combine(egress, ingress)
    if verdict is Verdict.ALLOWED:
        caveats += _beside(snapshot, connection)
    own = ""
    if source.pod and _is_loopback(destination):
        own = f"{destination.address} is {source.pod.key} itself: no policy applies to that"
    elif source.pod and destination.pod and source.pod.identity == destination.pod.identity:
        if connection.dialled is None and snapshot.is_one_of_several(source.pod):
            if verdict is Verdict.BLOCKED:
                message = f"a pod of {source.pod.key} always reaches its own address, but not that of its replicas"
                verdict, reason = Verdict.UNDEFINED, Note(Code.OWN_ADDRESS, message)
        elif connection.dialled is None:
            own = f"{source.pod.key} reaches its own address: no policy applies to that"
        elif egress.isolated_by or ingress.isolated_by or verdict is Verdict.BLOCKED:
            message = f"{source.pod.key} reaches itself through its own Service: plugins differ on that"
            verdict, reason = Verdict.UNDEFINED, Note(Code.OWN_SERVICE, message)
    if own:
        egress, ingress = (DirectionVerdict(d, Verdict.ALLOWED) for d in (Direction.EGRESS, Direction.INGRESS))
        verdict, reason, caveats = Verdict.ALLOWED, None, [Note(Code.OWN_ADDRESS, own)]
    if problem := pod_problem(source.pod, "source") or pod_problem(destination.pod, "destination"):
        verdict, reason = Verdict.UNDEFINED, problem
    return ConnectionVerdict(connection, verdict, egress, ingress, reason, tuple(dict.fromkeys(caveats)))


def _is_loopback(end: End) -> bool:
    return not end.pod and not end.node and end.address is not None and is_loopback(end.address)


def _beside(snapshot: Snapshot, connection: Connection) -> Iterable[Note]:
    """What may refuse it beside the layers, once for both ends."""
    found: dict[Code, Note] = {}
    for end, direction in ((connection.source, Direction.EGRESS), (connection.destination, Direction.INGRESS)):
        for note in beside(snapshot, (end.pod,), direction) if end.pod else ():
            found.setdefault(note.code, note)
    return found.values()


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


def _evaluate_direction(
    snapshot: Snapshot, connection: Connection, direction: Direction, *, near: bool
) -> DirectionVerdict:
    subject, peer = connection.source, connection.destination
    if direction is Direction.INGRESS:
        subject, peer = peer, subject
    pod = subject.pod
    if pod is None and subject.node is None:
        return _evaluate_address(snapshot, connection, subject, direction)
    if pod is None:
        plugin = plugin_of(snapshot)
        found = plugin.of_node(subject.node) if plugin and subject.node else None
        if not isinstance(found, Pod):
            return _evaluate_node(snapshot, subject, direction, found)
        subject, pod = subject._replace(pod=found), found
    layers = layers_of(snapshot, pod, direction)
    if not layers:
        return DirectionVerdict(direction, Verdict.ALLOWED)
    side = None
    for reading in readings_of(snapshot, connection, direction, subject, peer):
        if side is None:
            side = _evaluate_reading(snapshot, direction, pod, layers, reading, near=near)
        elif reading.code and _verdict(walk(layers, OnePeer(snapshot, reading))) is not side.verdict:
            reason = Note(
                reading.code, reading_message(reading.code, direction, pod, peer, connection, plain=side.verdict.value)
            )
            return side._replace(
                verdict=Verdict.UNDEFINED, allowed_by=(), denied_by=(), passed_by=(), reason=reason, caveats=()
            )
    assert side is not None  # noqa: S101 - there is at least the plain reading
    return side


def _evaluate_address(
    snapshot: Snapshot, connection: Connection, subject: End, direction: Direction
) -> DirectionVerdict:
    """An outside address: no policy applies to it, unless it is that of a pod or a node that could not be read."""
    if reason := unread_pods(snapshot, subject):
        return DirectionVerdict(direction, Verdict.UNDEFINED, reason=reason)
    if gap := unread_node(snapshot, subject):
        end = subject._replace(node=Node(""))
        of_node = (
            connection._replace(destination=end) if direction is Direction.INGRESS else connection._replace(source=end)
        )
        if _evaluate_direction(snapshot, of_node, direction, near=False).verdict is not Verdict.ALLOWED:
            return DirectionVerdict(direction, Verdict.UNDEFINED, reason=gap)
    return DirectionVerdict(direction, Verdict.ALLOWED)


def _evaluate_node(snapshot: Snapshot, subject: End, direction: Direction, of_node: Note | None) -> DirectionVerdict:
    """A node: no evaluated policy applies to it, but for what `of_node` says."""
    side = DirectionVerdict(direction, Verdict.ALLOWED)
    if of_node:
        return side._replace(verdict=Verdict.UNDEFINED, reason=of_node)
    for policy in snapshot.unevaluated:
        if policy.nodes and policy.namespace is None and direction in policy.directions:
            message = f"{policy.title} may select {subject.title}; its rules are not evaluated"
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.policy_kind in _FOR_NODES:
            return side._replace(verdict=Verdict.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return side


class OnePeer:
    """One reading of the other end, as a set of one."""

    def __init__(self, snapshot: Snapshot, reading: Reading) -> None:
        self.everyone = 1
        self.always = int(reading.always)
        self._snapshot = snapshot
        self._reading = reading
        self._in_tiers = reading.in_tiers
        self._endpoint = reading.endpoint and reading.endpoint.in_tiers

    def matched(self, policy: Policy, rule: Rule) -> Matched:
        reading = self._in_tiers if policy.tier else self._reading
        found = match_rule(self._snapshot, policy, rule, reading)
        if policy.tier and self._endpoint and not isinstance(found, RuleMatch):
            found = match_rule(self._snapshot, policy, rule, self._endpoint) or found
        if found is None:
            return _MISSED
        return Matched(1, 0, found) if isinstance(found, RuleMatch) else Matched(0, 1, found)


_MISSED = Matched(0)


def _verdict(outcome: Outcome) -> Verdict:
    """Of a set of one."""
    if outcome.undefined:
        return Verdict.UNDEFINED
    return Verdict.ALLOWED if outcome.may_allow else Verdict.BLOCKED


def _evaluate_reading(
    snapshot: Snapshot, direction: Direction, pod: Pod, layers: tuple[Layer, ...], reading: Reading, *, near: bool
) -> DirectionVerdict:
    """One reading, with the rules that decide, or the rules that nearly would have allowed it."""
    trail = Trail()
    verdict = _verdict(walk(layers, OnePeer(snapshot, reading), trail))
    # What a plugin lets through before all policies is a rule of a policy without a name.
    matches = [answer for policy, _, answer in trail.asked if isinstance(answer, RuleMatch) and policy.name]
    side = DirectionVerdict(
        direction,
        verdict,
        isolating_policies(snapshot, pod, direction) if snapshot.plugin else policies_of(layers, isolating=True),
        _with_action(matches, Action.ALLOW),
        denied_by=_with_action(matches, Action.DENY),
        passed_by=_with_action(matches, Action.PASS),
        tiered_by=tiered_policies(snapshot, pod, direction),
    )
    if verdict is Verdict.ALLOWED:
        return side._replace(caveats=_caveats(side, reading)) if matches else side
    missed = [
        (policy, rule)
        for policy, rule, answer in trail.asked
        if near and rule.action is Action.ALLOW and not isinstance(answer, RuleMatch)
    ]
    side = side._replace(near_misses=tuple(near_misses(snapshot, missed, reading)))
    if verdict is Verdict.UNDEFINED:
        return side._replace(reason=_why_undefined(side, trail))
    reason = _where_it_ends(side, trail) or _why_blocked(side, pod)
    caveats = (*_caveats(side, reading), *_by_direction(snapshot, side, pod)) if matches else ()
    return side._replace(reason=reason, caveats=(*caveats, *_of_metadata(side, reading)))


def _of_metadata(side: DirectionVerdict, reading: Reading) -> tuple[Note, ...]:
    """https://github.com/kubernetes/kubernetes/issues/68078"""
    if side.direction is Direction.INGRESS or reading.pod or not reading.address or not is_metadata(reading.address):
        return ()
    message = f"where something on the pod's own node answers for {reading.address}, plugins may let it through"
    return (Note(Code.METADATA_ADDRESS, message),)


def _with_action(matches: list[RuleMatch], action: Action) -> tuple[RuleMatch, ...]:
    return tuple([match for match in matches if match.rule.action is action]) if matches else ()


def _why_undefined(side: DirectionVerdict, trail: Trail) -> Note:
    """What is not known in the walk: which reading is right, whether a rule matches, a layer, or which rule applies."""
    unknown = (answer for _, _, answer in trail.asked if isinstance(answer, Note))
    if reason := trail.either or next(unknown, trail.unknown):
        return reason
    texts = [
        f"{match_text(match)} would {match.rule.action.value}"
        for match in (*side.denied_by, *side.allowed_by, *side.passed_by)
    ]
    return Note(Code.EQUAL_PRIORITIES, f"which of these applies is not defined: {', '.join(texts)}")


def _where_it_ends(side: DirectionVerdict, trail: Trail) -> Note | None:
    """Why a layer blocks at its end, if that is what blocks."""
    return None if side.denied_by else trail.at_end


def _why_blocked(side: DirectionVerdict, pod: Pod) -> Note:
    if side.denied_by:
        texts = [match_text(match) for match in side.denied_by]
        verb = "denies" if len(texts) == 1 else "deny"
        return Note(Code.DENIED_BY_RULE, f"{', '.join(texts)} {verb} it")
    names = ", ".join(policy.title for policy in side.isolated_by)
    verb = "isolates" if len(side.isolated_by) == 1 else "isolate"
    lets = "lets it in" if side.direction is Direction.INGRESS else "lets it out"
    message = f"{names} {verb} {pod.key} for {side.direction.field}, and no rule {lets}"
    return Note(Code.NO_RULE_ALLOWS, message)


def _by_direction(snapshot: Snapshot, side: DirectionVerdict, pod: Pod) -> tuple[Note, ...]:
    """Whether Baseline is asked about a pod that a NetworkPolicy isolates for the other direction alone."""
    if not any(match.policy.tier is Tier.BASELINE for match in side.denied_by):
        return ()
    isolating = isolating_policies(snapshot, pod, side.direction.opposite)
    if not isolating:
        return ()
    message = (
        f"kube-network-policies up to 1.1.1 would allow it, since {names_text([p.name for p in isolating])} "
        f"selects {pod.key} for {side.direction.opposite.field}; all others decide by direction"
    )
    return (Note(Code.BASELINE_BY_DIRECTION, message),)


def _caveats(side: DirectionVerdict, reading: Reading) -> tuple[Note, ...]:
    """Where plugins are known to differ from a verdict that rests on these rules alone."""
    matches = side.denied_by or side.allowed_by
    if not matches:
        return ()
    caveats = []
    if matches[0].rule.condition:  # as the plugin that runs reads it
        return ()
    if reading.pod and all(match.peer is not None and match.rule.peers[match.peer].blocks for match in matches):
        field, verb = "ipBlock", "an ipBlock allows"
        if matches[0].policy.tier:
            field, verb = "networks", f"networks {matches[0].rule.action.value}"
        message = f"only {verb} {reading.pod.key}: some plugins don't apply {field} to pods"
        caveats.append(Note(Code.IP_BLOCK_ON_POD, message))
    ports = [match.rule.ports[match.port] for match in matches if match.port is not None and not match.policy.tier]
    if len(ports) == len(matches) and all(_needs_end_port(item, reading.port) for item in ports):
        message = "only an endPort range covers this port: a plugin without endPort blocks it"
        caveats.append(Note(Code.END_PORT, message))
    if reading.protocol == "SCTP":
        caveats.append(Note(Code.SCTP, "not every plugin filters SCTP"))
    return tuple(caveats)


def _needs_end_port(item: PortRange | NamedPort, port: int) -> bool:
    return isinstance(item, PortRange) and (item.first, item.last) != (1, LAST_PORT) and item.first != port
