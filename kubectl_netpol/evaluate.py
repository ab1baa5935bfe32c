"""Does NetworkPolicy allow this connection, and which rule says so? The only place that decides a verdict.

Pure: a Snapshot and a Connection in, a Verdict out, by walking the rules of the policies that select each end; so
the reason is the computation, with its positions. Semantics of networking.k8s.io/v1 NetworkPolicy as its API
reference and concept page have them. Where they leave it open what a plugin sees (host network, the pod's own node,
rewritten addresses), each *reading* is evaluated, and the verdict is UNDEFINED where the readings disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.addresses import is_outside, parse_ip
from kubectl_netpol.codes import Code
from kubectl_netpol.model import LAST_PORT, Direction, NamedPort, PortRange
from kubectl_netpol.rules import match_rule, near_misses, view_of
from kubectl_netpol.verdict import Allow, Answer, Connection, ConnectionVerdict, DirectionVerdict, End, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.model import Pod, Policy
    from kubectl_netpol.rules import View
    from kubectl_netpol.snapshot import Gap, Snapshot
    from kubectl_netpol.verdict import Dialled


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
            if answer is Answer.BLOCKED:
                message = f"a pod of {source.pod.key} always reaches its own address, but not that of its replicas"
                answer, reason = Answer.UNDEFINED, Note(Code.OWN_ADDRESS, message)
        elif connection.dialled is None:
            message = f"{source.pod.key} reaches its own address: no policy applies to that"
            egress, ingress = (DirectionVerdict(d, Answer.ALLOWED) for d in (Direction.EGRESS, Direction.INGRESS))
            answer, reason, caveats = Answer.ALLOWED, None, [Note(Code.OWN_ADDRESS, message)]
        elif egress.isolated_by or ingress.isolated_by:
            message = f"{source.pod.key} reaches itself through its own Service: plugins differ on that"
            answer, reason = Answer.UNDEFINED, Note(Code.OWN_SERVICE, message)
    if problem := pod_problem(source.pod, "source") or pod_problem(destination.pod, "destination"):
        answer, reason = Answer.UNDEFINED, problem
    return ConnectionVerdict(connection, answer, egress, ingress, reason, tuple(dict.fromkeys(caveats)))


def combine(egress: DirectionVerdict, ingress: DirectionVerdict) -> tuple[Answer, Note | None]:
    """Both directions together: blocked where either blocks for sure, else undefined where either is."""
    for wanted in (Answer.BLOCKED, Answer.UNDEFINED):
        for verdict in (egress, ingress):
            if verdict.answer is wanted:
                return wanted, verdict.reason
    return Answer.ALLOWED, None


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
        return DirectionVerdict(direction, Answer.ALLOWED)
    if gap := snapshot.gap("networkpolicies", pod.namespace):
        reason = Note(Code.PERMISSION_MISSING, gap.message)
        return overridden(snapshot, pod, DirectionVerdict(direction, Answer.UNDEFINED, reason=reason))
    isolating = isolating_policies(snapshot, pod, direction)
    if not isolating:
        return overridden(snapshot, pod, DirectionVerdict(direction, Answer.ALLOWED))
    readings = list(views(snapshot, connection, direction, subject, peer))
    verdicts = [_walk(snapshot, direction, pod, isolating, view) for view in readings]
    verdict = verdicts[0]
    for view, other in zip(readings, verdicts, strict=True):
        if other.answer is not verdict.answer and view.code:
            message = _reading_message(view.code, direction, pod, peer, connection)
            verdict = verdict._replace(
                answer=Answer.UNDEFINED, allowed_by=(), reason=Note(view.code, message), caveats=()
            )
            break
    return overridden(snapshot, pod, _unless_hidden(snapshot, peer, verdict))


def _unless_hidden(snapshot: Snapshot, peer: End, verdict: DirectionVerdict) -> DirectionVerdict:
    """UNDEFINED where a rule would let the peer through if it were a pod, which can't be known."""
    gap = hidden_pods(snapshot, peer) if verdict.answer is Answer.BLOCKED else None
    if gap is None:
        return verdict
    rules = [rule for policy in verdict.isolated_by for rule in policy.rules_of(verdict.direction)]
    if all(other.ip_block for rule in rules for other in rule.peers):
        return verdict
    reason = Note(Code.PERMISSION_MISSING, f"{peer.title} may be a pod's address, and {gap.message}")
    return verdict._replace(answer=Answer.UNDEFINED, reason=reason)


def hidden_pods(snapshot: Snapshot, end: End) -> Gap | None:
    """Why an address that is no known pod's or node's may be a pod's all the same, or None where it can't be.

    Public IPv4 addresses are taken to be nobody's pod.
    """
    if end.pod or end.node or end.address is None or is_outside(end.address):
        return None
    return snapshot.gap("pods", None)


def _no_pod(snapshot: Snapshot, subject: End, direction: Direction) -> DirectionVerdict:
    """A node or an address outside: no NetworkPolicy selects it."""
    verdict = DirectionVerdict(direction, Answer.ALLOWED)
    if gap := hidden_pods(snapshot, subject):
        reason = Note(Code.PERMISSION_MISSING, f"{subject.title} may be a pod's address, and {gap.message}")
        return verdict._replace(answer=Answer.UNDEFINED, reason=reason)
    if subject.node is None:
        return verdict
    for policy in snapshot.overriding:
        if policy.nodes and direction in policy.directions:
            message = f"{policy.title} may select {subject.title}; its rules are not evaluated"
            return verdict._replace(answer=Answer.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.resource.startswith(_FOR_NODES):
            return verdict._replace(answer=Answer.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
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
            return verdict._replace(answer=Answer.UNDEFINED, reason=Note(Code.OVERRIDING_POLICY, message))
    for gap in snapshot.gaps:
        if gap.overriding and gap.hides(pod.namespace):
            return verdict._replace(answer=Answer.UNDEFINED, reason=Note(Code.PERMISSION_MISSING, gap.message))
    return verdict


def views(snapshot: Snapshot, connection: Connection, direction: Direction, subject: End, peer: End) -> Iterator[View]:
    """Every reading of this direction, the plainest first; each other one carries the code of what it turns on."""
    pod = subject.pod
    assert pod is not None  # noqa: S101 - _direction asks for pods only
    base = view_of(connection, peer)
    local = _is_local(pod, peer)
    if peer.node and local is True and direction is Direction.INGRESS:
        yield base._replace(always=True)  # the API reference says so, not only the concept page
        return
    yield base
    if pod.host_network:
        yield base._replace(always=True, code=Code.HOST_NETWORK)
    if peer.pod and peer.pod.host_network:
        as_node = _not_a_pod(base, direction, Code.HOST_NETWORK)
        if local is not False:
            yield as_node._replace(always=True)
        if local is not True or direction is Direction.EGRESS:
            yield as_node
    elif local is not False:
        yield base._replace(always=True, code=Code.OWN_NODE)
    if connection.dialled:
        yield from _rewritten(snapshot, connection.dialled, direction, pod, base)


def _rewritten(snapshot: Snapshot, dialled: Dialled, direction: Direction, pod: Pod, base: View) -> Iterator[View]:
    """The readings in which a Service's rewriting comes after the policies, or before them."""
    if direction is Direction.EGRESS:
        yield base._replace(address=dialled.address, block_port=dialled.port, code=Code.DESTINATION_REWRITTEN)
        if dialled.source_rewritten and dialled.address:
            node = snapshot.node_at(dialled.address)
            if _is_local(pod, End(node=node, address=dialled.address)) is not False:
                yield base._replace(always=True, code=Code.OWN_NODE)
    elif dialled.source_rewritten:
        rewritten = _not_a_pod(base, direction, Code.SOURCE_REWRITTEN)
        yield rewritten._replace(always=True)
        for address in _node_addresses(snapshot, dialled.address):
            yield rewritten._replace(address=address)


def _node_addresses(snapshot: Snapshot, dialled: str | None) -> tuple[str | None, ...]:
    """The addresses of nodes that a source may be rewritten to; one unknown address where no node's is known."""
    known = [address for node in snapshot.nodes for address in node.addresses]
    known += [address for pod in snapshot.pods for address in pod.host_ips]
    if dialled:
        known = [address for address in known if parse_ip(address).version == parse_ip(dialled).version]
    return tuple(dict.fromkeys(known)) or (None,)


def _not_a_pod(view: View, direction: Direction, code: Code) -> View:
    """The same without a pod to see; a destination that is no pod has no port names either."""
    return view._replace(pod=None, destination=view.destination if direction is Direction.INGRESS else None, code=code)


def _is_local(pod: Pod, peer: End) -> bool | None:
    """Whether the peer is the pod's own node, or runs in its network; None where that can't be told."""
    if peer.node:
        return None if pod.node is None else pod.node == peer.node.name
    if peer.pod:
        if not peer.pod.host_network:
            return False
        return None if pod.node is None or peer.pod.node is None else pod.node == peer.pod.node
    if peer.address is None:
        return False
    if any(parse_ip(own) == parse_ip(peer.address) for own in pod.host_ips):
        return True
    return None if parse_ip(peer.address).is_link_local else False


def _reading_message(code: Code, direction: Direction, pod: Pod, peer: End, connection: Connection) -> str:
    if code is Code.HOST_NETWORK:
        who = pod.key if pod.host_network else peer.title
        return f"{who} runs in its node's network: the API leaves open whether policies see it as a pod"
    if code is Code.OWN_NODE:
        if direction is Direction.INGRESS:
            return f"{peer.title} may be the node of {pod.key}, and a pod's own node is always let in"
        where = connection.dialled.address if connection.dialled else peer.title
        return (
            f"{where} is, or may be, on the node of {pod.key}: the documentation says that a pod's own node is "
            "always reachable, the API reference does not; plugins differ"
        )
    if code is Code.SOURCE_REWRITTEN:
        return f"{pod.key} may see a node's address instead of {peer.title}: the API leaves it open"
    dialled = (connection.dialled and connection.dialled.address) or "the Service's address"
    return f"an ipBlock decides, and the API leaves open whether it sees {dialled} or the address of {peer.title}"


def _walk(
    snapshot: Snapshot, direction: Direction, pod: Pod, isolating: tuple[Policy, ...], view: View
) -> DirectionVerdict:
    """One reading: the union of the rules of all isolating policies."""
    verdict = DirectionVerdict(direction, Answer.ALLOWED, isolating)
    if view.always:
        return verdict
    allows: list[Allow] = []
    unknown: Note | None = None
    for policy in isolating:
        for rule in policy.rules_of(direction):
            step = match_rule(snapshot, policy, rule, view)
            if isinstance(step, Allow):
                allows.append(step)
            elif step is not None:
                unknown = unknown or step
    if allows:
        return verdict._replace(allowed_by=tuple(allows), caveats=_caveats(allows, view))
    near = tuple(near_misses(snapshot, isolating, direction, view))
    if unknown:
        return verdict._replace(answer=Answer.UNDEFINED, near_misses=near, reason=unknown)
    names = ", ".join(policy.name for policy in isolating)
    verb = "isolates" if len(isolating) == 1 else "isolate"
    word = "lets it in" if direction is Direction.INGRESS else "lets it out"
    message = f"{names} {verb} {pod.key} for {direction.field}, and no rule {word}"
    return verdict._replace(answer=Answer.BLOCKED, near_misses=near, reason=Note(Code.NO_RULE_ALLOWS, message))


def _caveats(allows: list[Allow], view: View) -> tuple[Note, ...]:
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
