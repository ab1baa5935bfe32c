"""What is typed, and what comes back: exit status, stdout, stderr."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol import __version__, cli
from kubectl_netpol.cli import COMMANDS, build_parser
from kubectl_netpol.commands import explain
from kubectl_netpol.errors import TerminatedError
from tests.support.running import EXAMPLES, SHOP

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.console import Console

ON_SHOP = shlex.join(SHOP)
NOT_PROBED = "note: nothing was probed: this is what the policies in the manifests say\n"
PROGRAM = [sys.executable, "-m", "kubectl_netpol"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
PYTHON = ".".join(map(str, sys.version_info[:3]))


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = cli.main(shlex.split(line))
    return status, *capsys.readouterr()


@pytest.mark.parametrize(
    ("line", "status", "out", "err"),
    [
        pytest.param(
            f"test san nginx 80 {ON_SHOP}",
            1,
            "blocked: san → nginx, TCP 80\n"
            "  not probed\n"
            "  ingress: deny-all-ingress isolates nginx, and no rule lets san in\n",
            NOT_PROBED,
            id="test on manifests: the answer on stdout, the note on stderr",
        ),
        pytest.param(
            f"test nginx 203.0.113.9 443 {ON_SHOP}",
            0,
            "allowed: nginx → 203.0.113.9, TCP 443\n"
            "  not probed\n"
            "  egress:  no policy isolates nginx, so everything is allowed\n",
            NOT_PROBED,
            id="test on manifests: allowed is 0",
        ),
        pytest.param(
            f"test san nginx 81 {ON_SHOP}",
            2,
            "undefined: san → nginx, TCP 81\n  Service shop/nginx has no port 81/TCP; it has 80/TCP\n",
            NOT_PROBED,
            id="test on manifests: undefined is 2",
        ),
        pytest.param(
            f"explain san nginx 80 {ON_SHOP}",
            1,
            "blocked: san → nginx, TCP 80\n"
            "  egress:  no policy isolates san, so everything is allowed\n"
            "  ingress: deny-all-ingress isolates nginx, and no rule lets san in\n",
            "",
            id="explain: blocked is 1",
        ),
        pytest.param(
            f"explain nginx {ON_SHOP}",
            0,
            "shop/nginx (run=nginx)\n"
            "selected by deny-all-ingress\n"
            "ingress: isolated by deny-all-ingress: nothing is allowed\n"
            "egress: not affected by any policy: everything is allowed\n"
            "Service nginx: TCP 80 → pod port 80\n",
            "",
            id="explain a pod: 0, whatever it says",
        ),
        pytest.param("version", 0, f"kubectl-netpol {__version__} (Python {PYTHON})\n", "", id="version"),
        pytest.param("--version", 0, f"kubectl-netpol {__version__} (Python {PYTHON})\n", "", id="--version"),
        pytest.param(
            "version -o json",
            0,
            f'{{"apiVersion": "netpol/v1", "kind": "Version", "version": "{__version__}", "python": "{PYTHON}"}}\n',
            "",
            id="version for scripts",
        ),
    ],
)
def test_an_answer(line: str, status: int, out: str, err: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line, capsys) == (status, out, err)


@pytest.mark.parametrize(
    ("line", "err"),
    [
        pytest.param(
            "tset san nginx 80",
            'error: unknown command "tset"\nhint: did you mean kubectl netpol test?\n',
            id="a command misspelt",
        ),
        pytest.param(
            "frobnicate",
            'error: unknown command "frobnicate"\n'
            "hint: must be one of test, explain, allow, diff, lint, matrix, completion, version\n",
            id="a command that is like none",
        ),
        pytest.param(
            "help tset",
            'error: unknown command "tset"\nhint: did you mean kubectl netpol test?\n',
            id="help for a command misspelt",
        ),
        pytest.param(
            "-n shop test san nginx 80",
            "error: -n: options go after the command\nhint: kubectl netpol COMMAND -n …\n",
            id="an option before the command",
        ),
        pytest.param(
            f"explain nginx --namespce shop {ON_SHOP}",
            "error: unknown option --namespce\nhint: did you mean --namespace?\n",
            id="an option misspelt",
        ),
        pytest.param(
            f"test san nginx 80 --protocl=udp {ON_SHOP}",
            "error: unknown option --protocl\nhint: did you mean --protocol?\n",
            id="an option misspelt, with its value",
        ),
        pytest.param(
            f"test san nginx --port 80 {ON_SHOP}",
            "error: unknown option --port\nhint: kubectl netpol test --help\n",
            id="an option of another command",
        ),
        pytest.param(
            "explain nginx -context kind",
            "error: unknown option -context\nhint: did you mean --context?\n",
            id="one dash where two belong",
        ),
        pytest.param(
            f"explain nginx --zzz {ON_SHOP}",
            "error: unknown option --zzz\nhint: kubectl netpol explain --help\n",
            id="an option that is like none",
        ),
        pytest.param(
            "version 1",
            'error: unexpected argument "1"\nhint: kubectl netpol version --help\n',
            id="an argument for a command that takes none",
        ),
        pytest.param(
            "test",
            "error: expected SOURCE DESTINATION PORT, got 0 arguments\nhint: kubectl netpol test san nginx 80\n",
            id="test without arguments",
        ),
        pytest.param(
            "test san",
            "error: expected SOURCE DESTINATION PORT, got 1 argument\nhint: kubectl netpol test san nginx 80\n",
            id="test with one name",
        ),
        pytest.param(
            "test --from-selector run=san nginx",
            "error: expected DESTINATION PORT, got 1 argument\nhint: kubectl netpol test san nginx 80\n",
            id="test with a selector and without a port",
        ),
        pytest.param(
            "explain san nginx",
            "error: expected POD or SOURCE DESTINATION PORT, got 2 arguments\n"
            "hint: kubectl netpol explain san nginx 80\n",
            id="explain without a port",
        ),
        pytest.param(
            f"explain nginx -n Shop -f {EXAMPLES / 'shop.yaml'}",
            'error: invalid namespace "Shop"\nhint: a-z 0-9 -, at most 63, such as kube-system\n',
            id="a namespace that can't be one",
        ),
        pytest.param(
            f"explain nginx -n {ON_SHOP}",
            "error: argument -n/--namespace: expected one argument\nhint: kubectl netpol explain --help\n",
            id="an option without its value",
        ),
        pytest.param(
            f"explain nginx -v=6 {ON_SHOP}",
            "error: argument -v/--verbose: ignored explicit argument '6'\nhint: kubectl netpol explain --help\n",
            id="kubectl's log level is no option of ours",
        ),
    ],
)
def test_a_usage_error_is_2_and_leaves_stdout_empty(line: str, err: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line, capsys) == (2, "", err)


@pytest.mark.parametrize("line", ["", "-h", "--help", "help", "help help", "--help -h"])
def test_help_for_all_is_data(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(line, capsys)
    assert (status, err) == (0, "")
    assert out.startswith("Can this pod reach that one, which NetworkPolicy decides,\nand what would open it?\n")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("line", ["{} --help", "{} -h", "help {}", "{} san nginx --help", "--help {}"])
def test_help_for_one_is_data(name: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(line.format(name), capsys)
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: kubectl netpol {name} ")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(f"{name} --help", capsys)
    assert f"  kubectl netpol {name}" in out.partition("\nexamples:\n")[2]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("explain -n shop -f {} nginx", id="options before the arguments"),
        pytest.param("explain nginx -n shop -f {}", id="options after the arguments"),
        pytest.param("explain -nshop nginx -f{}", id="values without a space"),
        pytest.param("explain -n=shop nginx -f={}", id="values with a sign, as kubectl has them"),
        pytest.param("explain --namespace shop nginx --filename={}", id="long options"),
        pytest.param("explain -n default nginx -f {} -n shop", id="the last one counts"),
        pytest.param("explain -n shop -f {} -- nginx", id="arguments after two dashes"),
        pytest.param("explain shop/nginx -f {}", id="the namespace in the name"),
    ],
)
def test_options_may_be_anywhere_after_the_command(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(line.format(EXAMPLES / "shop.yaml"), capsys)
    assert (status, out.splitlines()[0], err) == (0, "shop/nginx (run=nginx)", "")


def interrupted_wait(interrupt: KeyboardInterrupt) -> RuntimeError:
    error = RuntimeError("release unlocked lock")
    error.__context__ = interrupt
    return error


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        pytest.param(KeyboardInterrupt, 130, "", id="an interrupt"),
        pytest.param(TerminatedError, 143, "", id="SIGTERM"),
        pytest.param(interrupted_wait(KeyboardInterrupt()), 130, "", id="an interrupt in the midst of a wait"),
        pytest.param(interrupted_wait(TerminatedError()), 143, "", id="SIGTERM in the midst of a wait"),
        pytest.param(MemoryError, 3, "error: out of memory\n", id="no more memory"),
    ],
)
def test_what_ends_a_command_from_outside(
    error: type[BaseException] | BaseException,
    status: int,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ended(_arguments: object, _console: Console) -> int:
        raise error

    monkeypatch.setattr(explain, "run", ended)
    assert run("explain", capsys) == (status, "", printed)


def test_a_crash_is_3_and_one_line_and_never_the_status_that_means_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(_options: object, _filenames: object, _console: Console) -> Inputs:
        raise TypeError("something nobody expected")

    monkeypatch.setattr(explain, "open_inputs", crash)
    status, out, err = run("explain", capsys)
    assert (status, out) == (3, "")
    assert re.fullmatch(
        r"error: internal error: TypeError in explain\.py:\d+; please report it with the output of the same command "
        r"with NETPOL_TRACEBACK=1\n",
        err,
    )
    monkeypatch.setenv("NETPOL_TRACEBACK", "1")
    status, out, err = run("explain", capsys)
    assert (status, out) == (3, "")
    assert "something nobody expected" in err
    assert err.splitlines()[-1].startswith("error: internal error: TypeError in explain.py:")


CRASHES = """
import sys
from kubectl_netpol import cli
from kubectl_netpol.commands import version
def crash(arguments, console):
    console.data("half an answer")
    raise RuntimeError
version.run = crash
sys.exit(cli.main(["version"]))
"""


def test_what_is_buffered_of_an_answer_is_dropped_by_a_crash() -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(
        [sys.executable, "-c", CRASHES], capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (3, "", 1)


# What only a process of its own has: streams that are closed, full or read by nobody.

ASKED = f"netpol explain san nginx 80 {ON_SHOP}"
ANSWER = (
    "blocked: san → nginx, TCP 80\n"
    "  egress:  no policy isolates san, so everything is allowed\n"
    "  ingress: deny-all-ingress isolates nginx, and no rule lets san in\n"
)


@pytest.mark.parametrize(
    ("line", "status", "out", "err"),
    [
        pytest.param(
            f"{ASKED} >/dev/full",
            2,
            "",
            "error: can't write the output: No space left on device\n",
            id="a full disk",
        ),
        pytest.param(f"{ASKED} >&-", 1, "", "", id="stdout closed: the status is the answer"),
        pytest.param(
            f"netpol test nginx 203.0.113.9 443 {ON_SHOP} 2>/dev/full",
            0,
            "allowed: nginx → 203.0.113.9, TCP 443\n"
            "  not probed\n"
            "  egress:  no policy isolates nginx, so everything is allowed\n",
            "",
            id="a note on a full disk changes neither answer nor status",
        ),
        pytest.param(
            f"netpol test san nginx 80 {ON_SHOP} 2>&1 >/dev/null | :; exit ${{PIPESTATUS[0]}}",
            1,
            "",
            "",
            id="nor does one into a closed pipe",
        ),
        pytest.param("netpol frobnicate 2>/dev/full", 2, "", "", id="an error on a full disk keeps its status"),
        pytest.param(
            f"netpol test san nginx 80 {ON_SHOP} 2>&- | head -1",
            0,
            "blocked: san → nginx, TCP 80\n",
            "",
            id="stderr closed",
        ),
        pytest.param(
            "netpol explain -f - <&-", 2, "", "error: -f - reads stdin, and stdin is closed\n", id="stdin closed"
        ),
        pytest.param(
            f"export PYTHONIOENCODING=ascii; {ASKED}", 1, ANSWER.replace("→", "->"), "", id="an encoding without arrows"
        ),
        pytest.param(
            f"export PYTHONIOENCODING=utf-8; netpol test san $'\\xff.com' 80 {ON_SHOP} 2>&1 | head -1",
            0,
            'error: "\\udcff.com" is neither an address nor a host name\n',
            "",
            id="an argument that is not text",
        ),
    ],
)
def test_streams(line: str, status: int, out: str, err: str) -> None:
    script = f'netpol() {{ {shlex.join(PROGRAM)} "$@"; }}; {line}'
    ran = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=False, env=ENVIRONMENT, timeout=60)
    assert (ran.returncode, ran.stdout.decode(), ran.stderr.decode()) == (status, out, err)


def test_nobody_reads_is_141_and_says_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [*PROGRAM, "explain", "san", "nginx", "80", *SHOP]
        ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, env=ENVIRONMENT, timeout=60)
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_control_c_is_130_and_says_nothing(tmp_path: Path) -> None:
    waits = tmp_path / "manifest.yaml"
    os.mkfifo(waits)
    command = [*PROGRAM, "explain", "-f", str(waits)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        descriptor = opened_by_the_reader_of(waits, process)
        try:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            os.close(descriptor)
    assert (process.returncode, out, err) == (130, b"", b"")


def opened_by_the_reader_of(pipe: Path, process: subprocess.Popen[bytes]) -> int:
    """The writing end of a named pipe, once the process has opened the other one."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError):  # nobody reads yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    raise AssertionError(f"the program did not open {pipe}: {process.communicate()}")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_of_a_command_fit_a_screen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = build_parser(name).format_help()
    options = text[text.index("options:") :].partition("\nexamples:")[0]
    assert len(options.splitlines()) <= 60
