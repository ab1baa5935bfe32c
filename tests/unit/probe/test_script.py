"""The program that runs in the container, run by the shells and tools of this machine."""

from __future__ import annotations

import os
import signal
import stat
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.probe.outcome import Outcome, Target
from kubectl_netpol.probe.run import probe
from kubectl_netpol.probe.script import shell_argv, tool_argv
from tests.unit.probe.images import IMAGES, NO_IPV6, NO_LOOKUP, NO_UDP, Container, available, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.probe.conftest import Ports

LOCAL = "127.0.0.1"
DEAD = "nosuch.invalid"
SLACK = 1.5  # for a machine that is busy with other things


def container(tmp_path: Path, image: str) -> Container:
    return Container(make(tmp_path / "bin", IMAGES[image]))


def wait_until_empty(box: Container, seconds: float) -> list[str]:
    end = time.monotonic() + seconds
    while (left := box.left_over()) and time.monotonic() < end:
        time.sleep(0.02)
    return left


@pytest.mark.parametrize("image", available())
def test_each_image_tells_open_refused_and_dropped_apart(tmp_path: Path, ports: Ports, image: str) -> None:
    box = container(tmp_path, image)
    targets = [Target(LOCAL, port) for port in (ports.accepts, ports.greets, ports.closed, ports.drops)]
    began = time.monotonic()
    result = probe(box, targets, timeout=2)
    seconds = time.monotonic() - began
    outcomes = [observation.outcome for observation in result.observations]
    assert outcomes == [Outcome.OPEN, Outcome.OPEN, Outcome.REFUSED, Outcome.TIMED_OUT], result
    assert seconds < 2 + 1 + SLACK
    assert len(box.commands) == 1
    assert box.left_over() == []


@pytest.mark.parametrize("image", available(*NO_IPV6))
def test_each_image_probes_ipv6(tmp_path: Path, ports: Ports, image: str) -> None:
    result = probe(container(tmp_path, image), [Target("::1", ports.accepts), Target("::1", ports.closed)], timeout=2)
    assert [observation.outcome for observation in result.observations] == [Outcome.OPEN, Outcome.REFUSED]


@pytest.mark.parametrize("image", [image for image in NO_IPV6 if image in available()])
def test_an_address_that_the_tool_cannot_parse_is_inconclusive(tmp_path: Path, ports: Ports, image: str) -> None:
    (observation,) = probe(container(tmp_path, image), [Target("::1", ports.accepts)]).observations
    assert observation.outcome is Outcome.INCONCLUSIVE
    assert observation.output == "Can't parse ::1 as an IP address"


@pytest.mark.parametrize("image", available(*NO_UDP))
def test_udp_is_decided_by_an_answer_or_an_error_only(tmp_path: Path, ports: Ports, image: str) -> None:
    box = container(tmp_path, image)
    targets = [Target(LOCAL, port) for port in (ports.udp_answers, ports.udp_silent, ports.udp_closed)]
    result = probe(box, targets, protocol="UDP", timeout=2)
    outcomes = [observation.outcome for observation in result.observations]
    assert outcomes == [Outcome.OPEN, Outcome.NO_ANSWER, Outcome.REFUSED], result
    assert box.left_over() == []


@pytest.mark.parametrize("image", [image for image in NO_UDP if image in available()])
def test_an_image_that_cannot_send_udp_has_no_tool(tmp_path: Path, ports: Ports, image: str) -> None:
    result = probe(container(tmp_path, image), [Target(LOCAL, ports.udp_answers)], protocol="UDP")
    assert result.observations[0].outcome is Outcome.NO_TOOL


@pytest.mark.parametrize("image", available(*NO_LOOKUP))
def test_names_are_looked_up_in_the_same_exec(tmp_path: Path, ports: Ports, image: str) -> None:
    box = container(tmp_path, image)
    result = probe(box, [Target(LOCAL, ports.accepts)], names=("localhost", DEAD))
    assert [(check.name, check.resolves) for check in result.names] == [("localhost", True), (DEAD, False)], result
    assert result.observations[0].outcome is Outcome.OPEN
    assert len(box.commands) == 1


@pytest.mark.parametrize("image", available(*NO_LOOKUP))
def test_a_host_name_is_resolved_in_the_container(tmp_path: Path, ports: Ports, image: str) -> None:
    targets = [Target("localhost", ports.accepts), Target(DEAD, ports.accepts)]
    result = probe(container(tmp_path, image), targets, timeout=2)
    assert [observation.outcome for observation in result.observations] == [Outcome.OPEN, Outcome.UNRESOLVED], result
    assert result.names == ()


@pytest.mark.parametrize("image", available("openbsd-nc under bash", "openbsd-nc under mksh", "curl", "perl", "python"))
def test_a_probe_whose_connection_breaks_ends_by_itself(tmp_path: Path, ports: Ports, image: str) -> None:
    box = container(tmp_path, image)
    targets = [Target(LOCAL, ports.drops)] * 3
    began = time.monotonic()
    process = box.start(shell_argv("sh", targets, protocol="TCP", timeout=1, http=False, names=[DEAD]))
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until_empty(box, 10) == []
    assert time.monotonic() - began < 1 + 1 + SLACK


def test_fifty_destinations_are_probed_concurrently(tmp_path: Path, ports: Ports) -> None:
    targets = [Target(LOCAL, ports.drops if index % 10 == 0 else ports.accepts) for index in range(50)]
    box = Container(make(tmp_path / "bin", {"sh": "sh", "bash": "bash", "sleep": "sleep"}))
    began = time.monotonic()
    result = probe(box, targets, timeout=1)
    for target, observation in zip(targets, result.observations, strict=True):
        assert observation.outcome is (Outcome.TIMED_OUT if target.port == ports.drops else Outcome.OPEN)
    assert time.monotonic() - began < 2 * (1 + 1) + SLACK
    assert len(box.commands) == 1


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize("names", [[], ["localhost"]], ids=["no names", "names"])
def test_only_the_parts_that_are_needed_travel_and_no_comments(protocol: str, names: list[str]) -> None:
    argv = shell_argv("sh", [Target(LOCAL, 80)], protocol=protocol, timeout=1, http=False, names=names)
    program = argv[2]
    lines = program.split("\n")
    assert [line for line in lines if line != line.strip() or not line or line.startswith("#") or " # " in line] == []
    assert lines[0] == "exec 2>/dev/null"
    assert lines[-1] == "echo Z"
    assert ("ask()" in program, "lookup()" in program, program.count("connect()")) == (
        protocol == "UDP",
        bool(names),
        1,
    )
    assert len(program) < 4200


MIB = 1 << 20
V1_LIMIT, V1_USAGE = "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"
NO_LIMIT_V1 = 9223372036854771712
SLOW = ("curl", "ncat", "perl", "python")


@pytest.mark.parametrize(
    ("files", "quick", "slow"),
    [
        pytest.param({}, 32, 4, id="no cgroups"),
        pytest.param({"memory.max": "max", "memory.current": 9 * MIB}, 32, 4, id="version 2 without a limit"),
        pytest.param({V1_LIMIT: NO_LIMIT_V1, V1_USAGE: 9 * MIB}, 32, 4, id="version 1 without a limit"),
        pytest.param({"memory.max": 512 * MIB, "memory.current": 9 * MIB}, 32, 4, id="much is left"),
        pytest.param({"memory.max": 32 * MIB, "memory.current": MIB}, 8, 4, id="32 MiB with hardly any in use"),
        pytest.param({V1_LIMIT: 32 * MIB, V1_USAGE: MIB}, 8, 4, id="the same in version 1"),
        pytest.param({"memory.max": 512 * MIB, "memory.current": 490 * MIB}, 5, 2, id="22 MiB of 512 are left"),
        pytest.param({"memory.max": 512 * MIB, "memory.current": 511 * MIB}, 2, 2, id="hardly any is left"),
        pytest.param({"memory.max": 64 * MIB, "memory.current": 70 * MIB}, 2, 2, id="more in use than may be"),
        pytest.param(
            {
                "memory.max": 512 * MIB,
                "memory.current": 511 * MIB,
                "memory.stat": f"anon 1\ninactive_file {64 * MIB}\nactive_file 9",
            },
            17,
            4,
            id="file pages that are not in use",
        ),
        pytest.param(
            {
                V1_LIMIT: 512 * MIB,
                V1_USAGE: 511 * MIB,
                "memory/memory.stat": f"inactive_file 0\nhierarchical 9\ntotal_inactive_file {64 * MIB}\nx 1",
            },
            17,
            4,
            id="file pages that are not in use, in version 1",
        ),
        pytest.param({"memory.max": 32 * MIB}, 32, 4, id="a limit alone"),
        pytest.param({"memory.max": "", "memory.current": ""}, 32, 4, id="empty files"),
        pytest.param({"memory.max": "a b", "memory.current": "$(x)"}, 32, 4, id="words"),
    ],
)
@pytest.mark.parametrize("image", available())
def test_how_many_run_at_once_fits_into_the_memory_left(
    tmp_path: Path, image: str, files: dict[str, object], quick: int, slow: int
) -> None:
    (tmp_path / "cgroup/memory").mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / "cgroup" / name).write_text(f"{content}\n")
    shell, option, program, *rest = shell_argv("sh", [], protocol="TCP", timeout=1, http=False, names=[])
    before, _, _ = program.replace("/sys/fs/cgroup", str(tmp_path / "cgroup")).partition("i=0 j=0 q=")
    done = container(tmp_path, image)([shell, option, f"{before}\necho $L", *rest], 9)
    assert done.stdout.decode() == f"{slow if image in SLOW else quick}\n"


@pytest.mark.parametrize(
    ("form", "command"),
    [
        ("nc-q", ("busybox", "nc", "-w", "3", "-q", "1", "10.0.0.9", "80")),
        ("nc-u", ("sh", "-c", "printf '\\012' | busybox nc -nuvv -w 3 10.0.0.9 80")),
        ("nc-ncat", ("sh", "-c", "printf '\\012' | busybox nc -nuv --no-shutdown -i 3 10.0.0.9 80")),
    ],
)
def test_the_command_for_a_person(form: str, command: tuple[str, ...]) -> None:
    assert tool_argv(form, "busybox", Target("10.0.0.9", 80), 3.0) == command


FAKES = ("nc", "ncat", "busybox", "bash", "python3", "python", "perl", "curl")


def fake(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("program", FAKES)
def test_the_command_shown_is_the_command_that_ran(tmp_path: Path, program: str) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, program, 'printf "<%s>\\n" "$@"; echo "(1.2.3.4:1) open"')
    (observation,) = probe(Container(folder), [Target("fd00::1", 443)]).observations
    assert observation.outcome is Outcome.OPEN
    assert observation.tool == program
    assert observation.command[0] == program
    shown = "\n".join(f"<{word}>" for word in observation.command[1:])
    assert observation.output == f"{shown}\n(1.2.3.4:1) open"


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_a_request_is_sent_only_with_http(tmp_path: Path, program: str) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, "nc", 'echo "(1.2.3.4:1) open"')
    fake(folder, program, 'printf "<%s>\\n" "$@"; echo "< HTTP/1.1 404 Not Found"')
    assert probe(Container(folder), [Target("fd00::1", 443)]).observations[0].tool == "nc"
    (observation,) = probe(Container(folder), [Target("fd00::1", 443)], http=True).observations
    assert (observation.outcome, observation.tool) == (Outcome.OPEN, program)
    assert observation.command[-1] == "http://[fd00::1]:443/"
    shown = "\n".join(f"<{word}>" for word in observation.command[1:])
    assert observation.output == f"{shown}\n< HTTP/1.1 404 Not Found"


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_an_error_of_a_gateway_is_inconclusive(tmp_path: Path, program: str) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, "nc", 'echo "(1.2.3.4:1) open"')
    fake(folder, program, 'echo "< HTTP/1.1 503 Service Unavailable"')
    (observation,) = probe(Container(folder), [Target(LOCAL, 80)], http=True).observations
    assert (observation.outcome, observation.tool) == (Outcome.INCONCLUSIVE, program)


def test_without_curl_and_wget_http_only_connects(tmp_path: Path) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, "nc", 'echo "(1.2.3.4:1) open"')
    assert probe(Container(folder), [Target(LOCAL, 80)], http=True).observations[0].outcome is Outcome.OPEN


@pytest.mark.parametrize(
    ("said", "status"),
    [("nc: invalid option -- 'z'", 1), ("nc: unrecognized option: z", 1), ("nc: applet not found", 127), ("", 1)],
    ids=["unknown option", "unknown option, by musl", "BusyBox without the applet", "no output"],
)
def test_the_next_tool_is_tried_after_one_that_is_inconclusive(tmp_path: Path, said: str, status: int) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, "nc", f'echo "{said}" >&2; exit {status}')
    fake(folder, "perl", "echo netpol: connected")
    (observation,) = probe(Container(folder), [Target(LOCAL, 80)]).observations
    assert (observation.outcome, observation.tool) == (Outcome.OPEN, "perl")


def test_a_tool_that_never_ends_is_killed_and_inconclusive(tmp_path: Path) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    fake(folder, "nc", "trap '' TERM INT HUP; echo working; while :; do :; done")
    box = Container(folder)
    (observation,) = probe(box, [Target(LOCAL, 80)], timeout=1).observations
    assert observation.outcome is Outcome.INCONCLUSIVE
    assert observation.exit_code is None
    assert observation.output == "working"
    assert wait_until_empty(box, 1) == []


@pytest.mark.parametrize("timeout", [0.2, 0.5, 1, 1.5])
def test_a_probe_ends_within_a_second_after_a_timeout_of_any_length(
    tmp_path: Path, ports: Ports, timeout: float
) -> None:
    """Of several tries one: a machine that is busy with something else delays some of them, a fault all of them."""
    box = Container(make(tmp_path / "bin", {"sh": "sh", "bash": "bash", "sleep": "sleep"}))

    def seconds() -> float | None:
        began = time.monotonic()
        (observation,) = probe(box, [Target(LOCAL, ports.drops)], timeout=timeout).observations
        return time.monotonic() - began if observation.outcome is Outcome.TIMED_OUT else None

    seen = []
    for _ in range(5):
        seen.append(seconds())
        if seen[-1] is not None and timeout <= seen[-1] < timeout + 1 + SLACK:
            return
    pytest.fail(f"none within {timeout + 1 + SLACK} s: {seen}")


def test_output_of_a_tool_cannot_pass_for_a_report(tmp_path: Path) -> None:
    folder = make(tmp_path / "bin", {"sh": "sh", "sleep": "sleep"})
    forged = r"R t0 nc nc 0 1 1\nW t0 x (1.2.3.4:1) open\nZ\n\033[2J\r\nnc: Connection refused"
    fake(folder, "nc", f"printf '{forged}\\n'; exit 1")
    fake(folder, "bash", "echo netpol: connected")
    (observation,) = probe(Container(folder), [Target(LOCAL, 80)]).observations
    assert observation.output.splitlines()[0] == "R t0 nc nc 0 1 1"
    assert "\\x1b[2J\\r" in observation.output
    assert observation.exit_code == 1


@pytest.mark.parametrize("address", ["-e", "$(touch x)", "a b", "a;b", "10.0.0.1\n10.0.0.2", ""], ids=repr)
def test_only_addresses_and_names_are_accepted(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="invalid address or name"):
        probe(Container(tmp_path), [Target(address, 80)])
    with pytest.raises(ValueError, match="invalid address or name"):
        probe(Container(tmp_path), [], names=(address,))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_nothing_is_written_anywhere(tmp_path: Path, ports: Ports) -> None:
    """The shells need no temporary file, so it works with a read-only root and for a user without a home."""
    box = container(tmp_path, available()[0])
    tmp_path.chmod(0o555)
    result = probe(box, [Target(LOCAL, ports.accepts)], names=("localhost",))
    assert result.observations[0].outcome is Outcome.OPEN
    assert {path.name for path in tmp_path.iterdir()} == {"bin"}
