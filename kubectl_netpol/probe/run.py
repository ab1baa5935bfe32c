"""The probe itself: one exec where the image has a shell, one exec a tool where it has none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.concurrency import map_concurrently
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.probe import classify, script
from kubectl_netpol.probe.classify import Attempt
from kubectl_netpol.probe.outcome import Exec, ExecResult, NameCheck, Observation, Outcome, ProbeResult, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("sh", "bash")
# Without a shell: (form, program), as in script.tool_words. Each limits itself, given an address.
DIRECT = {
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
HANDSHAKE = 5.0
MISSING = re.compile(r"executable file not found|no such file or directory|not found in \$PATH", re.IGNORECASE)
ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
REPORT = re.compile(r"R ([tn]\d{1,6}) (\S+) (\S+) (\d{1,6}) (\d{1,6}) (-?\d{1,9})", re.ASCII)
WORDS = re.compile(r"W ([tn]\d{1,6}) (.*)", re.ASCII)
WORDS_LIMIT = 1000
KILLED = 128
NOISE = ("libnsock ", "NCAT DEBUG")


class _Report(NamedTuple):
    attempts: dict[str, list[Attempt]]
    finished: bool


def probe(  # noqa: D417 - the rest is in Target and ProbeResult
    execute: Exec,
    targets: Sequence[Target],
    *,
    protocol: str = "TCP",
    timeout: float = 3.0,
    http: bool = False,
    names: Sequence[str] = (),
) -> ProbeResult:
    """Connect to all targets from where `execute` runs programs, side by side, and look up all names meanwhile.

    Args:
        protocol: "TCP" or "UDP".
        timeout: seconds for each connect and each lookup; whatever runs in the pod ends within one more.
        http: send an HTTP request by curl or wget, where the image has one, instead of a bare connect.
        names: cluster names to resolve, in full where possible.

    """
    for word in (*(target.address for target in targets), *names):
        if not ADDRESS.fullmatch(word):
            raise ValueError(f"neither an address nor a name: {word!r}")
    outside = [target.address for target in targets if not is_ip(target.address)]
    lookups = tuple(dict.fromkeys((*names, *outside)))
    done, shell = _with_shell(execute, targets, lookups, protocol=protocol, timeout=timeout, http=http)
    if shell is None:
        return ProbeResult(
            tuple(_direct(execute, targets, protocol=protocol, timeout=timeout)),
            tuple(NameCheck(name, None, "the image has no shell") for name in names),
        )
    report = _read(done.stdout.decode(errors="replace"))
    checks = {name: _check(name, report.attempts.get(f"n{index}", [])) for index, name in enumerate(lookups)}
    observations = []
    for index, target in enumerate(targets):
        seen = report.attempts.get(f"t{index}", [])
        if not seen and not report.finished:
            observations.append(_failed(done))
        else:
            observations.append(_observe(target, seen, checks, protocol=protocol, timeout=timeout))
    return ProbeResult(tuple(observations), tuple(checks[name] for name in names))


def _with_shell(
    execute: Exec, targets: Sequence[Target], lookups: Sequence[str], *, protocol: str, timeout: float, http: bool
) -> tuple[ExecResult, str | None]:
    rounds = max(1, -(-len(targets) // script.SIDE_BY_SIDE_SLOW))
    deadline = rounds * (timeout + 1) + HANDSHAKE
    for shell in SHELLS:
        argv = script.shell_words(shell, targets, protocol=protocol, timeout=timeout, http=http, names=lookups)
        done = execute(argv, deadline)
        if not _missing(done):
            return done, shell
    return done, None


def _missing(done: ExecResult) -> bool:
    """Whether the program is not in the image, as the container runtimes say it."""
    if done.error is not None:
        return bool(MISSING.search(done.error))
    if done.exit_code in (None, 0) or done.stdout.startswith((b"R ", b"Z")):
        return False
    return bool(MISSING.search((done.stdout + done.stderr).decode(errors="replace")))


def _read(text: str) -> _Report:
    """The attempts by id; whatever is not a whole report line of ours is passed over."""
    attempts: dict[str, list[Attempt]] = {}
    said: dict[str, list[str]] = {}
    lines = text.split("\n")
    for line in lines[:-1]:
        if match := REPORT.fullmatch(line):
            which, form, program, status, over, hundredths = match.groups()
            said[which] = []
            attempts.setdefault(which, []).append(
                Attempt(form, program, int(status), over == "9", max(0, int(hundredths)) / 100, "")
            )
        elif (match := WORDS.fullmatch(line)) and match[1] in attempts:
            said[match[1]].append(match[2])
            attempts[match[1]][-1] = attempts[match[1]][-1]._replace(output="\n".join(said[match[1]]))
    return _Report(attempts, finished="Z" in lines[:-1])


def _check(name: str, attempts: Sequence[Attempt]) -> NameCheck:
    for attempt in attempts:
        answer = classify.resolves(attempt, name)
        if answer is not None:
            output = f"no answer within {attempt.seconds:.1f} s" if attempt.ended else attempt.output
            return NameCheck(name, answer, shown(output))
    return NameCheck(name, None, "nothing in the image can look up a name")


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
    command = script.tool_words(attempt.form, attempt.program, target, timeout, udp=protocol == "UDP")
    code = None if attempt.ended or attempt.exit_code > KILLED else attempt.exit_code
    return Observation(outcome, attempt.program, command, code, shown(attempt.output), attempt.seconds)


def _failed(done: ExecResult) -> Observation:
    said = (done.stderr or done.stdout).decode(errors="replace")
    output = done.error or ("the deadline passed" if done.timed_out else said) or "the exec ended without an answer"
    return Observation(Outcome.EXEC_FAILED, None, (), done.exit_code, shown(output), done.seconds)


def _direct(execute: Exec, targets: Sequence[Target], *, protocol: str, timeout: float) -> list[Observation]:
    """Run programs themselves: one after another for the first target, those that are there for the others at once."""
    missing: set[str] = set()

    def observe(target: Target) -> Observation:
        observation = Observation(Outcome.NO_TOOL, None, (), None, "", 0.0)
        for form, program in DIRECT[protocol]:
            if program in missing:
                continue
            argv = script.tool_words(form, program, target, timeout, udp=protocol == "UDP")
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

    # The first finds the tool that tells; it serves for the others.
    return [*map(observe, targets[:1]), *map_concurrently(observe, targets[1:])]


def shown(output: str) -> str:
    """Text from the pod, fit for any terminal: control characters escaped, at most 1000 characters."""
    lines = [line for line in output.strip().split("\n") if not line.startswith(NOISE)]
    safe = "\n".join(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line) for line in lines
    )
    return safe if len(safe) <= WORDS_LIMIT else safe[: WORDS_LIMIT - 1] + "…"
