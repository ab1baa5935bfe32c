"""Options that every command has, meaning what they mean in kubectl."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_netpol.errors import UsageError

if TYPE_CHECKING:
    import argparse

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+", re.ASCII)


_PIECE = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)", re.ASCII)


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """Which cluster, as whom, in which namespace."""
    group = parser.add_argument_group("cluster options, as in kubectl")
    group.add_argument("-n", "--namespace", metavar="NAME", help="the namespace of names typed without one")
    group.add_argument("--context", metavar="NAME", help="the kubeconfig context to use")
    group.add_argument("--cluster", metavar="NAME", help="the kubeconfig cluster to use")
    group.add_argument("--user", metavar="NAME", help="the kubeconfig user to use")
    group.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig file to use")
    group.add_argument("--as", dest="as_user", metavar="USER", help="the user to impersonate")
    group.add_argument(
        "--as-group",
        dest="as_groups",
        action="append",
        default=[],
        metavar="GROUP",
        help="a group to impersonate; may be repeated",
    )
    group.add_argument("--as-uid", dest="as_uid", metavar="UID", help="the UID to impersonate")
    group.add_argument(
        "--request-timeout",
        metavar="TIME",
        help="give up on one call to the API server after this time (5s, 1m; 0: never)",
    )


def cluster_words(arguments: argparse.Namespace) -> list[str]:
    """The options that lead another command to the same cluster as the same user: kubectl has them too."""
    found = []
    for name in ("kubeconfig", "context", "cluster", "user"):
        if value := getattr(arguments, name):
            found += [f"--{name}", value]
    found += ["--as", arguments.as_user] if arguments.as_user else []
    for group in arguments.as_groups:
        found += ["--as-group", group]
    return found + (["--as-uid", arguments.as_uid] if arguments.as_uid else [])


def add_filename_option(
    parser: argparse.ArgumentParser,
    meaning: str = "read manifests (a file, a folder, - for stdin; may be repeated) instead of a cluster",
) -> None:
    """-f: manifests instead of a cluster, or what `meaning` says."""
    parser.add_argument(
        "-f",
        "--filename",
        dest="filenames",
        action="append",
        default=[],
        metavar="FILE",
        help=meaning,
    )


def add_output_option(parser: argparse.ArgumentParser, choices: tuple[str, ...] = ("json", "yaml")) -> None:
    """-o."""
    parser.add_argument("-o", "--output", choices=choices, metavar="FORMAT", help=f"{' or '.join(choices)}")


def add_verbose_option(parser: argparse.ArgumentParser) -> None:
    """-v."""
    parser.add_argument("-v", "--verbose", action="store_true", help="everything, nothing cut short")


def parse_duration(text: str) -> float:
    """Seconds of "3", "3s", "1m30s", "500ms". UsageError for anything else."""
    if re.fullmatch(r"\d+(\.\d*)?", text, re.ASCII):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise UsageError(f'"{text}" is no length of time', "write 3s, 500ms or 1m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PIECE.findall(text))
