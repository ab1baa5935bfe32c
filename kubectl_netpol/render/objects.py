"""Results as JSON objects: apiVersion netpol/v1, lowerCamelCase keys, positions from 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_netpol.engine.phrases import near_miss_text, peer_text, rule_ports_text
from kubectl_netpol.manifests.writer import to_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.analysis.isolation import Explanation, Isolation, RulePeers
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.engine.verdict import ConnectionVerdict, Dialled, DirectionVerdict, NearMiss, Note, RuleMatch
    from kubectl_netpol.model.policies import Policy

API_VERSION = "netpol/v1"
Object = dict[str, Any]


def serialize(value: Object, output: str) -> str:
    """The object as the text of `-o json` or `-o yaml`."""
    if output == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return to_yaml([value])


def kind(name: str, content: Mapping[str, Any]) -> Object:
    """An object of ours."""
    return {"apiVersion": API_VERSION, "kind": name, **content}


def verdict_object(prediction: Prediction, warnings: Iterable[Note] = ()) -> Object:
    """kind: Verdict."""
    request = prediction.request
    return kind(
        "Verdict",
        {
            "connection": {
                "source": end_object(request.source),
                "destination": end_object(request.destination),
                "protocol": request.protocol,
                "port": request.port,
            },
            "verdict": prediction.verdict.value,
            "blockedAt": [direction.field for direction in prediction.blocked_at],
            "reason": note_object(prediction.reason),
            "egress": _side(prediction.egress, prediction),
            "ingress": _side(prediction.ingress, prediction),
            "resolvesTo": [_route(route) for route in prediction.routes],
            "caveats": [note_object(note) for note in prediction.caveats],
            "warnings": [note_object(note) for note in warnings],
        },
    )


def end_object(named: Resolved) -> Object:
    """What was typed and what it is: one of pod, service, node, host, and the address where there is one."""
    found: Object = {}
    if named.pod:
        found = {"pod": named.pod.key, "address": named.end.address}
    elif named.service:
        found = {"service": named.service.key, "address": next(iter(named.service.cluster_ips), None)}
    elif named.node:
        found = {"node": named.node.name, "address": named.end.address}
    elif named.host:
        found = {"host": named.host}
    else:
        found = {"address": named.address}
    if named.workload:
        found["workload"] = f"{named.workload.kind} {named.workload.namespace}/{named.workload.name}"
    return found


def note_object(note: Note | None) -> Object | None:
    """{code, message}, or null."""
    return {"code": note.code.value, "message": note.message} if note else None


def policy_object(policy: Policy) -> Object:
    """{namespace, name}."""
    return {"namespace": policy.namespace, "name": policy.name}


def _side(side: DirectionVerdict, prediction: Prediction | None = None) -> Object:
    dialled = prediction.routes[0].connection.dialled if prediction and prediction.routes else None
    return {
        "verdict": side.verdict.value,
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "allowedBy": [_allow(allow) for allow in side.allowed_by],
        "nearMisses": [_near(near, dialled) for near in side.near_misses],
        "reason": note_object(side.reason),
    }


def _allow(allow: RuleMatch) -> Object:
    return {
        **policy_object(allow.policy),
        "rule": allow.rule.position,
        "peer": allow.peer,
        "port": allow.port,
    }


def _near(near: NearMiss, dialled: Dialled | None) -> Object:
    return {
        **policy_object(near.policy),
        "rule": near.rule.position,
        "peer": near.peer,
        "port": near.port,
        "because": near_miss_text(near, dialled),
    }


def _route(route: ConnectionVerdict) -> Object:
    destination = route.connection.destination
    return {
        "pod": destination.pod.key if destination.pod else None,
        "address": destination.address,
        "port": route.connection.port,
        "verdict": route.verdict.value,
        "reason": note_object(route.reason),
        "egress": _side(route.egress),
        "ingress": _side(route.ingress),
    }


def explanation_object(explanation: Explanation, warnings: Iterable[Note]) -> Object:
    """kind: Explanation."""
    pod = explanation.pod
    return kind(
        "Explanation",
        {
            "pod": pod.key,
            "labels": dict(pod.labels),
            "selectedBy": [policy_object(policy) for policy in explanation.selected_by],
            "mentionedBy": [
                {
                    **policy_object(mention.policy),
                    "direction": mention.rule.direction.field,
                    "rule": mention.rule.position,
                    "peer": mention.peer,
                }
                for mention in explanation.mentioned_by
            ],
            "services": [
                {
                    "namespace": front.service.namespace,
                    "name": front.service.name,
                    "port": front.number,
                    "portName": front.name,
                    "protocol": front.protocol,
                    "podPort": front.pod_port,
                }
                for front in explanation.services
            ],
            "egress": _isolation(explanation.egress),
            "ingress": _isolation(explanation.ingress),
            "warnings": [note_object(note) for note in warnings],
        },
    )


def _isolation(side: Isolation) -> Object:
    return {
        "isolated": None if side.unknown else bool(side.isolated_by),
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "rules": [_rule(entry) for entry in side.rules],
        "reason": note_object(side.unknown),
    }


def _rule(entry: RulePeers) -> Object:
    peers = [
        {
            "peer": match.position,
            "text": peer_text(match.peer, entry.policy),
            "pods": None if match.peer is None else [pod.key for pod in match.pods],
            "reason": note_object(match.unknown),
        }
        for match in entry.peers
    ]
    return {
        **policy_object(entry.policy),
        "rule": entry.rule.position,
        "peers": peers,
        "ports": rule_ports_text(entry.rule),
    }


def result_object(result: ConnectionResult) -> Object:
    """kind: TestResult."""
    finding, observation, request = result.finding, result.observation, result.prediction.request
    return kind(
        "TestResult",
        {
            "source": end_object(request.source),
            "destination": end_object(request.destination),
            "protocol": request.protocol,
            "port": request.port,
            "outcome": observation.outcome.value if observation else None,
            "reachable": finding.reachable,
            "prediction": verdict_object(result.prediction),
            "agrees": finding.agrees,
            "finding": {
                "code": finding.code.value,
                "message": finding.message,
                "evidence": list(finding.evidence),
                "next": finding.next,
            },
            "tool": observation.tool if observation else None,
            "command": result.command,
            "output": observation.output if observation else None,
            "seconds": round(observation.seconds, 3) if observation else None,
            "warnings": list(result.warnings),
        },
    )
