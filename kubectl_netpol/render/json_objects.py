"""Results as JSON objects of the kinds in docs/json.md: lowerCamelCase keys, positions from 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from kubectl_netpol.console import json_safe
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import near_miss_text, peer_text, rule_ports_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.manifests.writer import to_yaml
from kubectl_netpol.model.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kubectl_netpol.analysis.isolation import Explanation, Isolation, Mention
    from kubectl_netpol.analysis.peers import PeerPods, RulePeers
    from kubectl_netpol.connection.labels import HelpfulLabels
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.engine.verdict import Connection, ConnectionVerdict, DirectionVerdict, NearMiss, RuleMatch
    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Policy, Rule

    Shared: TypeAlias = "Callable[[Any, Make], Any]"
    Make: TypeAlias = "Callable[[Any, Shared], Any]"

API_VERSION = "netpol/v1"
Object = dict[str, Any]


def serialize(value: Object, output: str) -> str:
    """`output` is json or yaml."""
    if output == "json":
        return json_safe(json.dumps(value, indent=2, ensure_ascii=False))
    return to_yaml([value])


def kind(name: str, content: Mapping[str, Any]) -> Object:
    return {"apiVersion": API_VERSION, "kind": name, **content}


def verdict_object(
    prediction: Prediction, warnings: Iterable[Finding | Note] = (), helpful: Iterable[HelpfulLabels] | None = None
) -> Object:
    """`helpful`: labels that would open it without another policy, or None where that was not looked for."""
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
            **({} if helpful is None else {"helpfulLabels": [_labels(one) for one in helpful]}),
        },
    )


def _labels(found: HelpfulLabels) -> Object:
    return {
        "pod": found.pod.key,
        "direction": found.direction.field,
        "labels": dict(found.labels),
        **_rule_position(found.match.policy, found.match.rule),
    }


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


def warning_object(found: Finding | Note) -> Object:
    """The number of a finding is null for what is none."""
    number = None if isinstance(found, Note) else found.number
    return {"code": found.code.value, "number": number, "message": found.message}


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
    connection = prediction.routes[0].connection if prediction and prediction.routes else None
    return {
        "verdict": side.verdict.value,
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "allowedBy": [_match(match) for match in side.allowed_by],
        "deniedBy": [_match(match) for match in side.denied_by],
        "passedBy": [_match(match) for match in side.passed_by],
        "nearMisses": [_near(near, connection) for near in side.near_misses],
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


def _near(near: NearMiss, connection: Connection | None) -> Object:
    return {
        **_rule_position(near.policy, near.rule),
        "peer": near.peer,
        "port": near.port,
        "because": near_miss_text(near, connection),
        "otherPeers": [{"peer": one.peer, "because": near_miss_text(one, connection)} for one in near.peers],
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


def _made(found: Any, make: Make) -> Any:
    return make(found, _made)


def explanation_object(explanation: Explanation, warnings: Iterable[Finding | Note], shared: Shared = _made) -> Object:
    """`shared`: makes the object of what other explanations may have too, or stands for it."""
    pod = explanation.pod
    return kind(
        "Explanation",
        {
            "pod": pod.key,
            "labels": dict(pod.labels),
            "selectedBy": [policy_object(policy) for policy in explanation.selected_by],
            "mentionedBy": shared(explanation.mentioned_by, _mentions),
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
            "egress": _isolation(explanation.egress, shared),
            "ingress": _isolation(explanation.ingress, shared),
            "warnings": [warning_object(found) for found in warnings],
        },
    )


def _mentions(found: Iterable[Mention], shared: Shared) -> list[Any]:
    return [shared(mention, _mention) for mention in found]


def _mention(mention: Mention, _: Shared) -> Object:
    return {
        **_rule_position(mention.policy, mention.rule),
        "direction": mention.rule.direction.field,
        "peer": mention.peer,
    }


def _isolation(side: Isolation, shared: Shared) -> Object:
    """`isolated` is false only where everything is allowed."""
    limited = side.denies and not side.isolated_by
    reason = Note(Code.DENIED_BY_RULE, "rules of a tier deny something: see admin and baseline") if limited else None
    return {
        "isolated": None if side.unknown or limited else bool(side.isolated_by),
        "isolatedBy": [policy_object(policy) for policy in side.isolated_by],
        "rules": [shared(entry, rule_object) for entry in side.rules],
        "admin": [shared(entry, rule_object) for entry in side.admin],
        "baseline": [shared(entry, rule_object) for entry in side.baseline],
        "reason": note_object(side.unknown or reason),
    }


def _peer_pods(entry: RulePeers, match: PeerPods, shared: Shared) -> Any:
    """None for everyone."""
    if entry.closed:
        return []
    return None if match.peer is None and not match.text else shared(match.pods, _keys)


def rule_object(entry: RulePeers, shared: Shared = _made) -> Object:
    """A rule with its peers and the pods that they match now."""
    peers = [
        {
            "peer": match.position,
            "text": match.text or peer_text(match.peer, entry.policy, entry.rule.direction),
            "pods": _peer_pods(entry, match, shared),
            "reason": note_object(match.unknown),
        }
        for match in entry.peers
    ]
    return {
        **_rule_position(entry.policy, entry.rule),
        "peers": peers,
        "ports": entry.ports or rule_ports_text(entry.rule),
    }


def _keys(pods: Iterable[Pod], _: Shared) -> list[str]:
    return [pod.key for pod in pods]


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
