"""Who the user of a kubeconfig is: token, password, client certificate or credential plugin.

Rules and messages are client-go's (rest, transport, plugin/pkg/client/auth/exec).
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.cluster.decode import BadJsonError, decode
from kubectl_netpol.cluster.kubeconfig_fields import (
    data_or_file,
    flag,
    mapping,
    mappings,
    read_file,
    strings,
    text,
)
from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping

_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_MOST_PRINTED = 1 << 24


class Credentials(NamedTuple):
    """The value of the Authorization header, and the client certificate with its key as PEM; each may be absent."""

    authorization: str | None = None
    pem: bytes | None = None


def credentials(user: Mapping[str, Any], name: str, cluster: Mapping[str, Any], anchors: bytes) -> Credentials:
    """The credentials of a kubeconfig's user; runs the credential plugin if there is one.

    `anchors` are the certificates that verify the server, which a plugin may ask for. Raises ClusterError if there are
    none although the user has some configured: the request must not go out anonymously.
    """
    if provider := user.get("auth-provider"):
        kind = f" {provider.get('name')}" if isinstance(provider, dict) else ""
        raise ClusterError(
            f'user "{name}" uses the auth-provider{kind}, which is not supported',
            "use a credential plugin (exec), as kubectl requires since 1.26",
        )
    username, password = text(user, "username", name), text(user, "password", name)
    token = _token(user, name)
    if token and (username or password):
        raise ClusterError(f"more than one authentication method found for {name}; found [token basicAuth]")
    certificate, key = data_or_file(user, "client-certificate", name), data_or_file(user, "client-key", name)
    if certificate and not key:
        raise ClusterError(
            f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        )
    pem = certificate + b"\n" + key if certificate else None
    if not token.isprintable():
        raise ClusterError(f'user "{name}": the token contains line breaks or control characters')
    if token:
        return Credentials(f"Bearer {token}", pem)
    if username or password:
        return Credentials(f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}", pem)
    if user.get("exec") is None:
        return Credentials(None, pem)
    from_plugin = _run_plugin(mapping(user, "exec", name), name, cluster, anchors)
    return from_plugin._replace(pem=pem or from_plugin.pem)


def _token(user: Mapping[str, Any], name: str) -> str:
    """The content of tokenFile, which may have been renewed, or else `token`."""
    token = text(user, "token", name)
    if not (path := text(user, "tokenFile", name)):
        return token
    try:
        read, why = read_file(path).decode().strip(), "is empty"
    except (OSError, ValueError) as error:
        read, why = "", f"can't be read: {error}"
    if not read and not token:
        raise ClusterError(f'user "{name}": tokenFile {path} {why}')
    return read or token


def _run_plugin(plugin: Mapping[str, Any], user: str, cluster: Mapping[str, Any], anchors: bytes) -> Credentials:
    """Run the credential plugin with the user's environment and stderr."""
    import shutil  # noqa: PLC0415 # only where there is a plugin
    import subprocess  # noqa: PLC0415 # the same

    command, version = text(plugin, "command", user), text(plugin, "apiVersion", user)
    for key, value in (("command", command), ("apiVersion", version)):
        if not value:
            raise ClusterError(f"{key} must be specified for {user} to use exec authentication plugin")
    if version not in _EXEC_VERSIONS:
        raise ClusterError(
            f'exec plugin: invalid apiVersion "{version}"', f"must be one of {', '.join(_EXEC_VERSIONS)}"
        )
    interactive = _interactive(plugin, user, version)
    spec: dict[str, Any] = {"interactive": interactive}
    if flag(plugin, "provideClusterInfo", user):
        spec["cluster"] = _cluster_info(cluster, anchors)
    request = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    added = {text(item, "name", user): text(item, "value", user) for item in mappings(plugin, "env", user)}
    arguments = strings(plugin, "args", user)
    _check_words(user, {"command": [command], "args": arguments, "env": [*added, *added.values()]}, added)
    environment = {**os.environ, **added}
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(request)
    program = shutil.which(command)
    hint = text(plugin, "installHint", user).strip() or f"install {command}, or choose another user with --user"
    if program is None:
        raise ClusterError(f"getting credentials: exec: executable {command} not found", hint)
    try:
        process = subprocess.Popen(  # noqa: S603 # the kubeconfig's own command, as kubectl runs it
            [program, *arguments],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise ClusterError(f"getting credentials: exec: {command}: {error.strerror}", hint) from error
    return _plugin_credentials(_printed(process, command), command, version)


def _printed(process: subprocess.Popen[bytes], command: str) -> bytes:
    """What the plugin prints, to its end, which is killed where it prints more than any credential has."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    status = None
    try:
        printed = process.stdout.read(_MOST_PRINTED + 1)
        if len(printed) <= _MOST_PRINTED:
            status = process.wait()
    finally:
        process.stdout.close()
        if status is None:
            process.kill()
            process.wait()
    if len(printed) > _MOST_PRINTED:
        raise ClusterError(f"getting credentials: exec: {command} printed more than {_MOST_PRINTED >> 20} MiB")
    if status:
        message = f"getting credentials: exec: executable {command} failed with exit code {status}"
        raise ClusterError(message, "what it said is above; run it by hand, or choose another user with --user")
    return printed


def _check_words(user: str, fields: Mapping[str, Iterable[str]], variables: Iterable[str]) -> None:
    """ClusterError for what can't be an argument or in the environment: with a NUL, or with half a character."""
    for field, words in fields.items():
        if any("\0" in word or re.search("[\ud800-\udfff]", word) for word in words):
            raise ClusterError(f"invalid kubeconfig: {field} of {user} has a character that no program can be given")
    for name in variables:
        if not name or "=" in name:
            raise ClusterError(f'invalid kubeconfig: env of {user} has the invalid name "{name}"')


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


def _plugin_credentials(output: bytes, command: str, version: str) -> Credentials:
    try:
        answer = decode(output)
    except BadJsonError as error:
        raise ClusterError(f"getting credentials: decoding stdout of {command}: {error}") from error
    if not isinstance(answer, dict):
        raise ClusterError(f"getting credentials: decoding stdout of {command}: not an ExecCredential")
    status, answered = answer.get("status"), answer.get("apiVersion")
    if answered != version:
        message = f"exec plugin is configured to use API version {version}, plugin returned version {answered}"
        raise ClusterError(f"getting credentials: {message}")
    if not isinstance(status, dict):
        raise ClusterError("getting credentials: exec plugin didn't return a status field")
    token, certificate, key = (
        text(status, name, command) for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if not token.isprintable():
        raise ClusterError("getting credentials: exec plugin returned a token that contains line breaks")
    if bool(certificate) != bool(key):
        raise ClusterError("getting credentials: exec plugin returned only certificate or key, not both")
    if not token and not certificate:
        raise ClusterError("getting credentials: exec plugin didn't return a token or cert/key pair")
    pem = f"{certificate}\n{key}".encode() if certificate else None
    return Credentials(f"Bearer {token}" if token else None, pem)
