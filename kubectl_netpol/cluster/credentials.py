"""Who a kubeconfig's user is: token, password, client certificate or credential plugin; and the TLS that this makes.

Rules and words are client-go's (rest, transport, plugin/pkg/client/auth/exec).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")


_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


_EXEC_EXTENSION = "client.authentication.k8s.io/exec"


class Credentials(NamedTuple):
    """How the user identifies: the value of Authorization, and certificate with key as PEM; each may be absent."""

    authorization: str | None = None
    pem: bytes | None = None


def text(body: Mapping[str, Any], key: str, where: str) -> str:
    """Return the string at `key`, empty where there is none; `where` names the body in the error.

    The error does not show the value: it may be a password.
    """
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
        found = kinds.get(type(value), type(value).__name__)
        raise ClusterError(f"invalid kubeconfig: {key} of {where} must be a string, is {found}", "quote it")
    return value


def flag(body: Mapping[str, Any], key: str, where: str) -> bool:
    """Return the boolean at `key`, false where there is none; `where` names the body in the error."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise ClusterError(f"invalid kubeconfig: {key} of {where} must be true or false, is {value!r}")
    return bool(value)


def strings(body: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """Return the list of strings at `key`, empty where there is none."""
    return _several(body, key, where, str)


def mappings(body: Mapping[str, Any], key: str, where: str) -> tuple[dict[str, Any], ...]:
    """Return the list of mappings at `key`, empty where there is none."""
    return _several(body, key, where, dict)


def _several(body: Mapping[str, Any], key: str, where: str, kind: type[T]) -> tuple[T, ...]:
    value = body.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
        noun = "strings" if kind is str else "mappings"
        raise ClusterError(f"invalid kubeconfig: {key} of {where} must be a list of {noun}")
    return tuple(value)


def content(body: Mapping[str, Any], key: str, owner: str) -> bytes:
    """Return what `KEY-data` holds or else what the file `KEY` names; empty where neither is given."""
    path, encoded = text(body, key, owner), text(body, f"{key}-data", owner)
    if encoded:
        try:
            return base64.b64decode(encoded, validate=False)
        except binascii.Error as error:
            raise ClusterError(f"invalid kubeconfig: {key}-data of {owner} is no base64: {error}") from error
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ClusterError(f"unable to read {key} {path} for {owner} due to {error.strerror}") from error


def credentials(user: Mapping[str, Any], name: str, cluster: Mapping[str, Any], anchors: bytes) -> Credentials:
    """Return how the user of a kubeconfig identifies; with a credential plugin, run it.

    `anchors` is what verifies the server, which a plugin may ask for; the plugin's stderr is the user's.
    """
    if provider := user.get("auth-provider"):
        kind = provider.get("name") if isinstance(provider, dict) else provider
        raise ClusterError(
            f'user "{name}" uses the auth-provider {kind}, which is not supported',
            "use a credential plugin (exec), as kubectl itself asks for since 1.26",
        )
    username, password = text(user, "username", name), text(user, "password", name)
    token = _token(user, name)
    if token and (username or password):
        raise ClusterError(f"more than one authentication method found for {name}; found [token basicAuth]")
    certificate, key = content(user, "client-certificate", name), content(user, "client-key", name)
    if certificate and not key:
        raise ClusterError(
            f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        )
    pem = certificate + b"\n" + key if certificate else None
    if not token.isprintable():
        raise ClusterError(f'user "{name}": the token has line breaks or control characters in it')
    if token:
        return Credentials(f"Bearer {token}", pem)
    if username or password:
        return Credentials(f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}", pem)
    if user.get("exec") is None:
        return Credentials(None, pem)
    plugged = _plugin_credentials(user["exec"], name, cluster, anchors)
    return plugged._replace(pem=pem or plugged.pem)


def _token(user: Mapping[str, Any], name: str) -> str:
    """The file is asked first, as it may have been renewed; the token stands in while it can't be read."""
    token = text(user, "token", name)
    if not (path := text(user, "tokenFile", name)):
        return token
    try:
        read, why = Path(path).read_text(encoding="utf-8").strip(), "is empty"
    except (OSError, UnicodeDecodeError) as error:
        read, why = "", f"can't be read: {error}"
    if not read and not token:
        raise ClusterError(f'user "{name}": tokenFile {path} {why}')
    return read or token


def _plugin_credentials(
    plugin: Any, user: str, cluster: Mapping[str, Any], anchors: bytes
) -> Credentials:  # a value from YAML
    """Run the credential plugin; its stderr is the user's, and nobody is anonymous because it failed."""
    import shutil  # noqa: PLC0415 # only where there is a plugin
    import subprocess  # noqa: PLC0415 # the same

    if not isinstance(plugin, dict):
        raise ClusterError(f"invalid kubeconfig: exec of {user} must be a mapping")
    command, version = text(plugin, "command", user), text(plugin, "apiVersion", user)
    for key, value in (("command", command), ("apiVersion", version)):
        if not value:
            raise ClusterError(f"{key} must be specified for {user} to use exec authentication plugin")
    if version not in _EXEC_VERSIONS:
        raise ClusterError(f'exec plugin: invalid apiVersion "{version}"', f"known: {', '.join(_EXEC_VERSIONS)}")
    interactive = _interactive(plugin, user, version)
    spec: dict[str, Any] = {"interactive": interactive}
    if flag(plugin, "provideClusterInfo", user):
        spec["cluster"] = _cluster_info(cluster, anchors)
    request = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    added = {text(item, "name", user): text(item, "value", user) for item in mappings(plugin, "env", user)}
    environment = {**os.environ, **added}
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(request)
    program = shutil.which(command)
    hint = text(plugin, "installHint", user).strip() or f"install {command}, or choose another user"
    if program is None:
        raise ClusterError(f"getting credentials: exec: executable {command} not found", hint)
    try:
        done = subprocess.run(  # noqa: S603 # the kubeconfig's own command, as kubectl runs it
            [program, *strings(plugin, "args", user)],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise ClusterError(f"getting credentials: exec: {command}: {error.strerror}", hint) from error
    if done.returncode:
        raise ClusterError(
            f"getting credentials: exec: executable {command} failed with exit code {done.returncode}", hint
        )
    return _plugin_answer(done.stdout, command, version)


def _interactive(plugin: Mapping[str, Any], user: str, version: str) -> bool:
    mode = text(plugin, "interactiveMode", user)
    if not mode and version == _EXEC_VERSIONS[0]:
        raise ClusterError(f"interactiveMode must be specified for {user} to use exec authentication plugin")
    if mode not in ("", "Never", "IfAvailable", "Always"):
        raise ClusterError(f'invalid interactiveMode for {user}: "{mode}"')
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not terminal:
        raise ClusterError(
            "getting credentials: exec plugin cannot support interactive mode: standard input is not a terminal"
        )
    return terminal and mode != "Never"


def _cluster_info(cluster: Mapping[str, Any], anchors: bytes) -> dict[str, Any]:
    keys = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression")
    info = {key: cluster[key] for key in keys if cluster.get(key)}
    if anchors:
        info["certificate-authority-data"] = base64.b64encode(anchors).decode()
    for item in mappings(cluster, "extensions", "the cluster"):
        if item.get("name") == _EXEC_EXTENSION:
            info["config"] = item.get("extension")
    return info


def _plugin_answer(output: bytes, command: str, version: str) -> Credentials:
    try:
        answer = json.loads(output)
        status = answer.get("status")
        answered = answer.get("apiVersion")
    except (ValueError, AttributeError) as error:
        raise ClusterError(f"getting credentials: decoding stdout of {command}: it is no ExecCredential") from error
    if answered != version:
        message = f"exec plugin is configured to use API version {version}, plugin returned version {answered}"
        raise ClusterError(f"getting credentials: {message}")
    if not isinstance(status, dict):
        raise ClusterError("getting credentials: exec plugin didn't return a status field")
    token, certificate, key = (
        text(status, name, command) for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if not token.isprintable():
        raise ClusterError("getting credentials: exec plugin returned a token with line breaks in it")
    if bool(certificate) != bool(key):
        raise ClusterError("getting credentials: exec plugin returned only certificate or key, not both")
    if not token and not certificate:
        raise ClusterError("getting credentials: exec plugin didn't return a token or cert/key pair")
    pem = f"{certificate}\n{key}".encode() if certificate else None
    return Credentials(f"Bearer {token}" if token else None, pem)


def tls_context(anchors: bytes, pem: bytes | None, *, verify: bool, user: str) -> ssl.SSLContext:
    """Go's verification: TLS 1.2, any given certificate may be an anchor, names only from subjectAltName."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif anchors:
        try:
            context.load_verify_locations(cadata=anchors.decode("ascii", "ignore"))
        except (ssl.SSLError, ValueError) as error:
            raise ClusterError("unable to load root certificates: unable to parse bytes as PEM block") from error
    else:
        _system_anchors(context)
    if pem:
        try:
            with _as_file(pem) as path:
                context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError) as error:
            raise ClusterError(f'tls: the client certificate and key of user "{user}" do not load: {error}') from error
    return context


def _system_anchors(context: ssl.SSLContext) -> None:
    """Python for macOS may know no system certificates: then those that the client package brings."""
    paths = ssl.get_default_verify_paths()
    context.load_default_certs()
    if not paths.cafile and not paths.capath and not context.cert_store_stats()["x509_ca"]:
        import certifi  # noqa: PLC0415 # rarely needed

        context.load_verify_locations(certifi.where())


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[Path]:
    """OpenSSL reads a certificate and its key from a file only: one in memory where the system has that."""
    if sys.platform == "linux" and Path("/proc/self/fd").exists():
        with os.fdopen(os.memfd_create("pem"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield Path(f"/proc/self/fd/{memory.fileno()}")
        return
    import tempfile  # noqa: PLC0415 # not on Linux

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pem")
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield path
