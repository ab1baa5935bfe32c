"""`kubectl netpol`: finds the command, runs it, and turns every error into a line and an exit status.

Each command's module is imported only when it is the one: `--help` and `allow` start without the rest.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from kubectl_netpol.console import Console
from kubectl_netpol.errors import NetpolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM = "kubectl netpol"


COMMANDS = {
    "test": "is it open? A probe from the source, beside what the policies say",
    "explain": "which policies select a pod, what they let in and out, and why",
    "allow": "print the least policy that opens a connection",
    "diff": "what a policy would open and close",
    "matrix": "who reaches whom: every pair of a namespace or a cluster",
    "completion": "how to switch on completion",
    "version": "print the version",
}


FAILED, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


_TOP_HELP = ("-h", "--help", "help")


class Parser(argparse.ArgumentParser):
    """argparse with errors as UsageError and nothing abbreviated, as in kubectl."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        raise UsageError(message[:1].lower() + message[1:], f"{self.prog} --help")

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The values of the words, options and others in any order. UsageError with the nearest option for a typo."""
        arguments, unknown = self.parse_known_intermixed_args(words)
        if not unknown:
            return arguments
        option = next((word for word in unknown if word.startswith("-")), None)
        if option is None:
            raise UsageError(f'"{unknown[0]}" is one word too many', f"{self.prog} --help")
        option = option.partition("=")[0]
        near = _near(option, self._option_string_actions, 0.8)
        raise UsageError(f"there is no option {option}", f"did you mean {near[0]}?" if near else f"{self.prog} --help")


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    gc.disable()  # one short run with few cycles; measured: json.loads of 10,000 pods takes a third of the time
    console = Console()
    try:
        status = _run(arguments, console)
        console.finish()
    except NetpolError as error:
        console.error(error.message, error.hint)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    return status


def _run(arguments: list[str], console: Console) -> int:
    if os.path.basename(sys.argv[0]) == "kubectl_complete-netpol":  # noqa: PTH119 - pathlib costs 5 ms
        from kubectl_netpol.commands.completion import complete  # noqa: PLC0415 - only when asked

        return complete(arguments, COMMANDS, build_parser, console)
    if not arguments or arguments[0] in _TOP_HELP:
        wanted = [word for word in arguments[1:] if word not in _TOP_HELP]
        if not wanted:
            console.data(top_help())
            return 0
        arguments = [wanted[0], "--help"]
    name = arguments[0]
    if name == "--version":
        name = "version"
    if name not in COMMANDS:
        raise _unknown(name)
    module = importlib.import_module(f"kubectl_netpol.commands.{name}")
    parser = build_parser(name)
    if parser_help_wanted(arguments[1:]):
        console.data(parser.format_help())
        return 0
    status: int = module.run(parser.parse(arguments[1:]), console)
    return status


def parser_help_wanted(words: list[str]) -> bool:
    """Whether -h or --help stands among the words of a command, before a --."""
    before = words[: words.index("--")] if "--" in words else words
    return any(word in ("-h", "--help") for word in before)


def build_parser(name: str) -> Parser:
    """The parser of one command, with its help."""
    module = importlib.import_module(f"kubectl_netpol.commands.{name}")
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        description=module.__doc__,
        epilog=getattr(module, "EXAMPLES", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def top_help() -> str:
    """What `kubectl netpol --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [
        "Is it open, and which NetworkPolicy says so?",
        "",
        f"Usage: {PROGRAM} COMMAND …",
        "",
        *(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items()),
        "",
        f"{PROGRAM} test san web 80",
        f"{PROGRAM} allow --from run=san --to run=web --port 80 | kubectl apply -f -",
        f"{PROGRAM} explain web",
        "",
        f"{PROGRAM} COMMAND --help tells a command's options.",
    ]
    return "\n".join(lines)


def _unknown(name: str) -> UsageError:
    if name.startswith("-"):
        return UsageError(f"{name}: options stand after the command", f"{PROGRAM} COMMAND {name} …")
    near = _near(name, COMMANDS, 0.5)
    hint = f"did you mean {PROGRAM} {near[0]}?" if near else f"one of {', '.join(COMMANDS)}"
    return UsageError(f'there is no command "{name}"', hint)


def _near(word: str, words: Iterable[str], closeness: float) -> list[str]:
    """The one of the words that was probably meant, or nothing."""
    import difflib  # noqa: PLC0415 - only for a mistake, and it costs every start a millisecond

    return difflib.get_close_matches(word, list(words), 1, closeness)
