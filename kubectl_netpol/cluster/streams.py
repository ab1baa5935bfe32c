"""Exec and port-forward over websockets, each within a deadline and with bounded output."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import websocket

from kubectl_netpol.cluster.api import Api, rbac_attributes
from kubectl_netpol.cluster.decode import as_object, decode
from kubectl_netpol.errors import ClusterError
from kubectl_netpol.fields import BadField, mapping, objects, optional_text, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STDIN, _STDOUT, _STDERR, _ERROR = 0, 1, 2, 3
_EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_FORWARD_PROTOCOLS = ("v4.channel.k8s.io",)
_FORWARD_DATA, _FORWARD_ERROR = 0, 1
_FORWARD = {_FORWARD_DATA, _FORWARD_ERROR}
_NORMAL_CLOSURE = 1000
_LONGEST_MESSAGE = 2000
_MISSING = re.compile(rb"executable file not found in \$PATH|no such file or directory")
_RECEIVE_BYTES = 1 << 16
_MOST_BYTES = 64 << 20  # of one exec or port-forward; the report on fifty ports has 60 kB
_LONG_COMMAND = 1000  # characters
_STATUS_BYTES = 1 << 16
_LAST_SECONDS = 0.3  # from the Status of an exec to the close of the connection; Kubernetes 1.35 takes 0.2 ms
_QUIET_SECONDS = 0.5  # from the start of a port-forward to a refusal; Kubernetes 1.35 takes 3 ms


class CompletedExec(NamedTuple):
    """The result of a command in a container.

    `exit_code` is None if the program did not run or its end is not known; `error` is then the server's message.
    `stdout` and `stderr` have at most `limit` bytes each (`truncated`: there was more). `seconds` counts from the call.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    error: str | None
    seconds: float
    timed_out: bool = False
    truncated: bool = False


class Listening(NamedTuple):
    """Whether a port of a pod accepts a connection from inside the pod; None if unknown."""

    listening: bool | None
    message: str


def execute(
    api: Api,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    deadline: float,
    limit: int = 1 << 20,
) -> CompletedExec:
    """Run `command` in a container and return within `deadline` seconds, handshake included; it finds no input.

    A long program of a shell (SHELL -c PROGRAM NAME ARGUMENT…) does not travel in the URL, which proxies limit to 8 kB.
    Raises ForbiddenError, NotFoundError, or ClusterError if there is no connection in time. The program keeps running
    after the deadline: it must end by itself.
    """
    began = time.monotonic()
    words, program = by_stdin(command)
    query = _exec_query(container, words, stdin=bool(program))
    with _opened(api, _path(namespace, pod, "exec"), query, _EXEC_PROTOCOLS, began + deadline) as link:
        return _ended(link, program, began, limit)


class Shell:
    """A shell in a container (None: the only one of the pod) that waits for its program; it ends with its connection.

    ClusterError, as `execute` raises it, where it can't be started within `deadline` seconds.
    """

    def __init__(
        self, api: Api, namespace: str, pod: str, container: str | None, shell: str, *, deadline: float
    ) -> None:
        query = _exec_query(container, [shell], stdin=True)
        until = time.monotonic() + deadline
        self._open = contextlib.ExitStack()
        link = _opened(api, _path(namespace, pod, "exec"), query, _EXEC_PROTOCOLS, until)
        self._link = self._open.enter_context(link)

    def run(self, command: Sequence[str], *, deadline: float, limit: int = 1 << 20) -> CompletedExec:
        """As `execute`, once: the command is a long program of this shell; ClusterError for any other."""
        began = time.monotonic()
        self._link.deadline = began + deadline
        _, program = by_stdin(command)
        with self._open:
            if not program:
                raise ClusterError("a shell that waits runs long programs alone")
            return _ended(self._link, program, began, limit)


def _exec_query(container: str | None, words: Sequence[str], *, stdin: bool) -> list[tuple[str, str]]:
    return [
        *([("container", container)] if container else []),
        *([("stdin", "true")] if stdin else []),
        ("stdout", "true"),
        ("stderr", "true"),
        *(("command", word) for word in words),
    ]


def _ended(link: _Link, program: bytes, began: float, limit: int) -> CompletedExec:
    """What an exec came to, to which its program is sent if there is one."""
    room = {_STDOUT: limit, _STDERR: limit, _ERROR: _STATUS_BYTES}
    kept = {channel: bytearray() for channel in room}
    truncated = timed_out = False
    try:
        if program:
            link.send_message(_STDIN, program)
        for channel, data in link.messages():
            if channel not in room:
                continue
            left = room[channel] - len(kept[channel])
            kept[channel] += data[:left]
            truncated |= len(data) > left
            if channel == _ERROR:
                link.deadline = min(link.deadline, time.monotonic() + _LAST_SECONDS)
    except TimeoutError:
        timed_out = not kept[_ERROR]
    stdout, stderr = bytes(kept[_STDOUT]), bytes(kept[_STDERR])
    code, error = (None, None) if timed_out else _status(bytes(kept[_ERROR]), stdout + stderr)
    return CompletedExec(code, stdout, stderr, error, time.monotonic() - began, timed_out, truncated)


def by_stdin(command: Sequence[str]) -> tuple[Sequence[str], bytes]:
    """The command to run, and what to write to its stdin: the program of a shell, if it is a long one.

    The shell reads all of it before it begins, and what the program runs reads nothing of it.
    """
    if list(command[1:2]) != ["-c"] or sum(map(len, command)) < _LONG_COMMAND:
        return command, b""
    shell, _, program, _, *arguments = command
    text = f"{{\nset -- {' '.join(map(shlex.quote, arguments))}\n{program}\n}} </dev/null\nexit\n"
    return [shell], text.encode()


def listens(api: Api, namespace: str, pod: str, port: int, *, deadline: float) -> Listening:
    """Let the kubelet connect to `port` on localhost in the pod, which no NetworkPolicy filters, and send nothing.

    Raises ForbiddenError, NotFoundError, or ClusterError if there is no connection within `deadline` seconds.
    """
    query = [("ports", str(port))]
    began = time.monotonic()
    opened: set[int] = set()
    with _opened(api, _path(namespace, pod, "portforward"), query, _FORWARD_PROTOCOLS, began + deadline) as link:
        quiet = max(_QUIET_SECONDS, 2 * (time.monotonic() - began))  # a distant or busy node refuses later
        try:
            for channel, message in link.messages():
                data = message
                if channel not in opened:  # its first message begins with the port's number
                    if channel not in _FORWARD or message[:2] != port.to_bytes(2, "little"):
                        return Listening(listening=None, message="the port-forward is not of this port")
                    data = message[2:]
                if not opened:
                    link.deadline = min(link.deadline, time.monotonic() + quiet)
                opened.add(channel)
                if data and channel == _FORWARD_DATA:
                    return Listening(listening=True, message="the port sent data")
                if data:
                    error = data.decode(errors="replace").strip()
                    return Listening(listening=False if "connection refused" in error.lower() else None, message=error)
        except TimeoutError:
            return _quiet("did not start in time", "", open_=opened == _FORWARD)
    if link.closed != _NORMAL_CLOSURE:
        return Listening(listening=None, message="the port-forward broke off")
    return _quiet("ended before it started", " and closed it", open_=opened == _FORWARD)


def _quiet(missed: str, then: str, *, open_: bool) -> Listening:
    """Of a port-forward that said nothing. `open_`: both of its channels were opened."""
    message = f"the port accepted a connection{then}" if open_ else f"the port-forward {missed}"
    return Listening(listening=open_ or None, message=message)


def _path(namespace: str, pod: str, subresource: str) -> str:
    quoted = (quote(name, safe="", errors="replace") for name in (namespace, pod))
    return "/api/v1/namespaces/{}/pods/{}/".format(*quoted) + subresource


def _status(message: bytes, output: bytes) -> tuple[int | None, str | None]:
    """The exit status, or why there is none, from the Status that ends an exec. ClusterError for what is no Status."""
    if not message:
        return None, "the connection closed before the command ended"
    if message.lstrip()[:1] not in (b"{", b"["):  # something on the way says in words what went wrong
        return None, message[:_LONGEST_MESSAGE].decode(errors="replace")
    try:
        status = as_object(decode(message))
        if status.get("status") == "Success":
            return 0, None
        causes = objects(mapping(status.get("details"), "details").get("causes"), "causes")
        codes = [_code(cause) for cause in causes if cause.get("reason") == "ExitCode"]
        error = optional_text(status.get("message"), "message") or "the exec failed"
    except (ValueError, BadField) as error:
        raise ClusterError(f"the server ended an exec with a status that is none: {error}") from None
    if not codes:
        return None, error
    # A runtime may report a missing program on the program's own streams, with an exit status of its own.
    if b"exec failed" in output and _MISSING.search(output):
        return None, output.decode(errors="replace").strip()
    return codes[0], None


def _code(cause: dict[str, Any]) -> int:
    found = text(cause.get("message"), "message")
    if not re.fullmatch(r"\d{1,9}", found, re.ASCII):
        raise BadField("message", f'expected an exit status, got "{found[:80]}"')
    return int(found)


@contextlib.contextmanager
def _opened(
    api: Api, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str], deadline: float
) -> Iterator[_Link]:
    sock = api.dial(deadline - time.monotonic())
    try:
        link = _Link(sock, deadline)
        link.upgrade(api, path, query, protocols)
        yield link
    finally:
        sock.close()


class _NoCookies:
    """In place of the library's, which are of the whole process, and of which an odd one is a CookieError."""

    def add(self, _: str | None) -> None:
        """Forget it."""

    def get(self, _: str) -> str:
        return ""


websocket._handshake.CookieJar = _NoCookies()  # type: ignore[assignment] # noqa: SLF001 - there is no option


class _Link:
    """A websocket to the API server whose every read and write ends at `deadline` (of time.monotonic).

    To `websocket` this is the socket; reads are buffered, as `websocket` reads single bytes.
    """

    def __init__(self, sock: Any, deadline: float) -> None:
        self.deadline = deadline
        self._socket = sock
        self.closed: int | None = None  # the status in the frame that ends it, if there is one
        self._buffer = b""
        self._received = 0
        self._websocket: Any = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)

    def upgrade(self, api: Api, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str]) -> None:
        """Do the handshake; raises the API server's reason for refusing it."""
        netloc = urlsplit(api.server).netloc
        try:
            self._websocket.connect(
                f"ws://{netloc}{api.target(path, query)}",
                socket=self,
                host=netloc,
                header=[f"{name}: {value}" for name, value in api.headers()],
                subprotocols=list(protocols),
                suppress_origin=True,
                redirect_limit=0,
            )
        except websocket.WebSocketBadStatusException as error:
            known = error.resp_headers or {}
            body = error.resp_body or b""
            if not body and "content-length" not in known:
                body = self._rest(chunked="transfer-encoding" in known)
            attributes = rbac_attributes("POST", path)
            raise api.status_error(error.status_code, error.status_message or "", body, attributes) from error
        except websocket.WebSocketTimeoutException as error:
            raise ClusterError(
                f"the server {api.server} did not respond in time", "the API server or the kubelet may be overloaded"
            ) from error
        except (websocket.WebSocketException, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ClusterError(f"the server {api.server} could not open a websocket: {error}") from error

    def send_message(self, channel: int, data: bytes) -> None:
        """ClusterError if the connection does not take it; TimeoutError at the deadline."""
        try:
            self._websocket.send_binary(bytes([channel]) + data)
        except websocket.WebSocketTimeoutException as error:
            raise TimeoutError from error
        except (websocket.WebSocketException, OSError) as error:
            raise ClusterError(f"the server closed the connection: {error}") from error

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Yield channel and data of each message until the connection ends; raise TimeoutError at the deadline."""
        try:
            while True:
                code, frame = self._websocket.recv_data_frame()
                if code == websocket.ABNF.OPCODE_CLOSE:
                    self.closed = int.from_bytes(frame.data[:2], "big")
                    return
                if frame.data:
                    yield frame.data[0], frame.data[1:]
        except websocket.WebSocketTimeoutException as error:
            raise TimeoutError from error
        except (websocket.WebSocketException, OSError):
            return

    def _rest(self, *, chunked: bool) -> bytes:
        """The body of a response without Content-Length."""
        rest = b""
        with contextlib.suppress(OSError):
            while (
                len(rest) < _STATUS_BYTES
                and not (chunked and rest.endswith(b"0\r\n\r\n"))
                and (more := self.recv(_RECEIVE_BYTES))
            ):
                rest += more
        if not chunked:
            return rest
        body = b""
        with contextlib.suppress(ValueError):  # an invalid chunk ends it
            while size := int(rest.partition(b"\r\n")[0].partition(b";")[0] or b"0", 16):
                start = rest.find(b"\r\n") + 2
                body, rest = body + rest[start : start + size], rest[start + size + 2 :]
        return body

    # The methods of a socket that `websocket` calls.

    def recv(self, size: int) -> bytes:
        if not self._buffer:
            self._arm()
            # urllib3 returns 0 at the end of TLS through a TLS proxy
            self._buffer = self._socket.recv(_RECEIVE_BYTES) or b""
            self._received += len(self._buffer)
            if self._received > _MOST_BYTES:
                raise ClusterError(f"the server sent more than {_MOST_BYTES >> 20} MiB in an exec or port-forward")
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def send(self, data: bytes) -> int:
        self._arm()
        self._socket.sendall(data)
        return len(data)

    def gettimeout(self) -> float:
        return self.deadline

    def settimeout(self, _: float | None) -> None:
        """Do nothing: `deadline` decides."""

    def close(self) -> None:
        """Do nothing: the body of a refusal is still to read."""

    def _arm(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
