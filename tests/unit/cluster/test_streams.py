"""Exec and port-forward against a scripted websocket server."""

from __future__ import annotations

import signal
import struct
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kubectl_netpol.cluster.streams import CompletedExec, Listening, Shell, execute, listens
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.probe.outcome import Target
from kubectl_netpol.probe.script import shell_argv
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, Request, api_for, close, encode, frame, message, switch

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_netpol.cluster.api import Api

    Script = Callable[[Request, Any], Answer | None]
    Serve = Callable[..., FakeServer]

SUCCESS = {"metadata": {}, "status": "Success"}
STDOUT, STDERR, STATUS = 1, 2, 3
RUNTIME = 'OCI runtime exec failed: exec: "nc": executable file not found in $PATH: unknown'


def exited(code: int) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failed(error: str) -> dict[str, Any]:
    return {"metadata": {}, "status": "Failure", "message": error, "reason": "InternalError", "code": 500}


def forbidden(verb: str, resource: str) -> dict[str, Any]:
    error = f'pods "web" is forbidden: User "eve" cannot {verb} resource "{resource}" in API group ""'
    return {"kind": "Status", "status": "Failure", "message": error, "reason": "Forbidden", "code": 403}


def sends(*writes: bytes, protocol: str | None = None) -> Script:
    """Script: upgrade, then one write (so one TLS record) for each of `writes`, then the connection ends."""

    def script(request: Request, stream: Any) -> None:
        stream.sendall(switch(request, protocol))
        for write in writes:
            stream.sendall(write)

    return script


def run(api: Api, *command: str, deadline: float = 10, **more: Any) -> CompletedExec:
    return execute(api, "shop", "web", "app", command or ("true",), deadline=deadline, **more)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(sends(message(STDOUT, "hi\n"), message(STATUS, SUCCESS)), (0, b"hi\n", b"", None), id="v5"),
        pytest.param(
            sends(message(STDOUT, "hi\n"), message(STATUS, SUCCESS), protocol="v4.channel.k8s.io"),
            (0, b"hi\n", b"", None), id="an older server chooses v4",
        ),
        pytest.param(
            sends(message(STDOUT, "out") + message(STDERR, "err") + message(STATUS, exited(7)) + close()),
            (7, b"out", b"err", None), id="everything in one TLS record",
        ),
        pytest.param(
            sends(*(bytes([byte]) for byte in message(STDOUT, "slow") + message(STATUS, exited(1)) + close())),
            (1, b"slow", b"", None), id="every byte in a TLS record of its own",
        ),
        pytest.param(
            sends(frame(b"\x01first ", final=False) + frame(b"half", 0), message(STATUS, SUCCESS), close()),
            (0, b"first half", b"", None), id="a message in two frames",
        ),
        pytest.param(
            sends(frame(b"ping", 9), message(STDOUT, "a"), frame(b"", 10), message(STATUS, SUCCESS), close()),
            (0, b"a", b"", None), id="ping and pong in between",
        ),
        pytest.param(
            sends(message(STDOUT, ""), message(STDERR, ""), frame(b""), message(9, "?"), message(STATUS, SUCCESS)),
            (0, b"", b"", None), id="empty messages and an unknown channel",
        ),
        pytest.param(
            sends(message(STDOUT, b"\xff\x00\xfe"), message(STATUS, SUCCESS)),
            (0, b"\xff\x00\xfe", b"", None), id="bytes stay bytes",
        ),
        pytest.param(
            sends(message(STATUS, exited(3)), message(STDOUT, "late"), close()),
            (3, b"late", b"", None), id="output after the status",
        ),
        pytest.param(
            sends(message(STATUS, failed('exec: "nc": executable file not found in $PATH: unknown')), close()),
            (None, b"", b"", 'exec: "nc": executable file not found in $PATH: unknown'), id="no such program",
        ),
        pytest.param(
            sends(
                message(STDOUT, f"{RUNTIME}\r\n"),
                message(STATUS, exited(126)),
            ),
            (None, f"{RUNTIME}\r\n".encode(), b"", RUNTIME),
            id="no such program, reported on stdout",
        ),
        pytest.param(
            sends(message(STDERR, "sh: nc: not found\n"), message(STATUS, exited(127))),
            (127, b"", b"sh: nc: not found\n", None), id="a shell's own 127 is an exit status",
        ),
        pytest.param(
            sends(message(STDOUT, "half"), close()),
            (None, b"half", b"", "the connection closed before the command ended"), id="closed without a status",
        ),
        pytest.param(
            sends(message(STDOUT, "half")),
            (None, b"half", b"", "the connection closed before the command ended"), id="cut off without a close frame",
        ),
        pytest.param(
            sends(message(STDOUT, "whole") + message(STDOUT, "half a frame")[:5]),
            (None, b"whole", b"", "the connection closed before the command ended"), id="cut off within a frame",
        ),
        pytest.param(sends(message(STATUS, "oops")), (None, b"", b"", "oops"), id="a status that is not JSON"),
        pytest.param(
            sends(message(STATUS, {"status": "Failure"})), (None, b"", b"", "the exec failed"), id="a bare failure"
        ),
        pytest.param(
            sends(message(STATUS, {"status": "Failure", "message": "m", "details": {"causes": [{"reason": "Other"}]}})),
            (None, b"", b"", "m"), id="a failure with another cause",
        ),
    ],
)  # fmt: skip
def test_the_result_of_a_command(
    serve: Serve, pki: Pki, script: Script, expected: tuple[int | None, bytes, bytes, str | None]
) -> None:
    done = run(api_for(serve(script), pki))
    assert done[:4] == expected
    assert (done.timed_out, done.truncated) == (False, False)
    assert done.seconds < 10


def test_cookies_of_the_server_are_forgotten(serve: Serve, pki: Pki) -> None:
    """The library's own are of the whole process, and an odd one is an error of it."""

    def script(request: Request, stream: Any) -> None:
        cookies = b"\r\nSet-Cookie: a@b=c\r\nSet-Cookie: d=e; Domain=127.0.0.1\r\n\r\n"
        stream.sendall(switch(request).replace(b"\r\n\r\n", cookies) + message(STATUS, SUCCESS))

    server = serve(script)
    api = api_for(server, pki)
    assert [run(api).exit_code, run(api).exit_code] == [0, 0]
    assert [request.values("cookie") for request in server.requests] == [[], []]


def test_the_request_has_command_protocols_and_identity(serve: Serve, pki: Pki) -> None:
    server = serve(sends(message(STATUS, SUCCESS)))
    identity = (("Impersonate-User", "zoë"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"))
    run(api_for(server, pki, *identity, token="secret"), "sh", "-c", "echo 'a b&c' $X; é")
    (request,) = server.requests
    assert request.target == (
        "/api/v1/namespaces/shop/pods/web/exec?container=app&stdout=true&stderr=true"
        "&command=sh&command=-c&command=echo+%27a+b%26c%27+%24X%3B+%C3%A9"
    )
    assert request.values("sec-websocket-protocol") == ["v5.channel.k8s.io,v4.channel.k8s.io"]
    assert request.values("authorization") == ["Bearer secret"]
    assert request.values("impersonate-user") == ["zoë"]
    assert request.values("impersonate-group") == ["a", "b"]
    assert request.values("host") == [server.netloc]
    assert request.values("origin") == []


def test_without_tls(serve: Serve, pki: Pki) -> None:
    assert run(api_for(serve(sends(message(STATUS, SUCCESS)), tls=False), pki)).exit_code == 0


def test_output_above_the_limit_is_dropped_and_the_status_still_read(serve: Serve, pki: Pki) -> None:
    chunk = message(STDOUT, b"x" * 100_000)
    server = serve(sends(*[chunk] * 200, message(STDERR, "tail"), message(STATUS, exited(5))))
    done = run(api_for(server, pki), limit=150_000)
    assert (done.exit_code, len(done.stdout), done.stderr, done.truncated) == (5, 150_000, b"tail", True)


def test_output_of_exactly_the_limit_is_complete(serve: Serve, pki: Pki) -> None:
    server = serve(sends(message(STDOUT, b"12"), message(STDOUT, b"34"), message(STATUS, SUCCESS)))
    done = run(api_for(server, pki), limit=4)
    assert (done.stdout, done.truncated) == (b"1234", False)


def floods(first: bytes, more: bytes) -> Script:
    """Script: `first`, then `more` until nobody reads."""

    def script(request: Request, stream: Any) -> None:
        stream.sendall(switch(request) + first)
        while True:
            stream.sendall(more)

    return script


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(b"", message(STDOUT, b"x" * 100_000), id="output without an end"),
        pytest.param(bytes([0x82, 127]) + struct.pack(">Q", 1 << 40), b"x" * 100_000, id="a frame of a terabyte"),
    ],
)
def test_a_server_that_sends_without_end_is_left(serve: Serve, pki: Pki, first: bytes, more: bytes) -> None:
    server = serve(floods(first, more), tls=False)
    with pytest.raises(ClusterError, match="the server sent more than 64 MiB in an exec or port-forward"):
        run(api_for(server, pki), deadline=60)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("[" * 60_000, id="nested deeply"),
        pytest.param("[]", id="a list"),
        pytest.param({"status": "Failure", "details": []}, id="details that are a list"),
        pytest.param({"status": "Failure", "details": {"causes": [None, 3]}}, id="a cause that is a number"),
        pytest.param({"details": {"causes": [{"reason": "ExitCode", "message": "x"}]}}, id="a code that is no number"),
    ],
)
def test_a_status_of_another_form_is_an_error(serve: Serve, pki: Pki, status: Any) -> None:
    server = serve(sends(message(STDOUT, "hi"), message(STATUS, status)))
    with pytest.raises(ClusterError, match=r"the server ended an exec with a status that is none: .{5,60}$"):
        run(api_for(server, pki))


def test_names_are_quoted_in_the_path(serve: Serve, pki: Pki) -> None:
    server = serve(sends(message(STATUS, SUCCESS)))
    execute(api_for(server, pki), "shop", "a/b?\ud800", "app", ["true"], deadline=10)
    assert server.requests[0].target.startswith("/api/v1/namespaces/shop/pods/a%2Fb%3F%3F/exec?")


LONG = "echo\n" * 300


@pytest.mark.parametrize(
    ("command", "words", "typed"),
    [
        pytest.param(["nc", "-z", "10.0.0.1", "80"], ["nc", "-z", "10.0.0.1", "80"], "", id="a tool"),
        pytest.param(["sh", "-c", "echo", "sh", "a"], ["sh", "-c", "echo", "sh", "a"], "", id="a short program"),
        pytest.param(["nc", "x" * 2000], ["nc", "x" * 2000], "", id="a tool with a long argument"),
        pytest.param(
            ["sh", "-c", LONG, "sh", "a b", "it's", "", "\n$x"],
            ["sh"],
            f"{{\nset -- 'a b' 'it'\"'\"'s' '' '\n$x'\n{LONG}\n}} </dev/null\nexit\n",
            id="a long program",
        ),
    ],
)
def test_a_long_program_of_a_shell_travels_by_stdin(
    serve: Serve, pki: Pki, command: list[str], words: list[str], typed: str
) -> None:
    box: list[bytes] = []

    def script(request: Request, stream: Any) -> None:
        stream.sendall(switch(request))
        if typed:
            head = stream.recv(4)
            size = struct.unpack("!H", head[2:])[0]
            masked = b""
            while len(masked) < size + 4:
                masked += stream.recv(1 << 16)
            box.append(bytes(byte ^ masked[index % 4] for index, byte in enumerate(masked[4:])))
        stream.sendall(message(STATUS, SUCCESS))

    server = serve(script)
    assert run(api_for(server, pki), *command).exit_code == 0
    query = parse_qs(urlsplit(server.requests[0].target).query, keep_blank_values=True)
    assert query["command"] == words
    assert query.get("stdin") == (["true"] if typed else None)
    assert box == ([b"\0" + typed.encode()] if typed else [])
    assert len(server.requests[0].target) < 4000


def test_fifty_ports_fit_into_a_request_line_that_every_proxy_takes(serve: Serve, pki: Pki) -> None:
    server = serve(sends(message(STATUS, SUCCESS)))
    targets = [Target("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 8000 + number) for number in range(50)]
    command = shell_argv("sh", targets, protocol="TCP", timeout=3, http=False, names=["web.shop.svc"])
    assert run(api_for(server, pki), *command).exit_code == 0
    assert len(server.requests[0].target) < 200


def holds(server_box: list[FakeServer], *writes: bytes, pace: float = 0) -> Script:
    """Script: like `sends`, but the connection stays open until the test is over."""

    def script(request: Request, stream: Any) -> None:
        stream.sendall(switch(request))
        for write in writes:
            stream.sendall(write)
            server_box[0].wait_closing(pace)
        server_box[0].wait_closing(30)

    return script


def test_a_command_that_does_not_end_times_out_with_its_output(serve: Serve, pki: Pki) -> None:
    box: list[FakeServer] = []
    box.append(serve(holds(box, message(STDOUT, "begun"))))
    done = run(api_for(box[0], pki), deadline=0.6)
    assert done[:4] == (None, b"begun", b"", None)
    assert done.timed_out
    assert 0.5 < done.seconds < 10


def test_a_slow_server_does_not_extend_the_deadline(serve: Serve, pki: Pki) -> None:
    box: list[FakeServer] = []
    drops = [bytes([byte]) for byte in message(STDOUT, b"y" * 100)]
    box.append(serve(holds(box, *drops, pace=0.1)))
    done = run(api_for(box[0], pki), deadline=0.6)
    assert done.timed_out
    assert done.seconds < 10


def test_a_status_ends_the_exec_even_if_the_connection_stays_open(serve: Serve, pki: Pki) -> None:
    box: list[FakeServer] = []
    box.append(serve(holds(box, message(STDOUT, "x"), message(STATUS, exited(2)))))
    done = run(api_for(box[0], pki), deadline=20)
    assert (done.exit_code, done.stdout, done.timed_out) == (2, b"x", False)
    assert done.seconds < 10


@pytest.mark.parametrize("stage", ["before TLS", "before the answer"])
def test_a_hung_handshake_is_bounded(serve: Serve, pki: Pki, stage: str) -> None:
    box: list[FakeServer] = []

    def silent(_: Request, __: Any) -> None:
        box[0].wait_closing(30)

    box.append(serve(silent, hang=stage == "before TLS"))
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"no response within|did not respond in time") as caught:
        run(api_for(box[0], pki), deadline=0.5)
    assert time.monotonic() - began < 10
    assert box[0].url in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("verb", ["create", "get"])
def test_a_forbidden_exec_names_the_missing_verb(serve: Serve, pki: Pki, verb: str) -> None:
    status = forbidden(verb, "pods/exec")
    server = serve(lambda *_: Answer(403, status))
    with pytest.raises(ForbiddenError) as caught:
        run(api_for(server, pki))
    error = caught.value
    assert (error.verb, error.resource, error.namespace) == (verb, "pods/exec", "shop")
    assert error.message == status["message"]


@pytest.mark.parametrize("chunked", [True, False])
def test_the_reason_is_read_without_a_content_length(serve: Serve, pki: Pki, *, chunked: bool) -> None:
    body = encode(Answer(403, forbidden("get", "pods/exec"))).partition(b"\r\n\r\n")[2]

    def script(_: Request, stream: Any) -> None:
        if chunked:
            half = len(body) // 2
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:], b""))
            stream.sendall(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        else:
            stream.sendall(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n" + body)

    with pytest.raises(ForbiddenError) as caught:
        run(api_for(serve(script), pki))
    assert caught.value.verb == "get"


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        pytest.param(b'e;x="y"\r\n{"message":"a"\r\n1\r\n}\r\n0\r\n\r\n', "a", id="with an extension"),
        pytest.param(b"no chunk\r\n0\r\n\r\n", "the server responded with 500 Forbidden", id="not chunks"),
    ],
)
def test_the_reason_in_unusual_chunks(serve: Serve, pki: Pki, chunks: bytes, message: str) -> None:
    def script(_: Request, stream: Any) -> None:
        stream.sendall(b"HTTP/1.1 500 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    with pytest.raises(ClusterError) as caught:
        run(api_for(serve(script), pki))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(404, {"message": 'pods "web" not found'}), NotFoundError, 'pods "web" not found'),
        (Answer(401, {"message": "Unauthorized"}), ClusterError, "you must be logged in to the server (Unauthorized)"),
        (
            Answer(400, {"message": "container app is not valid for pod web"}),
            ClusterError,
            "container app is not valid",
        ),
        (Answer(403, b""), ForbiddenError, "not allowed to create pods/exec"),
        (Answer(502, b"<html>bad gateway</html>"), ClusterError, "the server responded with 502 Reason"),
        (Answer(500, {"message": "error dialing backend: no route to host"}), ClusterError, "error dialing backend"),
        (Answer(200, {}), ClusterError, "the server responded with 200 Reason"),
        (Answer(302, b"", (("Location", "https://localhost:1/"),)), ClusterError, "could not open a websocket"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
def test_a_refused_handshake(serve: Serve, pki: Pki, answer: Answer, error: type[ClusterError], message: str) -> None:
    with pytest.raises(error) as caught:
        run(api_for(serve(lambda *_: answer), pki))
    assert type(caught.value) is error
    assert message in caught.value.message


def test_a_server_without_our_protocols_is_an_error(serve: Serve, pki: Pki) -> None:
    with pytest.raises(ClusterError, match="could not open a websocket"):
        run(api_for(serve(sends(protocol="v1.other")), pki))


def test_an_interrupt_comes_through_at_once(serve: Serve, pki: Pki) -> None:
    box: list[FakeServer] = []
    box.append(serve(holds(box, message(STDOUT, "begun"))))
    api = api_for(box[0], pki)
    began = time.monotonic()

    def interrupt() -> None:
        while not box[0].requests:
            box[0].wait_closing(0.02)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(api, deadline=20)
    thread.join()
    assert time.monotonic() - began < 10


def test_fifty_at_once(serve: Serve, pki: Pki) -> None:
    def script(request: Request, stream: Any) -> None:
        stream.sendall(switch(request) + message(STDOUT, request.target[-2:]) + message(STATUS, SUCCESS) + close())

    api = api_for(serve(script), pki)
    results: dict[int, CompletedExec] = {}
    threads = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, run(api, f"{n:02}", deadline=20))) for n in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: done.stdout.decode() for n, done in results.items()} == {n: f"{n:02}" for n in range(50)}


PORT = b"\x50\x00"
REFUSED = (
    "error forwarding port 80 to pod 1f, uid : failed to execute portforward in network namespace: failed to connect "
    "to localhost:80 inside namespace, IPv4: dial tcp4 127.0.0.1:80: connect: connection refused"
)

BROKE_OFF = Listening(listening=None, message="the port-forward broke off")
OTHER_PORT = Listening(listening=None, message="the port-forward is not of this port")


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ([message(0, PORT), message(1, PORT), message(1, REFUSED)], Listening(listening=False, message=REFUSED)),
        ([message(0, PORT) + message(1, PORT) + message(1, REFUSED)], Listening(listening=False, message=REFUSED)),
        (
            [message(0, PORT), message(1, PORT), message(0, "220 mail ready\r\n")],
            Listening(listening=True, message="the port sent data"),
        ),
        (
            [message(0, PORT), message(1, PORT), close()],
            Listening(listening=True, message="the port accepted a connection and closed it"),
        ),
        (
            [message(0, PORT), message(1, PORT), message(1, "sandbox is not running")],
            Listening(listening=None, message="sandbox is not running"),
        ),
        ([close()], Listening(listening=None, message="the port-forward ended before it started")),
        ([message(0, PORT), message(1, PORT)], BROKE_OFF),
        ([message(0, PORT), message(1, PORT), close(1011)], BROKE_OFF),
        ([message(0, PORT), message(1, PORT), b"\xf2\x05hello"], BROKE_OFF),
        (
            [message(0, PORT), close()],
            Listening(listening=None, message="the port-forward ended before it started"),
        ),
        ([message(7, PORT), close()], OTHER_PORT),
        ([message(0, b"\x0f\x27"), message(1, b"\x0f\x27"), close()], OTHER_PORT),
        ([message(0, b"\x50"), close()], OTHER_PORT),
    ],
    ids=[
        "refused", "refused in one record", "the server speaks first", "accepted and closed", "another error",
        "nothing", "cut", "an error of the kubelet", "no frame", "the channel for errors is missing", "another channel",
        "another port", "half a port",
    ],
)  # fmt: skip
def test_whether_a_port_listens(serve: Serve, pki: Pki, writes: list[bytes], expected: Listening) -> None:
    server = serve(sends(*writes))
    assert listens(api_for(server, pki), "shop", "web", 80, deadline=10) == expected
    (request,) = server.requests
    assert request.target == "/api/v1/namespaces/shop/pods/web/portforward?ports=80"
    assert request.values("sec-websocket-protocol") == ["v4.channel.k8s.io"]


@pytest.mark.parametrize(
    ("writes", "listening"),
    [([message(0, PORT), message(1, PORT)], True), ([], None)],
    ids=["accepted and silent", "nothing came"],
)
def test_silence_is_bounded(serve: Serve, pki: Pki, writes: list[bytes], *, listening: bool | None) -> None:
    box: list[FakeServer] = []
    box.append(serve(holds(box, *writes)))
    began = time.monotonic()
    deadline = 20 if listening else 1
    assert listens(api_for(box[0], pki), "shop", "web", 80, deadline=deadline).listening is listening
    assert time.monotonic() - began < 10


def test_a_forbidden_port_forward(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(403, forbidden("create", "pods/portforward")))
    with pytest.raises(ForbiddenError) as caught:
        listens(api_for(server, pki), "shop", "web", 80, deadline=10)
    assert (caught.value.verb, caught.value.resource) == ("create", "pods/portforward")


def test_a_shell_that_waits_runs_one_program(serve: Serve, pki: Pki) -> None:
    server = serve(sends(message(1, "open\n"), message(3, SUCCESS), close()))
    shell = Shell(api_for(server, pki), "shop", "web", None, "sh", deadline=10)
    done = shell.run(["sh", "-c", "true\n" * 400, "sh", "a"], deadline=10)
    assert (done.exit_code, done.stdout, done.error) == (0, b"open\n", None)
    (request,) = server.requests
    query = parse_qs(urlsplit(request.target).query)
    assert query == {"stdin": ["true"], "stdout": ["true"], "stderr": ["true"], "command": ["sh"]}


def test_a_shell_that_waits_runs_long_programs_alone(serve: Serve, pki: Pki) -> None:
    shell = Shell(api_for(serve(sends()), pki), "shop", "web", "side", "sh", deadline=10)
    with pytest.raises(ClusterError, match="long programs"):
        shell.run(["nc", "-z"], deadline=10)


def test_a_shell_that_may_not_be_started(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(403, forbidden("create", "pods/exec")))
    with pytest.raises(ForbiddenError):
        Shell(api_for(server, pki), "shop", "web", None, "sh", deadline=10)
