"""How a probe runs, in one exec or in several, and how any output of it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.probe.outcome import NameCheck, Outcome, Target
from kubectl_netpol.probe.run import printable, probe
from kubectl_netpol.probe.script import FEWEST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Done(NamedTuple):
    exit_code: int | None = 0
    stdout: bytes = b""
    stderr: bytes = b""
    error: str | None = None
    seconds: float = 0.1
    timed_out: bool = False
    truncated: bool = False


WEB = Target("10.0.0.9", 80)
DB = Target("10.0.0.8", 5432)
MISSING = 'OCI runtime exec failed: exec failed: unable to start: exec: "{}": executable file not found in $PATH'
OPENED = b"Connection to 10.0.0.9 80 port [tcp/*] succeeded!\n"
REFUSED = b"nc: connect to 10.0.0.8 port 5432 (tcp) failed: Connection refused\n"


class Pod:
    """A container with some programs, and the result of each."""

    def __init__(self, **programs: Callable[[Sequence[str]], Done]) -> None:
        self.programs = programs
        self.asked: list[str] = []
        self.deadlines: list[float] = []

    def __call__(self, argv: Sequence[str], deadline: float) -> Done:
        self.asked.append(argv[0])
        self.deadlines.append(deadline)
        answer = self.programs.get(argv[0])
        return answer(argv) if answer else Done(None, error=MISSING.format(argv[0]))


def says(stdout: bytes, **others: object) -> Pod:
    return Pod(sh=lambda _: Done(stdout=stdout)._replace(**others))  # type: ignore[arg-type]  # any field of Done


def test_the_lines_of_a_report_may_come_in_any_order() -> None:
    pod = says(
        b"R t1 nc nc 1 143 2\nR n0 getent getent 2 143 1\nR t0 nc nc 0 143 1\n"
        b"W t1 nc: connect to 10.0.0.8 port 5432 (tcp) failed: Connection refused\n"
        b"W t0 Connection to 10.0.0.9 80 port [tcp/*] succeeded!\nZ\n"
    )
    result = probe(pod, [WEB, DB], names=("db.shop.svc.cluster.local",))
    web, db = result.observations
    assert web == (
        Outcome.OPEN,
        "nc",
        ("nc", "-nzvv", "-w", "3", "10.0.0.9", "80"),
        0,
        "Connection to 10.0.0.9 80 port [tcp/*] succeeded!",
        0.01,
    )
    assert (db.outcome, db.exit_code, db.seconds) == (Outcome.REFUSED, 1, 0.02)
    assert result.names == (NameCheck("db.shop.svc.cluster.local", resolves=False, output=""),)


def test_the_observation_is_that_of_the_tool_that_was_conclusive() -> None:
    pod = says(b"R t0 nc nc 1 1 1\nW t0 nc: invalid option -- 'n'\nR t0 nc-e nc 0 1 1\nW t0 netpol: connected\nZ\n")
    (observation,) = probe(pod, [WEB]).observations
    assert (observation.outcome, observation.command[-2:]) == (Outcome.OPEN, ("-e", "true"))


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (b"Z\n", Outcome.NO_TOOL),
        (b"R t0 nc busybox 127 1 0\nW t0 nc: applet not found\nZ\n", Outcome.NO_TOOL),
        (b"R t0 nc nc 1 1 0\nW t0 nc: invalid option -- 'z'\nZ\n", Outcome.NO_TOOL),
        (b"R t0 nc nc 1 1 0\nW t0 something else\nZ\n", Outcome.INCONCLUSIVE),
        (b"R t0 nc nc 1 1 0\nZ\n", Outcome.INCONCLUSIVE),
        (b"", Outcome.EXEC_FAILED),
        (b"R t0 nc nc 0 1 1\nW t0 x (1.2.3.4:1) open", Outcome.EXEC_FAILED),
        (b"R t7 nc nc 0 1 1\nW t7 x (1.2.3.4:1) open\n", Outcome.EXEC_FAILED),
        (
            b"R t0 nc nc 1 1 1\nW t0 nc: connect to 1.2.3.4 port 1 (tcp) failed: Connection refused\n",
            Outcome.EXEC_FAILED,
        ),
        (b"R t0 nc nc 0 1 1\nW t0 x (1.2.3.4:1) open\n", Outcome.OPEN),
    ],
    ids=[
        "nothing in the image",
        "BusyBox without the applet",
        "unknown options, and no other tool",
        "unknown output",
        "no output of the tool",
        "no report",
        "a line that is cut off is ignored",
        "a report on another target",
        "what is refused in a report that is cut",
        "what is open in a report that is cut",
    ],
)
def test_the_outcome_of_a_report(report: bytes, outcome: Outcome) -> None:
    (observation,) = probe(says(report), [WEB]).observations
    assert observation.outcome is outcome


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(b"R t0 nc-openbsd nc 0 0 10\n", id="no output, as of what is refused"),
        pytest.param(b"R t0 nc-openbsd nc 0 0 310\n", id="no output for long, as of what does not answer"),
        pytest.param(
            b"R t0 bash bash 1 0 1\nW t0 bash: connection refused\n", id="an output that may have another line"
        ),
        pytest.param(b"R n0 getent getent 2 0 1\n", id="a lookup alone"),
    ],
)
def test_a_report_that_is_cut_says_nothing_but_what_is_open(report: bytes) -> None:
    result = probe(says(report), [WEB], protocol="UDP", names=("db",))
    assert result.observations[0].outcome is Outcome.EXEC_FAILED
    assert result.names == (NameCheck("db", resolves=None, output="the report of the probe is cut"),)


def test_what_was_reported_before_the_deadline_counts() -> None:
    pod = says(b"R t0 nc nc 0 1 1\nW t0 x (1.2.3.4:1) open\n", exit_code=None, timed_out=True)
    web, db = probe(pod, [WEB, DB]).observations
    assert web.outcome is Outcome.OPEN
    assert (db.outcome, db.output, db.tool) == (Outcome.EXEC_FAILED, "the deadline passed", None)


@pytest.mark.parametrize(
    ("done", "output"),
    [
        pytest.param(
            {"exit_code": 137},
            "something killed the probe; the container may be short of memory",
            id="killed, as beyond a limit of memory",
        ),
        pytest.param({"exit_code": 2}, "the report of the probe is cut", id="ended by itself"),
        pytest.param({"exit_code": 2, "stderr": b"sh: can't fork"}, "sh: can't fork", id="with an error"),
        pytest.param({"error": "connection reset"}, "connection reset", id="what the server says goes first"),
    ],
)
def test_what_is_missing_in_a_report_has_a_cause(done: dict[str, object], output: str) -> None:
    web, db = probe(says(b"R t0 nc nc 0 1 1\nW t0 x (1.2.3.4:1) open\n", **done), [WEB, DB]).observations
    assert (web.outcome, db.outcome, db.output) == (Outcome.OPEN, Outcome.EXEC_FAILED, output)


def test_an_exec_that_the_server_refuses_is_reported_with_its_message() -> None:
    pod = Pod(sh=lambda _: Done(None, error='container not found ("app")\x1b[2J'))
    (observation,) = probe(pod, [WEB]).observations
    assert observation.outcome is Outcome.EXEC_FAILED
    assert observation.output == 'container not found ("app")\\x1b[2J'
    assert pod.asked == ["sh"]


def test_bash_is_the_shell_of_an_image_without_sh() -> None:
    pod = Pod(bash=lambda _: Done(stdout=b"R t0 bash bash 0 1 1\nW t0 netpol: connected\nZ\n"))
    assert probe(pod, [WEB]).observations[0].outcome is Outcome.OPEN
    assert pod.asked == ["sh", "bash"]


def nc(argv: Sequence[str]) -> Done:
    return Done(0, stderr=OPENED) if "80" in argv else Done(1, stderr=REFUSED)


def test_without_a_shell_the_tool_itself_is_run() -> None:
    pod = Pod(nc=nc)
    result = probe(pod, [WEB, DB], names=("db",))
    assert [observation.outcome for observation in result.observations] == [Outcome.OPEN, Outcome.REFUSED]
    assert pod.asked == ["sh", "bash", "nc", "nc"]
    assert result.names == (NameCheck("db", resolves=None, output="the image has no shell"),)


def test_without_a_shell_the_next_tool_is_tried_after_one_that_is_inconclusive() -> None:
    pod = Pod(
        nc=lambda _: Done(1, stderr=b"nc: invalid option -- 'n'\n"),
        python3=lambda _: Done(0, stdout=b"netpol: connected\n"),
    )
    result = probe(pod, [WEB, WEB])
    assert [(seen.outcome, seen.tool) for seen in result.observations] == [(Outcome.OPEN, "python3")] * 2
    assert pod.asked == ["sh", "bash", "nc", "ncat", "python3", "nc", "python3"]


def test_without_a_shell_all_targets_are_probed_by_the_tool_that_exists() -> None:
    pod = Pod(nc=nc)
    targets = [WEB if index % 3 else DB for index in range(30)]
    result = probe(pod, targets)
    expected = [Outcome.OPEN if index % 3 else Outcome.REFUSED for index in range(30)]
    assert [observation.outcome for observation in result.observations] == expected
    assert pod.asked == ["sh", "bash", *["nc"] * 30]


def test_without_a_shell_unknown_output_is_inconclusive() -> None:
    pod = Pod(nc=lambda _: Done(1, stderr=b"something else\n"))
    (observation,) = probe(pod, [WEB]).observations
    assert (observation.outcome, observation.output) == (Outcome.INCONCLUSIVE, "something else")


def test_without_a_shell_a_tool_that_does_not_know_the_options_does_not_count() -> None:
    pod = Pod(nc=lambda _: Done(1, stderr=b"nc: invalid option -- 'n'\n"))
    (observation,) = probe(pod, [WEB]).observations
    assert (observation.outcome, observation.tool) == (Outcome.NO_TOOL, "nc")


def test_a_time_out_on_a_name_that_does_not_resolve_is_unresolved() -> None:
    """BusyBox prints `timed out` for a lookup as for a connection."""
    pod = says(
        b"R n0 getent getent 137 9 300\nR t0 nc-e nc 1 1 300\nW t0 nc: timed out\n"
        b"R t1 nc-e nc 1 1 300\nW t1 nc: timed out\nZ\n"
    )
    result = probe(pod, [Target("shop.example", 80), WEB], names=("shop.example",))
    assert [seen.outcome for seen in result.observations] == [Outcome.UNRESOLVED, Outcome.TIMED_OUT]
    assert result.names == (NameCheck("shop.example", resolves=False, output="no answer within 3.0 s"),)


def test_an_inconclusive_lookup_is_unknown() -> None:
    pod = says(b"R n0 getent getent 1 1 1\nW n0 Unknown database: hosts\nZ\n")
    (check,) = probe(pod, [], names=("db",)).names
    assert check == NameCheck("db", resolves=None, output="no tool in the image can look up a name")


def test_without_a_shell_udp_is_probed_by_tools_that_send_by_themselves() -> None:
    pod = Pod(nc=nc, python3=lambda _: Done(0, stdout=b"netpol: silent\n"))
    (observation,) = probe(pod, [Target("10.0.0.9", 53)], protocol="UDP").observations
    assert (observation.outcome, observation.tool) == (Outcome.NO_ANSWER, "python3")
    assert "nc" not in pod.asked


def test_an_empty_image_has_no_tool() -> None:
    pod = Pod()
    (observation,) = probe(pod, [WEB]).observations
    assert observation == (Outcome.NO_TOOL, None, (), None, "", 0.0)


def test_a_runtime_may_report_a_missing_program_as_output() -> None:
    """With status 126 or 127, instead of as an error of the call."""
    pod = Pod(
        sh=lambda _: Done(126, stdout=MISSING.format("sh").encode()),
        bash=lambda _: Done(127, stderr=b"exec failed: no such file or directory"),
        nc=nc,
    )
    assert probe(pod, [WEB]).observations[0].outcome is Outcome.OPEN


def test_an_exec_that_fails_without_a_shell_is_reported() -> None:
    pod = Pod(nc=lambda _: Done(None, error="connection reset"))
    (observation,) = probe(pod, [WEB]).observations
    assert (observation.outcome, observation.output) == (Outcome.EXEC_FAILED, "connection reset")


def test_the_deadline_of_the_exec_includes_the_timeout_of_every_round() -> None:
    pod = says(b"Z\n")
    probe(pod, [WEB], timeout=3)
    probe(pod, [WEB] * 30, timeout=3)
    one, many = pod.deadlines
    assert 3 + 1 < one < 10
    assert many > 30 / FEWEST_AT_ONCE * (3 + 1)


@given(st.binary(max_size=400))
def test_any_output_of_the_pod_is_read_and_made_printable(output: bytes) -> None:
    result = probe(
        says(b"R t0 nc nc 1 1 0\n" + b"".join(b"W t0 " + line + b"\n" for line in output.split(b"\n"))), [WEB]
    )
    (observation,) = result.observations
    assert all(character == "\n" or character.isprintable() for character in observation.output)
    (raw,) = probe(says(b"-" + output.replace(b"\n", b" ")), [WEB]).observations
    assert raw.outcome is Outcome.EXEC_FAILED
    assert all(character == "\n" or character.isprintable() for character in raw.output)


@given(st.text())
def test_output_is_printable_and_of_limited_length(text: str) -> None:
    output = printable(text * 50)
    assert len(output) <= 1000
    assert all(character == "\n" or character.isprintable() for character in output)
    assert printable("plain wörds\nin two lines") == "plain wörds\nin two lines"
