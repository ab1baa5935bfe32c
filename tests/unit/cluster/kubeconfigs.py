"""Rows of kubeconfigs, and servers that record what our code and the real kubectl send for each."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kubectl_netpol.cluster import kubeconfig
from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.cluster.streams import execute
from kubectl_netpol.errors import ClusterError
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, Request, discovery, message, switch

if TYPE_CHECKING:
    from pathlib import Path

KUBECTL = os.environ.get("NETPOL_KUBECTL") or shutil.which("kubectl")


class Seen(NamedTuple):
    """What reached which server, and through which proxy."""

    server: str = "one"
    namespace: str = "default"
    authorization: str | None = None
    client: str | None = None
    impersonation: tuple[str, ...] = ()
    sni: str | None = None
    proxied: tuple[str, ...] = ()


class Row(NamedTuple):
    """Files below the current folder; `@name@` in them and in `env` is replaced by `World.values[name]`.

    `expected` is what is seen, or a part of the error. `kubectl_differs`: what kubectl does instead, then not compared.
    """

    files: dict[str, Any]
    expected: Seen | str
    options: ClusterOptions = ClusterOptions()
    env: dict[str, str] = {}  # noqa: RUF012 # a row is never changed
    hint: str = ""
    kubectl_differs: str = ""


def cluster(server: str = "@one@", **more: Any) -> dict[str, Any]:
    body = {"server": server}
    if server.startswith("@one@") or server in ("@two@", "@six@") or "example" in server:
        body["certificate-authority-data"] = "@ca.crt-data@"
    body |= {key.replace("_", "-"): value for key, value in more.items()}
    return {key: value for key, value in body.items() if value is not None}


def config(
    user: dict[str, Any] | None = None,
    *,
    at: dict[str, Any] | None = None,
    namespace: str | None = None,
    current: str | None = "main",
    name: str = "main",
) -> dict[str, Any]:
    """A kubeconfig of one context with one cluster and user, all of one name."""
    context = {"cluster": name, "user": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        **({"current-context": current} if current else {}),
        "clusters": [{"name": name, "cluster": at or cluster()}],
        "contexts": [{"name": name, "context": context}],
        "users": [{"name": name, "user": user or {}}],
    }


def plugin(command: str = "@dir@/plugin", **more: Any) -> dict[str, Any]:
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never", **more}
    return {"exec": {key: value for key, value in spec.items() if value is not None}}


def says(version: str = "client.authentication.k8s.io/v1", **status: Any) -> str:
    """A credential plugin that prints this status."""
    answer = {"kind": "ExecCredential", "apiVersion": version, "status": status}
    return f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n"


TOKEN = {"token": "abc"}
BEARER = Seen(authorization="Bearer abc")
PATHS = {"client-certificate": "alice.crt", "client-key": "alice.key"}
ALICE = {"client-certificate-data": "@alice.crt-data@", "client-key-data": "@alice.key-data@"}


class World:
    """The recording servers, and a current folder."""

    def __init__(self, pki: Pki, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.proxied: list[str] = []
        self.servers = {
            "one": FakeServer(pki, answer),
            "two": FakeServer(pki, answer),
            "six": FakeServer(pki, answer, address="::1"),
            "odd": FakeServer(pki, answer, pair="misnamed"),
            "plain": FakeServer(None, answer),
            "proxy": FakeServer(None, self._proxy),
            "secure-proxy": FakeServer(pki, self._proxy),
        }
        self.values = {"dir": str(folder)}
        for name, server in self.servers.items():
            self.values |= {name: server.url, f"{name}-netloc": server.netloc, f"{name}-port": str(server.port)}
        for path in (pki.ca, *pki.pair("alice"), *pki.pair("bob")):
            content = path.read_bytes()
            self.values[path.name] = str(path)
            self.values[f"{path.name}-data"] = base64.b64encode(content).decode()
            self.values[f"{path.name}-pem"] = content.decode()
        info = {
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1",
            "spec": {
                "cluster": {
                    "server": self.values["one"],
                    "tls-server-name": "kube.example",
                    "certificate-authority-data": self.values["ca.crt-data"],
                    "config": {"audience": "x", "n": 1},
                },
                "interactive": False,
            },
        }
        self.values["exec-info"] = json.dumps(info, sort_keys=True)

    def prepare(self, row: Row) -> None:
        self.write(row.files)
        for name, value in row.env.items():
            self._monkeypatch.setenv(name, self.fill(value))

    def fill(self, text: str, *, quoted: bool = False) -> str:
        def value(match: re.Match[str]) -> str:
            return json.dumps(self.values[match[1]])[1:-1] if quoted else self.values[match[1]]

        return re.sub(r"@([a-z0-9.-]+)@", value, text)

    def write(self, files: dict[str, Any]) -> None:
        (self.folder / "home").mkdir()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.write_text(self.fill(content, quoted=content.startswith("#!") and "-pem@" in content))
            else:
                path.write_text(self.fill(json.dumps(content), quoted=True))
            path.chmod(0o700)

    def seen(self) -> Seen | None:
        """What arrived since the last call; None if pods were not requested."""
        found = [
            (name, request)
            for name, server in self.servers.items()
            for request in server.requests
            if "/pods" in request.target
        ]
        proxied = tuple(dict.fromkeys(self.proxied))
        self.proxied.clear()
        for server in self.servers.values():
            server.requests.clear()
        if not found:
            return None
        name, request = found[-1]
        space = re.search(r"/namespaces/([^/]+)/pods", request.target)
        return Seen(
            name,
            space[1] if space else "",
            decoded(next(iter(request.values("authorization")), None)),
            request.client,
            tuple(sorted(f"{key}: {value}" for key, value in request.headers if key.startswith("impersonate-"))),
            request.sni,
            proxied,
        )

    def _proxy(self, request: Request, stream: Any) -> Answer | None:
        if request.method != "CONNECT":
            self.proxied.append(re.sub(r"(?<=\d)/.*", "", request.target))
            return answer(request._replace(target=re.sub(r"^http://[^/]+", "", request.target)), stream)
        self.proxied.append(" ".join([request.target, *request.values("proxy-authorization")]))
        stream.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(request.target.rpartition(":")[2]))) as server:
            back = threading.Thread(target=pump, args=(server, stream), daemon=True)
            back.start()
            pump(stream, server)
            back.join()
        return None


def decoded(authorization: str | None) -> str | None:
    """Decode KUBERNETES_EXEC_INFO, which a row's plugin puts into its token."""
    match = re.fullmatch(r"(Bearer a-b c-e-)(.+)", authorization or "")
    if not match:
        return authorization
    return match[1] + json.dumps(json.loads(base64.b64decode(match[2])), sort_keys=True)


def pump(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(request: Request, stream: Any) -> Answer | None:
    if "/exec" in request.target:
        stream.sendall(switch(request) + message(3, {"status": "Success"}))
        return None
    return discovery(request._replace(target=request.target.removeprefix("/k8s/clusters/c-1")), stream)


def ours(world: World, options: ClusterOptions) -> Seen | None:
    api = Api(kubeconfig.load(options))
    api.list(f"/api/v1/namespaces/{api.namespace}/pods")
    return world.seen()


def kubectl(world: World, row: Row, *before: str) -> Seen | None:
    """What `kubectl get pods` sends with the same options; None if it fails or calls another server."""
    options = row.options
    arguments = [f"--as-group={group}" for group in options.as_groups]
    arguments += [
        f"--{name.removesuffix('_user').replace('_', '-')}={value}"
        for name in ("kubeconfig", "context", "cluster", "user", "namespace", "as_user", "as_uid")
        if (value := getattr(options, name)) is not None
    ]
    subprocess.run(
        [*before, KUBECTL or "", "get", "pods", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return world.seen()


def assert_same_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str], *before: str) -> None:
    if isinstance(row.expected, str):
        with pytest.raises(ClusterError, match=re.escape(row.expected)) as caught:
            ours(world, row.options)
        assert row.hint in (caught.value.hint or "")
        assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"
        assert world.seen() is None
    else:
        expected = Seen(*(filled(world, part) for part in row.expected))
        assert ours(world, row.options) == expected
    assert capfd.readouterr().out == ""
    if KUBECTL and not row.kubectl_differs:
        assert kubectl(world, row, *before) == (None if isinstance(row.expected, str) else expected)


def filled(world: World, part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(world.fill(one) for one in part)
    return world.fill(part) if isinstance(part, str) else part


def assert_exec_sends(world: World, row: Row) -> None:
    """Exec, by a websocket, has the same server, proxy and identity."""
    assert isinstance(row.expected, Seen)
    api = Api(kubeconfig.load(row.options))
    assert execute(api, api.namespace, "web", "app", ["true"], deadline=10).exit_code == 0
    assert world.seen() == Seen(*(filled(world, part) for part in row.expected))
