"""Which connections would open and close if the policies of -f were applied, or deleted.

Compares with the cluster, or with the manifests of --on; nothing is applied. Exit status as kubectl diff: 0 nothing
changes, 1 something does, 2 unknown; with --choose 0 a file fits, 1 none does, 2 can't tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.commands.common.files import read_files
from kubectl_netpol.commands.common.findings import warn
from kubectl_netpol.commands.common.inputs import open_inputs
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
from kubectl_netpol.manifests.replicas import Named
from kubectl_netpol.model.snapshot import Scope
from kubectl_netpol.render.changes import changes_object, changes_text, policy_change_object, unread_texts
from kubectl_netpol.render.changes_markdown import changes_markdown
from kubectl_netpol.render.json_objects import kind, serialize, warning_object
from kubectl_netpol.render.text import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.analysis.change import Changes
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
  kubectl netpol diff -f policy.yaml --on examples/shop.yaml -n shop -o json
  kubectl netpol diff --choose a.yaml b.yaml --need "san nginx 80" -n shop   which of them allows it, and the least"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_filename_option(parser, "the policies: a file, a folder, - for stdin; may be repeated")
    parser.add_argument(
        "--on",
        action="append",
        default=[],
        metavar="FILE",
        help="manifests in place of the cluster (a file, a folder, - for stdin; may be repeated)",
    )
    parser.add_argument(
        "--choose",
        nargs="+",
        default=[],
        metavar="FILE",
        help="which of these files allows what is needed, instead of -f",
    )
    parser.add_argument(
        "--need",
        dest="needs",
        action="append",
        default=[],
        metavar='"SOURCE DESTINATION PORT"',
        help="with --choose: a connection that must be allowed; may be repeated",
    )
    parser.add_argument("--delete", action="store_true", help="as if the policies were deleted")
    add_output_option(parser, ("json", "yaml", "markdown"))
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 if nothing changes, 1 if something does, 2 if that is unknown."""
    if arguments.choose or arguments.needs:
        _check_choice(arguments.choose, arguments.needs, arguments.filenames, delete=arguments.delete)
        return _choose(
            arguments.choose,
            arguments.needs,
            arguments.on,
            cluster_options(arguments),
            console,
            output=arguments.output,
        )
    if not arguments.filenames:
        raise UsageError("no policies given", "kubectl netpol diff -f FILE")
    if "-" in arguments.filenames and "-" in arguments.on:
        raise UsageError("-f and --on can't both read stdin")
    before, given = _read(arguments.filenames, arguments.on, cluster_options(arguments), console)
    after, policies, by_policy = _applied(before, given, delete=arguments.delete)
    missing = [key for key, change in by_policy.items() if change == "unchanged"] if arguments.delete else []
    for text in _refused(given):
        console.warning(text)
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


def _check_choice(files: Sequence[str], needs: Sequence[str], filenames: Sequence[str], *, delete: bool) -> None:
    if not files:
        raise UsageError("--need needs files to choose from", '--choose a.yaml b.yaml --need "san nginx 80"')
    if not needs:
        raise UsageError("--choose needs a connection", f'--choose {files[0]} … --need "san nginx 80"')
    if filenames or delete:
        raise UsageError("--choose can't be combined with -f or --delete", "each of its files is tried by itself")


def _choose(
    files: Sequence[str],
    needs: Sequence[str],
    on: Sequence[str],
    cluster: ClusterOptions,
    console: Console,
    *,
    output: str | None,
) -> int:
    """0 if a file fits, 1 if none does, 2 if that can't be told."""
    from kubectl_netpol.allow.choice import candidate, ranked  # noqa: PLC0415 - only for this
    from kubectl_netpol.commands.common.questions import ask_needs, parse_need  # noqa: PLC0415 - the same
    from kubectl_netpol.render.choice import choice_object, choice_text  # noqa: PLC0415 - the same

    wanted = [parse_need(typed) for typed in needs]
    namespace = cluster.namespace or "default"
    given: dict[str, Snapshot] = {}
    named = Named()
    for name in files:
        given[name], own = _given([name], namespace, cluster.plugin, console, recursive=cluster.recursive)
        for key, values in own.items():
            named.setdefault(key, set()).update(values)
    plugin = cluster.plugin or next((one.plugin for one in given.values() if one.plugin), None) if on else None
    inputs = open_inputs(cluster._replace(plugin=plugin), on, console, named=named)
    before, requests = ask_needs(inputs, wanted)
    for one in given.values():
        if one.plugin != before.plugin and one.plugin_objects:
            raise _not_evaluated(one)
    found = ranked(
        candidate(name, before, _applied(before, one, delete=False)[0], requests) for name, one in given.items()
    )
    if output:
        console.data(serialize(choice_object(found), output))
    else:
        console.data(choice_text(found, Names(inputs.namespace), console))
    for reason in dict.fromkeys(text for one in found for text in unread_texts(before, one.changes)):
        console.warning(f"incomplete: {reason}")
    answers = {one.fits for one in found}
    return SAME if True in answers else UNKNOWN if None in answers else DIFFERENT


def _applied(before: Snapshot, given: Snapshot, *, delete: bool) -> tuple[Snapshot, Sequence[Policy], dict[str, str]]:
    """What is there after that, the policies given, and what becomes of each: added, changed, deleted or unchanged."""
    there = {policy.key: policy for policy in before.evaluated}
    by_policy = {policy.key: _change(policy, there.get(policy.key), delete=delete) for policy in given.evaluated}
    if delete:
        kept = {key: policy for key, policy in there.items() if key not in by_policy}
    else:
        kept = {**there, **{policy.key: policy for policy in given.evaluated}}
    after = before.with_policies(kept.values())
    if before.plugin is None:
        return after, given.evaluated, by_policy
    from kubectl_netpol.analysis.plugin_changes import changed_by, with_objects  # noqa: PLC0415 - only where one runs

    after = with_objects(after, given.plugin_objects, delete=delete)
    policies, more = changed_by(before, after, given)
    return after, policies, {**by_policy, **more}


def _refused(given: Snapshot) -> Iterator[str]:
    """The policies that the plugin takes nothing of, and why."""
    for found in given.plugin_objects:
        if why := getattr(found, "refused", ""):
            yield f"{given.plugin} refuses {found.title}, so it changes nothing: {why}"


def _read(
    filenames: Sequence[str], on: Sequence[str], cluster: ClusterOptions, console: Console
) -> tuple[Snapshot, Snapshot]:
    """What is there, in the manifests of `on` or in the cluster, and the policies of `filenames`."""
    if on:
        given, named = _given(
            filenames, cluster.namespace or "default", cluster.plugin, console, recursive=cluster.recursive
        )
        inputs = open_inputs(cluster._replace(plugin=cluster.plugin or given.plugin), on, console, named=named)
    else:
        inputs = open_inputs(cluster, on, console)
        given, _ = _given(filenames, inputs.namespace, None, console, recursive=cluster.recursive)
    policies = given.evaluated
    namespaces = frozenset(found.namespace or inputs.namespace for found in (*policies, *_own_policies(given)))
    nodes = any(peer.node_selector is not None for policy in policies for rule in policy.rules for peer in rule.peers)
    before = inputs.read(Scope(namespaces, frozenset({"pods", "networkpolicies"}), nodes=nodes, endpoints=False))
    if given.plugin != before.plugin and given.plugin_objects:
        raise _not_evaluated(given)
    return before, given


def _own_policies(given: Snapshot) -> list[Any]:
    """Of a plugin's own kinds."""
    return [found for found in given.plugin_objects if hasattr(found, "title")]


def _given(
    filenames: Sequence[str], namespace: str, plugin: str | None, console: Console, *, recursive: bool
) -> tuple[Snapshot, Named]:
    """The policies, and the labels of controllers that they name."""
    reader = Reader(default_namespace=namespace, plugin=plugin)
    read_files(reader, filenames, console, recursive=recursive)
    snapshot = reader.snapshot()
    if snapshot.unevaluated:
        raise _not_evaluated(snapshot)
    if not (snapshot.evaluated or snapshot.plugin_objects):
        raise NetpolError("no policy found in -f", "kubectl netpol diff -f POLICIES --on MANIFESTS")
    others = sum(reader.skipped.values()) + len(snapshot.pods) + len(snapshot.services) + len(snapshot.namespaces)
    if others:
        console.note(f"{count(others, 'other object')} in -f ignored: only policies are compared")
    return snapshot, reader.named


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
        console.note(f"no connection opens or closes{f' ({listed})' if listed else ''}")
    elif not text:
        console.note("only ports that no pod declares and no rule names change; -v lists them")
