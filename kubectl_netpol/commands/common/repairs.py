"""What mends findings, printed: a unified diff of files, or the changed policies of a cluster.

Each repair is made in the text, read again, and shown only if that policy is then what the finding says, all else is
the same, and the finding is gone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.change import Changes, distinct
from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import ManifestError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import policy_findings
from kubectl_netpol.manifests.edits import edited, unified_diff
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.writer import to_yaml
from kubectl_netpol.model.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.commands.common.linting import Linted, Wanted
    from kubectl_netpol.console import Console
    from kubectl_netpol.lint.finding import Finding, Subject
    from kubectl_netpol.lint.report import Report
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot

_SET_BY_SERVER = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def print_repairs(linted: Linted, report: Report, wanted: Wanted, console: Console) -> None:
    """On stdout the diff or the policies, on stderr what each repair opens and closes."""
    subjects = dict.fromkeys(placed.finding.subject for placed in report.findings if placed.finding.repair)
    by_source: dict[str, list[Subject]] = {}
    for subject in subjects:
        if recorded := linted.reader.recorded.get(subject):
            by_source.setdefault(recorded.source, []).append(subject)
    mender = _Mender(linted, report, wanted, console)
    printed = []
    for source, listed in by_source.items():
        before = linted.reader.texts.get(source, "")
        content = before
        for subject in listed:
            if not source:
                content = before = to_yaml([_own_fields(subject, linted.reader.recorded[subject].item)])
            content = mender.mend(subject, content)
            if not source and content != before:
                printed.append(content)
        if source and content != before:
            printed.append(unified_diff(_relative(source), before, content))
    if printed:
        console.exact("".join(printed) if "" not in by_source else "---\n".join(printed))
    else:
        console.note("nothing that could be mended by an edit: each finding has its fix in words")


class _Mender:
    """Mends the policies of one snapshot one after the other; `done` says so of each repair."""

    def __init__(self, linted: Linted, report: Report, wanted: Wanted, console: Console) -> None:
        self.linted = linted
        self.wanted = wanted
        self.console = console
        self.ignored = {(placed.finding.subject, placed.finding.number) for placed in report.ignored}
        self.snapshot = linted.snapshot

    def mend(self, subject: Subject, content: str) -> str:
        """The text with all repairs of one policy."""
        tried: set[tuple[str, str, str]] = set()
        while found := next(self._repairs(subject, tried), None):
            tried.add(_identity(found))
            content = self._one(found, content)
        return content

    def _repairs(self, subject: Subject, tried: set[tuple[str, str, str]]) -> Iterator[Finding]:
        policy = _policy(self.snapshot, subject)
        context = Context(self.snapshot, complete=self.linted.context.complete, unseen=self.linted.context.unseen)
        for one in policy_findings(context, policy):
            wanted = one.check in self.wanted.checks and (one.subject, one.number) not in self.ignored
            if one.repair and wanted and _identity(one) not in tried:
                yield one

    def _one(self, found: Finding, content: str) -> str:
        """With this repair, or as before where it can't be made or proved."""
        repair = found.repair
        assert repair is not None  # noqa: S101 - it was chosen for it
        title = f"{found.number} {found.subject.title} {found.path}"
        changed = edited(content, self.linted.default, self.linted.reader.recorded[found.subject].key, repair.edits)
        wanted = repair.policy._replace(changed=None)
        if changed is None or not _is_only(content, changed, self.linted.default, found.subject, wanted):
            self.console.note(f"{title}: no edit; {found.fix}")
            return content
        policy = _policy(self.snapshot, found.subject)
        snapshot = self.snapshot.with_policies(
            repair.policy if one is policy else one for one in self.snapshot.evaluated
        )
        changes = changes_between(self.snapshot, snapshot)
        if found.code is Code.REDUNDANT_RULE and changes.connections:
            self.console.note(f"{title}: no edit; it {_counted(changes)}")
            return content
        self.console.note(f"{title}: {_counted(changes)}")
        self.snapshot = snapshot
        return changed


def _identity(found: Finding) -> tuple[str, str, str]:
    return found.number, found.path, found.message


def _counted(changes: Changes) -> str:
    """What it changes, in the terms of `diff`."""
    if not changes.connections:
        return "opens and closes nothing"
    parts = [("opens", changes.opens), ("closes", changes.closes)]
    return ", ".join(f"{verb} {count(len(distinct(listed)), 'connection')}" for verb, listed in parts if listed)


def _is_only(before: str, after: str, default: str, subject: Subject, wanted: Policy) -> bool:
    """Whether the text differs in this policy alone, and that is the one wanted."""
    try:
        then, now = (_objects(content, default) for content in (before, after))
    except ManifestError:
        return False
    key = (subject.namespace, subject.name)
    changed = now[subject.kind].pop(key, None)
    then[subject.kind].pop(key, None)
    return changed is not None and changed._replace(changed=None) == wanted and now == then


def _objects(content: str, default: str) -> dict[str, dict[tuple[str, str], Any]]:
    reader = Reader(default_namespace=default)
    reader.add_text(content, "")
    return {kind: {(item.namespace, item.name): item for item in reader.found(kind)} for kind in _COMPARED}


_COMPARED = ("NetworkPolicy", "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet")


def _policy(snapshot: Snapshot, subject: Subject) -> Policy:
    return next(one for one in snapshot.policies_in(subject.namespace) if one.name == subject.name)


def _own_fields(subject: Subject, item: dict[str, Any]) -> dict[str, Any]:
    """The object as one would apply it: without what the server sets."""
    known = KINDS[subject.kind]
    metadata = {name: value for name, value in item["metadata"].items() if name not in _SET_BY_SERVER}
    annotations = {name: value for name, value in (metadata.get("annotations") or {}).items() if name != _LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": known.api_version, "kind": known.name, "metadata": metadata, "spec": item.get("spec")}


def _relative(source: str) -> str:
    """The file's name from the current folder, as git prints it."""
    return os.path.relpath(source)
