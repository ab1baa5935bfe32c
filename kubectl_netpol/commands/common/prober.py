"""The probe of a cluster: one exec per source pod, the facts that explain a failure, a retry after a recent change."""

from __future__ import annotations

import calendar
import shlex
import threading
import time
from typing import TYPE_CHECKING

from kubectl_netpol.cluster.network_plugin import network_plugin
from kubectl_netpol.cluster.reader import read_snapshot
from kubectl_netpol.cluster.streams import CompletedExec, execute, listens
from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.connection.dns import NAMESPACES as DNS_NAMESPACES
from kubectl_netpol.connection.dns import Resolver, resolvers_blocked
from kubectl_netpol.diagnosis.diagnose import (
    ConnectionResult,
    Facts,
    SuggestedCommands,
    diagnose,
    listening_evidence,
    not_probed,
)
from kubectl_netpol.diagnosis.faults import ignored_kind
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.errors import ClusterError, ForbiddenError
from kubectl_netpol.model.snapshot import Scope
from kubectl_netpol.probe.containers import containers_to_try, intercepting_proxy
from kubectl_netpol.probe.outcome import NameCheck, Observation, Outcome, Target
from kubectl_netpol.probe.run import ADDRESS, probe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.commands.common.shell_ahead import ShellAhead
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.snapshot import Snapshot

RECENT_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.5
_FORWARD_SECONDS = 5.0
_REQUESTERS = ("curl", "wget")  # with --http: a request, which a mesh's proxy can't answer by itself
_FAILED = (Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.UNREACHABLE)


class Prober:
    """Probes connections from pods of a cluster. Nothing in the cluster changes, except with a debug image."""

    def __init__(
        self,
        api: Api,
        snapshot: Snapshot,
        *,
        namespace: str,
        cluster: ClusterOptions,
        options: ProbeOptions,
        ahead: ShellAhead | None = None,
    ) -> None:
        self._api = api
        self._snapshot = snapshot
        self._namespace = namespace
        self._cluster = cluster
        self._options = options
        self._ahead = ahead
        self._enforcer: str | None = None
        self._enforcer_asked = False
        self._enforcer_lock = threading.Lock()
        self._debug: dict[str, str] = {}
        self._debug_locks: dict[str, threading.Lock] = {}

    def again(self, snapshot: Snapshot, namespace: str) -> Prober:
        """A prober of the same cluster as it is now, which adds no second debug container to a pod."""
        found = Prober(self._api, snapshot, namespace=namespace, cluster=self._cluster, options=self._options)
        found._debug, found._debug_locks = self._debug, self._debug_locks
        return found

    def results(self, predictions: Sequence[Prediction]) -> list[ConnectionResult]:
        """A result for each prediction, in the same order; sources, and protocols of one source, concurrently."""
        by_source: dict[tuple[str, str], list[int]] = {}
        for index, prediction in enumerate(predictions):
            key = prediction.request.source.end.title, prediction.request.protocol
            by_source.setdefault(key, []).append(index)
        groups = [[predictions[index] for index in group] for group in by_source.values()]
        # One source alone needs no thread, so that an interrupt ends the exec itself.
        tested = (
            map_concurrently(self._from_one_source, groups) if len(groups) > 1 else [self._from_one_source(groups[0])]
        )
        found: dict[int, ConnectionResult] = {}
        for group, results in zip(by_source.values(), tested, strict=True):
            found.update(zip(group, results, strict=True))
        return [found[index] for index in range(len(predictions))]

    def _from_one_source(self, predictions: Sequence[Prediction]) -> list[ConnectionResult]:
        if predictions[0].request.protocol == "SCTP":
            return [ConnectionResult(v, not_probed(v, "SCTP can't be probed", Code.NOT_PROBED)) for v in predictions]
        pod = predictions[0].request.source.pod
        if pod is None:
            why = f"{predictions[0].request.source.end.title} is not a pod, so nothing can be run there"
            return [
                ConnectionResult(v, not_probed(v, why, Code.NOT_PROBED, self._commands(v).explain)) for v in predictions
            ]
        if not pod.ips or pod.phase != "Running":
            why = f"the source pod {pod.key} is not running ({pod.phase or 'no status'})"
            step = self._another_pod(pod)
            return [ConnectionResult(v, not_probed(v, why, Code.SOURCE_NOT_RUNNING, step)) for v in predictions]
        began = time.monotonic()
        while True:
            results = self._probe(pod, predictions)
            unsettled = any(r.finding.agrees is False and self._changed_recently(r.prediction) for r in results)
            if not unsettled or time.monotonic() - began > PATIENCE_SECONDS:
                return results
            time.sleep(_PAUSE_SECONDS)

    def _another_pod(self, pod: Pod) -> str:
        for other in self._snapshot.pods_in(pod.namespace):
            if other.ips and other.phase == "Running" and pod.labels and other.labels == pod.labels:
                return f"{other.name} has the same labels and is running"
        return f"kubectl get pod {pod.name} -n {pod.namespace}"

    def _probe(self, pod: Pod, predictions: Sequence[Prediction]) -> list[ConnectionResult]:
        asked: dict[int, Target] = {}
        results: dict[int, ConnectionResult] = {}
        for index, prediction in enumerate(predictions):
            address = prediction.request.address or prediction.request.destination.host or _external_name(prediction)
            if address and not ADDRESS.fullmatch(address):
                why = f'"{address}" is not a host name'
                results[index] = ConnectionResult(prediction, not_probed(prediction, why, Code.NOT_PROBED))
            elif address and prediction.request.port is not None and not _pointless(prediction):
                asked[index] = Target(address, prediction.request.port)
            else:
                results[index] = self._not_dialled(prediction)
        try:
            if asked:
                self._dial(pod, predictions, asked, results)
        except ForbiddenError as error:
            for index in asked:
                finding = not_probed(predictions[index], error.message, Code.EXEC_FORBIDDEN, error.hint)
                results[index] = ConnectionResult(predictions[index], finding)
        return [results[index] for index in range(len(predictions))]

    def _dial(
        self,
        pod: Pod,
        predictions: Sequence[Prediction],
        asked: Mapping[int, Target],
        results: dict[int, ConnectionResult],
    ) -> None:
        """Probe the targets, which are by the positions of their predictions, and put the results there."""
        names = sorted({name for index in asked if (name := _service_name(predictions[index]))})
        protocol = predictions[0].request.protocol
        observed, checks, container = self._run(pod, list(asked.values()), protocol, names)
        known = {check.name: check for check in checks}
        seen = dict(zip(asked, observed, strict=True))
        listening = self._listening([(predictions[index], observation) for index, observation in seen.items()])
        for index, observation in seen.items():
            check = known.get(_service_name(predictions[index]) or "")
            results[index] = self._conclude(predictions[index], observation, check, listening, container)

    def _not_dialled(self, prediction: Prediction) -> ConnectionResult:
        problem = prediction.request.problem or prediction.reason
        why = problem.message if problem else "there is no address to dial"
        codes = {
            Code.SERVICE_HAS_NO_SUCH_PORT: Code.WRONG_SERVICE_PORT,
            Code.SERVICE_HAS_NO_ENDPOINTS: Code.NO_READY_ENDPOINTS,
            Code.POD_NOT_RUNNING: Code.DESTINATION_NOT_RUNNING,
            Code.POD_HAS_NO_IP: Code.DESTINATION_NOT_RUNNING,
        }
        code = codes.get(problem.code, Code.NOT_PROBED) if problem else Code.NOT_PROBED
        step = None if prediction.request.problem else self._commands(prediction).explain
        return ConnectionResult(prediction, not_probed(prediction, why, code, step))

    def _run(
        self, pod: Pod, targets: Sequence[Target], protocol: str, names: Sequence[str]
    ) -> tuple[Sequence[Observation], Sequence[NameCheck], str | None]:
        """Probe from the first container that has a tool; with a debug image from its container alone."""
        containers = self._containers(pod)
        result = None
        for container in containers:

            def run(argv: Sequence[str], deadline: float, container: str = container) -> CompletedExec:
                ahead = self._ahead.run(pod, container, argv, deadline=deadline) if self._ahead else None
                return ahead or execute(self._api, pod.namespace, pod.name, container, argv, deadline=deadline)

            try:
                result = probe(
                    run, targets, protocol=protocol, timeout=self._options.timeout, http=self._options.http, names=names
                )
            except ForbiddenError:
                raise
            except ClusterError as error:
                failed = Observation(Outcome.EXEC_FAILED, None, (), None, error.message, 0.0)
                return [failed for _ in targets], (), container
            if any(seen.outcome not in (Outcome.NO_TOOL, Outcome.EXEC_FAILED) for seen in result.observations):
                return result.observations, result.names, container
        if result is None:
            return [Observation(Outcome.NO_TOOL, None, (), None, "", 0.0) for _ in targets], (), None
        return result.observations, result.names, containers[-1]

    def _containers(self, pod: Pod) -> tuple[str, ...]:
        image = self._options.debug_image
        if not image:
            return containers_to_try(pod, self._options.container)
        from kubectl_netpol.cluster.debug_container import add_debug_container  # noqa: PLC0415 - asked for only

        # It stays on the pod: retries use it again, and so do threads that probe other protocols.
        with self._debug_locks.setdefault(pod.key, threading.Lock()):
            if pod.key not in self._debug:
                self._debug[pod.key] = add_debug_container(self._api, pod.namespace, pod.name, image)
            return (self._debug[pod.key],)

    def _listening(self, seen: Sequence[tuple[Prediction, Observation]]) -> dict[tuple[str, int], bool | None]:
        """For the connections that failed: whether the destination pod listens on the port, None where unknown."""
        wanted: dict[tuple[str, int], Pod] = {}
        for prediction, observation in seen:
            if observation.outcome in _FAILED and prediction.request.protocol == "TCP" and prediction.routes:
                connection = prediction.routes[0].connection
                if connection.destination.pod:
                    wanted[connection.destination.title, connection.port] = connection.destination.pod
        keys = list(wanted)
        return dict(zip(keys, map_concurrently(lambda key: self._listens(wanted[key], key[1]), keys), strict=True))

    def _listens(self, pod: Pod, port: int) -> bool | None:
        try:
            return listens(self._api, pod.namespace, pod.name, port, deadline=_FORWARD_SECONDS).listening
        except ClusterError:
            return None

    def _conclude(
        self,
        prediction: Prediction,
        observation: Observation,
        name: NameCheck | None,
        listening: dict[tuple[str, int], bool | None],
        container: str | None,
    ) -> ConnectionResult:
        blocked = None
        facts = Facts(name=name, changed_recently=self._changed_recently(prediction))
        source = prediction.request.source.pod
        assert source is not None  # noqa: S101 - it was probed from
        requested = self._options.http and observation.tool in _REQUESTERS
        facts = facts._replace(proxy=None if requested else intercepting_proxy(source))
        if observation.outcome is Outcome.UNRESOLVED or (name and name.resolves is False):
            blocked = self._dns_blocked(source)
            facts = facts._replace(dns_blocked=blocked.port_title if blocked else None)
        if prediction.routes:
            connection = prediction.routes[0].connection
            key = connection.destination.title, connection.port
            if key in listening:
                words = listening_evidence(listening[key], *key)
                facts = facts._replace(listening=listening[key], listening_evidence=words)
        prediction = self._with_ignored_kind(prediction)
        if prediction.tiered or (observation.outcome is Outcome.OPEN and prediction.verdict is Verdict.BLOCKED):
            facts = facts._replace(enforcer=self._plugin())
        commands = self._commands(prediction, blocked)
        finding = diagnose(self._snapshot, prediction, observation, facts, commands)
        warnings = []
        if finding.code is Code.NOT_ENFORCED:
            warnings.append("the policies say blocked, but nothing enforces them here, or not yet")
        if name and name.resolves is False:
            why = f" (the policies block {facts.dns_blocked}: {commands.allow_dns})" if facts.dns_blocked else ""
            warnings.append(f"{name.name} does not resolve in {source.name}: the probe used its address{why}")
        command = _exec_command(source, container, observation)
        return ConnectionResult(prediction, finding, observation, command, tuple(warnings), facts.listening)

    def _dns_blocked(self, source: Pod) -> Resolver | None:
        """The resolver that the policies block; read only after a name did not resolve."""
        namespaces = frozenset({source.namespace, *DNS_NAMESPACES})
        return resolvers_blocked(read_snapshot(self._api, Scope(namespaces)), source)

    def _with_ignored_kind(self, prediction: Prediction) -> Prediction:
        """With a caveat where the network plugin does not enforce the kind of policy that decides."""
        ignored = ignored_kind(prediction, self._plugin()) if prediction.tiered else None
        if ignored is None:
            return prediction
        return prediction._replace(caveats=(*prediction.caveats, Note(Code.KIND_NOT_ENFORCED, ignored)))

    def _plugin(self) -> str | None:
        with self._enforcer_lock:
            if not self._enforcer_asked:
                self._enforcer = network_plugin(self._api)
                self._enforcer_asked = True
            return self._enforcer

    def _changed_recently(self, prediction: Prediction) -> bool:
        """Whether a policy that selects an end, or an end itself, changed just now, by the server's clock.

        Where no policy selects an end, a plugin has nothing to apply.
        """
        now = self._api.now()
        sides = prediction.egress, prediction.ingress
        times = [policy.changed for side in sides for policy in (*side.isolated_by, *side.tiered_by)]
        if not times:
            return False
        for route in prediction.routes:
            times += [end.pod.changed for end in (route.connection.source, route.connection.destination) if end.pod]
        return now is not None and any(now - _seconds(when) <= RECENT_SECONDS for when in times if when)

    def _commands(self, prediction: Prediction, blocked: Resolver | None = None) -> SuggestedCommands:
        request = prediction.request
        source, destination = (end.reference for end in (request.source, request.destination))
        cluster = self._cluster.arguments()
        where = ["-n", self._namespace, *cluster]
        protocol = [] if request.protocol == "TCP" else ["--protocol", request.protocol.lower()]
        words = shlex.join([source, destination, str(request.port or "PORT"), *where, *protocol])
        apply = shlex.join(["kubectl", "apply", *cluster, "-f", "-"])
        dns = shlex.join([*blocked.allow_arguments(source), *where]) if blocked else None
        return SuggestedCommands(
            f"kubectl netpol allow {words} | {apply}",
            f"kubectl netpol explain {words}",
            f"kubectl netpol test {words}",
            dns and f"kubectl netpol allow {dns} | {apply}",
        )


def _seconds(when: str) -> float:
    """Since the epoch; 0 for what is no time."""
    try:
        return float(calendar.timegm(time.strptime(when[:19], "%Y-%m-%dT%H:%M:%S")))
    except (ValueError, OverflowError):
        return 0.0


def _service_name(prediction: Prediction) -> str | None:
    """The Service's DNS name, which is looked up in the same exec as the probe."""
    service = prediction.request.destination.service
    return f"{service.name}.{service.namespace}.svc" if service and not service.external_name else None


def _external_name(prediction: Prediction) -> str | None:
    service = prediction.request.service
    return service.external_name if service else None


def _pointless(prediction: Prediction) -> bool:
    """Whether there is nothing to dial: no such port, or a pod that has no address of its own (any more)."""
    codes = (Code.SERVICE_HAS_NO_SUCH_PORT, Code.POD_NOT_RUNNING, Code.POD_HAS_NO_IP)
    return prediction.reason is not None and prediction.reason.code in codes


def _exec_command(pod: Pod, container: str | None, observation: Observation) -> str | None:
    """The kubectl command that repeats the probe."""
    if not observation.command:
        return None
    words = ["kubectl", "exec", pod.name, "-n", pod.namespace, *(["-c", container] if container else []), "--"]
    return shlex.join([*words, *observation.command])
