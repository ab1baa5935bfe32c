"""A recording API server on loopback: TLS with its own authority, JSON responses or a script for a connection."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import threading
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple

from kubernetes.client.configuration import Configuration

from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.kubeconfig import Access
from kubectl_netpol.cluster.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERVER_NAMES = ("localhost", "kube.example", "other.example")


class Request(NamedTuple):
    """A received request: `headers` in order with lower-case names; `sni` and `client` (a common name) may be None."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sni: str | None
    client: str | None
    connection: int

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]


class Answer(NamedTuple):
    """A response; a body that is not bytes is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class Pki(NamedTuple):
    """Files of an authority: `ca`, a server's and several clients' certificates."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def pair(self, name: str) -> tuple[Path, Path]:
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"


def make_pki(folder: Path) -> Pki:
    def openssl(arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)

    def issue(name: str, extension: str) -> None:
        (folder / f"{name}.ext").write_text(extension)
        openssl(f"req {key} -keyout {name}.key -out {name}.csr -subj /O=group-of-{name}/CN={name}")
        signed = f"-in {name}.csr -out {name}.crt -extfile {name}.ext -days 2"
        openssl(f"x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial {signed}")

    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl(f"req -x509 {key} -days 2 -keyout ca.key -out ca.crt -subj /CN=test-authority")
    names = ",".join([*(f"DNS:{name}" for name in SERVER_NAMES), "IP:127.0.0.1", "IP:::1"])
    issue("server", f"subjectAltName={names}\n")
    issue("misnamed", "subjectAltName=DNS:elsewhere.example\n")
    for client in ("alice", "bob"):
        issue(client, "extendedKeyUsage=clientAuth\n")
    return Pki(folder)


class FakeServer:
    """Serves until `close`; `requests` has every request that was read completely.

    `answer` returns the Answer to a request; or it takes over the connection, given the socket, and returns None.
    """

    def __init__(
        self,
        pki: Pki | None,
        answer: Callable[[Request, Any], Answer | None],
        *,
        address: str = "127.0.0.1",
        pair: str = "server",
        hang: bool = False,
        demanding: bool = False,
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._answer = answer
        self._hang = hang
        self._closing = threading.Event()
        self._sni: dict[int, str | None] = {}
        self._context = None
        if pki:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*pki.pair(pair))
            self._context.load_verify_locations(pki.ca)
            self._context.verify_mode = ssl.CERT_REQUIRED if demanding else ssl.CERT_OPTIONAL
            self._context.sni_callback = self._remember
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        host = f"[{address}]" if ":" in address else address
        self.netloc = f"{host}:{self.port}"
        self.url = f"{'https' if pki else 'http'}://{self.netloc}"
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def wait_closing(self, seconds: float) -> None:
        """Wait until the test is over, at most `seconds`: for scripts that keep a connection open and silent."""
        self._closing.wait(seconds)

    def _remember(self, sock: Any, name: str | None, _: ssl.SSLContext) -> None:
        self._sni[id(sock)] = name

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.add(sock)
                threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        if self._hang:
            self._closing.wait(60)
            return
        # AttributeError: of a stream that the end of the test closes in the middle of a call (CPython 3.11).
        with contextlib.suppress(OSError, ssl.SSLError, AttributeError):
            stream: Any = sock
            sni = client = None
            if self._context:
                stream = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._open.add(stream)
                stream.do_handshake()
                sni = self._sni.pop(id(stream), None)
                certificate = stream.getpeercert()
                if certificate:
                    client = dict(part[0] for part in certificate["subject"])["commonName"]
            with stream, stream.makefile("rb") as reader:
                for request in _requests(reader, sni, client, number):
                    self.requests.append(request)
                    answer = self._answer(request, stream)
                    if answer is None:
                        return
                    stream.sendall(encode(answer))


def api_for(
    server: FakeServer | str,
    pki: Pki,
    *headers: tuple[str, str],
    token: str | None = None,
    timeout: float | None = None,
    verify: bool = True,
    proxy: str | None = None,
) -> Api:
    """A client of a server, or of a URL, that trusts the authority and has the namespace "shop"."""
    configuration = Configuration(host=server if isinstance(server, str) else server.url)
    configuration.proxy = proxy
    configuration.verify_ssl = verify
    if token:
        configuration.api_key["authorization"] = f"Bearer {token}"
    secure = configuration.host.startswith("https")
    context = tls_context(pki.ca.read_bytes(), None, verify=verify, user="u") if secure else None
    return Api(Access(configuration, headers, "shop", timeout, context))


def _requests(reader: Any, sni: str | None, client: str | None, number: int) -> Iterator[Request]:
    while (line := reader.readline()) and line.count(b" ") > 1:
        method, target, _ = line.decode(errors="replace").split(" ", 2)
        headers = []
        while line := reader.readline().rstrip(b"\r\n"):
            name, _, value = line.decode().partition(":")
            headers.append((name.lower(), value.strip()))
        length = int(dict(headers).get("content-length", "0"))
        yield Request(method, target, tuple(headers), reader.read(length), sni, client, number)


def encode(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    headers = {
        "Content-Type": "application/json",
        "Date": formatdate(usegmt=True),
        "Content-Length": str(len(body)),
        **dict(answer.headers),
    }
    lines = [f"HTTP/1.1 {answer.status} Reason", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def discovery(request: Request, _: Any) -> Answer:
    """Respond as an empty cluster: enough for `kubectl get pods`."""
    path = request.target.partition("?")[0]
    pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
    answers = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]},
    }
    return Answer(body=answers.get(path, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}))


def switch(request: Request, protocol: str | None = None) -> bytes:
    """The response that upgrades to a websocket, with `protocol` or else the first one offered."""
    (key,) = request.values("sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
    offered = request.values("sec-websocket-protocol")[0].split(",")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        f"Sec-WebSocket-Protocol: {protocol or offered[0]}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def frame(payload: bytes, code: int = 2, *, final: bool = True) -> bytes:
    """An unmasked websocket frame."""
    length = len(payload)
    if length < 126:
        size = struct.pack("!B", length)
    elif length < 1 << 16:
        size = struct.pack("!BH", 126, length)
    else:
        size = struct.pack("!BQ", 127, length)
    return bytes([code | (0x80 if final else 0)]) + size + payload


def message(channel: int, payload: bytes | str | dict[str, Any]) -> bytes:
    """A frame of a Kubernetes channel; a dict becomes JSON."""
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    return frame(bytes([channel]) + (payload.encode() if isinstance(payload, str) else payload))


def close(code: int = 1000) -> bytes:
    return frame(struct.pack("!H", code), 8)
