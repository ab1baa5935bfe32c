"""The proof behind `allow`: the policies added to what was read, and what that changes, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.allow.cluster_dns import cluster_dns
from kubectl_netpol.allow.labels import ASSUMED_DNS, LabelRequest, isolates_text, policies
from kubectl_netpol.analysis.changes import Change, Changes, changes_between
from kubectl_netpol.commands.common.inputs import read_manifests
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.lint.warnings import policy_warnings
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.render.changes import MANY, entries, isolation_texts, unread_texts

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.console import Console
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot


def prove_labels(asked: LabelRequest, arguments: argparse.Namespace, console: Console) -> tuple[Policy, ...]:
    """The policies asked for by labels, tried on the manifests of -f."""
    found = policies(asked)
    namespace = arguments.namespace or "default"
    snapshot = read_manifests(arguments.filenames, namespace, console)
    if asked.with_dns:
        dns = cluster_dns(snapshot, _subject(snapshot, found[0], namespace))
        if dns is None:
            console.note(f"{ASSUMED_DNS}: there is no DNS Service in what was read")
        else:
            found = policies(asked, dns.rule)
            for text in dns.notes:
                console.note(text)
    placed = [policy._replace(namespace=policy.namespace or namespace) for policy in found]
    after, comparison = tried(snapshot, placed, console)
    isolated = {isolated.direction for isolated in comparison.isolated}
    for policy, there in zip(found, placed, strict=True):
        if not isolated.intersection(there.directions):
            console.note(isolates_text(policy, with_dns=asked.with_dns))
        for note in policy_warnings(after, there):
            console.warning(note.message)
    if arguments.strict:
        refuse_side_effects(after, comparison, ())
    say(after, comparison, console, verbose=arguments.verbose)
    return found


def _subject(snapshot: Snapshot, policy: Policy, namespace: str) -> Pod:
    """A pod that the policy selects; one that is like any other where there is none."""
    own = policy.namespace or namespace
    selected = (pod for pod in snapshot.pods_in(own) if policy.pod_selector.matches(pod.labels) and not pod.finished)
    return next(selected, Pod(own, "any", planned=True))


def tried(snapshot: Snapshot, found: Sequence[Policy], console: Console) -> tuple[Snapshot, Changes]:
    """What was read with the policies added, and the difference.

    NetpolError where one of another content has the same name: it would be overwritten.
    """
    there = {policy.key: policy._replace(changed=None) for policy in snapshot.policies}
    for policy in found:
        old = there.get(policy.key)
        if old is not None and old != policy:
            raise NetpolError(
                f"a policy {policy.key} with other content exists: applying this one would replace it",
                "give it another --name",
            )
        if old is not None:
            console.note(f"{policy.key} exists already, with the same content")
    before = snapshot.with_policies(there.values())
    after = snapshot.with_policies({**there, **{policy.key: policy for policy in found}}.values())
    return after, changes_between(before, after)


def say(snapshot: Snapshot, comparison: Changes, console: Console, *, verbose: bool) -> None:
    """What the policies cut off, and what they open."""
    for cuts, text in isolation_texts(comparison, verbose=verbose):
        (console.warning if cuts else console.note)(text)
    opened = [what.strip() for what, *_ in entries(comparison.opens, verbose=verbose)]
    for what in opened if verbose else opened[:MANY]:
        console.note(f"opens {what}")
    if len(opened) > MANY and not verbose:
        console.note(f"opens {len(opened) - MANY} more; -v lists them")
    for text in unread_texts(snapshot, comparison, verbose=verbose):
        console.warning(f"not everything can be told: {text}")


def refuse_side_effects(snapshot: Snapshot, comparison: Changes, besides: Sequence[Change]) -> None:
    """--strict: NetpolError where something is cut off, or opens besides."""
    if comparison.closes:
        lost = [text for cuts, text in isolation_texts(comparison) if cuts]
        raise NetpolError(
            f"--strict: {lost[0] if lost else count(len(comparison.closes), 'connection') + ' would close'}",
            "without --strict it is printed all the same",
        )
    if besides:
        listed = entries(besides, verbose=False)
        raise NetpolError(
            f"--strict: it also opens {listed[0][0].strip()}", "without --strict it is printed all the same"
        )
    if unread := unread_texts(snapshot, comparison):
        raise NetpolError(f"--strict: not everything can be told: {unread[0]}")
