"""`test -F`: asks every check of a suite, with one read of the cluster, and probes what they ask about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

from kubectl_netpol.commands.common.files import texts
from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.commands.common.questions import Question, answers, read_for_all, refuse_too_many
from kubectl_netpol.commands.common.watch import Seen, state_of, watch
from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, predicted
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.render.json_objects import serialize
from kubectl_netpol.render.suite_json import suite_object
from kubectl_netpol.render.suite_reports import junit_text, tap_text
from kubectl_netpol.render.suite_text import bar, check_line, suite_text, totals, unexercised_text
from kubectl_netpol.suite.exercised import unexercised
from kubectl_netpol.suite.judge import Asked, Problem, Result, judge, status
from kubectl_netpol.suite.reader import read_suites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.commands.common.prober import Prober
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.snapshot import Snapshot
    from kubectl_netpol.suite.exercised import Unexercised
    from kubectl_netpol.suite.judge import CheckResult

_AT_ONCE = 10
# Connections of one exec: more of one pod go into several, so that these run at once too.
_OF_ONE_EXEC = 16


class SuiteRun:
    """The checks of suite files, asked once or, with --watch, again and again. ManifestError for an invalid file."""

    def __init__(
        self,
        suites: Sequence[str],
        cluster: ClusterOptions,
        manifests: Sequence[str],
        console: Console,
        options: ProbeOptions,
    ) -> None:
        if "-" in suites and "-" in manifests:
            raise UsageError("-F - and -f - both read stdin", "write one of them to a file")
        files = texts(suites, console, recursive=cluster.recursive)
        checks = read_suites((name, content) for name, content, _ in files)
        self._inputs = inputs = open_inputs(cluster, manifests, console)
        self._checks = [check._replace(namespace=check.namespace or inputs.namespace) for check in checks]
        self._snapshot: Snapshot | None = None
        self._cluster = cluster
        self._options = options
        self._prober: Prober | None = None

    def report(self, output: str | None, *, verbose: bool, with_unexercised: bool) -> int:
        """Print the results, and return the exit status. `output`: json, yaml, junit, tap or None for text."""
        console = self._inputs.console
        began = time.monotonic()
        results = self.results()
        if not self._inputs.live:
            console.note("nothing was probed: this is what the policies in the manifests say")
        found = self._unexercised(results) if with_unexercised else None
        if output == "junit":
            console.data(junit_text(results, found or (), time.monotonic() - began))
        elif output == "tap":
            console.data(tap_text(results, found or ()))
        elif output:
            console.data(serialize(suite_object(results, found), output))
        else:
            console.data(suite_text(results, console, verbose=verbose))
            if found is not None:
                console.data(unexercised_text(found, self._inputs.namespace))
        connections = [judged.found for result in results for judged in result.connections]
        for message in dict.fromkeys(message for one in connections for message in one.warnings):
            console.warning(message)
        undefined = sum(one.prediction.verdict is Verdict.UNDEFINED for one in connections)
        if undefined and self._inputs.live:
            console.note(f"the policies' verdict on {count(undefined, 'connection')} is undefined: the network decided")
        return status(results)

    def watch(self, seconds: float) -> NoReturn:
        """A line for each check whose result changes, and then one with the totals."""

        def look() -> dict[str, Seen]:
            results = self.results()
            seen = {f"{found.check.file}: {found.check.name}": self._seen(found) for found in results}
            return {**seen, "": Seen(totals(results), totals(results))}

        watch(look, seconds, self._inputs.console)

    def _seen(self, found: CheckResult) -> Seen:
        what = found.result, found.problem, [state_of(judged.found) for judged in found.connections]
        return Seen(check_line(found, self._inputs.console), what, quiet=found.result is Result.EXPECTED)

    def _unexercised(self, results: Sequence[CheckResult]) -> list[Unexercised]:
        """On a cluster, of the namespaces that the checks are about: others were not read, or not on purpose."""
        assert self._snapshot is not None  # noqa: S101 - the results are about it
        predictions = [judged.found.prediction for result in results for judged in result.connections]
        ends = [e for p in predictions for r in p.routes for e in (r.connection.source, r.connection.destination)]
        namespaces = {check.namespace for check in self._checks} | {end.pod.namespace for end in ends if end.pod}
        return unexercised(self._snapshot, predictions, frozenset(namespaces) if self._inputs.live else None)

    def results(self) -> list[CheckResult]:
        """One for each check, in the order of the files. A check whose names are not there has a problem."""
        questions = [Question(check.namespace, check.names, check.selectors, check.ports) for check in self._checks]
        self._snapshot = snapshot = read_for_all(self._inputs, questions)
        asked = [self._ask(snapshot, question) for question in questions]
        results = iter(
            self._probed(
                snapshot,
                [
                    (check.namespace, prediction)
                    for check, found in zip(self._checks, asked, strict=True)
                    if not isinstance(found, Problem)
                    for prediction in found
                ],
            )
        )
        return judge(
            [
                Asked(check, problem=found)
                if isinstance(found, Problem)
                else Asked(check, tuple(next(results) for _ in found))
                for check, found in zip(self._checks, asked, strict=True)
            ],
            live=self._inputs.live,
        )

    def _ask(self, snapshot: Snapshot, question: Question) -> list[Prediction] | Problem:
        try:
            found = answers(snapshot, question)
            refuse_too_many(len(found), self._options.most_pairs)
        except NetpolError as error:
            return Problem(error.message, error.hint)
        return found

    def _probed(self, snapshot: Snapshot, asked: Sequence[tuple[str, Prediction]]) -> list[ConnectionResult]:
        """The results for predictions, each with the namespace of the names typed for it."""
        api = self._inputs.api
        if api is None:
            return [ConnectionResult(prediction, predicted(prediction)) for _, prediction in asked]
        from kubectl_netpol.commands.common.prober import Prober  # noqa: PLC0415 - not for manifests

        first = self._prober or Prober(
            api, snapshot, namespace=self._inputs.namespace, cluster=self._cluster, options=self._options
        )
        self._prober = first
        probers = {namespace: first.again(snapshot, namespace) for namespace, _ in asked}
        total, finished = count(len(asked), "connection"), 0

        def show(results: Sequence[ConnectionResult]) -> None:
            nonlocal finished
            finished += len(results)
            update(f"{bar(finished, len(asked))} {finished} of {total}")

        groups = _groups(asked)
        with self._inputs.console.progress(f"{bar(0, 1)} 0 of {total}") as update:
            tested = map_concurrently(
                lambda group: probers[asked[group[0]][0]].results([asked[index][1] for index in group]),
                groups,
                at_once=_AT_ONCE,
                done=show,
            )
        found = {i: one for group, some in zip(groups, tested, strict=True) for i, one in zip(group, some, strict=True)}
        return [found[index] for index in range(len(asked))]


def _groups(asked: Sequence[tuple[str, Prediction]]) -> list[list[int]]:
    """The positions of the connections that one exec probes: of one namespace, source and protocol."""
    by_source: dict[tuple[str, str, str], list[int]] = {}
    for index, (namespace, prediction) in enumerate(asked):
        key = namespace, prediction.request.source.end.title, prediction.request.protocol
        by_source.setdefault(key, []).append(index)
    return [
        group[start : start + _OF_ONE_EXEC]
        for group in by_source.values()
        for start in range(0, len(group), _OF_ONE_EXEC)
    ]
