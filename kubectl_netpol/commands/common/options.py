"""Options that several commands have, meaning what they mean in kubectl, and the typed values made of them."""

from __future__ import annotations

import argparse
import re
from typing import NamedTuple

from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.kinds import PLUGINS

MOST_PAIRS = 100
_AS_IN_KUBECTL = """--context, --cluster, --user, --kubeconfig FILE, --as, --as-group, --as-uid,
--request-timeout TIME (of one call to the API server: 5s, 1m; default 75s), and:"""
_LONGEST_TIMEOUT = 3600.0
_LONGEST_DURATION = 86400.0
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = r"(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+"
_PIECE = r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)"


class ProbeOptions(NamedTuple):
    """How to probe. `timeout`: seconds for each connect; `most_pairs`: more is refused."""

    timeout: float = 3.0
    most_pairs: int = MOST_PAIRS
    container: str | None = None
    http: bool = False
    debug_image: str | None = None


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster options, as in kubectl", _AS_IN_KUBECTL)
    group.add_argument("-n", "--namespace", metavar="NAME", help="the namespace of names typed without one")
    for option in ("--context", "--cluster", "--user", "--kubeconfig", "--request-timeout"):
        group.add_argument(option, help=argparse.SUPPRESS)
    group.add_argument("--as", dest="as_user", help=argparse.SUPPRESS)
    group.add_argument("--as-group", dest="as_groups", action="append", default=[], help=argparse.SUPPRESS)
    group.add_argument("--as-uid", dest="as_uid", help=argparse.SUPPRESS)
    parser.add_argument(
        "--plugin",
        choices=tuple(plugin.lower() for plugin in PLUGINS),
        help="who reads the manifests' policies (default: by their kinds)",
    )


def cluster_options(arguments: argparse.Namespace) -> ClusterOptions:
    """UsageError for an invalid --request-timeout."""
    return ClusterOptions(
        kubeconfig=arguments.kubeconfig,
        context=arguments.context,
        cluster=arguments.cluster,
        user=arguments.user,
        namespace=arguments.namespace,
        as_user=arguments.as_user,
        as_groups=tuple(arguments.as_groups),
        as_uid=arguments.as_uid,
        request_timeout=parse_duration(arguments.request_timeout) if arguments.request_timeout else None,
        plugin=arguments.plugin.capitalize() if arguments.plugin else None,
        recursive=arguments.recursive,
    )


def add_filename_option(
    parser: argparse.ArgumentParser,
    meaning: str = "manifests instead of a cluster: a file, a folder, - for stdin; may be repeated",
) -> None:
    parser.add_argument(
        "-f",
        "--filename",
        dest="filenames",
        action="append",
        default=[],
        metavar="FILE",
        help=meaning,
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="with -f: the folders in a folder too")


def add_as_pod_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-pod",
        metavar="LABELS",
        help="a pod still to come (app=web,tier=front) in place of SOURCE or POD",
    )


def add_output_option(parser: argparse.ArgumentParser, choices: tuple[str, ...] = ("json", "yaml")) -> None:
    parser.add_argument("-o", "--output", choices=choices, metavar="FORMAT", help=f"{' or '.join(choices)}")


def add_verbose_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show everything, nothing cut short")


def add_probe_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", default="3s", metavar="TIME", help="the longest wait for each connect (default 3s)"
    )
    parser.add_argument(
        "--max", type=int, default=MOST_PAIRS, metavar="NUMBER", help=f"the most pairs to probe (default {MOST_PAIRS})"
    )


def probe_options(arguments: argparse.Namespace) -> ProbeOptions:
    """The options of `add_probe_options`. UsageError for an invalid --timeout."""
    timeout = parse_duration(arguments.timeout)
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise UsageError(
            f"invalid --timeout {arguments.timeout}: must be more than 0 and at most 1h", "write 3s or 500ms"
        )
    return ProbeOptions(timeout, arguments.max)


def parse_duration(text: str) -> float:
    """Seconds of "3", "3s", "1m30s", "500ms". UsageError for anything else."""
    if re.fullmatch(r"\d+(\.\d*)?", text, re.ASCII):
        return _short_enough(float(text), text)
    if not re.fullmatch(_DURATION, text, re.ASCII):
        raise UsageError(f'invalid duration "{text}"', "write 3s, 500ms or 1m")
    return _short_enough(
        sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PIECE, text, re.ASCII)), text
    )


def _short_enough(seconds: float, text: str) -> float:
    if seconds > _LONGEST_DURATION:
        raise UsageError(f"invalid duration {text}: must be at most 24h", "write 3s, 500ms or 1m")
    return seconds
