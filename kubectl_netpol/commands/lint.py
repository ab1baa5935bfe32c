"""What is wrong with the policies: numbered findings, each with its proof and a fix.

Looks at the policies of a namespace, of all (-A), or of manifests (-f). Nothing is changed. With --explain NUMBER:
what that finding means. Exit status 0: no finding as grave as --fail-on; 1: some; 2: can't tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.commands.common.linting import Wanted, check_typed, read_linted, report_of, wanted_checks
from kubectl_netpol.commands.common.options import (
    add_cluster_options,
    add_filename_option,
    add_output_option,
    add_verbose_option,
    cluster_options,
)
from kubectl_netpol.errors import UsageError
from kubectl_netpol.lint.finding import Severity
from kubectl_netpol.render.json_objects import serialize
from kubectl_netpol.render.lint import github_text, lint_markdown, lint_object, lint_text

if TYPE_CHECKING:
    import argparse

    from kubectl_netpol.console import Console
    from kubectl_netpol.lint.report import Report

CLEAN, FOUND, UNKNOWN = 0, 1, 2
EXAMPLES = """examples:
  kubectl netpol lint -n shop                 the policies of a namespace
  kubectl netpol lint -A --fail-on warning    of all, and warnings count too
  kubectl netpol lint -f manifests/ -o sarif  of a folder, for code scanning
  kubectl netpol lint -f manifests/ --fix | git apply
  kubectl netpol lint --explain NP004"""
_FORMATS = ("text", "json", "yaml", "sarif", "junit", "github", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="the policies of every namespace")
    parser.add_argument(
        "--select", action="append", default=[], metavar="NUMBER", help="only these findings (numbers or codes, a,b)"
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="NUMBER", help="all but these findings (numbers or codes, a,b)"
    )
    parser.add_argument(
        "--fail-on",
        choices=tuple(severity.value for severity in Severity),
        default=Severity.ERROR.value,
        help="the mildest finding that makes the exit status 1 (default error)",
    )
    parser.add_argument(
        "--fix", action="store_true", help="print what mends findings: a diff for git apply, or the changed policies"
    )
    parser.add_argument("--no-cluster", action="store_true", help="for hooks: without -f it is an error")
    parser.add_argument("--explain", metavar="NUMBER", help="print what a finding means, and how to mend it")
    add_filename_option(parser)
    add_output_option(parser, _FORMATS)
    add_verbose_option(parser)
    add_cluster_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0, 1 if there are findings of --fail-on or graver, 2 if something could not be read and there are none."""
    if arguments.explain:
        return _explain(arguments.explain, console)
    wanted = Wanted(wanted_checks(arguments.select, arguments.ignore), Severity(arguments.fail_on))
    if arguments.no_cluster and not arguments.filenames:
        raise UsageError("no manifests given", "say where they are: -f FOLDER (of a hook: args: [-f, FOLDER])")
    if arguments.fix and arguments.output:
        raise UsageError("--fix prints a diff, so -o can't be combined with it")
    linted = read_linted(
        cluster_options(arguments), arguments.filenames, console, all_namespaces=arguments.all_namespaces
    )
    report = report_of(linted, wanted, console)
    if arguments.fix:
        from kubectl_netpol.commands.common.repairs import print_repairs  # noqa: PLC0415 - only when asked

        print_repairs(linted, report, wanted, console)
    else:
        text = _text(report, arguments.output, console, verbose=arguments.verbose)
        if text:
            console.data(text)
    for reason in report.unread:
        console.warning(f"incomplete: {reason}")
    if report.fails:
        return FOUND
    return UNKNOWN if report.unread else CLEAN


def _text(report: Report, output: str | None, console: Console, *, verbose: bool) -> str:
    if output in ("json", "yaml"):
        return serialize(lint_object(report), output)
    if output in ("sarif", "junit"):
        from kubectl_netpol.render.lint_reports import junit_text, sarif_text  # noqa: PLC0415 - for CI systems only

        return sarif_text(report) if output == "sarif" else junit_text(report)
    if output == "github":
        return github_text(report)
    return lint_markdown(report) if output == "markdown" else lint_text(report, console, verbose=verbose)


def _explain(typed: str, console: Console) -> int:
    from kubectl_netpol.render.lint_pages import page_of  # noqa: PLC0415 - only when asked

    check = check_typed(typed, "--explain")
    console.data(f"{check.number} {check.code} ({check.severity.value})\n\n{page_of(check.number).text}")
    return CLEAN
