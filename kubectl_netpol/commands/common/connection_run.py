"""The connections that `test` is asked about: predicted, probed, and reported once or again and again.

What is needed after the answers of the server is imported while they are awaited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kubectl_netpol.commands.common.questions import Question, answers, ask, read_for_all, refuse_too_many
from kubectl_netpol.concurrency import import_ahead
from kubectl_netpol.engine.phrases import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.commands.common.options import ProbeOptions
    from kubectl_netpol.commands.common.prober import Prober
    from kubectl_netpol.commands.common.shell_ahead import ShellAhead
    from kubectl_netpol.commands.common.watch import Seen
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot

_LATER = ("kubectl_netpol.commands.common.prober", "kubectl_netpol.commands.common.connection_report")


class ConnectionRun:
    """The connections asked about, as they are now. With a cluster they may be asked again.

    `names`: those that are not replaced by one of the `selectors`, in order. No `ports`: all that are declared.
    `ahead`: a shell in the source pod, for the first probe.
    """

    def __init__(
        self,
        inputs: Inputs,
        names: Sequence[str],
        selectors: tuple[str | None, str | None],
        ports: Sequence[SinglePort],
        *,
        cluster: ClusterOptions,
        probe: ProbeOptions,
        ahead: ShellAhead | None = None,
    ) -> None:
        remaining = iter(names)
        ends = tuple(next(remaining) if selector is None else None for selector in selectors)
        self._question = Question(inputs.namespace, (ends[0], ends[1]), selectors, ports)
        self._inputs = inputs
        self._cluster = cluster
        self._probe = probe
        self._ahead = ahead
        self._prober: Prober | None = None

    def report(self, output: str | None, *, expected: str | None, verbose: bool) -> int:
        """Print the results; the exit status is the worst of them. `output`, `expected`: as -o and --expect have it."""
        snapshot, results = self._results()
        from kubectl_netpol.commands.common.connection_report import print_results, status_of  # noqa: PLC0415

        print_results(snapshot, results, self._inputs.namespace, self._inputs.console, output=output, verbose=verbose)
        return status_of(results, expected)

    def watch(self, seconds: float) -> NoReturn:
        """A line for each connection, and for each change, until an interrupt."""
        from kubectl_netpol.commands.common.watch import watch  # noqa: PLC0415 - most runs end

        watch(self._seen, seconds, self._inputs.console)

    def _seen(self) -> Mapping[str, Seen]:
        _, results = self._results()
        from kubectl_netpol.commands.common.connection_report import seen  # noqa: PLC0415

        return seen(results, self._inputs.namespace, self._inputs.console)

    def _results(self) -> tuple[Snapshot, list[ConnectionResult]]:
        inputs = self._inputs
        if inputs.live:
            import_ahead(_LATER)
        snapshot, predictions = self._predicted()
        refuse_too_many(len(predictions), self._probe.most_pairs)
        if inputs.api is None:
            from kubectl_netpol.diagnosis.diagnose import ConnectionResult, predicted  # noqa: PLC0415

            inputs.console.note("nothing was probed: this is what the policies in the manifests say")
            return snapshot, [ConnectionResult(prediction, predicted(prediction)) for prediction in predictions]
        from kubectl_netpol.commands.common.prober import Prober  # noqa: PLC0415

        prober = self._prober.again(snapshot, inputs.namespace) if self._prober else None
        self._prober = prober = prober or Prober(
            inputs.api,
            snapshot,
            namespace=inputs.namespace,
            cluster=self._cluster,
            options=self._probe,
            ahead=self._ahead,
        )
        with inputs.console.progress(f"probing {count(len(predictions), 'connection')}"):
            return snapshot, prober.results(predictions)

    def _predicted(self) -> tuple[Snapshot, list[Prediction]]:
        source, destination = self._question.names
        if source is not None and destination is not None:
            return ask(self._inputs, source, destination, self._question.ports)
        snapshot = read_for_all(self._inputs, [self._question])
        return snapshot, answers(snapshot, self._question)
