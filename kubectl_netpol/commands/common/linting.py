"""What `lint` looks at: everything that was read, with the files, lines and annotations of the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.analysis.coverage import coverage
from kubectl_netpol.commands.common.findings import refused_findings
from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.errors import UsageError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.finding import BY_CODE, CHECKS, Check, Finding, Severity, Subject
from kubectl_netpol.lint.report import ANNOTATION, Placed, Report, ignored_numbers, without_ignored
from kubectl_netpol.lint.warnings import all_findings
from kubectl_netpol.manifests.positions import Positions
from kubectl_netpol.manifests.recorded import RecordingReader
from kubectl_netpol.model.snapshot import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console
    from kubectl_netpol.manifests.recorded import Refused
    from kubectl_netpol.model.snapshot import Snapshot

_DNS = "kube-system"


class Linted(NamedTuple):
    """`namespace`: the one that is looked at, None for all. `default`: that of objects without one."""

    snapshot: Snapshot
    reader: RecordingReader
    context: Context
    namespace: str | None
    default: str


class Wanted(NamedTuple):
    """`checks`: what is looked for."""

    checks: frozenset[Check]
    fail_on: Severity = Severity.ERROR


def read_linted(options: ClusterOptions, filenames: Sequence[str], console: Console, *, all_namespaces: bool) -> Linted:
    """The manifests, all of them unless a namespace is named; or the namespace, or all, of a cluster."""
    if filenames:
        default = options.namespace or "default"
        reader = RecordingReader(default_namespace=default, plugin=options.plugin)
        snapshot = open_inputs(options, filenames, console, reader=reader).snapshot
        assert snapshot is not None  # noqa: S101 - of manifests it is there
        context = Context(snapshot, complete=False, unseen=reader.unseen)
        namespace = None if all_namespaces else options.namespace
        return Linted(snapshot, reader, context, namespace, default)
    inputs = open_inputs(options, (), console)
    reader = RecordingReader(live=True)
    wide = {"pods", *(("networkpolicies", "services") if all_namespaces else ())}
    scope = Scope(frozenset({inputs.namespace}), frozenset(wide), nodes=True, services_in=frozenset({_DNS}))
    snapshot = inputs.read(scope, reader)
    namespace = None if all_namespaces else inputs.namespace
    return Linted(snapshot, reader, Context(snapshot), namespace, inputs.namespace)


def report_of(linted: Linted, wanted: Wanted, console: Console) -> Report:
    """The findings of the wanted checks, in the order of files and lines, or of objects."""
    snapshot, namespace = linted.snapshot, linted.namespace
    by_plugin = refused_findings(snapshot)
    findings = [*map(_refused_finding, linted.reader.refused), *by_plugin, *all_findings(linted.context, namespace)]
    if namespace is not None:
        findings = [one for one in findings if namespace in (one.subject.namespace, one.subject.name)]
    placed = _placed(linted, [one for one in findings if one.check in wanted.checks])
    kept, ignored = without_ignored(placed, _annotations(linted, console))
    policies = snapshot.evaluated if namespace is None else snapshot.policies_in(namespace)
    refused = [*map(_subject, linted.reader.refused), *(one.subject for one in by_plugin)]
    namespaces = snapshot.pod_namespaces if namespace is None else (namespace,)
    return Report(
        tuple(kept),
        tuple(ignored),
        tuple(one.title for one in (*refused, *(Subject(one.kind, one.namespace, one.name) for one in policies))),
        tuple(coverage(snapshot, [name for name in namespaces if not snapshot.gap("pods", name)])),
        tuple(dict.fromkeys(_unread(snapshot, namespace))),
        wanted.fail_on,
    )


def _unread(snapshot: Snapshot, namespace: str | None) -> Iterator[str]:
    """What is missing: lists, single objects, and policies with a field that can't be read."""
    yield from (gap.message for gap in snapshot.gaps if gap.resource != "nodes")
    for policy in snapshot.unevaluated:
        if policy.because and (namespace is None or policy.namespace in (None, namespace)):
            yield f"{policy.title} can't be read: {policy.because}"


def _subject(refused: Refused) -> Subject:
    return Subject(refused.kind, refused.namespace, refused.name)


def _refused_finding(refused: Refused) -> Finding:
    outside = ".except[" in refused.path and "is not a strict subset" in refused.problem
    check = BY_CODE[Code.EXCEPT_OUTSIDE_BLOCK if outside else Code.REFUSED_BY_SERVER]
    where = f"{refused.path}: " if refused.path else ""
    message = f"{refused.name} is refused: {where}{refused.problem}"
    return Finding(check, Severity.ERROR, _subject(refused), refused.path, message, (), refused.hint or "")


def _placed(linted: Linted, findings: Iterable[Finding]) -> list[Placed]:
    """With file and line, where the objects come from files; only these files are looked into once more."""
    positions: dict[str, Positions] = {}
    placed = []
    for one in findings:
        recorded = linted.reader.recorded.get(one.subject)
        if recorded is None or not recorded.source:
            placed.append(Placed(one))
            continue
        file = recorded.source
        if file not in positions:
            positions[file] = Positions(linted.reader.texts[file], linted.default)
        placed.append(Placed(one, file, positions[file].line(recorded.key, one.path)))
    return sorted(placed, key=_order)


def _order(placed: Placed) -> tuple[Any, ...]:
    found = placed.finding
    kind, namespace, name = found.subject
    return placed.file is None, placed.file or "", placed.line or 0, namespace, name, kind, found.number, found.path


def _annotations(linted: Linted, console: Console) -> dict[tuple[str, str, str], dict[str, str]]:
    """What the annotations of policies and Namespaces ignore, with the reasons."""
    ignored = {}
    for key, recorded in linted.reader.recorded.items():
        text = recorded.annotations.get(ANNOTATION)
        if isinstance(text, str):
            ignored[key], wrong = ignored_numbers(text)
            for word in wrong:
                console.warning(f'{Subject(*key).title}: annotation {ANNOTATION}: no number "{word}"')
    return ignored


def wanted_checks(select: Sequence[str], ignore: Sequence[str]) -> frozenset[Check]:
    """All checks, or those of --select; without those of --ignore. UsageError for what is no number or code."""
    selected = _checks(select, "--select") if select else frozenset(CHECKS)
    return selected - _checks(ignore, "--ignore")


def _checks(typed: Sequence[str], option: str) -> frozenset[Check]:
    return frozenset(check_typed(word.strip(), option) for words in typed for word in words.split(",") if word.strip())


def check_typed(word: str, option: str) -> Check:
    """By its number or its code."""
    for check in CHECKS:
        if word.upper() == check.number or word.lower() == check.code.value:
            return check
    hint = f"{CHECKS[0].number} to {CHECKS[-1].number}, or a code such as {CHECKS[3].code}"
    raise UsageError(f'{option}: no finding "{word}"', hint)
