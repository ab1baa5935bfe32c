"""The probe itself: one exec if the image has a shell, otherwise one per tool and target."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.probe import classify, script
from kubectl_netpol.probe.classify import Attempt
from kubectl_netpol.probe.outcome import Exec, ExecResult, NameCheck, Observation, Outcome, ProbeResult, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("sh", "bash")

# What to run without a shell: (form, program), as in script.tool_argv. Given an address, each ends by itself.
WITHOUT_SHELL = {
    "TCP": (
        ("nc", "nc"),
        ("nc", "ncat"),
        ("python", "python3"),
        ("python", "python"),
        ("perl", "perl"),
        ("curl", "curl"),
        ("nc", "busybox"),
    ),
    "UDP": (("python", "python3"), ("python", "python"), ("perl", "perl")),
}

HANDSHAKE = 5.0  # seconds, for an exec call to start
SHELL_KILLED = 128  # plus the signal is the exit status of a program that was killed
OUTPUT_LIMIT = 1000

MISSING = re.compile(r"executable file not found|no such file or directory|not found in \$PATH", re.IGNORECASE)
ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
REPORT = re.compile(r"R ([tn]\d{1,6}) (\S+) (\S+) (\d{1,6}) (\d{1,6}) (-?\d{1,9})", re.ASCII)
OUTPUT = re.compile(r"W ([tn]\d{1,6}) (.*)", re.ASCII)
NOISE = ("libnsock ", "NCAT DEBUG")


_CUT = "the report of the probe is cut"


class _Report(NamedTuple):
    attempts: dict[str, list[Attempt]]
    finished: bool


def probe(  # noqa: D417 - Target and ProbeResult document the rest
    execute: Exec,
    targets: Sequence[Target],
    *,
    protocol: str = "TCP",
    timeout: float = 3.0,
    http: bool = False,
    names: Sequence[str] = (),
) -> ProbeResult:
    """Connects to all targets and looks up all names concurrently, from where `execute` runs programs.

    Args:
        protocol: "TCP" or "UDP".
        timeout: seconds per connection and lookup; everything that runs in the pod ends within one second more.
        http: send an HTTP request by curl or wget instead of only connecting, if the image has one of them.
        names: cluster names to resolve, fully qualified if possible.

    """
    for word in (*(target.address for target in targets), *names):
        if not ADDRESS.fullmatch(word):
            raise ValueError(f"invalid address or name: {word!r}")
    outside = [target.address for target in targets if not is_ip(target.address)]
    lookups = tuple(dict.fromkeys((*names, *outside)))
    done, shell = _with_shell(execute, targets, lookups, protocol=protocol, timeout=timeout, http=http)
    if shell is None:
        return ProbeResult(
            tuple(_without_shell(execute, targets, protocol=protocol, timeout=timeout)),
            tuple(NameCheck(name, None, "the image has no shell") for name in names),
        )
    report = _parse(done.stdout.decode(errors="replace"))
    checks = {name: _check(name, report.attempts.get(f"n{index}", [])) for index, name in enumerate(lookups)}
    if not report.finished:
        checks = {name: one if one.resolves else NameCheck(name, None, _CUT) for name, one in checks.items()}
    observations = []
    for index, target in enumerate(targets):
        seen = report.attempts.get(f"t{index}", [])
        observation = _observe(target, seen, checks, protocol=protocol, timeout=timeout)
        # Of a report that is cut, the lines that are missing may say another thing than those that came.
        certain = report.finished or observation.outcome is Outcome.OPEN
        observations.append(observation if certain else _failed(done))
    return ProbeResult(tuple(observations), tuple(checks[name] for name in names))


def _with_shell(
    execute: Exec, targets: Sequence[Target], lookups: Sequence[str], *, protocol: str, timeout: float, http: bool
) -> tuple[ExecResult, str | None]:
    rounds = max(1, -(-(len(targets) + len(lookups)) // script.FEWEST_AT_ONCE))
    deadline = rounds * (timeout + 1) + HANDSHAKE
    for shell in SHELLS:
        argv = script.shell_argv(shell, targets, protocol=protocol, timeout=timeout, http=http, names=lookups)
        done = execute(argv, deadline)
        if not _missing(done):
            return done, shell
    return done, None


def _missing(done: ExecResult) -> bool:
    """Whether the program is not in the image. Container runtimes report that in different ways."""
    if done.error is not None:
        return bool(MISSING.search(done.error))
    if done.exit_code in (None, 0) or done.stdout.startswith((b"R ", b"Z")):
        return False
    return bool(MISSING.search((done.stdout + done.stderr).decode(errors="replace")))


def _parse(text: str) -> _Report:
    """The attempts by id, from a report as in probe.sh. Anything that is not a complete line of it is ignored."""
    attempts: dict[str, list[Attempt]] = {}
    printed: dict[str, list[str]] = {}
    lines = text.split("\n")
    for line in lines[:-1]:
        if match := REPORT.fullmatch(line):
            which, form, program, status, guard, hundredths = match.groups()
            printed[which] = []
            attempts.setdefault(which, []).append(
                Attempt(form, program, int(status), guard == "9", max(0, int(hundredths)) / 100, "")
            )
        elif (match := OUTPUT.fullmatch(line)) and match[1] in attempts:
            printed[match[1]].append(match[2])
            attempts[match[1]][-1] = attempts[match[1]][-1]._replace(output="\n".join(printed[match[1]]))
    return _Report(attempts, finished="Z" in lines[:-1])


def _check(name: str, attempts: Sequence[Attempt]) -> NameCheck:
    for attempt in attempts:
        answer = classify.resolves(attempt, name)
        if answer is not None:
            output = f"no answer within {attempt.seconds:.1f} s" if attempt.killed else attempt.output
            return NameCheck(name, answer, printable(output))
    return NameCheck(name, None, "no tool in the image can look up a name")


def _observe(
    target: Target, attempts: Sequence[Attempt], checks: dict[str, NameCheck], *, protocol: str, timeout: float
) -> Observation:
    named = not is_ip(target.address)
    check = checks.get(target.address)
    unknown = check is not None and check.resolves is False
    outcome_of = classify.udp_outcome if protocol == "UDP" else classify.tcp_outcome
    for attempt in attempts:
        outcome = outcome_of(attempt, named=named)
        if unknown and outcome in (None, Outcome.TIMED_OUT, Outcome.NO_ANSWER):
            outcome = Outcome.UNRESOLVED
        if outcome is not None:
            return _observation(outcome, target, attempt, protocol, timeout)
    usable = [attempt for attempt in attempts if classify.ran(attempt)]
    if usable:
        return _observation(Outcome.INCONCLUSIVE, target, usable[-1], protocol, timeout)
    if attempts:
        return _observation(Outcome.NO_TOOL, target, attempts[-1], protocol, timeout)
    return Observation(Outcome.NO_TOOL, None, (), None, "", 0.0)


def _observation(outcome: Outcome, target: Target, attempt: Attempt, protocol: str, timeout: float) -> Observation:
    command = script.tool_argv(attempt.form, attempt.program, target, timeout, udp=protocol == "UDP")
    code = None if attempt.killed or attempt.exit_code > SHELL_KILLED else attempt.exit_code
    return Observation(outcome, attempt.program, command, code, printable(attempt.output), attempt.seconds)


def _failed(done: ExecResult) -> Observation:
    printed = (done.stderr or (_CUT.encode() if done.stdout.startswith(b"R ") else done.stdout)).decode(
        errors="replace"
    )
    if done.timed_out:
        printed = "the deadline passed"
    elif done.exit_code == SHELL_KILLED + signal.SIGKILL:
        printed = "something killed the probe; the container may be short of memory"
    output = done.error or printed or "the exec ended without output"
    return Observation(Outcome.EXEC_FAILED, None, (), done.exit_code, printable(output), done.seconds)


def _without_shell(execute: Exec, targets: Sequence[Target], *, protocol: str, timeout: float) -> list[Observation]:
    """Runs the tools one after another for the first target, then those that exist for all others concurrently."""
    missing: set[str] = set()

    def observe(target: Target) -> Observation:
        observation = Observation(Outcome.NO_TOOL, None, (), None, "", 0.0)
        for form, program in WITHOUT_SHELL[protocol]:
            if program in missing:
                continue
            argv = script.tool_argv(form, program, target, timeout, udp=protocol == "UDP")
            done = execute(argv, timeout + 1 + HANDSHAKE)
            if _missing(done):
                missing.add(program)
                continue
            if done.error is not None or done.exit_code is None:
                return _failed(done)
            output = (done.stdout + done.stderr).decode(errors="replace").strip()
            attempt = Attempt(form, program, done.exit_code, done.timed_out, done.seconds, output)
            observation = _observe(target, [attempt], {}, protocol=protocol, timeout=timeout)
            if observation.outcome not in (Outcome.INCONCLUSIVE, Outcome.NO_TOOL):
                break
        return observation

    return [*map(observe, targets[:1]), *map_concurrently(observe, targets[1:])]


def printable(output: str) -> str:
    """Text from the pod, safe for a terminal: control characters escaped, at most OUTPUT_LIMIT characters."""
    lines = [line for line in output.strip().split("\n") if not line.startswith(NOISE)]
    safe = "\n".join(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line) for line in lines
    )
    return safe if len(safe) <= OUTPUT_LIMIT else safe[: OUTPUT_LIMIT - 1] + "…"
