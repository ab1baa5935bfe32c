"""Notes of `allow` on its policies: what they cut off and what they open, tried on what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.cluster_dns import cluster_dns
from kubectl_netpol.allow.from_labels import ASSUMED_DNS, isolates_text, policies_from_labels
from kubectl_netpol.allow.trial import add_policies, wider_rules
from kubectl_netpol.analysis.change import distinct
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import policy_warnings
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.render.changes import MOST_LISTED, change_entries, isolation_texts, unread_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.allow.from_labels import LabelRequest
    from kubectl_netpol.allow.trial import Trial
    from kubectl_netpol.analysis.change import ConnectionChange
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


def prove_labels(
    asked: LabelRequest, snapshot: Snapshot, namespace: str, console: Console, *, strict: bool, verbose: bool
) -> tuple[Policy, ...]:
    """The policies for the label options, tried on manifests."""
    found = policies_from_labels(asked)
    if asked.with_dns:
        dns = cluster_dns(snapshot, _subject(snapshot, found[0], namespace))
        if dns is None:
            console.note(f"{ASSUMED_DNS}: no DNS Service was read")
        else:
            found = policies_from_labels(asked, dns.rule)
            for text in dns.notes:
                console.note(text)
    placed = [policy._replace(namespace=policy.namespace or namespace) for policy in found]
    trial = try_policies(snapshot, placed, console)
    isolated = {isolated.direction for isolated in trial.changes.isolated}
    context = Context(trial.after)
    for policy, there in zip(found, placed, strict=True):
        if not isolated.intersection(there.directions):
            console.note(isolates_text(policy, with_dns=asked.with_dns))
        for note in policy_warnings(context, there):
            console.warning(note.message)
    if strict:
        refuse_side_effects(trial, ())
    report(trial, placed, console, verbose=verbose)
    return found


def _subject(snapshot: Snapshot, policy: Policy, namespace: str) -> Pod:
    """A pod that the policy selects, or a planned one of its namespace if there is none."""
    own = policy.namespace or namespace
    selected = (pod for pod in snapshot.pods_in(own) if policy.pod_selector.matches(pod.labels) and not pod.finished)
    return next(selected, Pod(own, "any", planned=True))


def try_policies(snapshot: Snapshot, found: Sequence[Policy], console: Console) -> Trial:
    """As `add_policies`, with a note for each that already exists."""
    trial = add_policies(snapshot, found)
    for key in trial.existing:
        console.note(f"{key} already exists with the same spec")
    return trial


def report(trial: Trial, policies: Sequence[Policy], console: Console, *, verbose: bool) -> None:
    """What the policies cut off and open, what was open anyway, and what is unknown."""
    for cuts, text in isolation_texts(trial.changes, verbose=verbose):
        (console.warning if cuts else console.note)(text)
    opened = [what.strip() for what, *_ in change_entries(trial.changes.opens, verbose=verbose)]
    for what in opened if verbose else opened[:MOST_LISTED]:
        console.note(f"opens {what}")
    if len(opened) > MOST_LISTED and not verbose:
        console.note(f"opens {len(opened) - MOST_LISTED} more; -v lists them")
    for text in wider_rules(trial.after, policies):
        console.note(text)
    for text in unread_texts(trial.after, trial.changes, verbose=verbose):
        console.warning(f"incomplete: {text}")


def refuse_side_effects(trial: Trial, unasked: Sequence[ConnectionChange]) -> None:
    """NetpolError if anything is cut off, opens besides or is unknown (--strict)."""
    if trial.changes.closes:
        lost = [text for cuts, text in isolation_texts(trial.changes) if cuts]
        closing = f"{count(len(distinct(trial.changes.closes)), 'connection')} would close"
        raise NetpolError(
            f"--strict: {lost[0] if lost else closing}",
            "without --strict it is printed anyway",
        )
    if unasked:
        listed = change_entries(unasked, verbose=False)
        raise NetpolError(f"--strict: it also opens {listed[0][0].strip()}", "without --strict it is printed anyway")
    if unread := unread_texts(trial.after, trial.changes):
        raise NetpolError(f"--strict: incomplete: {unread[0]}")
