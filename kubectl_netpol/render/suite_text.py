"""The results of a suite as text: one line for each check that is not as expected, and the totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.console import in_a_line
from kubectl_netpol.engine.phrases import count, rule_ports_text, where_text
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.render.probe_result import result_text
from kubectl_netpol.render.text import Names
from kubectl_netpol.render.verdict import arrow
from kubectl_netpol.suite.judge import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.suite.exercised import Unexercised
    from kubectl_netpol.suite.judge import CheckResult, Judged

WORDS = {Result.EXPECTED: "as expected", Result.DIFFERENT: "not as expected", Result.UNKNOWN: "can't tell"}
_STYLES = {Result.EXPECTED: "green", Result.DIFFERENT: "red", Result.UNKNOWN: "yellow"}
_BAR = 30


def suite_text(results: Sequence[CheckResult], console: Console, *, verbose: bool = False) -> str:
    """Verbose: a line for every check, and below it what `test` says where it is not as expected, or is undefined."""
    lines = []
    for found in results:
        if found.result is Result.EXPECTED and not verbose:
            continue
        lines.append(check_line(found, console))
        for judged in found.connections if verbose else ():
            undefined = judged.found.prediction.verdict is Verdict.UNDEFINED
            if judged not in found.failing and not undefined:
                continue
            text = result_text(judged.found, Names(found.check.namespace), console)
            lines += [f"    {line}" for line in text.split("\n")]
    return "\n".join(map(in_a_line, [*lines, totals(results)]))


def check_line(found: CheckResult, console: Console | None = None) -> str:
    """The result, the check's name and what it expects, and why it is not so."""
    word = WORDS[found.result]
    word = console.paint(word, _STYLES[found.result]) if console else word
    why = check_message(found)
    return f"{word}: {found.check.name} (expected {found.check.expect})" + (f": {why}" if why else "")


def check_message(found: CheckResult) -> str:
    """Why it is not as expected, or can't be told: the finding of the first such connection; "" if it is."""
    if found.problem:
        hint = f" ({found.problem.hint})" if found.problem.hint else ""
        return f"{found.problem.message}{hint}"
    if not found.failing:
        return ""
    more = f" (and {len(found.failing) - 1} more)" if len(found.failing) > 1 else ""
    return judged_text(found.failing[0], found.check.namespace) + more


def judged_text(judged: Judged, namespace: str) -> str:
    """A connection with its finding, and which policy blocks it."""
    prediction = judged.found.prediction
    text = f"{arrow(prediction.request, Names(namespace))}: {judged.found.finding.message}"
    if judged.reason:
        return f"{text}; {judged.reason.message}"
    blocked = prediction.verdict is Verdict.BLOCKED and prediction.reason
    return f"{text} ({blocked.message})" if blocked else text


def totals(results: Sequence[CheckResult]) -> str:
    found = [result.result for result in results]
    counts = ", ".join(f"{found.count(result)} {word}" for result, word in WORDS.items())
    return f"{count(len(found), 'check')}: {counts}"


def unexercised_text(found: Sequence[Unexercised], namespace: str) -> str:
    """One line for each, by the policy and the rule's path."""
    if not found:
        return "every rule of the policies is exercised"
    lines = (f"  {unexercised_line(one, namespace)}" for one in found)
    return "\n".join(["not exercised by any check:", *map(in_a_line, lines)])


def unexercised_line(found: Unexercised, namespace: str) -> str:
    """Such as "shop/db-in ingress[1], TCP 9187"."""
    policy, rule, direction = found
    own = getattr(policy, "kind", "") == "NetworkPolicy"
    title = Names(namespace).short(policy.namespace, policy.name) if own else policy.title
    if rule:
        return f"{title} {where_text(rule)}, {rule_ports_text(rule)}"
    return f"{title} {direction.field}: no check is blocked by it" if direction else title


def bar(done: int, total: int) -> str:
    """A progress bar."""
    filled = _BAR * done // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"
