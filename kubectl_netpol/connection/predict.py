"""The verdict on a whole request: one evaluation per route, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.routes import Request, Route, address_for
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.evaluate import evaluate
from kubectl_netpol.engine.phrases import match_text, names_text
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, DirectionVerdict, End, Note, Verdict
from kubectl_netpol.model.addresses import family, other_family, shared_family
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot


class Prediction(NamedTuple):
    """The verdict on a request. `routes`: one verdict per endpoint where it may arrive.

    `plugin`: the network plugin whose reading it is; then `api_verdict` is what NetworkPolicies mean by the API.
    """

    request: Request
    verdict: Verdict
    egress: DirectionVerdict
    ingress: DirectionVerdict
    reason: Note | None
    routes: tuple[ConnectionVerdict, ...] = ()
    caveats: tuple[Note, ...] = ()
    plugin: str | None = None
    api_verdict: Verdict | None = None

    @property
    def tiered(self) -> bool:
        """Whether policies of a tier are asked."""
        return bool(self.egress.tiered_by or self.ingress.tiered_by)

    @property
    def blocked_at(self) -> tuple[Direction, ...]:
        """The directions that block it; none if it is not blocked."""
        if self.verdict is not Verdict.BLOCKED:
            return ()
        sides = {
            side.direction
            for route in self.routes
            for side in (route.egress, route.ingress)
            if side.verdict is Verdict.BLOCKED
        }
        return tuple(direction for direction in (Direction.EGRESS, Direction.INGRESS) if direction in sides)


def predict(snapshot: Snapshot, request: Request) -> Prediction:
    """UNDEFINED if the verdicts on its routes differ, or if it has none."""
    found = _predict(snapshot, request)
    if snapshot.plugin is None:
        return found
    api = _predict(snapshot.of_networkpolicies(None), request)
    alone = _predict(snapshot.of_networkpolicies(snapshot.plugin), request) if snapshot.plugin_objects else found
    caveats = []
    if alone.verdict is not api.verdict is not found.verdict:
        text = f"by the NetworkPolicy API: {api.verdict.value}; on {snapshot.plugin} {_why_differs(snapshot, alone)}"
        caveats.append(Note(Code.PLUGIN_DIFFERS, text))
    if gap := snapshot.gap("plugin", None):
        caveats.append(Note(Code.PLUGIN_NOT_SEEN, gap.message))
    return found._replace(caveats=(*found.caveats, *caveats), plugin=snapshot.plugin, api_verdict=api.verdict)


def _why_differs(snapshot: Snapshot, found: Prediction) -> str:
    """What the plugin does, in words."""
    plugin = plugin_of(snapshot)
    if plugin and (text := plugin.difference(found.routes[0].connection)):
        return text
    if found.reason:
        return found.reason.message
    matches = [match_text(match) for side in (found.egress, found.ingress) for match in side.allowed_by]
    verb = "allow" if len(matches) > 1 else "allows"
    return f"{names_text(matches, 2)} {verb} it" if matches else "no policy blocks it"


def _predict(snapshot: Snapshot, request: Request) -> Prediction:
    if not request.routes:
        sides = [
            DirectionVerdict(direction, Verdict.UNDEFINED, reason=request.problem)
            for direction in (Direction.EGRESS, Direction.INGRESS)
        ]
        return Prediction(request, Verdict.UNDEFINED, sides[0], sides[1], request.problem)
    routes = tuple(_predict_route(snapshot, request, route) for route in request.routes)
    replicas = _replicas_differ(request) if request.source.others or request.destination.others else None
    egress = _merged(tuple(route.egress for route in routes), replicas)
    ingress = _merged(tuple(route.ingress for route in routes), replicas)
    caveats = tuple(dict.fromkeys(note for route in routes for note in route.caveats))
    first = routes[0]
    if all(route.verdict is first.verdict for route in routes):
        return Prediction(request, first.verdict, egress, ingress, first.reason, routes, caveats)
    reason = replicas or _endpoints_differ(routes)
    return Prediction(request, Verdict.UNDEFINED, egress, ingress, reason, routes, caveats)


def pod_connection(source: Pod, destination: Pod, protocol: str, port: int) -> Connection:
    """The connection that `predict` evaluates for a request from one pod to another by name."""
    address = address_for(destination, source)
    mine = shared_family(source.ips, (address,) if address else ())
    return Connection(End(pod=source, address=mine), End(pod=destination, address=address), protocol, port)


def _predict_route(snapshot: Snapshot, request: Request, route: Route) -> ConnectionVerdict:
    source = End(pod=route.source) if route.source else request.source.end
    if not request.source.address and route.destination.address:
        mine = source.pod.ips if source.pod else source.node.addresses if source.node else ()
        source = source._replace(address=shared_family(mine, (route.destination.address,)))
    connection = Connection(source, route.destination, request.protocol, route.port, route.dialled)
    verdict = evaluate(snapshot, connection)
    there, dialled = connection.destination, route.dialled.address if route.dialled else None
    if _apart(_families(connection.source), {family(dialled)} if dialled else _families(there)):
        titles = f"{connection.source.title} and {dialled or there.title}"
        message = f"{titles} have no addresses of the same family, so nothing connects them"
        return verdict._replace(caveats=(*verdict.caveats, Note(Code.NO_COMMON_FAMILY, message)))
    if other := _other_family(connection, request):
        second = evaluate(snapshot, other)
        if second.verdict is not verdict.verdict:
            this, that = (c.dialled.address if c.dialled else c.destination.address for c in (connection, other))
            message = f"this is for {this}; for {that} it is {second.verdict.value}"
            return verdict._replace(caveats=(*verdict.caveats, Note(Code.FAMILIES_DIFFER, message)))
    return verdict


def _families(end: End) -> set[int]:
    """Of all the addresses that it has."""
    own = end.pod.ips if end.pod else end.node.addresses if end.node else ()
    return set(map(family, own or filter(None, (end.address,))))


def _apart(one: set[int], other: set[int]) -> bool:
    return bool(one and other) and not one & other


def _other_family(connection: Connection, request: Request) -> Connection | None:
    """The same connection between two dual-stack pods by the other address family, or None."""
    source, destination, dialled = connection.source, connection.destination, connection.dialled
    if not (source.pod and destination.pod and destination.address):
        return None
    if dialled:
        clusters = request.service.cluster_ips if request.service and dialled.address else ()
        if dialled.address not in clusters:
            return None
        dialled = dialled._replace(address=other_family(clusters, destination.address))
    mine, theirs = (other_family(pod.ips, destination.address) for pod in (source.pod, destination.pod))
    if not mine or not theirs or (dialled and not dialled.address):
        return None
    if request.service and request.service.families and family(theirs) not in request.service.families:
        return None
    return connection._replace(
        source=source._replace(address=mine), destination=destination._replace(address=theirs), dialled=dialled
    )


def _merged(sides: tuple[DirectionVerdict, ...], replicas: Note | None) -> DirectionVerdict:
    """One verdict for one direction of all routes; UNDEFINED if they differ. `replicas`: why, if not by endpoint."""
    first = sides[0]
    if len(sides) == 1:
        return first
    same = all(side.verdict is first.verdict for side in sides)
    field = first.direction.field
    return DirectionVerdict(
        first.direction,
        first.verdict if same else Verdict.UNDEFINED,
        tuple({policy.key: policy for side in sides for policy in side.isolated_by}.values()),
        tuple(dict.fromkeys(match for side in sides for match in side.allowed_by)),
        tuple({(n.policy.key, n.rule.position, n.peer): n for side in sides for n in side.near_misses}.values()),
        first.reason if same else replicas or Note(Code.ENDPOINTS_DIFFER, f"the endpoints differ for {field}"),
        tuple(dict.fromkeys(note for side in sides for note in side.caveats)),
        tuple(dict.fromkeys(match for side in sides for match in side.denied_by)),
        tuple(dict.fromkeys(match for side in sides for match in side.passed_by)),
        tuple(dict.fromkeys(policy for side in sides for policy in side.tiered_by)),
    )


def _replicas_differ(request: Request) -> Note:
    """Which pods of a workload are told apart, and by which of their labels."""
    typed = next(end for end in (request.destination, request.source) if end.others)
    workload = typed.workload
    assert workload is not None  # noqa: S101 - only a workload has others
    labels = [pod.labels for pod in workload.replicas]
    keys = [key for key in labels[0] if len({found.get(key) for found in labels}) > 1]
    what = f"{workload.kind} {workload.namespace}/{workload.name}"
    message = f"it depends on the pod of {what}: policies select by {names_text(keys)}, which its controller sets"
    return Note(Code.REPLICAS_DIFFER, message)


def _endpoints_differ(routes: tuple[ConnectionVerdict, ...]) -> Note:
    counts = {verdict: sum(route.verdict is verdict for route in routes) for verdict in Verdict}
    listed = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    return Note(Code.ENDPOINTS_DIFFER, f"it depends on the endpoint: of {len(routes)}, {listed}")
