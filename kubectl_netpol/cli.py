"""The command line: finds the command, runs it, and turns every error into a line and an exit status.

Only the module of the command that runs is imported: `--help` and `allow` start without the rest.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import NoReturn

from kubectl_netpol.console import Console, terminal_width
from kubectl_netpol.errors import NetpolError, TerminatedError, UsageError, interrupt_behind, nearest

PROGRAM = "kubectl netpol"
COMMANDS = {
    "test": "is it open? A probe from the source, compared with the policies",
    "explain": "which policies select a pod, what they allow, and why",
    "allow": "print the minimal policy that opens a connection",
    "diff": "what a policy would open and close",
    "lint": "what is wrong with the policies, numbered and proved",
    "matrix": "the verdict for every pair of pods in a namespace or a cluster",
    "completion": "how to enable completion",
    "version": "print the version",
}
FAILED, CRASHED, INTERRUPTED, BROKEN_PIPE, TERMINATED = 2, 3, 130, 141, 143
_TOP_HELP = ("-h", "--help", "help")

argparse._ = str  # type: ignore[attr-defined] # English, as all else: to look for catalogues takes a millisecond


class Parser(argparse.ArgumentParser):
    """argparse with errors as UsageError and nothing abbreviated, as in kubectl."""

    def error(self, message: str) -> NoReturn:
        """UsageError, instead of printing the usage and exiting."""
        raise UsageError(message[:1].lower() + message[1:], f"{self.prog} --help")

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The parsed arguments, options in any order. UsageError with the nearest option for a typo."""
        arguments, unknown = self.parse_known_intermixed_args(self._without_value(words))
        if not unknown:
            return arguments
        option = next((word for word in unknown if word.startswith("-")), None)
        if option is None:
            raise UsageError(f'unexpected argument "{unknown[0]}"', f"{self.prog} --help")
        option = option.partition("=")[0]
        near = nearest(option, self._option_string_actions, 0.8)
        raise UsageError(f"unknown option {option}", f"did you mean {near}?" if near else f"{self.prog} --help")

    def _without_value(self, words: list[str]) -> list[str]:
        """An option whose value may be left out takes none but behind "=", as in kubectl."""
        alone = {option for option, action in self._option_string_actions.items() if action.nargs == "?"}
        end = words.index("--") if "--" in words else len(words)
        return [f"{word}=" if word in alone else word for word in words[:end]] + words[end:]


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status; NETPOL_TRACEBACK=1 shows where it crashed."""
    arguments = sys.argv[1:] if argv is None else argv
    console = Console()
    try:
        status = _run(arguments, console)
        console.finish()
    except NetpolError as error:
        console.error(error.message, error.hint)
        return FAILED
    except KeyboardInterrupt as interrupt:
        console.discard()
        return status_of(interrupt)
    except BrokenPipeError:
        return BROKEN_PIPE
    except MemoryError:
        console.discard()
        console.error("out of memory")
        return CRASHED
    except Exception as error:  # noqa: BLE001 - a crash must not pass for 1, which means "no"
        console.discard()
        if behind := interrupt_behind(error):
            return status_of(behind)
        if os.environ.get("NETPOL_TRACEBACK"):
            _print_traceback()
        console.error(
            f"internal error: {type(error).__name__} in {_place(error)}; please report it with the output of the same "
            "command with NETPOL_TRACEBACK=1"
        )
        return CRASHED
    return status


def status_of(interrupt: KeyboardInterrupt) -> int:
    """The exit status after Ctrl-C, or SIGTERM."""
    return TERMINATED if isinstance(interrupt, TerminatedError) else INTERRUPTED


def _place(error: Exception) -> str:
    """Where in this package it was raised, or called what raised it: "evaluate.py:120"."""
    place = "?"
    entry = error.__traceback__
    while entry:
        path = entry.tb_frame.f_code.co_filename
        if "kubectl_netpol" in path:
            place = f"{os.path.basename(path)}:{entry.tb_lineno}"  # noqa: PTH119 - pathlib costs 5 ms
        entry = entry.tb_next
    return place


def _print_traceback() -> None:
    import traceback  # noqa: PLC0415 - only for a crash

    traceback.print_exc()


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


def parser_help_wanted(arguments: list[str]) -> bool:
    """Whether -h or --help is among the arguments of a command, before a --."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return any(argument in ("-h", "--help") for argument in before)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """With room for longer options before their help, so that a command's options fit a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=27, width=terminal_width() - 2)


def build_parser(name: str) -> Parser:
    module = importlib.import_module(f"kubectl_netpol.commands.{name}")
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        description=module.__doc__,
        epilog=getattr(module, "EXAMPLES", None),
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def top_help() -> str:
    """What `kubectl netpol --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [
        "Can this pod reach that one, which NetworkPolicy decides,",
        "and what would open it?",
        "",
        f"Usage: {PROGRAM} COMMAND …",
        "",
        *(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items()),
        "",
        f"{PROGRAM} test san web 80",
        f"{PROGRAM} allow --from run=san --to run=web --port 80 | kubectl apply -f -",
        f"{PROGRAM} explain web",
        "",
        f"{PROGRAM} COMMAND --help shows a command's options.",
    ]
    return "\n".join(lines)


def _unknown(name: str) -> UsageError:
    if name.startswith("-"):
        return UsageError(f"{name}: options go after the command", f"{PROGRAM} COMMAND {name} …")
    near = nearest(name, COMMANDS, 0.5)
    hint = f"did you mean {PROGRAM} {near}?" if near else f"must be one of {', '.join(COMMANDS)}"
    return UsageError(f'unknown command "{name}"', hint)
