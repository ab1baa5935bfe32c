"""Which connections would open and close if the policies of -f were applied, or deleted.

Compares with the cluster, or with the manifests of --on; nothing is applied. Exit status as kubectl diff: 0 nothing
changes, 1 something does, 2 unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.changes import Changes, changes_between
from kubectl_netpol.commands.common.findings import warn
from kubectl_netpol.commands.common.inputs import open_inputs, texts
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    cluster_options,
)
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import count, names_text
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import policy_warnings
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.snapshot import Scope
from kubectl_netpol.render.changes import changes_object, changes_text, policy_change_object, unread_texts
from kubectl_netpol.render.changes_markdown import changes_markdown
from kubectl_netpol.render.json_objects import kind, serialize, warning_object

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console
    from kubectl_netpol.model.policies import Policy
    from kubectl_netpol.model.snapshot import Snapshot

SAME, DIFFERENT, UNKNOWN = 0, 1, 2
EXAMPLES = """examples:
  kubectl netpol diff -f policy.yaml
  kubectl netpol diff -f policies/ -n shop
  kubectl netpol diff -f policy.yaml --delete
  kubectl netpol allow san nginx 80 -n shop | kubectl netpol diff -f -
  kubectl netpol diff -f policy.yaml --on examples/shop.yaml -n shop -o json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_filename_option(parser, "the policies: a file, a folder, - for stdin; may be repeated")
    parser.add_argument(
        "--on",
        action="append",
        default=[],
        metavar="FILE",
        help="manifests in place of the cluster (a file, a folder, - for stdin; may be repeated)",
    )
    parser.add_argument("--delete", action="store_true", help="as if the policies were deleted")
    add_output_option(parser, ("json", "yaml", "markdown"))
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 if nothing changes, 1 if something does, 2 if that is unknown."""
    if not arguments.filenames:
        raise UsageError("no policies given", "kubectl netpol diff -f FILE")
    if "-" in arguments.filenames and "-" in arguments.on:
        raise UsageError("-f and --on can't both read stdin")
    before, given = _read(arguments.filenames, arguments.on, cluster_options(arguments), console)
    there = {policy.key: policy for policy in before.evaluated}
    by_policy = {
        policy.key: _change(policy, there.get(policy.key), delete=arguments.delete) for policy in given.evaluated
    }
    if arguments.delete:
        kept = {key: policy for key, policy in there.items() if key not in by_policy}
    else:
        kept = {**there, **{policy.key: policy for policy in given.evaluated}}
    after = before.with_policies(kept.values())
    policies: Sequence[Policy] = given.evaluated
    if before.plugin == "Calico":
        from kubectl_netpol.analysis.calico_changes import changed_by, with_objects  # noqa: PLC0415 - only where it runs

        after = with_objects(after, given.plugin_objects, delete=arguments.delete)
        policies, more = changed_by(before, after, given)
        by_policy.update(more)
    missing = [key for key, change in by_policy.items() if change == "unchanged"] if arguments.delete else []
    if missing:
        console.warning(f"not found, so nothing to delete: {names_text(missing)}")
    changes = changes_between(before, after)
    unread = unread_texts(before, changes, verbose=arguments.verbose)
    context = Context(after)
    warnings = (
        () if arguments.delete else [one for policy in given.policies for one in policy_warnings(context, policy)]
    )
    if arguments.output == "markdown":
        console.data(changes_markdown(changes, unread=unread, verbose=arguments.verbose))
    elif arguments.output:
        listed = [policy_change_object(policy, by_policy[policy.key]) for policy in policies]
        content = {"policies": listed, **changes_object(changes), "warnings": list(map(warning_object, warnings))}
        console.data(serialize(kind("Diff", content), arguments.output))
    else:
        _print_text(changes, policies, by_policy, console, verbose=arguments.verbose)
        selecting = [one for one in warnings if one.code is not Code.POLICY_SELECTS_NOTHING]
        nothing = [one for one in warnings if one.code is Code.POLICY_SELECTS_NOTHING]
        warn(selecting, nothing, console, verbose=arguments.verbose)
    for reason in unread:
        console.warning(f"incomplete: {reason}")
    if changes.connections:
        return DIFFERENT
    return UNKNOWN if unread else SAME


def _read(
    filenames: Sequence[str], on: Sequence[str], cluster: ClusterOptions, console: Console
) -> tuple[Snapshot, Snapshot]:
    """What is there, in the manifests of `on` or in the cluster, and the policies of `filenames`."""
    if on:
        given = _given(filenames, cluster.namespace or "default", cluster.plugin, console)
        inputs = open_inputs(cluster._replace(plugin=cluster.plugin or given.plugin), on, console)
    else:
        inputs = open_inputs(cluster, on, console)
        given = _given(filenames, inputs.namespace, None, console)
    policies = given.evaluated
    namespaces = frozenset(found.namespace or inputs.namespace for found in (*policies, *_own_policies(given)))
    nodes = any(peer.node_selector is not None for policy in policies for rule in policy.rules for peer in rule.peers)
    before = inputs.read(Scope(namespaces, frozenset({"pods", "networkpolicies"}), nodes=nodes, endpoints=False))
    if given.plugin != before.plugin and given.plugin_objects:
        raise _not_evaluated(given)
    if before.plugin == "Cilium" and before.plugin_objects:
        titles = names_text([policy.title for policy in before.plugin_objects])
        raise NetpolError(f"diff does not compare connections beside {titles}", "explain and matrix do take them")
    return before, given


def _own_policies(given: Snapshot) -> list[Any]:
    """Of a plugin's own kinds."""
    return [found for found in given.plugin_objects if hasattr(found, "title")]


def _given(filenames: Sequence[str], namespace: str, plugin: str | None, console: Console) -> Snapshot:
    reader = Reader(default_namespace=namespace, plugin=plugin)
    for name, content in texts(filenames):
        reader.add_text(content, name)
    snapshot = reader.snapshot()
    if snapshot.unevaluated or (snapshot.plugin == "Cilium" and snapshot.plugin_objects):
        raise _not_evaluated(snapshot)
    if not snapshot.evaluated and not (snapshot.plugin_objects and snapshot.plugin == "Calico"):
        raise NetpolError("no policy found in -f", "kubectl netpol diff -f POLICIES --on MANIFESTS")
    others = sum(reader.skipped.values()) + len(snapshot.pods) + len(snapshot.services) + len(snapshot.namespaces)
    if others:
        console.note(f"{count(others, 'other object')} in -f ignored: only policies are compared")
    return snapshot


def _not_evaluated(given: Snapshot) -> NetpolError:
    titles = [policy.title for policy in (*given.unevaluated, *_own_policies(given))]
    message = f"the rules of {names_text(titles)} are not evaluated, so what they change is unknown"
    return NetpolError(message, f"leave {'it' if len(titles) == 1 else 'them'} out of -f")


def _change(policy: Policy, old: Policy | None, *, delete: bool) -> str:
    if delete:
        return "deleted" if old else "unchanged"
    if old is None:
        return "added"
    return "unchanged" if old._replace(changed=None) == policy._replace(changed=None) else "changed"


def _print_text(
    changes: Changes, policies: Sequence[Policy], by_policy: dict[str, str], console: Console, *, verbose: bool
) -> None:
    text = changes_text(changes, console, verbose=verbose)
    if text:
        console.data(text)
    if not changes.connections:
        listed = names_text([f"{policy.key} {by_policy[policy.key]}" for policy in policies])
        console.note(f"no connection opens or closes ({listed})")
    elif not text:
        console.note("only ports that no pod declares and no rule names change; -v lists them")
