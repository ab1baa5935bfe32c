"""Results as JSON objects of the kinds in docs/json.md: lowerCamelCase keys, positions from 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import near_miss_text, peer_text, rule_ports_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.manifests.writer import to_yaml
from kubectl_netpol.model.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.analysis.isolation import Explanation, Isolation, RulePeers
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.engine.verdict import ConnectionVerdict, Dialled, DirectionVerdict, NearMiss, RuleMatch
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.policies import Policy, Rule

API_VERSION = "netpol/v1"
Object = dict[str, Any]


def serialize(value: Object, output: str) -> str:
    """`output` is json or yaml."""
    if output == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return to_yaml([value])


def kind(name: str, content: Mapping[str, Any]) -> Object:
    return {"apiVersion": API_VERSION, "kind": name, **content}


def verdict_object(prediction: Prediction, warnings: Iterable[Finding] = ()) -> Object:
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
            **_by_plugin(prediction),
            "blockedAt": [direction.field for direction in prediction.blocked_at],
            "reason": note_object(prediction.reason),
            "egress": _side(prediction.egress, prediction),
            "ingress": _side(prediction.ingress, prediction),
            "resolvesTo": [_route(route) for route in prediction.routes],
            "caveats": [note_object(note) for note in prediction.caveats],
            "warnings": [warning_object(found) for found in warnings],
        },
    )


def _by_plugin(prediction: Prediction) -> Object:
    """Where a network plugin decides: which one, and what the NetworkPolicy API says."""
    if prediction.api_verdict is None:
        return {}
    return {"plugin": prediction.plugin, "apiVerdict": prediction.api_verdict.value}


def end_object(resolved: Resolved) -> Object:
    """One of pod, service, node and host, with the address but for a host; or the address alone."""
    found: Object = {}
    if resolved.pod:
        found = {"pod": resolved.pod.key, "address": resolved.end.address}
    elif resolved.service:
        found = {"service": resolved.service.key, "address": next(iter(resolved.service.cluster_ips), None)}
    elif resolved.node:
        found = {"node": resolved.node.name, "address": resolved.end.address}
    elif resolved.host:
        found = {"host": resolved.host}
    else:
        found = {"address": resolved.address}
    if resolved.workload:
        found["workload"] = f"{resolved.workload.kind} {resolved.workload.namespace}/{resolved.workload.name}"
    return found


def note_object(note: Note | None) -> Object | None:
    return {"code": note.code.value, "message": note.message} if note else None


def warning_object(found: Finding) -> Object:
    return {"code": found.code.value, "number": found.number, "message": found.message}


def policy_object(policy: Policy) -> Object:
    """The policy's name; of another kind than NetworkPolicy also the kind, its group and what orders it."""
    found: Object = {"namespace": policy.namespace or None, "name": policy.name}
    if policy.kind == "NetworkPolicy":
        return found
    kind = KINDS[policy.kind]
    found |= {"kind": kind.api_kind or kind.name, "group": kind.groups[0]}
    if policy.tier:
        return {**found, "tier": policy.tier.value, "priority": policy.priority}
    return {**found, "tier": policy.place.tier, "order": policy.place.order} if policy.place else found


def _side(side: DirectionVerdict, prediction: Prediction | None = None) -> Object:
    dialled = prediction.routes[0].connection.dialled if prediction and prediction.routes else None
    return {
        "verdict": side.verdict.value,
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "allowedBy": [_match(match) for match in side.allowed_by],
        "deniedBy": [_match(match) for match in side.denied_by],
        "passedBy": [_match(match) for match in side.passed_by],
        "nearMisses": [_near(near, dialled) for near in side.near_misses],
        "reason": note_object(side.reason),
    }


def _match(match: RuleMatch) -> Object:
    return {**_rule_position(match.policy, match.rule), "peer": match.peer, "port": match.port}


def _rule_position(policy: Policy, rule: Rule) -> Object:
    """The policy, and the position of its rule, which has a name and an action in tiers."""
    found = {**policy_object(policy), "rule": rule.position}
    if policy.kind == "NetworkPolicy":
        return found
    found |= {"path": rule.path} if rule.path else {"ruleName": rule.name or None}
    return {**found, "action": rule.action.value}


def _near(near: NearMiss, dialled: Dialled | None) -> Object:
    return {
        **_rule_position(near.policy, near.rule),
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


def explanation_object(explanation: Explanation, warnings: Iterable[Finding]) -> Object:
    pod = explanation.pod
    return kind(
        "Explanation",
        {
            "pod": pod.key,
            "labels": dict(pod.labels),
            "selectedBy": [policy_object(policy) for policy in explanation.selected_by],
            "mentionedBy": [
                {
                    **_rule_position(mention.policy, mention.rule),
                    "direction": mention.rule.direction.field,
                    "peer": mention.peer,
                }
                for mention in explanation.mentioned_by
            ],
            "services": [
                {
                    "namespace": mapping.service.namespace,
                    "name": mapping.service.name,
                    "port": mapping.number,
                    "portName": mapping.name,
                    "protocol": mapping.protocol,
                    "podPort": mapping.pod_port,
                }
                for mapping in explanation.services
            ],
            "egress": _isolation(explanation.egress),
            "ingress": _isolation(explanation.ingress),
            "warnings": [warning_object(found) for found in warnings],
        },
    )


def _isolation(side: Isolation) -> Object:
    """`isolated` is false only where everything is allowed."""
    limited = side.denies and not side.isolated_by
    reason = Note(Code.DENIED_BY_RULE, "rules of a tier deny something: see admin and baseline") if limited else None
    return {
        "isolated": None if side.unknown or limited else bool(side.isolated_by),
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "rules": [_rule(entry) for entry in side.rules],
        "admin": [_rule(entry) for entry in side.admin],
        "baseline": [_rule(entry) for entry in side.baseline],
        "reason": note_object(side.unknown or reason),
    }


def _rule(entry: RulePeers) -> Object:
    peers = [
        {
            "peer": match.position,
            "text": match.text or peer_text(match.peer, entry.policy),
            "pods": None if match.peer is None and not match.text else [pod.key for pod in match.pods],
            "reason": note_object(match.unknown),
        }
        for match in entry.peers
    ]
    return {
        **_rule_position(entry.policy, entry.rule),
        "peers": peers,
        "ports": entry.ports or rule_ports_text(entry.rule),
    }


def result_object(result: ConnectionResult) -> Object:
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
