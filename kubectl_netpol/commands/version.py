"""Print the version of kubectl netpol."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from kubectl_netpol import __version__
from kubectl_netpol.commands.common.options import add_output_option

if TYPE_CHECKING:
    import argparse

    from kubectl_netpol.console import Console

EXAMPLES = """examples:
  kubectl netpol version
  kubectl netpol version -o json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_option(parser, ("json",))


def run(arguments: argparse.Namespace, console: Console) -> int:
    python = ".".join(map(str, sys.version_info[:3]))
    if arguments.output:
        console.data(
            json.dumps({"apiVersion": "netpol/v1", "kind": "Version", "version": __version__, "python": python})
        )
    else:
        console.data(f"kubectl-netpol {__version__} (Python {python})")
    return 0
