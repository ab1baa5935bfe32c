"""The cluster, user and namespace that kubectl would use, from the kubeconfig files, the environment and the options.

Rules and messages are client-go's (tools/clientcmd). The loader of the Python client differs from them in ways that
change the server or the identity, so only its Configuration is used.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from kubernetes.client.configuration import Configuration

from kubectl_netpol.cluster.credentials import credentials
from kubectl_netpol.cluster.kubeconfig_fields import (
    data_or_file,
    flag,
    mapping,
    mappings,
    read_file,
    strings,
    text,
)
from kubectl_netpol.cluster.proxy import is_url_text, proxy_for
from kubectl_netpol.cluster.tls import tls_context
from kubectl_netpol.errors import ClusterError
from kubectl_netpol.manifests.yaml_text import load_first

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from kubectl_netpol.cluster.options import ClusterOptions

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_LONGEST_HOST = 253
_HEADER_BYTES = "!#$&'*+-.^_`|~"


class Access(NamedTuple):
    """Where to send requests, and with which identity.

    `configuration` has host, credentials, proxy and the name to verify; `tls` the trust anchors and the client
    certificate, which never stay on disk (None: plain HTTP). `headers` impersonate and may repeat a name.
    """

    configuration: Configuration
    headers: tuple[tuple[str, str], ...]
    namespace: str
    request_timeout: float | None
    tls: ssl.SSLContext | None


class _Config(NamedTuple):
    """All files merged: the first definition of a name wins; paths are absolute."""

    files: tuple[str, ...]
    current_context: str
    clusters: dict[str, dict[str, Any]]
    contexts: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]


def load(options: ClusterOptions) -> Access:
    """Read the kubeconfig as kubectl does and get the credentials; runs the credential plugin if there is one.

    Raises ClusterError where kubectl fails too, and for what is not supported.
    """
    config = _read(options.kubeconfig)
    context = _selected_context(config, options.context)
    name, cluster = _selected(config.clusters, options.cluster, context.get("cluster"), "cluster")
    if cluster is None and _in_cluster() and not context:
        cluster = _service_account_cluster()
        user_name, user = options.user or "", {"tokenFile": f"{_SERVICE_ACCOUNT}/token"}
        if options.user:
            _selected(config.users, options.user, None, "auth info")
    else:
        user_name, chosen = _selected(config.users, options.user, context.get("user"), "auth info")
        user = chosen or {}
    if cluster is None:
        raise _no_cluster_error(config, options.context)

    headers = _impersonation(user, user_name, options)
    anchors = _anchors(cluster, name)
    host = _host(cluster, name)
    configuration = Configuration(host=host)
    configuration.proxy, configuration.proxy_headers = proxy_for(host, cluster, name)
    tls = None
    if host.startswith("https:"):
        identity = credentials(user, user_name, cluster, anchors)
        if identity.authorization:
            configuration.api_key["authorization"] = identity.authorization
        configuration.verify_ssl = not flag(cluster, "insecure-skip-tls-verify", name)
        configuration.tls_server_name = _server_name(cluster, name)
        tls = tls_context(anchors, identity.pem, verify=configuration.verify_ssl, user=user_name)
    namespace = options.namespace or text(context, "namespace", "context") or _service_account_namespace() or "default"
    return Access(configuration, headers, namespace, options.request_timeout or None, tls)


def entries(section: str, kubeconfig: str | None) -> list[str]:
    """The sorted names in the "contexts", "clusters" or "users" of the kubeconfig."""
    return sorted(getattr(_read(kubeconfig), section))


def _read(explicit: str | None) -> _Config:
    from_environment = os.environ.get("KUBECONFIG", "")
    if explicit:
        names = [explicit]
    elif from_environment:
        names = list(dict.fromkeys(from_environment.split(os.pathsep)))
    else:
        home = Path(os.environ.get("HOME", "")) if os.name == "posix" else Path.home()
        names = [str(home / ".kube" / "config")]
    config = _Config(tuple(filter(None, names)), "", {}, {}, {})
    for name in config.files:
        try:
            document = load_first(read_file(name).decode("utf-8-sig")) or {}
        except FileNotFoundError as error:
            if explicit:
                raise ClusterError(f"{name}: no such file", "check the path after --kubeconfig") from error
            continue
        except (OSError, ValueError) as error:
            hint = "fix the file, or choose another with --kubeconfig"
            raise ClusterError(f'error loading config file "{name}": {error}', hint) from error
        config = _merged(config, document, name)
    return config


def _merged(config: _Config, document: Any, file: str) -> _Config:
    if not isinstance(document, dict):
        raise ClusterError(f'error loading config file "{file}": not a kubeconfig')
    current = text(document, "current-context", file)
    folder = Path(file).absolute().parent
    for plural, single, bodies in (
        ("clusters", "cluster", config.clusters),
        ("contexts", "context", config.contexts),
        ("users", "user", config.users),
    ):
        here = set()
        for item in mappings(document, plural, file):
            name, body = text(item, "name", file), item.get(single) or {}
            if not isinstance(body, dict):
                raise ClusterError(f'error loading config file "{file}": {single} {name} must be a mapping')
            if name in here:
                raise ClusterError(f'error loading config file "{file}": duplicate name "{name}" in {plural}')
            here.add(name)
            bodies.setdefault(name, _with_absolute_paths(body, folder, file))
    return config._replace(current_context=config.current_context or current)


def _with_absolute_paths(body: dict[str, Any], folder: Path, file: str) -> dict[str, Any]:
    body = dict(body)
    for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if path := text(body, key, file):
            body[key] = str(folder / path)
    plugin = body.get("exec")
    if isinstance(plugin, dict) and os.sep in (command := text(plugin, "command", file)):
        body["exec"] = {**plugin, "command": str(folder / command)}
    return body


def _selected_context(config: _Config, wanted: str | None) -> dict[str, Any]:
    name = wanted or config.current_context
    if name and name not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        message = f'context "{name}" does not exist'
        if not wanted:
            message = f"context was not found for specified context: {name}"
        raise ClusterError(message, f"contexts of {', '.join(config.files) or 'no file'}: {known}")
    return config.contexts.get(name, {})


def _selected(
    bodies: Mapping[str, dict[str, Any]],
    option: str | None,
    of_context: Any,
    kind: str,
) -> tuple[str, dict[str, Any] | None]:
    name = option or text({kind: of_context}, kind, "the context")
    if name and name not in bodies:
        raise ClusterError(f'{kind} "{name}" does not exist', f"known: {', '.join(sorted(bodies)) or 'none'}")
    return name, bodies.get(name)


def _no_cluster_error(config: _Config, wanted: str | None) -> ClusterError:
    hint = "set KUBECONFIG or --kubeconfig, or choose with --context"
    if context := wanted or config.current_context:
        return ClusterError(f'context "{context}" has no cluster', hint)
    if config.contexts:
        return ClusterError(
            "current-context is not set", f"choose with --context: {', '.join(sorted(config.contexts))}"
        )
    looked = ", ".join(config.files) or "KUBECONFIG"
    return ClusterError(f"no configuration has been provided: nothing in {looked}", hint)


def _in_cluster() -> bool:
    variables = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return all(map(os.environ.get, variables)) and Path(_SERVICE_ACCOUNT, "token").is_file()


def _service_account_cluster() -> dict[str, Any]:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return {
        "server": f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        "certificate-authority": f"{_SERVICE_ACCOUNT}/ca.crt",
    }


def _service_account_namespace() -> str:
    """The namespace of the pod that this runs in, "" outside of one."""
    if not _in_cluster():
        return ""
    if namespace := os.environ.get("POD_NAMESPACE"):
        return namespace
    with contextlib.suppress(OSError):
        return Path(_SERVICE_ACCOUNT, "namespace").read_text(encoding="utf-8").strip()
    return ""


def _impersonation(user: Mapping[str, Any], name: str, options: ClusterOptions) -> tuple[tuple[str, str], ...]:
    who = options.as_user or text(user, "as", name)
    uid = options.as_uid or text(user, "as-uid", name)
    groups = options.as_groups or strings(user, "as-groups", name)
    extra = mapping(user, "as-user-extra", name)
    if not who:
        if uid or groups or extra:
            raise ClusterError(
                f"requesting uid, groups or user-extra for {name} without impersonating a user", "add --as USER"
            )
        return ()
    headers = [("Impersonate-User", who), *(("Impersonate-Group", group) for group in groups)]
    if uid:
        headers.append(("Impersonate-Uid", uid))
    for key in extra:
        header = f"Impersonate-Extra-{quote(str(key), safe=_HEADER_BYTES)}"
        headers.extend((header, value) for value in strings(extra, key, name))
    for header, value in headers:
        if not value.isprintable():
            raise ClusterError(f"invalid {header}: must be one line of printable text", "it is sent as an HTTP header")
    return tuple(headers)


def _host(cluster: Mapping[str, Any], name: str) -> str:
    server = text(cluster, "server", name)
    if not server:
        raise ClusterError(f'no server found for cluster "{name}"')
    if "://" not in server:
        server = f"http://{server}"
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        valid = False
    if not valid or not is_url_text(server):
        shown = server.rpartition("@")[2]
        raise ClusterError(f'the server "{shown}" of cluster "{name}" must be a URL or a host:port pair')
    if parts.username is not None:
        raise ClusterError(
            f'the server of cluster "{name}" has a user in its URL', "move them to username and password of the user"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _server_name(cluster: Mapping[str, Any], name: str) -> str | None:
    server_name = text(cluster, "tls-server-name", name)
    if server_name and (len(server_name) > _LONGEST_HOST or not is_url_text(server_name)):
        raise ClusterError(f'invalid kubeconfig: tls-server-name of cluster "{name}" is not a host name')
    return server_name or None


def _anchors(cluster: Mapping[str, Any], name: str) -> bytes:
    anchors = data_or_file(cluster, "certificate-authority", name)
    if anchors and flag(cluster, "insecure-skip-tls-verify", name):
        raise ClusterError(
            f"cluster {name}: specifying a root certificates file with the insecure flag is not allowed",
            "remove insecure-skip-tls-verify",
        )
    return anchors
