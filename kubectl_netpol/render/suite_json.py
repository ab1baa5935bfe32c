"""The results of a suite as a JSON object of the kind SuiteResult."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.model.policies import Policy
from kubectl_netpol.render.json_objects import kind, note_object, policy_object, result_object
from kubectl_netpol.suite.judge import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.render.json_objects import Object
    from kubectl_netpol.suite.exercised import Unexercised
    from kubectl_netpol.suite.judge import CheckResult

_COUNTS = {Result.EXPECTED: "asExpected", Result.DIFFERENT: "notAsExpected", Result.UNKNOWN: "cantTell"}


def suite_object(results: Sequence[CheckResult], unexercised: Sequence[Unexercised] | None) -> Object:
    """`unexercised` None: not asked for."""
    found = [result.result for result in results]
    content: Object = {
        "counts": {key: found.count(result) for result, key in _COUNTS.items()},
        "checks": [_check(result) for result in results],
    }
    if unexercised is not None:
        content["unexercised"] = [_unexercised(one) for one in unexercised]
    return kind("SuiteResult", content)


def _check(found: CheckResult) -> Object:
    check, problem = found.check, found.problem
    message = problem and f"{problem.message} ({problem.hint})" if problem and problem.hint else problem
    reason = problem and Note(Code.NOT_ASKED, message if isinstance(message, str) else problem.message)
    return {
        "name": check.name,
        "file": check.file,
        "line": check.line,
        "expect": check.expect.value,
        "result": found.result.value,
        "reason": note_object(reason),
        "connections": [
            {
                "result": judged.result.value,
                "reason": note_object(judged.reason),
                "listening": judged.found.listening,
                "test": result_object(judged.found),
            }
            for judged in found.connections
        ],
    }


def _unexercised(found: Unexercised) -> Object:
    policy, rule, direction = found
    if isinstance(policy, Policy):
        named = policy_object(policy)
    else:
        api = KINDS[policy.kind]
        named = {
            "namespace": policy.namespace or None,
            "name": policy.name,
            "kind": api.api_kind or api.name,
            "group": api.groups[0],
        }
    return {
        **named,
        "direction": direction.field if direction else None,
        "rule": rule.position if rule else None,
    }
